"""`doctor` finds each planted fault, says how to fix it, and finds none in a healthy team."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from incident_actions.cli.doctor import examine, report
from incident_actions.cli.repository_files import Checkout, DefaultBranch
from incident_actions.domain.readiness.costs import FRUGAL
from incident_actions.domain.readiness.facts import Health, ReadinessFinding, RepositoryFacts
from incident_actions.domain.readiness.watch import check as watch_checks
from incident_actions.domain.readiness.workflows import Workflow
from incident_actions.domain.reminders.clock import read_watch_length
from incident_actions.errors import InputError
from incident_actions.github.client import GitHub
from incident_actions.render.scaffold import Choices, files
from incident_actions.sandbox import Sandbox
from tests.support.openapi import watch

ROOT = Path(__file__).resolve().parents[3]
REPO = "acme/shop"
ACTION = "acme/incident-actions"
TOKEN = "ghp_adminsToken"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
INCIDENT = ".github/workflows/incident.yml"
DEPLOY = ".github/workflows/deploy.yml"
MERGES = ".github/workflows/merges.yml"
FORM = ".github/ISSUE_TEMPLATE/incident.yml"
LAST_STEP = r"respond \}(?=\n\Z)"
LINKS = "ops/runbooks/service-links.md"
POSTMORTEM = "ops/postmortems/2026-11-02-31-queue.md"
MERGE_GATE = """\
on: pull_request
jobs:
  gate:
    name: Freeze gate
    uses: acme/incident-actions/.github/workflows/freeze-gate.yml@v1
"""


@dataclass
class Team:
    """acme/shop, where everything is as it should be, in a folder and on GitHub alike."""

    github: Sandbox
    folder: Path

    def set_up(self) -> None:
        """What `init` writes, and what only a team can add."""
        self.github.repository(REPO, labels=["incident", "deploy-freeze", "drill"])
        self.github.user("dana", permission={REPO: "admin"})
        self.github.token(TOKEN, "dana")
        self.github.settings(REPO, required_checks=("gate / Freeze gate",))
        self.github.repository(ACTION)
        self.tag(self.github.file(ACTION, "action.yml", "runs: {}\n"))
        for path, text in files(Choices("acme"), deploy=True).items():
            self.write(path, text)
        self.write(MERGES, MERGE_GATE)
        self.edit(DEPLOY, 'echo "your deploy"', "make deploy")
        self.write(".github/incident.yml", "roles: { commander: dana }\n")
        for path in (INCIDENT, DEPLOY, MERGES):
            self.github.workflow(REPO, path)
        self.github.run(REPO, "incident.yml", event="schedule", at=NOW - timedelta(minutes=7))
        self.edit(LINKS, r"^(- [^:]+):$", r"\1: https://example.com")
        self.edit("ops/runbooks/rollback-rules.md", r"(\| Roll back the app \|)", r"\1 `make back`")
        self.edit("ops/runbooks/verification-checklist.md", "Signup:", "Register:")
        self.write(POSTMORTEM, "## Corrective actions\n\n- [ ] #57 Alert / @bea / 2026-12-01\n")

    def tag(self, sha: str | None) -> None:
        """Where the tag `v1` of the action is; None takes it away."""
        refs = self.github.repo(ACTION).git.refs
        refs.pop("refs/tags/v1", None)
        refs.update({"refs/tags/v1": sha} if sha else {})

    def write(self, path: str, text: str) -> None:
        """Put a file into the folder and on GitHub."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_text(text, "utf-8")
        self.github.file(REPO, path, text)

    def edit(self, path: str, pattern: str, by: str) -> None:
        """Change a file; a pattern that isn't there would plant nothing."""
        text = (self.folder / path).read_text("utf-8")
        changed = re.sub(pattern, by, text, flags=re.MULTILINE)
        assert changed != text, pattern
        self.write(path, changed)

    def delete(self, path: str) -> None:
        """Take a file away from both."""
        (self.folder / path).unlink()
        self.github.as_user("dana", REPO).push({path: None}, "Delete")

    def delete_label(self, name: str) -> None:
        """Take a label away."""
        self.github.as_user("dana", REPO).ask("DELETE", f"/labels/{name}")

    def examine(self, token: str = TOKEN, *, remotely: bool = False) -> dict[str, ReadinessFinding]:
        """What doctor finds, by key."""
        hub = GitHub(token, REPO, self.github.url)
        where = DefaultBranch(hub) if remotely else Checkout(self.folder)
        return {finding.key: finding for finding in examine(where, hub, NOW)}

    def state(self, path: str, state: str) -> None:
        """What GitHub says of a workflow."""
        for row in self.github.repo(REPO).workflows:
            if row.data["path"] == path:
                row.data["state"] = state

    def forget_runs(self, minutes: int | None = None) -> None:
        """No scheduled run at all, or the last one so long ago."""
        self.github.repo(REPO).runs.clear()
        if minutes is not None:
            at = NOW - timedelta(minutes=minutes)
            self.github.run(REPO, "incident.yml", event="schedule", at=at)


