"""The body of an incident issue: our dashboard above, the reporter's text below.

The dashboard stands between two markers at the very top and ends with the state, as JSON in an
HTML comment. Only a block at the very top is ours: the same markers further down are text that
somebody wrote, and are left alone.
"""

from __future__ import annotations

import re

from msgspec import Struct

from incident_actions.gate_readers import BEGIN, END, STATE_CLOSE, STATE_OPEN, split_body

MAX_LENGTH = 65_536
"""GitHub refuses longer bodies. https://docs.github.com/en/rest/issues/issues#update-an-issue"""

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
    """Take a body apart, as the gate does. Never fails; the reporter's text comes back as it is.

    Saving in GitHub's editor turns line ends into CRLF everywhere; the dashboard is read with
    LF, the reporter's text stays byte for byte.
    """
    return Body(*split_body(body))


def length(text: str) -> int:
    """The length as GitHub counts it at worst: UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


_BOX = re.compile(r"^\s*[-*] \[(?P<tick>[ xX])\] (?P<text>.*?)\s*(?:<!--.*-->)?\s*$")


def boxes(dashboard: str) -> dict[str, bool]:
    """The boxes of a dashboard, by their text: whether they are ticked."""
    found = (_BOX.match(line) for line in dashboard.split("\n"))
    return {match["text"]: match["tick"] != " " for match in found if match}
