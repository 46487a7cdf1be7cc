"""Read durations, and the times of settings. What people type in a hurry: see `moments`.

Commands, forms, freeze windows and the configuration share one grammar of durations: `30m`, `2h`,
`1h30m`, `90 min`, `1h30`, `1.5h`, `2d 4h`. A wall time is a date and time without a time zone.
"""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from incident_actions.domain.text.words import pattern
from incident_actions.gate_readers import parse_time as parse_time  # the strict reader of ISO 8601

_AT_START = pattern("at_start", of="duration")
_LIKE_A_DURATION = pattern("like", of="duration")


def take_duration(text: str) -> tuple[timedelta, str] | None:
    """The duration at the start of a text, and the text after it; None when there is no duration.

    The duration may be zero. At most 999 days, 9,999 hours and 99,999 minutes are understood.
    """
    match = _AT_START.match(text)
    length = _length(match)
    return None if match is None or length is None else (length, text[match.end() :].lstrip())


def read_duration(text: str) -> timedelta:
    """A text that is a duration and nothing else.

    Raises `ValueError` for any other text; its message says what to type instead.
    """
    taken = take_duration(" ".join(text.split()))
    if taken is None or taken[1] or text.rstrip().endswith((",", ";", ":", ".")):
        raise ValueError(f"`{text[:60]}` is no duration like 30m, 2h or 1d 12h")
    return taken[0]


def read_duration_or_off(text: str) -> timedelta | None:
    """A setting's text that is a duration, or `off`, for which the result is None.

    Raises `ValueError` for any other text; its message says what to type instead.
    """
    if text.casefold() == "off":
        return None
    try:
        return read_duration(text)
    except ValueError:
        raise ValueError("must be a time like `30m`, `2h`, `1d12h`, or `off`") from None


def looks_like_duration(text: str) -> bool:
    """Whether a text begins with what looks like a duration, even if it is not read: `2 weeks`."""
    return _LIKE_A_DURATION.match(text) is not None


def _length(match: re.Match[str] | None) -> timedelta | None:
    """The length of a matched `_DURATION`; None when nothing or only an empty text matched."""
    if match is None or not any(match.groups()):
        return None
    days, hours, after_h, minutes = (float(amount or 0) for amount in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes + after_h)


def read_wall_time(text: str) -> datetime:
    """A date and time without a time zone: `2026-01-05T09:00`.

    Raises `ValueError` for anything else, also for a time with a zone, and for a year before 2000
    or after 2999: a rule that began with the calendar would take long to follow.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None or not 2000 <= at.year < 3000:
        raise ValueError(f"`{text}` is no time like 2026-01-05T09:00")
    return at


def read_date(text: str) -> date:
    """A date like `2026-12-01`, of the years 2000 to 2999: near the ends of the calendar, adding a
    day fails. Raises `ValueError` for any other text.
    """
    if not re.fullmatch(r"2[0-9]{3}-[0-9]{2}-[0-9]{2}", text):
        raise ValueError(f"`{text[:60]}` is no date like 2026-12-01")
    return date.fromisoformat(text)


def read_time_of_day(text: str) -> time:
    """A time of day like `07:00`, in 24 hours. Raises `ValueError` for anything else."""
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise ValueError("must be a time of day like `07:00`")
    return time.fromisoformat(text)


def read_zone(name: str) -> ZoneInfo:
    """The time zone with a name like `Europe/Berlin`. Raises `ValueError` when there is none."""
    try:
        if len(name) > 64:  # a path of thousands of folders would exhaust the recursion of zoneinfo
            raise ValueError(name)
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"`{name[:64]}` is no time zone like Europe/Berlin") from None
