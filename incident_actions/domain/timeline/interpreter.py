"""The interpreter: it finds the commands in an issue's history and decides which are carried out.

It works for incidents, reports and freezes alike, and collects the notices that people must get.
What a command does is in `commands`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from enum import StrEnum

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.issue.observation import (
    ANSWERS,
    Comment,
    Deed,
    EventKind,
    Observation,
    Permission,
    Permissions,
    TimelineEvent,
    Version,
)
from incident_actions.domain.playbook.checklist import ChecklistItem
from incident_actions.domain.text.moments import DateOrder
from incident_actions.domain.timeline.arguments import Mistake
from incident_actions.domain.timeline.commands.base import Command, Origin, Subject
from incident_actions.domain.timeline.commands.freeze import Allow
from incident_actions.domain.timeline.commands.pages import PageCommand, RequestedPage
from incident_actions.domain.timeline.commands.record import UnknownService
from incident_actions.domain.timeline.commands.roles import ROLE_NEEDS, AssignRole
from incident_actions.domain.timeline.commands.status import Unverified
from incident_actions.domain.timeline.manual_actions import command_of
from incident_actions.domain.timeline.parser import (
    NOT_TYPED,
    MisreadLine,
    TakenLine,
    complete,
    may_hold_commands,
    read_comment,
)


class NoticeKind(StrEnum):
    """What a notice is about. The value is the kind in its comment's marker, and the name of its
    template (`templates/comments/KIND.md.j2`).

    `REPLY` answers one comment or manual action. It holds all there is to say: the lines that could
    not be carried out, the recovery checks that are missing before the incident may close, and the
    pages that were asked for. `REFUSED` tells somebody, once, that they lack the permission.
    """

    REPLY = "reply"
    REFUSED = "refused"
    HELD = "held"
    CONFIRMED = "confirmed"
    DISMISSED = "dismissed"
    FREEZE_HELD = "freeze-held"
    FREEZE_ENDED = "freeze-ended"
    FREEZE_FROM = "freeze-from"
    FREEZE_UNTIL = "freeze-until"
    FREEZE_KEPT = "freeze-kept"
    NO_ROOM = "no-room"
    NO_WATCH = "no-watch"
    PASSED = "passed"
    PUSHED = "pushed"
    PUT_BACK = "put-back"
    SCHEDULER = "scheduler"
    SENSITIVE = "sensitive"
    WATCH_RESTS = "watch-rests"


class Notice(Struct, frozen=True):
    """Something that the bot has to tell people, in a comment.

    A notice with the same `kind` and `key` is posted only once. `to` is the login that it answers.
    """

    kind: NoticeKind
    key: str
    to: str = ""
    lines: tuple[MisreadLine, ...] = ()
    checks: tuple[ChecklistItem, ...] = ()
    pages: tuple[RequestedPage, ...] = ()
    text: str = ""


def reply(
    source: str,
    to: str,
    lines: Iterable[MisreadLine] = (),
    checks: Iterable[ChecklistItem] = (),
    pages: Iterable[RequestedPage] = (),
) -> tuple[Notice, ...]:
    """The answer to a comment or manual action: one notice, or none when there is nothing to say.

    `source` identifies the comment or action. The notice's key also depends on its content, so that
    an edited comment gets a new answer.
    """
    parts = (tuple(lines), tuple(checks), tuple(pages))
    if not any(parts):
        return ()
    digest = hashlib.sha256(repr(msgspec.to_builtins(parts)).encode()).hexdigest()[:8]
    return (Notice(NoticeKind.REPLY, f"{source}.{digest}", to, *parts),)


def name_of(notice: Notice) -> str:
    """The name of the comment that a notice becomes: `KIND KEY`."""
    return f"{notice.kind} {notice.key}"


def unposted(notices: Iterable[Notice], posted: Collection[str]) -> tuple[Notice, ...]:
    """The notices that were not posted yet; `posted` are the names of all comments that were."""
    return tuple(notice for notice in notices if name_of(notice) not in posted)


def outdated(notices: Iterable[Notice], own: Iterable[str]) -> tuple[str, ...]:
    """The names of the bot's comments that answer something since corrected or deleted.

    `own` are the names of all comments of the bot's; `notices` are what it has to say now.
    """
    wanted = {name_of(notice) for notice in notices}
    return tuple(name for name in own if name.split(" ", 1)[0] in ANSWERS and name not in wanted)


MOST_REFUSED = 10
"""How many people are told on one issue that they lack the permission, with one comment each."""


class Interpreter(Struct):
    """Interprets the history of one issue, from the oldest item to the newest.

    `take` carries out a permitted command, and raises `Mistake` for one that makes no sense now.
    `needs` are the permissions that the team's configuration sets, by the command's name.
    `services` are the names on its list of services. `commits` are what was looked up for the
    changes that people named (`named_changes`). `date_order` is the team's order of dates.

    The rest are results so far. `commands` are the comments with any command, `taken` those with a
    command that was carried out. `notices` are what people must be told. `refused` are the logins,
    in lower case, of who lacked a permission.
    """

    observation: Observation
    subject: Subject
    permissions: Permissions
    needs: Mapping[str, Permission]
    take: Callable[[Command, Origin], None]
    checks: tuple[ChecklistItem, ...] = ()
    services: tuple[str, ...] = ()
    commits: Mapping[str, str] = {}
    date_order: DateOrder | None = None
    commands: list[Comment] = []
    taken: list[Comment] = []
    notices: list[Notice] = []
    refused: set[str] = set()

    def read(self, item: Statement | TimelineEvent) -> None:
        """Interpret some commands of a comment, or one event. Those of bots are ignored."""
        if isinstance(item, Statement):
            self._read_statement(item)
        elif not self.observation.is_bot(item.actor) and not is_born_with(item, self.observation):
            self._read_event(item)

    def _read_statement(self, statement: Statement) -> None:
        """Carry out commands of a comment. All that can't be carried out becomes one notice."""
        comment = statement.comment
        if comment not in self.commands:
            self.commands.append(comment)
        misread: list[MisreadLine] = []
        checks: tuple[ChecklistItem, ...] = ()
        pages: list[RequestedPage] = []
        took = False
        for index, (line, deed) in enumerate(statement.lines):
            allowed = self.permissions.of(deed)
            if allowed < Permission.TRIAGE:  # no help with spelling for who may command nothing
                self._refuse(deed.login, allowed)
                continue
            if isinstance(line, MisreadLine):
                misread.append(line)
                continue
            if allowed < self._needed(line.command):
                self._refuse(deed.login, allowed)
                continue
            key = f"{deed.key}.{index}"
            origin = self._origin(deed.login, line.at, key, statement.at)
            try:
                self._carry_out(line.command, origin)
            except Unverified as refused:
                checks = refused.checks
            except Mistake as why:
                instead = complete(type(line.command), why.suggestion)
                misread.append(MisreadLine(line.line, line.typed, why.reason, instead))
            else:
                took = True
                if isinstance(line.command, PageCommand):
                    pages.append(line.command.page)
        if took and comment not in self.taken:
            self.taken.append(comment)
        self.notices += reply(str(comment.id), statement.by, misread, checks, pages)

    def _read_event(self, event: TimelineEvent) -> None:
        """Carry out what somebody did by hand, as if they had typed the command."""
        deed, command = deed_of(event), command_of(event)
        if command is None:
            return
        needed = self._needed(command)
        allowed = self.permissions.of(deed) if needed > Permission.NONE else Permission.NONE
        if allowed < needed:
            if event.kind is not EventKind.CROSS_REFERENCED:  # a mention is no attempt at anything
                self._refuse(deed.login, allowed)
            return
        origin = replace(self._origin(deed.login, event.at, deed.key, event.at), by_hand=True)
        try:
            self._carry_out(command, origin)
        except Unverified as refused:
            self.notices += reply(deed.key, deed.login, checks=refused.checks)
        except UnknownService as why:
            line = MisreadLine(NOT_TYPED, event.subject, why.reason, why.suggestion)
            self.notices += reply(deed.key, deed.login, [line])
        except Mistake:
            return  # the labels and the issue's state are put right by the projection

    def _origin(self, login: str, at: datetime, key: str, typed_at: datetime) -> Origin:
        """Where a command comes from, with all that the team's configuration says to it."""
        origin = Origin(login, at, key, typed_at, self.checks, self.permissions)
        repository = "/".join(self.observation.issue.url.split("/")[3:5])
        return replace(origin, services=self.services, commits=self.commits, repository=repository)

    def _carry_out(self, command: Command, origin: Origin) -> None:
        """Carry out a permitted command. Raises `Mistake` where it does not apply."""
        if self.subject not in command.applies_to:
            raise Mistake(self.subject.reason, self.subject.suggestion)
        if not isinstance(command, PageCommand):
            self.take(command, origin)

    def _needed(self, command: Command) -> Permission:
        """The permission for a command: the team's setting, else the command's own."""
        return self.needs.get(command.name, command.needs)

    def _refuse(self, login: str, allowed: Permission) -> None:
        """Tell somebody, once, that they lack the permission; `MOST_REFUSED` people at most.

        `allowed` is the permission that they have.
        """
        key = login.casefold()
        if key in self.refused or len(self.refused) >= MOST_REFUSED:
            return
        self.refused.add(key)
        may_some = allowed >= Permission.TRIAGE and self.subject is Subject.INCIDENT
        self.notices.append(
            Notice(NoticeKind.REFUSED, key, to=login, text="triage" if may_some else "")
        )


