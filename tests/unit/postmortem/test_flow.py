"""From the resolution to the merge: the pull request, its lint, its action items."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from incident_actions.domain.postmortem import link
from incident_actions.domain.postmortem.document import Document
from incident_actions.domain.postmortem.filler import PROSE
from incident_actions.domain.postmortem.lint import LintFacts, lint
from incident_actions.domain.text.names import slug
from tests.support.events import FORM
from tests.unit.postmortem.team import NAME, Team, finished, record

ACTION = "[missing-alert] Page on the oldest job / @bob / 2026-12-01"


def test_a_resolved_sev1_opens_a_draft_pull_request(team: Team) -> None:
    """Branch, file and draft as promised, labelled and assigned to the commander."""
    number = team.resolved()
    report = team.run()[-1]
    pull = team.pull()
    assert pull["head"]["ref"] == f"postmortem/{number}-logins-fail"
    assert team.path() == f"ops/postmortems/2026-11-23-{number}-logins-fail.md"
    assert pull["draft"]
    assert [label["name"] for label in pull["labels"]] == ["postmortem"]
    assert [user["login"] for user in pull["assignees"]] == ["alice"]
    assert report.pull_request == pull["number"]
    state = team.state(number)["postmortem"]
    assert (state["pr"], state["branch"]) == (pull["number"], pull["head"]["ref"])


def test_it_is_one_commit_on_the_default_branch(team: Team) -> None:
    """Nothing is checked out; the branch is the default branch and one commit."""
    team.resolved()
    team.run()
    assert len(team.alice.ask("GET", f"/pulls/{team.pull()['number']}/commits")) == 1


def test_the_incident_shows_its_postmortem(team: Team) -> None:
    """The dashboard links it, says it is next, and ticks the step."""
    number = team.resolved()
    team.run()
    body = team.alice.issue(number)["body"]
    pull = team.pull()["number"]
    assert f"| Postmortem | #{pull} |" in body
    assert f"write the postmortem, #{pull}" in body
    assert "- [x] Start the postmortem" in body


def test_a_second_run_writes_nothing(team: Team) -> None:
    """Neither the same event again nor a push without news changes anything."""
    team.resolved(ACTION)
    team.run()
    team.sandbox.clear_log()
    team.run()
    number = team.pull()["number"]
    team.run(("pull_request", {"action": "synchronize", "pull_request": {"number": number}}))
    team.sweep()
    assert team.writes() == []


def test_later_sweeps_write_nothing_either(team: Team) -> None:
    """They look at a young postmortem again; that time has passed is nothing to write down."""
    team.resolved(ACTION)
    team.run()
    for _ in range(2):
        team.pass_time(minutes=10)
        team.sandbox.clear_log()
        team.sweep()
    assert team.writes() == []


@pytest.mark.parametrize(("severity", "opens"), [("SEV1", 1), ("SEV2", 1), ("SEV3", 0)])
def test_the_severity_decides(team: Team, severity: str, opens: int) -> None:
    """A SEV3 gets none by itself."""
    team.resolved(severity=severity)
    team.run()
    assert len(team.pulls()) == opens


@pytest.mark.parametrize("early", [True, False])
def test_anybody_with_write_access_may_ask_for_one(team: Team, *, early: bool) -> None:
    """`/postmortem` opens that of a SEV3, typed before or after the resolution."""
    if early:
        number = int(team.resolved(severity="SEV3"))
        team.run()
    else:
        number = team.resolved(severity="SEV3")
    team.say(number, "/postmortem")
    team.run()
    assert len(team.pulls()) == 1


def test_a_drill_opens_none(team: Team) -> None:
    """Practice leaves nothing to review."""
    number = team.resolved()
    team.alice.label(number, "drill")
    team.run()
    assert team.pulls() == []


def test_the_draft_holds_what_is_known(team: Team) -> None:
    """Impact, timeline, mitigations, overrides, updates, roles and follow-ups are in it."""
    number = int(
        team.alice.file_form_issue(
            "Incident: logins fail",
            "### Severity\n\nSEV1 - x\n\n### What is broken?\n\nMost logins answer 500.\n\n"
            "### Who is affected?\n\nAll customers in Europe.",
        )["number"]
    )
    team.say(number, "/ack\n/role scribe @bob\n/did rolled back to v41 -> errors drop")
    team.say(number, "/customer Logins fail for some of you.\n/thaw the rest may ship")
    team.say(number, f"/cause bad-deploy\n/action {ACTION}\n/mitigated\n/verify all seen\n/resolve")
    team.run()
    text = team.file()
    for expected in (
        "> Most logins answer 500.",
        "> All customers in Europe.",
        "rolled back to v41 -&gt; errors drop".replace("-&gt;", "->"),
        "Logins fail for some of you.",
        "let deploys through -> the rest may ship",
        "Named during the incident: bad-deploy.",
        "Incident commander: alice, Scribe: bob.",
        "  scribe: bob",
        "Page on the oldest job / @bob / 2026-12-01",
    ):
        assert expected in text


def test_complete_actions_are_issues_right_away(team: Team) -> None:
    """What `/action` noted is filed by the run that opens the draft, under the incident."""
    number = team.resolved(ACTION, "Something / @nobody-there / 2026-12-01")
    team.run()
    (item,) = team.items()
    assert item["title"] == "Page on the oldest job"
    assert [user["login"] for user in item["assignees"]] == ["bob"]
    assert {label["name"] for label in item["labels"]} == {"action-item", "followup:missing-alert"}
    assert team.sub_issues(number) == {item["number"]}
    assert f"#{number}" in item["body"]
    assert f"#{team.pull()['number']}" in item["body"]
    line = f"- [ ] #{item['number']} [missing-alert] Page on the oldest job / @bob / 2026-12-01"
    assert line in team.file().split("\n")
    assert "- [ ] Something / @nobody-there / 2026-12-01" in team.file()


def test_a_fresh_draft_says_what_is_left(team: Team) -> None:
    """The check fails with a note at each line, and one comment lists them."""
    team.resolved()
    team.run()
    check = team.check()
    assert check["conclusion"] == "failure"
    notes = team.alice.ask("GET", f"/check-runs/{check['id']}/annotations")
    lines = team.file().split("\n")
    assert {lines[note["start_line"] - 1][:4] for note in notes} == {"> ✍️"}
    (comment,) = team.comments(team.pull()["number"])
    assert len(notes) == team.file().count("> ✍️") == 8
    assert f"**{len(notes)} things to do**" in comment
    assert check["output"]["title"] == "8 to do"


@pytest.mark.parametrize("actions", [(), (ACTION,)])
def test_a_draft_without_its_prompts_is_not_written(team: Team, actions: tuple[str, ...]) -> None:
    """What the draft put there itself is nobody's answer."""
    number = team.resolved(*actions)
    team.alice.comment(number, "/customer Logins fail. We are on it.\n/cause bad-deploy")
    team.run()
    lines = [line for line in team.file().split("\n") if not line.startswith("> ✍️")]
    found = lint(Document("\n".join(lines)), LintFacts(date(2026, 11, 24)))
    told = " ".join(each.message for each in found)
    for title in PROSE:
        # What helped was typed by people, so it may stand for itself.
        assert (f"`{title}` " in told) == (title != "What worked")


