"""Reminders as tables: when each kind is due, for whom it is loud, and what keeps it silent."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from incident_actions.config import read_config
from incident_actions.domain.issue.incident import (
    Allowance,
    Incident,
    Moment,
    Role,
    Severity,
    Status,
    Verification,
)
from incident_actions.domain.playbook.checklist import ChecklistItem
from incident_actions.domain.reminders.due import (
    QuietHours,
    Reminder,
    ReminderPolicy,
    due,
    next_update_due,
)
from incident_actions.domain.reminders.kinds import ReminderKind
from incident_actions.errors import ConfigError

CHECKS = (ChecklistItem(key="error-rate", text="Error rate is back"),)
ALL = read_config(None).reminders.policy()


def at(text: str) -> datetime:
    """`03:05` on the day of the incident, or `2 03:05` two days later."""
    day, _, clock = text.rpartition(" ")
    hour, minute = map(int, clock.split(":"))
    return datetime(2026, 11, 23, hour, minute, tzinfo=UTC) + timedelta(days=int(day or 0))


def incident(severity: str = "sev1", *, ack: bool = True, **given: Any) -> Incident:
    """Declared at 03:00; alice commands and has acknowledged."""
    times = {Moment.DECLARED: at("03:00")} | ({Moment.ACKNOWLEDGED: at("03:01")} if ack else {})
    facts = {
        "status": Status.INVESTIGATING,
        "times": times,
        "roles": {Role.COMMANDER: "alice"},
        "last_activity": at("03:00"),
        **given,
    }
    return Incident(severity=Severity(severity), **facts)


def say(
    it: Incident, now: str, policy: ReminderPolicy = ALL, *, early: int = 0
) -> dict[str, Reminder]:
    """What is due, or will be in `early` minutes, by kind."""
    found = due(it, CHECKS, "rita", policy, at(now), timedelta(minutes=early))
    assert len({each.kind for each in found}) == len(found)
    return {each.kind.value: each for each in found}


def allow(sha: str, until: str, by: str = "alice") -> Allowance:
    """A change that was let through."""
    return Allowance(by=by, at=at("03:00"), until=at(until), reason="the fix", sha=sha)


VERIFIED = {"error-rate": Verification("alice", at("04:00"))}
FIRSTS = [
    ("no-commander", incident(roles={}), "03:05"),
    ("no-commander", incident(roles={}, vacant_since=at("04:00")), "04:05"),
    ("unacknowledged", incident(ack=False), "03:05"),
    ("internal-update", incident("sev1"), "03:15"),
    ("internal-update", incident("sev2"), "03:30"),
    ("internal-update", incident("sev1", last_update=at("03:10")), "03:25"),
    ("internal-update", incident("sev1", restarted_at=at("2 03:00")), "2 03:15"),
    (
        "internal-update",
        incident("sev1", restarted_at=at("03:40"), last_update=at("03:10")),
        "03:55",
    ),
    ("promised-update", incident("sev3", next_update=at("03:40")), "03:40"),
    ("customer-update", incident("sev3", customers=True), "03:30"),
    (
        "customer-update",
        incident("sev3", customers=True, last_customer_update=at("03:20")),
        "03:50",
    ),
    ("not-closed", incident("sev3", status=Status.MONITORING, verified=VERIFIED), "04:15"),
    ("override-expired", incident("sev3", allow=(allow("abc1234", "05:00"),)), "05:00"),
    ("stalled", incident("sev3"), "1 03:00"),
]


@pytest.mark.parametrize(("kind", "it", "first"), FIRSTS, ids=[f"{k} {t}" for k, _, t in FIRSTS])
def test_each_kind_is_due_after_its_time(kind: str, it: Incident, first: str) -> None:
    """Not up to the minute when it is due, and with that minute as its slot right after."""
    minute = timedelta(minutes=1)
    assert kind not in {r.kind for r in due(it, CHECKS, "rita", ALL, at(first))}
    after = {r.kind: r for r in due(it, CHECKS, "rita", ALL, at(first) + minute)}
    assert after[ReminderKind(kind)].slot == after[ReminderKind(kind)].since == at(first)
    assert after[ReminderKind(kind)].miss == 0


SILENT = [
    ("a promised update takes the place of the usual one", incident(next_update=at("09:00"))),
    ("nothing is due of a drill", incident(roles={}, drill=True)),
    ("nothing is due of a report that waits", incident(roles={}, status=Status.REPORTED)),
    ("nothing is due once it is resolved", incident(roles={}, status=Status.RESOLVED)),
    ("nothing is due while reminders pause", incident(roles={}, snoozed_until=at("04:01"))),
    ("a SEV3 owes no updates", incident("sev3")),
    ("verified, but not monitoring yet", incident("sev3", verified=VERIFIED)),
]


@pytest.mark.parametrize(("why", "it"), SILENT, ids=[why for why, _ in SILENT])
def test_nothing_is_said(why: str, it: Incident) -> None:
    """An hour after the declaration nothing is due."""
    assert say(it, "04:00") == {}


def test_a_pause_ends_at_its_time() -> None:
    """What is still due is said again then, at once."""
    it = incident(roles={}, snoozed_until=at("04:00"))
    assert say(it, "03:59") == {}
    assert "no-commander" in say(it, "04:00")


def test_drills_are_reminded_of_when_the_team_asks_for_it() -> None:
    """`drills: true`."""
    policy = read_config("reminders: {drills: true}").reminders.policy()
    assert "no-commander" in say(incident(roles={}, drill=True), "03:10", policy)


@pytest.mark.parametrize(
    ("now", "slot", "miss"),
    [
        ("03:16", "03:15", 0),
        ("03:30", "03:15", 0),
        ("03:31", "03:30", 1),
        ("03:46", "03:45", 2),
        ("04:45", "03:45", 2),
        ("04:46", "04:45", 3),
        ("05:50", "05:45", 4),
    ],
)
def test_misses_come_at_most_hourly_after_the_third(now: str, slot: str, miss: int) -> None:
    """SEV1 updates: after 15, 30 and 45 minutes, then every hour; only the newest is said."""
    found = say(incident(), now)["internal-update"]
    assert (found.slot, found.miss) == (at(slot), miss)
    assert found.since == at("03:15")


@pytest.mark.parametrize(
    ("now", "told"),
    [
        ("03:16", ("carl", "pat")),
        ("03:31", ("carl", "pat", "alice", "ben")),
        ("03:46", ("carl", "pat", "alice", "ben", "acme/sre")),
        ("06:00", ("carl", "pat", "alice", "ben", "acme/sre")),
    ],
)
def test_each_miss_is_louder(now: str, told: tuple[str, ...]) -> None:
    """Its owner; then the commander and the backup too; then the escalation team. Nobody twice."""
    text = """
