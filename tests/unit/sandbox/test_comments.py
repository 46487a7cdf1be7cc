"""The rules of comments, reactions, locks and mentions."""

from __future__ import annotations

import pytest

from incident_actions.sandbox import Sandbox
from tests.unit.sandbox.conftest import Client, Clock
from tests.unit.sandbox.test_issues import events


@pytest.fixture(autouse=True)
def _an_issue(github: Sandbox) -> None:
    github.as_user("alice").open_issue("Down")


def test_the_timeline_shows_comments_as_they_are_now(
    github: Sandbox, alice: Client, clock: Clock
) -> None:
    """An edited comment keeps its place and id, and shows the new text and time."""
    made = alice.post("/issues/1/comments", {"body": "/ack"}).body
    clock.forward(60)
    alice.patch(f"/issues/comments/{made['id']}", {"body": "/ack at 02:51"})
    (entry,) = alice.get("/issues/1/timeline").body
    assert (entry["event"], entry["id"], entry["body"]) == (
        "commented",
        made["id"],
        "/ack at 02:51",
    )
    assert (entry["created_at"], entry["updated_at"]) == (
        "2026-11-23T02:50:00Z",
        "2026-11-23T02:51:00Z",
    )
    assert entry["author_association"] == "COLLABORATOR"


def test_a_deleted_comment_leaves_that_one_was_deleted(github: Sandbox, alice: Client) -> None:
    """The comment is gone everywhere; the timeline keeps an event without its text."""
    made = alice.post("/issues/1/comments", {"body": "oops"}).body
    assert alice.delete(f"/issues/comments/{made['id']}").status == 204
    assert alice.get(f"/issues/comments/{made['id']}").status == 404
    assert alice.get("/issues/1/comments").body == []
    assert events(github) == ["comment_deleted"]
    assert alice.get("/issues/1").body["comments"] == 0


@pytest.mark.parametrize(("length", "status"), [(65_536, 201), (65_537, 422), (0, 422)])
def test_a_comment_has_one_to_65536_characters(alice: Client, length: int, status: int) -> None:
    """Empty and overlong comments are refused."""
    assert alice.post("/issues/1/comments", {"body": "x" * length}).status == status


def test_others_comments_are_for_writers_to_change(
    alice: Client, bot: Client, mallory: Client, tim: Client
) -> None:
    """The author and writers may edit and delete; triage and strangers may not."""
    path = f"/issues/comments/{mallory.post('/issues/1/comments', {'body': 'hi'}).body['id']}"
    assert tim.patch(path, {"body": "no"}).status == 403
    assert mallory.patch(path, {"body": "yes"}).status == 200
    assert alice.patch(path, {"body": "also"}).status == 200
    assert tim.delete(path).status == 403
    assert bot.delete(path).status == 204


def test_a_locked_issue_refuses_comments(
    alice: Client, tim: Client, bot: Client, mallory: Client
) -> None:
    """Only people with write access comment there; a workflow's token can't."""
    assert tim.put("/issues/1/lock", {"lock_reason": "resolved"}).status == 204
    asked = [who.post("/issues/1/comments", {"body": "x"}).status for who in (bot, mallory, alice)]
    assert asked == [403, 403, 201]
    assert alice.get("/issues/1").body["active_lock_reason"] == "resolved"
    alice.delete("/issues/1/lock")
    assert bot.post("/issues/1/comments", {"body": "x"}).status == 201


def test_a_second_reaction_of_a_kind_is_the_first(bot: Client, alice: Client) -> None:
    """The same emoji by the same account is 200 with the same id; 201 only once."""
    path = f"/issues/comments/{alice.post('/issues/1/comments', {'body': 'x'}).body['id']}"
    first = bot.post(f"{path}/reactions", {"content": "eyes"})
    again = bot.post(f"{path}/reactions", {"content": "eyes"})
    other = alice.post(f"{path}/reactions", {"content": "eyes"})
    assert (first.status, again.status, other.status) == (201, 200, 201)
    assert first.body == again.body
    shown = bot.get(path).body["reactions"]
    assert (shown["eyes"], shown["total_count"]) == (2, 2)
    assert bot.delete(f"{path}/reactions/{other.body['id']}").status == 403
    assert bot.delete(f"{path}/reactions/{first.body['id']}").status == 204
    assert bot.post(f"{path}/reactions", {"content": "party"}).status == 422


