"""What people do by hand on the issue, as the command that it stands for.

Whoever may triage can set labels, and could do by hand what they may not command. So each action
is a command, and needs its permission. What no command does quite like that is a kind of the
nearest one, with the same name and permission; what everybody may do needs none.
"""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from incident_actions.domain.issue import labels
from incident_actions.domain.issue.incident import FreezeSwitch, Incident, Role, Severity, Status
from incident_actions.domain.issue.observation import EventKind, Permission, TimelineEvent
from incident_actions.domain.timeline.commands.base import Command, Origin
from incident_actions.domain.timeline.commands.freeze import FreezeDeploys, ThawDeploys
from incident_actions.domain.timeline.commands.record import SetCause, SetServices
from incident_actions.domain.timeline.commands.roles import SetSeverity, drop_roles, give_role
from incident_actions.domain.timeline.commands.status import ACTIVE, Reopen, Resolve, SetStatus


def command_of(event: TimelineEvent) -> Command | None:
    """The command that an event stands for; None when it means nothing to an incident."""
    match event.kind:
        case EventKind.CLOSED:
            return Resolve("closed by hand")
        case EventKind.REOPENED:
            return Reopen("reopened by hand")
        case EventKind.ASSIGNED:
            return Assign(event.subject)
        case EventKind.UNASSIGNED:
            return Unassign(event.subject)
        case EventKind.RENAMED:
            return Rename(event.subject)
        case EventKind.CROSS_REFERENCED if event.pull_request:
            return LinkPull(event.subject, event.title, event.merged_at)
        case EventKind.LABELED | EventKind.UNLABELED:
            return _command_of_label(event.subject.casefold(), event.kind is EventKind.LABELED)
    return None


class MarkAsDrill(ThawDeploys, frozen=True):
    """The drill label was put on: a drill freezes nothing."""

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """It is a drill from now on."""
        if incident.drill:
            return incident
        return origin.log(incident, "marked it as a drill", drill=True)


class UnmarkAsDrill(FreezeDeploys, frozen=True):
    """The drill label was taken off: the freeze may be real."""

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """It is no drill any more."""
        if not incident.drill:
            return incident
        return origin.log(incident, "said that it is no drill", drill=False)


class EndFreeze(ThawDeploys, frozen=True):
    """The label of `/freeze` was taken off: the severity decides again."""

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Takes `/freeze` back, and nothing that was decided after it."""
        return _end(incident, origin, FreezeSwitch.ON, "took the deploy freeze by hand off")


class EndThaw(FreezeDeploys, frozen=True):
    """The label of `/thaw` was taken off: the severity decides again."""

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Takes `/thaw` back, and nothing that was decided after it."""
        action = "let the severity decide about deploys again"
        return _end(incident, origin, FreezeSwitch.OFF, action)


def _end(incident: Incident, origin: Origin, switch: FreezeSwitch, action: str) -> Incident:
    if incident.freeze is None or incident.freeze.freeze is not switch:
        return incident
    return origin.log(incident, action, freeze=None)


class AddService(SetServices, frozen=True):
    """A service's label was put on."""

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """The service joins those that are there."""
        new = [name for name in self.names if name and name not in incident.services]
        return SetServices((*incident.services, *new)).apply(incident, origin) if new else incident


class DropService(SetServices, frozen=True):
    """A service's label was taken off."""

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """The other services stay."""
        left = tuple(name for name in incident.services if name not in self.names)
        if left == incident.services:
            return incident
        return origin.log(incident, f"took the service {self.names[0]} off", services=left)


class DropCause(SetCause, frozen=True):
    """A cause's label was taken off."""

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """No cause is named."""
        if not incident.cause:
            return incident
        return origin.log(incident, "took the cause off", cause=None)


class Assign(Command, frozen=True):
    """Somebody was assigned."""

    needs = Permission.NONE
    login: str

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """They take command if nobody has it; else they help."""
        if incident.commander is None:
            incident = give_role(incident, Role.COMMANDER, self.login)
            return origin.log(incident, f"assigned @{self.login}, who is in command now")
        if any(self.login.casefold() == name.casefold() for name in incident.assigned):
            return incident
        assigned = (*incident.assigned, self.login)
        return origin.log(incident, f"assigned @{self.login}", assigned=assigned)


class Unassign(Command, frozen=True):
    """Somebody was unassigned."""

    needs = Permission.NONE
    login: str

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Their roles are free again."""
        left = drop_roles(incident, self.login, origin.at)
        return origin.log(left, f"unassigned @{self.login}")


class Rename(Command, frozen=True):
    """The issue got another title."""

    needs = Permission.NONE
    title: str

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """A line in the timeline."""
        return origin.log(incident, f"renamed the incident to {self.title}")


class LinkPull(Command, frozen=True):
    """A pull request named the incident. `merged_at` is None while it is not merged."""

    needs = Permission.NONE
    number: str
    title: str
    merged_at: datetime | None

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """A line in the timeline, and one more when it was merged."""
        what = f"pull request #{self.number}"
        incident = origin.log(incident, f"linked {what}", self.title)
        if self.merged_at is None:
            return incident
        merged = replace(origin, at=self.merged_at, typed_at=self.merged_at, key=f"{origin.key}m")
        return merged.log(incident, f"merged {what}", self.title)


_BY_LABEL: dict[str, tuple[Command, Command | None]] = {
    labels.DEPLOY_FREEZE: (FreezeDeploys("label set by hand"), EndFreeze("")),
    labels.DEPLOYS_ALLOWED: (ThawDeploys("label set by hand"), EndThaw("")),
    labels.DRILL: (MarkAsDrill(""), UnmarkAsDrill("")),
    **{severity.value: (SetSeverity(severity, ""), None) for severity in Severity},
    **{f"{labels.STATUS_PREFIX}{status}": (SetStatus(status, ""), None) for status in ACTIVE},
    f"{labels.STATUS_PREFIX}{Status.RESOLVED}": (Resolve("status set by hand"), None),
}
"""The commands for putting a label on, and for taking it off. Other labels mean nothing, but for
those that carry the name of a service or a cause."""


def _command_of_label(label: str, put_on: bool) -> Command | None:
    prefix, colon, rest = label.partition(":")
    prefix, value = prefix + colon, rest.strip()
    if prefix == labels.SERVICE_PREFIX:
        return AddService((value,)) if put_on else DropService((value,))
    if prefix == labels.CAUSE_PREFIX:
        return SetCause(value) if put_on else DropCause("")
    commands = _BY_LABEL.get(prefix + value)
    return None if commands is None else commands[not put_on]
