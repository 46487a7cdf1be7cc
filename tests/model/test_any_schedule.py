"""Whatever people do and however GitHub runs us, the outcome is that of one run per event.

What is left out, because GitHub's API has no answer to it: somebody saves the issue's body
between the moment when a run reads it last and the moment when that run writes it. GitHub has no
conditional write, so what they saved is lost. `test_meanwhile.py` shows how short that moment is.

Left out by nature: reminders, and the postmortem of an incident that was resolved for a while.
Which of them were posted depends on when there was a run.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_actions.sandbox import Sandbox
from tests.model.actions import (
    OWN_LABELS,
    Action,
    DeleteComment,
    DeleteDashboard,
    EditComment,
    Label,
    Tick,
    Unlabel,
    Write,
    actions,
)
from tests.model.play import Move, Play, moves

EXAMPLES = int(os.environ.get("INCIDENT_HISTORIES", "20"))
"""How many histories are played; set INCIDENT_HISTORIES for more."""


class Story(Play):
    """A history, and what in it is the people's own."""

    def __init__(self, servers: tuple[Sandbox, Sandbox]) -> None:
        super().__init__(servers)
        self.text = self.wild.issue["body"]
        self.ticks: set[str] = set()
        self.labels: set[str] = set()
        self.plain = True

    def remember(self, action: Action) -> None:
        """Keep what must not be changed by any run."""
        match action:
            case Write():
                self.text = action.saved
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


@settings(
    max_examples=EXAMPLES,
    derandomize=EXAMPLES <= 40,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.lists(moves(actions), max_size=25))
def test_any_schedule_ends_where_one_run_per_event_does(
    servers: tuple[Sandbox, Sandbox], history: list[Move]
) -> None:
    """Runs may be dropped, doubled, reordered, interleaved and killed at any request.

    One more run makes up for it: no command is lost and no comment doubled; nobody's words, ticks
    or labels were changed on the way; and another run has nothing to write.
    """
    story = Story(servers)
    for move in history:
        story.move(move)
    story.end()
    calm, wild = story.calm.final(), story.wild.final()

    assert wild.labels == calm.labels
    assert wild.open == calm.open
    assert wild.assignees == calm.assignees
    assert wild.bot == calm.bot
    assert len(set(wild.bot)) == len(wild.bot)
    assert wild.people == calm.people
    assert wild.state == calm.state
    assert wild.body == calm.body
    if story.plain:  # a comment that was taken once keeps its thumbs up
        assert wild.thanked == calm.thanked

    assert story.wild.reporter == story.text
    assert story.wild.labels & set(OWN_LABELS) == story.labels
    for step in story.ticks:
        assert f"- [x] {step}" in wild.body
    assert story.wild.writes_of_another_run() == []
