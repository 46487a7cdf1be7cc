"""Short names, made of free text or typed as such."""

from __future__ import annotations

import re

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
