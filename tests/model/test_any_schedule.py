"""Whatever people do and however GitHub runs us, the outcome is that of one run per event."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from incident_actions.flows.respond import Event
from incident_actions.sandbox import Sandbox
from tests.model.deeds import (
    OWN_LABELS,
    BodyEdit,
    Deed,
    DeleteComment,
    DeleteDashboard,
    EditComment,
    Label,
    Tick,
    Unlabel,
    Write,
    deeds,
)
from tests.model.town import Order, Run, Town

EXAMPLES = int(os.environ.get("INCIDENT_HISTORIES", "40"))
"""How many histories are played; set INCIDENT_HISTORIES for more."""


@dataclass(frozen=True)
class Begin:
    """A workflow run starts for one of the latest events and makes some requests."""

    event: int
    requests: int


@dataclass(frozen=True)
class GoOn:
    """A run that was waiting makes some more requests, the last one `how`."""

    run: int
    requests: int
    how: Order = "go"


@dataclass(frozen=True)
class Whole:
    """A run from start to end."""


Move = Deed | Begin | GoOn | Whole

moves: st.SearchStrategy[Move] = st.one_of(
    deeds,
    deeds,
    deeds,
    st.builds(Whole),
    st.builds(Begin, st.integers(0, 3), st.integers(0, 12)),
    st.builds(
        GoOn,
        st.integers(0, 3),
        st.integers(1, 9),
        st.sampled_from(["go", "go", "kill", "lose"]),
    ),
)


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Sandbox, Sandbox]]:
    """Two servers for all histories; each history gets a new world on both."""
    with Sandbox() as calm, Sandbox() as wild:
        yield calm, wild


QUIET = {
    ".github/incident.yml": """\
reminders:
  no-commander: {after: off}
  unacknowledged: {after: off}
  internal-update: {sev1: off, sev2: off}
  customer-update: {after: off}
  promised-update: {after: off}
  not-closed: {after: off}
  override-expired: {after: off}
  stalled: {after: off}
"""
}
"""Which reminders were posted depends on when runs were, and should."""


class Play:
    """One history in two towns: calm, one run per event; and wild, as the schedule has it."""

    def __init__(self, servers: tuple[Sandbox, Sandbox]) -> None:
        self.calm, self.wild = (Town(server, files=QUIET) for server in servers)
        for event in self.calm.news():
            self.calm.run(event)
        self.events: list[Event] = self.wild.news()
        self.runs: list[Run] = []
        self.text = self.wild.issue["body"]
        self.ticks: set[str] = set()
        self.labels: set[str] = set()
        self.plain = True

    def move(self, move: Move) -> None:
        """Make one move."""
        match move:
            case Deed():
                self._do(move)
            case Whole():
                self.wild.run()
            case Begin(event, requests):
                latest = self.events[-1 - event % len(self.events)]
                run = self.wild.begin(latest)
                self.runs.append(run)
                self._go_on(run, requests, "go")
            case GoOn(run, requests, how):
                if waiting := [run for run in self.runs if not run.over]:
                    self._go_on(waiting[run % len(waiting)], requests, how)

    def _go_on(self, run: Run, requests: int, how: Order) -> None:
        for left in range(requests, 0, -1):
            if not run.over:
                run.step(how if left == 1 else "go")

    def _do(self, deed: Deed) -> None:
        for town in (self.calm, self.wild):
            town.tick()
        if not (deed.possible(self.calm) and deed.possible(self.wild)):
            return
        if isinstance(deed, BodyEdit) and any(r.has_read_issue and not r.over for r in self.runs):
            return
        note(f"{deed} happens")
        deed.do(self.calm)
        deed.do(self.wild)
        self._remember(deed)
        for event in self.calm.news():
            self.calm.run(event)
        self.events += self.wild.news()

    def _remember(self, deed: Deed) -> None:
        """Keep what is the people's own."""
        match deed:
            case Write():
                self.text = deed.saved
            case Tick(_, step, True):
                self.ticks.add(step)
            case Tick(_, step, False):
                self.ticks.discard(step)
            case DeleteDashboard(_, True):
                self.ticks.clear()
            case Label(_, name) if name in OWN_LABELS:
                self.labels.add(name)
            case Unlabel(_, name) if name in OWN_LABELS:
                self.labels.discard(name)
            case EditComment() | DeleteComment():
                self.plain = False

    def end(self) -> None:
        """Every run comes to its end, in some order; then there is one more."""
        for run in self.runs:
            run.finish()
        self.wild.run()
        self.calm.run()


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=EXAMPLES <= 40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(moves, max_size=25))
def test_any_schedule_ends_where_one_run_per_event_does(
    servers: tuple[Sandbox, Sandbox], history: list[Move]
) -> None:
    """Runs may be dropped, doubled, reordered, interleaved and killed at any request.

    One more run makes up for it; nobody's words, ticks or labels are changed on the way; and
    another run has nothing to write.
    """
    play = Play(servers)
    for move in history:
        play.move(move)
    play.end()
    calm, wild = play.calm.final(), play.wild.final()

    assert wild.labels == calm.labels
    assert wild.open == calm.open
    assert wild.assignees == calm.assignees
    assert wild.bot == calm.bot
    assert wild.people == calm.people
    assert wild.body == calm.body
    if play.plain:
        assert wild.thanked == calm.thanked

    assert play.wild.reporter == play.text
    assert play.labels == wild_labels_of_people(play.wild)
    for step in play.ticks:
        assert f"- [x] {step}" in wild.body
    assert play.wild.writes_of_another_run() == []


def wild_labels_of_people(town: Town) -> set[str]:
    return town.labels & set(OWN_LABELS)
