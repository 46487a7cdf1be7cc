"""A postmortem's file as lines: read without losing a byte, changed only where it is meant.

Every line keeps its own end (LF or CRLF), so that the text that comes out is the text that went
in but for the lines that were changed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token

from incident_actions.domain.postmortem.actions import Action, box, read_action
from incident_actions.domain.postmortem.link import ACTIONS
from incident_actions.domain.text.documents import read_front_matter, split_front_matter

PROMPT = "\N{WRITING HAND}"
"""A quoted line that begins with this asks somebody to write; it goes when they have."""

_READER = MarkdownIt("commonmark", {"maxNesting": 40})
_PROMPT = re.compile(rf"^\s{{0,3}}>\s*{PROMPT}")


class DocumentSection:
    """A heading of the second level and the lines below it. Lines count from 1; `end` is past."""

    def __init__(self, title: str, line: int, end: int) -> None:
        self.title = title
        self.line = line
        self.end = end


class Document:
    """A Markdown file. `text` is exactly what it was made of."""

    def __init__(self, text: str) -> None:
        self.lines: tuple[str, ...] = tuple(re.findall(r"[^\n]*\n|[^\n]+", text))

    @classmethod
    def from_bytes(cls, data: bytes) -> Document:
        """The document in a file. Bytes that are no UTF-8 survive."""
        return cls(data.decode("utf-8", "surrogateescape"))

    def to_bytes(self) -> bytes:
        """The file's bytes."""
        return self.text.encode("utf-8", "surrogateescape")

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.lines)

    def line(self, number: int) -> str:
        """A line without its end; counted from 1."""
        return self.lines[number - 1].rstrip("\r\n") if 0 < number <= len(self.lines) else ""

    def with_lines(self, changed: Mapping[int, str]) -> Document:
        """The document with some lines replaced; their ends stay as they are."""
        lines = list(self.lines)
        for number, line in changed.items():
            before = lines[number - 1]
            lines[number - 1] = line + before[len(before.rstrip("\r\n")) :]
        return Document("".join(lines))

    @cached_property
    def _front(self) -> int:
        """How many lines the front matter takes, its fences included; 0 when there is none."""
        return len(Document(split_front_matter(self.text)[0]).lines)

    @cached_property
    def front_matter(self) -> Mapping[str, Any] | None:
        """The front matter as plain data; None when there is none, or when it is no mapping."""
        return read_front_matter(self.text)

    def front_line(self, key: str) -> int:
        """The line of the front matter that holds a key; the first line when none does."""
        pattern = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*:")
        lines = range(2, self._front)
        return next((number for number in lines if pattern.match(self.line(number))), 1)

    @cached_property
    def _tokens(self) -> list[Token]:
        """The blocks, by a reader of CommonMark; the front matter is no part of them."""
        lines = [
            "" if number <= self._front else line.rstrip("\r\n").replace("\r", " ")
            for number, line in enumerate(self.lines, start=1)
        ]
        return _READER.parse("\n".join(lines))

    @cached_property
    def sections(self) -> tuple[DocumentSection, ...]:
        """The headings of the first two levels, in order, each with the lines that are its own."""
        found: list[DocumentSection] = []
        tokens = self._tokens
        for index, token in enumerate(tokens):
            if token.type == "heading_open" and token.level == 0 and token.tag in ("h1", "h2"):
                assert token.map is not None
                if found:
                    found[-1].end = token.map[0] + 1
                title = " ".join(tokens[index + 1].content.split())
                found.append(DocumentSection(title, token.map[0] + 1, len(self.lines) + 1))
        return tuple(found)

    def section(self, title: str) -> DocumentSection | None:
        """The section of this title, ignoring case."""
        wanted = title.casefold()
        return next((each for each in self.sections if each.title.casefold() == wanted), None)

    @cached_property
    def prompts(self) -> tuple[int, ...]:
        """The lines that still ask somebody to write."""
        first = self._front + 1
        numbers = range(first, len(self.lines) + 1)
        return tuple(number for number in numbers if _PROMPT.match(self.line(number)))

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """The corrective actions: task list items of their section.

        Boxes below an action are its steps, and boxes in quotes, code, tables and comments are
        text: none of them is an action.
        """
        section = self.section(ACTIONS)
        if section is None:
            return ()
        found = []
        parents: list[bool] = []
        quoted = 0
        for token in self._tokens:
            if token.type == "blockquote_open":
                quoted += 1
            elif token.type == "blockquote_close":
                quoted -= 1
            elif token.type == "list_item_open":
                assert token.map is not None
                number = token.map[0] + 1
                inside = section.line < number < section.end
                line = self.line(number)
                is_task = inside and not quoted and box(line) is not None
                if is_task and not any(parents):
                    action = read_action(line, number)
                    found += [action] if action else []
                parents.append(is_task)
            elif token.type == "list_item_close":
                parents.pop()
        return tuple(found)

    def mentions(self, number: int) -> bool:
        """Whether the section of actions names an issue anywhere, in whatever form."""
        section = self.section(ACTIONS)
        if section is None:
            return True  # without its section nothing can be said to have been removed
        pattern = re.compile(rf"(?:#|/issues/){number}\b")
        return any(pattern.search(line) for line in self.lines[section.line - 1 : section.end - 1])
