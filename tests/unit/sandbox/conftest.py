"""A sandbox with a small repository in it, whose every exchange GitHub's description judges."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest

from incident_actions.sandbox import Sandbox
from tests.support.openapi import watch

REPO = "acme/shop"
SCOPES = {
    "issues": "write",
    "contents": "write",
    "pull-requests": "write",
    "checks": "write",
    "statuses": "write",
    "deployments": "write",
    "actions": "write",
}


class Clock:
    """A clock that moves only when told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 23, 2, 50, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass(frozen=True)
class Reply:
    """What came back."""

    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class Client:
    """A bare HTTP client with one token; `ask` paths begin after the repository."""

    url: str
    token: str | None
    base: str = f"/repos/{REPO}"
    headers: dict[str, str] = field(default_factory=dict)

    def ask(self, method: str, path: str, body: Any = None) -> Reply:
        where = urlsplit(self.url)
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=5)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            payload = None if body is None else json.dumps(body)
            target = where.path + (self.base if path[:1] in ("", "/", "?") else "/") + path
            connection.request(method, target, payload, headers | self.headers)
            answer = connection.getresponse()
            data = answer.read()
            names = {key.lower(): value for key, value in answer.getheaders()}
            return Reply(answer.status, json.loads(data) if data else None, names)
        finally:
            connection.close()

    def get(self, path: str) -> Reply:
        return self.ask("GET", path)

    def post(self, path: str, body: Any = None) -> Reply:
        return self.ask("POST", path, body)

    def patch(self, path: str, body: Any) -> Reply:
        return self.ask("PATCH", path, body)

    def put(self, path: str, body: Any = None) -> Reply:
        return self.ask("PUT", path, body)

    def delete(self, path: str, body: Any = None) -> Reply:
        return self.ask("DELETE", path, body)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def github(clock: Clock) -> Iterator[Sandbox]:
    """A running sandbox; at the end every exchange must have matched the description."""
    with Sandbox(clock=clock) as sandbox:
        sandbox.repository(REPO, labels=["incident", "sev1", "bug"])
        sandbox.user("root", permission={REPO: "admin"})
        sandbox.user("alice", permission={REPO: "write"})
        sandbox.user("tim", permission={REPO: "triage"})
        sandbox.user("mallory")
        for login in ("root", "alice", "tim", "mallory"):
            sandbox.token(f"{login}-token", login)
        sandbox.actions_token("bot-token", REPO, SCOPES)
        wrong = watch(sandbox)
        yield sandbox
        assert wrong == []


@pytest.fixture
def bot(github: Sandbox) -> Client:
    return Client(github.url, "bot-token")


@pytest.fixture
def root(github: Sandbox) -> Client:
    return Client(github.url, "root-token")


@pytest.fixture
def alice(github: Sandbox) -> Client:
    return Client(github.url, "alice-token")


@pytest.fixture
def tim(github: Sandbox) -> Client:
    return Client(github.url, "tim-token")


@pytest.fixture
def mallory(github: Sandbox) -> Client:
    return Client(github.url, "mallory-token")
