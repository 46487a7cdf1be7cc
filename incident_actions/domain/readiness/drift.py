"""How a file that `init` wrote, and that the team may have edited, compares with our newest text.

An upgrade decides by this what it may do with the file.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum


class Drift(StrEnum):
    """How three texts of one file compare: as we first wrote it, as it is, and our newest one.

    The values are shown to people.
    """

    NEW = "new in this version"
    MISSING = "missing"
    SAME = "same"
    EDITED = "edited"
    OUTDATED = "outdated"
    CONFLICT = "newer, and changed by you"
    ANSWERS = "changed by you, with other answers"


def drift(wanted: str, actual: str | None, recorded: str | None) -> Drift:
    """Compare `wanted`, our newest text, with `actual`, the text in the repository.

    `actual` is None when the file is missing. `recorded` is the digest of the text that we wrote
    last; None when it is not known. EDITED: only the team changed the file. OUTDATED: only we did.
    CONFLICT: both changed it, or what we wrote is not known. ANSWERS is for who knows of them: the
    team's text stays, and only an answer to `init` in it is written anew.
    """
    if actual is None:
        return Drift.NEW if recorded is None else Drift.MISSING
    if digest(actual) == digest(wanted):
        return Drift.SAME
    if recorded == digest(wanted):
        return Drift.EDITED
    return Drift.OUTDATED if recorded == digest(actual) else Drift.CONFLICT


def digest(text: str) -> str:
    """Sixteen hex digits that identify a text; LF and CRLF, or no last line end, give the same."""
    lines = text.replace("\r\n", "\n").rstrip("\n")
    return hashlib.sha256(f"{lines}\n".encode()).hexdigest()[:16]
