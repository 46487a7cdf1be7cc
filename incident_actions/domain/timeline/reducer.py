"""What each command does to an incident. One small pure function each.

A command that makes no sense for the incident as it is raises `Mistake`, with what to type
instead; nothing has changed then.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.issue.incident import (
    TRANSITIONS,
    ActionItem,
    Allowance,
    Entry,
    EntryKind,
    FreezeOverride,
    FreezeSwitch,
    Incident,
    Moment,
    Role,
    Status,
    Verification,
)
from incident_actions.domain.playbook.checklist import ChecklistItem, missing
from incident_actions.domain.timeline import commands as c
from incident_actions.domain.timeline.arguments import Mistake


class Unverified(Mistake):
    """`/resolve`, or closing by hand, before recovery is verified. Carries what is missing."""

    def __init__(self, checks: tuple[ChecklistItem, ...]) -> None:
        super().__init__("recovery is not verified yet", "/verify all")
        self.checks = checks


class Act(Struct, frozen=True):
    """Somebody's deed: who, when they did it, when they typed it, and where it is recorded."""

    actor: str
    at: datetime
    typed_at: datetime
    key: str
    checks: tuple[ChecklistItem, ...] = ()


def apply(incident: Incident, command: c.Command, act: Act) -> Incident:
    """The incident after a command. Raises `Mistake` when the command doesn't fit."""
    return _EFFECTS[type(command)](incident, command, act)


def log(
    incident: Incident,
    act: Act,
    action: str,
    result: str = "",
    *,
    deed: EntryKind | None = None,
    **changes: Any,
) -> Incident:
    """The incident with a line more in its timeline, and whatever else changed."""
    entry = Entry(at=act.at, actor=act.actor, action=action, result=result, key=act.key, deed=deed)
    return replace(incident, timeline=(*incident.timeline, entry), **changes)


def _at(incident: Incident, moment: Moment, at: datetime) -> dict[Moment, datetime]:
    return {**incident.times, moment: at}


def give_role(incident: Incident, role: Role, login: str) -> Incident:
    """Someone takes a role and is assigned; who held it before leaves, unless needed elsewhere."""
    before = incident.roles.get(role)
    roles = {**incident.roles, role: login}
    assigned = [name for name in incident.assigned if name.casefold() != login.casefold()]
    if before and not any(before.casefold() == name.casefold() for name in roles.values()):
        assigned = [name for name in assigned if name.casefold() != before.casefold()]
    return replace(incident, roles=roles, assigned=(*assigned, login))


def drop_roles(incident: Incident, login: str, at: datetime) -> Incident:
    """Someone leaves: their roles are free again."""
    folded = login.casefold()
    roles = {role: name for role, name in incident.roles.items() if name.casefold() != folded}
    in_command = incident.commander is not None and Role.COMMANDER not in roles
    return replace(
        incident,
        roles=roles,
        vacant_since=at if in_command else incident.vacant_since,
        assigned=tuple(name for name in incident.assigned if name.casefold() != folded),
    )


def _acknowledge(incident: Incident, act: Act, at: datetime) -> Incident:
    if Moment.ACKNOWLEDGED in incident.times:
        return incident
    return replace(incident, times=_at(incident, Moment.ACKNOWLEDGED, at))


def _ack(incident: Incident, command: c.Ack, act: Act) -> Incident:
    if act.at != act.typed_at:  # a backdated acknowledgement corrects the time
        incident = replace(incident, times=_at(incident, Moment.ACKNOWLEDGED, act.at))
    incident = _acknowledge(incident, act, act.at)
    if incident.commander is None:
        incident = give_role(incident, Role.COMMANDER, act.actor)
        return log(incident, act, "acknowledged and took command")
    return log(incident, act, "acknowledged")


def _role(incident: Incident, command: c.AssignRole, act: Act) -> Incident:
    login = command.login or act.actor
    if command.role is Role.COMMANDER and login.casefold() == act.actor.casefold():
        incident = _acknowledge(incident, act, act.at)
    name = command.role.label.lower()
    action = f"took the role of {name}" if login == act.actor else f"made @{login} {name}"
    return log(give_role(incident, command.role, login), act, action)


def _severity(incident: Incident, command: c.SetSeverity, act: Act) -> Incident:
    before, after = incident.severity, command.severity
    if before is after and incident.severity_known:
        action = f"kept the severity at {after.label}"
    else:
        action = f"changed the severity from {before.label} to {after.label}"
    if before is not after:
        incident = replace(incident, restarted_at=act.typed_at)
    return log(incident, act, action, command.reason, severity=after, severity_known=True)


def _require(incident: Incident, status: Status, suggestion: str) -> None:
    """Hold the record to the state machine."""
    if status is not incident.status and status not in TRANSITIONS[incident.status]:
        raise Mistake(f"an incident that is {incident.status} can't be {status} next", suggestion)


