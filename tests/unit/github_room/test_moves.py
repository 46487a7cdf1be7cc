"""What moves away: a renamed repository works on, a transferred issue is left alone and said."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from incident_actions.domain.projection.effects import (
    EditComment,
    EditIssue,
    OpenIssue,
    PostComment,
)
from incident_actions.errors import Transferred, Unavailable
from incident_actions.github.client import GitHub
from incident_actions.sandbox import Sandbox
from tests.support.watch import REPO, TOKEN, Watch, watched

OTHER = "acme/archive"


@pytest.fixture
def shop() -> Iterator[Watch]:
    """acme/shop, with a second repository beside it."""
    with watched() as it:
        it.github.repository(OTHER, labels=["incident"])
        it.github.user("alice", permission={OTHER: "write"})
        yield it


def a_stranger_takes_the_number(shop: Watch, number: int) -> int:
    """An issue goes to the other repository, where `number` is somebody else's."""
    for _ in range(number):
        shop.github.as_user("alice", OTHER).open_issue("Unrelated", "text")
    return shop.github.transfer(REPO, number, OTHER, by="alice")


class TestTransferred:
    """An issue that is in another repository now."""

    def test_it_is_left_alone_and_said_where_it_went(
        self, shop: Watch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """A late run for it writes nothing, neither there nor to the issue of the same number."""
        number = shop.declare()
        event = shop.github.deliveries[-1]
        shop.respond()
        same = int(shop.alice.open_issue("Something else", "text")["number"])
        there = a_stranger_takes_the_number(shop, number)
        assert there == same
        before = {issue.number: issue.body for issue in shop.github.repo(OTHER).issues.values()}
        assert shop.run(event[0], {"issue": {"number": number}}) == ()
        assert shop.github.requests(write=True) == 0
        assert before == {i.number: i.body for i in shop.github.repo(OTHER).issues.values()}
        said = [each.getMessage() for each in caplog.records if each.levelno >= logging.WARNING]
        assert any(f"https://github.com/{OTHER}/issues/{there}" in each for each in said)

    @pytest.mark.parametrize(
        "write",
        [
            EditIssue(1, body="ours", labels=("incident",)),
            PostComment(1, "kind", "key", "Hello"),
        ],
        ids=["edit", "comment"],
    )
    def test_a_write_does_not_follow_it(self, shop: Watch, write: EditIssue | PostComment) -> None:
        """Also when its number in the other repository happens to be the same."""
        number = shop.declare()
        assert (number, shop.github.transfer(REPO, number, OTHER, by="alice")) == (1, 1)
        hub = GitHub(TOKEN, REPO, shop.github.url)
        with pytest.raises(Transferred):
            hub.edit(write) if isinstance(write, EditIssue) else hub.comment(write)
        moved = shop.github.repo(OTHER).issues[1]
        assert moved.comments == []
        assert moved.body != "ours"

    def test_one_that_the_token_may_not_see_is_left_alone(self, shop: Watch) -> None:
        """Then only its address in the API is known."""
        shop.github.repository("acme/secret", private=True)
        number = shop.declare()
        shop.github.transfer(REPO, number, "acme/secret", by="alice")
        with pytest.raises(Transferred, match="/repositories/"):
            GitHub(TOKEN, REPO, shop.github.url).history(number)


class TestRenamed:
    """A repository with a new name, and a workflow that still has the old one."""

    def test_lists_of_several_pages_end(self, shop: Watch) -> None:
        """The redirect loses the query: it is sent again."""
        for number in range(130):
            shop.alice.open_issue(f"Incident {number}", "x", ["incident"])
        shop.alice.open_issue("No incident", "x")
        shop.github.rename(REPO, "store")
        listed = GitHub(TOKEN, REPO, shop.github.url).issues(labels=["incident"])
        assert len({issue.number for issue in listed}) == len(listed) == 130

    def test_a_run_does_its_work(self, shop: Watch, caplog: pytest.LogCaptureFixture) -> None:
        """Reads and writes arrive, and the new name is said once."""
        number = shop.declare()
        shop.github.rename(REPO, "store")
        shop.sweep()
        issue = shop.github.repo("acme/store").issues[number]
        assert "status:investigating" in [label.name for label in issue.labels]
        said = [each for each in caplog.records if "called acme/store" in each.getMessage()]
        assert len(said) == 1

    def test_a_write_keeps_its_method_and_body(self, shop: Watch) -> None:
        """307: the same request again, elsewhere; and it happens once."""
        number = shop.declare()
        shop.github.rename(REPO, "store")
        hub = GitHub(TOKEN, REPO, shop.github.url)
        made = hub.comment(PostComment(number, "kind", "key", "Hello"))
        hub.edit_comment(EditComment(made, "Hello again"))
        issue = shop.github.repo("acme/store").issues[number]
        assert [comment.body for comment in issue.comments] == ["Hello again"]
        assert hub.repository == "acme/store"


def test_a_write_that_is_not_seen_is_not_believed(
    shop: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer must be about what was asked for."""
    number = shop.declare()
    other = shop.alice.open_issue("Another", "x")
    hub = GitHub(TOKEN, REPO, shop.github.url)
    exchange = hub._exchange
    for wrong in ({**other}, [], {**other, "url": other["url"].replace(REPO, OTHER)}):
        monkeypatch.setattr(
            hub, "_exchange", lambda *given, wrong=wrong: (200, {}, wrong) if given else exchange()
        )
        with pytest.raises(Unavailable):
            hub.edit(EditIssue(number, body="x"))
        with pytest.raises(Unavailable):
            hub.comment(PostComment(number, "kind", "key", "x"))


def test_a_list_that_does_not_go_on_is_githubs_failure(
    shop: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that forgets the page would be asked for ever."""
    hub = GitHub(TOKEN, REPO, shop.github.url)
    link = '<https://api.github.com/repos/acme/shop/issues?page=2&per_page=100>; rel="next"'
    monkeypatch.setattr(hub, "_exchange", lambda *given: (200, {"link": link}, []))
    with pytest.raises(Unavailable, match="page"):
        hub.issues()
    assert hub.requests == 2


def test_opening_is_seen(shop: Watch, sandbox: Sandbox) -> None:
    """An answer about this repository is believed, whatever the case of its name."""
    hub = GitHub(TOKEN, "ACME/Shop", shop.github.url)
    assert hub.open(OpenIssue("Title", "body", ())) >= 1
