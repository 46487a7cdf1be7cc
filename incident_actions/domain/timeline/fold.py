"""The fold: from what GitHub recorded to the incident as it stands.

A pure function of the observation. It never looks at what the bot did: labels, closings and
comments of the bot's are projections, and would make the outcome depend on when a run happened.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.freeze.override_audit import OverrideUse
from incident_actions.domain.issue import forms, labels
from incident_actions.domain.issue.forms import FormValues
from incident_actions.domain.issue.incident import (
    Allowance,
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
from incident_actions.domain.text.times import read_past_time
from incident_actions.domain.timeline.commands.base import Command, Origin, Subject
from incident_actions.domain.timeline.commands.roles import ROLE_NEEDS, give_role
from incident_actions.domain.timeline.commands.status import Unverified, Verify
from incident_actions.domain.timeline.interpreter import Interpreter, Notice, is_born_with

BOT = "the bot"
"""How the timeline calls it."""
_LAPSE = "x"
"""How the keys of entries begin for which nobody did anything: an allowance is over."""


class Rules(Struct, frozen=True):
    """What a team decides: who may what, which checks, who starts with which role."""

    checks: tuple[ChecklistItem, ...] = ()
    needs: Mapping[str, Permission] = {}
    default_roles: Mapping[Role, str] = {}


class Evidence(Struct, frozen=True):
    """What is known from elsewhere than the issue itself."""

    passed: tuple[PassedCheck, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    passages: tuple[OverrideUse, ...] = ()
    lapsed: tuple[Allowance, ...] = ()


class Folded(Struct, frozen=True):
    """The incident, and what follows from its history.

    `taken` are comments with a command that was taken, `commands` those with any; `steps` are the
    keys of the checklist's steps that were done at any time.
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
    """The incident after its whole history, replayed in the order of time."""
    evidence = evidence or Evidence()
    replay = _Replay(_declared(observation, rules, permissions), rules.checks)
    interpreter = Interpreter(
        observation, Subject.INCIDENT, permissions, rules.needs, replay.take, rules.checks
    )
    history: list[_Item] = [*observation.history, *evidence.passed, *evidence.deployments]
    history += [*evidence.passages, *evidence.lapsed]
    done = steps_taken(replay.incident, rules.checks)
    for item in sorted(history, key=_when):
        if isinstance(item, Comment | TimelineEvent):
            interpreter.read(item)
        else:
            replay.add_evidence(item)
        done |= steps_taken(replay.incident, rules.checks)
    timeline = replay.incident.timeline
    incident = replace(
        replay.incident,
        timeline=tuple(sorted(timeline, key=lambda entry: entry.at)),
        last_activity=max(entry.at for entry in timeline if not entry.key.startswith(_LAPSE)),
    )
    taken, commands = tuple(interpreter.taken), tuple(interpreter.commands)
    done |= steps_answered(observation.values.given)
    return Folded(incident, taken, commands, tuple(interpreter.notices), done)


_Evidence = PassedCheck | Deployment | OverrideUse | Allowance
_Item = Comment | TimelineEvent | _Evidence


def _when(item: _Item) -> datetime:
    if isinstance(item, Allowance):
        return item.until
    return item.created_at if isinstance(item, Comment) else item.at


class _Replay(Struct):
    """The incident as it is at one moment of the replay."""

    incident: Incident
    checks: tuple[ChecklistItem, ...]

    def take(self, command: Command, origin: Origin) -> None:
        """Apply a command of somebody's. Raises `Mistake` when it makes no sense now."""
        try:
            self.incident = command.apply(self.incident, origin)
        except Unverified:
            why = "recovery was not verified yet"
            self.incident = origin.log(self.incident, "tried to close", why)
            raise

    def add_evidence(self, item: _Evidence) -> None:
        """What the bot measured, what GitHub was told to deploy, what passed the gate."""
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
        """An allowance is over; it stays in the record, and opens nothing."""
        if over not in self.incident.allow:
            return
        allow = tuple(replace(a, expired=a.expired or a == over) for a in self.incident.allow)
        self.incident = replace(self.incident, allow=allow)
        if self.incident.status.open:
            key = f"{_LAPSE}{over.change}.{over.at:%H%M%S}"
            origin = Origin(BOT, over.until, key, over.until)
            self.incident = origin.log(self.incident, f"/allow {over.change} expired")


def named_at_declaration(values: FormValues, rules: Rules) -> dict[Role, str]:
    """Who should start with which role: the form's answer comes before the team's rules."""
    login = forms.read_login(values.get("commander"))
    return {**rules.default_roles, **({Role.COMMANDER: login} if login is not None else {})}


def _declared(observation: Observation, rules: Rules, permissions: Permissions) -> Incident:
    """The incident at the moment when it was declared, from the form's values alone."""
    issue, values = observation.issue, observation.values
    declared = issue.created_at
    given = forms.read_severity(values.get("severity")) or _label_at_creation(observation)
    severity = given or Severity.SEV1
    started = read_past_time(values.get("started"), declared) or declared
    incident = Incident(
        status=Status.INVESTIGATING,
        severity=severity,
        severity_known=given is not None,
        times={Moment.STARTED: started, Moment.DETECTED: declared, Moment.DECLARED: declared},
        services=forms.read_services(values.get("services")),
        drill=_drill_at_creation(observation),
        sensitive=bool(values.boxes.get("sensitive")),
        customers=forms.affects_customers(values.get("affected")),
    )
    origin = Origin(issue.author.login, declared, "declared", declared)
    doubt = "" if given else "no severity given, so the worst is assumed"
    incident = origin.log(incident, f"declared the incident as {severity.label}", doubt)
    in_form = forms.read_login(values.get("commander")) is not None
    for role, login in named_at_declaration(values, rules).items():
        if permissions.at(login, 0) >= ROLE_NEEDS:
            asked = role is Role.COMMANDER and in_form
            where = "in the form" if asked else "by the configuration"
            incident = give_role(incident, role, login)
            action = f"named @{login} {role.label.lower()} {where}"
            incident = replace(origin, key=f"declared.{role}").log(incident, action)
    return incident


def _drill_at_creation(observation: Observation) -> bool:
    """Whether it was declared as a drill: the label came with the issue."""
    marked = [
        event.at <= observation.issue.created_at
        for event in observation.label_events
        if event.kind is EventKind.LABELED and event.subject.casefold() == labels.DRILL
    ]
    return any(marked) if marked else observation.issue.has_label(labels.DRILL)


def _label_at_creation(observation: Observation) -> Severity | None:
    """The worst severity label that the issue was born with."""
    born_with = [
        event.subject.casefold()
        for event in observation.label_events
        if is_born_with(event, observation) and event.actor == observation.issue.author
    ]
    return min((severity for severity in Severity if severity in born_with), default=None)


def newest(comments: Sequence[Comment]) -> tuple[int, str]:
    """The newest id and update time among comments, for the state's memory."""
    return (
        max((comment.id for comment in comments), default=0),
        max((_stamp(comment.updated_at) for comment in comments), default=""),
    )


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
