"""Who may be believed: strangers, ex-members, triagers, editors, bots and other repositories.

alice and bob may write, mia maintains, tess triages, olga wrote until she left, eve is a stranger.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from incident_actions.domain.projection.effects import OpenIssue
from incident_actions.domain.projection.state import State, state_of
from incident_actions.domain.timeline import parser
from incident_actions.errors import GitHubError
from incident_actions.github.client import GitHub
from incident_actions.sandbox import Sandbox
from tests.support.events import form_body
from tests.support.openapi import watch
from tests.support.watch import REPO, Watch

ELSEWHERE = "eve/own"


class Shop(Watch):
    """acme/shop with more people, and a repository of eve's."""

    def __init__(self, github: Sandbox, config: str = "") -> None:
        super().__init__(github, config)
        github.repository(ELSEWHERE, owner_type="User")
        roles = {"mia": "maintain", "tess": "triage", "olga": "write"}
        for login, role in roles.items():
            github.user(login, permission={REPO: role})
        github.user("eve", permission={ELSEWHERE: "admin"})
        self.mia, self.tess = github.as_user("mia", REPO), github.as_user("tess", REPO)
        self.olga, self.eve = github.as_user("olga", REPO), github.as_user("eve", REPO)

    def own(self) -> GitHub:
        """A workflow of eve's own repository: its bot has the same name as ours."""
        self.github.actions_token("ghs_eve", ELSEWHERE, {"issues": "write"})
        return GitHub("ghs_eve", ELSEWHERE, self.github.url)

    def leaves(self, login: str) -> None:
        """Somebody is taken off the team."""
        self.github.repo(REPO).roles.pop(login)

    def incident(self, severity: str = "SEV1", *commands: str, by: str = "alice") -> int:
        """An incident by one of the team, and what its bot made of the commands."""
        person = self.github.as_user(by, REPO)
        given = {"severity": severity, "summary": "Logins fail.", "affected": "nobody"}
        number = int(person.file_form_issue("Logins fail", form_body(given))["number"])
        self.respond()
        for command in commands:
            self.says(person, number, command)
        return number

    def says(self, person: Any, number: int, text: str) -> int:
        """A comment a minute later, and the run for it; gives its id."""
        self.passes(1)
        made = int(person.comment(number, text)["id"])
        self.respond()
        return made

    def edits(self, person: Any, comment: int, text: str) -> None:
        """An edit ten minutes later, and the run for it."""
        self.passes(10)
        person.edit_comment(comment, text)
        self.respond()

    def labels(self, number: int) -> set[str]:
        """The labels of an issue."""
        return {label.name for label in self.github.repo(REPO).issues[number].labels}

    def is_open(self, number: int) -> bool:
        """Whether an issue is open."""
        return self.github.repo(REPO).issues[number].state == "open"

    def body(self, number: int) -> str:
        """The body of an issue."""
        return str(self.alice.issue(number)["body"])

    def state(self, number: int) -> State:
        """What the incident's body remembers."""
        found = state_of(GitHub("ghs_watch", REPO, self.github.url).issue(number))
        assert found is not None
        return found


@pytest.fixture
def shop() -> Iterator[Shop]:
    """The shop; each answer is as GitHub describes it."""
    with Sandbox() as github:
        wrong = watch(github)
        yield Shop(github)
    assert not wrong, "\n".join(wrong)


def test_a_marker_in_another_repository_closes_nothing(shop: Shop) -> None:
    """Its bot has the name of ours; its issues are numbered like our live incident."""
    live = shop.incident()
    report = int(shop.eve.file_form_issue("Slow", form_body({"severity": "SEV3"}))["number"])
    hub = shop.own()
    for _ in range(3):
        body = f"<!-- incident-actions:report {report} -->\n{REPO}#{report} {REPO}#{live}"
        hub.open(OpenIssue(title="Mine", body=body, labels=()))
    before = shop.labels(live)
    shop.respond()
    shop.sweep()
    assert shop.is_open(live)
    assert shop.labels(live) == before
    shop.says(shop.alice, report, "/confirm")
    opened = max(shop.github.repo(REPO).issues)
    assert opened > report
    assert shop.is_open(opened)
    assert f"#{opened}" in shop.said(report)[-1]
    assert shop.is_open(live)


