"""Routes: which handler answers which request, and what the handler may rely on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import unquote, urlencode

from .access import Actor, at_least, need_role, need_scope, need_sight
from .errors import RefusedError, invalid, not_found, unknown_route
from .model import Issue, Pull, Repository
from .moves import redirect
from .world import World, stamp

T = TypeVar("T")
DEFAULT_PAGE, MAX_PAGE = 30, 100


@dataclass
class Answer:
    """A status, a JSON value (None: no body) and further headers."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Call:
    """One request, with what its path names already looked up and its rights checked."""

    world: World
    actor: Actor
    method: str
    path: str
    params: dict[str, str]
    query: dict[str, str]
    body: Any
    found_repo: Repository | None = None
    found_issue: Issue | None = None

    @property
    def repo(self) -> Repository:
        """The repository of the path."""
        assert self.found_repo is not None
        return self.found_repo

    @property
    def issue(self) -> Issue:
        """The issue (or pull request) of the path."""
        assert self.found_issue is not None
        return self.found_issue

    @property
    def pull(self) -> Pull:
        """The pull request part of the issue of the path."""
        assert self.issue.pull is not None
        return self.issue.pull

    def may(self, role: str) -> bool:
        """Whether the actor has that role or more here."""
        return at_least(self.actor, self.repo, role)

    def need(self, role: str) -> None:
        """403 below that role."""
        need_role(self.actor, self.repo, role)

    def has(self, name: str) -> bool:
        """Whether the body carries this field."""
        return isinstance(self.body, dict) and name in self.body

    def value(self, name: str, kind: type[T]) -> T | None:
        """A field of the body; None when absent or null; 422 for another type."""
        value = self.body.get(name) if isinstance(self.body, dict) else None
        if value is None:
            return None
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            wanted = {str: "a string", int: "an integer", list: "an array"}
            raise RefusedError(
                422,
                f"Invalid request.\n\nFor 'properties/{name}', {value!r:.60} is not "
                f"{wanted.get(kind, kind.__name__)}.",
                errors=[],
            )
        return value

    def text(self, name: str) -> str:
        """A string that must be there; 422 otherwise."""
        value = self.value(name, str)
        if value is None:
            message = f'Invalid request.\n\n"{name}" wasn\'t supplied.'
            raise RefusedError(422, message, errors=[])
        return value

    def strings(self, name: str) -> list[str]:
        """A list of strings, or of objects with a `name`; empty when absent."""
        return names_of(name, self.value(name, list) or [])

    def number(self, name: str) -> int:
        """An integer of the path; 404 when it is none."""
        value = self.params[name]
        if not value.isdecimal():
            raise not_found()
        return int(value)

    def choice(self, name: str, options: Sequence[str]) -> str:
        """A query parameter with its first option as default; 422 for an unknown one."""
        value = self.query.get(name, options[0])
        if value not in options:
            raise invalid("Search", name)
        return value

    def since(self, name: str = "since") -> str:
        """A moment in the query as GitHub writes moments; "" when absent."""
        value = self.query.get(name)
        if not value:
            return ""
        try:
            return stamp(datetime.fromisoformat(value))
        except ValueError:
            raise invalid("Search", name) from None

    def listing(self, items: Sequence[T], draw: Callable[[T], Any], under: str = "") -> Answer:
        """One page of items, with the `Link` header; `under` names the list in an object."""
        size = _natural(self.query.get("per_page"), DEFAULT_PAGE, MAX_PAGE)
        page = _natural(self.query.get("page"), 1, 10**9)
        last = max(1, -(-len(items) // size))
        shown = [draw(item) for item in items[(page - 1) * size : page * size]]
        links = {}
        if page > 1:
            links["prev"], links["first"] = min(page - 1, last), 1
        if page < last:
            links["next"], links["last"] = page + 1, last
        headers = {}
        if links:
            headers["Link"] = ", ".join(
                f'<{self._url(page=number)}>; rel="{rel}"' for rel, number in links.items()
            )
        body = {"total_count": len(items), under: shown} if under else shown
        return Answer(200, body, headers)

    def _url(self, page: int) -> str:
        query = {**self.query, "page": str(page)}
        return f"{self.world.api}{self.path}?{urlencode(query)}"


def names_of(field_name: str, values: list[Any]) -> list[str]:
    """Names out of a list of strings or of objects with a `name`."""
    found = [value.get("name") if isinstance(value, dict) else value for value in values]
    names = [name for name in found if isinstance(name, str)]
    if len(names) != len(found):
        message = f"Invalid request.\n\nFor 'properties/{field_name}', not all are strings."
        raise RefusedError(422, message, errors=[])
    return names


def _natural(text: str | None, default: int, most: int) -> int:
    try:
        value = int(text or default)
    except ValueError:
        return default
    return min(value, most) if value > 0 else default


Handler = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """A handler with what it needs: scope of the token, role of the person, query names."""

    method: str
    template: str
    pattern: re.Pattern[str]
    handler: Handler
    scope: str
    level: str
    role: str
    query: frozenset[str]


_ROUTES: list[Route] = []
# These path parameters may hold slashes.
_DEEP = ("path", "ref", "basehead", "branch")
PAGED = ("per_page", "page")


def route(
    name: str,
    *,
    scope: str = "metadata",
    role: str = "read",
    level: str = "",
    query: Sequence[str] = (),
) -> Callable[[Handler], Handler]:
    """Register a handler for "METHOD /path/{name}".

    `scope` is what a limited token needs ("issues|pull_requests": either), at `level`
    "read" or "write", by default what the method does.
    """
    method, _, template = name.partition(" ")

    def segment(match: re.Match[str]) -> str:
        key = match.group(1)
        return f"(?P<{key}>{'.+' if key in _DEEP else '[^/]+'})"

    pattern = re.compile(re.sub(r"\\\{(\w+)\\\}", segment, re.escape(template)))

    def register(handler: Handler) -> Handler:
        needed = level or ("read" if method == "GET" else "write")
        _ROUTES.append(
            Route(method, template, pattern, handler, scope, needed, role, frozenset(query))
        )
        return handler

    return register


def routes() -> list[Route]:
    """All routes, the most literal first."""
    # Late, because each topic imports this module.
    from . import routes as package

    package.load()
    if not _sorted:
        _sorted.extend(
            sorted(_ROUTES, key=lambda one: [part[:1] == "{" for part in _parts(one.template)])
        )
    return _sorted


_sorted: list[Route] = []


def _parts(template: str) -> list[str]:
    # The end counts as a parameter, so that a longer template comes before its own beginning.
    return [*template.split("/"), "{"]


def find(method: str, path: str) -> tuple[Route, dict[str, str]]:
    """The route for a (still percent-encoded) path; 501 when there is none."""
    for one in routes():
        if one.method == method and (match := one.pattern.fullmatch(path)):
            return one, {key: unquote(value) for key, value in match.groupdict().items()}
    raise unknown_route(f"{method} {path}")


def answer(call: Call, one: Route) -> Answer:
    """Look up what the path names, check rights, and let the handler answer."""
    unknown = call.query.keys() - one.query - {"_"}
    if unknown:
        names = ", ".join(sorted(unknown))
        raise unknown_route(f"the query parameter {names} of {one.method} {one.template}")
    if "repo" in call.params:
        full_name = f"{call.params['owner']}/{call.params['repo']}"
        rest = "/".join(["", *call.path.split("/")[4:]])
        renamed = call.world.renamed.get(full_name.lower())
        if renamed is not None:
            raise redirect(call.world, call.method, need_sight(call.actor, renamed), rest)
        repo = call.found_repo = need_sight(call.actor, call.world.find(full_name))
        key = "issue_number" if "issue_number" in call.params else "pull_number"
        if key in call.params:
            issue = repo.issues.get(call.number(key))
            gone = repo.transferred.get(call.number(key))
            if gone is not None:
                rest = "/".join(
                    ["", call.path.split("/")[4], str(gone.number), *call.path.split("/")[6:]]
                )
                raise redirect(call.world, call.method, gone.repo, rest)
            visible = issue is not None and (key == "issue_number" or issue.pull is not None)
            call.found_issue = issue if visible else None
        need_scope(call.actor, repo, one.scope, one.level, call.found_issue)
        if key in call.params and call.found_issue is None:
            raise not_found()
        need_role(call.actor, repo, one.role)
    return one.handler(call)
