"""Short names, typed or made from free text; and path globs, as in a CODEOWNERS file.

Globs are read by pathspec (https://python-path-specification.readthedocs.io): `*` matches within
one folder, `**` across folders. Unlike in a `.gitignore`, `!`, `#` and `[a-z]` have no special
meaning.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

LOGIN = "[A-Za-z0-9][A-Za-z0-9-]{0,38}"
"""A GitHub login, as a pattern without ends."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}")


def slug(text: str, longest: int = 40, otherwise: str = "item") -> str:
    """Free text as one word that people can type: `Quiet weekend!` -> `quiet-weekend`.

    It has only ASCII letters, digits and hyphens, and at most `longest` characters. When the text
    has no such letters or digits, the result is `otherwise`.
    """
    name = re.sub(r"[^a-z0-9]+", "-", text.casefold()).strip("-")
    return name[:longest].strip("-") or otherwise


def read_name(text: str) -> str | None:
    """A typed name in lower case: letters, digits, `.`, `_`, `-`. None for any other text.

    Quotes around the name are left out, and several words are joined by `-`.
    """
    name = re.sub(r"\s+", "-", text.strip().strip("`\"'").casefold())
    return name if _NAME.fullmatch(name) else None


if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec


def matches(path: str, globs: Iterable[str]) -> bool:
    """Whether a path matches one of the globs, ignoring case.

    A glob without a slash is compared with the file's name alone.
    """
    folded = path.casefold()
    name = folded.rpartition("/")[2]
    return any(fits(folded if "/" in glob else name, glob.casefold()) for glob in globs)


def fits(path: str, glob: str) -> bool:
    """Whether a path matches a glob as in Git, by case. A folder's glob matches all files in it."""
    return _spec(glob).match_file(path)


@functools.lru_cache(maxsize=512)
def _spec(glob: str) -> GitIgnoreSpec:
    """The matcher of one glob, with the characters escaped that have no special meaning here."""
    from pathspec import GitIgnoreSpec  # 18 ms to load, and most runs match no path

    return GitIgnoreSpec.from_lines([re.sub(r"([\[\]!#\\])", r"\\\1", glob)])


def as_code(word: str) -> str:
    """Somebody's text made safe for a Markdown code span: on one line, without backticks, cut."""
    return word.replace("`", "'").replace("\n", " ")[:60]
