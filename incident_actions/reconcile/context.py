"""What every job of a run works with, and what it gives back."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime

from msgspec import Struct

from incident_actions.config import Config
from incident_actions.domain.postmortem.lint import LintFinding
from incident_actions.github.client import GitHub


class RunContext(Struct, frozen=True):
    """What a run works with. `now` is an aware UTC time.

    `probe` asks an address of the team's whether it works: (url, private addresses allowed) ->
    yes or no. `sleep` waits some seconds. `workflow` is the file name of the workflow that
    sweeps, where it is known. `sweeping` says that the run looks at everything, and not only at
    what an event named.
    """

    github: GitHub
    config: Config
    now: datetime
    probe: Callable[[str, bool], bool]
    sleep: Callable[[float], None] = time.sleep
    workflow: str = ""
    sweeping: bool = False


class JobResult(Struct, frozen=True):
    """What a job found and did, for the action's outputs and the job summary.

    `findings` (path, finding) are those of a postmortem that no check shows.
    """

    issue: int | None = None
    severity: str = ""
    status: str = ""
    changed: bool = False
    pull_request: int | None = None
    findings: tuple[tuple[str, LintFinding], ...] = ()
