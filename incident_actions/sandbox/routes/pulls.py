"""Pull requests. See https://docs.github.com/rest/pulls/pulls"""

from __future__ import annotations

from .. import issues as rules
from .. import pulls
from ..errors import RefusedError, forbidden, invalid
from ..model import Issue, Pull
from ..render_git import (
    commit_json,
    files_json,
    pull_changes,
    pull_json,
    pull_simple_json,
)
from ..router import PAGED, Answer, Call, route
from .issues import R

SCOPE = "pull_requests"
ONE = R + "/pulls/{pull_number}"


@route(
    f"GET {R}/pulls",
    scope=SCOPE,
    query=("state", "head", "base", "sort", "direction", *PAGED),
)
def list_pulls(call: Call) -> Answer:
    """Pull requests, newest first unless asked otherwise."""
    state = call.choice("state", ("open", "closed", "all"))
    sort = call.choice("sort", ("created", "updated", "popularity", "long-running"))
    # GitHub's default direction: newest first by creation, oldest first by anything else.
    direction = "desc" if sort == "created" else "asc"
    direction = call.query.get("direction", direction)
    head, base = call.query.get("head", ""), call.query.get("base", "")

    def fits(issue: Issue) -> bool:
        pull = issue.pull
        # GitHub ignores a `head` that does not name its owner.
        return (
            pull is not None
            and state in ("all", issue.state)
            and (":" not in head or head.lower() == _label(issue, pull).lower())
            and base in ("", pull.base)
        )

    found = sorted(
        filter(fits, call.repo.issues.values()),
        key=lambda one: (one.updated_at if sort == "updated" else one.created_at, one.number),
        reverse=direction == "desc",
    )
    return call.listing(found, lambda one: pull_simple_json(call.world, one))


def _label(issue: Issue, pull: Pull) -> str:
    return f"{(pull.fork or issue.repo.owner).login}:{pull.head}"


@route(f"POST {R}/pulls", scope=SCOPE, role="read")
def create_pull(call: Call) -> Answer:
    """Open a pull request; refused to workflows where the setting is off."""
    title, head, base = call.text("title"), call.text("head"), call.text("base")
    body, draft = call.value("body", str), bool(call.value("draft", bool))
    issue = pulls.open_pull(call.world, call.actor, call.repo, title, head, base, body, draft)
    return Answer(201, pull_json(call.world, issue))


@route(f"GET {ONE}", scope=SCOPE)
def get_pull(call: Call) -> Answer:
    """One pull request."""
    return Answer(200, pull_json(call.world, call.issue))


@route(f"PATCH {ONE}", scope=SCOPE)
def edit_pull(call: Call) -> Answer:
    """Change title, body, base and state, by its author or a writer."""
    if call.actor.user is not call.issue.user and not call.may("write"):
        raise forbidden("Must have admin rights to Repository.")
    state, base = call.value("state", str), call.value("base", str)
    if state not in (None, "open", "closed"):
        raise invalid("PullRequest", "state")
    title, body = call.value("title", str), call.value("body", str)
    rules.edit(call.world, call.actor, call.issue, title, body, not call.has("body"))
    if base:
        sha = call.repo.git.refs.get(f"refs/heads/{base}")
        if sha is None:
            raise invalid("PullRequest", "base")
        call.pull.base, call.pull.base_sha = base, sha
    if state == "closed":
        rules.close(call.world, call.actor, call.issue)
    elif state == "open":
        rules.reopen(call.world, call.actor, call.issue)
    return Answer(200, pull_json(call.world, call.issue))


@route(f"GET {ONE}/merge", scope=SCOPE)
def is_merged(call: Call) -> Answer:
    """204 when merged, 404 when not."""
    return Answer(204 if call.pull.merged_at else 404)


@route(f"PUT {ONE}/merge", scope="contents", role="write")
def merge_pull(call: Call) -> Answer:
    """Merge; 409 when `sha` is not the head any more."""
    sha = call.value("sha", str)
    if sha and sha != call.pull.head_sha:
        raise RefusedError(409, "Head branch was modified. Review and try the merge again.")
    method = call.value("merge_method", str) or "merge"
    if method not in ("merge", "squash", "rebase"):
        raise invalid("PullRequest", "merge_method")
    title, message = call.value("commit_title", str), call.value("commit_message", str)
    made = pulls.merge(call.world, call.actor, call.issue, method, title, message)
    return Answer(200, {"sha": made, "merged": True, "message": "Pull Request successfully merged"})


@route(f"GET {ONE}/files", scope=SCOPE, query=PAGED)
def list_files(call: Call) -> Answer:
    """Changed files with their patches."""
    changes = pull_changes(call.issue)
    return call.listing(
        changes,
        lambda change: files_json(call.world, call.repo, call.pull.head_sha, [change])[0],
    )


@route(f"GET {ONE}/commits", scope=SCOPE, query=PAGED)
def list_commits(call: Call) -> Answer:
    """Commits of the pull request, oldest first."""
    commits = call.repo.git.between(call.pull.base_sha, call.pull.head_sha)
    return call.listing(commits, lambda one: commit_json(call.world, call.repo, one))
