"""What `doctor` asks of GitHub: settings, workflows, protection. Reads only, each one request."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from msgspec import Struct

from incident_actions.github.client import GitHub
from incident_actions.github.decoding import read


class About(Struct, frozen=True):
    """The repository. `may_push` is None where GitHub does not say what the token may."""

    name: str
    branch: str
    has_issues: bool
    may_push: bool | None


class Protection(Struct, frozen=True):
    """How the default branch is protected, and the checks that a merge needs."""

    protected: bool
    required: tuple[str, ...]


class Inspection:
    """One repository, looked at more closely. Raises `errors.GitHubError`, as `hub.port.Hub`."""

    def __init__(self, hub: GitHub) -> None:
        self.hub = hub

    def about(self) -> About:
        """https://docs.github.com/en/rest/repos/repos#get-a-repository"""
        return read(_about, self.hub.ask(""))

    def workflow_states(self) -> dict[str, str]:
        """https://docs.github.com/en/rest/actions/workflows#list-repository-workflows"""
        return read(_states, self.hub.ask("/actions/workflows?per_page=100"))

    def may_open_pulls(self) -> bool:
        """https://docs.github.com/en/rest/actions/permissions#get-default-workflow-permissions-for-a-repository"""
        answer = self.hub.ask("/actions/permissions/workflow")
        return read(lambda raw: bool(raw["can_approve_pull_request_reviews"]), answer)

    def protection(self, branch: str) -> Protection:
        """https://docs.github.com/en/rest/branches/branches#get-a-branch"""
        return read(_protection, self.hub.ask(f"/branches/{quote(branch, safe='')}"))


def _about(raw: Any) -> About:
    permissions = raw.get("permissions")
    return About(
        name=raw["full_name"],
        branch=raw["default_branch"],
        has_issues=bool(raw.get("has_issues", True)),
        may_push=bool(permissions.get("push")) if permissions else None,
    )


def _states(raw: Any) -> dict[str, str]:
    return {workflow["path"]: workflow["state"] for workflow in raw["workflows"]}


def _protection(raw: Any) -> Protection:
    checks = (raw.get("protection") or {}).get("required_status_checks") or {}
    return Protection(bool(raw["protected"]), tuple(map(str, checks.get("contexts") or ())))