@pytest.fixture
def team(tmp_path: Path) -> Iterator[Team]:
    """A healthy team; GitHub's description judges every exchange."""
    github = Sandbox(clock=lambda: NOW)
    wrong = watch(github)
    with github:
        made = Team(github, tmp_path)
        made.set_up()
        yield made
    assert not wrong, "\n".join(wrong)


Plant = Callable[[Team], object]
FAULTS: dict[str, tuple[str, Plant]] = {
    "label gone": ("labels", lambda t: t.delete_label("incident")),
    "freeze label gone": ("labels", lambda t: t.delete_label("deploy-freeze")),
    "the action has no tag v1": ("action", lambda t: t.tag(None)),
    "a copy of the action that is not there": (
        "action",
        lambda t: t.edit(DEPLOY, "acme/incident", "acne/incident"),
    ),
    "issues off": ("issues", lambda t: t.github.settings(REPO, has_issues=False)),
    "Actions may not open pull requests": (
        "pull-requests",
        lambda t: t.github.settings(REPO, actions_create_pulls=False),
    ),
    "workflow switched off": ("switched-on", lambda t: t.state(INCIDENT, "disabled_inactivity")),
    "schedule stands still": ("schedule", lambda t: t.forget_runs(300)),
    "schedule never ran": ("schedule", lambda t: t.forget_runs()),
    "check not required": ("required-check", lambda t: t.github.settings(REPO, required_checks=())),
    "another check required": (
        "required-check",
        lambda t: t.github.settings(REPO, required_checks=("tests",)),
    ),
    "form gone": ("form", lambda t: t.delete(FORM)),
    "form is no YAML": ("form", lambda t: t.write(FORM, "body: [")),
    "form without the label": ("form", lambda t: t.edit(FORM, r"^labels: .*", "labels: [bug]")),
    "severity has another id": ("form", lambda t: t.edit(FORM, "id: severity", "id: level")),
    "severity's options reworded": ("form", lambda t: t.edit(FORM, "SEV1 - ", "Critical - ")),
    "unknown key": ("config", lambda t: t.write(".github/incident.yml", "rolls: {}\n")),
    "workflow is no YAML": (
        "workflows",
        lambda t: t.write(".github/workflows/ci.yml", "on: push\njobs: [\n"),
    ),
    "nothing runs respond": ("respond", lambda t: t.edit(INCIDENT, "respond }", "timeline }")),
    "comments don't start it": ("triggers", lambda t: t.edit(INCIDENT, "issue_comment:", "push:")),
    "no schedule": ("triggers", lambda t: t.edit(INCIDENT, r"  schedule:\n.*\n", "")),
    "it may not write issues": (
        "permissions",
        lambda t: t.edit(INCIDENT, "issues: write", "issues: read"),
    ),
    "it may not open a postmortem": (
        "permissions",
        lambda t: t.edit(INCIDENT, "pull-requests: write", "pull-requests: read"),
    ),
    "it may not start the watch": (
        "permissions",
        lambda t: t.edit(INCIDENT, "actions: write", "actions: read"),
    ),
    "a schedule of every five minutes": ("cron", lambda t: t.edit(INCIDENT, "37 \\*", "3-58/5 *")),
    "a schedule twice an hour": (
        "cron",
        lambda t: t.edit(INCIDENT, r"(    - cron: .*\n)", r'\1    - cron: "7 9-17 * * *"\n'),
    ),
    "a schedule on the full hour": ("cron", lambda t: t.edit(INCIDENT, "37 \\*", "0 *")),
    "a schedule that is none": ("cron", lambda t: t.edit(INCIDENT, '"37 .*"', '"@hourly"')),
    "a schedule that never comes": ("cron", lambda t: t.edit(INCIDENT, '"37 .*"', '"7 6 31 2 *"')),
    "no input for the watch": (
        "watch",
        lambda t: t.edit(INCIDENT, "^      watch: .*", "      x: {}"),
    ),
    "no job for the watch": (
        "watch",
        lambda t: t.edit(INCIDENT, r"^  watch:(\n    .*|\n      .*)+", ""),
    ),
    "neither input nor job": (
        "watch",
        lambda t: [
            t.edit(INCIDENT, r"^    inputs:\n.*\n", ""),
            t.edit(INCIDENT, r"^  watch:(\n    .*|\n      .*)+", ""),
            t.edit(
                INCIDENT,
                r"!inputs\.watch && \(([\s\S]+?)\)\n    concurrency",
                r"\1\n    concurrency",
            ),
        ],
    ),
    "another job starts for a watch, too": (
        "watch",
        lambda t: t.edit(INCIDENT, r"!inputs\.watch && ", ""),
    ),
    "one group for the whole workflow": (
        "watch-group",
        lambda t: t.edit(INCIDENT, "^permissions:", "concurrency: incident\npermissions:"),
    ),
    "a watch without a group": (
        "watch-group",
        lambda t: t.edit(INCIDENT, r"    concurrency: .*'watch'.*\n", ""),
    ),
    "a watch in the others' group": (
        "watch-group",
        lambda t: t.edit(INCIDENT, "concurrency: .*", "concurrency: { group: incident }"),
    ),
    "a watch whose job ends first": (
        "watch-time",
        lambda t: t.edit(INCIDENT, "timeout-minutes: 350", "timeout-minutes: 330"),
    ),
    "a watch without an end of its own": (
        "watch-time",
        lambda t: [
            t.edit(INCIDENT, r"    timeout-minutes: 350.*\n", ""),
            t.edit(INCIDENT, LAST_STEP, "respond, watch-minutes: 20 }"),
            t.edit(INCIDENT, "ubuntu-latest", "ubuntu-slim"),
        ],
    ),
    "a watch for longer than a job": (
        "watch-minutes",
        lambda t: t.edit(INCIDENT, LAST_STEP, "respond, watch-minutes: 356 }"),
    ),
    "a watch for no number of minutes": (
        "watch-minutes",
        lambda t: t.edit(INCIDENT, "respond }", "respond, watch-minutes: abc }"),
    ),
    "a long watch on the small runner": (
        "watch-time",
        lambda t: t.edit(INCIDENT, "ubuntu-latest", "ubuntu-slim"),
    ),
    "drill label gone": ("labels", lambda t: t.delete_label("drill")),
    "a deploy without the gate": (
        "freeze-rule",
        lambda t: t.edit(DEPLOY, r"      - uses: .*\n.*\n", ""),
    ),
    "a rollback that the gate stops": (
        "intent",
        lambda t: t.write(
            ".github/workflows/rollback.yml",
            "on: workflow_dispatch\npermissions: read-all\njobs: { go: { runs-on: x, steps: "
            "[{ uses: acme/incident-actions@v1, with: { command: gate } }, { run: x }] } }\n",
        ),
    ),
    "a gate that only reports": (
        "freeze-rule",
        lambda t: t.edit(DEPLOY, "command: gate,", "command: gate, mode: report,"),
    ),
    "a gate that may be skipped": (
        "freeze-rule",
        lambda t: t.edit(DEPLOY, r"^      - run: make", "        if: false\n      - run: make"),
    ),
    "a call that grants less than the called job asks for": (
        "gate-permissions",
        lambda t: [
            t.write(
                ".github/workflows/call.yml",
                "on: push\npermissions: { contents: read }\n"
                "jobs: { go: { uses: ./.github/workflows/called.yml } }\n",
            ),
            t.write(
                ".github/workflows/called.yml",
                "on: workflow_call\njobs: { go: { runs-on: x, permissions: { issues: read }, "
                "steps: [{ run: x }] } }\n",
            ),
        ],
    ),
    "a job beside the gated one": (
        "freeze-rule",
        lambda t: t.write(
            ".github/workflows/ship.yml",
            "on: push\njobs:\n  gate: {steps: [{uses: acme/incident-actions@v1, "
            "with: {command: gate}}]}\n  ship: {environment: production, steps: [{run: x}]}\n",
        ),
    ),
    "a deploy that is our example": (
        "deploy",
        lambda t: t.edit(DEPLOY, "make deploy", 'echo "your deploy"'),
    ),
    "no way through for a rollback": ("intent", lambda t: t.edit(DEPLOY, ", intent: .*", " }")),
    "a commander who may only read": (
        "people",
        lambda t: [
            t.github.user("eve"),
            t.write(".github/incident.yml", "roles: { commander: eve }\n"),
        ],
    ),
    "a commander who is nobody": (
        "people",
        lambda t: t.write(
            ".github/incident.yml", "on-call: { users: [nobody], start: 2026-01-05T09:00 }\n"
        ),
    ),
    "nothing deploys": ("freeze-rule", lambda t: t.delete(DEPLOY)),
    "the gate may not read issues": (
        "gate-permissions",
        lambda t: t.edit(DEPLOY, "issues: read, ", ""),
    ),
    "a gate for a service that is not on the list": (
        "services",
        lambda t: [
            t.write(".github/incident.yml", "services: [api, web]\n"),
            t.edit(DEPLOY, "command: gate,", "command: gate, service: wbe,"),
        ],
    ),
    "a gate for a phrase": (
        "services",
        lambda t: t.edit(DEPLOY, "command: gate,", "command: gate, service: API server,"),
    ),
    "a merge gate for a service that is not on the list": (
        "services",
        lambda t: [
            t.write(".github/incident.yml", "services: [api, web]\n"),
            t.write(MERGES, MERGE_GATE + "    with: { service: wbe }\n"),
        ],
    ),
    "a form that offers other services than the list": (
        "services",
        lambda t: [
            t.write(FORM, files(Choices("acme", ("api", "web")), deploy=False)[FORM]),
            t.write(".github/incident.yml", "services: [api, {name: worker}]\n"),
        ],
    ),
    "no severity matrix": (
        "severity-levels",
        lambda t: t.delete("ops/runbooks/severity-matrix.md"),
    ),
    "no roles": ("commander-role", lambda t: t.write("ops/runbooks/roles.md", "\n")),
    "no command to roll back": (
        "rollback",
        lambda t: t.edit("ops/runbooks/rollback-rules.md", "`make back`", ""),
    ),
    "no status page": ("status-page", lambda t: t.edit(LINKS, r"(status page:).*", r"\1")),
    "no history of deploys": (
        "change-history",
        lambda t: t.edit(LINKS, r"(history:).*", r"\1"),
    ),
    "no postmortem template": (
        "postmortem-template",
        lambda t: [t.delete(POSTMORTEM), t.delete("ops/postmortems/README.md")],
    ),
    "four runbooks": (
        "runbooks",
        lambda t: [
            t.delete("ops/runbooks/502-errors.md"),
            t.edit("ops/runbooks/worker-backlog.md", "^match: .*", "match: []"),
        ],
    ),
    "no alert routing": ("alert-routing", lambda t: t.delete("ops/runbooks/alert-routing.md")),
    "our journeys": (
        "verification",
        lambda t: t.edit("ops/runbooks/verification-checklist.md", "Register:", "Signup:"),
    ),
    "an action without a date": (
        "action-items",
        lambda t: t.edit(POSTMORTEM, " / 2026-12-01", ""),
    ),
}


