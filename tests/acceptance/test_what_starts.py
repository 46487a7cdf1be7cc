"""Which events start which job of the incident workflow: its `if:`s, judged for real by act.

The steps of the jobs are left out here; the events are those of the sandbox's people.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_actions.domain.issue import labels
from incident_actions.sandbox import Sandbox
from tests.support.act import Run, make_repository, run_workflow
from tests.support.events import payload_of, schedule_event
from tests.support.programs import ROOT, Where
from tests.support.shop import NAME, Shop, readme_workflows

PATH = ".github/workflows/incident.yml"
TEXTS = {"own": (ROOT / PATH).read_text("utf-8"), "consumer": readme_workflows()[PATH]}
STEPS = re.compile(r"    steps:\n(?: {6}.*(?:\n|\Z))+")
OURS = (labels.INCIDENT, labels.DEPLOY_FREEZE, labels.ACTION_ITEM)
RESPOND, WATCH, NOTHING = {"respond"}, {"watch"}, set[str]()


def test_both_workflows_start_alike() -> None:
    """So it is enough to try one of them."""
    ours, theirs = (yaml.load(text, yaml.BaseLoader) for text in TEXTS.values())
    assert ours["on"] == theirs["on"]
    for name in ("respond", "watch"):
        assert ours["jobs"][name]["if"] == theirs["jobs"][name]["if"]
        assert ours["jobs"][name]["concurrency"]["group"] == theirs["jobs"][name]["concurrency"]


@pytest.fixture
def shop(sandbox: Sandbox, tmp_path: Path) -> Shop:
    """A repository whose incident workflow has its jobs, without what they do."""
    last = list(TEXTS.values())[-1]
    text, count = STEPS.subn("    steps:\n      - run: 'true'\n", last)
    assert count == 2
    made = make_repository(tmp_path / "checkout", {PATH: text})
    shop = Shop(sandbox, made, tmp_path, ("bug", *OURS))
    sandbox.workflow(NAME, PATH)
    return shop


def play(shop: Shop, event: str, payload: dict[str, Any]) -> Run:
    """Run the workflow for an event; nothing in it may fail."""
    where = Where(shop.sandbox.url, NAME, "no token is needed")
    scratch = shop.checkout.parent / "run"
    run = run_workflow(
        "incident.yml", event, payload, repository=shop.checkout, where=where, scratch=scratch
    )
    assert run.exit_code == 0, run.log
    return run


def started(shop: Shop, event: str, payload: dict[str, Any]) -> set[str]:
    """The jobs that run for an event."""
    run = play(shop, event, payload)
    assert set(run.jobs.values()) <= {"success", "skipped"}, run.jobs
    return {name for name, result in run.jobs.items() if result == "success"}


def issue(shop: Shop, *names: str) -> int:
    """An issue with these labels."""
    return int(shop.alice.open_issue("Logins fail", "", names)["number"])


def comment(shop: Shop, *names: str) -> None:
    """Somebody comments on an issue with these labels."""
    shop.mallory.comment(issue(shop, *names), "/ack")


def edited_comment(shop: Shop, *names: str) -> None:
    """Somebody comments on such an issue, and edits it."""
    said = shop.alice.comment(issue(shop, *names), "/ack")
    shop.alice.edit_comment(said["id"], "/ack at 14:02")


def deleted_comment(shop: Shop, *names: str) -> None:
    """Somebody comments on such an issue, and deletes it."""
    shop.alice.delete_comment(shop.alice.comment(issue(shop, *names), "/ack")["id"])


def labelled(shop: Shop, name: str, *names: str) -> None:
    """An issue with `names` gets another label."""
    shop.alice.label(issue(shop, *names), name)


def unlabelled(shop: Shop, name: str, *names: str) -> None:
    """An issue loses a label, and keeps `names`."""
    shop.alice.unlabel(issue(shop, name, *names), name)


def closed(shop: Shop, *names: str) -> None:
    """An issue with these labels is closed."""
    shop.alice.close(issue(shop, *names))


def reopened(shop: Shop, *names: str) -> None:
    """An issue with these labels is closed and opened again."""
    number = issue(shop, *names)
    shop.alice.close(number)
    shop.alice.reopen(number)


def assigned(shop: Shop, *names: str) -> None:
    """An issue with these labels gets an assignee."""
    shop.alice.assign(issue(shop, *names), "bob")


def pull(shop: Shop) -> int:
    """A pull request."""
    return int(shop.alice.open_pull("Fix it", {"a.txt": "1\n"}, branch="fix")["number"])


def comment_on_pull(shop: Shop) -> None:
    """Somebody comments on a pull request with our label."""
    number = pull(shop)
    shop.alice.label(number, "incident")
    shop.alice.comment(number, "/ack")


def dispatch(shop: Shop, **inputs: str) -> None:
    """Somebody, or a run, starts the workflow with these inputs."""
    body = {"ref": "main", "inputs": inputs}
    shop.alice.ask("POST", "/actions/workflows/incident.yml/dispatches", body)


Deed = Callable[[Shop], object]
DEEDS: dict[str, tuple[set[str], Deed]] = {
    "an issue without labels is opened": (RESPOND, issue),
    "an incident is filed": (RESPOND, lambda s: issue(s, "incident")),
    "an unrelated issue is commented on": (NOTHING, lambda s: comment(s, "bug")),
    "an issue without labels is commented on": (NOTHING, comment),
    "an incident is commented on": (RESPOND, lambda s: comment(s, "bug", "incident")),
    "an action item is commented on": (RESPOND, lambda s: comment(s, "action-item")),
    "a comment on an unrelated issue is edited": (NOTHING, edited_comment),
    "a comment on a freeze is edited": (RESPOND, lambda s: edited_comment(s, "deploy-freeze")),
    "a comment on an unrelated issue is deleted": (NOTHING, deleted_comment),
    "a comment on an incident is deleted": (RESPOND, lambda s: deleted_comment(s, "incident")),
    "a pull request is commented on": (NOTHING, comment_on_pull),
    "a pull request is opened": (RESPOND, pull),
    "an unrelated issue gets a label": (NOTHING, lambda s: labelled(s, "bug")),
    "an incident gets a label": (RESPOND, lambda s: labelled(s, "bug", "incident")),
    "an unrelated issue loses a label": (NOTHING, lambda s: unlabelled(s, "bug")),
    "an incident loses a label": (RESPOND, lambda s: unlabelled(s, "bug", "incident")),
    "an unrelated issue is closed": (NOTHING, lambda s: closed(s, "bug")),
    "an unrelated issue is reopened": (NOTHING, lambda s: reopened(s, "bug")),
    "an incident is reopened": (RESPOND, lambda s: reopened(s, "incident")),
    "an unrelated issue is assigned": (NOTHING, assigned),
    "an incident is assigned": (RESPOND, lambda s: assigned(s, "incident")),
    **{f"one becomes {name}": (RESPOND, lambda s, n=name: labelled(s, n)) for name in OURS},
    **{f"one is no {name} now": (RESPOND, lambda s, n=name: unlabelled(s, n)) for name in OURS},
    **{f"one with {name} is closed": (RESPOND, lambda s, n=name: closed(s, n)) for name in OURS},
    "a watch is dispatched": (WATCH, lambda s: dispatch(s, watch="true")),
    "a run is dispatched that is no watch": (RESPOND, lambda s: dispatch(s, watch="false")),
    "a run is started by hand": (RESPOND, dispatch),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_only_what_concerns_us_starts_a_job(shop: Shop, deed: str) -> None:
    """A job that does not start costs nothing."""
    expected, act = DEEDS[deed]
    act(shop)
    event, payload = shop.sandbox.deliveries[-1]
    assert started(shop, event, payload_of((event, payload))) == expected


def test_the_schedule_starts_a_sweep_and_no_watch(shop: Shop) -> None:
    """The hourly safety net."""
    assert started(shop, "schedule", schedule_event()) == RESPOND


GROUP = re.compile(r"(?:concurrency:|group:) (incident-\$.*)")
SHOW = """\
on:
  issues:
  issue_comment:
  pull_request:
  schedule: [{cron: "37 * * * *"}]
  workflow_dispatch: {inputs: {watch: {type: boolean, default: false}}}
