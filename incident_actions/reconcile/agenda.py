"""When a watch next has something to do, from the lists of what is open. Makes hardly a request."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import partial

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import REMINDER, Issue
from incident_actions.domain.projection.state import State, is_stale, state_of
from incident_actions.domain.reminders.clock import is_watched, next_due, rests_at
from incident_actions.domain.reminders.due import NEXT_CHANCE
from incident_actions.errors import IncidentActionsError
from incident_actions.gate_readers import TRUSTED, read_severity
from incident_actions.reconcile.context import RunContext
from incident_actions.reconcile.freeze import read_wish
from incident_actions.reconcile.overview import Overview
from incident_actions.reconcile.recent_comments import RecentComments, is_held

log = logging.getLogger(__name__)

OWN_RUN = timedelta(seconds=90)
"""How long a change waits for the run that GitHub starts for it. Only then the watch does its work,
so that two runs don't do it at once."""
AGAIN = timedelta(minutes=10)
"""How long a watch leaves what one of its sweeps could not bring up to date."""


def next_moment(
    context: RunContext, seen: Overview, recent: RecentComments, swept: datetime | None
) -> datetime | None:
    """When a watch next has something to do; None when nothing that is open is worth a watch.

    `seen` is what is open, `swept` when the watch last did all that was due; None for not yet. The
    moment may be over. Makes requests only for the recent comments, and only after a change.
    """
    after = swept or context.now
    tasks = [
        *((each, partial(_of_incident, context, each, recent, after)) for each in seen.incidents),
        *((each, partial(_of_freeze, context, each, after)) for each in seen.freezes),
    ]
    return min((moment for task in tasks for moment in _moments(*task)), default=None)


def _moments(issue: Issue, find: Callable[[], Iterator[datetime]]) -> list[datetime]:
    """The moments of one issue; none where this program fails on it.

    The others keep theirs, and the sweep, which looks at each issue by itself, says what is wrong.
    """
    try:
        return [*find()]
    except IncidentActionsError:
        raise
    except Exception:
        log.exception("When something is due in #%s is not known", issue.number)
        return []


def _of_incident(
    context: RunContext, issue: Issue, recent: RecentComments, after: datetime
) -> Iterator[datetime]:
    """The next moments of an incident, if it is worth a watch."""
    policy = context.config.reminder_policy(context.now)
    if is_held(issue):
        return
    state = state_of(issue) if _is_believed(issue) else None
    if state is None:
        if _is_new(context, issue):
            yield _after_its_own_run(issue, after)
    elif is_watched(state, policy, after):
        if (rest := rests_at(state, policy)) is not None:
            yield rest  # that it rests is said
        reporter = None if issue.author.bot else issue.author.login
        due = next_due(state, state.checks, state.streaks, reporter, policy, after)
        if due is not None:
            yield due
        if _has_changed(context, issue, state, recent):
            yield _after_its_own_run(issue, after)


def _of_freeze(context: RunContext, freeze: Issue, after: datetime) -> Iterator[datetime]:
    moment = freeze_moment(context, freeze, after)
    if moment is not None:
        yield moment


def _is_ours(issue: Issue) -> bool:
    """Whether a bot, or somebody whom GitHub shows as one of the team, opened an issue."""
    return issue.author.bot or issue.association in TRUSTED


def _is_believed(issue: Issue) -> bool:
    """Whether the state in an issue's text may be the bot's. A stranger can file one that is not,
    but only the team and the bot can set labels.
    """
    labelled = not names.STATUSES.isdisjoint(map(str.casefold, issue.labels))
    return labelled or _is_ours(issue)


def _is_new(context: RunContext, issue: Issue) -> bool:
    """Whether an issue without a state may be an incident that no run has seen yet, and is worth a
    watch. A stranger's report can wait for the scheduled sweep.
    """
    policy = context.config.reminder_policy(context.now)
    watched = {each.value for each in policy.watched}
    severities = {read_severity(name) for name in issue.labels} - {None}
    young = context.now - issue.updated_at < (policy.rests or AGAIN)
    return (
        _is_ours(issue)
        and young
        and bool(watched)
        and (not severities or bool(watched & severities))
    )


def _has_changed(context: RunContext, issue: Issue, state: State, recent: RecentComments) -> bool:
    if not is_stale(issue, state, context.now):
        return False
    reminders = recent.own(issue.number).of_kind(REMINDER).values()
    return is_stale(issue, state, context.now, reminders)


def _after_its_own_run(issue: Issue, after: datetime) -> datetime:
    """When to look at an issue that changed: when its own run should be over; later again."""
    ready = issue.updated_at + OWN_RUN
    return ready if ready > after else after + AGAIN


def freeze_moment(context: RunContext, freeze: Issue, after: datetime) -> datetime | None:
    """When a freeze begins or ends after `after`; None when that is too far away for a watch.

    The gate reads both times itself, so nothing depends on a run but what people read: the last
    hour, in which the scheduled sweep may not come any more, is enough.
    """
    edge = read_wish(freeze).next_edge(after)
    if edge is None or not _is_ours(freeze) or is_held(freeze):
        return None
    watched = context.config.reminder_policy(context.now).watched
    return edge if watched and edge - context.now <= NEXT_CHANCE else None
