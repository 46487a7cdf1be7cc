"""The incident at the moment when it was declared."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from incident_actions.domain.issue import labels
from incident_actions.domain.issue.form_values import (
    affects_customers,
    read_login,
    read_services,
    read_severity,
)
from incident_actions.domain.issue.forms import FormValues
from incident_actions.domain.issue.incident import Entry, Incident, Moment, Role, Severity, Status
from incident_actions.domain.issue.observation import Observation
from incident_actions.domain.issue.permissions import Permission, Permissions
from incident_actions.domain.issue.records import EventKind, TimelineEvent
from incident_actions.domain.playbook.checklist import ChecklistItem
from incident_actions.domain.text.times import read_past_time
from incident_actions.domain.timeline.reducer import Act, give_role, log


class Rules(Struct, frozen=True):
    """What a team decides: who may what, which checks, who starts with which role."""

    checks: tuple[ChecklistItem, ...] = ()
    needs: Mapping[str, Permission] = {}
    default_roles: Mapping[Role, str] = {}


def named_in_form(answers: FormValues) -> str | None:
    """Who is in command by the form's answer."""
    return read_login(answers.get("commander"))


def named_at_declaration(answers: FormValues, rules: Rules) -> dict[Role, str]:
    """Who should start with which role: the form's answer comes before the team's rules."""
    roles = dict(rules.default_roles)
    login = named_in_form(answers)
    if login is not None:
        roles[Role.COMMANDER] = login
    return roles


def declare(observation: Observation, rules: Rules, grants: Permissions) -> Incident:
    """The incident at the moment when it was declared, from the form's answers alone."""
    issue, answers = observation.issue, observation.values
    declared = issue.created_at
    severity = read_severity(answers.get("severity")) or _label_at_creation(observation)
    started = read_past_time(answers.get("started"), declared) or declared
    incident = Incident(
        status=Status.INVESTIGATING,
        severity=severity or Severity.SEV1,
        severity_known=severity is not None,
        times={Moment.STARTED: started, Moment.DETECTED: declared, Moment.DECLARED: declared},
        services=read_services(answers.get("services")),
        drill=_drill_at_creation(observation),
        sensitive=bool(answers.boxes.get("sensitive")),
        customers=affects_customers(answers.get("affected")),
        timeline=(
            Entry(
                at=declared,
                actor=issue.author.login,
                action=f"declared the incident as {(severity or Severity.SEV1).label}",
                result="" if severity else "no severity given, so the worst is assumed",
                key="declared",
            ),
        ),
    )
    for role, login in named_at_declaration(answers, rules).items():
        if grants.at(login, 0) >= ROLE_NEEDS:
            incident = give_role(incident, role, login)
            declaration = Act(issue.author.login, declared, declared, f"declared.{role}")
            asked = role is Role.COMMANDER and named_in_form(answers) is not None
            where = "in the form" if asked else "by the configuration"
            action = f"named @{login} {role.label.lower()} {where}"
            incident = log(incident, declaration, action)
    return incident


ROLE_NEEDS = Permission.TRIAGE
"""Who may hold a role. GitHub lets these people be assigned, too."""


def _drill_at_creation(observation: Observation) -> bool:
    """Whether it was declared as a drill: the label came with the issue."""
    marked = [
        event
        for event in observation.history
        if isinstance(event, TimelineEvent)
        and event.kind is EventKind.LABELED
        and event.subject.casefold() == labels.DRILL
    ]
    if not marked:
        return labels.holds(observation.issue.labels, labels.DRILL)
    return any(event.at <= observation.issue.created_at for event in marked)


def _label_at_creation(observation: Observation) -> Severity | None:
    """The worst severity label that the issue was born with."""
    born = observation.issue.created_at
    return min(
        (
            Severity(event.subject.casefold())
            for event in observation.history
            if isinstance(event, TimelineEvent)
            and event.kind is EventKind.LABELED
            and event.actor == observation.issue.author
            and event.at <= born
            and event.subject.casefold() in [severity.value for severity in Severity]
        ),
        default=None,
    )
