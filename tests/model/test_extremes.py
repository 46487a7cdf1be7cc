"""Incidents at the edges of GitHub's limits: nothing is lost, and a second run writes nothing."""

from __future__ import annotations

import re

import pytest

from incident_actions.domain.issue.observation import MAX_LENGTH, length_on_github, take_apart
from incident_actions.sandbox import Sandbox
from tests.model.actions import Assign, Comment, Tick, Write
from tests.model.play import QUIET
from tests.model.world import PEOPLE, REPOSITORY, ModelWorld
from tests.support.events import form_body

CHECKLIST = """
## 1. *First* & <b>foremost</b>

- [ ] Ask `@oncall` about a*b*c, $x$ and [this](https://x.example/a_b_(c)) <!-- seen: thread -->
- [ ] <!-- nothing -->
- [ ] Name | a \\| commander <!-- seen: commander -->
"""


def settled(world: ModelWorld) -> str:
    """The body once a run has been, and another that wrote nothing."""
    world.run()
    assert world.writes_of_another_run() == []
    return str(world.issue["body"])


@pytest.mark.parametrize(
    "summary",
    [
        "x" * 60_000,
        "👩‍🚒 " * 11_000,
        "\u202eשלום " * 9_000,
        "<b>& @all</b>\n" * 4_000,
        "\n".join(["- [ ] box"] * 5_900),
        "a\r\nb\r\n" * 9_000,
    ],
    ids=["letters", "emoji", "right to left", "html", "boxes", "crlf"],
)
def test_a_report_that_leaves_no_room_is_kept_whole(
    servers: tuple[Sandbox, Sandbox], summary: str
) -> None:
    """The dashboard gives way, never the reporter's words; labels tell the state all the same."""
    world = ModelWorld(servers[0], files=QUIET, answers={"summary": summary})
    written = world.issue["body"]
    body = settled(world)
    assert take_apart(body).reporter == written
    assert len(body) <= MAX_LENGTH
    assert {"sev1", "status:investigating"} <= world.labels
    world.tick()
    Comment("alice", "/severity sev2\n/ack").do(world)
    assert take_apart(settled(world)).reporter == written
    assert {"sev2"} <= world.labels


def test_a_report_of_the_greatest_length_has_no_dashboard(
    servers: tuple[Sandbox, Sandbox],
) -> None:
    """There is not a single character left."""
    world = ModelWorld(servers[0], files=QUIET)
    text = form_body({"severity": "SEV3", "summary": "x"}) + "\n"
    text += "y" * (MAX_LENGTH - len(text))
    Write("alice", text).do(world)
    assert settled(world) == text
    assert "sev3" in world.labels


