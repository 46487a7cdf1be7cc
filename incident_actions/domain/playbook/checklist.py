"""The two checklists that teams keep as Markdown: the incident's steps and the recovery checks."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from markdown_it import MarkdownIt
from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.text.documents import split_front_matter
from incident_actions.domain.text.names import slug

_ITEM = re.compile(r"^[-*+] \[[ xX]\]\s+(?P<text>.+)$", re.MULTILINE)
_KEY = re.compile(r"<!--\s*(?:seen|check):\s*(?P<key>[\w.-]+)\s*-->")
_PROBE = re.compile(r"`?probe:\s*(?P<url>https?://[^\s`<>]+)`?")
_COMMENT = re.compile(r"<!--.*?-->")
_NUMBERS = re.compile(r"^(?:\d+[.)]\s*)+")
_READER = MarkdownIt("commonmark")


class ChecklistItem(Struct, frozen=True, omit_defaults=True):
    """One line to tick. `key` names a fact (`seen`) or a check, and may be empty.

    `probe` is an address that the bot asks itself.
    """

    text: str
    key: str
    probe: str | None = None


class ChecklistSection(Struct, frozen=True):
    """A heading and the items under it."""

    title: str
    items: tuple[ChecklistItem, ...]


def read_checklist(
    markdown: str, heading: str = "h2", untitled: str | None = "Checklist"
) -> tuple[ChecklistSection, ...]:
    """The sections of a checklist that hold items. Front matter and fences are left out.

    `heading` is the level of heading that opens a section. Items above the first get the title
    `untitled`, or with None are left out.
    """
    _, text = split_front_matter(markdown.replace("\r\n", "\n"))
    lines = text.split("\n")
    sections: list[ChecklistSection] = []
    title, items = untitled, list[ChecklistItem]()
    for token in _READER.parse(text):
        if token.map is None:
            continue
        if token.type == "heading_open" and token.tag == heading:
            _close(sections, title, items)
            title = _NUMBERS.sub("", lines[token.map[0]].lstrip("# ").strip())
            items = []
        elif token.type == "list_item_open":
            found_item = _ITEM.match(lines[token.map[0]].strip())
            item = _item(found_item["text"]) if found_item else None
            if item is not None and item.text:
                items.append(item)
    _close(sections, title, items)
    return tuple(sections)


def _close(sections: list[ChecklistSection], title: str | None, items: list[ChecklistItem]) -> None:
    if items and title is not None:
        sections.append(ChecklistSection(title or "Checklist", tuple(items)))


def _item(raw: str) -> ChecklistItem:
    key = _KEY.search(raw)
    probe = _PROBE.search(raw)
    text = " ".join(_COMMENT.sub("", _PROBE.sub("", raw)).split())
    return ChecklistItem(
        text=text,
        key=key["key"].casefold() if key else "",
        probe=probe["url"] if probe else None,
    )


def checks(sections: Sequence[ChecklistSection]) -> tuple[ChecklistItem, ...]:
    """The recovery checks of a verification file. One without a key gets its text as one."""
    found: dict[str, ChecklistItem] = {}
    for section in sections:
        for item in section.items:
            key = item.key or slug(item.text)
            found.setdefault(key, replace(item, key=key))
    return tuple(found.values())


def missing(
    wanted: Sequence[ChecklistItem], verified: Collection[str]
) -> tuple[ChecklistItem, ...]:
    """The checks that nobody has verified yet, in the file's order."""
    return tuple(item for item in wanted if item.key not in verified)
