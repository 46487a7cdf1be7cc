"""Changes a YAML text at single places and keeps every other character: comments, quotes, layout.

PyYAML tells where each value stands; a change is text that is put in there. Nothing here proves
that a change means what was intended: whoever makes one reads the result and compares
(`is_same`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml
from msgspec import Struct

_PLAIN = re.compile(r"[A-Za-z0-9_./][\w./@-]*", re.ASCII)


class EditRefused(Exception):
    """A text is written in a way that this module does not change. Its message says why."""


class Place(Struct, frozen=True):
    """A value in a YAML text, and where its key stands; at the top of a text there is no key."""

    node: yaml.Node
    key: yaml.Node | None = None

    @property
    def flows(self) -> bool:
        """Whether the value is written in brackets or braces."""
        return bool(getattr(self.node, "flow_style", False))


class YamlEdit:
    """One change of a YAML text. Raises `EditRefused` where the text can't be read."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line_end = "\r\n" if "\r\n" in text else "\n"
        self._pieces: list[tuple[int, int, str]] = []
        try:
            self._root = yaml.compose(text, Loader=yaml.SafeLoader)
        except (yaml.YAMLError, RecursionError, ValueError) as error:
            raise EditRefused("it can't be read as YAML") from error

    def find(self, *path: str) -> Place:
        """The value below these keys. Raises `EditRefused` when it is not there."""
        place = Place(self._root) if self._root is not None else None
        for name in path:
            pairs = place.node.value if place and isinstance(place.node, yaml.MappingNode) else []
            place = next((Place(value, key) for key, value in pairs if key.value == name), None)
            if place is None:
                raise EditRefused(f"`{name}` does not stand where it was looked for")
        if place is None:
            raise EditRefused("it is empty")
        return place

    def result(self) -> str:
        """The text with all changes."""
        text = self._text
        for start, end, piece in sorted(self._pieces, reverse=True):
            text = text[:start] + piece + text[end:]
        return text

    def put_first(self, place: Place, item: Mapping[str, Any], remark: str = "") -> None:
        """Put a mapping before the other items of a list; `remark` is a comment to its first key.

        Raises `EditRefused` for a list that is empty, or that is no list.
        """
        items = place.node.value if isinstance(place.node, yaml.SequenceNode) else []
        if not items:
            raise EditRefused("the list is empty, or no list")
        start = items[0].start_mark.index
        if not place.flows:
            bullet = " " * self._bullet(items[0])
            lines = _block(item, remark)
            self._below(place, [f"{bullet}- {lines[0]}", *(f"{bullet}  {n}" for n in lines[1:])])
            return
        self._pieces.append((start, start, f"{flow(item)},{self._apart(place, items[0], remark)}"))

    def put_key(
        self, place: Place, key: str, value: Any, *, block: bool = False, remark: str = ""
    ) -> None:
        """Put a key before the others of a mapping; with `block`, its value in lines of its own.

        Raises `EditRefused` for a mapping that is empty, or that is none.
        """
        pairs = place.node.value if isinstance(place.node, yaml.MappingNode) else []
        if not pairs:
            raise EditRefused("the mapping is empty, or no mapping")
        first = pairs[0][0].start_mark
        if place.flows:
            apart = self._apart(place, pairs[0][0], remark)
            self._pieces.append((first.index, first.index, f"{key}: {flow(value)},{apart}"))
        else:
            lines = [f"{key}: {flow(value)}"]
            if block:
                lines = [f"{key}:", *_nested(value, remark)]
            self._below(place, [" " * first.column + line for line in lines])

    def add_keys(self, place: Place, values: Mapping[str, str]) -> None:
        """Put keys behind the others of a mapping, whose values are single words or braces.

        Raises `EditRefused` for what is no mapping, or an empty one without braces.
        """
        pairs = place.node.value if isinstance(place.node, yaml.MappingNode) else None
        told = ", ".join(f"{key}: {value}" for key, value in values.items())
        if pairs is None:
            raise EditRefused("it is no mapping")
        if not pairs:
            inside = place.node.start_mark.index + 1
            if self._text[inside - 1 : inside] != "{":
                raise EditRefused("the mapping is empty, and has no braces")
            space = "" if self._text[inside].isspace() else " "
            self._pieces.append((inside, inside, f" {told}{space}"))
        elif place.flows:
            end = _end(pairs[-1][1])
            self._pieces.append((end, end, f", {told}"))
        else:
            column = " " * pairs[0][0].start_mark.column
            lines = [f"{column}{key}: {value}" for key, value in values.items()]
            self._after_line(_end(pairs[-1][1]), lines)

    def fill(self, place: Place, text: str) -> None:
        """Give a key that has no value one. Raises `EditRefused` when it has one."""
        at = place.node.start_mark.index
        if place.node.end_mark.index != at or self._text[at - 1 : at] != ":":
            raise EditRefused("it has a value already")
        self._pieces.append((at, at, f" {text}"))

    def replace(self, place: Place, text: str) -> None:
        """Write a single word, quoted or not, anew. Raises `EditRefused` for anything else."""
        node = place.node
        if not isinstance(node, yaml.ScalarNode) or node.style in ("|", ">"):
            raise EditRefused("it is no single word")
        self._pieces.append((node.start_mark.index, node.end_mark.index, text))

    def join(self, place: Place, item: str) -> None:
        """Put one more word to a list, or make a list of a word and this one.

        Raises `EditRefused` for an empty list, and for what is neither.
        """
        node = place.node
        if isinstance(node, yaml.ScalarNode) and node.value:
            start, end = node.start_mark.index, node.end_mark.index
            self._pieces += [(start, start, "["), (end, end, f", {item}]")]
        elif not isinstance(node, yaml.SequenceNode) or not node.value:
            raise EditRefused("it is no list")
        elif place.flows:
            end = _end(node.value[-1])
            self._pieces.append((end, end, f", {item}"))
        else:
            bullet = " " * self._bullet(node.value[0])
            self._after_line(_end(node.value[-1]), [f"{bullet}- {item}"])

    def set_items(
        self, place: Place, names: Sequence[str], name_of: Callable[[yaml.Node], str]
    ) -> None:
        """Let a list have items of these names, in this order; items that stay keep their text.

        `name_of` gives the name of an item. Raises `EditRefused` for what is no list, for an empty
        one, and for one in brackets over several lines that would lose an item.
        """
        items = place.node.value if isinstance(place.node, yaml.SequenceNode) else []
        if not items:
            raise EditRefused("the list is empty, or no list")
        start, end = items[0].start_mark.index, _end(items[-1])
        named = list(map(name_of, items))
        if place.flows:
            if "\n" in self._text[start:end] and list(names)[: len(named)] != named:
                raise EditRefused("the list is written in brackets over several lines")
            texts = (self._text[item.start_mark.index : _end(item)] for item in items)
            kept = dict(zip(named, texts, strict=True))
            if list(names)[: len(named)] == named:
                added = "".join(f", {flow(name)}" for name in names[len(named) :])
                self._pieces.append((end, end, added))
            else:
                told = ", ".join(kept.get(name, flow(name)) for name in names)
                self._pieces.append((start, end, told))
            return
        column = self._bullet(items[0])
        starts = [self._text.rfind("\n", 0, item.start_mark.index) + 1 for item in items]
        last = self._text.find("\n", end)
        stops = [*starts[1:], len(self._text) if last < 0 else last + 1]
        lines = {n: self._text[a:b] for n, a, b in zip(named, starts, stops, strict=True)}
        told = "".join(
            _ended(lines.get(name, f"{' ' * column}- {flow(name)}"), self._line_end)
            for name in names
        )
        if not self._text[starts[0] : stops[-1]].endswith("\n"):
            told = told.removesuffix(self._line_end)
        self._pieces.append((starts[0], stops[-1], told))

    def _apart(self, place: Place, first: yaml.Node, remark: str) -> str:
        """What stands in brackets between a new first item and the one that was the first."""
        before = self._text[place.node.start_mark.index : first.start_mark.index]
        line = self._line_end + " " * first.start_mark.column
        return f" # {remark}{line}" if remark else line if "\n" in before else " "

    def _bullet(self, item: yaml.Node) -> int:
        """The column of an item's `-`. Raises `EditRefused` when that is on another line."""
        start = item.start_mark.index
        line = self._text[self._text.rfind("\n", 0, start) + 1 : start]
        if not re.fullmatch(r" *-[ \t]+", line):
            raise EditRefused("an item does not stand right behind its `-`")
        return line.index("-")

    def _below(self, place: Place, lines: Sequence[str]) -> None:
        """Put lines right below the line of a key, before any comment that follows."""
        if place.key is None:
            raise EditRefused("it has no key")
        self._after_line(place.key.end_mark.index, lines)

    def _after_line(self, index: int, lines: Sequence[str]) -> None:
        """Put lines below the line in which a character stands."""
        end = self._text.find("\n", index)
        if end < 0:
            self._pieces.append(
                (len(self._text), len(self._text), self._line_end + self._line_end.join(lines))
            )
        else:
            told = "".join(line + self._line_end for line in lines)
            self._pieces.append((end + 1, end + 1, told))