@pytest.mark.parametrize("piece", ["<", "@a ", "\n", "x", "👩", "> - [ ] <!-- -->\n"], ids=repr)
def test_a_long_report_from_outside_can_be_confirmed(
    servers: tuple[Sandbox, Sandbox], piece: str
) -> None:
    """Quoting makes it longer; what doesn't fit stays in the report, which is linked."""
    answers = {"summary": piece * (60_000 // len(piece)), "commander": "@bob"}
    world = ModelWorld(servers[0], files=QUIET, author="eve", answers=answers)
    settled(world)
    world.tick()
    Comment("alice", "/confirm").do(world)
    settled(world)
    ((number, labels),) = world.living()
    assert "sev1" in labels
    incident = world.person("alice").issue(number)
    assert length_on_github(incident["body"]) <= MAX_LENGTH
    assert "(cut: see the report)" in incident["body"]
    assert take_apart(incident["body"]).dashboard.startswith("## 🔴 SEV1")


def test_a_confirmed_report_is_read_as_the_reporter_filled_it(
    servers: tuple[Sandbox, Sandbox],
) -> None:
    """The quote is harmless, and the answers in it are data all the same."""
    answers = {"severity": "SEV2", "commander": "@bob", "services": "api", "started": "02:30"}
    world = ModelWorld(servers[0], files=QUIET, author="eve", answers=answers)
    world.run()
    world.tick()
    Comment("alice", "/confirm").do(world)
    world.run()
    ((number, labels),) = world.living()
    assert {"sev2", "service:api"} <= set(labels)
    incident = world.person("alice").issue(number)
    assert [user["login"] for user in incident["assignees"]] == ["bob"]
    assert "| Started | 2026-11-23 02:30 UTC |" in incident["body"]
    assert "<" not in re.sub(r"<!--.*?-->|</?(?:details|summary|b)\b[^>]*>", "", incident["body"])


def test_a_teams_own_checklist_stays_as_it_is_written(servers: tuple[Sandbox, Sandbox]) -> None:
    """From run to run, with its formatting, and with the ticks of people in it."""
    files = {**QUIET, "ops/runbooks/incident-checklist.md": CHECKLIST}
    world = ModelWorld(servers[0], files=files)
    before = settled(world)
    checklist = before.partition("<b>Checklist</b>")[2].split("\n")
    shown = [line for line in checklist if line.startswith(("- [", "#### "))][:3]
    assert shown == [
        "#### *First* & <b>foremost</b>",
        "- [ ] Ask `@oncall` about a*b*c, $x$ and [this](https://x.example/a_b_(c))"
        " <!-- seen: thread -->",
        "- [ ] Name | a \\| commander <!-- seen: commander -->",
    ]
    step = "Ask `@oncall` about a*b*c, $x$ and [this](https://x.example/a_b_(c))"
    Tick("alice", step).do(world)
    world.tick()
    Comment("alice", "/ack").do(world)
    after = settled(world)
    assert f"- [x] {step}" in after
    assert "- [x] Name | a \\| commander" in after


def test_ticks_survive_when_there_was_no_room_for_the_checklist(
    servers: tuple[Sandbox, Sandbox],
) -> None:
    """The boxes come back as people left them."""
    step = "Read the app logs around the start time"
    world = ModelWorld(servers[0], files=QUIET)
    settled(world)
    Tick("alice", step).do(world)
    settled(world)
    room = MAX_LENGTH - len(world.issue["body"]) - 400  # the dashboard begins with the summary
    Write("alice", form_body({"severity": "SEV1", "summary": "x" * room})).do(world)
    assert f"- [x] {step}" in settled(world)
    world.tick()
    Comment("alice", "\n".join(["/note " + "very long words " * 15] * 9)).do(world)
    assert f"] {step}" not in settled(world)
    Write("alice", form_body({"severity": "SEV1", "summary": "short"})).do(world)
    assert f"- [x] {step}" in settled(world)


def test_people_beyond_githubs_limit_are_not_asked_for_again_and_again(
    servers: tuple[Sandbox, Sandbox],
) -> None:
    """GitHub assigns ten people at most; those with a role come first."""
    world = ModelWorld(servers[0], files=QUIET)
    for number in range(10):
        world.sandbox.user(f"dev{number}", permission={REPOSITORY: "write"})
        Assign("alice", f"dev{number}").do(world)
    settled(world)
    world.tick()
    Comment("alice", "/role comms @bob\n/role scribe @tess").do(world)
    settled(world)
    assigned = {user["login"] for user in world.issue["assignees"]}
    assert len(assigned) == 10
    assert {"bob", "tess", "dev0"} <= assigned


def test_somebody_who_left_the_team_is_not_assigned_for_ever(
    servers: tuple[Sandbox, Sandbox],
) -> None:
    """GitHub drops them without a word; that is no reason to write at each run."""
    world = ModelWorld(servers[0], files=QUIET)
    Comment("alice", "/role comms @bob").do(world)
    settled(world)
    world.tick()
    world.sandbox.user("bob", permission={REPOSITORY: "none"})
    world.person("alice").unassign(world.number, "bob")
    world.tick()
    Comment("alice", "/role comms @bob").do(world)
    settled(world)
    assert PEOPLE["bob"] == "write"


def test_many_services_are_a_mistake(servers: tuple[Sandbox, Sandbox]) -> None:
    """An issue carries a hundred labels at most."""
    world = ModelWorld(servers[0], files=QUIET)
    Comment("alice", "/service " + ",".join(f"s{n}" for n in range(200))).do(world)
    settled(world)
    assert len(world.labels) < 10
    (answer,) = world.comments(bot=True)
    assert "the services can be 20 at most" in answer.body
