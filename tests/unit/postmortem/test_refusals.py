"""What GitHub does not allow: the incident goes on, and one comment says what to change."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_actions.domain.postmortem.document import Document
from incident_actions.sandbox import Sandbox
from tests.support.programs import Where, run_command
from tests.unit.postmortem.team import NAME, TOKEN, Team, finished, record

ACTION = "[missing-alert] Page on the oldest job / @bob / 2026-12-01"


def with_action(text: str) -> str:
    """A postmortem with one more corrective action."""
    head = "## Corrective actions\n"
    return text.replace(head, f"{head}\n- [ ] {ACTION}\n")


def test_actions_may_not_open_pull_requests(sandbox: Sandbox) -> None:
    """The branch is pushed; the incident gets the compare link and the setting's name, once."""
    team = Team(sandbox, actions_create_pulls=False)
    number = team.resolved(ACTION)
    team.run()
    team.run()
    assert team.pulls() == []
    assert team.branches() == [f"postmortem/{number}-logins-fail"]
    (comment,) = team.comments(number)
    link = f"https://github.com/{NAME}/compare/postmortem/{number}-logins-fail?expand=1"
    assert link in comment
    assert "Allow GitHub Actions to create and approve pull requests" in comment
    assert team.alice.issue(number)["state"] == "closed"


DRAFTS = "Draft pull requests are not supported in this repository."
RULE = "Repository rule violations found\n\nCannot create ref due to creations being restricted."
REASONS = {
    "no commits": "No commits between main and postmortem/1-logins-fail",
    "a rule": "Repository rule violations found: pull requests by bots are restricted",
    "anything": "Validation Failed",
}


def test_a_repository_without_drafts_gets_a_normal_pull_request(team: Team) -> None:
    """Private repositories on the free plan refuse drafts; nobody has to do anything."""
    number = team.resolved(ACTION)
    team.sandbox.fail("POST */pulls", status=422, message=DRAFTS)
    team.run()
    assert team.pull()["draft"] is False
    assert team.comments(number) == []
    assert team.state(number)["postmortem"]["pr"] == team.pull()["number"]


@pytest.mark.parametrize("reason", REASONS.values(), ids=REASONS.keys())
def test_a_pull_request_that_is_refused_is_said_once(team: Team, reason: str) -> None:
    """With GitHub's words and the link to open it; the run does not fail, and is not repeated."""
    number = team.resolved(ACTION)
    team.sandbox.fail("POST */pulls", status=422, message=reason, times=99)
    team.run()
    team.pass_time(hours=1)
    team.run()
    (comment,) = team.comments(number)
    assert " ".join(reason.split())[:40] in comment.replace("\\", "")
    assert f"/compare/postmortem/{number}-logins-fail?expand=1" in comment
    team.sandbox.clear_log()
    team.run()
    assert team.writes() == []
    team.sandbox.clear_faults()
    team.say(number, "/postmortem")
    team.run()
    assert team.state(number)["postmortem"]["pr"] == team.pull()["number"]


def test_a_branch_that_a_rule_forbids_is_said_once(team: Team) -> None:
    """Another run was not faster: GitHub's words say so."""
    number = team.resolved(ACTION)
    team.sandbox.fail("POST */git/refs", status=422, message=RULE, times=99)
    team.run()
    team.run()
    (comment,) = team.comments(number)
    assert "creations being restricted" in comment
    assert "/postmortem" in comment
    assert "status:resolved" in team.labels(number)
    team.sandbox.clear_log()
    team.run()
    assert team.writes() == []


def test_one_action_that_is_refused_does_not_lose_the_others(team: Team) -> None:
    """For whatever reason GitHub refuses its issue."""
    team.resolved(ACTION, "[missing-owner] Name one / @alice / 2026-12-01")
    team.sandbox.fail("POST */issues", status=422, message="Validation Failed")
    team.run()
    assert len(team.items()) == 1


