"""One issue, whatever it turns out to be: an incident, a report, a freeze, or none of them."""

from __future__ import annotations

from msgspec.structs import replace

from incident_actions.domain.issue import body as bodies
from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.forms import Form, looks_filled
from incident_actions.domain.issue.observation import Issue, Observation
from incident_actions.domain.issue.trust import accepted_before
from incident_actions.domain.timeline.untrusted_reports import is_confirmed
from incident_actions.errors import NotFound
from incident_actions.github.client import GitHub
from incident_actions.reconcile import runbook_library as playbook
from incident_actions.reconcile.freeze import is_freeze, tend_freeze
from incident_actions.reconcile.incident import JobResult, RunContext, tend, vouch
from incident_actions.reconcile.keepalive import tell_if_late
from incident_actions.reconcile.postmortem import follow
from incident_actions.reconcile.untrusted_report import hold


def look_at(desk: RunContext, number: int) -> tuple[JobResult, ...]:
    """Bring whatever this issue is up to date: an incident, a report, or neither."""
    before = desk.hub.requests
    history = desk.hub.history(number)
    pages = desk.hub.requests - before
    desk = replace(desk, budget=desk.budget + pages - 1)  # a long history costs what it does
    issue = desk.hub.issue(number)
    observation = Observation(issue, history, {}, desk.config.bot)
    accepted = accepted_before(observation)
    if not accepted and is_freeze(issue, history):
        return tend_freeze(desk, observation)
    form = None
    if not accepted and not names.holds(issue.labels, names.INCIDENT):
        form = playbook.form(desk.hub, desk.config)
        if issue.is_pull_request or not (_is_confirmed(issue) or _is_filled_form(issue, form)):
            return ()
    observation, ours = vouch(desk.hub, observation)
    if ours:
        tended = tend(desk, observation, form)
        if tell_if_late(desk, tended):
            tended = replace(tended, report=replace(tended.report, changed=True))
        return (follow(desk, tended),)
    return _hold(desk, observation, form or playbook.form(desk.hub, desk.config))


def asked_for(hub: GitHub, number: int) -> Issue:
    """The issue that a person named. Raises `NotFound`, in words for that person."""
    try:
        return hub.issue(number)
    except NotFound as error:
        raise NotFound(f"#{number} is not there", remedy=error.remedy) from None


def _hold(desk: RunContext, observation: Observation, form: Form) -> tuple[JobResult, ...]:
    report, incident = hold(desk, observation, form)
    return (report, *(look_at(desk, incident) if incident is not None else ()))


def _is_confirmed(issue: Issue) -> bool:
    """An incident that the bot opened from a report, whatever became of its label."""
    return issue.author.bot and is_confirmed(bodies.split(issue.body).reporter)


def _is_filled_form(issue: Issue, form: Form) -> bool:
    return looks_filled(form, bodies.split(issue.body).reporter)
