"""The sweep: every open incident, whether or not an event told of it.

GitHub drops and delays runs, its schedule above all. So each sweep starts from the issue list:
what a lost run left undone is done, and what is due by now is said. An incident that settled and
has nothing due costs no request of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain import body as bodies
from incident_actions.domain import labels as names
from incident_actions.domain import voice
from incident_actions.domain.observation import Comment, Issue
from incident_actions.domain.reminders import Reminder, due
from incident_actions.domain.settling import unsettled
from incident_actions.domain.state import State, read_state
from incident_actions.errors import GitHubError, RateLimited
from incident_actions.flows import speech
from incident_actions.flows.freezes import tend_windows
from incident_actions.flows.incident import Desk, Report
from incident_actions.flows.issue import look_at
from incident_actions.hub.apply import apply

log = logging.getLogger(__name__)

BUDGET_EACH = 10
_LOOK_BACK = timedelta(hours=26)
"""The longest gap between two reminders of one kind is a day."""
_REPORT_LOOK_BACK = timedelta(hours=1)


class _Due(Struct, frozen=True):
    issue: Issue
    state: State
    reminders: tuple[Reminder, ...]


def sweep(desk: Desk) -> tuple[Report, ...]:
    """Heal what needs it, then remind, the most urgent first.

    One incident that can't be brought up to date does not keep the others waiting; the run fails
    with its error once all of them had their turn. A rate limit ends the run: the next sweep does
    the rest.
    """
    reports: list[Report] = []
    failed: list[GitHubError] = []
    waiting: list[_Due] = []
    for issue in _urgent_first(desk.hub.issues(labels=[names.INCIDENT])):
        state = _settled(desk, issue)
        try:
            if state is None:
                budget = desk.hub.requests + BUDGET_EACH
                reports += look_at(replace(desk, budget=budget), issue.number)
            else:
                waiting += _candidate(desk, issue, state)
        except RateLimited:
            raise
        except GitHubError as error:
            log.warning("#%s was left for the next sweep: %s", issue.number, error)
            failed.append(error)
    reports += _remind(desk, waiting)
    reports = [*tend_windows(desk), *reports]
    if failed:
        raise failed[0]
    return tuple(reports)


def _urgent_first(issues: Sequence[Issue]) -> list[Issue]:
    """SEV1 first, then by age; what has no severity yet is the most urgent of all."""

    def rank(issue: Issue) -> tuple[str, int]:
        severities = [name for name in issue.labels if name.casefold() in ("sev1", "sev2", "sev3")]
        return (min(severities, default=""), issue.number)

    return sorted(issues, key=rank)


def _settled(desk: Desk, issue: Issue) -> State | None:
    """The state of an incident that needs no look, else None.

    A status label was set by the bot, or by somebody who may set labels: with it, the body is
    the team's. A report that is held is looked at while it is fresh.
    """
    if names.holds(issue.labels, names.NEEDS_CONFIRMATION):
        return None
    if not names.values(issue.labels, names.STATUS_PREFIX):
        return None
    state = read_state(bodies.split(issue.body).state, issue.number)
    if state is None or unsettled(issue, state, desk.now):
        return None
    return state


def _candidate(desk: Desk, issue: Issue, state: State) -> list[_Due]:
    reporter = None if issue.author.bot else issue.author.login
    policy = desk.config.reminders.policy()
    reminders = due(state, state.checks, reporter, policy, desk.now)
    return [_Due(issue, state, reminders)] if reminders else []


def _remind(desk: Desk, waiting: Sequence[_Due]) -> list[Report]:
    """Post the reminders that are not there yet. Which are there, one list of comments tells."""
    if not waiting:
        return []
    there = _own_comments(desk)
    reports = []
    for each in sorted(waiting, key=lambda it: min(r.slot for r in it.reminders)):
        number = each.issue.number
        done = apply(
            desk.hub, speech.remind(number, there.get(number, {}), each.reminders, each.state)
        )
        reports.append(
            Report(number, each.state.severity.value, each.state.status.value, bool(done))
        )
    return reports


def _own_comments(desk: Desk) -> dict[int, Mapping[str, Comment]]:
    """The bot's newer comments by issue and `kind key`."""
    by_issue: dict[int, list[Comment]] = {}
    for number, comment in reversed(desk.hub.recent_comments(desk.now - _LOOK_BACK)):
        by_issue.setdefault(number, []).append(comment)
    return {
        number: voice.own_among(comments, desk.config.bot) for number, comments in by_issue.items()
    }
