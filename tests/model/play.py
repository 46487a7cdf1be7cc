"""The same history in two worlds: a calm one, with one run per event; and a wild one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hypothesis import note
from hypothesis import strategies as st

from incident_actions.reconcile.respond import WorkflowEvent
from incident_actions.sandbox import Sandbox
from tests.model.actions import Action, BodyEdit
from tests.model.world import ModelWorld, Order, Run

QUIET: Mapping[str, str] = {
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
    """A run from start to end: for an event, or by the schedule."""

    name: str = "issues"


Move = Action | Begin | GoOn | Whole


def moves(actions: st.SearchStrategy[Action]) -> st.SearchStrategy[Move]:
    """Actions, and whatever GitHub and its runners do with our runs between them."""
    return st.one_of(
        actions,
        actions,
        actions,
        st.builds(Whole, st.sampled_from(["issues", "issue_comment", "schedule"])),
        st.builds(Begin, st.integers(0, 3), st.integers(0, 14)),
        st.builds(
            GoOn,
            st.integers(0, 3),
            st.integers(1, 12),
            st.sampled_from(["go", "go", "kill", "lose"]),
        ),
    )


class Play:
    """A history while it is played. An event that no move begins a run for was dropped."""

    def __init__(self, servers: tuple[Sandbox, Sandbox], author: str = "alice") -> None:
        self.calm, self.wild = (
            ModelWorld(server, author=author, files=QUIET) for server in servers
        )
        for event in self.calm.news():
            self.calm.run(event)
        self.events: list[WorkflowEvent] = self.wild.news()
        self.runs: list[Run] = []

    def move(self, move: Move) -> None:
        """Make one move."""
        match move:
            case Action():
                self._do(move)
            case Whole(name):
                self.wild.run(WorkflowEvent(name, self.wild.any_event().payload))
            case Begin(event, requests):
                latest = self.events[-1 - event % len(self.events)]
                run = self.wild.begin(latest)
                self.runs.append(run)
                self._go_on(run, requests, "go")
            case GoOn(which, requests, how):
                if waiting := self.waiting:
                    self._go_on(waiting[which % len(waiting)], requests, how)

    @property
    def waiting(self) -> list[Run]:
        """The runs of the wild world that have not come to an end."""
        return [run for run in self.runs if not run.over]

    def remember(self, action: Action) -> None:
        """An action was done."""

    def end(self) -> None:
        """Every run comes to its end; then there is one more."""
        for run in self.runs:
            run.finish()
        self.wild.run()
        self.calm.run()

    def _go_on(self, run: Run, requests: int, how: Order) -> None:
        for left in range(requests, 0, -1):
            if not run.over:
                run.step(how if left == 1 else "go")

    def _do(self, action: Action) -> None:
        for world in (self.calm, self.wild):
            world.tick()
        if not (action.possible(self.calm) and action.possible(self.wild)):
            return
        if isinstance(action, BodyEdit) and any(run.has_read_issue for run in self.waiting):
            return
        note(f"{action} happens")
        action.do(self.calm)
        action.do(self.wild)
        self.remember(action)
        for event in self.calm.news():
            self.calm.run(event)
        self.events += self.wild.news()
