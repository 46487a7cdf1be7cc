"""Recovery checks that the bot makes itself: good answers in a row, over some minutes.

One good answer proves little. The results of each run are remembered in the state, so that the
row goes on from run to run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from incident_actions.domain.checklist import Item, missing
from incident_actions.domain.incident import Incident, Moment, Status


class Streak(Struct, frozen=True, omit_defaults=True):
    """Good answers in a row: since when, how many, the last one, and when it was enough."""

    since: datetime
    count: int
    last: datetime
    passed: datetime | None = None


class Enough(Struct, frozen=True):
    """When a row of good answers counts as recovery."""

    successes: int = 3
    minutes: int = 10


class Passed(Struct, frozen=True):
    """A probe's row was long enough at `at`: an entry for the fold."""

    key: str
    at: datetime


_PAUSE = timedelta(seconds=30)
"""Two answers closer together than this are one."""


def due(
    incident: Incident, checks: Sequence[Item], streaks: Mapping[str, Streak], now: datetime
) -> tuple[Item, ...]:
    """The checks to ask now: with a probe, unverified, while the recovery is being watched."""
    if incident.status is not Status.MONITORING:
        return ()
    return tuple(
        item
        for item in missing(checks, incident.verified)
        if item.probe and (item.key not in streaks or now - streaks[item.key].last >= _PAUSE)
    )


def record(
    streak: Streak | None, good: bool, now: datetime, incident: Incident, enough: Enough
) -> Streak | None:
    """The row after one more answer; None after a bad one.

    A row that began before the mitigation is not about this recovery: it begins anew.
    """
    if not good:
        return None
    mitigated = incident.times.get(Moment.MITIGATED)
    if streak is None or (mitigated is not None and streak.since < mitigated):
        streak = Streak(since=now, count=0, last=now)
    count = streak.count + 1
    lasted = now - streak.since >= timedelta(minutes=enough.minutes)
    passed = streak.passed or (now if lasted and count >= enough.successes else None)
    return Streak(since=streak.since, count=count, last=now, passed=passed)


def passed(streaks: Mapping[str, Streak]) -> tuple[Passed, ...]:
    """The probes that were good for long enough, for the fold."""
    return tuple(
        Passed(key, streak.passed) for key, streak in sorted(streaks.items()) if streak.passed
    )