def test_a_report_is_confirmed_whatever_another_repository_says(shop: Shop) -> None:
    """Its bot's issue has the number of our live incident, and says that it is the report's."""
    live = shop.incident()
    report = int(shop.eve.file_form_issue("Slow", form_body({"severity": "SEV3"}))["number"])
    body = f"<!-- incident-actions:report {report} -->\n{REPO}#{report}"
    assert shop.own().open(OpenIssue(title="Mine", body=body, labels=())) == live
    shop.says(shop.alice, report, "/confirm")
    opened = max(shop.github.repo(REPO).issues)
    assert opened > report
    assert f"#{opened}" in shop.said(report)[-1]
    shop.sweep()
    assert shop.is_open(live)
    assert "status:investigating" in shop.labels(live)


def test_mentions_from_elsewhere_write_no_line(shop: Shop) -> None:
    """Anybody can make them appear in our timeline."""
    number = shop.incident()
    eve = shop.github.as_user("eve", ELSEWHERE)
    for n in range(20):
        eve.open_pull(f"Spam {n}", {f"f{n}": "x"}, f"b{n}", f"See {REPO}#{number}")
    shop.passes(1)
    shop.sweep()
    shop.says(shop.alice, number, "/ack")
    assert "Spam" not in shop.body(number)


def test_only_people_who_may_link_a_pull_request(shop: Shop) -> None:
    """A stranger's pull request from a fork is one of this repository, too."""
    number = shop.incident()
    shop.passes(1)
    shop.eve.open_pull("Not ours", {"a": "x"}, "a", f"See #{number}", fork=True)
    shop.bob.open_pull("The fix", {"b": "x"}, "b", f"See #{number}")
    shop.says(shop.alice, number, "/ack")
    assert "The fix" in shop.body(number)
    assert "Not ours" not in shop.body(number)


@pytest.mark.parametrize(
    "command",
    ["/thaw hotfix", "/resolve fine", "/severity sev3 fine", f"/allow {'1f' * 20} hotfix"],
)
def test_an_old_comment_edited_by_somebody_who_left_is_refused(shop: Shop, command: str) -> None:
    """Who may is asked for the edit; what the comment said before stays said."""
    number = shop.incident()
    comment = shop.says(shop.olga, number, "/ack\n/note the queue is long")
    before = shop.state(number)
    shop.leaves("olga")
    shop.edits(shop.olga, comment, command)
    after = shop.state(number)
    assert (after.commander, after.freeze, after.severity) == ("olga", None, before.severity)
    assert (after.status, after.allow) == (before.status, ())
    assert "the queue is long" in shop.body(number)
    assert any("@olga" in said for said in shop.said(number))


def test_a_command_edited_away_by_somebody_who_left_stays(shop: Shop) -> None:
    """The edit is no deed that counts."""
    number = shop.incident()
    comment = shop.says(shop.olga, number, "/severity sev2 half of it works")
    shop.leaves("olga")
    shop.edits(shop.olga, comment, "never mind")
    assert shop.state(number).severity.value == "sev2"


def test_the_editor_of_a_comment_decides(shop: Shop) -> None:
    """Somebody who may not thaw gains nothing by writing into a maintainer's comment."""
    shop.github.file(REPO, ".github/incident.yml", "permissions: {thaw: maintain}")
    number = shop.incident()
    comment = shop.says(shop.mia, number, "/note looking")
    shop.edits(shop.bob, comment, "/note looking\n/thaw hotfix")
    assert shop.state(number).freeze is None
    assert any("@bob" in said for said in shop.said(number))
    shop.edits(shop.mia, comment, "/note looking\n/thaw the hotfix is tested")
    assert shop.state(number).freeze is not None


