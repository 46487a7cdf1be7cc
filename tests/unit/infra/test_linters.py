"""The linters that GitHub's users trust, on the files that GitHub reads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOOLS = Path(sys.executable).parent

ACTIONS = sorted([ROOT / "action.yml", *(ROOT / ".github" / "actions").glob("*/action.yml")])
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = sorted(
    path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config"
)


def lint(tool: str, *arguments: str | Path) -> None:
    """Run a linter, offline; its findings are the test's failure."""
    done = subprocess.run(
        [TOOLS / tool, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_pass_actionlint(path: Path) -> None:
    """Each workflow's expressions, contexts and job graph are sound."""
    lint("actionlint", path)


@pytest.mark.parametrize("path", [*WORKFLOWS, *ACTIONS], ids=lambda path: path.name)
def test_workflows_and_action_pass_zizmor(path: Path) -> None:
    """No injection, no loose permission, no action that is not pinned."""
    lint("zizmor", "--offline", "--no-progress", path)


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_workflows_match_the_schema(path: Path) -> None:
    """GitHub accepts each workflow's keys."""
    lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", path)


@pytest.mark.parametrize("path", FORMS, ids=lambda path: path.name)
def test_issue_forms_match_the_schema(path: Path) -> None:
    """GitHub shows each form; it silently drops a form with an error."""
    lint("check-jsonschema", "--builtin-schema", "vendor.github-issue-forms", path)


def test_the_template_chooser_matches_the_schema() -> None:
    """GitHub accepts the contact links."""
    path = ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml"
    lint("check-jsonschema", "--builtin-schema", "vendor.github-issue-config", path)


@pytest.mark.parametrize("path", ACTIONS, ids=lambda path: path.parent.name)
def test_the_actions_match_the_schema(path: Path) -> None:
    """GitHub accepts each action's keys."""
    lint("check-jsonschema", "--builtin-schema", "vendor.github-actions", path)
