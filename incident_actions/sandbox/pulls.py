"""The rules of pushes and pull requests: what each does to refs, issues and webhooks.

See https://docs.github.com/rest/pulls/pulls and https://docs.github.com/rest/git/refs
"""

from __future__ import annotations

import re

from . import issues as rules
from .access import Actor, at_least
from .errors import RefusedError, forbidden, invalid, unprocessable
from .git import Commit
from .model import Event, Issue, Pull, Record, Repository
from .references import fixed_issues, mentioned_issues
from .render import user_json
from .webhooks import deliver, issue_changed
from .world import World

NOBODY = "0" * 40
HEADS = "refs/heads/"
# A fork's branches live beside our own: one object store serves both, as on GitHub.
FORKS = "refs/forks/{}/"
NO_ACTIONS_PULLS = "GitHub Actions is not permitted to create or approve pull requests."


def check_ref(ref: str) -> None:
    """422 for a name that git would refuse."""
    bad = re.search(r"\.\.|[\x00-\x20~^:?*\[\\]|//|/$|\.lock$|@\{", ref)
    if not ref.startswith("refs/") or ref.count("/") < 2 or bad:
        raise unprocessable("Reference name is invalid")


def move_ref(
    world: World, actor: Actor, repo: Repository, ref: str, sha: str | None, force: bool = False
) -> None:
    """Create, move or (with None) delete a ref, and tell everybody whom that concerns."""
    before = repo.git.refs.get(ref)
    if before == sha:
        return
    if sha is not None and sha not in repo.git.commits:
        raise unprocessable("Object does not exist")
    forced = False
    if before and sha:
        forced = repo.git.merge_base(before, sha) != before
        if forced and not force:
            raise unprocessable("Update is not a fast forward")
    if sha is None:
        del repo.git.refs[ref]
    else:
        repo.git.refs[ref] = sha
    if not ref.startswith(HEADS):
        return
    repo.pushed_at = world.now()
    kind = "branch_creation" if before is None else "branch_deletion" if sha is None else "push"
    _record(world, actor, repo, ref, before, sha, "force_push" if forced else kind)
    commits = _new_commits(repo, before, sha)
    branch = ref.removeprefix(HEADS)
    if before is None or sha is None:
        what = "create" if before is None else "delete"
        deliver(world, actor, what, repo, ref=branch, ref_type="branch")
    _push_event(world, actor, repo, ref, before, sha, commits, forced)
    for commit in commits:
        _read_message(world, actor, repo, commit, closes=branch == repo.default_branch)
    _follow(world, actor, repo, branch, sha)


def _record(
    world: World,
    actor: Actor,
    repo: Repository,
    ref: str,
    before: str | None,
    sha: str | None,
    kind: str,
) -> None:
    data = {
        "activity_type": kind,
        "before": before or NOBODY,
        "after": sha or NOBODY,
        "ref": ref,
    }
    now = world.now()
    repo.activity.append(Record(world.next_id(), now, now, actor.person(), data))


def _new_commits(repo: Repository, before: str | None, sha: str | None) -> list[Commit]:
    if sha is None:
        return []
    start = before or repo.git.refs.get(HEADS + repo.default_branch)
    commits = repo.git.between(start, sha) if start else list(repo.git.history(sha))
    repo.contributors.update(commit.login for commit in commits)
    return commits


def _push_event(
    world: World,
    actor: Actor,
    repo: Repository,
    ref: str,
    before: str | None,
    sha: str | None,
    commits: list[Commit],
    forced: bool,
) -> None:
    def draw(commit: Commit) -> dict[str, object]:
        who = {"name": commit.name, "email": commit.email, "username": commit.login}
        return {
            "id": commit.sha,
            "tree_id": commit.tree,
            "message": commit.message,
            "timestamp": commit.date,
            "author": who,
            "committer": who,
        }

    rows = [draw(commit) for commit in commits]
    deliver(
        world,
        actor,
        "push",
        repo,
        ref=ref,
        before=before or NOBODY,
        after=sha or NOBODY,
        created=before is None,
        deleted=sha is None,
        forced=forced,
        commits=rows,
        head_commit=rows[-1] if rows else None,
    )


def _read_message(
    world: World, actor: Actor, repo: Repository, commit: Commit, closes: bool
) -> None:
    for issue in mentioned_issues(world, repo, commit.message):
        rules.happened(world, actor, issue, "referenced", commit_id=commit.sha)
    if closes:
        for issue in fixed_issues(world, repo, commit.message):
            if issue.state == "open" and issue.pull is None:
                rules.close(world, actor, issue, commit=commit.sha)


def _follow(world: World, actor: Actor, repo: Repository, branch: str, sha: str | None) -> None:
    """Open pull requests move with their branches."""
    for issue in list(repo.issues.values()):
        pull = issue.pull
        if pull is None or issue.state != "open":
            continue
        if pull.base == branch and sha:
            pull.base_sha = sha
        elif pull.fork or pull.head != branch:
            continue
        elif sha is None:
            rules.close(world, actor, issue)
        else:
            before, pull.head_sha = pull.head_sha, sha
            issue.updated_at = world.now()
            issue_changed(world, actor, issue, "synchronize", before=before, after=sha)


