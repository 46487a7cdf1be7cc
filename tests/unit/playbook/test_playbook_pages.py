"""The playbook's pages hold together: front matter, links, tables, commands, findability."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_actions.domain.issue.forms import FormValues
from incident_actions.domain.playbook.runbooks import matching, read_page

OPS = Path(__file__).resolve().parents[3] / "ops"
RUNBOOKS = sorted((OPS / "runbooks").glob("*.md"))
PAGES = sorted(OPS.rglob("*.md"))
SERVICE_RUNBOOKS = (
    "502-errors.md",
    "app-crash-after-deployment.md",
    "auth-session-failures.md",
    "database-connection-failures.md",
    "payment-webhook-failures.md",
    "worker-backlog.md",
)
SECTIONS = [
    "Symptoms",
    "First checks",
    "Safest mitigation",
    "When to roll back",
    "How to verify",
    "Related",
]
# Words that change a system when they stand in a command.
CHANGES = re.compile(
    r"\b(restart|reload|stop|start|kill|rm|mv|purge|flushall|flushdb|set|del|delete|drop|update|"
    r"insert|truncate|alter|upgrade|downgrade|scale|push|resend|trigger|apply|prune|"
    r"pg_cancel_backend|pg_terminate_backend|cancel_consumer|add_consumer)\b(?!-)"
)
WRITES_FILE = re.compile(r">(?!&|/dev/null)")
QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
REPORTS = {
    "Customers get 502 Bad Gateway on every page": "502-errors.md",
    "504 gateway time-out since the last release": "502-errors.md",
    "API pods are in CrashLoopBackOff": "app-crash-after-deployment.md",
    "The app won't start, ImportError in the log": "app-crash-after-deployment.md",
    "FATAL: too many connections for role app": "database-connection-failures.md",
    "Nobody can log in with SSO": "auth-session-failures.md",
    "All users were logged out at once": "auth-session-failures.md",
    "Export queue grows, Celery seems dead": "worker-backlog.md",
    "Stripe webhooks fail with a wrong signature": "payment-webhook-failures.md",
    "Paid customers see no subscription": "payment-webhook-failures.md",
    "Most logins fail with a 500 since the last deploy": "auth-session-failures.md",
    "Since the deployment at noon every page is a 500": "app-crash-after-deployment.md",
}


def relative(path: Path) -> str:
    """The page's name below ops/, for readable test ids."""
    return path.relative_to(OPS).as_posix()


def front_matter(path: Path) -> dict[str, Any]:
    """The YAML between the first two `---` lines."""
    found = re.match(r"---\n(.*?)\n---\n", path.read_text(encoding="utf-8"), re.DOTALL)
    assert found, f"{path.name} has no front matter"
    loaded: dict[str, Any] = yaml.safe_load(found[1])
    return loaded


def fences(text: str, language: str) -> list[str]:
    """The contents of the fenced blocks in one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def prose(text: str) -> str:
    """The text without front matter, comments and fenced blocks."""
    text = re.sub(r"\A---\n.*?\n---\n", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def anchors(path: Path) -> set[str]:
    """The anchors that GitHub gives to the page's headings."""
    headings = re.findall(r"^#+ (.+)$", prose(path.read_text(encoding="utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def internal_links(path: Path) -> Iterator[str]:
    """Targets of the page's Markdown links, and of its front matter, that are not on the web."""
    text = path.read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)\s]+)\)", prose(text))
    if path in RUNBOOKS:
        targets += front_matter(path)["links"]
    return (t for t in targets if not t.startswith("https://"))


@pytest.mark.parametrize("path", RUNBOOKS, ids=relative)
def test_front_matter_is_complete(path: Path) -> None:
    """Each runbook has a title, words to find it by, services and links, and nothing else."""
    meta = front_matter(path)
    assert set(meta) == {"title", "match", "services", "links"}
    assert isinstance(meta["title"], str)
    assert meta["title"]
    assert meta["match"]
    for key in ("match", "services", "links"):
        assert isinstance(meta[key], list)
        assert all(isinstance(item, str) and item for item in meta[key]), key


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_links_resolve(path: Path) -> None:
    """Each link leads to a file that exists, and to a heading that it has."""
    for target in internal_links(path):
        name, _, anchor = target.partition("#")
        page = (path.parent / name).resolve() if name else path
        assert page.is_file(), f"{target} leads nowhere"
        assert not anchor or anchor in anchors(page), f"{target}: no such heading"


def test_index_names_every_runbook() -> None:
    """No runbook is missing from the index."""
    linked = set(internal_links(OPS / "runbooks" / "README.md"))
    assert {path.name for path in RUNBOOKS} - {"README.md"} <= linked


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_tables_have_equal_rows(path: Path) -> None:
    """Each row has as many cells as its header, or GitHub would drop or add some."""
    lines = prose(path.read_text(encoding="utf-8")).splitlines()
    width = 0
    for line in lines:
        if not line.startswith("|"):
            width = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        assert cells == (width or cells), line
        width = cells


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_commands_are_valid_shell(path: Path) -> None:
    """Every block of commands can be pasted into bash."""
    for block in fences(path.read_text(encoding="utf-8"), "bash"):
        result = subprocess.run(
            ["bash", "-n"], input=block, text=True, capture_output=True, timeout=10, check=False
        )
        assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("name", SERVICE_RUNBOOKS)
def test_service_runbook_has_the_sections_in_order(name: str) -> None:
    """A tired reader finds the same sections in the same order everywhere."""
    text = prose((OPS / "runbooks" / name).read_text(encoding="utf-8"))
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("name", SERVICE_RUNBOOKS)
def test_first_checks_only_read(name: str) -> None:
    """The first commands on offer cannot make anything worse."""
    text = (OPS / "runbooks" / name).read_text(encoding="utf-8")
    section = text.split("## First checks\n")[1].split("\n## ")[0]
    (block,) = fences(section, "bash")
    commands = [re.sub(r"(^|\s)#.*", "", line) for line in block.splitlines()]
    assert [line for line in commands if CHANGES.search(line)] == []
    assert [line for line in commands if WRITES_FILE.search(QUOTED.sub("", line))] == []


@pytest.mark.parametrize("path", PAGES, ids=relative)
def test_commands_that_change_things_say_so(path: Path) -> None:
    """A command that restarts or reloads something carries the word `changes`."""
    for block in fences(path.read_text(encoding="utf-8"), "bash"):
        for line in block.splitlines():
            if re.search(r"\b(restart|reload)\b", line.split("#")[0]):
                assert "# changes" in line


@pytest.mark.parametrize(("report", "name"), REPORTS.items())
def test_report_finds_its_runbook(report: str, name: str) -> None:
    """The words of a worried person lead to the right runbook, and to no general page."""
    pages = [read_page(path.name, path.read_text("utf-8"), own=False) for path in RUNBOOKS]
    found = {one.name for one in matching(pages, FormValues({"summary": report}, {}))}
    assert name in found
    assert found <= set(SERVICE_RUNBOOKS)


def test_lifecycle_has_both_diagrams() -> None:
    """The lifecycle page draws the steps and the states, as GitHub's Mermaid knows them."""
    blocks = fences((OPS / "runbooks" / "lifecycle.md").read_text(encoding="utf-8"), "mermaid")
    assert [block.split()[0] for block in blocks] == ["flowchart", "stateDiagram-v2"]
