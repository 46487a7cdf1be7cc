"""The grammar of a corrective action: `- [ ] #57 [category] text / @owner / yyyy-mm-dd`.

The number is written by the bot once the action is an issue. Only the number and the tick are
ever changed in a line; the rest of it is left byte for byte.
"""

from __future__ import annotations

import hashlib
import html
import re
from datetime import date

from msgspec import Struct

CATEGORIES = (
    "missing-alert",
    "missing-dashboard",
    "log-context",
    "slow-rollback",
    "no-feature-flag",
    "unsafe-migration",
    "missing-runbook",
    "missing-owner",
    "customer-communication",
    "other",
)
"""What a follow-up makes good."""
OTHER = "other"

_BOX = re.compile(r"^(?P<head>[\s>]*(?:[-*+]|\d{1,9}[.)])[ \t]+\[)(?P<box>[ xX])\](?P<gap>[ \t]+)")
_NUMBER = re.compile(r"(?:#(?P<bare>\d{1,9})|\[#(?P<linked>\d{1,9})\]\([^)\s]*\))(?=\s|$)[ \t]*")
_CATEGORY = re.compile(r"\[(?P<name>[^\[\]]*)\](?!\()[ \t]*")
_COMMENT = re.compile(r"<!--.*?-->")
_SEPARATOR = re.compile(r"(?:^|[ \t]+)/(?:[ \t]+|$)")
_DATE_LIKE = re.compile(r"^(?=\D*\d)[\d\s./-]+$|^(?:yyyy-mm-dd|tbd|tba|\?+|soon|asap)$", re.I)
_LOGIN = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})$")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


class Action(Struct, frozen=True):
    """One corrective action, as its line says it. What isn't there is an empty text or None.

    `owner` and `due` are as typed, the owner with its `@`; `insert_at` is where in the line the
    number belongs.
    """

    line: int
    done: bool
    number: int | None
    category: str
    text: str
    owner: str
    due: str
    insert_at: int

    @property
    def key(self) -> str:
        """What the action is known by before it has a number: its words."""
        return key_of(self.text)

    @property
    def login(self) -> str | None:
        """The owner's login, when it can be one."""
        name = self.owner.removeprefix("@")
        return name if self.owner.startswith("@") and _LOGIN.match(name) else None

    @property
    def due_date(self) -> date | None:
        """The due date, when it is one."""
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", self.due):
            return None
        try:
            return date.fromisoformat(self.due)
        except ValueError:
            return None

    @property
    def label(self) -> str:
        """The category that it is labelled with."""
        return self.category or OTHER

    @property
    def complete(self) -> bool:
        """Whether it can be an issue: words, a person, a day, and a category that exists."""
        known = self.label in CATEGORIES
        return bool(self.text and self.login and self.due_date) and known


def box(line: str) -> bool | None:
    """Whether the box of a task list item is ticked; None when the line has none."""
    found = _BOX.match(line)
    return None if found is None else found["box"] != " "


def read_action(line: str, number: int) -> Action | None:
    """A line as an action, or None when it is no task list item. Never fails.

    Owner and due date are read from the end, so the text may hold slashes of its own.
    """
    found = _BOX.match(line)
    if found is None:
        return None
    rest = line[found.end() :]
    insert_at = found.end()
    issue = _NUMBER.match(rest)
    if issue:
        rest = rest[issue.end() :]
    category = _CATEGORY.match(rest)
    if category:
        rest = rest[category.end() :]
        after = None if issue else _NUMBER.match(rest)
        if after:
            issue, rest = after, rest[after.end() :]
    text, owner, due = _split(_COMMENT.sub("", rest).strip())
    return Action(
        line=number,
        done=found["box"] != " ",
        number=int(issue["bare"] or issue["linked"]) if issue else None,
        category=" ".join(category["name"].split()).casefold() if category else "",
        text=text,
        owner=owner,
        due=due,
        insert_at=insert_at,
    )


def _split(text: str) -> tuple[str, str, str]:
    """Text, owner and due date of what follows the category."""
    cuts = list(_SEPARATOR.finditer(text))
    owner = due = ""
    if cuts:
        last = text[cuts[-1].end() :].strip()
        if not last or _DATE_LIKE.match(last):
            due, text = last, text[: cuts[-1].start()]
            cuts.pop()
    if cuts:
        last = text[cuts[-1].end() :].strip()
        if not last or last.startswith("@") or (due and _LOGIN.match(last)):
            owner, text = last, text[: cuts[-1].start()]
    return text.strip(), owner, due


def with_number(line: str, action: Action, number: int) -> str:
    """The line with its issue's number; nothing else of it changes."""
    return f"{line[: action.insert_at]}#{number} {line[action.insert_at :]}"


def with_tick(line: str, ticked: bool) -> str:
    """The line with its box ticked or empty; nothing else of it changes."""
    found = _BOX.match(line)
    if found is None or (found["box"] != " ") == ticked:
        return line
    at = found.end("head")
    return f"{line[:at]}{'x' if ticked else ' '}{line[at + 1 :]}"


def plain(text: str) -> str:
    """The words of Markdown text as they are read: without escapes and hidden characters."""
    shown = html.unescape(_ESCAPED.sub(r"\1", text))
    return " ".join(shown.replace("\u200b", "").split())


def key_of(text: str) -> str:
    """A short name for an action's words: the same however they are spaced and cased."""
    return hashlib.sha256(plain(text).casefold().encode(errors="replace")).hexdigest()[:12]


def split_category(text: str) -> tuple[str, str]:
    """`[missing-alert] text` -> (category, text); an unknown category stays part of the text."""
    found = _CATEGORY.match(text.strip())
    name = found["name"].strip().casefold() if found else ""
    return (name, text.strip()[found.end() :]) if found and name in CATEGORIES else ("", text)
