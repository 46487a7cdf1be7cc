"""What becomes of a report, or a freeze, by somebody from outside."""

from __future__ import annotations

from incident_actions.domain.timeline.commands.base import Command, Subject, TextCommand

_HELD = frozenset({Subject.REPORT, Subject.HELD_FREEZE})


class Confirm(Command, frozen=True):
    """A report from outside becomes an incident, or a freeze that counts."""

    name = "confirm"
    syntax = "/confirm"
    summary = "Open a report from outside as an incident."
    example = "/confirm"
    dated = False
    applies_to = _HELD


class Dismiss(TextCommand, frozen=True):
    """A report from outside is no incident, or a freeze is none."""

    name = "dismiss"
    syntax = "/dismiss REASON"
    summary = "Close a report from outside: it is no incident."
    example = "/dismiss a planned maintenance"
    dated = False
    applies_to = _HELD
    text_is = "the reason"
