"""`respond`: from what happened on GitHub to the job that looks after it; and that job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.config import read_config
from incident_actions.domain.issue import labels
from incident_actions.errors import InputError, Unavailable
from incident_actions.github.client import GitHub
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.issue import reconcile_issue
from incident_actions.reconcile.pull import reconcile_action_item, reconcile_pull
from incident_actions.reconcile.sweep import sweep

EVENTS = (
    "issues",
    "issue_comment",
    "pull_request",
    "schedule",
    "workflow_dispatch",
    "repository_dispatch",
)


class WorkflowEvent(Struct, frozen=True):
    """What started the run: GitHub's name for it, and its payload.

    https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
    """

    name: str
    payload: Mapping[str, Any]


class IssueJob(Struct, frozen=True):
    """Look at one issue. `action_item`: the event says that it is one."""

    number: int
    action_item: bool = False


class PullJob(Struct, frozen=True):
    """Look at one pull request. `sender` is the account that acted, as the payload has it."""

    number: int
    sender: Mapping[str, Any]


class SweepJob(Struct, frozen=True):
    """Look at everything that is open."""


class NoJob(Struct, frozen=True):
    """Nothing to do: a comment on a pull request."""


Job = IssueJob | PullJob | SweepJob | NoJob


def route(event: WorkflowEvent) -> Job:
    """The job for an event. The payload only says where to look, and who acted.

    Raises `InputError` for an event that `respond` does not know, or whose payload does not name
    what it is about.
    """
    if event.name not in EVENTS:
        raise InputError(
            f"`respond` does not know the event `{event.name}`",
            remedy=f"Start it on one of: {', '.join(EVENTS)}.",
        )
    if event.name == "pull_request":
        return _pull_job(event)
    if event.name not in ("issues", "issue_comment"):
        return SweepJob()
    issue = event.payload.get("issue")
    number = issue.get("number") if isinstance(issue, dict) else None
    if not isinstance(issue, dict) or not isinstance(number, int):
        raise InputError(
            f"the event file of `{event.name}` names no issue",
            remedy="Let the workflow start on `issues` and `issue_comment` as the README shows.",
        )
    if issue.get("pull_request"):
        return NoJob()
    return IssueJob(number, action_item=event.name == "issues" and _is_action_item(issue))


def _pull_job(event: WorkflowEvent) -> PullJob:
    pull, sender = event.payload.get("pull_request"), event.payload.get("sender")
    number = pull.get("number") if isinstance(pull, dict) else None
    if not isinstance(number, int):
        raise InputError(
            "the event file of `pull_request` names no pull request",
            remedy="Let the workflow start on `pull_request` as the README shows.",
        )
    return PullJob(number, sender if isinstance(sender, dict) else {})


def _is_action_item(issue: Mapping[str, Any]) -> bool:
    listed = issue.get("labels")
    labelled = listed if isinstance(listed, list) else []
    found = [label for label in labelled if isinstance(label, dict)]
    return labels.holds([str(label.get("name")) for label in found], labels.ACTION_ITEM)


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
