"""Sub-issues: by id, once, under one parent, a hundred at most, and not everywhere."""

from __future__ import annotations

import pytest

from incident_actions.sandbox import Sandbox
from tests.unit.sandbox.conftest import REPO, Client


@pytest.fixture
def ids(github: Sandbox) -> list[int]:
    """Ids of four issues; the index is the number."""
    person = github.as_user("alice")
    return [0, *(int(person.open_issue(f"Issue {n}")["id"]) for n in range(1, 5))]


def numbers(client: Client) -> list[int]:
    return [issue["number"] for issue in client.get("/issues/1/sub_issues").body]


def test_sub_issues_go_by_id_and_show_on_both_sides(alice: Client, ids: list[int]) -> None:
    """The parent counts them, the child names its parent, both timelines say so."""
    assert alice.post("/issues/1/sub_issues", {"sub_issue_id": ids[2]}).status == 201
    alice.patch("/issues/2", {"state": "closed"})
    summary = alice.get("/issues/1").body["sub_issues_summary"]
    assert summary == {"total": 1, "completed": 1, "percent_completed": 100}
    assert alice.get("/issues/2/parent").body["number"] == 1
    assert alice.get("/issues/2").body["parent_issue_url"].endswith("/issues/1")
    assert alice.get("/issues/1/timeline").body[0]["event"] == "sub_issue_added"
    assert alice.get("/issues/2/timeline").body[0]["event"] == "parent_issue_added"
    assert alice.post("/issues/1/sub_issues", {"sub_issue_id": 2}).status == 404


def test_what_makes_no_sense_is_refused(alice: Client, ids: list[int]) -> None:
    """Duplicates, second parents and circles are 422; replacing the parent is allowed."""
    alice.post("/issues/1/sub_issues", {"sub_issue_id": ids[2]})
    again = alice.post("/issues/1/sub_issues", {"sub_issue_id": ids[2]})
    second = alice.post("/issues/3/sub_issues", {"sub_issue_id": ids[2]})
    circle = alice.post("/issues/2/sub_issues", {"sub_issue_id": ids[1]})
    itself = alice.post("/issues/4/sub_issues", {"sub_issue_id": ids[4]})
    assert [one.status for one in (again, second, circle, itself)] == [422] * 4
    moved = {"sub_issue_id": ids[2], "replace_parent": True}
    assert alice.post("/issues/3/sub_issues", moved).status == 201
    assert numbers(alice) == []


def test_the_hundred_and_first_is_refused(github: Sandbox, alice: Client) -> None:
    """At most 100 under one parent, closed ones included."""
    person = github.as_user("alice")
    person.open_issue("Parent")
    made = [person.open_issue(f"{n}") for n in range(101)]
    person.close(made[0]["number"])
    for one in made[:100]:
        person.ask("POST", "/issues/1/sub_issues", {"sub_issue_id": one["id"]})
    assert alice.post("/issues/1/sub_issues", {"sub_issue_id": made[100]["id"]}).status == 422


def test_sub_issues_can_be_moved_and_removed(alice: Client, ids: list[int]) -> None:
    """Order is kept, changed by priority, and a removed child is free again."""
    for number in (2, 3, 4):
        alice.post("/issues/1/sub_issues", {"sub_issue_id": ids[number]})
    move = {"sub_issue_id": ids[4], "before_id": ids[2]}
    alice.patch("/issues/1/sub_issues/priority", move)
    assert numbers(alice) == [4, 2, 3]
    alice.patch("/issues/1/sub_issues/priority", {"sub_issue_id": ids[4], "after_id": ids[2]})
    assert numbers(alice) == [2, 4, 3]
    assert alice.delete("/issues/1/sub_issue", {"sub_issue_id": ids[4]}).status == 200
    assert alice.delete("/issues/1/sub_issue", {"sub_issue_id": ids[4]}).status == 404
    assert alice.get("/issues/4/parent").status == 404


def test_older_servers_have_none(github: Sandbox, alice: Client, ids: list[int]) -> None:
    """With the feature off every endpoint of it is 404."""
    github.settings(REPO, sub_issues=False)
    assert alice.get("/issues/1/sub_issues").status == 404
    assert alice.post("/issues/1/sub_issues", {"sub_issue_id": ids[2]}).status == 404
