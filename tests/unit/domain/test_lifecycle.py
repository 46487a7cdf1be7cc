"""The state machine: what the diagram shows is what commands can do, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_actions.domain.issue.incident import TRANSITIONS, Incident, Moment, Severity, Status
from incident_actions.domain.issue.observation import EventKind, Permission
from incident_actions.domain.timeline.arguments import Mistake
from incident_actions.domain.timeline.commands import REGISTRY
from incident_actions.domain.timeline.commands.base import Command, Origin
from incident_actions.domain.timeline.commands.status import Mitigated, Reopen, Resolve, SetStatus
from incident_actions.domain.timeline.parser import TakenLine, read_comment
from tests.unit.domain.chat import CHECKS, DECLARED, Chat, at

ORIGIN = Origin("alice", at(14, 5), "c1.0", at(14, 5), CHECKS)
MOVES: tuple[Command, ...] = (
    SetStatus(Status.INVESTIGATING, ""),
    SetStatus(Status.IDENTIFIED, ""),
    SetStatus(Status.MONITORING, ""),
    Mitigated(""),
    Resolve("why not", force=True),
    Reopen("again"),
)


def incident(status: Status) -> Incident:
    return Incident(
        status=status,
        severity=Severity.SEV1,
        times={Moment.STARTED: DECLARED, Moment.DECLARED: DECLARED},
    )


def after(status: Status, move: Command) -> Status | None:
    """The status that follows, or None when the command is refused."""
    try:
        return move.apply(incident(status), ORIGIN).status
    except Mistake:
        return None


ALIVE = [status for status in Status if status is not Status.REPORTED]


@pytest.mark.parametrize("status", ALIVE)
def test_commands_lead_wherever_the_table_says(status: Status) -> None:
    """All of those, and only those; staying where one is is no move."""
    reached = {after(status, move) for move in MOVES} - {None, status}
    assert reached == TRANSITIONS[status]


def test_a_report_becomes_an_incident_and_nothing_else() -> None:
    """`/confirm` opens it in the bot's name; no other command moves it."""
    assert TRANSITIONS[Status.REPORTED] == {Status.INVESTIGATING}
    assert {after(Status.REPORTED, move) for move in MOVES} <= {None, Status.INVESTIGATING}


def test_the_diagram_in_contributing_is_the_table() -> None:
    """Whoever reads it sees what the code does."""
    text = (Path(__file__).parents[3] / "CONTRIBUTING.md").read_text("utf-8")
    (diagram,) = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", text, re.DOTALL)
    arrows = re.findall(r"^\s*(\S+) --> (\S+?)(?::.*)?$", diagram, re.MULTILINE)
    drawn = {(a, b) for a, b in arrows if "[*]" not in (a, b)}
    table = {(a.value, b.value) for a, to in TRANSITIONS.items() for b in to}
    assert drawn == table


def test_a_status_says_whether_the_issue_is_open() -> None:
    """Only what is resolved is closed."""
    assert [status for status in Status if not status.open] == [Status.RESOLVED]


_LINES = st.sampled_from(
    [
        *(kind.example for kind in REGISTRY),
        *("/status identified", "/status monitoring", "/status investigating"),
        *("/verify all seen", "/resolve", "/resolve --force x", "/reopen y", "/mitigated at 13:00"),
    ]
)


@settings(max_examples=150)
@given(st.lists(_LINES, max_size=20))
def test_whatever_is_commanded_the_status_moves_along_the_table(lines: list[str]) -> None:
    """In any order, with whatever is refused on the way; and only resolving closes."""
    it = incident(Status.INVESTIGATING)
    for line in lines:
        (taken,) = read_comment(line, at(14, 5))
        assert isinstance(taken, TakenLine)
        origin = Origin("alice", taken.at, "c1.0", at(14, 5), CHECKS)
        before = it
        try:
            it = taken.command.apply(it, origin)
        except Mistake:
            continue
        assert it.status is before.status or it.status in TRANSITIONS[before.status]
        assert (Moment.RESOLVED in it.times) == (it.status is Status.RESOLVED)


