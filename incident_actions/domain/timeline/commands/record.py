"""Commands that record facts: notes, mitigations, updates, follow-ups, causes, services."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta

from msgspec.structs import replace

from incident_actions.domain.issue.forms import unlisted
from incident_actions.domain.issue.incident import ActionItem, EntryKind, Incident
from incident_actions.domain.issue.observation import Permission
from incident_actions.domain.text.blanks import is_blank
from incident_actions.domain.text.names import as_code, read_name, slug
from incident_actions.domain.text.times import read_date
from incident_actions.domain.text.words import pattern
from incident_actions.domain.timeline.arguments import MOST_NAMES, Arguments, Mistake, asked
from incident_actions.domain.timeline.commands.base import Command, Origin, TextCommand
from incident_actions.gate_readers import means_everything, name_parts

LONGEST_PROMISE = timedelta(hours=24)
_SOME = pattern("some_services", of="arguments")
"""Words that make a list of services another one, or doubt it."""
_OTHERS = frozenset({"but", "except", "without", "not", "no"})
_SMALL = frozenset({"and", "&", "+", "the", "service", "services", ""})
_NO_UPDATE = pattern("no_update", of="arguments")
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
        if _NOT_DONE.match(re.split(r"\n|->|→|=>|–>|—>", text, maxsplit=1)[0]):
            raise asked("/did ACTION -> RESULT")
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

    @classmethod
    def read(cls, arguments: Arguments) -> CustomerUpdate:
        """What customers were told. Raises `Mistake` for words that say that it was nothing."""
        text = arguments.needed(cls.text_is)
        if _NO_UPDATE.fullmatch(text):
            raise Mistake(f"`{as_code(text)}` tells customers nothing", "/customer TEXT")
        return cls(text)

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Counts the update, and records that customers are affected."""
        count = incident.customer_updates + 1
        incident = replace(incident, customers=True, customer_updates=count)
        incident = replace(incident, last_customer_update=origin.at)
        return origin.log(incident, "told customers", self.text, deed=EntryKind.CUSTOMER_UPDATE)


_ENDS_WITH_DATE = re.compile(r"/\s*@?[\w-]+\s*/\s*[0-9]{4}-[0-9]{2}-[0-9]{2}$")
_NOT_DONE = pattern("not_done", of="arguments")
_UNSURE = pattern("unsure_cause", of="arguments")


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
        typed = arguments.needed("the follow-up").rstrip(" .")
        parts = [part.strip() for part in typed.rsplit(" / ", 2)]
        if len(parts) != 3 and _ENDS_WITH_DATE.search(typed):
            parts = [part.strip() for part in typed.rsplit("/", 2)]
        suggestion = f"/action {parts[0]} / @owner / 2026-12-01"
        if len(parts) != 3 or not parts[0]:
            raise Mistake("a follow-up has a text, an owner and a due date", suggestion)
        text, owner, due = parts
        if not owner or owner != Arguments(owner).peek():
            raise Mistake("a follow-up has one owner", suggestion)
        try:
            return cls(text, Arguments(owner).login("the owner"), read_date(due))
        except ValueError:
            raise Mistake(f"`{as_code(due)}` is no date like 2026-12-01", suggestion) from None

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Keeps the follow-up for the postmortem.

        Raises `Mistake` for a due date that was over when it was typed.
        """
        due = self.due.isoformat()
        if self.due < origin.typed_at.date() - timedelta(days=1):  # it may be today elsewhere
            soon = (origin.typed_at + timedelta(days=7)).date()
            line = f"/action {self.text} / @{self.owner} / {soon}"
            raise Mistake(f"the due date {due} is over", line)
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
        typed = arguments.rest() or arguments.needed("the cause")
        cause = read_name(typed)
        if (is_blank(typed) and cause) or (_UNSURE.match(typed) and slug(typed, otherwise="")):
            raise Mistake(f"`{as_code(typed)}` names no cause", "")
        if cause is None:
            reason = "the cause must be a short name of letters, digits and `-`; more is a `/note`"
            raise Mistake(reason, slug(typed.partition(":")[0], otherwise=""))
        return cls(cause)

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Replaces the cause that was named before."""
        return origin.log(incident, f"named the cause: {self.cause}", cause=self.cause)


class SetServices(Command, frozen=True):
    """Name the affected services."""

    syntax = "/service NAME[,NAME]"
    example = "/service api,worker"
    names: tuple[str, ...]
    spaced: bool = False

    @classmethod
    def read(cls, arguments: Arguments) -> SetServices:
        """Short names with commas between them; `all`, or another word for it, gives no names.

        Words with only spaces between them are `spaced`.
        """
        parts = [
            part.casefold()
            for part in name_parts(arguments.rest() or arguments.needed("the services"))
        ]
        if len(parts) == 1 and means_everything(parts[0]) and not _SOME.search(parts[0]):
            return cls(())
        words = [word.strip("`\"'").rstrip(".!") for part in parts for word in part.split()]
        names = tuple(dict.fromkeys(word for word in words if word not in _SMALL))
        if len(names) > MOST_NAMES:
            raise Mistake(f"the services can be {MOST_NAMES} at most", "all")
        return cls(names, spaced=any(len(part.split()) > 1 for part in parts))

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Replaces the services that were named before; no names stand for all services."""
        self.check(origin)
        action = f"set the services to {', '.join(self.names) or 'all'}"
        return origin.log(incident, action, services=tuple(sorted(self.names)))

    def check(self, origin: Origin) -> None:
        """Raise `UnknownService` for a name that is not on the team's list of services.

        Without a list every short name counts, but only commas tell several services from a phrase:
        raises `Mistake` for a phrase then.
        """
        problem = unlisted(self.names, origin.services)
        if problem:
            raise UnknownService(self.names, problem, origin.services)
        some = next((name for name in self.names if _SOME.fullmatch(name)), "")
        if some:
            raise Mistake(f"`{some}` can't be read in a list of services", "")
        if self.spaced and not origin.services:
            typed = f"/service {','.join(self.names)}"
            raise Mistake("a service is one word, and several have commas between them", typed)


class UnknownService(Mistake):
    """Raised for a service that the team does not have.

    `problem` is what `unlisted` says about the first one of `names`, `known` the team's list.
    """

    def __init__(
        self, names: Sequence[str], problem: tuple[str, str], known: Sequence[str]
    ) -> None:
        reason, near = problem
        others = any(name in _OTHERS for name in names)
        fitting = [name for name in names if name in known]
        if others:
            fitting, near = [name for name in known if name not in names], ""
        hint = f". Did you mean `{near}`?" if near else ""
        super().__init__(
            reason + hint, f"/service {','.join([*fitting, near]).strip(',') or 'all'}"
        )
