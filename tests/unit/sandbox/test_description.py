"""Every route of the sandbox answers as GitHub's own description says."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

from incident_actions.sandbox import Sandbox, router
from tests.support.openapi import description
from tests.unit.sandbox.conftest import REPO, Client

# The root directory has no path, which the description can't say; GraphQL is not its matter.
UNDESCRIBED = {
    ("GET", "/repos/{owner}/{repo}/contents"),
    ("GET", "/repos/{owner}/{repo}/contents/"),
    ("POST", "/graphql"),
}


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def play_issues(github: Sandbox, bot: Client, alice: Client) -> None:
    one = alice.post("/issues", {"title": "Down", "body": "see #1", "labels": ["incident"]}).body
    two = bot.post("/issues", {"title": "Follow-up", "assignees": ["alice"]}).body
    bot.patch("/issues/1", {"title": "Shop down", "assignees": ["alice"], "state_reason": None})
    bot.get("/issues?labels=incident&state=all&sort=updated&direction=asc&per_page=1&page=1")
    bot.get("/issues/1")
    bot.post("/issues/1/labels", ["sev1"])
    bot.put("/issues/1/labels", {"labels": ["incident", "sev2"]})
    bot.get("/issues/1/labels")
    bot.delete("/issues/1/labels/sev2")
    bot.post("/issues/1/assignees", {"assignees": ["alice", "tim"]})
    bot.delete("/issues/1/assignees", {"assignees": ["tim"]})
    bot.get("/issues/1/assignees/alice")
    bot.get("/assignees/alice")
    bot.get("/assignees")
    comment = alice.post("/issues/1/comments", {"body": "/ack for @alice and #2"}).body
    bot.get("/issues/1/comments?since=2026-11-23T02:00:00Z")
    bot.get("/issues/comments?sort=updated&direction=desc")
    path = f"/issues/comments/{comment['id']}"
    bot.get(path)
    alice.patch(path, {"body": "/ack"})
    made = bot.post(f"{path}/reactions", {"content": "eyes"}).body
    bot.get(f"{path}/reactions?content=eyes")
    bot.delete(f"{path}/reactions/{made['id']}")
    made = bot.post("/issues/1/reactions", {"content": "+1"}).body
    bot.get("/issues/1/reactions")
    bot.delete(f"/issues/1/reactions/{made['id']}")
    gone = alice.post("/issues/1/comments", {"body": "never mind"}).body
    alice.delete(f"/issues/comments/{gone['id']}")
    bot.put("/issues/1/lock", {"lock_reason": "resolved"})
    bot.delete("/issues/1/lock")
    three = bot.post("/issues", {"title": "Another"}).body
    for child in (two, three):
        bot.post("/issues/1/sub_issues", {"sub_issue_id": child["id"]})
    bot.get("/issues/1/sub_issues")
    move = {"sub_issue_id": three["id"], "before_id": two["id"]}
    bot.patch("/issues/1/sub_issues/priority", move)
    bot.get("/issues/2/parent")
    bot.delete("/issues/1/sub_issue", {"sub_issue_id": two["id"]})
    bot.patch("/issues/1", {"state": "closed", "state_reason": "not_planned"})
    bot.patch("/issues/1", {"state": "open"})
    assert one["number"] == 1
    for number in (1, 2):
        bot.get(f"/issues/{number}/timeline")
        bot.get(f"/issues/{number}/events")
    bot.get("/issues/events")
    bot.delete("/issues/1/labels")
    bot.get("/labels?per_page=5")
    bot.post("/labels", {"name": "new", "color": "00ff00", "description": "fresh"})
    bot.patch("/labels/new", {"new_name": "newer"})
    bot.get("/labels/newer")
    bot.delete("/labels/newer")


def play_git(bot: Client, alice: Client, root: Client) -> None:
    put = {"message": "Add", "content": b64("one\n"), "branch": "main"}
    made = bot.put("/contents/docs/a.md", put).body
    bot.get("/contents/docs/a.md?ref=main")
    bot.get("/contents/docs")
    put |= {"content": b64("two\n"), "sha": made["content"]["sha"]}
    bot.put("/contents/docs/a.md", put)
    head = bot.get("/git/ref/heads/main").body["object"]["sha"]
    tree = bot.get(f"/git/commits/{head}").body["tree"]["sha"]
    blob = bot.post("/git/blobs", {"content": "three\n", "encoding": "utf-8"}).body["sha"]
    bot.get(f"/git/blobs/{blob}")
    entry = {"path": "ops/p.md", "mode": "100644", "type": "blob", "sha": blob}
    new = bot.post("/git/trees", {"base_tree": tree, "tree": [entry]}).body["sha"]
    bot.get(f"/git/trees/{new}?recursive=1")
    request = {"message": "Postmortem of #1", "tree": new, "parents": [head]}
    commit = bot.post("/git/commits", request).body["sha"]
    bot.post("/git/refs", {"ref": "refs/heads/postmortem/1-down", "sha": commit})
    bot.patch("/git/refs/heads/postmortem/1-down", {"sha": commit, "force": False})
    bot.get("/git/matching-refs/heads/postmortem")
    bot.get("/branches")
    bot.get("/branches/main")
    bot.get("/commits?path=docs&sha=main&since=2026-01-01T00:00:00Z")
    bot.get(f"/commits/{commit}")
    bot.get("/compare/main...postmortem/1-down")
    pull = {"title": "Postmortem", "head": "postmortem/1-down", "base": "main", "draft": True}
    number = bot.post("/pulls", {**pull, "body": "For #1"}).body["number"]
    bot.get("/pulls?state=all&head=acme:postmortem/1-down&base=main")
    one = f"/pulls/{number}"
    bot.get(one)
    bot.patch(one, {"title": "Postmortem of 1"})
    bot.get(f"{one}/files")
    bot.get(f"{one}/commits")
    bot.get(f"{one}/merge")
    bot.post(f"{one}/requested_reviewers", {"reviewers": ["alice"]})
    bot.get(f"{one}/requested_reviewers")
    bot.delete(f"{one}/requested_reviewers", {"reviewers": ["alice"]})
    review = alice.post(f"{one}/reviews", {"event": "APPROVE", "body": "Good"}).body
    alice.get(f"{one}/reviews")
    alice.get(f"{one}/reviews/{review['id']}")
    bot.get(f"/issues/{number}/timeline")
    bot.get(f"/commits/{commit}/pulls")
    play_checks(bot, commit)
    other = root.put("/contents/b.md", {"message": "b", "content": b64("b"), "branch": "main"})
    bot.get(f"/commits/{other.body['commit']['sha']}/pulls")
    file = bot.get("/contents/b.md").body
    bot.delete("/contents/b.md", {"message": "No b", "sha": file["sha"]})
    merge_second(bot, alice)
    bot.delete("/git/refs/heads/postmortem/1-down")


def merge_second(bot: Client, alice: Client) -> None:
    head = alice.get("/git/ref/heads/main").body["object"]["sha"]
    alice.post("/git/refs", {"ref": "refs/heads/fix", "sha": head})
    alice.put("/contents/fix.py", {"message": "Fix", "content": b64("x"), "branch": "fix"})
    pull = alice.post("/pulls", {"title": "Fix", "head": "fix", "base": "main"}).body
    merged = alice.put(f"/pulls/{pull['number']}/merge", {"merge_method": "squash"}).body
    bot.get(f"/pulls/{pull['number']}/merge")
    bot.get(f"/commits/{merged['sha']}/pulls")


def play_checks(bot: Client, sha: str) -> None:
    note = {"path": "a.md", "start_line": 1, "end_line": 1, "annotation_level": "failure"}
    note |= {"message": "owner missing"}
    output = {"title": "1 problem", "summary": "one", "annotations": [note]}
    request = {"name": "postmortem", "head_sha": sha, "conclusion": "failure", "output": output}
    made = bot.post("/check-runs", {**request, "status": "completed"}).body
    bot.get(f"/check-runs/{made['id']}")
    bot.get(f"/check-runs/{made['id']}/annotations")
    bot.patch(f"/check-runs/{made['id']}", {"conclusion": "success", "status": "completed"})
    bot.get(f"/commits/{sha}/check-runs?check_name=postmortem")
    bot.post(f"/statuses/{sha}", {"state": "success", "context": "freeze", "description": "no"})
    bot.get(f"/commits/{sha}/statuses")
    bot.get(f"/commits/{sha}/status")


def play_rest(github: Sandbox, bot: Client, alice: Client, root: Client) -> None:
    bot.get("")
    bot.get("/activity?time_period=day&activity_type=push")
    bot.post("/dispatches", {"event_type": "incident", "client_payload": {"number": 1}})
    alice.get("user")
    alice.get("users/tim")
    bot.get("rate_limit")
    bot.get("meta")
    bot.get("/collaborators")
    bot.get("/collaborators/alice")
    bot.get("/collaborators/alice/permission")
    made = bot.post("/deployments", {"ref": "main", "environment": "production"}).body
    one = f"/deployments/{made['id']}"
    bot.post(f"{one}/statuses", {"state": "success", "description": "ok"})
    bot.get(one)
    bot.get(f"{one}/statuses")
    bot.get("/deployments?environment=production")
    bot.get("/environments")
    release = bot.post("/releases", {"tag_name": "v1", "name": "One"}).body
    bot.get("/releases")
    bot.get("/releases/latest")
    bot.get("/releases/tags/v1")
    bot.get(f"/releases/{release['id']}")
    github.workflow(REPO, ".github/workflows/incident.yml", "Incident")
    started = datetime(2026, 11, 23, 2, 41, tzinfo=UTC)
    run = github.run(REPO, "incident.yml", event="schedule", at=started)
    bot.get("/actions/workflows")
    bot.get("/actions/workflows/incident.yml")
    bot.put("/actions/workflows/incident.yml/enable")
    bot.post("/actions/workflows/incident.yml/dispatches", {"ref": "main", "inputs": {"a": "b"}})
    bot.get("/actions/runs?event=schedule&status=completed")
    bot.get("/actions/workflows/incident.yml/runs?event=schedule&per_page=1")
    bot.get(f"/actions/runs/{run}")
    root.get("/actions/permissions")
    root.put("/actions/permissions/workflow", {"can_approve_pull_request_reviews": True})
    root.get("/actions/permissions/workflow")


def test_every_route_keeps_to_the_description(
    github: Sandbox, bot: Client, alice: Client, root: Client
) -> None:
    """Each route is asked with success, and neither request nor answer strays."""
    play_issues(github, bot, alice)
    play_git(bot, alice, root)
    play_rest(github, bot, alice, root)
    failed = [entry for entry in github.log if (entry.status or 500) >= 400]
    # Asking whether a pull request is merged is answered by 404 before it is.
    assert [entry.route.rpartition("/")[2] for entry in failed] == ["merge"]
    asked = {(entry.method, entry.route) for entry in github.log}
    known = {(one.method, one.template) for one in router.routes()}
    assert known - asked == UNDESCRIBED


def test_every_route_is_one_that_github_describes() -> None:
    """The sandbox has no endpoint of its own invention."""
    templates = {
        (one.method, one.template)
        for one in router.routes()
        if description().find(one.method, one.template) is None
    }
    assert templates == UNDESCRIBED
