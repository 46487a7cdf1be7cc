"""YAML, alone or as the front matter of a Markdown page, as plain data and within limits."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml

from incident_actions.errors import ConfigError

LARGEST = 64 * 1024
"""Characters that a YAML text may have."""
_DEEPEST = 40
_MOST_NODES = 50_000

_FRONT_MATTER = re.compile(
    r"\ufeff?---[ \t]*\r*\n(?P<yaml>.*?)^(?:---|\.\.\.)[ \t]*\r*(?:\n|\Z)",
    re.DOTALL | re.MULTILINE,
)


class _Loader(yaml.SafeLoader):
    """Plain data. A time, and `off`, stay the text that was typed: a field says what it wants.

    `22:00` is a time, too, though old YAML takes it for the number 1320. What an alias stands for
    counts each time, so that a short text can't describe a huge document.
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = self._count = 0
        self._sizes: dict[yaml.Node | None, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """The next node, read with those below it."""
        alias = self.check_event(yaml.AliasEvent)
        before = self._count
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._refused("nested too deeply")
        node = super().compose_node(parent, index)
        self._depth -= 1
        self._count += self._sizes.get(node, 1) if alias else 1
        if self._count > _MOST_NODES:
            raise self._refused("too many values")
        if not alias:
            self._sizes[node] = self._count - before
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping, whose keys are text whatever they look like."""
        return {str(key): each for key, each in super().construct_mapping(node, deep).items()}

    def _refused(self, problem: str) -> yaml.MarkedYAMLError:
        return yaml.MarkedYAMLError(problem=problem, problem_mark=self.get_mark())


_Loader.yaml_implicit_resolvers = {
    first: [rule for rule in resolvers if not rule[0].endswith((":timestamp", ":bool", ":int"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|false)$", re.IGNORECASE), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)


def load_yaml(text: str, path: str) -> Any:
    """YAML as plain data. Raises `ConfigError` that names line and column.

    Refused as well: more than 64 KiB, more than 40 levels, and aliases that multiply.
    """
    if len(text) > LARGEST:
        raise ConfigError(path, [f"is longer than {LARGEST // 1024} KiB"])
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        what = getattr(error, "problem", None) or "no YAML"
        raise ConfigError(path, [f"{where}{what}"]) from None
    except (ValueError, RecursionError) as error:  # a number beyond all bounds
        raise ConfigError(path, [f"can't be read: {error}"]) from None


def split_front_matter(text: str) -> tuple[str, str]:
    """A page's front matter, with the lines that enclose it, and the rest; together the text."""
    found = _FRONT_MATTER.match(text)
    return (text[: found.end()], text[found.end() :]) if found else ("", text)


def read_front_matter(text: str) -> dict[str, Any] | None:
    """A page's front matter as plain data; None when there is none, or when it is no mapping."""
    found = _FRONT_MATTER.match(text)
    try:
        data = load_yaml(found["yaml"], "front matter") if found else None
    except ConfigError:
        return None
    return data if isinstance(data, dict) else None
