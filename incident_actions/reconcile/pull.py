"""A pull request that touches postmortems, and the sweep over those that changed lately."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from incident_actions.domain.issue import body as bodies
from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import Issue, Permission
from incident_actions.domain.postmortem import draft as drafts
from incident_actions.domain.postmortem import record as records
from incident_actions.domain.projection.state import read_state
from incident_actions.errors import InputError, NotFound
from incident_actions.reconcile.incident import JobResult, RunContext
from incident_actions.reconcile.issue import look_at
from incident_actions.reconcile.review import Reviewed, review

_LOOK_BACK = timedelta(hours=24)
"""How long a sweep tries to open a postmortem that an earlier run could not."""
_JUST_NOW = timedelta(hours=3)
"""How long after a change a sweep looks whether the run for it was lost: they take turns."""
_BUDGET = 10


def look_at_pull(desk: RunContext, payload: Mapping[str, Any]) -> tuple[JobResult, ...]:
    """Bring the postmortem of a `pull_request` event up to date, and its incident.

    The event only says where to look, and who acted: without write access nothing is written.
    https://docs.github.com/en/webhooks/webhook-events-and-payloads#pull_request
    """
    pull = payload.get("pull_request")
    number = pull.get("number") if isinstance(pull, dict) else None
    if not isinstance(number, int):
        raise InputError(
            "the event file of `pull_request` names no pull request",
            remedy="Let the workflow start on `pull_request` as the README shows.",
        )
    found = desk.hub.pull(number)
    may_write = not found.is_from_fork and _may_write(desk, payload.get("sender"))
    return _reports(desk, review(desk, found, may_write=may_write))


def _may_write(desk: RunContext, sender: object) -> bool:
    if not isinstance(sender, dict) or sender.get("type") == "Bot":
        return True
    return desk.hub.permission(str(sender.get("login", ""))) >= Permission.WRITE


def _reports(desk: RunContext, reviewed: Reviewed | None) -> tuple[JobResult, ...]:
    """What was done, and then the incidents: each shows how its postmortem stands."""
    if reviewed is None:
        return ()
    number = reviewed.pull.number
    reports: list[JobResult] = []
    for incident in reviewed.incidents:
        budget = desk.hub.requests + _BUDGET
        reports += look_at(replace(desk, budget=budget), incident)
    last = reports.pop() if reports else JobResult()
    changed = last.changed or reviewed.changed
    last = replace(last, changed=changed, pull_request=number, findings=reviewed.unpublished)
    return (*reports, last)


def look_at_action(desk: RunContext, issue: Issue) -> tuple[JobResult, ...] | None:
    """The postmortem of an action item; None when the issue is none."""
    if not names.holds(issue.labels, names.ACTION_ITEM):
        return None
    filed = records.filed(issue, desk.config.bot)
    return _tend_pull(desk, filed.record.pr) if filed is not None else None


def _tend_pull(desk: RunContext, number: int) -> tuple[JobResult, ...]:
    try:
        return _reports(desk, review(desk, desk.hub.pull(number)))
    except NotFound:
        return ()


def tend_postmortems(desk: RunContext) -> tuple[JobResult, ...]:
    """The sweep's part: postmortems that lost runs left undone. One request when there are none.

    An incident that was resolved within a day and has no postmortem gets it; a pull request or an
    action item that changed within three hours is looked at again.
    """
    reports: list[JobResult] = []
    pulls: list[int] = []
    for issue in desk.hub.issues(state="all", since=desk.now - _LOOK_BACK, pulls=True, most=100):
        recent = desk.now - issue.updated_at < _JUST_NOW
        if issue.is_pull_request:
            if recent and names.holds(issue.labels, names.POSTMORTEM):
                pulls.append(issue.number)
        elif names.holds(issue.labels, names.INCIDENT):
            if _lacks_postmortem(issue):
                budget = desk.hub.requests + _BUDGET
                reports += look_at(replace(desk, budget=budget), issue.number)
        elif recent and names.holds(issue.labels, names.ACTION_ITEM):
            filed = records.filed(issue, desk.config.bot)
            pulls += [filed.record.pr] if filed is not None else []
    for number in dict.fromkeys(pulls):
        reports += _tend_pull(desk, number)
    return tuple(reports)


def _lacks_postmortem(issue: Issue) -> bool:
    state = read_state(bodies.split(issue.body).state, issue.number)
    return state is not None and drafts.wanted(state) and state.postmortem is None
