"""Branches, pull requests and checks of GitHub's, as plain values."""

from __future__ import annotations

from msgspec import Struct

from incident_actions.domain.issue.observation import Actor
from incident_actions.domain.postmortem.lint import LintFinding


class BranchTip(Struct, frozen=True):
    """The last commit of a branch, and that commit's tree, as SHAs."""

    commit: str
    tree: str


class PullRequest(Struct, frozen=True):
    """A pull request as it is now.

    `node` is its id in GraphQL. `branch` and `sha` are its own branch and last commit; `base` is
    the branch that it goes into. Repositories are `owner/name`; `head_repository` is None when the
    fork was deleted. `reviewers` are the logins of who was asked and has not reviewed yet.
    `lock_reason` is why its conversation is `locked`; empty when nobody said.
    """

    number: int
    node: str
    title: str
    url: str
    author: Actor
    open: bool
    draft: bool
    merged: bool
    branch: str
    sha: str
    head_repository: str | None
    base: str
    base_repository: str
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    reviewers: tuple[str, ...]
    locked: bool = False
    lock_reason: str = ""

    @property
    def is_from_fork(self) -> bool:
        """Whether its branch is in another repository."""
        return self.head_repository is None or (
            self.head_repository.casefold() != self.base_repository.casefold()
        )


class CheckResult(Struct, frozen=True):
    """A finished check of the commit `sha`. `findings` are pairs of a file's path and a finding.

    `key` identifies the content: it changes when the check would say something else.
    """

    name: str
    sha: str
    passed: bool
    title: str
    summary: str
    findings: tuple[tuple[str, LintFinding], ...]
    key: str
