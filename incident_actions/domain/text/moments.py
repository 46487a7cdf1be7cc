"""Read the moment that a person means: `14:02 CET`, `2:02 pm`, `yesterday 22:00`, `2h 15m ago`.

One grammar serves commands, forms and freezes. It is strict: every word must have one meaning. A
text that has none, or more than one, is refused with the reason and with what to type instead, and
never read as the likelier one. Times without a zone are UTC; the results are always UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from incident_actions.domain.text.names import as_code
from incident_actions.domain.text.words import pattern, table
from incident_actions.domain.text.zones import DateOrder as DateOrder
from incident_actions.domain.text.zones import Unreadable as Unreadable
from incident_actions.domain.text.zones import zone_at, zone_named

OLDEST = timedelta(days=30)
"""How long ago something may have been without a question."""
_HALF_A_YEAR = timedelta(days=183)
_EARLIEST, _LATEST = 2000, 2999
"""The years that are read. At the ends of the calendar, adding days would fail."""


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_GAP = re.compile(r"(?:[\s,;]*(?:@|at\b)\s*(?=[0-9])|[\s,;]*(?:on\s+)?)", re.IGNORECASE)
_NUMBERS = table("numbers")
_NOW = re.compile(r"(?:just\s|right\s)?now[\s.!]*", re.IGNORECASE)
_AGO = pattern("ago", of="moment")
_ONE_PART = pattern("one_part", of="moment")
_AGES = 20 * 365 * 86_400
"""So many seconds ago nothing happened that matters; more would leave the calendar."""
_SECONDS = {"w": 7 * 86_400, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PREFIX = pattern("prefix", of="time")
_HEDGE = pattern("hedge", of="time")
_OPENED = re.compile(r"[(\[\"'`*_]{1,3}(?=[0-9])")
_CLOSED = re.compile(r"[)\]\"'`*_]{1,3}(?=[\s.,;:]|$)")
_GLUED = re.compile(r"[\w%]|[:.+-][0-9]")
_SECOND_TIME = pattern("second", of="time")
_VAGUE = pattern("vague", of="time")
"""Words behind a time that say whose it is, in a way that names no zone."""
_CHANGED = pattern("changed", of="time")
"""Words behind a time that make it another one."""
_LIKE_A_CLOCK = pattern("clock_like", of="time")
_LIKE_A_MOMENT = pattern("moment_like", of="time")
_WORD = re.compile(r"\s+(?!(?:UTC|GMT|Z|[A-Z]{2,4}T)\b)\w")
_LONGEST = 120
"""Longer texts are no moments."""


@dataclass
class _Reading:
    """What a text says of a moment.

    `days` are the dates (year or None, month, day) that were typed, as `typed`; two when the order
    is not clear: the one that begins with the day, then the other. `back` is how many days before
    today; `weekday` counts from Monday. `implied` is the order of dates that goes with the zone.
    `certain`: the date began with a year. `taken` are the parts that were read, up to `end`.
    """

    said_at: datetime
    order: DateOrder | None
    whole: bool
    days: tuple[tuple[int | None, int, int], ...] = ()
    typed: str = ""
    back: int | None = None
    weekday: int | None = None
    clock: time | None = None
    zone: tzinfo | None = None
    implied: DateOrder | None = None
    ago: timedelta | None = None
    certain: bool = False
    taken: set[str] = field(default_factory=set)
    end: int = 0

    @property
    def full(self) -> bool:
        """Whether date, time and zone were typed in a way that leaves no doubt."""
        return self.certain and self.clock is not None and self.zone is not None


_NARROW = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x2236: ":", 0x3000: " "}
"""Wide letters, digits and marks, as keyboards for Chinese and Japanese type them."""


def narrow(text: str) -> str:
    """The text with wide digits and marks made plain; its length stays the same."""
    return text if text.isascii() else text.translate(_NARROW)


def take_moment(
    text: str, said_at: datetime, order: DateOrder | None = None
) -> tuple[datetime, str] | None:
    """The moment at the start of a text, and the text after it; None when no moment begins there.

    `said_at` is when the text was written: the moment is the last such one before it. `order` is
    the team's order of dates. A moment older than `OLDEST` must be typed as a date with year and
    zone. Raises `Unreadable` where a moment begins that can't be read with certainty.
    """
    reading = _read(narrow(text[:_LONGEST]), said_at, order)
    if reading is None:
        return None
    _check_rest(narrow(text[reading.end :][:_LONGEST]))
    at = _past(reading)
    if said_at - at > OLDEST and not reading.full:
        raise _too_old(at)
    return at, text[reading.end :].lstrip(" \t,;:.")


def read_past_moment(text: str, said_at: datetime, order: DateOrder | None = None) -> datetime:
    """The moment that a whole text means: the last such one before `said_at`.

    Raises `Unreadable` for every other text, for a moment after `said_at`, and for one that is
    older than `OLDEST`.
    """
    at = _past(_whole(text, said_at, order))
    if said_at - at > OLDEST:
        raise _too_old(at)
    return at


def read_coming_moment(text: str, said_at: datetime, order: DateOrder | None = None) -> datetime:
    """The moment that a whole text means, such as an end: the next such one after `said_at`.

    A full date may lie in the past all the same. Raises `Unreadable` for every other text.
    """
    return _resolved(_whole(text, said_at, order), coming=True)


def looks_like_moment(text: str, *, strictly: bool = False) -> bool:
    """Whether a text begins like a moment, even if none can be read: `3 o'clock`, `noon`.

    With `strictly`, a number alone, as in `2 of 3 regions`, is none.
    """
    return (_LIKE_A_CLOCK if strictly else _LIKE_A_MOMENT).match(text[:_LONGEST]) is not None


def _whole(text: str, said_at: datetime, order: DateOrder | None) -> _Reading:
    """The reading of a text that is a moment and nothing else."""
    flat = " ".join(narrow(text).split())
    if len(flat) > _LONGEST:
        raise Unreadable("that is too long for a time")
    reading = _read(flat, said_at, order, whole=True)
    if reading is None:
        raise Unreadable(f"`{as_code(flat)}` can't be read as a time")
    if not _HEDGE.fullmatch(flat, reading.end):
        _check_rest(flat[reading.end :])
        raise Unreadable(f"`{as_code(flat)}` can't be read as one time")
    return reading


def _too_old(at: datetime) -> Unreadable:
    return Unreadable(
        f"that would be {at:%Y-%m-%d %H:%M} UTC, more than {OLDEST.days} days ago",
        f"{at:%Y-%m-%dT%H:%MZ}",
    )


def _check_rest(rest: str) -> None:
    """Raise `Unreadable` when the text after a moment shows that it means another one."""
    if _GLUED.match(rest):
        raise Unreadable("the time goes on in a way that can't be read")
    if _SECOND_TIME.match(rest):
        raise Unreadable("there are two times; one is needed")
    if _CHANGED.match(rest):
        raise Unreadable("what stands behind the time makes it another one; one time is needed")
    if _VAGUE.match(rest):
        raise Unreadable(
            "whose time that is can't be known; a zone such as `UTC`, `CET` or `+01:00` is needed",
            "14:02 UTC",
        )


def _read(
    text: str, said_at: datetime, order: DateOrder | None, *, whole: bool = False
) -> _Reading | None:
    """What a text says of a moment, from its start on; None when no moment begins there.

    With `whole`, the text is nothing else, so zones count in lower case, too.
    """
    reading = _Reading(said_at, order, whole)
    position = 0
    for _ in range(3):
        intro = _PREFIX.match(text, position)
        position = intro.end() if intro else position
    opened = _OPENED.match(text, position)
    position = opened.end() if opened else position
    if whole and _NOW.fullmatch(text, position):
        reading.ago, reading.end = timedelta(), len(text)
        return reading
    ago = _AGO.match(text, position)
    if ago:
        reading.ago, reading.end = _length(ago["length"]), ago.end()
        return reading
    for _ in range(6):
        gap = _GAP.match(text, position) if reading.taken else None
        taken = _next_token(text, gap.end() if gap else position, reading)
        if taken is None:
            break
        position = reading.end = taken
    closed = _CLOSED.match(text, reading.end) if opened else None
    reading.end = closed.end() if closed else reading.end
    return reading if reading.taken else None


def _next_token(text: str, position: int, reading: _Reading) -> int | None:
    """Read the next part of a moment into `reading`: where it ends, or None when there is none."""
    for name, (slot, take) in _TAKERS.items():
        if slot in reading.taken or (slot in ("zone", "year") and "clock" not in reading.taken):
            continue
        match = _TOKENS[name].match(text, position)
        if match and take(reading, match):
            reading.taken.add(slot)
            return match.end()
    return None


def _take_date(reading: _Reading, match: re.Match[str]) -> bool:
    """A date with a year, or by the name of its month."""
    named = match["month"][:3].casefold()
    month = _MONTHS.index(named) + 1 if named in _MONTHS else int(match["month"])
    year = match["year"]
    reading.days = ((int(year) if year else None, month, int(match["day"])),)
    reading.typed = match[0]
    if not _existing(reading.days[0], reading.said_at.date()):
        raise _no_date(reading)
    return True


def _take_iso(reading: _Reading, match: re.Match[str]) -> bool:
    """A date that begins with the year, which leaves no doubt."""
    reading.certain = True
    return _take_date(reading, match)


def _take_dots(reading: _Reading, match: re.Match[str]) -> bool:
    """A date such as `03.11.`: dots mean that the day comes first."""
    reading.days = ((None, int(match["month"]), int(match["day"])),)
    reading.typed = match[0]
    return True


def _take_numbers(reading: _Reading, match: re.Match[str]) -> bool:
    """A date of three numbers. With dots the day comes first, else both orders are possible."""
    year = int(match["year"]) + (2000 if len(match["year"]) == 2 else 0)
    first, second = int(match["first"]), int(match["second"])
    day_first, month_first = (year, second, first), (year, first, second)
    reading.days = (day_first,) if match["sep"] == "." else (day_first, month_first)
    reading.typed = match[0]
    return True


def _take_day(reading: _Reading, match: re.Match[str]) -> bool:
    """`today` or `yesterday`."""
    reading.back = 0 if match["word"].casefold() == "today" else 1
    return True


def _take_weekday(reading: _Reading, match: re.Match[str]) -> bool:
    """A day of the week."""
    reading.weekday = _WEEKDAYS.index(match["word"][:3].casefold())
    return True


def _take_clock(reading: _Reading, match: re.Match[str]) -> bool:
    """A time of day. Raises `Unreadable` for one that does not exist."""
    given = match.groupdict()
    hour, half = int(given["hour"]), (given.get("half") or "").casefold()
    minute, second = int(given.get("minute") or 0), int(given.get("second") or 0)
    if half and not 1 <= hour <= 12:
        raise Unreadable(f"`{as_code(match[0])}` is no time of day", "2:02 pm")
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    if hour > 23 or minute > 59 or second > 59:
        raise Unreadable(f"`{as_code(match[0].strip())}` is no time of day")
    reading.clock = time(hour, minute, second)
    return True


def _take_digits(reading: _Reading, match: re.Match[str]) -> bool:
    """Four digits such as `1402`. Raises `Unreadable` for those that may be a year."""
    if 19 <= int(match["hour"]) <= 21 and match[0].isdigit() and not reading.days:
        digits = match[0]
        raise Unreadable(f"`{digits}` may be a year", f"{digits[:2]}:{digits[2:]}")
    if not reading.whole and _WORD.match(match.string, match.end()):
        raise Unreadable(f"`{as_code(match[0])}` may be a number or a time")
    return _take_clock(reading, match)


def _take_offset(reading: _Reading, match: re.Match[str]) -> bool:
    """An offset from UTC. Raises `Unreadable` for one that no place has."""
    sign = -1 if match["sign"] != "+" else 1
    spaced = match.string[match.start() - 1] == " " and match[0][0] in "+-"
    if spaced and len(match[0]) < 4 and _WORD.match(match.string, match.end()):
        raise Unreadable(f"`{as_code(match[0])}` may be a zone or not", "14:02 UTC")
    hours, minutes = int(match["hours"]), int(match["minutes"] or 0)
    reading.zone = zone_at(match[0], sign * hours, sign * minutes)
    return True


def _take_zone(reading: _Reading, match: re.Match[str]) -> bool:
    """A zone's name. Raises `Unreadable` for one that is unknown, or means several zones."""
    found = zone_named(match["name"], in_text=not reading.whole)
    if found is None:
        return False
    reading.zone, reading.implied = found
    return True


