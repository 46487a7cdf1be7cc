"""A pull request that touches postmortems, and the sweep over those that changed lately."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import Issue, Permission
from incident_actions.domain.postmortem import record as records
from incident_actions.domain.projection.state import state_of
from incident_actions.errors import NotFound
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.issue import reconcile_issue
from incident_actions.reconcile.review import Reviewed, review

_LOOK_BACK = timedelta(hours=24)
"""How long a sweep tries to open a postmortem that an earlier run could not."""
_JUST_NOW = timedelta(hours=3)
"""How long after a change sweeps look whether its run was lost: GitHub starts some hours late."""


def reconcile_pull(
    context: RunContext, number: int, sender: Mapping[str, Any]
) -> tuple[JobResult, ...]:
    """Bring the postmortem of a `pull_request` event up to date, and its incident.

    `sender` is the account that acted: without write access nothing is written.
    https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request
    """
    found = context.github.pull(number)
    may_write = not found.is_from_fork and _may_write(context, sender)
    return _with_incidents(context, review(context, found, may_write=may_write))


def _may_write(context: RunContext, sender: Mapping[str, Any]) -> bool:
    if not sender or sender.get("type") == "Bot":
        return True
    return context.github.permission(str(sender.get("login", ""))) >= Permission.WRITE


def _with_incidents(context: RunContext, reviewed: Reviewed | None) -> tuple[JobResult, ...]:
    """What was done, and then the incidents: each shows how its postmortem stands."""
    if reviewed is None:
        return ()
    number = reviewed.pull.number
    reports: list[JobResult] = []
    for incident in reviewed.incidents:
        reports += reconcile_issue(context, incident)
    last = reports.pop() if reports else JobResult()
    changed = last.changed or reviewed.changed
    last = replace(last, changed=changed, pull_request=number, findings=reviewed.unpublished)
    return (*reports, last)


def reconcile_action_item(context: RunContext, issue: Issue) -> tuple[JobResult, ...] | None:
    """The postmortem of an action item; None when the issue is none."""
    if not issue.has_label(names.ACTION_ITEM):
        return None
    filed = records.filed(issue, context.config.bot)
    return _reviewed_again(context, filed.record.pr) if filed is not None else None


def _reviewed_again(context: RunContext, number: int) -> tuple[JobResult, ...]:
    try:
        return _with_incidents(context, review(context, context.github.pull(number)))
    except NotFound:
        return ()


def reconcile_lost_runs(context: RunContext) -> tuple[JobResult, ...]:
    """The sweep's part: postmortems that lost runs left undone. One request when there are none.

    An incident that was resolved within a day and has no postmortem gets it; a pull request or an
    action item that changed within three hours is looked at again.
    """
    reports: list[JobResult] = []
    pulls: list[int] = []
    for issue in context.github.issues(
        state="all", since=context.now - _LOOK_BACK, pulls=True, most=100
    ):
        recent = context.now - issue.updated_at < _JUST_NOW
        if issue.is_pull_request:
            if recent and issue.has_label(names.POSTMORTEM):
                pulls.append(issue.number)
        elif issue.has_label(names.INCIDENT):
            if _lacks_postmortem(issue):
                reports += reconcile_issue(context, issue.number)
        elif recent and issue.has_label(names.ACTION_ITEM):
            filed = records.filed(issue, context.config.bot)
            pulls += [filed.record.pr] if filed is not None else []
    for number in dict.fromkeys(pulls):
        reports += _reviewed_again(context, number)
    return tuple(reports)


def _lacks_postmortem(issue: Issue) -> bool:
    state = state_of(issue)
    return state is not None and state.wants_postmortem and state.postmortem is None
