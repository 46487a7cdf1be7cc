"""Changes a YAML text at single places and keeps every other character: comments, quotes, layout.

PyYAML tells where each value stands; a change is text that is put in there. That a change
means what was intended, and nothing more, is for `proven` to say.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml
from msgspec import Struct

from incident_actions.domain.text.documents import load_yaml
from incident_actions.errors import ConfigError

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

    def find(self, *path: str | int) -> Place:
        """The value below these keys and items. Raises `EditRefused` when it is not there."""
        if self._root is None:
            raise EditRefused("it is empty")
        place = Place(self._root)
        for step in path:
            node, found = place.node, None
            if isinstance(node, yaml.MappingNode):
                found = next((Place(v, key) for key, v in node.value if key.value == step), None)
            elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
                found = Place(node.value[step]) if step < len(node.value) else None
            if found is None:
                raise EditRefused(f"`{step}` does not stand where it was looked for")
            place = found
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

    def remark(self, place: Place, remark: str, ours: re.Pattern[str]) -> None:
        """Write a comment behind a single word, where there is none or one that `ours` matches.

        A comment of somebody else's stays, and so does a line on which more than this word stands.
        """
        start = place.node.end_mark.index
        end = self._text.find("\n", start)
        rest = self._text[start : len(self._text) if end < 0 else end].removesuffix("\r")
        found = re.fullmatch(r"[ \t]*(?:[ \t]# *(.*))?", rest)
        if found and (not found[1] or ours.match(found[1])):
            self._pieces.append((start, start + len(rest), f" # {remark}"))

    def cut(self, place: Place) -> None:
        """Take out a key with its value. Raises `EditRefused` when it does not begin its line."""
        if place.key is None:
            raise EditRefused("it has no key")
        start = self._text.rfind("\n", 0, place.key.start_mark.index) + 1
        end = self._text.find("\n", _end(place.node))
        if self._text[start : place.key.start_mark.index].strip(" "):
            raise EditRefused("other things stand on its line")
        self._pieces.append((start, len(self._text) if end < 0 else end + 1, ""))

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

    def to_mapping(self, place: Place, key: str, value: Any) -> None:
        """Make a mapping of a word, or a list of words, in which one key has a value.

        The other words become keys without one. Raises `EditRefused` for what is neither.
        """
        node, told = place.node, f"{key}: {flow(value)}"
        alone = isinstance(node, yaml.ScalarNode)
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not items or not all(isinstance(n, yaml.ScalarNode) and n.value for n in items):
            raise EditRefused("it is no word, and no list of words")
        there, braces = any(n.value == key for n in items), alone or place.flows
        for item in items:
            empty = f": {flow(value)}" if item.value == key else ": {}" if braces else ":"
            more = f", {told}" if item is items[-1] and braces and not there else ""
            end = item.end_mark.index
            self._pieces.append((end, end, empty + more + (" }" if alone else "")))
        start, end = node.start_mark.index, node.end_mark.index
        if alone:
            self._pieces.append((start, start, "{ "))
        elif braces:
            self._pieces += [(start, start + 1, "{"), (end - 1, end, "}")]
        if braces:
            return
        bullet = self._bullet(items[0])
        if not bullet or any(self._bullet(item) != bullet for item in items):
            raise EditRefused("the items are not indented")
        for item in items:
            index = item.start_mark.index
            self._pieces.append((self._text.rfind("-", 0, index), index, ""))
        if not there:
            self._after_line(_end(items[-1]), [" " * bullet + told])

    def set_items(
        self, place: Place, names: Sequence[str], name_of: Callable[[yaml.Node], str]
    ) -> None:
        """Let a list have items of these names, in this order; items that stay keep their text.

        `name_of` gives the name of an item, in lower case. Raises `EditRefused` for what is no
        list, for an empty one, and for one in brackets over several lines that would lose an item.
        """
        items = place.node.value if isinstance(place.node, yaml.SequenceNode) else []
        if not items:
            raise EditRefused("the list is empty, or no list")
        start, end = items[0].start_mark.index, _end(items[-1])
        named, wanted = list(map(name_of, items)), [name.casefold() for name in names]
        new = dict(zip(wanted, map(flow, names), strict=True))
        if not place.flows:
            self._set_lines(items, named, wanted, new)
        elif wanted[: len(named)] == named:
            added = "".join(f", {new[name]}" for name in wanted[len(named) :])
            self._pieces.append((end, end, added))
        elif "\n" in self._text[start:end]:
            raise EditRefused("the list is written in brackets over several lines")
        else:
            texts = (self._text[item.start_mark.index : _end(item)] for item in items)
            texts_of = new | dict(zip(named, texts, strict=True))
            self._pieces.append((start, end, ", ".join(texts_of[name] for name in wanted)))

    def _set_lines(
        self,
        items: Sequence[yaml.Node],
        named: Sequence[str],
        wanted: Sequence[str],
        new: Mapping[str, str],
    ) -> None:
        """`set_items` for a list with an item on each line."""
        bullet, end = " " * self._bullet(items[0]) + "- ", self._line_end
        starts = [self._text.rfind("\n", 0, item.start_mark.index) + 1 for item in items]
        last = self._text.find("\n", _end(items[-1]))
        stops = [*starts[1:], len(self._text) if last < 0 else last + 1]
        old = dict(zip(named, map(slice, starts, stops), strict=True))
        lines = [self._text[old[n]] if n in old else bullet + new[n] for n in wanted]
        told = "".join(line if line.endswith("\n") else line + end for line in lines)
        told = told.removesuffix(end) if last < 0 else told
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


def read(text: str) -> dict[str, Any]:
    """A YAML mapping as plain data, in which nothing is shared as by an alias (`*name`).

    Raises `EditRefused` for anything else.
    """
    try:
        document = _unshared(load_yaml(text, "the file"))
    except ConfigError as error:
        raise EditRefused("; ".join(error.problems)) from error
    if not isinstance(document, dict):
        raise EditRefused("it is no mapping")
    return document


def proven(text: str, expected: Mapping[str, Any]) -> str:
    """A changed text. Raises `EditRefused` unless it holds just what is expected (see `read`)."""
    if not _is_same(read(text), expected):
        raise EditRefused("it is written in a way that can't be changed for sure")
    return text


def _is_same(one: Any, other: Any) -> bool:
    """Whether two documents hold the same values, of the same kinds."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_is_same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(_is_same, one, other))
    return bool(one == other)


def _unshared(document: Any) -> Any:
    """A copy of a document in which nothing is in two places."""
    if isinstance(document, dict):
        return {key: _unshared(value) for key, value in document.items()}
    return list(map(_unshared, document)) if isinstance(document, list) else document


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
