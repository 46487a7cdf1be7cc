"""What GitHub says of one issue, of its history and of people, parsed once: the input of the fold.

The body of an incident issue is our dashboard above, the reporter's text below. The dashboard
stands between two markers at the very top and ends with the state, as JSON in an HTML comment.
Only a block at the very top is ours: the same markers further down are text that somebody wrote,
and are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime
from enum import IntEnum, StrEnum
from functools import cached_property

from msgspec import Struct

from incident_actions.domain.issue import labels
from incident_actions.domain.issue.forms import Form, FormValues, read_answers, reported_text
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


def take_apart(body: str) -> Body:
    """Take a body apart, as the gate does. Never fails; the reporter's text comes back as it is.

    Saving in GitHub's editor turns line ends into CRLF everywhere; the dashboard is read with
    LF, the reporter's text stays byte for byte.
    """
    return Body(*split_body(body))


def length_on_github(text: str) -> int:
    """The length as GitHub counts it at worst: UTF-16 code units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


class Permission(IntEnum):
    """What a person may do in the repository, least first.

    https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
    """

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5

    @classmethod
    def named(cls, name: str) -> Permission:
        """`"write"` -> `Permission.WRITE`. Raises `KeyError` for anything else."""
        return cls[name.upper()]


class Permissions:
    """Permissions by login (ignoring case) as steps of (first comment id, permission)."""

    def __init__(self, steps: Mapping[str, list[tuple[int, str]]] | None = None) -> None:
        self._steps = {
            login.casefold(): [(since, Permission.named(name)) for since, name in grants]
            for login, grants in (steps or {}).items()
        }

    def at(self, login: str, comment_id: int) -> Permission:
        """What somebody might do when they wrote a comment; `NONE` for the unknown."""
        allowed = Permission.NONE
        for since, permission in self._steps.get(login.casefold(), ()):
            if since <= comment_id:
                allowed = permission
        return allowed

    def best(self, login: str) -> Permission:
        """The most that somebody was ever known to be allowed, for deeds that have no comment."""
        steps = self._steps.get(login.casefold(), ())
        return max((permission for _, permission in steps), default=Permission.NONE)

    def knows(self, login: str) -> bool:
        """Whether this person was ever asked about."""
        return login.casefold() in self._steps

    def learn(self, login: str, permission: Permission, since: int) -> None:
        """Remember what GitHub says now; `since` is the first comment id that it holds for."""
        steps = self._steps.setdefault(login.casefold(), [])
        if not steps:
            steps.append((0, permission))
        elif steps[-1][1] is not permission:
            steps.append((since, permission))

    def keep(self, logins: Iterable[str]) -> None:
        """Forget everybody else: nothing of theirs is left that it would matter for."""
        kept = {login.casefold() for login in logins}
        self._steps = {login: steps for login, steps in self._steps.items() if login in kept}

    def dump(self) -> dict[str, list[tuple[int, str]]]:
        """As plain data, for the state."""
        return {
            login: [(since, permission.name.lower()) for since, permission in steps]
            for login, steps in sorted(self._steps.items())
        }


class Actor(Struct, frozen=True):
    """An account. `bot` is GitHub's own word (`type: Bot`), so nobody can claim it."""

    login: str
    bot: bool = False


class Issue(Struct, frozen=True, dict=True):
    """An issue or a pull request as it is now. `association` is a hint, never a permission.

    Only a pull request can be a `draft`.
    """

    number: int
    title: str
    body: str
    author: Actor
    association: str
    open: bool
    labels: tuple[str, ...]
    assignees: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    url: str
    is_pull_request: bool = False
    comments: int = 0
    draft: bool = False

    def has_label(self, name: str) -> bool:
        """Whether it carries a label; GitHub matches label names ignoring case."""
        return name.casefold() in map(str.casefold, self.labels)

    @cached_property
    def parts(self) -> Body:
        """The body taken apart: the dashboard, the state, the reporter's own text."""
        return take_apart(self.body)


class Comment(Struct, frozen=True):
    """A comment as it is now; `updated_at` is later than `created_at` once it was edited.

    `thumbs_up` are those of everybody.
    """

    id: int
    author: Actor
    body: str
    created_at: datetime
    updated_at: datetime
    thumbs_up: int = 0


class EventKind(StrEnum):
    """The events of GitHub's timeline that mean something to an incident."""

    LABELED = "labeled"
    UNLABELED = "unlabeled"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    CLOSED = "closed"
    REOPENED = "reopened"
    RENAMED = "renamed"
    CROSS_REFERENCED = "cross-referenced"


class TimelineEvent(Struct, frozen=True):
    """Something that happened to the issue.

    `subject` is the label's name, the assignee's login or the new title; for a reference it is
    the other issue's or pull request's number, with its `author`, `title` and `body`, whether it
    is a `pull_request`, and when it was `merged_at`.
    """

    id: int
    kind: EventKind
    actor: Actor
    at: datetime
    subject: str = ""
    author: Actor | None = None
    title: str = ""
    body: str = ""
    pull_request: bool = False
    merged_at: datetime | None = None