def flow(value: Any) -> str:
    """A value in one line of YAML: words bare where they may be, lists and mappings in braces."""
    if isinstance(value, Mapping):
        told = ", ".join(f"{key}: {flow(each)}" for key, each in value.items())
        return f"{{ {told} }}" if told else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(flow, value))}]"
    if isinstance(value, str) and _PLAIN.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    return json.dumps(value, ensure_ascii=False)


def is_same(one: Any, other: Any) -> bool:
    """Whether two documents hold the same values, of the same kinds."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(is_same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(is_same, one, other))
    return bool(one == other)


def unshared(document: Any) -> Any:
    """A copy of a document in which nothing is in two places, as aliases (`*name`) make it."""
    if isinstance(document, dict):
        return {key: unshared(value) for key, value in document.items()}
    return list(map(unshared, document)) if isinstance(document, list) else document


def _end(node: yaml.Node) -> int:
    """Where the text of a value ends. PyYAML lets a block end where the next thing begins."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    index: int = node.end_mark.index
    return index


def _block(value: Mapping[str, Any], remark: str) -> list[str]:
    """A mapping as lines: one for each key. The first one has the remark."""
    lines = [f"{key}: {flow(each)}" for key, each in value.items()]
    return [f"{lines[0]} # {remark}" if remark else lines[0], *lines[1:]]


def _nested(value: Mapping[str, Any], remark: str) -> list[str]:
    """A mapping as lines, each indented; lists of mappings in it too. `remark` goes to the first
    key in such a list.
    """
    lines = []
    for key, each in value.items():
        if isinstance(each, list) and each and isinstance(each[0], Mapping):
            lines.append(f"  {key}:")
            for item in each:
                first, *rest = _block(item, remark)
                lines += [f"    - {first}", *(f"      {line}" for line in rest)]
        else:
            lines.append(f"  {key}: {flow(each)}")
    return lines


def _ended(text: str, line_end: str) -> str:
    return text if text.endswith("\n") else text + line_end
