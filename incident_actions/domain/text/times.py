"""Read durations, times and dates as people type them.

Commands, forms, freeze windows and the configuration share one grammar of durations: `30m`, `2h`,
`1h30m`, `90 min`, `1h30`, `1.5h`, `2d 4h`. A wall time is a date and time without a time zone.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from dateutil import parser as dates

from incident_actions.gate_readers import parse_time as parse_time  # the strict reader of ISO 8601

_AMOUNT = r"(?P<{}>[0-9]{{1,{}}}(?:\.[0-9]{{1,2}})?)\s?"
_DURATION = (
    rf"(?:{_AMOUNT.format('days', 3)}d(?:ays?)?)?\s?"
    rf"(?:{_AMOUNT.format('hours', 4)}h(?:ours?|rs?|(?P<after_h>[0-5][0-9]))?)?\s?"
    rf"(?:{_AMOUNT.format('minutes', 5)}m(?:in(?:ute)?s?)?)?"
)
_AT_START = re.compile(rf"{_DURATION}(?=[\s,;:.]|$)[,;:.]?", re.IGNORECASE)
_AGO = re.compile(rf"(?<![0-9.]){_DURATION}\s+ago\b", re.IGNORECASE)
_LIKE_A_DURATION = re.compile(
    r"[\d.,:]*\d(?:[dhmswy](?![a-z])"
    r"|\s?(?:sec(?:ond)?|min(?:ute)?|h(?:ou)?r|day|week|month|year)s?\b)",
    re.IGNORECASE,
)


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


def duration_ago(text: str) -> timedelta | None:
    """The 20 minutes in `about 20 min ago`; None when a text has no such words."""
    return _length(_AGO.search(text))


def looks_like_duration(text: str) -> bool:
    """Whether a text begins with what looks like a duration, even if it is not read: `2 weeks`."""
    return _LIKE_A_DURATION.match(text) is not None


def _length(match: re.Match[str] | None) -> timedelta | None:
    """The length of a matched `_DURATION`; None when nothing or only an empty text matched."""
    if match is None or not any(match.groups()):
        return None
    days, hours, after_h, minutes = (float(amount or 0) for amount in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes + after_h)


_AT = re.compile(
    r"at\s+(?:(?P<iso>\d{4}-\d\d-\d\d[T ]\d{1,2}:\d\d(?::\d\d)?\s?(?:Z|UTC|[+-]\d\d:?\d\d)?)"
    r"|(?P<hour>\d{1,2}):(?P<minute>\d\d)\s?(?:Z|UTC)?)(?=[\s,;:.]|$)[,;:]?",
    re.IGNORECASE,
)


def take_at(text: str, typed_at: datetime) -> tuple[str, datetime | None]:
    """Split off a leading `at 14:02` or `at 2026-11-23T14:02Z`: (the text after it, the time).

    The time is None when the text does not begin so. Times without a zone are UTC. A time without a
    date is the last such time before `typed_at`. Raises `ValueError` for a time that does not exist
    or lies after `typed_at`; its two arguments say what is wrong, and what to type instead.
    """
    match = _AT.match(text)
    if match is None:
        return text, None
    if match["iso"]:
        full = re.sub(r"([T ])(\d):", r"\g<1>0\2:", match["iso"])  # `8:00` -> `08:00`
        at = parse_time(re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", full))
        if at is None:
            raise ValueError(f"`{match['iso']}` is no date and time", "at 2026-11-23T14:02Z")
    else:
        hour, minute = int(match["hour"]), int(match["minute"])
        if hour > 23 or minute > 59:
            raise ValueError(f"`{hour}:{minute:02}` is no time of day", "at 14:02")
        at = typed_at.astimezone(UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
        if at > typed_at:
            at -= timedelta(days=1)
    if at > typed_at:
        raise ValueError("that time is in the future; times are in UTC", "at 14:02")
    return text[match.end() :].lstrip(), at


def read_past_time(answer: str, declared: datetime) -> datetime | None:
    """When something happened, by a form's answer; None when that can't be read.

    Understood are `14:02`, `2026-11-23 14:02` (UTC) and `20 min ago`. `declared` is when the form
    was sent: the result is never later.
    """
    text = answer.strip()[:60]
    if not text:
        return None
    ago = duration_ago(text)
    if ago is not None:
        return declared - ago
    try:
        midnight = declared.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
        at = dates.parse(text, default=midnight)
    except (ValueError, OverflowError):
        return None
    at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    if at > declared and re.match(r"\d{1,2}:\d\d", text):
        at -= timedelta(days=1)
    return at if at <= declared else None


def read_wall_time(text: str) -> datetime:
    """A date and time without a time zone: `2026-01-05T09:00`.

    Raises `ValueError` for anything else, also for a time with a zone.
    """
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is not None:
        raise ValueError(f"`{text}` is no time like 2026-01-05T09:00")
    return at


def read_time_of_day(text: str) -> time:
    """A time of day like `07:00`, in 24 hours. Raises `ValueError` for anything else."""
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise ValueError("must be a time of day like `07:00`")
    return time.fromisoformat(text)


def read_zone(name: str) -> ZoneInfo:
    """The time zone with a name like `Europe/Berlin`. Raises `ValueError` when there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"`{name}` is no time zone like Europe/Berlin") from None
