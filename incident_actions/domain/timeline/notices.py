"""What the bot has to say: one answer to a comment or deed, whatever there is to say of it."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable

from msgspec import Struct

from incident_actions.domain.issue.bot_comments import ANSWERS
from incident_actions.domain.playbook.checklist import ChecklistItem
from incident_actions.domain.timeline import commands as c


class Notice(Struct, frozen=True):
    """Something that the bot has to say. `kind` and `key` together are said once.

    kind: `reply` answers one comment or deed, with all that there is to say of it: the lines that
    were not taken, the checks that are missing before it may close, the pages that were asked
    for. `refused` tells somebody, once, that they may not command. Those of reports and of
    security matters have kinds of their own.
    """

    kind: str
    key: str
    to: str = ""
    lines: tuple[c.Misread, ...] = ()
    checks: tuple[ChecklistItem, ...] = ()
    pages: tuple[RequestedPage, ...] = ()
    text: str = ""


class RequestedPage(Struct, frozen=True):
    """A page that somebody asked for: of `help` or of the `runbook`s. No topic: all commands."""

    kind: str
    topic: str


def reply(
    source: str,
    to: str,
    lines: Iterable[c.Misread] = (),
    checks: Iterable[ChecklistItem] = (),
    pages: Iterable[RequestedPage] = (),
) -> Notice | None:
    """The one answer to a comment or deed; None when there is nothing to say.

    The key changes with what is said, so that an edited comment gets an answer of its own.
    """
    parts = (tuple(lines), tuple(checks), tuple(pages))
    if not any(parts):
        return None
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:8]
    return Notice("reply", f"{source}.{digest}", to, *parts)


def name_of(notice: Notice) -> str:
    """The name of the comment that a notice becomes: `KIND KEY`."""
    return f"{notice.kind} {notice.key}"


def unposted(notices: Iterable[Notice], posted: Collection[str]) -> tuple[Notice, ...]:
    """The notices whose comment was never posted; `posted` are the names of those that were."""
    return tuple(notice for notice in notices if name_of(notice) not in posted)


def outdated(notices: Iterable[Notice], own: Iterable[str]) -> tuple[str, ...]:
    """Of the bot's comments, by name, the answers to what has since been corrected or deleted."""
    wanted = {name_of(notice) for notice in notices}
    return tuple(name for name in own if name.split(" ", 1)[0] in ANSWERS and name not in wanted)
