"""Read recurrence rules (RRULE of RFC 5545), as settings have them: `FREQ=WEEKLY;BYDAY=FR`.

https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from dateutil.rrule import rrule, rrulestr

from incident_actions.domain.text.times import read_wall_time
from incident_actions.domain.text.words import table

_PARTS = frozenset(table("recurrence")["parts"])
_UNTIL = re.compile(r"(UNTIL=)([0-9]{8}T[0-9]{6})Z", re.IGNORECASE)
_STAMP = "%Y%m%dT%H%M%S"


def read_rule(text: str, start: datetime, timezone: str) -> rrule:
    """The rule that begins at `start`, a time without a zone by the clocks in `timezone`.

    An `UNTIL` with a `Z` is in UTC, as the standard wants it, and one without by the same clocks.
    Raises `ValueError` for a text that is no rule, one of more than once a day, and one that never
    comes, and `KeyError` for an unknown time zone.
    """
    zone = ZoneInfo(timezone)

    def on_the_wall(match: re.Match[str]) -> str:
        until = datetime.strptime(match[2], _STAMP).replace(tzinfo=UTC)
        return f"{match[1]}{until.astimezone(zone):{_STAMP}}"

    wanted = f"`{' '.join(text.split())[:100]}` is no rule like FREQ=WEEKLY;BYDAY=MO"
    parts = _parts(text, wanted)
    plain = ";".join(f"{name}={value}" for name, value in parts.items())
    try:
        rule = rrulestr(_UNTIL.sub(on_the_wall, plain), dtstart=start)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError) as error:
        raise ValueError(f"{wanted}: {str(error)[:100]}") from None
    if not isinstance(rule, rrule):
        raise ValueError(wanted)
    return rule


def _parts(text: str, wanted: str) -> dict[str, str]:
    """The parts of a rule by their names. Raises `ValueError`; its message begins with `wanted`."""
    plain = "".join(text.upper().split()).removeprefix("RRULE:").strip(";")
    if plain.startswith("DTSTART"):
        raise ValueError(f"{wanted}: when it begins stands in `start`")
    parts: dict[str, str] = {}
    for part in plain.split(";"):
        name, equals, value = part.partition("=")
        if name not in _PARTS or not equals or not value:
            raise ValueError(f"{wanted}: `{part[:40]}` is no part of one")
        if name in parts:
            raise ValueError(f"{wanted}: `{name}` is there twice")
        parts[name] = value
    for name in ("INTERVAL", "COUNT"):
        if not re.fullmatch(r"0*[1-9][0-9]{0,5}", parts.get(name, "1")):
            raise ValueError(f"{wanted}: `{name}` must be a number from 1 on")
    if not re.fullmatch(r"[0-9]{8}(?:T[0-9]{6}Z?)?", parts.get("UNTIL", "20261224")):
        raise ValueError(f"{wanted}: `UNTIL` is a time like 20261224T180000Z, or a day")
    if "UNTIL" in parts and "COUNT" in parts:
        raise ValueError(f"{wanted}: it has `UNTIL` or `COUNT`, not both")
    often = re.fullmatch(r"(SECOND|MINUTE|HOUR)LY", parts.get("FREQ", ""))
    if often or any("," in parts.get(f"BY{unit}", "") for unit in ("HOUR", "MINUTE", "SECOND")):
        raise ValueError(f"`{' '.join(text.split())[:100]}` comes more often than once a day")
    numbers = re.compile(r"[+-]?[0-9]{1,2}(?:,[+-]?[0-9]{1,2})*")
    for name in ("BYMONTH", "BYMONTHDAY"):
        if not numbers.fullmatch(parts.get(name, "1")):
            raise ValueError(f"{wanted}: `{name}` holds numbers")
    if not _ever_comes(parts):
        raise ValueError(f"{wanted}: there is no such day")
    return parts


def _ever_comes(parts: Mapping[str, str]) -> bool:
    """Whether one of the months of a rule has one of its days.

    A rule that never comes is followed to the year 9999, which takes half a minute.
    """
    months = {int(month) for month in parts.get("BYMONTH", "1").split(",")}
    days = {abs(int(day)) for day in parts.get("BYMONTHDAY", "1").split(",")}
    return any(1 <= month <= 12 and min(days) <= monthrange(2000, month)[1] for month in months)


def check_rule(text: str) -> None:
    """Raise `ValueError` for what is no rule, comes more than once a day, or never."""
    read_rule(text, read_wall_time("2026-01-05T09:00"), "UTC")
