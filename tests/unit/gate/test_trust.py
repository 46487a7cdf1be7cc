"""Who stands behind labels and texts: nothing lets a deploy pass because a stranger wrote it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.gate.cases import (
    EARLIER,
    HEAD,
    LATER,
    SHA,
    Json,
    allow,
    form,
    freeze,
    issue,
    outsider,
    with_state,
)
from tests.unit.gate.conftest import Run
from tests.unit.gate.hostile import Hostile, Reply

READER, WRITER = {"permission": "read"}, {"permission": "write"}
ACCEPTED = "status:investigating"
FAILS = [Reply({}, 500), Reply({}, 404), Reply({"message": "x"}, 403), [], None, {}, "x"]


def person(login: str, kind: str = "User") -> Json:
    """An account as GraphQL gives it."""
    return {"__typename": kind, "login": login}


def written(by: Json | None, at: str | None = EARLIER, author: str = "alice") -> Json:
    """GraphQL's answer: who edited the issue last, and when."""
    found = {"author": person(author), "editor": by, "lastEditedAt": at}
    return {"data": {"repository": {"issue": found}}}


def labelled(label: str, by: str, kind: str = "User", event: str = "labeled") -> Json:
    """An event: somebody put a label on, or took it off."""
    return {"event": event, "label": {"name": label}, "actor": {"login": by, "type": kind}}


@pytest.fixture
def people(github: Hostile) -> None:
    """Alice may write; nobody else may, whatever GitHub's hint says."""
    github.will("/collaborators/", READER)
    github.script = {"/collaborators/alice/": [Reply(WRITER)], **github.script}
    github.will("/graphql", written(None, None))


@pytest.mark.parametrize("labels", [("sev1",), ("sev1", "deploy-freeze"), ()])
@pytest.mark.parametrize("association", ["MEMBER", "COLLABORATOR", "SOMETHING_NEW"])
def test_a_member_who_may_only_read_is_a_stranger(
    run: Run, github: Hostile, people: None, labels: tuple[str, ...], association: str
) -> None:
    """Their form brings its labels along; GitHub is asked for their permission."""
    rita = {"login": "rita", "type": "User"}
    item = issue(*labels, user=rita, author_association=association, body=form(Severity="SEV1"))
    github.will("incident", [item])
    assert run().verdict == ("error" if not labels and association[0] == "S" else "clear")
    github.will("incident", [{**item, "user": {"login": "alice", "type": "User"}}])
    assert run().verdict != "clear"


def test_a_members_freeze_who_may_only_read_is_a_strangers(
    run: Run, github: Hostile, people: None
) -> None:
    """The freeze form brings its label along, too."""
    github.will("deploy-freeze", [freeze(user={"login": "rita", "type": "User"})])
    assert run().verdict == "clear"
    github.will("deploy-freeze", [freeze()])
    assert run().verdict == "frozen"


@pytest.mark.parametrize("answer", FAILS)
def test_without_an_answer_a_member_may_write(run: Run, github: Hostile, answer: Any) -> None:
    """The freeze stays wide; a stranger stays a stranger."""
    github.will("/collaborators/", answer)
    github.will("incident", [issue("sev1")])
    assert run().verdict == "frozen"
    github.will("incident", [outsider(issue("sev1"))])
    assert run().verdict == "clear"


def test_an_accepted_incident_needs_no_question(run: Run, github: Hostile, people: None) -> None:
    """Its author may have left the team since."""
    github.will("incident", [outsider(issue("sev1", ACCEPTED, body=with_state(severity="sev1")))])
    assert run().verdict == "frozen"
    assert not any("collaborators" in path for path in github.log)


BOT = person("github-actions", "Bot")