def test_the_timeline_begins_with_the_suspect_and_the_start(team: Team) -> None:
    """Nobody typed these; the reader needs them first."""
    team.pass_time()
    team.bob.deploy("main")
    team.pass_time(minutes=9)
    started = f"{team.now - timedelta(minutes=5):%H:%M}"
    team.resolved(started=started)
    team.run()
    timeline = team.file().partition("## Timeline")[2]
    suspect, start, declared = [line for line in timeline.split("\n") if line.startswith("- ")][:3]
    assert re.match(
        r"- 03:01 UTC, bob: deployed \w{7} to production \(the likeliest cause\)", suspect
    )
    assert start == f"- {started} UTC: it started"
    assert declared.endswith("alice: declared the incident as SEV1")


def test_a_finished_postmortem_is_ready_for_review(team: Team) -> None:
    """The check passes, the draft is ready, those with a role are asked, the comment is edited."""
    number = team.resolved(ACTION)
    team.say(number, "/role scribe @bob")
    team.run()
    team.write(finished(team.file()))
    team.pushed()
    assert team.check()["conclusion"] == "success"
    pull = team.pull()
    assert not pull["draft"]
    assert {user["login"] for user in pull["requested_reviewers"]} == {"alice", "bob"}
    (comment,) = team.comments(pull["number"])
    assert "Ready for review" in comment


