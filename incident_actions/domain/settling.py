"""Whether an issue has changed since it was last brought up to date, told from the issue alone."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta

from incident_actions.domain import body as bodies
from incident_actions.domain import labels, recovery
from incident_actions.domain.observation import Issue
from incident_actions.domain.projection import Effect, Say, Unsay, shown_labels
from incident_actions.domain.state import Settled, State


def settled(issue: Issue, done: Sequence[Effect], now: datetime) -> Settled:
    """How the issue stands once `done` was said; `issue` is as it was observed before that."""
    said = sum(isinstance(effect, Say) for effect in done)
    taken_back = sum(isinstance(effect, Unsay) for effect in done)
    text = hashlib.sha256(bodies.split(issue.body).reporter.encode(errors="replace")).hexdigest()
    return Settled(
        comments=issue.comments + said - taken_back,
        at=max(now, issue.updated_at),
        text=text[:8],
    )


_MARGIN = timedelta(seconds=90)
"""Our own edit comes a little after the clock was read."""


def unsettled(issue: Issue, state: State, now: datetime) -> bool:
    """Whether something happened that no run has taken into account, or a probe is due.

    Tells it from the issue list's entry alone, so that a sweep asks only about these.
    """
    before = state.settled
    if before is None or not issue.body.startswith(bodies.BEGIN):
        return True
    after = settled(issue, (), now)
    shown = {name.casefold() for name in shown_labels(state)}
    there = {name.casefold() for name in issue.labels}
    ours = {name for name in there if labels.is_ours(name)} | (there & {labels.INCIDENT})
    assigned = {login.casefold() for login in state.assigned}
    return (
        after.comments != before.comments
        or after.text != before.text
        or issue.updated_at > before.at + _MARGIN
        or ours != shown
        or {login.casefold() for login in issue.assignees} != assigned
        or issue.open != state.status.open
        or state.drill != labels.holds(issue.labels, labels.DRILL)
        or bool(recovery.due(state, state.checks, state.streaks, now))
    )
