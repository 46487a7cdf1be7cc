"""The interpreter: it finds the commands in an issue's history and decides which are carried out.

It works for incidents, reports and freezes alike, and collects the notices that people must get.
What a command does is in `commands`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from enum import StrEnum

import msgspec
from msgspec import Struct

from incident_actions.domain.issue.observation import (
    ANSWERS,
    Comment,
    EventKind,
    Observation,
    Permission,
    Permissions,
    TimelineEvent,
)
from incident_actions.domain.playbook.checklist import ChecklistItem
from incident_actions.domain.text.moments import DateOrder
from incident_actions.domain.timeline.arguments import Mistake
from incident_actions.domain.timeline.commands.base import Command, Origin, Subject
from incident_actions.domain.timeline.commands.pages import PageCommand, RequestedPage
from incident_actions.domain.timeline.commands.roles import ROLE_NEEDS, AssignRole
from incident_actions.domain.timeline.commands.status import Unverified
from incident_actions.domain.timeline.manual_actions import command_of
from incident_actions.domain.timeline.parser import MisreadLine, TakenLine, read_comment


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
    FREEZE_UNTIL = "freeze-until"
    NO_ROOM = "no-room"
    PASSED = "passed"
    SCHEDULER = "scheduler"
    SENSITIVE = "sensitive"


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
    `needs` are the permissions that the team's configuration sets, by the command's name, and
    `date_order` is its order of dates.

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
    date_order: DateOrder | None = None
    commands: list[Comment] = []
    taken: list[Comment] = []
    notices: list[Notice] = []
    refused: set[str] = set()

    def read(self, item: Comment | TimelineEvent) -> None:
        """Interpret one comment or event. Those of bots are ignored."""
        if self.observation.is_bot(item.author if isinstance(item, Comment) else item.actor):
            return
        if isinstance(item, Comment):
            self._read_comment(item)
        elif not is_born_with(item, self.observation):
            self._read_event(item)

    def _read_comment(self, comment: Comment) -> None:
        """Carry out the commands of a comment. All that can't be carried out becomes one notice."""
        lines = read_comment(comment.body, comment.created_at, self.date_order)
        if not lines:
            return
        self.commands.append(comment)
        login = comment.author.login
        allowed = self.permissions.at(login, comment.id)
        if allowed < Permission.TRIAGE:  # no help with spelling for those who may command nothing
            self._refuse(login)
            return
        misread: list[MisreadLine] = []
        checks: tuple[ChecklistItem, ...] = ()
        pages: list[RequestedPage] = []
        took = False
        for index, line in enumerate(lines):
            if isinstance(line, MisreadLine):
                misread.append(line)
                continue
            if allowed < self._needed(line.command):
                self._refuse(login)
                continue
            at, key = comment.created_at, f"c{comment.id}.{index}"
            try:
                self._carry_out(
                    line.command, Origin(login, line.at, key, at, self.checks, self.permissions)
                )
            except Unverified as refused:
                checks = refused.checks
            except Mistake as why:
                misread.append(MisreadLine(line.line, line.typed, why.reason, why.suggestion))
            else:
                took = True
                if isinstance(line.command, PageCommand):
                    pages.append(line.command.page)
        if took:
            self.taken.append(comment)
        self.notices += reply(str(comment.id), login, misread, checks, pages)

    def _read_event(self, event: TimelineEvent) -> None:
        """Carry out what somebody did by hand, as if they had typed the command."""
        login, command = event.actor.login, command_of(event)
        if command is None:
            return
        if self.permissions.best(login) < self._needed(command):
            self._refuse(login)
            return
        key = f"e{event.id}"
        origin = Origin(login, event.at, key, event.at, self.checks, self.permissions, by_hand=True)
        try:
            self._carry_out(command, origin)
        except Unverified as refused:
            self.notices += reply(key, login, checks=refused.checks)
        except Mistake:
            return  # the labels and the issue's state are put right by the projection

    def _carry_out(self, command: Command, origin: Origin) -> None:
        """Carry out a permitted command. Raises `Mistake` where it does not apply."""
        if self.subject not in command.applies_to:
            raise Mistake(self.subject.reason, self.subject.suggestion)
        if not isinstance(command, PageCommand):
            self.take(command, origin)

    def _needed(self, command: Command) -> Permission:
        """The permission for a command: the team's setting, else the command's own."""
        return self.needs.get(command.name, command.needs)

    def _refuse(self, login: str) -> None:
        """Tell somebody, once, that they lack the permission; `MOST_REFUSED` people at most."""
        key = login.casefold()
        if key in self.refused or len(self.refused) >= MOST_REFUSED:
            return
        self.refused.add(key)
        may_some = self.permissions.best(login) >= Permission.TRIAGE
        text = "triage" if may_some and self.subject is Subject.INCIDENT else ""
        self.notices.append(Notice(NoticeKind.REFUSED, key, to=login, text=text))


def is_born_with(event: TimelineEvent, observation: Observation) -> bool:
    """Whether the event is a label that the issue was opened with.

    Such a label is no command: the form's answers decide about the incident.
    """
    return event.kind is EventKind.LABELED and event.at <= observation.issue.created_at


def wants_permission(observation: Observation) -> dict[str, int]:
    """Whose permissions the interpreter needs: login -> id of their newest comment with a command.

    The id is 0 for people who only acted by hand.
    """
    newest: dict[str, int] = {}
    for event in observation.people_events:
        command = None if is_born_with(event, observation) else command_of(event)
        if command is not None and command.needs > Permission.NONE:
            newest.setdefault(event.actor.login, 0)
    for comment, _ in _with_commands(observation):
        newest[comment.author.login] = max(newest.get(comment.author.login, 0), comment.id)
    return newest


def named_for_roles(observation: Observation, permissions: Permissions) -> tuple[str, ...]:
    """The logins that comments name for a role, so that their permissions must be known, too.

    Only comments of people who may give roles count: a stranger could name any number of logins.
    """
    named: dict[str, None] = {}
    for comment, lines in _with_commands(observation):
        if permissions.at(comment.author.login, comment.id) >= ROLE_NEEDS:
            for line in lines:
                command = line.command if isinstance(line, TakenLine) else None
                if isinstance(command, AssignRole) and command.login:
                    named[command.login] = None
    return tuple(named)


def _with_commands(
    observation: Observation,
) -> Iterator[tuple[Comment, tuple[TakenLine | MisreadLine, ...]]]:
    """The comments by people that have commands in them, each with its command lines."""
    for comment in observation.comments:
        if not observation.is_bot(comment.author):
            lines = read_comment(comment.body, comment.created_at)
            if lines:
                yield comment, lines