def test_code_owners_and_the_configuration_name_reviewers(team: Team) -> None:
    """The last line of CODEOWNERS that fits the file counts."""
    team.sandbox.user("dave", permission={NAME: "write"})
    team.sandbox.user("erin", permission={NAME: "write"})
    team.sandbox.file(NAME, ".github/CODEOWNERS", "* @bob\n/ops/ @dave @acme/ops\n")
    team.sandbox.file(NAME, ".github/incident.yml", "postmortem: { reviewers: ['@erin'] }")
    team.resolved(ACTION)
    team.run()
    team.write(finished(team.file()))
    team.pushed()
    asked = {user["login"] for user in team.pull()["requested_reviewers"]}
    assert asked == {"alice", "dave", "erin"}


def test_somebody_who_makes_it_a_draft_again_is_not_overruled(team: Team) -> None:
    """Only news make it ready: a run that finds nothing new leaves it."""
    team.resolved(ACTION)
    team.run()
    team.write(finished(team.file()))
    team.pushed()
    pull = team.pull()
    mutation = "mutation { convertPullRequestToDraft(input: $input) { pullRequest { id } } }"
    variables = {"input": {"pullRequestId": pull["node_id"]}}
    team.sandbox.as_user("alice")._site.respond(
        "POST", "/graphql", {}, {"query": mutation, "variables": variables}, team.alice._actor
    )
    assert team.pull()["draft"]
    team.pushed()
    assert team.pull()["draft"]


def test_merging_means_reviewed(team: Team) -> None:
    """The incident's dashboard, labels and state say so."""
    number = team.resolved(ACTION)
    team.run()
    team.write(finished(team.file()))
    team.pushed()
    team.alice.merge(team.pull()["number"])
    team.pushed()
    assert "postmortem:reviewed" in team.labels(number)
    assert team.state(number)["postmortem"]["merged"] is True
    assert f"#{team.pull()['number']}, reviewed" in team.alice.issue(number)["body"]
    assert "- [x] Root cause" in team.alice.issue(number)["body"]
    team.sandbox.clear_log()
    team.pushed()
    team.sweep()
    assert team.writes() == []


def test_an_edited_file_is_never_replaced(team: Team) -> None:
    """After a person's push the incident may go on; the file stays as they wrote it."""
    number = team.resolved()
    team.run()
    team.edit("## Root cause\n", "## Root cause\n\nA pool of one connection.\n")
    written = team.file()
    team.say(number, "/note one more thing")
    team.run()
    team.say(number, "/reopen it is back")
    team.run()
    team.say(number, "/mitigated\n/verify all seen\n/resolve again")
    team.run()
    assert team.file() == written
    assert len(team.pulls()) == 1


def test_an_untouched_draft_follows_the_incident(team: Team) -> None:
    """Reopened, renamed and resolved again, it is the same pull request with the new facts."""
    number = team.resolved(ACTION)
    team.run()
    path = team.path()
    team.say(number, "/reopen it is back")
    team.alice.set_title(number, "Incident: nobody can log in")
    team.run()
    team.say(number, "/mitigated\n/verify all seen\n/resolve for good")
    team.run()
    assert len(team.branches()) == 1
    assert team.pull()["title"] == f"Postmortem of #{number}: nobody can log in"
    assert team.path() == path
    text = team.file()
    assert "for good" in text
    assert link.is_untouched(text)
    (item,) = team.items()
    assert f"- [ ] #{item['number']} [missing-alert]" in text


