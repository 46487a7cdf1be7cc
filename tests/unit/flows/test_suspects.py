"""Suspected changes and runbooks in a real dashboard, with every request counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from incident_actions.github.client import GitHub
from incident_actions.reconcile.respond import Tools, WorkflowEvent, respond
from incident_actions.sandbox import Sandbox
from tests.support import ceilings
from tests.support.events import FORM, form_body
from tests.support.openapi import watch

REPO = "acme/shop"
TOKEN = "ghs_job"
READS = {"contents": "read", "deployments": "read", "actions": "read", "pull_requests": "read"}
RUNBOOKS = Path(__file__).resolve().parents[3] / "ops" / "runbooks"


class Town:
    """acme/shop after a day of work: deployed at 02:00 the day before, and something since."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
        self.github = github = Sandbox(clock=lambda: self.now)
        github.repository(REPO, labels=["incident"])
        github.user("dana", permission={REPO: "write"})
        github.user("bea", permission={REPO: "write"})
        github.file(REPO, ".github/ISSUE_TEMPLATE/incident.yml", FORM.read_text("utf-8"))
        github.workflow(REPO, ".github/workflows/deploy.yml", "Deploy")
        github.workflow(REPO, ".github/workflows/rotate-keys.yml", "Rotate keys")
        self.dana, self.bea = github.as_user("dana"), github.as_user("bea")
        self.allow()
        self.dana.push({"src/app.py": "1"}, "First")
        self.dana.deploy("main")
        self.now = datetime(2026, 11, 23, 2, 20, tzinfo=UTC)

    def allow(self, *without: str) -> None:
        """The job's token, without some of its permissions."""
        kept = {name: level for name, level in READS.items() if name not in without}
        self.github.actions_token(TOKEN, REPO, {"issues": "write", **kept, "metadata": "read"})

    def busy_hour(self) -> None:
        """A merge with a migration, a push of configuration, keys rotated, a deploy, a release."""
        files: dict[str, str | None] = {"db/migrations/7.py": "x"}
        pull = self.bea.open_pull("Add <img> | @dana [x](y)", files, "feature")
        self.now += timedelta(minutes=5)
        self.dana.merge(pull["number"])
        self.dana.push({"config/app.yml": "a: 1"}, "Configure")
        self.github.run(REPO, "rotate-keys.yml", at=self.now, actor="bea")
        self.now += timedelta(minutes=5)
        self.dana.deploy("main")
        self.dana.ask("POST", "/releases", {"tag_name": "v1.2"})

    def declare(self, **answers: str | list[str]) -> int:
        """Dana files the form at 02:56 for something that began at 02:50."""
        self.now = datetime(2026, 11, 23, 2, 56, tzinfo=UTC)
        given = {"severity": "SEV1", "summary": "Logins answer 502", "affected": "all", **answers}
        issue = self.dana.file_form_issue("Logins fail", form_body({"started": "02:50", **given}))
        return int(issue["number"])

    def respond(self) -> int:
        """Run for the last event; gives the requests, without those that create labels."""
        name, payload = self.github.deliveries[-1]
        self.github.clear_log()
        hub = GitHub(TOKEN, REPO, self.github.url)
        tools = Tools(lambda: self.now, lambda seconds: None, lambda url, private: False)
        respond(hub, WorkflowEvent(name, payload), ".github/incident.yml", tools)
        return sum((it.method, it.path[-7:]) != ("POST", "/labels") for it in self.github.log)

    def sweep(self) -> None:
        """The scheduled run, five minutes later."""
        self.now += timedelta(minutes=5)
        tools = Tools(lambda: self.now, lambda seconds: None, lambda url, private: False)
        hub = GitHub(TOKEN, REPO, self.github.url)
        respond(hub, WorkflowEvent("schedule", {}), ".github/incident.yml", tools)

    def asked(self, part: str) -> int:
        """How many requests of the last run had this in their path."""
        return sum(part in entry.path for entry in self.github.log)

    def say(self, number: int, text: str) -> int:
        """Dana comments, and the workflow runs for it; gives the requests."""
        self.now += timedelta(minutes=1)
        self.dana.comment(number, text)
        return self.respond()

    def dashboard(self, number: int) -> str:
        """What people see above the report."""
        return str(self.dana.issue(number)["body"]).partition("<!-- incident-actions:state")[0]


