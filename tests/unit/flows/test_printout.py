"""The checklist on paper: the team's own pages, safe, and one page of A4 or Letter."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from incident_actions.cli.checklist import page_reader as pages
from incident_actions.render.checklist_page import as_html, as_markdown, inline_html

ROOT = Path(__file__).resolve().parents[3]
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
CHECKLIST = "incident-checklist.md"


def write(folder: Path, name: str, text: str) -> None:
    (folder / "ops" / "runbooks").mkdir(parents=True, exist_ok=True)
    (folder / "ops" / "runbooks" / name).write_text(text, "utf-8")


def test_a_team_without_pages_gets_ours(tmp_path: Path) -> None:
    """Steps, recovery, severities and rollback rules are on it."""
    html = as_html(pages(tmp_path))
    for text in ("Name an incident commander", "No alert is firing", "every 15 minutes"):
        assert text in html
    assert "A provider is down: rolling back will not help." in html


def test_the_teams_own_steps_and_commands_are_printed(tmp_path: Path) -> None:
    """Their checklist instead of ours, and the commands that they filled in."""
    write(tmp_path, CHECKLIST, "## One\n\n- [ ] Call **the boss** <!-- seen: thread -->\n")
    rules = (ROOT / "ops" / "runbooks" / "rollback-rules.md").read_text("utf-8")
    filled = rules.replace("| Roll back the app |", "| Roll back the app | `make back`")
    write(tmp_path, "rollback-rules.md", filled)
    html = as_html(pages(tmp_path))
    assert "Call <strong>the boss</strong>" in html
    assert "<code>make back</code>" in html
    assert "seen:" not in html
    assert "Name an incident commander" not in html
    assert "- [ ] Call **the boss**" in as_markdown(pages(tmp_path))


def test_recovery_is_checked_before_it_is_closed(tmp_path: Path) -> None:
    """Its checks stand before the step `Resolve`; where there is none, at the end."""
    headings = re.findall(r"^## (.+)$", as_markdown(pages(tmp_path)), re.MULTILINE)
    assert headings.index("Recovery") == headings.index("Resolve") - 1
    write(tmp_path, CHECKLIST, "## One\n\n- [ ] Call\n\n## Two\n\n- [ ] Fix\n")
    headings = re.findall(r"^## (.+)$", as_markdown(pages(tmp_path)), re.MULTILINE)
    assert headings == ["One", "Two", "Recovery"]


def test_html_in_a_page_stays_text(tmp_path: Path) -> None:
    """Nothing that somebody typed runs in a browser; links become their text."""
    hostile = "<script>alert(1)</script> [x](javascript:alert(1)) ![y](https://example.com/y.png)"
    write(tmp_path, CHECKLIST, f"## <b>T</b>\n\n- [ ] {hostile}\n")
    html = as_html(pages(tmp_path))
    for tag in ("<script", "<b>T", "<img", "<a ", "javascript:"):
        assert tag not in html
    assert inline_html("[The menu](menu.md) **now**") == "The menu <strong>now</strong>"


def pages_of(html: str, size: str, folder: Path) -> int:
    """How many pages Chromium prints."""
    source, target = folder / "page.html", folder / f"{size}.pdf"
    source.write_text(html.replace("@page {", f"@page {{ size: {size};"), "utf-8")
    subprocess.run(
        [
            str(CHROMIUM), "--headless", "--no-sandbox", "--disable-gpu",
            f"--user-data-dir={folder / 'profile'}", "--no-pdf-header-footer",
            f"--print-to-pdf={target}", source.as_uri(),
        ],
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        capture_output=True,
        timeout=90,
        check=True,
    )  # fmt: skip
    (count,) = re.findall(rb"/Count (\d+)", target.read_bytes())
    return int(count)


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here to print with")
@pytest.mark.parametrize("size", ["A4", "Letter"])
def test_it_prints_on_one_page(size: str, tmp_path: Path) -> None:
    """Ours, and one that is half as long again."""
    assert pages_of(as_html(pages(tmp_path)), size, tmp_path) == 1
    ours = (ROOT / "ops" / "runbooks" / CHECKLIST).read_text("utf-8")
    more = "\n".join(f"- [ ] One more step that our team takes, number {n}" for n in range(25))
    write(tmp_path, CHECKLIST, f"{ours}\n## More\n\n{more}\n")
    assert pages_of(as_html(pages(tmp_path)), size, tmp_path) == 1


def test_the_command_prints_it(tmp_path: Path) -> None:
    """`incident-actions checklist --html` writes the page to standard output."""
    (tmp_path / ".git").mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "incident_actions", "checklist", "--html"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("<!doctype html>")
