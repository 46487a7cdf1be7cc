"""What this repository's own action and workflows say about the programs that they start.

The drill goes by these files, so that it plays what a runner would do: the same events, the same
permissions of the token, the same environment variables.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from incident_actions.our_files import OUR_FILES

FORM = OUR_FILES / ".github" / "ISSUE_TEMPLATE" / "incident.yml"
RESPOND = OUR_FILES / ".github" / "workflows" / "incident.yml"
DEPLOY = OUR_FILES / ".github" / "workflows" / "deploy-gate.yml"


def _read(path: Path) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    return document


def permissions(workflow: Path, job: str) -> dict[str, str]:
    """What a job's token may do.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idpermissions
    """
    found: dict[str, str] = _read(workflow)["jobs"][job]["permissions"]
    return found


def triggers(workflow: Path) -> dict[str, frozenset[str] | None]:
    """The events that start a workflow, each with its activity types; None means every type.

    https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
    """
    return {name: _types(options) for name, options in _events(workflow).items()}


def cron(workflow: Path) -> str:
    """The schedule of a workflow.

    https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule
    """
    return str(_events(workflow)["schedule"][0]["cron"])


def name(workflow: Path) -> str:
    """The path of a workflow, as GitHub names it."""
    return workflow.relative_to(OUR_FILES).as_posix()


def _events(workflow: Path) -> dict[str, Any]:
    document = _read(workflow)
    key = "on" if "on" in document else True  # YAML 1.1 reads a bare `on` as true
    events: dict[str, Any] = document[key]
    return events


def _types(options: Any) -> frozenset[str] | None:
    types = options.get("types") if isinstance(options, dict) else None
    return frozenset(types) if types else None


def step_environment(
    step: str, given: Mapping[str, str], github: Mapping[str, str]
) -> dict[str, str]:
    """The variables that action.yml sets for one of its steps, by the step's id.

    `given` are the inputs of the caller, `github` what `${{ github.NAME }}` stands for.
    """
    action = _read(OUR_FILES / "action.yml")
    defaults = {name: str(spec.get("default", "")) for name, spec in action["inputs"].items()}
    inputs = {
        name: re.sub(r"\$\{\{ github\.(\w+) \}\}", lambda found: github[found[1]], value)
        for name, value in {**defaults, **given}.items()
    }
    environment = next(one["env"] for one in action["runs"]["steps"] if one.get("id") == step)
    return {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda found: inputs[found[1]], value)
        for name, value in environment.items()
    }
