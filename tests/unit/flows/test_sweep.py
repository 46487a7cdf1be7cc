"""The sweep: what it costs, what it heals, whom it keeps waiting when GitHub limits the rate."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial

import pytest

from incident_actions.errors import RateLimited, RequestCeilingReached, Unavailable
from incident_actions.github import transport as patience
from incident_actions.github.client import GitHub
from tests.support import ceilings
from tests.support.events import form_body
from tests.support.watch import Watch, watched

WINDOWS = """
freeze:
  windows:
    - {name: night, every: FREQ=DAILY, start: "2026-01-01T20:00", duration: 1h}
"""


@pytest.fixture
def shop() -> Iterator[Watch]:
    """acme/shop at 03:00."""
    with watched() as it:
        yield it


@pytest.fixture
def shop_with_windows() -> Iterator[Watch]:
    """The same with a freeze every evening."""
    with watched(WINDOWS) as it:
        yield it


def settle(shop: Watch, *severities: str) -> list[int]:
    """Open incidents that nothing is due of: acknowledged, and an update was just posted."""
    numbers = [shop.declare(severity) for severity in severities]
    for number in numbers:
        shop.sweep()
        shop.alice.comment(number, "/ack\n/update looking")
    shop.sweep()
    shop.sweep()
    return numbers


def test_a_quiet_sweep_stays_within_its_ceiling(shop: Watch) -> None:
    """Whatever the number of closed incidents; and no write."""
    for _ in range(150):
        shop.alice.close(shop.declare())
    shop.passes(days=3)
    settle(shop, "SEV1", "SEV2", "SEV3", "SEV3")
    shop.passes(3)
    shop.sweep()
    assert shop.requests <= ceilings.QUIET_SWEEP
    assert shop.github.requests(write=True) == 0


def test_a_sweep_with_nothing_open_stays_within_its_ceiling(shop: Watch) -> None:
    """At any hour of the day."""
    for _ in range(48):
        shop.passes(30)
        shop.sweep()
        assert shop.requests <= ceilings.QUIET_SWEEP
        assert shop.github.requests(write=True) == 0


def test_windows_cost_no_more(shop_with_windows: Watch) -> None:
    """Freezes of the calendar are looked at every time, also while an incident is open."""
    shop = shop_with_windows
    settle(shop, "SEV1")
    shop.passes(3)
    shop.sweep()
    assert shop.requests <= ceilings.QUIET_SWEEP
    assert shop.asked("/comments") == 0


@pytest.mark.parametrize("due", [1, 5, 12])
def test_each_reminder_costs_two_requests_at_most(shop: Watch, due: int) -> None:
    """The first has one to post, later ones also one to delete."""
    settle(shop, *["SEV1"] * due, "SEV3")
    posts = deletes = 0
    shop.passes(2)  # the first minute is left to the watch
    for _ in range(3):
        shop.passes(15)
        shop.sweep()
        posts += sum(entry.method == "POST" and entry.writes for entry in shop.github.log)
        deletes += sum(entry.method == "DELETE" for entry in shop.github.log)
        assert shop.requests <= ceilings.QUIET_SWEEP + 2 * due
    assert (posts, deletes) == (3 * due, 2 * due)


def test_a_lost_run_is_made_up_for(shop: Watch) -> None:
    """A form, a command and a hand-set label that no run saw."""
    number = shop.declare("SEV2")
    shop.passes(2)
    shop.sweep()
    assert "status:investigating" in _labels(shop, number)
    shop.alice.comment(number, "/mitigated rolled back")
    shop.sweep()
    assert "status:monitoring" in _labels(shop, number)
    shop.alice.label(number, "sev1")
    shop.passes(2)
    shop.sweep()
    assert "sev1" in _labels(shop, number)
    assert "sev2" not in _labels(shop, number)


def strangers_reports(shop: Watch, count: int) -> list[int]:
    """Reports of mallory's that a run has held."""
    shop.github.user("mallory")
    mallory = shop.github.as_user("mallory")
    body = form_body({"severity": "SEV1", "summary": "x", "affected": "x"})
    numbers = []
    for _ in range(count):
        numbers.append(int(mallory.file_form_issue("Down", body)["number"]))
        shop.respond()
    return numbers


def test_held_reports_cost_nothing(shop: Watch) -> None:
    """Twenty fresh reports of a stranger's leave a sweep within its ceiling."""
    strangers_reports(shop, 20)
    shop.passes(3)
    shop.sweep()
    assert shop.requests <= ceilings.QUIET_SWEEP
    assert shop.github.requests(write=True) == 0


def test_a_stranger_who_commands_everywhere_costs_a_handful(shop: Watch) -> None:
    """Each report is looked at once; told no, they can't have it looked at again."""
    numbers = strangers_reports(shop, 6)
    for _ in range(2):
        for number in numbers:
            shop.github.as_user("mallory").comment(number, "/confirm")
        spent = []
        for _ in range(6):
            shop.passes(3)
            shop.sweep()
            spent.append(shop.requests)
        assert max(spent) <= ceilings.QUIET_SWEEP + ceilings.EACH_OPEN * len(numbers)
        assert max(spent[1:]) <= ceilings.QUIET_SWEEP
    assert all(len(shop.said(number)) == 2 for number in numbers)


