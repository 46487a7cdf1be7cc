"""GitHub's data about one issue, its history and people's permissions: the input of the fold.

An incident's body has two parts: the bot's dashboard above, the reporter's text below. The
dashboard is between two markers and ends with the state, as JSON in an HTML comment. It is only
recognized at the very top: markers further down are somebody's text, and are left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from functools import cached_property

from msgspec import Struct
from msgspec.structs import replace

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


def put_back(issue: Issue, versions: Sequence[Version], may: Callable[[Actor], bool]) -> Issue:
    """The issue with the last text by somebody who may write it. `may` says who may.

    `versions` are those of its body, the oldest first. When GitHub has no text that counts, the
    dashboard and the state are left out: they are made anew from the history.
    """
    if not versions or may(versions[-1].by):
        return issue
    good = next((v.text for v in reversed(versions) if v.text is not None and may(v.by)), None)
    text = issue.parts.reporter if good is None else good
    return replace(issue, body=text, put_back=versions[-1])


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


class Actor(Struct, frozen=True):
    """An account. `bot` comes from GitHub (`type: Bot`), so nobody can fake it."""

    login: str
    bot: bool = False


class Version(Struct, frozen=True):
    """A text as somebody saved it. `text` is None when GitHub does not have it any more."""

    by: Actor
    at: datetime
    text: str | None


class Deed(Struct, frozen=True):
    """What somebody did on an issue, and may not have been allowed to do.

    `key` tells it from all other deeds on the issue; `login` is who did it, `at` when.
    """

    key: str
    login: str
    at: datetime


class Judged(Struct, frozen=True, omit_defaults=True):
    """What earlier runs were told about permissions, for the state.

    `deeds` are the keys of deeds by the permission that the person had then, `people` the
    permissions of those who were named for a role. Deeds until `until` need not be judged again.
    """

    until: datetime | None = None
    deeds: dict[str, tuple[str, ...]] = {}
    people: dict[str, str] = {}

    def keys(self) -> frozenset[str]:
        """The keys of the deeds of people who may command."""
        return frozenset(key for keys in self.deeds.values() for key in keys)


class Permissions:
    """What people were allowed when they did something, and who may hold a role.

    GitHub only tells what somebody may do now. So a deed is judged by the first run that sees it,
    and that stays, whatever becomes of the account: neither a new permission nor a lost one
    changes what was done before. Refused deeds are too many to be kept for long, as strangers can
    add to them. A deed that is not known, and older than the newest one that was judged, counts as
    refused.
    """

    LATE = timedelta(minutes=5)
    """GitHub may show a deed so much later than another one that was done after it."""
    MOST_REFUSED = 100

    def __init__(self, judged: Judged | None = None) -> None:
        self._until = judged.until if judged else None
        self._deeds = {
            key: Permission.named(name)
            for name, keys in (judged.deeds if judged else {}).items()
            for key in keys
        }
        self._people = {
            login: Permission.named(name)
            for login, name in (judged.people if judged else {}).items()
        }

    def of(self, deed: Deed) -> Permission:
        """What somebody was allowed when they did this; `NONE` when that was not judged."""
        return self._deeds.get(deed.key, Permission.NONE)

    def of_person(self, login: str) -> Permission:
        """What somebody was allowed who was named for a role; `NONE` for anybody else."""
        return self._people.get(login.casefold(), Permission.NONE)

    def is_open(self, deed: Deed) -> bool:
        """Whether a deed has to be judged yet."""
        recent = self._until is None or deed.at > self._until - self.LATE
        return recent and deed.key not in self._deeds

    def knows(self, login: str) -> bool:
        """Whether this person was looked up for a role."""
        return login.casefold() in self._people

    def judge(self, deed: Deed, permission: Permission) -> None:
        """Remember what somebody was allowed when they did this."""
        self._deeds[deed.key] = permission

    def learn(self, login: str, permission: Permission) -> None:
        """Remember what somebody may do who was named for a role."""
        self._people[login.casefold()] = permission

    def dump(self, deeds: Iterable[Deed], named: Iterable[str]) -> Judged | None:
        """What is worth remembering, for the state. None when nobody did anything.

        `deeds` are all on the issue, `named` all who are named for a role; others are forgotten.
        """
        ordered = sorted(deeds, key=lambda deed: (deed.at, deed.key))
        waiting = next((deed for deed in ordered if self.is_open(deed)), None)
        judged = [deed for deed in ordered if deed.key in self._deeds]
        people = {
            login: self._people[login].name.lower()
            for login in sorted({name.casefold() for name in named})
            if login in self._people
        }
        if not judged and not people:
            return None
        until = max((deed.at for deed in judged), default=None)
        if until is not None and waiting is not None:
            until = min(until, waiting.at)
        refused = [deed for deed in judged if self.of(deed) < Permission.TRIAGE]
        if until is not None:
            refused = [deed for deed in refused if deed.at > until - self.LATE]
        kept: dict[str, list[str]] = {}
        permitted = [deed for deed in judged if self.of(deed) >= Permission.TRIAGE]
        for deed in (*permitted, *refused[-self.MOST_REFUSED :]):
            kept.setdefault(self.of(deed).name.lower(), []).append(deed.key)
        return Judged(until, {name: tuple(sorted(keys)) for name, keys in kept.items()}, people)


class Issue(Struct, frozen=True, dict=True):
    """An issue or a pull request as it is now.

    `association` is GitHub's `author_association`: a hint at the author's access, but no proof of a
    permission. `comments` is their number. Only a pull request can be a `draft`. `node` is its id
    for GraphQL. When the body was last edited by somebody who may not, `put_back` is that edit, and
    `body` is the text before it. `lock_reason` is why its conversation is `locked`; empty when
    nobody said.
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
    node: str = ""
    put_back: Version | None = None
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
    reacted with a thumbs up. `association` hints at the author's access. `node` is its id for
    GraphQL. `versions` are its texts, the oldest first; none when it was never edited, or when that
    was not looked up.
    """

    id: int
    author: Actor
    body: str
    created_at: datetime
    updated_at: datetime
    thumbs_up: int = 0
    association: str = "NONE"
    node: str = ""
    versions: tuple[Version, ...] = ()

    @property
    def edited(self) -> bool:
        """Whether anybody changed its text."""
        return self.updated_at > self.created_at


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

    `subject` is the name of the label, the login of the assignee, the new title, or the commit that
    closed the issue by its message (empty: somebody closed it by hand). For a
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

ANSWERS = frozenset({"reply"})
"""The kinds of comments that answer one comment. They are deleted when nothing needs it any more.
Who was told that they lack a permission was told: a stranger could have that repeated for ever."""


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
        """The bot's comments."""
        return find_bot_comments(self.comments, self.our_logins)

    @cached_property
    def our_logins(self) -> frozenset[str]:
        """The bot's accounts, in lower case.

        They are the configured login, and every bot account that put a status label of ours or
        `needs-confirmation` on this issue, because no other bot does that. So the account of an
        App's token is recognized before it is configured.
        """
        return frozenset(
            {self.bot.casefold()}
            | {
                event.actor.login.casefold()
                for event in self.label_events
                if event.kind is EventKind.LABELED
                and event.actor.bot
                and (
                    event.subject.casefold() == labels.NEEDS_CONFIRMATION
                    or event.subject.casefold() in labels.STATUSES
                )
            }
        )

    def is_ours(self, actor: Actor | None) -> bool:
        """Whether an account is one of our bot's."""
        return actor is not None and actor.login.casefold() in self.our_logins

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

    def labelled_by(self, name: str) -> Actor | None:
        """Who put a label on the issue last, after it was opened; None for the label of a form."""
        named = [e for e in self.label_events if e.subject.casefold() == name.casefold()]
        last = named[-1] if named and named[-1].kind is EventKind.LABELED else None
        return last.actor if last is not None and last.at > self.issue.created_at else None

    def is_bot(self, actor: Actor) -> bool:
        """Whether an account is a bot: ours or any other."""
        return actor.bot or self.is_this_bot(actor)

    def is_this_bot(self, actor: Actor) -> bool:
        """Whether an account is the configured login of our bot."""
        return actor.login.casefold() == self.bot.casefold()

    @property
    def is_confirmed_report(self) -> bool:
        """Whether our bot opened this incident from somebody's report."""
        text = self.issue.parts.reporter.lstrip()
        return self.is_ours(self.issue.author) and text.startswith("<!-- incident-actions:report ")

    @cached_property
    def accepted_before(self) -> bool:
        """Whether our bot ever put a status label on this issue.

        It does so only after it accepted the issue as an incident. Nobody can fake that, so it need
        not be decided again.
        """
        return any(
            event.kind is EventKind.LABELED
            and event.subject.casefold() in labels.STATUSES
            and self.is_this_bot(event.actor)
            for event in self.label_events
        )
