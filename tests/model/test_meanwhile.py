"""What people do while a run is under way: which of it survives, and the one thing that can't."""

from __future__ import annotations

import itertools

import pytest

from incident_actions.sandbox import Sandbox
from tests.model.actions import Action, Assign, BodyEdit, Comment, Label, Tick, Write
from tests.model.play import QUIET
from tests.model.world import ModelWorld

STEP = "Read the app logs around the start time"
TICK = Tick("bob", STEP)
WRITE = Write("bob", "Logins fail for everybody.", crlf=True)


def meanwhile(
    server: Sandbox, comment: str, action: Action, gap: int
) -> tuple[ModelWorld, list[str]] | None:
    """A run for a comment, with an action before its `gap`th request, and then one more run.

    Gives the world and the requests that the run still made after the action, or None when the run
    makes fewer requests.
    """
    world = ModelWorld(server, files=QUIET)
    world.run()
    world.tick()
    world.news()
    Comment("alice", comment).do(world)
    (event,) = world.news()
    run = world.begin(event)
    for _ in range(gap):
        if not run.over:
            run.step()
    if run.wants is None:
        return None
    world.tick()
    action.do(world)
    left = []
    while run.wants is not None:
        left.append(" ".join(run.wants))
        run.step()
    world.run()
    return world, left


@pytest.mark.parametrize("comment", ["/ack", "/nothing"], ids=["taken", "answered"])
@pytest.mark.parametrize(("action", "kept"), [(TICK, f"- [x] {STEP}"), (WRITE, WRITE.saved)])
def test_what_is_saved_meanwhile_is_lost_only_right_before_the_write(
    servers: tuple[Sandbox, Sandbox], comment: str, action: BodyEdit, kept: str
) -> None:
    """The issue is read once more after the bot has spoken; GitHub has no conditional write."""
    lost = []
    for gap in itertools.count():
        played = meanwhile(servers[0], comment, action, gap)
        if played is None:
            break
        world, left = played
        if kept not in world.issue["body"]:
            lost.append(left)
    assert gap > 4
    assert lost in ([], [["PATCH /issues/1"]])


@pytest.mark.parametrize(
    "action",
    [
        Label("bob", "bug"),
        Label("bob", "sev3"),
        Assign("bob", "tess"),
        Comment("bob", "/severity sev2 fewer"),
    ],
    ids=str,
)
def test_what_is_recorded_meanwhile_is_never_lost(
    servers: tuple[Sandbox, Sandbox], action: Action
) -> None:
    """Labels, people and comments have a history: one more run knows what was meant."""
    calm = ModelWorld(servers[1], files=QUIET)
    calm.run()
    calm.tick()
    Comment("alice", "/ack\n/nothing").do(calm)
    calm.run()
    calm.tick()
    action.do(calm)
    calm.run()
    for gap in itertools.count():
        played = meanwhile(servers[0], "/ack\n/nothing", action, gap)
        if played is None:
            break
        world, _ = played
        assert world.final() == calm.final(), gap
        assert world.writes_of_another_run() == []
    assert gap > 4


def test_a_comment_of_the_bots_that_somebody_deletes_stays_deleted(
    servers: tuple[Sandbox, Sandbox],
) -> None:
    """It was said, and somebody did not want it there."""
    world = ModelWorld(servers[0], files=QUIET)
    Comment("alice", "/nothing").do(world)
    world.run()
    (said,) = world.comments(bot=True)
    world.person("alice").delete_comment(said.id)
    world.run()
    world.tick()
    Comment("alice", "/ack").do(world)
    world.run()
    assert world.comments(bot=True) == []


def test_the_history_of_an_incident_of_500_comments_is_read_in_a_few_requests(
    servers: tuple[Sandbox, Sandbox],
) -> None:
    """At most twelve; the body stays within GitHub's limit, and says what it leaves out.

    Of 250 commands that no run saw before the newest ten get a thumbs up.
    """
    world = ModelWorld(servers[0], files=QUIET)
    world.run()
    for number in range(500):
        if number % 100 == 0:
            world.tick()
        line = f"/note {number} " + "very long words " * 12
        Comment("alice", line if number % 2 else "Nothing new.").do(world)
    world.sandbox.clear_log()
    world.run(world.news()[-1])
    assert world.sandbox.requests(write=False) <= 12
    assert world.sandbox.requests(write=True) == 11
    body = world.issue["body"]
    assert len(body.encode("utf-16-le")) // 2 <= 65_536
    assert "older entries are not shown" in body
    assert "499 very long" in body
    assert world.writes_of_another_run() == []
