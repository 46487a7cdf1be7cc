"""README and `docs/`: their tables are the code's, and their workflows are tested."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.reference import PAGES, TABLES, fill
from tests.support.shop import readme_workflows

ROOT = Path(__file__).resolve().parents[3]
TOOLS = Path(sys.executable).parent
WORKFLOWS = readme_workflows()
OWN = {"respond": "incident.yml", "gate": "deploy-gate.yml"}


def granted(workflow: dict[Any, Any], command: str) -> list[Any]:
    """The permissions of each job that uses this command of the action."""
    return [
        job.get("permissions", workflow.get("permissions"))
        for job in workflow["jobs"].values()
        if any(step.get("with", {}).get("command") == command for step in job["steps"])
    ]


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
    readmes = [granted(it, command) for it in map(yaml.safe_load, WORKFLOWS.values())]
    assert [each for each in readmes if each] == [granted(ours, command)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_are_those_of_the_code(page: Path) -> None:
    """`make docs` was not forgotten."""
    text = page.read_text("utf-8")
    assert fill(text) == text


def test_every_table_has_a_place() -> None:
    """One place each: what two pages say, one of them soon says wrongly."""
    texts = "".join(page.read_text("utf-8") for page in PAGES)
    assert {name: texts.count(f"<!-- reference:{name} -->") for name in TABLES} == dict.fromkeys(
        TABLES, 1
    ) | {"commands": 2}


def test_the_readme_is_one_screen() -> None:
    """What it is before how it is tested; all reference is in `docs/`."""
    lines = (ROOT / "README.md").read_text("utf-8").splitlines()
    assert len(lines) < 150


def test_every_page_of_the_reference_is_linked() -> None:
    """Nobody finds a page that no other page names."""
    texts = [page.read_text("utf-8") for page in (*PAGES, ROOT / "CONTRIBUTING.md")]
    for page in PAGES:
        assert page.parent == ROOT or any(f"{page.name})" in text for text in texts), page.name
