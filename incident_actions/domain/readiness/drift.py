"""Files that were written once and belong to the team since: what an upgrade may do to each."""

from __future__ import annotations

import hashlib
from enum import StrEnum


class Drift(StrEnum):
    """How a file stands between three texts: as first written, as it is, as it would be now.

    The values are what people are told.
    """

    NEW = "new in this version"
    MISSING = "missing"
    SAME = "same"
    EDITED = "edited"
    OUTDATED = "outdated"
    CONFLICT = "newer, and changed by you"


def drift(wanted: str, actual: str | None, recorded: str | None) -> Drift:
    """`recorded` is the digest of what was written before; None when nobody knows.

    EDITED: the team changed it, and there is nothing newer. OUTDATED: untouched, and there is.
    CONFLICT: changed by the team, and newer, too.
    """
    if actual is None:
        return Drift.NEW if recorded is None else Drift.MISSING
    if digest(actual) == digest(wanted):
        return Drift.SAME
    if recorded == digest(wanted):
        return Drift.EDITED
    return Drift.OUTDATED if recorded == digest(actual) else Drift.CONFLICT


def digest(text: str) -> str:
    """A short name for a text, whatever its line ends."""
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()[:16]