@pytest.mark.parametrize(
    ("editor", "verdict"),
    [(BOT, "frozen"), (None, "clear"), (person("mallory"), "clear"), (person("alice"), "clear")],
)
@pytest.mark.parametrize("label", ["sev1", "needs-confirmation"])
def test_a_triager_who_takes_the_status_off_ends_no_freeze(
    run: Run, github: Hostile, people: None, editor: Json | None, verdict: str, label: str
) -> None:
    """Its author has left the team; our bot wrote the state. A stranger's own state is nothing."""
    github.will("incident", [outsider(issue("sev1", label, body=with_state(severity="sev1")))])
    github.will("/graphql", written(editor, EARLIER if editor else None, "mallory"))
    assert run().verdict == verdict


def test_strangers_can_not_make_the_gate_ask_for_ever(run: Run, github: Hostile) -> None:
    """A hundred reports with a state of their own cost five questions, and hide no incident."""
    forged = with_state(severity="sev1")
    reports = [outsider(issue(number=n, body=forged)) for n in range(98, 12, -1)]
    github.will("incident", reports)
    assert run().verdict == "clear"
    assert len(github.asked) == 5
    github.will("incident", [*reports, outsider(issue(body=forged))])
    github.will("/graphql", written(BOT), written(None, None, "mallory"))
    github.asked.clear()
    run()
    assert 12 in [asked["variables"]["number"] for asked in github.asked]


FORGED_STATES = [
    (("sev1", "drill"), {"severity": "sev1", "drill": True}),
    (("sev1", "deploys-allowed"), {"severity": "sev1", "freeze": {"freeze": "thaw"}}),
    (("sev3",), {"severity": "sev3"}),
]


@pytest.mark.parametrize(("labels", "state"), FORGED_STATES)
@pytest.mark.parametrize("association", ["NONE", "MEMBER"])
def test_a_state_that_an_ex_member_wrote_says_nothing(
    run: Run, github: Hostile, people: None, labels: tuple[str, ...], state: Json, association: str
) -> None:
    """Although a triager has put the label on that goes with it."""
    item = outsider(issue(ACCEPTED, *labels, body=with_state(**state)), association)
    github.will("incident", [item])
    github.will("/issues/12/events", [labelled(label, "tina") for label in labels])
    for answer, verdict in [
        (written(person("mallory"), author="mallory"), "frozen"),
        (written(None, None, "mallory"), "frozen"),
        (Reply({}, 500), "frozen"),
        (written(BOT), "clear"),
        (written(person("alice")), "clear"),
    ]:
        github.will("/graphql", answer)
        seen = association == "NONE" or labels != ("sev3",)  # a SEV3 by a member is no doubt
        assert run().verdict == (verdict if seen else "clear")


@pytest.mark.parametrize(("labels", "state"), FORGED_STATES)
def test_the_word_of_who_may_write_needs_one_question(
    run: Run, github: Hostile, people: None, labels: tuple[str, ...], state: Json
) -> None:
    """None at all for an owner's, or our bot's."""
    item = issue(ACCEPTED, *labels, body=with_state(**state))
    github.will("incident", [item])
    assert run().verdict == "clear"
    assert len(github.log) == (2 if labels == ("sev3",) else 3)
    github.log.clear()
    github.will("incident", [{**item, "author_association": "OWNER"}])
    assert (run().verdict, len(github.log)) == ("clear", 2)


@pytest.mark.parametrize("label", ["drill", "needs-confirmation", "deploys-allowed"])
@pytest.mark.parametrize(
    ("events", "verdict"),
    [
        (lambda label: [labelled(label, "alice")], "clear"),
        (lambda label: [labelled(label, "github-actions[bot]", "Bot")], "clear"),
        (lambda label: [labelled(label, "labeler[bot]", "Bot")], "frozen"),
        (lambda label: [labelled(label, "tina")], "frozen"),
        (lambda label: [labelled(label, "alice"), labelled(label, "alice", event="unlabeled"),
                        labelled(label, "tina")], "frozen"),
        (lambda label: [labelled(label, "alice")] * 100, "frozen"),
        (lambda label: [], "frozen"),
        (lambda label: [{"event": "labeled", "label": {"name": label}, "actor": None}], "frozen"),
    ],
)  # fmt: skip
def test_a_label_that_releases_counts_by_who_put_it_on(
    run: Run, github: Hostile, people: None, label: str, events: Any, verdict: str
) -> None:
    """Before the first run has read the issue; a triager's label does not count."""
    github.will("incident", [issue("sev1", label)])
    github.will("/issues/12/events", events(label))
    ran = run()
    assert ran.verdict == verdict
    assert (f"`{label}` on #12 does not count" in "".join(ran.errors)) is (verdict == "frozen")