class Deployment(Struct, frozen=True):
    """A deployment that GitHub was told of. `sha` is the full commit."""

    id: int
    at: datetime
    by: str
    sha: str
    environment: str


_MARKER = re.compile(r"<!-- incident-actions:(?P<kind>[a-z-]+) (?P<key>\S+) -->\s*\Z")

REMINDER = "reminder"
"""The kind of a reminder. It is remembered by its comment alone: when that goes, it may return."""

ANSWERS = frozenset({"reply", "refused"})
"""Kinds that answer somebody: they go when the comment that they answer goes."""


class BotComments(Struct, frozen=True):
    """The bot's comments on one issue.

    `by_name` holds the oldest comment of each `KIND KEY`. `doubles` holds the others by their id:
    two runs at the same time did not know of each other.
    """

    by_name: dict[str, Comment]
    doubles: dict[int, str]

    def of_kind(self, kind: str) -> dict[str, Comment]:
        """The comments of one kind, by their key."""
        start = f"{kind} "
        return {
            name.removeprefix(start): comment
            for name, comment in self.by_name.items()
            if name.startswith(start)
        }


def marker(kind: str, key: str) -> str:
    """The marker of a comment: an HTML comment, which GitHub does not show."""
    return f"<!-- incident-actions:{kind} {key} -->"


def find_bot_comments(comments: Iterable[Comment], logins: Collection[str]) -> BotComments:
    """The bot's comments among these, which are ordered by age, the oldest first.

    `logins` are the accounts that the bot uses, ignoring case. Other bots may repeat what people
    write, markers too.
    """
    ours = {login.casefold() for login in logins}
    by_name: dict[str, Comment] = {}
    doubles: dict[int, str] = {}
    for comment in comments:
        found = _MARKER.search(comment.body) if comment.author.login.casefold() in ours else None
        if found is None:
            continue
        name = f"{found['kind']} {found['key']}"
        if by_name.setdefault(name, comment) is not comment:
            doubles[comment.id] = name
    return BotComments(by_name, doubles)


class Observation(Struct, frozen=True, dict=True):
    """One issue, and what happened to it, in GitHub's order.

    `bot` is the login behind the token; `form` is the form that the issue was filed with, where
    that is known. Whatever is derived from these is computed once, when it is first needed.
    """

    issue: Issue
    history: tuple[Comment | TimelineEvent, ...]
    bot: str
    form: Form = Form(())

    @cached_property
    def values(self) -> FormValues:
        """The form's values, also when the bot opened the issue from somebody's report."""
        text = self.issue.parts.reporter
        if self.is_confirmed_report:
            text = reported_text(text)
        return read_answers(self.form, text)

    @cached_property
    def own(self) -> BotComments:
        """The bot's comments.

        The bot goes by the configured login and by that of every bot that set a status here, or
        held the report. No other bot does that: so an App's token is known by what it did, before
        it is configured.
        """
        logins = {self.bot: None}
        for event in self.label_events:
            name = event.subject.casefold()
            shown = name.startswith(labels.STATUS_PREFIX) or name == labels.NEEDS_CONFIRMATION
            if event.kind is EventKind.LABELED and event.actor.bot and shown:
                logins[event.actor.login] = None
        return find_bot_comments(self.comments, tuple(logins))

    @property
    def comments(self) -> Iterator[Comment]:
        """The comments, the oldest first."""
        return (item for item in self.history if isinstance(item, Comment))

    @property
    def events(self) -> Iterator[TimelineEvent]:
        """Everything that is no comment, the oldest first."""
        return (item for item in self.history if isinstance(item, TimelineEvent))

    @property
    def label_events(self) -> Iterator[TimelineEvent]:
        """When labels were put on and taken off, the oldest first."""
        kinds = (EventKind.LABELED, EventKind.UNLABELED)
        return (event for event in self.events if event.kind in kinds)

    @property
    def people_events(self) -> Iterator[TimelineEvent]:
        """The events that were caused by people, the oldest first."""
        return (event for event in self.events if not self.is_bot(event.actor))

    def is_bot(self, actor: Actor) -> bool:
        """Whether this account is a bot: this one, or another."""
        return actor.bot or self.is_this_bot(actor)

    def is_this_bot(self, actor: Actor) -> bool:
        """Whether this is the account behind the token."""
        return actor.login.casefold() == self.bot.casefold()

    @property
    def by_our_bot(self) -> bool:
        """Whether a bot opened the issue."""
        return self.is_bot(self.issue.author)

    @property
    def is_confirmed_report(self) -> bool:
        """Whether the bot opened this incident from somebody's report."""
        text = self.issue.parts.reporter.lstrip()
        return self.issue.author.bot and text.startswith("<!-- incident-actions:report ")

    @cached_property
    def accepted_before(self) -> bool:
        """Whether the bot itself set a status here once: it does so only for incidents.

        Nobody else can make the bot do that, so its old decision saves asking again.
        """
        return any(
            event.kind is EventKind.LABELED
            and event.subject.casefold().startswith(labels.STATUS_PREFIX)
            and self.is_this_bot(event.actor)
            for event in self.label_events
        )
