"""What GitHub says of branches, pull requests and checks, as plain values."""

from __future__ import annotations

from msgspec import Struct

from incident_actions.domain.issue.observation import Actor
from incident_actions.domain.postmortem.lint import LintFinding


class BranchTip(Struct, frozen=True):
    """Where a branch stands: its last commit and that commit's tree, by their SHA."""

    commit: str
    tree: str


class PullRequest(Struct, frozen=True):
    """A pull request as it is now.

    `node` is its id in GraphQL; `head_repository` is None when the fork is gone. `reviewers` are
    those who were asked and have not answered yet.
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

    @property
    def is_from_fork(self) -> bool:
        """Whether its branch lies in another repository."""
        return self.head_repository is None or (
            self.head_repository.casefold() != self.base_repository.casefold()
        )


class CheckResult(Struct, frozen=True):
    """A finished check of a commit, with findings by path. `key` changes with what it says."""

    name: str
    sha: str
    passed: bool
    title: str
    summary: str
    findings: tuple[tuple[str, LintFinding], ...]
    key: str
