"""What each job downloads for `uses:`: small, and all that the action needs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from incident_actions.sandbox import Sandbox
from tests.support.archive import archive, tracked, unpack
from tests.support.events import form_body
from tests.support.programs import ROOT, Where, run_gate

MOST_BYTES = 420_000
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
        "incident_actions", "ops", "pyproject.toml", "requirements.in", "requirements.txt",
        "setup.py", "templates",
    }  # fmt: skip
    assert not {path.suffix for path in action.rglob("*.*")} & {".png", ".svg"}


def test_the_archive_can_be_installed(action: Path, tmp_path: Path) -> None:
    """`pip install https://github.com/.../archive/v1.zip`: all but the drill, which a clone has."""
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path]
    subprocess.run(build, cwd=action, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
    package, data = "incident_actions/", ("action.yml", "ops/", "templates/", ".github/ISSUE")
    left = set(tracked(":!incident_actions/sandbox", ":!*.png"))
    assert names == {name for name in left if name.startswith(package)} | {
        f"{package}data/{name}" for name in left if name.startswith(data)
    }


def test_the_archive_alone_does_everything(action: Path, sandbox: Sandbox, tmp_path: Path) -> None:
    """The gate, `respond` and `init`, each started in the way of the action."""
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

    shop = tmp_path / "shop"
    shop.mkdir()
    subprocess.run(["git", "init", "--quiet"], cwd=shop, check=True)
    start(action, shop, "init", "--owner", "acme", "--yes")
    assert "acme/incident-actions@v1" in (shop / ".github/workflows/incident.yml").read_text()
