"""A half-broken GitHub: each failure ends in the error that fits, and no write happens twice."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incident_actions.domain.issue.labels import Label
from incident_actions.domain.issue.observation import Comment, Permission
from incident_actions.domain.projection.effects import (
    CreateLabel,
    DeleteComment,
    EditComment,
    EditIssue,
    OpenIssue,
    PostComment,
)
from incident_actions.errors import (
    Forbidden,
    GitHubError,
    NotFound,
    RateLimited,
    Rejected,
    RequestCeilingReached,
    Unauthorized,
    Unavailable,
)
from incident_actions.github import transport
from incident_actions.github.client import GitHub
from incident_actions.github.transport import actor
from incident_actions.sandbox import Sandbox

REPOSITORY = "acme/shop"
TOKEN = "ghs_aSecretThatMustNotShow"
HELLO = PostComment(1, "kind", "key", "Hello")
FOREVER = 99
MOST_REQUESTS = 4
"""The first try and three more."""


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the program wanted to wait; it need not."""
    asked: list[float] = []
    monkeypatch.setattr(time, "sleep", asked.append)
    return asked


@pytest.fixture
def hub(sandbox: Sandbox, waits: list[float]) -> Iterator[GitHub]:
    """A connection to a repository with one issue, #1, and one comment on it."""
    sandbox.repository(REPOSITORY, labels=["incident"])
    sandbox.user("alice", permission={REPOSITORY: "write"})
    alice = sandbox.as_user("alice")
    alice.open_issue("Logins fail", "text", ["incident"])
    alice.comment(1, "/ack")
    permissions = {"issues": "write", "contents": "read"}
    sandbox.actions_token(TOKEN, repo=REPOSITORY, permissions=permissions)
    sandbox.clear_log()
    connection = GitHub(TOKEN, REPOSITORY, sandbox.url)
    yield connection
    connection.close()


