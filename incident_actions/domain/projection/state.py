"""The state block: the folded incident as compact JSON, with what the bot remembers beside it.

A cache. Readers that meet another version, or text that is no state, act as if it were not there.
From it and the issue list alone a sweep tells whether an issue has changed since it was last
brought up to date.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from incident_actions.domain.changes.suspects import Suspects
from incident_actions.domain.freeze.override_audit import OverrideAudit
from incident_actions.domain.issue.forms import FormField
from incident_actions.domain.issue.incident import Incident, Moment, Role
from incident_actions.domain.issue.observation import REMINDER, Comment, Deployment, Issue
from incident_actions.domain.playbook.checklist import ChecklistItem, Streak, due_probes
from incident_actions.domain.playbook.runbooks import Runbook
from incident_actions.domain.postmortem.link import Postmortem
from incident_actions.domain.projection.effects import DeleteComment, Effect, PostComment
from incident_actions.domain.projection.wanted import fit, is_ours, shown_labels

VERSION = 1
_FROM_INCIDENT = tuple(name for name in Incident.__struct_fields__ if name != "timeline")


class SettledIssue(Struct, frozen=True):
    """How the issue was when everything in it had been taken into account.

    A sweep compares it with the issue list, and so knows whether anything happened since.
    `comments` is how many there were, reminders aside; `text` a digest of the reporter's words.
    """

    comments: int
    at: datetime
    text: str


class State(Incident, frozen=True, omit_defaults=True, kw_only=True):
    """An incident, and what the bot remembers of it. The timeline is left out: GitHub keeps it."""

    v: int
    """The version of this format."""
    number: int
    """The issue's own number: a state that was copied into another issue is not believed there."""
    seen_id: int = 0
    """The newest comment whose commands were answered."""
    seen_at: str = ""
    """The newest time at which such a comment was written or edited."""
    people: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    """The permissions that GitHub was asked for, by login: (first comment id, permission)."""
    posted: tuple[str, ...] = field(default=(), name="said")
    """The names (`KIND KEY`) of the comments that the bot posted, reminders aside."""
    form: tuple[FormField, ...] = ()
    """The form (id, label) as it was at the declaration: editing the file later changes nothing."""
    checks: tuple[ChecklistItem, ...] = ()
    """The recovery checks as they were at the declaration."""
    defaults: dict[Role, str] = field(default_factory=dict)
    """Who started with which role by the configuration of that moment."""
    streaks: dict[str, Streak] = field(default_factory=dict)
    """The good answers in a row of each recovery check that the bot makes itself."""
    deployments: tuple[Deployment, ...] = ()
    """The deployments since the incident began."""
    public: bool | None = None
    """Whether anybody can read the repository; None while nobody asked."""
    labels: bool = False
    """Whether the repository has our labels."""
    ticks: tuple[str, ...] = ()
    """The texts of the boxes that people ticked."""
    steps: tuple[str, ...] = ()
    """The keys of the steps that the bot ticked, and may untick again."""
    settled: SettledIssue | None = None
    """How the issue was when it was last brought up to date."""
    audit: OverrideAudit = field(default=OverrideAudit(), name="trail")
    """The overrides of the freeze that were used."""
    suspects: Suspects | None = None
    """What changed before the start."""
    runbooks: tuple[Runbook, ...] = ()
    """The runbooks that fitted the report."""
    postmortem: Postmortem | None = None
    """Where the postmortem is."""

    def showing(self, incident: Incident) -> State:
        """The same memory with the facts of another version of the incident."""
        return replace(self, **facts_of(incident))


def facts_of(incident: Incident) -> dict[str, Any]:
    """The fields of an incident that its state holds, by name."""
    return {name: getattr(incident, name) for name in _FROM_INCIDENT}


def state_of(issue: Issue) -> State | None:
    """The state in an issue's body, or None when there is none that can be believed."""
    return read_state(issue.parts.state, issue.number)


def read_state(text: str | None, number: int) -> State | None:
    """The state in a text, which is believed in the issue `number` only; None for anything else."""
    if text is None:
        return None
    try:
        state = msgspec.json.decode(text.encode(errors="replace"), type=State)
    except msgspec.DecodeError:
        return None
    return state if state.v == VERSION and state.number == number else None


def by_size(state: State) -> tuple[State, ...]:
    """The state, and what is kept of it where a body has less room: less and less.

    First goes what can be read again, or is only told; in the end all that is left is what the
    gate and reminders need. What is missing is asked for again by the next run.
    """
    suspects = state.suspects
    lean = replace(
        state,
        form=(),
        checks=(),
        defaults={},
        streaks={},
        deployments=(),
        posted=(),
        audit=OverrideAudit(),
        # That they were looked for is kept, their list is not.
        suspects=replace(suspects, changes=(), unread=(), more=0) if suspects else None,
        runbooks=(),
    )
    bare = replace(
        lean,
        people={},
        ticks=(),
        steps=(),
        verified={},
        actions=(),
        freeze=replace(state.freeze, reason="") if state.freeze else None,
        forced=None,
        allow=tuple(replace(each, reason="") for each in state.allow if not each.expired),
    )
    return state, lean, bare


def is_same(state: State, before: State) -> bool:
    """Whether an issue that remembers `before`, maybe in part, has to remember nothing new."""
    return before in by_size(replace(state, settled=before.settled))


def write_state(state: State) -> str:
    """One line of JSON that can stand in an HTML comment."""
    text = msgspec.json.encode(state).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("--", "-\\u002d")


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


def has_settled(issue: Issue, state: State, now: datetime, reminders: Collection[Comment]) -> bool:
    """Whether a run has taken everything into account that happened to the issue.

    `reminders` are the bot's own on this issue: posting one is nothing that happened.
    """
    before = state.settled
    if before is None:
        return False
    after = settled_issue(issue, (), len(reminders), now)
    explained = max((each.created_at for each in reminders), default=before.at)
    return (
        after.comments == before.comments
        and after.text == before.text
        and issue.updated_at <= max(before.at, explained) + _MARGIN
    )


def is_stale(
    issue: Issue, state: State, now: datetime, reminders: Collection[Comment] = ()
) -> bool:
    """Whether something happened that no run has taken into account, or something is due.

    Due are the bot's own probes, the look for what changed before, and to say that an override
    expired. All of it is told from the issue list's entry, so that a sweep asks only about these.
    """
    return (
        not has_settled(issue, state, now, reminders)
        or not issue.parts.dashboard
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
    peoples = [name for name in issue.labels if not is_ours(name)]
    wanted = fit(peoples, shown_labels(state))
    return wanted is None or _folded(issue.labels) == _folded(wanted)


def _folded(names: Iterable[str]) -> set[str]:
    return {name.casefold() for name in names}
