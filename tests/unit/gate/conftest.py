"""Fixtures of the gate's tests: a hostile GitHub, and the gate run in this process against it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from incident_actions import gate
from tests.support.runner import Annotation, read_annotations, read_outputs
from tests.unit.gate import hostile
from tests.unit.gate.cases import NOW, SHA


@dataclass(frozen=True)
class Ran:
    """What one run of the gate left behind."""

    exit_code: int
    outputs: dict[str, str]
    summary: str
    annotations: Sequence[Annotation]
    log: str

    @property
    def verdict(self) -> str:
        """The `verdict` output."""
        return self.outputs.get("verdict", "")

    @property
    def errors(self) -> list[str]:
        """The messages of the error annotations."""
        return [each.message for each in self.annotations if each.level == "error"]


Run = Callable[..., Ran]


@pytest.fixture
def github() -> Iterator[hostile.Hostile]:
    """A GitHub that answers as it is told."""
    with hostile.serve() as world:
        yield world


@pytest.fixture
def run(
    github: hostile.Hostile,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Run the gate; inputs go by name, further variables in capitals, flags as a list.

    `now` stands still; with None the gate asks `gate.datetime` for it.
    """
    monkeypatch.setattr(gate.GateClient, "WAITS", (0.01, 0.02))

    def go(
        *flags: str,
        event: Any = None,
        inputs: dict[str, str] | None = None,
        now: datetime | None = NOW,
        **variables: str,
    ) -> Ran:
        files = {"GITHUB_OUTPUT": tmp_path / "outputs", "GITHUB_STEP_SUMMARY": tmp_path / "summary"}
        for file in files.values():
            file.write_text("")
        env = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_API_URL": github.url,
            "GITHUB_REPOSITORY": "acme/shop",
            "GITHUB_SHA": SHA,
            "GITHUB_ACTOR": "dave",
            "GITHUB_TOKEN": "secret-token",
            "INPUT_BUDGET": "5",
            **{name: str(file) for name, file in files.items()},
        }
        if event is not None:
            path = tmp_path / "event.json"
            path.write_text(event if isinstance(event, str) else json.dumps(event))
            env["GITHUB_EVENT_PATH"] = str(path)
        env.update({f"INPUT_{k.upper().replace('-', '_')}": v for k, v in (inputs or {}).items()})
        env.update(variables)
        for name, value in variables.items():
            if name.lower().endswith("_proxy"):  # `urllib.request` reads the process's environment
                monkeypatch.setenv(name, value)
        code = gate.main(list(flags), env, now)
        log, errors = capsys.readouterr()
        assert "secret-token" not in log + errors + files["GITHUB_STEP_SUMMARY"].read_text()
        return Ran(
            exit_code=code,
            outputs=read_outputs(files["GITHUB_OUTPUT"].read_text()),
            summary=files["GITHUB_STEP_SUMMARY"].read_text(),
            annotations=read_annotations(log + errors),
            log=log,
        )

    return go
