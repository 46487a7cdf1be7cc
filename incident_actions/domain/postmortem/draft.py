"""The facts of a draft: all that is known of an incident, in the order of the sections."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec import Struct

from incident_actions.domain.changes.suspects import Change
from incident_actions.domain.issue.incident import (
    ActionItem,
    Entry,
    EntryKind,
    Incident,
    Moment,
    Role,
)
from incident_actions.domain.postmortem.actions import key_of, split_category
from incident_actions.domain.postmortem.lint import DURATIONS


class DraftAction(Struct, frozen=True):
    """A corrective action to be written: `number` once it is an issue."""

    text: str
    category: str
    owner: str
    due: str
    number: int | None = None
    done: bool = False


class Draft(Struct, frozen=True):
    """What the template is filled with. Texts are as people typed them: the template escapes."""

    number: int
    url: str
    title: str
    incident: Incident
    durations: dict[str, int]
    summary: str
    affected: str
    layer: str
    ticked: tuple[str, ...]
    suspects: tuple[Change, ...]
    mitigations: tuple[Entry, ...]
    updates: tuple[Entry, ...]
    customer_updates: tuple[Entry, ...]
    overrides: tuple[Entry, ...]
    actions: tuple[DraftAction, ...]
    web: str

    @property
    def times(self) -> dict[Moment, datetime]:
        """The times that are known, in the order in which they should follow each other."""
        known = self.incident.times
        return {moment: known[moment] for moment in Moment if moment in known}

    @property
    def at(self) -> dict[str, datetime | None]:
        """Every time by its name, None where it is not known."""
        return {moment.value: self.incident.times.get(moment) for moment in Moment}

    @property
    def roles(self) -> dict[Role, str]:
        """Who held which role, in the roles' own order."""
        held = self.incident.roles
        return {role: held[role] for role in Role if role in held}


def durations(times: Mapping[Moment, datetime]) -> dict[str, int]:
    """Minutes from one moment to another, of those that are both known."""
    return {
        name: max(0, round((times[last] - times[first]).total_seconds() / 60))
        for name, (first, last) in DURATIONS.items()
        if first in times and last in times
    }


def action_lines(
    items: Sequence[ActionItem], filed: Mapping[str, DraftAction] | None = None
) -> tuple[DraftAction, ...]:
    """The follow-ups of `/action` as lines; `filed` are those that are issues, by their words."""
    found: dict[str, DraftAction] = {}
    for item in items:
        category, text = split_category(item.text)
        key = key_of(text)
        line = DraftAction(text, category, item.owner, item.due)
        found.setdefault(key, (filed or {}).get(key, line))
    return tuple(found.values())


def entries(incident: Incident, kind: EntryKind) -> tuple[Entry, ...]:
    """The entries of one kind."""
    return tuple(entry for entry in incident.timeline if entry.deed is kind)


def digest(draft: Draft) -> str:
    """A short name for the facts: another one means that the draft would be another."""
    return hashlib.sha256(msgspec.json.encode(draft)).hexdigest()[:12]
