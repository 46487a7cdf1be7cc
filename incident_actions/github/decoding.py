"""GitHub's JSON as our values: the readers that several parts of the API need.

A reader may raise KeyError, TypeError, ValueError or AttributeError for an answer of another
shape; `read` turns these into an error of ours.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from incident_actions.domain.issue.observation import Actor, Comment
from incident_actions.errors import Unavailable

Answer = TypeVar("Answer")


def read(reader: Callable[[Any], Answer], raw: Any) -> Answer:
    """What `reader` makes of an answer. Raises `Unavailable` when it has another shape."""
    try:
        return reader(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unavailable(
            f"GitHub gave an answer that makes no sense ({type(error).__name__}: {error})",
            remedy="Run it again; see https://www.githubstatus.com.",
        ) from None


def each(
    reader: Callable[[Any], Answer | None], under: str = ""
) -> Callable[[Any], tuple[Answer, ...]]:
    """A reader of a list, out of a reader of one item that may leave items out (None).

    `under` is the key of the object that the list stands in, if it stands in one.
    """

    def listed(raw: Any) -> tuple[Answer, ...]:
        items = raw[under] if under else raw
        if not isinstance(items, list):
            raise TypeError("no list")
        return tuple(found for item in items if (found := reader(item)) is not None)

    return listed


def comment(raw: Any) -> Comment:
    """A comment, from the timeline or from a list of comments."""
    return Comment(
        id=int(raw["id"]),
        author=actor(raw.get("user") or raw.get("actor")),
        body=raw.get("body") or "",
        created_at=time(raw["created_at"]),
        updated_at=time(raw["updated_at"]),
        thumbs_up=int((raw.get("reactions") or {}).get("+1") or 0),
    )


def label_name(raw: Any) -> str:
    """A label's name, in either of the shapes that GitHub gives labels."""
    return raw if isinstance(raw, str) else str(raw["name"])


def logins(raw: Any) -> tuple[str, ...]:
    """The logins in a list of users, which may be missing."""
    return tuple(user["login"] for user in raw or [])


def number_of(raw: Any) -> int:
    """The number of an issue or a pull request."""
    return int(raw["number"])


def actor(raw: Any) -> Actor:
    """An account. A deleted one has no user any more, and is GitHub's `ghost`."""
    if not raw:
        return Actor("ghost")
    return Actor(raw["login"], bot=raw.get("type") == "Bot")


def time(text: str) -> datetime:
    """An ISO 8601 time with its zone. Raises ValueError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"a time without zone: {text}")
    return at


def stamp(at: datetime) -> str:
    """A moment as GitHub wants it in a question: UTC, whole seconds, `Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
