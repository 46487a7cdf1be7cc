"""Find where an e-mail that was quoted begins, in a comment that came as a reply by e-mail.

GitHub turns such replies into comments. Mail programs put the mail that is answered below the
answer, often without `>`; an old command in it must not be taken for a new one. No library that we
tried knows the common languages and takes linear time, so this is one table of words.
https://docs.github.com/en/subscriptions-and-notifications/get-started/configuring-notifications
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

from incident_actions.domain.text.words import pattern, piece

_LONGEST = 400
"""How many characters of a line are looked at; headers of quoted mails are shorter."""
_WRAPPED = 4
"""Over how many lines the line above a quoted mail may be wrapped."""
_HEADERS = 8
"""Within how many lines the headers of a quoted mail stand."""

_DIVIDER = pattern("divider", of="mail")
_MESSAGE = pattern("message", of="mail")
_ORIGINAL = pattern("original", of="mail")
_FORWARDED = pattern("forwarded", of="mail")
"""The line of Apple's program above a mail that is forwarded."""
_MARK = pattern("mark", of="mail")
"""Outlook's line, a signature (RFC 3676), and the beginning and end of GitHub's own mails."""
_SENT_FROM = pattern("sent_from", of="mail")
"""The signatures of phones and programs."""
_LABELS = {"from": "sender", "date": "date", "subject": "subject", "to": "to"}
"""The names of the words of a header, by what it says."""
_HEADER = re.compile(
    r"\s*[*_]{0,2}(?:"
    + "|".join(f"(?P<{kind}>{piece(name, of='mail')})" for kind, name in _LABELS.items())
    + r")[*_]{0,2}\s?[:：][*_]{0,2}\s*(?P<value>\S.*)$",
    re.IGNORECASE,
)
_WROTE = pattern("wrote", of="mail")
_OPENING = pattern("opening", of="mail")
_DATED = pattern("dated", of="mail")
_SENDER = re.compile(r"<[^<>@]*@[^<>@]*>")
_DAY = r"(?:3[01]|[12]?[0-9]|(?:19|20)[0-9]{2})"
_NO_START = pattern("no_start", of="mail")
_RULED = re.compile(r"\s*-{2,}\s?(?P<text>\S.{10,300}?)\s?-{2,}:?\s*$")
"""Zoho's line: `---- On Mon, 23 Nov 2026 14:02:11 Alice wrote ----`."""
_DATE_OR_CLOCK = pattern("date_or_clock", of="mail")
_OTHER_HEADER = re.compile(r"\s*[*_]{0,2}[^\W\d_][\w -]{0,24}[*_]{0,2}\s?[:：]|.*(?:@|[;,>]\s*$)")
"""A header that is not in the table (`Importance:`), or the rest of one that was wrapped."""
_RULE = re.compile(r"\s*(?:[-*_]\s*){3,}$")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
_DAY_AND_TIME = re.compile(r"(?<![\d:])[0-3]?[0-9](?![\d:]).{1,40}[0-9]{1,2}[:.][0-9]{2}")


def quoted_from(lines: Sequence[str], left_out: Collection[int] = ()) -> int:
    """The index of the first line of a quoted mail or a mail's signature; their number without one.

    `left_out` are the indexes of lines that can't begin a quoted mail, such as code. A line above a
    quote whose lines begin with `>` does not count: that quote is marked, and ends where the marks
    end. Never fails, and takes linear time.
    """
    lines = [_INVISIBLE.sub("", line[:_LONGEST]) for line in lines]
    for index, line in enumerate(lines):
        if index in left_out or not line.strip():
            continue
        if _begins_quote(lines, index):
            return index
    return len(lines)


def attributed(lines: Sequence[str]) -> int:
    """The index of the first line that says who wrote the marked quote below it; else their number.

    A text above ends there, though the writer's own words may follow below the quote.
    """
    lines = [_INVISIBLE.sub("", line[:_LONGEST]) for line in lines]
    found = (n for n in range(len(lines)) if lines[n].strip() and _attribution_end(lines, n) > n)
    return next(found, len(lines))


def _begins_quote(lines: Sequence[str], index: int) -> bool:
    """Whether a quoted mail, or a signature, begins at this line."""
    line = lines[index]
    if _MARK.match(line) or _SENT_FROM.match(line) or _FORWARDED.match(line):
        return True
    if line.strip() in ("\u2014", "\u2013") and index + 1 < len(lines):
        return _MARK.match(lines[index + 1]) is not None
    if _DIVIDER.match(line) and _MESSAGE.search(line) and _ORIGINAL.search(line):
        return True
    ruled = _RULED.match(line)
    if ruled and _attributes(ruled["text"]):
        return True
    if _RULE.match(line):  # a line above the headers
        near = (n for n in range(index + 1, min(index + 3, len(lines))) if lines[n].strip())
        return _headers(lines, next(near, index))
    if _headers(lines, index):
        return True
    end = _attribution_end(lines, index)
    below = next((text for text in lines[end : end + 3] if text.strip()), "")
    return end > index and not below.lstrip().startswith(">")


def _headers(lines: Sequence[str], index: int) -> bool:
    """Whether the headers of a mail begin at this line, in any order, with blank lines or without.

    There must be a sender, and either a subject or a date with a number; three headers in all, or
    an address in the sender's. `From: 10` with `To: 20` below is no mail.
    """
    first = _HEADER.match(lines[index])
    if first is None or first.lastgroup is None:
        return False
    found: dict[str, str] = {}
    for line in lines[index : index + 2 * _HEADERS]:
        match = _HEADER.match(line)
        if match:
            kind = next(kind for kind in _LABELS if match[kind])
            found.setdefault(kind, match["value"])
        elif line.strip() and not _OTHER_HEADER.match(line):
            break
    dated = _DATE_OR_CLOCK.search(found.get("date", "")) is not None
    if "from" not in found or not (dated or "subject" in found):
        return False
    return len(found) >= 3 or "@" in found["from"]


def _attribution_end(lines: Sequence[str], index: int) -> int:
    """The index below `On ... wrote:` that begins at this line, perhaps wrapped; else `index`."""
    if _NO_START.match(lines[index]):
        return index
    joined = ""
    for end in range(index, min(index + _WRAPPED, len(lines))):
        line = lines[end].strip()
        if not line or (end > index and _NO_START.match(line)):
            return index
        joined = f"{joined} {line}"
        if line.endswith((":", "：")) and _attributes(joined):
            if end > index and not _opens(lines[index]) and _attributes_from(lines, index + 1, end):
                return index  # it begins further down; this line is the writer's own
            return end + 1
    return index


def _opens(line: str) -> bool:
    """Whether a line begins like `On 23 November`."""
    return bool(_OPENING.match(line)) and re.search(r"\d", line) is not None


def _attributes_from(lines: Sequence[str], start: int, end: int) -> bool:
    """Whether the lines from `start` to `end` say alone who wrote something, and when."""
    return _attributes(" ".join(line.strip() for line in lines[start : end + 1]))


def _attributes(text: str) -> bool:
    """Whether a text says who wrote something, and when: with a year or an address, as mails do.

    `On Monday Anna wrote` is what people say, too.
    """
    dated = _DATED.search(text) is not None
    sender = _SENDER.search(text) is not None
    if not _WROTE.search(text):
        return dated and sender
    opens = _OPENING.match(text) is not None and _DAY_AND_TIME.search(text) is not None
    return dated or sender or opens
