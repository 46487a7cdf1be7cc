"""Who is on call: users who take turns, with hand-overs at the times of a recurrence rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dateutil.rrule import rrulestr

from incident_actions.domain.text.times import read_wall_time


def on_call(
    users: Sequence[str], rule: str, start: datetime, timezone: str, at: datetime
) -> str | None:
    """Who is on call at the time `at`; None before the rotation starts.

    `start` is the first hand-over, without a zone, by the clocks in `timezone`. `rule` is an RRULE
    of RFC 5545 for the hand-overs after it. At each one the next user takes over; the first comes
    after the last. Raises `ValueError` for an invalid rule, and `KeyError` for an unknown time
    zone.
    """
    wall = at.astimezone(ZoneInfo(timezone)).replace(tzinfo=None)
    if not users or wall < start:
        return None
    rules = rrulestr(rule, dtstart=start)
    turns = sum(1 for _ in rules.between(start, wall, inc=True))
    return users[(turns - 1) % len(users)] if turns else users[0]


def check_rule(text: str) -> None:
    """Raise `ValueError` for a text that is no RRULE, or one of more than once a day."""
    try:
        rrulestr(text, dtstart=read_wall_time("2026-01-05T09:00"))
    except (ValueError, TypeError):
        raise ValueError(f"`{text}` is no rule like FREQ=WEEKLY;BYDAY=MO") from None
    if re.search(r"FREQ=(SECOND|MINUTE|HOUR)LY", text, re.IGNORECASE):
        raise ValueError(f"`{text}` comes more often than once a day")