class Statement(Struct, frozen=True):
    """Commands of one comment that count from the same moment.

    Each line comes with the deed by which it got into the comment: the writing, or an edit. `at`
    is that moment, `by` the login to answer.
    """

    comment: Comment
    by: str
    at: datetime
    lines: tuple[tuple[TakenLine | MisreadLine, Deed], ...]


MOST_OF_A_STRANGER = 4_000
"""How many characters are read of a comment by somebody who may command nothing. That is enough to
refuse what they command; every run reads it again, and GitHub takes sixteen times as many."""


def statements(
    comment: Comment, permissions: Permissions, date_order: DateOrder | None = None
) -> tuple[Statement, ...]:
    """The commands of a comment, by the moments from which they count, the oldest first.

    A line that an edit brought into the comment was said by the editor. When the comment had the
    same command before, it is a correction and counts from when that was said; else it counts from
    the edit on. An edit by somebody who may command nothing takes nothing away, and what it adds is
    refused like anything else that they say. So whoever rewrites another's words, or their own
    after they left the team, gains nothing by it.
    """
    said: list[tuple[TakenLine | MisreadLine, Deed, datetime]] = []
    for version in _versions(comment):
        deed = _deed_of_version(comment, version)
        if said and version.by.bot:
            continue  # a program that tidies comments up says nothing in anybody's name
        before, said = said, []
        stranger = permissions.of(deed) < Permission.TRIAGE
        text = (version.text or "")[: MOST_OF_A_STRANGER if stranger else None]
        if before and stranger:
            lines = read_comment(text, version.at, date_order)
            new = [line for line in lines if not any(_same_line(old[0], line) for old in before)]
            said = [*before, *((line, deed, version.at) for line in new)]
            continue
        first = comment.created_at if version.by == comment.author and not before else version.at
        for line in read_comment(text, first, date_order):
            same = next((old for old in before if _same_line(old[0], line)), None)
            other = next((old for old in before if _same_command(old[0], line)), None)
            if same is not None:
                before.remove(same)
                said.append(same)
            elif other is not None:
                before.remove(other)
                corrected = read_comment(text, other[2], date_order)
                again = next(each for each in corrected if each.line == line.line)
                said.append((again, deed, other[2]))
            else:
                said.append((line, deed, first))
    moments = sorted({at for _, _, at in said})
    return tuple(
        Statement(
            comment,
            by=next(deed.login for _, deed, when in said if when == at),
            at=at,
            lines=tuple((line, deed) for line, deed, when in said if when == at),
        )
        for at in moments
    )


