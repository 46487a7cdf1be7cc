"""The fold: from everything that GitHub recorded about an issue to the incident as it is now.

It is a pure function. It ignores what the bot itself did on the issue (labels, closings, comments).
Those follow from the incident; if they were input, too, the outcome would depend on when the bot
ran.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.freeze.override_audit import OverrideUse
from incident_actions.domain.issue import forms, labels
from incident_actions.domain.issue.forms import FormValues
from incident_actions.domain.issue.incident import (
    Allowance,
    Entry,
    EntryKind,
    Incident,
    Moment,
    Role,
    Severity,
    Status,
)
from incident_actions.domain.issue.observation import (
    Comment,
    Deployment,
    EventKind,
    Observation,
    Permission,
    Permissions,
    TimelineEvent,
)
from incident_actions.domain.playbook.checklist import (
    ChecklistItem,
    PassedCheck,
    steps_answered,
    steps_taken,
)
from incident_actions.domain.text.moments import DateOrder, Unreadable, read_past_moment
from incident_actions.domain.timeline.arguments import Mistake
from incident_actions.domain.timeline.commands.base import Command, Origin, Subject
from incident_actions.domain.timeline.commands.record import UnknownService
from incident_actions.domain.timeline.commands.roles import ROLE_NEEDS, give_role
from incident_actions.domain.timeline.commands.status import Unverified, Verify
from incident_actions.domain.timeline.interpreter import (
    Interpreter,
    Notice,
    Statement,
    all_statements,
    is_born_with,
    reply,
)
from incident_actions.domain.timeline.parser import NOT_TYPED, MisreadLine
from incident_actions.gate_readers import TRUSTED, means_everything, name_parts

BOT = "the bot"
"""The bot's name in the timeline."""
_LAPSE = "x"
"""The keys of entries about an expired allowance begin with this. Nobody did anything then."""


class Rules(Struct, frozen=True):
    """A team's settings for its incidents.

    `checks` are the recovery checks. `needs` are the permissions that the configuration sets for
    commands, by the command's name. `default_roles` says who starts with which role. `services`
    are the names on the team's list of services, empty when it has none. `date_order` is how the
    team writes dates such as `03/11/2026`.
    """

    checks: tuple[ChecklistItem, ...] = ()
    needs: Mapping[str, Permission] = {}
    default_roles: Mapping[Role, str] = {}
    services: tuple[str, ...] = ()
    date_order: DateOrder | None = None


