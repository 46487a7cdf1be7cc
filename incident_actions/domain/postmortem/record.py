"""An action item's issue: its title, labels and body, and the record that the bot keeps in it.

The record holds what the postmortem's file and the issue last agreed on. When one of them differs
from the record, that side has changed.
"""

from __future__ import annotations

import re
from datetime import date
from typing import Literal

import msgspec
from msgspec import Struct

from incident_actions.domain.issue import labels
from incident_actions.domain.issue.observation import Issue, within_html_comment
from incident_actions.domain.postmortem.actions import Action, key_of, plain
from incident_actions.domain.text.harmless import defused, one_line
from incident_actions.domain.text.times import read_date

State = Literal["open", "done", "dropped"]

MAX_TITLE = 256
"""GitHub refuses longer titles. https://docs.github.com/en/rest/issues/issues#create-an-issue"""

_END = "<!-- incident-actions:end -->"
_BLOCK = re.compile(
    r"\A\s*<!-- incident-actions:action (?P<json>\{[^\r\n>]*\}) -->.*?" + re.escape(_END), re.DOTALL
)


class ActionRecord(Struct, frozen=True, omit_defaults=True):
    """What an action item's issue was made from, as it was when file and issue last agreed.

    `due` is `yyyy-mm-dd`; `pr` is the postmortem's pull request; `assigned` is False for an owner
    whom GitHub does not let be assigned here.
    """

    incident: int
    pr: int
    text: str
    category: str
    owner: str
    due: str
    state: State = "open"
    assigned: bool = True

    @property
    def key(self) -> str:
        """What identifies the action while its number is not in the file: a digest of its text."""
        return key_of(self.text)

    @property
    def due_date(self) -> date:
        """The due date. Raises `ValueError` when `due` is no date."""
        return read_date(self.due)


class FiledAction(Struct, frozen=True):
    """An action item as an issue: the issue as it is, and its record."""

    issue: Issue
    record: ActionRecord


def record_of(action: Action, incident: int, pr: int, *, assigned: bool = True) -> ActionRecord:
    """The record of a complete action. `incident` and `pr` are numbers."""
    return ActionRecord(
        incident=incident,
        pr=pr,
        text=action.text,
        category=action.label,
        owner=action.login or "",
        due=action.due,
        state="done" if action.done else "open",
        assigned=assigned,
    )


def title_of(text: str) -> str:
    """The issue's title: the action's text without effects, cut to 256 characters."""
    return one_line(defused(plain(text)), MAX_TITLE)


def labels_of(record: ActionRecord) -> tuple[str, ...]:
    """The labels of a new issue."""
    return (labels.ACTION_ITEM, f"{labels.FOLLOWUP_PREFIX}{record.category}")


def write_block(record: ActionRecord, shown: str) -> str:
    """The bot's part of the body: the record in an HTML comment, then `shown`, for people."""
    text = within_html_comment(msgspec.json.encode(record).decode())
    return f"<!-- incident-actions:action {text} -->\n{shown.strip()}\n{_END}"


def with_block(body: str, block: str) -> str:
    """A body with the bot's part replaced, or put in front; what people wrote below it stays."""
    match = _BLOCK.match(body)
    return f"{block}{body[match.end() :]}" if match else f"{block}\n\n{body}".rstrip()


def read_record(body: str) -> ActionRecord | None:
    """The record in a body; None when there is no valid one."""
    match = _BLOCK.match(body)
    if match is None:
        return None
    try:
        record = msgspec.json.decode(match["json"].encode(errors="replace"), type=ActionRecord)
        read_date(record.due)
    except (msgspec.DecodeError, ValueError):
        return None
    return record


def filed(issue: Issue, bot: str) -> FiledAction | None:
    """An issue as an action item; None when it is none.

    Only issues that our bot opened count, because anybody can type a marker, and other bots repeat
    what people typed. `bot` is the login of ours, which may be a person's account.
    """
    if issue.is_pull_request or issue.author.login.casefold() != bot.casefold():
        return None
    record = read_record(issue.body)
    return FiledAction(issue, record) if record is not None else None
