"""The parser: from the text of a comment to the commands in it.

Only lines that GitHub shows as plain text count, not those in code, quotes or HTML comments. To
tell them apart, markdown-it reads the comment as CommonMark (https://spec.commonmark.org).
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
"""Longer lines are cut before reading. No command is that long, and reading takes linear time."""


_SLASH_LINE = re.compile(r"^[^\w\r\n]{0,20}[/\uff0f\u2044\u2215]\s{0,3}[A-Za-z]", re.MULTILINE)


def may_hold_commands(text: str) -> bool:
    """Whether a text may have commands in it. Quick: a long text without commands costs nothing."""
    return _SLASH_LINE.search(text) is not None


def _reader() -> MarkdownIt:
    """The Markdown reader. It knows all blocks, and of inline Markdown only code and HTML.

    Other inline Markdown hides no text. `lheading` is off, so that a line of dashes below a command
    does not make the command a heading. `reference` is off, because the line of a definition would
    be missing from the result.
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
    """The lines that begin with `/` and are shown as plain text: (line number from 1, text).

    Left out are fenced and indented code, inline code that began on an earlier line, quotes, list
    items, HTML comments and HTML blocks. A line right below a quote counts as the writer's own,
    though CommonMark adds it to the quote. Never fails.

    Each line that begins with `/` gets a mark before the text is read as Markdown. The lines whose
    mark is at the start of shown text are the result.
    """
    normal = source.replace("\r\n", "\n").replace("\r", "\n").replace("\0", " ")
    normal = normal.replace(_OPEN, "").replace(_CLOSE, "")
    marked = [
        _MARKABLE.sub(rf"\g<1>{_OPEN}{number}{_CLOSE}/", line[:_LONGEST_LINE])
        for number, line in enumerate(normal.split("\n"), start=1)
    ]
    return [
        numbered
        for token in _READER.parse("\n".join(marked))
        if token.type == "inline"
        for line in _shown(token.children or [])
        if (numbered := _unmark(line)) is not None
    ]


def _shown(children: list[Token]) -> Iterator[str]:
    """The lines of an inline token, given as its children: code spans as typed, without HTML."""
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
    """A marked line as (line number, text without the mark); None for any other line."""
    mark = _MARK.match(line)
    return (int(mark[1]), line[mark.end() :].rstrip()) if mark else None


_COMMAND = re.compile(r"/\s?([A-Za-z][\w-]*)(?=[\s:,.!]|$)[:,.!]*[ \t]*(.*)$")
_SHOWN = 60
"""How many characters of a command line are kept, to show them when it is not carried out."""
_MOST = 50
"""How many commands of one comment are read. No person writes more into one comment."""


class TakenLine(Struct, frozen=True):
    """A command line that was understood.

    `line` is its number in the comment; `typed` is its text, cut. `at` is when it happened: the
    time that was typed with it (`backdated`), else the time of the comment.
    """

    line: int
    typed: str
    command: Command
    at: datetime
    backdated: bool = False


NOT_TYPED = -1
"""The number of a line that is in no comment: an answer of the form, or a label."""


class MisreadLine(Struct, frozen=True):
    """A command line that can't be carried out.

    `line` is its number in the comment, or `NOT_TYPED`. `typed` is its text (cut), `reason` says
    why, and `suggestion` is a whole line to type instead.
    """

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
    """Every command line of a comment, in order. Never fails, and takes linear time.

    `typed_at` is when the comment was written: `at 14:02` is the last such time before it. A line
    like `/var/log is full` is no command. After `_MOST` commands comes one `MisreadLine` that says
    so. The result is cached, because a run goes through the comments more than once.
    """
    lines: list[TakenLine | MisreadLine] = []
    for number, line in slash_lines(body):
        match = _COMMAND.match(_plain(line))
        if match and len(lines) == _MOST:
            reason = (
                f"a comment may hold {_MOST} commands; this one and those after it were left out"
            )
            lines.append(MisreadLine(number, "…", reason, "Post them in a second comment."))
            break
        if match:
            lines.append(_read_line(number, match[1].casefold(), match[2], typed_at))
    return tuple(lines)


def _read_line(number: int, name: str, text: str, typed_at: datetime) -> TakenLine | MisreadLine:
    """One command line: `number` in the comment, `name` after the slash, `text` after the name."""
    typed = f"/{name} {text}".strip()[:_SHOWN]
    kind = BY_NAME.get(name)
    if kind is None:
        near = difflib.get_close_matches(name[:30], BY_NAME, n=1, cutoff=0.6)
        suggestion = f"/{near[0]} {text[:300]}".strip() if near else "/help"
        if re.fullmatch(r"sev-?[1-3]", name):
            suggestion = f"/severity {name.replace('-', '')} {text[:300]}".strip()
        return MisreadLine(number, typed, "there is no such command", suggestion)
    try:
        command, at = _parse(kind, text.strip(), typed_at)
    except Mistake as mistake:
        return MisreadLine(number, typed, str(mistake), _complete(kind, mistake.suggestion))
    return TakenLine(number, typed, command, at or typed_at, backdated=at is not None)


def _parse(kind: type[Command], text: str, typed_at: datetime) -> tuple[Command, datetime | None]:
    """The command of a line, and the time that was typed with it (None when there is none).

    The time may stand right after the name, or for some commands after the first word of `text`.
    Raises `Mistake`.
    """
    if not kind.dated:
        return _with_arguments(kind, Arguments(text.strip())), None
    text, at = _take_time(text, typed_at)
    if at is None and kind.time_after_word:
        head, _, tail = text.partition(" ")
        try:
            tail, at = _take_time(tail.lstrip(), typed_at)
        except Mistake as mistake:
            line = f"/{kind.name} {as_code(head)} {mistake.suggestion}"
            raise Mistake(mistake.reason, line) from None
        text = f"{head} {tail}" if at is not None else text
    return _with_arguments(kind, Arguments(text.strip(), dated=at is not None)), at


def _with_arguments(kind: type[Command], arguments: Arguments) -> Command:
    """The command with its arguments. A syntax without a space has none, and ignores what's typed.

    Raises `Mistake`.
    """
    return kind.read(arguments) if " " in kind.syntax else kind()


def _complete(kind: type[Command], suggestion: str) -> str:
    """A whole line to type instead, made from a `Mistake`'s suggestion.

    Words are put after the command's name. Without a suggestion, the line is the command's syntax;
    or its example when the syntax has choices or optional parts.
    """
    if suggestion.startswith("/"):
        return suggestion
    if not suggestion:
        return kind.example if set("[|") & set(kind.syntax) else kind.syntax
    return f"/{kind.name} {suggestion}"


def _take_time(text: str, typed_at: datetime) -> tuple[str, datetime | None]:
    """As `take_at`. Raises `Mistake` for a time that does not exist or lies in the future."""
    try:
        return take_at(text, typed_at)
    except ValueError as error:
        reason, suggestion = error.args
        raise Mistake(reason, suggestion) from None


def _plain(text: str) -> str:
    """The text with typographic spaces, quotes and hyphens replaced by those of a keyboard."""
    return text.translate(_TYPOGRAPHY)
