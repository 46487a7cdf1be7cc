"""What is due after an incident, as tables: when, how loud, and what keeps it silent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from incident_actions.config import read_config
from incident_actions.domain.reminders.due import (
    Reminder,
    ReminderPolicy,
    memory,
    of_action,
    of_postmortem,
)
from incident_actions.domain.reminders.kinds import ACTION_KINDS, POSTMORTEM_KINDS

RESOLVED = datetime(2026, 11, 2, 10, 0, tzinfo=UTC)
DUE = RESOLVED + timedelta(hours=72)
DAY = date(2026, 12, 1)


def policy(text: str = "") -> ReminderPolicy:
    """Our defaults, and what the file says instead."""
    return read_config(f"reminders: {{{text}}}" if text else None).reminders.policy()


def shown(reminder: Reminder | None) -> str:
    """`postmortem-due 1`: the kind and the misses before it."""
    return f"{reminder.kind} {reminder.miss}" if reminder is not None else ""


@pytest.mark.parametrize(
    ("hours", "draft", "expected"),
    [
        (0, True, ""),
        (24, True, ""),
        (24.1, True, "postmortem-not-started 0"),
        (24.1, False, ""),
        (49, True, "postmortem-not-started 1"),
        (72, True, "postmortem-not-started 1"),
        (72.1, True, "postmortem-due 0"),
        (72.1, False, "postmortem-due 0"),
        (97, False, "postmortem-due 1"),
        (24 * 30, True, "postmortem-due 26"),
    ],
)
def test_when_a_postmortem_is_reminded_of(hours: float, draft: bool, expected: str) -> None:
    """A draft from the second day on; whatever is not merged from its due time on."""
    now = RESOLVED + timedelta(hours=hours)
    assert shown(of_postmortem(RESOLVED, DUE, "alice", policy(), now, draft=draft)) == expected


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-28T00:00", ""),
        ("2026-11-28T00:01", "action-due 0"),
        ("2026-11-30T23:59", "action-due 0"),
        ("2026-12-01T23:59", ""),
        ("2026-12-02T00:01", "action-overdue 0"),
        ("2026-12-04T23:59", "action-overdue 0"),
        ("2026-12-05T00:01", ""),
        ("2026-12-09T00:01", "action-overdue 1"),
        ("2027-12-01T00:01", "action-overdue 52"),
    ],
)
def test_when_an_action_item_is_reminded_of(now: str, expected: str) -> None:
    """Three days before; once its day is over; every week. Three days late it is not said."""
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    assert shown(of_action(DAY, "bob", policy(), at)) == expected


@pytest.mark.parametrize(
    ("text", "days", "expected"),
    [
        ("action-due: {after: off}", -2, ""),
        ("action-due: {after: 5d}", -4, "action-due 0"),
        ("action-overdue: {after: off}", 2, ""),
        ("action-overdue: {after: 2d}", 2, ""),
        ("action-overdue: {every: 1d}", 4, "action-overdue 3"),
        ("action-overdue: {every: off}", 9, ""),
    ],
)
def test_each_kind_can_be_changed_and_switched_off(text: str, days: int, expected: str) -> None:
    """As the reminders of an open incident."""
    at = datetime(2026, 12, 1, 1, tzinfo=UTC) + timedelta(days=days)
    assert shown(of_action(DAY, "bob", policy(text), at)) == expected


def test_a_postmortem_without_due_time_is_only_begun() -> None:
    """`postmortem.due` may be off."""
    now = RESOLVED + timedelta(hours=24 * 5 + 1)
    found = of_postmortem(RESOLVED, None, "alice", policy(), now, draft=True)
    assert shown(found) == "postmortem-not-started 4"
    assert of_postmortem(RESOLVED, None, "alice", policy(), now, draft=False) is None


def test_it_gets_louder() -> None:
    """The owner and who is named; then the backup; then the escalation; each of them once."""
    loud = policy(
        "backup: bea, escalation: [acme/sre, Bob], action-overdue: {every: 1d, mention: ['@carl']}"
    )
    at = datetime(2026, 12, 2, 1, tzinfo=UTC)
    heard = []
    for day in range(3):
        found = of_action(DAY, "bob", loud, at + timedelta(days=day))
        assert found is not None
        heard.append(found.mention)
    assert heard == [("bob", "carl"), ("bob", "carl", "bea"), ("bob", "carl", "bea", "acme/sre")]


def test_nothing_comes_in_the_owners_night() -> None:
    """On the clock of the one whose it is."""
    quiet = policy(
        "quiet-hours: {start: '22:00', end: '07:00', timezones: {bob: America/New_York}}"
    )
    at = datetime(2026, 12, 2, 8, tzinfo=UTC)
    for owner, held in (("bob", True), ("alice", False), (None, False)):
        found = of_action(DAY, owner, quiet, at)
        assert found is not None
        assert found.held is held


def test_what_was_said_is_remembered_for_as_long_as_it_matters() -> None:
    """From one reminder to the next, and what it may be late; a month at most."""
    assert memory(ACTION_KINDS, policy()) == timedelta(days=7 + 3 + 1)
    assert memory(POSTMORTEM_KINDS, policy()) == timedelta(days=1 + 3 + 1)
    assert memory(ACTION_KINDS, policy("action-overdue: {every: 300d}")) == timedelta(days=31)
