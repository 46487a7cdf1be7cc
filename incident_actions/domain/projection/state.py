"""The state block: the folded incident as compact JSON, with what `respond` remembers beside it.

A cache. Readers that meet another version, or nonsense, act as if it were not there.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
from msgspec import Struct, field

from incident_actions.domain.changes.suspects import Suspects
from incident_actions.domain.freeze.override_audit import OverrideAudit
from incident_actions.domain.issue.incident import Incident, Role
from incident_actions.domain.issue.observation import Deployment
from incident_actions.domain.playbook.checklist import ChecklistItem
from incident_actions.domain.playbook.recovery import Streak
from incident_actions.domain.playbook.runbook_search import Runbook
from incident_actions.domain.postmortem.link import Postmortem

VERSION = 1
_FROM_INCIDENT = tuple(f for f in Incident.__struct_fields__ if f != "timeline")


class SettledIssue(Struct, frozen=True):
    """How the issue was when all of it had been taken into account, so that a sweep can tell from
    the issue list alone whether something happened since.

    `text` is a digest of the reporter's words.
    """

    comments: int
    at: datetime
    text: str


class State(Incident, frozen=True, omit_defaults=True, kw_only=True):
    """An incident and the bot's own memory.

    `number` is the issue's: a state that was copied into another issue is not believed there.
    `seen` is the newest (comment id, update time) whose commands were answered; `people` the
    permissions that were asked for; `said` the keys of the bot's comments. `form` (id, label),
    `checks` and `defaults` (roles) are as they were at the declaration: editing those files later
    changes no incident after the fact, and costs no request. `streaks` are the good answers of
    probes, `deployments` those since the start, `public` whether anybody can read the repository,
    and `labels` that the repository has ours. `ticks` are the texts of the boxes that people
    ticked, `steps` the keys of those that the bot ticked, and may untick again. `settled` is how
    the issue was when it was last brought up to date. `suspects` are the changes before the start,
    and `runbooks` those that fitted the report. `trail` tells of used overrides.
    `postmortem` is where that is.
    """

    v: int
    number: int
    seen_id: int = 0
    seen_at: str = ""
    people: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    said: tuple[str, ...] = ()
    form: tuple[tuple[str, str], ...] = ()
    checks: tuple[ChecklistItem, ...] = ()
    defaults: dict[Role, str] = field(default_factory=dict)
    streaks: dict[str, Streak] = field(default_factory=dict)
    deployments: tuple[Deployment, ...] = ()
    public: bool | None = None
    labels: bool = False
    ticks: tuple[str, ...] = ()
    steps: tuple[str, ...] = ()
    settled: SettledIssue | None = None
    trail: OverrideAudit = OverrideAudit()
    suspects: Suspects | None = None
    runbooks: tuple[Runbook, ...] = ()
    postmortem: Postmortem | None = None


def read_state(text: str | None, number: int) -> State | None:
    """The state of an issue, or None when there is none that can be believed."""
    if text is None:
        return None
    try:
        state = msgspec.json.decode(text.encode(errors="replace"), type=State)
    except msgspec.DecodeError:
        return None
    return state if state.v == VERSION and state.number == number else None


class Memory(Struct, frozen=True, kw_only=True):
    """What the bot remembers beside the incident: the fields of `State` that are its own."""

    seen_id: int
    seen_at: str
    people: dict[str, list[tuple[int, str]]]
    said: tuple[str, ...]
    form: tuple[tuple[str, str], ...]
    checks: tuple[ChecklistItem, ...]
    defaults: dict[Role, str]
    streaks: dict[str, Streak]
    deployments: tuple[Deployment, ...]
    public: bool | None
    labels: bool
    ticks: tuple[str, ...]
    steps: tuple[str, ...]
    settled: SettledIssue | None
    trail: OverrideAudit
    suspects: Suspects | None
    runbooks: tuple[Runbook, ...]
    postmortem: Postmortem | None


def make_state(incident: Incident, number: int, memory: Memory) -> State:
    """The state of an incident, its timeline left out: that is GitHub's to keep."""
    facts: dict[str, Any] = {name: getattr(incident, name) for name in _FROM_INCIDENT}
    return State(v=VERSION, number=number, **facts, **msgspec.structs.asdict(memory))


def by_size(state: State) -> tuple[State, ...]:
    """The state, and what is kept of it where a body has less room: less and less.

    First goes what can be read again, or is only told; in the end all that is left is what the
    gate and reminders need. What is missing is asked for again by the next run.
    """
    lean = msgspec.structs.replace(
        state,
        form=(),
        checks=(),
        defaults={},
        streaks={},
        deployments=(),
        said=(),
        trail=OverrideAudit(),
        suspects=_start_alone(state.suspects),
        runbooks=(),
    )
    bare = msgspec.structs.replace(
        lean,
        people={},
        ticks=(),
        steps=(),
        verified={},
        actions=(),
        freeze=msgspec.structs.replace(state.freeze, reason="") if state.freeze else None,
        forced=None,
        allow=tuple(
            msgspec.structs.replace(each, reason="") for each in state.allow if not each.expired
        ),
    )
    return state, lean, bare


def is_same(state: State, before: State) -> bool:
    """Whether an issue that remembers `before`, maybe in part, has to remember nothing new."""
    return before in by_size(msgspec.structs.replace(state, settled=before.settled))


def _start_alone(suspects: Suspects | None) -> Suspects | None:
    """That they were looked for; their list is not kept."""
    return msgspec.structs.replace(suspects, changes=(), unread=(), more=0) if suspects else None


def write_state(state: State) -> str:
    """One line of JSON that can stand in an HTML comment."""
    text = msgspec.json.encode(state).decode()
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("--", "-\\u002d")
