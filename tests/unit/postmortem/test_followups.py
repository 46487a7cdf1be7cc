"""The sweep after an incident: it reminds of the postmortem and of its action items."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from incident_actions.domain.postmortem import link
from incident_actions.errors import Unavailable
from tests.unit.postmortem.team import NAME, Team, finished

ACTION = "[missing-alert] Page on 5xx / @bob / 2026-12-01"
QUIET = 12
"""Requests that a sweep with nothing to do may cost in all."""
SECOND = "[log-context] Log the request id / @alice / 2026-12-01"


@pytest.fixture
def after(team: Team) -> Team:
    """A SEV1 was resolved on the night of 2026-11-23: a draft, and one action item."""
    team.resolved(ACTION)
    team.run()
    return team


def sweep(team: Team) -> int:
    """A sweep; gives its requests."""
    team.pass_time()
    team.sandbox.clear_log()
    team.run(("schedule", {}))
    return len(team.sandbox.log)


def until(team: Team, day: int, hour: int, month: int = 12) -> None:
    """Let the clock go on to a day, of December if nothing else is said."""
    team.now = datetime(2026, month, day, hour, tzinfo=UTC)


def reminders(team: Team, number: int) -> list[str]:
    """The bot's reminders there."""
    return [text for text in team.comments(number) if "incident-actions:reminder" in text]


def item(team: Team) -> int:
    """The only action item."""
    (found,) = team.items()
    return int(found["number"])


def test_an_action_item_is_reminded_of_once_and_the_new_one_replaces_the_old(after: Team) -> None:
    """Three days before; after its day; a week later. Closing it ends them."""
    number = item(after)
    sweep(after)
    assert reminders(after, number) == []
    for days, kind in ((-3, "action-due"), (1, "action-overdue"), (8, "action-overdue")):
        after.now = datetime(2026, 12, 1, 1, tzinfo=UTC) + timedelta(days=days)
        for _ in range(3):
            sweep(after)
            (text,) = reminders(after, number)
            assert f"incident-actions:reminder {kind}." in text
            assert text.startswith("@bob ")
    after.bob.close(number)
    until(after, 16, 1)
    assert sweep(after) <= QUIET


def test_a_postmortem_is_reminded_of_until_it_is_merged(after: Team) -> None:
    """The commander, on the pull request: a draft after a day, whatever it is when it is due."""
    number = after.pull()["number"]
    sweep(after)
    assert reminders(after, number) == []
    after.pass_time(hours=25)
    sweep(after)
    (text,) = reminders(after, number)
    assert text.startswith("@alice The incident was resolved 2026-11-23")
    after.pass_time(hours=48)
    sweep(after)
    (text,) = reminders(after, number)
    assert "it is still a draft" in text
    after.write(finished(after.file()))
    after.pushed()
    after.pass_time(hours=24)
    sweep(after)
    (text,) = reminders(after, number)
    assert "ready for review" in text
    after.bob.merge(number)
    after.pass_time(hours=24)
    assert sweep(after) <= QUIET
    assert len(reminders(after, number)) == 1


def test_an_incident_does_not_keep_them_back(after: Team) -> None:
    """Every sweep does all that is due."""
    until(after, 2, 1)
    after.alice.file_form_issue("Incident: again", "### Severity\n\nSEV1")
    sweep(after)
    assert len(reminders(after, item(after))) == 1
    assert len(reminders(after, after.pull()["number"])) == 1


def test_a_window_does_not_keep_them_back(after: Team) -> None:
    """The freezes of the calendar have nothing to do with them."""
    window = '{name: december, every: FREQ=YEARLY, start: "2025-12-01T00:00", duration: 31d}'
    after.sandbox.file(NAME, ".github/incident.yml", f"freeze: {{windows: [{window}]}}")
    until(after, 2, 1)
    sweep(after)
    assert len(reminders(after, item(after))) == 1


def test_not_in_the_owners_night(after: Team) -> None:
    """And in the morning it comes, once."""
    quiet = "reminders: {quiet-hours: {start: '22:00', end: '07:00'}}"
    after.sandbox.file(NAME, ".github/incident.yml", quiet)
    until(after, 2, 1)
    assert sweep(after) <= QUIET
    assert reminders(after, item(after)) == []
    until(after, 2, 8)
    sweep(after)
    sweep(after)
    assert len(reminders(after, item(after))) == 1


def test_what_it_costs(team: Team) -> None:
    """Nothing due, or all of it said already: a quiet sweep. Each reminder costs two more."""
    team.resolved(ACTION, SECOND)
    team.run()
    until(team, 24, 1, month=11)
    assert sweep(team) <= QUIET
    until(team, 28, 1, month=11)
    assert sweep(team) <= QUIET + 2 * 2
    assert len(reminders(team, team.pull()["number"])) == 1
    until(team, 28, 8, month=11)
    assert sweep(team) <= QUIET + 2  # the morning's reminder takes the place of the night's
    until(team, 2, 1)
    assert sweep(team) <= QUIET + 3 * 2
    until(team, 2, 8)
    assert sweep(team) <= QUIET + 2


@pytest.mark.parametrize("after_it", [False, True])
@pytest.mark.parametrize("request_", ["POST", "DELETE"])
def test_a_lost_answer_doubles_nothing(after: Team, request_: str, after_it: bool) -> None:
    """It is looked at again, and what is missing then is done."""
    number = item(after)
    until(after, 28, 1, month=11)
    sweep(after)
    until(after, 2, 1)
    fault = after.sandbox.fail(f"{request_} *", status=502, after=after_it)
    sweep(after)
    assert fault.struck == 1
    (text,) = reminders(after, number)
    assert "reminder action-overdue." in text


def test_a_typed_marker_reminds_nobody(after: Team) -> None:
    """Only the bot's own pull requests and issues count."""
    body = after.items()[0]["body"]
    copied = after.alice.open_issue("Mine", body, ["action-item"])
    until(after, 2, 1)
    sweep(after)
    assert reminders(after, copied["number"]) == []


def test_a_postmortem_that_no_run_could_open_is_opened_by_a_sweep(team: Team) -> None:
    """The next one does."""
    team.resolved(ACTION)
    team.sandbox.fail("POST */pulls", status=502, times=9)
    with pytest.raises(Unavailable):
        team.run()
    team.sandbox.clear_faults()
    assert team.pulls() == []
    sweep(team)
    assert len(team.pulls()) == 1


@pytest.mark.parametrize("due", [datetime(2026, 11, 26, 4, 5, 6, tzinfo=UTC), None])
def test_the_times_in_a_pull_request_are_read_back(due: datetime | None) -> None:
    """Also where GitHub has made CRLF of the lines."""
    resolved = datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC)
    body = f"Text\r\n\r\n{link.times_marker(resolved, due)}\r\n{link.marker(1)}"
    assert link.read_times(body) == (resolved, due)


@pytest.mark.parametrize(
    "times", ["", "off off", "2026-99-99T99:99:99Z off", "00000000T000000000 x"]
)
def test_times_that_make_no_sense_are_none(times: str) -> None:
    """Anybody who may write can edit them."""
    assert link.read_times(f"<!-- incident-actions:postmortem-times {times} -->") is None
