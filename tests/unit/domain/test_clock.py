"""When something is next due in an incident, and when it is worth a watch."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from incident_actions.config import read_config
from incident_actions.domain.issue.incident import Moment, Role, Status
from incident_actions.domain.playbook.checklist import Streak
from incident_actions.domain.reminders.clock import is_watched, next_due
from incident_actions.domain.reminders.due import due
from tests.unit.domain.test_reminders import ALL, CHECKS, QUIET, allow, at, incident

PROBED = tuple(replace(check, probe="https://api.acme.dev/health") for check in CHECKS)


def nxt(it: Any, after: str, checks: Any = CHECKS, **given: Any) -> str | None:
    """The next moment, as the clock shows it: hours and minutes, or also days."""
    policy, streaks = given.get("policy", ALL), given.get("streaks", {})
    found = next_due(it, checks, streaks, "rita", policy, at(after))
    if found is None:
        return None
    days = (found - at("00:00")).days
    return f"{days} {found:%H:%M}" if days else f"{found:%H:%M}"


@pytest.mark.parametrize(
    ("it", "after", "moment"),
    [
        (incident(roles={}), "03:00", "03:05"),
        (incident(roles={}), "03:06", "03:10"),
        (incident(), "03:00", "03:15"),
        (incident(), "03:16", "03:30"),
        (incident(), "03:46", "04:45"),
        (incident("sev2"), "03:00", "03:30"),
        (incident(next_update=at("03:20")), "03:05", "03:20"),
        (incident(snoozed_until=at("05:00")), "03:05", "05:00"),
        (incident(allow=(allow("abc1234", "03:07"),)), "03:01", "03:07"),
        (incident("sev3"), "03:01", "1 03:00"),
        (incident(status=Status.RESOLVED), "03:01", None),
        (incident(status=Status.REPORTED), "03:01", None),
        (incident(drill=True), "03:01", None),
    ],
)
def test_the_next_moment(it: Any, after: str, moment: str | None) -> None:
    """The earliest of all kinds, pauses and allowances."""
    assert nxt(it, after) == moment


def test_a_probe_is_due_at_once_and_then_again_and_again() -> None:
    """While the incident is monitoring, until the check is verified. Also after a bad answer, which
    leaves no streak: never at the same moment again.
    """
    times = {**incident().times, Moment.MITIGATED: at("03:10")}
    it = incident(status=Status.MONITORING, times=times)
    assert nxt(it, "03:09", PROBED) == "03:10"
    assert nxt(it, "03:11", PROBED) == "03:14"
    streaks = {"error-rate": Streak(since=at("03:11"), count=1, last=at("03:11"))}
    assert nxt(it, "03:11", PROBED, streaks=streaks) != "03:11"
    assert nxt(incident(), "03:11", PROBED) == "03:15"


def test_what_waits_for_the_morning_is_due_in_the_morning() -> None:
    """A held reminder wakes the watch when the quiet hours are over."""
    it = incident("sev3", roles={Role.COMMANDER: "alice"})
    policy = replace(ALL, quiet=QUIET)
    night = due(it, CHECKS, "rita", policy, at("1 03:30"))
    assert [each.held for each in night] == [True]
    morning = QUIET.over(at("1 03:30"), "alice")
    assert nxt(it, "1 03:30", policy=policy) == f"1 {morning:%H:%M}"


@pytest.mark.parametrize(
    ("severity", "config", "hours", "watched"),
    [
        ("sev1", "", 0, True),
        ("sev2", "", 5, True),
        ("sev2", "", 6, False),
        ("sev3", "", 0, False),
        ("sev3", "reminders: {watch: 'sev1, SEV3'}", 0, True),
        ("sev1", "reminders: {watch: off}", 0, False),
        ("sev1", "reminders: {watch-rests: off}", 99, True),
        ("sev1", "reminders: {watch-rests: 30m}", 1, False),
    ],
)
def test_what_is_worth_a_watch(severity: str, config: str, hours: int, watched: bool) -> None:
    """By severity, and while somebody does something."""
    it = incident(severity, last_deed=at("03:00"))
    policy = read_config(config or None).reminders.policy()
    assert is_watched(it, policy, at("03:00") + timedelta(hours=hours)) is watched


def test_at_every_next_moment_something_is_due_that_was_not() -> None:
    """Walked through a day: no moment is missed, and none comes twice."""
    it, now = incident(customers=True), datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    end, seen = now + timedelta(hours=20), set[str]()
    while (moment := next_due(it, CHECKS, {}, "rita", ALL, now)) is not None and moment < end:
        assert moment > now
        keys = {each.key for each in due(it, CHECKS, "rita", ALL, moment)}
        assert keys - seen
        before = {each.key for each in due(it, CHECKS, "rita", ALL, moment - timedelta(seconds=2))}
        assert before <= seen
        seen |= keys
        now = moment
    assert len(seen) > 15