def test_the_record_names_the_editor(shop: Shop) -> None:
    """bob writes into alice's comment: it is bob's command, from that moment on."""
    number = shop.incident()
    comment = shop.says(shop.alice, number, "Looking.")
    shop.edits(shop.bob, comment, "Looking.\n/thaw hotfix")
    switch = shop.state(number).freeze
    assert switch is not None
    assert switch.by == "bob"
    assert switch.at == shop.now


def test_a_correction_counts_from_when_it_was_said(shop: Shop) -> None:
    """A typing error mended later does not move the moment."""
    number = shop.incident()
    comment = shop.says(shop.alice, number, "/did rolled bak to v41")
    said = shop.now
    shop.edits(shop.alice, comment, "/did rolled back to v41")
    assert "rolled back to v41" in shop.body(number)
    assert f"{said:%H:%M}" in next(
        line for line in shop.body(number).split("\n") if "rolled back to v41" in line
    )


FORGED = {
    "severity": ("SEV1", "SEV3"),
    "allowance": ('"v":1', '"v":1,"allow":[{"sha":"' + "1f" * 20 + '"}]'),
}


@pytest.mark.parametrize("part", FORGED)
def test_a_body_edited_by_somebody_who_left_is_put_back(shop: Shop, part: str) -> None:
    """The form's answers and the hidden state count as the last one left them who may write."""
    number = shop.incident(by="olga")
    before = shop.state(number)
    shop.leaves("olga")
    old, new = FORGED[part]
    forged = shop.body(number).replace(old, new)
    assert forged != shop.body(number)
    shop.passes(10)
    shop.olga.edit_issue_body(number, forged)
    shop.respond()
    assert shop.state(number).severity is before.severity
    assert shop.state(number).allow == ()
    assert "1f1f1f" not in shop.body(number)
    assert "SEV3" not in shop.body(number).split("### ")[1]
    said = [text for text in shop.said(number) if "put-back" in text]
    assert len(said) == 1
    shop.passes(1)
    shop.sweep()
    shop.says(shop.alice, number, "/ack")
    assert shop.state(number).severity is before.severity
    assert [text for text in shop.said(number) if "put-back" in text] == said


def test_a_forged_permission_lets_no_command_through(shop: Shop) -> None:
    """What people were allowed is remembered in the body, which its author can edit."""
    number = shop.incident(by="olga")
    shop.leaves("olga")
    shop.says(shop.olga, number, "/thaw hotfix")
    assert shop.state(number).freeze is None
    forged = shop.body(number)
    for refused in ("none", "read"):
        forged = forged.replace(f'"{refused}"', '"admin"')
    assert forged != shop.body(number)
    shop.passes(10)
    shop.olga.edit_issue_body(number, forged)
    shop.respond()
    assert shop.state(number).freeze is None
    assert forged != shop.body(number)


def test_a_forged_body_does_not_look_settled_to_the_sweep(shop: Shop) -> None:
    """The run for the edit was lost, and the forged state says that nothing happened."""
    number = shop.incident(by="olga")
    shop.sweep()
    shop.leaves("olga")
    shop.passes(10)
    at = shop.state(number).settled
    assert at is not None
    stamp, now = f"{at.at:%Y-%m-%dT%H:%M:%SZ}", f"{shop.now:%Y-%m-%dT%H:%M:%SZ}"
    forged = shop.body(number).replace(f'"at":"{stamp}"', f'"at":"{now}"')
    forged = forged.replace('"v":1', '"v":1,"allow":[{"sha":"' + "1f" * 20 + '"}]')
    shop.olga.edit_issue_body(number, forged)
    shop.sweep()
    assert "1f1f1f" not in shop.body(number)


