"""Branches, commits and comparisons. See https://docs.github.com/rest/commits"""

from __future__ import annotations

from typing import Any

from ..errors import not_found, unprocessable
from ..model import Issue
from ..render import repository_url
from ..render_git import commit_json, files_json, page, pull_simple_json
from ..router import PAGED, Answer, Call, route
from .issues import R


def _commit_of(call: Call, name: str) -> str:
    sha = call.repo.git.resolve(name)
    if sha is None:
        raise unprocessable(f"No commit found for SHA: {name}")
    return sha


def _branches(call: Call) -> list[str]:
    refs = sorted(call.repo.git.refs)
    return [ref.removeprefix("refs/heads/") for ref in refs if ref.startswith("refs/heads/")]


@route(f"GET {R}/branches", scope="contents", query=("protected", *PAGED))
def list_branches(call: Call) -> Answer:
    """All branches; none is protected."""
    base = repository_url(call.world, call.repo)

    def draw(name: str) -> dict[str, Any]:
        sha = call.repo.git.refs[f"refs/heads/{name}"]
        commit = {"sha": sha, "url": f"{base}/commits/{sha}"}
        return {"name": name, "commit": commit, "protected": False}

    found = [] if call.query.get("protected") == "true" else _branches(call)
    return call.listing(found, draw)


@route(f"GET {R}/branches/{{branch}}", scope="contents")
def get_branch(call: Call) -> Answer:
    """One branch with its head. The default one is protected where checks are required."""
    name = call.params["branch"]
    sha = call.repo.git.refs.get(f"refs/heads/{name}")
    if sha is None:
        raise not_found("Branch not found")
    url = f"{repository_url(call.world, call.repo)}/branches/{name}"
    commit = commit_json(call.world, call.repo, call.repo.git.commits[sha])
    required = call.repo.settings.required_checks if name == call.repo.default_branch else ()
    protection: dict[str, Any] = {"enabled": bool(required)}
    if required:
        protection["required_status_checks"] = {"contexts": list(required), "checks": []}
    return Answer(
        200,
        {
            "name": name,
            "commit": commit,
            "_links": {"self": url, "html": page(call.world, call.repo, f"tree/{name}")},
            "protected": bool(required),
            "protection": protection,
            "protection_url": f"{url}/protection",
        },
    )


@route(
    f"GET {R}/commits",
    scope="contents",
    query=("sha", "path", "author", "committer", "since", "until", *PAGED),
)
def list_commits(call: Call) -> Answer:
    """The history of a branch (or of one path in it), newest first."""
    git = call.repo.git
    start = git.resolve(call.query.get("sha") or call.repo.default_branch)
    if start is None:
        raise not_found()
    since, until = call.since(), call.since("until") or "9999"
    path = call.query.get("path", "").strip("/")
    author = (call.query.get("author") or call.query.get("committer") or "").lower()
    found = []
    for commit in git.history(start):
        if not since <= commit.date <= until:
            continue
        if author and author not in (commit.login.lower(), commit.email.lower()):
            continue
        if path:
            before = git.commits[commit.parents[0]].tree if commit.parents else git.build({})
            touched = [change.path for change in git.diff(before, commit.tree)]
            if not any(one == path or one.startswith(f"{path}/") for one in touched):
                continue
        found.append(commit)
    return call.listing(found, lambda commit: commit_json(call.world, call.repo, commit))


@route(f"GET {R}/commits/{{ref}}", scope="contents", query=PAGED)
def get_commit(call: Call) -> Answer:
    """One commit with its files."""
    sha = _commit_of(call, call.params["ref"])
    return Answer(200, commit_json(call.world, call.repo, call.repo.git.commits[sha], files=True))


@route(f"GET {R}/commits/{{commit_sha}}/pulls", scope="contents|pull_requests", query=PAGED)
def list_pulls_of_commit(call: Call) -> Answer:
    """Pull requests that merged as this commit or hold it."""
    git, sha = call.repo.git, _commit_of(call, call.params["commit_sha"])

    def holds(issue: Issue) -> bool:
        pull = issue.pull
        if pull is None:
            return False
        if sha in (pull.merge_commit, pull.head_sha):
            return True
        return any(commit.sha == sha for commit in git.between(pull.base_sha, pull.head_sha))

    found = [issue for issue in call.repo.issues.values() if holds(issue)]
    return call.listing(found, lambda issue: pull_simple_json(call.world, issue))


@route(f"GET {R}/compare/{{basehead}}", scope="contents", query=PAGED)
def compare(call: Call) -> Answer:
    """What `head` has that `base` lacks, for `base...head`; the commits come in pages."""
    git, world, repo = call.repo.git, call.world, call.repo
    names = call.params["basehead"].split("...")
    if len(names) != 2:
        raise not_found()
    shas = [git.resolve(name.rpartition(":")[2]) for name in names]
    if shas[0] is None or shas[1] is None:
        raise not_found()
    base, head = shas[0], shas[1]
    root = git.merge_base(base, head)
    if root is None:
        raise not_found(f"No common ancestor between {names[0]} and {names[1]}.")
    ahead, behind = git.between(base, head), git.between(head, base)
    status = ("diverged" if behind else "ahead") if ahead else "behind" if behind else "identical"
    url = f"{repository_url(world, repo)}/compare/{call.params['basehead']}"
    html = page(world, repo, f"compare/{call.params['basehead']}")
    changes = git.diff(git.commits[root].tree, git.commits[head].tree)
    commits = call.listing(ahead, lambda commit: commit_json(world, repo, commit))
    paged = not call.query.keys().isdisjoint(PAGED)
    shown = commits.body if paged else [commit_json(world, repo, commit) for commit in ahead[:250]]
    return Answer(
        200,
        {
            "url": url,
            "html_url": html,
            "permalink_url": page(world, repo, f"compare/{base}...{head}"),
            "diff_url": f"{html}.diff",
            "patch_url": f"{html}.patch",
            "base_commit": commit_json(world, repo, git.commits[base]),
            "merge_base_commit": commit_json(world, repo, git.commits[root]),
            "status": status,
            "ahead_by": len(ahead),
            "behind_by": len(behind),
            "total_commits": len(ahead),
            "commits": shown,
            "files": files_json(world, repo, head, changes),
        },
    )
