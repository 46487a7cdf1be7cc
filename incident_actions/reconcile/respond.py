"""`respond`: read the configuration, find the job for the event, and do it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.config import read_config
from incident_actions.errors import Unavailable
from incident_actions.github.client import GitHub
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.issue import reconcile_issue
from incident_actions.reconcile.pull import reconcile_action_item, reconcile_pull
from incident_actions.reconcile.route import (
    IssueJob,
    Job,
    NoJob,
    PullJob,
    SweepJob,
    WorkflowEvent,
    route,
)
from incident_actions.reconcile.sweep import sweep

_TRIES = 3


class Tools(Struct, frozen=True):
    """What a run takes from outside: the clock, waiting (seconds), and asking addresses.

    `workflow` is the file name of the workflow that it runs in.
    """

    now: datetime
    sleep: Callable[[float], None]
    probe: Callable[[str, bool], bool]
    workflow: str = ""


def respond(
    github: GitHub, event: WorkflowEvent, config_path: str, tools: Tools
) -> tuple[JobResult, ...]:
    """Bring the event's issue, or every open incident, up to date.

    A write whose answer was lost may have happened. So it is not repeated: the issue is observed
    again, and what is missing then is done. Raises `errors.IncidentActionsError`.
    """
    job = route(event)
    for attempt in range(1, _TRIES):
        try:
            return _do(github, job, config_path, tools)
        except Unavailable:
            tools.sleep(attempt)
    return _do(github, job, config_path, tools)


def _do(github: GitHub, job: Job, config_path: str, tools: Tools) -> tuple[JobResult, ...]:
    config = read_config(github.file(config_path), config_path)
    context = RunContext(
        github, config, tools.now, tools.probe, sleep=tools.sleep, workflow=tools.workflow
    )
    match job:
        case IssueJob(number, action_item):
            found = reconcile_action_item(context, github.issue(number)) if action_item else None
            return reconcile_issue(context, number) if found is None else found
        case PullJob(number, sender):
            return reconcile_pull(context, number, sender)
        case SweepJob():
            return sweep(replace(context, sweeping=True))
        case NoJob():
            return ()
