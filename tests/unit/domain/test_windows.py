"""Scheduled freezes: when a window is open, and what a wrong one is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_actions.config import read_config
from incident_actions.domain.freeze.windows import (
    LONGEST,
    Window,
    occurrence_key,
    open_at,
    window_length,
)
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
    (first,) = open_at([WEEKEND], at("2026-11-20T17:00:00"))
    (last,) = open_at([WEEKEND], at("2026-11-23T06:59:59"))
    assert first.key == last.key == "quiet-weekend 2026-11-20T17:00:00Z"
    assert occurrence_key(f"{first.marker}\nThe window.") == first.key
    assert occurrence_key(f"Somebody quotes {first.marker}") is None


def test_a_short_window_in_the_hour_that_the_clocks_skip_is_not_lost() -> None:
    """02:30 does not exist on that night; the window is open for its time all the same."""
    night = Window(
        "night", "FREQ=DAILY", read_wall_time("2026-01-01T02:30"), timedelta(minutes=20), "CET"
    )
    (occurrence,) = open_at([night], at("2026-03-29T01:35:00"))
    assert occurrence.ends - occurrence.starts == timedelta(minutes=20)


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
    for found in open_at([window], now):
        assert found.starts <= now < found.ends
        assert abs(found.ends - found.starts - window.duration) <= timedelta(hours=1)


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
        ("3", "freeze.windows[0]: expected a mapping, got `int`"),
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
