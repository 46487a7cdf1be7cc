"""The table of reminders, and what a team wants of them.

A new kind is an entry in `ReminderKind` and its words in a template (`comments/reminder.md.j2`
during an incident, `comments/followup.md.j2` after it). Its section in the configuration, the
reference and its place in the policy follow from the entry.

Pure, and without memory: a reminder that was posted is the bot's comment, whose marker names the
kind and the moment it was for. So a lost run posts it later, and a doubled one finds it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct

from incident_actions.domain.issue.incident import Role, Severity

LATEST = timedelta(hours=24)
"""What was due of an incident longer ago isn't said any more: its comment is gone, or soon is."""
BySeverity = tuple[str, str, str]
"""A duration as typed, or `off`, for SEV1, SEV2 and SEV3."""


class ReminderEntry(Struct, frozen=True):
    """One row. `after` and `every` are defaults, typed as in the configuration.

    `after` counts from what the reminder is about, `every` from one reminder to the next; `off`
    is never, and with `every` only once. `owners` are roles in the order in which one is looked
    for: the first that somebody holds is reminded. `urgent` reminders come in quiet hours, too.
    What should have been said longer ago than `latest` isn't said any more.
    """

    key: str
    help: str
    after: str | BySeverity
    every: str | BySeverity
    owners: tuple[Role, ...] = (Role.COMMANDER,)
    urgent: bool = False
    latest: timedelta = LATEST


_UPDATES = ("15m", "30m", "off")
_UPDATERS = (Role.COMMS, Role.COMMANDER)
_LATER = timedelta(days=3)  # what an incident kept people from saying waits for its next time


class ReminderKind(StrEnum):
    """What can be due: during an incident, the most urgent first, then after it."""

    entry: ReminderEntry

    # One entry in two lines, so that it reads as a table.
    # fmt: off
    NO_COMMANDER = ReminderEntry(
        "no-commander", "Nobody commands.", after="5m", every="5m", urgent=True)
    UNACKNOWLEDGED = ReminderEntry(
        "unacknowledged", "The one in command has not acknowledged.", "5m", "5m", urgent=True)
    PROMISED_UPDATE = ReminderEntry(
        "promised-update", "An update was promised for now.", "0m", "15m", _UPDATERS, urgent=True)
    INTERNAL_UPDATE = ReminderEntry(
        "internal-update", "An internal update is due.", _UPDATES, _UPDATES, _UPDATERS, urgent=True)
    CUSTOMER_UPDATE = ReminderEntry(
        "customer-update", "A customer update is due.", "30m", "30m", _UPDATERS, urgent=True)
    NOT_CLOSED = ReminderEntry(
        "not-closed", "Recovery is verified, and it is still open.", "15m", "30m")
    OVERRIDE_EXPIRED = ReminderEntry(
        "override-expired", "A change was let through, and that time is over.", "0m", "off")
    STALLED = ReminderEntry(
        "stalled", "Nothing happened for long.", ("off", "off", "24h"), "24h")
    POSTMORTEM_NOT_STARTED = ReminderEntry(
        "postmortem-not-started", "A postmortem is still a draft; counted from the resolution.",
        "24h", "24h", latest=_LATER)
    POSTMORTEM_DUE = ReminderEntry(
        "postmortem-due", "A postmortem is not merged when it is due.", "0m", "24h", latest=_LATER)
    ACTION_DUE = ReminderEntry(
        "action-due", "An action item is due soon; `after` is how long before.",
        "3d", "off", latest=_LATER)
    ACTION_OVERDUE = ReminderEntry(
        "action-overdue", "The day that an action item is due is over.", "0m", "7d", latest=_LATER)
    # fmt: on

    def __new__(cls, entry: ReminderEntry) -> ReminderKind:
        """The member of an entry; its value is the entry's key."""
        kind = str.__new__(cls, entry.key)
        kind._value_ = entry.key
        kind.entry = entry
        return kind


POSTMORTEM_KINDS = (ReminderKind.POSTMORTEM_DUE, ReminderKind.POSTMORTEM_NOT_STARTED)
ACTION_KINDS = (ReminderKind.ACTION_OVERDUE, ReminderKind.ACTION_DUE)
"""The later one comes first: it takes the place of the one before."""
INCIDENT_KINDS = frozenset(ReminderKind) - {*POSTMORTEM_KINDS, *ACTION_KINDS}
"""These are due while an incident is open."""


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