def test_a_pull_request_that_a_person_opens_from_the_branch_is_taken(sandbox: Sandbox) -> None:
    """It is linted like ours, its actions are filed, and the merge counts as a review."""
    team = Team(sandbox, actions_create_pulls=False)
    number = team.resolved(ACTION)
    team.run()
    branch = team.branches()[0]
    request = {"title": "Postmortem", "head": branch, "base": "main", "body": f"Of #{number}"}
    team.alice.ask("POST", "/pulls", request)
    team.pushed()
    assert len(team.items()) == 1
    assert team.check()["conclusion"] == "failure"
    team.write(finished(team.file()))
    team.pushed()
    team.alice.merge(team.pull()["number"])
    team.pushed()
    assert "postmortem:reviewed" in team.labels(number)


def test_once_the_setting_is_on_the_command_tries_again(sandbox: Sandbox) -> None:
    """`/postmortem` opens the pull request from the branch that is there."""
    team = Team(sandbox, actions_create_pulls=False)
    number = team.resolved()
    team.run()
    sandbox.settings(NAME, actions_create_pulls=True)
    team.say(number, "/postmortem")
    team.run()
    assert team.pull()["head"]["ref"] == team.branches()[0]
    assert team.state(number)["postmortem"]["pr"] == team.pull()["number"]


@pytest.mark.parametrize(
    ("missing", "said"),
    [("contents", "contents: write"), ("pull_requests", "pull-requests: write")],
)
def test_a_missing_permission_is_named(team: Team, missing: str, said: str) -> None:
    """One comment says which; the incident is closed, and the next run writes nothing."""
    team.grant(**{missing: "read"})
    number = team.resolved()
    team.run()
    (comment,) = team.comments(number)
    assert f"`{said}`" in comment
    assert "status:resolved" in team.labels(number)
    team.sandbox.clear_log()
    team.run()
    assert team.writes() == []


def test_without_checks_the_comment_tells(team: Team) -> None:
    """The findings become annotations of the run, and the permission is named."""
    team.grant(checks="none")
    team.resolved(ACTION)
    team.run()
    (comment,) = team.comments(team.pull()["number"])
    assert "`checks: write`" in comment
    assert "things to do" in comment
    team.edit("## Trigger\n", "## Trigger\n\nThe deploy.\n")
    (report,) = team.pushed()
    assert report.findings


def test_an_older_github_has_no_sub_issues(sandbox: Sandbox) -> None:
    """The incident gets a task list in one comment, which follows; the pull request says so."""
    team = Team(sandbox, sub_issues=False)
    number = team.resolved(ACTION)
    team.run()
    (item,) = team.items()
    (comment,) = team.comments(number)
    assert f"- [ ] #{item['number']}" in comment
    assert "no sub-issues" in team.comments(team.pull()["number"])[0]
    team.alice.close(item["number"])
    team.run()
    (comment,) = team.comments(number)
    assert f"- [x] #{item['number']}" in comment


def test_more_than_a_hundred_sub_issues(team: Team) -> None:
    """The hundred-and-first is not tried; it is listed in a comment, and that says why."""
    number = team.resolved(ACTION)
    resolution = team.sandbox.deliveries[-1]
    repo = team.sandbox.repo(NAME)
    for index in range(100):
        child = team.alice.open_issue(f"Child {index}")
        repo.issues[number].sub_issues.append(repo.issues[child["number"]])
    team.sandbox.clear_log()
    team.run(resolution)
    assert not [each for each in team.sandbox.log if each.writes and "sub_issues" in each.path]
    (item,) = team.items()
    (comment,) = team.comments(number)
    assert "no more than 100 sub-issues" in comment
    assert f"- [ ] #{item['number']}" in comment


def test_an_owner_who_cannot_be_assigned(team: Team) -> None:
    """The issue is there all the same, and says whose it is; so does the pull request."""
    team.resolved("Write it down / @carl / 2026-12-01")
    team.run()
    (item,) = team.items()
    assert item["assignees"] == []
    assert "carl, who can't be assigned" in item["body"]
    assert record(item).assigned is False
    (comment,) = team.comments(team.pull()["number"])
    assert "`carl` can't be assigned" in comment


