"""The body of an incident issue: our dashboard above, the reporter's text below.

The dashboard stands between two markers at the very top and ends with the state, as JSON in an
HTML comment. Only a block at the very top is ours: the same markers further down are text that
somebody wrote, and are left alone.
"""

from __future__ import annotations

import re

from msgspec import Struct

BEGIN = "<!-- incident-actions:begin -->"
END = "<!-- incident-actions:end -->"
STATE_OPEN = "<!-- incident-actions:state "
STATE_CLOSE = " -->"

MAX_LENGTH = 65_536
"""GitHub refuses longer bodies. https://docs.github.com/en/rest/issues/issues#update-an-issue"""

_STATE = re.compile(re.escape(STATE_OPEN) + r"(\{[^\n]*\})" + re.escape(STATE_CLOSE))
_GAP = "\n\n"


class Body(Struct, frozen=True):
    """A body taken apart. `dashboard` has no markers; it is empty before the first run."""

    dashboard: str
    state: str | None
    reporter: str

    def compose(self) -> str:
        """The body as GitHub stores it."""
        if not self.dashboard and self.state is None:
            return self.reporter
        state = f"{STATE_OPEN}{self.state}{STATE_CLOSE}\n" if self.state is not None else ""
        block = f"{BEGIN}\n{self.dashboard.strip()}\n{state}{END}"
        return f"{block}{_GAP}{self.reporter}" if self.reporter else block


def split(body: str) -> Body:
    """Take a body apart. Never fails; the reporter's text comes back byte for byte.

    Saving in GitHub's editor turns line ends into CRLF everywhere; the dashboard is read with
    LF, the reporter's text stays as it is.
    """
    if not body.lstrip().startswith(BEGIN):
        return Body(dashboard="", state=None, reporter=body)
    body = body.lstrip()
    end = body.find(END, len(BEGIN))
    if end < 0:
        return _without_end(body)
    block = body[len(BEGIN) : end].replace("\r\n", "\n")
    state = _STATE.search(block)
    if state and block[state.end() :].strip():
        return _without_end(body)  # ours was deleted, and the reporter typed one
    rest = body[end + len(END) :]
    for gap in ("\r\n\r\n", _GAP, "\r\n", "\n"):
        if rest.startswith(gap):
            rest = rest[len(gap) :]
            break
    return _read(block, rest)


def _without_end(body: str) -> Body:
    """Somebody deleted the end marker: the state line, if it is there, ends the block."""
    found = _STATE.search(body)
    if found is None:
        return Body(dashboard="", state=None, reporter=body[len(BEGIN) :].lstrip("\r\n"))
    block = body[len(BEGIN) : found.end()].replace("\r\n", "\n")
    return _read(block, body[found.end() :].lstrip("\r\n"))


def _read(block: str, reporter: str) -> Body:
    found = _STATE.search(block)
    dashboard = (block[: found.start()] if found else block).strip()
    return Body(dashboard, found.group(1) if found else None, reporter)


def length(text: str) -> int:
    """The length as GitHub counts it at worst: UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


_BOX = re.compile(r"^\s*[-*] \[(?P<tick>[ xX])\] (?P<text>.*?)\s*(?:<!--.*-->)?\s*$")


def boxes(dashboard: str) -> dict[str, bool]:
    """The boxes of a dashboard, by their text: whether they are ticked."""
    found = (_BOX.match(line) for line in dashboard.split("\n"))
    return {match["text"]: match["tick"] != " " for match in found if match}
