"""`respond`: what happened on GitHub decides which issue is looked at, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.config import read_config
from incident_actions.domain.issue import labels as names
from incident_actions.errors import InputError, Unavailable
from incident_actions.github.client import GitHub
from incident_actions.reconcile.incident import JobResult, Occasion, RunContext
from incident_actions.reconcile.issue import look_at
from incident_actions.reconcile.pull import look_at_action, look_at_pull
from incident_actions.reconcile.sweep import sweep

EVENTS = (
    "issues",
    "issue_comment",
    "pull_request",
    "schedule",
    "workflow_dispatch",
    "repository_dispatch",
)
OPENED_BUDGET = 10
COMMENT_BUDGET = 7
_TRIES = 3


class Tools(Struct, frozen=True):
    """What a run takes from outside: the clock, waiting (seconds), and asking addresses.

    `workflow` is the file name of the workflow that it runs in.
    """

    now: datetime
    sleep: Callable[[float], None]
    probe: Callable[[str, bool], bool]
    workflow: str = ""


class WorkflowEvent(Struct, frozen=True):
    """What started the run: GitHub's name for it, and its payload."""

    name: str
    payload: Mapping[str, Any]


def respond(
    hub: GitHub, event: WorkflowEvent, config_path: str, tools: Tools
) -> tuple[JobResult, ...]:
    """Bring the event's issue, or every open incident, up to date.

    A write whose answer was lost may have happened. So it is not repeated: the issue is observed
    again, and what is missing then is done.
    """
    for attempt in range(1, _TRIES + 1):
        try:
            return _respond(hub, event, config_path, tools)
        except Unavailable:
            if attempt == _TRIES:
                raise
            tools.sleep(attempt)
    raise AssertionError("unreachable")


def _respond(
    hub: GitHub, event: WorkflowEvent, config_path: str, tools: Tools
) -> tuple[JobResult, ...]:
    if event.name not in EVENTS:
        raise InputError(
            f"`respond` does not know the event `{event.name}`",
            remedy=f"Start it on one of: {', '.join(EVENTS)}.",
        )
    config = read_config(hub.file(config_path), config_path)
    desk = RunContext(
        hub,
        config,
        tools.now,
        tools.probe,
        budget=hub.requests - 1,
        sleep=tools.sleep,
        workflow=tools.workflow,
    )
    if event.name in ("issues", "issue_comment"):
        number = issue_number(event)
        if number is None:
            return ()
        if event.name == "issues" and _says_action_item(event):
            found = look_at_action(desk, hub.issue(number))
            if found is not None:
                return found
        by_comment = event.name == "issue_comment"
        budget = COMMENT_BUDGET if by_comment else OPENED_BUDGET
        occasion = Occasion.COMMENT if by_comment else Occasion.EVENT
        return look_at(replace(desk, budget=desk.budget + budget, occasion=occasion), number)
    if event.name == "pull_request":
        return look_at_pull(desk, event.payload)
    return sweep(replace(desk, occasion=Occasion.SWEEP))


def _says_action_item(event: WorkflowEvent) -> bool:
    labels = event.payload["issue"].get("labels")
    listed = labels if isinstance(labels, list) else []
    named = [label.get("name") for label in listed if isinstance(label, dict)]
    return names.holds([name for name in named if isinstance(name, str)], names.ACTION_ITEM)


def issue_number(event: WorkflowEvent) -> int | None:
    """The issue of an event; None for a pull request's."""
    issue = event.payload.get("issue")
    number = issue.get("number") if isinstance(issue, dict) else None
    if not isinstance(number, int):
        raise InputError(
            f"the event file of `{event.name}` names no issue",
            remedy="Let the workflow start on `issues` and `issue_comment` as the README shows.",
        )
    return None if isinstance(issue, dict) and issue.get("pull_request") else number
