"""Reads the cron expressions of workflows, and counts how often they start something.

Times are UTC. That the clocks of another `timezone:` change twice a year is left out.

https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise

from msgspec import Struct

from incident_actions.errors import InputError

_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_PART = re.compile(
    r"(?:\*|(?P<first>\w{1,3})(?:-(?P<last>\w{1,3}))?)(?:/(?P<step>\d{1,3}))?", re.ASCII
)
_LEAP_YEAR = 2028
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class _Field(Struct, frozen=True):
    """One of the five fields: the values that it may have, and their names."""

    name: str
    lowest: int
    highest: int
    names: Mapping[str, int] = {}


_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of the month", 1, 31),
    _Field("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Field("day of the week", 0, 6, {name: number for number, name in enumerate(_WEEKDAYS)}),
)


class Cron(Struct, frozen=True):
    """A schedule: the values of each field at which it starts something.

    Of `weekdays`, 0 is Sunday. `either`: both fields of days say something, so that a day need
    match only one of them.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    @property
    def each_day(self) -> int:
        """How often it starts something on a day that matches."""
        return len(self.minutes) * len(self.hours)

    def matches(self, month: int, day: int, weekday: int) -> bool:
        """Whether it starts something on such a day."""
        if month not in self.months:
            return False
        if self.either:
            return day in self.days or weekday in self.weekdays
        return day in self.days and weekday in self.weekdays


def read_cron(text: str) -> Cron:
    """Read a cron expression of five fields, with `*`, lists, ranges, steps and English names.

    Raises `InputError`, which says what can't be read.
    """
    parts = text.split()
    if len(parts) != len(_FIELDS):
        raise _unreadable(text, f"it has {len(parts)} fields in place of five")
    minutes, hours, days, months, weekdays = (
        _values(text, part, field) for part, field in zip(parts, _FIELDS, strict=True)
    )
    either = not (parts[2].startswith("*") or parts[4].startswith("*"))
    return Cron(minutes, hours, days, months, weekdays, either)


def most_starts(crons: Sequence[Cron]) -> int:
    """How often several schedules together start something in a month: in that with the most.

    A month may begin on any day of the week, and February has 29 days.
    """
    return max(
        sum(
            cron.each_day
            for day in range(1, length + 1)
            for cron in crons
            if cron.matches(month, day, (first + day) % 7)
        )
        for month, length in enumerate(_LENGTHS, 1)
        for first in range(7)
    )


def gaps(crons: Sequence[Cron]) -> tuple[timedelta, timedelta] | None:
    """The shortest and the longest time between two starts of several schedules together.

    None when they start nothing at all. What comes on 29 February only counts as yearly.
    """
    begin = date(_LEAP_YEAR, 1, 1)
    starts = sorted(
        (number * 24 + hour) * 60 + minute
        for number, day in ((n, begin + timedelta(days=n)) for n in range(366 + 365))
        for cron in crons
        if cron.matches(day.month, day.day, day.isoweekday() % 7)
        for hour in cron.hours
        for minute in cron.minutes
    )
    if not starts:
        return None
    apart = [timedelta(minutes=later - earlier) for earlier, later in pairwise(starts)]
    return (min(apart), max(apart)) if apart else (timedelta(days=366), timedelta(days=366))


def _values(text: str, part: str, field: _Field) -> frozenset[int]:
    """The values that one field of an expression matches."""
    return frozenset(value for item in part.split(",") for value in _item(text, item, field))


def _item(text: str, item: str, field: _Field) -> Iterable[int]:
    """The values of one item of a list: `*`, `5`, `5-10`, each perhaps with a step, `/2`."""
    match = _PART.fullmatch(item)
    if match is None:
        raise _unreadable(text, f"`{item}` is no {field.name}")
    step = int(match["step"] or 1)
    first = _value(text, match["first"], field) if match["first"] else field.lowest
    if match["last"]:
        last = _value(text, match["last"], field)
    else:
        last = first if match["first"] and not match["step"] else field.highest
    if first > last or not step:
        raise _unreadable(text, f"`{item}` is no {field.name}")
    return range(first, last + 1, step)


def _value(text: str, given: str, field: _Field) -> int:
    value = field.names.get(given.upper(), int(given) if given.isdecimal() else -1)
    if not field.lowest <= value <= field.highest:
        raise _unreadable(text, f"`{given}` is no {field.name}")
    return value


def _unreadable(text: str, why: str) -> InputError:
    return InputError(
        f"the schedule `{text}` can't be read: {why}",
        remedy="Write it as GitHub's documentation shows: minute, hour, day, month, day of the "
        'week; once an hour is `"37 * * * *"`.',
    )


def read_crons(texts: Iterable[str]) -> tuple[tuple[Cron, ...], tuple[str, ...]]:
    """The schedules in these texts, and what is wrong with those that can't be read."""
    found, problems = [], []
    for text in texts:
        try:
            found.append(read_cron(text))
        except InputError as error:
            problems.append(str(error))
    return tuple(found), tuple(problems)
