"""The dashboard at the top of an incident's issue, as full as GitHub's limit allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from incident_actions.domain.changes.suspects import UNSEEN, Change, RollbackRule, Suspects
from incident_actions.domain.issue import body as bodies
from incident_actions.domain.issue.body import Body
from incident_actions.domain.issue.incident import (
    FreezeSwitch,
    Incident,
    Moment,
    Role,
    Severity,
    Status,
)
from incident_actions.domain.playbook.checklist import ChecklistItem, ChecklistSection, missing
from incident_actions.domain.playbook.runbooks import Runbook
from incident_actions.domain.postmortem.link import Postmortem
from incident_actions.domain.reminders.incident import next_update_due
from incident_actions.render.markdown import inline, render, utc

ENTRIES_SHOWN = 15
SUSPECTS_SHOWN = 10
SUSPECTS_SHOWN_AT_LEAST = 3

_MARKS = {Severity.SEV1: "🔴", Severity.SEV2: "🟠", Severity.SEV3: "🟡"}


class DashboardFacts(Struct, frozen=True):
    """What the dashboard shows beside the incident itself."""

    number: int
    checklist: tuple[ChecklistSection, ...]
    checks: tuple[ChecklistItem, ...]
    ticked: Collection[str]
    seen: Collection[str]
    update_every: Mapping[Severity, timedelta | None]
    silent: bool = False
    headline: str = ""
    postmortem_due: datetime | None = None
    suspects: Suspects | None = None
    runbooks: Sequence[Runbook] = ()
    web: str = ""
    postmortem: Postmortem | None = None


def compose(incident: Incident, facts: DashboardFacts, states: Sequence[str], reporter: str) -> str:
    """The whole body. When it would be too long, older entries and then whole parts give way, and
    then what is remembered: `states` are the state at its full length, and shorter ones.

    The reporter's text is never cut. Where it leaves no room at all the body stays without a
    dashboard; the labels still tell the state.
    """
    full_state, *shorter = states
    sizes = ((ENTRIES_SHOWN, True), (8, True), (8, False), (0, False))
    for entries, full in sizes[-1:] if facts.silent else sizes:
        text = _dashboard(incident, facts, entries, full)
        whole = Body(text, full_state, reporter).compose()
        if bodies.length(whole) <= bodies.MAX_LENGTH:
            return whole
    short = f"**{incident.severity.label} · {incident.status}**"
    for state in (full_state, *shorter, None):
        whole = Body(short, state, reporter).compose()
        if bodies.length(whole) <= bodies.MAX_LENGTH:
            return whole
    return reporter


def _dashboard(incident: Incident, facts: DashboardFacts, entries: int, full: bool) -> str:
    """The dashboard with so many entries of the timeline; `full`: with everything else."""
    suspects = None if facts.silent else facts.suspects
    most = SUSPECTS_SHOWN if full else SUSPECTS_SHOWN_AT_LEAST
    shown = incident.timeline[-entries:] if entries else ()
    checklist = facts.checklist if full else ()
    steps = [step for section in checklist for step in section.items]
    done = {step.text for step in steps if step.key in facts.seen or step.text in facts.ticked}
    return render(
        "dashboard.md.j2",
        incident=incident,
        number=facts.number,
        mark=_MARKS[incident.severity] if incident.status.open else "🟢",
        deploys=_deploys(incident),
        headline=facts.headline,
        next_step=next_step(incident, facts.checks, facts.postmortem, facts.postmortem_due),
        postmortem=facts.postmortem,
        deploy_rule=_deploy_rule(incident),
        commander=_commander(incident),
        other_roles=[
            (role, incident.roles[role])
            for role in Role
            if role is not Role.COMMANDER and role in incident.roles
        ],
        times={moment.value: incident.times.get(moment) for moment in Moment},
        day=incident.times[Moment.STARTED],
        next_update=next_update_due(incident, facts.update_every),
        checklist=checklist,
        done=done,
        ticked=sum(step.text in done for step in steps),
        steps=len(steps),
        checks=facts.checks if full else (),
        verified=len(facts.checks) - len(missing(facts.checks, incident.verified)),
        actions=incident.actions if full else (),
        entries=shown,
        left_out=len(incident.timeline) - len(shown),
        suspects=suspects,
        suspects_rule=_RULES[suspects.rule] if suspects else "",
        changes=_changes(suspects, most) if suspects else (),
        unseen=[(text, text in facts.ticked) for text in UNSEEN] if full else (),
        runbooks=() if facts.silent else facts.runbooks,
        web=facts.web,
    )


def _changes(suspects: Suspects, most: int) -> tuple[Change, ...]:
    """The newest suspects, so many; the likeliest is always among them."""
    late = (change for change in suspects.changes[most:] if change.likeliest)
    return (*suspects.changes[:most], *late)


def _commander(incident: Incident) -> str:
    return f"@{incident.commander}" if incident.commander else "**nobody yet**: type `/ack`"


def _deploys(incident: Incident) -> str:
    if incident.drill:
        return "drill, deploys go on"
    return "deploys are frozen" if incident.freezes else "deploys go on"


def _deploy_rule(incident: Incident) -> str:
    if incident.drill:
        return "go on: this is a drill"
    if incident.freeze is not None:
        on = incident.freeze.freeze is FreezeSwitch.ON
        who = f"by {inline(incident.freeze.by)}"
        why = f": {inline(incident.freeze.reason)}" if incident.freeze.reason else ""
        way = "`/thaw REASON` lets them through" if on else "`/freeze` stops them"
        return f"{'frozen' if on else 'let through'} {who}{why}. {way}"
    if incident.freezes:
        return "frozen. A rollback passes. `/allow SHA REASON` or `/thaw REASON` lets others pass"
    if not incident.status.open:
        return "go on"
    return "go on. `/freeze` stops them"


def next_step(
    incident: Incident,
    checks: Sequence[ChecklistItem],
    postmortem: Postmortem | None = None,
    due: datetime | None = None,
) -> str:
    """The one thing to do now, with what to type."""
    if incident.sensitive:
        return "a security matter. Move the details to a private advisory; write nothing more here."
    if incident.status is Status.RESOLVED:
        back = "`/reopen REASON` if it comes back."
        if postmortem is None or postmortem.pr is None or postmortem.merged:
            return f"resolved. {back}"
        by = f" by {utc(due)}" if due is not None else ""
        return f"write the postmortem, #{postmortem.pr},{by}. {back}".replace(",.", ".")
    if incident.commander is None:
        return "somebody takes command: type `/ack`."
    if incident.status is Status.MONITORING:
        if missing(checks, incident.verified):
            step = "verify the recovery, `/verify CHECK` one by one, then `/resolve`."
            return f"{step}{_tell_customers(incident)}"
        return "recovery is verified: `/resolve`."
    if not incident.mitigations:
        step = "stop the harm with the safest fast mitigation. Record it: `/did ACTION -> RESULT`."
    else:
        step = "once the harm has stopped: `/mitigated`."
    return f"{step}{_tell_customers(incident)}"


def _tell_customers(incident: Incident) -> str:
    untold = incident.customers and not incident.customer_updates
    serious = incident.severity in (Severity.SEV1, Severity.SEV2)
    return " Customers know nothing yet: `/customer TEXT`." if untold and serious else ""


_RULES = {
    RollbackRule.ROLL_BACK: (
        "**Roll back first.** A deploy went out just before the start, and no migration is seen "
        "with it. Understand the bad version later."
    ),
    RollbackRule.MIGRATION: (
        "**Do not roll back blindly.** A migration changed in that hour. Read it first: if it only "
        "adds, roll back; if it drops or rewrites anything, fix forward."
    ),
    RollbackRule.UNREAD: (
        "**Look for a migration, then roll back.** A deploy went out just before the start, but "
        "not everything that it brought could be seen."
    ),
    RollbackRule.NO_DEPLOY: (
        "**Do not roll back blindly.** No deploy is known in that hour. "
        "Undo the change that caused it, once you know which."
    ),
    RollbackRule.NOTHING: (
        "**A rollback is not the first thing to try.** Nothing that GitHub knows of changed in "
        "that hour. Look for what ran out: disk, connections, a certificate, a quota."
    ),
    RollbackRule.BLIND: (
        "**Do not roll back blindly.** Nothing is known to have changed, but not everything "
        "could be seen. Ask."
    ),
}