def test_a_healthy_team_has_no_problem(team: Team) -> None:
    """Everything is seen, and all of it is well; the same from the folder and from GitHub."""
    assert {finding.health for finding in team.examine().values()} == {Health.OK}
    assert team.examine(remotely=True) == team.examine()


@pytest.mark.parametrize("fault", FAULTS)
def test_each_planted_fault_is_found(team: Team, fault: str) -> None:
    """That item and no other is a problem, and it comes with a fix."""
    key, plant = FAULTS[fault]
    plant(team)
    found = team.examine()
    problems = {k: f for k, f in found.items() if f.health.is_problem}
    assert problems.keys() == {key}
    assert problems[key].fix


def test_what_to_paste_for_the_watch_puts_it_right(team: Team) -> None:
    """The lines of the fix, under the keys that it names, and nothing else."""
    whole = (team.folder / INCIDENT).read_text("utf-8")
    FAULTS["neither input nor job"][1](team)
    fix = team.examine()["watch"].fix
    assert fix.startswith("Quickest: `incident-actions init` shows the difference and writes it.\n")
    event, job = re.findall(r"Write under `\w+:`\n((?: .*\n)+)", fix)
    condition = fix.partition("Write into `respond`, in place of its `if:`\n")[2]
    team.edit(INCIDENT, r"^  workflow_dispatch:.*\n", event)
    team.edit(INCIDENT, r"\Z", job)
    team.edit(INCIDENT, r"    if: >-.*\n(      .*\n)+", condition.replace("\\", r"\\") + "\n")
    assert {finding.health for finding in team.examine().values()} == {Health.OK}
    mine, ours = (
        yaml.safe_load(text) for text in ((team.folder / INCIDENT).read_text("utf-8"), whole)
    )
    assert mine == ours