def _take_year(reading: _Reading, match: re.Match[str]) -> bool:
    """A year behind the time, of a date that had none: `Nov 23 14:02:11 2026`."""
    if len(reading.days) != 1 or reading.days[0][0] is not None:
        return False
    if not reading.whole and _WORD.match(match.string, match.end()):
        raise Unreadable(f"`{match[0]}` may be a year or not", "2026-11-23 14:02")
    _, month, day = reading.days[0]
    reading.days = ((int(match["year"]), month, day),)
    return True


_TAKERS: dict[str, tuple[str, Callable[[_Reading, re.Match[str]], bool]]] = {
    "iso": ("date", _take_iso),
    "compact": ("date", _take_iso),
    "numbers": ("date", _take_numbers),
    "dots": ("date", _take_dots),
    "month_day": ("date", _take_date),
    "day_month": ("date", _take_date),
    "day": ("date", _take_day),
    "weekday": ("weekday", _take_weekday),
    "clock": ("clock", _take_clock),
    "half": ("clock", _take_clock),
    "digits": ("clock", _take_digits),
    "offset": ("zone", _take_offset),
    "zone": ("zone", _take_zone),
    "year": ("year", _take_year),
}
"""The parts of a moment: the pattern's name -> what it gives, of which there is one, and how."""
_TOKENS = {name: pattern(name, of="moment") for name in _TAKERS}


