"""Scheduled freezes: when a window is open, and what a wrong one is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_actions.config import read_config
from incident_actions.domain.freeze.windows import (
    AHEAD,
    LONGEST,
    Occurrence,
    Window,
    WindowMark,
    digest_of,
    occurrence_of,
    split_mark,
    window_length,
    within_reach,
)
from incident_actions.domain.freeze.wish import Wish
from incident_actions.domain.text.recurrence import check_rule
from incident_actions.domain.text.times import read_wall_time
from incident_actions.errors import ConfigError

WEEKEND = Window(
    name="Quiet weekend",
    every="FREQ=WEEKLY;BYDAY=FR",
    start=read_wall_time("2026-01-02T18:00"),
    duration=timedelta(hours=62),
    timezone="Europe/Berlin",
)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def open_at(windows: list[Window], now: datetime) -> list[Occurrence]:
    """Those of the occurrences that have an issue now which stop deploys now."""
    return [each for each in within_reach(windows, now) if each.starts <= now < each.ends]


@pytest.mark.parametrize(
    ("now", "is_open"),
    [
        ("2026-11-20T16:59:59", False),
        ("2026-11-20T17:00:00", True),
        ("2026-11-23T06:59:59", True),
        ("2026-11-23T07:00:00", False),
        # Clocks go forward on Sunday 29 March, and back on Sunday 25 October.
        ("2026-03-27T17:00:00", True),
        ("2026-03-30T05:59:59", True),
        ("2026-03-30T06:00:00", False),
        ("2026-10-23T15:59:59", False),
        ("2026-10-23T16:00:00", True),
        ("2026-10-26T06:59:59", True),
        ("2026-10-26T07:00:00", False),
        ("2025-12-26T18:00:00", False),  # before it ever began
    ],
)
def test_a_window_follows_the_clock_on_the_wall(now: str, is_open: bool) -> None:
    """Friday 18:00 to Monday 08:00 in Berlin, in every week of the year."""
    assert bool(open_at([WEEKEND], at(now))) is is_open


def test_an_occurrence_has_one_key_as_long_as_it_lasts() -> None:
    """The key names the window and its start, so that it is opened once."""
    (ahead,) = within_reach([WEEKEND], at("2026-11-19T17:00:00"))
    (first,) = open_at([WEEKEND], at("2026-11-20T17:00:00"))
    (last,) = open_at([WEEKEND], at("2026-11-23T06:59:59"))
    assert ahead.key == first.key == last.key == "quiet-weekend 2026-11-20T17:00:00Z"
    assert within_reach([WEEKEND], at("2026-11-19T16:59:59")) == ()
    assert occurrence_of([WEEKEND], first.key) == first
    assert occurrence_of([WEEKEND], "quiet-weekend 2026-11-21T17:00:00Z") is None
    assert occurrence_of([WEEKEND], "weekend 2026-11-20T17:00:00Z") is None


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("saved", ["\n", "\r\n"])
def test_a_mark_is_read_as_it_was_written(gone: bool, saved: str) -> None:
    """Whoever saved the issue; only at the very top."""
    mark = WindowMark("weekend 2026-11-20T17:00:00Z", digest_of("One\n\nTwo"), gone)
    body = mark.above("One  \n\nTwo\n").replace("\n", saved)
    read, text = split_mark(body)
    assert read == mark
    assert digest_of(text) == mark.digest
    assert digest_of(f"{text}!") != mark.digest
    assert split_mark(f"Somebody quotes {body}")[0] is None


@pytest.mark.parametrize("stamp", ["soon", "2026-99-01T00:00:00Z", "0001-01-01T00:00:00Z"])
def test_a_mark_without_a_time_is_none(stamp: str) -> None:
    """Somebody typed it."""
    assert split_mark(f"<!-- incident-actions:window a {stamp} abc -->")[0] is None


def test_the_mark_of_an_older_version_has_no_digest() -> None:
    """Its issue still holds the place of the occurrence."""
    body = "<!-- incident-actions:window a 2026-11-20T17:00:00Z -->\nThe window."
    assert split_mark(body) == (WindowMark("a 2026-11-20T17:00:00Z", ""), "The window.")


def test_a_short_window_in_the_hour_that_the_clocks_skip_is_not_lost() -> None:
    """02:30 does not exist on that night; the window is open for its time all the same."""
    night = Window(
        "night", "FREQ=DAILY", read_wall_time("2026-01-01T02:30"), timedelta(minutes=20), "CET"
    )
    (occurrence,) = open_at([night], at("2026-03-29T01:35:00"))
    assert occurrence.ends - occurrence.starts == timedelta(minutes=20)


CHANGES = [  # begin on the wall clock of Berlin, hours, begin and end in UTC
    ("2026-03-29T02:30", 4, "2026-03-29T01:30", "2026-03-29T04:30"),  # in the skipped hour
    ("2026-03-29T01:30", 4, "2026-03-29T00:30", "2026-03-29T03:30"),  # across it: 3 hours long
    ("2026-10-25T02:30", 4, "2026-10-25T00:30", "2026-10-25T05:30"),  # the first of two 02:30
    ("2026-10-25T01:30", 4, "2026-10-24T23:30", "2026-10-25T04:30"),  # across it: 5 hours long
    ("2026-03-28T22:00", 4.5, "2026-03-28T21:00", "2026-03-29T01:30"),  # ends in the skipped hour
    ("2026-10-24T22:00", 4.5, "2026-10-24T20:00", "2026-10-25T00:30"),  # at the first of two 02:30
]


@pytest.mark.parametrize(("start", "hours", "begins", "ends"), CHANGES)
def test_windows_in_the_night_when_the_clocks_change(
    start: str, hours: float, begins: str, ends: str
) -> None:
    """Opened a day ahead, in force from the begin until just before the end, to the second."""
    night = Window(
        "night",
        "FREQ=YEARLY;COUNT=1",
        read_wall_time(start),
        timedelta(hours=hours),
        "Europe/Berlin",
    )
    second, first = timedelta(seconds=1), at(f"{begins}:00")
    (occurrence,) = within_reach([night], first - AHEAD)
    assert (occurrence.starts, occurrence.ends) == (first, at(f"{ends}:00"))
    assert within_reach([night], first - AHEAD - second) == ()
    assert within_reach([night], occurrence.ends - second) == (occurrence,)
    assert within_reach([night], occurrence.ends) == ()
    assert occurrence_of([night], occurrence.key) == occurrence


def test_overlapping_windows_are_both_there() -> None:
    """In force and ahead, of two windows and of one that is longer than its period."""
    night = Window(
        "night", "FREQ=DAILY", read_wall_time("2026-01-01T20:00"), timedelta(hours=30), "UTC"
    )
    found = within_reach([WEEKEND, night], at("2026-11-20T21:00:00"))
    assert [(each.window.name, f"{each.starts:%d %H}") for each in found] == [
        ("Quiet weekend", "20 17"),
        ("night", "19 20"),
        ("night", "20 20"),
        ("night", "21 20"),
    ]


BEGIN, END = at("2026-11-20T17:00:00"), at("2026-11-23T07:00:00")


@pytest.mark.parametrize(
    ("wish", "now", "edge"),
    [
        (Wish(begins=BEGIN, until=END), BEGIN - timedelta(seconds=1), BEGIN),
        (Wish(begins=BEGIN, until=END), BEGIN, END),
        (Wish(begins=BEGIN, until=END), END, None),
        (Wish(until=END), BEGIN, END),
        (Wish(begins=BEGIN), BEGIN - timedelta(days=1), BEGIN),
        (Wish(begins=BEGIN), BEGIN, None),
        (Wish(), BEGIN, None),
    ],
)
def test_the_next_edge_is_what_next_changes_the_gates_verdict(
    wish: Wish, now: datetime, edge: datetime | None
) -> None:
    """The begin, then the end, then nothing."""
    assert wish.next_edge(now) == edge


@given(
    now=st.datetimes(
        read_wall_time("2026-01-01"), read_wall_time("2028-01-01"), timezones=st.just(UTC)
    ),
    hours=st.integers(1, 100),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"]),
)
def test_what_is_open_has_begun_and_has_not_ended(now: datetime, hours: int, zone: str) -> None:
    """Whatever the zone: begun by now, over later, and about as long as was asked for."""
    window = Window(
        "x", "FREQ=DAILY", read_wall_time("2026-01-01T01:30"), timedelta(hours=hours), zone
    )
    for found in within_reach([window], now):
        assert found.starts - AHEAD <= now < found.ends
        assert abs(found.ends - found.starts - window.duration) <= timedelta(hours=1)
        assert occurrence_of([window], found.key) == found


@pytest.mark.parametrize(
    ("text", "hours"), [("62h", 62), ("2d 14h", 62), ("90m", 1.5), ("1d", 24), ("1H 30M", 1.5)]
)
def test_durations_are_read(text: str, hours: float) -> None:
    """Days, hours and minutes, alone or together."""
    assert window_length(text) == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "62", "h", "-1h", "0m", "1w", "2h 2h", "93d", "1h and more"])
def test_other_durations_are_refused(text: str) -> None:
    """What is no duration, nothing at all, or longer than a quarter."""
    with pytest.raises(ValueError, match="`"):
        window_length(text)
    assert window_length("92d") == LONGEST


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=31", "there is no such day"),
        ("FREQ=DAILY;BYMONTH=13", "there is no such day"),
        ("FREQ=WEEKLY;INTERVAL=-1", "`INTERVAL` must be"),
        ("FREQ=WEEKLY;COUNT=0", "`COUNT` must be"),
        ("FREQ=WEEKLY;COUNT=3;UNTIL=20261224", "not both"),
        ("FREQ=WEEKLY;UNTIL=2026-12-24", "20261224T180000Z"),
        ("FREQ=WEEKLY;FREQ=DAILY", "`FREQ` is there twice"),
        ("DTSTART:20260102T180000\nRRULE:FREQ=WEEKLY", "stands in `start`"),
    ],
)
def test_what_is_wrong_with_a_rule_is_told(rule: str, told: str) -> None:
    """Also that it never comes: to follow such a rule takes half a minute in each run."""
    with pytest.raises(ValueError, match=told.replace("`", ".")):
        check_rule(rule)


@pytest.mark.parametrize(
    "rule",
    [
        "RRULE:FREQ=WEEKLY; BYDAY=FR;", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
        "freq=monthly;byday=-1fr", "FREQ=MONTHLY;BYMONTHDAY=-1",
        "FREQ=YEARLY;BYYEARDAY=-1", "FREQ=YEARLY;BYWEEKNO=53",
    ],
)  # fmt: skip
def test_other_rules_are_taken(rule: str) -> None:
    """However they are spaced."""
    check_rule(rule)


def test_a_rule_more_often_than_daily_is_refused() -> None:
    """Each occurrence becomes an issue."""
    with pytest.raises(ValueError, match=r"^`FREQ=HOURLY` comes more often than once a day$"):
        check_rule("FREQ=HOURLY")


def test_every_mistake_is_told_with_its_key_path() -> None:
    """All of them at once, each where it stands in the file."""
    text = """
    freeze:
      windows:
        - {name: a, every: FREQ=NO, start: 2026-01-01T00:00, duration: 1h}
        - {name: A, every: FREQ=DAILY, start: soon, duration: long, timezone: Moon}
    """
    with pytest.raises(ConfigError) as refused:
        read_config(text)
    told = [problem.partition(":")[0] for problem in refused.value.problems]
    assert told == [
        "freeze.windows[0].every",
        "freeze.windows[1].start",
        "freeze.windows[1].duration",
        "freeze.windows[1].timezone",
        "freeze.windows[1].name",
    ]


@pytest.mark.parametrize(
    ("window", "path"),
    [
        ("{name: a}", "freeze.windows[0].every: is missing"),
        (
            "3",
            "freeze.windows[0]: must be a mapping, not a number: write `key: value` lines below it",
        ),
        ("{nme: a}", "freeze.windows[0].nme: unknown key, did you mean `name`?"),
        ("{name: '<b>'}", "freeze.windows[0].name: expected `str` matching"),
        ("{allow: ['@a b']}", "freeze.windows[0].allow[0]: expected `str` matching"),
    ],
)
def test_a_window_of_the_wrong_shape_is_told_by_key(window: str, path: str) -> None:
    """The keys of each window in the list are checked one by one."""
    with pytest.raises(ConfigError) as refused:
        read_config(f"freeze: {{windows: [{window}]}}")
    assert any(problem.startswith(path) for problem in refused.value.problems)


@pytest.mark.parametrize(
    ("until", "open_"), [("20261127T165959Z", False), ("20261127T170000Z", True)]
)
def test_the_last_time_of_a_rule_may_be_in_utc(until: str, open_: bool) -> None:
    """As the standard wants it: `UNTIL` with a `Z`, whatever the window's own zone."""
    window = Window(
        name="weekend",
        every=f"FREQ=WEEKLY;UNTIL={until}",
        start=datetime.fromisoformat("2026-11-20T18:00"),
        duration=timedelta(hours=10),
        timezone="Europe/Berlin",
    )
    now = datetime(2026, 11, 27, 18, 0, tzinfo=UTC)
    assert bool(open_at([window], now)) is open_
    check_rule(window.every)


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=WEEKLY;UNTIL=20261399T000000Z",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;COUNT=x",
        "FREQ=DAILY;BYHOUR=1,2",
        "weekly",
        "",
    ],
)
def test_a_rule_that_can_not_be_is_refused_with_why(rule: str) -> None:
    """Whatever is wrong with it."""
    with pytest.raises(ValueError, match=r"is no rule like|more often than once a day"):
        check_rule(rule)
