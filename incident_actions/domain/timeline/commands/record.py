"""Commands that record facts: notes, mitigations, updates, follow-ups, causes, services."""

from __future__ import annotations

from datetime import date, timedelta

from msgspec.structs import replace

from incident_actions.domain.issue.incident import ActionItem, EntryKind, Incident
from incident_actions.domain.issue.observation import Permission
from incident_actions.domain.timeline.arguments import Arguments, Mistake
from incident_actions.domain.timeline.commands.base import Command, Origin, TextCommand

LONGEST_PROMISE = timedelta(hours=24)
_ARROWS = ("->", "→", "=>", "–>", "—>")


class Note(TextCommand, frozen=True):
    """Add a line to the timeline."""

    syntax = "/note TEXT"
    example = "/note queue depth 12,000 and growing"
    needs = Permission.TRIAGE
    text_is = "the note"

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Adds the line, and changes nothing else."""
        return origin.log(incident, self.text)


class Did(Command, frozen=True):
    """Record a mitigation and what came of it."""

    syntax = "/did ACTION -> RESULT"
    example = "/did rolled back to v41 -> error rate dropping"
    action: str
    result: str

    @classmethod
    def read(cls, arguments: Arguments) -> Did:
        """The action and, after an arrow, its result, which may be missing."""
        text = arguments.needed("what was done")
        for arrow in _ARROWS:
            action, separator, result = text.partition(arrow)
            if separator and not action.strip():
                raise Mistake("the action before the arrow is missing", f"/did ACTION ->{result}")
            if separator:
                return cls(action.strip(), result.strip())
        return cls(text, "")

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Counts the mitigation. What its text names is no fix: it may be the culprit."""
        incident = replace(incident, mitigations=incident.mitigations + 1)
        return origin.log(incident, self.action, self.result, deed=EntryKind.MITIGATION)


class Update(Command, frozen=True):
    """Post an internal update; the update clock starts again.

    `next_in` says when the next one is due.
    """

    syntax = "/update [next 20m] TEXT"
    example = "/update next 20m scaling workers, queue draining"
    needs = Permission.TRIAGE
    text: str
    next_in: timedelta | None

    @classmethod
    def read(cls, arguments: Arguments) -> Update:
        """The update, and before or after it `next 20m`: when the next update comes."""
        next_in = arguments.promise(LONGEST_PROMISE)
        return cls(arguments.needed("the update"), next_in)

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Counts the update. The time until the next one starts again."""
        due = origin.at + self.next_in if self.next_in else None
        clock = {"last_update": origin.at, "next_update": due}
        incident = replace(incident, updates=incident.updates + 1, **clock)
        return origin.log(incident, "posted an update", self.text, deed=EntryKind.UPDATE)


class CustomerUpdate(TextCommand, frozen=True):
    """Record a customer-facing update."""

    syntax = "/customer TEXT"
    example = "/customer Uploads may fail. Next update in 30 minutes."
    text_is = "the update"

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Counts the update, and records that customers are affected."""
        count = incident.customer_updates + 1
        incident = replace(incident, customers=True, customer_updates=count)
        incident = replace(incident, last_customer_update=origin.at)
        return origin.log(incident, "told customers", self.text, deed=EntryKind.CUSTOMER_UPDATE)


class AddAction(Command, frozen=True):
    """Note a follow-up for the postmortem."""

    syntax = "/action TEXT / @owner / DATE"
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
        """Keeps the follow-up for the postmortem."""
        due = self.due.isoformat()
        item = ActionItem(self.text[:300], self.owner, due, origin.actor, origin.key)
        action = f"noted a follow-up for @{self.owner}, due {due}"
        return origin.log(incident, action, self.text, actions=(*incident.actions, item))


class SetCause(Command, frozen=True):
    """Name the cause."""

    syntax = "/cause NAME"
    example = "/cause bad-deploy"
    cause: str

    @classmethod
    def read(cls, arguments: Arguments) -> SetCause:
        """One short name."""
        return cls(arguments.slug("the cause"))

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Replaces the cause that was named before."""
        return origin.log(incident, f"named the cause: {self.cause}", cause=self.cause)


class SetServices(Command, frozen=True):
    """Name the affected services."""

    syntax = "/service NAME[,NAME]"
    example = "/service api,worker"
    names: tuple[str, ...]

    @classmethod
    def read(cls, arguments: Arguments) -> SetServices:
        """Short names, with commas or spaces between them."""
        return cls(arguments.slugs("the services"))

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Replaces the services that were named before."""
        action = f"set the services to {', '.join(self.names)}"
        return origin.log(incident, action, services=tuple(sorted(self.names)))