@pytest.fixture
def town() -> Iterator[Town]:
    """A fresh town; GitHub's description judges every exchange."""
    made = Town()
    wrong = watch(made.github)
    with made.github:
        yield made
    assert not wrong, "\n".join(wrong)


def test_the_opened_run_lists_what_changed(town: Town) -> None:
    """Newest first, with author, link and kind, the likeliest marked, and the rollback rule."""
    town.busy_hour()
    number = town.declare()
    town.respond()
    shown = town.dashboard(number)
    web = f"https://github.com/{REPO}"
    part = shown[shown.index("<b>Suspected changes</b>") : shown.index("What GitHub can't see")]
    times = [line.partition(" UTC")[0][-5:] for line in part.split("\n") if line.startswith("- ")]
    assert times == ["02:30", "02:30", "02:25", "02:25", "02:25"]
    for text in ("[released v1.2]", "dana: [pushed ", "bea: [ran Rotate keys]"):
        assert text in part
    assert "Do not roll back blindly" in part
    assert f"({web}/pull/1) (database migration)" in part
    (likeliest,) = (line for line in part.split("\n") if "likeliest" in line)
    assert "dana: [deployed " in likeliest
    assert "Traffic: a launch" in shown


def test_titles_stay_text(town: Town) -> None:
    """No HTML, no mention and no link of a pull request's title reaches the page."""
    town.busy_hour()
    number = town.declare()
    town.respond()
    shown = town.dashboard(number)
    assert "Add &lt;img&gt; \\| @\u200bdana \\[x\\](y)" in shown
    assert "<img>" not in shown


def test_it_stays_within_the_ceilings_and_is_asked_once(town: Town) -> None:
    """Later runs remember the answer, and a second run writes nothing."""
    town.busy_hour()
    number = town.declare()
    assert town.respond() <= ceilings.DECLARATION
    assert town.asked("/compare/") == 3
    assert town.respond() <= ceilings.COMMENT
    assert town.github.requests(write=True) == 0
    assert town.say(number, "/ack") <= ceilings.COMMENT
    assert town.asked("/activity") == 0
    assert "released v1.2" in town.dashboard(number)


def test_another_start_is_another_question(town: Town) -> None:
    """`/time started` moves the hour that is looked at."""
    town.busy_hour()
    number = town.declare()
    town.respond()
    assert town.say(number, "/time started at 02:26") <= ceilings.DECLARATION
    shown = town.dashboard(number)
    assert "before 02:26 UTC" in shown
    assert "released v1.2" not in shown
    assert "[merged #\u200b1 " in shown


def test_a_token_that_may_not_read_shortens_the_list_and_says_so(town: Town) -> None:
    """The incident is declared all the same."""
    town.busy_hour()
    town.allow("deployments", "actions", "pull_requests")
    number = town.declare()
    town.respond()
    shown = town.dashboard(number)
    assert "may not read them: deployments, pull requests, workflow runs." in shown
    assert "[pushed " in shown
    assert "[deployed " not in shown


def test_trouble_at_github_is_no_answer(town: Town) -> None:
    """What could not be asked for now is asked for by the next run."""
    town.busy_hour()
    number = town.declare()
    town.github.fail(match="GET */activity", status=503, times=99)
    town.respond()
    assert "SEV1" in town.dashboard(number)
    assert "Suspected changes" not in town.dashboard(number)
    town.github.clear_faults()
    town.sweep()
    assert "Suspected changes" in town.dashboard(number)


def test_a_quiet_hour_is_told_as_that(town: Town) -> None:
    """Nothing changed, so a rollback is not the first thing to try."""
    number = town.declare()
    town.respond()
    assert "Nothing that GitHub knows of changed" in town.dashboard(number)


