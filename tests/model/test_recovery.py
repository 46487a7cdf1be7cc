"""Recovery checks that the bot makes itself, from run to run."""

from __future__ import annotations

import pytest

from incident_actions.reconcile.respond import Tools
from incident_actions.sandbox import Sandbox
from tests.model.actions import Comment, DeleteDashboard
from tests.model.play import QUIET
from tests.model.world import ModelWorld

PROBE = "https://api.example/health"
FILES = {
    **QUIET,
    "ops/runbooks/verification-checklist.md": f"""
## Recovery

- [ ] The API answers `probe: {PROBE}` <!-- check: api -->
""",
}


class Watched(ModelWorld):
    """A world with one recovery check, whose address answers or not."""

    works = True

    def __init__(self, server: Sandbox) -> None:
        self.asked: list[tuple[str, bool]] = []
        super().__init__(server, files=FILES)
        self.run()

    def tools(self) -> Tools:
        """Probes are answered as the test wants."""

        def probe(url: str, allow_private: bool) -> bool:
            self.asked.append((url, allow_private))
            return self.works

        return Tools(lambda: self._now, sleep=lambda _: None, probe=probe)

    def say(self, text: str) -> None:
        """Alice comments, and a run takes it."""
        self.tick()
        Comment("alice", text).do(self)
        self.run()

    def minutes(self, *answers: bool, apart: int = 4) -> None:
        """A run every few minutes, each with its answer of the address."""
        for works in answers:
            self.tick(60 * apart)
            self.works = works
            self.run()

    @property
    def said(self) -> list[str]:
        """The bot's comments, those about the postmortem aside."""
        return self.final().bot

    @property
    def verified(self) -> bool:
        """Whether the dashboard says so."""
        return "1 of 1 verified" in self.issue["body"]


@pytest.fixture
def world(servers: tuple[Sandbox, Sandbox]) -> Watched:
    """An incident of alice's, acknowledged."""
    world = Watched(servers[0])
    world.say("/ack")
    return world


def test_an_address_is_asked_only_while_recovery_is_watched(world: Watched) -> None:
    """Before the mitigation an answer says nothing."""
    world.minutes(True, True, True, True)
    assert world.asked == []
    world.say("/mitigated")
    assert world.asked == [(PROBE, False)]


def test_several_good_answers_over_some_minutes_verify(world: Watched) -> None:
    """Three in a row, ten minutes from the first to the last; one alone proves little."""
    world.say("/mitigated")
    world.minutes(True, True)
    assert not world.verified
    world.minutes(True)
    assert world.verified
    assert "the bot: verified: The API answers" in world.issue["body"]
    (said,) = world.said
    assert said.startswith("✅ The API answers: this recovery check is verified.")
    world.say("/resolve")
    assert world.issue["state"] == "closed"


def test_quick_answers_do_not_count_for_minutes(world: Watched) -> None:
    """A burst of events is not a watch of ten minutes."""
    world.say("/mitigated")
    world.minutes(True, True, True, True, True, apart=1)
    assert not world.verified


def test_one_bad_answer_begins_anew(world: Watched) -> None:
    """In a row means in a row."""
    world.say("/mitigated")
    world.minutes(True, True, False, True, True, True)
    assert not world.verified
    world.minutes(True)
    assert world.verified


def test_once_verified_it_is_not_asked_again(world: Watched) -> None:
    """Nor is what somebody verified by hand."""
    world.say("/mitigated")
    world.say("/verify api looked myself")
    asked = len(world.asked)
    world.minutes(True, False, True)
    assert len(world.asked) == asked
    assert world.verified


def test_a_recovery_that_was_verified_stays_so_in_the_record(world: Watched) -> None:
    """Reopening asks anew, and takes nothing back of what was."""
    world.say("/mitigated")
    world.minutes(True, True, True)
    world.say("/resolve")
    world.say("/reopen it is back")
    world.say("/mitigated")
    world.minutes(True)
    assert not world.verified
    assert len(world.said) == 1
    body = world.issue["body"]
    assert body.count("the bot: verified: The API answers") == 1
    assert "alice: reopened: it is back" in body
    world.minutes(True, True)
    world.say("/resolve again")
    assert world.issue["state"] == "closed"
    assert len(world.said) == 2
    assert world.writes_of_another_run() == []


def test_the_verdict_is_kept_in_the_comment_that_tells_it(world: Watched) -> None:
    """The state is only a cache."""
    world.say("/mitigated")
    world.minutes(True, True, True)
    assert world.writes_of_another_run() == []
    DeleteDashboard("alice", whole=True).do(world)
    world.run()
    assert world.verified
    assert len(world.said) == 1


def test_a_verdict_that_somebody_deletes_is_struck(world: Watched) -> None:
    """And not told again of the same row; a person may still verify."""
    world.say("/mitigated")
    world.minutes(True, True, True)
    (comment,) = world.comments(bot=True)
    world.person("alice").delete_comment(comment.id)
    world.minutes(True, True, True, True)
    assert not world.verified
    assert world.said == []
    world.say("/verify api looked myself")
    assert world.verified


def test_two_runs_at_the_same_time_tell_it_once(world: Watched) -> None:
    """Both saw the last good answer."""
    world.say("/mitigated")
    world.minutes(True, True)
    world.tick(240)
    first, second = world.begin(world.any_event()), world.begin(world.any_event())
    while not (first.over and second.over):
        for run in (first, second):
            if not run.over:
                run.step()
    world.run()
    assert world.verified
    assert len(world.said) == 1
    assert world.writes_of_another_run() == []
