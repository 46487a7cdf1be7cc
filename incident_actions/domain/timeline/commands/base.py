"""The base classes of the commands, the issues they apply to, and where a change comes from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from enum import Enum
from typing import ClassVar, Self

from msgspec import Struct

from incident_actions.domain.issue.incident import Incident, Source
from incident_actions.domain.issue.observation import Permission, Permissions
from incident_actions.domain.playbook.checklist import ChecklistItem
from incident_actions.domain.timeline.arguments import Arguments


class Subject(Enum):
    """What an issue is, with the reason and suggestion for a command that does not apply to it."""

    INCIDENT = ("this is an incident already, not a report", "/resolve")
    REPORT = ("this is a report that nobody has confirmed yet", "/confirm")
    FREEZE = ("this is a deploy freeze, no incident", "/thaw REASON")
    HELD_FREEZE = ("this is a freeze that nobody has confirmed yet", "/confirm")

    def __init__(self, reason: str, suggestion: str) -> None:
        self.reason = reason
        self.suggestion = suggestion


class Origin(Source, frozen=True):
    """Where a change of an incident comes from, and what a command may need to know.

    `at` is when the change happened, and `typed_at` when GitHub recorded it; they differ when the
    command was backdated. `checks` are the team's recovery checks, `permissions` those of people,
    `services` the names on the team's list of services, empty without a list. `commits` are what
    was looked up for the changes that people name (`Allow.question`). `repository` is that of the
    issue, as `owner/name`; empty when it is not known. `by_hand` is True for a
    manual action, False for a typed command.
    """

    typed_at: datetime
    checks: tuple[ChecklistItem, ...] = ()
    permissions: Permissions = Permissions()
    by_hand: bool = False
    services: tuple[str, ...] = ()
    commits: Mapping[str, str] = {}
    repository: str = ""


class Command(Struct, frozen=True):
    """A command. A subclass says how it is typed, who may use it, and what it does.

    `syntax` is how it is typed; its first word is the `name`. `example` is a line that could be
    typed; by default it is the syntax. `summary`, the help, is the first line of the docstring.
    `needs` is the permission that it takes, unless the team's configuration says otherwise. A
    `dated` command can have a time (`at 14:02`) right after its name, and with `time_after_word`
    also after the word that follows; other commands happen when they are typed. `applies_to` says
    on which issues it is carried out.

    A command that `decides` does the same without the words after it, so these must not take it
    back. One that `goes_on` has a text at its end, and the lines below belong to it, down to the
    next command. What follows the word of one that `is_time` is a time, also without `at`.
    `against` matches further words behind the name that say the opposite. Right after the name of
    one with `bare_time`, a time needs no `at` either. `shortest` is the
    syntax without the parts that may be left out at its end.
    """

    syntax: ClassVar[str] = ""
    example: ClassVar[str] = ""
    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    needs: ClassVar[Permission] = Permission.WRITE
    dated: ClassVar[bool] = True
    time_after_word: ClassVar[bool] = False
    applies_to: ClassVar[frozenset[Subject]] = frozenset({Subject.INCIDENT})
    decides: ClassVar[bool] = False
    goes_on: ClassVar[bool] = False
    is_time: ClassVar[bool] = False
    bare_time: ClassVar[bool] = False
    against: ClassVar[re.Pattern[str] | None] = None
    shortest: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        """Set what follows from the syntax of a class that has one; others inherit it."""
        if "syntax" in cls.__dict__:
            cls.name = cls.syntax.removeprefix("/").split()[0]
            cls.summary = (cls.__doc__ or "").partition("\n")[0]
            cls.example = cls.example or cls.syntax
            cls.shortest = cls.syntax.partition(" [")[0]
            if "bare_time" not in cls.__dict__:
                cls.bare_time = cls.dated and cls.decides and not cls.time_after_word
            cls.goes_on = cls.syntax.rstrip("]").endswith(("TEXT", "REASON", "RESULT"))

    @classmethod
    def read(cls, arguments: Arguments) -> Self:
        """Make the command from what was typed after its name.

        Not called for a command whose syntax is its name alone. Raises `Mistake` when an argument
        is missing or wrong.
        """
        raise NotImplementedError(f"`/{cls.name}` does not read its arguments")

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """The incident after the command; by default, nothing changes.

        Raises `Mistake` when the command makes no sense for the incident as it is.
        """
        return incident


class TextCommand(Command, frozen=True):
    """A command with a text after its name.

    `text_is` names the text in the message about a missing one; empty: the text may be missing.
    """

    text_is: ClassVar[str] = ""
    text: str

    @classmethod
    def read(cls, arguments: Arguments) -> Self:
        """All that was typed after the name. Raises `Mistake` when it is needed and missing."""
        if cls.decides:
            return cls(arguments.remark(cls.shortest, cls.text_is))
        return cls(arguments.needed(cls.text_is) if cls.text_is else arguments.rest())
