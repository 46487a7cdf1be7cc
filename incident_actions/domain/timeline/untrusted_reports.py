"""What the team decided about a report by somebody from outside, or about a deploy freeze."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from incident_actions.domain.issue.observation import (
    Comment,
    EventKind,
    Observation,
    Permission,
    Permissions,
    take_apart,
)
from incident_actions.domain.timeline.commands.base import Command, Origin, Subject
from incident_actions.domain.timeline.interpreter import (
    Interpreter,
    Notice,
    NoticeKind,
    all_statements,
    source_of,
)


class TeamDecision(Struct, frozen=True):
    """What the team decided about an issue that is no incident.

    `command` is the decision, None while there is none; `by` is the login of who made it, `source`
    the id of the comment. `comments` are those with any command. `notices` are what people must be
    told.
    """

    command: Command | None
    by: str
    source: str
    comments: tuple[Comment, ...]
    notices: tuple[Notice, ...]


def decide(
    observation: Observation,
    subject: Subject,
    permissions: Permissions,
    needs: Mapping[str, Permission],
) -> TeamDecision:
    """Find the decision: the first command that applies to the issue, by somebody who may use it.

    `needs` are the permissions that the configuration sets for commands, by the command's name.
    """
    decisions: list[tuple[Command, str, str]] = []

    def take(command: Command, origin: Origin) -> None:
        decisions.append((command, origin.actor, source_of(origin.key)))

    interpreter = Interpreter(observation, subject, permissions, needs, take)
    for statement in sorted(all_statements(observation, permissions), key=lambda each: each.at):
        interpreter.read(statement)
    command, by, source = decisions[0] if decisions else (None, "", "")
    comments, notices = tuple(interpreter.commands), tuple(interpreter.notices)
    return TeamDecision(command, by, source, comments, notices)


def report_marker(report: int) -> str:
    """The HTML comment in an incident's body that holds the number of the report it came from."""
    return f"<!-- incident-actions:report {report} -->"


def all_opened(observation: Observation) -> tuple[int, ...]:
    """The numbers of the incidents that the bot opened for this report, the oldest first.

    They are known from the references that GitHub keeps. There can be more than one, because two
    runs that overlapped may both have opened one.
    """
    mark = report_marker(observation.issue.number)
    numbers = {
        int(event.subject)
        for event in observation.events
        if event.kind is EventKind.CROSS_REFERENCED
        and event.subject.isdigit()
        and observation.is_ours(event.author)
        and take_apart(event.body).reporter.lstrip().startswith(mark)
    }
    return tuple(sorted(numbers))


def opened_as(observation: Observation) -> int | None:
    """The number of the incident that was opened for this report; None while there is none.

    It is known from the references that GitHub keeps, else from the bot's comment on the report.
    """
    start = f"{observation.issue.number}."
    keys = observation.own.of_kind(NoticeKind.CONFIRMED)
    named = [key.removeprefix(start) for key in keys if key.startswith(start)]
    numbers = [*all_opened(observation), *(int(number) for number in named if number.isdigit())]
    return next(iter(numbers), None)
