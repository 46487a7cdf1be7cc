"""What is due, since when, and whose it is: of an incident, a postmortem, an action item."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from incident_actions.domain.issue.incident import Allowance, Incident, Moment, Severity, Status
from incident_actions.domain.playbook.checklist import ChecklistItem, missing
from incident_actions.domain.reminders.kinds import Reminder, ReminderKind, ReminderPolicy


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
