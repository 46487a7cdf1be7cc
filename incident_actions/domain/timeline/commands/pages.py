"""Commands that ask for a page. They change nothing; the bot answers with a comment."""

from __future__ import annotations

from msgspec import Struct

from incident_actions.domain.issue.observation import Permission
from incident_actions.domain.timeline.arguments import Arguments
from incident_actions.domain.timeline.commands.base import Subject, TextCommand


class RequestedPage(Struct, frozen=True):
    """A page that somebody asked for.

    `kind` is `help` or `runbook`. `topic` names the page; an empty topic of `help` means the list
    of commands.
    """

    kind: str
    topic: str


class PageCommand(TextCommand, frozen=True):
    """A command that asks for a page. Its text is the topic."""

    needs = Permission.TRIAGE
    dated = False

    @property
    def page(self) -> RequestedPage:
        """The page that the command asks for."""
        return RequestedPage(self.name, self.text)


class ShowRunbook(PageCommand, frozen=True):
    """Post a runbook."""

    syntax = "/runbook NAME"
    example = "/runbook 502-errors"

    @classmethod
    def read(cls, arguments: Arguments) -> ShowRunbook:
        """The runbook's name."""
        return cls(arguments.slug("the runbook's name"))


class Help(PageCommand, frozen=True):
    """Show the commands, or a page of the playbook."""

    syntax = "/help [severity|roles|…]"
    example = "/help severity"
    applies_to = frozenset(Subject)
