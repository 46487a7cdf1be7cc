"""Commands that change nothing: the bot answers them with a page."""

from __future__ import annotations

from msgspec import Struct

from incident_actions.domain.issue.permissions import Permission
from incident_actions.domain.timeline.arguments import Arguments
from incident_actions.domain.timeline.commands.base import Command, Subject


class RequestedPage(Struct, frozen=True):
    """A page that somebody asked for: of `help` or of the `runbook`s. No topic: all commands."""

    kind: str
    topic: str


class PageCommand(Command, frozen=True):
    """A command that asks for the page of a topic."""

    needs = Permission.TRIAGE
    dated = False
    topic: str

    @property
    def page(self) -> RequestedPage:
        """The page that it asks for."""
        return RequestedPage(self.name, self.topic)


class ShowRunbook(PageCommand, frozen=True):
    """Post a runbook; the topic is its name."""

    name = "runbook"
    syntax = "/runbook NAME"
    summary = "Post a runbook."
    example = "/runbook 502-errors"

    @classmethod
    def read(cls, arguments: Arguments) -> ShowRunbook:
        """The runbook's name."""
        return cls(arguments.slug("the runbook's name"))


class Help(PageCommand, frozen=True):
    """Post the commands, or one topic."""

    name = "help"
    syntax = "/help [severity|roles|…]"
    summary = "Show the commands, or a page of the playbook."
    example = "/help severity"
    applies_to = frozenset(Subject)

    @classmethod
    def read(cls, arguments: Arguments) -> Help:
        """A topic, or nothing."""
        return cls(arguments.rest())
