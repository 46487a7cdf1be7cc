"""The world that the sandbox plays: users, tokens, repositories, ids, time, deliveries."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from .access import Actor
from .errors import RefusedError
from .model import Label, Record, Repository, User

BOT = "github-actions[bot]"
BOT_ID = 41898282
DEFAULT_LABELS = {
    "bug": "d73a4a",
    "documentation": "0075ca",
    "duplicate": "cfd3d7",
    "enhancement": "a2eeef",
    "good first issue": "7057ff",
    "help wanted": "008672",
    "invalid": "e4e669",
    "question": "d876e3",
    "wontfix": "ffffff",
}


def stamp(moment: datetime) -> str:
    """A moment as GitHub writes it: UTC, to the second."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class World:
    """All state. Nothing here knows HTTP; `lock` is held by whoever reads or changes it."""

    def __init__(
        self,
        clock: Callable[[], datetime],
        api: str = "https://api.github.com",
        html: str = "https://github.com",
    ) -> None:
        self.clock = clock
        self.api = api
        self.html = html
        self.lock = threading.RLock()
        self.users: dict[str, User] = {}
        self.tokens: dict[str, Actor] = {}
        self.repositories: dict[str, Repository] = {}
        self.renamed: dict[str, Repository] = {}
        self.deliveries: list[tuple[str, dict[str, Any]]] = []
        self._last_id = 1_000_000
        self.bot = User(BOT_ID, BOT, "Bot")
        self.users[BOT] = self.bot

    def now(self) -> str:
        """This moment, as GitHub writes it."""
        return stamp(self.clock())

    def next_id(self) -> int:
        """A number that was never used, above all earlier ones."""
        self._last_id += 1
        return self._last_id

    def record(self, user: User, data: dict[str, Any], created_at: str = "") -> Record:
        """A new row by `user`, now unless a time is given."""
        when = created_at or self.now()
        return Record(self.next_id(), when, when, user, data)

    def user(self, login: str, kind: str = "User") -> User:
        """The user of that name, made when new."""
        known = self.users.get(login.lower())
        if known is None:
            known = self.users[login.lower()] = User(self.next_id(), login, kind)
        return known

    def actor(self, token: str | None) -> Actor:
        """Who a token belongs to; nobody without one; 401 for one that is not known."""
        if not token:
            return Actor()
        if token not in self.tokens:
            raise RefusedError(401, "Bad credentials")
        return self.tokens[token]

    def add_token(
        self, token: str, login: str, permissions: Mapping[str, str] | None = None
    ) -> Actor:
        """A person's token; with `permissions` it may do only that, as a fine-grained one."""
        scopes = None if permissions is None else _scopes(permissions)
        actor = self.tokens[token] = Actor(self.user(login), scopes)
        return actor

    def add_workflow_token(self, token: str, repo: str, permissions: Mapping[str, str]) -> Actor:
        """The token of a workflow run in `repo`, with the scopes of its `permissions:` key."""
        actor = self.tokens[token] = Actor(self.bot, _scopes(permissions), repo.lower())
        return actor

    def add_repository(
        self,
        full_name: str,
        *,
        private: bool,
        default_branch: str,
        owner_type: str,
    ) -> Repository:
        """A repository with one empty commit on its default branch."""
        owner, _, name = full_name.partition("/")
        now = self.now()
        repo = Repository(
            self.next_id(), self.user(owner, owner_type), name, private, default_branch, now
        )
        repo.pushed_at = now
        self.repositories[full_name.lower()] = repo
        first = repo.git.commit(repo.git.build({}), (), "Initial commit", login=owner, date=now)
        repo.git.refs[f"refs/heads/{default_branch}"] = first.sha
        return repo

    def add_label(
        self, repo: Repository, name: str, color: str = "ededed", description: str | None = None
    ) -> Label:
        """A label of the repository; the one that is there when only the case differs."""
        key = name.lower()
        if key not in repo.labels:
            default = DEFAULT_LABELS.get(name) == color
            repo.labels[key] = Label(self.next_id(), name, color, description, default)
        return repo.labels[key]

    def find(self, full_name: str) -> Repository | None:
        """The repository of that name, whatever its case."""
        return self.repositories.get(full_name.lower())


def _scopes(permissions: Mapping[str, str]) -> dict[str, str]:
    scopes = {name.replace("-", "_"): level for name, level in permissions.items()}
    return {"metadata": "read", **scopes}