def test_a_lost_state_loses_nothing(team: Team) -> None:
    """Without the incident's memory the pull request is found again, not opened twice."""
    number = team.resolved(ACTION)
    team.run()
    reporter = team.alice.issue(number)["body"].split("<!-- incident-actions:end -->")[1].lstrip()
    team.alice.edit_issue_body(number, reporter)
    team.run()
    assert len(team.pulls()) == 1
    assert team.state(number)["postmortem"]["pr"] == team.pull()["number"]
    assert len(team.items()) == 1


def test_a_branch_that_is_there_already_is_used(team: Team) -> None:
    """What somebody began by hand becomes the pull request; their file stays."""
    number = team.resolved()
    path = f"ops/postmortems/2026-11-23-{number}-mine.md"
    team.alice.push({path: "# Mine\n"}, "Begin", branch=f"postmortem/{number}-mine")
    team.sandbox.deliveries.append(
        next(d for d in reversed(team.sandbox.deliveries) if d[0] == "issue_comment")
    )
    team.run()
    assert team.branches() == [f"postmortem/{number}-mine"]
    assert team.file() == "# Mine\n"
    assert team.pull()["head"]["ref"] == f"postmortem/{number}-mine"


def test_a_postmortem_is_due_three_days_after_the_resolution(team: Team) -> None:
    """The pull request says until when, by the severity's time in the configuration."""
    team.sandbox.file(NAME, ".github/incident.yml", "postmortem: { due: { sev2: 48h } }")
    team.resolved(severity="SEV2")
    team.run()
    resolved = team.now
    assert resolved == datetime(2026, 11, 23, 3, 3, tzinfo=UTC)
    assert "due 2026-11-25 03:03 UTC" in team.pull()["body"]


def test_a_changed_owner_and_date_reach_the_issue(team: Team) -> None:
    """The file is where they are edited; what people wrote below in the issue stays."""
    team.resolved(ACTION)
    team.run()
    (item,) = team.items()
    team.alice.edit_issue_body(item["number"], item["body"] + "\n\nMy notes.")
    team.edit("/ @bob / 2026-12-01", "/ @alice / 2026-12-24")
    team.pushed()
    (item,) = team.items()
    assert [user["login"] for user in item["assignees"]] == ["alice"]
    assert record(item).due == "2026-12-24"
    assert "| Due | 2026-12-24 |" in item["body"]
    assert item["body"].endswith("My notes.")


def test_changed_words_and_category_reach_the_issue(team: Team) -> None:
    """Title and label follow the line."""
    team.resolved(ACTION)
    team.run()
    team.edit("[missing-alert] Page on the oldest job", "[missing-runbook] Write the runbook")
    team.pushed()
    (item,) = team.items()
    assert item["title"] == "Write the runbook"
    assert {label["name"] for label in item["labels"]} == {
        "action-item",
        "followup:missing-runbook",
    }


def test_a_ticked_box_closes_the_issue(team: Team) -> None:
    """And an empty one opens it again."""
    team.resolved(ACTION)
    team.run()
    team.edit("- [ ] #", "- [x] #")
    team.pushed()
    (item,) = team.items()
    assert (item["state"], item["state_reason"]) == ("closed", "completed")
    team.edit("- [x] #", "- [ ] #")
    team.pushed()
    assert team.items()[0]["state"] == "open"


@pytest.mark.parametrize("by", ["event", "sweep"])
def test_a_closed_issue_ticks_its_box(team: Team, by: str) -> None:
    """At the issue's own event, or at the next sweep; reopening takes the tick away."""
    team.resolved(ACTION)
    team.run()
    (item,) = team.items()
    team.pass_time()
    team.alice.close(item["number"])
    team.sweep() if by == "sweep" else team.run()
    assert f"- [x] #{item['number']} [missing-alert]" in team.file()
    team.pass_time()
    team.alice.reopen(item["number"])
    team.sweep() if by == "sweep" else team.run()
    assert f"- [ ] #{item['number']} [missing-alert]" in team.file()


