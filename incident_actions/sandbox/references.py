"""Mentions of issues, people and fixes in a text.

See https://docs.github.com/get-started/writing-on-github
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from .model import Event, Issue, Repository, User
from .world import World

# What GitHub does not read for mentions: comments, fenced blocks, code spans.
_UNREAD = re.compile(r"<!--.*?(?:-->|\Z)|^(```|~~~).*?(?:^\1|\Z)|`[^`\n]*`", re.DOTALL | re.M)
_ISSUE = re.compile(r"(?<![\w/#&])((?:[\w.-]+/[\w.-]+)?)#(\d{1,9})\b")
_LINK = re.compile(r"https?://[^\s/]+/([\w.-]+/[\w.-]+)/(?:issues|pull)/(\d{1,9})\b")
_PERSON = re.compile(r"(?<![\w/@.`-])@([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))\b")
_FIX = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+((?:[\w.-]+/[\w.-]+)?)#(\d{1,9})\b", re.I
)


def _issues(world: World, repo: Repository, found: list[tuple[str, str]]) -> Iterator[Issue]:
    seen: set[int] = set()
    for name, number in found:
        home = world.find(name) if name else repo
        issue = home.issues.get(int(number)) if home else None
        if issue is not None and issue.id not in seen:
            seen.add(issue.id)
            yield issue


def mentioned_issues(world: World, repo: Repository, text: str) -> Iterator[Issue]:
    """Issues named as `#12`, `owner/name#12` or by address, outside code."""
    read = _UNREAD.sub(" ", text)
    return _issues(world, repo, _ISSUE.findall(read) + _LINK.findall(read))


def fixed_issues(world: World, repo: Repository, text: str) -> Iterator[Issue]:
    """Issues that a closing keyword (`Fixes #12`) names."""
    return _issues(world, repo, _FIX.findall(_UNREAD.sub(" ", text)))


def note_mentions(world: World, source: Issue, author: User, text: str | None) -> None:
    """Put what a new text mentions on the timelines that it belongs to."""
    if not text or ("#" not in text and "@" not in text and "://" not in text):
        return
    now = world.now()
    for target in mentioned_issues(world, source.repo, text):
        if target is not source and source.id not in target.referenced_by:
            target.referenced_by.add(source.id)
            data = {"source": source}
            target.events.append(Event(world.next_id(), "cross-referenced", author, now, data))
            target.updated_at = now
    for login in dict.fromkeys(_PERSON.findall(_UNREAD.sub(" ", text))):
        user = world.users.get(login.lower())
        if user is not None and user.login not in source.mentioned:
            source.mentioned.add(user.login)
            for event in ("mentioned", "subscribed"):
                source.events.append(Event(world.next_id(), event, user, now))


def mentioned_people(issue: Issue) -> set[str]:
    """Logins, in lower case, that the issue's texts mention."""
    return {login.lower() for login in issue.mentioned}
