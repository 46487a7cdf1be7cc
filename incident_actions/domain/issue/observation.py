"""GitHub's data about one issue, its history and people's permissions: the input of the fold.

An incident's body has two parts: the bot's dashboard above, the reporter's text below. The
dashboard is between two markers and ends with the state, as JSON in an HTML comment. It is only
recognized at the very top: markers further down are somebody's text, and are left alone.
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
from incident_actions.domain.text.harmless import units
from incident_actions.gate_readers import BEGIN, END, STATE_CLOSE, STATE_OPEN, split_body

MAX_LENGTH = 65_536
"""GitHub refuses longer bodies. https://docs.github.com/en/rest/issues/issues#update-an-issue"""

_GAP = "\n\n"


class Body(Struct, frozen=True):
    """The parts of an issue's body.

    `dashboard` is without its markers, and empty before the bot's first run. `state` is JSON; None
    when there is none. `reporter` is the reporter's text.
    """

    dashboard: str
    state: str | None
    reporter: str

    def compose(self) -> str:
        """The whole body, for GitHub."""
        if not self.dashboard and self.state is None:
            return self.reporter
        state = f"{STATE_OPEN}{self.state}{STATE_CLOSE}\n" if self.state is not None else ""
        block = f"{BEGIN}\n{self.dashboard.strip()}\n{state}{END}"
        return f"{block}{_GAP}{self.reporter}" if self.reporter else block


def take_apart(body: str) -> Body:
    """Split a body into its parts, with the same code as the gate. Never fails.

    When somebody saves an issue in GitHub's editor, all line ends become CRLF. The dashboard is
    returned with LF, the reporter's text exactly as it is.
    """
    return Body(*split_body(body))


def length_on_github(text: str) -> int:
    """The length of a text in UTF-16 code units: the most that GitHub may count."""
    return units(text)


class Permission(IntEnum):
    """What a person may do in the repository, the least first.

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
    """What is known about people's permissions, by login (ignoring case).

    A person's permission can change. So each has a list of (id of a comment, permission), in the
    order of ids: the permission holds from that comment on.
    """

    def __init__(self, steps: Mapping[str, list[tuple[int, str]]] | None = None) -> None:
        self._steps = {
            login.casefold(): [(since, Permission.named(name)) for since, name in grants]
            for login, grants in (steps or {}).items()
        }

    def at(self, login: str, comment_id: int) -> Permission:
        """What somebody was allowed when they wrote a comment; `NONE` for unknown people."""
        allowed = Permission.NONE
        for since, permission in self._steps.get(login.casefold(), ()):
            if since <= comment_id:
                allowed = permission
        return allowed

    def best(self, login: str) -> Permission:
        """The most that somebody was ever allowed; for actions that have no comment."""
        steps = self._steps.get(login.casefold(), ())
        return max((permission for _, permission in steps), default=Permission.NONE)

    def knows(self, login: str) -> bool:
        """Whether anything is known about this person's permission."""
        return login.casefold() in self._steps

    def learn(self, login: str, permission: Permission, since: int) -> None:
        """Add what GitHub says now. `since` is the id of the first comment that it holds for.

        When nothing was known about the person, it holds for all their comments.
        """
        steps = self._steps.setdefault(login.casefold(), [])
        if not steps:
            steps.append((0, permission))
        elif steps[-1][1] is not permission:
            steps.append((since, permission))

    def keep(self, logins: Iterable[str]) -> None:
        """Forget everybody but these people: no comment or action of the others needs it."""
        kept = {login.casefold() for login in logins}
        self._steps = {login: steps for login, steps in self._steps.items() if login in kept}

    def dump(self) -> dict[str, list[tuple[int, str]]]:
        """The argument that makes an equal object, as plain data; for the state."""
        return {
            login: [(since, permission.name.lower()) for since, permission in steps]
            for login, steps in sorted(self._steps.items())
        }


class Actor(Struct, frozen=True):
    """An account. `bot` comes from GitHub (`type: Bot`), so nobody can fake it."""

    login: str
    bot: bool = False


class Issue(Struct, frozen=True, dict=True):
    """An issue or a pull request as it is now.

    `association` is GitHub's `author_association`: a hint at the author's access, but no proof of a
    permission. `comments` is their number. Only a pull request can be a `draft`. `lock_reason` is
    why its conversation is `locked`; empty when nobody said.
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
    locked: bool = False
    lock_reason: str = ""

    def has_label(self, name: str) -> bool:
        """Whether it has a label. Like on GitHub, case makes no difference."""
        return name.casefold() in map(str.casefold, self.labels)

    @cached_property
    def parts(self) -> Body:
        """The parts of the body."""
        return take_apart(self.body)


class Comment(Struct, frozen=True):
    """A comment as it is now.

    `updated_at` is later than `created_at` once it was edited. `thumbs_up` is how many people
    reacted with a thumbs up.
    """

    id: int
    author: Actor
    body: str
    created_at: datetime
    updated_at: datetime
    thumbs_up: int = 0


class EventKind(StrEnum):
    """The kinds of events in GitHub's timeline of an issue that matter for an incident."""

    LABELED = "labeled"
    UNLABELED = "unlabeled"
    ASSIGNED = "assigned"
    UNASSIGNED = "unassigned"
    CLOSED = "closed"
    REOPENED = "reopened"
    RENAMED = "renamed"
    CROSS_REFERENCED = "cross-referenced"


