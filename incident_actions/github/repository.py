"""The repository itself: settings, files, permissions, pushes, releases and deployments.

https://docs.github.com/en/rest/repos
"""

from __future__ import annotations

import base64
from datetime import datetime
from typing import Any
from urllib.parse import quote

from msgspec import Struct

from incident_actions.domain.changes.suspects import Push, Release
from incident_actions.domain.issue.observation import Deployment, Permission
from incident_actions.errors import InputError
from incident_actions.github.transport import PER_PAGE, Transport, actor, build, each


class About(Struct, frozen=True):
    """The repository's settings. `name` is `OWNER/NAME`, `branch` the default branch.

    `pushed_at` is None when nothing was ever pushed; `may_push` says whether the token may push,
    and is None when GitHub does not tell.
    """

    name: str
    branch: str
    public: bool
    pushed_at: datetime | None = None
    has_issues: bool = True
    may_push: bool | None = None


class Repository(Transport):
    """Each method makes one request, and raises `errors.GitHubError`.

    "Asked for once in a run" means that later calls with the same arguments make no request.
    """

    def about(self) -> About:
        """The repository's settings. Asked for once in a run.

        https://docs.github.com/en/rest/repos/repos#get-a-repository
        """
        return self._once(_about, "")

    def file(self, path: str) -> str | None:
        """The text of a file on the default branch. Asked for once in a run.

        None when there is no such file, when it is a folder, or larger than 1 MB. Raises
        `InputError` for a path that leads out of the repository.

        https://docs.github.com/en/rest/repos/contents#get-repository-content
        """
        if path.startswith("/") or ".." in path.split("/"):
            raise InputError(
                f"`{path}` is no path in the repository",
                remedy="Write it from the repository's root, like `.github/incident.yml`.",
            )
        data = self._find_once(_bytes, f"/contents/{quote(path)}")
        return None if data is None else data.decode("utf-8-sig", errors="replace")

    def folder(self, path: str) -> dict[str, str]:
        """The names of the files in a folder of the default branch, each with its git blob hash.

        Empty when there is no such folder. Asked for once in a run.

        https://docs.github.com/en/rest/repos/contents#get-repository-content
        """
        return self._find_once(_hashes, f"/contents/{quote(path)}") or {}

    def content(self, path: str, ref: str) -> bytes | None:
        """The bytes of a file on a branch or in a commit (`ref`); None in the same cases as `file`.

        https://docs.github.com/en/rest/repos/contents#get-repository-content
        """
        return self._find(_bytes, f"/contents/{quote(path)}", ref=ref)

    def permission(self, login: str) -> Permission:
        """What an account may do in the repository; `NONE` for an unknown login.

        Asked for once in a run.

        https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
        """
        path = f"/collaborators/{quote(login, safe='')}/permission"
        return self._find_once(_permission, path) or Permission.NONE

    def protection(self, branch: str) -> tuple[bool, tuple[str, ...]]:
        """Whether a branch is protected, and the names of the checks that a merge requires.

        Raises `NotFound` when there is no such branch.

        https://docs.github.com/en/rest/branches/branches#get-a-branch
        """
        return self._get(_protection, f"/branches/{quote(branch, safe='')}")

    def pushes(self, branch: str) -> tuple[Push, ...]:
        """The newest hundred pushes to a branch, the newest first.

        Asked for once in a run.

        https://docs.github.com/en/rest/repos/repos#list-repository-activities
        """
        return self._once(each(_push), "/activity", ref=branch, per_page=PER_PAGE)

    def releases(self) -> tuple[Release, ...]:
        """The published ones among the newest thirty releases. Asked for once in a run.

        https://docs.github.com/en/rest/releases/releases#list-releases
        """
        return self._once(each(_release), "/releases", per_page=30)

    def deployments(self, since: datetime) -> tuple[Deployment, ...]:
        """The deployments since a time, of the newest hundred: the oldest first.

        Asked for once in a run, whatever `since` is.

        https://docs.github.com/en/rest/deployments/deployments#list-deployments
        """
        newest = self._once(each(_deployment), "/deployments", per_page=PER_PAGE)
        return tuple(sorted((one for one in newest if one.at >= since), key=lambda one: one.at))


def _about(raw: Any) -> About:
    return build(
        About,
        raw,
        name=raw["full_name"],
        branch=raw["default_branch"],
        public=not raw["private"],
        may_push=(raw.get("permissions") or {}).get("push"),
    )


def _bytes(raw: Any) -> bytes | None:
    """A file's bytes; None for a folder (a list), and above 1 MB, where GitHub sends no content."""
    if not isinstance(raw, dict) or raw.get("encoding") != "base64":
        return None
    return base64.b64decode(raw["content"])


def _hashes(raw: Any) -> dict[str, str]:
    """The blob hashes of the files in a folder, by name; empty when the path is a file."""
    if not isinstance(raw, list):
        return {}
    return {item["name"]: item["sha"] for item in raw if item["type"] == "file"}


def _permission(raw: Any) -> Permission:
    """The permission. `role_name` is more exact than `permission`, but may be a custom role."""
    try:
        return Permission.named(str(raw.get("role_name") or raw["permission"]))
    except KeyError:
        return Permission.named(str(raw["permission"]))


def _protection(raw: Any) -> tuple[bool, tuple[str, ...]]:
    checks = (raw.get("protection") or {}).get("required_status_checks") or {}
    return bool(raw["protected"]), tuple(map(str, checks.get("contexts") or ()))


def _push(raw: Any) -> Push:
    return build(Push, raw, at=raw["timestamp"], by=actor(raw["actor"]).login)


def _release(raw: Any) -> Release | None:
    """A published release; None for a draft."""
    at, by = raw.get("published_at"), actor(raw.get("author")).login
    return build(Release, {}, at=at, by=by, tag=raw["tag_name"]) if at else None


def _deployment(raw: Any) -> Deployment:
    return build(Deployment, raw, at=raw["created_at"], by=actor(raw.get("creator")).login)