class Evidence(Struct, frozen=True):
    """What happened outside of the issue, and becomes part of the incident.

    `passed` are the recovery checks that the bot saw pass, `uses` the deploys that the gate let
    through a freeze, `lapsed` the allowances that expired. `commits` are what was looked up for the
    changes that people named.
    """

    passed: tuple[PassedCheck, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    uses: tuple[OverrideUse, ...] = ()
    lapsed: tuple[Allowance, ...] = ()
    commits: Mapping[str, str] = {}


class Folded(Struct, frozen=True):
    """The outcome of the fold.

    `commands` are the comments with any command, `taken` those with a command that was carried out.
    `notices` are what the bot has to tell people. `steps` are the keys of the checklist's steps
    that were done at any time.
    """

    incident: Incident
    taken: tuple[Comment, ...]
    commands: tuple[Comment, ...]
    notices: tuple[Notice, ...]
    steps: frozenset[str]


def fold(
    observation: Observation,
    rules: Rules,
    permissions: Permissions,
    evidence: Evidence | None = None,
) -> Folded:
    """Replay the whole history of an issue, in the order of time.

    `permissions` must know the deeds that `deeds_on` names; others count as not permitted.
    """
    evidence = evidence or Evidence()
    replay = _Replay(_declared(observation, rules, permissions), rules.checks)
    interpreter = Interpreter(
        observation,
        Subject.INCIDENT,
        permissions,
        rules.needs,
        replay.take,
        rules.checks,
        rules.services,
        evidence.commits,
        rules.date_order,
        notices=list(_unread_start(observation, rules)),
    )
    interpreter.notices += _unknown_services(observation, rules)
    history: list[_Item] = [
        *(item for item in observation.history if isinstance(item, TimelineEvent)),
        *all_statements(observation, permissions, rules.date_order),
        *evidence.passed,
        *evidence.deployments,
        *evidence.uses,
        *evidence.lapsed,
    ]
    done = steps_taken(replay.incident, rules.checks)
    for item in sorted(history, key=_when):
        if isinstance(item, Statement | TimelineEvent):
            interpreter.read(item)
        else:
            replay.add_evidence(item)
        done |= steps_taken(replay.incident, rules.checks)
    timeline = replay.incident.timeline
    incident = replace(
        replay.incident,
        timeline=tuple(sorted(timeline, key=lambda entry: entry.at)),
        last_activity=max(entry.at for entry in timeline if not entry.key.startswith(_LAPSE)),
        last_deed=_last_deed(observation, timeline),
    )
    taken, commands = tuple(interpreter.taken), tuple(interpreter.commands)
    done |= steps_answered(observation.values.given)
    return Folded(incident, taken, commands, tuple(interpreter.notices), done)


_BY_PEOPLE = ("c", "e", "declared")
"""How the keys of timeline entries begin that stand for what people typed or did by hand."""


def _last_deed(observation: Observation, timeline: Iterable[Entry]) -> datetime:
    """When somebody of the team last did or wrote something; the comment may hold no command."""
    written = (
        comment.created_at
        for comment in observation.comments
        if comment.association in TRUSTED and not observation.is_bot(comment.author)
    )
    done = (entry.at for entry in timeline if entry.key.startswith(_BY_PEOPLE))
    return max(*written, *done, observation.issue.created_at)


_Evidence = PassedCheck | Deployment | OverrideUse | Allowance
_Item = Statement | TimelineEvent | _Evidence


def _when(item: _Item) -> datetime:
    """When an item of the history happened; an allowance counts when it expires."""
    if isinstance(item, Allowance):
        return item.until
    return item.at


class _Replay(Struct):
    """The incident as it is at one moment of the replay."""

    incident: Incident
    checks: tuple[ChecklistItem, ...]

    def take(self, command: Command, origin: Origin) -> None:
        """Apply a command. Raises `Mistake` when it makes no sense for the incident as it is.

        An attempt to resolve without verified recovery also gets a line in the timeline.
        """
        _check_backdated(self.incident, command, origin)
        try:
            self.incident = command.apply(self.incident, origin)
        except Unverified:
            why = "recovery was not verified yet"
            self.incident = origin.log(self.incident, "tried to close", why)
            raise

    def add_evidence(self, item: _Evidence) -> None:
        """Add something that happened outside of the issue, where it matters for the incident.

        Deploys count from the incident's start on, passed checks only while it is `monitoring`.
        """
        match item:
            case Allowance():
                self._expire(item)
            case OverrideUse() if item.at >= self.incident.times[Moment.STARTED]:
                what = f"let {item.sha[:7]} through the freeze: {item.how}"
                origin = Origin(item.actor, item.at, item.key, item.at)
                deed = EntryKind.OVERRIDE
                self.incident = origin.log(self.incident, what, item.reason, deed=deed)
            case Deployment() if item.at >= self.incident.times[Moment.STARTED]:
                what = f"deployed {item.sha[:7]} to {item.environment}"
                origin = Origin(item.by, item.at, f"d{item.id}", item.at)
                self.incident = origin.log(self.incident, what)
            case PassedCheck() if self.incident.status is Status.MONITORING:
                if any(item.key == check.key for check in self.checks):
                    origin = Origin(BOT, item.at, f"p{item.key}", item.at, self.checks)
                    self.take(Verify(item.key, "its address answers again"), origin)

    def _expire(self, over: Allowance) -> None:
        """Mark an allowance as expired. It stays in the record, but lets nothing through."""
        if over not in self.incident.allow:
            return
        allow = tuple(replace(a, expired=a.expired or a == over) for a in self.incident.allow)
        self.incident = replace(self.incident, allow=allow)
        if self.incident.status.open:
            key = f"{_LAPSE}{over.change}.{over.at:%H%M%S}"
            origin = Origin(BOT, over.until, key, over.until)
            self.incident = origin.log(self.incident, f"/allow {over.change} expired")


def named_at_declaration(values: FormValues, rules: Rules) -> dict[Role, str]:
    """Who is named for a role at the declaration: role -> login.

    The form's answer comes before the team's rules. Whether they may hold the role is not checked.
    """
    login = forms.read_login(values.get("commander"))
    return {**rules.default_roles, **({Role.COMMANDER: login} if login is not None else {})}


_LONG_BEFORE = timedelta(hours=6)


def _check_backdated(incident: Incident, command: Command, origin: Origin) -> None:
    """Raise `Mistake` for a decision that would lie long before the incident began.

    Nobody means that: the time has another zone, or was one to come. `/time` sets any time, and a
    `/note` may be about an earlier one.
    """
    began = min(incident.times[Moment.STARTED], incident.times[Moment.DECLARED])
    if not command.decides or origin.at >= min(origin.typed_at, began - _LONG_BEFORE):
        return
    reason = f"that would be {origin.at:%Y-%m-%d %H:%M} UTC, long before it began"
    reason += "; a time without a zone is in UTC, and a time to come can't be set"
    raise Mistake(reason, f"/{command.name} at {origin.typed_at:%H:%M} …")


def _declared(observation: Observation, rules: Rules, permissions: Permissions) -> Incident:
    """The incident as it was when it was declared, without any comment or later event."""
    issue, values = observation.issue, observation.values
    declared = issue.created_at
    given = forms.read_severity(values.get("severity")) or _label_at_creation(observation)
    severity = given or Severity.SEV1
    started = _start(observation, rules)
    incident = Incident(
        status=Status.INVESTIGATING,
        severity=severity,
        severity_known=given is not None,
        times={
            Moment.STARTED: started or declared,
            Moment.DETECTED: declared,
            Moment.DECLARED: declared,
        },
        services=() if _misnamed(values, rules) else forms.read_services(values.get("services")),
        drill=_drill_at_creation(observation),
        sensitive=bool(values.boxes.get("sensitive")),
        customers=forms.affects_customers(values.get("affected")),
    )
    origin = Origin(issue.author.login, declared, "declared", declared)
    doubt = "" if given else "no severity given, so the worst is assumed"
    incident = origin.log(incident, f"declared the incident as {severity.label}", doubt)
    in_form = forms.read_login(values.get("commander")) is not None
    for role, login in named_at_declaration(values, rules).items():
        if permissions.of_person(login) >= ROLE_NEEDS:
            asked = role is Role.COMMANDER and in_form
            where = "in the form" if asked else "by the configuration"
            incident = give_role(incident, role, login)
            action = f"named @{login} {role.label.lower()} {where}"
            incident = replace(origin, key=f"declared.{role}").log(incident, action)
    return incident


def _misnamed(values: FormValues, rules: Rules) -> UnknownService | None:
    """Why the form's answer about services names none; None when it can be taken as it is.

    That is so when the team has a list of its services, and the answer names another one.
    """
    answer = values.get("services")
    names = forms.read_services(answer) or tuple(
        part for part in name_parts(answer) if not means_everything(part.casefold())
    )
    problem = forms.unlisted(names, rules.services) if rules.services else None
    return UnknownService(names, problem, rules.services) if problem else None


def _unknown_services(observation: Observation, rules: Rules) -> tuple[Notice, ...]:
    """The notice that the form's answer about services was not taken, if it was not."""
    why, author = _misnamed(observation.values, rules), observation.issue.author
    if why is None:
        return ()
    answer = " ".join(observation.values.get("services").split())
    line = MisreadLine(NOT_TYPED, answer[:100], why.reason, why.suggestion)
    return reply("services", "" if author.bot else author.login, [line])


def _start(observation: Observation, rules: Rules) -> datetime | None:
    """When it started, by the form's answer; None without an answer, or when it can't be read."""
    answer = observation.values.get("started")
    try:
        return _read_start(observation, rules) if answer else None
    except Unreadable:
        return None


def _read_start(observation: Observation, rules: Rules) -> datetime:
    """When it started, by the form's answer. Raises `Unreadable`."""
    answer, declared = observation.values.get("started"), observation.issue.created_at
    return read_past_moment(answer, declared, rules.date_order)


def _unread_start(observation: Observation, rules: Rules) -> tuple[Notice, ...]:
    """What to say when the form's answer about the start can't be read, or is doubtful."""
    answer = observation.values.get("started")
    if not answer:
        return ()
    try:
        _read_start(observation, rules)
    except Unreadable as error:
        line = f"/time started at {error.at}"
        misread = MisreadLine(
            0, " ".join(answer.split())[:60], f"{error.reason}{_AS_DECLARED}", line
        )
        return reply("started", observation.issue.author.login, [misread])
    return ()


_AS_DECLARED = ". Until it is corrected, the start is the time of the declaration"


def _drill_at_creation(observation: Observation) -> bool:
    """Whether the incident was declared as a drill: the issue was opened with the drill label.

    Without any record of that label being put on, the label that is there now counts.
    """
    at_creation = [
        event.at <= observation.issue.created_at
        for event in observation.label_events
        if event.kind is EventKind.LABELED and event.subject.casefold() == labels.DRILL
    ]
    return any(at_creation) if at_creation else observation.issue.has_label(labels.DRILL)


def _label_at_creation(observation: Observation) -> Severity | None:
    """The worst severity among the labels that the author opened the issue with, if any."""
    opened_with = [
        event.subject.casefold()
        for event in observation.label_events
        if is_born_with(event, observation) and event.actor == observation.issue.author
    ]
    return min((severity for severity in Severity if severity in opened_with), default=None)


def newest(comments: Sequence[Comment]) -> tuple[int, str]:
    """The newest id and update time among comments, for `State.seen_id` and `State.seen_at`.

    Without comments they are 0 and an empty text.
    """
    return (
        max((comment.id for comment in comments), default=0),
        max((_stamp(comment.updated_at) for comment in comments), default=""),
    )


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