@pytest.mark.parametrize(
    ("fault", "pattern"),
    [
        ("a schedule of every five minutes", r"^  schedule:.*\n    - cron: .*\n"),
        ("a schedule that is none", r"^  schedule:.*\n    - cron: .*\n"),
        ("a watch in the others' group", r"^    concurrency: .*\n(?=.*\n    timeout-minutes: 350)"),
        ("a watch without a group", r"^(?=.*\n    timeout-minutes: 350)"),
        ("a watch whose job ends first", r"^    timeout-minutes: 330.*\n"),
    ],
)
def test_what_to_paste_puts_it_right(team: Team, fault: str, pattern: str) -> None:
    """The lines after the place that the fix names; there is one such place."""
    key, plant = FAULTS[fault]
    plant(team)
    lines = team.examine()[key].fix.splitlines()[1:]
    team.edit(INCIDENT, pattern, "".join(f"{line}\n" for line in lines if line.startswith("  ")))
    assert team.examine()[key].health is Health.OK


def test_a_workflow_from_before_the_watch_is_told_all_at_once(team: Team) -> None:
    """Every five minutes, one group for all, and no leave to start a run."""
    team.write(
        INCIDENT,
        """\
on:
  issues: { types: [opened, closed] }
  issue_comment: { types: [created] }
  schedule: [{ cron: "3-58/5 * * * *" }]
  workflow_dispatch:
concurrency: incident-${{ github.event.issue.number || 'sweep' }}
permissions: { actions: read, contents: write, issues: write, pull-requests: write }
jobs:
  respond:
    if: ${{ !github.event.issue.pull_request }}
    runs-on: ubuntu-latest
    steps:
      - uses: acme/incident-actions@v1
        with: { command: respond }
""",
    )
    found = team.examine()
    problems = {key for key, finding in found.items() if finding.health.is_problem}
    assert problems == {"permissions", "cron", "watch", "watch-group"}
    assert "`actions: write`" in found["permissions"].fix
    assert "acme/incident-actions@v1" in found["watch"].fix
    assert (
        "Write into `respond`, in place of its `if:`\n"
        "    if: ${{ !inputs.watch && (!github.event.issue.pull_request) }}"
    ) in found["watch"].fix
    team.edit(INCIDENT, r"^    if: .*\n", "")
    assert "Write into `respond`\n    if: ${{ !inputs.watch }}" in team.examine()["watch"].fix


