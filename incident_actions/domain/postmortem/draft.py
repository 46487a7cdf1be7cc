"""The facts from which a postmortem's draft is written. The text itself is in a template."""

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
    """A corrective action for the draft. `number` is its issue; None while it has none."""

    text: str
    category: str
    owner: str
    due: str
    number: int | None = None
    done: bool = False


class Draft(Struct, frozen=True):
    """The values for the template. Texts are as people typed them; the template escapes them.

    `durations` are minutes by name (see `lint.DURATIONS`). `summary`, `affected`, `layer` and
    `ticked` are answers of the form. `mitigations`, `updates`, `customer_updates` and `overrides`
    are entries of the timeline.
    """

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
        """The known times, in the order of an incident's course."""
        known = self.incident.times
        return {moment: known[moment] for moment in Moment if moment in known}

    @property
    def at(self) -> dict[str, datetime | None]:
        """All times by their name; None where a time is not known."""
        return {moment.value: self.incident.times.get(moment) for moment in Moment}

    @property
    def course(self) -> tuple[Entry, ...]:
        """The timeline, with the likeliest change before it and the start, which nobody typed."""
        known = self.incident.times.get(Moment.STARTED)
        suspected = (
            Entry(change.at, change.by, f"{change.what} (the likeliest cause)")
            for change in self.suspects
            if change.likeliest
        )
        start = () if known is None else (Entry(known, "", "it started"),)
        return tuple(
            sorted((*suspected, *start, *self.incident.timeline), key=lambda entry: entry.at)
        )

    @property
    def roles(self) -> dict[Role, str]:
        """Who held which role: role -> login, in the order of `Role`."""
        held = self.incident.roles
        return {role: held[role] for role in Role if role in held}


def durations(times: Mapping[Moment, datetime]) -> dict[str, int]:
    """The durations of `lint.DURATIONS` in minutes, by name, as far as both times are known."""
    return {
        name: max(0, round((times[last] - times[first]).total_seconds() / 60))
        for name, (first, last) in DURATIONS.items()
        if first in times and last in times
    }


def action_lines(
    items: Sequence[ActionItem], filed: Mapping[str, DraftAction] | None = None
) -> tuple[DraftAction, ...]:
    """The follow-ups of `/action` as actions for the draft, those with the same text only once.

    `filed` are the actions that have issues, by `key_of` their text.
    """
    lines: dict[str, DraftAction] = {}
    for item in items:
        category, text = split_category(item.text)
        key = key_of(text)
        line = DraftAction(text, category, item.owner, item.due)
        lines.setdefault(key, (filed or {}).get(key, line))
    return tuple(lines.values())


def entries(incident: Incident, kind: EntryKind) -> tuple[Entry, ...]:
    """The timeline's entries of one kind."""
    return tuple(entry for entry in incident.timeline if entry.deed is kind)


def digest(draft: Draft) -> str:
    """Twelve hex digits that identify the facts. When they change, the draft would change, too."""
    return hashlib.sha256(msgspec.json.encode(draft)).hexdigest()[:12]
