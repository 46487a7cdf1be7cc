"""The port's part for postmortems: branches, files, pull requests, checks, sub-issues."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from incident_actions.domain.observation import Issue
from incident_actions.domain.postmortem.pulls import Check, PullRequest, Tip


class Drafts(Protocol):
    """One repository on GitHub. Every method is one request, unless it says more."""

    @property
    def repository(self) -> str:
        """`OWNER/NAME`; no request."""
        ...

    def branch(self, name: str) -> Tip | None:
        """Where a branch stands, or None when there is none."""
        ...

    def branches(self, prefix: str) -> tuple[str, ...]:
        """The names of the branches that begin so."""
        ...

    def content(self, path: str, ref: str) -> bytes | None:
        """A file's bytes on a branch or in a commit, or None."""
        ...

    def commit(self, on: Tip, files: Mapping[str, bytes], message: str) -> str:
        """A commit on top of another that sets these files; gives its SHA. No branch moves.

        Two requests, and one for each file.
        """
        ...

    def empty_commit(self, on: Tip, message: str) -> str:
        """A commit on top of another that changes no file; gives its SHA. No branch moves."""
        ...

    def create_ref(self, ref: str, sha: str) -> None:
        """Create `refs/...`. Raises `Rejected` when it exists: of two runs one succeeds."""
        ...

    def ref(self, ref: str) -> str | None:
        """The SHA that `refs/...` names, or None."""
        ...

    def move_ref(self, ref: str, sha: str) -> None:
        """Move a ref forward. Raises `Rejected` when it has moved elsewhere meanwhile."""
        ...

    def delete_ref(self, ref: str) -> None:
        """Delete a ref. One that is gone already is fine."""
        ...

    def pull(self, number: int) -> PullRequest:
        """A pull request as it is now."""
        ...

    def pulls_of(self, branch: str) -> tuple[PullRequest, ...]:
        """Pull requests from a branch of this repository, newest first, closed ones too."""
        ...

    def pull_files(self, number: int) -> tuple[str, ...]:
        """The paths that a pull request adds or changes; by pages of 100."""
        ...

    def open_pull(self, title: str, branch: str, base: str, body: str) -> PullRequest:
        """Open a draft pull request. Raises `Forbidden` when Actions may not."""
        ...

    def rename_pull(self, number: int, title: str) -> None:
        """Give a pull request another title."""
        ...

    def make_ready(self, pull: PullRequest) -> None:
        """A draft becomes ready for review."""
        ...

    def ask_reviewers(self, number: int, logins: Sequence[str]) -> None:
        """Ask people for a review. Raises `Rejected` when one of them can't be asked."""
        ...

    def check_key(self, name: str, sha: str) -> str | None:
        """The key of the newest check of this name on a commit, or None."""
        ...

    def publish(self, check: Check) -> None:
        """Publish a check. One request for each fifty findings."""
        ...

    def edit_comment(self, comment_id: int, text: str) -> None:
        """Replace a comment's text."""
        ...

    def changed_issues(
        self, since: datetime, labels: Sequence[str] = (), *, pages: int = 10
    ) -> tuple[Issue, ...]:
        """Issues and pull requests that changed since then, the last change first.

        Open and closed ones; by pages of 100, at most so many.
        """
        ...

    def open_pulls(self, label: str) -> tuple[Issue, ...]:
        """Open pull requests with a label, as the list of issues has them; by pages of 100."""
        ...

    def file_action(
        self, title: str, body: str, labels: Sequence[str], assignees: Sequence[str]
    ) -> Issue:
        """Open an issue with labels and assignees."""
        ...

    def edit_action(
        self,
        number: int,
        *,
        title: str | None,
        body: str,
        labels: Sequence[str],
        assignees: Sequence[str],
        state: tuple[str, str] | None,
    ) -> None:
        """Change an issue in one request. `state` is a state and its reason."""
        ...

    def sub_issues(self, number: int) -> tuple[int, ...] | None:
        """The numbers of an issue's sub-issues; None where GitHub has none to offer."""
        ...

    def add_sub_issue(self, parent: int, number: int) -> None:
        """Put an issue under another. Two requests. Raises `Rejected` when there is no room."""
        ...

    def assignable(self, login: str) -> bool:
        """Whether somebody can be assigned in this repository."""
        ...

    def account_exists(self, login: str) -> bool:
        """Whether GitHub knows this login."""
        ...
