"""The input and the output of every job of a run: `RunContext` and `JobResult`."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from incident_actions.config import Config
from incident_actions.domain.postmortem.lint import LintFinding
from incident_actions.github.client import GitHub


class RunContext(Struct, frozen=True):
    """What all jobs of a run work with. `now` is an aware UTC time, the same for the whole run.

    `probe(url, allow_private)` says whether an address of the team's works. `sleep(seconds)` waits.
    `workflow` is the file name of the workflow that runs this program; empty when not known.
    `run_url` is the address of the workflow's run; empty when not known.
    `sweeping` is true when the run looks at everything that is open, and false when it looks at
    what an event named. `configured` is false when the repository has no configuration file: then
    `config` holds defaults, and says nothing about what the team wants.
    """

    github: GitHub
    config: Config
    now: datetime
    probe: Callable[[str, bool], bool]
    sleep: Callable[[float], None] = time.sleep
    workflow: str = ""
    run_url: str = ""
    sweeping: bool = False
    configured: bool = True


class JobResult(Struct, frozen=True):
    """What a job found and did, for the action's outputs and the job summary.

    `issue` and `pull_request` are numbers. `findings` are (path, finding) pairs of a postmortem
    that could not be shown in a check.
    """

    issue: int | None = None
    severity: str = ""
    status: str = ""
    changed: bool = False
    pull_request: int | None = None
    findings: tuple[tuple[str, LintFinding], ...] = ()
