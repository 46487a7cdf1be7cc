"""Commands with which the team decides about a report, or a freeze, by somebody from outside."""

from __future__ import annotations

from incident_actions.domain.text.words import pattern
from incident_actions.domain.timeline.arguments import Arguments
from incident_actions.domain.timeline.commands.base import Command, Subject, TextCommand

_HELD = frozenset({Subject.REPORT, Subject.HELD_FREEZE})


class Confirm(Command, frozen=True):
    """Open a report from outside as an incident.

    A freeze from outside becomes one that counts.
    """

    syntax = "/confirm"
    decides = True
    against = pattern("no_report", of="arguments")
    dated = False
    applies_to = _HELD


class Dismiss(TextCommand, frozen=True):
    """Close a report from outside: it is no incident."""

    syntax = "/dismiss REASON"
    example = "/dismiss a planned maintenance"
    dated = False
    applies_to = _HELD
    text_is = "the reason"

    @classmethod
    def read(cls, arguments: Arguments) -> Dismiss:
        """The reason. Raises `Mistake` for one that doubts or asks; a `no` says: no incident."""
        if arguments.text.casefold().strip(" .!") == "no":
            return cls(arguments.rest())
        return cls(arguments.reason(cls.shortest, cls.text_is))
