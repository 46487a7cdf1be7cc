"""What a team wants to be reminded of, and one reminder of one kind by it.

Pure, and without memory: a reminder that was posted is the bot's comment, whose marker names the
kind and the moment it was for. So a lost run posts it later, and a doubled one finds it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from incident_actions.domain.issue.incident import Severity
from incident_actions.domain.reminders.kinds import ReminderKind

_HOURLY = timedelta(hours=1)


class Timing(Struct, frozen=True):
    """After how long, and how often then, by severity. None: never; `every` None: only once.

    `mention` are logins and teams that are told besides the owner.
    """

    after: Mapping[Severity, timedelta | None]
    every: Mapping[Severity, timedelta | None]
    mention: tuple[str, ...] = ()


class QuietHours(Struct, frozen=True):
    """When people are left alone with what is not urgent: wall clock, in their own time zone."""

    start: time
    end: time
    timezone: str
    timezones: Mapping[str, str] = {}

    def holds(self, now: datetime, owner: str | None) -> bool:
        """Whether it is quiet for the owner now."""
        zone = self.timezones.get((owner or "").casefold(), self.timezone)
        wall = now.astimezone(ZoneInfo(zone)).time()
        if self.start <= self.end:
            return self.start <= wall < self.end
        return wall >= self.start or wall < self.end


class Reminder(Struct, frozen=True):
    """One thing that is due.

    `since` is when it became due, `slot` the moment that this reminder is for, `miss` how many
    were there before it (0, 1, 2, ...), `owner` whose it is, `mention` who is told. One that is
    `held` waits until its owner's quiet hours are over.
    """

    kind: ReminderKind
    since: datetime
    slot: datetime
    miss: int
    owner: str | None
    mention: tuple[str, ...]
    held: bool = False

    @property
    def key(self) -> str:
        """For the marker: kind and slot."""
        return f"{self.kind}.{self.slot:%Y%m%dT%H%M%SZ}"


class ReminderPolicy(Struct, frozen=True):
    """What a team wants: the timings, who else is told, and how far apart the sweeps are."""

    timings: Mapping[ReminderKind, Timing]
    tick: timedelta
    backup: str | None = None
    escalation: tuple[str, ...] = ()
    quiet: QuietHours | None = None
    drills: bool = False

    def newest(
        self,
        kind: ReminderKind,
        since: datetime,
        severity: Severity,
        owner: str | None,
        now: datetime,
        *,
        early: timedelta = timedelta(),
        commander: str | None = None,
    ) -> Reminder | None:
        """The newest reminder of what is due `since` then; None before it, or when it is too late.

        It comes up to `early` before its time. The first one is for its owner, the second for the
        commander and the backup, too, and those after it for everybody.
        """
        timing = self.timings[kind]
        if since >= now + early:
            return None
        miss, slot = _newest_slot(since, timing.every[severity], now + early)
        if now - slot > kind.entry.latest:
            return None
        told = [owner, *timing.mention]
        if miss >= 1:
            told += [commander, self.backup]
        if miss >= 2:
            told += self.escalation
        quiet = None if kind.entry.urgent else self.quiet
        return Reminder(
            kind=kind,
            since=since,
            slot=slot,
            miss=miss,
            owner=owner,
            mention=_each_once(told),
            held=quiet is not None and quiet.holds(now, owner),
        )


def _newest_slot(
    since: datetime, every: timedelta | None, horizon: datetime
) -> tuple[int, datetime]:
    """How many reminders there were before the newest one until a horizon, and what that is for.

    From the third miss on they are an hour apart at least.
    """
    miss, slot = 0, since
    while every is not None:
        later = slot + (every if miss < 2 else max(every, _HOURLY))
        if later >= horizon:
            break
        miss, slot = miss + 1, later
    return miss, slot


def _each_once(names: Iterable[str | None]) -> tuple[str, ...]:
    """Logins without `@`, each once however it is spelled, without those that are nobody."""
    kept: dict[str, str] = {}
    for name in names:
        if name:
            kept.setdefault(name.lstrip("@").casefold(), name.lstrip("@"))
    return tuple(kept.values())
