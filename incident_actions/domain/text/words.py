"""The words by which people's texts are read, in their languages; the tables are in `words.toml`.

They are a part of the package, as its modules are, and are read once. A table holds lists and
mappings, and texts that are pieces of regular expressions: line ends in them mean nothing, and
`<<name>>` stands for another piece of the same table.
"""

from __future__ import annotations

import pkgutil
import re
import tomllib
from typing import Any, cast

_TABLES = tomllib.loads((pkgutil.get_data(__name__, "words.toml") or b"").decode("utf-8"))


def table(name: str) -> dict[str, Any]:
    """One of the tables."""
    return dict(_TABLES[name])


def piece(name: str, of: str) -> str:
    """A piece of a regular expression, from the table `of`, with all that it refers to."""
    text = "".join(_TABLES[of][name].split("\n"))
    return re.sub(r"<<(\w+)>>", lambda match: piece(match[1], of), text)


class _Late:
    """A regular expression that is compiled when it is first used: most runs need few of them."""

    def __init__(self, name: str, of: str) -> None:
        self._place = name, of

    def __getattr__(self, method: str) -> Any:
        compiled = re.compile(piece(*self._place), re.IGNORECASE)
        for each in ("match", "fullmatch", "search", "finditer", "findall", "sub", "split"):
            setattr(self, each, getattr(compiled, each))
        self.pattern = compiled.pattern
        return getattr(compiled, method)


def pattern(name: str, of: str) -> re.Pattern[str]:
    """A regular expression from the table `of`, that ignores case. Use it by its methods."""
    return cast("re.Pattern[str]", _Late(name, of))
