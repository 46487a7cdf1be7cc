"""Scheduled freezes: which of them are open at a given time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from incident_actions.domain.text.names import slug
from incident_actions.domain.text.recurrence import read_rule
from incident_actions.domain.text.times import read_duration

LONGEST = timedelta(days=92)
"""A window may last at most a quarter of a year."""
_MARKER = re.compile(r"<!-- incident-actions:window (?P<key>\S+ \S+) -->")
_DAY = timedelta(days=1)


class Window(Struct, frozen=True):
    """A freeze that comes again.

    `every` is an RRULE of RFC 5545. `start` is the first time, without a time zone; it and
    `duration` are by the clocks in `timezone`. `allow` are the logins of who may deploy all the
    same.
    """

    name: str
    every: str
    start: datetime
    duration: timedelta
    timezone: str
    reason: str = ""
    allow: tuple[str, ...] = ()


class Occurrence(Struct, frozen=True):
    """One period in which a window is open: from `starts` until just before `ends`, in UTC."""

    window: Window
    starts: datetime
    ends: datetime

    @property
    def key(self) -> str:
        """What identifies it: the window's name and its start, `weekend 2026-11-27T17:00:00Z`."""
        return f"{slug(self.window.name)} {self.starts:%Y-%m-%dT%H:%M:%SZ}"

    @property
    def marker(self) -> str:
        """The key as an HTML comment for the issue's body."""
        return f"<!-- incident-actions:window {self.key} -->"


def occurrence_key(body: str) -> str | None:
    """The key in the body of an issue that was opened for an occurrence; None for other issues."""
    match = _MARKER.match(body)
    return match["key"] if match else None


def open_at(windows: Iterable[Window], now: datetime) -> tuple[Occurrence, ...]:
    """The occurrences that are open at `now` (with a time zone), in the order of the windows.

    Durations are by the clocks of the window's time zone: `62h` from Friday 18:00 always ends on
    Monday 08:00, also when daylight saving time begins or ends in between. Raises `ValueError` for
    an invalid rule and `KeyError` for an unknown time zone; a configuration that was read has none.
    """
    occurrences = []
    for window in windows:
        zone = ZoneInfo(window.timezone)
        wall = now.astimezone(zone).replace(tzinfo=None)
        rule = read_rule(window.every, window.start, window.timezone)
        # A day more on both sides, because wall times jump when the clocks change. The comparison
        # in UTC below decides.
        for start in rule.between(wall - window.duration - _DAY, wall + _DAY, inc=True):
            occurrence = _occurrence(window, start, zone)
            if occurrence.starts <= now < occurrence.ends:
                occurrences.append(occurrence)
    return tuple(occurrences)


def _occurrence(window: Window, start: datetime, zone: ZoneInfo) -> Occurrence:
    """The occurrence that begins at `start`, a time without a zone, by the clocks of `zone`."""
    starts = start.replace(tzinfo=zone).astimezone(UTC)
    ends = (start + window.duration).replace(tzinfo=zone).astimezone(UTC)
    if ends <= starts:  # a short one that begins in the hour that is skipped in spring
        ends = starts + window.duration
    return Occurrence(window, starts, ends)


def window_length(text: str) -> timedelta:
    """The length of a window, typed as `62h`, `90m` or `2d 14h`.

    Raises `ValueError` for any other text, for zero, and for more than `LONGEST`.
    """
    length = read_duration(text)
    if not timedelta() < length <= LONGEST:
        raise ValueError(f"`{text}` is not between 1m and {LONGEST.days}d")
    return length
