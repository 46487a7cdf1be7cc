"""A report from outside: hold it, and open it as an incident when a writer confirms."""

from __future__ import annotations

from collections.abc import Mapping

from incident_actions.domain import body as bodies
from incident_actions.domain import labels as names
from incident_actions.domain import reports, voice
from incident_actions.domain.answers import read_severity
from incident_actions.domain.body import MAX_LENGTH
from incident_actions.domain.commands import Confirm, Dismiss
from incident_actions.domain.forms import Form, read_answers
from incident_actions.domain.grants import Grants
from incident_actions.domain.incident import Severity, Status
from incident_actions.domain.notices import Notice
from incident_actions.domain.observation import Comment, Observation
from incident_actions.domain.permissions import wants_permission
from incident_actions.domain.projection import CreateLabel, Effect, OpenIssue, Say, edit
from incident_actions.flows.incident import Desk, Report
from incident_actions.flows.speech import take_back
from incident_actions.hub.apply import apply
from incident_actions.render.comments import write
from incident_actions.render.environment import render


def hold(desk: Desk, observation: Observation, form: Form) -> tuple[Report, int | None]:
    """Hold a report, or carry out what the team decided.

    Gives what was done, and the number of the incident that the report has become, if any.
    """
    hub, issue = desk.hub, observation.issue
    grants = Grants()
    for login in wants_permission(observation):
        grants.learn(login, observation.permissions.get(login) or hub.permission(login), 0)
    verdict = reports.decide(observation, grants, desk.config.needs())
    own = voice.own_comments(observation)
    notices = [Notice("held", str(issue.number)), *verdict.notices]
    incident = None
    done: tuple[Effect, ...] = ()
    if isinstance(verdict.command, Confirm):
        incident = reports.opened_as(observation) or opened_before(own, issue.number)
        if incident is None:
            done += apply(hub, missing_labels(desk))
            incident = hub.open(_incident_of(observation, verdict.by, form))
        key = f"{issue.number}.{incident}"
        notices.append(Notice("confirmed", key, to=verdict.by, text=str(incident)))
    elif isinstance(verdict.command, Dismiss):
        reason = verdict.command.reason
        notices.append(Notice("dismissed", str(issue.number), to=verdict.by, text=reason))
    if names.NEEDS_CONFIRMATION not in issue.labels and not done:
        done += apply(hub, missing_labels(desk))
    words: list[Effect] = [
        Say(issue.number, notice.kind, notice.key, write(notice))
        for notice in voice.unsaid(notices, own)
    ]
    words += take_back(notices, observation)
    done += apply(hub, words)
    change = edit(
        issue,
        labels=(*issue.labels, names.INCIDENT, names.NEEDS_CONFIRMATION),
        open=False if verdict.command is not None else None,
        planned=not isinstance(verdict.command, Dismiss),
    )
    if not change.empty:
        done += apply(hub, [change])
    status = Status.REPORTED.value
    return Report(issue=issue.number, status=status, changed=bool(done)), incident


def opened_before(own: Mapping[str, Comment], report: int) -> int | None:
    """The incident that the bot's own comment on the report names."""
    opened = (name.rpartition(".")[2] for name in own if name.startswith(f"confirmed {report}."))
    return next((int(number) for number in opened if number.isdigit()), None)


def missing_labels(desk: Desk) -> list[CreateLabel]:
    """The labels of ours that the repository doesn't have. One request."""
    there = desk.hub.label_names()
    return [CreateLabel(label) for label in names.CATALOG if label.name not in there]


def _incident_of(observation: Observation, by: str, form: Form) -> OpenIssue:
    """The incident, in the bot's name. It is born with its labels, so it freezes at once."""
    issue = observation.issue
    text = bodies.split(issue.body).reporter
    severity = read_severity(read_answers(form, text).get("severity")) or Severity.SEV1
    room = MAX_LENGTH // 2  # a quote is longer than its text, and the dashboard comes on top
    body = render(
        "report.md.j2",
        by=by,
        reporter=issue.author.login,
        number=issue.number,
        text=text if bodies.length(text) <= room else text[:room] + "\n(cut: see the report)",
    )
    return OpenIssue(
        title=issue.title,
        body=f"{reports.marker(issue.number)}\n{body}",
        labels=(names.INCIDENT, severity.value, f"{names.STATUS_PREFIX}{Status.INVESTIGATING}"),
    )