class TimelineEvent(Struct, frozen=True):
    """An event in GitHub's timeline of the issue.

    `subject` is the name of the label, the login of the assignee or the new title. For a
    cross-reference it is the number of the issue or pull request that mentions this one; the fields
    after it (`author` to `merged_at`) are about that issue or pull request, and unset otherwise.
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
    """A deployment that is recorded on GitHub. `by` is a login, `sha` a full commit SHA."""

    id: int
    at: datetime
    by: str
    sha: str
    environment: str


_MARKER = re.compile(r"<!-- incident-actions:(?P<kind>[a-z-]+) (?P<key>\S+) -->\s*\Z")

REMINDER = "reminder"
"""The kind of comments that are reminders. A reminder whose comment was deleted may come again."""

ANSWERS = frozenset({"reply", "refused"})
"""The kinds of comments that answer somebody. They are deleted with the comment they answer."""


class BotComments(Struct, frozen=True):
    """The bot's comments on one issue.

    `by_name` holds the comments by their name, `KIND KEY`. When runs that overlapped posted one
    twice, it holds the older comment; `doubles` maps the id of the newer one to its name.
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


def within_html_comment(json: str) -> str:
    """JSON that can stand in an HTML comment: what could end the comment is escaped."""
    return json.replace("<", "\\u003c").replace(">", "\\u003e").replace("--", "-\\u002d")


def marker(kind: str, key: str) -> str:
    """The marker at the end of a comment of the bot's: an HTML comment, which GitHub hides."""
    return f"<!-- incident-actions:{kind} {key} -->"


def find_bot_comments(comments: Iterable[Comment], logins: Collection[str]) -> BotComments:
    """Find the bot's comments among `comments`, which must be ordered, the oldest first.

    `logins` are the bot's accounts, ignoring case. A marker in a comment of any other account does
    not count, not even of a bot: it may repeat what people wrote.
    """
    ours = {login.casefold() for login in logins}
    by_name: dict[str, Comment] = {}
    doubles: dict[int, str] = {}
    for comment in comments:
        match = _MARKER.search(comment.body) if comment.author.login.casefold() in ours else None
        if match is None:
            continue
        name = f"{match['kind']} {match['key']}"
        if by_name.setdefault(name, comment) is not comment:
            doubles[comment.id] = name
    return BotComments(by_name, doubles)


class Observation(Struct, frozen=True, dict=True):
    """One issue and its history, in GitHub's order.

    `bot` is the configured login of the bot. `form` is the form that the issue was filed with, or
    an empty one when that is not known.
    """

    issue: Issue
    history: tuple[Comment | TimelineEvent, ...]
    bot: str
    form: Form = Form(())

    @cached_property
    def values(self) -> FormValues:
        """The form's answers; also of an issue that the bot opened from somebody's report."""
        text = self.issue.parts.reporter
        if self.is_confirmed_report:
            text = reported_text(text)
        return read_answers(self.form, text)

    @cached_property
    def own(self) -> BotComments:
        """The bot's comments.

        The bot's accounts are the configured login, and every bot account that put a status label
        or `needs-confirmation` on this issue, because no other bot does that. So the account of an
        App's token is recognized before it is configured.
        """
        logins = {self.bot: None}
        for event in self.label_events:
            name = event.subject.casefold()
            ours = name.startswith(labels.STATUS_PREFIX) or name == labels.NEEDS_CONFIRMATION
            if event.kind is EventKind.LABELED and event.actor.bot and ours:
                logins[event.actor.login] = None
        return find_bot_comments(self.comments, tuple(logins))

    @property
    def comments(self) -> Iterator[Comment]:
        """The comments, the oldest first."""
        return (item for item in self.history if isinstance(item, Comment))

    @property
    def events(self) -> Iterator[TimelineEvent]:
        """The events, the oldest first."""
        return (item for item in self.history if isinstance(item, TimelineEvent))

    @property
    def label_events(self) -> Iterator[TimelineEvent]:
        """The events of labels that were put on or taken off, the oldest first."""
        kinds = (EventKind.LABELED, EventKind.UNLABELED)
        return (event for event in self.events if event.kind in kinds)

    @property
    def people_events(self) -> Iterator[TimelineEvent]:
        """The events by people, not bots, the oldest first."""
        return (event for event in self.events if not self.is_bot(event.actor))

    def is_bot(self, actor: Actor) -> bool:
        """Whether an account is a bot: ours or any other."""
        return actor.bot or self.is_this_bot(actor)

    def is_this_bot(self, actor: Actor) -> bool:
        """Whether an account is the configured login of our bot."""
        return actor.login.casefold() == self.bot.casefold()

    @property
    def is_confirmed_report(self) -> bool:
        """Whether a bot opened this incident from somebody's report."""
        text = self.issue.parts.reporter.lstrip()
        return self.issue.author.bot and text.startswith("<!-- incident-actions:report ")

    @cached_property
    def accepted_before(self) -> bool:
        """Whether our bot ever put a status label on this issue.

        It does so only after it accepted the issue as an incident. Nobody can fake that, so it need
        not be decided again.
        """
        return any(
            event.kind is EventKind.LABELED
            and event.subject.casefold().startswith(labels.STATUS_PREFIX)
            and self.is_this_bot(event.actor)
            for event in self.label_events
        )