@pytest.mark.parametrize(
    ("old", "read"),
    [
        ("always()", "!inputs.watch && (always())"),
        ("${{ !cancelled() }}", "!inputs.watch && (!cancelled())"),
        ("true", "!inputs.watch && (true)"),
        ("", "!inputs.watch"),
        (
            "\"contains(github.event.comment.body, ${{ 'fix: }} #1' }}) || always()\"",
            "!inputs.watch && (contains(github.event.comment.body, 'fix: }} #1') || always())",
        ),
        ("|\n      a == 'b'\n      && c  == 'd'", "!inputs.watch && (a == 'b' && c  == 'd')"),
        (
            ">-\n      " + " ||\n      ".join(f"github.actor == 'somebody-{n}'" for n in range(9)),
            "!inputs.watch && ("
            + " || ".join(f"github.actor == 'somebody-{n}'" for n in range(9))
            + ")",
        ),
    ],
)
def test_the_condition_to_paste_is_finished(old: str, read: str) -> None:
    """Whatever it was before: YAML reads it, it rules the watch out, and keeps the old one."""
    head = "on: { workflow_dispatch: { inputs: { watch: } } }\njobs:\n  respond:\n"
    rest = "    steps: [{ uses: o/incident-actions@v1, with: { command: respond } }]\n"
    after = "  watch:\n    if: inputs.watch\n    concurrency: watch\n" + rest
    before = yaml.safe_load(f"{head}    if: {old}\n{rest}{after}")
    fix = {each.key: each for each in watch_checks(of(before))}["watch"].fix
    lines = fix.partition("\n")[2]
    pasted = yaml.safe_load(f"{head}{lines}\n{rest}{after}")
    assert pasted["jobs"]["respond"]["if"].removeprefix("${{ ").removesuffix(" }}") == read
    assert max(map(len, lines.splitlines())) <= 100
    assert {each.key: each for each in watch_checks(of(pasted))}["watch"].health is Health.OK


def of(document: object) -> RepositoryFacts:
    """A repository with one workflow, and nothing else."""
    flow = Workflow(INCIDENT, document if isinstance(document, dict) else None)
    return RepositoryFacts(NOW, (flow,), {}, frozenset(), None, (), FORM, None, None)


