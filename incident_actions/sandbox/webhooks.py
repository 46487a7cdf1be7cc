"""What GitHub would send to workflows: every action of a person, none of a workflow's token.

See https://docs.github.com/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

from typing import Any

from .access import Actor
from .model import Comment, Issue, Repository
from .render import (
    comment_json,
    issue_json,
    repository_json,
    user_json,
)
from .render_git import pull_json
from .world import World

# The two events that a workflow's own token may cause.
ALWAYS = ("workflow_dispatch", "repository_dispatch")


def deliver(
    world: World, actor: Actor, event: str, repo: Repository, action: str = "", **fields: Any
) -> None:
    """Append a delivery; None fields are left out."""
    if actor.is_workflow and event not in ALWAYS:
        return
    payload: dict[str, Any] = {"action": action} if action else {}
    payload.update((key, value) for key, value in fields.items() if value is not None)
    payload["repository"] = repository_json(world, repo)
    if repo.owner.type == "Organization":
        payload["organization"] = {
            "login": repo.owner.login,
            "id": repo.owner.id,
            "url": f"{world.api}/orgs/{repo.owner.login}",
        }
    payload["sender"] = user_json(world, actor.person())
    world.deliveries.append((event, payload))


def issue_changed(world: World, actor: Actor, issue: Issue, action: str, **fields: Any) -> None:
    """An `issues` event, or `pull_request` where the issue is one."""
    if actor.is_workflow:
        return
    if issue.pull is None:
        deliver(
            world, actor, "issues", issue.repo, action, issue=issue_json(world, issue), **fields
        )
        return
    deliver(
        world,
        actor,
        "pull_request",
        issue.repo,
        action,
        number=issue.number,
        pull_request=pull_json(world, issue),
        **fields,
    )


def comment_changed(
    world: World, actor: Actor, comment: Comment, action: str, before: str | None = None
) -> None:
    """An `issue_comment` event; `before` is the body that an edit replaced."""
    if actor.is_workflow:
        return
    deliver(
        world,
        actor,
        "issue_comment",
        comment.issue.repo,
        action,
        issue=issue_json(world, comment.issue),
        comment=comment_json(world, comment),
        changes=None if before is None else {"body": {"from": before}},
    )