reminders:
  backup: "@ben"
  escalation: [acme/sre, Alice]
  internal-update: {mention: [pat]}
"""
    it = incident(roles={Role.COMMANDER: "alice", Role.COMMS: "carl"})
    found = say(it, now, read_config(text).reminders.policy())
    assert found["internal-update"].mention == told


@pytest.mark.parametrize(
    ("kind", "roles", "owner"),
    [
        ("internal-update", {Role.COMMS: "carl", Role.COMMANDER: "alice"}, "carl"),
        ("internal-update", {Role.COMMANDER: "alice"}, "alice"),
        ("internal-update", {Role.SCRIBE: "sue"}, "rita"),
        ("no-commander", {Role.COMMS: "carl"}, "rita"),
        ("override-expired", {Role.COMMANDER: "alice"}, "olga"),
    ],
)
def test_whose_a_reminder_is(kind: str, roles: dict[Role, str], owner: str) -> None:
    """Updates are the communications owner's, the rest the commander's, else the reporter's."""
    it = incident(roles=roles, allow=(allow("abc1234", "03:10", by="olga"),))
    assert say(it, "04:00")[kind].owner == owner


@pytest.mark.parametrize(
    ("early", "now", "said"),
    [(5, "03:10", False), (5, "03:11", True), (60, "03:01", True), (-1, "03:16", False)],
)
def test_a_reminder_is_as_early_as_it_has_to_be(early: int, now: str, said: bool) -> None:
    """When the next run would come after the due time, this one speaks; due at 03:15."""
    assert ("internal-update" in say(incident(), now, early=early)) is said


