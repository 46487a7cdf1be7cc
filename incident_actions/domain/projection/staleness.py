"""Whether an issue has changed since it was last brought up to date, told from the issue alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from incident_actions.domain.issue import body as bodies
from incident_actions.domain.issue import labels
from incident_actions.domain.issue.incident import Moment
from incident_actions.domain.issue.observation import Comment, Issue
from incident_actions.domain.playbook import recovery
from incident_actions.domain.projection.effects import DeleteComment, Effect, PostComment
from incident_actions.domain.projection.state import SettledIssue, State
from incident_actions.domain.projection.wanted import fit, shown_labels
from incident_actions.domain.timeline.bot_comments import REMINDER
from incident_actions.gate_readers import BEGIN


def settled_issue(
    issue: Issue, done: Sequence[Effect], reminders: int, now: datetime
) -> SettledIssue:
    """How the issue stands once `done` was said; `issue` is as it was observed before that.

    Reminders come and go, so they don't count: `reminders` says how many there were.
    """
    said = sum(isinstance(each, PostComment) and each.kind != REMINDER for each in done)
    taken_back = sum(isinstance(each, DeleteComment) and each.kind != REMINDER for each in done)
    text = hashlib.sha256(bodies.split(issue.body).reporter.encode(errors="replace")).hexdigest()
    return SettledIssue(
        comments=issue.comments - reminders + said - taken_back,
        at=max(now, issue.updated_at),
        text=text[:8],
    )


def _knows_what_changed(state: State) -> bool:
    """Whether the suspects of this start were found; GitHub may have been in trouble."""
    return state.suspects is not None and state.suspects.start == state.times.get(Moment.STARTED)


def _shows(issue: Issue, state: State) -> bool:
    """Whether the labels show the incident, as far as there is room for them."""
    there = {name.casefold() for name in issue.labels}
    peoples = [name for name in issue.labels if not labels.is_ours(name)]
    wanted = fit(peoples, shown_labels(state))
    return wanted is None or there == {name.casefold() for name in wanted}


_MARGIN = timedelta(seconds=90)
"""Our own edit comes a little after the clock was read."""


def is_stale(issue: Issue, state: State, now: datetime, reminders: Sequence[Comment] = ()) -> bool:
    """Whether something happened that no run has taken into account, or something is due.

    Due are the bot's own probes, what changed before, and to say that an override expired. It is
    told from the issue list's entry, so that a sweep asks only about these. `reminders` are the
    bot's own on this issue: posting one is nothing that happened.
    """
    before = state.settled
    if before is None or not issue.body.startswith(BEGIN):
        return True
    after = settled_issue(issue, (), len(reminders), now)
    explained = max((each.created_at for each in reminders), default=before.at)
    assigned = {login.casefold() for login in state.assigned}
    return (
        after.comments != before.comments
        or after.text != before.text
        or issue.updated_at > max(before.at, explained) + _MARGIN
        or not _shows(issue, state)
        or {login.casefold() for login in issue.assignees} != assigned
        or issue.open != state.status.open
        or any(each.until <= now and not each.expired for each in state.allow)
        or bool(recovery.due(state, state.checks, state.streaks, now))
        or not (state.sensitive or _knows_what_changed(state))
    )
