"""Reminders: what is due, since when, whose it is, and how loudly to say it.

Pure, and without memory: a reminder that was posted is the bot's comment, whose marker names the
kind and the moment it was for. So a lost run posts it later, and a doubled one finds it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from msgspec import Struct

from incident_actions.domain.issue.incident import (
    Allowance,
    Incident,
    Moment,
    Role,
    Severity,
    Status,
)
from incident_actions.domain.playbook.checklist import ChecklistItem, missing

HOURLY = timedelta(hours=1)
LATEST = timedelta(hours=24)
"""What was due longer ago than this isn't said any more: its comment is gone, or soon will be."""


class ReminderKind(StrEnum):
    """What can be due, the most urgent first."""

    NO_COMMANDER = "no-commander"
    UNACKNOWLEDGED = "unacknowledged"
    PROMISED_UPDATE = "promised-update"
    INTERNAL_UPDATE = "internal-update"
    CUSTOMER_UPDATE = "customer-update"
    NOT_CLOSED = "not-closed"
    OVERRIDE_EXPIRED = "override-expired"
    STALLED = "stalled"


URGENT = frozenset(ReminderKind) - {
    ReminderKind.STALLED,
    ReminderKind.NOT_CLOSED,
    ReminderKind.OVERRIDE_EXPIRED,
}
"""These come at any hour; the others respect quiet hours."""


class Timing(Struct, frozen=True):
    """After how long, and how often then, by severity. None: never; `every` None: only once."""

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


class ReminderPolicy(Struct, frozen=True):
    """What a team wants: the timings, who else is told, and how far apart the sweeps are."""

    timings: Mapping[ReminderKind, Timing]
    tick: timedelta
    backup: str | None = None
    escalation: tuple[str, ...] = ()
    quiet: QuietHours | None = None
    drills: bool = False


class Reminder(Struct, frozen=True):
    """One thing that is due.

    `since` is when it became due, `slot` the moment that this reminder is for, `miss` how many
    were there before it (0, 1, 2, ...), `owner` whose it is, `mention` who is told. One that is
    `held` waits until its owner's quiet hours are over.
    """

    kind: StrEnum
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


def next_update_due(
    incident: Incident, every: Mapping[Severity, timedelta | None]
) -> datetime | None:
    """When the next internal update is due; None when none is expected."""
    if not incident.status.open:
        return None
    if incident.next_update is not None:
        return incident.next_update
    gap = every[incident.severity]
    if gap is None:
        return None
    return _clock(incident, incident.last_update) + gap


def _clock(incident: Incident, last: datetime | None) -> datetime:
    """What a recurring duty counts from: when it was last done, or when it began (anew)."""
    began = incident.restarted_at or incident.times[Moment.DECLARED]
    return max(began, last or began)


def due(
    incident: Incident,
    checks: Iterable[ChecklistItem],
    reporter: str | None,
    policy: ReminderPolicy,
    now: datetime,
) -> tuple[Reminder, ...]:
    """What has to be said by now, the most urgent first.

    Due a little early when the sweep after this one would be too late. Nothing for drills,
    resolved incidents and while reminders are paused. `reporter` is a person, or None.
    """
    if not incident.status.open or incident.status is Status.REPORTED:
        return ()
    if incident.drill and not policy.drills:
        return ()
    if incident.snoozed_until is not None and now < incident.snoozed_until:
        return ()
    found = []
    for kind, since in _due_times(incident, tuple(checks), policy, now).items():
        if since is None:
            continue
        reminder = _slot(incident, kind, since, reporter, policy, now)
        if reminder is not None:
            found.append(reminder)
    return tuple(found)