def test_only_our_own_status_labels_accept_a_report(shop: Shop) -> None:
    """A labeler workflow uses the same token as ours."""
    number = int(shop.eve.file_form_issue("Slow", form_body({"severity": "SEV1"}))["number"])
    GitHub("ghs_watch", REPO, shop.github.url).send(
        "POST", f"/issues/{number}/labels", given={"labels": ["status: needs triage"]}
    )
    shop.run("issues", {"action": "labeled", "issue": {"number": number}})
    assert "needs-confirmation" in shop.labels(number)
    assert "status:investigating" not in shop.labels(number)


def test_hands_need_what_the_role_command_needs(shop: Shop) -> None:
    """Somebody with triage access assigns and unassigns."""
    number = shop.incident("SEV1", "/ack")
    shop.passes(1)
    shop.tess.unassign(number, "alice")
    shop.tess.assign(number, "tess")
    shop.respond()
    assert shop.state(number).commander == "alice"
    people = {user.login for user in shop.github.repo(REPO).issues[number].assignees}
    assert people == {"alice"}


def test_what_a_deleted_account_did_stays(shop: Shop) -> None:
    """alice resolved it and left GitHub; a stranger says thanks."""
    number = shop.incident(
        "SEV1", "/ack", "/mitigated rolled back", "/verify all seen", "/resolve ok"
    )
    assert not shop.is_open(number)
    ghost = shop.github.user("ghost")
    issue = shop.github.repo(REPO).issues[number]
    for comment in issue.comments:
        comment.user = ghost if comment.user.login == "alice" else comment.user
    for event in issue.events:
        event.actor = ghost if event.actor.login == "alice" else event.actor
    shop.leaves("alice")
    shop.says(shop.eve, number, "Thanks!")
    shop.sweep()
    assert not shop.is_open(number)
    assert shop.state(number).status.value == "resolved"


@pytest.mark.parametrize("label", ["incident", "deploy-freeze"])
def test_a_label_by_somebody_who_may_not_freeze_is_held(shop: Shop, label: str) -> None:
    """The issue is a writer's, and old; the label came later."""
    shop.alice.ask("POST", "/labels", {"name": "deploy-freeze", "color": "ededed"})
    number = int(shop.alice.open_issue("Slow", "### Severity\n\nSEV1\n")["number"])
    shop.passes(60)
    shop.tess.label(number, label)
    shop.respond()
    assert "needs-confirmation" in shop.labels(number)
    assert "status:investigating" not in shop.labels(number)
    shop.says(shop.bob, number, "/confirm")
    opened = max(shop.github.repo(REPO).issues)
    assert opened > number
    assert label in shop.labels(opened)
    assert "needs-confirmation" not in shop.labels(opened)


CLOSERS = ["token", "bot", "triager", "fix"]


def _close(shop: Shop, number: int, how: str) -> None:
    if how == "triager":
        shop.tess.close(number)
    elif how == "fix":
        pull = shop.bob.open_pull("Mend it", {"a": "x"}, "fix", f"Fixes #{number}")
        shop.bob.merge(int(pull["number"]))
    else:
        shop.github.user("stale[bot]", kind="Bot", permission={REPO: "write"})
        shop.github.token("bot_token", "stale[bot]")
        token = "ghs_watch" if how == "token" else "bot_token"
        GitHub(token, REPO, shop.github.url).send(
            "PATCH", f"/issues/{number}", given={"state": "closed"}
        )


@pytest.mark.parametrize("how", CLOSERS)
def test_a_closing_without_a_run_is_put_right_by_the_next_sweep(shop: Shop, how: str) -> None:
    """A closed issue is on no list of open ones."""
    number = shop.incident("SEV1", "/ack")
    shop.passes(30)
    _close(shop, number, how)
    assert not shop.is_open(number)
    shop.passes(5)
    shop.sweep()
    assert shop.is_open(number)


def _takes_back(shop: Shop, number: int, comment: int) -> None:
    shop.alice.delete_comment(comment)


def _rewrites(shop: Shop, number: int, comment: int) -> None:
    shop.alice.edit_comment(comment, "Not yet.")


def _reopens(shop: Shop, number: int, comment: int) -> None:
    shop.alice.comment(number, "/reopen it is back")


