"""What moves away: a repository that gets another name, an issue that goes to another repository.

GitHub answers the old address with a redirect that names the repository by its number, and leaves
the query out. See https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects
"""

from __future__ import annotations

import re
from dataclasses import replace

from .access import Actor
from .errors import RefusedError
from .issues import happened
from .model import Issue, Repository
from .webhooks import issue_changed
from .world import World

_BY_NUMBER = re.compile(r"/repositories/(\d+)(?=/|$)")


def rename(world: World, repo: Repository, name: str) -> None:
    """Give a repository another name with the same owner. The old name redirects from then on."""
    old = repo.full_name.lower()
    del world.repositories[old]
    world.renamed[old] = repo
    repo.name = name
    for token, actor in world.tokens.items():
        if actor.home == old:
            world.tokens[token] = replace(actor, home=repo.full_name.lower())
    world.repositories[repo.full_name.lower()] = repo
    world.renamed.pop(repo.full_name.lower(), None)


def transfer(world: World, actor: Actor, issue: Issue, to: Repository) -> Issue:
    """Move an issue with its comments to another repository. Its old number redirects from then on.

    Labels that the other repository does not have are lost; so is who was assigned.
    """
    old, before = issue.repo, issue.number
    issue_changed(world, actor, issue, "transferred")
    del old.issues[before]
    old.transferred[before] = issue
    issue.repo, issue.number = to, max(to.issues, default=0) + 1
    to.issues[issue.number] = issue
    issue.labels = [
        to.labels[la.name.lower()] for la in issue.labels if la.name.lower() in to.labels
    ]
    issue.assignees = []
    for comment in issue.comments:
        old.comments.pop(comment.id, None)
        to.comments[comment.id] = comment
    happened(world, actor, issue, "transferred")
    return issue


def by_name(world: World, path: str) -> str:
    """A path that begins with a repository's number, with the repository's name instead."""
    found = _BY_NUMBER.match(path)
    if found is None:
        return path
    for repo in world.repositories.values():
        if repo.id == int(found[1]):
            return f"/repos/{repo.full_name}{path[found.end() :]}"
    return path


def redirect(world: World, method: str, repo: Repository, rest: str) -> RefusedError:
    """The redirect to what follows a repository (`rest`): 301, and 307 for a write."""
    target = f"{world.api}/repositories/{repo.id}{rest}"
    status, message = (301, "Moved Permanently") if method == "GET" else (307, "Temporary Redirect")
    return RefusedError(status, message, headers={"Location": target})
