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
    """One change. When GitHub refuses an `optional` one for good, the run goes on without it."""

    optional: ClassVar[bool] = False


class OptionalEffect(Effect, frozen=True):
    """A change that an incident can do without."""

    optional = True


class EditIssue(Effect, frozen=True):
    """One request that changes an issue or a pull request. None leaves a part as it is.

    Body, labels, assignees and state go together, so that a run that is killed leaves all of
    them old or all of them new. `planned` says how an issue is closed: as completed, or as not
    planned.
    """

    number: int
    title: str | None = None
    body: str | None = None
    labels: tuple[str, ...] | None = None
    assignees: tuple[str, ...] | None = None
    open: bool | None = None
    planned: bool = True


class EditPull(EditIssue, frozen=True):
    """The same for what a pull request can do without: its title, labels and assignees."""

    optional = True


class OpenIssue(Effect, frozen=True):
    """A new issue in the bot's name. Its outcome has the new issue's number."""

    title: str
    body: str
    labels: tuple[str, ...]
    assignees: tuple[str, ...] = ()


class CreateLabel(OptionalEffect, frozen=True):
    """A label that the repository does not have yet."""

    label: Label


class PostComment(OptionalEffect, frozen=True):
    """A comment of the bot's. `kind` and `key` identify it, so that it is posted once."""

    number: int
    kind: str
    key: str
    text: str


class EditComment(OptionalEffect, frozen=True):
    """A comment of the bot's gets another text."""

    comment_id: int
    text: str


class DeleteComment(OptionalEffect, frozen=True):
    """A comment of the bot's that no longer holds is deleted."""

    comment_id: int
    kind: str
    key: str


class AddReaction(OptionalEffect, frozen=True):
    """A thumbs up on a comment whose commands were taken."""

    comment_id: int


class CommitFiles(Effect, frozen=True):
    """A commit on top of `parent` that sets these files, by path.

    `creates` says that the branch is new; otherwise it moves forward from `parent`.
    """

    branch: str
    parent: BranchTip
    files: Mapping[str, bytes]
    message: str
    creates: bool = False


class OpenPull(Effect, frozen=True):
    """A new draft pull request. Its outcome has the pull request."""

    title: str
    branch: str
    base: str
    body: str


class MarkReady(OptionalEffect, frozen=True):
    """A draft pull request becomes ready for review."""

    pull: PullRequest


class AskReview(OptionalEffect, frozen=True):
    """Somebody is asked to review a pull request."""

    number: int
    login: str


class PublishCheck(OptionalEffect, frozen=True):
    """A finished check of a commit is published."""

    check: CheckResult


class AddSubIssue(OptionalEffect, frozen=True):
    """An issue becomes a sub-issue of another one."""

    parent: int
    number: int
