"""One interpreter of commands, for incidents, reports and freezes, and what is to be said then."""

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

    `REPLY` answers one comment or manual action, with all that there is to say of it: the lines
    that were not taken, the checks that are missing before it may close, the pages that were
    asked for. `REFUSED` tells somebody, once, that they may not command.
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
    """Something that the bot has to say. `kind` and `key` together are said once."""

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
    """The one answer to a comment or manual action; none when there is nothing to say.

    The key changes with what is said, so that an edited comment gets an answer of its own.
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
    """The notices whose comment was never posted; `posted` are the names of those that were."""
    return tuple(notice for notice in notices if name_of(notice) not in posted)


def outdated(notices: Iterable[Notice], own: Iterable[str]) -> tuple[str, ...]:
    """Of the bot's comments, by name, the answers to what has since been corrected or deleted."""
    wanted = {name_of(notice) for notice in notices}
    return tuple(name for name in own if name.split(" ", 1)[0] in ANSWERS and name not in wanted)


MOST_REFUSED = 10
"""How many people are told, one comment each, that they may not command."""


class Interpreter(Struct):
    """One pass over the history of an issue.

    `take` carries out a command that somebody was permitted; it raises `Mistake` for one that
    makes no sense now. `needs` are the permissions that the team's configuration sets, by command.

    What it has found so far: `commands`, the comments with any command; `taken`, those with one
    that was taken; `notices`, what there is to say; `refused`, who may not do what they tried.
    """

    observation: Observation
    subject: Subject
    permissions: Permissions
    needs: Mapping[str, Permission]
    take: Callable[[Command, Origin], None]
    checks: tuple[ChecklistItem, ...] = ()
    commands: list[Comment] = []
    taken: list[Comment] = []
    notices: list[Notice] = []
    refused: set[str] = set()

    def read(self, item: Comment | TimelineEvent) -> None:
        """Interpret one comment or event. What bots do means nothing."""
        if self.observation.is_bot(item.author if isinstance(item, Comment) else item.actor):
            return
        if isinstance(item, Comment):
            self._read_comment(item)
        elif not is_born_with(item, self.observation):
            self._read_event(item)

    def _read_comment(self, comment: Comment) -> None:
        """Carry out the commands of a comment; what can't be taken becomes one notice."""
        lines = read_comment(comment.body, comment.created_at)
        if not lines:
            return
        self.commands.append(comment)
        login = comment.author.login
        allowed = self.permissions.at(login, comment.id)
        if allowed < Permission.TRIAGE:  # who may command nothing is told nothing of spelling
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
        if self.subject not in command.applies_to:
            raise Mistake(self.subject.reason, self.subject.suggestion)
        if not isinstance(command, PageCommand):
            self.take(command, origin)

    def _needed(self, command: Command) -> Permission:
        return self.needs.get(command.name, command.needs)

    def _refuse(self, login: str) -> None:
        """Say once that somebody may not do that; a crowd of strangers is not answered."""
        key = login.casefold()
        if key in self.refused or len(self.refused) >= MOST_REFUSED:
            return
        self.refused.add(key)
        may_some = self.permissions.best(login) >= Permission.TRIAGE
        text = "triage" if may_some and self.subject is Subject.INCIDENT else ""
        self.notices.append(Notice(NoticeKind.REFUSED, key, to=login, text=text))


def is_born_with(event: TimelineEvent, observation: Observation) -> bool:
    """Whether the issue was opened with this label: its form's answers say more."""
    return event.kind is EventKind.LABELED and event.at <= observation.issue.created_at


def wants_permission(observation: Observation) -> dict[str, int]:
    """Whose permission the interpreter will look up: login -> newest comment with a command.

    Manual actions that stand for a command count as comment 0.
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
    """Who was named for a role in a comment, by people who may do that.

    Names that a stranger types are not asked about: they could be many.
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
    """The comments of people that have a command in them, with their lines."""
    for comment in observation.comments:
        if not observation.is_bot(comment.author):
            lines = read_comment(comment.body, comment.created_at)
            if lines:
                yield comment, lines
