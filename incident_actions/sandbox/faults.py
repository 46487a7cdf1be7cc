"""Faults on order: the answers of a half-broken GitHub, at the Nth matching request."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal

Kind = Literal["status", "timeout", "drop", "html", "truncate"]


@dataclass
class Fault:
    """One fault that waits for its turn.

    `match` is a pattern on "METHOD /path" (`*` spans anything), None for every request.
    It strikes `times` matching requests, from the `nth` on. `kind`:
    status: answer `status` with GitHub's error body; html: with an HTML page instead;
    timeout: hold the connection for `seconds`, then close it; drop: reset the connection;
    truncate: cut the answer short. With `after` the request has its effect first.
    """

    match: str | None = None
    nth: int = 1
    status: int = 502
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1
    kind: Kind = "status"
    after: bool = False
    seconds: float = 30.0
    message: str | None = None
    seen: int = 0
    struck: int = 0

    def strikes(self, method: str, path: str) -> bool:
        """Count this request when it matches; whether the fault applies to it."""
        if self.struck >= self.times:
            return False
        if self.match is not None and not fnmatchcase(f"{method} {path}", self.match):
            return False
        self.seen += 1
        if self.seen < self.nth:
            return False
        self.struck += 1
        return True

    def body(self) -> dict[str, str]:
        """The JSON of a status fault."""
        limit = "retry-after" in {name.lower() for name in self.headers} or self.status == 429
        message = "You have exceeded a secondary rate limit." if limit else "Server Error"
        return {
            "message": self.message or message,
            "documentation_url": "https://docs.github.com/rest",
            "status": str(self.status),
        }


HTML = b"<html><head><title>Unicorn!</title></head><body>Something went wrong.</body></html>"
