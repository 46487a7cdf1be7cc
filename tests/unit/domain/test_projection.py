"""From the incident to the issue: which labels, which people; and people's own labels survive."""

from __future__ import annotations

import pytest

from incident_actions.domain.issue import labels
from incident_actions.domain.issue.observation import EventKind, Issue, Observation
from incident_actions.domain.projection.effects import EditIssue
from incident_actions.domain.projection.wanted import edit, wanted_assignees, wanted_labels
from tests.unit.domain.chat import BOT, Chat, an_issue


def wanted(chat: Chat) -> list[str]:
    """The labels that the issue of a chat should carry."""
    observation = Observation(chat.issue, tuple(chat.history), BOT.login)
    return sorted(wanted_labels(chat.incident, observation))


def test_labels_tell_the_state() -> None:
    """Severity, status, services, cause."""
    chat = Chat({"severity": "SEV2", "services": "api, worker"})
    chat.say("alice", "/cause bad deploy\n/mitigated")
    assert wanted(chat) == [
        "cause:bad-deploy",
        "incident",
        "service:api",
        "service:worker",
        "sev2",
        "status:monitoring",
    ]


def test_a_freeze_by_hand_has_a_label_of_its_own() -> None:
    """Without one the severity decides, and no label says so."""
    chat = Chat()
    assert not {"deploy-freeze", "deploys-allowed"} & set(wanted(chat))
    chat.say("alice", "/freeze")
    assert "deploy-freeze" in wanted(chat)
    chat.say("alice", "/thaw x")
    assert "deploys-allowed" in wanted(chat)
    assert "deploy-freeze" not in wanted(chat)


@pytest.mark.parametrize("name", ["bug", "sev", "severity:1", "status", "customer-facing"])
def test_labels_of_people_stay(name: str) -> None:
    """Everything that isn't ours."""
    assert name in wanted(Chat(issue=an_issue(labels=("incident", name))))


def test_a_drill_stays_a_drill_however_it_is_spelt() -> None:
    """The label was there from the start; GitHub ignores its case."""
    assert "drill" in wanted(Chat(issue=an_issue(labels=("incident", "Drill"))))


@pytest.mark.parametrize(
    "name",
    ["sev3", "SEV2", "status:resolved", "Status:Monitoring", "needs-confirmation",
     "deploy-freeze", "service:old", "cause:old"],
)  # fmt: skip
def test_labels_of_ours_that_no_longer_hold_go(name: str) -> None:
    """Whatever their case."""
    assert name not in wanted(Chat(issue=an_issue(labels=("incident", name))))


def test_a_label_that_is_spelled_differently_is_kept_as_it_is() -> None:
    """GitHub ignores case in labels; so nothing is written for it."""
    chat = Chat(issue=an_issue(labels=("Incident", "SEV1", "Status:Investigating")))
    observation = Observation(chat.issue, (), BOT.login)
    assert edit(chat.issue, labels=wanted_labels(chat.incident, observation)) is None


def test_a_label_that_the_bot_took_by_accident_comes_back() -> None:
    """Somebody added it while the bot wrote the whole list."""
    chat = Chat()
    chat.by_hand("bob", EventKind.LABELED, "bug")
    chat.by_hand(BOT.login, EventKind.UNLABELED, "bug")
    assert "bug" in wanted(chat)
    chat.by_hand(BOT.login, EventKind.LABELED, "bug")
    assert "bug" in wanted(chat)
    chat.by_hand("bob", EventKind.UNLABELED, "bug")
    assert "bug" not in wanted(chat)


def test_a_label_that_the_bot_put_back_by_accident_goes_again() -> None:
    """Somebody took it off while the bot wrote the whole list."""
    chat = Chat(issue=an_issue(labels=("incident", "bug")))
    chat.by_hand("bob", EventKind.UNLABELED, "bug")
    chat.by_hand(BOT.login, EventKind.LABELED, "bug")
    assert "bug" not in wanted(chat)
    chat.by_hand("bob", EventKind.LABELED, "bug")
    assert "bug" in wanted(chat)


