"""The input and the output of every job of a run: `RunContext` and `JobResult`."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta

from msgspec import Struct

from incident_actions.config import Config
from incident_actions.domain.issue.incident import Incident
from incident_actions.domain.postmortem.lint import LintFinding
from incident_actions.domain.reminders.clock import is_watched
from incident_actions.domain.reminders.due import NEXT_CHANCE
from incident_actions.github.client import GitHub
from incident_actions.reconcile.watchman import Watchman

LEFT_TO_THE_WATCH = timedelta(minutes=1)
"""For so long after its time a reminder is left to the watch, so that two runs don't say it."""


class RunContext(Struct, frozen=True):
    """What all jobs of a run work with. `now` is an aware UTC time, the same for the whole run.

    `probe(url, allow_private)` says whether an address of the team's works. `sleep(seconds)` waits.
    `run_url` is the address of the workflow's run; empty when not known. `sweeping` is true when
    the run looks at everything that is open, and false when it looks at what an event named.
    `watchman` knows whether a watch is awake. `configured` is false when the repository
    has no configuration file: then `config` holds defaults, and says nothing of what the team
    wants.
    """

    github: GitHub
    config: Config
    now: datetime
    probe: Callable[[str, bool], bool]
    sleep: Callable[[float], None] = time.sleep
    run_url: str = ""
    sweeping: bool = False
    configured: bool = True
    watchman: Watchman = Watchman()

    def early(self, incident: Incident) -> timedelta:
        """How long before their time this run says the reminders of an incident.

        A watch says them on time. Where there is one, other runs leave it a minute. Where there is
        none, a sweep also says what is due before the next sweep, and other runs what is due now.
        """
        if self.watchman.on_watch:
            return timedelta()
        if self.watchman.may_be_awake and is_watched(
            incident, self.config.reminder_policy(self.now), self.now
        ):
            return -LEFT_TO_THE_WATCH
        return NEXT_CHANCE if self.sweeping else timedelta()


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
