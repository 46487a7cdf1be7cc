"""Who may do what: tokens, scopes, roles, private repositories."""

from __future__ import annotations

import pytest

from incident_actions.sandbox import Sandbox
from tests.unit.sandbox.conftest import REPO, Client


def test_a_wrong_token_is_401(github: Sandbox) -> None:
    """A token that nobody gave out has bad credentials."""
    refused = Client(github.url, "guessed").get("/issues")
    assert (refused.status, refused.body["message"]) == (401, "Bad credentials")


def test_without_a_token_only_public_things_are_read(github: Sandbox) -> None:
    """Nobody may read what is public, and write nothing."""
    nobody = Client(github.url, None)
    assert nobody.get("/issues").status == 200
    assert nobody.post("/issues", {"title": "Hi"}).status == 401


@pytest.mark.parametrize(
    ("granted", "method", "path", "body"),
    [
        ({"contents": "read"}, "GET", "/issues", None),
        ({"issues": "read"}, "POST", "/issues", {"title": "a"}),
        ({"issues": "write"}, "GET", "/contents/a", None),
        ({"issues": "write"}, "POST", "/pulls", {"title": "a", "head": "a", "base": "main"}),
        ({"issues": "write"}, "GET", "/actions/runs", None),
        ({"issues": "write"}, "GET", "/deployments", None),
        ({"issues": "write"}, "GET", "/actions/permissions/workflow", None),
        ({"pull-requests": "write"}, "POST", "/issues/1/comments", {"body": "a"}),
    ],
)
def test_a_missing_scope_is_403(
    github: Sandbox, granted: dict[str, str], method: str, path: str, body: object
) -> None:
    """A workflow's token may do what its permissions name, nothing else."""
    github.as_user("alice").open_issue("Down")
    github.actions_token("narrow", REPO, granted)
    refused = Client(github.url, "narrow").ask(method, path, body)
    assert refused.status == 403
    assert refused.body["message"] == "Resource not accessible by integration"


def test_pull_requests_scope_is_enough_for_comments_on_one(github: Sandbox) -> None:
    """An issue that is a pull request takes either scope."""
    number = github.as_user("alice").open_pull("Fix", {"a": "b"}, "fix")["number"]
    github.actions_token("narrow", REPO, {"pull-requests": "write"})
    narrow = Client(github.url, "narrow")
    assert narrow.post(f"/issues/{number}/comments", {"body": "hi"}).status == 201
    assert narrow.get("/issues").status == 200


def test_a_fine_grained_token_names_itself_in_its_refusal(github: Sandbox) -> None:
    """A person's limited token is refused in other words than a workflow's."""
    github.token("fine", "alice", {"contents": "read"})
    refused = Client(github.url, "fine").get("/issues")
    message = "Resource not accessible by personal access token"
    assert (refused.status, refused.body["message"]) == (403, message)


def test_a_private_repository_does_not_exist_for_strangers(github: Sandbox) -> None:
    """Whoever may not see it gets 404, as for one that is not there."""
    github.repository("acme/secret", private=True)
    github.user("alice", permission={"acme/secret": "read"})
    for token, status in (("alice-token", 200), ("mallory-token", 404), ("bot-token", 404)):
        client = Client(github.url, token, base="/repos/acme/secret")
        assert client.get("/issues").status == status
    nobody = Client(github.url, None, base="/repos/acme/secret")
    assert nobody.get("").status == 404


def test_a_workflow_token_writes_at_home_only(github: Sandbox) -> None:
    """In another public repository it reads, and writing is 403."""
    github.repository("acme/other")
    away = Client(github.url, "bot-token", base="/repos/acme/other")
    assert away.get("/issues").status == 200
    assert away.post("/issues", {"title": "Hi"}).status == 403


@pytest.mark.parametrize(
    ("role", "permission", "role_name"),
    [
        ("admin", "admin", "admin"),
        ("maintain", "write", "maintain"),
        ("write", "write", "write"),
        ("triage", "read", "triage"),
        ("read", "read", "read"),
        ("none", "read", "read"),
    ],
)
def test_the_permission_has_a_coarse_and_a_fine_name(
    github: Sandbox, bot: Client, role: str, permission: str, role_name: str
) -> None:
    """Four levels of permission, six names of roles; what is public is read by all."""
    github.user("vera", permission={REPO: role})
    shown = bot.get("/collaborators/vera/permission").body
    assert (shown["permission"], shown["role_name"]) == (permission, role_name)


def test_in_private_a_stranger_has_no_permission(github: Sandbox) -> None:
    """A private repository says `none` of people without a role."""
    github.repository("acme/secret", private=True)
    github.user("root", permission={"acme/secret": "admin"})
    asked = Client(github.url, "root-token", base="/repos/acme/secret")
    shown = asked.get("/collaborators/mallory/permission").body
    assert (shown["permission"], shown["role_name"]) == ("none", "none")


@pytest.mark.parametrize("name", ["nobody-at-all", "github-actions[bot]"])
def test_who_is_no_person_has_no_permission_to_ask_for(bot: Client, name: str) -> None:
    """Unknown names and bots are 404."""
    assert bot.get(f"/collaborators/{name}/permission").status == 404


def test_collaborators_are_people_with_a_role(bot: Client, mallory: Client) -> None:
    """The list needs write access, and can be narrowed to one role."""
    names = [user["login"] for user in bot.get("/collaborators").body]
    assert names == ["root", "alice", "tim"]
    assert [u["login"] for u in bot.get("/collaborators?permission=push").body] == ["alice"]
    assert bot.get("/collaborators/mallory").status == 404
    assert mallory.get("/collaborators").status == 403


def test_a_workflow_token_is_the_bot(bot: Client) -> None:
    """What it writes is by github-actions[bot], and it has no user of its own."""
    made = bot.post("/issues", {"title": "By the bot"}).body
    user = made["user"]
    assert (user["login"], user["type"], user["id"]) == ("github-actions[bot]", "Bot", 41898282)
    assert made["performed_via_github_app"]["slug"] == "github-actions"
    assert bot.ask("GET", "user").status == 403


def test_a_known_user_is_shown(alice: Client) -> None:
    """`/user` is the token's person, `/users/NAME` anybody."""
    assert alice.ask("GET", "user").body["login"] == "alice"
    assert alice.ask("GET", "users/tim").body["login"] == "tim"
    assert alice.ask("GET", "users/nobody-at-all").status == 404


def test_settings_of_actions_are_for_admins(root: Client, alice: Client) -> None:
    """A writer may not even read them."""
    assert root.get("/actions/permissions/workflow").status == 200
    assert alice.get("/actions/permissions/workflow").status == 403


def test_an_unknown_repository_is_404(github: Sandbox) -> None:
    """It does not exist, whoever asks."""
    assert Client(github.url, "root-token", base="/repos/acme/nothing").get("").status == 404
