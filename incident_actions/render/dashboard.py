"""The dashboard at the top of an incident's issue, as long as GitHub's limit allows."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from urllib.parse import quote

from msgspec import Struct

from incident_actions.domain.changes.suspects import UNSEEN, Change, Suspects
from incident_actions.domain.issue.incident import Incident, Moment, Role, Severity
from incident_actions.domain.issue.observation import MAX_LENGTH, Body, length_on_github
from incident_actions.domain.playbook.checklist import ChecklistItem, ChecklistSection, missing
from incident_actions.domain.playbook.runbooks import Runbook
from incident_actions.domain.postmortem.link import Postmortem
from incident_actions.domain.reminders.due import next_update_due
from incident_actions.render.markdown import render

ENTRIES_SHOWN = 15
SUSPECTS_SHOWN = 10
SUSPECTS_SHOWN_AT_LEAST = 3


class DashboardFacts(Struct, frozen=True):
    """What the dashboard shows besides the incident itself.

    `number` is the issue's. `checks` are the recovery checks. `ticked` are the texts of steps that
    people ticked, `seen` the keys of steps that the bot saw done. `update_every` is the time
    between updates, by severity. `silent`: show as little as possible of a security matter.
    `web` is the repository's address. `lock` is `State.lock`. `mitigation` is what the report says
    of it, `says_deploy` whether it speaks of a deploy.
    """

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
    lock: str = ""
    mitigation: str = ""
    says_deploy: bool = False


def compose(incident: Incident, facts: DashboardFacts, states: Sequence[str], reporter: str) -> str:
    """The whole body of the issue: dashboard, state, and the reporter's text.

    `states` are the state as text at full length, and shorter versions of it. When the body would
    be too long, it first loses older entries of the timeline, then parts of the dashboard, then
    parts of the state. The reporter's text is never cut: when it alone fills the body, there is no
    dashboard and no state.
    """
    full_state, *shorter = states
    sizes = ((ENTRIES_SHOWN, True), (8, True), (8, False), (0, False))
    for entries, full in sizes[-1:] if facts.silent else sizes:
        text = _dashboard(incident, facts, entries, full)
        body = Body(text, full_state, reporter).compose()
        if length_on_github(body) <= MAX_LENGTH:
            return body
    short = f"**{incident.severity.label} · {incident.status}**"
    for state in (full_state, *shorter, None):
        body = Body(short, state, reporter).compose()
        if length_on_github(body) <= MAX_LENGTH:
            return body
    return reporter


def _dashboard(incident: Incident, facts: DashboardFacts, entries: int, full: bool) -> str:
    """The dashboard with the last `entries` of the timeline. `full`: with all other parts, too."""
    suspects = None if facts.silent else facts.suspects
    most = SUSPECTS_SHOWN if full else SUSPECTS_SHOWN_AT_LEAST
    shown = incident.timeline[-entries:] if entries else ()
    steps = [step for section in facts.checklist for step in section.items]
    return render(
        "dashboard.md.j2",
        incident=incident,
        facts=facts,
        full=full,
        roles=[*Role],
        times={moment.value: incident.times.get(moment) for moment in Moment},
        day=incident.times[Moment.STARTED],
        next_update=next_update_due(incident, facts.update_every),
        done={step.text for step in steps if step.key in facts.seen or step.text in facts.ticked},
        steps=steps,
        unverified=missing(facts.checks, incident.verified),
        entries=shown,
        left_out=len(incident.timeline) - len(shown),
        suspects=suspects,
        workflow=quote(suspects.workflow) if suspects else "",
        changes=_changes(suspects, most) if suspects else (),
        unseen=UNSEEN,
    )


def _changes(suspects: Suspects, most: int) -> tuple[Change, ...]:
    """The newest `most` suspects, and the likeliest one even when it is older."""
    older = (change for change in suspects.changes[most:] if change.likeliest)
    return (*suspects.changes[:most], *older)
