"""What the sandbox remembers. Plain records; times are "2026-11-23T02:50:00Z" strings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .git import Objects


@dataclass(eq=False)
class User:
    """A person, an organization or a bot."""

    id: int
    login: str
    type: str = "User"
    name: str | None = None
    organizations: frozenset[str] = frozenset()


@dataclass(eq=False)
class Label:
    """A label of a repository; names are unique whatever their case."""

    id: int
    name: str
    color: str
    description: str | None
    default: bool = False


@dataclass(eq=False)
class Reaction:
    """One person's emoji on an issue or a comment."""

    id: int
    user: User
    content: str
    created_at: str


@dataclass(eq=False)
class Edit:
    """One version of a text: who saved it, when, and all of it."""

    editor: User
    at: str
    text: str


@dataclass(eq=False)
class Comment:
    """A comment on an issue or pull request."""

    id: int
    issue: Issue
    user: User
    body: str
    created_at: str
    updated_at: str
    reactions: list[Reaction] = field(default_factory=list)
    minimized: str | None = None
    edits: list[Edit] = field(default_factory=list)


@dataclass(eq=False)
class Event:
    """One entry of an issue's timeline; `data` holds what this kind of entry adds."""

    id: int
    event: str
    actor: User
    created_at: str
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(eq=False)
class Review:
    """A review of a pull request."""

    id: int
    user: User
    body: str
    state: str
    commit: str
    submitted_at: str


@dataclass(eq=False)
class Pull:
    """What makes an issue a pull request."""

    head: str
    base: str
    head_sha: str
    base_sha: str
    draft: bool = False
    fork: User | None = None
    merged_at: str | None = None
    merged_by: User | None = None
    merge_commit: str | None = None
    reviewers: list[User] = field(default_factory=list)
    reviews: list[Review] = field(default_factory=list)


@dataclass(eq=False)
class Issue:
    """An issue, or a pull request when `pull` is there; both share one row of numbers."""

    id: int
    number: int
    repo: Repository
    user: User
    title: str
    body: str | None
    created_at: str
    updated_at: str
    state: str = "open"
    state_reason: str | None = None
    closed_at: str | None = None
    closed_by: User | None = None
    locked: bool = False
    lock_reason: str | None = None
    pinned: bool = False
    labels: list[Label] = field(default_factory=list)
    assignees: list[User] = field(default_factory=list)
    comments: list[Comment] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    reactions: list[Reaction] = field(default_factory=list)
    sub_issues: list[Issue] = field(default_factory=list)
    parent: Issue | None = None
    pull: Pull | None = None
    edits: list[Edit] = field(default_factory=list)
    mentioned: set[str] = field(default_factory=set)
    referenced_by: set[int] = field(default_factory=set)
    editor: User | None = None
    edited_at: str | None = None


@dataclass(eq=False)
class Settings:
    """Switches of a repository that the project's programs run into."""

    actions_create_pulls: bool = True
    workflow_permissions: str = "read"
    sub_issues: bool = True
    has_issues: bool = True
    required_checks: tuple[str, ...] = ()


@dataclass(eq=False)
class Record:
    """A row that is stored much as it is shown: a deployment, a release, a run, a check."""

    id: int
    created_at: str
    updated_at: str
    user: User
    data: dict[str, Any]
    parts: list[Record] = field(default_factory=list)


@dataclass(eq=False)
class Repository:
    """A repository with everything in it."""

    id: int
    owner: User
    name: str
    private: bool
    default_branch: str
    created_at: str
    settings: Settings = field(default_factory=Settings)
    roles: dict[str, str] = field(default_factory=dict)
    labels: dict[str, Label] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    git: Objects = field(default_factory=Objects)
    pushed_at: str = ""
    contributors: set[str] = field(default_factory=set)
    deployments: list[Record] = field(default_factory=list)
    environments: dict[str, Record] = field(default_factory=dict)
    releases: list[Record] = field(default_factory=list)
    workflows: list[Record] = field(default_factory=list)
    runs: list[Record] = field(default_factory=list)
    checks: list[Record] = field(default_factory=list)
    statuses: list[Record] = field(default_factory=list)
    activity: list[Record] = field(default_factory=list)
    dispatches: list[dict[str, Any]] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner.login}/{self.name}"
