"""Path globs, as in a `.gitignore`: `*` stays within a folder, `**` goes through them.

Read by pathspec (https://python-path-specification.readthedocs.io); `!` for exceptions and `[a-z]`
for characters are not understood, as in a CODEOWNERS file.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


def matches(path: str, globs: Iterable[str]) -> bool:
    """Whether a path fits one of the globs, ignoring case.

    A glob without a slash is about the file's name, in whatever folder it lies.
    """
    folded = path.casefold()
    name = folded.rpartition("/")[2]
    return any(fits(folded if "/" in glob else name, glob.casefold()) for glob in globs)


def fits(path: str, glob: str) -> bool:
    """Whether Git would match a path with a glob, case and all: a folder's name fits all in it."""
    return _spec(glob).match_file(path)


@functools.lru_cache(maxsize=512)
def _spec(glob: str) -> GitIgnoreSpec:
    from pathspec import GitIgnoreSpec  # 18 ms to load, and most runs match no path

    return GitIgnoreSpec.from_lines([re.sub(r"([\[\]!#\\])", r"\\\1", glob)])
