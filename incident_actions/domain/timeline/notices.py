"""What the bot has to say: one answer to a comment or manual action, and news of other kinds."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from enum import StrEnum

import msgspec
from msgspec import Struct

from incident_actions.domain.issue.observation import ANSWERS
from incident_actions.domain.playbook.checklist import ChecklistItem
from incident_actions.domain.timeline.commands.pages import RequestedPage
from incident_actions.domain.timeline.parser import MisreadLine


class NoticeKind(StrEnum):
    """What a notice is about. The value is the kind in its comment's marker, and the name of its
    template (`templates/comments/KIND.md.j2`).

    `REPLY` answers one comment or manual action, with all that there is to say of it: the lines
    that were not taken, the checks that are missing before it may close, the pages that were
    asked for. `REFUSED` tells somebody, once, that they may not command.
    """

    REPLY = "reply"
    REFUSED = "refused"
    HELD = "held"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    FREEZE_HELD = "freeze-held"
    FREEZE_ENDED = "freeze-ended"
    FREEZE_UNTIL = "freeze-until"
    NO_ROOM = "no-room"
    PASSED = "passed"
    SCHEDULER = "scheduler"
    SENSITIVE = "sensitive"


class Notice(Struct, frozen=True):
    """Something that the bot has to say. `kind` and `key` together are said once."""

    kind: NoticeKind
    key: str
    to: str = ""
    lines: tuple[MisreadLine, ...] = ()
    checks: tuple[ChecklistItem, ...] = ()
    pages: tuple[RequestedPage, ...] = ()
    text: str = ""


def reply(
    source: str,
    to: str,
    lines: Iterable[MisreadLine] = (),
    checks: Iterable[ChecklistItem] = (),
    pages: Iterable[RequestedPage] = (),
) -> tuple[Notice, ...]:
    """The one answer to a comment or manual action; none when there is nothing to say.

    The key changes with what is said, so that an edited comment gets an answer of its own.
    """
    parts = (tuple(lines), tuple(checks), tuple(pages))
    if not any(parts):
        return ()
    digest = hashlib.sha256(repr(msgspec.to_builtins(parts)).encode()).hexdigest()[:8]
    return (Notice(NoticeKind.REPLY, f"{source}.{digest}", to, *parts),)


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
