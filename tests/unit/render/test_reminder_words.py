"""Every kind of reminder has words of its own."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from incident_actions.domain.issue.incident import Incident, Moment, Severity, Status
from incident_actions.domain.reminders.due import Reminder
from incident_actions.domain.reminders.kinds import ACTION_KINDS, INCIDENT_KINDS, ReminderKind
from incident_actions.render import comments

AT = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
INCIDENT = Incident(
    status=Status.INVESTIGATING, severity=Severity.SEV1, times={Moment.DECLARED: AT}
)


def words(kind: ReminderKind) -> str:
    """What is said first, without who it is said to."""
    reminder = Reminder(kind, since=AT, slot=AT, miss=0, owner="alice", mention=("alice",))
    if kind in INCIDENT_KINDS:
        text = comments.remind(reminder, INCIDENT)
    elif kind in ACTION_KINDS:
        text = comments.follow_up(reminder, due=date(2026, 12, 1), pr=5)
    else:
        text = comments.follow_up(reminder, resolved=AT, due=AT, draft=True)
    said, _, marker = text.partition("\n")
    assert f"<!-- incident-actions:reminder {reminder.key} -->" in marker
    return said


@pytest.mark.parametrize("kind", ReminderKind)
def test_every_kind_of_reminder_has_its_words(kind: ReminderKind) -> None:
    """Its owner is told a sentence, and no other kind says the same."""
    said = words(kind)
    assert said.startswith("@alice ")
    assert len(said) > 40
    assert [other for other in ReminderKind if words(other) == said] == [kind]


def test_a_summary_lists_what_is_due() -> None:
    """Each with the time since when, and what to type."""
    since = datetime(2026, 11, 23, 3, 15, tzinfo=UTC)
    summary = Reminder(
        ReminderKind.FORGOTTEN,
        since,
        since,
        1,
        "alice",
        ("olga", "alice"),
        covers=((ReminderKind.INTERNAL_UPDATE, since), (ReminderKind.NO_COMMANDER, since)),
    )
    incident = Incident(
        status=Status.INVESTIGATING,
        severity=Severity.SEV1,
        times={Moment.DECLARED: since},
        last_activity=since,
    )
    text = comments.remind(summary, incident)
    assert text.startswith("@olga @alice Nothing has happened here since 2026-11-23 03:15 UTC")
    assert "- 2026-11-23 03:15 UTC: An internal update is due." in text
    assert "`/resolve`" in text
    assert "once a week" in text
