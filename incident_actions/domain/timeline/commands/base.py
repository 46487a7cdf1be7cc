"""What every command is made of, and how a change of an incident is written down."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import ClassVar, Self

from msgspec import Struct

from incident_actions.domain.issue.incident import Incident, Source
from incident_actions.domain.issue.observation import Permission, Permissions
from incident_actions.domain.playbook.checklist import ChecklistItem
from incident_actions.domain.timeline.arguments import Arguments


class Subject(Enum):
    """What an issue is, with what to say of a command that does not apply to it."""

    INCIDENT = ("this is an incident already, not a report", "/resolve")
    REPORT = ("this is a report that nobody has confirmed yet", "/confirm")
    FREEZE = ("this is a deploy freeze, no incident", "/thaw REASON")
    HELD_FREEZE = ("this is a freeze that nobody has confirmed yet", "/confirm")

    def __init__(self, reason: str, suggestion: str) -> None:
        self.reason = reason
        self.suggestion = suggestion


class Origin(Source, frozen=True):
    """Where a change of an incident comes from, and what was known then.

    It may be backdated: GitHub recorded it at `typed_at`. `checks` are the team's recovery checks,
    `permissions` what is known of people. `by_hand`: it was no typed command.
    """

    typed_at: datetime
    checks: tuple[ChecklistItem, ...] = ()
    permissions: Permissions = Permissions()
    by_hand: bool = False


class Command(Struct, frozen=True):
    """A command: a subclass says how it is typed, who may use it, and what it does.

    The first line of its docstring is its help. Its name is the first word of its `syntax`, which
    is also its `example` where there is nothing to fill in. `needs` is the permission that it
    needs unless the team's configuration says otherwise. A `dated` command takes a time
    (`at 14:02`), which may also stand after its first word when `time_after_word`; the others
    happen when they are typed. `applies_to` are the issues where it is taken.
    """

    syntax: ClassVar[str] = ""
    example: ClassVar[str] = ""
    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    needs: ClassVar[Permission] = Permission.WRITE
    dated: ClassVar[bool] = True
    time_after_word: ClassVar[bool] = False
    applies_to: ClassVar[frozenset[Subject]] = frozenset({Subject.INCIDENT})

    def __init_subclass__(cls) -> None:
        """Work out what follows from the syntax and the docstring of a command that is typed."""
        if "syntax" in cls.__dict__:
            cls.name = cls.syntax.removeprefix("/").split()[0]
            cls.summary = (cls.__doc__ or "").partition("\n")[0]
            cls.example = cls.example or cls.syntax

    @classmethod
    def read(cls, arguments: Arguments) -> Self:
        """The command with what was typed behind its name. Raises `Mistake`.

        Where the syntax is the name alone, that is not looked at.
        """
        raise NotImplementedError(f"`/{cls.name}` does not read its arguments")

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """The incident after the command.

        Raises `Mistake` when it makes no sense for the incident as it is; nothing has changed then.
        """
        return incident


class TextCommand(Command, frozen=True):
    """A command with a text behind it. `text_is` names the text where it must not be empty."""

    text_is: ClassVar[str] = ""
    text: str

    @classmethod
    def read(cls, arguments: Arguments) -> Self:
        """All that was typed behind the name. Raises `Mistake` when a text is missing."""
        return cls(arguments.needed(cls.text_is) if cls.text_is else arguments.rest())
