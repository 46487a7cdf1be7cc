"""The README's workflows are the ones that are tested, and say what this repository's own do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.support.shop import readme_workflows

ROOT = Path(__file__).resolve().parents[3]
TOOLS = Path(sys.executable).parent
WORKFLOWS = readme_workflows()
OWN = {"respond": "incident.yml", "gate": "deploy-gate.yml"}


def uses(workflow: dict[Any, Any], command: str) -> dict[str, Any] | None:
    """The job that uses this command of the action."""
    for job in workflow["jobs"].values():
        if any(step.get("with", {}).get("command") == command for step in job["steps"]):
            assert isinstance(job, dict)
            return job
    return None


def granted(workflow: dict[Any, Any], job: dict[str, Any]) -> Any:
    return job.get("permissions", workflow.get("permissions"))


@pytest.mark.parametrize("path", WORKFLOWS)
def test_readme_workflows_are_accepted(path: str, tmp_path: Path) -> None:
    """What a team copies is sound, and GitHub takes it."""
    file = tmp_path / Path(path).name
    file.write_text(WORKFLOWS[path], encoding="utf-8")
    schema = ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"]
    for tool, *arguments in (["actionlint"], schema):
        done = subprocess.run(
            [TOOLS / tool, *arguments, file],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("command", OWN)
def test_readme_workflows_ask_for_the_same_permissions_as_ours(command: str) -> None:
    """A team's token may do what ours does, no less and no more."""
    ours = yaml.safe_load((ROOT / ".github" / "workflows" / OWN[command]).read_text("utf-8"))
    our_job = uses(ours, command)
    assert our_job
    found = [
        granted(workflow, job)
        for workflow in map(yaml.safe_load, WORKFLOWS.values())
        if (job := uses(workflow, command))
    ]
    assert found == [granted(ours, our_job)]
