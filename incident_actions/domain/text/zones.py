"""Time zones by the names and offsets that people type: `CET`, `+01:00`, `Europe/Berlin`."""

from __future__ import annotations

import re
from datetime import timedelta, timezone, tzinfo
from enum import StrEnum

from incident_actions.domain.text.names import as_code
from incident_actions.domain.text.times import read_zone
from incident_actions.domain.text.words import pattern, table


class DateOrder(StrEnum):
    """Whether `03/11/2026` begins with the day or with the month."""

    DAY_FIRST = "day-first"
    MONTH_FIRST = "month-first"


class Unreadable(ValueError):
    """Raised for a text that is no single moment.

    `reason` says why, `at` is a time that would be right instead: `14:02`, `2026-11-23T14:02Z`.
    """

    def __init__(self, reason: str, at: str = "14:02") -> None:
        super().__init__(reason)
        self.reason = reason
        self.at = at


def _hours(amount: float) -> tzinfo:
    return timezone(timedelta(hours=amount))


_TABLE = table("zones")
_ORDERED = {"day_first": DateOrder.DAY_FIRST, "month_first": DateOrder.MONTH_FIRST, "neither": None}
_ZONES = {n: (_hours(h), order) for key, order in _ORDERED.items() for n, h in _TABLE[key].items()}
"""The zones with one meaning in the world, or one that everybody expects."""
_SEVERAL = frozenset(_TABLE["several"])
"""Abbreviations that mean several zones."""
_LOWER_CASE = frozenset(_TABLE["lower_case"])
"""Those that count in lower case, too; others would be words, such as `cat` and `art`."""
_OFFSETS = frozenset([*range(-720, 841, 60), *_TABLE["odd_offsets"]])
"""The offsets from UTC that exist, in minutes. Others are the end of a range, or a slip."""
_US = pattern("us", of="zones")
_AREA = pattern("area", of="zones")
_MIXED = ("America/", "Asia/", "Pacific/", "Us/", "Etc/")
"""Areas whose countries write dates in different orders."""


def zone_at(typed: str, hours: int, minutes: int) -> tzinfo:
    """The zone so many hours and minutes from UTC, both negative to the west of it.

    Raises `Unreadable` for an offset that no place has; `typed` is it as typed.
    """
    total = 60 * hours + minutes
    if total not in _OFFSETS or abs(minutes) > 59:
        raise Unreadable(f"`{as_code(typed)}` is no time zone", "14:02 +01:00")
    return timezone(timedelta(minutes=total))


def zone_named(name: str, *, in_text: bool) -> tuple[tzinfo, DateOrder | None] | None:
    """The zone with a name, and the order of dates that goes with it; None for another word.

    `in_text`: words of a text may follow, so that fewer names in lower case count. Raises
    `Unreadable` for a name that is unknown, or means several zones.
    """
    if "/" in name:
        return _in_area(name) if _AREA.match(name) else None
    upper = name.upper()
    plain = name.isupper() or name.casefold() in _LOWER_CASE
    if in_text and not plain:
        return None
    if upper in _SEVERAL:
        raise Unreadable(f"`{name}` is the name of several time zones", "14:02 +01:00")
    if upper in _ZONES:
        return _ZONES[upper]
    if re.fullmatch(r"[A-Z]{1,4}T|UCT", name):
        raise Unreadable(f"`{name}` is no time zone that is known", "14:02 +01:00")
    return None


def _in_area(name: str) -> tuple[tzinfo, DateOrder | None]:
    """As `zone_named`, for a name with a slash, in any case of its letters."""
    try:
        zone = read_zone(name)
    except ValueError as error:
        try:
            zone = read_zone(name.title())
        except ValueError:
            raise Unreadable(str(error), "14:02 Europe/Berlin") from None
    if _US.match(name.title()):
        return zone, DateOrder.MONTH_FIRST
    return zone, None if name.title().startswith(_MIXED) else DateOrder.DAY_FIRST