def _status(incident: Incident, command: c.SetStatus, act: Act) -> Incident:
    if not incident.status.open:
        raise Mistake("the incident is resolved; reopen it first", "/reopen REASON")
    _require(incident, command.status, "/reopen REASON")
    incident = _acknowledge(incident, act, act.at)
    if command.status is Status.MONITORING and Moment.MITIGATED not in incident.times:
        incident = replace(incident, times=_at(incident, Moment.MITIGATED, act.at))
    action = f"set the status to {command.status}"
    return log(incident, act, action, command.text, status=command.status)


def _time(incident: Incident, command: c.SetTime, act: Act) -> Incident:
    if command.moment is Moment.RESOLVED and incident.status.open:
        raise Mistake("the incident is not resolved", "/resolve at 14:30")
    entry = Entry(
        at=act.typed_at,
        actor=act.actor,
        action=f"corrected the time {command.moment} to {act.at:%Y-%m-%d %H:%M} UTC",
        key=act.key,
    )
    times = _at(incident, command.moment, act.at)
    return replace(incident, times=times, timeline=(*incident.timeline, entry))


_REFERENCE = re.compile(r"(?:(?<=\s)|^|(?<=\())#(\d{1,9})\b")


def _fixes(incident: Incident, *texts: str) -> tuple[int, ...]:
    """Pull requests that a command named: a change from one of them may pass as a fix.

    Only of commands that need write access: `/note` and `/update` are for triage, too.
    """
    found = [int(number) for text in texts for number in _REFERENCE.findall(text)]
    return tuple(dict.fromkeys((*incident.fixes, *found)))[-20:]


def _note(incident: Incident, command: c.Note, act: Act) -> Incident:
    return log(incident, act, command.text)


def _did(incident: Incident, command: c.Did, act: Act) -> Incident:
    fixes = _fixes(incident, command.action, command.result)
    incident = replace(incident, mitigations=incident.mitigations + 1)
    return log(
        incident, act, command.action, command.result, deed=EntryKind.MITIGATION, fixes=fixes
    )


def _update(incident: Incident, command: c.Update, act: Act) -> Incident:
    due = act.at + command.next_in if command.next_in else None
    return log(
        incident,
        act,
        "posted an update",
        command.text,
        deed=EntryKind.UPDATE,
        updates=incident.updates + 1,
        last_update=act.at,
        next_update=due,
    )


def _customer(incident: Incident, command: c.CustomerUpdate, act: Act) -> Incident:
    count = incident.customer_updates + 1
    return log(
        incident,
        act,
        "told customers",
        command.text,
        deed=EntryKind.CUSTOMER_UPDATE,
        customers=True,
        customer_updates=count,
        last_customer_update=act.at,
    )


def _mitigated(incident: Incident, command: c.Mitigated, act: Act) -> Incident:
    _require(incident, Status.MONITORING, f"/time mitigated at {act.at:%H:%M}")
    incident = _acknowledge(incident, act, act.at)
    times = _at(incident, Moment.MITIGATED, act.at)
    fixes = _fixes(incident, command.text)
    status = Status.MONITORING
    return log(incident, act, "mitigated", command.text, times=times, status=status, fixes=fixes)


def _verify(incident: Incident, command: c.Verify, act: Act) -> Incident:
    known = {item.key: item for item in act.checks}
    if command.check == "all":
        items = missing(act.checks, incident.verified)
        what = "verified all recovery checks"
    elif command.check in known:
        items = (known[command.check],)
        what = f"verified: {items[0].text}"
    else:
        near = difflib.get_close_matches(command.check[:40], known, n=1, cutoff=0.4)
        left = [item.key for item in missing(act.checks, incident.verified)] or list(known)
        meant = [*near, *left, "CHECK"][0]
        listed = ", ".join(f"`{key}`" for key in known) or "none"
        raise Mistake(f"there is no such recovery check; there are {listed}", f"/verify {meant}")
    verified = dict(incident.verified)
    for item in items:
        verified[item.key] = Verification(by=act.actor, at=act.at, text=command.text[:200])
    return log(incident, act, what, command.text, verified=verified)


def _resolve(incident: Incident, command: c.Resolve, act: Act) -> Incident:
    if incident.status is Status.RESOLVED:
        raise Mistake("the incident is resolved already", f"/time resolved at {act.at:%H:%M}")
    _require(incident, Status.RESOLVED, "/confirm")
    open_checks = missing(act.checks, incident.verified)
    if open_checks and not command.force:
        raise Unverified(open_checks)
    times = _at(incident, Moment.RESOLVED, act.at)
    times.setdefault(Moment.MITIGATED, act.at)
    forced = command.text if open_checks else None
    action = "resolved without verified recovery" if forced else "resolved"
    return log(
        incident,
        act,
        action,
        command.text,
        times=times,
        status=Status.RESOLVED,
        forced=forced,
        freeze=None,
        allow=(),
        next_update=None,
    )


