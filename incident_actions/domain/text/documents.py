"""Read YAML, from a file of its own or from the front matter of a Markdown page, as plain data.

Texts that are too long or too deeply nested are refused.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any

import yaml
from markdown_it import MarkdownIt

from incident_actions.errors import ConfigError

LARGEST = 64 * 1024
"""How many characters a YAML text may have."""
_DEEPEST = 40
_MOST_NODES = 50_000
_LONG = 100
"""Every so many characters of a text count as one more value."""

_FRONT_MATTER = re.compile(
    r"\ufeff?---[ \t]*\r*\n(?P<yaml>.*?)^(?:---|\.\.\.)[ \t]*\r*(?:\n|\Z)",
    re.DOTALL | re.MULTILINE,
)


class _Loader(yaml.SafeLoader):
    """A YAML loader that keeps times and `off` as text, and that has limits.

    The reader of a field decides what a time or `off` means there. YAML 1.1 would read `22:00` as
    the number 1320. The nodes behind an alias count each time that it is used, so that a short text
    can't describe a huge document, neither by many values nor by one long text many times.
    """

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = self._count = 0
        self._sizes: dict[yaml.Node | None, int] = {}

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Read the next node with all nodes below it. Raises `MarkedYAMLError` beyond a limit."""
        alias = self.check_event(yaml.AliasEvent)
        before = self._count
        self._depth += 1
        if self._depth > _DEEPEST:
            raise self._refused("nested too deeply")
        node = super().compose_node(parent, index)
        self._depth -= 1
        self._count += self._sizes.get(node, 1) if alias else 1
        if isinstance(node, yaml.ScalarNode) and not alias:
            self._count += len(node.value) // _LONG
        if self._count > _MOST_NODES:
            raise self._refused("too many values")
        if not alias:
            self._sizes[node] = self._count - before
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping, whose keys are always text."""
        return {str(key): value for key, value in super().construct_mapping(node, deep).items()}

    def _refused(self, problem: str) -> yaml.MarkedYAMLError:
        """The error for an exceeded limit, with the loader's present line and column."""
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
    """A YAML text as plain data. `path` names it in errors.

    Raises `ConfigError`, where possible with line and column, for what is no YAML, for more than
    65,536 characters, 40 levels or 50,000 values.
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
    except (ValueError, RecursionError, LookupError, AttributeError, TypeError) as error:
        # A number with too many digits, or what PyYAML makes of `!!bool maybe` and `!!float _`.
        raise ConfigError(path, [f"can't be read: {error}"]) from None


def split_front_matter(text: str) -> tuple[str, str]:
    """Split a page after its front matter: (front matter with its `---` lines, the rest).

    Without front matter the first part is empty. Nothing is lost: both parts make the whole text.
    """
    front = _FRONT_MATTER.match(text)
    return (text[: front.end()], text[front.end() :]) if front else ("", text)


def without_comments(text: str, *, and_line_ends: bool = False) -> str:
    """A Markdown text without its HTML comments. One that does not end stays. Takes linear time.

    `and_line_ends`: a line end right after a comment goes with it.
    """
    parts, at = [], 0
    while (start := text.find("<!--", at)) >= 0:
        end = text.find("-->", start + 4)
        if end < 0:
            break
        parts.append(text[at:start])
        at = end + 3
        if and_line_ends and text.startswith("\n", at):
            at += 1
    return "".join(parts) + text[at:]


def block_reader() -> MarkdownIt:
    """A reader of Markdown's blocks only. Reading links and emphasis may take quadratic time."""
    return MarkdownIt("commonmark", {"maxNesting": 40}).disable("inline")


def read_front_matter(text: str) -> dict[str, Any] | None:
    """A page's front matter as plain data; None when there is none, or when it is no mapping."""
    front = _FRONT_MATTER.match(text)
    try:
        data = load_yaml(front["yaml"], "front matter") if front else None
    except ConfigError:
        return None
    return data if isinstance(data, dict) else None
