"""The sandbox as tests and drills hold it: start it, fill it, act in it, break it, count."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Self

from . import moves
from .access import ROLES, Actor
from .errors import RefusedError
from .faults import Fault, Kind
from .git import BLOB
from .model import Repository, User
from .people import Person
from .pulls import HEADS
from .runs import add_run
from .server import Entry, Exchange, Server, Site
from .world import BOT, DEFAULT_LABELS, World, stamp


def _system_clock() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """A stateful GitHub on 127.0.0.1.

    `clock` gives aware datetimes; `latency_ms` is added to each request; `prefix` is the path
    that a GitHub Enterprise server has before its API ("/api/v3"); `html` is where web pages
    would be. Use it as a context manager, or call `start` and `stop`. Without either it still
    holds a world in which people can act.
    """

    def __init__(
        self,
        clock: Callable[[], datetime] = _system_clock,
        latency_ms: float = 0,
        prefix: str = "",
        port: int = 0,
        html: str = "https://github.com",
    ) -> None:
        self.world = World(clock, html=html)
        self.site = Site(self.world, prefix.rstrip("/"), latency_ms)
        self._port = port
        self._server: Server | None = None

    def start(self) -> Self:
        """Listen; `url` is known from here on."""
        self._server = Server(self.site, self._port)
        self.world.api = f"http://127.0.0.1:{self._server.port}{self.site.prefix}"
        self._server.start()
        return self

    def stop(self) -> None:
        """Stop listening, and end every connection."""
        if self._server is not None:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        """Start."""
        return self.start()

    def __exit__(self, *exc: object) -> None:
        """Stop."""
        self.stop()

    @property
    def url(self) -> str:
        """What goes into GITHUB_API_URL."""
        return self.world.api

    # Filling the world -------------------------------------------------------------------

    def repository(
        self,
        full_name: str,
        *,
        private: bool = False,
        default_branch: str = "main",
        labels: Iterable[str] | None = None,
        owner_type: str = "Organization",
    ) -> Repository:
        """A new repository; `labels` None gives GitHub's own nine."""
        with self.world.lock:
            repo = self.world.add_repository(
                full_name,
                private=private,
                default_branch=default_branch,
                owner_type=owner_type,
            )
            for name in DEFAULT_LABELS if labels is None else labels:
                self.world.add_label(repo, name, DEFAULT_LABELS.get(name, "ededed"))
            return repo

    def settings(self, full_name: str, **values: Any) -> None:
        """Switches: actions_create_pulls, workflow_permissions, sub_issues, has_issues,
        required_checks (of the default branch)."""
        settings = self.repo(full_name).settings
        for name, value in values.items():
            if not hasattr(settings, name):
                raise TypeError(f"no such setting: {name}")
            setattr(settings, name, value)

    def repo(self, full_name: str) -> Repository:
        """The record of a repository; KeyError when there is none."""
        found = self.world.find(full_name)
        if found is None:
            raise KeyError(full_name)
        return found

    def user(
        self,
        login: str,
        *,
        permission: Mapping[str, str] | None = None,
        member_of: Iterable[str] = (),
        name: str | None = None,
        kind: str = "User",
    ) -> User:
        """A person with a role per repository (one of ROLES), an organization member or not."""
        with self.world.lock:
            user = self.world.user(login, kind)
            user.name = name or user.name
            user.organizations |= frozenset(one.lower() for one in member_of)
            for full_name, role in (permission or {}).items():
                if role not in ROLES:
                    raise ValueError(f"no such role: {role}")
                self.repo(full_name).roles[login.lower()] = role
            return user

    def rename(self, full_name: str, name: str) -> None:
        """Give a repository another name; the old one redirects."""
        with self.world.lock:
            moves.rename(self.world, self.repo(full_name), name)

    def transfer(self, full_name: str, number: int, to: str, by: str) -> int:
        """`by` transfers an issue to the repository `to`; the answer is its number there."""
        with self.world.lock:
            issue = self.repo(full_name).issues[number]
            actor = Actor(self.world.user(by))
            return moves.transfer(self.world, actor, issue, self.repo(to)).number

    def token(self, token: str, login: str, permissions: Mapping[str, str] | None = None) -> str:
        """A person's token, full or fine-grained; the answer is the token."""
        self.world.add_token(token, login, permissions)
        return token

    def actions_token(self, token: str, repo: str, permissions: Mapping[str, str]) -> str:
        """A workflow's own token, with what its `permissions:` grant; the answer is the token."""
        self.world.add_workflow_token(token, repo, permissions)
        return token

    def file(self, full_name: str, path: str, text: str, branch: str | None = None) -> str:
        """Put a file on a branch without any event; the answer is the commit's SHA."""
        with self.world.lock:
            repo = self.repo(full_name)
            ref = HEADS + (branch or repo.default_branch)
            head = repo.git.refs.get(ref) or repo.git.refs[HEADS + repo.default_branch]
            files = repo.git.files(repo.git.commits[head].tree)
            files.pop(path, None)
            files[path] = (BLOB, repo.git.put_blob(text.encode()))
            made = repo.git.commit(
                repo.git.build(files),
                [head],
                f"Add {path}",
                login=repo.owner.login,
                date=self.world.now(),
            )
            repo.git.refs[ref] = made.sha
            return made.sha

    def workflow(self, full_name: str, path: str, name: str = "", state: str = "active") -> int:
        """A workflow, as Actions lists it; the answer is its id."""
        repo = self.repo(full_name)
        data = {"path": path, "name": name or path, "state": state}
        row = self.world.record(repo.owner, data)
        repo.workflows.append(row)
        return row.id

    def run(
        self,
        full_name: str,
        workflow: str,
        *,
        event: str = "push",
        status: str = "completed",
        conclusion: str | None = "success",
        at: datetime | None = None,
        actor: str = BOT,
        branch: str | None = None,
    ) -> int:
        """A run of the workflow with that file name, started `at`; the answer is its id."""
        repo = self.repo(full_name)
        found = next(
            row for row in repo.workflows if workflow in (row.data["path"], _base(row.data["path"]))
        )
        return add_run(
            self.world,
            repo,
            found,
            self.world.user(actor),
            event=event,
            status=status,
            conclusion=conclusion,
            created_at=stamp(at) if at else "",
            branch=branch,
        )

    def set_run(self, full_name: str, run: int, status: str, conclusion: str = "success") -> None:
        """Let a run go on: `in_progress`, or `completed` with its conclusion."""
        row = next(row for row in self.repo(full_name).runs if row.id == run)
        row.data["status"] = status
        row.data["conclusion"] = conclusion if status == "completed" else None
        row.updated_at = self.world.now()

    def as_user(self, login: str, repo: str | None = None) -> Person:
        """A person at the keyboard, in `repo` (by default the only or first one)."""
        name = repo or next(iter(self.world.repositories.values())).full_name
        return Person(self.site, Actor(self.world.user(login)), name)

    # What came of it ---------------------------------------------------------------------

    @property
    def deliveries(self) -> list[tuple[str, dict[str, Any]]]:
        """(event name, payload) for each event that would start workflows, oldest first."""
        return self.world.deliveries

    @property
    def log(self) -> list[Entry]:
        """Every HTTP request so far."""
        return self.site.log

    def requests(self, write: bool | None = None) -> int:
        """How many HTTP requests: all, only those that write (True), or only reads (False)."""
        return sum(write in (None, entry.writes) for entry in self.site.log)

    def clear_log(self) -> None:
        """Forget the requests so far."""
        self.site.log.clear()

    # Breaking it -------------------------------------------------------------------------

    def fail(
        self,
        match: str | None = None,
        nth: int = 1,
        status: int = 502,
        headers: Mapping[str, str] | None = None,
        times: int = 1,
        kind: Kind = "status",
        after: bool = False,
        seconds: float = 30.0,
        message: str | None = None,
    ) -> Fault:
        """Order a fault; see `Fault` for what each word means."""
        fault = Fault(match, nth, status, headers or {}, times, kind, after, seconds, message)
        with self.world.lock:
            self.site.faults.append(fault)
        return fault

    def clear_faults(self) -> None:
        """Take back every fault."""
        with self.world.lock:
            self.site.faults.clear()

    @property
    def rate_limit(self) -> int | None:
        """Requests per account until 403; None: never."""
        return self.site.rate_limit

    @rate_limit.setter
    def rate_limit(self, value: int | None) -> None:
        self.site.rate_limit = value
        self.site.used.clear()

    @property
    def latency_ms(self) -> float:
        """Milliseconds added to each request."""
        return self.site.latency_ms

    @latency_ms.setter
    def latency_ms(self, value: float) -> None:
        self.site.latency_ms = value

    @property
    def on_exchange(self) -> Callable[[Exchange], None] | None:
        """Called with each exchange that no fault touched, in the thread that serves it."""
        return self.site.on_exchange

    @on_exchange.setter
    def on_exchange(self, hook: Callable[[Exchange], None] | None) -> None:
        self.site.on_exchange = hook


def _base(path: str) -> str:
    return path.rpartition("/")[2]


__all__ = ["RefusedError", "Sandbox"]
