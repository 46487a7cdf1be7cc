"""Recovery checks that the bot makes itself: good answers in a row, over some minutes.

One good answer proves little. The results of each run are remembered in the state, so that the
row goes on from run to run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from msgspec import Struct

from incident_actions.domain.issue.incident import Incident, Moment, Status
from incident_actions.domain.playbook.checklist import ChecklistItem, missing


class Streak(Struct, frozen=True, omit_defaults=True):
    """Good answers in a row: since when, how many, and the last one."""

    since: datetime
    count: int
    last: datetime


class RecoveryThreshold(Struct, frozen=True):
    """When a row of good answers counts as recovery."""

    successes: int = 3
    minutes: int = 10

    def reached(self, streak: Streak) -> bool:
        """Whether a row is long enough, in answers and in time."""
        lasted = streak.last - streak.since >= timedelta(minutes=self.minutes)
        return lasted and streak.count >= self.successes


class PassedCheck(Struct, frozen=True):
    """The row of a check that began `since` was long enough at `at`: an entry for the fold.

    The bot says so in a comment, and knows it again from there: that is what it is recorded in.
    """

    key: str
    since: datetime
    at: datetime

    @property
    def name(self) -> str:
        """For the comment's marker."""
        return f"{self.key}.{self.since:{_STAMP}}.{self.at:{_STAMP}}"

    def told_in(self, names: Iterable[str]) -> bool:
        """Whether a comment (`kind key`) about this row was ever posted: it isn't posted twice."""
        row = f"{SAID} {self.key}.{self.since:{_STAMP}}."
        return any(name.startswith(row) for name in names)


SAID = "passed"
"""The kind of the bot's comments about it."""
_STAMP = "%Y%m%dT%H%M%SZ"


def said(names: Iterable[str]) -> tuple[PassedCheck, ...]:
    """What the bot's comments (`kind key`) say has passed; of two about one row the first."""
    found: dict[tuple[str, str], PassedCheck] = {}
    for name in names:
        kind, _, rest = name.partition(" ")
        parts = rest.rsplit(".", 2)
        if kind == SAID and len(parts) == 3:
            key, since, at = parts
            with suppress(ValueError):
                found.setdefault((key, since), PassedCheck(key, _time(since), _time(at)))
    return tuple(found.values())


def _time(stamp: str) -> datetime:
    return datetime.strptime(stamp, _STAMP).replace(tzinfo=UTC)


_PAUSE = timedelta(seconds=30)
"""Two answers closer together than this are one."""


def due(
    incident: Incident,
    checks: Sequence[ChecklistItem],
    streaks: Mapping[str, Streak],
    now: datetime,
) -> tuple[ChecklistItem, ...]:
    """The checks to ask now: with a probe, unverified, while the recovery is being watched."""
    if incident.status is not Status.MONITORING:
        return ()
    return tuple(
        item
        for item in missing(checks, incident.verified)
        if item.probe and (item.key not in streaks or now - streaks[item.key].last >= _PAUSE)
    )


def record(streak: Streak | None, good: bool, now: datetime, incident: Incident) -> Streak | None:
    """The row after one more answer; None after a bad one.

    A row that began before the mitigation is not about this recovery: it begins anew.
    """
    if not good:
        return None
    mitigated = incident.times.get(Moment.MITIGATED)
    if streak is None or (mitigated is not None and streak.since < mitigated):
        streak = Streak(since=now, count=0, last=now)
    return Streak(since=streak.since, count=streak.count + 1, last=now)