@pytest.mark.parametrize(
    ("now", "slot", "miss"),
    [("03:01", "03:15", 0), ("03:16", "03:30", 1), ("03:40", "03:45", 2), ("03:46", "04:45", 3)],
)
def test_only_the_next_reminder_is_early(now: str, slot: str, miss: int) -> None:
    """Else an hour ahead would escalate what nobody has missed yet."""
    found = say(incident(), now, early=60)["internal-update"]
    assert (found.slot, found.miss) == (at(slot), miss)


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("04:30", "04:00"),
        ("06:30", "06:00"),
        ("09:30", "09:00"),
    ],
)
def test_the_override_that_ended_last_is_told(now: str, ends: str) -> None:
    """Each in its turn; one that was given again has not ended."""
    given = (
        allow("aaa1111", "04:00"),
        allow("bbb2222", "05:00"),
        allow("ccc3333", "06:00"),
        allow("bbb2222", "09:00"),
    )
    assert say(incident("sev3", allow=given), now)["override-expired"].slot == at(ends)


@pytest.mark.parametrize("again", ["aaa1111", "aaa1111bb", "aaa1111" + 33 * "b"])
def test_an_override_that_was_given_again_has_not_ended(again: str) -> None:
    """However much of the commit's SHA is typed each time."""
    given = (allow("aaa1111", "04:00"), allow(again, "09:00"))
    assert "override-expired" not in say(incident("sev3", allow=given), "06:30")


def test_what_is_a_day_late_is_not_said() -> None:
    """An override that ended on Friday is no news on Monday."""
    it = incident("sev3", allow=(allow("aaa1111", "04:00"),), last_activity=at("3 00:00"))
    assert "override-expired" in say(it, "1 04:00")
    assert "override-expired" not in say(it, "1 04:01")


QUIET = QuietHours(time(22), time(7), "Europe/Berlin", {"bob": "America/New_York"})


@pytest.mark.parametrize(
    ("owner", "now", "quiet"),
    [
        ("alice", "20:59", False),
        ("alice", "21:00", True),
        ("alice", "05:59", True),
        ("alice", "06:00", False),
        ("Bob", "06:00", True),
        ("bob", "12:00", False),
        ("bob", "21:00", False),
        (None, "23:30", True),
    ],
)
def test_quiet_hours_are_the_owners(owner: str | None, now: str, quiet: bool) -> None:
    """22:00 to 07:00 where they live: Berlin is an hour ahead of UTC, New York five behind."""
    assert QUIET.holds(at(now), owner) is quiet


def test_quiet_hours_within_a_day() -> None:
    """From 12:00 to 13:00: the end is outside."""
    lunch = QuietHours(time(12), time(13), "UTC")
    assert [lunch.holds(at(t), None) for t in ("11:59", "12:00", "12:59", "13:00")] == [
        False,
        True,
        True,
        False,
    ]


def test_quiet_hours_hold_what_is_not_urgent() -> None:
    """At night an update is still due; that a SEV3 stalls waits for the morning."""
    policy = replace(ALL, quiet=QUIET)
    it = incident("sev3", customers=True)
    night, morning = say(it, "1 03:30", policy), say(it, "1 06:00", policy)
    assert {kind: r.held for kind, r in night.items()} == {
        "customer-update": False,
        "stalled": True,
    }
    assert not morning["stalled"].held
    assert morning["stalled"].key == night["stalled"].key


