"""The types of values in `.github/incident.yml`, and how msgspec checks those it does not know."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Self, cast

from msgspec import Meta, Struct

from incident_actions.domain.freeze.windows import window_length
from incident_actions.domain.issue.incident import Severity
from incident_actions.domain.text.names import LOGIN
from incident_actions.domain.text.recurrence import check_rule
from incident_actions.domain.text.times import (
    read_duration_or_off,
    read_time_of_day,
    read_wall_time,
    read_zone,
)


def doc(text: str, **limits: Any) -> Meta:
    """A key's text in the reference and the JSON Schema; `limits` are checked by msgspec."""
    return Meta(description=text, **limits)


ShortText = Annotated[str, Meta(min_length=1, max_length=100)]
RepositoryName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][\w-]*/[\w.-]{1,100}$")]
Login = Annotated[str, Meta(pattern=rf"^@?{LOGIN}(\[bot\])?$")]


class ConfigSection(Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """A mapping in the file. Keys are written with hyphens."""


class ValueProblem(ValueError):
    """Raised for a value that is wrong though msgspec's own checks pass. `what` says why.

    `below` are the keys and indexes that lead from the section that raises it to the value.
    `refused` is the value, and `example` is a value that would be right.
    """

    def __init__(self, what: str, *below: str | int, refused: object = None, example: str = ""):
        super().__init__(what)
        self.below = below
        self.refused = refused
        self.example = example


class CheckedText(str):
    """Text that is checked and then kept as it was typed.

    A subclass gives `check`, a function that raises `ValueError` for text that is wrong, and
    `example`, a text that is right.
    """

    example: ClassVar[str]
    check: ClassVar[Callable[[str], object]]

    def __init_subclass__(cls, example: str, check: Callable[[str], object]) -> None:
        cls.example = example
        cls.check = check

    @classmethod
    def of(cls, text: str) -> Self:
        """A field's default. It stays a plain `str`, because msgspec's JSON Schema needs one."""
        return cast("Self", text)


def read_value(kind: type[Any], value: object) -> object:
    """Convert a value to `kind`, a subclass of `CheckedText`; for msgspec's `dec_hook`.

    Raises `ValueProblem` for what is no text, and for what the check refuses.
    """
    try:
        if not isinstance(value, str):
            raise ValueError(f"must be text like `{kind.example}`")
        kind.check(value)
    except ValueError as error:
        raise ValueProblem(str(error), refused=value, example=kind.example) from None
    return kind(value)


def _gap(text: str) -> None:
    """Raise `ValueError` unless the text is `off` or a duration above zero."""
    if _read_or_zero(text) == timedelta():
        raise ValueError("must be a time above zero like `30m` or `1d12h`, or `off`")


def _read_or_zero(text: str) -> timedelta | None:
    """A duration, or None for `off`; zero also for text that is neither."""
    try:
        return read_duration_or_off(text)
    except ValueError:
        return timedelta()


def read_severities(text: str) -> tuple[str, ...]:
    """The severities in a text like `sev1, sev2`; none for `off`.

    Raises `ValueError` for any other text.
    """
    found = tuple(part.strip().lower() for part in text.split(","))
    if found == ("off",):
        return ()
    if not set(found) <= {each.value for each in Severity}:
        raise ValueError(f"`{text[:40]}` must be severities like `sev1, sev2`, or `off`")
    return found


def _one_of(pattern: str, wanted: str) -> Callable[[str], None]:
    """A check for text that matches a pattern; `wanted` says in its error what is right."""

    def check(text: str) -> None:
        if not re.fullmatch(pattern, text):
            raise ValueError(f"must be {wanted}")

    return check


_somebody = _one_of(
    rf"@?{LOGIN}(/[A-Za-z0-9][A-Za-z0-9._-]{{0,99}})?",
    "a login, or a team as `org/team`",
)
_permission = _one_of("triage|write|maintain|admin", "`triage`, `write`, `maintain` or `admin`")


class Duration(CheckedText, example="30m", check=read_duration_or_off):
    """How long: `30m`, `2h`, or `off`."""


class Gap(CheckedText, example="30m", check=_gap):
    """How long, and longer than zero: `30m`, or `off`."""


class Severities(CheckedText, example="sev1, sev2", check=read_severities):
    """Severities, comma-separated: `sev1, sev2`, or `off`."""


class WindowLength(CheckedText, example="62h", check=window_length):
    """How long a scheduled freeze lasts: `62h`."""


class Mention(CheckedText, example="alice", check=_somebody):
    """Who is told: a login, or `org/team`."""


class TimeOfDay(CheckedText, example="07:00", check=read_time_of_day):
    """A time of day in 24 hours: `07:00`."""


class WallTime(CheckedText, example="2026-01-05T09:00", check=read_wall_time):
    """A date and time without a time zone: `2026-01-05T09:00`."""


class TimeZone(CheckedText, example="UTC", check=read_zone):
    """The name of a time zone: `Europe/Berlin`."""


class RecurrenceRule(CheckedText, example="FREQ=WEEKLY", check=check_rule):
    """A recurrence rule (RRULE of RFC 5545) of at most once a day: `FREQ=WEEKLY`."""


class PermissionLevel(CheckedText, example="write", check=_permission):
    """A permission in the repository, by GitHub's name: `write`."""
