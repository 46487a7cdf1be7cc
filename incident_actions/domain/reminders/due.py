"""Which reminders of an incident, a postmortem or an action item are due, and who gets them.

The functions are pure and keep no memory. A posted reminder is a comment of the bot's, whose
marker holds the reminder's `key`. So when a run was lost, the next run posts the reminder; when two
runs overlap, the second finds the comment and posts nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.issue.incident import Allowance, Incident, Moment, Severity, Status
from incident_actions.domain.playbook.checklist import ChecklistItem, missing
from incident_actions.domain.reminders.kinds import ReminderKind

_HOURLY = timedelta(hours=1)
NEXT_CHANCE = timedelta(hours=1)
"""How far apart the scheduled sweeps are. What no watch keeps is reminded of this much early, at
most, because the next chance would be too late."""
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_WEEK = timedelta(days=7)
FADES = ((timedelta(hours=8), _DAY), (timedelta(days=30), _WEEK))
"""How long something is due, and how far apart its reminders are from then on, at least. A reminder
that nobody followed for hours is only noise when it comes every hour."""


class Timing(Struct, frozen=True):
    """When one kind of reminder comes, by severity.

    `after` is how long after the start the first one comes; None means never. `every` is the time
    between two reminders; None means that only one comes. `mention` are the logins and teams
    (`org/team`) that are told besides the owner.
    """

    after: Mapping[Severity, timedelta | None]
    every: Mapping[Severity, timedelta | None]
    mention: tuple[str, ...] = ()


class QuietHours(Struct, frozen=True):
    """The hours of a day in which nobody gets a reminder that is not urgent.

    `start` and `end` are times of day in the owner's time zone; `start` may be later than `end`
    (`22:00` to `07:00`). `timezones` holds time zones by login in lower case; everybody else has
    `timezone`.
    """

    start: time
    end: time
    timezone: str
    timezones: Mapping[str, str] = {}

    def holds(self, now: datetime, owner: str | None) -> bool:
        """Whether `now` is in the quiet hours of the owner (a login; None: the default zone)."""
        wall = now.astimezone(self._zone(owner)).time()
        if self.start <= self.end:
            return self.start <= wall < self.end
        return wall >= self.start or wall < self.end

    def over(self, now: datetime, owner: str | None) -> datetime:
        """When the quiet hours of the owner that hold at `now` are over, in UTC."""
        wall = now.astimezone(self._zone(owner))
        end = datetime.combine(wall.date(), self.end, wall.tzinfo)
        if end.astimezone(UTC) <= now:
            end = datetime.combine(wall.date() + _DAY, self.end, wall.tzinfo)
        return end.astimezone(UTC)

    def _zone(self, owner: str | None) -> ZoneInfo:
        return ZoneInfo(self.timezones.get((owner or "").casefold(), self.timezone))


class Reminder(Struct, frozen=True):
    """One thing that is due.

    `since` is when it became due. `slot` is the moment for which this reminder was planned. `miss`
    is the number of reminders planned before this one (0, 1, 2, ...). `owner` is the login of who
    has to act; `mention` are the logins and teams that are told. A `held` reminder waits until the
    owner's quiet hours are over. `covers` are the kinds that a summary stands for, and since when
    each is due.
    """

    kind: ReminderKind
    since: datetime
    slot: datetime
    miss: int
    owner: str | None
    mention: tuple[str, ...]
    held: bool = False
    covers: tuple[tuple[ReminderKind, datetime], ...] = ()

    @property
    def key(self) -> str:
        """The key in the comment's marker: kind and slot, `stalled.20261123T140200Z`."""
        return f"{self.kind}.{self.slot:%Y%m%dT%H%M%SZ}"


