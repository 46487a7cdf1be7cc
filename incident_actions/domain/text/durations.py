"""Lengths of time as people type them: `30m`, `2h`, `1h30m`, `90 min`, `1h30`, `1.5h`, `2d 4h`.

The one grammar for commands, forms, freeze windows and the configuration.
"""

from __future__ import annotations

import re
from datetime import timedelta

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
    """The duration that a text begins with, and the rest behind it; None when there is none.

    It may be zero. Fewer than 1,000 days, 10,000 hours and 100,000 minutes are understood.
    """
    found = _AT_START.match(text)
    length = _length(found)
    return None if found is None or length is None else (length, text[found.end() :].lstrip())


def read_duration(text: str) -> timedelta:
    """The duration that a whole text is. Raises `ValueError` with what to type instead."""
    taken = take_duration(" ".join(text.split()))
    if taken is None or taken[1] or text.rstrip().endswith((",", ";", ":", ".")):
        raise ValueError(f"`{text[:60]}` is no duration like 30m, 2h or 1d 12h")
    return taken[0]


def duration_ago(text: str) -> timedelta | None:
    """How long ago: the 20 minutes in `about 20 min ago`; None when a text does not say."""
    return _length(_AGO.search(text))


def looks_like_duration(text: str) -> bool:
    """Whether a text begins with what was meant as a duration, readable or not: `2 weeks`."""
    return _LIKE_A_DURATION.match(text) is not None


def _length(found: re.Match[str] | None) -> timedelta | None:
    if found is None or not any(found.groups()):
        return None
    days, hours, after_h, minutes = (float(amount or 0) for amount in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes + after_h)
