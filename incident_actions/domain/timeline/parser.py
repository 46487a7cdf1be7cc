"""From the text of a comment to the commands in it.

A comment is read as GitHub renders it: which lines are text, and not code, quotes or comments. That
rests on CommonMark (https://spec.commonmark.org), read by markdown-it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec import Struct

from incident_actions.domain.text.names import as_code
from incident_actions.domain.text.times import take_at
from incident_actions.domain.timeline.arguments import Arguments, Mistake
from incident_actions.domain.timeline.commands import BY_NAME
from incident_actions.domain.timeline.commands.base import Command

_LONGEST_LINE = 4_000
"""Longer lines are cut before reading: no command is that long, and it keeps reading linear."""


def _reader() -> MarkdownIt:
    """Blocks as in CommonMark; of inline Markdown only what can hide text: code and HTML.

    `lheading` is off, so that a line of dashes under a command doesn't make it a heading;
    `reference` is off because a definition would swallow its line.
    """
    reader = MarkdownIt("commonmark", {"maxNesting": 20})
    reader.disable(["lheading", "reference"])
    inline = {"text", "newline", "escape", "backticks", "html_inline"}
    off = [rule for rule in reader.get_active_rules()["inline"] if rule not in inline]
    reader.disable(off)
    return reader


_READER = _reader()


_OPEN, _CLOSE = "\ue000", "\ue001"
_MARK = re.compile(f"{_OPEN}([0-9]+){_CLOSE}")
_MARKABLE = re.compile(r"^( {0,3})/")


def slash_lines(source: str) -> list[tuple[int, str]]:
    """The lines that begin with `/` and are shown as text: (line number from 1, text).

    Left out: fenced and indented code, inline code that began on an earlier line, quotes, list
    items, HTML comments and blocks. A line right under a quote is the writer's own again, though
    CommonMark would add it to the quote. Never fails.

    Each candidate is marked before reading; the marks that come out as text are the answer.
    """
    normal = source.replace("\r\n", "\n").replace("\r", "\n").replace("\0", " ")
    normal = normal.replace(_OPEN, "").replace(_CLOSE, "")
    marked = [
        _MARKABLE.sub(rf"\g<1>{_OPEN}{number}{_CLOSE}/", line[:_LONGEST_LINE])
        for number, line in enumerate(normal.split("\n"), start=1)
    ]
    return [
        found
        for token in _READER.parse("\n".join(marked))
        if token.type == "inline"
        for line in _shown(token.children or [])
        if (found := _unmark(line)) is not None
    ]


def _shown(children: list[Token]) -> Iterator[str]:
    """The lines of an inline token, code spans put back as typed, HTML left out."""
    line = ""
    for child in children:
        if child.type in ("softbreak", "hardbreak"):
            yield line
            line = ""
        elif child.type == "code_inline":
            line += f"{child.markup}{_MARK.sub('', child.content)}{child.markup}"
        elif child.type != "html_inline":
            line += child.content
    yield line


def _unmark(line: str) -> tuple[int, str] | None:
    mark = _MARK.match(line)
    return (int(mark[1]), line[mark.end() :].rstrip()) if mark else None


_COMMAND = re.compile(r"/\s?([A-Za-z][\w-]*)(?=[\s:,.!]|$)[:,.!]*[ \t]*(.*)$")
_SHOWN = 60
"""Characters of a line that are shown again where it was not taken."""
_MOST = 50
"""Commands read of one comment; a comment with more is no work of a person's."""


class TakenLine(Struct, frozen=True):
    """A line that was understood. `at` is when it happened, which may be backdated.

    `line` is its number in the comment; `typed` is the line, cut.
    """

    line: int
    typed: str
    command: Command
    at: datetime
    backdated: bool = False


class MisreadLine(Struct, frozen=True):
    """A line that was not taken: what was typed (cut), why not, and what to type instead."""

    line: int
    typed: str
    reason: str
    suggestion: str


_TYPOGRAPHY = str.maketrans(
    {
        "\u00a0": " ", "\u202f": " ", "\u2007": " ", "\u200b": None, "\ufeff": None,
        "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'",
        "\u2010": "-", "\u2011": "-", "\u2212": "-",
    }
)  # fmt: skip


@lru_cache(maxsize=4096)
def read_comment(body: str, typed_at: datetime) -> tuple[TakenLine | MisreadLine, ...]:
    """Every command line of a comment, in order. Never fails, in linear time.

    `typed_at` is when the comment was made: `at 14:02` means the nearest past seen from there.
    A line like `/var/log is full` is no command. Nothing is read beyond the limit, and a comment
    is read once in a run, however often its issue's history is gone through.
    """
    found: list[TakenLine | MisreadLine] = []
    for number, line in slash_lines(body):
        match = _COMMAND.match(_plain(line))
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
    typed = f"/{name} {text}".strip()[:_SHOWN]
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
        return _make(kind, Arguments(text.strip())), None
    text, at = _take_time(text, typed_at)
    if at is None and kind.time_after_word:
        head, _, tail = text.partition(" ")
        try:
            tail, at = _take_time(tail.lstrip(), typed_at)
        except Mistake as mistake:
            line = f"/{kind.name} {as_code(head)} {mistake.suggestion}"
            raise Mistake(mistake.reason, line) from None
        text = f"{head} {tail}" if at is not None else text
    return _make(kind, Arguments(text.strip(), dated=at is not None)), at


def _make(kind: type[Command], arguments: Arguments) -> Command:
    return kind.read(arguments) if " " in kind.syntax else kind()


def _complete(kind: type[Command], suggestion: str) -> str:
    """A whole line to type: a suggested word is put behind its command.

    Without one it is the syntax, or where that has choices in it, the example.
    """
    if suggestion.startswith("/"):
        return suggestion
    if not suggestion:
        return kind.example if set("[|") & set(kind.syntax) else kind.syntax
    return f"/{kind.name} {suggestion}"


def _take_time(text: str, typed_at: datetime) -> tuple[str, datetime | None]:
    """Take a leading `at 14:02` or `at 2026-11-23T14:02Z` off: (the rest, the time).

    Times are UTC. A clock time means its nearest past. Raises `Mistake` for a time that does not
    exist or lies in the future.
    """
    try:
        return take_at(text, typed_at)
    except ValueError as error:
        reason, suggestion = error.args
        raise Mistake(reason, suggestion) from None


def _plain(text: str) -> str:
    """Typographic spaces, quotes and hyphens as a keyboard has them."""
    return text.translate(_TYPOGRAPHY)
