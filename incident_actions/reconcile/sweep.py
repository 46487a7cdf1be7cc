"""The sweep: every open incident, whether or not an event told of it.

GitHub drops and delays runs, its schedule above all. So each sweep starts from the issue list:
what a lost run left undone is done, and what is due by now is said. An incident that settled and
has nothing due costs no request of its own.
"""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import Enum

from msgspec.structs import replace

from incident_actions.domain.freeze.windows import open_at
from incident_actions.domain.issue import body as bodies
from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import Issue
from incident_actions.domain.projection.staleness import is_stale
from incident_actions.domain.projection.state import State, read_state
from incident_actions.domain.reminders.incident import due
from incident_actions.domain.timeline import bot_comments as voice
from incident_actions.errors import GitHubError, RateLimited
from incident_actions.reconcile import comment_plan as speech
from incident_actions.reconcile.apply import apply, took_place
from incident_actions.reconcile.followups import remind_of_actions, remind_of_postmortems
from incident_actions.reconcile.freeze import tend_windows
from incident_actions.reconcile.incident import JobResult, RunContext
from incident_actions.reconcile.issue import look_at
from incident_actions.reconcile.keepalive import is_time_to_look, keep_alive
from incident_actions.reconcile.pull import tend_postmortems
from incident_actions.reconcile.recent_comments import RecentComments, is_held

log = logging.getLogger(__name__)

BUDGET_EACH = 10


def sweep(desk: RunContext) -> tuple[JobResult, ...]:
    """Heal what needs it and remind of what is due, one incident after the other, SEV1 first.

    One incident that can't be brought up to date does not keep the others waiting; the run fails
    with its error once all of them had their turn. A rate limit that outlasts the run's patience
    ends it: the next sweep does the rest.

    Nothing to do costs three requests: the configuration, the open incidents, and one more. That
    is the bot's comments when there may be reminders, else the freezes; and when no incident and
    no window is open, whatever has its turn. With K reminders due it is 3 + 2K: freezes are
    looked at, too, unless every reminder had to be replaced. After the incidents it is 4 + 2K:
    what is due and what was said of it are two lists. Held issues come last, and only few of
    them: those where somebody waits.
    """
    reports: list[JobResult] = []
    failed: list[GitHubError] = []
    lately = RecentComments(desk)
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
    spent = desk.hub.requests - desk.budget  # the budget is where this run began
    if spent < 3 + 2 * len(reports):
        calm = not issues and not _in_a_window(desk)
        reports = [*_take_turn(desk, lately, calm=calm), *reports]
    for issue in lately.held_to_look_at(held):
        reports += _look(desk, issue)
    if failed:
        raise failed[0]
    return tuple(reports)


class Duty(Enum):
    """What calm sweeps take turns at, each for one request when there is nothing to do."""

    FREEZES = "freezes"
    LOST_RUNS = "what lost runs left undone of postmortems"
    POSTMORTEMS = "reminders of postmortems"
    ACTIONS = "reminders of action items"
    SCHEDULE = "how long the schedule lives"


_TURNS = (
    *[Duty.FREEZES] * 3,
    *[Duty.LOST_RUNS] * 2,
    Duty.POSTMORTEMS,
    Duty.ACTIONS,
)


def whose_turn(now: datetime) -> Duty:
    """What a calm sweep does with its last request.

    Drawn by the minute, and always the same for a minute: a schedule that comes at the same
    minutes of each hour starves nothing, as it would if the turns were counted off.
    """
    if is_time_to_look(now):
        return Duty.SCHEDULE
    minute = f"{now:%Y-%m-%dT%H:%M}".encode()
    return _TURNS[zlib.crc32(minute) % len(_TURNS)]


def _take_turn(desk: RunContext, lately: RecentComments, *, calm: bool) -> tuple[JobResult, ...]:
    """During an incident, and while a window is open, freezes always have their turn."""
    match whose_turn(desk.now) if calm else Duty.FREEZES:
        case Duty.FREEZES:
            return tend_windows(desk, lately)
        case Duty.LOST_RUNS:
            return tend_postmortems(desk)
        case Duty.POSTMORTEMS:
            return remind_of_postmortems(desk)
        case Duty.ACTIONS:
            return remind_of_actions(desk)
        case Duty.SCHEDULE:
            return keep_alive(desk)


def _in_a_window(desk: RunContext) -> bool:
    """Whether a freeze of the calendar holds, or ended within the hour and has to be closed."""
    windows = desk.config.windows()
    return bool(open_at(windows, desk.now) or open_at(windows, desk.now - timedelta(hours=1)))


def _visit(desk: RunContext, issue: Issue, lately: RecentComments) -> tuple[JobResult, ...]:
    """One incident's turn."""
    state = _settled(desk, issue, lately)
    if state is not None:
        return _remind(desk, issue, state, lately)
    return _look(desk, issue)


def _look(desk: RunContext, issue: Issue) -> tuple[JobResult, ...]:
    return look_at(replace(desk, budget=desk.hub.requests + BUDGET_EACH), issue.number)


def _urgent_first(issues: Sequence[Issue]) -> list[Issue]:
    """SEV1 first, then by age; what has no severity yet is the most urgent of all."""

    def rank(issue: Issue) -> tuple[str, int]:
        severities = [name for name in issue.labels if name.casefold() in ("sev1", "sev2", "sev3")]
        return (min(severities, default=""), issue.number)

    return sorted(issues, key=rank)


def _settled(desk: RunContext, issue: Issue, lately: RecentComments) -> State | None:
    """The state of an incident that needs no look, else None.

    A status label was set by the bot, or by somebody who may set labels: with it, the body is
    the team's.
    """
    if not names.values(issue.labels, names.STATUS_PREFIX):
        return None
    state = read_state(bodies.split(issue.body).state, issue.number)
    if state is None or not is_stale(issue, state, desk.now):
        return state
    own = lately.own(issue.number)
    reminders = [own[name] for name in own if name.startswith(f"{voice.REMINDER} ")]
    return None if is_stale(issue, state, desk.now, reminders) else state


def _remind(
    desk: RunContext, issue: Issue, state: State, lately: RecentComments
) -> tuple[JobResult, ...]:
    """Post the reminders of an incident that are not there yet."""
    reporter = None if issue.author.bot else issue.author.login
    policy = desk.config.reminders.policy()
    reminders = due(state, state.checks, reporter, policy, desk.now)
    if all(reminder.held for reminder in reminders):
        return ()
    words = speech.remind(issue.number, lately.own(issue.number), reminders, state)
    changed = bool(took_place(apply(desk.hub, words)))
    return (JobResult(issue.number, state.severity.value, state.status.value, changed),)
