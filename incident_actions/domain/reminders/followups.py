"""What is due after an incident: its postmortem, and the action items that came of it.

Pure, like the reminders of an open incident, and in the same words. Nothing here is urgent: all
of it respects quiet hours, and none of it is said early.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from msgspec import Struct

from incident_actions.domain.reminders.incident import QuietHours, Reminder, each_once, newest_slot

LATEST = timedelta(days=3)
"""What could not be said for so long, because of an incident, waits for its next time."""
_LONGEST_MEMORY = timedelta(days=31)
_DAY = timedelta(days=1)


class FollowupKind(StrEnum):
    """What can be due."""

    NOT_STARTED = "postmortem-not-started"
    POSTMORTEM_DUE = "postmortem-due"
    ACTION_DUE = "action-due"
    ACTION_OVERDUE = "action-overdue"


POSTMORTEMS = (FollowupKind.POSTMORTEM_DUE, FollowupKind.NOT_STARTED)
ACTIONS = (FollowupKind.ACTION_OVERDUE, FollowupKind.ACTION_DUE)
"""The later one comes first: it takes the place of the one before."""


class FollowupTiming(Struct, frozen=True):
    """After how long, and how often then. None: never; `every` None: only once."""

    after: timedelta | None
    every: timedelta | None
    mention: tuple[str, ...] = ()


class FollowupPolicy(Struct, frozen=True):
    """What a team wants."""

    paces: Mapping[FollowupKind, FollowupTiming]
    backup: str | None = None
    escalation: tuple[str, ...] = ()
    quiet: QuietHours | None = None

    def memory(self, kinds: Iterable[FollowupKind]) -> timedelta:
        """How old the reminder before can be: as old as they are apart, and said late."""
        gaps = (self.paces[kind].every or timedelta() for kind in kinds)
        return min(max(gaps) + LATEST + _DAY, _LONGEST_MEMORY)


def of_postmortem(
    resolved: datetime,
    due: datetime | None,
    owner: str | None,
    policy: FollowupPolicy,
    now: datetime,
    *,
    draft: bool,
) -> Reminder | None:
    """What to say of a postmortem that is not merged.

    It becomes ready for review once every part of it is written. So one that is still a draft
    counts as not started: nobody can see more of it without reading it.
    """
    starts = {
        FollowupKind.POSTMORTEM_DUE: due,
        FollowupKind.NOT_STARTED: resolved if draft else None,
    }
    begins = {kind: _plus(starts[kind], policy.paces[kind].after) for kind in POSTMORTEMS}
    return _newest(begins, owner, policy, now)


def of_action(
    due: date, owner: str | None, policy: FollowupPolicy, now: datetime
) -> Reminder | None:
    """What to say of an open action item. The day that it is due ends with UTC's."""
    day = datetime.combine(due, time(), UTC)
    before = policy.paces[FollowupKind.ACTION_DUE].after
    begins = {
        FollowupKind.ACTION_OVERDUE: _plus(
            day + _DAY, policy.paces[FollowupKind.ACTION_OVERDUE].after
        ),
        FollowupKind.ACTION_DUE: day - before if before is not None else None,
    }
    return _newest(begins, owner, policy, now)


def _plus(since: datetime | None, after: timedelta | None) -> datetime | None:
    return since + after if since is not None and after is not None else None


def _newest(
    begins: Mapping[FollowupKind, datetime | None],
    owner: str | None,
    policy: FollowupPolicy,
    now: datetime,
) -> Reminder | None:
    """The newest reminder of the first kind that has begun."""
    for kind, since in begins.items():
        if since is None or since >= now:
            continue
        pace = policy.paces[kind]
        miss, slot = newest_slot(since, pace.every, now)
        if now - slot > LATEST:
            return None
        told = [owner, *pace.mention, policy.backup if miss >= 1 else None]
        told += policy.escalation if miss >= 2 else ()
        return Reminder(
            kind=kind,
            since=since,
            slot=slot,
            miss=miss,
            owner=owner,
            mention=each_once(told),
            held=policy.quiet is not None and policy.quiet.holds(now, owner),
        )
    return None
