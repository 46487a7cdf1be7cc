"""Starting the programs that the action starts, with the environment that a runner gives."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from incident_actions.our_files import PACKAGE

from .contract import step_environment

LIMIT_SECONDS = 60.0


@dataclass(frozen=True)
class Annotation:
    """One line that a step put above its log; `kind` is error, warning or notice."""

    kind: str
    title: str
    message: str


@dataclass(frozen=True)
class Run:
    """What a step left behind. `exit_code` is None when it was ended from outside."""

    exit_code: int | None
    outputs: Mapping[str, str]
    summary: str
    log: str

    @property
    def annotations(self) -> tuple[Annotation, ...]:
        """What the step annotated, unescaped.

        https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
        """
        found = re.findall(
            r"^::(error|warning|notice)(?: title=([^\n:]*))?::(.*)$", self.log, re.MULTILINE
        )
        return tuple(Annotation(kind, _plain(title), _plain(text)) for kind, title, text in found)

    @property
    def annotation(self) -> str:
        """The first error or warning; empty when there is none."""
        return next((one.message for one in self.annotations if one.kind != "notice"), "")


def _plain(text: str) -> str:
    """A value of a workflow command without its escapes."""
    for code, sign in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, sign)
    return text


def _gate() -> tuple[str, ...]:
    return (sys.executable, "-I", "-S", str(PACKAGE / "gate.py"))


def _respond() -> tuple[str, ...]:
    return (sys.executable, "-m", "incident_actions", "respond")


@dataclass(frozen=True)
class Programs:
    """Both programs as command lines, so that a test can put a broken one in their place."""

    gate: Sequence[str] = field(default_factory=_gate)
    respond: Sequence[str] = field(default_factory=_respond)


@dataclass(frozen=True)
class Job:
    """A job that a runner runs: where, for which event, with whose token.

    `workflow` is the path of the workflow, `run_id` the number of its run.
    """

    api_url: str
    repository: str
    token: str
    event: str
    payload: Mapping[str, Any]
    actor: str
    sha: str
    now: str
    workflow: str
    run_id: int = 1

    def run(
        self,
        command: Sequence[str],
        step: str,
        inputs: Mapping[str, str] | None = None,
        enough: Callable[[str], bool] | None = None,
    ) -> Run:
        """Run one step of action.yml, by its id; `inputs` are those that the caller sets.

        It is ended when it takes too long, and after a line of its log that is `enough`.
        """
        with tempfile.TemporaryDirectory(prefix="drill-") as folder:
            home = Path(folder)
            event = home / "event.json"
            event.write_text(json.dumps(self.payload), encoding="utf-8")
            outputs, summary = home / "outputs", home / "summary"
            outputs.touch()
            summary.touch()
            github = {"token": self.token, "repository": self.repository}
            environment = {
                **step_environment(step, inputs or {}, github),
                "PATH": os.environ.get("PATH", os.defpath),
                "PYTHONPATH": str(PACKAGE.parent),
                "HOME": folder,
                "CI": "true",
                "GITHUB_ACTIONS": "true",
                "GITHUB_ACTOR": self.actor,
                "GITHUB_API_URL": self.api_url,
                "GITHUB_EVENT_NAME": self.event,
                "GITHUB_EVENT_PATH": str(event),
                "GITHUB_OUTPUT": str(outputs),
                "GITHUB_REF": "refs/heads/main",
                "GITHUB_REF_NAME": "main",
                "GITHUB_REPOSITORY": self.repository,
                "GITHUB_RUN_ID": str(self.run_id),
                "GITHUB_SERVER_URL": "https://github.com",
                "GITHUB_SHA": self.sha,
                "GITHUB_STEP_SUMMARY": str(summary),
                "GITHUB_TRIGGERING_ACTOR": self.actor,
                "GITHUB_WORKFLOW_REF": f"{self.repository}/{self.workflow}@refs/heads/main",
                "GITHUB_WORKSPACE": folder,
                "INCIDENT_NOW": self.now,
            }
            exit_code, log = _start(command, folder, environment, enough)
            return Run(
                exit_code,
                _read_outputs(outputs.read_text("utf-8")),
                summary.read_text("utf-8"),
                log,
            )


def _start(
    command: Sequence[str],
    folder: str,
    environment: Mapping[str, str],
    enough: Callable[[str], bool] | None,
) -> tuple[int | None, str]:
    """Run to the end: exit code and log. An interruption ends the program before it goes on."""
    try:
        program = subprocess.Popen(
            list(command),
            cwd=folder,
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        return None, f"{command[0]} can't be started: {error}"
    log: list[str] = []
    ended = threading.Event()

    def end() -> None:
        ended.set()
        program.kill()

    timer = threading.Timer(LIMIT_SECONDS, end)
    with program:
        try:
            timer.start()
            for line in program.stdout or ():
                log.append(line)
                if enough is not None and enough(line):
                    end()
            program.wait()
        except BaseException:
            program.kill()
            raise
        finally:
            timer.cancel()
    return (None if ended.is_set() else program.returncode), "".join(log)


def _read_outputs(text: str) -> dict[str, str]:
    """The step's outputs, each written as a block between two delimiters.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands#multiline-strings
    """
    block = re.compile(r"^([\w-]+)<<(\S+)\n(.*?)\n?^\2$", re.MULTILINE | re.DOTALL)
    return {name: value for name, _, value in block.findall(text)}
