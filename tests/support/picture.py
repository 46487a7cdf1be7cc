"""Draws the README's pictures anew: of a real dashboard, and of a deploy that it stopped.

`python -m tests.support.picture` plays the first minutes of an incident on the sandbox, and lets
Chromium draw what the issue and a failed deploy show then: `.github/dashboard.png` and
`.github/deploy.png`.
"""

from __future__ import annotations

import html
import re
import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from markdown_it import MarkdownIt

from incident_actions.github.client import GitHub
from incident_actions.reconcile.respond import Tools, WorkflowEvent, respond
from incident_actions.sandbox import Sandbox
from tests.support.events import form_body
from tests.support.programs import Result, Where, run_gate

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / ".github"
SIZES = {"dashboard": (840, 1030), "deploy": (840, 590)}
REPO = "acme/shop"
STYLE = """
body { margin: 0; background: #fff; color: #1f2328; padding: 18px 24px;
  font: 14px/1.5 -apple-system, "Segoe UI", "Noto Sans", "Liberation Sans", Helvetica, sans-serif; }
h2 { font-size: 21px; border-bottom: 1px solid #d1d9e0; padding-bottom: 6px; margin: 4px 0 12px; }
blockquote { margin: 0 0 12px; padding: 0 12px; border-left: 4px solid #d1d9e0; color: #59636e; }
blockquote p { margin: 0; }
a { color: #0969da; text-decoration: none; }
p { margin: 0 0 12px; } ul { padding-left: 24px; margin: 8px 0 12px; } details { margin: 0 0 12px; }
table { border-collapse: collapse; margin-bottom: 14px; }
td, th { border: 1px solid #d1d9e0; padding: 5px 13px; text-align: left; }
code { background: #eff1f3; border-radius: 6px; padding: 2px 5px; font-size: 12px; }
li.box { list-style: none; margin-left: -18px; }
section { border: 1px solid #d1d9e0; border-radius: 6px; padding: 10px 16px; margin: 0 0 14px; }
section > b { display: block; margin-bottom: 4px; } h4 { margin: 0 0 6px; color: #59636e; }
section h3 { margin: 2px 0 10px; } section p:last-child { margin: 0; } .no { color: #cf222e; }
"""


def play() -> tuple[str, Result]:
    """What an issue shows eleven minutes after it was declared, as Markdown; and a deploy then."""
    now = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
    github = Sandbox(clock=lambda: now)
    github.repository(REPO, labels=["incident"])
    for login in ("dana", "bea"):
        github.user(login, permission={REPO: "write"})
    token = github.token("ghp_picture", "github-actions[bot]")
    github.user("github-actions[bot]", permission={REPO: "write"}, kind="Bot")
    dana, bea = github.as_user("dana"), github.as_user("bea")

    def run() -> None:
        name, payload = github.deliveries[-1]
        tools = Tools(lambda: now, lambda seconds: None, lambda url, private: False)
        respond(GitHub(token, REPO, github.url), WorkflowEvent(name, payload), "config.yml", tools)

    with github:
        dana.push(
            {"src/app.py": "1", ".github/workflows/deploy.yml": "on: workflow_dispatch"}, "Start"
        )
        dana.deploy("main")
        now = datetime(2026, 11, 23, 2, 31, tzinfo=UTC)
        files: dict[str, str | None] = {"src/sessions.py": "1", "requirements.txt": "redis==5"}
        pull = bea.open_pull("Keep sessions in the new cache", files, "sessions")["number"]
        bea.merge(pull)
        now = datetime(2026, 11, 23, 2, 38, tzinfo=UTC)
        dana.deploy("main")
        now = datetime(2026, 11, 23, 2, 56, tzinfo=UTC)
        answers = {
            "severity": "SEV1",
            "summary": "Most logins answer 502.",
            "affected": "About two thirds of all logins.",
            "started": "02:50",
            "services": "api",
        }
        number = dana.file_form_issue("Logins fail", form_body(answers))["number"]
        run()
        for minute, who, text in (
            (59, dana, "/ack\n/role comms @bea"),
            (63, bea, "/update Most logins fail. We are rolling back to v41."),
            (67, dana, "/did rolled back to v41 -> error rate dropping"),
        ):
            now = datetime(2026, 11, 23, 2 + minute // 60, minute % 60, tzinfo=UTC)
            who.comment(number, text)
            run()
        where = Where(github.url, REPO, token, {"INCIDENT_NOW": now.isoformat()})
        main = str(github.repo(REPO).git.resolve("main"))
        body = str(dana.issue(number)["body"]).partition("<!-- incident-actions:state")[0]
        return body, run_gate(where, GITHUB_EVENT_NAME="push", GITHUB_SHA=main)


def failed_deploy(run: Result) -> str:
    """The run of a deploy that the gate stopped, as GitHub would show it, or nearly."""
    told = "<br>".join(html.escape(line) for line in run.errors[0].splitlines())
    title = html.escape(run.annotations[0].place["title"])
    summary = page(run.summary).partition("</style>")[2]
    return (
        f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>"
        '<h2><span class="no">✖</span> Deploy: Keep sessions in the new cache</h2>'
        f'<section><b><span class="no">✖</span> {title}</b><p>{told}</p></section>'
        f"<h4>deploy summary</h4><section>{summary}</section>"
    )


def page(markdown: str) -> str:
    """The dashboard as GitHub would show it, or nearly."""
    text = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(markdown)
    text = re.sub(r"<li>\[ \]", '<li class="box"><input type="checkbox" disabled>', text)
    text = re.sub(r"<li>\[x\]", '<li class="box"><input type="checkbox" checked disabled>', text)
    text = re.sub(r"(?<![\w/>])@(dana|bea)\b", r"<b>@\1</b>", text)
    return f"<!doctype html><meta charset=utf-8><style>{STYLE}</style>{text}"


def draw() -> None:
    """Write the pictures."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        raise SystemExit("Chromium is needed to draw them.")
    dashboard, deploy = play()
    for name, shown in {"dashboard": page(dashboard), "deploy": failed_deploy(deploy)}.items():
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder) / "page.html"
            source.write_text(shown, "utf-8")
            width, height = SIZES[name]
            subprocess.run(
                [
                    chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                    f"--user-data-dir={folder}/profile", f"--window-size={width},{height}",
                    f"--screenshot={FOLDER / name}.png", source.as_uri(),
                ],
                capture_output=True,
                timeout=90,
                check=True,
            )  # fmt: skip


if __name__ == "__main__":
    draw()
