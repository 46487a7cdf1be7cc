"""Runs that fail, die or overlap at any of their calls: the outcome is always the same.

A run that dies between two writes leaves what the first of them left, and a read that fails is
tried again by the transport, which has its own tests. So runs die, and calls fail, at each write.

Where runs overlap, each may open an issue for the same action. What counts is what is left: one
open issue for each action, the one that the file names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from itertools import combinations_with_replacement
from typing import Any

import pytest

from incident_actions.errors import IncidentActionsError
from incident_actions.sandbox import Sandbox
from tests.unit.postmortem.team import Killed, Paused, Team, dying, finished, interrupted, record

ACTIONS = (
    "[missing-alert] Page on the oldest job / @bob / 2026-12-01",
    "Write the runbook / @alice / 2026-12-02",
)


def standing(team: Team) -> list[dict[str, Any]]:
    """The action items that count: all but those that were closed as not planned."""
    return [item for item in team.items() if item["state_reason"] != "not_planned"]


def outcome(team: Team, number: int) -> dict[str, Any]:
    """What is left at the end, without numbers and ids that may differ."""
    pull = team.pull()
    items = standing(team)
    text = team.file()
    return {
        "pulls": len(team.pulls()),
        "draft": pull["draft"],
        "labels": [label["name"] for label in pull["labels"]],
        "assignees": [user["login"] for user in pull["assignees"]],
        "items": [(item["title"], item["state"]) for item in items],
        "linked": team.sub_issues(number) == {item["number"] for item in items},
        "written": all(f"#{item['number']} " in text for item in items),
        "lines": len(text.split("\n")),
        "check": team.check()["conclusion"],
        "told": [comment.split("\n")[0] for comment in team.comments(pull["number"])],
        "incident": (team.alice.issue(number)["state"], team.comments(number)),
        "remembered": team.state(number)["postmortem"]["pr"] == pull["number"],
    }


def resolving(team: Team) -> int:
    """An incident that has just been resolved."""
    return team.resolved(*ACTIONS)


def finishing(team: Team) -> int:
    """A postmortem that has been written: its push is the event."""
    number = team.resolved(ACTIONS[0])
    team.run()
    line = f"- [ ] {ACTIONS[1]}"
    team.write(
        finished(team.file()).replace(
            "## Corrective actions\n", f"## Corrective actions\n\n{line}\n"
        )
    )
    return number


BEGINS = ("/git/", "/pulls/")
"""What comes before these calls is the incident's own, and tested elsewhere."""
STORIES = {"resolving": resolving, "finishing": finishing}


class Story:
    """A run to break: what went before, its event, its calls, what it comes to by itself."""

    def __init__(self, tell: Callable[[Team], int]) -> None:
        self.tell = tell
        with self.begun() as (team, number, event):
            team.sandbox.clear_log()
            hub = team.hub()
            team.run(event, hub)
            began = next(
                at
                for at, e in enumerate(team.sandbox.log, 1)
                if any(each in e.path for each in BEGINS)
            )
            self.calls = range(began, hub.requests + 1)
            self.writes = [at for at in self.calls if team.sandbox.log[at - 1].writes]
            log = {at: team.sandbox.log[at - 1] for at in self.calls}
            opening = [at for at, e in log.items() if opens(e.method, e.path)][-1]
            tip = next(at for at, e in log.items() if at > opening and "/branches/" in e.path)
            commit = next(at for at, e in log.items() if at > tip and e.method == "PATCH")
            self.filing = (opening - 1, opening, opening + 1, tip, commit, commit + 1)
            self.expected = outcome(team, number)

    @contextmanager
    def begun(self) -> Iterator[tuple[Team, int, tuple[str, dict[str, Any]]]]:
        """Everything up to the run: the team, the incident, the event."""
        with Sandbox() as sandbox:
            team = Team(sandbox)
            number = self.tell(team)
            yield team, number, team.told()


