"""The sweep: every open incident, whether or not an event told of it.

GitHub drops and delays runs, its schedule above all. So each sweep starts from the issue list:
what a lost run left undone is done, and what is due by now is said. An incident that settled and
has nothing due costs no request of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence

from msgspec.structs import replace

from incident_actions.domain import body as bodies
from incident_actions.domain import labels as names
from incident_actions.domain import voice
from incident_actions.domain.observation import Issue
from incident_actions.domain.reminders import due
from incident_actions.domain.settling import unsettled
from incident_actions.domain.state import State, read_state
from incident_actions.domain.windows import open_at
from incident_actions.errors import GitHubError, RateLimited
from incident_actions.flows import speech
from incident_actions.flows.freezes import tend_windows
from incident_actions.flows.incident import Desk, Report
from incident_actions.flows.issue import look_at
from incident_actions.flows.lately import Lately, is_held
from incident_actions.flows.schedule import is_time_to_look, keep_alive
from incident_actions.hub.apply import apply

log = logging.getLogger(__name__)

BUDGET_EACH = 10


def sweep(desk: Desk) -> tuple[Report, ...]:
    """Heal what needs it and remind of what is due, one incident after the other, SEV1 first.

    One incident that can't be brought up to date does not keep the others waiting; the run fails
    with its error once all of them had their turn. A rate limit that outlasts the run's patience
    ends it: the next sweep does the rest.

    Nothing to do costs three requests: the configuration, the open incidents, and one more. That
    is the bot's comments when there may be reminders, else the freezes; and in one hour of the
    day, when no incident and no window is open, the schedule's own future. With K reminders due
    it is 3 + 2K: freezes are looked at, too, unless every reminder had to be replaced. Held
    issues come last, and only few of them: those where somebody waits.
    """
    reports: list[Report] = []
    failed: list[GitHubError] = []
    lately = Lately(desk)
    listed = desk.hub.issues(labels=[names.INCIDENT])
    held = [issue for issue in listed if is_held(issue)]
    issues = _urgent_first([issue for issue in listed if not is_held(issue)])
    for turn, issue in enumerate(issues):
        try:
            reports += _visit(desk, issue, lately)
        except RateLimited:
            left = ", ".join(f"#{each.number}" for each in issues[turn:])
            log.warning("GitHub limits the rate. Left for the next sweep: %s", left)
            raise
        except GitHubError as error:
            if lately.broken:
                raise
            log.warning("#%s was left for the next sweep: %s", issue.number, error)
            failed.append(error)
    if not listed and not open_at(desk.config.windows(), desk.now) and is_time_to_look(desk.now):
        return keep_alive(desk)
    spent = desk.hub.requests - desk.budget  # the budget is where this run began
    if spent < 3 + 2 * len(reports):
        reports = [*tend_windows(desk, lately), *reports]
    for issue in lately.held_to_look_at(held):
        reports += _look(desk, issue)
    if failed:
        raise failed[0]
    return tuple(reports)


def _visit(desk: Desk, issue: Issue, lately: Lately) -> tuple[Report, ...]:
    """One incident's turn."""
    state = _settled(desk, issue, lately)
    if state is not None:
        return _remind(desk, issue, state, lately)
    return _look(desk, issue)


def _look(desk: Desk, issue: Issue) -> tuple[Report, ...]:
    return look_at(replace(desk, budget=desk.hub.requests + BUDGET_EACH), issue.number)


def _urgent_first(issues: Sequence[Issue]) -> list[Issue]:
    """SEV1 first, then by age; what has no severity yet is the most urgent of all."""

    def rank(issue: Issue) -> tuple[str, int]:
        severities = [name for name in issue.labels if name.casefold() in ("sev1", "sev2", "sev3")]
        return (min(severities, default=""), issue.number)

    return sorted(issues, key=rank)


def _settled(desk: Desk, issue: Issue, lately: Lately) -> State | None:
    """The state of an incident that needs no look, else None.

    A status label was set by the bot, or by somebody who may set labels: with it, the body is
    the team's.
    """
    if not names.values(issue.labels, names.STATUS_PREFIX):
        return None
    state = read_state(bodies.split(issue.body).state, issue.number)
    if state is None or not unsettled(issue, state, desk.now):
        return state
    own = lately.own(issue.number)
    reminders = [own[name] for name in own if name.startswith(f"{voice.REMINDER} ")]
    return None if unsettled(issue, state, desk.now, reminders) else state


def _remind(desk: Desk, issue: Issue, state: State, lately: Lately) -> tuple[Report, ...]:
    """Post the reminders of an incident that are not there yet."""
    reporter = None if issue.author.bot else issue.author.login
    policy = desk.config.reminders.policy()
    reminders = due(state, state.checks, reporter, policy, desk.now)
    if all(reminder.held for reminder in reminders):
        return ()
    words = speech.remind(issue.number, lately.own(issue.number), reminders, state)
    changed = bool(apply(desk.hub, words))
    return (Report(issue.number, state.severity.value, state.status.value, changed),)