def test_a_lost_confirmation_has_its_turn(shop: Watch) -> None:
    """Among reports that a stranger comments on all the time, a writer's one is carried out."""
    numbers = strangers_reports(shop, 5)
    shop.alice.comment(numbers[0], "/confirm")
    for _ in range(5):
        shop.passes(3)
        for number in numbers[1:]:
            shop.github.as_user("mallory").comment(number, "/confirm")
        shop.sweep()
    assert shop.alice.issue(numbers[0])["state"] == "closed"


def test_a_report_that_no_run_saw_is_held_by_the_sweep(shop: Watch) -> None:
    """However many others wait for a writer already."""
    strangers_reports(shop, 5)
    body = form_body({"severity": "SEV1", "summary": "x", "affected": "x"})
    number = shop.github.as_user("mallory").file_form_issue("Down", body)["number"]
    shop.passes(3)
    shop.sweep()
    assert len(shop.said(int(number))) == 1


def test_a_doubled_tick_says_nothing_again(shop: Watch) -> None:
    """The second run at the same minute finds the reminder there."""
    [number] = settle(shop, "SEV1")
    shop.passes(17)
    shop.sweep()
    before = shop.said(number)
    shop.sweep()
    assert shop.said(number) == before
    assert shop.github.requests(write=True) == 0


def test_one_reminder_of_a_kind_lives(shop: Watch) -> None:
    """The new one replaces the old; once the duty is done it goes."""
    [number] = settle(shop, "SEV1")
    for _ in range(4):
        shop.passes(15)
        shop.sweep()
    assert sum("reminder internal-update" in text for text in shop.said(number)) == 1
    shop.alice.comment(number, "/update better")
    shop.respond()
    assert not any("reminder internal-update" in text for text in shop.said(number))


def test_a_secondary_limit_is_waited_out(shop: Watch) -> None:
    """A reminder that GitHub refuses for its rate is posted a second later, by the same run."""
    [number] = settle(shop, "SEV1")
    shop.passes(17)
    shop.github.fail("POST *", status=403, headers={"retry-after": "1"})
    shop.sweep()
    assert sum("reminder internal-update" in text for text in shop.said(number)) == 1
    shop.github.fail("GET */comments", status=429, headers={"retry-after": "1"})
    shop.sweep()
    assert [entry.status for entry in shop.github.log].count(429) == 1


@pytest.mark.parametrize("status", [403, 429])
def test_the_most_urgent_come_first_and_the_next_sweep_does_the_rest(
    shop: Watch, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """A limit that outlasts the run's time fails it, and it says what was left."""
    third, first, second = settle(shop, "SEV3", "SEV1", "SEV2")
    shop.alice.comment(third, "/update next 90m slow")
    shop.sweep()
    shop.passes(32)
    limit = shop.github.fail(
        "POST */comments", nth=2, status=status, headers={"retry-after": "600"}, times=99
    )
    with pytest.raises(RateLimited, match="600 seconds"), caplog.at_level(logging.WARNING):
        shop.sweep()
    assert [sum("reminder" in text for text in shop.said(n)) for n in (first, second, third)] == [
        1,
        0,
        0,
    ]
    assert f"Left for the next sweep: #{second}, #{third}" in caplog.text
    assert limit.struck == 1  # nothing is asked again while GitHub wants to be left alone
    shop.github.clear_faults()
    shop.passes(1)
    shop.sweep()
    assert [sum("reminder" in text for text in shop.said(n)) for n in (first, second, third)] == [
        1,
        1,
        1,
    ]


def test_all_waits_of_a_run_are_bounded(monkeypatch: pytest.MonkeyPatch, shop: Watch) -> None:
    """Many short waits are one long one."""
    monkeypatch.setattr(patience, "ALL_WAITS", 1.5)
    settle(shop, "SEV1", "SEV1")
    shop.passes(17)
    shop.github.fail("POST *", status=429, headers={"retry-after": "1"}, times=1)
    shop.github.fail("POST *", nth=2, status=429, headers={"retry-after": "1"}, times=9)
    with pytest.raises(RateLimited):
        shop.sweep()


def test_the_ceiling_of_requests_ends_a_sweep_at_once(
    monkeypatch: pytest.MonkeyPatch, shop: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    """Every further request would be refused too, so no other task is tried."""
    first, second = settle(shop, "SEV1", "SEV2")
    shop.passes(32)
    monkeypatch.setattr("tests.support.watch.GitHub", partial(GitHub, ceiling=8))
    with pytest.raises(RequestCeilingReached), caplog.at_level(logging.WARNING):
        shop.sweep()
    assert shop.requests == 8
    [said] = [text for text in caplog.messages if "for the next sweep" in text]
    assert "was stopped before" in said
    assert f"Left for the next sweep: #{second}, what was closed or lost its label, " in said
    assert any("reminder" in text for text in shop.said(first))


def test_an_incident_that_fails_keeps_no_other_waiting(
    shop: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    """The others get their reminders; the run fails with what went wrong."""
    broken, well = settle(shop, "SEV1", "SEV2")
    shop.alice.comment(broken, "/note lost")
    shop.passes(32)
    shop.github.fail(f"GET */issues/{broken}/timeline", status=502, times=99)
    with pytest.raises(Unavailable):
        shop.sweep()
    assert any("reminder internal-update" in text for text in shop.said(well))
    assert f"#{broken} was left for the next sweep" in caplog.text


def _labels(shop: Watch, number: int) -> set[str]:
    return {label["name"] for label in shop.alice.issue(number)["labels"]}
