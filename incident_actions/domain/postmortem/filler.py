"""Find sections of a postmortem in which nobody has said anything.

That is so where only the facts stand that the draft put there, where every sentence is filler
(`tbd`, `We wrote this down.`), and where a sentence stands in another section already.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from incident_actions.domain.postmortem.document import Document, DocumentSection
from incident_actions.domain.postmortem.link import ACTIONS, SECTIONS
from incident_actions.domain.text.blanks import is_blank
from incident_actions.domain.text.documents import without_comments
from incident_actions.domain.text.words import pattern

PROSE = tuple(title for title in SECTIONS if title not in ("Timeline", ACTIONS))
"""The sections in which people write in their own words."""
_DRAFTED = re.compile(
    r"SEV[1-3] from \d{4}-.* UTC.*|Services: .*|It was closed without verified recovery: .*"
    r"|(?:Incident commander|Investigator|Communications owner|Scribe): .*"
    r"|Customers were told:|No update to customers was recorded\."
    r"|Named during the incident: .*|No change is known in the hour before the start\."
    r"|Candidates, from what changed in the hour before the start:"
    r"|- .*\((?:likeliest|from the report)\)|- [\d: -]+ UTC, [^:]*: \[.*\]\(\S*\)"
    r"|Started [\d: -]+ UTC.*|No mitigation was recorded\."
    r"|What was tried\. Move to the next section what did not help:"
)
"""The lines of our template. A test holds the two together."""
_TOLD = re.compile(r"- [\d: -]+ UTC: .*")
"""What customers were told; in other sections such a line is a mitigation that people moved."""
_FILLER = pattern("sentence", of="filler")
_NOT_SAID = re.compile(r">|#{1,6}\s")
_MARKUP = re.compile(r"^\s*(?:[-*+]\s+(?:\[[ xX]\]\s+)?|\d+[.)]\s+)")
_SENTENCE_END = re.compile(r"(?<=[.!?。])\s+")
_FEW = 3
"""A sentence of fewer words may stand in several sections: `The cache.`"""

_LONGEST = 100
"""Filler is short."""


def sentences(document: Document, section: DocumentSection) -> list[str]:
    """What people wrote in a section.

    Without headings, quotes, comments, and what the draft put there.
    """
    numbers = range(section.line + 1, section.end)
    text = without_comments("\n".join(document.line(number) for number in numbers))
    found: list[str] = []
    for line in map(str.strip, text.split("\n")):
        told = section.title.casefold() == "customer impact" and _TOLD.fullmatch(line)
        if not (told or _NOT_SAID.match(line) or _DRAFTED.fullmatch(line)):
            found += _SENTENCE_END.split(_MARKUP.sub("", line))
    return [each for each in found if any(map(str.isalnum, each))]


def without_words(document: Document) -> Iterator[tuple[DocumentSection, str, str]]:
    """The sections in which nobody has said anything: each with what is wrong and what to do.

    Those that are still to be written (they have a prompt) and empty ones are left out.
    """
    seen: dict[str, str] = {}
    for title in PROSE:
        section = document.section(title)
        if section is None or document.is_prompting(section) or is_empty(document, section):
            continue
        said = sentences(document, section)
        keys = {key: each for each in said if len((key := _key(each)).split()) >= _FEW}
        again = next((key for key in keys if key in seen), None)
        if not said:
            yield section, f"`{title}` has only what was drafted", "Add what you know of it."
        elif all(map(_is_filler, said)):
            yield section, f"`{title}` says nothing", "Say what it was, in a sentence or two."
        elif again is not None:
            what = f"`{title}` says the same as `{seen[again]}`"
            yield section, what, "Write in each what only that one tells."
        for key in keys:
            seen.setdefault(key, title)


def is_empty(document: Document, section: DocumentSection) -> bool:
    """Whether a section has no text at all, quotes and what was drafted included."""
    numbers = range(section.line + 1, section.end)
    shown = without_comments("\n".join(document.line(number) for number in numbers))
    return not any(line.strip(" \t#>-*|:") for line in shown.split("\n"))


def _is_filler(sentence: str) -> bool:
    key = _key(sentence)
    return is_blank(sentence) or (len(key) <= _LONGEST and _FILLER.fullmatch(key) is not None)


def _key(sentence: str) -> str:
    """A sentence without case, marks and spaces that make no difference."""
    return " ".join(re.findall(r"[^\W_]+", sentence.casefold()))
