"""The rules of issues, as GitHub has them."""

from __future__ import annotations

import pytest

from incident_actions.sandbox import RefusedError, Sandbox
from tests.unit.sandbox.conftest import REPO, Client, Clock


def events(github: Sandbox, number: int = 1) -> list[str]:
    """The timeline of an issue as names of events."""
    shown = github.as_user("root").ask("GET", f"/issues/{number}/timeline?per_page=100")
    return [entry["event"] for entry in shown]


def test_a_form_applies_its_labels_whoever_submits_it(github: Sandbox) -> None:
    """A stranger's form issue carries the form's labels."""
    issue = github.as_user("mallory").file_form_issue("Down", "body", ["incident"])
    assert [label["name"] for label in issue["labels"]] == ["incident"]


def test_a_form_drops_labels_that_do_not_exist(github: Sandbox) -> None:
    """A form's label that the repository lacks is not made."""
    issue = github.as_user("alice").file_form_issue("Down", "body", ["incident", "unheard-of"])
    assert [label["name"] for label in issue["labels"]] == ["incident"]


def test_a_stranger_cannot_label_what_they_open(mallory: Client) -> None:
    """Labels and assignees in a stranger's request are dropped without a word."""
    request = {"title": "Hi", "labels": ["incident"], "assignees": ["alice"]}
    made = mallory.post("/issues", request)
    assert (made.status, made.body["labels"], made.body["assignees"]) == (201, [], [])


def test_a_writer_labels_with_names_that_are_new(alice: Client) -> None:
    """A label that is added to an issue and does not exist is made."""
    alice.post("/issues", {"title": "Down"})
    added = alice.post("/issues/1/labels", {"labels": ["service:api"]})
    assert [label["name"] for label in added.body] == ["service:api"]
    assert alice.get("/labels/service:api").status == 200


def test_triage_cannot_make_labels(tim: Client, alice: Client) -> None:
    """Somebody below write may add labels that exist, not new ones."""
    alice.post("/issues", {"title": "Down"})
    assert tim.post("/issues/1/labels", {"labels": ["bug"]}).status == 200
    assert tim.post("/issues/1/labels", {"labels": ["brand-new"]}).status == 403


def test_labels_are_matched_and_filtered_ignoring_case(alice: Client) -> None:
    """`INCIDENT` is the label `incident`, in changes as in filters; a comma means and."""
    alice.post("/issues", {"title": "One", "labels": ["INCIDENT", "Sev1"]})
    alice.post("/issues", {"title": "Two", "labels": ["incident"]})
    both = alice.get("/issues?labels=Incident,SEV1").body
    assert [issue["title"] for issue in both] == ["One"]
    assert [label["name"] for label in both[0]["labels"]] == ["incident", "sev1"]


def test_pull_requests_stand_in_lists_of_issues(github: Sandbox, alice: Client) -> None:
    """Lists hold pull requests, marked by a key, in the same row of numbers."""
    alice.post("/issues", {"title": "One"})
    github.as_user("alice").open_pull("Two", {"a.md": "a"}, "two")
    listed = alice.get("/issues").body
    assert [(one["number"], "pull_request" in one) for one in listed] == [(2, True), (1, False)]


def test_lists_come_in_pages_with_links(alice: Client, github: Sandbox) -> None:
    """`Link` names the neighbours and the ends; at most 100 fit on a page."""
    person = github.as_user("alice")
    for number in range(105):
        person.open_issue(f"Number {number}")
    first = alice.get("/issues?state=open&per_page=1000")
    assert len(first.body) == 100
    assert 'page=2>; rel="next"' in first.headers["link"]
    assert 'page=2>; rel="last"' in first.headers["link"]
    assert "state=open" in first.headers["link"]
    second = alice.get("/issues?per_page=100&page=2")
    assert [issue["title"] for issue in second.body] == [f"Number {n}" for n in range(4, -1, -1)]
    assert 'rel="prev"' in second.headers["link"]
    assert 'rel="next"' not in second.headers["link"]


