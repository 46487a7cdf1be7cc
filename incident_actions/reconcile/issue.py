"""Finds out what an issue is (incident, report, freeze, or none), and brings it up to date."""

from __future__ import annotations

from datetime import datetime

from msgspec.structs import replace

from incident_actions.config import read_config
from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.forms import looks_filled
from incident_actions.domain.issue.observation import Observation
from incident_actions.errors import InputError, NotFound, Transferred
from incident_actions.github.client import GitHub
from incident_actions.reconcile import runbook_library
from incident_actions.reconcile.agenda import freeze_moment
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.freeze import is_freeze, reconcile_freeze
from incident_actions.reconcile.incident import assess, check_author, reconcile
from incident_actions.reconcile.keepalive import keep_on_time
from incident_actions.reconcile.plan import Assessment
from incident_actions.reconcile.postmortem import keep_postmortem
from incident_actions.reconcile.untrusted_report import hold


def reconcile_issue(context: RunContext, number: int) -> tuple[JobResult, ...]:
    """Bring an issue up to date, whatever it is. Gives nothing when the bot has no part in it.

    Raises `errors.GitHubError`.
    """
    github = context.github
    history = github.history(number, context.config.heard)
    observation = Observation(github.issue(number), history, context.config.bot)
    accepted = observation.accepted_before
    if not accepted and is_freeze(observation):
        if freeze_moment(context, observation.issue, context.now):
            context.watchman.wake(context.now)
        return reconcile_freeze(context, observation)
    form = None
    if not accepted:
        form = runbook_library.form(github, context.config)
        observation = replace(observation, form=form)
        if not observation.issue.has_label(names.INCIDENT) and not _is_unlabelled(observation):
            return ()
    author = check_author(github, observation)
    if not author.accepted:
        held, incident = hold(context, observation, author)
        opened = reconcile_issue(context, incident) if incident is not None else ()
        return (held, *opened)
    reconciled = reconcile(context, observation, author, form)
    result = reconciled.result
    if keep_on_time(context, reconciled):
        result = replace(result, changed=True)
    if reconciled.assessment.incident.wants_postmortem or reconciled.state.postmortem is not None:
        result = keep_postmortem(context, replace(reconciled, result=result))
    return (result,)


def read_incident(github: GitHub, number: int, config_path: str, now: datetime) -> Assessment:
    """Read an incident for a command line that only shows it. Writes nothing.

    `number` is its issue, `now` an aware UTC time. Raises `NotFound` when there is no such issue,
    and `InputError` when it is no incident, or a report that nobody confirmed.
    """
    config = read_config(github.file(config_path), config_path)
    try:
        issue = github.issue(number)
    except Transferred:
        raise
    except NotFound as error:
        raise NotFound(
            f"#{number} is not there", remedy=error.remedy, on_shell=error.on_shell
        ) from None
    if issue.is_pull_request or not issue.has_label(names.INCIDENT):
        raise InputError(
            f"#{number} is no incident", remedy="Give the number of an issue labelled `incident`."
        )
    observation = Observation(issue, github.history(number, config.heard), config.bot)
    author = check_author(github, observation)
    if not author.accepted:
        raise InputError(
            f"#{number} is a report that nobody has confirmed",
            remedy="Comment `/confirm` on it, and ask for the incident that opens.",
        )
    context = RunContext(github, config, now, probe=lambda url, private: False)
    return assess(context, observation, author)


def _is_unlabelled(observation: Observation) -> bool:
    """Whether an issue without the label `incident` is an incident all the same.

    GitHub drops a form's label that the repository does not have: then the filled-in form shows
    what it is. And somebody may take the label off an incident that the bot opened for a report.
    """
    issue = observation.issue
    if issue.is_pull_request:
        return False
    filled = looks_filled(observation.form, issue.parts.reporter)
    return observation.is_confirmed_report or filled
