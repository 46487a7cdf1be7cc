"""Markdown as plain text for a terminal: the words and the order stay, the marks go."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, zip_longest

from markdown_it import MarkdownIt
from markdown_it.token import Token

from incident_actions.domain.text.harmless import visible

_READER = MarkdownIt("commonmark", {"html": False}).enable("table")


def plain(markdown: str) -> str:
    """The text of a Markdown document for people at a terminal.

    Headings and paragraphs are lines of their own, entries of lists begin with `-`, columns of
    tables stand below each other. Links keep their address in brackets.
    """
    return visible("\n".join(_lines(_READER.parse(markdown))).strip("\n") + "\n")


def _lines(tokens: Sequence[Token]) -> Iterator[str]:
    """The lines of a document. An empty line stands before each block at the outermost level."""
    for inside, group in groupby(_with_place(tokens), key=lambda found: found[1]):
        part = [token for token, _ in group]
        if inside:
            yield ""
            yield from _columns([*_rows(part)])
            continue
        mark = ""
        for token in part:
            if token.level == 0 and token.nesting >= 0:
                yield ""
            if token.type == "list_item_open":
                mark = f"{token.info}. " if token.info else "- "
            elif token.type in ("fence", "code_block"):
                yield from (f"    {line}" for line in token.content.splitlines())
            elif token.type == "inline":
                indent = "  " * max(0, token.level // 2 - 1)
                yield from (f"{indent}{mark}{line}" for line in _inline(token).split("\n"))
                mark = ""


def _with_place(tokens: Iterable[Token]) -> Iterator[tuple[Token, int]]:
    """Each token with the number of the table that it is in; 0 outside of tables."""
    tables, inside = 0, False
    for token in tokens:
        if token.type == "table_open":
            tables, inside = tables + 1, True
        yield token, tables if inside else 0
        inside = inside and token.type != "table_close"


def _rows(tokens: Iterable[Token]) -> Iterator[list[str]]:
    row: list[str] = []
    for token in tokens:
        if token.type == "tr_open":
            row = []
        elif token.type == "inline":
            row.append(_inline(token).replace("\n", " "))
        elif token.type == "tr_close":
            yield row


def _columns(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """The rows with their cells below each other; a row without any text is left out."""
    widths = [max(map(_width, column)) for column in zip_longest(*rows, fillvalue="")]
    for row in filter(any, rows):
        cells = (
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=False)
        )
        yield "  ".join(cells).rstrip()


def _width(text: str) -> int:
    """How many columns of a terminal a text takes."""
    wide = sum(unicodedata.east_asian_width(sign) in "WF" for sign in text)
    return len(text) + wide - sum(unicodedata.combining(sign) > 0 for sign in text)


def _inline(token: Token) -> str:
    """The text of a line. What was escaped is as people wrote it."""
    return "".join(_words(token.children or ())).replace("\u200b", "")


def _words(tokens: Iterable[Token]) -> Iterator[str]:
    address, words = "", ""
    for token in tokens:
        text = "\n" if token.type in ("softbreak", "hardbreak") else token.content
        if token.type == "link_open":
            address, words = str(token.attrs.get("href", "")), ""
        elif token.type == "link_close":
            yield f" ({address})" if address.startswith("http") and address != words else ""
            address = ""
        words += text
        yield text