class ReminderPolicy(Struct, frozen=True):
    """A team's settings for reminders.

    `backup` is told from the second reminder on, `escalation` from the third on. `drills` says
    whether drills get reminders, too. `on_call` are the logins of who is on call now: they get the
    summary of a forgotten incident. `watched` are the severities that are worth a watch, which
    `rests` after so long without a deed of a person; None for never.
    """

    timings: Mapping[ReminderKind, Timing]
    backup: str | None = None
    escalation: tuple[str, ...] = ()
    quiet: QuietHours | None = None
    drills: bool = False
    on_call: tuple[str, ...] = ()
    watched: frozenset[Severity] = frozenset({Severity.SEV1, Severity.SEV2})
    rests: timedelta | None = timedelta(hours=6)

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
        """The newest reminder, by `now`, of something that is due from `since` on.

        None while it is not due yet, and when the newest reminder is older than its kind allows
        (`latest`). A reminder may come up to `early` before its time, but only the next one; with a
        negative `early` all come later. The first one mentions the owner, the second also the
        commander and the backup, all later ones also the escalation.
        """
        every = self.timings[kind].every[severity]
        if since >= now + early:
            return None
        miss, slot = _newest_slot(since, every, min(now, now + early))
        following = _following(since, every, miss, slot)
        if since < now and following is not None and following < now + early:
            miss, slot = miss + 1, following
        if now - slot > kind.entry.latest:
            return None
        mentioned = [owner, *self.timings[kind].mention]
        if miss >= 1:
            mentioned += [commander, self.backup]
        if miss >= 2:
            mentioned += self.escalation
        quiet = None if kind.entry.urgent else self.quiet
        return Reminder(
            kind=kind,
            since=since,
            slot=slot,
            miss=miss,
            owner=owner,
            mention=_each_once(mentioned),
            held=quiet is not None and quiet.holds(now, owner),
        )


def _newest_slot(
    since: datetime, every: timedelta | None, horizon: datetime
) -> tuple[int, datetime]:
    """The newest reminder before `horizon`: how many were planned before it, and its slot.

    It is the first one, `since`, when none is before `horizon`.
    """
    miss, slot = 0, since
    while (following := _following(since, every, miss, slot)) is not None and following < horizon:
        # Once they have faded for good, all further steps are the same.
        gap = following - slot
        for_good = slot - since >= FADES[-1][0]
        steps = (horizon - slot - timedelta.resolution) // gap if for_good else 1
        miss, slot = miss + steps, slot + steps * gap
    return miss, slot


def _following(
    since: datetime, every: timedelta | None, miss: int, slot: datetime
) -> datetime | None:
    """The slot of the reminder after the one at `slot`, before which `miss` were planned.

    After the third reminder, the next ones are at least an hour apart, and later they fade
    (`FADES`). None when only one comes.
    """
    if every is None:
        return None
    gap = every if miss < 2 else max(every, _HOURLY)
    return slot + max([gap, *(least for begins, least in FADES if slot - since >= begins)])


def _each_once(names: Iterable[str | None]) -> tuple[str, ...]:
    """Logins without `@`, each only once (ignoring case); None and empty names are left out."""
    kept: dict[str, str] = {}
    for name in names:
        if name:
            kept.setdefault(name.lstrip("@").casefold(), name.lstrip("@"))
    return tuple(kept.values())


def next_update_due(
    incident: Incident, every: Mapping[Severity, timedelta | None]
) -> datetime | None:
    """When the next internal update is due; None when none is expected.

    A promised time (`/update next 20m`) comes before `every`, the time between two updates.
    """
    if not incident.status.open:
        return None
    if incident.next_update is not None:
        return incident.next_update
    gap = every[incident.severity]
    return None if gap is None else _last_done(incident, incident.last_update) + gap


def _last_done(incident: Incident, last: datetime | None) -> datetime:
    """From when a recurring duty counts: from `last`, when it was done, or from a newer restart."""
    return max(incident.began, last or incident.began)