def _versions(comment: Comment) -> tuple[Version, ...]:
    """A comment's versions; the only one of a comment that was never edited."""
    return comment.versions or (Version(comment.author, comment.created_at, comment.body),)


def _deed_of_version(comment: Comment, version: Version) -> Deed:
    edit = "" if version.at == comment.created_at else f".{version.at:%y%m%d%H%M%S}"
    return Deed(f"c{comment.id}{edit}", version.by.login, version.at)


def _same_line(one: TakenLine | MisreadLine, other: TakenLine | MisreadLine) -> bool:
    if isinstance(one, TakenLine) and isinstance(other, TakenLine):
        return (one.typed, one.command) == (other.typed, other.command)
    return one.typed == other.typed and type(one) is type(other)


def _same_command(one: TakenLine | MisreadLine, other: TakenLine | MisreadLine) -> bool:
    """Whether one line may be the corrected other one: a misread line can have meant anything."""
    if isinstance(one, TakenLine) and isinstance(other, TakenLine):
        return type(one.command) is type(other.command)
    return isinstance(one, MisreadLine)


def deed_of(event: TimelineEvent) -> Deed:
    """What somebody did by hand. A cross-reference has no id: its number is the other issue's."""
    kind = "x" if event.kind is EventKind.CROSS_REFERENCED else "e"
    return Deed(f"{kind}{event.id}", event.actor.login, event.at)


