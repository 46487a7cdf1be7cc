"""Who is on call: users who take turns, with hand-overs at the times of a recurrence rule."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from incident_actions.domain.text.recurrence import read_rule


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
    rules = read_rule(rule, start, timezone)
    turns = sum(1 for _ in rules.between(start, wall, inc=True))
    return users[(turns - 1) % len(users)] if turns else users[0]