def test_the_list_can_be_sorted_and_cut_by_time(
    github: Sandbox, alice: Client, clock: Clock
) -> None:
    """`sort=updated`, `direction` and `since` do what they say."""
    for title in ("One", "Two"):
        alice.post("/issues", {"title": title})
        clock.forward(60)
    alice.post("/issues/1/comments", {"body": "still"})
    newest = alice.get("/issues?sort=updated").body
    assert [issue["title"] for issue in newest] == ["One", "Two"]
    late = alice.get("/issues?since=2026-11-23T02:52:00Z").body
    assert [issue["title"] for issue in late] == ["One"]
    assert late[0]["updated_at"] == "2026-11-23T02:52:00Z"
    assert late[0]["created_at"] == "2026-11-23T02:50:00Z"


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ("creator=mallory", ["Hers"]),
        ("assignee=tim", ["His"]),
        ("assignee=none", ["Hers"]),
        ("assignee=*", ["His"]),
        ("state=closed", ["Done"]),
        ("mentioned=tim", ["Hers"]),
    ],
)
def test_the_list_is_filtered(
    alice: Client, mallory: Client, query: str, titles: list[str]
) -> None:
    """Creator, assignee, mentioned and state each narrow the list."""
    mallory.post("/issues", {"title": "Hers", "body": "cc @tim"})
    alice.post("/issues", {"title": "His", "assignees": ["tim"]})
    alice.post("/issues", {"title": "Done"})
    alice.patch("/issues/3", {"state": "closed"})
    assert [issue["title"] for issue in alice.get(f"/issues?{query}").body] == titles


def test_a_change_of_everything_is_told_in_order(github: Sandbox, alice: Client) -> None:
    """One PATCH leaves one event for each thing that it changed."""
    alice.post("/issues", {"title": "Down", "labels": ["bug"]})
    request = {"title": "Up", "labels": ["sev1"], "assignees": ["tim"], "state": "closed"}
    alice.patch("/issues/1", request)
    expected = ["labeled", "renamed", "unlabeled", "labeled", "assigned", "closed"]
    assert events(github) == expected


def test_doing_it_again_changes_nothing(github: Sandbox, alice: Client, clock: Clock) -> None:
    """A request for what is so already leaves no event and no new time."""
    alice.post("/issues", {"title": "Down", "labels": ["bug"]})
    alice.patch("/issues/1", {"state": "closed"})
    before = alice.get("/issues/1").body
    clock.forward(60)
    alice.patch("/issues/1", {"state": "closed", "title": "Down", "labels": ["bug"]})
    alice.post("/issues/1/labels", {"labels": ["BUG"]})
    assert alice.get("/issues/1").body == before
    assert events(github) == ["labeled", "closed"]


def test_closing_and_reopening_keep_their_reasons(alice: Client) -> None:
    """A closed issue says who, when and why; a reopened one that it was reopened."""
    alice.post("/issues", {"title": "Down"})
    closed = alice.patch("/issues/1", {"state": "closed", "state_reason": "not_planned"}).body
    assert (closed["state_reason"], closed["closed_by"]["login"]) == ("not_planned", "alice")
    assert closed["closed_at"] == "2026-11-23T02:50:00Z"
    opened = alice.patch("/issues/1", {"state": "open"}).body
    assert (opened["state_reason"], opened["closed_at"]) == ("reopened", None)


def test_people_who_cannot_be_assigned_are_dropped(alice: Client) -> None:
    """Unknown people, strangers and bots are no assignees, and no error either."""
    alice.post("/issues", {"title": "Down"})
    logins = ["nobody", "mallory", "github-actions[bot]", "tim"]
    made = alice.post("/issues/1/assignees", {"assignees": logins})
    assert (made.status, [u["login"] for u in made.body["assignees"]]) == (201, ["tim"])
    asked = [alice.get(f"/assignees/{login}").status for login in ("tim", "mallory", "nobody")]
    assert asked == [204, 404, 404]


@pytest.mark.parametrize("role", ["mallory", "tim"])
def test_only_the_author_and_writers_change_the_text(github: Sandbox, role: str) -> None:
    """Others are refused, be they strangers or in triage."""
    github.as_user("alice").open_issue("Down")
    with pytest.raises(RefusedError) as refused:
        github.as_user(role).edit_issue_body(1, "mine now")
    assert refused.value.status == 403