def source_of(key: str) -> str:
    """The id of the comment or event that a deed's key (`c123.0`, `e456`) begins with."""
    return key[1:].partition(".")[0]


def is_born_with(event: TimelineEvent, observation: Observation) -> bool:
    """Whether the event is a label that the issue was opened with.

    Such a label is no command: the form's answers decide about the incident.
    """
    return event.kind is EventKind.LABELED and event.at <= observation.issue.created_at


def deeds_on(observation: Observation) -> tuple[Deed, ...]:
    """What people did on the issue that takes a permission, whether they had it or not."""
    by_hand = [
        deed_of(event)
        for event in observation.people_events
        if not is_born_with(event, observation)
        and (command := command_of(event)) is not None
        and command.needs > Permission.NONE
    ]
    said = [
        _deed_of_version(comment, version)
        for comment in with_commands(observation)
        for version in _versions(comment)
        if not observation.is_bot(version.by)
    ]
    return (*by_hand, *said)


def named_for_roles(observation: Observation, permissions: Permissions) -> tuple[str, ...]:
    """The logins that comments name for a role, so that their permissions must be known, too.

    Only comments of people who may give roles count: a stranger could name any number of logins.
    """
    named: dict[str, None] = {}
    for statement in all_statements(observation, permissions):
        for line, deed in statement.lines:
            command = line.command if isinstance(line, TakenLine) else None
            may = permissions.of(deed) >= ROLE_NEEDS
            if isinstance(command, AssignRole) and command.login and may:
                named[command.login] = None
    return tuple(named)


def named_changes(
    observation: Observation, permissions: Permissions, needs: Mapping[str, Permission]
) -> dict[str, Allow]:
    """The changes that people let through the freeze, by `Allow.question`: to be looked up.

    Only those by people who may do that count.
    """
    needed = needs.get(Allow.name, Allow.needs)
    return {
        line.command.question(f"c{statement.comment.id}"): line.command
        for statement in all_statements(observation, permissions)
        for line, deed in statement.lines
        if isinstance(line, TakenLine)
        and isinstance(line.command, Allow)
        and permissions.of(deed) >= needed
    }


def all_statements(
    observation: Observation, permissions: Permissions, date_order: DateOrder | None = None
) -> Iterator[Statement]:
    """The commands of all comments; see `statements`."""
    for comment in with_commands(observation):
        yield from statements(comment, permissions, date_order)


def with_commands(observation: Observation) -> Iterator[Comment]:
    """The comments by people that have commands in them, or had before an edit."""
    for comment in observation.comments:
        if not observation.is_bot(comment.author) and any(
            may_hold_commands(version.text or "") for version in _versions(comment)
        ):
            yield comment
