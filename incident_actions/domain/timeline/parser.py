"""From the text of a comment to the commands in it."""

from __future__ import annotations

import difflib
import re
from datetime import datetime
from functools import lru_cache

from msgspec import Struct

from incident_actions.domain.text.markdown import slash_lines
from incident_actions.domain.timeline.arguments import Arguments, Mistake, code, plain, take_time
from incident_actions.domain.timeline.commands import BY_NAME
from incident_actions.domain.timeline.commands.base import Command

_COMMAND = re.compile(r"/\s?([A-Za-z][\w-]*)(?=[\s:,.!]|$)[:,.!]*[ \t]*(.*)$")
_MOST = 50
"""Commands read of one comment; a comment with more is no work of a person's."""


class TakenLine(Struct, frozen=True):
    """A line that was understood. `at` is when it happened, which may be backdated.

    `line` is its number in the comment; `typed` is the line, cut, fit for a code span.
    """

    line: int
    typed: str
    command: Command
    at: datetime
    backdated: bool = False


class MisreadLine(Struct, frozen=True):
    """A line that was not taken: what was typed, why not, and what to type instead."""

    line: int
    typed: str
    reason: str
    suggestion: str


@lru_cache(maxsize=4096)
def read_comment(body: str, typed_at: datetime) -> tuple[TakenLine | MisreadLine, ...]:
    """Every command line of a comment, in order. Never fails, in linear time.

    `typed_at` is when the comment was made: `at 14:02` means the nearest past seen from there.
    A line like `/var/log is full` is no command. Nothing is read beyond the limit, and a comment
    is read once in a run, however often its issue's history is gone through.
    """
    found: list[TakenLine | MisreadLine] = []
    for number, line in slash_lines(body):
        match = _COMMAND.match(plain(line))
        if match and len(found) == _MOST:
            reason = (
                f"a comment may hold {_MOST} commands; this one and those after it were left out"
            )
            found.append(MisreadLine(number, "…", reason, "Post them in a second comment."))
            break
        if match:
            found.append(_read_line(number, match[1].casefold(), match[2], typed_at))
    return tuple(found)


def _read_line(number: int, name: str, text: str, typed_at: datetime) -> TakenLine | MisreadLine:
    typed = code(f"/{name} {text}".strip())
    kind = BY_NAME.get(name)
    if kind is None:
        near = difflib.get_close_matches(name[:30], BY_NAME, n=1, cutoff=0.6)
        suggestion = f"/{near[0]} {text[:300]}".strip() if near else "/help"
        if re.fullmatch(r"sev-?[1-3]", name):
            suggestion = f"/severity {name.replace('-', '')} {text[:300]}".strip()
        return MisreadLine(number, typed, "there is no such command", suggestion)
    try:
        command, at = _read(kind, text.strip(), typed_at)
    except Mistake as mistake:
        return MisreadLine(number, typed, str(mistake), _complete(kind, mistake.suggestion))
    return TakenLine(number, typed, command, at or typed_at, backdated=at is not None)


def _read(kind: type[Command], text: str, typed_at: datetime) -> tuple[Command, datetime | None]:
    """The time may stand right after the command, or after its first fixed words."""
    if not kind.dated:
        return kind.read(Arguments(text)), None
    text, at = take_time(text, typed_at)
    if at is None and kind.time_after_word:
        head, _, tail = text.partition(" ")
        try:
            tail, at = take_time(tail.lstrip(), typed_at)
        except Mistake as mistake:
            line = f"/{kind.name} {code(head)} {mistake.suggestion}"
            raise Mistake(mistake.reason, line) from None
        text = f"{head} {tail}" if at is not None else text
    return kind.read(Arguments(text, dated=at is not None)), at


def _complete(kind: type[Command], suggestion: str) -> str:
    """A whole line to type: a suggested word is put behind its command.

    Without one it is the syntax, or where that has choices in it, the example.
    """
    if suggestion.startswith("/"):
        return suggestion
    if not suggestion:
        return kind.example if set("[|") & set(kind.syntax) else kind.syntax
    return f"/{kind.name} {suggestion}"
