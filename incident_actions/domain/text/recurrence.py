"""Read recurrence rules (RRULE of RFC 5545), as settings have them: `FREQ=WEEKLY;BYDAY=FR`.

https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from incident_actions.domain.text.times import read_wall_time

_PARTS = frozenset({
    "FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYDAY", "BYMONTH", "BYMONTHDAY", "BYYEARDAY",
    "BYWEEKNO", "BYSETPOS", "BYHOUR", "BYMINUTE", "BYSECOND", "BYEASTER", "BYWEEKDAY",
})  # fmt: skip
_UNTIL = re.compile(r"(UNTIL=)([0-9]{8}T[0-9]{6})Z", re.IGNORECASE)
_STAMP = "%Y%m%dT%H%M%S"


def read_rule(text: str, start: datetime, timezone: str) -> rrule:
    """The rule that begins at `start`, a time without a zone by the clocks in `timezone`.

    An `UNTIL` with a `Z` is in UTC, as the standard wants it, and one without by the same clocks.
    Raises `ValueError` for a text that is no rule, or one of more than once a day, and `KeyError`
    for an unknown time zone.
    """
    zone = ZoneInfo(timezone)

    def on_the_wall(match: re.Match[str]) -> str:
        until = datetime.strptime(match[2], _STAMP).replace(tzinfo=UTC)
        return f"{match[1]}{until.astimezone(zone):{_STAMP}}"

    wanted = f"`{text[:100]}` is no rule like FREQ=WEEKLY;BYDAY=MO"
    plain = text.strip().upper().removeprefix("RRULE:")
    for part in plain.split(";"):
        name, equals, value = part.partition("=")
        if name not in _PARTS or not equals or not value:
            raise ValueError(f"{wanted}: `{part[:40]}` is no part of one")
    if re.search(r"INTERVAL=[+-]?0+(?:;|$)", plain):
        raise ValueError(f"{wanted}: `INTERVAL` must be 1 or more")
    if re.search(r"FREQ=(SECOND|MINUTE|HOUR)LY|BY(HOUR|MINUTE|SECOND)=[^;]*,", plain):
        raise ValueError(f"`{text[:100]}` comes more often than once a day")
    try:
        rule = rrulestr(_UNTIL.sub(on_the_wall, plain), dtstart=start)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError(f"{wanted}: {str(error)[:100]}") from None
    if not isinstance(rule, rrule):
        raise ValueError(wanted)
    return rule


def check_rule(text: str) -> None:
    """Raise `ValueError` for a text that is no rule, or one of more than once a day."""
    read_rule(text, read_wall_time("2026-01-05T09:00"), "UTC")