def test_the_likeliest_change_and_the_way_back_stand_below_next(town: Town) -> None:
    """The link opens the page of the workflow that deploys, where it can be run again."""
    town.dana.push({".github/workflows/deploy.yml": "on: [push, workflow_dispatch]"}, "Deploy")
    town.busy_hour()
    number = town.declare()
    assert town.respond() <= ceilings.DECLARATION
    shown = town.dashboard(number)
    _, following, after = shown.partition("**Next:**")[2].split("\n\n", 3)[:3]
    assert following.startswith("**Likeliest change:** 02:30 UTC - dana: [deployed ")
    assert "Read its migration before you roll back: " in following
    assert f"[Run workflow](https://github.com/{REPO}/actions/workflows/deploy.yml)" in following
    assert after.startswith("| Incident commander |")
    town.say(number, "/mitigated it is back")
    assert "Likeliest change" not in town.dashboard(number)
    assert "**likeliest**" in town.dashboard(number)


@pytest.mark.parametrize(
    ("triggers", "shown"),
    [("[push, workflow_dispatch]", "Run workflow"), ("push", "run the last good")],
)
def test_the_way_back_is_the_workflow_that_ran(town: Town, triggers: str, shown: str) -> None:
    """Of several that deploy; where none can be started by hand, its last good run is run again."""
    for name in ("deploy-web", "release-api"):
        path = f".github/workflows/{name}.yml"
        town.dana.push({path: f"on: {triggers}\njobs: {{}}"}, "Deploy")
        town.github.workflow(REPO, path, name)
    town.now += timedelta(minutes=5)
    town.dana.deploy("main")
    town.github.run(REPO, "release-api.yml", at=town.now, actor="dana", branch="main")
    town.github.run(REPO, "deploy-web.yml", at=town.now - timedelta(days=1), actor="dana")
    number = town.declare()
    town.respond()
    web = f"https://github.com/{REPO}"
    assert f"[{shown}" in town.dashboard(number)
    assert f"]({web}/actions/workflows/release-api.yml)" in town.dashboard(number)


@pytest.mark.parametrize(
    ("report", "says"),
    [
        ({"summary": "Logins fail since the 14:00 deploy."}, True),
        ({"summary": "500s since we rolled out v42"}, True),
        ({"changes": ["Deploy"]}, True),
        ({"summary": "Logins fail, and there was no deploy today."}, False),
        ({"summary": "Logins fail.", "changes": ["Configuration"]}, False),
    ],
)
def test_a_deploy_that_only_the_report_knows_is_told_as_that(
    town: Town, report: dict[str, str | list[str]], says: bool
) -> None:
    """No advice against a rollback, when the reporter says that something was deployed."""
    number = town.declare(**report)
    town.respond()
    shown = town.dashboard(number)
    assert ("The report speaks of a deploy, and GitHub saw none" in shown) == says
    assert ("A rollback is not the first thing to try" in shown) == (not says)


def test_what_cant_be_read_is_not_said_to_be_none(town: Town) -> None:
    """Without the permission nobody knows whether GitHub saw a deploy."""
    town.allow("deployments", "actions", "pull_requests")
    number = town.declare(changes=["Deploy"])
    town.respond()
    assert "speaks of a deploy, and none can be seen from here" in town.dashboard(number)
    assert "GitHub saw none" not in town.dashboard(number)


def test_the_reporters_own_mitigation_is_shown_until_the_harm_stopped(town: Town) -> None:
    """What the form's field says; an answer that says nothing is not shown."""
    number = town.declare(mitigation="Roll back the latest deploy")
    town.respond()
    assert "**The reporter's mitigation:** Roll back the latest deploy" in town.dashboard(number)
    town.say(number, "/mitigated")
    assert "The reporter's mitigation" not in town.dashboard(number)
    other = town.declare(mitigation="Not known yet")
    town.respond()
    assert "The reporter's mitigation" not in town.dashboard(other)


def test_every_duration_counts_from_the_start_and_says_so(town: Town) -> None:
    """And no row of the table is blank."""
    number = town.declare()
    town.respond()
    town.say(number, "/ack")
    town.say(number, "/mitigated")
    shown = town.dashboard(number)
    assert "| Declared | 02:56 UTC, 6 min since the start |" in shown
    assert "| Acknowledged | 02:57 UTC, 7 min since the start |" in shown
    assert "| Mitigated | 02:58 UTC, 8 min since the start |" in shown
    assert "| | |" not in shown