def test_an_owner_whom_nobody_knows(team: Team) -> None:
    """Nothing is filed for a login that does not exist; the lint says so."""
    team.resolved("Write it down / @no-such-person / 2026-12-01")
    team.run()
    assert team.items() == []
    (comment,) = team.comments(team.pull()["number"])
    assert "GitHub knows nobody called `no-such-person`" in comment


def test_a_security_matter_in_a_public_repository(team: Team) -> None:
    """Nothing is published: no branch, no pull request, and a comment says why."""
    number = team.resolved(sensitive="This involves a vulnerability or exposed data")
    team.run()
    assert (team.pulls(), team.branches()) == ([], [])
    assert any("No postmortem was opened" in each for each in team.comments(number))
    team.sandbox.clear_log()
    team.run()
    assert team.writes() == []


def test_a_fork_is_only_linted(team: Team) -> None:
    """No issue, no check, no comment, no commit; the run's annotations tell."""
    number = team.resolved()
    team.run()
    team.sandbox.clear_log()
    text = team.file().replace(
        "## Corrective actions\n", f"## Corrective actions\n\n- [ ] {ACTION}\n"
    )
    team.mallory.open_pull("Mine", {team.path(): text}, branch="mine", fork=True)
    (report,) = team.pushed()
    assert report.findings
    assert team.writes() == []
    assert team.items() == []
    assert "postmortem:reviewed" not in team.labels(number)


def test_an_event_by_somebody_without_write_access_writes_nothing(team: Team) -> None:
    """Whoever may edit a pull request's title may not make the bot file issues."""
    team.resolved()
    team.run()
    text = team.file().replace(
        "## Corrective actions\n", f"## Corrective actions\n\n- [ ] {ACTION}\n"
    )
    team.write(text)
    delivery = [each for each in team.sandbox.deliveries if each[0] == "pull_request"][-1]
    sender = {"login": "mallory", "type": "User"}
    team.sandbox.clear_log()
    team.run(("pull_request", {**delivery[1], "sender": sender}))
    assert team.writes() == []
    assert team.items() == []


def test_a_pull_request_without_postmortems_is_none_of_our_business(team: Team) -> None:
    """Nothing is written for a change elsewhere, not even in the folder's README."""
    for path in ("src/app.py", "ops/postmortems/README.md"):
        team.alice.open_pull("Change", {path: "x"}, branch=path.replace("/", "-"))
        team.sandbox.clear_log()
        assert team.pushed() == []
        assert team.writes() == []


def test_a_file_that_names_no_incident_files_nothing(team: Team) -> None:
    """An ordinary issue gets no sub-issues because a file's name holds its number."""
    number = team.alice.open_issue("A bug")["number"]
    text = f"---\nincident: {number}\n---\n\n## Corrective actions\n\n- [ ] {ACTION}\n"
    path = f"ops/postmortems/2026-11-23-{number}-x.md"
    team.alice.open_pull("Postmortem", {path: text}, branch=f"postmortem/{number}-x")
    team.pushed()
    assert team.items() == []
    assert team.check()["conclusion"] == "failure"


def test_a_team_may_override_a_block(team: Team) -> None:
    """Their template extends ours; the rest of the draft stays."""
    template = (
        '{% extends "postmortem.md.j2" %}\n'
        "{% block root_cause %}\n> ✍️ Which assumption was wrong?\n{% endblock %}\n"
    )
    team.sandbox.file(NAME, "templates/postmortem.md.j2", template)
    team.resolved()
    team.run()
    assert "> ✍️ Which assumption was wrong?" in team.file()
    assert "## Detection gap" in team.file()


