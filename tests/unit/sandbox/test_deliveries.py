"""Which events would start workflows, and what they carry."""

from __future__ import annotations

from incident_actions.sandbox import Sandbox
from tests.unit.sandbox.conftest import REPO, Client


def names(github: Sandbox) -> list[str]:
    return [f"{event}.{payload.get('action', '')}" for event, payload in github.deliveries]


def test_each_action_of_a_person_is_delivered(github: Sandbox) -> None:
    """People's actions come as GitHub's events, in their order."""
    alice = github.as_user("alice")
    alice.file_form_issue("Down", "SEV1", ["incident", "sev1"])
    made = alice.comment(1, "/ack")
    alice.edit_comment(made["id"], "/ack now")
    alice.delete_comment(made["id"])
    alice.set_title(1, "Shop down")
    alice.label(1, "bug")
    alice.unlabel(1, "bug")
    alice.assign(1, "tim")
    alice.unassign(1, "tim")
    alice.close(1)
    alice.reopen(1)
    alice.lock(1)
    alice.unlock(1)
    assert names(github) == [
        "issues.opened",
        "issues.labeled",
        "issues.labeled",
        "issue_comment.created",
        "issue_comment.edited",
        "issue_comment.deleted",
        "issues.edited",
        "issues.labeled",
        "issues.unlabeled",
        "issues.assigned",
        "issues.unassigned",
        "issues.closed",
        "issues.reopened",
        "issues.locked",
        "issues.unlocked",
    ]


def test_a_workflow_token_starts_nothing_but_dispatches(github: Sandbox, bot: Client) -> None:
    """Events of a workflow's own token are swallowed, except the two dispatches."""
    github.workflow(REPO, ".github/workflows/incident.yml")
    bot.post("/issues", {"title": "By the bot", "labels": ["incident"]})
    bot.post("/issues/1/comments", {"body": "hello"})
    bot.patch("/issues/1", {"state": "closed"})
    assert names(github) == []
    bot.post("/dispatches", {"event_type": "again", "client_payload": {"issue": 1}})
    bot.post("/actions/workflows/incident.yml/dispatches", {"ref": "main"})
    assert names(github) == ["repository_dispatch.again", "workflow_dispatch."]


def test_payloads_carry_what_happened(github: Sandbox) -> None:
    """Issue, label, assignee, comment, former text, repository and sender are there."""
    alice = github.as_user("alice")
    alice.open_issue("Down", "old body")
    alice.edit_issue_body(1, "new body")
    alice.label(1, "bug")
    alice.assign(1, "tim")
    made = alice.comment(1, "one")
    alice.edit_comment(made["id"], "two")
    opened, edited, labeled, assigned, created, changed = (row[1] for row in github.deliveries)
    assert opened["issue"]["body"] == "old body"
    assert opened["repository"]["default_branch"] == "main"
    assert opened["repository"]["full_name"] == REPO
    assert opened["sender"]["login"] == "alice"
    assert edited["changes"] == {"body": {"from": "old body"}}
    assert labeled["label"]["name"] == "bug"
    assert assigned["assignee"]["login"] == "tim"
    assert created["comment"]["body"] == "one"
    assert changed["changes"] == {"body": {"from": "one"}}
    assert changed["comment"]["body"] == "two"


def test_pull_requests_have_events_of_their_own(github: Sandbox) -> None:
    """Labels and closing of a pull request are `pull_request` events; comments are not."""
    alice = github.as_user("alice")
    number = alice.open_pull("Fix", {"a": "1"}, "fix")["number"]
    alice.label(number, "bug")
    alice.comment(number, "looks good")
    alice.merge(number)
    assert names(github) == [
        "create.",
        "push.",
        "pull_request.opened",
        "pull_request.labeled",
        "issue_comment.created",
        "push.",
        "pull_request.closed",
    ]
    assert "pull_request" in github.deliveries[4][1]["issue"]
    assert github.deliveries[-1][1]["pull_request"]["merged"] is True


def test_over_http_a_person_delivers_too(github: Sandbox, alice: Client) -> None:
    """The wire makes no difference."""
    alice.post("/issues", {"title": "Down"})
    assert names(github) == ["issues.opened"]


def test_dispatches_have_limits(alice: Client) -> None:
    """At most 10 keys and 65,535 characters."""
    eleven = {str(n): n for n in range(11)}
    sent = [
        alice.post("/dispatches", {"event_type": "e", "client_payload": payload}).status
        for payload in (eleven, {"a": "x" * 65_536}, {"a": "x"})
    ]
    assert sent == [422, 422, 204]
