"""The table of reminders.

A new kind is an entry in `ReminderKind` and its words in a template (`comments/reminder.md.j2`
during an incident, `comments/followup.md.j2` after it). Its section in the configuration, the
reference and its place in the policy follow from the entry.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from incident_actions.domain.issue.incident import Role

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