def open_pull(
    world: World,
    actor: Actor,
    repo: Repository,
    title: str,
    head: str,
    base: str,
    body: str | None,
    draft: bool,
) -> Issue:
    """Open a pull request from a branch of the same repository."""
    if actor.is_workflow and not repo.settings.actions_create_pulls:
        raise forbidden(NO_ACTIONS_PULLS)
    owner, _, name = head.rpartition(":")
    git = repo.git
    fork = world.users.get(owner.lower()) if owner.lower() != repo.owner.login.lower() else None
    head_sha = git.refs.get((FORKS.format(owner.lower()) if fork else HEADS) + name)
    if head_sha is None or (owner and fork is None and owner.lower() != repo.owner.login.lower()):
        raise invalid("PullRequest", "head")
    base_sha = git.refs.get(HEADS + base)
    if base_sha is None:
        raise invalid("PullRequest", "base")
    if not git.between(base_sha, head_sha):
        raise _refused(f"No commits between {base} and {name}")
    for other in repo.issues.values():
        known = other.pull
        if known is None or other.state != "open":
            continue
        if (known.head, known.base, known.fork) == (name, base, fork):
            raise _refused(f"A pull request already exists for {owner or repo.owner.login}:{name}.")
    pull = Pull(name, base, head_sha, base_sha, draft, fork)
    return rules.create(world, actor, repo, title, body, pull=pull)


def _refused(message: str) -> RefusedError:
    return invalid("PullRequest", "head", "custom", message)


def merge(
    world: World,
    actor: Actor,
    issue: Issue,
    method: str = "merge",
    title: str | None = None,
    message: str | None = None,
) -> str:
    """Merge; the answer is the SHA of the commit that came of it."""
    pull, repo, git = issue.pull, issue.repo, issue.repo.git
    assert pull is not None
    if issue.state != "open" or pull.draft:
        raise RefusedError(405, "Pull Request is not mergeable")
    tree = git.merged_tree(pull.base_sha, pull.head_sha)
    if tree is None:
        raise RefusedError(405, "Pull Request has merge conflicts")
    if method == "merge":
        parents = [pull.base_sha, pull.head_sha]
        home = (pull.fork or repo.owner).login
        head = f"Merge pull request #{issue.number} from {home}/{pull.head}"
        text = f"{title or head}\n\n{message if message is not None else issue.title}"
    else:
        parents = [pull.base_sha]
        text = "\n\n".join(filter(None, [title or f"{issue.title} (#{issue.number})", message]))
    login = actor.person().login
    made = git.commit(tree, parents, text, login=login, date=world.now())
    issue.state, issue.state_reason = "closed", None
    pull.merged_at, pull.merged_by, pull.merge_commit = made.date, actor.person(), made.sha
    issue.closed_at, issue.closed_by = made.date, actor.person()
    repo.contributors.add(issue.user.login)
    rules.happened(world, actor, issue, "merged", commit_id=made.sha)
    rules.happened(world, actor, issue, "closed", state_reason=None)
    # The record is closed before its base moves, so that moving it does not touch the request.
    move_ref(world, actor, repo, HEADS + pull.base, made.sha)
    repo.activity[-1].data["activity_type"] = "pr_merge"
    issue_changed(world, actor, issue, "closed")
    if pull.base == repo.default_branch:
        for target in fixed_issues(world, repo, issue.body or ""):
            if target.state == "open" and target.pull is None:
                rules.close(world, actor, target)
    return made.sha


def request_reviewers(
    world: World, actor: Actor, issue: Issue, logins: list[str], wanted: bool
) -> None:
    """Ask people for a review, or no longer; 422 for who can't be asked."""
    pull = issue.pull
    assert pull is not None
    people = [world.users.get(login.lower()) for login in logins]
    for user in people:
        known = user and at_least(Actor(user), issue.repo, "read") and user.type == "User"
        explicit = user and rules.assignable(world, issue.repo, user.login)
        if not known or not explicit:
            raise unprocessable(
                "Reviews may only be requested from collaborators. One or more of the users or "
                "teams you specified is not a collaborator of the repository."
            )
        if user is issue.user:
            raise unprocessable("Review cannot be requested from pull request author.")
    event = "review_requested" if wanted else "review_request_removed"
    for user in people:
        if user is None or (user in pull.reviewers) == wanted:
            continue
        if wanted:
            pull.reviewers.append(user)
        else:
            pull.reviewers.remove(user)
        data = {"requested_reviewer": user, "review_requester": actor.person()}
        issue.events.append(Event(world.next_id(), event, actor.person(), world.now(), data))
        issue_changed(world, actor, issue, event, requested_reviewer=user_json(world, user))