jobs:
  show:
    runs-on: ubuntu-latest
    steps:
      - id: groups
        run: |
          echo "respond=${RESPOND}" >> "$GITHUB_OUTPUT"
          echo "watch=${WATCH}" >> "$GITHUB_OUTPUT"
        env: {RESPOND: "RESPOND", WATCH: "WATCH"}
"""


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_skipped_job_takes_nobodys_place(text: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """Of those that wait in a group the newest stays; a job that will not run is in no such group.

    The groups are what act makes of the workflow's expressions.
    """
    respond, watch = GROUP.findall(text)
    shown = SHOW.replace('"RESPOND"', f'"{respond}"').replace('"WATCH"', f'"{watch}"')
    made = make_repository(tmp_path / "checkout", {PATH: shown})
    shop = Shop(sandbox, made, tmp_path, ("bug", *OURS))
    sandbox.workflow(NAME, PATH)

    def groups(act: Deed | None) -> tuple[str, str]:
        if act is not None:
            act(shop)
        event, payload = shop.sandbox.deliveries[-1] if act else ("schedule", schedule_event())
        payload = payload_of((event, payload)) if act else payload
        run = play(shop, event, payload)
        return run.output("respond"), run.output("watch")

    number = pull(shop)
    pushed = groups(lambda s: s.alice.open_pull("Another", {"b.txt": "1\n"}, branch="other"))
    commented = groups(lambda s: s.alice.comment(number + 1, "Looks good"))
    assert commented[0] == f"incident-{number + 1}"
    assert pushed[0] not in (commented[0], "incident-sweep")
    assert groups(None)[0] == "incident-sweep"
    assert groups(lambda s: dispatch(s, watch="true"))[1] == "incident-watch"
    assert "incident-watch" not in (pushed[1], commented[1], groups(None)[1])
