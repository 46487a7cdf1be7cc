"""The parser: from the text of a comment to the commands in it.

Only lines that GitHub shows as plain text count, not those in code, quotes or HTML comments. To
tell them apart, markdown-it reads the comment as CommonMark (https://spec.commonmark.org). Nor do
those of a mail that is quoted below a reply by e-mail.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec import Struct

from incident_actions.domain.text.documents import without_comments
from incident_actions.domain.text.mail import attributed, quoted_from
from incident_actions.domain.text.moments import DateOrder
from incident_actions.domain.text.names import as_code
from incident_actions.domain.text.words import pattern, piece, table
from incident_actions.domain.timeline.arguments import Arguments, Mistake, asked, take_time
from incident_actions.domain.timeline.commands import BY_NAME
from incident_actions.domain.timeline.commands.base import Command

_LONGEST_LINE = 4_000
"""Longer lines are cut before reading. No command is that long, and reading takes linear time."""


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
_BLANKS = piece("blanks", of="typography")
"""What looks like nothing, besides a space and a tab, as a range of a regular expression."""
_BLANK = re.compile(f"[{_BLANKS}]")
_SLASH = "/\u2044\u2215\u29f8\uff0f"
"""The characters that look like a slash: some keyboards and editors make them of one."""
_MARKABLE = re.compile(rf"^([ \t]*)(?:[{_BLANKS}][{_BLANKS} \t]*)?[{_SLASH}]")
_SLASH_LINE = re.compile(rf"(?:^|[\r\n])[{_BLANKS} \t]*[{_SLASH}][{_BLANKS} \t]{{0,9}}[^\W\d_]")
_TABBED = re.compile(r"[ ]{0,3}\t")


def may_hold_commands(text: str) -> bool:
    """Whether a text may have commands in it. Quick: a long text without commands costs nothing."""
    return _SLASH_LINE.search(text) is not None


class _Page(Struct, frozen=True):
    """A comment, line by line.

    `lines` are all of them, with LF line ends gone. `commands` are those that begin with `/`, by
    their index in `lines`, that are shown as plain text; `tabbed` those that a tab makes code.
    From the index `end` on it is a quoted mail.
    """

    lines: list[str]
    commands: dict[int, str]
    tabbed: dict[int, str]
    end: int


def slash_lines(source: str) -> list[tuple[int, str]]:
    """The lines that begin with `/` and are shown as plain text: (line number from 1, text).

    Left out are fenced and indented code, inline code that began on an earlier line, quotes, list
    items, HTML comments and HTML blocks, and a mail that is quoted below the comment. A line right
    below a quote counts as the writer's own, though CommonMark adds it to the quote. White space
    that can't be told from none may come before the slash. Never fails.
    """
    return [(index + 1, text) for index, text in _read_page(source).commands.items()]


def _read_page(source: str) -> _Page:
    """Read a comment as Markdown, and find its lines that begin with `/`.

    Each of them gets a mark before the text is read. Those whose mark is at the start of shown text
    are shown as plain text.
    """
    normal = source.replace("\r\n", "\n").replace("\r", "\n").replace("\0", " ")
    normal = normal.replace(_OPEN, "").replace(_CLOSE, "")
    lines = [line[:_LONGEST_LINE] for line in normal.split("\n")]
    marked = [
        _MARKABLE.sub(rf"\g<1>{_OPEN}{index}{_CLOSE}/", line) for index, line in enumerate(lines)
    ]
    tokens = _READER.parse("\n".join(marked))
    shown = [
        numbered
        for token in tokens
        if token.type == "inline"
        for line in _shown(token.children or [])
        if (numbered := _unmark(line)) is not None
    ]
    code = _covered(tokens, "fence", "code_block")
    hidden = _covered(tokens, "html_block")
    end = quoted_from(lines, code | hidden)
    tabbed = {
        index: _MARKABLE.sub("/", lines[index]).rstrip()
        for index in sorted(_covered(tokens, "code_block"))
        if _TABBED.match(lines[index]) and _MARKABLE.match(lines[index]) and index < end
    }
    commands = {index: text for index, text in shown if index < end}
    return _Page(lines, commands, tabbed, end)


def _covered(tokens: list[Token], *types: str) -> frozenset[int]:
    """The indexes of the lines that blocks of these types cover."""
    maps = (token.map for token in tokens if token.type in types)
    return frozenset(index for lines in maps if lines for index in range(*lines))


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
    """A marked line as (its index, text without the mark); None for any other line."""
    mark = _MARK.match(line)
    return (int(mark[1]), line[mark.end() :].rstrip()) if mark else None


_COMMAND = pattern("command", of="arguments")
_IN_A_PATH = re.compile(r"/\s{0,3}[\w-]+(?:[/\\@]|[.?=&][\w/])")
"""The beginning of a path or an address: `/var/log`, `/help.md`, `/status?v=1`."""
_ALONE = re.compile(r"[:,.!?;]*(?:\s|$)")
"""What must follow a word that is no command, so that it is answered."""
_MEANT = table("meant")
"""What to type instead of names that people try. The nearest spelling may mean the opposite."""
_SEVERITY_NAME = re.compile(r"(?:sev|severity|p|s)-?([1-3])")
_SEVERAL = re.compile(r"(?:^|[\s;,&])/([A-Za-z]{2,20})\b(?![/.])")
_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}(?:\s?[A-Za-z+][\w:+-]{0,8})?")
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


_TYPOGRAPHY = {
    ord(typed): None if plain == "nothing" else plain
    for plain, characters in table("typographic").items()
    for typed in characters
}


@lru_cache(maxsize=4096)
def read_comment(
    body: str, typed_at: datetime, order: DateOrder | None = None
) -> tuple[TakenLine | MisreadLine, ...]:
    """Every command line of a comment, in order. Never fails, and takes linear time.

    `typed_at` is when the comment was written: `at 14:02` is the last such time before it. `order`
    is the team's order of dates. The text of a command that `goes_on` ends before the next command.
    A line like `/var/log is full` is no command. After `_MOST` commands comes one `MisreadLine`
    that says so. The result is cached, because a run goes through the comments more than once.
    """
    page = _read_page(body)
    found: list[tuple[int, re.Match[str]]] = []
    for index, line in sorted({**page.commands, **page.tabbed}.items()):
        match = _command_in(_as_typed(line))
        if match and (index in page.commands or match["name"].casefold() in BY_NAME):
            found.append((index, match))
        if len(found) > _MOST:
            break
    ends = [index for index, _ in found[1:]] + [page.end]
    lines = [
        _read_tabbed(index, match)
        if index in page.tabbed
        else _read_line(index + 1, match, _below(page, index, end), typed_at, order)
        for (index, match), end in zip(found[:_MOST], ends, strict=False)
    ]
    if len(found) > _MOST:
        reason = f"a comment may hold {_MOST} commands; this one and those after it were left out"
        suggestion = "Post them in a second comment."
        lines.append(MisreadLine(found[_MOST][0] + 1, "…", reason, suggestion))
    return tuple(lines)


def _command_in(line: str) -> re.Match[str] | None:
    """The parts of a line that is meant as a command; None for a path, or a word that is no name.

    After a name of ours anything may follow that makes no path: `/ack;`, `/severity=sev2`.
    """
    match = _COMMAND.match(line)
    if match is None or _IN_A_PATH.match(line):
        return None
    name = match["name"].casefold()
    if name in BY_NAME:
        return match
    if not _ALONE.match(line, match.end("name")):
        return None
    return match if not match["gap"] or _meant(name) else None


def _meant(name: str) -> str:
    """What a word that is no command was probably meant for, as a line; empty when unknown."""
    severity = _SEVERITY_NAME.fullmatch(name)
    if severity:
        return f"/severity sev{severity[1]}"
    if name in _MEANT:
        return str(_MEANT[name]).format(name=name)
    if name in ("sev", "severety"):
        return "/severity"
    near = difflib.get_close_matches(name[:30], BY_NAME, n=1, cutoff=0.6)
    return f"/{near[0]}" if near else ""


def _below(page: _Page, index: int, end: int) -> str:
    """The writer's text below a command's line, down to the line at `end`, as it is shown."""
    lines = page.lines[index + 1 : end]
    lines = lines[: attributed(lines)]
    text = "\n".join(line.rstrip() for line in lines)
    text = without_comments(text, and_line_ends=True) if "<!--" in text else text
    return _plain(text).rstrip()


def _read_tabbed(index: int, match: re.Match[str]) -> MisreadLine:
    """A command behind a tab, which GitHub shows as code: it is answered, but not carried out."""
    typed = f"/{match['name']} {match['text']}".strip()
    reason = "a tab stands before it, so GitHub shows it as code"
    return MisreadLine(index + 1, typed[:_SHOWN], reason, typed[:300])


def _read_line(
    number: int, match: re.Match[str], below: str, typed_at: datetime, order: DateOrder | None
) -> TakenLine | MisreadLine:
    """One command line, `number` in the comment, with the text `below` it."""
    name, mark, text = match["name"].casefold(), match["mark"], match["text"]
    typed = f"/{name}{'?' if '?' in mark else ''} {text}".strip()[:_SHOWN]
    kind = BY_NAME.get(name)
    if kind is None:
        suggestion = _instead(_meant(name), text, typed_at, order)
        return MisreadLine(number, typed, "there is no such command", suggestion)
    try:
        if "?" in mark and kind.decides:
            raise asked(kind.shortest)
        several = _SEVERAL.search(text) if kind.decides else None
        if several and several[1].casefold() in BY_NAME:
            own = text[: several.start()].rstrip(" ,;&").removesuffix("and").rstrip()
            first = f"/{name} {own}".strip()
            reason = f"two commands stand on one line; `/{several[1]}` needs a line of its own"
            raise Mistake(reason, first)
        command, at = _parse(kind, text.strip(), below if kind.goes_on else "", typed_at, order)
    except Mistake as mistake:
        return MisreadLine(number, typed, str(mistake), complete(kind, mistake.suggestion))
    return TakenLine(number, typed, command, at or typed_at, backdated=at is not None)


def _instead(meant: str, text: str, typed_at: datetime, order: DateOrder | None) -> str:
    """The line to type instead of one whose name is none: `meant` with its `text`, if that works.

    `meant` is empty when nothing is known to be meant.
    """
    if not meant or re.search(r"[A-Z]{4}|@user|14:02", meant):
        return meant or "/help"
    line = f"{meant} {text[:300]}".strip()
    match = _COMMAND.match(line)
    read = _read_line(0, match, "", typed_at, order) if match else None
    return read.suggestion if isinstance(read, MisreadLine) else line


def _parse(
    kind: type[Command], text: str, below: str, typed_at: datetime, order: DateOrder | None
) -> tuple[Command, datetime | None]:
    """The command of a line, and the time that was typed with it (None when there is none).

    The time may stand right after the name, or for some commands after the first word of `text`.
    Raises `Mistake`.
    """
    at = None
    if kind.dated:
        text, at = take_time(text, typed_at, order, loose=kind.bare_time)
    if kind.dated and at is None and kind.time_after_word:
        head, _, tail = text.partition(" ")
        try:
            alone = _CLOCK.fullmatch(tail.strip()) is not None
            tail, at = take_time(
                tail.lstrip(), typed_at, order, loose=alone, only_time=kind.is_time
            )
        except Mistake as mistake:
            line = f"/{kind.name} {as_code(head)} {mistake.suggestion}"
            raise Mistake(mistake.reason, line) from None
        text = f"{head} {tail}" if at is not None else text
    return _with_arguments(kind, Arguments(text.strip(), at is not None, below.rstrip())), at


def _with_arguments(kind: type[Command], arguments: Arguments) -> Command:
    """The command with its arguments. A syntax without a space has none, and ignores what's typed
    unless that takes the command back.

    Raises `Mistake`.
    """
    if " " in kind.syntax:
        return kind.read(arguments)
    if kind.decides:
        said = arguments.remark(kind.shortest, sure=False)
        if kind.against and kind.against.match(said):
            raise asked(kind.shortest)
    return kind()


def complete(kind: type[Command], suggestion: str) -> str:
    """A whole line to type instead, made from a `Mistake`'s suggestion.

    Words are put after the command's name. Without a suggestion, the line is the command's syntax;
    or its example when the syntax has choices or optional parts.
    """
    if suggestion.startswith("/"):
        return suggestion
    if not suggestion:
        return kind.example if set("[|") & set(kind.syntax) else kind.syntax
    return f"/{kind.name} {suggestion}"


def _plain(text: str) -> str:
    """The text with typographic spaces, quotes and hyphens replaced by those of a keyboard."""
    return text.translate(_TYPOGRAPHY)


def _as_typed(line: str) -> str:
    """A command line as if typed on a keyboard: nothing invisible, no wide letters in its name."""
    head = re.match(rf"/[\s{_BLANKS}]{{0,3}}\S*", line)
    if head is None or line.isascii():
        return _plain(line)
    name = unicodedata.normalize("NFKC", _BLANK.sub("", _plain(head[0])))
    return name + _plain(line[head.end() :])
