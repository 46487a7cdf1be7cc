"""Every kind of reminder has words of its own."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

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


@pytest.mark.parametrize("kind", [kind for kind in ReminderKind if kind.entry.what])
def test_a_reminder_says_how_late_it_is_and_grows_more_urgent(kind: ReminderKind) -> None:
    """In its first words, from miss to miss, by when it is posted, not when it was planned."""
    said = []
    for miss, minutes in enumerate((0, 15, 63, 200, 5000)):
        reminder = Reminder(kind, AT, AT + timedelta(minutes=minutes), miss, "alice", ("alice",))
        now = AT + timedelta(minutes=minutes)
        if kind in INCIDENT_KINDS:
            said.append(comments.remind(reminder, INCIDENT, now))
        else:
            facts = {"due": AT, "resolved": AT, "draft": True, "pr": 5}
            said.append(comments.follow_up(reminder, **facts))
    of = f"SEV1 {kind.entry.what}" if kind in INCIDENT_KINDS else kind.entry.what
    assert said[0].startswith(f"@alice Due now: {of}. ")
    assert said[1].startswith(f"@alice ❗ **15 min late: {of}.** ")
    assert said[2].startswith(f"@alice ❗❗ **63 min late: {of}.** ")
    assert said[3].startswith(f"@alice ❗❗❗ **3 h late: {of}.** ")
    assert said[4].startswith(f"@alice ❗❗❗ **3 days late: {of}.** ")


def test_a_later_miss_asks_more() -> None:
    """First the owner; then that they hand over; then whoever reads it."""
    texts = [
        comments.remind(
            Reminder(ReminderKind.INTERNAL_UPDATE, AT, AT, miss, "alice", ("alice",)), INCIDENT
        )
        for miss in range(3)
    ]
    assert "hand over" not in texts[0]
    assert "`/role comms @user`" in texts[1]
    assert "This is reminder 3" in texts[2]
    assert "Whoever reads this" in texts[2]


def test_a_reminder_that_comes_early_says_in_how_long() -> None:
    """Nothing is late yet."""
    reminder = Reminder(ReminderKind.INTERNAL_UPDATE, AT, AT, 0, "alice", ("alice",))
    text = comments.remind(reminder, INCIDENT, AT - timedelta(minutes=20))
    assert text.startswith("@alice Due in 20 min: SEV1 update. The internal update is due at ")


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