def test_a_drill_stays_a_drill_as_people_have_it() -> None:
    """Whatever the bot did to its label by accident; `incident` it may set for good."""
    chat = Chat()
    chat.by_hand("bob", EventKind.LABELED, "drill")
    chat.by_hand(BOT.login, EventKind.UNLABELED, "drill")
    assert "drill" in wanted(chat)
    chat.by_hand("bob", EventKind.UNLABELED, "incident")
    chat.by_hand(BOT.login, EventKind.LABELED, "incident")
    assert "incident" in wanted(chat)


def test_the_catalogue_fits_githubs_limits() -> None:
    """Names, descriptions and colours that GitHub takes."""
    assert len({label.name.casefold() for label in labels.CATALOG.values()}) == len(labels.CATALOG)
    for label in labels.CATALOG.values():
        assert len(label.name) <= labels.MAX_NAME
        assert 0 < len(label.description) <= 100
        assert len(label.color) == 6
        assert int(label.color, 16) >= 0


def test_every_label_of_ours_can_be_described() -> None:
    """Also those with a name of the team's in them."""
    for name in ("sev1", "service:api", "cause:bad-deploy", "followup:missing-alert"):
        assert labels.describe(name).description
    assert labels.describe("bug").description == ""


def test_the_difference_is_only_what_differs() -> None:
    """None leaves a part as it is."""
    issue = an_issue(labels=("incident", "bug"), assignees=("Alice",), body="x")
    same = edit(issue, body="x", labels=("BUG", "Incident"), assignees=("alice",), open=True)
    assert same is None
    assert edit(issue, body="y", open=False) == EditIssue(7, body="y", open=False)
    assert edit(issue, labels=("incident",)) == EditIssue(7, labels=("incident",))
    assert edit(issue, assignees=()) == EditIssue(7, assignees=())


def test_the_values_behind_a_prefix() -> None:
    """Sorted, without doubles and empty ones."""
    names = ("service:b", "Service: a", "service:", "service:b", "other")
    assert labels.values(names, labels.SERVICE_PREFIX) == ("a", "b")


@pytest.mark.parametrize("kind", ["services", "cause"])
def test_labels_stay_within_githubs_limits(kind: str) -> None:
    """However long the names are, and however many."""
    many = ",".join(f"service-{number}-{'x' * 60}" for number in range(300))
    chat = Chat({"services": many})
    chat.say("alice", f"/service {','.join(f's{n}' for n in range(300))}")
    chat.say("alice", f"/cause {'c' * 200}")
    assert len(wanted(chat)) <= 60
    assert all(len(name) <= labels.MAX_NAME for name in wanted(chat))


def seen(issue: Issue) -> Observation:
    """An issue without any history."""
    return Observation(issue, (), "github-actions[bot]")


def test_those_with_a_role_are_assigned_before_the_others() -> None:
    """GitHub takes ten people at most."""
    chat = Chat()
    for number in range(12):
        chat.by_hand("alice", EventKind.ASSIGNED, f"dev{number}")
    chat.say("alice", "/role comms @bob")
    people = wanted_assignees(chat.incident, seen(an_issue()), ())
    assert len(people) == 10
    assert people[:3] == ("dev0", "bob", "dev1")


def test_who_cannot_be_assigned_is_not_asked_for_again() -> None:
    """They left the team, and GitHub dropped them without a word."""
    chat = Chat()
    chat.say("alice", "/role comms @bob\n/role scribe @tess")
    issue = an_issue(assignees=("Tess",))
    assert wanted_assignees(chat.incident, seen(issue), ()) == ("bob", "tess")
    assert wanted_assignees(chat.incident, seen(issue), ("BOB", "tess")) == ("tess",)