@pytest.fixture(scope="module", params=STORIES)
def story(request: pytest.FixtureRequest) -> Story:
    """Each of the stories, with what it comes to when nothing goes wrong."""
    told = Story(STORIES[request.param])
    assert len(told.calls) > 20
    assert len(told.writes) > 10
    assert told.expected["pulls"] == 1
    assert len(told.expected["items"]) == 2
    assert told.expected["linked"]
    assert told.expected["written"]
    return told


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_fault_at_any_write_changes_nothing_in_the_end(story: Story, lost: str) -> None:
    """A request never arrives, or only its answer is lost: it comes to the same."""
    for at in story.writes:
        with story.begun() as (team, number, event):
            team.sandbox.fail(nth=at, kind="drop", after=lost == "answer")
            try:
                team.run(event)
            except IncidentActionsError:
                team.run(event)
            assert outcome(team, number) == story.expected, f"at call {at}"


def test_a_run_that_dies_after_any_write_is_made_up_for(story: Story) -> None:
    """The next run does what is missing, and nothing twice."""
    for at in (story.calls[0], *story.writes):
        with story.begun() as (team, number, event):
            with dying(team.hub(), at) as hub, pytest.raises(Killed):
                team.run(event, hub)
            team.run(event)
            assert outcome(team, number) == story.expected, f"died after call {at}"


def test_runs_that_overlap_at_any_call_leave_one_open_issue_each(story: Story) -> None:
    """A whole second run in the middle of the first, and a sweep: it comes to the same."""
    for at in story.calls:
        with story.begun() as (team, number, event):
            with interrupted(team.hub(), at, partial(team.run, event)) as hub:
                team.run(event, hub)
            team.sweep()
            assert outcome(team, number) == story.expected, f"at call {at}"


def test_two_runs_interleaved_at_any_two_calls_leave_one_open_issue_each() -> None:
    """Each stops at any of the calls by which an action is filed, and one goes on before the other.

    By turns it is the one that began first and the other that goes on first. The two do the same,
    so each pair of calls is tried once. The file names the open issues, the others are closed as
    not planned, and nothing is left to the next sweep.
    """
    story = Story(finishing)
    doubled = 0
    pairs = combinations_with_replacement(story.filing, 2)
    for turn, (one, other) in enumerate(pairs):
        with story.begun() as (team, number, event):
            runs = [Paused(team, event, at) for at in (one, other)]
            for run in runs:
                run.start()
            for run in reversed(runs) if turn % 2 else runs:
                run.finish()
            team.sweep()
            where = f"at calls {one} and {other}"
            assert outcome(team, number) == story.expected, where
            doubled += len(team.items()) > len(standing(team))
            assert_settled(team, number)
    assert doubled > len(story.filing)  # the two did overlap


def assert_settled(team: Team, number: int) -> None:
    """Each double is closed and no sub-issue; neither a sweep nor the event changes anything."""
    left = {item["number"] for item in team.items()} - {item["number"] for item in standing(team)}
    assert not left & team.sub_issues(number)
    assert all(record(item).state == "dropped" for item in team.items() if item["number"] in left)
    team.sandbox.clear_log()
    team.sweep()
    team.run(team.told())
    assert team.writes() == []


def test_an_issue_of_a_run_that_died_is_found_or_closed(team: Team) -> None:
    """A run opens an issue that another one opened before, and dies: the younger one is closed."""
    team.resolved(ACTIONS[0])
    event = team.told()
    opening = opening_calls(team, event)
    with Sandbox() as sandbox:
        again = Team(sandbox)
        number = again.resolved(ACTIONS[0])
        event = again.told()
        dead = partial(killed_at, again, event, opening)
        with interrupted(again.hub(), opening, dead) as hub:
            again.run(event, hub)
        again.sweep()
        (item,) = again.items("open")
        assert len(again.items()) == 2
        assert f"#{item['number']} " in again.file()
        assert again.sub_issues(number) == {item["number"]}
        again.sandbox.clear_log()
        again.sweep()
        assert again.writes() == []


def killed_at(team: Team, event: tuple[str, dict[str, Any]], at: int) -> None:
    """A run that dies right after one of its calls."""
    with dying(team.hub(), at) as hub, suppress(Killed):
        team.run(event, hub)


def opening_calls(team: Team, event: tuple[str, dict[str, Any]]) -> int:
    """The number of the call by which a run opens the first action item."""
    team.sandbox.clear_log()
    team.run(event)
    return next(at for at, e in enumerate(team.sandbox.log, 1) if opens(e.method, e.path))


def opens(method: str, path: str) -> bool:
    """Whether a request opens an issue."""
    return method == "POST" and path.endswith("/issues")
