"""What people do while a run is under way: which of it survives, and the one thing that can't."""

from __future__ import annotations

import itertools

import pytest

from incident_actions.sandbox import Sandbox
from tests.model.deeds import Assign, BodyEdit, Comment, Deed, Label, Tick, Write
from tests.model.play import QUIET
from tests.model.town import Town

STEP = "Read the app logs around the start time"
TICK = Tick("bob", STEP)
WRITE = Write("bob", "Logins fail for everybody.", crlf=True)


def meanwhile(server: Sandbox, comment: str, deed: Deed, gap: int) -> tuple[Town, list[str]] | None:
    """A run for a comment, with a deed before its `gap`th request, and then one more run.

    Gives the town and the requests that the run still made after the deed, or None when the run
    makes fewer requests.
    """
    town = Town(server, files=QUIET)
    town.run()
    town.tick()
    town.news()
    Comment("alice", comment).do(town)
    (event,) = town.news()
    run = town.begin(event)
    for _ in range(gap):
        if not run.over:
            run.step()
    if run.wants is None:
        return None
    town.tick()
    deed.do(town)
    left = []
    while run.wants is not None:
        left.append(" ".join(run.wants))
        run.step()
    town.run()
    return town, left


@pytest.mark.parametrize("comment", ["/ack", "/nothing"], ids=["taken", "answered"])
@pytest.mark.parametrize(("deed", "kept"), [(TICK, f"- [x] {STEP}"), (WRITE, WRITE.saved)])
def test_what_is_saved_meanwhile_is_lost_only_right_before_the_write(
    servers: tuple[Sandbox, Sandbox], comment: str, deed: BodyEdit, kept: str
) -> None:
    """The issue is read once more after the bot has spoken; GitHub has no conditional write."""
    lost = []
    for gap in itertools.count():
        played = meanwhile(servers[0], comment, deed, gap)
        if played is None:
            break
        town, left = played
        if kept not in town.issue["body"]:
            lost.append(left)
    assert gap > 4
    assert lost in ([], [["PATCH /issues/1"]])


@pytest.mark.parametrize(
    "deed",
    [
        Label("bob", "bug"),
        Label("bob", "sev3"),
        Assign("bob", "tess"),
        Comment("bob", "/severity sev2 fewer"),
    ],
    ids=str,
)
def test_what_is_recorded_meanwhile_is_never_lost(
    servers: tuple[Sandbox, Sandbox], deed: Deed
) -> None:
    """Labels, people and comments have a history: one more run knows what was meant."""
    calm = Town(servers[1], files=QUIET)
    calm.run()
    calm.tick()
    Comment("alice", "/ack\n/nothing").do(calm)
    calm.run()
    calm.tick()
    deed.do(calm)
    calm.run()
    for gap in itertools.count():
        played = meanwhile(servers[0], "/ack\n/nothing", deed, gap)
        if played is None:
            break
        town, _ = played
        assert town.final() == calm.final(), gap
        assert town.writes_of_another_run() == []
    assert gap > 4


def test_a_comment_of_the_bots_that_somebody_deletes_stays_deleted(
    servers: tuple[Sandbox, Sandbox],
) -> None:
    """It was said, and somebody did not want it there."""
    town = Town(servers[0], files=QUIET)
    Comment("alice", "/nothing").do(town)
    town.run()
    (said,) = town.comments(bot=True)
    town.person("alice").delete_comment(said.id)
    town.run()
    town.tick()
    Comment("alice", "/ack").do(town)
    town.run()
    assert town.comments(bot=True) == []


def test_the_history_of_an_incident_of_500_comments_is_read_in_a_few_requests(
    servers: tuple[Sandbox, Sandbox],
) -> None:
    """At most twelve; the body stays within GitHub's limit, and says what it leaves out.

    Of 250 commands that no run saw before the newest ten get a thumbs up.
    """
    town = Town(servers[0], files=QUIET)
    town.run()
    for number in range(500):
        if number % 100 == 0:
            town.tick()
        line = f"/note {number} " + "very long words " * 12
        Comment("alice", line if number % 2 else "Nothing new.").do(town)
    town.sandbox.clear_log()
    town.run(town.news()[-1])
    assert town.sandbox.requests(write=False) <= 12
    assert town.sandbox.requests(write=True) == 11
    body = town.issue["body"]
    assert len(body.encode("utf-16-le")) // 2 <= 65_536
    assert "older entries are not shown" in body
    assert "499 very long" in body
    assert town.writes_of_another_run() == []