@pytest.mark.parametrize(
    ("it", "expected"),
    [
        (incident("sev1"), "03:15"),
        (incident("sev2", last_update=at("04:00")), "04:30"),
        (incident("sev1", next_update=at("05:00")), "05:00"),
        (incident("sev1", restarted_at=at("06:00"), last_update=at("04:00")), "06:15"),
        (incident("sev3"), None),
        (incident("sev1", status=Status.RESOLVED), None),
    ],
)
def test_the_dashboard_names_the_next_update(it: Incident, expected: str | None) -> None:
    """The same clock as the reminder's."""
    found = next_update_due(it, ALL.timings[ReminderKind.INTERNAL_UPDATE].after)
    assert found == (at(expected) if expected else None)


def test_a_key_holds_kind_and_slot() -> None:
    """So that the same miss is never said twice, and the next one is."""
    assert say(incident(), "03:31")["internal-update"].key == "internal-update.20261123T033000Z"


@pytest.mark.parametrize(
    ("text", "kind", "after", "every"),
    [
        ("no-commander: {after: 10m, every: 1h}", ReminderKind.NO_COMMANDER, 10, 60),
        ("no-commander: {after: off}", ReminderKind.NO_COMMANDER, None, 5),
        ("customer-update: {every: off}", ReminderKind.CUSTOMER_UPDATE, 30, None),
        ("stalled: {after: 1d12h30m}", ReminderKind.STALLED, 2190, 1440),
        ("internal-update: {sev2: 20m}", ReminderKind.INTERNAL_UPDATE, 20, 20),
        ("promised-update: {after: 0m}", ReminderKind.PROMISED_UPDATE, 0, 15),
    ],
)
def test_the_configuration_sets_times(
    text: str, kind: ReminderKind, after: int | None, every: int | None
) -> None:
    """In minutes for a SEV2; what is left out stays as it was."""

    def minutes(gap: timedelta | None) -> int | None:
        return None if gap is None else int(gap.total_seconds() // 60)

    timing = read_config(f"reminders: {{{text}}}").reminders.policy().timings[kind]
    sev2 = Severity.SEV2
    assert (minutes(timing.after[sev2]), minutes(timing.every[sev2])) == (after, every)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "watch-rests: 0m",
            "reminders.watch-rests: must be a time above zero like `30m` or `1d12h`, or `off`",
        ),
        ("watch: sev4", "reminders.watch: `sev4` must be severities like `sev1, sev2`, or `off`"),
        (
            "stalled: {after: soon}",
            "reminders.stalled.after: must be a time like `30m`, `2h`, `1d12h`, or `off`",
        ),
        (
            "stalled: {after: 99999999d}",
            "reminders.stalled.after: must be a time like `30m`, `2h`, `1d12h`, or `off`",
        ),
        (
            "stalled: {every: 0h}",
            "reminders.stalled.every: must be a time above zero like `30m` or `1d12h`, or `off`",
        ),
        (
            "internal-update: {sev1: 0m}",
            "reminders.internal-update.sev1: "
            "must be a time above zero like `30m` or `1d12h`, or `off`",
        ),
        (
            "escalation: [acme/sre, 'the team']",
            "reminders.escalation[1]: must be a login, or a team as `org/team`",
        ),
        (
            "stalled: {mention: ['@a', 'a<b>']}",
            "reminders.stalled.mention[1]: must be a login, or a team as `org/team`",
        ),
        ("drills: maybe", "reminders.drills: must be `true` or `false`, not text"),
        (
            "stalled: 24h",
            "reminders.stalled: must be a mapping, not text: write `key: value` lines below it",
        ),
        ("staled: {}", "reminders.staled: unknown key, did you mean `stalled`?"),
        ("stalled: {afer: 1h}", "reminders.stalled.afer: unknown key, did you mean `after`?"),
        ("quiet-hours: {start: 22:00}", "reminders.quiet-hours.end: is missing"),
        (
            "quiet-hours: {start: 24:00, end: 07:00}",
            "reminders.quiet-hours.start: must be a time of day like `07:00`",
        ),
        (
            "quiet-hours: {start: 22:00, end: 07:00, timezone: Mars/Base}",
            "reminders.quiet-hours.timezone: `Mars/Base` is no time zone like Europe/Berlin",
        ),
        (
            "quiet-hours: {start: 22:00, end: 07:00, timezones: {bob: Mars/Base}}",
            "reminders.quiet-hours.timezones.bob: `Mars/Base` is no time zone like Europe/Berlin",
        ),
    ],
)
def test_the_configuration_says_what_is_wrong(text: str, problem: str) -> None:
    """With the key's path, in words."""
    with pytest.raises(ConfigError) as error:
        read_config(f"reminders: {{{text}}}")
    assert error.value.problems == [problem]