def _length(text: str) -> timedelta:
    """The length of a matched `2h 15m`. Raises `Unreadable` for parts out of order."""
    short = re.fullmatch(r"([0-9]{1,3})h([0-5][0-9])", text, re.IGNORECASE)
    if short:
        return timedelta(hours=int(short[1]), minutes=int(short[2]))
    total, units = 0.0, []
    for part in _ONE_PART.finditer(text):
        amount = part["amount"].strip().casefold()
        number = float(amount) if amount[0].isdigit() else _NUMBERS[" ".join(amount.split())]
        units.append(part["unit"][0].casefold())
        total += number * _SECONDS[units[-1]]
    if sorted(set(units), key="wdhms".index) != units:
        raise Unreadable(f"`{as_code(text)}` can't be read as a length of time", "14:02")
    if total > _AGES:
        raise Unreadable("that is too long ago")
    return timedelta(seconds=total)


def _past(reading: _Reading) -> datetime:
    """The moment of a reading. Raises `Unreadable` when it lies after the text was written."""
    at = _resolved(reading, coming=False)
    if at > reading.said_at:
        raise Unreadable(
            f"that would be {at:%Y-%m-%d %H:%M} UTC, which is in the future; times without a zone"
            " are in UTC"
        )
    return at


def _resolved(reading: _Reading, *, coming: bool) -> datetime:
    """The moment of a reading in UTC.

    Where a part of the date is missing, it is the last such moment before the text was written; the
    next one if it is `coming`. Raises `Unreadable`.
    """
    if reading.ago is not None:
        return reading.said_at.astimezone(UTC) - reading.ago
    if reading.clock is None:
        raise Unreadable("the time of day is missing", "2026-11-23 14:02")
    zone = reading.zone or UTC
    today = reading.said_at.astimezone(zone).date()
    days = _dates(reading, today)
    moments = [_in_utc(day, reading.clock, zone) for day in days]
    if len(moments) == 1:
        return moments[0]
    if coming:
        return min((at for at in moments if at > reading.said_at), default=moments[-1])
    return max((at for at in moments if at <= reading.said_at), default=moments[0])


