"""Scheduled freezes: which windows of a recurrence rule are open at a moment."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr
from msgspec import Struct

from incident_actions.domain.text.names import slug
from incident_actions.domain.text.times import read_duration

LONGEST = timedelta(days=92)
"""Longer than a quarter is no window any more."""
_MARKER = re.compile(r"<!-- incident-actions:window (?P<key>\S+ \S+) -->")
_DAY = timedelta(days=1)


class Window(Struct, frozen=True):
    """A freeze that comes again. `start` and `duration` are what the clock on the wall shows."""

    name: str
    every: str
    start: datetime
    duration: timedelta
    timezone: str
    reason: str = ""
    allow: tuple[str, ...] = ()


class Occurrence(Struct, frozen=True):
    """One time that a window is open, from `starts` until just before `ends`, in UTC."""

    window: Window
    starts: datetime
    ends: datetime

    @property
    def key(self) -> str:
        """What tells it from all others: the window's name and its start."""
        return f"{slug(self.window.name)} {self.starts:%Y-%m-%dT%H:%M:%SZ}"

    @property
    def marker(self) -> str:
        """The key as an HTML comment for the issue's body."""
        return f"<!-- incident-actions:window {self.key} -->"


def occurrence_key(body: str) -> str | None:
    """The key of the occurrence that an issue was opened for, or None."""
    found = _MARKER.match(body)
    return found["key"] if found else None


def open_at(windows: Iterable[Window], now: datetime) -> tuple[Occurrence, ...]:
    """The occurrences that are open at an aware `now`, in the order of the windows.

    A window ends where the clock on the wall says so: `62h` from Friday 18:00 is Monday 08:00,
    also when the clocks change in between. Raises `ValueError` for a rule that can't be read and
    `KeyError` for an unknown time zone; reading the configuration finds both before.
    """
    found = []
    for window in windows:
        zone = ZoneInfo(window.timezone)
        wall = now.astimezone(zone).replace(tzinfo=None)
        rule = rrulestr(window.every, dtstart=window.start)
        # A day more on both sides: where the clocks change, the wall is not all there is.
        for start in rule.between(wall - window.duration - _DAY, wall + _DAY, inc=True):
            occurrence = _occurrence(window, start, zone)
            if occurrence.starts <= now < occurrence.ends:
                found.append(occurrence)
    return tuple(found)


def _occurrence(window: Window, start: datetime, zone: ZoneInfo) -> Occurrence:
    starts = start.replace(tzinfo=zone).astimezone(UTC)
    ends = (start + window.duration).replace(tzinfo=zone).astimezone(UTC)
    if ends <= starts:  # a short one that begins in the hour which the clocks skip
        ends = starts + window.duration
    return Occurrence(window, starts, ends)


def window_length(text: str) -> timedelta:
    """`62h`, `90m`, `2d 14h`. Raises `ValueError` for anything else, and beyond `LONGEST`."""
    length = read_duration(text)
    if not timedelta() < length <= LONGEST:
        raise ValueError(f"`{text}` is not between 1m and {LONGEST.days}d")
    return length
