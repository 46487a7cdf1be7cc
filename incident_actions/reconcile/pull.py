"""Pull requests of postmortems: after an event, and again in a sweep when a run was lost."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from msgspec.structs import replace

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import Issue, Permission
from incident_actions.domain.postmortem import record as records
from incident_actions.domain.projection.state import state_of
from incident_actions.errors import NotFound
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.isolation import about, each_in_turn
from incident_actions.reconcile.issue import reconcile_issue
from incident_actions.reconcile.review import Reviewed, review

_LOOK_BACK = timedelta(hours=24)
"""How long after an incident last changed sweeps try to open its missing postmortem."""
_JUST_NOW = timedelta(hours=3)
"""How long after a change sweeps look at it again. GitHub may start a run hours late, or never."""


def reconcile_pull(
    context: RunContext, number: int, sender: Mapping[str, Any]
) -> tuple[JobResult, ...]:
    """Bring a pull request up to date after an event, and the incidents of its postmortems.

    `sender` is the account that acted, as the event's payload has it. Nothing is written when it
    has no write access.
    https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request
    """
    pull = context.github.pull(number)
    may_write = not pull.is_from_fork and _may_write(context, sender)
    return _with_incidents(context, review(context, pull, may_write=may_write))


def _may_write(context: RunContext, sender: Mapping[str, Any]) -> bool:
    if not sender or sender.get("type") == "Bot":
        return True
    return context.github.permission(str(sender.get("login", ""))) >= Permission.WRITE


def _with_incidents(context: RunContext, reviewed: Reviewed | None) -> tuple[JobResult, ...]:
    """Bring the incidents of a reviewed pull request up to date: they show its state.

    The last result also tells what happened to the pull request.
    """
    if reviewed is None:
        return ()
    number = reviewed.pull.number
    results: list[JobResult] = []
    tasks = [about(each, partial(reconcile_issue, context, each)) for each in reviewed.incidents]
    for of_incident in each_in_turn(context, tasks):
        results += of_incident
    last = results.pop() if results else JobResult()
    changed = last.changed or reviewed.changed
    last = replace(last, changed=changed, pull_request=number, findings=reviewed.unpublished)
    return (*results, last)


def reconcile_action_item(context: RunContext, issue: Issue) -> tuple[JobResult, ...] | None:
    """Bring the postmortem of an action item up to date; None when the issue is no action item."""
    if not issue.has_label(names.ACTION_ITEM):
        return None
    filed = records.filed(issue, context.config.bot)
    return _reviewed_again(context, filed.record.pr) if filed is not None else None


def _reviewed_again(context: RunContext, number: int) -> tuple[JobResult, ...]:
    """Bring a pull request and its incidents up to date; nothing when there is no such one."""
    try:
        return _with_incidents(context, review(context, context.github.pull(number)))
    except NotFound:
        return ()


def reconcile_lost_runs(context: RunContext) -> tuple[JobResult, ...]:
    """The sweep's work on postmortems: what lost runs left undone.

    An incident that changed within a day and lacks its postmortem gets it. A pull request or an
    action item that changed within three hours is looked at again. Makes one request when there is
    nothing to do.
    """
    reviewed: set[int] = set()

    def look_at(issue: Issue) -> tuple[JobResult, ...]:
        if not issue.is_pull_request and issue.has_label(names.INCIDENT):
            return reconcile_issue(context, issue.number) if _lacks_postmortem(issue) else ()
        pull = _pull_to_review(context, issue)
        if pull is None or pull in reviewed:
            return ()
        reviewed.add(pull)
        return _reviewed_again(context, pull)

    changed = context.github.issues(
        state="all", since=context.now - _LOOK_BACK, pulls=True, most=100
    )
    tasks = [about(issue.number, partial(look_at, issue)) for issue in changed]
    return tuple(result for of_issue in each_in_turn(context, tasks) for result in of_issue)


def _pull_to_review(context: RunContext, issue: Issue) -> int | None:
    """The postmortem's pull request that may need a look, because it or its action item changed."""
    if context.now - issue.updated_at >= _JUST_NOW:
        return None
    if issue.is_pull_request:
        return issue.number if issue.has_label(names.POSTMORTEM) else None
    filed = records.filed(issue, context.config.bot) if issue.has_label(names.ACTION_ITEM) else None
    return None if filed is None else filed.record.pr


def _lacks_postmortem(issue: Issue) -> bool:
    state = state_of(issue)
    return state is not None and state.wants_postmortem and state.postmortem is None
