"""The bot's own comments, known again by the marker that each ends with.

A marker names the kind and the key of a comment. Only comments of the bot's own accounts count:
anybody can type a marker.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable

from msgspec import Struct

from incident_actions.domain.issue.records import Comment

_MARKER = re.compile(r"<!-- incident-actions:(?P<kind>[a-z-]+) (?P<key>\S+) -->\s*\Z")

REMINDER = "reminder"
"""The kind of a reminder. It is remembered by its comment alone: when that goes, it may return."""

ANSWERS = frozenset({"reply", "refused"})
"""Kinds that answer somebody: they go when the comment that they answer goes."""


class BotComments(Struct, frozen=True):
    """The bot's comments on one issue.

    `by_name` holds the oldest comment of each `KIND KEY`. `doubles` holds the others by their id:
    two runs at the same time did not know of each other.
    """

    by_name: dict[str, Comment]
    doubles: dict[int, str]

    def of_kind(self, kind: str) -> dict[str, Comment]:
        """The comments of one kind, by their key."""
        start = f"{kind} "
        return {
            name.removeprefix(start): comment
            for name, comment in self.by_name.items()
            if name.startswith(start)
        }


def marker(kind: str, key: str) -> str:
    """The marker of a comment: an HTML comment, which GitHub does not show."""
    return f"<!-- incident-actions:{kind} {key} -->"


def find_bot_comments(comments: Iterable[Comment], logins: Collection[str]) -> BotComments:
    """The bot's comments among these, which are ordered by age, the oldest first.

    `logins` are the accounts that the bot uses, ignoring case. Other bots may repeat what people
    write, markers too.
    """
    ours = {login.casefold() for login in logins}
    by_name: dict[str, Comment] = {}
    doubles: dict[int, str] = {}
    for comment in comments:
        found = _MARKER.search(comment.body) if comment.author.login.casefold() in ours else None
        if found is None:
            continue
        name = f"{found['kind']} {found['key']}"
        if by_name.setdefault(name, comment) is not comment:
            doubles[comment.id] = name
    return BotComments(by_name, doubles)
