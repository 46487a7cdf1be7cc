"""Read and change the line of a corrective action in a postmortem's file.

Its grammar is `- [ ] #57 [category] text / @owner / yyyy-mm-dd`. The bot writes the number once
the action has an issue. It changes nothing in a line but the number and the tick of the box.
"""

from __future__ import annotations

import hashlib
import html
import re
from datetime import date

from msgspec import Struct

from incident_actions.domain.text.documents import without_comments
from incident_actions.domain.text.names import LOGIN
from incident_actions.domain.text.times import read_date

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
"""What was missing or went wrong, and is put right by a corrective action."""
OTHER = "other"

_BOX = re.compile(r"^(?P<head>[\s>]*(?:[-*+]|\d{1,9}[.)])[ \t]+\[)(?P<box>[ xX])\](?P<gap>[ \t]+)")
_NUMBER = re.compile(r"(?:#(?P<bare>\d{1,9})|\[#(?P<linked>\d{1,9})\]\([^)\s]*\))(?=\s|$)[ \t]*")
_CATEGORY = re.compile(r"\[(?P<name>[^\[\]]*)\](?!\()[ \t]*")
_SEPARATOR = re.compile(r"(?:^|[ \t]+)/(?:[ \t]+|$)")
_DATE_LIKE = re.compile(r"^(?=\D*\d)[\d\s./-]+$|^(?:yyyy-mm-dd|tbd|tba|\?+|soon|asap)$", re.I)
_LOGIN = re.compile(rf"{LOGIN}$")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")


class Action(Struct, frozen=True):
    """One corrective action, as its line says it. What is missing is an empty text or None.

    `line` is its number in the file, counted from 1. `number` is its issue. `owner` and `due` are
    as typed, the owner with its `@`. `insert_at` is the position in the line where the issue's
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
        """What identifies the action while it has no number: a digest of its text."""
        return key_of(self.text)

    @property
    def login(self) -> str | None:
        """The owner's login without `@`; None when the owner can't be a login."""
        name = self.owner.removeprefix("@")
        return name if self.owner.startswith("@") and _LOGIN.match(name) else None

    @property
    def due_date(self) -> date | None:
        """The due date; None when it is missing or no date like 2026-12-01."""
        try:
            return read_date(self.due)
        except ValueError:
            return None

    @property
    def label(self) -> str:
        """The category for the issue's label: the one that was typed, or `other`."""
        return self.category or OTHER

    @property
    def complete(self) -> bool:
        """Whether it can become an issue: it has a text, an owner, a date and a known category."""
        known = self.label in CATEGORIES
        return bool(self.text and self.login and self.due_date) and known


def box(line: str) -> bool | None:
    """Whether the box of a task list item is ticked; None when the line has no box."""
    match = _BOX.match(line)
    return None if match is None else match["box"] != " "


def read_action(line: str, number: int) -> Action | None:
    """A line as an action; None when it is no task list item. Never fails.

    `number` is the line's number in the file. Owner and due date are read from the end, so the text
    may contain slashes.
    """
    head = _BOX.match(line)
    if head is None:
        return None
    rest = line[head.end() :]
    insert_at = head.end()
    issue = _NUMBER.match(rest)
    if issue:
        rest = rest[issue.end() :]
    category = _CATEGORY.match(rest)
    if category:
        rest = rest[category.end() :]
        after = None if issue else _NUMBER.match(rest)
        if after:
            issue, rest = after, rest[after.end() :]
    text, owner, due = _split(without_comments(rest).strip())
    return Action(
        line=number,
        done=head["box"] != " ",
        number=int(issue["bare"] or issue["linked"]) if issue else None,
        category=" ".join(category["name"].split()).casefold() if category else "",
        text=text,
        owner=owner,
        due=due,
        insert_at=insert_at,
    )


def _split(text: str) -> tuple[str, str, str]:
    """Split what follows the category into (text, owner, due date); what is missing is empty."""
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
    """The line with the number of its issue put in. Nothing else changes."""
    return f"{line[: action.insert_at]}#{number} {line[action.insert_at :]}"


def with_tick(line: str, ticked: bool) -> str:
    """The line with its box ticked or empty. A line without a box stays as it is."""
    head = _BOX.match(line)
    if head is None or (head["box"] != " ") == ticked:
        return line
    at = head.end("head")
    return f"{line[:at]}{'x' if ticked else ' '}{line[at + 1 :]}"


def plain(text: str) -> str:
    """A Markdown text as people see it: without escapes and hidden characters, on one line."""
    shown = html.unescape(_ESCAPED.sub(r"\1", text))
    return " ".join(shown.replace("\u200b", "").split())


def key_of(text: str) -> str:
    """Twelve hex digits that identify an action's text. Spaces and case make no difference."""
    return hashlib.sha256(plain(text).casefold().encode(errors="replace")).hexdigest()[:12]


def split_category(text: str) -> tuple[str, str]:
    """`[missing-alert] text` -> (category, text); an unknown category stays part of the text."""
    match = _CATEGORY.match(text.strip())
    name = match["name"].strip().casefold() if match else ""
    return (name, text.strip()[match.end() :]) if match and name in CATEGORIES else ("", text)
