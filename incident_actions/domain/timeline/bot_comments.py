"""The bot's comments as a projection: which should be there, and which are.

Each ends with a marker that names its kind and key. Only the bot's own comments count: anybody
can type a marker.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from incident_actions.domain.issue import labels
from incident_actions.domain.issue.observation import Comment, EventKind, Observation, TimelineEvent
from incident_actions.domain.timeline.notices import Notice

_MARKER = re.compile(r"<!-- incident-actions:(?P<kind>[a-z-]+) (?P<key>\S+) -->\s*\Z")


def marker(kind: str, key: str) -> str:
    """The marker of a comment: an HTML comment, which GitHub doesn't show."""
    return f"<!-- incident-actions:{kind} {key} -->"


def own_comments(observation: Observation) -> Mapping[str, Comment]:
    """The bot's comments by `kind key`. Of doubles the oldest."""
    comments = (item for item in observation.history if isinstance(item, Comment))
    return own_among(comments, *_our_logins(observation))


def own_among(comments: Iterable[Comment], *logins: str) -> Mapping[str, Comment]:
    """The bot's comments among these, oldest first, by `kind key`. Of doubles the oldest.

    `logins` are those that the bot goes by. Other bots repeat what people write, markers too.
    """
    found: dict[str, Comment] = {}
    for name, comment in _marked(comments, logins):
        found.setdefault(name, comment)
    return found


def doubles(observation: Observation) -> Mapping[int, str]:
    """What the bot said again: two runs at the same time didn't know of each other.

    `kind key` by the id of the comment. The oldest of each is no double.
    """
    comments = [item for item in observation.history if isinstance(item, Comment)]
    return doubles_among(comments, *_our_logins(observation))


def doubles_among(comments: Sequence[Comment], *logins: str) -> Mapping[int, str]:
    """The same, of these comments."""
    first = own_among(comments, *logins)
    return {it.id: name for name, it in _marked(comments, logins) if it.id != first[name].id}


def _marked(comments: Iterable[Comment], logins: Sequence[str]) -> Iterator[tuple[str, Comment]]:
    ours = {login.casefold() for login in logins}
    for comment in comments:
        if comment.author.login.casefold() in ours:
            match = _MARKER.search(comment.body)
            if match:
                yield f"{match['kind']} {match['key']}", comment


def _our_logins(observation: Observation) -> tuple[str, ...]:
    """The configured login, and every bot that set a status here, or held the report.

    No other bot does that: so an App's token is known by its deeds, before it is configured.
    """
    found = {observation.bot: None}
    for item in observation.history:
        if isinstance(item, TimelineEvent) and item.kind is EventKind.LABELED and item.actor.bot:
            label = item.subject.casefold()
            if label.startswith(labels.STATUS_PREFIX) or label == labels.NEEDS_CONFIRMATION:
                found[item.actor.login] = None
    return tuple(found)


def name(notice: Notice) -> str:
    """A notice's `kind key`."""
    return f"{notice.kind} {notice.key}"


def unsaid(notices: Iterable[Notice], said: Iterable[str]) -> tuple[Notice, ...]:
    """The notices that were never posted."""
    known = set(said)
    return tuple(notice for notice in notices if name(notice) not in known)


def stale(notices: Iterable[Notice], own: Mapping[str, Comment]) -> tuple[str, ...]:
    """The bot's answers to what has since been corrected or deleted."""
    wanted = {name(notice) for notice in notices}
    return tuple(n for n in own if n.split(" ", 1)[0] in ANSWERS and n not in wanted)


REMINDER = "reminder"
"""The kind of a reminder. It is remembered by its comment alone: when that goes, it may return."""

ANSWERS = frozenset({"reply", "refused"})
"""Kinds that answer somebody: they go when what they answer goes."""