@pytest.mark.parametrize(
    ("planted", "place"),
    [
        ("", ""),
        ("    if: always()\n", ", in place of its `if:`"),
        (
            "    if: always()\n    concurrency: incident\n",
            ", in place of its `if:` and `concurrency:`",
        ),
    ],
)
def test_a_job_that_is_called_watch_is_completed(team: Team, planted: str, place: str) -> None:
    """No second job of that name, and no `if:` that rules out what the job is for."""
    team.edit(INCIDENT, r"^    if: inputs\.watch.*\n    concurrency: .*\n", planted)
    fix = team.examine()["watch"].fix
    said, _, lines = fix.partition("\n")
    assert said == f"Write into `watch`{place}"
    assert "Write" not in lines
    team.edit(INCIDENT, r"^  watch:\n" + re.escape(planted), f"  watch:\n{lines}\n")
    assert {finding.health for finding in team.examine().values()} == {Health.OK}


def test_another_job_that_is_called_watch_keeps_its_name(team: Team) -> None:
    """A job of that name which has nothing to do with ours, and the key may stand there once."""
    FAULTS["no job for the watch"][1](team)
    team.edit(INCIDENT, r"\Z", "  watch:\n    runs-on: x\n    steps: [{ run: x }]\n")
    lines = team.examine()["watch"].fix.partition("\n")[2]
    assert lines.startswith("  incident-watch:\n")
    team.edit(INCIDENT, r"\Z", f"{lines}\n")
    assert {finding.health for finding in team.examine().values()} == {Health.OK}


def test_the_small_runner_with_its_short_watch_is_well(team: Team) -> None:
    """As the comments of the workflow say; its price is told."""
    team.edit(INCIDENT, "ubuntu-latest", "ubuntu-slim")
    team.edit(INCIDENT, "timeout-minutes: 350", "timeout-minutes: 15")
    team.edit(INCIDENT, LAST_STEP, "respond, watch-minutes: 13 }")
    found = team.examine()
    assert {finding.health for finding in found.values()} == {Health.OK}
    assert "744 minutes (at the price of 248 on `ubuntu-latest`)" in found["costs"].seen


def test_the_frugal_schedule_is_well(team: Team) -> None:
    """Half a day without a run is no fault there, and a day is."""
    lines = "".join(f'    - cron: "{cron}"\n' for cron in FRUGAL)
    team.edit(INCIDENT, "^    - cron: .*\n", lines)
    team.forget_runs(60 * 20)
    found = team.examine()
    assert {finding.health for finding in found.values()} == {Health.OK}
    assert "idle month costs about 58 minutes" in found["costs"].seen
    team.forget_runs(60 * 22)
    assert team.examine()["schedule"].health.is_problem


def test_what_it_costs_is_one_line(team: Team) -> None:
    """Of the workflow as it stands, in the checkout."""
    assert team.examine()["costs"].seen == (
        "an idle month costs about 744 minutes, an hour with the watch about 60; "
        "nothing on a public repository"
    )
    FAULTS["a schedule of every five minutes"][1](team)
    found = team.examine()
    assert "8928 minutes" in found["costs"].seen
    assert "every 5 minutes: 8928 minutes" in found["cron"].seen


@pytest.mark.parametrize("given", ["abc", "356", "0", "13.5", "'٣'", "9" * 30])
def test_minutes_that_the_action_refuses_are_told_in_its_words(team: Team, given: str) -> None:
    """Before a run fails by them, in either job."""
    team.edit(INCIDENT, "respond }", f"respond, watch-minutes: {given} }}")
    found = team.examine()["watch-minutes"]
    with pytest.raises(InputError) as raised:
        read_watch_length(given.strip("'"))
    assert found.seen == f"the job `respond` of {INCIDENT}: {raised.value}"
    assert found.fix == raised.value.remedy


def test_without_a_watch_none_is_asked_for(team: Team) -> None:
    """The configuration says that there is none: no leave to start it, no hour of it."""
    team.write(".github/incident.yml", "reminders: { watch: off }\n")
    team.edit(INCIDENT, "actions: write", "actions: read")
    FAULTS["neither input nor job"][1](team)
    found = team.examine()
    assert {finding.health for finding in found.values()} == {Health.OK}
    assert found["watch"].seen == "off, as `reminders.watch` says"
    assert "watch" not in found["permissions"].seen
    assert found["costs"].seen == (
        "an idle month costs about 744 minutes; nothing on a public repository"
    )
    team.edit(INCIDENT, "actions: read.*", "statuses: read")
    assert team.examine()["permissions"].fix == "Add `actions: read` under its `permissions:`."


