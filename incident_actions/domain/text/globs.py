"""Path globs, as in a `.gitignore`: `*` stays within a folder, `**` goes through them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable


def matches(path: str, globs: Iterable[str]) -> bool:
    """Whether a path fits one of the globs, ignoring case.

    A glob without a slash is about the file's name, in whatever folder it lies.
    """
    return any(_pattern(glob).fullmatch(path) for glob in globs)


@functools.lru_cache(maxsize=512)
def _pattern(glob: str) -> re.Pattern[str]:
    wanted = glob.strip("/") if "/" in glob else f"**/{glob}"
    parts = (_PARTS.get(part, re.escape(part)) for part in _SPLIT.split(wanted) if part)
    return re.compile("".join(parts), re.IGNORECASE | re.DOTALL)


_SPLIT = re.compile(r"(\*\*/|\*\*|\*|\?)")
_PARTS = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
