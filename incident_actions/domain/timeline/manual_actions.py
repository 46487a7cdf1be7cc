"""What people do by hand on the issue, as if they had typed the command."""

from __future__ import annotations

from incident_actions.domain.issue import labels
from incident_actions.domain.issue.incident import FreezeSwitch, Incident, Role, Severity, Status
from incident_actions.domain.issue.records import EventKind, TimelineEvent
from incident_actions.domain.timeline import commands as c
from incident_actions.domain.timeline.reducer import Act, apply, drop_roles, give_role, log


def command_for(event: TimelineEvent) -> str | None:
    """The command that a deed by hand stands for, whose permission it needs; None for others.

    Whoever may triage can set labels, and so could do by hand what they may not command.
    """
    if event.kind is EventKind.CLOSED:
        return "resolve"
    if event.kind is EventKind.REOPENED:
        return "reopen"
    if event.kind not in (EventKind.LABELED, EventKind.UNLABELED):
        return None
    name, put_on = event.subject.casefold(), event.kind is EventKind.LABELED
    switches = {
        labels.DEPLOY_FREEZE: "freeze" if put_on else "thaw",
        labels.DEPLOYS_ALLOWED: "thaw" if put_on else "freeze",
        labels.DRILL: "thaw" if put_on else "freeze",
    }
    if name in switches:
        return switches[name]
    if name.startswith(labels.SERVICE_PREFIX):
        return "service"
    if name.startswith(labels.CAUSE_PREFIX):
        return "cause"
    if put_on and name in [severity.value for severity in Severity]:
        return "severity"
    return "status" if put_on and name.startswith(labels.STATUS_PREFIX) else None


def by_hand(incident: Incident, event: TimelineEvent, act: Act) -> Incident:
    """The incident after an event of the timeline. Raises `Mistake` like a command does."""
    match event.kind:
        case EventKind.LABELED:
            return _labeled(incident, event.subject, act)
        case EventKind.UNLABELED:
            return _unlabeled(incident, event.subject, act)
        case EventKind.ASSIGNED:
            return _assigned(incident, event.subject, act)
        case EventKind.UNASSIGNED:
            left = drop_roles(incident, event.subject, act.at)
            return log(left, act, f"unassigned @{event.subject}")
        case EventKind.CLOSED:
            if incident.status is Status.RESOLVED:
                return incident
            return apply(incident, c.Resolve("closed by hand", force=False), act)
        case EventKind.REOPENED:
            if incident.status.open:
                return incident
            return apply(incident, c.Reopen("reopened by hand"), act)
        case EventKind.RENAMED:
            return log(incident, act, f"renamed the incident to {event.subject}")
        case EventKind.CROSS_REFERENCED:
            return _referenced(incident, event, act)


def _labeled(incident: Incident, name: str, act: Act) -> Incident:
    folded = name.casefold()
    if folded in [severity.value for severity in Severity]:
        severity = Severity(folded)
        if severity is incident.severity and incident.severity_known:
            return incident
        return apply(incident, c.SetSeverity(severity, ""), act)
    if folded == labels.DEPLOY_FREEZE:
        return apply(incident, c.FreezeDeploys("label set by hand"), act)
    if folded == labels.DEPLOYS_ALLOWED:
        return apply(incident, c.ThawDeploys("label set by hand"), act)
    if folded == labels.DRILL and not incident.drill:
        return log(incident, act, "marked it as a drill", drill=True)
    if folded.startswith(labels.SERVICE_PREFIX):
        service = folded[len(labels.SERVICE_PREFIX) :].strip()
        if not service or service in incident.services:
            return incident
        return apply(incident, c.SetServices((*incident.services, service)), act)
    if folded.startswith(labels.CAUSE_PREFIX):
        return apply(incident, c.SetCause(folded[len(labels.CAUSE_PREFIX) :].strip()), act)
    if folded.startswith(labels.STATUS_PREFIX):
        return _status_label(incident, folded[len(labels.STATUS_PREFIX) :].strip(), act)
    return incident


def _status_label(incident: Incident, name: str, act: Act) -> Incident:
    if name == incident.status or name not in [status.value for status in Status]:
        return incident
    if name == Status.RESOLVED:
        return apply(incident, c.Resolve("status set by hand", force=False), act)
    if name == Status.REPORTED:
        return incident
    return apply(incident, c.SetStatus(Status(name), ""), act)


def _unlabeled(incident: Incident, name: str, act: Act) -> Incident:
    folded = name.casefold()
    override = incident.freeze.freeze if incident.freeze else None
    if folded == labels.DRILL and incident.drill:
        return log(incident, act, "said that it is no drill", drill=False)
    if folded == labels.DEPLOY_FREEZE and override is FreezeSwitch.ON:
        return log(incident, act, "took the deploy freeze by hand off", freeze=None)
    if folded == labels.DEPLOYS_ALLOWED and override is FreezeSwitch.OFF:
        return log(incident, act, "let the severity decide about deploys again", freeze=None)
    if folded.startswith(labels.SERVICE_PREFIX):
        service = folded[len(labels.SERVICE_PREFIX) :].strip()
        left = tuple(name for name in incident.services if name != service)
        if left != incident.services:
            return log(incident, act, f"took the service {service} off", services=left)
    if folded.startswith(labels.CAUSE_PREFIX) and incident.cause:
        return log(incident, act, "took the cause off", cause=None)
    return incident


def _assigned(incident: Incident, login: str, act: Act) -> Incident:
    if incident.commander is None:
        incident = give_role(incident, Role.COMMANDER, login)
        return log(incident, act, f"assigned @{login}, who is in command now")
    if any(login.casefold() == name.casefold() for name in incident.assigned):
        return incident
    return log(incident, act, f"assigned @{login}", assigned=(*incident.assigned, login))


def _referenced(incident: Incident, event: TimelineEvent, act: Act) -> Incident:
    if not event.pull_request:
        return incident
    what = f"pull request #{event.subject}"
    incident = log(incident, act, f"linked {what}", event.title)
    if event.merged_at is not None:
        merged = Act(act.actor, event.merged_at, event.merged_at, f"{act.key}m", act.checks)
        incident = log(incident, merged, f"merged {what}", event.title)
    return incident
