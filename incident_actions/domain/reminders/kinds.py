"""The kinds of reminders, as one table.

To add a kind, add an entry to `ReminderKind`, and its text to a template:
`comments/reminder.md.j2` during an incident, `comments/followup.md.j2` after it. Its section in the
configuration, in the reference and in `ReminderPolicy` are made from the entry.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from msgspec import Struct

from incident_actions.domain.issue.incident import Role

LATEST = timedelta(hours=24)
"""A reminder of an incident that is older than this is not posted any more."""
BySeverity = tuple[str, str, str]
"""A duration as typed, or `off`, for SEV1, SEV2 and SEV3."""


class ReminderEntry(Struct, frozen=True):
    """One row of the table. `help` is its line in the reference.

    `after` and `every` are defaults, written as in the configuration. `after` is the time until the
    first reminder, `off` for never. `every` is the time between two reminders, `off` for only one.
    `owners` are roles: the first of them that somebody holds is reminded. `urgent` reminders
    come in quiet hours, too. A reminder that is older than `latest` is not posted any more. `what`
    names what is late, for the reminder's first words; empty where nothing is.
    """

    key: str
    help: str
    after: str | BySeverity
    every: str | BySeverity
    owners: tuple[Role, ...] = (Role.COMMANDER,)
    urgent: bool = False
    latest: timedelta = LATEST
    what: str = ""


_UPDATES = ("15m", "30m", "off")
_UPDATERS = (Role.COMMS, Role.COMMANDER)
_LATER = timedelta(days=3)  # sweeps serve incidents first, and may leave these to a later sweep


class ReminderKind(StrEnum):
    """Every kind of reminder. Those of open incidents come first, the most urgent first."""

    entry: ReminderEntry

    # One entry in two lines, so that it reads as a table.
    # fmt: off
    NO_COMMANDER = ReminderEntry(
        "no-commander", "Nobody commands.", after="5m", every="5m", urgent=True, what="commander")
    UNACKNOWLEDGED = ReminderEntry(
        "unacknowledged", "The one in command has not acknowledged.", "5m", "5m", urgent=True,
        what="acknowledgement")
    PROMISED_UPDATE = ReminderEntry(
        "promised-update", "An update was promised for now.", "0m", "15m", _UPDATERS, urgent=True,
        what="promised update")
    INTERNAL_UPDATE = ReminderEntry(
        "internal-update", "An internal update is due.", _UPDATES, _UPDATES, _UPDATERS, urgent=True,
        what="update")
    CUSTOMER_UPDATE = ReminderEntry(
        "customer-update", "A customer update is due.", "30m", "30m", _UPDATERS, urgent=True,
        what="customer update")
    NOT_CLOSED = ReminderEntry(
        "not-closed", "Recovery is verified, and it is still open.", "15m", "30m", what="closing")
    OVERRIDE_EXPIRED = ReminderEntry(
        "override-expired", "A change was let through, and that time is over.", "0m", "off")
    STALLED = ReminderEntry(
        "stalled", "Nothing happened for long.", ("off", "off", "24h"), "24h", what="news")
    FORGOTTEN = ReminderEntry(
        "forgotten",
        "Nothing happened for days: all that is due, for who is on call, in place of the others.",
        "3d", "7d")
    POSTMORTEM_NOT_STARTED = ReminderEntry(
        "postmortem-not-started", "A postmortem is still a draft; counted from the resolution.",
        "24h", "24h", latest=_LATER)
    POSTMORTEM_DUE = ReminderEntry(
        "postmortem-due", "A postmortem is not merged when it is due.", "0m", "24h", latest=_LATER,
        what="postmortem")
    ACTION_DUE = ReminderEntry(
        "action-due", "An action item is due soon; `after` is how long before.",
        "3d", "off", latest=_LATER)
    ACTION_OVERDUE = ReminderEntry(
        "action-overdue", "The day that an action item is due is over.", "0m", "7d", latest=_LATER,
        what="action item")
    # fmt: on

    def __new__(cls, entry: ReminderEntry) -> ReminderKind:
        """Make a member from its entry. The member's value is the entry's key."""
        kind = str.__new__(cls, entry.key)
        kind._value_ = entry.key
        kind.entry = entry
        return kind


POSTMORTEM_KINDS = (ReminderKind.POSTMORTEM_DUE, ReminderKind.POSTMORTEM_NOT_STARTED)
ACTION_KINDS = (ReminderKind.ACTION_OVERDUE, ReminderKind.ACTION_DUE)
"""Only the first that is due is posted, so the reminder that becomes due later stands first."""
INCIDENT_KINDS = frozenset(ReminderKind) - {*POSTMORTEM_KINDS, *ACTION_KINDS}
"""The kinds that can be due while an incident is open."""
