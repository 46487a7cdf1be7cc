"""Short names, made of free text or typed as such; and path globs, as in a `.gitignore`.

Globs are read by pathspec (https://python-path-specification.readthedocs.io): `*` stays within a
folder, `**` goes through them; `!` for exceptions and `[a-z]` for characters are not understood,
as in a CODEOWNERS file.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}")


def slug(text: str, longest: int = 40, otherwise: str = "item") -> str:
    """Free text as one word that people can type: `Quiet weekend!` -> `quiet-weekend`.

    ASCII letters, digits and hyphens, `longest` characters at most; `otherwise` when none is left.
    """
    words = re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")
    return words[:longest].strip("-") or otherwise


def read_name(text: str) -> str | None:
    """A name that somebody typed, lower case: letters, digits, `.`, `_`, `-`; None for others.

    Quotes around it are left out, and several words are joined by `-`.
    """
    name = re.sub(r"\s+", "-", text.strip().strip("`\"'").casefold())
    return name if _NAME.fullmatch(name) else None


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


def as_code(word: str) -> str:
    """A word of somebody's that can stand inside a code span."""
    return word.replace("`", "'").replace("\n", " ")[:60]