def _dates(reading: _Reading, today: date) -> list[date]:
    """The days that a reading may mean: one, or those around `today` that it does not tell apart.

    Raises `Unreadable` for a date that does not exist, or that has two meanings.
    """
    if reading.back is not None:
        return [today - timedelta(days=reading.back)]
    if not reading.days:
        near = [today + timedelta(days=n) for n in range(-7, 8)]
        if reading.weekday is None:
            return near[6:9]
        return [day for day in near if day.weekday() == reading.weekday]
    days = [found for wanted in _in_order(reading) for found in _existing(wanted, today)]
    if not days:
        raise _no_date(reading)
    if reading.weekday is None:
        return days
    fitting = [day for day in days if day.weekday() == reading.weekday]
    this = next((day for day in days if day.year == today.year), days[0])
    if not any(abs(day - today) < _HALF_A_YEAR for day in fitting) and (
        len(days) > 1 or not fitting
    ):
        raise Unreadable(f"{this:%Y-%m-%d} is a {this:%A}", f"{this:%Y-%m-%d} 14:02")
    return fitting


def _no_date(reading: _Reading) -> Unreadable:
    return Unreadable(f"`{as_code(reading.typed)}` is no date and time", "2026-11-23T14:02Z")


def _in_order(reading: _Reading) -> tuple[tuple[int | None, int, int], ...]:
    """The dates (year, month, day) that were typed, in the order that the team or the zone has.

    Raises `Unreadable` when there are two and nothing says which.
    """
    possible = tuple(
        dict.fromkeys(wanted for wanted in reading.days if _existing(wanted, date(2026, 1, 1)))
    )
    if len(possible) < 2:
        return possible
    orders = {reading.order, reading.implied} - {None}
    if len(orders) == 1:
        return (possible[0] if DateOrder.DAY_FIRST in orders else possible[1],)
    one, other = (f"{year}-{month:02}-{day:02}" for year, month, day in possible)
    raise Unreadable(f"`{as_code(reading.typed)}` may be {one} or {other}", f"{one} 14:02")


def _existing(wanted: tuple[int | None, int, int], today: date) -> list[date]:
    """The day or days of a date; without a year, those of the last, this and the next one."""
    year, month, day = wanted
    years = (today.year - 1, today.year, today.year + 1) if year is None else (year,)
    days = []
    for each in years:
        try:
            days.append(date(each, month, day))
        except ValueError:
            continue
    return [day for day in days if _EARLIEST <= day.year <= _LATEST]


def _in_utc(day: date, clock: time, zone: tzinfo) -> datetime:
    """A wall time in UTC. Raises `Unreadable` for one that the clocks skip or show twice."""
    local = datetime.combine(day, clock, zone)
    if local.utcoffset() != local.replace(fold=1).utcoffset():
        raise Unreadable(
            f"{local:%Y-%m-%d %H:%M} does not happen just once there: the clocks change",
            "14:02 UTC",
        )
    return local.astimezone(UTC)
