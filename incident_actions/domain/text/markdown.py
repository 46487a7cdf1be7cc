"""Reading a comment as GitHub renders it: which lines are text, and not code, quotes or comments.

Rests on CommonMark (https://spec.commonmark.org), read by markdown-it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

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