def due(
    incident: Incident,
    checks: Iterable[ChecklistItem],
    reporter: str | None,
    policy: ReminderPolicy,
    now: datetime,
    early: timedelta = timedelta(),
) -> tuple[Reminder, ...]:
    """The reminders of an incident that are due, the most urgent first.

    A reminder is due up to `early` before its time, when the next sweep would be too late. There
    are none while the incident waits for `/confirm`, once it is resolved, while reminders are
    paused, and for drills unless the team wants them. `checks` are the recovery checks. `reporter`
    is reminded where nobody holds a fitting role; it is the login of a person, or None.

    When nothing happened for days, one summary takes the place of all others.
    """
    if not incident.status.open or incident.status is Status.REPORTED:
        return ()
    if incident.drill and not policy.drills:
        return ()
    if incident.snoozed_until is not None and now < incident.snoozed_until:
        return ()
    expired = _newest_expiry(incident, now + early)
    reminders: list[Reminder] = []
    open_duties: list[tuple[ReminderKind, datetime]] = []
    for kind, begins in _begins(incident, tuple(checks), expired).items():
        wait = policy.timings[kind].after[incident.severity]
        if begins is None or wait is None:
            continue
        lasts = policy.timings[kind].every[incident.severity] is not None
        if lasts and begins + wait < now + early:
            open_duties.append((kind, begins + wait))
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
            early=early,
            commander=incident.commander,
        )
        reminders += [reminder] if reminder is not None else []
    summary = _summary(incident, open_duties, reporter, policy, now, early)
    return tuple(reminders) if summary is None else summary


def upcoming(
    incident: Incident, checks: Iterable[ChecklistItem], policy: ReminderPolicy, after: datetime
) -> list[datetime]:
    """For each kind, the moment from which `due` gives its next reminder, or the end of a pause.

    Some may come to nothing: who wakes then asks `due`. `checks` are the recovery checks.
    """
    if incident.drill and not policy.drills:
        return []
    if incident.snoozed_until is not None and after < incident.snoozed_until:
        return [incident.snoozed_until]
    moments = []
    for kind, begins in _begins(incident, tuple(checks), _newest_expiry(incident, after)).items():
        wait = policy.timings[kind].after[incident.severity]
        if begins is None or wait is None:
            continue
        since, every = begins + wait, policy.timings[kind].every[incident.severity]
        following: datetime | None = since
        if since < after:
            following = _following(since, every, *_newest_slot(since, every, after))
        moments += [following + _SECOND] if following is not None else []
    return moments


def _summary(
    incident: Incident,
    duties: Iterable[tuple[ReminderKind, datetime]],
    reporter: str | None,
    policy: ReminderPolicy,
    now: datetime,
    early: timedelta,
) -> tuple[Reminder, ...] | None:
    """What takes the place of all reminders of a forgotten incident: a summary now and then, for
    who is on call and everybody else whom a reminder would reach.

    `duties` are the kinds that are due, and since when. None while the incident is not forgotten.
    Empty between two summaries.
    """
    kind, duties = ReminderKind.FORGOTTEN, tuple(duties)
    wait = policy.timings[kind].after[incident.severity]
    since = (incident.last_activity or incident.times[Moment.DECLARED]) + (wait or timedelta())
    if wait is None or not duties or since >= now + early:
        return None
    owner = incident.commander or reporter
    newest = policy.newest(kind, since, incident.severity, owner, now, early=early)
    if newest is None:
        return ()
    told = [*policy.on_call, *newest.mention, policy.backup, *policy.escalation]
    return (replace(newest, mention=_each_once(told), covers=duties),)