@pytest.fixture
def impatient(hub: GitHub, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection waits for an answer for a moment only; busy machines need some."""
    monkeypatch.setattr(transport, "TIMEOUT", 1)


BROKEN: dict[str, tuple[dict[str, Any], type[GitHubError]]] = {
    "500": ({"status": 500}, Unavailable),
    "502": ({"status": 502}, Unavailable),
    "503": ({"status": 503}, Unavailable),
    "504": ({"status": 504}, Unavailable),
    "a page of HTML": ({"kind": "html", "status": 200}, Unavailable),
    "a page of HTML with 502": ({"kind": "html", "status": 502}, Unavailable),
    "half an answer": ({"kind": "truncate"}, Unavailable),
    "a reset connection": ({"kind": "drop"}, Unavailable),
    "no answer at all": ({"kind": "timeout", "seconds": 5}, Unavailable),
    "401": ({"status": 401, "message": "Bad credentials"}, Unauthorized),
    "403": ({"status": 403, "message": "Resource not accessible by integration"}, Forbidden),
    "404": ({"status": 404, "message": "Not Found"}, NotFound),
    "410": ({"status": 410, "message": "This issue was deleted"}, NotFound),
    "422": ({"status": 422, "message": "Validation Failed"}, Rejected),
    "409": ({"status": 409, "message": "Conflict"}, Rejected),
    "429": ({"status": 429, "headers": {"retry-after": "2"}}, RateLimited),
    "403 with retry-after": ({"status": 403, "headers": {"retry-after": "2"}}, RateLimited),
    "a limit that ends tomorrow": (
        {"status": 403, "headers": {"retry-after": "86400"}},
        RateLimited,
    ),
}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("fault", "expected"), BROKEN.values(), ids=BROKEN.keys())
def test_each_failure_of_a_read_has_its_error(
    sandbox: Sandbox, hub: GitHub, fault: dict[str, Any], expected: type[GitHubError]
) -> None:
    """It says what was asked and what to do, never the token, and is asked at most four times."""
    sandbox.fail("GET */issues/1", times=FOREVER, **fault)
    with pytest.raises(GitHubError) as raised:
        hub.issue(1)
    assert type(raised.value) is expected
    assert raised.value.remedy
    assert raised.value.exit_code == 3
    assert TOKEN not in f"{raised.value} {raised.value.remedy}"
    assert "\n" not in str(raised.value)
    assert 1 <= len(sandbox.log) <= MOST_REQUESTS


WRITES = [
    pytest.param(fault, expected, after, id=f"{name}, {'done' if after else 'refused'}")
    for name, (fault, expected) in BROKEN.items()
    for after in ((True,) if fault.get("kind") == "truncate" else (False, True))
    if not (after and expected is RateLimited)  # what is refused for its rate has not happened
]


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("fault", "expected", "after"), WRITES)
def test_a_comment_is_posted_once_at_most(
    sandbox: Sandbox,
    hub: GitHub,
    fault: dict[str, Any],
    expected: type[GitHubError],
    after: bool,
) -> None:
    """A write whose answer was lost may have happened, so it is not repeated blindly.

    What was refused for its rate did nothing, and is tried again.
    """
    sandbox.fail("POST *", times=FOREVER, after=after, **fault)
    with pytest.raises(GitHubError) as raised:
        hub.comment(HELLO)
    assert type(raised.value) is expected
    said = [comment.body for comment in sandbox.repo(REPOSITORY).issues[1].comments]
    assert said == ["/ack", *(["Hello"] if after else [])]
    if expected is not RateLimited:
        assert len(sandbox.log) == 1


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 502},
        {"kind": "drop"},
        {"kind": "drop", "after": True},
        {"status": 502, "after": True},
        {"status": 403, "headers": {"retry-after": "3"}},
        {"status": 429, "headers": {"retry-after": "3"}},
    ],
    ids=str,
)
def test_a_passing_failure_is_waited_out(
    sandbox: Sandbox, hub: GitHub, fault: dict[str, Any]
) -> None:
    """One edit that fails twice happens, and leaves what one would have left."""
    sandbox.fail("PATCH *", times=2, **fault)
    hub.edit(EditIssue(1, labels=("incident", "bug"), open=False))
    issue = sandbox.repo(REPOSITORY).issues[1]
    assert {label.name for label in issue.labels} == {"incident", "bug"}
    assert issue.state == "closed"
    assert len([event for event in issue.events if event.event == "closed"]) == 1


def test_the_wait_that_github_asks_for_is_kept(
    sandbox: Sandbox, hub: GitHub, waits: list[float]
) -> None:
    """To the second."""
    sandbox.fail("GET *", times=1, status=429, headers={"retry-after": "7"})
    assert hub.issue(1).number == 1
    assert sum(waits) >= 7


def test_a_wait_that_is_too_long_is_not_begun(
    sandbox: Sandbox, hub: GitHub, waits: list[float]
) -> None:
    """A run that sleeps for an hour helps nobody; the next one does the rest."""
    sandbox.fail("GET *", times=FOREVER, status=403, headers={"retry-after": "3600"})
    with pytest.raises(RateLimited, match="3600 seconds"):
        hub.issue(1)
    assert sum(waits) < 60
    assert len(sandbox.log) == 1


def test_a_wrong_token_says_so(sandbox: Sandbox, hub: GitHub) -> None:
    """With the remedy."""
    with pytest.raises(Unauthorized) as raised:
        GitHub("ghs_wrong", REPOSITORY, sandbox.url).issue(1)
    assert "renew the secret" in raised.value.remedy


def test_a_missing_permission_names_what_to_write(sandbox: Sandbox, hub: GitHub) -> None:
    """The lines for the workflow file."""
    sandbox.actions_token("ghs_reader", repo=REPOSITORY, permissions={"issues": "read"})
    with pytest.raises(Forbidden) as raised:
        GitHub("ghs_reader", REPOSITORY, sandbox.url).comment(HELLO)
    assert "issues: write" in raised.value.remedy


def test_an_unknown_repository_says_so(sandbox: Sandbox, hub: GitHub) -> None:
    """GitHub can't tell what is not there from what may not be seen; neither can we."""
    with pytest.raises(NotFound) as raised:
        GitHub(TOKEN, "acme/nothing", sandbox.url).issue(1)
    assert "acme/nothing" in raised.value.remedy


def test_no_server_at_all(waits: list[float]) -> None:
    """Nothing listens there."""
    with pytest.raises(Unavailable, match="could not be reached"):
        GitHub(TOKEN, REPOSITORY, "http://127.0.0.1:9").issue(1)


def test_a_body_that_is_too_long_is_rejected(hub: GitHub) -> None:
    """GitHub's 422 comes through with its words."""
    with pytest.raises(Rejected, match="too long"):
        hub.edit(EditIssue(1, body="x" * 70_000))


def test_an_edit_of_nothing_asks_nothing(sandbox: Sandbox, hub: GitHub) -> None:
    """No empty write."""
    hub.edit(EditIssue(1))
    assert sandbox.log == []


class TestTransport:
    """One request at a time."""

    def test_an_answer_that_did_not_change_is_not_sent_again(
        self, sandbox: Sandbox, hub: GitHub
    ) -> None:
        """GitHub says 304, which costs none of the rate limit, and the answer is the first one."""
        first = hub.issue(1)
        assert hub.issue(1) == first
        sandbox.as_user("alice").label(1, "incident")
        sandbox.as_user("alice").close(1)
        assert not hub.issue(1).open
        assert [entry.status for entry in sandbox.log if entry.actor != "alice"] == [200, 304, 200]

    def test_a_known_list_is_followed_to_its_end(self, sandbox: Sandbox, hub: GitHub) -> None:
        """Where the next page is stands in a header, which a 304 does not repeat."""
        for number in range(150):
            sandbox.as_user("alice").comment(1, f"comment {number}")
        history = hub.history(1)
        sandbox.clear_log()
        assert hub.history(1) == history
        assert [entry.status for entry in sandbox.log] == [304, 304]

    def test_a_run_that_asks_without_end_is_stopped(self, sandbox: Sandbox, hub: GitHub) -> None:
        """Before the request beyond the ceiling, reads and writes alike."""
        github = GitHub(TOKEN, REPOSITORY, sandbox.url, ceiling=2)
        with pytest.raises(NotFound):
            github.issue(99)
        github.issue(1)
        for ask in (lambda: github.issue(1), lambda: github.comment(HELLO)):
            with pytest.raises(RequestCeilingReached, match="2 requests") as raised:
                ask()
            assert "report it" in raised.value.remedy
            assert raised.value.exit_code == 3
        assert github.requests == 2

    @pytest.mark.parametrize("status", [301, 307, 308])
    def test_a_repository_that_has_moved_is_followed(
        self, sandbox: Sandbox, hub: GitHub, status: int
    ) -> None:
        """A write arrives, once."""
        moved = {"location": f"{sandbox.url}/repos/{REPOSITORY}/issues/1/comments"}
        sandbox.fail("POST */old/issues/1/comments", times=1, status=status, headers=moved)
        GitHub(TOKEN, "acme/old", sandbox.url).comment(HELLO)
        said = [comment.body for comment in sandbox.repo(REPOSITORY).issues[1].comments]
        assert said == ["/ack", "Hello"]

    @pytest.mark.parametrize("status", [301, 307, 308])
    def test_a_redirect_to_another_server_is_refused(
        self, sandbox: Sandbox, hub: GitHub, status: int
    ) -> None:
        """The token is for this one."""
        moved = {"location": "http://elsewhere.example/repos/acme/shop/issues/1"}
        sandbox.fail("GET */issues/1", times=1, status=status, headers=moved)
        with pytest.raises(Rejected) as raised:
            hub.issue(1)
        assert "moved" in raised.value.remedy


_SHAPES: list[tuple[str, Callable[[GitHub], object]]] = [
    ("/issues/1", lambda hub: hub.issue(1)),
    ("/issues/1/timeline", lambda hub: hub.history(1)),
    ("/issues", lambda hub: hub.issues(labels=["incident"])),
    ("/collaborators/alice/permission", lambda hub: hub.permission("alice")),
    ("/labels", lambda hub: hub.label_names()),
]


@pytest.mark.parametrize(("path", "ask"), _SHAPES, ids=[path for path, _ in _SHAPES])
@pytest.mark.parametrize("answer", [None, 7, "x", {}, [7], [None], {"number": "x"}], ids=repr)
def test_an_answer_of_another_shape_is_githubs_failure(
    hub: GitHub,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    ask: Callable[[GitHub], object],
    answer: object,
) -> None:
    """Never a traceback: JSON that makes no sense is a GitHub that is down."""
    monkeypatch.setattr(hub, "send", lambda *_, **__: ({}, answer))
    with pytest.raises(Unavailable) as raised:
        ask(hub)
    assert raised.value.remedy


class TestReading:
    """GitHub's JSON as the domain's values."""

    def test_pages_are_followed_to_the_end(self, sandbox: Sandbox, hub: GitHub) -> None:
        """A hundred entries a request."""
        for number in range(150):
            sandbox.as_user("alice").comment(1, f"comment {number}")
        sandbox.clear_log()
        history = hub.history(1)
        assert len([item for item in history if hasattr(item, "body")]) >= 151
        assert len(sandbox.log) == 2
        assert hub.requests == 2

    def test_pull_requests_are_no_issues(self, sandbox: Sandbox, hub: GitHub) -> None:
        """GitHub lists them among the issues."""
        alice = sandbox.as_user("alice")
        pull = alice.open_pull("Fix", {"a.txt": "x"}, "fix")
        alice.label(pull["number"], "incident")
        assert [issue.number for issue in hub.issues(labels=["incident"])] == [1]
        assert hub.issue(pull["number"]).is_pull_request

    def test_a_list_of_what_changed_begins_with_the_last_change(
        self, sandbox: Sandbox, hub: GitHub
    ) -> None:
        """Closed ones and pull requests too, where they are asked for, and no more than asked."""
        alice = sandbox.as_user("alice")
        start = hub.issue(1).updated_at
        pull = alice.open_pull("Fix", {"a.txt": "x"}, "fix")["number"]
        alice.close(1)
        every = hub.issues(state="all", since=start, pulls=True)
        assert {issue.number for issue in every} == {1, pull}
        assert [issue.updated_at for issue in every] == sorted(
            (issue.updated_at for issue in every), reverse=True
        )
        assert hub.issues(state="all", since=start, pulls=True, most=1) == every[:1]
        assert [issue.number for issue in hub.issues(state="all", since=start)] == [1]
        assert hub.issues(since=start) == ()
        assert hub.issues(state="all", since=start + timedelta(days=1)) == ()

    def test_a_comment_has_an_id_at_once(self, hub: GitHub) -> None:
        """So that it can be edited without being searched for."""
        made = hub.comment(HELLO)
        hub.edit_comment(EditComment(made, "Hello again"))
        written = [item for item in hub.history(1) if isinstance(item, Comment)]
        assert [(item.id, item.body) for item in written][-1] == (made, "Hello again")

    def test_a_stranger_may_nothing(self, sandbox: Sandbox, hub: GitHub) -> None:
        """Also one whom GitHub doesn't know."""
        sandbox.user("tess", permission={REPOSITORY: "triage"})
        sandbox.user("eve")
        assert hub.permission("alice") is Permission.WRITE
        assert hub.permission("tess") is Permission.TRIAGE
        assert hub.permission("eve") <= Permission.READ
        assert hub.permission("nobody-at-all") is Permission.NONE

    def test_a_custom_role_counts_by_its_base(
        self, hub: GitHub, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Its own name means nothing to us."""
        answer = {"role_name": "release-manager", "permission": "write"}
        monkeypatch.setattr(hub, "send", lambda *_, **__: ({}, answer))
        assert hub.permission("alice") is Permission.WRITE

    def test_files_come_from_the_default_branch(self, sandbox: Sandbox, hub: GitHub) -> None:
        """A missing one and a folder are None."""
        sandbox.file(REPOSITORY, "ops/a b.md", "\ufeffgrüezi 👩‍🚒")
        assert hub.file("ops/a b.md") == "grüezi 👩‍🚒"
        assert hub.file("ops") is None
        assert hub.file("nothing.md") is None

    def test_a_deleted_account_is_a_ghost(self, hub: GitHub) -> None:
        """GitHub gives no user then."""
        assert actor(None).login == "ghost"

    def test_a_label_that_exists_is_fine(self, sandbox: Sandbox, hub: GitHub) -> None:
        """Another run was faster."""
        hub.create_label(CreateLabel(Label("incident", "b60205", "x")))
        assert hub.label_names() == {"incident"}

    def test_a_comment_that_is_gone_is_gone(self, hub: GitHub) -> None:
        """Deleting it again is no failure."""
        hub.delete_comment(DeleteComment(987_654, "kind", "key"))

    def test_opening_an_issue_gives_its_number(self, sandbox: Sandbox, hub: GitHub) -> None:
        """With its labels from birth, so that it freezes at once."""
        number = hub.open(OpenIssue("Title", "body", ("incident", "sev1")))
        assert {label.name for label in sandbox.repo(REPOSITORY).issues[number].labels} == {
            "incident",
            "sev1",
        }

    def test_times_are_aware(self, hub: GitHub) -> None:
        """Always UTC."""
        assert hub.issue(1).created_at.tzinfo is not None
        assert hub.issue(1).created_at.astimezone(UTC) <= datetime.now(UTC)