def test_an_hour_of_no_watch_costs_nothing(team: Team) -> None:
    """Also where the job for it still stands."""
    team.write(".github/incident.yml", "reminders: { watch: off }\n")
    assert "hour" not in team.examine()["costs"].seen


def test_a_workflow_that_is_no_yaml_is_told_with_its_line(team: Team) -> None:
    """And each with its cause; a file without a mapping, too."""
    team.edit(INCIDENT, "if: inputs.watch", "if: !inputs.watch")
    team.write(".github/workflows/ci.yml", "- push\n")
    line = 1 + (team.folder / INCIDENT).read_text("utf-8").split("if: !inputs")[0].count("\n")
    seen = team.examine()["workflows"].seen
    assert f"{INCIDENT}: line {line}, column 9: could not determine a constructor" in seen
    assert ".github/workflows/ci.yml: it is no mapping" in seen


def test_what_an_expression_says_is_left_alone(team: Team) -> None:
    """How long a watch may run is not known before it runs."""
    team.edit(INCIDENT, "timeout-minutes: 350", "timeout-minutes: ${{ vars.WATCH || 20 }} #")
    assert team.examine()["watch-time"].health is Health.OK


def test_a_schedule_that_never_ran_says_when_to_look_again(team: Team) -> None:
    """Not in an hour: a frugal schedule comes twice a day."""
    team.forget_runs()
    fix = team.examine()["schedule"].fix
    assert "look again after the next time of its `cron`. In a fork schedules are off." in fix


def test_faults_are_found_on_github_alone(team: Team) -> None:
    """With `--repo` no checkout is needed."""
    for fault in ("form gone", "a deploy without the gate", "no status page"):
        FAULTS[fault][1](team)
    found = team.examine(remotely=True)
    problems = {key for key, finding in found.items() if finding.health.is_problem}
    assert problems == {"form", "freeze-rule", "status-page"}


def test_a_token_that_may_only_read_is_told(team: Team) -> None:
    """Commands and dashboards need more."""
    team.github.user("eve")
    team.github.token("ghp_reader", "eve")
    assert team.examine("ghp_reader")["token"].health.is_problem


def test_what_the_token_may_not_see_is_not_called_a_fault(team: Team) -> None:
    """Settings are shown to administrators only: the item says where to look."""
    team.github.user("bea", permission={REPO: "write"})
    scopes = {"metadata": "read", "contents": "read"}
    team.github.token("github_pat_narrow", "bea", scopes)
    found = team.examine("github_pat_narrow")
    assert found["pull-requests"].health is Health.UNKNOWN
    assert "Settings > Actions" in found["pull-requests"].fix
    assert found["token"].health.is_problem
    assert "actions, issues" in found["token"].fix or "issues, actions" in found["token"].fix
    assert found["labels"].health is Health.UNKNOWN


def test_a_fresh_init_needs_only_what_people_know(tmp_path: Path) -> None:
    """What is left are addresses, journeys and the command to roll back."""
    for path, text in files(Choices("acme"), deploy=True).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    found = examine(Checkout(tmp_path), None, NOW)
    problems = [finding.key for finding in found if finding.health.is_problem]
    assert problems == [
        "deploy",
        "rollback",
        "status-page",
        "service-links",
        "change-history",
        "verification",
    ]


def test_an_item_of_the_teams_own_stays_with_people(team: Team) -> None:
    """A key that no program knows is listed as not seen."""
    path = "ops/runbooks/readiness-checklist.md"
    team.write(path, "- [ ] The pager works <!-- doctor: pager -->\n")
    found = team.examine()
    assert found["pager"].health is Health.UNKNOWN
    assert "severity-levels" not in found


def run(folder: Path, *flags: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "incident_actions", "doctor", *flags],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_exit_code_and_words_of_the_command(team: Team) -> None:
    """0 when all is well; 1 with the problem and its fix; without a token only files are seen."""
    at = {"GITHUB_API_URL": team.github.url, "INCIDENT_NOW": NOW.isoformat()}
    healthy = run(team.folder, GITHUB_TOKEN=TOKEN, GITHUB_REPOSITORY=REPO, **at)
    assert (healthy.returncode, healthy.stderr) == (0, "")
    assert "0 blockers, 0 missing, 0 homework, 0 not seen" in healthy.stdout
    team.delete_label("incident")
    ill = run(team.folder, "--repo", REPO, GITHUB_TOKEN=TOKEN, **at)
    assert ill.returncode == 1
    assert ill.stdout.startswith("BLOCKER  labels: missing: `incident`")
    assert "fix: gh label create incident" in ill.stdout
    blind = run(team.folder, **at)
    assert blind.returncode == 0
    assert "not seen token: there is no token, so these were not looked at: " in blind.stdout
    assert "issues, labels, pull-requests" in blind.stdout
    assert "export GITHUB_TOKEN=$(gh auth token)" in blind.stdout
    assert re.findall(r"^not seen", blind.stdout, re.MULTILINE) == ["not seen"]
    stray = run(team.folder, "--path", "nowhere", **at)
    assert stray.returncode == 2
    assert "nowhere" in stray.stderr


