"""Recognize an answer that is none: an empty code block, `-`, `tbd`, `N/A`, `not known yet`."""

from __future__ import annotations

import html
import re
import unicodedata

from incident_actions.domain.text.documents import without_comments
from incident_actions.domain.text.words import table

_FENCE = re.compile(
    r"(?P<fence>`{3,}|~{3,})[^\n`]*(?:\n(?P<inner>.*?))?\n?(?P=fence)?\s*", re.DOTALL
)
_NO_RESPONSE = frozenset(table("blank")["no_response"])
"""What GitHub's forms write into a field that was left empty, in its languages."""
_PLACEHOLDERS = frozenset(table("blank")["placeholders"])
"""Words that stand where an answer is still to come."""
_NOTHING_KNOWN = frozenset(table("blank")["nothing_known"])
"""Answers that say that there is none. `none` and `nobody` are answers of their own."""
_TAGS = re.compile(r"</?(?:br|p|hr)\s?/?>", re.IGNORECASE)
_BULLET = re.compile(r"^(?:>\s?)*(?:[-*+•]|[0-9]{1,2}[.)])?\s*(?:\[[ ]?\])?", re.MULTILINE)
_BETWEEN = re.compile(r"\s[-\u2013\u2014]+\s|[|,;()\[\]{}<>\n]|\s/\s|\s(?:or|and|und|ou|o)\s")
_FILLING = re.compile(r"\b(?:yet|still|at this time|at the moment|currently|right now|so far)\b")
_SHRUGS = re.compile(
    "[\U0001f937\u2753\u2754\u2640\u2642\u200d\ufe0f\U0001f3fb-\U0001f3ff]|¯\\\\?_\\(ツ\\)_/¯"
)
_MARKS = " \t._*~`?!-\u2013\u2014…\"'()[]{}<>|/\\:;,=+#\u30fc\u2212。、"
_LONGEST = 60


def is_blank(answer: str) -> bool:
    """Whether an answer says nothing: white space, marks, an empty code block, `tbd` and the like.

    GitHub puts the answer of a field with `render:` into a code block, also an empty one.
    """
    if len(answer) > 20 * _LONGEST:
        return False
    text = without_comments(answer).strip() if "<!--" in answer else answer.strip()
    fenced = _FENCE.fullmatch(text)
    text = (fenced["inner"] or "").strip() if fenced else text
    if len(text) > _LONGEST:
        return False
    text = _SHRUGS.sub("", _TAGS.sub("", html.unescape(text)))
    parts = _BETWEEN.split(_plain(_BULLET.sub("", text)))
    return (
        _plain(text) in _PLACEHOLDERS
        or all(map(_means_nothing, [_plain(text)]))
        or all(map(_means_nothing, parts))
    )


def is_placeholder(text: str) -> bool:
    """Whether a text has no word at all, or is a short one in the place of words: `tbd`, `n/a`."""
    plain = _plain(text) if len(text) <= _LONGEST else "a longer text"
    return not plain or (len(plain) <= 4 and plain.strip("x") != "" and plain in _PLACEHOLDERS)


def _plain(text: str) -> str:
    """A text in small letters of the usual width, without marks around it and what is not seen."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u2019", "'")
    seen = (c for c in folded if unicodedata.category(c) != "Cf" and c not in "\u2800\u3164\u1160")
    return " ".join("".join(seen).split()).strip(_MARKS)


def _means_nothing(part: str) -> bool:
    words = " ".join(_FILLING.sub("", part).split()).strip(_MARKS)
    known = (part.strip(_MARKS), words)
    return any(not each or each in _NOTHING for each in known)


_NOTHING = _NO_RESPONSE | _PLACEHOLDERS | _NOTHING_KNOWN