def test_the_author_may_edit_and_close_without_any_role(mallory: Client) -> None:
    """A stranger keeps the say over the text and state of what they opened."""
    mallory.post("/issues", {"title": "Hi"})
    request = {"body": "more", "state": "closed", "labels": ["bug"]}
    edited = mallory.patch("/issues/1", request)
    assert (edited.status, edited.body["body"], edited.body["state"]) == (200, "more", "closed")
    assert edited.body["labels"] == []


@pytest.mark.parametrize(("length", "status"), [(65_536, 201), (65_537, 422)])
def test_a_body_ends_at_65536_characters(alice: Client, length: int, status: int) -> None:
    """One character more is refused with GitHub's validation error."""
    made = alice.post("/issues", {"title": "Long", "body": "é" * length})
    assert made.status == status
    if status == 422:
        assert made.body["message"] == "Validation Failed"
        assert made.body["errors"][0]["field"] == "body"


@pytest.mark.parametrize(
    "request_body",
    [{}, {"title": ""}, {"title": "x" * 257}, {"title": 1}, {"title": "a", "labels": "bug"}, []],
)
def test_a_malformed_issue_is_refused(alice: Client, request_body: object) -> None:
    """Missing, empty, overlong and mistyped fields are 422."""
    refused = alice.post("/issues", request_body)
    assert (refused.status, refused.body["status"]) == (422, "422")


def test_a_hundred_labels_are_enough(alice: Client) -> None:
    """The 101st label is refused, and none of its request is added."""
    alice.post("/issues", {"title": "Down"})
    assert alice.post("/issues/1/labels", [f"l{n}" for n in range(100)]).status == 200
    assert alice.post("/issues/1/labels", ["one-more"]).status == 422
    assert len(alice.get("/issues/1").body["labels"]) == 100


def test_repository_labels_are_unique_whatever_their_case(alice: Client) -> None:
    """A second label of the name is 422 `already_exists`."""
    refused = alice.post("/labels", {"name": "Incident", "color": "ff0000"})
    assert refused.status == 422
    assert refused.body["errors"][0]["code"] == "already_exists"


def test_removing_a_label_that_is_not_on_is_404(alice: Client) -> None:
    """Taking off what is not there is an error, as on GitHub."""
    alice.post("/issues", {"title": "Down"})
    assert alice.delete("/issues/1/labels/bug").status == 404


def test_deleting_a_label_takes_it_off_issues(alice: Client) -> None:
    """A deleted label is gone from every issue."""
    alice.post("/issues", {"title": "Down", "labels": ["bug"]})
    assert alice.delete("/labels/bug").status == 204
    assert alice.get("/issues/1").body["labels"] == []


@pytest.mark.parametrize(
    ("login", "expected"),
    [("alice", "COLLABORATOR"), ("mallory", "NONE"), ("olga", "MEMBER"), ("carl", "CONTRIBUTOR")],
)
def test_the_association_says_how_an_author_stands(
    github: Sandbox, login: str, expected: str
) -> None:
    """Collaborators, members, contributors and strangers are told apart."""
    github.user("olga", member_of=["acme"])
    carl = github.as_user("carl")
    number = carl.open_pull("Fix", {"a": "b"}, "fix", fork=True)["number"]
    github.as_user("alice").merge(number)
    issue = github.as_user(login).open_issue("Hi")
    assert issue["author_association"] == expected


def test_an_owner_is_an_owner() -> None:
    """The account that a repository belongs to is its OWNER, and admin."""
    github = Sandbox()
    github.repository("zoe/shop", owner_type="User")
    assert github.as_user("zoe").open_issue("Mine")["author_association"] == "OWNER"


def test_unknown_numbers_are_404(alice: Client) -> None:
    """An issue that is not there, or no number at all, is not found."""
    assert [alice.get(f"/issues/{n}").status for n in ("7", "0")] == [404, 404]


def test_disabled_issues_are_gone(github: Sandbox, alice: Client) -> None:
    """A repository without issues answers 410."""
    github.settings(REPO, has_issues=False)
    assert alice.post("/issues", {"title": "Down"}).status == 410
