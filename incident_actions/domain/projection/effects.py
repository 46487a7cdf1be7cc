"""Effects: every change that the program can make to GitHub, as a plain value.

Jobs build these values; `reconcile.apply` is the one place that carries them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from msgspec import Struct

from incident_actions.domain.issue.labels import Label
from incident_actions.domain.postmortem.pulls import BranchTip, CheckResult, PullRequest


class Effect(Struct, frozen=True):
    """One change on GitHub.

    When GitHub refuses an `optional` change for good, the run goes on without it.
    """

    optional: ClassVar[bool] = False


class OptionalEffect(Effect, frozen=True):
    """A change that an incident can do without."""

    optional = True


class EditIssue(Effect, frozen=True):
    """Change an issue or a pull request in one request. None leaves a part as it is.

    One request carries everything: a run that is killed leaves all parts old or all parts new.
    `open` False closes the issue; `planned` then says whether it is closed as completed (True) or
    as not planned (False).
    """

    number: int
    title: str | None = None
    body: str | None = None
    labels: tuple[str, ...] | None = None
    assignees: tuple[str, ...] | None = None
    open: bool | None = None
    planned: bool = True


class EditPull(EditIssue, frozen=True):
    """An optional change of a pull request: of its title, labels and assignees."""

    optional = True


class OpenIssue(Effect, frozen=True):
    """Open a new issue, as the bot. The outcome has the new issue's number."""

    title: str
    body: str
    labels: tuple[str, ...]
    assignees: tuple[str, ...] = ()


class CreateLabel(OptionalEffect, frozen=True):
    """Create a label that the repository does not have yet."""

    label: Label


class PostComment(OptionalEffect, frozen=True):
    """Post a comment as the bot on the issue `number`.

    `kind` and `key` go into the comment's marker, so that it is posted only once.
    """

    number: int
    kind: str
    key: str
    text: str


class EditComment(OptionalEffect, frozen=True):
    """Give a comment of the bot's another text."""

    comment_id: int
    text: str


class DeleteComment(OptionalEffect, frozen=True):
    """Delete a comment of the bot's that is not true any more."""

    comment_id: int
    kind: str
    key: str


class AddReaction(OptionalEffect, frozen=True):
    """Put a thumbs up on a comment whose commands were carried out."""

    comment_id: int


class UnlockIssue(OptionalEffect, frozen=True):
    """Unlock the conversation of the issue `number`, so that the bot can comment there."""

    number: int


class LockIssue(OptionalEffect, frozen=True):
    """Lock the conversation of the issue `number`. `reason` is one of GitHub's, or empty."""

    number: int
    reason: str = ""


class StartWatch(OptionalEffect, frozen=True):
    """Start the workflow with this file name as a watch, on this branch."""

    workflow: str
    branch: str


class CommitFiles(Effect, frozen=True):
    """Commit files (by path) to a branch, on top of `parent`.

    `creates` True makes the branch; otherwise it exists, and `parent` is its last commit.
    """

    branch: str
    parent: BranchTip
    files: Mapping[str, bytes]
    message: str
    creates: bool = False


class OpenPull(Effect, frozen=True):
    """Open a draft pull request. The outcome has the pull request."""

    title: str
    branch: str
    base: str
    body: str


class MarkReady(OptionalEffect, frozen=True):
    """Mark a draft pull request as ready for review."""

    pull: PullRequest


class AskReview(OptionalEffect, frozen=True):
    """Ask somebody to review a pull request."""

    number: int
    login: str


class PublishCheck(OptionalEffect, frozen=True):
    """Publish a finished check of a commit."""

    check: CheckResult


class AddSubIssue(OptionalEffect, frozen=True):
    """Make the issue `number` a sub-issue of `parent`."""

    parent: int
    number: int