def _due_times(
    incident: Incident, checks: tuple[ChecklistItem, ...], policy: ReminderPolicy, now: datetime
) -> dict[ReminderKind, datetime | None]:
    """When each kind becomes due for the first time, by what is true now."""
    declared = incident.times[Moment.DECLARED]
    severity = incident.severity

    def after(kind: ReminderKind, since: datetime | None) -> datetime | None:
        wait = policy.timings[kind].after[severity]
        return since + wait if since is not None and wait is not None else None

    active = incident.status in (Status.INVESTIGATING, Status.IDENTIFIED, Status.MONITORING)
    verified = bool(checks) and not missing(checks, incident.verified)
    last_checked = max((check.at for check in incident.verified.values()), default=None)
    expired = _newest_expiry(incident, now + policy.tick)
    times: dict[ReminderKind, datetime | None] = {
        ReminderKind.NO_COMMANDER: after(
            ReminderKind.NO_COMMANDER, incident.vacant_since or declared
        )
        if incident.commander is None
        else None,
        ReminderKind.UNACKNOWLEDGED: after(ReminderKind.UNACKNOWLEDGED, _clock(incident, None))
        if incident.commander is not None and Moment.ACKNOWLEDGED not in incident.times
        else None,
        ReminderKind.PROMISED_UPDATE: after(ReminderKind.PROMISED_UPDATE, incident.next_update),
        ReminderKind.INTERNAL_UPDATE: after(
            ReminderKind.INTERNAL_UPDATE, _clock(incident, incident.last_update)
        )
        if active and incident.next_update is None
        else None,
        ReminderKind.CUSTOMER_UPDATE: after(
            ReminderKind.CUSTOMER_UPDATE, _clock(incident, incident.last_customer_update)
        )
        if incident.customers and active
        else None,
        ReminderKind.NOT_CLOSED: after(ReminderKind.NOT_CLOSED, last_checked)
        if verified and incident.status is Status.MONITORING
        else None,
        ReminderKind.OVERRIDE_EXPIRED: after(
            ReminderKind.OVERRIDE_EXPIRED, expired.until if expired else None
        ),
        ReminderKind.STALLED: after(ReminderKind.STALLED, incident.last_activity or declared),
    }
    return times


def _newest_expiry(incident: Incident, horizon: datetime) -> Allowance | None:
    """The allowance that ended last, of those that nobody gave again."""
    last: dict[str | int | None, Allowance] = {}
    for each in incident.allow:
        last[each.sha or each.pr] = each
    over = (each for each in last.values() if each.until < horizon)
    return max(over, key=lambda each: each.until, default=None)


def _slot(
    incident: Incident,
    kind: ReminderKind,
    since: datetime,
    reporter: str | None,
    policy: ReminderPolicy,
    now: datetime,
) -> Reminder | None:
    """The newest reminder of a kind that should have been posted by now."""
    horizon = now + policy.tick
    if since >= horizon:
        return None
    miss, slot = newest_slot(since, policy.timings[kind].every[incident.severity], horizon)
    if now - slot > LATEST:
        return None
    owner = _owner(incident, kind, reporter, horizon)
    quiet = policy.quiet if kind not in URGENT else None
    return Reminder(
        kind=kind,
        since=since,
        slot=slot,
        miss=miss,
        owner=owner,
        mention=_mentions(incident, kind, miss, owner, policy),
        held=quiet is not None and quiet.holds(now, owner),
    )


def newest_slot(
    since: datetime, every: timedelta | None, horizon: datetime
) -> tuple[int, datetime]:
    """How many reminders there were before the newest one until a horizon, and what that is for.

    From the third miss on they are an hour apart at least.
    """
    miss, slot = 0, since
    while every is not None:
        later = slot + (every if miss < 2 else max(every, HOURLY))
        if later >= horizon:
            break
        miss, slot = miss + 1, later
    return miss, slot


_OWNERS: Mapping[ReminderKind, tuple[Role, ...]] = {
    ReminderKind.PROMISED_UPDATE: (Role.COMMS, Role.COMMANDER),
    ReminderKind.INTERNAL_UPDATE: (Role.COMMS, Role.COMMANDER),
    ReminderKind.CUSTOMER_UPDATE: (Role.COMMS, Role.COMMANDER),
}


def _owner(
    incident: Incident, kind: ReminderKind, reporter: str | None, horizon: datetime
) -> str | None:
    if kind is ReminderKind.OVERRIDE_EXPIRED and (expired := _newest_expiry(incident, horizon)):
        return expired.by
    for role in _OWNERS.get(kind, (Role.COMMANDER,)):
        if role in incident.roles:
            return incident.roles[role]
    return reporter


def _mentions(
    incident: Incident, kind: ReminderKind, miss: int, owner: str | None, policy: ReminderPolicy
) -> tuple[str, ...]:
    """The first time its owner; the second time the commander and the backup; then everybody."""
    told: list[str | None] = [owner, *policy.timings[kind].mention]
    if miss >= 1:
        told += [incident.commander, policy.backup]
    if miss >= 2:
        told += policy.escalation
    return each_once(told)


def each_once(names: Iterable[str | None]) -> tuple[str, ...]:
    """Logins without `@`, each once however it is spelled, without those that are nobody."""
    kept: dict[str, str] = {}
    for name in names:
        if name:
            kept.setdefault(name.lstrip("@").casefold(), name.lstrip("@"))
    return tuple(kept.values())