def _mislabels(shop: Shop, number: int, comment: int) -> None:
    hub = GitHub("ghs_watch", REPO, shop.github.url)
    given = {"labels": ["needs-confirmation", "drill"]}
    hub.send("POST", f"/issues/{number}/labels", given=given)


@pytest.mark.parametrize(
    ("deed", "is_open"),
    [(_takes_back, True), (_rewrites, True), (_reopens, True), (_mislabels, False)],
)
def test_what_no_run_saw_of_a_closed_incident_is_seen_by_the_next_sweep(
    shop: Shop, deed: Callable[[Shop, int, int], None], is_open: bool
) -> None:
    """The command that closed it is gone, somebody commanded, a program labelled it."""
    number = shop.incident("SEV1", "/ack")
    comment = shop.says(shop.alice, number, "/resolve --force nobody can test it")
    assert not shop.is_open(number)
    shop.passes(5)
    shop.sweep()
    shop.passes(30)
    deed(shop, number, comment)
    shop.passes(5)
    shop.sweep()
    assert shop.is_open(number) is is_open
    assert not shop.labels(number) & {"needs-confirmation", "drill"}
    shop.passes(2)
    shop.sweep()
    assert shop.github.requests(write=True) == 0
    shop.passes(5)
    shop.sweep()
    assert shop.asked(f"/issues/{number}/timeline") == 0


def test_an_author_who_may_not_end_it_keeps_their_freeze(shop: Shop) -> None:
    """A writer may declare one; that only maintainers end it holds for its author's hand, too."""
    shop.github.file(REPO, ".github/incident.yml", "permissions: {thaw: maintain}\n")
    shop.alice.ask("POST", "/labels", {"name": "deploy-freeze", "color": "ededed"})
    number = int(shop.alice.open_issue("Move", "We move.", ["deploy-freeze"])["number"])
    shop.respond()
    shop.passes(1)
    shop.alice.unlabel(number, "deploy-freeze")
    shop.respond()
    assert "deploy-freeze" in shop.labels(number)


def test_a_freeze_whose_end_was_taken_back_goes_on(shop: Shop) -> None:
    """Somebody deletes their `/thaw`, and the run for that is lost: the next sweep sees it."""
    shop.alice.ask("POST", "/labels", {"name": "deploy-freeze", "color": "ededed"})
    number = int(shop.alice.open_issue("Move", "We move.", ["deploy-freeze"])["number"])
    shop.respond()
    comment = shop.says(shop.alice, number, "/thaw it is over")
    assert not shop.is_open(number)
    shop.passes(5)
    shop.sweep()
    assert not shop.is_open(number)
    shop.alice.delete_comment(comment)
    shop.passes(5)
    shop.sweep()
    assert shop.is_open(number)


@pytest.mark.parametrize("how", CLOSERS)
def test_a_freeze_closed_without_a_run_is_put_right_by_the_next_sweep(shop: Shop, how: str) -> None:
    """Only those who may end it end it."""
    shop.alice.ask("POST", "/labels", {"name": "deploy-freeze", "color": "ededed"})
    number = int(shop.alice.open_issue("Move", "We move.", ["deploy-freeze"])["number"])
    shop.respond()
    shop.passes(30)
    _close(shop, number, how)
    shop.passes(5)
    shop.sweep()
    assert shop.is_open(number)
    assert "deploy-freeze" in shop.labels(number)


@pytest.mark.parametrize("by", ["token", "triager"])
@pytest.mark.parametrize("kind", ["incident", "deploy-freeze"])
def test_a_label_lost_without_a_run_is_put_back_by_the_next_sweep(
    shop: Shop, kind: str, by: str
) -> None:
    """Without its label an issue is on no list of ours."""
    if kind == "incident":
        number = shop.incident("SEV1", "/ack")
    else:
        shop.alice.ask("POST", "/labels", {"name": "deploy-freeze", "color": "ededed"})
        number = int(shop.alice.open_issue("Move", "We move.", ["deploy-freeze"])["number"])
        shop.respond()
    shop.passes(30)
    if by == "triager":
        shop.tess.unlabel(number, kind)
    else:
        hub = GitHub("ghs_watch", REPO, shop.github.url)
        hub.send("DELETE", f"/issues/{number}/labels/{kind}")
    shop.passes(5)
    shop.sweep()
    assert kind in shop.labels(number)


