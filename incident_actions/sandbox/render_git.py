"""From the sandbox's records to GitHub's JSON, for commits, files and pull requests.

See https://docs.github.com/rest/commits and https://docs.github.com/rest/pulls
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from .git import EMPTY_TREE, Change, Commit
from .model import Issue, Repository, Review, User
from .render import (
    Json,
    association,
    issue_json,
    node_id,
    repository_json,
    repository_url,
    user_json,
)
from .world import World

UNSIGNED = {
    "verified": False,
    "reason": "unsigned",
    "signature": None,
    "payload": None,
    "verified_at": None,
}


def page(world: World, repo: Repository, tail: str) -> str:
    """An address on the web pages of a repository."""
    return f"{world.html}/{repo.full_name}/{tail}"


def git_commit_json(world: World, repo: Repository, commit: Commit) -> Json:
    """A commit as the git data endpoints show it."""
    base = f"{repository_url(world, repo)}/git"
    who = {"name": commit.name, "email": commit.email, "date": commit.date}
    return {
        "sha": commit.sha,
        "node_id": f"C_{commit.sha}",
        "url": f"{base}/commits/{commit.sha}",
        "html_url": page(world, repo, f"commit/{commit.sha}"),
        "author": who,
        "committer": who,
        "tree": {"sha": commit.tree, "url": f"{base}/trees/{commit.tree}"},
        "message": commit.message,
        "parents": [
            {
                "sha": parent,
                "url": f"{base}/commits/{parent}",
                "html_url": page(world, repo, f"commit/{parent}"),
            }
            for parent in commit.parents
        ],
        "verification": UNSIGNED,
    }


def commit_json(world: World, repo: Repository, commit: Commit, files: bool = False) -> Json:
    """A commit as the commits endpoints show it; with `files`, its changes too."""
    base = repository_url(world, repo)
    data = git_commit_json(world, repo, commit)
    user = world.users.get(commit.login.lower())
    shown = user_json(world, user) if user else None
    answer: Json = {
        "sha": commit.sha,
        "node_id": data["node_id"],
        "commit": {
            "author": data["author"],
            "committer": data["committer"],
            "message": commit.message,
            "tree": data["tree"],
            "url": data["url"],
            "comment_count": 0,
            "verification": UNSIGNED,
        },
        "url": f"{base}/commits/{commit.sha}",
        "html_url": data["html_url"],
        "comments_url": f"{base}/commits/{commit.sha}/comments",
        "author": shown,
        "committer": shown,
        "parents": [
            {**parent, "url": f"{base}/commits/{parent['sha']}"} for parent in data["parents"]
        ],
    }
    if files:
        start = repo.git.commits[commit.parents[0]].tree if commit.parents else EMPTY_TREE
        rows = files_json(world, repo, commit.sha, repo.git.diff(start, commit.tree))
        added, gone = sum(r["additions"] for r in rows), sum(r["deletions"] for r in rows)
        answer["stats"] = {"additions": added, "deletions": gone, "total": added + gone}
        answer["files"] = rows
    return answer


def files_json(world: World, repo: Repository, sha: str, changes: list[Change]) -> list[Json]:
    """Changed files, with their patches."""
    rows = []
    for change in changes:
        added, removed, patch = repo.git.patch(change)
        name = quote(change.path)
        url = f"{repository_url(world, repo)}/contents/{name}?ref={sha}"
        rows.append(
            {
                "sha": change.new or change.old,
                "filename": change.path,
                "status": change.status,
                "additions": added,
                "deletions": removed,
                "changes": added + removed,
                "blob_url": page(world, repo, f"blob/{sha}/{name}"),
                "raw_url": page(world, repo, f"raw/{sha}/{name}"),
                "contents_url": url,
                "patch": patch,
            }
        )
    return rows


def ref_json(world: World, repo: Repository, ref: str) -> Json:
    """A ref and the commit that it points to."""
    base = f"{repository_url(world, repo)}/git"
    sha = repo.git.refs[ref]
    return {
        "ref": ref,
        "node_id": f"REF_{ref}",
        "url": f"{base}/{quote(ref)}",
        "object": {"sha": sha, "type": "commit", "url": f"{base}/commits/{sha}"},
    }


def entry_json(world: World, repo: Repository, path: str, sha: str, ref: str, kind: str) -> Json:
    """What the contents endpoint says of a file or a directory (`kind` "file" or "dir")."""
    base = repository_url(world, repo)
    name = quote(path)
    url = f"{base}/contents/{name}?ref={quote(ref)}"
    git = f"{base}/git/{'blobs' if kind == 'file' else 'trees'}/{sha}"
    html = page(world, repo, f"{'blob' if kind == 'file' else 'tree'}/{quote(ref)}/{name}")
    raw = page(world, repo, f"raw/{quote(ref)}/{name}") if kind == "file" else None
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "sha": sha,
        "size": len(repo.git.blobs[sha]) if kind == "file" else 0,
        "url": url,
        "html_url": html,
        "git_url": git,
        "download_url": raw,
        "type": kind,
        "_links": {"self": url, "git": git, "html": html},
    }


def pull_simple_json(world: World, issue: Issue) -> Json:
    """A pull request as lists show it."""
    pull, repo = issue.pull, issue.repo
    assert pull is not None
    base = repository_url(world, repo)
    url = f"{base}/pulls/{issue.number}"
    shown = issue_json(world, issue)
    home = repository_json(world, repo)

    def side(ref: str, sha: str, fork: User | None = None) -> Json:
        owner = fork or repo.owner
        user = user_json(world, owner)
        shown = home
        if fork:
            full_name = f"{fork.login}/{repo.name}"
            shown = {**home, "id": -repo.id, "full_name": full_name, "owner": user, "fork": True}
        label = f"{owner.login}:{ref}"
        return {"label": label, "ref": ref, "sha": sha, "user": user, "repo": shown}

    links = {
        "self": url,
        "html": shown["html_url"],
        "issue": shown["url"],
        "comments": shown["comments_url"],
        "review_comments": f"{url}/comments",
        "review_comment": f"{base}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{base}/statuses/{pull.head_sha}",
    }
    same = (
        "id node_id html_url number state locked title user body created_at updated_at closed_at "
        "assignee assignees milestone comments_url author_association active_lock_reason"
    )
    return {
        **{key: shown[key] for key in same.split()},
        "labels": [
            {**label, "description": label["description"] or ""} for label in shown["labels"]
        ],
        "url": url,
        "diff_url": f"{shown['html_url']}.diff",
        "patch_url": f"{shown['html_url']}.patch",
        "issue_url": shown["url"],
        "merged_at": pull.merged_at,
        "merge_commit_sha": pull.merge_commit,
        "requested_reviewers": [user_json(world, user) for user in pull.reviewers],
        "requested_teams": [],
        "draft": pull.draft,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "statuses_url": links["statuses"],
        "head": side(pull.head, pull.head_sha, pull.fork),
        "base": side(pull.base, pull.base_sha),
        "_links": {key: {"href": href} for key, href in links.items()},
        "auto_merge": None,
    }


def pull_changes(issue: Issue) -> list[Change]:
    """Files that a pull request changes."""
    pull, git = issue.pull, issue.repo.git
    assert pull is not None
    root = git.merge_base(pull.base_sha, pull.head_sha)
    start = git.commits[root].tree if root else EMPTY_TREE
    return git.diff(start, git.commits[pull.head_sha].tree)


def pull_json(world: World, issue: Issue) -> Json:
    """A pull request as its own endpoint shows it."""
    pull, git = issue.pull, issue.repo.git
    assert pull is not None
    answer: dict[str, Any] = pull_simple_json(world, issue)
    counts = [git.patch(change) for change in pull_changes(issue)]
    merged = pull.merged_at is not None
    clean = None if merged else git.merged_tree(pull.base_sha, pull.head_sha) is not None
    answer.update(
        merged=merged,
        mergeable=clean,
        rebaseable=clean,
        mergeable_state="unknown" if merged else "clean" if clean else "dirty",
        merged_by=user_json(world, pull.merged_by) if pull.merged_by else None,
        comments=len(issue.comments),
        review_comments=0,
        maintainer_can_modify=False,
        commits=len(git.between(pull.base_sha, pull.head_sha)),
        additions=sum(count[0] for count in counts),
        deletions=sum(count[1] for count in counts),
        changed_files=len(counts),
    )
    return answer


def review_json(world: World, issue: Issue, review: Review) -> Json:
    """A review of a pull request."""
    url = f"{repository_url(world, issue.repo)}/pulls/{issue.number}"
    html = page(world, issue.repo, f"pull/{issue.number}#pullrequestreview-{review.id}")
    return {
        "id": review.id,
        "node_id": node_id("PRR", review.id),
        "user": user_json(world, review.user),
        "body": review.body,
        "state": review.state,
        "html_url": html,
        "pull_request_url": url,
        "_links": {"html": {"href": html}, "pull_request": {"href": url}},
        "submitted_at": review.submitted_at,
        "commit_id": review.commit,
        "author_association": association(issue.repo, review.user),
    }
