"""Read the moment that a person means: `14:02 CET`, `2:02 pm`, `yesterday 22:00`, `2h 15m ago`.

One grammar serves commands, forms and freezes. It is strict: every word must have one meaning. A
text that has none, or more than one, is refused with the reason and with what to type instead, and
never read as the likelier one. Times without a zone are UTC; the results are always UTC.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from enum import StrEnum

from incident_actions.domain.text.names import as_code
from incident_actions.domain.text.times import read_zone

OLDEST = timedelta(days=30)
"""How long ago something may have been without a question."""
_EARLIEST, _LATEST = 2000, 2999
"""The years that are read. At the ends of the calendar, adding days would fail."""


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


# One meaning in the world each, or one that everybody expects.
_EUROPE = {
    "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3,
    "TRT": 3, "SAST": 2, "CAT": 2, "EAT": 3, "WAT": 1, "PKT": 5, "NPT": 5.75, "ICT": 7, "WIB": 7,
    "SGT": 8, "HKT": 8, "AWST": 8, "ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12,
    "NZDT": 13, "BRT": -3, "ART": -3,
}  # fmt: skip
_AMERICA = {
    "EST": -5, "EDT": -4, "MDT": -6, "PST": -8, "PDT": -7, "AKST": -9, "AKDT": -8, "HST": -10,
}  # fmt: skip
_YEAR_FIRST = {"UTC": 0, "GMT": 0, "Z": 0, "JST": 9, "KST": 9}
_ZONES = {name: _hours(hours) for name, hours in {**_EUROPE, **_AMERICA, **_YEAR_FIRST}.items()}
_ORDERS = dict.fromkeys(_EUROPE, DateOrder.DAY_FIRST) | dict.fromkeys(
    _AMERICA, DateOrder.MONTH_FIRST
)
_SEVERAL = frozenset({
    "ADT", "AMT", "AST", "BST", "CDT", "CST", "ECT", "GST", "IST", "LMT", "MST", "SST", "WST",
})  # fmt: skip
"""Abbreviations that mean several zones."""
_LOWER_CASE = frozenset({"utc", "gmt", "z", "cet", "cest", "est", "edt", "pst", "pdt", "jst"})
"""Those that count in lower case, too; others would be words, such as `cat` and `art`."""
_OFFSETS = frozenset(
    [60 * hours for hours in range(-12, 15)]
    + [-570, -210, -150, 210, 270, 330, 345, 390, 525, 570, 630, 765, 825]
)
"""The offsets from UTC that exist, in minutes. Others are the end of a range, or a slip."""
_US = re.compile(
    r"US/|America/(?:New_York|Chicago|Denver|Los_Angeles|Phoenix|Detroit|Boise|Anchorage|Juneau"
    r"|Indiana/|Kentucky/|North_Dakota/)"
)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
_DAY = r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>[0-9]{4})"
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_END = r"(?![\w'’/])"

_PATTERNS = {
    "iso": r"(?P<year>[0-9]{4})(?P<sep>[-/.])(?P<month>[0-9]{1,2})(?P=sep)(?P<day>[0-9]{1,2})"
    r"(?:(?=[Tt][0-9])|(?![\w/.:-]))",
    "numbers": r"(?P<first>[0-9]{1,2})(?P<sep>[-/.])(?P<second>[0-9]{1,2})(?P=sep)"
    r"(?P<year>[0-9]{4}|[0-9]{2})(?![\w/.:-])",
    "dots": r"(?P<day>[0-9]{1,2})\.(?P<month>[0-9]{1,2})\.(?=\s|,)",
    "month_day": rf"{_MONTH}[\s-]?{_DAY}(?![\w:.])(?:[\s,-]\s?{_YEAR}(?![\w:]))?",
    "day_month": rf"{_DAY}\.?[\s-]?(?:of\s)?{_MONTH}(?!\w)(?:[\s,-]\s?{_YEAR}(?![\w:]))?",
    "day": rf"(?P<word>today|yesterday){_END}",
    "weekday": r"(?:on\s|last\s)?(?P<word>mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?"
    rf"|thu(?:rs?(?:day)?)?|fri(?:day)?|sat(?:urday)?|sun(?:day)?)\.?{_END}",
    "clock": r"[Tt]?(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})(?::(?P<second>[0-9]{2})"
    r"(?:[.,][0-9]{1,9})?)?(?![0-9:.]*[0-9])(?:\s?(?P<half>[ap])\.?m\b\.?)?(?:\s?(?:Uhr|h|hrs|hours)\b)?",
    "half": r"(?P<hour>[0-9]{1,2})\s?(?P<half>[ap])\.?m\b\.?",
    "digits": r"(?P<hour>[0-9]{2})(?P<minute>[0-9]{2})(?:\s?(?:h(?:rs|ours)?|Uhr)\b)?"
    r"(?=Z|[\s,;]|[+-][0-9]|$)",
    "zone": r"\(?(?P<name>[A-Za-z_]+/[A-Za-z_/-]+[A-Za-z]|[A-Za-z]{1,5})\)?" + _END,
    "offset": r"\(?(?:(?:UTC|GMT|Z)\s?)?(?P<sign>[+\u2212-])(?P<hours>[0-9]{1,2})"
    r"(?::?(?P<minutes>[0-9]{2}))?\)?(?![\w:.])",
}
_GAP = re.compile(r"(?:[\s,;]*(?:@|at\b)\s*(?=[0-9])|[\s,;]*(?:on\s+)?)", re.IGNORECASE)
_TOKENS = {name: re.compile(pattern, re.IGNORECASE) for name, pattern in _PATTERNS.items()}

_NUMBERS = {
    "a": 1.0, "an": 1.0, "one": 1.0, "two": 2.0, "three": 3.0, "four": 4.0, "five": 5.0,
    "six": 6.0, "seven": 7.0, "eight": 8.0, "nine": 9.0, "ten": 10.0, "twelve": 12.0,
    "fifteen": 15.0, "twenty": 20.0, "thirty": 30.0, "half a": 0.5, "half an": 0.5,
}  # fmt: skip
_NOW = re.compile(r"(?:just\s|right\s)?now[\s.!]*", re.IGNORECASE)
_AMOUNT = (
    r"(?:[0-9]{1,5}(?:\.[0-9]{1,2})?\s?|(?:half\san?|an?|one|two|three|four|five|six"
    r"|seven|eight|nine|ten|twelve|fifteen|twenty|thirty)\s)"
)
_UNIT = r"(?:w(?:ee)?ks?|w|d(?:ays?)?|h(?:(?:ou)?rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)"
_PART = rf"{_AMOUNT}{_UNIT}(?![A-Za-z])"
_AGO = re.compile(
    rf"(?P<length>{_PART}(?:(?:\s?,)?\s?(?:and\s)?{_PART}){{0,4}}|[0-9]{{1,3}}h[0-5][0-9])\sago{_END}",
    re.IGNORECASE,
)
_ONE_PART = re.compile(rf"(?P<amount>{_AMOUNT.strip()})(?P<unit>[A-Za-z]+)", re.IGNORECASE)
_AGES = 20 * 365 * 86_400
"""So many seconds ago nothing happened that matters; more would leave the calendar."""
_SECONDS = {"w": 7 * 86_400, "d": 86_400, "h": 3_600, "m": 60, "s": 1}
_PREFIX = re.compile(
    r"(?:(?:it\s)?(?:started|began)|since|from|at|@|around|about|approx(?:imately)?|roughly|ca|circa"
    r"|~|≈)(?:\b|(?<=[~≈@]))\.?\s*",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"[\s,;(.]*(?:i\s(?:think|guess|believe)|or\sso|more\sor\sless|roughly|approx(?:imately)?"
    r"|about|maybe|probably|not\ssure)?[\s).!]*$",
    re.IGNORECASE,
)
_GLUED = re.compile(r"[\w%]|[:.+-][0-9]")
_SECOND_TIME = re.compile(
    r"\s*(?:[-–—/]|to|till|until|or|and)\s*[0-9]{1,2}(?:[:.h][0-9]|\s?[ap]\.?m\b)", re.IGNORECASE
)
_VAGUE = re.compile(
    r"\s*\(?(?:(?:[A-Za-z]+\s)?time\b|local(?:ly)?\b|in\sthe\s(?:morning|afternoon|evening)\b|at\snight\b)",
    re.IGNORECASE,
)
_LIKE_A_MOMENT = re.compile(
    r"(?:(?:about|around|roughly|ca\.?|~)\s*)?(?:(?:2[0-4]|[01]?[0-9])(?:[.:/h][0-9]|\s?h\b"
    r"|\s?[ap]\.?m\b|\s?(?:o['’]clock|Uhr)\b|(?!\s?%)[\s,;:.]|$)|noon\b|midday\b|midnight\b"
    r"|half\spast\b|quarter\s(?:past|to)\b|this\s(?:morning|afternoon|evening)\b|last\snight\b"
    r"|tonight\b|tomorrow\b|yesterday\b|today\b)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\s+(?!(?:UTC|GMT|Z|[A-Z]{2,4}T)\b)\w")
_AREA = re.compile(
    r"(?:Africa|America|Antarctica|Arctic|Asia|Atlantic|Australia|Europe|Indian|Pacific|US)/",
    re.IGNORECASE,
)
_MIXED = ("America/", "Asia/", "Pacific/", "US/")
"""Areas whose countries write dates in different orders."""
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


def take_moment(
    text: str, said_at: datetime, order: DateOrder | None = None
) -> tuple[datetime, str] | None:
    """The moment at the start of a text, and the text after it; None when no moment begins there.

    `said_at` is when the text was written: the moment is the last such one before it. `order` is
    the team's order of dates. A moment older than `OLDEST` must be typed as a date with year and
    zone. Raises `Unreadable` where a moment begins that can't be read with certainty.
    """
    reading = _read(text[:_LONGEST], said_at, order)
    if reading is None:
        return None
    _check_rest(text[reading.end :])
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


def looks_like_moment(text: str) -> bool:
    """Whether a text begins like a moment, even if none can be read: `3 o'clock`, `noon`."""
    return _LIKE_A_MOMENT.match(text) is not None


def _whole(text: str, said_at: datetime, order: DateOrder | None) -> _Reading:
    """The reading of a text that is a moment and nothing else."""
    flat = " ".join(text.split())
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
    return reading if reading.taken else None


def _next_token(text: str, position: int, reading: _Reading) -> int | None:
    """Read the next part of a moment into `reading`: where it ends, or None when there is none."""
    for name, (slot, take) in _TAKERS.items():
        if slot in reading.taken or (slot == "zone" and "clock" not in reading.taken):
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
    minutes = int(match["hours"]) * 60 + int(match["minutes"] or 0)
    minutes = minutes if match["sign"] == "+" else -minutes
    spaced = match.string[match.start() - 1] == " " and match[0][0] in "+-"
    if spaced and len(match[0]) < 4 and _WORD.match(match.string, match.end()):
        raise Unreadable(f"`{as_code(match[0])}` may be a zone or not", "14:02 UTC")
    if minutes not in _OFFSETS or int(match["minutes"] or 0) > 59:
        raise Unreadable(f"`{as_code(match[0])}` is no time zone", "14:02 +01:00")
    reading.zone = timezone(timedelta(minutes=minutes))
    return True


def _take_zone(reading: _Reading, match: re.Match[str]) -> bool:
    """A zone's name. Raises `Unreadable` for one that is unknown, or means several zones."""
    name = match["name"]
    if "/" in name:
        if not _AREA.match(name):
            return False
        try:
            reading.zone = read_zone(name)
        except ValueError as error:
            raise Unreadable(str(error), "14:02 Europe/Berlin") from None
        us = _US.match(name)
        reading.implied = (
            DateOrder.MONTH_FIRST
            if us
            else None
            if name.startswith(_MIXED)
            else DateOrder.DAY_FIRST
        )
        return True
    upper = name.upper()
    if not (reading.whole or name.isupper() or name in _LOWER_CASE):
        return False
    if upper in _SEVERAL:
        raise Unreadable(f"`{name}` is the name of several time zones", "14:02 +01:00")
    if upper not in _ZONES:
        if re.fullmatch(r"[A-Z]{1,4}T", upper):
            raise Unreadable(f"`{name}` is no time zone that is known", "14:02 +01:00")
        return False
    reading.zone, reading.implied = _ZONES[upper], _ORDERS.get(upper)
    return True


_TAKERS: dict[str, tuple[str, Callable[[_Reading, re.Match[str]], bool]]] = {
    "iso": ("date", _take_iso),
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
}
"""The parts of a moment: the pattern's name -> what it gives, of which there is one, and how."""


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
    if reading.weekday is not None and all(day.weekday() != reading.weekday for day in days):
        name = f"{days[0]:%A}"
        raise Unreadable(f"{days[0]:%Y-%m-%d} is a {name}", f"{days[0]:%Y-%m-%d} 14:02")
    return days


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
