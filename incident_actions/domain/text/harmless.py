"""People's words that have no effect on GitHub: no mention, no reference, nothing that closes.

GitHub reads `@login`, `#12`, `GH-12`, `owner/name#12` and the address of an issue wherever they
stand, and closes an issue for `fixes #12` in the message of a commit on the default branch. A merge
takes the titles of pull requests into that message.
https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
https://docs.github.com/en/get-started/writing-on-github/working-with-advanced-formatting/autolinked-references-and-urls
"""

from __future__ import annotations

import re

ZERO_WIDTH_SPACE = "\u200b"
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Characters that are not shown, and that GitHub refuses in names."""
_HIDDEN = re.compile(r"[\u00ad\u200b-\u200f\u2060-\u2064\ufeff]")
_MENTION = re.compile(r"(?<![A-Za-z0-9_])@(?=[A-Za-z0-9])")
_NUMBER = re.compile(r"#(?=\d)")
_GH = re.compile(r"\b(GH)-(?=\d)", re.IGNORECASE)
_ADDRESS = re.compile(
    r"https?://[^\s/]{1,200}/([\w.-]{1,100}/[\w.-]{1,100})/(?:issues|pull|discussions)/(?=\d)", re.I
)


def defused(text: str) -> str:
    """A text for a title, a commit's message or a branch, where nothing can be escaped.

    `fixes #1` becomes `fixes no. 1`, `@alice` becomes `alice`. Invisible characters are left out.
    """
    text = _ADDRESS.sub(r"\1 no. ", _HIDDEN.sub("", text))
    return _GH.sub(r"\1 ", _NUMBER.sub(" no. ", _MENTION.sub("", text))).replace("  no.", " no.")


def quiet(text: str) -> str:
    """A text for Markdown, that is shown as it was typed: a zero-width space breaks each mention,
    each reference, and each address of an issue.
    """
    text = text.replace("@", f"@{ZERO_WIDTH_SPACE}")
    text = _NUMBER.sub(f"#{ZERO_WIDTH_SPACE}", text)
    text = _GH.sub(rf"\1-{ZERO_WIDTH_SPACE}", text)
    return _ADDRESS.sub(lambda m: m[0].replace("://", f":{ZERO_WIDTH_SPACE}//", 1), text)


def loud(text: str) -> str:
    """The text from which `quiet` made this one, to be read as data."""
    for mark in ("@", "#", "-", ":"):
        text = text.replace(mark + ZERO_WIDTH_SPACE, mark)
    return text


def one_line(text: str, longest: int) -> str:
    """A text on one line, without control characters; one that is too long is cut at a word.

    `longest` is in UTF-16 code units, the most that GitHub may count.
    """
    flat = " ".join(CONTROL.sub(" ", text).split())
    return flat if units(flat) <= longest else f"{head(flat, longest - 1).rstrip()}…"


def units(text: str) -> int:
    """The length of a text in UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def head(text: str, longest: int) -> str:
    """The beginning of a text, up to the last space before `longest` UTF-16 code units."""
    cut = text.encode("utf-16-le", "surrogatepass")[: 2 * longest].decode("utf-16-le", "ignore")
    space = max(cut.rfind(" "), cut.rfind("\n"))
    return cut[:space] if space > len(cut) // 2 else cut


def visible(text: str) -> str:
    """A text for a terminal: what would steer it is shown as `\\x1b` or `\\u202e`.

    These are the control characters but tab and LF, those that turn the direction of writing, and
    halves of characters. All that is printed for people passes here.
    """
    return _UNSEEN.sub(_escaped, text)


def visible_json(text: str) -> str:
    """The same for JSON: such a character is written as JSON's own `\\u001b`, the value stays."""
    return _UNSEEN.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)


def _escaped(sign: re.Match[str]) -> str:
    code = ord(sign[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
