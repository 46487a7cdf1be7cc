"""GitHub's JSON as our values: what several parts of the adapter read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from incident_actions.domain.issue.records import Actor, Issue
from incident_actions.errors import Unavailable

Answer = TypeVar("Answer")


def read(reader: Callable[[Any], Answer], raw: Any) -> Answer:
    """Read an answer; one that isn't shaped as documented is GitHub being broken."""
    try:
        return reader(raw)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Unavailable(
            f"GitHub gave an answer that makes no sense ({type(error).__name__}: {error})",
            remedy="Run it again; see https://www.githubstatus.com.",
        ) from None


def issue(raw: Any) -> Issue:
    """https://docs.github.com/en/rest/issues/issues#get-an-issue"""
    return Issue(
        number=int(raw["number"]),
        title=raw["title"],
        body=raw.get("body") or "",
        author=actor(raw.get("user")),
        association=raw.get("author_association") or "NONE",
        open=raw["state"] == "open",
        labels=tuple(label_name(label) for label in raw["labels"]),
        assignees=tuple(user["login"] for user in raw.get("assignees") or []),
        created_at=time(raw["created_at"]),
        updated_at=time(raw["updated_at"]),
        url=raw["html_url"],
        is_pull_request="pull_request" in raw,
        comments=int(raw.get("comments") or 0),
        draft=bool(raw.get("draft")),
    )


def label_name(raw: Any) -> str:
    """A label's name, in either of the shapes that GitHub gives labels."""
    return raw if isinstance(raw, str) else str(raw["name"])


def actor(raw: Any) -> Actor:
    """A deleted account is GitHub's `ghost`."""
    if not raw:
        return Actor("ghost")
    return Actor(raw["login"], bot=raw.get("type") == "Bot")


def time(text: str) -> datetime:
    """An ISO 8601 time with its zone. Raises ValueError."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"a time without zone: {text}")
    return at
