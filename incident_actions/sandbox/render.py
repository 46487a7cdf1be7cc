"""From the sandbox's records to GitHub's JSON, for people, repositories and issues.

See https://docs.github.com/rest/issues
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from .model import Comment, Event, Issue, Label, Reaction, Repository, User
from .world import World

Json = dict[str, Any]

ACTIONS_APP_ID = 15368
REACTIONS = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")
_USER_LINKS = {
    "followers_url": "/followers",
    "following_url": "/following{/other_user}",
    "gists_url": "/gists{/gist_id}",
    "starred_url": "/starred{/owner}{/repo}",
    "subscriptions_url": "/subscriptions",
    "organizations_url": "/orgs",
    "repos_url": "/repos",
    "events_url": "/events{/privacy}",
    "received_events_url": "/received_events",
}
_REPOSITORY_LINKS = {
    "archive_url": "/{archive_format}{/ref}",
    "assignees_url": "/assignees{/user}",
    "blobs_url": "/git/blobs{/sha}",
    "branches_url": "/branches{/branch}",
    "collaborators_url": "/collaborators{/collaborator}",
    "comments_url": "/comments{/number}",
    "commits_url": "/commits{/sha}",
    "compare_url": "/compare/{base}...{head}",
    "contents_url": "/contents/{+path}",
    "contributors_url": "/contributors",
    "deployments_url": "/deployments",
    "downloads_url": "/downloads",
    "events_url": "/events",
    "forks_url": "/forks",
    "git_commits_url": "/git/commits{/sha}",
    "git_refs_url": "/git/refs{/sha}",
    "git_tags_url": "/git/tags{/sha}",
    "hooks_url": "/hooks",
    "issue_comment_url": "/issues/comments{/number}",
    "issue_events_url": "/issues/events{/number}",
    "issues_url": "/issues{/number}",
    "keys_url": "/keys{/key_id}",
    "labels_url": "/labels{/name}",
    "languages_url": "/languages",
    "merges_url": "/merges",
    "milestones_url": "/milestones{/number}",
    "notifications_url": "/notifications{?since,all,participating}",
    "pulls_url": "/pulls{/number}",
    "releases_url": "/releases{/id}",
    "stargazers_url": "/stargazers",
    "statuses_url": "/statuses/{sha}",
    "subscribers_url": "/subscribers",
    "subscription_url": "/subscription",
    "tags_url": "/tags",
    "teams_url": "/teams",
    "trees_url": "/git/trees{/sha}",
}


def node_id(kind: str, number: int) -> str:
    """An opaque id such as GitHub gives beside the number."""
    return f"{kind}_{base64.urlsafe_b64encode(str(number).encode()).decode().rstrip('=')}"


def user_json(world: World, user: User) -> Json:
    """A user as it stands inside other answers."""
    url = f"{world.api}/users/{quote(user.login)}"
    page = f"apps/{user.login.removesuffix('[bot]')}" if user.type == "Bot" else user.login
    return {
        "login": user.login,
        "id": user.id,
        "node_id": node_id("U", user.id),
        "avatar_url": f"{world.html}/avatars/{user.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{world.html}/{page}",
        **{key: url + tail for key, tail in _USER_LINKS.items()},
        "type": user.type,
        "user_view_type": "public",
        "site_admin": False,
    }


def app_json(world: World) -> Json:
    """GitHub Actions as the app that stands behind a workflow's token."""
    return {
        "id": ACTIONS_APP_ID,
        "client_id": "Iv1.actions",
        "slug": "github-actions",
        "node_id": node_id("A", ACTIONS_APP_ID),
        "owner": user_json(world, world.user("github", "Organization")),
        "name": "GitHub Actions",
        "description": "Automate your workflow from idea to production",
        "external_url": "https://help.github.com/en/actions",
        "html_url": f"{world.html}/apps/github-actions",
        "created_at": "2018-07-30T09:30:17Z",
        "updated_at": "2019-12-10T19:04:12Z",
        "permissions": {"issues": "write", "contents": "write", "metadata": "read"},
        "events": [],
    }


def via_app(world: World, user: User) -> Json | None:
    """The app that acted, None for a person."""
    return app_json(world) if user is world.bot else None


def repository_url(world: World, repo: Repository) -> str:
    """The API's address of a repository."""
    return f"{world.api}/repos/{repo.full_name}"


