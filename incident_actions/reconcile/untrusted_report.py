"""Holds a report from outside, and opens an incident for it when somebody with write access
confirms.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from msgspec.structs import replace

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.forms import read_severity
from incident_actions.domain.issue.incident import Severity, Status
from incident_actions.domain.issue.observation import (
    MAX_LENGTH,
    Deed,
    Observation,
    Permission,
    Permissions,
    length_on_github,
)
from incident_actions.domain.projection import effects as e
from incident_actions.domain.projection.wanted import edit, is_ours, mended, through_lock
from incident_actions.domain.text.harmless import defused
from incident_actions.domain.timeline import untrusted_reports as reports
from incident_actions.domain.timeline.commands.base import Subject
from incident_actions.domain.timeline.commands.reports import Confirm, Dismiss
from incident_actions.domain.timeline.interpreter import (
    Notice,
    NoticeKind,
    deeds_on,
    source_of,
    unposted,
)
from incident_actions.github.client import GitHub
from incident_actions.reconcile.apply import apply, apply_one, missing_labels, took_place
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.incident import AuthorCheck, with_edits
from incident_actions.reconcile.plan import comments_to_delete
from incident_actions.render.comments import write
from incident_actions.render.markdown import quote, render


def hold(
    context: RunContext, observation: Observation, author: AuthorCheck
) -> tuple[JobResult, int | None]:
    """Hold a report, or carry out what the team decided.

    Gives the result, and the number of the incident that was opened for the report, if any.
    """
    github, issue = context.github, observation.issue
    observation = with_edits(github, observation)
    permissions = judged_now(github, observation)
    decision = reports.decide(observation, Subject.REPORT, permissions, context.config.needs())
    notices = [*decision.notices]
    if not _is_crowded(context, observation):
        notices.insert(0, Notice(NoticeKind.HELD, str(issue.number)))
    doubles = reports.all_opened(observation)[1:]
    done = close_doubles(github, doubles)
    incident = None
    if isinstance(decision.command, Confirm):
        new = _incident_of(observation, decision.by)
        observation, incident = open_once(context, observation, new)
        doubles = reports.all_opened(observation)[1:]
        notices.append(confirmed(observation, decision.by, incident))
    elif isinstance(decision.command, Dismiss):
        reason = decision.command.text
        key = str(issue.number)
        notices.append(Notice(NoticeKind.DISMISSED, key, to=decision.by, text=reason))
    posted = observation.own.of_kind(NoticeKind.CONFIRMED)
    wrong = [key for double in doubles if (key := f"{issue.number}.{double}") in posted]
    change = edit(
        issue,
        labels=(*mended(observation), names.INCIDENT, names.NEEDS_CONFIRMATION),
        open=False if decision.command is not None else None,
        planned=not isinstance(decision.command, Dismiss),
    )
    deletions = [e.DeleteComment(posted[key].id, NoticeKind.CONFIRMED, key) for key in wrong]
    done += say_and_edit(context, observation, notices, change, deletions)
    status = Status.REPORTED.value
    return JobResult(issue=issue.number, status=status, changed=bool(done)), incident


MOST_HELD_AN_HOUR = 10
"""How many reports from outside get an answer in an hour. All others only get the label."""


def _is_crowded(context: RunContext, observation: Observation) -> bool:
    """Whether so many reports came within an hour that this one gets no comment."""
    if observation.own.of_kind(NoticeKind.HELD):
        return False
    held = context.github.issues(
        labels=[names.NEEDS_CONFIRMATION], since=context.now - timedelta(hours=1), most=100
    )
    created = [issue for issue in held if issue.number != observation.issue.number]
    start = context.now - timedelta(hours=1)
    return sum(issue.created_at >= start for issue in created) >= MOST_HELD_AN_HOUR


def judged_now(github: GitHub, observation: Observation) -> Permissions:
    """What people may do now who did something on a report or a freeze: these have no state.

    What ended a freeze, as the bot has said, stays taken, whatever became of the account.
    """
    permissions = Permissions()
    for deed in deeds_on(observation):
        taken = was_taken(observation, deed)
        permissions.judge(deed, Permission.ADMIN if taken else github.permission(deed.login))
    return permissions


def was_taken(observation: Observation, deed: Deed) -> bool:
    """Whether the bot has said that the freeze ended with this deed."""
    said = observation.own.of_kind(NoticeKind.FREEZE_ENDED)
    notice = said.get(f"{observation.issue.number}.{source_of(deed.key)}")
    return notice is not None and deed.at <= notice.created_at


def confirmed(observation: Observation, by: str, opened: int | None) -> Notice:
    """The notice that `by` confirmed an issue, and that issue number `opened` continues it."""
    key = f"{observation.issue.number}.{opened}"
    return Notice(NoticeKind.CONFIRMED, key, to=by, text=str(opened))


def open_once(
    context: RunContext, observation: Observation, new: e.OpenIssue
) -> tuple[Observation, int | None]:
    """Open the issue that replaces this one, unless an earlier run did.

    A run at the same time may have opened one, too. So the history is read again afterwards, and
    younger doubles are closed. Gives this issue as it was observed last, and the number of the
    issue that replaces it.
    """
    opened = reports.opened_as(observation)
    if opened is None:
        number, github = open_issue(context, new), context.github
        observation = replace(observation, history=github.history(observation.issue.number))
        close_doubles(github, reports.all_opened(observation)[1:])
        opened = reports.opened_as(observation) or number
    return observation, opened


def open_issue(context: RunContext, new: e.OpenIssue) -> int | None:
    """Open an issue; gives its number. Creates missing labels first, so that it freezes at once."""
    apply(context.github, missing_labels(context.github, names.CATALOG))
    return apply_one(context.github, new).number


def say_and_edit(
    context: RunContext,
    observation: Observation,
    notices: Sequence[Notice],
    change: e.EditIssue | None,
    wrong_words: Sequence[e.DeleteComment] = (),
) -> tuple[e.Effect, ...]:
    """Post the notices that were not posted yet, delete outdated comments, then edit the issue.

    `wrong_words` are further comments to delete. Missing labels are created before the edit. Gives
    the effects that GitHub carried out.
    """
    issue = observation.issue
    effects: list[e.Effect] = [
        e.PostComment(issue.number, notice.kind, notice.key, write(notice))
        for notice in unposted(notices, observation.own.by_name)
    ]
    effects += [*comments_to_delete(notices, observation), *wrong_words]
    if change is not None:
        if any(not issue.has_label(name) for name in change.labels or ()):
            effects += missing_labels(context.github, names.CATALOG)
        effects.append(change)
    return took_place(apply(context.github, through_lock(issue, effects)))


def close_doubles(github: GitHub, numbers: Sequence[int]) -> tuple[e.Effect, ...]:
    """Close issues that a second run opened for the same reason at the same time."""
    edits = []
    for issue in map(github.issue, numbers):
        kept = [n for n in issue.labels if not is_ours(n) and n.casefold() != names.INCIDENT]
        edits.append(edit(issue, labels=kept, open=False, planned=False))
    return took_place(apply(github, filter(None, edits)))


def _incident_of(observation: Observation, by: str) -> e.OpenIssue:
    """The incident for a report, confirmed by `by`. It has its labels from the start."""
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
    return e.OpenIssue(
        title=defused(issue.title),
        body=f"{reports.report_marker(issue.number)}\n{body}",
        labels=(names.INCIDENT, severity.value, f"{names.STATUS_PREFIX}{Status.INVESTIGATING}"),
    )


_ROOM = MAX_LENGTH - 16_000
"""The most characters of the quoted report: the dashboard needs the rest of the body."""


def _cut(text: str) -> str:
    """Cut a text so that its quote fits. Quoting can make a text several times as long."""
    whole = text
    while length_on_github(quote(text)) > _ROOM:
        text = text[: len(text) * 3 // 4]
    return text if text == whole else f"{text}\n(cut: see the report)"