def test_strangers_answers_are_bounded(shop: Shop) -> None:
    """One comment that is edited back and forth is answered once."""
    number = shop.incident()
    comment = shop.says(shop.eve, number, "/thaw")
    posted = [text for text in shop.said(number) if "reminder" not in text]
    written = []
    for _ in range(10):
        for text in ("hello", "/thaw"):
            shop.passes(seconds=5)  # before any reminder is due
            shop.eve.edit_comment(comment, text)
            shop.respond()
            written += [entry for entry in shop.github.log if entry.writes]
    assert [text for text in shop.said(number) if "reminder" not in text] == posted
    assert [entry for entry in written if "/comments" in entry.path] == []


def test_thirty_strangers_reports_get_ten_answers_an_hour(shop: Shop) -> None:
    """All are held; the answers have a ceiling, and nobody is asked about twice."""
    numbers = []
    for n in range(30):
        shop.github.user(f"eve{n}")
        eve = shop.github.as_user(f"eve{n}", REPO)
        numbers.append(int(eve.file_form_issue(f"Slow {n}", form_body({}))["number"]))
        shop.respond()
    assert all("needs-confirmation" in shop.labels(number) for number in numbers)
    assert sum(len(shop.said(number)) for number in numbers) <= 10
    shop.passes(5)
    shop.sweep()
    assert shop.asked("/permission") <= 1