def test_a_mention_is_a_cross_reference_once(github: Sandbox, alice: Client) -> None:
    """`#1` in another issue's texts shows on the timeline of 1, once per issue."""
    alice.post("/issues", {"title": "Two", "body": "caused by #1"})
    alice.post("/issues/2/comments", {"body": "really #1"})
    (entry,) = alice.get("/issues/1/timeline").body
    assert entry["event"] == "cross-referenced"
    assert entry["source"]["issue"]["number"] == 2
    assert entry["source"]["issue"]["title"] == "Two"


@pytest.mark.parametrize(
    "text",
    [
        "`#1`",
        "```\n#1\n```",
        "<!-- #1 -->",
        "<!-- unclosed #1",
        "#99",
        "a#1",
        "#1x",
        "&#1;",
        "~~~\n#1",
    ],
)
def test_what_github_does_not_read_is_no_mention(alice: Client, text: str) -> None:
    """Code, comments of HTML and other words are not mentions."""
    alice.post("/issues", {"title": "Two", "body": text})
    assert alice.get("/issues/1/timeline").body == []


@pytest.mark.parametrize(
    "text", ["see #1.", "(#1)", "acme/shop#1", "https://github.com/acme/shop/issues/1"]
)
def test_mentions_have_several_spellings(alice: Client, text: str) -> None:
    """Number, full name and address all count."""
    alice.post("/issues", {"title": "Two", "body": text})
    assert [one["event"] for one in alice.get("/issues/1/timeline").body] == ["cross-referenced"]


def test_mentioned_people_are_subscribed_once(github: Sandbox, alice: Client) -> None:
    """A person's first mention leaves two events, further ones none."""
    for _ in range(2):
        alice.post("/issues/1/comments", {"body": "/role scribe @tim and @nobody-here"})
    assert events(github) == ["commented", "mentioned", "subscribed", "commented"]


def test_timeline_ids_grow_and_pages_join(github: Sandbox, alice: Client) -> None:
    """Pages of the timeline are in the order of time, and ids only ever grow."""
    for number in range(5):
        alice.post("/issues/1/comments", {"body": f"{number}"})
        alice.post("/issues/1/labels", [f"l{number}"])
    pages = [alice.get(f"/issues/1/timeline?per_page=4&page={page}").body for page in (1, 2, 3)]
    assert [len(page) for page in pages] == [4, 4, 2]
    ids = [entry["id"] for page in pages for entry in page]
    assert ids == sorted(set(ids))
    times = [entry["created_at"] for page in pages for entry in page]
    assert times == sorted(times)


def test_hidden_comments_say_why(github: Sandbox, alice: Client) -> None:
    """A comment that GraphQL minimizes shows its reason in REST."""
    made = alice.post("/issues/1/comments", {"body": "old reminder"}).body
    asked = alice.ask("POST", "graphql", minimize(made["node_id"])).body
    assert asked["data"]["minimizeComment"]["minimizedComment"]["isMinimized"] is True
    shown = alice.get(f"/issues/comments/{made['id']}").body
    assert shown["minimized"] == {"reason": "outdated"}


def test_graphql_refuses_in_its_own_way(mallory: Client, alice: Client) -> None:
    """A refusal is 200 with `errors`; an unknown request is 501."""
    made = alice.post("/issues/1/comments", {"body": "x"}).body
    refused = mallory.ask("POST", "graphql", minimize(made["node_id"]))
    assert (refused.status, refused.body["errors"][0]["type"]) == (200, "FORBIDDEN")
    assert mallory.ask("POST", "graphql", {"query": "{ viewer { login } }"}).status == 501


def minimize(node: str) -> dict[str, object]:
    query = "mutation M($input: MinimizeCommentInput!) { minimizeComment(input: $input) { x } }"
    return {"query": query, "variables": {"input": {"subjectId": node, "classifier": "OUTDATED"}}}


def test_pinned_issues_are_at_most_three(alice: Client) -> None:
    """The fourth pin is refused."""
    query = "mutation M($input: PinIssueInput!) { pinIssue(input: $input) { issue { id } } }"
    outcomes = []
    for number in range(2, 6):
        node = alice.post("/issues", {"title": f"{number}"}).body["node_id"]
        request = {"query": query, "variables": {"input": {"issueId": node}}}
        outcomes.append("errors" in alice.ask("POST", "graphql", request).body)
    assert outcomes == [False, False, False, True]
