"""The ways out of a freeze, each with the workflows run for real."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from incident_actions.sandbox import Sandbox
from tests.support.act import Run, make_repository
from tests.support.events import ROOT, form_body
from tests.support.shop import NAME, Shop, readme_workflows

FREEZE_FORM = ROOT / ".github" / "ISSUE_TEMPLATE" / "freeze.yml"
DEPLOY = """
name: Deploy
on:
  push: { branches: [main] }
  workflow_dispatch: { inputs: { intent: { type: string } } }
permissions: { contents: read, issues: read, pull-requests: read }
jobs:
  deploy:
    runs-on: ubuntu-latest
    steps:
      - uses: OWNER/incident-actions@v1
        with:
          command: gate
          intent: >-
            ${{ inputs.intent ||
            (contains(github.event.head_commit.message, '[fix]') && 'fix') || 'deploy' }}
      - run: echo "your deploy"
"""
WEEKEND = """
freeze:
  windows:
    - name: weekend
      every: FREQ=WEEKLY;BYDAY=FR
      start: 2026-01-02T18:00
      duration: 62h
      timezone: Europe/Berlin
      allow: [bob]
"""


@pytest.fixture
def team(sandbox: Sandbox, tmp_path: Path) -> Shop:
    """A team whose deploy may say why it deploys."""
    workflows = {**readme_workflows(), ".github/workflows/deploy.yml": DEPLOY}
    checkout = make_repository(tmp_path / "checkout", workflows)
    return Shop(sandbox, checkout, tmp_path, labels=["incident", "deploy-freeze"])


def frozen(team: Shop) -> int:
    """A SEV1 is open, and everything about it is written."""
    number = team.declare(severity="SEV1")
    assert team.respond().exit_code == 0
    return number


def deploy(team: Shop, intent: str = "deploy", **environment: str) -> Run:
    """Somebody starts the deploy by hand."""
    team.environment = environment
    run = team.run("gate", ("workflow_dispatch", {"inputs": {"intent": intent}}))
    team.environment = {}
    return run


def deploy_commit(team: Shop, sha: str, intent: str = "deploy") -> Run:
    """A push of this commit starts the deploy; its message says why."""
    payload = {
        "ref": "refs/heads/main",
        "after": sha,
        "deleted": False,
        "head_commit": {"id": sha, "message": f"[{intent}]"},
    }
    return team.run("gate", ("push", payload))


def head_of(team: Shop) -> str:
    """The commit that the runner finds checked out."""
    done = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=team.checkout, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def trace(run: Run) -> dict[str, Any]:
    """The override that the gate wrote down."""
    (found,) = [a for a in run.annotations if a.place.get("title") == "incident-actions override"]
    (override,) = json.loads(found.message)["overrides"]
    assert isinstance(override, dict)
    return override


def verdict(run: Run) -> tuple[str, int]:
    """What the gate said, and whether the deploy went on."""
    return run.output("verdict"), run.exit_code


def test_an_allowed_commit_passes_and_no_other(team: Shop) -> None:
    """`/allow SHA` lets that commit through, and the run says who allowed it and why."""
    number = frozen(team)
    sha = team.alice.push({"hotfix.py": "1\n"})
    team.respond_to(lambda: team.bob.comment(number, f"/allow {sha[:10]} for 1h it is the hotfix"))
    run = deploy_commit(team, sha)
    assert verdict(run) == ("exempt", 0), run.log
    assert (trace(run)["by"], trace(run)["reason"]) == ("bob", "it is the hotfix")
    assert "it is the hotfix" in run.summary
    assert verdict(deploy_commit(team, "0" * 40)) == ("frozen", 1)


def test_an_allowed_pull_request_passes_by_its_squash_commit(team: Shop) -> None:
    """`/allow #PR` counts for what the merge made of it."""
    number = frozen(team)
    pull = team.alice.open_pull("Hotfix", {"fix.py": "1\n"}, branch="hotfix")["number"]
    team.respond_to(lambda: team.alice.comment(number, f"/allow #{pull} it is small"))
    sha = team.alice.merge(pull, "squash")
    run = deploy_commit(team, sha)
    assert verdict(run) == ("exempt", 0), run.log
    assert trace(run)["change"] == f"#{pull}"


def test_thaw_lets_everything_pass(team: Shop) -> None:
    """`/thaw` ends the freeze of the incident, which stays open."""
    number = frozen(team)
    team.respond_to(lambda: team.alice.comment(number, "/thaw only the newsletter is affected"))
    assert verdict(deploy(team)) == ("clear", 0)
    assert team.issue(number)["state"] == "open"


def test_a_rollback_passes_and_leaves_its_trace(team: Shop) -> None:
    """`intent: rollback` is never blocked, and says so."""
    number = frozen(team)
    run = deploy(team, "rollback")
    assert verdict(run) == ("rollback", 0)
    assert (trace(run)["incident"], trace(run)["kind"]) == (number, "rollback")


def test_a_fix_passes_when_its_pull_request_belongs_to_the_incident(team: Shop) -> None:
    """`intent: fix` needs a pull request that says so; any other commit is held."""
    number = frozen(team)
    other = team.alice.open_pull("Something else", {"b.py": "1\n"}, branch="other")["number"]
    assert verdict(deploy_commit(team, team.alice.merge(other), "fix")) == ("frozen", 1)
    pull = team.alice.open_pull("Fix", {"a.py": "1\n"}, branch="fix", body=f"Fixes #{number}")
    head = pull["head"]["sha"]
    run = deploy_commit(team, head, "fix")
    assert verdict(run) == ("exempt", 0), run.log
    assert trace(run)["change"] == f"#{pull['number']}"


def test_a_merged_fix_does_not_end_the_incident(team: Shop) -> None:
    """GitHub closes the incident with the merge; the next run opens it again, unverified."""
    number = frozen(team)
    pull = team.alice.open_pull("Fix", {"a.py": "1\n"}, branch="fix", body=f"Fixes #{number}")
    team.alice.merge(pull["number"])
    assert team.issue(number)["state"] == "closed"
    closed = next(
        it
        for it in reversed(team.sandbox.deliveries)
        if it[1].get("action") == "closed" and it[0] == "issues"
    )
    assert team.run("respond", closed).exit_code == 0
    assert team.issue(number)["state"] == "open"


def test_a_freeze_by_hand_ends_at_its_time(team: Shop) -> None:
    """It begins by itself; named people pass; it ends by itself, and the sweep closes it."""
    answers = {"from": "2029-12-31 18:00", "until": "2030-01-01 08:00"}
    answers |= {"deployers": "@bob", "reason": "We move the database."}
    body = form_body(answers, FREEZE_FORM)
    issue = team.alice.file_form_issue("Deploy freeze: move", body, ["deploy-freeze"])
    before, after = "2030-01-01T07:59:00Z", "2030-01-01T08:00:00Z"
    early = deploy(team, INCIDENT_NOW="2029-12-31T17:00:00Z", GITHUB_ACTOR="alice")
    assert verdict(early) == ("clear", 0)
    assert "freezes deploys from 2029-12-31 18:00 UTC, in 1 h 0 min." in early.summary
    assert verdict(deploy(team, INCIDENT_NOW=before, GITHUB_ACTOR="alice")) == ("frozen", 1)
    assert verdict(deploy(team, INCIDENT_NOW=before, GITHUB_ACTOR="bob")) == ("exempt", 0)
    assert verdict(deploy(team, INCIDENT_NOW=after)) == ("clear", 0)
    team.environment = {"INCIDENT_NOW": after}
    assert team.sweep().exit_code == 0
    assert team.issue(issue["number"])["state"] == "closed"


def test_a_strangers_freeze_waits_for_a_writer(team: Shop) -> None:
    """The form's label comes with it, whoever submits it; only `/confirm` makes it freeze."""
    body = form_body({"reason": "I say so."}, FREEZE_FORM)
    number = team.mallory.file_form_issue("Freeze", body, ["deploy-freeze"])["number"]
    assert verdict(deploy(team)) == ("clear", 0)
    assert team.respond().exit_code == 0
    assert "needs-confirmation" in team.labels(number)
    team.respond_to(lambda: team.mallory.comment(number, "/confirm"))
    assert verdict(deploy(team)) == ("clear", 0)
    team.respond_to(lambda: team.alice.comment(number, "/confirm"))
    assert verdict(deploy(team)) == ("frozen", 1)


def test_a_window_opens_once_and_stays_closed_once_somebody_ends_it(team: Shop) -> None:
    """The sweep opens a scheduled freeze; closing it early counts for the whole occurrence."""
    team.sandbox.file(NAME, ".github/incident.yml", WEEKEND)
    saturday = {"INCIDENT_NOW": "2026-11-21T10:00:00Z"}
    team.environment = saturday
    assert team.sweep().exit_code == 0
    (issue,) = team.alice.ask("GET", "/issues?labels=deploy-freeze")
    assert verdict(deploy(team, GITHUB_ACTOR="alice", **saturday)) == ("frozen", 1)
    assert verdict(deploy(team, GITHUB_ACTOR="bob", **saturday)) == ("exempt", 0)
    team.alice.close(issue["number"])
    team.environment = saturday
    team.sweep()
    assert verdict(deploy(team, **saturday)) == ("clear", 0)
    assert len(team.alice.ask("GET", "/issues?labels=deploy-freeze&state=all")) == 1
