"""What GitHub says of one issue, as plain values: the input of the fold."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import IntEnum, StrEnum

from msgspec import Struct


class Permission(IntEnum):
    """What a person may do in the repository, least first.

    https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
    """

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5

    @classmethod
    def named(cls, name: str) -> Permission:
        """`"write"` -> `Permission.WRITE`. Raises `KeyError` for anything else."""
        return cls[name.upper()]


class Actor(Struct, frozen=True):
    """An account. `bot` is GitHub's own word (`type: Bot`), so nobody can claim it."""

    login: str
    bot: bool = False


class Issue(Struct, frozen=True):
    """The issue as it is now. `association` is a hint, never a permission.

    Only a pull request can be a `draft`.
    """

    number: int
    title: str
    body: str
    author: Actor
    association: str
    open: bool
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    url: str
    is_pull_request: bool = False
    comments: int = 0
    draft: bool = False


class Comment(Struct, frozen=True):
    """A comment as it is now; `updated_at` is later than `created_at` once it was edited.

    `thumbs_up` are those of everybody.
    """

    id: int
    author: Actor
    body: str
    created_at: datetime
    updated_at: datetime
    thumbs_up: int = 0


class EventKind(StrEnum):
    """The events of GitHub's timeline that mean something to an incident."""

    LABELED = "labeled"
    UNLABELED = "unlabeled"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    CLOSED = "closed"
    REOPENED = "reopened"
    RENAMED = "renamed"
    CROSS_REFERENCED = "cross-referenced"


class TimelineEvent(Struct, frozen=True):
    """Something that happened to the issue.

    `subject` is the label's name, the assignee's login or the new title; for a reference it is
    the other issue's or pull request's number, with its `author`, `title` and `body`, whether it
    is a `pull_request`, and when it was `merged_at`.
    """

    id: int
    kind: EventKind
    actor: Actor
    at: datetime
    subject: str = ""
    author: Actor | None = None
    title: str = ""
    body: str = ""
    pull_request: bool = False
    merged_at: datetime | None = None


class Deployment(Struct, frozen=True):
    """A deployment that GitHub was told of. `sha` is the full commit."""

    id: int
    at: datetime
    by: str
    sha: str
    environment: str


class Observation(Struct, frozen=True):
    """One issue with its history in order, and what the people in it may do."""

    issue: Issue
    history: tuple[Comment | TimelineEvent, ...]
    permissions: Mapping[str, Permission]
    bot: str
