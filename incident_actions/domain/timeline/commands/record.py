"""What is written down on the way: notes, mitigations, updates, follow-ups, causes, services."""

from __future__ import annotations

import re
from datetime import date, timedelta

from incident_actions.domain.issue.incident import ActionItem, EntryKind, Incident
from incident_actions.domain.issue.permissions import Permission
from incident_actions.domain.timeline.arguments import Arguments, Mistake
from incident_actions.domain.timeline.commands.base import Command, Origin, TextCommand, log

LONGEST_PROMISE = timedelta(hours=24)
_ARROWS = ("->", "→", "=>", "–>", "—>")
_REFERENCE = re.compile(r"(?:(?<=\s)|^|(?<=\())#(\d{1,9})\b")


class Note(TextCommand, frozen=True):
    """A line for the timeline."""

    name = "note"
    syntax = "/note TEXT"
    summary = "Add a line to the timeline."
    example = "/note queue depth 12,000 and growing"
    needs = Permission.TRIAGE
    text_is = "the note"

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Changes nothing else."""
        return log(incident, origin, self.text)


class Did(Command, frozen=True):
    """A mitigation was tried."""

    name = "did"
    syntax = "/did ACTION -> RESULT"
    summary = "Record a mitigation and what came of it."
    example = "/did rolled back to v41 -> error rate dropping"
    action: str
    result: str

    @classmethod
    def read(cls, arguments: Arguments) -> Did:
        """The action, and behind an arrow its result."""
        text = arguments.needed("what was done")
        for arrow in _ARROWS:
            action, found, result = text.partition(arrow)
            if found and not action.strip():
                raise Mistake("the action before the arrow is missing", f"/did ACTION ->{result}")
            if found:
                return cls(action.strip(), result.strip())
        return cls(text, "")

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Counts it, and remembers the pull requests that it names."""
        return log(
            incident,
            origin,
            self.action,
            self.result,
            deed=EntryKind.MITIGATION,
            fixes=fixes_named(incident, self.action, self.result),
            mitigations=incident.mitigations + 1,
        )


class Update(Command, frozen=True):
    """An internal update; `next_in` sets when the next one is due."""

    name = "update"
    syntax = "/update [next 20m] TEXT"
    summary = "Post an internal update; the update clock starts again."
    example = "/update next 20m scaling workers, queue draining"
    needs = Permission.TRIAGE
    text: str
    next_in: timedelta | None

    @classmethod
    def read(cls, arguments: Arguments) -> Update:
        """The update, and when the next one comes, before it or behind it."""
        next_in = arguments.promise(LONGEST_PROMISE)
        return cls(arguments.needed("the update"), next_in)

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Starts the clock of internal updates again."""
        return log(
            incident,
            origin,
            "posted an update",
            self.text,
            deed=EntryKind.UPDATE,
            updates=incident.updates + 1,
            last_update=origin.at,
            next_update=origin.at + self.next_in if self.next_in else None,
        )


class CustomerUpdate(TextCommand, frozen=True):
    """A customer-facing update."""

    name = "customer"
    syntax = "/customer TEXT"
    summary = "Record a customer-facing update."
    example = "/customer Uploads may fail. Next update in 30 minutes."
    text_is = "the update"

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Whoever tells customers says that they are affected."""
        return log(
            incident,
            origin,
            "told customers",
            self.text,
            deed=EntryKind.CUSTOMER_UPDATE,
            customers=True,
            customer_updates=incident.customer_updates + 1,
            last_customer_update=origin.at,
        )


class AddAction(Command, frozen=True):
    """A follow-up for the postmortem."""

    name = "action"
    syntax = "/action TEXT / @owner / DATE"
    summary = "Note a follow-up for the postmortem."
    example = "/action Alert on queue depth / @bea / 2026-12-01"
    text: str
    owner: str
    due: date

    @classmethod
    def read(cls, arguments: Arguments) -> AddAction:
        """A text, an owner and a date like 2026-12-01, with slashes between them."""
        parts = [part.strip() for part in arguments.needed("the follow-up").rsplit(" / ", 2)]
        suggestion = f"/action {parts[0]} / @owner / 2026-12-01"
        if len(parts) != 3 or not parts[0]:
            raise Mistake("a follow-up has a text, an owner and a due date", suggestion)
        text, owner, due = parts
        if not owner or owner != Arguments(owner).peek():
            raise Mistake("a follow-up has one owner", suggestion)
        try:
            return cls(text, Arguments(owner).login("the owner"), date.fromisoformat(due))
        except ValueError:
            raise Mistake(f"`{due}` is no date like 2026-12-01", suggestion) from None

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Remembers it for the postmortem."""
        due = self.due.isoformat()
        item = ActionItem(
            text=self.text[:300], owner=self.owner, due=due, by=origin.actor, key=origin.key
        )
        action = f"noted a follow-up for @{self.owner}, due {due}"
        return log(incident, origin, action, self.text, actions=(*incident.actions, item))


class SetCause(Command, frozen=True):
    """What caused it, as a name to count by."""

    name = "cause"
    syntax = "/cause NAME"
    summary = "Name the cause."
    example = "/cause bad-deploy"
    cause: str

    @classmethod
    def read(cls, arguments: Arguments) -> SetCause:
        """One short name."""
        return cls(arguments.slug("the cause"))

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Replaces the cause that was named before."""
        return log(incident, origin, f"named the cause: {self.cause}", cause=self.cause)


class SetServices(Command, frozen=True):
    """The services that are part of it."""

    name = "service"
    syntax = "/service NAME[,NAME]"
    summary = "Name the affected services."
    example = "/service api,worker"
    names: tuple[str, ...]

    @classmethod
    def read(cls, arguments: Arguments) -> SetServices:
        """Short names, with commas or spaces between them."""
        return cls(arguments.slugs("the services"))

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Replaces the services that were named before."""
        action = f"set the services to {', '.join(self.names)}"
        return log(incident, origin, action, services=tuple(sorted(self.names)))


def fixes_named(incident: Incident, *texts: str) -> tuple[int, ...]:
    """The pull requests that may be its fix: those known, and those that the texts name.

    A change from one of them may pass the freeze, so only commands that need write access say
    so: `/note` and `/update` are for triage, too.
    """
    found = [int(number) for text in texts for number in _REFERENCE.findall(text)]
    return tuple(dict.fromkeys((*incident.fixes, *found)))[-20:]
