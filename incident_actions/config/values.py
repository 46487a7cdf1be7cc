"""What a value in the file may look like, beyond what msgspec knows: text that a reader checks."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Self, cast

from msgspec import Meta, Struct

from incident_actions.domain.freeze.windows import window_length
from incident_actions.domain.issue.observation import Permission
from incident_actions.domain.playbook.on_call import check_rule
from incident_actions.domain.text import durations, times

ShortText = Annotated[str, Meta(min_length=1, max_length=100)]
Login = Annotated[str, Meta(pattern=r"^@?[A-Za-z0-9][A-Za-z0-9-]{0,38}(\[bot\])?$")]
_SOMEBODY = re.compile(r"@?[A-Za-z0-9][A-Za-z0-9-]{0,38}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?")


class ConfigSection(Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """A mapping in the file. Keys are written with hyphens."""


class MisplacedError(ValueError):
    """Something is wrong below a section: at which key, as a path from the section on."""

    def __init__(self, what: str, *below: str | int) -> None:
        super().__init__(what)
        self.below = below


class UnreadableError(ValueError):
    """A text is not what its key wants; `example` would be."""

    def __init__(self, what: str, value: object, example: str) -> None:
        super().__init__(what)
        self.value = value
        self.example = example


class CheckedText(str):
    """Text that stays as it was typed, once `check` has read it.

    `check` raises `ValueError` that says what is wanted, or what is wrong.
    """

    example: ClassVar[str]
    check: ClassVar[Callable[[str], object]]

    @classmethod
    def default(cls, text: str) -> Self:
        """A field's default. It is plain text, which is all that the JSON Schema can show."""
        return cast("Self", text)


def read_value(kind: type[Any], value: object) -> object:
    """msgspec's hook for `CheckedText`. Raises `UnreadableError` for what its check refuses."""
    try:
        if not isinstance(value, str):
            raise ValueError(f"must be text like `{kind.example}`")
        kind.check(value)
    except ValueError as error:
        raise UnreadableError(str(error), value, kind.example) from None
    return kind(value)


def duration(text: str) -> timedelta | None:
    """A duration of the file; None for `off`. Raises `ValueError` for anything else."""
    if text.casefold() == "off":
        return None
    try:
        return durations.read_duration(text)
    except ValueError:
        raise ValueError("must be a time like `30m`, `2h`, `1d12h`, or `off`") from None


def _check_gap(text: str) -> None:
    try:
        positive = duration(text) != timedelta()
    except ValueError:
        positive = False
    if not positive:
        raise ValueError("must be a time above zero like `30m` or `1d12h`, or `off`")


def _check_tick(text: str) -> None:
    try:
        tick = duration(text)
    except ValueError:
        tick = None
    if not tick:
        raise ValueError("must be a time above zero like `5m`")


def _check_mention(text: str) -> None:
    if not _SOMEBODY.fullmatch(text):
        raise ValueError("must be a login, or a team as `org/team`")


def _check_permission(text: str) -> None:
    if text not in PermissionLevel.NAMES:
        raise ValueError(f"must be one of {', '.join(PermissionLevel.NAMES)}")


class Duration(CheckedText):
    """How long: `30m`, `2h`, or `off`."""

    example = "30m"
    check = duration


class Gap(CheckedText):
    """How long, and longer than zero: `30m`, or `off`."""

    example = "30m"
    check = _check_gap


class Tick(CheckedText):
    """How long, and longer than zero; never `off`."""

    example = "5m"
    check = _check_tick


class WindowLength(CheckedText):
    """How long a scheduled freeze lasts: `62h`."""

    example = "62h"
    check = window_length


class Mention(CheckedText):
    """Who is told: a login, or `org/team`."""

    example = "alice"
    check = _check_mention


class TimeOfDay(CheckedText):
    """`07:00`."""

    example = "07:00"
    check = times.read_time_of_day


class WallTime(CheckedText):
    """A date and time without zone: `2026-01-05T09:00`."""

    example = "2026-01-05T09:00"
    check = times.read_wall_time


class TimeZone(CheckedText):
    """`Europe/Berlin`."""

    example = "UTC"
    check = times.read_zone


class RecurrenceRule(CheckedText):
    """An RRULE of RFC 5545, once a day at most: `FREQ=WEEKLY`."""

    example = "FREQ=WEEKLY"
    check = check_rule


class PermissionLevel(CheckedText):
    """What somebody needs in the repository, by GitHub's name."""

    NAMES = tuple(level.name.lower() for level in Permission if level >= Permission.TRIAGE)
    example = "write"
    check = _check_permission