def test_quiet_hours_are_read_as_they_are_typed() -> None:
    """`22:00` without quotes is a time of day."""
    text = "reminders: {quiet-hours: {start: 22:00, end: 7:00, timezones: {'@Bob': UTC}}}"
    with pytest.raises(ConfigError, match="end: must be a time of day"):
        read_config(text)
    quiet = read_config(text.replace("7:00", "07:00")).reminders.policy().quiet
    assert quiet == QuietHours(time(22), time(7), "UTC", {"bob": "UTC"})


@pytest.mark.parametrize(
    ("now", "slot", "miss"),
    [("10:50", "10:45", 9), ("12:00", "11:45", 10), ("1 11:00", "11:45", 10)],
)
def test_after_hours_without_the_deed_they_come_daily(now: str, slot: str, miss: int) -> None:
    """SEV1 updates: due at 03:15, hourly for eight hours, then once a day."""
    found = say(incident(), now)["internal-update"]
    assert (found.slot, found.miss) == (at(slot), miss)
    assert say(incident(), "1 11:46")["internal-update"].slot == at("1 11:45")


def test_a_forgotten_incident_gets_one_summary_a_week() -> None:
    """In place of all others, for who is on call and everybody whom a reminder would reach."""
    text = """
reminders: {backup: ben, escalation: [acme/sre]}
on-call: {users: [olga, omar], every: FREQ=WEEKLY, start: "2026-11-23T00:00", role: commander}
"""
    config = read_config(text)
    policy = config.reminder_policy(at("3 03:01"))
    it = incident(customers=True)
    before = say(it, "3 02:59", policy)
    assert set(before) == {"internal-update", "customer-update"}
    found = say(it, "3 03:01", policy)
    assert set(found) == {"forgotten"}
    summary = found["forgotten"]
    assert summary.mention == ("olga", "alice", "ben", "acme/sre")
    assert [kind.value for kind, _ in summary.covers] == ["internal-update", "customer-update"]
    assert say(it, "5 00:00", policy) == {}
    assert say(it, "10 03:01", policy)["forgotten"].miss == 1
    assert "forgotten" not in say(replace(it, last_activity=at("3 02:00")), "3 03:01", policy)


def test_a_forgotten_incident_of_which_nothing_is_due_is_silent() -> None:
    """As when its next update was promised for next week."""
    it = incident("sev1", next_update=at("9 00:00"))
    assert say(it, "4 00:00") == {}


def test_a_month_of_silence_is_a_handful_of_reminders() -> None:
    """Whatever is due, by sweeps every five minutes: it was an hourly noise for weeks."""
    it = incident(roles={}, customers=True, ack=False)
    posted = {
        each.key
        for minute in range(0, 30 * 24 * 60, 5)
        for each in due(it, CHECKS, "rita", ALL, at("03:00") + timedelta(minutes=minute))
    }
    first_day = [key for key in posted if ".20261123T" in key]
    assert len(first_day) < 40
    assert len(posted) - len(first_day) <= 3 * 3 + 5


def test_a_summary_waits_for_the_morning_and_silences_the_others_at_once() -> None:
    """Nobody is woken for what was forgotten for days."""
    policy = replace(ALL, quiet=QUIET)
    it = incident("sev1", last_activity=at("1 00:00"))
    found = say(it, "4 00:30", policy)
    assert {kind: each.held for kind, each in found.items()} == {"forgotten": True}
    assert not say(it, "4 06:30", policy)["forgotten"].held
