"""Runs that fail, die or overlap at any of their calls: the outcome is always the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from incident_actions.errors import IncidentActionsError
from incident_actions.sandbox import Sandbox
from tests.unit.postmortem.team import Killed, Team, dying, finished, interrupted

ACTIONS = (
    "[missing-alert] Page on the oldest job / @bob / 2026-12-01",
    "Write the runbook / @alice / 2026-12-02",
)
MOST_CALLS = 80


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


STORIES = {"resolving": resolving, "finishing": finishing}


def fresh(sandbox: Sandbox, story: Callable[[Team], int]) -> tuple[Team, int]:
    team = Team(sandbox)
    number = story(team)
    team.last = ([d for d in sandbox.deliveries if d[0] in ("pull_request", "issue_comment")])[-1]  # type: ignore[attr-defined]
    return team, number


@pytest.fixture(scope="module", params=STORIES)
def story(request: pytest.FixtureRequest) -> tuple[Callable[[Team], int], dict[str, Any], int]:
    """A story, its outcome when nothing goes wrong, and how many calls its run makes."""
    told = STORIES[request.param]
    with Sandbox() as sandbox:
        team, number = fresh(sandbox, told)
        hub = team.hub()
        team.run(team.last, hub)  # type: ignore[attr-defined]
        calls = hub.requests
        expected = outcome(team, number)
    assert 20 < calls < MOST_CALLS
    assert expected["pulls"] == 1
    assert len(expected["items"]) == 2
    assert expected["linked"]
    assert expected["written"]
    assert expected["locks"] == []
    return told, expected, calls


Story = tuple[Callable[[Team], int], dict[str, Any], int]


@pytest.mark.parametrize("after", [False, True], ids=["not-sent", "answer-lost"])
def test_a_fault_at_any_call_changes_nothing_in_the_end(story: Story, *, after: bool) -> None:
    """One request fails, or only its answer is lost: this run or the next one comes to the same."""
    told, expected, calls = story
    for at in range(1, calls + 1):
        with Sandbox() as sandbox:
            team, number = fresh(sandbox, told)
            sandbox.fail(nth=at, kind="drop", after=after)
            try:
                team.run(team.last)  # type: ignore[attr-defined]
            except IncidentActionsError:
                team.run(team.last)  # type: ignore[attr-defined]
            assert outcome(team, number) == expected, f"at call {at}"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_run_that_dies_at_any_call_is_made_up_for(story: Story, *, after: bool) -> None:
    """The next run does what is missing, and nothing twice, also when it died with the lock."""
    told, expected, calls = story
    for at in range(1, calls + 1):
        with Sandbox() as sandbox:
            team, number = fresh(sandbox, told)
            with dying(team.hub(), at, after=after) as hub, pytest.raises(Killed):
                team.run(team.last, hub)  # type: ignore[attr-defined]
            team.run(team.last)  # type: ignore[attr-defined]
            assert outcome(team, number) == expected, f"died at call {at}"


class Waiting(Exception):
    """A run that waits for another one to be done with the lock."""


def test_runs_that_overlap_at_any_call_file_nothing_twice(story: Story) -> None:
    """A whole second run in the middle of the first: every action is one issue."""
    told, expected, calls = story
    for at in range(1, calls + 1):
        with Sandbox() as sandbox:
            team, number = fresh(sandbox, told)

            def stop(seconds: float) -> None:
                raise Waiting

            def second(team: Team = team) -> None:
                team.sleeps = stop
                try:
                    team.run(team.last)  # type: ignore[attr-defined]
                except (Waiting, IncidentActionsError):
                    return
                finally:
                    team.sleeps = lambda seconds: None

            with interrupted(team.hub(), at, second) as hub:
                team.run(team.last, hub)  # type: ignore[attr-defined]
            team.run(team.last)  # type: ignore[attr-defined]
            titles = [item["title"] for item in team.items()]
            assert sorted(titles) == sorted(title for title, _ in expected["items"]), at
            assert outcome(team, number) == expected, f"at call {at}"


def test_a_run_that_sleeps_through_its_lock_leaves_one_open_issue(team: Team) -> None:
    """Should a takeover ever happen too early, the younger double is closed, and stays closed."""
    team.resolved(ACTIONS[0])
    calls = 0

    def again() -> None:
        team.run()

    for at in range(30, 45):  # among these calls are those made with the lock held
        calls = at
        with interrupted(team.hub(), at, again) as hub:
            team.run(hub=hub)
        if len(team.items()) > 1:
            break
    team.run()
    number = team.pull()["number"]
    team.run(("pull_request", {"action": "synchronize", "pull_request": {"number": number}}))
    assert calls
    assert len(team.items("open")) == 1
