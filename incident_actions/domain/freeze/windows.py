"""Scheduled freezes: when they begin and end, and which issue belongs to which of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from incident_actions.domain.text.names import slug
from incident_actions.domain.text.recurrence import read_rule
from incident_actions.domain.text.times import read_duration
from incident_actions.gate_readers import parse_now

LONGEST = timedelta(days=92)
"""A window may last at most a quarter of a year."""
AHEAD = timedelta(hours=24)
"""How long before a window begins its issue is opened: runs may be hours late."""
_MARKER = re.compile(
    r"<!-- incident-actions:window (?P<key>\S+ \S+)(?: (?P<digest>[0-9a-f]+))?(?P<gone> gone)? -->"
)
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


class WindowMark(Struct, frozen=True):
    """The first line of an issue that was opened for an occurrence.

    `key` is the occurrence's. `digest` is that of the text as the configuration wanted it when the
    bot wrote this line last; empty in issues of older versions. `gone`: the configuration did not
    have the occurrence any more.
    """

    key: str
    digest: str
    gone: bool = False

    def above(self, text: str) -> str:
        """The issue's body: this mark as an HTML comment, and below it the text."""
        gone = " gone" if self.gone else ""
        return f"<!-- incident-actions:window {self.key} {self.digest}{gone} -->\n{text}"


def split_mark(body: str) -> tuple[WindowMark | None, str]:
    """Split the body of an issue that was opened for an occurrence into its mark and its text.

    The mark is None for any other issue. The text has LF line ends: GitHub's editor saves CRLF.
    """
    text = body.replace("\r\n", "\n")
    match = _MARKER.match(text)
    if match is None or _start_in(match["key"]) is None:
        return None, text
    mark = WindowMark(match["key"], match["digest"] or "", match["gone"] is not None)
    return mark, text[match.end() :].removeprefix("\n")


def digest_of(text: str) -> str:
    """The digest of a text; white space at the end of its lines makes no difference."""
    lines = "\n".join(line.rstrip() for line in text.strip().split("\n"))
    return hashlib.sha256(lines.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def within_reach(windows: Iterable[Window], now: datetime) -> tuple[Occurrence, ...]:
    """The occurrences that are open at `now` (with a time zone), or begin within `AHEAD`.

    They come in the order of the windows, and of a window in the order of time. Raises `ValueError`
    for an invalid rule and `KeyError` for an unknown time zone; a configuration that was read has
    none.
    """
    return tuple(
        occurrence
        for window in windows
        for occurrence in _between(window, now - window.duration, now + AHEAD)
        if occurrence.starts - AHEAD <= now < occurrence.ends
    )


def occurrence_of(windows: Iterable[Window], key: str) -> Occurrence | None:
    """The occurrence with this key, whenever it is; None when these windows have none.

    Raises the same errors as `within_reach`.
    """
    at = _start_in(key)
    named = (window for window in windows if slug(window.name) == key.partition(" ")[0])
    found = (each for window in named if at for each in _between(window, at, at))
    return next((each for each in found if each.key == key), None)


def _start_in(key: str) -> datetime | None:
    """The start in an occurrence's key; None when it can't be read."""
    return parse_now(key.partition(" ")[2])


def _between(window: Window, first: datetime, last: datetime) -> Iterator[Occurrence]:
    """The occurrences that begin from `first` to `last`, and some that begin up to a day and an
    hour earlier or later: wall times jump when the clocks change. Callers compare in UTC.

    Durations are by the clocks of the window's time zone: `62h` from Friday 18:00 always ends on
    Monday 08:00, also when daylight saving time begins or ends in between.
    """
    zone = ZoneInfo(window.timezone)
    rule = read_rule(window.every, window.start, window.timezone)
    wall, until = (at.astimezone(zone).replace(tzinfo=None) for at in (first - _DAY, last + _DAY))
    for start in rule.between(wall, until, inc=True):
        yield _occurrence(window, start, zone)


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
