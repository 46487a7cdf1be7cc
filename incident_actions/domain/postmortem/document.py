"""A postmortem's file as lines, sections and actions.

Only lines that are replaced change: every line keeps its own end (LF or CRLF), and bytes that are
no UTF-8 are kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from markdown_it.token import Token

from incident_actions.domain.postmortem.actions import Action, box, read_action
from incident_actions.domain.postmortem.link import ACTIONS
from incident_actions.domain.text.documents import (
    block_reader,
    read_front_matter,
    split_front_matter,
)

PROMPT = "\N{WRITING HAND}"
"""A quoted line that begins with this is a prompt: people write their text and delete the line."""

_READER = block_reader()
_PROMPT = re.compile(rf"^\s{{0,3}}>\s*{PROMPT}")


class DocumentSection:
    """A heading and the lines below it, up to the next heading.

    `line` is the heading's line, counted from 1. `end` is the line after the section's last one.
    """

    def __init__(self, title: str, line: int, end: int) -> None:
        self.title = title
        self.line = line
        self.end = end


class Document:
    """A Markdown file. `lines` are its lines with their ends; joined, they are exactly its text."""

    def __init__(self, text: str) -> None:
        self.lines: tuple[str, ...] = tuple(re.findall(r"[^\n]*\n|[^\n]+", text))

    @classmethod
    def from_bytes(cls, data: bytes) -> Document:
        """The document in a file's bytes. Bytes that are no UTF-8 are kept, for `to_bytes`."""
        return cls(data.decode("utf-8", "surrogateescape"))

    def to_bytes(self) -> bytes:
        """The file's bytes."""
        return self.text.encode("utf-8", "surrogateescape")

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self.lines)

    def line(self, number: int) -> str:
        """The text of a line, counted from 1, without its end; empty when there is no such line."""
        return self.lines[number - 1].rstrip("\r\n") if 0 < number <= len(self.lines) else ""

    def with_lines(self, changed: Mapping[int, str]) -> Document:
        """The document with some lines replaced: `changed` maps line numbers to new texts.

        Lines keep their ends.
        """
        lines = list(self.lines)
        for number, line in changed.items():
            before = lines[number - 1]
            lines[number - 1] = line + before[len(before.rstrip("\r\n")) :]
        return Document("".join(lines))

    @cached_property
    def _front(self) -> int:
        """How many lines the front matter has, with its `---` lines; 0 when there is none."""
        return len(Document(split_front_matter(self.text)[0]).lines)

    @cached_property
    def front_matter(self) -> Mapping[str, Any] | None:
        """The front matter as plain data; None when there is none, or when it is no mapping."""
        return read_front_matter(self.text)

    def front_line(self, key: str) -> int:
        """The number of the front matter's line with a key; 1 when no line has it."""
        pattern = re.compile(rf"\s*[\"']?{re.escape(key)}[\"']?\s*:")
        lines = range(2, self._front)
        return next((number for number in lines if pattern.match(self.line(number))), 1)

    @cached_property
    def _tokens(self) -> list[Token]:
        """The blocks of the Markdown text. The front matter is read as empty lines."""
        lines = [
            "" if number <= self._front else line.rstrip("\r\n").replace("\r", " ")
            for number, line in enumerate(self.lines, start=1)
        ]
        return _READER.parse("\n".join(lines))

    @cached_property
    def sections(self) -> tuple[DocumentSection, ...]:
        """The sections: one for each heading of the first or second level, in order."""
        sections: list[DocumentSection] = []
        tokens = self._tokens
        for index, token in enumerate(tokens):
            if token.type == "heading_open" and token.level == 0 and token.tag in ("h1", "h2"):
                assert token.map is not None
                if sections:
                    sections[-1].end = token.map[0] + 1
                title = " ".join(tokens[index + 1].content.split())
                sections.append(DocumentSection(title, token.map[0] + 1, len(self.lines) + 1))
        return tuple(sections)

    def section(self, title: str) -> DocumentSection | None:
        """The first section with this title, ignoring case; None when there is none."""
        wanted = title.casefold()
        return next((one for one in self.sections if one.title.casefold() == wanted), None)

    @cached_property
    def prompts(self) -> tuple[int, ...]:
        """The numbers of the lines that are prompts (see `PROMPT`)."""
        first = self._front + 1
        numbers = range(first, len(self.lines) + 1)
        return tuple(number for number in numbers if _PROMPT.match(self.line(number)))

    def is_prompting(self, section: DocumentSection) -> bool:
        """Whether a section still has a prompt."""
        return any(section.line < number < section.end for number in self.prompts)

    @cached_property
    def actions(self) -> tuple[Action, ...]:
        """The corrective actions: the task list items in the section `ACTIONS`.

        Boxes below an action are its steps, not actions. Boxes in quotes, code, tables and comments
        are plain text.
        """
        section = self.section(ACTIONS)
        if section is None:
            return ()
        actions = []
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
                    actions += [action] if action else []
                parents.append(is_task)
            elif token.type == "list_item_close":
                parents.pop()
        return tuple(actions)

    def mentions(self, number: int) -> bool:
        """Whether the section `ACTIONS` names an issue anywhere: as `#57` or by its address.

        True when there is no such section.
        """
        section = self.section(ACTIONS)
        if section is None:
            return True  # without its section nothing can be said to have been removed
        pattern = re.compile(rf"(?:#|/issues/){number}\b")
        return any(pattern.search(line) for line in self.lines[section.line - 1 : section.end - 1])
