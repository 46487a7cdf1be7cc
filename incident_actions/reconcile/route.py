"""From what happened on GitHub to the job that looks after it: a pure table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from incident_actions.domain.issue import labels
from incident_actions.errors import InputError

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
    found = [label for label in listed if isinstance(label, dict)] if listed else []
    return labels.holds([str(label.get("name")) for label in found], labels.ACTION_ITEM)
