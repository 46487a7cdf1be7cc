"""What `init` makes of workflows that a team has already."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.flows.test_setup import OWNER, init, lint

WORKFLOWS = ".github/workflows"
OWN = "name: Incident\non: push\njobs: { a: { runs-on: x, steps: [{ run: pagerduty }] } }\n"
CALLER = """\
on: push
permissions: { contents: read }
jobs: { deploy: { uses: ./.github/workflows/deploy-app.yml } }
"""
CALLEE = """\
on: workflow_call
permissions: { contents: read }
jobs:
  deploy:
    runs-on: ubuntu-latest
    environment: production
    steps: [{ run: ./deploy.sh }]
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty repository."""
    (tmp_path / ".git").mkdir()
    (tmp_path / WORKFLOWS).mkdir(parents=True)
    return tmp_path


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / WORKFLOWS / name
    path.write_text(text, "utf-8")
    return path


def test_an_incident_workflow_of_the_teams_own_stays_and_ours_is_beside_it(folder: Path) -> None:
    """It is no edit of ours, and the record does not say that it was written."""
    own = write(folder, "incident.yml", OWN)
    done = init(folder, *OWNER)
    assert own.read_text("utf-8") == OWN
    assert f"A file of your own is at {WORKFLOWS}/incident.yml" in done.stdout
    ours = (folder / WORKFLOWS / "incident-actions.yml").read_text("utf-8")
    assert ours.startswith(f"# {WORKFLOWS}/incident-actions.yml\n")
    assert "command: respond" in ours
    record = json.loads((folder / ".github/incident.init.json").read_text("utf-8"))
    assert f"{WORKFLOWS}/incident.yml" not in {**record["files"], **record["kept"]}
    assert init(folder, "--check").returncode == 0


def test_a_called_deploy_gets_one_gate_that_github_accepts(folder: Path) -> None:
    """Where it is called: `actionlint` compares what is granted with what is asked for."""
    write(folder, "deploy.yml", CALLER)
    called = write(folder, "deploy-app.yml", CALLEE)
    init(folder, *OWNER, "--gate")
    assert called.read_text("utf-8") == CALLEE
    text = (folder / WORKFLOWS / "deploy.yml").read_text("utf-8")
    assert text.count("command: gate") == 1
    assert "zizmor" not in text
    lint("actionlint", folder / WORKFLOWS / "deploy.yml", called)
    assert init(folder, "--check").returncode == 0


def test_a_gate_that_stops_nothing_is_told_and_stays(folder: Path) -> None:
    """With the line to change, and no second gate."""
    text = (
        "on: push\njobs:\n  deploy:\n    runs-on: x\n    steps:\n      - run: ./deploy.sh\n"
        "      - uses: acme/incident-actions@v1\n        with: { command: gate }\n"
    )
    own = write(folder, "deploy.yml", text)
    done = init(folder, *OWNER, "--gate")
    assert own.read_text("utf-8") == text
    told = (
        "job `deploy`, is not changed: the gate comes after the step `./deploy.sh`: put it before"
    )
    assert told in done.stdout
    assert init(folder, "--check").returncode == 1


@pytest.mark.parametrize(
    ("text", "example"),
    [
        ("on: push\njobs: { ship-it: { runs-on: x, steps: [{ run: x }] } }\n", False),
        ("on: push\njobs: { go: { runs-on: x, steps: [{ run: kubectl apply -f x }] } }\n", False),
        ("on: release\njobs: { go: { runs-on: x, steps: [{ run: x }] } }\n", False),
        ("on: push\njobs: { test: { runs-on: x, steps: [{ run: x }] } }\n", True),
        ("on: pull_request\njobs: { go: { runs-on: x, steps: [{ run: x }] } }\n", True),
    ],
)
def test_an_example_of_a_deploy_comes_only_where_nothing_may_deploy(
    folder: Path, text: str, example: bool
) -> None:
    """Beside a deploy that was not seen, it would look as if the gate stood before that."""
    write(folder, "main.yml", text)
    init(folder, *OWNER)
    assert (folder / WORKFLOWS / "deploy.yml").exists() == example


def test_what_is_the_same_for_several_workflows_is_said_once(folder: Path) -> None:
    """In lines of less than 100 characters."""
    for name in ("one", "two"):
        write(folder, f"{name}.yml", "on: push\njobs:\n  deploy:\n    steps: [{ run: x }]\n")
    told = init(folder, *OWNER, "--gate").stdout
    assert told.count("A job without `permissions:`") == 1
    notes = told.partition("Note: ")[2].partition("\nNext")[0].splitlines()
    assert max(map(len, notes)) < 100