def test_a_closed_issue_ticks_its_box_after_the_merge_too(team: Team) -> None:
    """Then the file on the default branch follows."""
    team.resolved(ACTION)
    team.run()
    team.write(finished(team.file()))
    team.pushed()
    team.alice.merge(team.pull()["number"])
    team.pushed()
    (item,) = team.items()
    team.alice.close(item["number"])
    team.run()
    assert f"- [x] #{item['number']} [missing-alert]" in team.file("main")


def test_a_removed_action_closes_its_issue_as_not_planned(team: Team) -> None:
    """And when the line comes back, so does the issue."""
    team.resolved(ACTION)
    team.run()
    text = team.file()
    line = next(each for each in text.split("\n") if each.startswith("- [ ] #"))
    team.edit(line + "\n", "")
    team.pushed()
    (item,) = team.items()
    assert (item["state"], item["state_reason"]) == ("closed", "not_planned")
    team.write(text)
    team.pushed()
    (item,) = team.items()
    assert item["state"] == "open"


def test_a_broken_file_closes_nothing(team: Team) -> None:
    """A section that vanished, or a line that is no list item any more, is not a removal."""
    team.resolved(ACTION)
    team.run()
    team.edit("## Corrective actions", "## Actions")
    team.pushed()
    assert team.items()[0]["state"] == "open"
    team.edit("## Actions", "## Corrective actions")
    team.edit("- [ ] #", "  See #")
    team.pushed()
    assert team.items()[0]["state"] == "open"
    assert team.check()["conclusion"] == "failure"


def test_a_number_that_is_no_action_item_is_left_alone(team: Team) -> None:
    """Somebody else's issue is neither closed nor edited; the lint says so."""
    number = team.resolved(ACTION)
    team.run()
    foreign = team.alice.open_issue("A bug", "Text.")["number"]
    team.edit("- [ ] #", f"- [x] #{foreign} Theirs / @bob / 2026-12-01\n- [ ] #")
    team.pushed()
    issue = team.alice.issue(foreign)
    assert (issue["state"], issue["body"]) == ("open", "Text.")
    (comment,) = team.comments(team.pull()["number"])
    assert f"#{foreign} is no action item of this incident" in comment
    assert foreign not in team.sub_issues(number)


def test_an_action_item_that_somebody_forges_is_not_believed(team: Team) -> None:
    """Only what the bot opened counts, whatever an issue's body says."""
    team.resolved(ACTION)
    team.run()
    (item,) = team.items()
    forged = team.bob.open_issue("Forged", item["body"], ["action-item"])["number"]
    team.edit(f"- [ ] #{item['number']}", f"- [ ] #{forged}")
    team.pushed()
    assert team.alice.issue(forged)["body"] == item["body"]
    assert team.alice.issue(forged)["state"] == "open"


@pytest.mark.parametrize(
    ("prefix", "given", "title"),
    [
        ("Incident: ", "Incident: logins fail", "logins fail"),
        ("[Incident] ", "[Incident] logins fail", "logins fail"),
        ("[Incident] ", "[incident]logins fail", "logins fail"),
        ("🔥 Outage -", "🔥 Outage - logins fail", "logins fail"),
        ("🔥 Outage -", "Incident - logins fail", "logins fail"),
        ("Incident: ", "Incident page is blank", "Incident page is blank"),
        ("Incident: ", "Incident-response bot is down", "Incident-response bot is down"),
        ("Incident: ", "Incident: ", "Most logins answer 500."),
        ("", "Incident", "Most logins answer 500."),
    ],
)
def test_the_forms_prefix_is_in_no_title(team: Team, prefix: str, given: str, title: str) -> None:
    """Neither in the postmortem's, nor in its branch, file and pull request."""
    form = FORM.read_text("utf-8").replace('title: "Incident: "', f'title: "{prefix}"')
    team.sandbox.file(NAME, ".github/ISSUE_TEMPLATE/incident.yml", form)
    number = team.resolved(title=given)
    team.run()
    assert team.pull()["title"] == f"Postmortem of #{number}: {title}"
    assert f"# Postmortem: {title}\n" in team.file()
    words = slug(title).removeprefix("incident-")
    assert team.pull()["head"]["ref"] == f"postmortem/{number}-{words}"
    assert team.path().endswith(f"-{number}-{words}.md")
