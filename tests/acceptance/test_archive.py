"""What each job downloads for `uses:`: small, and all that the action needs."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from incident_actions.sandbox import Sandbox
from tests.support.archive import archive, tracked, unpack
from tests.support.events import form_body
from tests.support.programs import ROOT, Where, run_gate

MOST_BYTES = 350_000
SHOP = "acme/shop"


@pytest.fixture
def action(tmp_path: Path) -> Path:
    """The folder that a runner makes of the archive."""
    folder = tmp_path / "_actions" / "acme" / "incident-actions" / "v1"
    folder.mkdir(parents=True)
    return unpack(folder)


def start(action: Path, folder: Path, *words: str, **variables: str) -> None:
    """Start the program as the action does, with the packages that the other tests share."""
    cache = ROOT / "build" / "tool-cache"
    cache.mkdir(parents=True, exist_ok=True)
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_"))}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **kept, **variables}
    done = subprocess.run(
        [sys.executable, "-I", "-S", action / "incident_actions/bootstrap.py", *words],
        cwd=folder, env={**environment, "RUNNER_TOOL_CACHE": str(cache)}, capture_output=True,
        encoding="utf-8", timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_job_downloads_little(action: Path) -> None:
    """No tests, pictures, pages, or locks and tools of development."""
    assert len(archive()) <= MOST_BYTES
    top = {
        path.relative_to(action).as_posix() for path in [*action.iterdir(), *action.glob(".*/*")]
    }
    assert top == {
        ".github", ".github/ISSUE_TEMPLATE", ".github/actions", "LICENSE", "action.yml",
        "incident_actions", "ops", "requirements.txt", "templates",
    }  # fmt: skip
    assert not {path.suffix for path in action.rglob("*.*")} & {".png", ".svg"}


def test_the_archive_alone_does_everything(action: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    """The gate and `respond`, each started in the way of the action."""
    assert not (action / "tests").exists()
    sandbox.repository(SHOP, labels=["incident"])
    sandbox.user("alice", permission={SHOP: "write"}, member_of=["acme"])
    rights = ("actions", "checks", "contents", "issues", "pull-requests")
    scopes = {"metadata": "read", "deployments": "read", **dict.fromkeys(rights, "write")}
    sandbox.actions_token("job-token", SHOP, scopes)
    answers = {"severity": "SEV1", "summary": "Logins fail.", "affected": "All."}
    issue = sandbox.as_user("alice", SHOP).file_form_issue("Down", form_body(answers))

    gate = run_gate(
        Where(sandbox.url, SHOP, "job-token"), gate=action / "incident_actions" / "gate.py"
    )
    assert (gate.exit_code, gate.outputs["verdict"]) == (1, "frozen"), gate.log

    event = tmp_path / "event.json"
    event.write_text(json.dumps({"action": "opened", "issue": issue}), "utf-8")
    start(
        action, tmp_path, "respond", GITHUB_ACTIONS="true", GITHUB_EVENT_NAME="issues",
        GITHUB_EVENT_PATH=str(event), GITHUB_API_URL=sandbox.url, INPUT_TOKEN="job-token",
        GITHUB_REPOSITORY=SHOP, GITHUB_SERVER_URL="https://github.com",
    )  # fmt: skip
    assert "incident-actions:begin" in sandbox.as_user("alice", SHOP).issue(1)["body"]


def test_it_lacks_only_what_people_call(action: Path) -> None:
    """What is not there is imported by nothing that is there, when that is loaded."""
    lacking = {
        name.removesuffix(".py").replace("/", ".")
        for name in tracked("incident_actions/*.py", ":!incident_actions/sandbox")
        if not (action / name).exists()
    }
    assert "incident_actions.cli.init" in lacking
    sources = {path: path.read_text("utf-8") for path in action.rglob("*.py")}
    found = {
        (path.name, name)
        for path, text in sources.items()
        for name in lacking
        if re.search(rf"^(from|import) {re.escape(name)}\b", text, re.MULTILINE)
        or re.search(
            rf"from {re.escape(name.rpartition('.')[0])} import .*\b{name.rpartition('.')[2]}\b",
            text,
        )
    }
    assert not found


def _parts(name: str) -> tuple[str, str]:
    """The package and the name of a module, for a regular expression."""
    package, _, module = name.rpartition(".")
    return re.escape(package), module


def test_a_command_for_people_says_where_it_is(action: Path, tmp_path: Path) -> None:
    """One line, and how to call it; the list of commands names what is there."""
    words = [sys.executable, "-m", "incident_actions"]
    given = {"cwd": tmp_path, "env": {"PATH": os.environ["PATH"], "PYTHONPATH": str(action)}}
    done = subprocess.run([*words, "init"], capture_output=True, text=True, check=False, **given)
    assert done.returncode == 2
    assert "uvx --from git+https://github.com/OWNER/incident-actions " in done.stderr
    environment = {**given["env"], "GITHUB_ACTION_REPOSITORY": "acme/incident-actions"}
    done = subprocess.run(
        [*words, "init"], capture_output=True, text=True, check=False,
        cwd=tmp_path, env=environment,
    )  # fmt: skip
    assert "uvx --from git+https://github.com/acme/incident-actions " in done.stderr
    listed = subprocess.run(words, capture_output=True, text=True, check=True, **given).stdout
    assert "    respond" in listed
    assert "    init" not in listed
