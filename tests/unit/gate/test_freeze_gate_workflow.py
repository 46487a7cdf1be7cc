"""The reusable workflow: called from another repository, it gates like the action itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_actions.sandbox import Sandbox
from tests.support.act import Run, make_repository, run_workflow
from tests.support.events import form_body
from tests.support.programs import ROOT, Where
from tests.unit.gate.cases import with_state

WORKFLOW = ROOT / ".github" / "workflows" / "freeze-gate.yml"
SHOP = "acme/shop"
CALLER = """
on: [push, pull_request, merge_group]
jobs:
  gate:
    permissions: {contents: read, issues: read, pull-requests: read}
    uses: OWNER/incident-actions/.github/workflows/freeze-gate.yml@v1
    with: INPUTS
    secrets: inherit
  deploy:
    needs: gate
    runs-on: ubuntu-latest
    steps:
      - run: 'echo "the gate said $VERDICT"'
        env:
          VERDICT: ${{ needs.gate.outputs.verdict }}
"""


def read_yaml(path: Path) -> Any:
    """A workflow or an action, with `on` as GitHub reads it."""
    return yaml.load(path.read_text("utf-8"), Loader=yaml.BaseLoader)


def test_every_gate_input_of_the_action_is_passed_on() -> None:
    """The workflow offers what the action offers, with the same defaults."""
    action = read_yaml(ROOT / "action.yml")["inputs"]
    workflow = read_yaml(WORKFLOW)
    offered = workflow["on"]["workflow_call"]["inputs"]
    given = workflow["jobs"]["gate"]["steps"][-1]["env"]
    [gate] = (s for s in read_yaml(ROOT / "action.yml")["runs"]["steps"] if s["id"] == "gate")
    assert set(given) - {"OWN_FOLDER"} == set(gate["env"])
    assert set(offered) == set(action) - {"command", "token", "watch-minutes"}
    for name, found in offered.items():
        expected = action[name].get("default", "")
        assert found["default"] == ("" if "github." in expected else expected), name


def test_it_finds_its_own_repository_in_a_way_that_github_documents() -> None:
    """act knows no `$/`, so its runs here name a release in that place: this holds what they skip.

    The path leads to an action of this repository; `$/` without a path is refused by the runner.
    https://docs.github.com/en/actions/how-tos/write-workflows/choose-what-workflows-do/find-and-customize-actions
    """
    own, gate = read_yaml(WORKFLOW)["jobs"]["gate"]["steps"]
    assert own["uses"].startswith("$/.github/actions/")
    action = read_yaml(ROOT / own["uses"].removeprefix("$/") / "action.yml")
    assert gate["env"]["OWN_FOLDER"] == f"${{{{ steps.{own['id']}.outputs.path }}}}"
    assert set(action["outputs"]) == {"path"}
    program = gate["run"].split()[-1].strip('"').removeprefix("$OWN_FOLDER/")
    assert (ROOT / program).is_file()


@pytest.fixture
def shop(sandbox: Sandbox) -> Sandbox:
    """A repository with one committer and one SEV1, declared but not yet looked after."""
    sandbox.repository(SHOP, labels=["incident"])
    sandbox.user("alice", permission={SHOP: "write"}, member_of=["acme"])
    scopes = {"metadata": "read", "contents": "read", "issues": "read", "pull-requests": "read"}
    sandbox.actions_token("job-token", SHOP, scopes)
    answers = {"severity": "SEV1", "summary": "x", "affected": "y"}
    sandbox.as_user("alice", SHOP).file_form_issue("Logins fail", form_body(answers))
    return sandbox


def call(sandbox: Sandbox, folder: Path, event: str, payload: Any, **inputs: str) -> Run:
    """Run the calling workflow for an event."""
    text = CALLER.replace("INPUTS", str(inputs))
    repository = make_repository(folder / "checkout", {".github/workflows/deploy.yml": text})
    return run_workflow(
        "deploy.yml",
        event,
        payload,
        repository=repository,
        where=Where(sandbox.url, SHOP, "job-token"),
        scratch=folder / "act",
    )


def test_a_freeze_stops_the_calling_workflow(shop: Sandbox, tmp_path: Path) -> None:
    """The job that needs the gate does not start."""
    run = call(shop, tmp_path, "push", {"ref": "refs/heads/main"})
    assert run.exit_code == 1
    assert run.jobs.get("deploy") is None
    assert len(run.errors) == 1, run.log


def test_a_rollback_passes_and_tells_the_caller(shop: Sandbox, tmp_path: Path) -> None:
    """The outputs reach the calling workflow."""
    run = call(shop, tmp_path, "push", {"ref": "refs/heads/main"}, intent="rollback")
    assert run.exit_code == 0, run.log
    assert "the gate said rollback" in run.log


def test_a_merge_queue_entry_passes_when_its_pull_request_is_allowed(
    shop: Sandbox, tmp_path: Path
) -> None:
    """The pull request behind a merge group is read from the event."""
    alice = shop.as_user("alice", SHOP)
    pull = alice.open_pull("Fix logins", {"a": "b"}, "fix")
    entry = {"until": "2126-01-01T00:00:00Z", "by": "alice", "reason": "x"}
    entry |= {"pr": pull["number"], "sha": pull["head"]["sha"]}
    alice.edit_issue_body(1, with_state(alice.issue(1)["body"], number=1, allow=[entry]))
    sha = pull["head"]["sha"]
    ref = f"refs/heads/gh-readonly-queue/main/pr-{pull['number']}-{sha}"
    group = {"head_ref": ref, "head_sha": sha, "base_ref": "refs/heads/main"}
    run = call(shop, tmp_path, "merge_group", {"action": "checks_requested", "merge_group": group})
    assert run.exit_code == 0, run.log
    assert "the gate said exempt" in run.log