@pytest.mark.parametrize("answer", FAILS)
def test_a_label_that_nobody_knows_of_does_not_count(
    run: Run, github: Hostile, people: None, answer: Any
) -> None:
    """A question that fails leaves the deploy frozen."""
    github.will("incident", [issue("sev1", "drill")])
    github.will("/issues/12/events", answer)
    assert run().verdict == "frozen"


@pytest.mark.parametrize("label", ["environment:staging", "service:blog"])
@pytest.mark.parametrize(
    ("item", "by", "verdict"),
    [
        (issue("sev1", ACCEPTED, body=with_state(severity="sev1")), "tina", "frozen"),
        (issue("sev1", ACCEPTED, body=with_state(severity="sev1")), "alice", "frozen"),
        (issue("sev1"), "tina", "frozen"),
        (freeze(number=12), "tina", "frozen"),
        (freeze(number=12), "alice", "clear"),
    ],
)
def test_a_label_narrows_by_who_put_it_on(
    run: Run, github: Hostile, people: None, label: str, item: Json, by: str, verdict: str
) -> None:
    """Never an incident that has a state: the dashboard would say something else."""
    key = "deploy-freeze" if item["title"] == "Quarter end" else "incident"
    github.will(key, [{**item, "labels": [*item["labels"], {"name": label}]}])
    github.will("/issues/12/events", [labelled(label, by)])
    assert run(inputs={"environment": "production", "service": "api"}).verdict == verdict


ALLOWED = issue("sev1", ACCEPTED, body=allow(sha=SHA), updated_at=EARLIER)
WRITERS = [
    (written(None, None), "exempt", ""),
    (written(person("alice")), "exempt", ""),
    (written(person("github-actions", "Bot")), "exempt", ""),
    (written(person("github-actions[bot]", "Bot")), "exempt", ""),
    (written(person("github-actions")), "frozen", "last edited by @github-actions, who may not"),
    (written(person("rita")), "frozen", "#12 was last edited by @rita, who may not write"),
    (written(None, None, "rita"), "frozen", "last edited by @rita"),
    (written(person("other-app", "Bot")), "frozen", "@other-app[bot], which `bot:` does not name"),
    (written(None), "frozen", "somebody whom GitHub does not name"),
    (written(person("alice"), "2026-11-23T03:00:01Z"), "frozen", "was edited just now"),
    (written(person("alice"), "soon"), "frozen", "was edited just now"),
]


@pytest.mark.parametrize(("answer", "verdict", "note"), WRITERS)
def test_an_allowance_counts_by_who_edited_the_issue_last(
    run: Run, github: Hostile, people: None, answer: Json, verdict: str, note: str
) -> None:
    """The state stands in a text that its author can edit, who may have left the team."""
    github.will("incident", [ALLOWED])
    github.will("/graphql", answer)
    ran = run()
    assert ran.verdict == verdict
    assert note in "".join(ran.errors)
    variables = {"owner": "acme", "name": "shop", "number": 12}
    assert [asked["variables"] for asked in github.asked] == [variables]