def short_repository_json(world: World, repo: Repository) -> Json:
    """A repository as it stands inside other answers."""
    url = repository_url(world, repo)
    return {
        "id": repo.id,
        "node_id": node_id("R", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "owner": user_json(world, repo.owner),
        "html_url": f"{world.html}/{repo.full_name}",
        "description": None,
        "fork": False,
        "url": url,
        **{key: url + tail for key, tail in _REPOSITORY_LINKS.items()},
    }


def repository_json(world: World, repo: Repository) -> Json:
    """A repository as its own endpoint and every webhook show it."""
    html = f"{world.html}/{repo.full_name}"
    open_issues = sum(issue.state == "open" for issue in repo.issues.values())
    return {
        **short_repository_json(world, repo),
        "git_url": f"git:{html.partition(':')[2]}.git",
        "ssh_url": f"git@{html.partition('//')[2]}.git",
        "clone_url": f"{html}.git",
        "svn_url": html,
        "homepage": None,
        "mirror_url": None,
        "language": None,
        "license": None,
        "size": 0,
        "forks": 0,
        "forks_count": 0,
        "stargazers_count": 0,
        "watchers": 0,
        "watchers_count": 0,
        "open_issues": open_issues,
        "open_issues_count": open_issues,
        "default_branch": repo.default_branch,
        "has_issues": repo.settings.has_issues,
        "has_projects": False,
        "has_wiki": False,
        "has_pages": False,
        "has_downloads": True,
        "has_discussions": False,
        "archived": False,
        "disabled": False,
        "visibility": "private" if repo.private else "public",
        "pushed_at": repo.pushed_at,
        "created_at": repo.created_at,
        "updated_at": repo.pushed_at,
    }


def full_repository_json(world: World, repo: Repository, role: str) -> Json:
    """The answer of `GET /repos/{owner}/{repo}`; `role` is the asker's."""
    answer = repository_json(world, repo)
    answer["permissions"] = permissions_json(role)
    answer["network_count"] = answer["subscribers_count"] = 0
    if repo.owner.type == "Organization":
        answer["organization"] = user_json(world, repo.owner)
    return answer


def permissions_json(role: str) -> Json:
    """A role as GitHub's five switches."""
    order = ("read", "triage", "write", "maintain", "admin")
    names = ("pull", "triage", "push", "maintain", "admin")
    height = order.index(role) if role in order else -1
    return {name: place <= height for place, name in enumerate(names)}


def label_json(world: World, repo: Repository, label: Label) -> Json:
    """A label."""
    return {
        "id": label.id,
        "node_id": node_id("LA", label.id),
        "url": f"{repository_url(world, repo)}/labels/{quote(label.name, safe='')}",
        "name": label.name,
        "color": label.color,
        "default": label.default,
        "description": label.description,
    }


def association(repo: Repository, user: User) -> str:
    """How a user stands to a repository: a hint, as GitHub computes it."""
    if user is repo.owner:
        return "OWNER"
    if repo.owner.login.lower() in user.organizations:
        return "MEMBER"
    if repo.roles.get(user.login.lower(), "none") != "none":
        return "COLLABORATOR"
    return "CONTRIBUTOR" if user.login in repo.contributors else "NONE"


def rollup_json(url: str, reactions: list[Reaction]) -> Json:
    """How often each emoji was given."""
    counts = dict.fromkeys(REACTIONS, 0)
    for reaction in reactions:
        counts[reaction.content] += 1
    return {"url": f"{url}/reactions", "total_count": len(reactions), **counts}


def reaction_json(world: World, reaction: Reaction) -> Json:
    """One reaction."""
    return {
        "id": reaction.id,
        "node_id": node_id("REA", reaction.id),
        "user": user_json(world, reaction.user),
        "content": reaction.content,
        "created_at": reaction.created_at,
    }


def issue_json(world: World, issue: Issue) -> Json:
    """An issue, or a pull request as the issues endpoints show it."""
    repo = issue.repo
    base = repository_url(world, repo)
    url = f"{base}/issues/{issue.number}"
    page = f"{world.html}/{repo.full_name}/{'pull' if issue.pull else 'issues'}/{issue.number}"
    people = [user_json(world, user) for user in issue.assignees]
    done = sum(child.state == "closed" for child in issue.sub_issues)
    total = len(issue.sub_issues)
    answer: Json = {
        "url": url,
        "repository_url": base,
        "labels_url": f"{url}/labels{{/name}}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "html_url": page,
        "timeline_url": f"{url}/timeline",
        "id": issue.id,
        "node_id": node_id("PR" if issue.pull else "I", issue.id),
        "number": issue.number,
        "title": issue.title,
        "user": user_json(world, issue.user),
        "labels": [label_json(world, repo, label) for label in issue.labels],
        "state": issue.state,
        "locked": issue.locked,
        "assignee": people[0] if people else None,
        "assignees": people,
        "milestone": None,
        "comments": len(issue.comments),
        "created_at": issue.created_at,
        "updated_at": issue.updated_at,
        "closed_at": issue.closed_at,
        "author_association": association(repo, issue.user),
        "active_lock_reason": issue.lock_reason,
        "body": issue.body,
        "closed_by": user_json(world, issue.closed_by) if issue.closed_by else None,
        "reactions": rollup_json(url, issue.reactions),
        "performed_via_github_app": via_app(world, issue.user),
        "state_reason": issue.state_reason,
    }
    if issue.pull:
        pull = f"{base}/pulls/{issue.number}"
        answer["draft"] = issue.pull.draft
        answer["pull_request"] = {
            "url": pull,
            "html_url": page,
            "diff_url": f"{page}.diff",
            "patch_url": f"{page}.patch",
            "merged_at": issue.pull.merged_at,
        }
    else:
        answer["sub_issues_summary"] = {
            "total": total,
            "completed": done,
            "percent_completed": 100 * done // total if total else 0,
        }
    if issue.parent:
        answer["parent_issue_url"] = f"{base}/issues/{issue.parent.number}"
    return answer


def comment_json(world: World, comment: Comment) -> Json:
    """A comment."""
    issue = comment.issue
    base = repository_url(world, issue.repo)
    url = f"{base}/issues/comments/{comment.id}"
    kind = "pull" if issue.pull else "issues"
    page = f"{world.html}/{issue.repo.full_name}/{kind}/{issue.number}"
    return {
        "url": url,
        "html_url": f"{page}#issuecomment-{comment.id}",
        "issue_url": f"{base}/issues/{issue.number}",
        "id": comment.id,
        "node_id": node_id("IC", comment.id),
        "user": user_json(world, comment.user),
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
        "author_association": association(issue.repo, comment.user),
        "body": comment.body,
        "minimized": {"reason": comment.minimized} if comment.minimized else None,
        "reactions": rollup_json(url, comment.reactions),
        "performed_via_github_app": via_app(world, comment.user),
    }


def reference_json(world: World, issue: Issue) -> Json:
    """An issue as a sub-issue event names it."""
    return {
        "title": issue.title,
        "number": issue.number,
        "state": issue.state,
        "state_reason": issue.state_reason,
        "issue_type": None,
        "repository": short_repository_json(world, issue.repo),
    }


def event_json(world: World, issue: Issue, event: Event) -> Json:
    """One entry of an issue's timeline."""
    actor = user_json(world, event.actor)
    if event.event == "commented":
        answer = comment_json(world, event.data["comment"])
        return {**answer, "event": "commented", "actor": actor}
    if event.event == "cross-referenced":
        source = event.data["source"]
        shown = {**issue_json(world, source), "repository": repository_json(world, source.repo)}
        return {
            "actor": actor,
            "created_at": event.created_at,
            "updated_at": event.created_at,
            "source": {"type": "issue", "issue": shown},
            "event": "cross-referenced",
        }
    base = repository_url(world, issue.repo)
    answer = {
        "id": event.id,
        "node_id": node_id("EV", event.id),
        "url": f"{base}/issues/events/{event.id}",
        "actor": actor,
        "event": event.event,
        "commit_id": None,
        "commit_url": None,
        "created_at": event.created_at,
        "performed_via_github_app": via_app(world, event.actor),
    }
    for key, value in event.data.items():
        if isinstance(value, User):
            answer[key] = user_json(world, value)
        elif isinstance(value, Issue):
            answer[key] = reference_json(world, value)
        else:
            answer[key] = value
    if answer["commit_id"]:
        answer["commit_url"] = f"{base}/commits/{answer['commit_id']}"
    return answer
