"""The port to GitHub: what the flows ask and order, in the domain's own terms."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from incident_actions.domain.changes import Pull, Push, Release, WorkflowRun
from incident_actions.domain.labels import Label
from incident_actions.domain.observation import Comment, Deployment, Event, Issue, Permission
from incident_actions.domain.overrides import CheckRun
from incident_actions.domain.projection import EditIssue, OpenIssue
from incident_actions.hub.drafts import Drafts


class Hub(Drafts, Protocol):
    """One repository on GitHub. Every method is one request, unless it says more.

    All raise `errors.GitHubError`; reading something that isn't there raises `errors.NotFound`.
    """

    @property
    def requests(self) -> int:
        """How many requests were made so far, retries not counted."""
        ...

    def issue(self, number: int) -> Issue:
        """The issue as it is now."""
        ...

    def history(self, number: int) -> tuple[Comment | Event, ...]:
        """Comments and events in GitHub's order. One request a hundred entries."""
        ...

    def issues(
        self, *, labels: Sequence[str], state: str = "open", creator: str = ""
    ) -> tuple[Issue, ...]:
        """Issues (no pull requests) with all of these labels, newest first; by pages of 100.

        With `creator` only those of this login.
        """
        ...

    def recent_comments(self, since: datetime) -> tuple[tuple[int, Comment], ...]:
        """The repository's comments since then: (issue, comment), newest first; by pages."""
        ...

    def last_scheduled_run(self, workflow: str) -> datetime | None:
        """When the schedule last started a run of this workflow file; None when it never did."""
        ...

    def permission(self, login: str) -> Permission:
        """What somebody may do here; `NONE` for an unknown login."""
        ...

    def file(self, path: str) -> str | None:
        """A text file on the default branch, or None."""
        ...

    def folder(self, path: str) -> dict[str, str]:
        """The files in a folder of the default branch, each with its blob's hash.

        Empty when there is no such folder.
        """
        ...

    def deployments(self, since: datetime) -> tuple[Deployment, ...]:
        """The deployments since a moment, oldest first, of the newest hundred."""
        ...

    def default_branch(self) -> str:
        """The name of the default branch."""
        ...

    def pushes(self, branch: str) -> tuple[Push, ...]:
        """When a branch moved, and from where to where: the newest hundred, newest first."""
        ...

    def merged_pulls(self, branch: str) -> tuple[Pull, ...]:
        """Pull requests merged into a branch, of the hundred that changed last."""
        ...

    def releases(self) -> tuple[Release, ...]:
        """Published releases, of the newest thirty."""
        ...

    def workflow_runs(self) -> tuple[WorkflowRun, ...]:
        """The newest hundred runs of workflows."""
        ...

    def changed_files(self, base: str, head: str) -> tuple[str, ...] | None:
        """The paths that differ between two commits; None when they are too many to tell."""
        ...

    def check_runs(self, ref: str) -> tuple[CheckRun, ...]:
        """The newest check runs of a commit, at most a hundred."""
        ...

    def notices(self, check_run: int, title: str) -> tuple[str, ...]:
        """The texts of a check run's notices with this title, at most a hundred."""
        ...

    def is_public(self) -> bool:
        """Whether anybody can read the repository."""
        ...

    def quiet_since(self) -> datetime | None:
        """When a public repository was last pushed to; None for one that is not public."""
        ...

    def label_names(self) -> frozenset[str]:
        """The repository's labels, lower case; by pages of 100."""
        ...

    def create_label(self, label: Label) -> None:
        """Create a label. One that exists already is fine."""
        ...

    def edit(self, change: EditIssue) -> None:
        """Change an issue in one request."""
        ...

    def open(self, issue: OpenIssue) -> int:
        """Open an issue; gives its number."""
        ...

    def comment(self, number: int, text: str) -> None:
        """Comment on an issue."""
        ...

    def delete_comment(self, comment_id: int) -> None:
        """Delete a comment. One that is gone already is fine."""
        ...

    def react(self, comment_id: int) -> None:
        """Put a thumbs up on a comment. Once is enough, twice is the same."""
        ...
