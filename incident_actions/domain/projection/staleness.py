"""Whether an issue has changed since it was last brought up to date, told from the issue alone."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from incident_actions.domain.issue import labels
from incident_actions.domain.issue.bot_comments import REMINDER
from incident_actions.domain.issue.incident import Moment
from incident_actions.domain.issue.records import Comment, Issue
from incident_actions.domain.playbook.checklist import due_probes
from incident_actions.domain.projection.effects import DeleteComment, Effect, PostComment
from incident_actions.domain.projection.state import SettledIssue, State
from incident_actions.domain.projection.wanted import fit, shown_labels

_MARGIN = timedelta(seconds=90)
"""Our own edit comes a little after the clock was read."""


def settled_issue(
    issue: Issue, applied: Iterable[Effect], reminders: int, now: datetime
) -> SettledIssue:
    """How the issue stands once these effects were applied.

    `issue` is as it was observed before that. Reminders come and go, so they do not count:
    `reminders` says how many there were.
    """
    comments = issue.comments - reminders
    for effect in applied:
        if isinstance(effect, PostComment) and effect.kind != REMINDER:
            comments += 1
        elif isinstance(effect, DeleteComment) and effect.kind != REMINDER:
            comments -= 1
    digest = hashlib.sha256(issue.parts.reporter.encode(errors="replace")).hexdigest()
    return SettledIssue(comments=comments, at=max(now, issue.updated_at), text=digest[:8])


def is_stale(
    issue: Issue, state: State, now: datetime, reminders: Collection[Comment] = ()
) -> bool:
    """Whether something happened that no run has taken into account, or something is due.

    Due are the bot's own probes, the look for what changed before, and to say that an override
    expired. All of it is told from the issue list's entry, so that a sweep asks only about these.
    `reminders` are the bot's own on this issue: posting one is nothing that happened.
    """
    before = state.settled
    if before is None or not issue.parts.dashboard:
        return True
    after = settled_issue(issue, (), len(reminders), now)
    explained = max((each.created_at for each in reminders), default=before.at)
    return (
        after.comments != before.comments
        or after.text != before.text
        or issue.updated_at > max(before.at, explained) + _MARGIN
        or not _shows(issue, state)
        or _folded(issue.assignees) != _folded(state.assigned)
        or issue.open != state.status.open
        or any(each.until <= now and not each.expired for each in state.allow)
        or bool(due_probes(state, state.checks, state.streaks, now))
        or not (state.sensitive or _knows_what_changed(state))
    )


def _knows_what_changed(state: State) -> bool:
    """Whether the suspects of this start were found; GitHub may have been in trouble."""
    return state.suspects is not None and state.suspects.start == state.times.get(Moment.STARTED)


def _shows(issue: Issue, state: State) -> bool:
    """Whether the labels show the incident, as far as there is room for them."""
    peoples = [name for name in issue.labels if not labels.is_ours(name)]
    wanted = fit(peoples, shown_labels(state))
    return wanted is None or _folded(issue.labels) == _folded(wanted)


def _folded(names: Iterable[str]) -> set[str]:
    return {name.casefold() for name in names}