@pytest.mark.parametrize("template", ["{% if %}", "no marker", "{{ draft.secret }}", "{{ 1 / 0 }}"])
def test_a_template_that_fails_does_not_stop_the_postmortem(
    team: Team, template: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Ours is used, and the run's error names the team's file."""
    team.sandbox.file(NAME, "templates/postmortem.md.j2", template)
    team.resolved()
    team.run()
    assert "## Detection gap" in team.file()
    assert any("templates/postmortem.md.j2" in each.message for each in caplog.records)


@pytest.mark.parametrize("character", ["\x07", "\x7f", "\x85", "\u2028", "\ufffe"])
def test_a_control_character_spoils_no_postmortem(
    team: Team, character: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In labels and titles; YAML takes none. The draft is whole, and no template is blamed."""
    number = team.resolved(title=f"Incident: logins{character} fail")
    team.alice.label(number, f"service:pay{character}ments", f"cause:bad{character}deploy")
    team.run(team.told())
    assert Document(team.file()).front_matter is not None
    assert "## Detection gap" in team.file()
    assert [each.message for each in caplog.records if "template" in each.message] == []


def test_a_protected_branch_keeps_its_file(team: Team) -> None:
    """After the merge a tick that GitHub refuses to write is left, without an error."""
    team.resolved(ACTION)
    team.run()
    team.write(finished(team.file()))
    team.pushed()
    team.alice.merge(team.pull()["number"])
    team.pushed()
    team.sandbox.fail("PATCH /repos/acme/shop/git/refs/heads/main", status=422, times=9)
    team.alice.close(team.items()[0]["number"])
    team.run()
    assert "- [ ] #" in team.file("main")


def test_the_draft_of_any_incident_can_be_printed(team: Team) -> None:
    """`postmortem render` writes nothing; the text is the file's, for an open incident too."""
    number = team.resolved(ACTION)
    where = Where(team.sandbox.url, NAME, TOKEN)
    team.sandbox.clear_log()
    done = run_command("postmortem", where, arguments=["render", str(number)])
    assert done.exit_code == 0, done.log
    assert f"incident: {number}" in done.log
    assert team.writes() == []
    body = "### Severity\n\nSEV3 - x\n\n### What is broken?\n\nIt.\n\n### Who is affected?\n\nUs."
    still_open = team.alice.file_form_issue("Incident: x", body)["number"]
    done = run_command("postmortem", where, arguments=["render", str(still_open)])
    assert "not resolved yet" in done.log


def test_the_lint_runs_on_a_laptop(team: Team, tmp_path: Path) -> None:
    """Plain `file:line` outside of a workflow, annotations inside of one, exit 1 for errors."""
    team.resolved(ACTION)
    team.run()
    path = tmp_path / team.path().rpartition("/")[2]
    path.write_text(team.file(), encoding="utf-8")
    where = Where(team.sandbox.url, NAME, TOKEN)
    arguments = ["lint", str(path)]
    done = run_command(
        "postmortem", where, arguments=arguments, GITHUB_ACTIONS="", GITHUB_EVENT_NAME=""
    )
    assert done.exit_code == 1
    assert f"{path}:" in done.log
    done = run_command("postmortem", where, arguments=arguments)
    assert done.annotations[0].place["file"] == str(path)
    path.write_text(finished(team.file()), encoding="utf-8")
    assert run_command("postmortem", where, arguments=arguments).exit_code == 0


@pytest.mark.parametrize("private", [False, True], ids=["public", "a repository it may not see"])
def test_an_action_item_that_was_transferred_is_followed(team: Team, private: bool) -> None:
    """The pull request says where it is; its number in the file is no error; closing it ticks."""
    other = "acme/archive"
    team.sandbox.repository(other, private=private, labels=["action-item"])
    team.sandbox.user("alice", permission={other: "write"})
    number = team.resolved(ACTION)
    team.run()
    (item,) = team.items()
    there = team.sandbox.transfer(NAME, item["number"], other, by="alice")
    before = team.alice.issue(number)["labels"]
    team.write(finished(team.file()))
    team.pushed()
    comments = "\n".join(team.comments(team.pull()["number"]))
    assert "no action item of this incident" not in comments
    assert f"#{item['number']} was transferred to" in comments
    assert (f"https://github.com/{other}/issues/{there}" in comments) is not private
    assert team.items() == []
    assert team.alice.issue(number)["labels"] == before
    team.sandbox.as_user("alice", other).close(there)
    team.write(team.file() + "\n")
    team.pushed()
    assert (f"- [x] #{item['number']}" in team.file()) is not private
    moved = team.sandbox.repo(other).issues[there]
    assert [comment.body for comment in moved.comments] == []
