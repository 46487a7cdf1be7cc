"""A report from outside: hold it, and open it as an incident when a writer confirms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from incident_actions.domain.issue import body as bodies
from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.body import MAX_LENGTH
from incident_actions.domain.issue.form_values import read_severity
from incident_actions.domain.issue.incident import Severity, Status
from incident_actions.domain.issue.observation import Observation
from incident_actions.domain.issue.permissions import Permissions
from incident_actions.domain.issue.records import Comment
from incident_actions.domain.projection.effects import (
    CreateLabel,
    DeleteComment,
    Effect,
    OpenIssue,
    PostComment,
)
from incident_actions.domain.projection.wanted import edit, mended
from incident_actions.domain.timeline import untrusted_reports as reports
from incident_actions.domain.timeline.authors import wants_permission
from incident_actions.domain.timeline.commands import Confirm, Dismiss
from incident_actions.domain.timeline.notices import Notice, unposted
from incident_actions.github.client import GitHub
from incident_actions.reconcile.apply import apply, took_place
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.incident import Trust
from incident_actions.reconcile.plan import comments_to_delete
from incident_actions.render.comments import write
from incident_actions.render.markdown import quote, render


def hold(
    context: RunContext, observation: Observation, trust: Trust
) -> tuple[JobResult, int | None]:
    """Hold a report, or carry out what the team decided.

    Gives what was done, and the number of the incident that the report has become, if any.
    """
    github, issue = context.github, observation.issue
    grants = Permissions()
    for login in wants_permission(observation):
        grants.learn(login, trust.asked.get(login) or github.permission(login), 0)
    verdict = reports.decide(observation, grants, context.config.needs())
    own = observation.own.by_name
    notices = [Notice("held", str(issue.number)), *verdict.notices]
    doubles = reports.all_opened(observation)[1:]
    incident = None
    done = _close_doubles(github, doubles)
    if isinstance(verdict.command, Confirm):
        incident = reports.opened_as(observation) or opened_before(own, issue.number)
        if incident is None:
            done += took_place(apply(github, missing_labels(context)))
            incident = github.open(_incident_of(observation, verdict.by))
        key = f"{issue.number}.{incident}"
        notices.append(Notice("confirmed", key, to=verdict.by, text=str(incident)))
    elif isinstance(verdict.command, Dismiss):
        reason = verdict.command.reason
        notices.append(Notice("dismissed", str(issue.number), to=verdict.by, text=reason))
    if names.NEEDS_CONFIRMATION not in issue.labels and not done:
        done += took_place(apply(github, missing_labels(context)))
    words: list[Effect] = [
        PostComment(issue.number, notice.kind, notice.key, write(notice))
        for notice in unposted(notices, own)
    ]
    words += comments_to_delete(notices, observation)
    wrong = (f"{issue.number}.{number}" for number in doubles)
    words += [
        DeleteComment(own[f"confirmed {key}"].id, "confirmed", key)
        for key in wrong
        if f"confirmed {key}" in own
    ]
    done += took_place(apply(github, words))
    change = edit(
        issue,
        labels=(*mended(observation), names.INCIDENT, names.NEEDS_CONFIRMATION),
        open=False if verdict.command is not None else None,
        planned=not isinstance(verdict.command, Dismiss),
    )
    if not change.empty:
        done += took_place(apply(github, [change]))
    status = Status.REPORTED.value
    return JobResult(issue=issue.number, status=status, changed=bool(done)), incident


def _close_doubles(github: GitHub, numbers: Sequence[int]) -> tuple[Effect, ...]:
    """Two runs at the same time opened an incident each: the newer one is none any more."""
    done: tuple[Effect, ...] = ()
    for number in numbers:
        issue = github.issue(number)
        left = [n for n in issue.labels if not names.is_ours(n) and n.casefold() != names.INCIDENT]
        change = edit(issue, labels=left, open=False, planned=False)
        if not change.empty:
            done += took_place(apply(github, [change]))
    return done


def opened_before(own: Mapping[str, Comment], report: int) -> int | None:
    """The incident that the bot's own comment on the report names."""
    opened = (name.rpartition(".")[2] for name in own if name.startswith(f"confirmed {report}."))
    return next((int(number) for number in opened if number.isdigit()), None)


def missing_labels(context: RunContext) -> list[CreateLabel]:
    """The labels of ours that the repository doesn't have. One request."""
    there = context.github.label_names()
    return [CreateLabel(label) for label in names.CATALOG if label.name not in there]


def _incident_of(observation: Observation, by: str) -> OpenIssue:
    """The incident, in the bot's name. It is born with its labels, so it freezes at once."""
    issue = observation.issue
    text = issue.parts.reporter
    severity = read_severity(observation.values.get("severity")) or Severity.SEV1
    body = render(
        "report.md.j2",
        by=by,
        reporter=issue.author.login,
        number=issue.number,
        text=_cut(text),
    )
    return OpenIssue(
        title=issue.title,
        body=f"{reports.marker(issue.number)}\n{body}",
        labels=(names.INCIDENT, severity.value, f"{names.STATUS_PREFIX}{Status.INVESTIGATING}"),
    )


_ROOM = MAX_LENGTH - 16_000
"""The dashboard comes on top of the quote."""


def _cut(text: str) -> str:
    """As much of a text as fits when it is quoted; a quote can be several times as long."""
    whole = text
    while bodies.length(quote(text)) > _ROOM:
        text = text[: len(text) * 3 // 4]
    return text if text == whole else f"{text}\n(cut: see the report)"
