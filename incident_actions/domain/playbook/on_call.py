"""Who is on call: a rotation of users, handed over at the times of a recurrence rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr


def on_call(
    users: Sequence[str], rule: str, start: datetime, timezone: str, at: datetime
) -> str | None:
    """Who is on call at a moment, or None before the rotation starts.

    `start` is the first hand-over as the clock on the wall shows it in `timezone`, so without a
    zone of its own; `rule` is an RFC 5545 RRULE for those after it. Each hand-over passes on to
    the next user, and after the last to the first. Raises `ValueError` for a rule that can't be
    read, and `KeyError` for an unknown time zone.
    """
    wall = at.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    if not users or wall < start:
        return None
    rules = rrulestr(rule, dtstart=start)
    turns = sum(1 for _ in rules.between(start, wall, inc=True))
    return users[(turns - 1) % len(users)] if turns else users[0]


def check(rule: str, start: str, timezone: str) -> list[str]:
    """What is wrong with a rotation, in words; an empty list when it works."""
    problems = []
    if not is_zone(timezone):
        problems.append(f"timezone: `{timezone}` is no time zone like Europe/Berlin")
    try:
        first = wall_time(start)
    except ValueError:
        return [*problems, f"start: `{start}` is no time like 2026-01-05T09:00"]
    try:
        rrulestr(rule, dtstart=first)
    except (ValueError, TypeError):
        problems.append(f"every: `{rule}` is no rule like FREQ=WEEKLY;BYDAY=MO")
    if re.search(r"FREQ=(SECOND|MINUTE|HOUR)LY", rule, re.IGNORECASE):
        problems.append(f"every: `{rule}` comes more often than once a day")
    return problems


def is_zone(name: str) -> bool:
    """Whether this is a time zone like `Europe/Berlin`."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def wall_time(text: str) -> datetime:
    """A time without zone: `2026-01-05T09:00`. Raises `ValueError` for anything else."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is not None:
        raise ValueError("a wall clock time has no zone of its own")
    return at