@pytest.mark.parametrize("text", ["spam and more ", "spam\n", "\n", "```\n", "a/b c/d\n"])
def test_long_comments_without_commands_cost_nothing(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    """Strangers post the longest that GitHub takes: none is read as Markdown."""
    number = shop.incident()
    for n in range(20):
        shop.eve.comment(number, f"{n} " + text * (65_000 // len(text)))
    read: list[int] = []
    whole = parser._READER.parse
    monkeypatch.setattr(
        parser._READER, "parse", lambda source: (read.append(len(source)), whole(source))[1]
    )
    shop.says(shop.alice, number, "/ack")
    assert shop.asked("/permission") <= 1
    assert shop.state(number).commander == "alice"
    assert sum(read) < 1_000


def test_long_comments_full_of_commands_are_read_in_part(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stranger's first commands are refused, once; the rest of the comment costs nothing."""
    number = shop.incident()
    for n in range(10):
        shop.eve.comment(number, f"{n}\n" + "/ack\n" * 13_000)
    read: list[int] = []
    whole = parser._READER.parse
    monkeypatch.setattr(
        parser._READER, "parse", lambda source: (read.append(len(source)), whole(source))[1]
    )
    shop.says(shop.alice, number, "/ack")
    assert shop.state(number).commander == "alice"
    assert sum(read) < 200_000


def test_reading_fails_loudly_when_editors_cannot_be_asked(shop: Shop) -> None:
    """A body is not believed unseen."""
    number = shop.incident()
    shop.github.fail("POST /graphql", status=500, times=20)
    shop.passes(1)
    shop.alice.comment(number, "/ack")
    with pytest.raises(GitHubError):
        shop.respond()
    shop.github.clear_faults()
    shop.respond()
    assert shop.state(number).commander == "alice"


def _freeze(shop: Shop, by: str = "alice") -> int:
    """A freeze that the team opened, and the run for it."""
    shop.alice.ask("POST", "/labels", {"name": "deploy-freeze", "color": "ededed"})
    person = shop.github.as_user(by, REPO)
    number = int(person.open_issue("Move", "We move.", ["deploy-freeze"])["number"])
    shop.respond()
    return number


@pytest.mark.parametrize("how", ["hand", "command"])
def test_a_freeze_that_somebody_ended_stays_ended_when_they_leave(shop: Shop, how: str) -> None:
    """A freeze's issue remembers no permissions: the bot's words do."""
    number = _freeze(shop)
    shop.passes(30)
    if how == "hand":
        shop.olga.close(number)
        shop.respond()
    else:
        shop.says(shop.olga, number, "/thaw we have moved")
    assert not shop.is_open(number)
    shop.leaves("olga")
    shop.says(shop.eve, number, "Thanks!")
    shop.passes(5)
    shop.sweep()
    assert not shop.is_open(number)
    assert len([text for text in shop.said(number) if "freeze-ended" in text]) == 1
    shop.passes(5)
    shop.alice.reopen(number)
    shop.respond()
    assert shop.is_open(number)


def test_the_label_incident_ends_no_freeze(shop: Shop) -> None:
    """A triager may put it on: it makes no held report of the freeze, which the gate passes."""
    number = _freeze(shop)
    shop.passes(30)
    shop.tess.label(number, "incident")
    shop.respond()
    shop.passes(5)
    shop.sweep()
    assert "deploy-freeze" in shop.labels(number)
    assert "needs-confirmation" not in shop.labels(number)
    assert shop.is_open(number)


def test_a_thaw_whose_run_was_lost_is_taken_by_the_next_sweep(shop: Shop) -> None:
    """An open freeze that the gate believes is looked at when somebody commanded there."""
    number = _freeze(shop)
    shop.passes(30)
    shop.alice.comment(number, "/thaw we have moved")
    shop.passes(5)
    shop.sweep()
    assert not shop.is_open(number)


def test_an_incident_with_a_freeze_label_does_not_become_a_freeze(shop: Shop) -> None:
    """A program takes the label `incident` off, and what is left looks like a freeze."""
    number = shop.incident("SEV1", "/ack")
    shop.passes(1)
    shop.alice.label(number, "deploy-freeze")
    shop.respond()
    shop.passes(30)
    hub = GitHub("ghs_watch", REPO, shop.github.url)
    hub.send("DELETE", f"/issues/{number}/labels/incident")
    shop.passes(5)
    shop.sweep()
    assert {"incident", "deploy-freeze"} <= shop.labels(number)


def test_a_stranger_cannot_edit_a_writers_command_out_of_their_comment(shop: Shop) -> None:
    """Nothing that looks like a command is left; the writer's stays said."""
    number = shop.incident()
    comment = shop.says(shop.eve, number, "It is slow.")
    shop.edits(shop.bob, comment, "It is slow.\n/severity sev2 half of it works")
    shop.edits(shop.eve, comment, "Never mind.")
    assert shop.state(number).severity.value == "sev2"


@pytest.mark.parametrize("lost", ["all", "the first"])
def test_a_freeze_that_a_program_opens_again_stays_over(shop: Shop, lost: str) -> None:
    """Who may end it has closed it. A program's reopening is nobody's word, seen or not."""
    number = _freeze(shop)
    shop.passes(5)
    shop.alice.close(number)  # the run for this is lost
    shop.passes(5)
    shop.github.user("relay[bot]", kind="Bot", permission={REPO: "write"})
    shop.github.token("bot_token", "relay[bot]")
    relay = GitHub("bot_token", REPO, shop.github.url)
    relay.send("PATCH", f"/issues/{number}", given={"state": "open"})
    if lost == "the first":
        shop.respond()
    shop.passes(5)
    shop.sweep()
    assert not shop.is_open(number)
    assert len([text for text in shop.said(number) if "freeze-ended" in text]) == 1
    for _ in range(3):
        shop.passes(5)
        shop.sweep()
        shop.says(shop.eve, number, "Thanks!")
        assert not shop.is_open(number)
    shop.passes(5)
    shop.alice.reopen(number)
    shop.respond()
    assert shop.is_open(number)
    shop.passes(5)
    shop.sweep()
    assert shop.is_open(number)