def test_the_bot_may_have_another_name(run: Run, github: Hostile, people: None) -> None:
    """It stands in the configuration."""
    content = {"content": "Ym90OiAiaG91c2UtYm90W2JvdF0iCg=="}  # bot: "house-bot[bot]"
    github.will("incident", [ALLOWED])
    github.will("/graphql", written(person("house-bot", "Bot")))
    assert run().verdict == "frozen"
    github.will("/contents/", content)
    assert run().verdict == "exempt"
    github.will("/graphql", written(person("github-actions", "Bot")))
    assert run().verdict == "frozen"


@pytest.mark.parametrize("answer", [*FAILS, {"data": {"repository": None}}, {"errors": []}])
def test_without_an_answer_nothing_is_let_through(
    run: Run, github: Hostile, people: None, answer: Any
) -> None:
    """The deploy stays frozen, and a note says why."""
    github.will("incident", [ALLOWED])
    github.will("/graphql", answer)
    ran = run()
    assert (ran.verdict, "overrides do not count" in ran.errors[0]) == ("frozen", True)


def test_github_enterprise_is_asked_at_its_own_address(
    run: Run, github: Hostile, people: None
) -> None:
    """GraphQL lies beside the REST API there."""
    github.will("incident", [ALLOWED])
    assert run(GITHUB_API_URL=f"{github.url}/api/v3").verdict == "exempt"
    assert "/api/graphql" in github.log


FORGED = [
    (issue("sev1", ACCEPTED, body=with_state(fixes=[7])), "incident", {"intent": "fix"}),
    (issue("sev1", ACCEPTED, body=with_state(severity="sev1", services=["web"])), "incident",
     {"service": "api"}),
    (freeze(number=12, body=form(Who_may_deploy="dave")), "deploy-freeze", {}),
    (freeze(number=12, body=form(Until=EARLIER)), "deploy-freeze", {}),
    (freeze(number=12, body=form(From=LATER)), "deploy-freeze", {}),
]  # fmt: skip


@pytest.mark.parametrize(("item", "key", "inputs"), FORGED)
def test_whatever_a_text_says_in_the_deploys_favour_counts_by_its_editor(
    run: Run, github: Hostile, people: None, item: Json, key: str, inputs: dict[str, str]
) -> None:
    """Linked fixes, services, who may deploy, the end of a freeze and its begin."""
    github.will(key, [item])
    pull = {"number": 7, "head": {"sha": HEAD}, "merge_commit_sha": SHA}
    github.will(f"/commits/{SHA}/pulls", [pull])
    assert run(inputs=inputs).verdict in ("exempt", "clear")
    github.will("/graphql", written(person("rita")))
    assert run(inputs=inputs).verdict == "frozen"


@pytest.mark.parametrize(("author", "verdict"), [("alice", "exempt"), ("rita", "frozen")])
def test_a_description_closes_the_incident_by_its_author(
    run: Run, github: Hostile, people: None, author: str, verdict: str
) -> None:
    """A member who may only read can't make their own change a fix."""
    pull = {"number": 7, "head": {"sha": HEAD}, "merge_commit_sha": SHA, "body": "Fixes #12"}
    pull |= {"user": {"login": author}, "author_association": "MEMBER"}
    github.will("incident", [issue("sev1")])
    github.will(f"/commits/{SHA}/pulls", [pull])
    assert run(inputs={"intent": "fix"}).verdict == verdict


@pytest.mark.parametrize("change", [{"sha": SHA[:7]}, {"pr": 7}, {"pr": 7, "sha": "ab" * 20}])
def test_an_allowance_that_names_no_whole_commit_says_what_to_do(
    run: Run, github: Hostile, people: None, change: Json
) -> None:
    """It may be older than the rule, or its pull request has a newer commit."""
    github.will("incident", [issue("sev1", ACCEPTED, body=allow(**change), updated_at=EARLIER)])
    pull = {"number": 7, "head": {"sha": HEAD}, "merge_commit_sha": SHA}
    github.will(f"/commits/{SHA}/pulls", [pull])
    ran = run()
    assert ran.verdict == "frozen"
    assert "again" in ran.errors[0]
