"""What people do by hand on an issue (label, close, assign, ...), translated into commands.

GitHub lets people with triage access set labels, also those whose command needs more. So each
action becomes a command, and needs that command's permission. Where no typed command does exactly
the same, a class here derives from the nearest one and so has its name and permission. Actions that
need no permission have classes of their own.
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
from incident_actions.domain.timeline.commands.roles import (
    AssignRole,
    SetSeverity,
    drop_roles,
    give_role,
)
from incident_actions.domain.timeline.commands.status import ACTIVE, Reopen, Resolve, SetStatus


def command_of(event: TimelineEvent) -> Command | None:
    """The command that does the same as an event; None when the event changes no incident."""
    match event.kind:
        case EventKind.CLOSED:
            return Resolve("closed by hand")
        case EventKind.REOPENED:
            return Reopen("reopened by hand")
        case EventKind.ASSIGNED:
            return Assign(Role.COMMANDER, event.subject)
        case EventKind.UNASSIGNED:
            return Unassign(Role.COMMANDER, event.subject)
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
        """Makes the incident a drill."""
        if incident.drill:
            return incident
        return origin.log(incident, "marked it as a drill", drill=True)


class UnmarkAsDrill(FreezeDeploys, frozen=True):
    """The drill label was taken off: the incident may freeze deploys."""

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Makes the incident a real one."""
        if not incident.drill:
            return incident
        return origin.log(incident, "said that it is no drill", drill=False)


class EndFreeze(ThawDeploys, frozen=True):
    """The label of `/freeze` was taken off: the severity decides again."""

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Undoes a `/freeze`. When a `/thaw` came after it, nothing changes."""
        return _end(incident, origin, FreezeSwitch.ON, "took the deploy freeze by hand off")


class EndThaw(FreezeDeploys, frozen=True):
    """The label of `/thaw` was taken off: the severity decides again."""

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Undoes a `/thaw`. When a `/freeze` came after it, nothing changes."""
        action = "let the severity decide about deploys again"
        return _end(incident, origin, FreezeSwitch.OFF, action)


def _end(incident: Incident, origin: Origin, switch: FreezeSwitch, action: str) -> Incident:
    """Undo a decision about deploys, if it is still the one given by `switch`."""
    if incident.freeze is None or incident.freeze.freeze is not switch:
        return incident
    return origin.log(incident, action, freeze=None)


class AddService(SetServices, frozen=True):
    """A service's label was put on."""

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Adds the service to those of the incident."""
        new = [name for name in self.names if name and name not in incident.services]
        if not new:
            return incident
        self.check(origin)
        names = (*incident.services, *new)
        action = f"set the services to {', '.join(names)}"
        return origin.log(incident, action, services=tuple(sorted(names)))


class DropService(SetServices, frozen=True):
    """A service's label was taken off."""

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Removes the service from those of the incident."""
        remaining = tuple(name for name in incident.services if name not in self.names)
        if remaining == incident.services:
            return incident
        return origin.log(incident, f"took the service {self.names[0]} off", services=remaining)


class DropCause(SetCause, frozen=True):
    """A cause's label was taken off."""

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Removes the cause."""
        if not incident.cause:
            return incident
        return origin.log(incident, "took the cause off", cause=None)


class Assign(AssignRole, frozen=True):
    """Somebody was assigned."""

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Adds them to the assigned people. They take command if nobody has it."""
        login = str(self.login)
        if incident.commander is None:
            incident = give_role(incident, Role.COMMANDER, login)
            return origin.log(incident, f"assigned @{login}, who is in command now")
        if any(login.casefold() == name.casefold() for name in incident.assigned):
            return incident
        assigned = (*incident.assigned, login)
        return origin.log(incident, f"assigned @{login}", assigned=assigned)


class Unassign(AssignRole, frozen=True):
    """Somebody was unassigned."""

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Removes them from the assigned people and from their roles."""
        incident = drop_roles(incident, str(self.login), origin.at)
        return origin.log(incident, f"unassigned @{self.login}")


class Rename(Command, frozen=True):
    """The issue got another title."""

    needs = Permission.NONE
    title: str

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Adds a line to the timeline."""
        return origin.log(incident, f"renamed the incident to {self.title}")


class LinkPull(Command, frozen=True):
    """A pull request mentioned the incident. `merged_at` is None while it is not merged.

    `number` is `OWNER/NAME#NUMBER` when it is in another repository.
    """

    needs = Permission.TRIAGE
    number: str
    title: str
    merged_at: datetime | None

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Adds a line to the timeline, and another one if the pull request was merged."""
        elsewhere = "#" in self.number
        what = f"pull request {'' if elsewhere else '#'}{self.number}"
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
"""By label: the command for putting it on, and the one for taking it off (None: it means nothing).
Labels of services and causes are not listed, because they hold a name. All others mean nothing."""


def _command_of_label(label: str, put_on: bool) -> Command | None:
    """The command for a label (in lower case) that was put on or taken off; None without one."""
    prefix, colon, rest = label.partition(":")
    prefix, value = prefix + colon, rest.strip()
    if prefix == labels.SERVICE_PREFIX:
        return AddService((value,)) if put_on else DropService((value,))
    if prefix == labels.CAUSE_PREFIX:
        return SetCause(value) if put_on else DropCause("")
    commands = _BY_LABEL.get(prefix + value)
    return None if commands is None else commands[not put_on]
