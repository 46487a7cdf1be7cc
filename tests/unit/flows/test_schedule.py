"""GitHub's own scheduler: a dead one is told of once, and one that will die is warned of."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest

from incident_actions.cli import respond as cli
from tests.support import ceilings
from tests.support.watch import REPO, WORKFLOW, Watch, watched


@pytest.fixture
def shop() -> Iterator[Watch]:
    """acme/shop at 03:00."""
    with watched("reminders: {watch: off}") as it:
        yield it


def open_for(shop: Watch, minutes: float) -> int:
    """An incident that was declared so long ago; every event had its run."""
    number = shop.declare("SEV1")
    shop.respond()
    shop.alice.comment(number, "/ack")
    shop.respond()
    shop.passes(minutes)
    return number


def chat(shop: Watch, number: int) -> int:
    """Somebody says something, and the run comes; how often the bot told of the schedule by now."""
    shop.bob.comment(number, "Any news?")
    shop.respond()
    return sum("incident-actions:scheduler" in text for text in shop.said(number))


def test_a_dead_schedule_is_told_of_once(shop: Watch) -> None:
    """After three hours without a sweep, by any run; what it means, and what to do."""
    number = open_for(shop, 181)
    assert chat(shop, number) == 1
    assert f"has not started `{WORKFLOW}` at all" in shop.said(number)[-1]
    assert "**Enable workflow**" in shop.said(number)[-1]
    shop.passes(30)
    assert chat(shop, number) == 1
    assert shop.asked("/actions/") == 0


@pytest.mark.parametrize(("minutes", "told"), [(179, 0), (181, 1)])
def test_a_late_schedule_is_told_of_after_three_hours(shop: Watch, minutes: int, told: int) -> None:
    """The newest run that the schedule started counts; one by hand does not."""
    number = open_for(shop, 240)
    at = shop.now - timedelta(minutes=minutes)
    shop.github.run(REPO, WORKFLOW, event="schedule", at=at)
    shop.github.run(REPO, WORKFLOW, event="workflow_dispatch", at=shop.now)
    assert chat(shop, number) == told


def test_a_young_incident_is_not_asked_about(shop: Watch) -> None:
    """Nor one that is over."""
    assert chat(shop, open_for(shop, 179)) == 0
    assert shop.asked("/actions/") == 0
    number = open_for(shop, 0)
    shop.alice.comment(number, "/resolve --force over")
    shop.respond()
    shop.passes(200)
    assert chat(shop, number) == 0
    assert shop.asked("/actions/") == 0


def test_without_the_permission_nothing_is_said(shop: Watch) -> None:
    """`actions: read` is optional: the refusal is silent."""
    shop.grant()
    number = open_for(shop, 181)
    assert chat(shop, number) == 0
    assert shop.asked("/actions/") == 1


def test_a_command_stays_within_its_ceiling(shop: Watch) -> None:
    """Also where the schedule is asked about."""
    number = open_for(shop, 181)
    shop.alice.comment(number, "/note slow")
    shop.respond()
    assert shop.requests <= ceilings.COMMENT


def test_a_closed_notice_is_not_repeated(shop: Watch) -> None:
    """Somebody deletes the notice after it was remembered: it stays gone."""
    number = open_for(shop, 181)
    chat(shop, number)
    shop.sweep()
    comments = shop.alice.ask("GET", f"/issues/{number}/comments?per_page=100")
    [notice] = [one for one in comments if "incident-actions:scheduler" in one["body"]]
    shop.alice.delete_comment(notice["id"])
    shop.passes(5)
    assert chat(shop, number) == 0


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        ("acme/shop/.github/workflows/incident.yml@refs/heads/main", "incident.yml"),
        ("Acme/Shop/.github/workflows/a b.yml@refs/heads/x@y", "a b.yml"),
        ("acme/other/.github/workflows/incident.yml@refs/heads/main", ""),
        ("", ""),
    ],
)
def test_the_workflow_is_known_by_its_reference(ref: str, name: str) -> None:
    """GITHUB_WORKFLOW_REF, where the incidents live in the same repository."""
    assert cli._workflow({"GITHUB_WORKFLOW_REF": ref}, "acme/shop") == name


def quiet_for(shop: Watch, days: float) -> None:
    """Nobody pushed for so long; it is 12:00 now."""
    shop.now = shop.now.replace(hour=12, minute=0)
    pushed = shop.now - timedelta(days=days)
    shop.github.repo(REPO).pushed_at = f"{pushed:%Y-%m-%dT%H:%M:%SZ}"


def warnings(shop: Watch, state: str = "open") -> list[str]:
    """The titles of the warnings."""
    issues = shop.alice.ask("GET", f"/issues?state={state}&per_page=100")
    return [one["title"] for one in issues if "incident-actions:keepalive" in one["body"]]


@pytest.mark.parametrize(("days", "count"), [(49.9, 0), (50, 1), (59, 1), (70, 1)])
def test_ten_days_before_the_end_a_warning_comes(
    shop: Watch, caplog: pytest.LogCaptureFixture, days: float, count: int
) -> None:
    """One issue, and an annotation each time; it names the day."""
    quiet_for(shop, days)
    off = shop.now + timedelta(days=60 - days)
    for _ in range(3):
        with caplog.at_level(logging.WARNING):
            shop.sweep()
        shop.passes(5)
    assert warnings(shop) == [f"The schedule is switched off on {off:%Y-%m-%d}"] * count
    assert len([r for r in caplog.records if "switches the schedule off" in r.message]) == 3 * count


def test_a_push_closes_the_warning(shop: Watch) -> None:
    """By the bot, with its next sweep."""
    quiet_for(shop, 55)
    shop.sweep()
    shop.passes(35)
    shop.sweep()
    assert warnings(shop) != []
    shop.alice.push({"a.txt": "1"}, "Awake")
    shop.passes(5)
    shop.sweep()
    assert warnings(shop) == []
    shop.sweep()
    assert shop.github.requests(write=True) == 0


def test_a_warning_that_somebody_closed_stays_closed(shop: Watch) -> None:
    """They have read it. A push and another quiet time are warned of anew."""
    quiet_for(shop, 55)
    [report] = shop.sweep()
    assert report.issue is not None
    shop.alice.close(report.issue)
    shop.passes(5)
    shop.sweep()
    assert warnings(shop) == []
    quiet_for(shop, 51)
    shop.sweep()
    assert len(warnings(shop, "all")) == 2


def test_a_private_repository_keeps_its_schedule() -> None:
    """GitHub switches it off in public ones only."""
    with watched(private=True) as shop:
        quiet_for(shop, 400)
        shop.sweep()
        assert warnings(shop) == []


def test_an_open_incident_is_no_excuse(shop: Watch) -> None:
    """The warning comes all the same, in the same sweep."""
    shop.declare("SEV1")
    shop.respond()
    quiet_for(shop, 55)
    shop.sweep()
    assert len(warnings(shop)) == 1


def test_a_copied_marker_is_nobodys_warning(shop: Watch) -> None:
    """Only the bot's own issues count."""
    quiet_for(shop, 55)
    since = shop.github.repo(REPO).pushed_at
    shop.alice.open_issue("Mine", f"<!-- incident-actions:keepalive {since} -->")
    shop.sweep()
    assert len(warnings(shop)) == 2
