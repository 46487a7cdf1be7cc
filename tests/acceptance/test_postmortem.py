"""Postmortems, run for real: from the resolution to the merged file and its linked issues."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.support.act import Run
from tests.support.shop import BOTH, NAME, Shop
from tests.unit.postmortem.team import finished

ACTION = "[missing-alert] Page on the oldest job / @bob / 2099-12-01"
ADDED = "- [ ] [missing-runbook] Write the runbook / @alice / 2099-12-02"


def resolve(shop: Shop, **answers: Any) -> tuple[int, Run]:
    """An incident from the form to its resolution, one run for each action."""
    number = shop.declare(severity="SEV1", services="api", **answers)
    shop.respond()
    shop.respond_to(lambda: shop.alice.comment(number, f"/ack\n/action {ACTION}"))
    shop.alice.comment(
        number, "/did rolled back to v41 -> errors drop\n/mitigated\n/verify all seen"
    )
    run = shop.respond_to(lambda: shop.alice.comment(number, "/resolve stable"))
    assert run.exit_code == 0, run.log
    return number, run


def pull(shop: Shop) -> Any:
    """The only pull request."""
    (found,) = shop.alice.ask("GET", "/pulls?state=all")
    return found


def read(shop: Shop) -> tuple[str, str]:
    """Path and text of the postmortem on its branch."""
    ref = pull(shop)["head"]["ref"]
    (path,) = [
        row["path"]
        for row in shop.alice.ask("GET", f"/contents/ops/postmortems?ref={ref}")
        if row["name"] != "README.md"
    ]
    git = shop.sandbox.repo(NAME).git
    tree = git.commits[git.refs[f"refs/heads/{ref}"]].tree
    return path, git.blobs[git.files(tree)[path][1]].decode()


def push(shop: Shop, text: str) -> Run:
    """Alice pushes the file, and GitHub starts the workflow for it."""
    path, _ = read(shop)
    shop.alice.push({path: text}, "Write the postmortem", branch=pull(shop)["head"]["ref"])
    return look(shop)


def look(shop: Shop) -> Run:
    """The run for the last event of the pull request."""
    delivery = [each for each in shop.sandbox.deliveries if each[0] == "pull_request"][-1]
    run = shop.run("respond", delivery)
    assert run.exit_code == 0, run.log
    return run


def check(shop: Shop) -> Any:
    """The check of the pull request's head, and its notes by line."""
    sha = pull(shop)["head"]["sha"]
    (found,) = shop.alice.ask("GET", f"/commits/{sha}/check-runs")["check_runs"]
    notes = shop.alice.ask("GET", f"/check-runs/{found['id']}/annotations")
    return found, {note["start_line"]: note["message"] for note in notes}


def items(shop: Shop) -> Any:
    """The action items, oldest first."""
    found = shop.alice.ask("GET", "/issues?labels=action-item&state=all")
    return sorted(found, key=lambda issue: issue["number"])


@BOTH
def test_from_the_resolution_to_the_merge(shop: Shop) -> None:
    """Resolve, draft, edits, lint failures, issues, merge: all by the workflow's own token."""
    number, run = resolve(shop)
    opened = pull(shop)
    assert run.output("pull-request") == str(opened["number"])
    assert opened["draft"]
    assert opened["head"]["ref"] == f"postmortem/{number}-logins-fail"
    path, text = read(shop)
    assert re.fullmatch(rf"ops/postmortems/\d{{4}}-\d\d-\d\d-{number}-logins-fail\.md", path)
    (alert,) = items(shop)
    assert f"- [ ] #{alert['number']} [missing-alert] Page on the oldest job" in text

    found, notes = check(shop)
    assert (found["name"], found["conclusion"]) == ("postmortem", "failure")
    assert all(text.split("\n")[line - 1].startswith("> ✍️") for line in notes)

    push(shop, finished(text).replace("2099-12-01", "2099-13-01"))
    found, notes = check(shop)
    assert found["conclusion"] == "failure"
    assert [message.split(".")[0] for message in notes.values()] == ["`2099-13-01` is no date"]

    push(shop, finished(read(shop)[1]).replace("2099-13-01", f"2099-12-24\n{ADDED}"))
    assert check(shop)[0]["conclusion"] == "success"
    alert, runbook = items(shop)
    assert [user["login"] for user in runbook["assignees"]] == ["alice"]
    assert "2099-12-24" in alert["body"]
    assert f"- [ ] #{runbook['number']} [missing-runbook] Write the runbook" in read(shop)[1]
    linked = shop.alice.ask("GET", f"/issues/{number}/sub_issues")
    assert {issue["number"] for issue in linked} == {alert["number"], runbook["number"]}
    assert not pull(shop)["draft"]
    (comment,) = shop.comments(opened["number"])
    assert "Ready for review" in comment["body"]

    shop.respond_to(lambda: shop.bob.close(alert["number"]))
    assert f"- [x] #{alert['number']} [missing-alert]" in read(shop)[1]

    shop.alice.merge(opened["number"])
    look(shop)
    assert "postmortem:reviewed" in shop.labels(number)
    assert f"#{opened['number']}, reviewed" in shop.issue(number)["body"]


@pytest.mark.parametrize("match", ["POST */git/refs", "POST */pulls", "POST */issues"])
def test_a_lost_answer_opens_nothing_twice(own: Shop, match: str) -> None:
    """The same run finds what it did."""
    own.sandbox.fail(match, kind="drop", after=True)
    number, _ = resolve(own)
    assert len(items(own)) == 1
    assert pull(own)["head"]["ref"] == f"postmortem/{number}-logins-fail"


def test_workflows_that_may_not_open_pull_requests(own: Shop) -> None:
    """The incident is closed, and says where to open it, and how the setting is called."""
    own.sandbox.settings(NAME, actions_create_pulls=False)
    number, run = resolve(own)
    assert run.output("pull-request") == ""
    assert own.issue(number)["state"] == "closed"
    bodies = [each["body"] for each in own.comments(number) if each["user"]["type"] == "Bot"]
    (told,) = [body for body in bodies if "/compare/postmortem/" in body]
    assert "Allow GitHub Actions to create and approve pull requests" in told


def test_a_pull_request_from_a_fork_is_only_linted(own: Shop) -> None:
    """The run's annotations tell; nothing is written."""
    resolve(own)
    path, text = read(own)
    mine = text.replace("## Corrective actions\n", f"## Corrective actions\n\n{ADDED}\n")
    own.mallory.open_pull("Mine", {path: mine}, branch="mine", fork=True)
    own.sandbox.clear_log()
    run = look(own)
    assert own.sandbox.requests(write=True) == 0
    (where,) = {note.place["file"] for note in run.annotations if "file" in note.place}
    assert where == path
    assert len(items(own)) == 1
