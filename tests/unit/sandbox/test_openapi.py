"""The judge itself: it must find fault with what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from incident_actions.sandbox import Sandbox
from tests.support.openapi import description, to_json_schema
from tests.unit.sandbox.conftest import REPO

ISSUES = f"/repos/{REPO}/issues"


@pytest.fixture(scope="module")
def issue() -> dict[str, Any]:
    """A sound issue."""
    github = Sandbox()
    github.repository(REPO)
    github.user("alice", permission={REPO: "write"})
    return github.as_user("alice").open_issue("Down")


def check(
    method: str, path: str, query: dict[str, str], body: Any, status: int, answer: Any
) -> Any:
    return description().check(method, path, query, body, status, answer)


def test_what_is_sound_passes(issue: dict[str, Any]) -> None:
    """A right request with a right answer has nothing wrong."""
    assert check("GET", ISSUES, {"state": "all", "per_page": "50"}, None, 200, [issue]) == []
    assert check("POST", ISSUES, {}, {"title": "Down"}, 201, issue) == []


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("number", "1"),
        ("user", 7),
        ("created_at", "yesterday"),
        ("url", "no address"),
        ("id", None),
    ],
)
def test_a_wrong_answer_is_found(issue: dict[str, Any], key: str, value: object) -> None:
    """Types and formats of an answer are held against the description."""
    assert check("GET", f"{ISSUES}/1", {}, None, 200, {**issue, key: value})


def test_a_missing_field_is_found(issue: dict[str, Any]) -> None:
    """A required field of an answer must be there."""
    less = {key: value for key, value in issue.items() if key != "title"}
    assert check("GET", f"{ISSUES}/1", {}, None, 200, less)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ({"label": "incident"}, "undocumented query parameter label"),
        ({"state": "opened"}, "query state"),
        ({"per_page": "many"}, "query per_page"),
        ({"since": "yesterday"}, "query since"),
    ],
)
def test_a_wrong_query_is_found(query: dict[str, str], said: str) -> None:
    """Parameters must be known, and of their type."""
    (wrong,) = check("GET", ISSUES, query, None, 200, [])
    assert said in wrong


@pytest.mark.parametrize(
    "body", [None, {}, {"title": None}, {"title": "a", "labls": []}, {"title": "a", "body": 1}, []]
)
def test_a_wrong_request_is_found(issue: dict[str, Any], body: object) -> None:
    """Bodies must be there, complete, of their types, and without unknown fields."""
    assert check("POST", ISSUES, {}, body, 201, issue)


def test_unknown_operations_and_statuses_are_found(issue: dict[str, Any]) -> None:
    """A path or a success that GitHub does not describe is wrong."""
    assert check("GET", f"/repos/{REPO}/incidents", {}, None, 200, [])
    assert check("GET", f"{ISSUES}/1", {}, None, 202, issue)
    assert check("GET", ISSUES, {}, None, 501, {"message": "not played"})


def test_a_refusal_must_look_like_one() -> None:
    """A 4xx needs the error's shape; its request may be wrong."""
    refusal = {"message": "Validation Failed", "documentation_url": "https://docs.github.com"}
    assert check("POST", ISSUES, {}, {}, 422, refusal) == []
    assert check("POST", ISSUES, {}, {}, 422, {"error": "no"})


def test_events_are_judged_by_their_kind() -> None:
    """An entry of a timeline must have the fields of its own kind of event."""
    path = f"{ISSUES}/1/timeline"
    assert check("GET", path, {}, None, 200, [{"event": "labeled"}])
    assert check("GET", path, {}, None, 200, [{"event": "commented", "body": "x"}])


def test_nullable_becomes_a_choice() -> None:
    """`nullable` with an enum allows null, though the enum does not list it."""
    schema = to_json_schema({"type": "string", "nullable": True, "enum": ["a"]})
    assert schema == {"anyOf": [{"type": "string", "enum": ["a"]}, {"type": "null"}]}