def test_the_step_of_the_checklist_is_taken(town: Town) -> None:
    """The bot has listed what changed; a form whose boxes are all empty has not."""
    number = town.declare()
    town.allow("deployments", "actions", "pull_requests")
    town.respond()
    assert "- [ ] List what changed" in town.dashboard(number)
    other = town.declare(changes=["Deploy"])
    town.respond()
    assert "- [x] List what changed" in town.dashboard(other)


def test_ticks_of_what_cant_be_seen_survive(town: Town) -> None:
    """Those boxes are people's, and are no part of the checklist."""
    number = town.declare()
    town.respond()
    body = str(town.dana.issue(number)["body"])
    town.dana.edit_issue_body(number, body.replace("- [ ] Traffic", "- [x] Traffic"))
    town.respond()
    town.say(number, "/ack")
    shown = town.dashboard(number)
    assert "- [x] Traffic" in shown
    assert shown.count("Traffic: a launch") == 1


def test_a_security_matter_shows_and_keeps_nothing(town: Town) -> None:
    """Neither suspects nor runbooks, and the requests are not made."""
    town.busy_hour()
    number = town.declare(sensitive="This involves a vulnerability or exposed data")
    town.respond()
    body = str(town.dana.issue(number)["body"]).partition("### Severity")[0]
    for word in ("Suspected", "Rotate", "v1.2", "502-errors"):
        assert word not in body
    assert town.asked("/activity") == 0


def test_an_incident_that_becomes_a_security_matter_forgets(town: Town) -> None:
    """`/sensitive` takes suspects and runbooks out of the page and of the state."""
    town.busy_hour()
    number = town.declare()
    town.respond()
    assert "Rotate" in str(town.dana.issue(number)["body"])
    town.say(number, "/sensitive")
    body = str(town.dana.issue(number)["body"]).partition("### Severity")[0]
    for word in ("Suspected", "Rotate", "v1.2", "502-errors"):
        assert word not in body


def test_the_runbooks_that_fit_are_named(town: Town) -> None:
    """Ours by their command, when the team has none."""
    number = town.declare()
    town.respond()
    assert "502 and 504 errors (`/runbook 502-errors`)" in town.dashboard(number)


def test_the_teams_own_runbook_is_linked_and_comes_first(town: Town) -> None:
    """Its words are in a file that the team wrote, so it has to be read."""
    text = "---\ntitle: Logins <b>\nmatch: [logins]\n---\n# Logins\n"
    town.github.file(REPO, "ops/runbooks/zz-logins.md", text)
    number = town.declare()
    town.respond()
    link = f"[Logins &lt;b&gt;](https://github.com/{REPO}/blob/HEAD/ops/runbooks/zz-logins.md)"
    shown = town.dashboard(number)
    assert shown.index(link) < shown.index("502 and 504 errors")


def test_runbooks_that_are_still_ours_cost_no_request(town: Town) -> None:
    """A file is known by its hash; only what the team changed is read, and of that little."""
    for path in RUNBOOKS.glob("*.md"):
        town.github.file(REPO, f"ops/runbooks/{path.name}", path.read_text("utf-8"))
    number = town.declare()
    assert town.respond() <= ceilings.DECLARATION
    assert town.asked("/contents/ops/runbooks/") == 0
    assert "/blob/HEAD/ops/runbooks/502-errors.md)" in town.dashboard(number)


def test_of_many_own_runbooks_those_that_the_report_names_are_read(town: Town) -> None:
    """At most three are read; the others are found by their names."""
    for name in ("a", "b", "c", "d", "e", "logins", "zebra"):
        text = f"---\ntitle: T {name}\nmatch: [logins]\n---\n"
        town.github.file(REPO, f"ops/runbooks/{name}.md", text)
    number = town.declare(summary="Logins fail for zebra users")
    assert town.respond() <= ceilings.DECLARATION + 3
    assert town.asked("/contents/ops/runbooks/") == 3
    assert "[T logins]" in town.dashboard(number)


def test_the_teams_own_checklist_is_read(town: Town) -> None:
    """A file that differs from ours counts."""
    text = "## Ours\n\n- [ ] Call the boss\n"
    town.github.file(REPO, "ops/runbooks/incident-checklist.md", text)
    number = town.declare()
    town.respond()
    assert "- [ ] Call the boss" in town.dashboard(number)
