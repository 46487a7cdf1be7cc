"""Runs that fail, die or overlap at any of their calls: the outcome is always the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import pytest

from incident_actions.errors import IncidentActionsError
from incident_actions.sandbox import Sandbox
from tests.unit.postmortem.team import Killed, Team, dying, finished, interrupted

ACTIONS = (
    "[missing-alert] Page on the oldest job / @bob / 2026-12-01",
    "Write the runbook / @alice / 2026-12-02",
)


def outcome(team: Team, number: int) -> dict[str, Any]:
    """What is left at the end, without numbers and ids that may differ."""
    pull = team.pull()
    items = team.items()
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
        "locks": [ref for ref in team.sandbox.repo("acme/shop").git.refs if "incident-act" in ref],
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


BEGINS = "/git/"
"""What comes before the first call for a branch is the incident's own, and tested elsewhere."""
STORIES = {"resolving": resolving, "finishing": finishing}


class Story:
    """A run to break: what went before, its event, its calls, what it comes to by itself."""

    def __init__(self, tell: Callable[[Team], int]) -> None:
        self.tell = tell
        with self.begun() as (team, number, event):
            team.sandbox.clear_log()
            hub = team.hub()
            team.run(event, hub)
            began = next(at for at, e in enumerate(team.sandbox.log, 1) if BEGINS in e.path)
            self.calls = range(began, hub.requests + 1)
            self.writes = [at for at in self.calls if team.sandbox.log[at - 1].writes]
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
    assert told.expected["pulls"] == 1
    assert len(told.expected["items"]) == 2
    assert told.expected["linked"]
    assert told.expected["written"]
    assert told.expected["locks"] == []
    return told


@pytest.mark.parametrize("lost", ["request", "answer"])
def test_a_fault_at_any_call_changes_nothing_in_the_end(story: Story, lost: str) -> None:
    """A request never arrives, or only its answer is lost: it comes to the same."""
    for at in story.calls if lost == "answer" else story.writes:
        with story.begun() as (team, number, event):
            team.sandbox.fail(nth=at, kind="drop", after=lost == "answer")
            try:
                team.run(event)
            except IncidentActionsError:
                team.run(event)
            assert outcome(team, number) == story.expected, f"at call {at}"


def test_a_run_that_dies_at_any_call_is_made_up_for(story: Story) -> None:
    """The next run does what is missing, and nothing twice, also when a lock was left behind."""
    for at in story.calls:
        with story.begun() as (team, number, event):
            with dying(team.hub(), at) as hub, pytest.raises(Killed):
                team.run(event, hub)
            team.run(event)
            left = {**outcome(team, number), "locks": []}
            assert left == story.expected, f"died after call {at}"


class Waiting(Exception):
    """A run that waits for another one to be done with the lock."""


def impatient(team: Team, event: tuple[str, dict[str, Any]]) -> None:
    """A run that gives up rather than wait for the lock."""

    def stop(seconds: float) -> None:
        raise Waiting

    team.sleeps = stop
    with suppress(Waiting, IncidentActionsError):
        team.run(event)
    team.sleeps = lambda seconds: None


def test_runs_that_overlap_at_any_call_file_nothing_twice(story: Story) -> None:
    """A whole second run in the middle of the first: every action is one issue."""
    for at in story.calls:
        with story.begun() as (team, number, event):
            second = partial(impatient, team, event)
            with interrupted(team.hub(), at, second) as hub:
                team.run(event, hub)
            team.run(event)
            team.sweep()
            assert outcome(team, number) == story.expected, f"at call {at}"


def test_a_takeover_that_comes_too_early_leaves_one_open_issue(team: Team) -> None:
    """Should a run sleep longer than others wait for its lock, the younger double is closed."""
    team.resolved(ACTIONS[0])
    event = team.told()
    for at in range(30, 60):  # among these calls are those made with the lock held
        with interrupted(team.hub(), at, partial(team.run, event)) as hub:
            team.run(event, hub)
        if len(team.items()) > 1:
            break
    number = team.pull()["number"]
    team.run(("pull_request", {"action": "synchronize", "pull_request": {"number": number}}))
    (item,) = team.items("open")
    assert f"#{item['number']} " in team.file()
