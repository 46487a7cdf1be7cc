"""Start the programs that the action starts, as a runner's step would."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.runner import Annotation, read_annotations, read_outputs

ROOT = Path(__file__).resolve().parents[2]
GATE = ROOT / "incident_actions" / "gate.py"
LIMIT = 60  # seconds that a program may take


@dataclass(frozen=True)
class Result:
    """What a step left behind."""

    exit_code: int
    outputs: Mapping[str, str]
    summary: str
    annotations: Sequence[Annotation]
    log: str

    @property
    def errors(self) -> list[str]:
        """The messages of its error annotations."""
        return [each.message for each in self.annotations if each.level == "error"]


@dataclass(frozen=True)
class Where:
    """The GitHub that a program talks to, and the repository it runs in."""

    api_url: str
    repository: str
    token: str
    environment: Mapping[str, str] = field(default_factory=dict)


def run_gate(
    where: Where,
    *,
    python: str = sys.executable,
    gate: Path = GATE,
    inputs: Mapping[str, str] | None = None,
    **variables: str,
) -> Result:
    """Run the gate by path, on any Python. `inputs` go by the names in action.yml."""
    return _run([python, "-I", "-S", str(gate)], where, inputs, variables)


def run_command(
    command: str,
    where: Where,
    *,
    event: str = "workflow_dispatch",
    payload: Mapping[str, Any] | str | None = None,
    inputs: Mapping[str, str] | None = None,
    arguments: Sequence[str] = (),
    **variables: str,
) -> Result:
    """Run `python -m incident_actions COMMAND ARGUMENTS` for this event.

    `payload` is what the event file holds, as text if it is to be broken JSON, and None for no
    file. `variables` are set in the environment; an empty one is left out of it.
    """
    with tempfile.TemporaryDirectory() as folder:
        given = {"GITHUB_EVENT_NAME": event, "PYTHONPATH": str(ROOT)}
        if payload is not None:
            file = Path(folder) / "event.json"
            text = payload if isinstance(payload, str) else json.dumps(payload)
            file.write_text(text, encoding="utf-8")
            given["GITHUB_EVENT_PATH"] = str(file)
        started = [sys.executable, "-m", "incident_actions", command, *arguments]
        return _run(started, where, inputs, {**given, **variables})


def _run(
    arguments: Sequence[str],
    where: Where,
    inputs: Mapping[str, str] | None,
    variables: Mapping[str, str],
) -> Result:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        files = {"GITHUB_OUTPUT": home / "outputs", "GITHUB_STEP_SUMMARY": home / "summary"}
        for file in files.values():
            file.touch()
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": where.api_url,
            "GITHUB_SERVER_URL": "https://github.com",
            "GITHUB_REPOSITORY": where.repository,
            "GITHUB_WORKSPACE": folder,
            "GITHUB_RUN_ID": "1",
            "INPUT_TOKEN": where.token,
            **{name: str(file) for name, file in files.items()},
            **{_variable(name): value for name, value in (inputs or {}).items()},
            **where.environment,
            **variables,
        }
        done = subprocess.run(
            list(arguments),
            cwd=folder,
            env={name: value for name, value in environment.items() if value},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=LIMIT,
            check=False,
        )
        return Result(
            exit_code=done.returncode,
            outputs=read_outputs(files["GITHUB_OUTPUT"].read_text("utf-8")),
            summary=files["GITHUB_STEP_SUMMARY"].read_text("utf-8"),
            annotations=read_annotations(done.stdout),
            log=done.stdout,
        )


def _variable(name: str) -> str:
    return "INPUT_" + name.upper().replace("-", "_")
