"""The moments that people mean, in commands, forms and freezes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incident_actions.domain.issue.incident import Moment
from incident_actions.domain.text.moments import (
    DateOrder,
    Unreadable,
    read_coming_moment,
    read_past_moment,
)
from incident_actions.domain.timeline.parser import MisreadLine, TakenLine, read_comment
from tests.unit.domain.chat import DECLARED, Chat

SAID = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)

READ = [
    ("14:02", "23 14:02"),
    ("14:02 GMT+1", "23 13:02"),
    ("14:02 UTC+5:30", "23 08:32"),
    ("14:02 CET", "23 13:02"),
    ("14:02 cest", "23 12:02"),
    ("14:02 (CET)", "23 13:02"),
    ("06:02 PST", "23 14:02"),
    ("09:02 EST", "23 14:02"),
    ("23:02 JST", "23 14:02"),
    ("14:02 Europe/Berlin", "23 13:02"),
    ("14:02 Asia/Kolkata", "23 08:32"),
    ("14:02 +0100", "23 13:02"),
    ("14:02+01:00", "23 13:02"),
    ("14:02 -03:30", "22 17:32"),
    ("1400", "23 14:00"),
    ("1400 UTC", "23 14:00"),
    ("2:02 pm", "23 14:02"),
    ("2:02 p.m.", "23 14:02"),
    ("2pm", "23 14:00"),
    ("12:30 am", "23 00:30"),
    ("12 pm", "23 12:00"),
    ("03.11.2026 14:02", "03 14:02"),
    ("22.11. 14:02", "22 14:02"),
    ("22/11/2026 14:02", "22 14:02"),
    ("2026/11/22 14:02", "22 14:02"),
    ("03/11/2026 14:02 CET", "03 13:02"),
    ("11/03/2026 06:02 PST", "03 14:02"),
    ("Nov 22, 2026 14:02", "22 14:02"),
    ("22nd of November 14:02", "22 14:02"),
    ("Sun 22 Nov 14:02", "22 14:02"),
    ("Sunday 14:02", "22 14:02"),
    ("on Sunday at 2pm", "22 14:00"),
    ("yesterday 22:00", "22 22:00"),
    ("22:00, yesterday", "22 22:00"),
    ("today at 2:02 pm", "23 14:02"),
    ("since 14:02", "23 14:02"),
    ("started at 14:02", "23 14:02"),
    ("~14:02", "23 14:02"),
    ("ca. 14:02, I think", "23 14:02"),
    ("1.5 hours ago", "23 13:00"),
    ("2h 15m ago", "23 12:15"),
    ("2 hours and 15 minutes ago", "23 12:15"),
    ("about an hour ago", "23 13:30"),
    ("half an hour ago", "23 14:00"),
    ("2 days ago", "21 14:30"),
    ("two hours ago", "23 12:30"),
    ("now", "23 14:30"),
    ("14:02h", "23 14:02"),
    ("14:02 UTC on Nov 22", "22 14:02"),
    ("2026-11-23T14:02:11.123Z", "23 14:02"),
    ("20261123T140200Z", "23 14:02"),
    ("2026-11-23T1402Z", "23 14:02"),
    ("Mon Nov 23 14:02:11 UTC 2026", "23 14:02"),
    ("14:02 zulu", "23 14:02"),
    ("15:02 europe/berlin", "23 14:02"),
    ("14:02 Etc/UTC", "23 14:02"),
    ("１４：０２", "23 14:02"),
    ("`14:02`", "23 14:02"),
    ("(14:02)", "23 14:02"),
    ("Mon 16 Nov 14:02", "16 14:02"),
]
UNREAD = [
    ("", "can't be read"),
    ("May", "can't be read"),
    ("1h", "can't be read"),
    ("1,5 hours ago", "can't be read"),
    ("a few hours ago", "can't be read"),
    ("14h02", "can't be read"),
    ("14.02", "can't be read"),
    ("this morning", "can't be read"),
    ("a while ago", "can't be read"),
    ("2026", "may be a year"),
    ("14:02 IST", "the name of several time zones"),
    ("14:02 CST", "the name of several time zones"),
    ("14:02 BST", "the name of several time zones"),
    ("14:02 XQT", "no time zone that is known"),
    ("14:02 Europe/Nowhere", "no time zone"),
    ("14:02 +9999", "no time zone"),
    ("08:00-2400", "no time zone"),
    ("14:02 local time", "whose time"),
    ("2:02 in the afternoon", "whose time"),
    ("14:02-14:10", "no time zone"),
    ("14:02 or 14:10", "two times"),
    ("14:02 pm", "no time of day"),
    ("24:00", "no time of day"),
    ("25:61", "no time of day"),
    ("2026-11-23", "the time of day is missing"),
    ("03/11/2026 14:02", "may be 2026-11-03 or 2026-03-11"),
    ("2026-02-30 14:02", "no date and time"),
    ("Monday 22 November 2026 14:02", "2026-11-22 is a Sunday"),
    ("Monday 22 November 14:02", "2026-11-22 is a Sunday"),
    ("14:02, 14:10", "two times"),
    ("14:02 UTC (15:02 CET)", "two times"),
    ("2:15 ago", "makes it another one"),
    ("14:02 +/- 5", "makes it another one"),
    ("8 am this morning", "makes it another one"),
    ("14:02 Pacific", "whose time"),
    ("15:02 Berlin", "whose time"),
    ("8:00am EST/1:00pm UTC", "whose time"),
    ("14:02 first alert", "as one time"),
    ("24.12.2026 18:00 bis 2.1.2027 08:00", "two times"),
    ("2026-10-25 02:30 Europe/Berlin", "the clocks change"),
    ("2026-11-24 08:00", "in the future"),
    ("2026-10-01 08:00", "more than 30 days ago"),
    ("Friday Jan-06-2023 @ 14:00 UTC", "2023-01-06 14:00 UTC, more than 30 days ago"),
    ("15m 2h ago", "can't be read"),
    ("0001-01-01T00:00+14:00", "no date and time"),
    ("9999-12-31 23:59", "no date and time"),
    ("0000-01-01 00:00", "no date and time"),
    ("٣:٠٢", "can't be read"),
    ("14:02 " * 60, "too long"),
]


@pytest.mark.parametrize(("text", "at"), READ)
def test_the_right_moment_in_a_form(text: str, at: str) -> None:
    """Zones by name and offset, both clocks, dates in words and numbers, several parts."""
    found = read_past_moment(text, SAID)
    assert f"{found:%d %H:%M}" == at
    assert (found.year, found.month) == (2026, 11)


@pytest.mark.parametrize(("text", "reason"), UNREAD)
def test_never_a_guess(text: str, reason: str) -> None:
    """What has no meaning, or two, is refused with the reason."""
    with pytest.raises(Unreadable) as refused:
        read_past_moment(text, SAID)
    assert reason in refused.value.reason


@pytest.mark.parametrize(
    ("order", "month"), [(DateOrder.DAY_FIRST, 11), (DateOrder.MONTH_FIRST, 3)]
)
def test_the_teams_order_of_dates(order: DateOrder, month: int) -> None:
    """`date-order` says what `03/11/2026` is, unless the zone says something else."""
    declared = datetime(2026, month, 23, tzinfo=UTC)
    assert read_past_moment("03/11/2026 14:02", declared, order).month == month
    zone = "PST" if order is DateOrder.DAY_FIRST else "CET"
    with pytest.raises(Unreadable, match="may be"):
        read_past_moment(f"03/11/2026 14:02 {zone}", declared, order)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("/mitigated at 2:02 pm", "23 14:02"),
        ("/mitigated at 14:02 CET", "23 13:02"),
        ("/mitigated at 14:02 +0100 rollback is live", "23 13:02"),
        ("/mitigated at 14:02+01:00", "23 13:02"),
        ("/mitigated 14:02", "23 14:02"),
        ("/mitigated since 14:02", "23 14:02"),
        ("/mitigated 20 min ago by a rollback", "23 14:10"),
        ("/ack @ 14:02", "23 14:02"),
        ("/note at 14:02 DNS was fixed", "23 14:02"),
        ("/time started 13:58", "23 13:58"),
        ("/time started yesterday 22:00", "22 22:00"),
        ("/time started 2h 15m ago", "23 12:15"),
        ("/time started at 2026-09-01T08:00Z", "01 08:00"),
        ("/time started around 14:02", "23 14:02"),
        ("/time started 1402", "23 14:02"),
        ("/mitigated ~14:02", "23 14:02"),
        ("/mitigated at １４：０２ rollback", "23 14:02"),
        ("/mitigated at 14:02 Utc", "23 14:02"),
        ("/mitigated half an hour ago", "23 14:00"),
        ("/note at 14:02 (CET) DNS was fixed", "23 13:02"),
        ("/note at 14:02 in Berlin the power failed", "23 14:02"),
        ("/severity sev2 14:02", "23 14:02"),
    ],
)
def test_the_right_moment_in_a_command(text: str, at: str) -> None:
    """The same grammar; a full date with a zone may be older."""
    (found,) = read_comment(text, SAID)
    assert isinstance(found, TakenLine), found
    assert f"{found.at:%d %H:%M}" == at


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("/mitigated at 14:02 IST", "several time zones"),
        ("/mitigated at 14:02 Berlin time", "whose time"),
        ("/mitigated at noon", "can't be read as a time"),
        ("/mitigated at 14", "can't be read as a time"),
        ("/mitigated at 1400 users back", "may be a number or a time"),
        ("/mitigated 14:02 deploy was reverted", "needs `at` before it"),
        ("/mitigated 2h", "`ago` at its end"),
        ("/mitigated at 14:02-2400", "no time zone"),
        ("/time started at May", "can't be read as a time"),
        ("/time started at 13:58 or 14:05", "two times"),
        ("/time started at 2026-09-01 08:00", "more than 30 days ago"),
        ("/time started gestern 22:00", "can't be read as a time"),
        ("/mitigated noon", "can't be read as a time"),
        ("/mitigated um 14:02", "can't be read as a time"),
        ("/mitigated 14h02", "has a clock"),
        ("/mitigated vor 20 Minuten", "can't be read as a time"),
        ("/mitigated rollback is live at 14:02", "right behind the command's name"),
        ("/mitigated at ٢:٠٢", "can't be read as a time"),
        ("/mitigated at Montag 14:02", "can't be read as a time"),
        ("/mitigated at 1795442520", "can't be read as a time"),
        ("/mitigated at 15:02 Berlin", "whose time"),
        ("/mitigated at 2:15 ago", "makes it another one"),
        ("/mitigated at 8:00am EST/1:00pm UTC", "whose time"),
    ],
)
def test_a_command_with_a_doubtful_time_is_told(text: str, reason: str) -> None:
    """It is not taken for now, nor for another time."""
    (found,) = read_comment(text, SAID)
    assert isinstance(found, MisreadLine), found
    assert reason in found.reason
    assert found.suggestion.startswith(text.split()[0])


@pytest.mark.parametrize("answer", ["14:02 IST", "May", "1400-2400", "2026-11-24 08:00", "1h"])
def test_a_start_that_cannot_be_read_is_asked_about(answer: str) -> None:
    """Until it is corrected, it is unknown; the answer says what to type."""
    chat = Chat({"severity": "SEV1", "started": answer})
    assert chat.incident.times[Moment.STARTED] == DECLARED
    (said,) = chat.bot
    assert f"`{answer}` was not taken" in said
    assert "`/time started at " in said
    assert "edit the answer in the form" in said


@pytest.mark.parametrize("answer", ["", "tbd", "?", "13:02 GMT+1", "2 hours ago"])
def test_a_start_that_can_be_read_or_is_no_answer_is_not_asked_about(answer: str) -> None:
    """No words where there is nothing to say."""
    assert Chat({"severity": "SEV1", "started": answer}).bot == []


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Friday Jan-06-2023 @ 14:00 UTC", "2023-01-06 14:00"),
        ("2026-12-28 09:00 CET", "2026-12-28 08:00"),
        ("16:00", "2026-11-23 16:00"),
        ("08:00", "2026-11-24 08:00"),
        ("Monday 08:00", "2026-11-30 08:00"),
        ("3 Jan 08:00", "2027-01-03 08:00"),
    ],
)
def test_the_end_of_a_freeze_lies_ahead(text: str, at: str) -> None:
    """A part that is missing is that of the next such moment."""
    assert f"{read_coming_moment(text, SAID):%Y-%m-%d %H:%M}" == at


def test_a_moment_is_never_later_than_it_was_said() -> None:
    """Whatever the zone, a clock time is one of the last day."""
    for hour in range(24):
        for zone in ("UTC", "NZDT", "HST", "+14:00", "-12:00", "Asia/Kathmandu"):
            at = read_past_moment(f"{hour:02}:30 {zone}", SAID)
            assert SAID - timedelta(days=1) < at <= SAID