class TestByHand:
    """People use GitHub's own page; what they do there counts like a command."""

    def test_a_severity_label(self) -> None:
        """Set by hand, it is a correction with an author."""
        chat = Chat()
        chat.by_hand("bob", EventKind.LABELED, "SEV3")
        assert chat.incident.severity is Severity.SEV3
        assert chat.timeline == ["14:01 bob: changed the severity from SEV1 to SEV3"]

    def test_a_severity_label_taken_off(self) -> None:
        """An incident has a severity; the label comes back."""
        chat = Chat()
        chat.by_hand("bob", EventKind.UNLABELED, "sev1")
        assert chat.incident.severity is Severity.SEV1
        assert chat.timeline == []

    def test_a_severity_label_that_confirms_the_guess(self) -> None:
        """Nobody had given one; now somebody has."""
        chat = Chat({})
        chat.by_hand("bob", EventKind.LABELED, "sev1")
        assert chat.incident.severity_known

    def test_a_status_label(self) -> None:
        """Moves the status."""
        chat = Chat()
        chat.by_hand("bob", EventKind.LABELED, "status:monitoring")
        assert chat.incident.status is Status.MONITORING
        assert chat.incident.times[Moment.MITIGATED] == at(14, 1)

    def test_the_label_of_resolved(self) -> None:
        """Is an attempt at `/resolve`."""
        chat = Chat()
        (answer,) = chat.by_hand("bob", EventKind.LABELED, "status:resolved")
        assert answer.startswith("Not closed yet")
        assert chat.incident.status is Status.INVESTIGATING
        chat.say("bob", "/verify all seen")
        assert chat.by_hand("bob", EventKind.LABELED, "status:resolved") == []
        assert chat.incident.status is Status.RESOLVED

    def test_the_label_of_resolved_needs_what_the_command_needs(self) -> None:
        """Whoever may move the status may not resolve by its label, where a team says so."""
        chat = Chat(needs={"resolve": Permission.MAINTAIN})
        chat.say("alice", "/verify all seen")
        (answer,) = chat.by_hand("bob", EventKind.LABELED, "status:resolved")
        assert answer.startswith("@bob, that needs")
        assert chat.incident.status.open

    @pytest.mark.parametrize("name", ["status:reported", "status:", "status:fixed", "sev4", "sev"])
    def test_a_label_that_only_looks_like_ours(self, name: str) -> None:
        """Means nothing."""
        chat = Chat()
        chat.by_hand("bob", EventKind.LABELED, name)
        assert chat.incident == Chat().incident

    def test_closing(self) -> None:
        """Is an attempt at `/resolve`: too early, it says what is missing."""
        chat = Chat()
        (answer,) = chat.by_hand("alice", EventKind.CLOSED)
        assert answer.startswith("Not closed yet")
        assert chat.incident.status.open
        chat.say("alice", "/verify all seen")
        assert chat.by_hand("alice", EventKind.CLOSED) == []
        assert chat.incident.status is Status.RESOLVED

    def test_closing_what_is_resolved(self) -> None:
        """Changes nothing: GitHub's button after the command."""
        chat = Chat()
        chat.say("alice", "/verify all seen\n/resolve")
        before = chat.incident
        assert chat.by_hand("alice", EventKind.CLOSED) == []
        assert chat.incident == before

    def test_reopening(self) -> None:
        """Like `/reopen`; on an open one it is nothing."""
        chat = Chat()
        chat.by_hand("alice", EventKind.REOPENED)
        assert chat.incident == Chat().incident
        chat.say("alice", "/verify all seen\n/resolve")
        chat.by_hand("bob", EventKind.REOPENED)
        assert chat.incident.status is Status.INVESTIGATING
        assert chat.timeline[-1] == "14:03 bob: reopened -> reopened by hand"

    def test_assigning_somebody_gives_them_command(self) -> None:
        """If nobody has it; those after them only help."""
        chat = Chat()
        chat.by_hand("alice", EventKind.ASSIGNED, "bob")
        chat.by_hand("alice", EventKind.ASSIGNED, "tess")
        assert chat.incident.commander == "bob"
        assert chat.incident.assigned == ("bob", "tess")

    def test_assigning_who_is_assigned_already(self) -> None:
        """The bot assigns those with a role; the same by hand is no news."""
        chat = Chat()
        chat.say("alice", "/ack")
        chat.by_hand("alice", EventKind.ASSIGNED, "Alice")
        assert chat.timeline == ["14:01 alice: acknowledged and took command"]

    def test_unassigning_somebody_frees_their_roles(self) -> None:
        """All of them."""
        chat = Chat()
        chat.say("alice", "/ack\n/role scribe\n/role comms @bob")
        chat.by_hand("bob", EventKind.UNASSIGNED, "ALICE")
        assert set(chat.incident.roles.values()) == {"bob"}
        assert chat.incident.assigned == ("bob",)

    def test_the_freeze_labels(self) -> None:
        """On and off by hand, like `/freeze` and `/thaw`."""
        chat = Chat({"severity": "SEV3"})
        chat.by_hand("bob", EventKind.LABELED, "deploy-freeze")
        assert chat.incident.freezes
        chat.by_hand("bob", EventKind.UNLABELED, "deploy-freeze")
        assert not chat.incident.freezes
        chat.say("bob", "/severity sev1")
        chat.by_hand("bob", EventKind.LABELED, "deploys-allowed")
        assert not chat.incident.freezes
        chat.by_hand("bob", EventKind.UNLABELED, "deploys-allowed")
        assert chat.incident.freezes

    def test_taking_the_other_freeze_label_off(self) -> None:
        """Leaves what was decided after it."""
        chat = Chat()
        chat.say("bob", "/thaw x")
        chat.by_hand("bob", EventKind.UNLABELED, "deploy-freeze")
        assert not chat.incident.freezes

    def test_services_and_cause(self) -> None:
        """Labels on and off."""
        chat = Chat({"services": "api"})
        chat.by_hand("bob", EventKind.LABELED, "service:Web")
        chat.by_hand("bob", EventKind.LABELED, "service:web")
        assert chat.incident.services == ("api", "web")
        chat.by_hand("bob", EventKind.UNLABELED, "service:api")
        chat.by_hand("bob", EventKind.UNLABELED, "service:none")
        assert chat.incident.services == ("web",)
        chat.by_hand("bob", EventKind.LABELED, "cause:bad-deploy")
        assert chat.incident.cause == "bad-deploy"
        chat.by_hand("bob", EventKind.UNLABELED, "cause:bad-deploy")
        assert chat.incident.cause is None

    def test_renaming(self) -> None:
        """Stands in the record."""
        chat = Chat()
        chat.by_hand("bob", EventKind.RENAMED, "Uploads fail")
        assert chat.timeline == ["14:01 bob: renamed the incident to Uploads fail"]

    def test_pull_requests_that_are_linked_and_merged(self) -> None:
        """Each with its own time; other issues that mention this one say nothing."""
        chat = Chat()
        facts = {"pull_request": True, "title": "Fix", "merged_at": at(14, 30)}
        chat.by_hand("bob", EventKind.CROSS_REFERENCED, "12", **facts)
        chat.by_hand("bob", EventKind.CROSS_REFERENCED, "13", title="Same here")
        assert chat.timeline == [
            "14:01 bob: linked pull request #12 -> Fix",
            "14:30 bob: merged pull request #12 -> Fix",
        ]

    @pytest.mark.parametrize("kind", [EventKind.LABELED, EventKind.CLOSED, EventKind.UNASSIGNED])
    def test_what_the_bot_does_itself(self, kind: EventKind) -> None:
        """Is a projection, and never counts."""
        chat = Chat()
        chat.say("alice", "/ack")
        before = chat.incident
        chat.by_hand("github-actions[bot]", kind, "sev3" if kind == "labeled" else "alice")
        assert chat.incident == before
