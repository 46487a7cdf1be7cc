"""A report by somebody from outside: held until a writer confirms or dismisses it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from incident_actions.domain.issue.observation import Observation
from incident_actions.domain.issue.permissions import Permission, Permissions
from incident_actions.domain.issue.records import Comment, EventKind, TimelineEvent
from incident_actions.domain.timeline import commands as c
from incident_actions.domain.timeline.notices import Notice, RequestedPage, reply
from incident_actions.domain.timeline.parser import read_comment


class TeamDecision(Struct, frozen=True):
    """What the team decided about an issue that is no incident; None: nothing yet."""

    command: c.Confirm | c.Dismiss | c.ThawDeploys | None
    by: str
    comments: tuple[Comment, ...]
    notices: tuple[Notice, ...]


class DecisionTerms(Struct, frozen=True):
    """Which commands decide, and what to say of the others: why not, and what to type instead."""

    takes: tuple[type[c.Confirm | c.Dismiss | c.ThawDeploys], ...]
    why: str
    instead: str


HELD = DecisionTerms(
    (c.Confirm, c.Dismiss), "this is a report that nobody has confirmed yet", "/confirm"
)


def decide(
    observation: Observation,
    grants: Permissions,
    needs: Mapping[str, Permission] | None = None,
    terms: DecisionTerms = HELD,
) -> TeamDecision:
    """The first command that decides, by somebody who may, counts. No other is taken."""
    decision: c.Confirm | c.Dismiss | c.ThawDeploys | None = None
    by = ""
    comments: list[Comment] = []
    notices: list[Notice] = []
    refused: set[str] = set()
    for comment in observation.history:
        if not isinstance(comment, Comment) or comment.author.bot:
            continue
        lines = read_comment(comment.body, comment.created_at)
        if not lines:
            continue
        comments.append(comment)
        login = comment.author.login
        allowed = grants.at(login, comment.id)
        misread: list[c.Misread] = []
        pages: list[RequestedPage] = []
        for line in lines:
            if allowed < _needed(line, needs or {}):
                key = login.casefold()
                if key not in refused:
                    refused.add(key)
                    notices.append(Notice("refused", key, to=login))
            elif isinstance(line, c.Misread):
                misread.append(line)
            elif isinstance(line.command, terms.takes):
                if decision is None:
                    decision, by = line.command, login
            elif isinstance(line.command, c.Help):
                pages.append(RequestedPage("help", line.command.topic))
            else:
                misread.append(c.Misread(line.line, line.typed, terms.why, terms.instead))
        answer = reply(str(comment.id), login, misread, pages=pages)
        notices += [answer] if answer else []
    return TeamDecision(decision, by, tuple(comments), tuple(notices))


def _needed(line: c.Taken | c.Misread, needs: Mapping[str, Permission]) -> Permission:
    if isinstance(line, c.Misread):
        return Permission.TRIAGE
    spec = c.spec_of(line.name)
    return needs.get(line.name, spec.needs if spec else Permission.WRITE)


def marker(report: int) -> str:
    """What ties an incident to the report that it came from."""
    return f"<!-- incident-actions:report {report} -->"


def opened_as(observation: Observation) -> int | None:
    """The incident that the bot opened for this report, by the reference GitHub keeps."""
    return next(iter(all_opened(observation)), None)


def all_opened(observation: Observation) -> tuple[int, ...]:
    """The same, oldest first: two runs at the same time may not have known of each other."""
    mark = marker(observation.issue.number)
    numbers = (
        int(event.subject)
        for event in observation.history
        if isinstance(event, TimelineEvent)
        and event.kind is EventKind.CROSS_REFERENCED
        and event.author is not None
        and (event.author.bot or event.author.login.casefold() == observation.bot.casefold())
        and mark in event.body
    )
    return tuple(sorted(set(numbers)))
