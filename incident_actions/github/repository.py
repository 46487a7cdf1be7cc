"""The repository itself: its settings, who may do what, what happened to its branches, releases.

https://docs.github.com/en/rest/repos
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from incident_actions.domain.changes.suspects import Push, Release
from incident_actions.domain.issue.permissions import Permission
from incident_actions.github.decoding import actor, each, time
from incident_actions.github.transport import PER_PAGE, Transport


class About(Struct, frozen=True):
    """The repository. `branch` is the default branch.

    `pushed_at` is None when nothing was ever pushed; `may_push` is None where GitHub does not
    say what the token may.
    """

    name: str
    branch: str
    public: bool
    pushed_at: datetime | None
    has_issues: bool
    may_push: bool | None


class Protection(Struct, frozen=True):
    """How a branch is protected, and the names of the checks that a merge needs."""

    protected: bool
    required: tuple[str, ...]


class Repository(Transport):
    """Every method is one request. All raise `errors.GitHubError`."""

    def about(self) -> About:
        """The repository as it is now.

        https://docs.github.com/en/rest/repos/repos#get-a-repository
        """
        return self._get(_about, "")

    def default_branch(self) -> str:
        """The name of the default branch. Asked for once in a run.

        https://docs.github.com/en/rest/repos/repos#get-a-repository
        """
        return self._once(_about, "").branch

    def is_public(self) -> bool:
        """Whether anybody can read the repository.

        https://docs.github.com/en/rest/repos/repos#get-a-repository
        """
        return self.about().public

    def quiet_since(self) -> datetime | None:
        """When a public repository was last pushed to; None for one that is not public.

        https://docs.github.com/en/rest/repos/repos#get-a-repository
        """
        about = self.about()
        return about.pushed_at if about.public else None

    def permission(self, login: str) -> Permission:
        """What somebody may do here; `NONE` for an unknown login.

        https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
        """
        path = f"/collaborators/{quote(login, safe='')}/permission"
        found = self._find(_permission, path)
        return Permission.NONE if found is None else found

    def protection(self, branch: str) -> Protection:
        """How a branch is protected. Raises `NotFound` when there is no such branch.

        https://docs.github.com/en/rest/branches/branches#get-a-branch
        """
        return self._get(_protection, f"/branches/{quote(branch, safe='')}")

    def pushes(self, branch: str) -> tuple[Push, ...]:
        """When a branch moved, and from where to where: the newest hundred, newest first.

        Asked for once in a run.

        https://docs.github.com/en/rest/repos/repos#list-repository-activities
        """
        return self._once(each(_push), "/activity", ref=branch, per_page=PER_PAGE)

    def releases(self) -> tuple[Release, ...]:
        """The published releases, of the newest thirty. Asked for once in a run.

        https://docs.github.com/en/rest/releases/releases#list-releases
        """
        return self._once(each(_release), "/releases", per_page=30)


def _about(raw: Any) -> About:
    permissions = raw.get("permissions")
    pushed_at = raw.get("pushed_at")
    return About(
        name=raw["full_name"],
        branch=raw["default_branch"],
        public=not raw["private"],
        pushed_at=time(pushed_at) if pushed_at else None,
        has_issues=bool(raw.get("has_issues", True)),
        may_push=bool(permissions.get("push")) if permissions else None,
    )


def _permission(raw: Any) -> Permission:
    """`role_name` is finer; a custom role has a name of its own, then `permission` counts."""
    try:
        return Permission.named(str(raw.get("role_name") or raw["permission"]))
    except KeyError:
        return Permission.named(str(raw["permission"]))


def _protection(raw: Any) -> Protection:
    checks = (raw.get("protection") or {}).get("required_status_checks") or {}
    return Protection(bool(raw["protected"]), tuple(map(str, checks.get("contexts") or ())))


def _push(raw: Any) -> Push:
    return Push(time(raw["timestamp"]), actor(raw["actor"]).login, raw["before"], raw["after"])


def _release(raw: Any) -> Release | None:
    """None for a draft."""
    if not raw.get("published_at"):
        return None
    return Release(time(raw["published_at"]), actor(raw.get("author")).login, raw["tag_name"])
