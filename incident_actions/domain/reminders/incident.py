"""What is due of an open incident, since when, and whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from incident_actions.domain.issue.incident import Allowance, Incident, Moment, Severity, Status
from incident_actions.domain.playbook.checklist import ChecklistItem, missing
from incident_actions.domain.reminders.kinds import ReminderKind
from incident_actions.domain.reminders.policy import Reminder, ReminderPolicy


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
