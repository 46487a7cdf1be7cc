"""What is due after an incident: its postmortem, and the action items that came of it.

Pure, like the reminders of an open incident, and in the same words. Nothing here is urgent: all
of it respects quiet hours, and none of it is said early.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta

from incident_actions.domain.issue.incident import Severity
from incident_actions.domain.reminders.kinds import ReminderKind
from incident_actions.domain.reminders.policy import Reminder, ReminderPolicy

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
