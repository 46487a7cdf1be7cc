"""Recovery checks that the bot makes itself, from run to run."""

from __future__ import annotations

import pytest

from incident_actions.reconcile.respond import Tools
from incident_actions.sandbox import Sandbox
from tests.model.deeds import Comment, DeleteDashboard
from tests.model.play import QUIET
from tests.model.town import Town

PROBE = "https://api.example/health"
FILES = {
    **QUIET,
    "ops/runbooks/verification-checklist.md": f"""
## Recovery

- [ ] The API answers `probe: {PROBE}` <!-- check: api -->
""",
}


class Watched(Town):
    """A town with one recovery check, whose address answers or not."""

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

        return Tools(self._now, sleep=lambda _: None, probe=probe)

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
def town(servers: tuple[Sandbox, Sandbox]) -> Watched:
    """An incident of alice's, acknowledged."""
    town = Watched(servers[0])
    town.say("/ack")
    return town


def test_an_address_is_asked_only_while_recovery_is_watched(town: Watched) -> None:
    """Before the mitigation an answer says nothing."""
    town.minutes(True, True, True, True)
    assert town.asked == []
    town.say("/mitigated")
    assert town.asked == [(PROBE, False)]


def test_several_good_answers_over_some_minutes_verify(town: Watched) -> None:
    """Three in a row, ten minutes from the first to the last; one alone proves little."""
    town.say("/mitigated")
    town.minutes(True, True)
    assert not town.verified
    town.minutes(True)
    assert town.verified
    assert "the bot: verified: The API answers" in town.issue["body"]
    (said,) = town.said
    assert said.startswith("✅ The API answers: this recovery check is verified.")
    town.say("/resolve")
    assert town.issue["state"] == "closed"


def test_quick_answers_do_not_count_for_minutes(town: Watched) -> None:
    """A burst of events is not a watch of ten minutes."""
    town.say("/mitigated")
    town.minutes(True, True, True, True, True, apart=1)
    assert not town.verified


def test_one_bad_answer_begins_anew(town: Watched) -> None:
    """In a row means in a row."""
    town.say("/mitigated")
    town.minutes(True, True, False, True, True, True)
    assert not town.verified
    town.minutes(True)
    assert town.verified


def test_once_verified_it_is_not_asked_again(town: Watched) -> None:
    """Nor is what somebody verified by hand."""
    town.say("/mitigated")
    town.say("/verify api looked myself")
    asked = len(town.asked)
    town.minutes(True, False, True)
    assert len(town.asked) == asked
    assert town.verified


def test_a_recovery_that_was_verified_stays_so_in_the_record(town: Watched) -> None:
    """Reopening asks anew, and takes nothing back of what was."""
    town.say("/mitigated")
    town.minutes(True, True, True)
    town.say("/resolve")
    town.say("/reopen it is back")
    town.say("/mitigated")
    town.minutes(True)
    assert not town.verified
    assert len(town.said) == 1
    body = town.issue["body"]
    assert body.count("the bot: verified: The API answers") == 1
    assert "alice: reopened: it is back" in body
    town.minutes(True, True)
    town.say("/resolve again")
    assert town.issue["state"] == "closed"
    assert len(town.said) == 2
    assert town.writes_of_another_run() == []


def test_the_verdict_is_kept_in_the_comment_that_tells_it(town: Watched) -> None:
    """The state is only a cache."""
    town.say("/mitigated")
    town.minutes(True, True, True)
    assert town.writes_of_another_run() == []
    DeleteDashboard("alice", whole=True).do(town)
    town.run()
    assert town.verified
    assert len(town.said) == 1


def test_a_verdict_that_somebody_deletes_is_struck(town: Watched) -> None:
    """And not told again of the same row; a person may still verify."""
    town.say("/mitigated")
    town.minutes(True, True, True)
    (comment,) = town.comments(bot=True)
    town.person("alice").delete_comment(comment.id)
    town.minutes(True, True, True, True)
    assert not town.verified
    assert town.said == []
    town.say("/verify api looked myself")
    assert town.verified


def test_two_runs_at_the_same_time_tell_it_once(town: Watched) -> None:
    """Both saw the last good answer."""
    town.say("/mitigated")
    town.minutes(True, True)
    town.tick(240)
    first, second = town.begin(town.any_event()), town.begin(town.any_event())
    while not (first.over and second.over):
        for run in (first, second):
            if not run.over:
                run.step()
    town.run()
    assert town.verified
    assert len(town.said) == 1
    assert town.writes_of_another_run() == []
