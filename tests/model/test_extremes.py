"""Incidents at the edges of GitHub's limits: nothing is lost, and a second run writes nothing."""

from __future__ import annotations

import re

import pytest

from incident_actions.domain.issue.observation import MAX_LENGTH, length_on_github, take_apart
from incident_actions.sandbox import Sandbox
from tests.model.deeds import Assign, Comment, Tick, Write
from tests.model.play import QUIET
from tests.model.town import PEOPLE, REPOSITORY, Town
from tests.support.events import form_body

CHECKLIST = """
## 1. *First* & <b>foremost</b>

- [ ] Ask `@oncall` about a*b*c, $x$ and [this](https://x.example/a_b_(c)) <!-- seen: thread -->
- [ ] <!-- nothing -->
- [ ] Name | a \\| commander <!-- seen: commander -->
"""


def settled(town: Town) -> str:
    """The body once a run has been, and another that wrote nothing."""
    town.run()
    assert town.writes_of_another_run() == []
    return str(town.issue["body"])


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
    town = Town(servers[0], files=QUIET, answers={"summary": summary})
    written = town.issue["body"]
    body = settled(town)
    assert take_apart(body).reporter == written
    assert len(body) <= MAX_LENGTH
    assert {"sev1", "status:investigating"} <= town.labels
    town.tick()
    Comment("alice", "/severity sev2\n/ack").do(town)
    assert take_apart(settled(town)).reporter == written
    assert {"sev2"} <= town.labels


def test_a_report_of_the_greatest_length_has_no_dashboard(
    servers: tuple[Sandbox, Sandbox],
) -> None:
    """There is not a single character left."""
    town = Town(servers[0], files=QUIET)
    text = form_body({"severity": "SEV3", "summary": "x"}) + "\n"
    text += "y" * (MAX_LENGTH - len(text))
    Write("alice", text).do(town)
    assert settled(town) == text
    assert "sev3" in town.labels


@pytest.mark.parametrize("piece", ["<", "@a ", "\n", "x", "👩", "> - [ ] <!-- -->\n"], ids=repr)
def test_a_long_report_from_outside_can_be_confirmed(
    servers: tuple[Sandbox, Sandbox], piece: str
) -> None:
    """Quoting makes it longer; what doesn't fit stays in the report, which is linked."""
    answers = {"summary": piece * (60_000 // len(piece)), "commander": "@bob"}
    town = Town(servers[0], files=QUIET, author="eve", answers=answers)
    settled(town)
    town.tick()
    Comment("alice", "/confirm").do(town)
    settled(town)
    ((number, labels),) = town.living()
    assert "sev1" in labels
    incident = town.person("alice").issue(number)
    assert length_on_github(incident["body"]) <= MAX_LENGTH
    assert "(cut: see the report)" in incident["body"]
    assert take_apart(incident["body"]).dashboard.startswith("## 🔴 SEV1")


def test_a_confirmed_report_is_read_as_the_reporter_filled_it(
    servers: tuple[Sandbox, Sandbox],
) -> None:
    """The quote is harmless, and the answers in it are data all the same."""
    answers = {"severity": "SEV2", "commander": "@bob", "services": "api", "started": "02:30"}
    town = Town(servers[0], files=QUIET, author="eve", answers=answers)
    town.run()
    town.tick()
    Comment("alice", "/confirm").do(town)
    town.run()
    ((number, labels),) = town.living()
    assert {"sev2", "service:api"} <= set(labels)
    incident = town.person("alice").issue(number)
    assert [user["login"] for user in incident["assignees"]] == ["bob"]
    assert "| Started | 2026-11-23 02:30 UTC |" in incident["body"]
    assert "<" not in re.sub(r"<!--.*?-->|</?(?:details|summary|b)\b[^>]*>", "", incident["body"])


def test_a_teams_own_checklist_stays_as_it_is_written(servers: tuple[Sandbox, Sandbox]) -> None:
    """From run to run, with its formatting, and with the ticks of people in it."""
    files = {**QUIET, "ops/runbooks/incident-checklist.md": CHECKLIST}
    town = Town(servers[0], files=files)
    before = settled(town)
    checklist = before.partition("<b>Checklist</b>")[2].split("\n")
    shown = [line for line in checklist if line.startswith(("- [", "#### "))][:3]
    assert shown == [
        "#### *First* & <b>foremost</b>",
        "- [ ] Ask `@oncall` about a*b*c, $x$ and [this](https://x.example/a_b_(c))"
        " <!-- seen: thread -->",
        "- [ ] Name | a \\| commander <!-- seen: commander -->",
    ]
    step = "Ask `@oncall` about a*b*c, $x$ and [this](https://x.example/a_b_(c))"
    Tick("alice", step).do(town)
    town.tick()
    Comment("alice", "/ack").do(town)
    after = settled(town)
    assert f"- [x] {step}" in after
    assert "- [x] Name | a \\| commander" in after


def test_ticks_survive_when_there_was_no_room_for_the_checklist(
    servers: tuple[Sandbox, Sandbox],
) -> None:
    """The boxes come back as people left them."""
    step = "Read the app logs around the start time"
    town = Town(servers[0], files=QUIET)
    settled(town)
    Tick("alice", step).do(town)
    settled(town)
    room = MAX_LENGTH - len(town.issue["body"]) - 400  # the dashboard begins with the summary
    Write("alice", form_body({"severity": "SEV1", "summary": "x" * room})).do(town)
    assert f"- [x] {step}" in settled(town)
    town.tick()
    Comment("alice", "\n".join(["/note " + "very long words " * 15] * 9)).do(town)
    assert f"] {step}" not in settled(town)
    Write("alice", form_body({"severity": "SEV1", "summary": "short"})).do(town)
    assert f"- [x] {step}" in settled(town)


def test_people_beyond_githubs_limit_are_not_asked_for_again_and_again(
    servers: tuple[Sandbox, Sandbox],
) -> None:
    """GitHub assigns ten people at most; those with a role come first."""
    town = Town(servers[0], files=QUIET)
    for number in range(10):
        town.sandbox.user(f"dev{number}", permission={REPOSITORY: "write"})
        Assign("alice", f"dev{number}").do(town)
    settled(town)
    town.tick()
    Comment("alice", "/role comms @bob\n/role scribe @tess").do(town)
    settled(town)
    assigned = {user["login"] for user in town.issue["assignees"]}
    assert len(assigned) == 10
    assert {"bob", "tess", "dev0"} <= assigned


def test_somebody_who_left_the_team_is_not_assigned_for_ever(
    servers: tuple[Sandbox, Sandbox],
) -> None:
    """GitHub drops them without a word; that is no reason to write at each run."""
    town = Town(servers[0], files=QUIET)
    Comment("alice", "/role comms @bob").do(town)
    settled(town)
    town.tick()
    town.sandbox.user("bob", permission={REPOSITORY: "none"})
    town.person("alice").unassign(town.number, "bob")
    town.tick()
    Comment("alice", "/role comms @bob").do(town)
    settled(town)
    assert PEOPLE["bob"] == "write"


def test_many_services_are_a_mistake(servers: tuple[Sandbox, Sandbox]) -> None:
    """An issue carries a hundred labels at most."""
    town = Town(servers[0], files=QUIET)
    Comment("alice", "/service " + ",".join(f"s{n}" for n in range(200))).do(town)
    settled(town)
    assert len(town.labels) < 10
    (answer,) = town.comments(bot=True)
    assert "the services can be 20 at most" in answer.body