def _begins(
    incident: Incident, checks: tuple[ChecklistItem, ...], expired: Allowance | None
) -> dict[ReminderKind, datetime | None]:
    """For each kind, the time from which its `after` counts; None where there is nothing to do.

    `expired` is the allowance that ended last, if any.
    """
    declared = incident.times[Moment.DECLARED]
    commanded = incident.commander is not None
    acknowledged = Moment.ACKNOWLEDGED in incident.times
    active = incident.status in (Status.INVESTIGATING, Status.IDENTIFIED, Status.MONITORING)
    recovered = incident.status is Status.MONITORING and not missing(checks, incident.verified)
    last_checked = max((check.at for check in incident.verified.values()), default=None)
    customers_told = _last_done(incident, incident.last_customer_update)
    updated = _last_done(incident, incident.last_update)
    return {
        ReminderKind.NO_COMMANDER: None if commanded else incident.vacant_since or declared,
        ReminderKind.UNACKNOWLEDGED: (
            _last_done(incident, None) if commanded and not acknowledged else None
        ),
        ReminderKind.PROMISED_UPDATE: incident.next_update,
        ReminderKind.INTERNAL_UPDATE: updated if active and incident.next_update is None else None,
        ReminderKind.CUSTOMER_UPDATE: customers_told if active and incident.customers else None,
        ReminderKind.NOT_CLOSED: last_checked if checks and recovered else None,
        ReminderKind.OVERRIDE_EXPIRED: expired.until if expired else None,
        ReminderKind.STALLED: incident.last_activity or declared,
    }


def _newest_expiry(incident: Incident, horizon: datetime) -> Allowance | None:
    """The allowance that ended last before `horizon`.

    Where a change was allowed more than once, only its last allowance counts.
    """
    over = [
        allowance
        for turn, allowance in enumerate(incident.allow, start=1)
        if allowance.until < horizon
        and not any(map(allowance.is_for_same_change, incident.allow[turn:]))
    ]
    return max(over, key=lambda allowance: allowance.until, default=None)


_LONGEST_MEMORY = timedelta(days=31)
_ANY = Severity.SEV1
"""Reminders after an incident do not depend on severity, so any severity gives their timing."""


def of_postmortem(
    resolved: datetime,
    due: datetime | None,
    owner: str | None,
    policy: ReminderPolicy,
    now: datetime,
    *,
    draft: bool,
) -> Reminder | None:
    """The reminder that is due for a postmortem that is not merged; None when none is.

    `resolved` is when the incident was resolved. A pull request stays a `draft` until every section
    is written. Nothing else shows progress, so a draft counts as not started.
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
    """The reminder for an open action item; None when none is due. Its due day ends in UTC."""
    day = datetime.combine(due, time(), UTC)
    before = policy.timings[ReminderKind.ACTION_DUE].after[_ANY]
    since = {
        ReminderKind.ACTION_OVERDUE: _plus(day + _DAY, ReminderKind.ACTION_OVERDUE, policy),
        ReminderKind.ACTION_DUE: day - before if before is not None else None,
    }
    return _newest(since, owner, policy, now)


def memory(kinds: Iterable[ReminderKind], policy: ReminderPolicy) -> timedelta:
    """How far back to look for reminders of these kinds that were posted before.

    It is the longest time between two of them, plus the longest delay, plus a day; at most 31 days.
    Once they come weekly only, older ones are left standing.
    """
    longest = max(
        (policy.timings[kind].every[_ANY] or timedelta()) + kind.entry.latest for kind in kinds
    )
    return min(longest + _DAY, _LONGEST_MEMORY)


def _plus(start: datetime | None, kind: ReminderKind, policy: ReminderPolicy) -> datetime | None:
    """When a kind's first reminder is due that counts from `start`; None for never."""
    after = policy.timings[kind].after[_ANY]
    return start + after if start is not None and after is not None else None


def _newest(
    since: Mapping[ReminderKind, datetime | None],
    owner: str | None,
    policy: ReminderPolicy,
    now: datetime,
) -> Reminder | None:
    """The newest reminder of the first kind in `since` that is due; `since` says from when."""
    for kind, at in since.items():
        if at is not None and at < now:
            return policy.newest(kind, at, _ANY, owner, now)
    return None
