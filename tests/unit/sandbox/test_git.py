"""Files, git data, pull requests, checks: what `respond` builds postmortems with."""

from __future__ import annotations

import base64
import subprocess
from pathlib import Path

import pytest

from incident_actions.sandbox import RefusedError, Sandbox
from incident_actions.sandbox.git import Objects
from tests.unit.sandbox.conftest import REPO, Client, Clock


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def head(client: Client, branch: str = "main") -> str:
    return str(client.get(f"/git/ref/heads/{branch}").body["object"]["sha"])


def test_objects_have_the_names_that_git_gives(tmp_path: Path) -> None:
    """Blob and tree SHAs are those that git itself computes."""
    objects = Objects()
    blob = objects.put_blob(b"hello\n")
    tree = objects.build({"a.md": ("100644", blob), "a/b/c.md": ("100644", blob)})

    def git(*words: str, given: str = "") -> str:
        done = subprocess.run(
            ["git", *words], cwd=tmp_path, input=given, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    git("init", "-q")
    assert git("hash-object", "-w", "--stdin", given="hello\n") == blob
    for path in ("a.md", "a/b/c.md"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("hello\n", encoding="utf-8")
    git("add", "a.md", "a")
    assert git("write-tree") == tree


def test_a_file_comes_in_base64_with_its_sha(github: Sandbox, bot: Client) -> None:
    """Files, directories and things that are not there are told apart."""
    github.file(REPO, ".github/incident.yml", "services: [api]\n")
    shown = bot.get("/contents/.github/incident.yml").body
    assert base64.b64decode(shown["content"]) == b"services: [api]\n"
    assert (shown["encoding"], shown["type"], shown["size"]) == ("base64", "file", 16)
    (entry,) = bot.get("/contents/.github").body
    assert (entry["path"], entry["sha"]) == (".github/incident.yml", shown["sha"])
    assert bot.get("/contents/none.yml").status == 404
    assert bot.get("/contents/.github/incident.yml/x").status == 404
    assert bot.get("/contents/.github?ref=no-branch").status == 404


def test_replacing_a_file_needs_its_sha(bot: Client) -> None:
    """Without the SHA it is 422, with an old one 409."""
    made = bot.put("/contents/a.md", {"message": "a", "content": b64("1")})
    assert made.status == 201
    again = {"message": "a", "content": b64("2")}
    assert bot.put("/contents/a.md", again).status == 422
    assert bot.put("/contents/a.md", {**again, "sha": "0" * 40}).status == 409
    sha = made.body["content"]["sha"]
    assert bot.put("/contents/a.md", {**again, "sha": sha}).status == 200
    assert bot.put("/contents/a.md", {**again, "sha": sha}).status == 409
    assert bot.put("/contents/b.md", {**again, "branch": "none"}).status == 404


def test_a_workflow_token_may_not_touch_workflows(bot: Client) -> None:
    """Writing below .github/workflows is refused, through files and refs alike."""
    request = {"message": "a", "content": b64("on: push")}
    assert bot.put("/contents/.github/workflows/a.yml", request).status == 403
    entry = {"path": ".github/workflows/a.yml", "mode": "100644", "content": "on: push"}
    tree = bot.post("/git/trees", {"tree": [entry]}).body["sha"]
    commit = {"message": "a", "tree": tree, "parents": [head(bot)]}
    sha = bot.post("/git/commits", commit).body["sha"]
    assert bot.post("/git/refs", {"ref": "refs/heads/w", "sha": sha}).status == 403


def test_a_branch_and_a_commit_read_back(bot: Client) -> None:
    """What was built from blob, tree, commit and ref is what the branch holds."""
    start = head(bot)
    blob = bot.post("/git/blobs", {"content": b64("text"), "encoding": "base64"}).body["sha"]
    entries = [
        {"path": "ops/p.md", "mode": "100644", "type": "blob", "sha": blob},
        {"path": "ops/q.md", "mode": "100644", "type": "blob", "content": "q"},
    ]
    tree = bot.post("/git/trees", {"base_tree": start, "tree": entries}).body["sha"]
    commit = {"message": "Add p", "tree": tree, "parents": [start]}
    sha = bot.post("/git/commits", commit).body["sha"]
    assert bot.post("/git/refs", {"ref": "refs/heads/p/1", "sha": sha}).status == 201
    assert bot.get("/contents/ops/p.md?ref=p/1").body["sha"] == blob
    assert bot.get("/contents/ops/p.md").status == 404
    assert [f["filename"] for f in bot.get("/commits/p/1").body["files"]] == [
        "ops/p.md",
        "ops/q.md",
    ]
    compared = bot.get("/compare/main...p/1").body
    assert (compared["status"], compared["ahead_by"]) == ("ahead", 1)
    removal = [{"path": "ops/q.md", "mode": "100644", "type": "blob", "sha": None}]
    smaller = bot.post("/git/trees", {"base_tree": tree, "tree": removal}).body["sha"]
    listed = bot.get(f"/git/trees/{smaller}?recursive=1").body["tree"]
    assert [row["path"] for row in listed] == ["ops", "ops/p.md"]


def test_refs_obey_git(bot: Client) -> None:
    """Duplicates, bad names, unknown objects and going back are 422."""
    start = head(bot)
    bot.put("/contents/a.md", {"message": "a", "content": b64("1")})
    assert bot.post("/git/refs", {"ref": "refs/heads/b", "sha": start}).status == 201
    again = bot.post("/git/refs", {"ref": "refs/heads/b", "sha": start})
    assert (again.status, again.body["message"]) == (422, "Reference already exists")
    for ref in ("b2", "refs/heads/a b", "refs/heads/a..b", "refs/heads/"):
        assert bot.post("/git/refs", {"ref": ref, "sha": start}).status == 422
    assert bot.post("/git/refs", {"ref": "refs/heads/c", "sha": "f" * 40}).status == 422
    back = bot.patch("/git/refs/heads/main", {"sha": start})
    assert (back.status, back.body["message"]) == (422, "Update is not a fast forward")
    assert bot.patch("/git/refs/heads/main", {"sha": start, "force": True}).status == 200
    assert bot.delete("/git/refs/heads/b").status == 204
    assert bot.delete("/git/refs/heads/b").status == 422


def test_actions_may_be_forbidden_to_open_pull_requests(github: Sandbox, bot: Client) -> None:
    """With the setting off a workflow's token is refused, a person's is not."""
    github.settings(REPO, actions_create_pulls=False)
    github.as_user("alice").push({"a": "b"}, branch="fix")
    request = {"title": "Fix", "head": "fix", "base": "main"}
    refused = bot.post("/pulls", request)
    message = "GitHub Actions is not permitted to create or approve pull requests."
    assert (refused.status, refused.body["message"]) == (403, message)
    assert Client(github.url, "alice-token").post("/pulls", request).status == 201


@pytest.mark.parametrize(
    ("head_name", "base", "field"),
    [("none", "main", "head"), ("fix", "none", "base"), ("same", "main", "head")],
)
def test_a_pull_request_needs_two_branches_that_differ(
    github: Sandbox, alice: Client, head_name: str, base: str, field: str
) -> None:
    """Missing branches and empty differences are validation errors."""
    github.as_user("alice").push({"a": "b"}, branch="fix")
    alice.post("/git/refs", {"ref": "refs/heads/same", "sha": head(alice)})
    refused = alice.post("/pulls", {"title": "Fix", "head": head_name, "base": base})
    assert refused.status == 422
    assert refused.body["errors"][0]["field"] == field


def test_one_open_pull_request_per_branch(github: Sandbox, alice: Client) -> None:
    """A second one for the same head and base is 422."""
    github.as_user("alice").open_pull("Fix", {"a": "b"}, "fix")
    refused = alice.post("/pulls", {"title": "Fix", "head": "fix", "base": "main"})
    assert refused.status == 422
    assert "already exists" in refused.body["errors"][0]["message"]


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
def test_merging_closes_what_the_pull_request_fixes(
    github: Sandbox, alice: Client, method: str
) -> None:
    """The issue of a closing keyword closes; the merge commit leads back to the request."""
    alice.post("/issues", {"title": "Down"})
    person = github.as_user("alice")
    number = person.open_pull("Fix", {"a.md": "b"}, "fix", body="Fixes #1")["number"]
    sha = person.merge(number, method)
    pull = alice.get(f"/pulls/{number}").body
    assert (pull["merged"], pull["merge_commit_sha"], pull["state"]) == (True, sha, "closed")
    assert pull["merged_by"]["login"] == "alice"
    assert alice.get("/issues/1").body["state"] == "closed"
    assert [one["number"] for one in alice.get(f"/commits/{sha}/pulls").body] == [number]
    assert head(alice) == sha
    assert alice.get("/contents/a.md").status == 200
    assert alice.put(f"/pulls/{number}/merge").status == 405


def test_conflicts_and_drafts_do_not_merge(github: Sandbox, alice: Client) -> None:
    """A draft, a conflict, and a head that moved are refused."""
    person = github.as_user("alice")
    one = person.open_pull("One", {"a.md": "1"}, "one")
    two = person.open_pull("Two", {"a.md": "2"}, "two")
    draft = person.open_pull("Three", {"c.md": "3"}, "three", draft=True)
    stale = alice.put(f"/pulls/{one['number']}/merge", {"sha": "0" * 40})
    assert stale.status == 409
    assert alice.put(f"/pulls/{one['number']}/merge").status == 200
    assert alice.get(f"/pulls/{two['number']}").body["mergeable"] is False
    assert alice.put(f"/pulls/{two['number']}/merge").status == 405
    assert alice.put(f"/pulls/{draft['number']}/merge").status == 405


def test_a_draft_becomes_ready_through_graphql(github: Sandbox, alice: Client) -> None:
    """REST can't do it; the mutation can, and the timeline says so."""
    pull = github.as_user("alice").open_pull("One", {"a": "1"}, "one", draft=True)
    name = "markPullRequestReadyForReview"
    query = f"mutation M($input: X!) {{ {name}(input: $input) {{ pullRequest {{ isDraft }} }} }}"
    request = {"query": query, "variables": {"input": {"pullRequestId": pull["node_id"]}}}
    answer = alice.ask("POST", "graphql", request).body["data"][name]
    assert answer["pullRequest"]["isDraft"] is False
    assert alice.get(f"/pulls/{pull['number']}").body["draft"] is False
    events = [one["event"] for one in alice.get(f"/issues/{pull['number']}/timeline").body]
    assert events == ["ready_for_review"]


def test_a_fork_needs_no_rights_here(github: Sandbox, alice: Client) -> None:
    """A stranger's pull request comes from their own repository."""
    pull = github.as_user("mallory").open_pull("Typo", {"a": "1"}, "main", fork=True)
    assert pull["head"]["repo"]["full_name"] == "mallory/shop"
    assert pull["head"]["repo"]["fork"] is True
    assert pull["base"]["repo"]["full_name"] == REPO
    assert len(alice.get("/pulls?head=mallory:main").body) == 1
    assert alice.get("/pulls?head=acme:main").body == []
    with pytest.raises(RefusedError):
        github.as_user("mallory").push({"a": "1"}, branch="mine")


def test_pushing_moves_open_pull_requests(github: Sandbox, alice: Client) -> None:
    """A push to the head is seen in the request; deleting the branch closes it."""
    person = github.as_user("alice")
    number = person.open_pull("One", {"a": "1"}, "one")["number"]
    sha = person.push({"b": "2"}, branch="one")
    pull = alice.get(f"/pulls/{number}").body
    assert (pull["head"]["sha"], pull["commits"], pull["changed_files"]) == (sha, 2, 2)
    assert github.deliveries[-1][1]["action"] == "synchronize"
    alice.delete("/git/refs/heads/one")
    assert alice.get(f"/pulls/{number}").body["state"] == "closed"


def test_a_commit_message_reaches_issues(github: Sandbox, alice: Client) -> None:
    """A mention is `referenced`; a closing keyword on the default branch closes."""
    for title in ("One", "Two"):
        alice.post("/issues", {"title": title})
    person = github.as_user("alice")
    sha = person.push({"a": "1"}, "Try for #1", branch="side")
    person.push({"a": "2"}, "Fixes #2")
    (entry,) = alice.get("/issues/1/timeline").body
    assert (entry["event"], entry["commit_id"]) == ("referenced", sha)
    assert alice.get("/issues/1").body["state"] == "open"
    assert alice.get("/issues/2").body["state"] == "closed"


def test_reviewers_are_collaborators_and_not_the_author(github: Sandbox, alice: Client) -> None:
    """Others are 422."""
    number = github.as_user("alice").open_pull("One", {"a": "1"}, "one")["number"]
    path = f"/pulls/{number}/requested_reviewers"
    asked = [alice.post(path, {"reviewers": [who]}).status for who in ("tim", "alice", "mallory")]
    assert asked == [201, 422, 422]
    assert [user["login"] for user in alice.get(path).body["users"]] == ["tim"]


def test_a_check_collects_annotations_in_fifties(bot: Client) -> None:
    """More than 50 in one request are refused; a further request appends."""
    note = {"path": "a", "start_line": 1, "end_line": 1, "annotation_level": "failure"}
    note |= {"message": "m"}
    output = {"title": "t", "summary": "s", "annotations": [note] * 50}
    request = {"name": "postmortem", "head_sha": head(bot), "output": output}
    made = bot.post("/check-runs", request).body
    output["annotations"] = [note] * 51
    assert bot.patch(f"/check-runs/{made['id']}", {"output": output}).status == 422
    output["annotations"] = [note]
    done = {"output": output, "status": "completed", "conclusion": "failure"}
    shown = bot.patch(f"/check-runs/{made['id']}", done).body
    assert (shown["output"]["annotations_count"], shown["conclusion"]) == (51, "failure")


def test_history_is_cut_by_time_and_path(github: Sandbox, alice: Client, clock: Clock) -> None:
    """`since`, `until` and `path` narrow the list of commits; activity lists the pushes."""
    person = github.as_user("alice")
    for name in ("api/a", "web/b", "api/c"):
        clock.forward(3600)
        person.push({name: "x"}, f"Change {name}")

    def messages(query: str) -> list[str]:
        return [row["commit"]["message"] for row in alice.get(f"/commits?{query}").body]

    assert messages("path=api") == ["Change api/c", "Change api/a"]
    assert messages("since=2026-11-23T05:00:00Z") == ["Change api/c"]
    assert messages("until=2026-11-23T03:50:00Z") == ["Change api/a", "Initial commit"]
    kinds = [row["activity_type"] for row in alice.get("/activity?ref=main").body]
    assert kinds == ["push", "push", "push"]


def test_deployments_come_newest_first(github: Sandbox, alice: Client, clock: Clock) -> None:
    """Each has the SHA of its ref, and its statuses newest first."""
    person = github.as_user("alice")
    person.deploy("main", "staging")
    clock.forward(60)
    made = person.deploy("main")
    person.ask("POST", f"/deployments/{made['id']}/statuses", {"state": "failure"})
    listed = alice.get("/deployments").body
    assert [row["environment"] for row in listed] == ["production", "staging"]
    assert listed[0]["sha"] == head(alice)
    assert len(alice.get("/deployments?environment=staging").body) == 1
    states = [row["state"] for row in alice.get(f"/deployments/{made['id']}/statuses").body]
    assert states == ["failure", "success"]
    assert alice.post("/deployments", {"ref": "no-such"}).status == 422
