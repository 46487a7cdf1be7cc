"""action.yml against the contract and against the programs that it starts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_actions import gate
from incident_actions.domain.reminders.clock import WATCH_MINUTES

ROOT = Path(__file__).resolve().parents[3]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS: dict[str, dict[str, Any]] = {step["id"]: step for step in ACTION["runs"]["steps"]}

# What users rely on. A change here breaks their workflows.
INPUTS = {
    "command": None,
    "token": "${{ github.token }}",
    "repository": "${{ github.repository }}",
    "config": ".github/incident.yml",
    "service": "",
    "environment": "",
    "sha": "",
    "intent": "deploy",
    "severities": "sev1,sev2",
    "mode": "enforce",
    "on-error": "block",
    "wait-minutes": "0",
    "watch-minutes": str(WATCH_MINUTES),
}
OUTPUTS = {
    "gate": {"frozen", "verdict", "reason", "incidents"},
    "command": {"issue", "severity", "status", "changed", "pull-request"},
}


def variable(name: str) -> str:
    """The variable through which an input reaches a program."""
    return "INPUT_" + name.upper().replace("-", "_")


def test_inputs_and_defaults_are_those_promised() -> None:
    """Nobody's workflow breaks by a renamed input or another default."""
    assert {name: given.get("default") for name, given in ACTION["inputs"].items()} == INPUTS
    assert [name for name, given in ACTION["inputs"].items() if given.get("required")] == [
        "command"
    ]


def test_outputs_come_from_the_step_that_sets_them() -> None:
    """Each promised output is passed on under its own name."""
    expected = {
        name: f"${{{{ steps.{step}.outputs.{name} }}}}"
        for step, names in OUTPUTS.items()
        for name in names
    }
    assert {name: given["value"] for name, given in ACTION["outputs"].items()} == expected


def test_every_input_and_output_is_described() -> None:
    """A person who reads action.yml learns what each thing is for."""
    for given in [*ACTION["inputs"].values(), *ACTION["outputs"].values()]:
        assert len(given["description"]) > 20


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_step_takes_inputs_through_its_environment_only(step: dict[str, Any]) -> None:
    """No expression is part of a shell line, so no text from an issue can be."""
    assert "${{" not in step["run"]
    for name, value in step["env"].items():
        match = re.fullmatch(r"\$\{\{ inputs\.([a-z-]+) \}\}", value)
        assert match, f"{name} is {value}"
        assert name == variable(match[1])


def test_the_gate_gets_the_inputs_that_it_reads() -> None:
    """Each input for the gate is known to it, with the same default, and is handed over."""
    read = {name: default for name, default, _ in gate.INPUTS}
    passed = {name for name in ACTION["inputs"] if variable(name) in STEPS["gate"]["env"]}
    assert passed == ACTION["inputs"].keys() - {"command", "watch-minutes"}
    assert passed - {"token"} <= read.keys()
    for name in passed - {"token", "repository"}:
        assert read[name] == INPUTS[name]


def test_exactly_one_step_runs() -> None:
    """Whatever the command: the gate's step for `gate`, and the other for all others."""
    assert {name: step["if"] for name, step in STEPS.items()} == {
        "gate": "inputs.command == 'gate'",
        "command": "inputs.command != 'gate'",
    }


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_a_step_starts_one_program_that_is_there(step: dict[str, Any]) -> None:
    """It starts the runner's python3, isolated, on a file that lies in the action's own folder."""
    match = re.match(r'python3 -I -S "\$GITHUB_ACTION_PATH/([a-z_/.]+)"', step["run"])
    assert match
    assert (ROOT / match[1]).is_file()
    assert not step.keys() & {"working-directory", "uses"}
