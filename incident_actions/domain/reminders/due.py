"""What is due, since when, and whose it is: of an incident, a postmortem, an action item.

Pure, and without memory: a reminder that was posted is the bot's comment, whose marker names the
kind and the moment it was for. So a lost run posts it later, and a doubled one finds it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct

from incident_actions.domain.issue.incident import Allowance, Incident, Moment, Severity, Status
from incident_actions.domain.playbook.checklist import ChecklistItem, missing
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


def next_update_due(
    incident: Incident, every: Mapping[Severity, timedelta | None]
) -> datetime | None:
    """When the next internal update is due; None when none is expected."""
    if not incident.status.open:
        return None
    if incident.next_update is not None:
        return incident.next_update
    gap = every[incident.severity]
    return None if gap is None else _last_done(incident, incident.last_update) + gap


def _last_done(incident: Incident, last: datetime | None) -> datetime:
    """What a recurring duty counts from: when it was last done, or when it began (anew)."""
    return max(incident.began, last or incident.began)


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
    expired = _newest_expiry(incident, now + policy.tick)
    found = []
    for kind, begins in _begins(incident, tuple(checks), expired).items():
        wait = policy.timings[kind].after[incident.severity]
        if begins is None or wait is None:
            continue
        holders = (incident.roles.get(role) for role in kind.entry.owners)
        owner = next(filter(None, holders), reporter)
        if kind is ReminderKind.OVERRIDE_EXPIRED and expired is not None:
            owner = expired.by
        reminder = policy.newest(
            kind,
            begins + wait,
            incident.severity,
            owner,
            now,
            early=policy.tick,
            commander=incident.commander,
        )
        found += [reminder] if reminder is not None else []
    return tuple(found)


def _begins(
    incident: Incident, checks: tuple[ChecklistItem, ...], expired: Allowance | None
) -> dict[ReminderKind, datetime | None]:
    """From when each kind counts, by what is true now; None where nothing of it is due."""
    declared = incident.times[Moment.DECLARED]
    commanded = incident.commander is not None
    acknowledged = Moment.ACKNOWLEDGED in incident.times
    active = incident.status in (Status.INVESTIGATING, Status.IDENTIFIED, Status.MONITORING)
    recovered = incident.status is Status.MONITORING and not missing(checks, incident.verified)
    last_checked = max((check.at for check in incident.verified.values()), default=None)
    customers_told = _last_done(incident, incident.last_customer_update)
    told = _last_done(incident, incident.last_update)
    return {
        ReminderKind.NO_COMMANDER: None if commanded else incident.vacant_since or declared,
        ReminderKind.UNACKNOWLEDGED: (
            _last_done(incident, None) if commanded and not acknowledged else None
        ),
        ReminderKind.PROMISED_UPDATE: incident.next_update,
        ReminderKind.INTERNAL_UPDATE: told if active and incident.next_update is None else None,
        ReminderKind.CUSTOMER_UPDATE: customers_told if active and incident.customers else None,
        ReminderKind.NOT_CLOSED: last_checked if checks and recovered else None,
        ReminderKind.OVERRIDE_EXPIRED: expired.until if expired else None,
        ReminderKind.STALLED: incident.last_activity or declared,
    }


def _newest_expiry(incident: Incident, horizon: datetime) -> Allowance | None:
    """The allowance that ended last, of those that nobody gave again."""
    last: dict[str | int | None, Allowance] = {}
    for each in incident.allow:
        last[each.sha or each.pr] = each
    over = (each for each in last.values() if each.until < horizon)
    return max(over, key=lambda each: each.until, default=None)


_DAY = timedelta(days=1)
_LONGEST_MEMORY = timedelta(days=31)
_ANY = Severity.SEV1
"""After an incident its severity changes nothing: each kind has one time for all three."""


def of_postmortem(
    resolved: datetime,
    due: datetime | None,
    owner: str | None,
    policy: ReminderPolicy,
    now: datetime,
    *,
    draft: bool,
) -> Reminder | None:
    """What to say of a postmortem that is not merged.

    It becomes ready for review once every part of it is written. So one that is still a draft
    counts as not started: nobody can see more of it without reading it.
    """
    starts = {
        ReminderKind.POSTMORTEM_DUE: due,
        ReminderKind.POSTMORTEM_NOT_STARTED: resolved if draft else None,
    }
    return _newest(
        {kind: _plus(at, kind, policy) for kind, at in starts.items()}, owner, policy, now
    )


def of_action(
    due: date, owner: str | None, policy: ReminderPolicy, now: datetime
) -> Reminder | None:
    """What to say of an open action item. The day that it is due ends with UTC's."""
    day = datetime.combine(due, time(), UTC)
    before = policy.timings[ReminderKind.ACTION_DUE].after[_ANY]
    since = {
        ReminderKind.ACTION_OVERDUE: _plus(day + _DAY, ReminderKind.ACTION_OVERDUE, policy),
        ReminderKind.ACTION_DUE: day - before if before is not None else None,
    }
    return _newest(since, owner, policy, now)


def memory(kinds: Iterable[ReminderKind], policy: ReminderPolicy) -> timedelta:
    """How old the reminder before the newest can be: as old as they are apart, and said late."""
    longest = max(
        (policy.timings[kind].every[_ANY] or timedelta()) + kind.entry.latest for kind in kinds
    )
    return min(longest + _DAY, _LONGEST_MEMORY)


def _plus(start: datetime | None, kind: ReminderKind, policy: ReminderPolicy) -> datetime | None:
    after = policy.timings[kind].after[_ANY]
    return start + after if start is not None and after is not None else None


def _newest(
    since: Mapping[ReminderKind, datetime | None],
    owner: str | None,
    policy: ReminderPolicy,
    now: datetime,
) -> Reminder | None:
    """The newest reminder of the first kind that is due."""
    for kind, at in since.items():
        if at is not None and at < now:
            return policy.newest(kind, at, _ANY, owner, now)
    return None
