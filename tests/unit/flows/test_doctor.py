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

from incident_actions.cli.doctor import examine, report
from incident_actions.cli.repository_files import Checkout, DefaultBranch
from incident_actions.domain.readiness.facts import Health, ReadinessFinding
from incident_actions.github.client import GitHub
from incident_actions.render.scaffold import Choices, files
from incident_actions.sandbox import Sandbox
from tests.support.openapi import watch

ROOT = Path(__file__).resolve().parents[3]
REPO = "acme/shop"
TOKEN = "ghp_adminsToken"
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
INCIDENT = ".github/workflows/incident.yml"
DEPLOY = ".github/workflows/deploy.yml"
MERGES = ".github/workflows/merges.yml"
FORM = ".github/ISSUE_TEMPLATE/incident.yml"
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
    "issues off": ("issues", lambda t: t.github.settings(REPO, has_issues=False)),
    "Actions may not open pull requests": (
        "pull-requests",
        lambda t: t.github.settings(REPO, actions_create_pulls=False),
    ),
    "workflow switched off": ("switched-on", lambda t: t.state(INCIDENT, "disabled_inactivity")),
    "schedule stands still": ("schedule", lambda t: t.forget_runs(90)),
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
    "drill label gone": ("labels", lambda t: t.delete_label("drill")),
    "a deploy without the gate": (
        "freeze-rule",
        lambda t: t.edit(DEPLOY, r"      - uses: .*\n.*\n", ""),
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
    problems = {k: f for k, f in found.items() if f.health is Health.PROBLEM}
    assert problems.keys() == {key}
    assert problems[key].fix


def test_faults_are_found_on_github_alone(team: Team) -> None:
    """With `--repo` no checkout is needed."""
    for fault in ("form gone", "a deploy without the gate", "no status page"):
        FAULTS[fault][1](team)
    found = team.examine(remotely=True)
    problems = {key for key, finding in found.items() if finding.health is Health.PROBLEM}
    assert problems == {"form", "freeze-rule", "status-page"}


def test_a_token_that_may_only_read_is_told(team: Team) -> None:
    """Commands and dashboards need more."""
    team.github.user("eve")
    team.github.token("ghp_reader", "eve")
    assert team.examine("ghp_reader")["token"].health is Health.PROBLEM


def test_what_the_token_may_not_see_is_not_called_a_fault(team: Team) -> None:
    """Settings are shown to administrators only: the item says where to look."""
    team.github.user("bea", permission={REPO: "write"})
    scopes = {"metadata": "read", "contents": "read"}
    team.github.token("github_pat_narrow", "bea", scopes)
    found = team.examine("github_pat_narrow")
    assert found["pull-requests"].health is Health.UNKNOWN
    assert "Settings > Actions" in found["pull-requests"].fix
    assert found["token"].health is Health.PROBLEM
    assert "actions, issues" in found["token"].fix or "issues, actions" in found["token"].fix
    assert found["labels"].health is Health.UNKNOWN


def test_a_fresh_init_needs_only_what_people_know(tmp_path: Path) -> None:
    """What is left are addresses, journeys and the command to roll back."""
    for path, text in files(Choices("acme"), deploy=True).items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, "utf-8")
    found = examine(Checkout(tmp_path), None, NOW)
    problems = [finding.key for finding in found if finding.health is Health.PROBLEM]
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
    assert "0 problems" in healthy.stdout
    team.delete_label("incident")
    ill = run(team.folder, "--repo", REPO, GITHUB_TOKEN=TOKEN, **at)
    assert ill.returncode == 1
    assert ill.stdout.startswith("PROBLEM  labels: missing: `incident`")
    assert "fix: gh label create incident" in ill.stdout
    blind = run(team.folder, **at)
    assert blind.returncode == 0
    assert "not seen token: 7 things need a token" in blind.stdout
    assert blind.stdout.count("not seen ") == 1
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
    assert report([]).endswith("0 problems, 0 ok, 0 not seen.")
