"""Commands about roles and severity, and how roles are given and taken."""

from __future__ import annotations

import re
from datetime import datetime

from msgspec.structs import replace

from incident_actions.domain.issue.incident import Incident, Moment, Role, Severity
from incident_actions.domain.issue.observation import Permission
from incident_actions.domain.text.words import pattern, table
from incident_actions.domain.timeline.arguments import Arguments, Mistake
from incident_actions.domain.timeline.commands.base import Command, Origin

ROLE_NEEDS = Permission.TRIAGE
"""The permission that a person needs to hold a role. GitHub lets these people be assigned, too."""
_ROLE_ALIASES = {alias: Role(name) for alias, name in table("roles").items()}
_ANOTHER = pattern("another_severity", of="arguments")


class Ack(Command, frozen=True):
    """Acknowledge; you take command if nobody has."""

    syntax = "/ack"
    decides = True

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Sets the time of acknowledgement if it is not set, or if the command is backdated."""
        if origin.at != origin.typed_at:
            incident = origin.set_time(incident, Moment.ACKNOWLEDGED)
        incident = origin.acknowledge(incident)
        if incident.commander is not None:
            return origin.log(incident, "acknowledged")
        incident = give_role(incident, Role.COMMANDER, origin.actor)
        return origin.log(incident, "acknowledged and took command")


class AssignRole(Command, frozen=True):
    """Give a role; without a name, take it.

    `login` is None when the person who typed the command takes the role.
    """

    syntax = "/role commander|investigator|comms|scribe [@user]"
    example = "/role comms @bea"
    time_after_word = True
    role: Role
    login: str | None

    @classmethod
    def read(cls, arguments: Arguments) -> AssignRole:
        """A role by its name or an alias, and a login, `me`, or nothing."""
        role = arguments.choice("role", {role.value: role for role in Role}, also=_ROLE_ALIASES)
        login = arguments.optional_login(role.value)
        arguments.nothing_more(f"/role {role.value} @{login or 'user'}")
        return cls(role, login)

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Gives the role. Somebody who makes themselves commander also acknowledges the incident.

        Raises `Mistake` when the named person may not hold a role.
        """
        if self.login and origin.permissions.of_person(self.login) < ROLE_NEEDS:
            reason = f"@{self.login} has no triage or write access to this repository"
            raise Mistake(reason, f"/role {self.role} @user")
        login = self.login or origin.actor
        if self.role is Role.COMMANDER and login.casefold() == origin.actor.casefold():
            incident = origin.acknowledge(incident)
        name = self.role.label.lower()
        action = f"took the role of {name}" if login == origin.actor else f"made @{login} {name}"
        return origin.log(give_role(incident, self.role, login), action)


class SetSeverity(Command, frozen=True):
    """Correct the severity."""

    syntax = "/severity sev1|sev2|sev3 [REASON]"
    example = "/severity sev2 checkout works again"
    time_after_word = True
    decides = True
    severity: Severity
    reason: str

    @classmethod
    def read(cls, arguments: Arguments) -> SetSeverity:
        """A severity, and the reason, which may be missing."""
        severity = arguments.severity()
        another = _ANOTHER.match(arguments.text)
        if another:
            worse = re.search(r"higher|more|worse", another[0], re.IGNORECASE)
            named = [each for each in Severity if each.value[-1] in another[0]]
            worst = Severity.SEV1 if worse else min([severity, *named])
            raise Mistake("one severity is needed", f"/severity {worst.value}")
        return cls(severity, arguments.reason(f"/severity {severity.value}"))

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Sets the severity. When it changes, the time until the next update starts again.

        Putting on the label of the severity that is set already changes nothing.
        """
        before, after = incident.severity, self.severity
        action = f"changed the severity from {before.label} to {after.label}"
        if before is after and incident.severity_known:
            if origin.by_hand:
                return incident
            action = f"kept the severity at {after.label}"
        if before is not after:
            incident = replace(incident, restarted_at=origin.typed_at)
        return origin.log(incident, action, self.reason, severity=after, severity_known=True)


def give_role(incident: Incident, role: Role, login: str) -> Incident:
    """Give a role to somebody, and assign them.

    Who held the role before is unassigned, unless they hold another role.
    """
    before = incident.roles.get(role)
    roles = {**incident.roles, role: login}
    assigned = [name for name in incident.assigned if name.casefold() != login.casefold()]
    if before and not any(before.casefold() == name.casefold() for name in roles.values()):
        assigned = [name for name in assigned if name.casefold() != before.casefold()]
    return replace(incident, roles=roles, assigned=(*assigned, login))


def drop_roles(incident: Incident, login: str, at: datetime) -> Incident:
    """Take all roles from somebody, and unassign them. `at` is when they left."""
    folded = login.casefold()
    roles = {role: name for role, name in incident.roles.items() if name.casefold() != folded}
    in_command = incident.commander is not None and Role.COMMANDER not in roles
    return replace(
        incident,
        roles=roles,
        vacant_since=at if in_command else incident.vacant_since,
        assigned=tuple(name for name in incident.assigned if name.casefold() != folded),
    )
