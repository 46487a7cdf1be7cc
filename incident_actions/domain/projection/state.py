"""The state block: the folded incident as compact JSON, with what the bot remembers beside it.

A cache. Readers that meet another version, or text that is no state, act as if it were not there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from incident_actions.domain.changes.suspects import Suspects
from incident_actions.domain.freeze.override_audit import OverrideAudit
from incident_actions.domain.issue.incident import Incident, Role
from incident_actions.domain.issue.records import Deployment, Issue
from incident_actions.domain.playbook.checklist import ChecklistItem, Streak
from incident_actions.domain.playbook.runbooks import Runbook
from incident_actions.domain.postmortem.link import Postmortem

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
    form: tuple[tuple[str, str], ...] = ()
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
