"""When something is next due in an incident, and whether that is worth a watch. Pure.

A watch is a run that stays awake, so that what is due is said on time: GitHub's schedule may be
hours late. Nobody is there to read it when nobody has written for hours; then the watch rests.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from incident_actions.domain.issue.incident import Incident, Moment, Status
from incident_actions.domain.playbook.checklist import ChecklistItem, Streak, next_probe
from incident_actions.domain.reminders.due import ReminderPolicy, due, upcoming
from incident_actions.errors import InputError

WATCH_MINUTES = 330
"""How long a watch stays awake by default. A job may last six hours."""
_LONGEST = 355


def read_watch_length(text: str) -> timedelta:
    """How long a watch stays awake, by the input `watch-minutes`; an empty text is the default.

    Raises `InputError` for what is no whole number, and for what does not fit into a job.
    """
    if not text:
        return timedelta(minutes=WATCH_MINUTES)
    digits = text.isascii() and text.isdecimal() and len(text) < 10
    if not (digits and 1 <= int(text) <= _LONGEST):
        raise InputError(
            f"`watch-minutes` must be a number from 1 to {_LONGEST}, not `{text[:20]}`",
            remedy="Leave it out, or write 13 for `ubuntu-slim`. A job ends after six hours.",
        )
    return timedelta(minutes=int(text))


def is_watched(incident: Incident, policy: ReminderPolicy, now: datetime) -> bool:
    """Whether an incident is worth a watch now: its kind is, and it was not left alone."""
    return is_worth_a_watch(incident, policy) and not rests(incident, policy, now)


def is_worth_a_watch(incident: Incident, policy: ReminderPolicy) -> bool:
    """Whether an incident is open, gets reminders, and has one of the watched severities."""
    open = incident.status.open and incident.status is not Status.REPORTED
    return open and incident.severity in policy.watched and (policy.drills or not incident.drill)


def rests(incident: Incident, policy: ReminderPolicy, now: datetime) -> bool:
    """Whether no person has done anything in an incident for so long that its watch rests."""
    at = rests_at(incident, policy)
    return at is not None and at <= now


def rests_at(incident: Incident, policy: ReminderPolicy) -> datetime | None:
    """When the watch rests, if no person does anything until then; None for never."""
    last = incident.last_deed or incident.times[Moment.DECLARED]
    return None if policy.rests is None else last + policy.rests


def next_due(
    incident: Incident,
    checks: Iterable[ChecklistItem],
    streaks: Mapping[str, Streak],
    reporter: str | None,
    policy: ReminderPolicy,
    after: datetime,
) -> datetime | None:
    """The first moment after `after` at which something is due in an incident; None for never.

    What may be due: a reminder, the end of a pause or of an allowance, a probe. `checks` are the
    recovery checks, `streaks` their good answers in a row; `reporter` as for `due`.
    """
    if not incident.status.open or incident.status is Status.REPORTED:
        return None
    checks = tuple(checks)
    ends = [allowed.until for allowed in incident.allow if not allowed.expired]
    moments = [end for end in ends if end > after]
    probe = next_probe(incident, checks, streaks, after)
    moments += [probe] if probe is not None else []
    moments += [each for each in upcoming(incident, checks, policy, after) if each > after]
    if policy.quiet is not None:
        waiting = due(incident, checks, reporter, policy, after)
        moments += [policy.quiet.over(after, each.owner) for each in waiting if each.held]
    return min(moments, default=None)
