"""An issue by somebody from outside, or a deploy freeze: what the team decided about it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from incident_actions.domain.issue.observation import (
    Comment,
    EventKind,
    Observation,
    Permission,
    Permissions,
)
from incident_actions.domain.timeline.commands.base import Command, Origin, Subject
from incident_actions.domain.timeline.interpreter import Interpreter, Notice, NoticeKind


class TeamDecision(Struct, frozen=True):
    """What the team decided about an issue that is no incident, and who; None: nothing yet.

    `comments` are those with any command.
    """

    command: Command | None
    by: str
    comments: tuple[Comment, ...]
    notices: tuple[Notice, ...]


def decide(
    observation: Observation,
    subject: Subject,
    permissions: Permissions,
    needs: Mapping[str, Permission],
) -> TeamDecision:
    """The first command that applies, by somebody who may, counts; the others are answered."""
    decisions: list[tuple[Command, str]] = []

    def take(command: Command, origin: Origin) -> None:
        decisions.append((command, origin.actor))

    interpreter = Interpreter(observation, subject, permissions, needs, take)
    for comment in observation.comments:
        interpreter.read(comment)
    command, by = decisions[0] if decisions else (None, "")
    return TeamDecision(command, by, tuple(interpreter.commands), tuple(interpreter.notices))


def report_marker(report: int) -> str:
    """What ties an incident to the report that it came from."""
    return f"<!-- incident-actions:report {report} -->"


def all_opened(observation: Observation) -> tuple[int, ...]:
    """What the bot opened for this report, by the references that GitHub keeps, oldest first.

    It can be more than one: two runs at the same time may not have known of each other.
    """
    mark = report_marker(observation.issue.number)
    found = {
        int(event.subject)
        for event in observation.events
        if event.kind is EventKind.CROSS_REFERENCED
        and event.author is not None
        and observation.is_bot(event.author)
        and mark in event.body
    }
    return tuple(sorted(found))


def opened_as(observation: Observation) -> int | None:
    """What the report goes on as: by those references, or by the bot's own comment on it."""
    start = f"{observation.issue.number}."
    keys = observation.own.of_kind(NoticeKind.CONFIRMED)
    named = [key.removeprefix(start) for key in keys if key.startswith(start)]
    numbers = [*all_opened(observation), *(int(number) for number in named if number.isdigit())]
    return next(iter(numbers), None)
