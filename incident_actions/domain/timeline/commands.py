"""The slash commands: one registry that the parser, `/help` and the README's table come from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from msgspec import Struct

from incident_actions.domain.issue.incident import Moment, Role, Severity, Status
from incident_actions.domain.issue.permissions import Permission
from incident_actions.domain.timeline.arguments import Arguments, Mistake


class Ack(Struct, frozen=True):
    """Acknowledged; takes command if nobody has it."""


class AssignRole(Struct, frozen=True):
    """Someone takes a role. `login` is None for whoever typed it."""

    role: Role
    login: str | None


class SetSeverity(Struct, frozen=True):
    """The severity is corrected."""

    severity: Severity
    reason: str


class SetStatus(Struct, frozen=True):
    """The status moves."""

    status: Status
    text: str


class SetTime(Struct, frozen=True):
    """One of the incident's times is corrected; the time itself is the command's `at`."""

    moment: Moment


class Note(Struct, frozen=True):
    """A line for the timeline."""

    text: str


class Did(Struct, frozen=True):
    """A mitigation was tried."""

    action: str
    result: str


class Update(Struct, frozen=True):
    """An internal update; `next_in` sets when the next one is due."""

    text: str
    next_in: timedelta | None


class CustomerUpdate(Struct, frozen=True):
    """A customer-facing update."""

    text: str


class Mitigated(Struct, frozen=True):
    """The harm has stopped; recovery is not verified yet."""

    text: str


class Verify(Struct, frozen=True):
    """A recovery check holds; `check` is its name or `all`."""

    check: str
    text: str


class Resolve(Struct, frozen=True):
    """The incident is over; `force` skips the recovery checks, on the record."""

    text: str
    force: bool


class Reopen(Struct, frozen=True):
    """It is not over after all."""

    reason: str


class FreezeDeploys(Struct, frozen=True):
    """This incident freezes deploys, whatever its severity."""

    reason: str


class ThawDeploys(Struct, frozen=True):
    """This incident does not freeze deploys, whatever its severity."""

    reason: str


class Allow(Struct, frozen=True):
    """One change may pass the gate for a while. Either `sha` or `pr` is set."""

    sha: str | None
    pr: int | None
    duration: timedelta
    reason: str


class AddAction(Struct, frozen=True):
    """A follow-up for the postmortem."""

    text: str
    owner: str
    due: date


class SetCause(Struct, frozen=True):
    """What caused it, as a name to count by."""

    name: str


class SetServices(Struct, frozen=True):
    """The services that are part of it."""

    names: tuple[str, ...]


class Snooze(Struct, frozen=True):
    """Reminders pause; `duration` None ends the pause."""

    duration: timedelta | None


class Sensitive(Struct, frozen=True):
    """This is a security matter: nothing more is published from here."""


class StartPostmortem(Struct, frozen=True):
    """A postmortem is wanted, whatever the severity."""


class Confirm(Struct, frozen=True):
    """A report from outside becomes an incident."""


class Dismiss(Struct, frozen=True):
    """A report from outside is no incident."""

    reason: str


class ShowRunbook(Struct, frozen=True):
    """Post a runbook."""

    name: str


class Help(Struct, frozen=True):
    """Post the commands, or one topic."""

    topic: str


Command = (
    Ack | AssignRole | SetSeverity | SetStatus | SetTime | Note | Did | Update | CustomerUpdate
    | Mitigated | Verify | Resolve | Reopen | FreezeDeploys | ThawDeploys | Allow | AddAction
    | SetCause | SetServices | Snooze | Sensitive | StartPostmortem | Confirm | Dismiss
    | ShowRunbook | Help
)  # fmt: skip


class Spec(Struct, frozen=True):
    """One command: how it is typed, what it does, who may, an example, and how it is read.

    `dated` commands take a time (`at 14:02`); the others happen when they are typed.
    """

    name: str
    syntax: str
    summary: str
    example: str
    read: Callable[[Arguments], Command]
    needs: Permission = Permission.WRITE
    dated: bool = True
    on_report: bool = False


DEFAULT_ALLOWANCE = timedelta(hours=2)
LONGEST_ALLOWANCE = timedelta(hours=24)
LONGEST_SNOOZE = timedelta(hours=24)
LONGEST_PROMISE = timedelta(hours=24)


def _ack(arguments: Arguments) -> Command:
    return Ack()


def _role(arguments: Arguments) -> Command:
    role = arguments.choice("role", {role.value: role for role in Role}, also=_ROLE_ALIASES)
    return AssignRole(role, arguments.optional_login())


_ROLE_ALIASES = {
    "ic": Role.COMMANDER,
    "lead": Role.COMMANDER,
    "communications": Role.COMMS,
    "communication": Role.COMMS,
}


def _severity(arguments: Arguments) -> Command:
    return SetSeverity(arguments.severity(), arguments.rest())


def _status(arguments: Arguments) -> Command:
    active = (Status.INVESTIGATING, Status.IDENTIFIED, Status.MONITORING)
    if arguments.peek().casefold() in ("resolved", "closed"):
        raise Mistake("resolving has its own command, because recovery is verified", "/resolve")
    status = arguments.choice("status", {status.value: status for status in active})
    return SetStatus(status, arguments.rest())


def _time(arguments: Arguments) -> Command:
    moment = arguments.choice("time", {moment.value: moment for moment in Moment})
    if not arguments.dated:
        raise Mistake("the time itself is missing", f"/time {moment.value} at 14:02")
    return SetTime(moment)


def _did(arguments: Arguments) -> Command:
    text = arguments.needed("what was done")
    for arrow in ("->", "→", "=>", "–>", "—>"):
        action, found, result = text.partition(arrow)
        if found:
            if not action.strip():
                raise Mistake("the action before the arrow is missing", f"/did ACTION ->{result}")
            return Did(action.strip(), result.strip())
    return Did(text, "")


def _update(arguments: Arguments) -> Command:
    next_in = arguments.promise(LONGEST_PROMISE)
    return Update(arguments.needed("the update"), next_in)


def _verify(arguments: Arguments) -> Command:
    check = arguments.word("the check's name, or `all`")
    return Verify(check.strip("`").casefold(), arguments.rest())


def _resolve(arguments: Arguments) -> Command:
    force = arguments.flag("--force")
    text = arguments.rest()
    if force and not text:
        raise Mistake("`--force` needs a reason, for the record", "/resolve --force REASON")
    return Resolve(text, force)


def _allow(arguments: Arguments) -> Command:
    sha, pr = arguments.change()
    duration = arguments.duration_after("for") or DEFAULT_ALLOWANCE
    if duration > LONGEST_ALLOWANCE:
        raise Mistake("a change can be let through for 24 hours at most", "/allow … for 24h …")
    return Allow(sha, pr, duration, arguments.needed("the reason"))


def _action(arguments: Arguments) -> Command:
    parts = [part.strip() for part in arguments.needed("the follow-up").rsplit(" / ", 2)]
    suggestion = f"/action {parts[0]} / @owner / 2026-12-01"
    if len(parts) != 3 or not parts[0]:
        raise Mistake("a follow-up has a text, an owner and a due date", suggestion)
    text, owner, due = parts
    if not owner or owner != Arguments(owner).peek():
        raise Mistake("a follow-up has one owner", suggestion)
    try:
        return AddAction(text, Arguments(owner).login("the owner"), date.fromisoformat(due))
    except ValueError:
        raise Mistake(f"`{due}` is no date like 2026-12-01", suggestion) from None


def _cause(arguments: Arguments) -> Command:
    return SetCause(arguments.slug("the cause"))


def _service(arguments: Arguments) -> Command:
    return SetServices(arguments.slugs("the services"))


def _snooze(arguments: Arguments) -> Command:
    if arguments.peek().casefold() == "off":
        arguments.rest()
        return Snooze(None)
    duration = arguments.duration("how long", "/snooze 30m")
    if duration > LONGEST_SNOOZE:
        raise Mistake("reminders can pause for 24 hours at most", "/snooze 24h")
    return Snooze(duration)


def _text(what: str, make: Callable[[str], Command]) -> Callable[[Arguments], Command]:
    return lambda arguments: make(arguments.needed(what))


def _optional(make: Callable[[str], Command]) -> Callable[[Arguments], Command]:
    return lambda arguments: make(arguments.rest())


REGISTRY: tuple[Spec, ...] = (
    Spec("ack", "/ack", "Acknowledge; you take command if nobody has.", "/ack", _ack),
    Spec(
        "role",
        "/role commander|investigator|comms|scribe [@user]",
        "Give a role; without a name, take it.",
        "/role comms @bea",
        _role,
    ),
    Spec(
        "severity",
        "/severity sev1|sev2|sev3 [REASON]",
        "Correct the severity.",
        "/severity sev2 checkout works again",
        _severity,
    ),
    Spec(
        "status",
        "/status investigating|identified|monitoring [TEXT]",
        "Move the status.",
        "/status identified bad config in 4f2a9c1",
        _status,
    ),
    Spec(
        "note",
        "/note TEXT",
        "Add a line to the timeline.",
        "/note queue depth 12,000 and growing",
        _text("the note", Note),
        needs=Permission.TRIAGE,
    ),
    Spec(
        "did",
        "/did ACTION -> RESULT",
        "Record a mitigation and what came of it.",
        "/did rolled back to v41 -> error rate dropping",
        _did,
    ),
    Spec(
        "update",
        "/update [next 20m] TEXT",
        "Post an internal update; the update clock starts again.",
        "/update next 20m scaling workers, queue draining",
        _update,
        needs=Permission.TRIAGE,
    ),
    Spec(
        "customer",
        "/customer TEXT",
        "Record a customer-facing update.",
        "/customer Uploads may fail. Next update in 30 minutes.",
        _text("the update", CustomerUpdate),
    ),
    Spec(
        "mitigated",
        "/mitigated [TEXT]",
        "The harm has stopped; the status becomes monitoring.",
        "/mitigated at 14:14 rollback is live",
        _optional(Mitigated),
    ),
    Spec(
        "verify",
        "/verify CHECK|all [TEXT]",
        "Say that a recovery check holds.",
        "/verify error-rate 0.1% for ten minutes",
        _verify,
    ),
    Spec(
        "resolve",
        "/resolve [TEXT]",
        "Close, once recovery is verified; else `/resolve --force REASON`.",
        "/resolve stable for ten minutes",
        _resolve,
    ),
    Spec(
        "reopen",
        "/reopen REASON",
        "It is not over: open it again.",
        "/reopen logins fail again",
        _text("the reason", Reopen),
    ),
    Spec(
        "freeze",
        "/freeze [REASON]",
        "This incident freezes deploys, whatever its severity.",
        "/freeze until the migration is checked",
        _optional(FreezeDeploys),
    ),
    Spec(
        "thaw",
        "/thaw REASON",
        "This incident does not freeze deploys, whatever its severity.",
        "/thaw only the newsletter is affected",
        _text("the reason", ThawDeploys),
    ),
    Spec(
        "allow",
        "/allow SHA|#PR [for 2h] REASON",
        "Let one change through the gate until it expires.",
        "/allow #57 for 1h it is the fix",
        _allow,
        dated=False,
    ),
    Spec(
        "action",
        "/action TEXT / @owner / DATE",
        "Note a follow-up for the postmortem.",
        "/action Alert on queue depth / @bea / 2026-12-01",
        _action,
    ),
    Spec("cause", "/cause NAME", "Name the cause.", "/cause bad-deploy", _cause),
    Spec(
        "service",
        "/service NAME[,NAME]",
        "Name the affected services.",
        "/service api,worker",
        _service,
    ),
    Spec(
        "time",
        "/time started|detected|… at 14:02",
        "Correct one of the incident's times.",
        "/time started at 13:58",
        _time,
    ),
    Spec(
        "snooze",
        "/snooze 30m|off",
        "Pause the reminders.",
        "/snooze 30m",
        _snooze,
        dated=False,
    ),
    Spec(
        "sensitive",
        "/sensitive",
        "Mark it as a security matter; the bot publishes nothing more here.",
        "/sensitive",
        lambda arguments: Sensitive(),
    ),
    Spec(
        "postmortem",
        "/postmortem",
        "Open the postmortem, also of a SEV3, once it is resolved; try again if it failed.",
        "/postmortem",
        lambda arguments: StartPostmortem(),
        dated=False,
    ),
    Spec(
        "confirm",
        "/confirm",
        "Open a report from outside as an incident.",
        "/confirm",
        lambda arguments: Confirm(),
        dated=False,
        on_report=True,
    ),
    Spec(
        "dismiss",
        "/dismiss REASON",
        "Close a report from outside: it is no incident.",
        "/dismiss a planned maintenance",
        _text("the reason", Dismiss),
        dated=False,
        on_report=True,
    ),
    Spec(
        "runbook",
        "/runbook NAME",
        "Post a runbook.",
        "/runbook 502-errors",
        lambda arguments: ShowRunbook(arguments.slug("the runbook's name")),
        needs=Permission.TRIAGE,
        dated=False,
    ),
    Spec(
        "help",
        "/help [severity|roles|…]",
        "Show the commands, or a page of the playbook.",
        "/help severity",
        _optional(Help),
        needs=Permission.TRIAGE,
        dated=False,
        on_report=True,
    ),
)

_BY_NAME = {spec.name: spec for spec in REGISTRY}
NAMES: Sequence[str] = tuple(_BY_NAME)


def spec_of(name: str) -> Spec | None:
    """The command of this name, which is lower case."""
    return _BY_NAME.get(name)


class Taken(Struct, frozen=True):
    """A line that was understood. `at` is when it happened, which may be backdated.

    `typed` is the line, cut, fit for a code span.
    """

    line: int
    name: str
    typed: str
    command: Command
    at: datetime
    backdated: bool = False


class Misread(Struct, frozen=True):
    """A line that was not understood: what was typed, why not, and what to type instead."""

    line: int
    typed: str
    reason: str
    suggestion: str