def test_an_unknown_repository_is_a_clear_error(team: Team) -> None:
    """GitHub could not be asked: exit code 3, as everywhere."""
    done = run(
        team.folder, "--repo", "acme/nowhere", GITHUB_TOKEN=TOKEN, GITHUB_API_URL=team.github.url
    )
    assert done.returncode == 3
    assert "acme/nowhere" in done.stderr


def test_the_report_counts() -> None:
    """The last line is the sum."""
    assert report([]).endswith("0 blockers, 0 missing, 0 homework, 0 not seen, 0 ok.")


@pytest.mark.parametrize(
    ("token", "address", "said"),
    [
        ("ghp_expired", None, "HTTP 401"),
        (TOKEN, "http://127.0.0.1:9", "could not be reached"),
    ],
)
def test_where_github_cannot_be_asked_the_files_are_still_looked_at(
    team: Team, token: str, address: str | None, said: str
) -> None:
    """A bad token, or no network: what is in the checkout is told, and what was not looked at."""
    team.edit(DEPLOY, r"      - uses: .*\n.*\n", "")
    at = {"GITHUB_API_URL": address or team.github.url, "INCIDENT_NOW": NOW.isoformat()}
    done = run(team.folder, GITHUB_TOKEN=token, GITHUB_REPOSITORY=REPO, **at)
    assert done.returncode == 1
    assert done.stdout.startswith("BLOCKER  freeze-rule: deploys without asking the gate")
    assert "uses: acme/incident-actions@v1" in done.stdout
    [unseen] = [line for line in done.stdout.splitlines() if line.startswith("not seen")]
    assert said in unseen
    assert "labels" in unseen


def test_blockers_come_first_and_homework_last(team: Team) -> None:
    """What stops the next incident, then what is missing, then what only the team knows."""
    for fault in ("no status page", "a schedule on the full hour", "form gone"):
        FAULTS[fault][1](team)
    text = report([*team.examine().values()])
    first = [line.split()[0] for line in text.splitlines() if line and line[0] != " "]
    assert first[:4] == ["BLOCKER", "missing", "homework", "ok"]
    assert "1 blocker, 1 missing, 1 homework, 0 not seen, " in text


def test_no_playbook_is_one_finding(tmp_path: Path) -> None:
    """In a repository without any page of it, not one for each page."""
    found = [each for each in examine(Checkout(tmp_path), None, NOW) if "ops/" in each.seen]
    assert [each.key for each in found] == ["playbook"]


def test_what_did_not_count_as_a_deploy_is_named(team: Team) -> None:
    """So that people can judge; and what a team chose for when GitHub can't be asked."""
    team.write(
        ".github/workflows/sync.yml",
        "on: push\njobs: { go: { runs-on: x, steps: [{ run: x }] } }\n",
    )
    team.write(
        ".github/workflows/try.yml",
        "on: pull_request\njobs: { deploy-preview: { runs-on: x, environment: preview, "
        "steps: [{ run: x }] } }\n",
    )
    team.edit(DEPLOY, "command: gate,", "command: gate, on-error: allow,")
    found = team.examine()["freeze-rule"]
    assert found.health is Health.OK
    assert "when GitHub can't be asked, .github/workflows/deploy.yml may deploy" in found.seen
    assert found.seen.endswith(
        "Not counted as deploying: .github/workflows/sync.yml, "
        ".github/workflows/try.yml (job `deploy-preview`)"
    )


def test_environments_on_the_configurations_list_count(team: Team) -> None:
    """Staging is stopped where the team says so, and only there."""
    team.write(
        ".github/workflows/stage.yml",
        "on: push\njobs: { go: { runs-on: x, environment: staging, steps: [{ run: x }] } }\n",
    )
    assert team.examine()["freeze-rule"].health is Health.OK
    team.write(".github/incident.yml", "freeze: { environments: [production, staging] }\n")
    found = team.examine()["freeze-rule"]
    assert found.health is Health.BLOCKER
    assert "stage.yml (job `go`)" in found.seen
