"""One issue with its history, parsed once: the input of the fold."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from msgspec import Struct

from incident_actions.domain.issue import labels
from incident_actions.domain.issue.bot_comments import BotComments, find_bot_comments
from incident_actions.domain.issue.forms import Form, FormValues, read_answers, reported_text
from incident_actions.domain.issue.records import Actor, Comment, EventKind, Issue, TimelineEvent


class Observation(Struct, frozen=True, dict=True):
    """One issue, and what happened to it, in GitHub's order.

    `bot` is the login behind the token; `form` is the form that the issue was filed with, where
    that is known. Whatever is derived from these is computed once, when it is first needed.
    """

    issue: Issue
    history: tuple[Comment | TimelineEvent, ...]
    bot: str
    form: Form = Form(())

    @cached_property
    def values(self) -> FormValues:
        """The form's values, also when the bot opened the issue from somebody's report."""
        text = self.issue.parts.reporter
        if self.is_confirmed_report:
            text = reported_text(text)
        return read_answers(self.form, text)

    @cached_property
    def own(self) -> BotComments:
        """The bot's comments.

        The bot goes by the configured login and by that of every bot that set a status here, or
        held the report. No other bot does that: so an App's token is known by what it did, before
        it is configured.
        """
        logins = {self.bot: None}
        for event in self.label_events:
            name = event.subject.casefold()
            shown = name.startswith(labels.STATUS_PREFIX) or name == labels.NEEDS_CONFIRMATION
            if event.kind is EventKind.LABELED and event.actor.bot and shown:
                logins[event.actor.login] = None
        return find_bot_comments(self.comments, tuple(logins))

    @property
    def comments(self) -> Iterator[Comment]:
        """The comments, the oldest first."""
        return (item for item in self.history if isinstance(item, Comment))

    @property
    def events(self) -> Iterator[TimelineEvent]:
        """Everything that is no comment, the oldest first."""
        return (item for item in self.history if isinstance(item, TimelineEvent))

    @property
    def label_events(self) -> Iterator[TimelineEvent]:
        """When labels were put on and taken off, the oldest first."""
        kinds = (EventKind.LABELED, EventKind.UNLABELED)
        return (event for event in self.events if event.kind in kinds)

    @property
    def people_events(self) -> Iterator[TimelineEvent]:
        """The events that were caused by people, the oldest first."""
        return (event for event in self.events if not self.is_bot(event.actor))

    def is_bot(self, actor: Actor) -> bool:
        """Whether this account is a bot: this one, or another."""
        return actor.bot or self.is_this_bot(actor)

    def is_this_bot(self, actor: Actor) -> bool:
        """Whether this is the account behind the token."""
        return actor.login.casefold() == self.bot.casefold()

    @property
    def by_our_bot(self) -> bool:
        """Whether a bot opened the issue."""
        return self.is_bot(self.issue.author)

    @property
    def is_confirmed_report(self) -> bool:
        """Whether the bot opened this incident from somebody's report."""
        text = self.issue.parts.reporter.lstrip()
        return self.issue.author.bot and text.startswith("<!-- incident-actions:report ")

    @cached_property
    def accepted_before(self) -> bool:
        """Whether the bot itself set a status here once: it does so only for incidents.

        Nobody else can make the bot do that, so its old decision saves asking again.
        """
        return any(
            event.kind is EventKind.LABELED
            and event.subject.casefold().startswith(labels.STATUS_PREFIX)
            and self.is_this_bot(event.actor)
            for event in self.label_events
        )
