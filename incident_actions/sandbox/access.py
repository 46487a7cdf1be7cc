"""Who may do what: roles of people, scopes of tokens.

See https://docs.github.com/organizations/managing-user-access-to-your-organizations-repositories
and https://docs.github.com/actions/security-for-github-actions/security-guides/automatic-token-authentication
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .errors import RefusedError, forbidden, not_found

if TYPE_CHECKING:
    from .model import Issue, Repository, User

ROLES = ("none", "read", "triage", "write", "maintain", "admin")
# The permission endpoint knows four levels; the finer role goes into `role_name`.
PERMISSION = {
    "none": "none",
    "read": "read",
    "triage": "read",
    "write": "write",
    "maintain": "write",
    "admin": "admin",
}


@dataclass(frozen=True)
class Actor:
    """Who is asking: a person, a workflow's own token, or nobody.

    `scopes` is None for a token that may do whatever its person may.
    `home` is the one repository ("owner/name") that a workflow's token belongs to.
    """

    user: User | None = None
    scopes: Mapping[str, str] | None = None
    home: str | None = None

    @property
    def is_workflow(self) -> bool:
        """Whether this is the token that GitHub Actions hands to a workflow run."""
        return self.home is not None

    @property
    def login(self) -> str:
        """The login, or "" for a request without a token."""
        return self.user.login if self.user else ""

    def person(self) -> User:
        """The user behind the request; 401 when there is none."""
        if self.user is None:
            raise RefusedError(401, "Requires authentication")
        return self.user


def role_of(user: User, repo: Repository) -> str:
    """A person's role in a repository, one of ROLES."""
    if user.login.lower() == repo.owner.login.lower():
        return "admin"
    role = repo.roles.get(user.login.lower(), "none")
    return "read" if role == "none" and not repo.private else role


def role(actor: Actor, repo: Repository) -> str:
    """The role that an actor has in a repository; a workflow's token writes in its home only."""
    if actor.is_workflow:
        if actor.home == repo.full_name.lower():
            return "write"
        return "none" if repo.private else "read"
    if actor.user is None:
        return "none" if repo.private else "read"
    return role_of(actor.user, repo)


def at_least(actor: Actor, repo: Repository, needed: str) -> bool:
    """Whether the actor's role is `needed` or above."""
    return ROLES.index(role(actor, repo)) >= ROLES.index(needed)


def need_role(actor: Actor, repo: Repository, needed: str) -> None:
    """Refuse with 403 (or 401 without a token) below `needed`."""
    if not at_least(actor, repo, needed):
        actor.person()
        raise forbidden(
            "Must have admin rights to Repository."
            if needed == "admin"
            else f"Must have {needed} access to this repository."
        )


def need_sight(actor: Actor, repo: Repository | None) -> Repository:
    """The repository, or 404 as if it did not exist when the actor may not see it."""
    if repo is None or role(actor, repo) == "none":
        raise not_found()
    return repo


def need_scope(
    actor: Actor, repo: Repository, scope: str, level: str, issue: Issue | None = None
) -> None:
    """Refuse with 403 when the token lacks a scope.

    `level` is "read" or "write". For an issue that is a pull request, either the issues scope
    or the pull requests scope will do; so it is for lists, which hold both.
    Stricter than GitHub on purpose: there, a public repository can be read without the scope.
    """
    if level == "write":
        actor.person()
    if actor.scopes is None:
        return
    if actor.home is not None and actor.home != repo.full_name.lower() and level == "read":
        return
    names = scope.split("|")
    if names == ["issues"] and issue is not None and issue.pull is not None:
        names.append("pull_requests")
    order = ("none", "read", "write")
    held = max(order.index(actor.scopes.get(name, "none")) for name in names)
    if held < order.index(level) or (actor.home not in (None, repo.full_name.lower())):
        kind = "integration" if actor.is_workflow else "personal access token"
        raise forbidden(f"Resource not accessible by {kind}")