def _reopen(incident: Incident, command: c.Reopen, act: Act) -> Incident:
    if incident.status.open:
        raise Mistake("the incident is open", "/status investigating")
    times = {
        moment: at
        for moment, at in incident.times.items()
        if moment not in (Moment.MITIGATED, Moment.RESOLVED)
    }
    return log(
        incident,
        act,
        "reopened",
        command.reason,
        times=times,
        status=Status.INVESTIGATING,
        verified={},
        forced=None,
        last_update=None,
        restarted_at=act.typed_at,
        vacant_since=act.typed_at if incident.commander is None else None,
    )


def _freeze(incident: Incident, command: c.FreezeDeploys, act: Act) -> Incident:
    override = FreezeOverride(
        freeze=FreezeSwitch.ON, by=act.actor, at=act.at, reason=command.reason[:200]
    )
    return log(
        incident, act, "froze deploys", command.reason, deed=EntryKind.OVERRIDE, freeze=override
    )


def _thaw(incident: Incident, command: c.ThawDeploys, act: Act) -> Incident:
    override = FreezeOverride(
        freeze=FreezeSwitch.OFF, by=act.actor, at=act.at, reason=command.reason[:200]
    )
    return log(
        incident,
        act,
        "let deploys through",
        command.reason,
        deed=EntryKind.OVERRIDE,
        freeze=override,
    )


_MOST_ALLOWED = 20


def _allow(incident: Incident, command: c.Allow, act: Act) -> Incident:
    allowance = Allowance(
        by=act.actor,
        at=act.at,
        until=act.at + command.duration,
        reason=command.reason[:200],
        sha=command.sha,
        pr=command.pr,
    )
    running = [each for each in incident.allow if each.until > act.typed_at]
    if len(running) >= _MOST_ALLOWED:
        first = min(each.until for each in running)
        raise Mistake(
            f"{_MOST_ALLOWED} changes are let through already, the first until {first:%H:%M} UTC",
            "/thaw REASON",
        )
    change = command.sha or f"#{command.pr}"
    action = f"let {change} through the freeze until {allowance.until:%H:%M} UTC"
    over = [each for each in incident.allow if each.until <= act.typed_at]
    room = _MOST_ALLOWED - len(running) - 1
    allow = (*over[max(0, len(over) - room) :], *running, allowance)
    return log(incident, act, action, command.reason, deed=EntryKind.OVERRIDE, allow=allow)


def _action(incident: Incident, command: c.AddAction, act: Act) -> Incident:
    due = command.due.isoformat()
    item = ActionItem(
        text=command.text[:300], owner=command.owner, due=due, by=act.actor, key=act.key
    )
    action = f"noted a follow-up for @{command.owner}, due {due}"
    return log(incident, act, action, command.text, actions=(*incident.actions, item))


def _cause(incident: Incident, command: c.SetCause, act: Act) -> Incident:
    return log(incident, act, f"named the cause: {command.name}", cause=command.name)


def _services(incident: Incident, command: c.SetServices, act: Act) -> Incident:
    action = f"set the services to {', '.join(command.names)}"
    return log(incident, act, action, services=tuple(sorted(command.names)))


def _snooze(incident: Incident, command: c.Snooze, act: Act) -> Incident:
    if command.duration is None:
        return log(incident, act, "switched reminders on again", snoozed_until=None)
    until = act.at + command.duration
    return log(incident, act, f"paused reminders until {until:%H:%M} UTC", snoozed_until=until)


def _sensitive(incident: Incident, command: c.Sensitive, act: Act) -> Incident:
    return log(incident, act, "marked this as a security matter", sensitive=True)


def _postmortem(incident: Incident, command: c.StartPostmortem, act: Act) -> Incident:
    return log(incident, act, "asked for a postmortem", postmortem_asked=True)


def _not_a_report(incident: Incident, command: c.Command, act: Act) -> Incident:
    raise Mistake("this is an incident already, not a report", "/resolve")


def _no_change(incident: Incident, command: c.Command, act: Act) -> Incident:
    return incident


_EFFECTS: dict[type, Callable[[Incident, Any, Act], Incident]] = {
    c.Ack: _ack,
    c.AssignRole: _role,
    c.SetSeverity: _severity,
    c.SetStatus: _status,
    c.SetTime: _time,
    c.Note: _note,
    c.Did: _did,
    c.Update: _update,
    c.CustomerUpdate: _customer,
    c.Mitigated: _mitigated,
    c.Verify: _verify,
    c.Resolve: _resolve,
    c.Reopen: _reopen,
    c.FreezeDeploys: _freeze,
    c.ThawDeploys: _thaw,
    c.Allow: _allow,
    c.AddAction: _action,
    c.SetCause: _cause,
    c.SetServices: _services,
    c.Snooze: _snooze,
    c.Sensitive: _sensitive,
    c.StartPostmortem: _postmortem,
    c.Confirm: _not_a_report,
    c.Dismiss: _not_a_report,
    c.ShowRunbook: _no_change,
    c.Help: _no_change,
}
