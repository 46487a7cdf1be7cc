"""The sweep: brings everything that is open up to date, without an event.

GitHub delays and loses runs, those of the schedule most of all. So each sweep starts from lists of
issues, does what a lost run left undone, and posts the reminders that are due. An incident in which
nothing happened and nothing is due costs no request of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.incident import Severity
from incident_actions.domain.issue.observation import REMINDER, Issue
from incident_actions.domain.projection.state import State, is_stale, state_of
from incident_actions.domain.projection.wanted import through_lock
from incident_actions.domain.reminders.due import due
from incident_actions.reconcile import plan
from incident_actions.reconcile.apply import apply, took_place
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.followups import remind_of_actions, remind_of_postmortems
from incident_actions.reconcile.freeze import reconcile_freezes
from incident_actions.reconcile.isolation import IssueTask, about, each_in_turn
from incident_actions.reconcile.issue import reconcile_issue
from incident_actions.reconcile.keepalive import keep_alive
from incident_actions.reconcile.pull import reconcile_lost_runs
from incident_actions.reconcile.recent_comments import RecentComments, is_held


def sweep(context: RunContext) -> tuple[JobResult, ...]:
    """Do everything that is due, the most urgent first: incidents by severity, freezes, reports
    that wait for an answer, postmortems and action items, GitHub's own schedule.

    When a task fails, the others are still done. Then its error is raised. Only a rate limit that
    lasts too long, or too many requests, end the sweep at once: the next sweep does the rest.
    """
    recent = RecentComments(context)
    listed = context.github.issues(labels=[names.INCIDENT])
    held = [issue for issue in listed if is_held(issue)]
    incidents = _urgent_first([issue for issue in listed if not is_held(issue)])
    tasks = [
        *(about(issue.number, _incident_task(context, issue, recent)) for issue in incidents),
        IssueTask("the freezes", lambda: reconcile_freezes(context, recent)),
        IssueTask("the reports that wait", lambda: _held_reports(context, held, recent)),
        IssueTask("what lost runs left undone", lambda: reconcile_lost_runs(context)),
        IssueTask("reminders of postmortems", lambda: remind_of_postmortems(context)),
        IssueTask("reminders of action items", lambda: remind_of_actions(context)),
        IssueTask("the schedule", lambda: keep_alive(context)),
    ]
    results = each_in_turn(context, tasks)
    # The last result becomes the run's outputs, so results of incidents come last.
    ordered = results[len(incidents) :] + results[: len(incidents)]
    return tuple(result for of_task in ordered for result in of_task)


def _incident_task(
    context: RunContext, issue: Issue, recent: RecentComments
) -> Callable[[], tuple[JobResult, ...]]:
    """The task for one incident: bring it up to date, or only post reminders if it is unchanged."""

    def task() -> tuple[JobResult, ...]:
        state = _unchanged(context, issue, recent)
        if state is None:
            return reconcile_issue(context, issue.number)
        return _remind(context, issue, state, recent)

    return task


def _held_reports(
    context: RunContext, held: Sequence[Issue], recent: RecentComments
) -> tuple[JobResult, ...]:
    """Bring the held reports up to date in which somebody may wait for an answer."""
    tasks = [
        about(issue.number, partial(reconcile_issue, context, issue.number))
        for issue in recent.held_to_look_at(held)
    ]
    return tuple(result for of_task in each_in_turn(context, tasks) for result in of_task)


def _urgent_first(issues: Sequence[Issue]) -> list[Issue]:
    """Sort by urgency: first those without a severity yet, then SEV1, SEV2, SEV3; each by age."""
    severities = {severity.value for severity in Severity}

    def rank(issue: Issue) -> tuple[str, int]:
        labelled = [name.casefold() for name in issue.labels if name.casefold() in severities]
        return (min(labelled, default=""), issue.number)

    return sorted(issues, key=rank)


def _unchanged(context: RunContext, issue: Issue, recent: RecentComments) -> State | None:
    """The state of an incident in which nothing has happened; None when it must be looked at.

    Only the team and the bot can set labels. So the body of an issue with a status label may be
    believed.
    """
    if not names.values(issue.labels, names.STATUS_PREFIX):
        return None
    state = state_of(issue)
    if state is None or not is_stale(issue, state, context.now):
        return state
    reminders = recent.own(issue.number).of_kind(REMINDER).values()
    return None if is_stale(issue, state, context.now, reminders) else state


def _remind(
    context: RunContext, issue: Issue, state: State, recent: RecentComments
) -> tuple[JobResult, ...]:
    """Post the reminders of an unchanged incident that were not posted yet."""
    reporter = None if issue.author.bot else issue.author.login
    policy = context.config.reminder_policy(context.now)
    reminders = due(state, state.checks, reporter, policy, context.now)
    waiting = all(reminder.held and not reminder.covers for reminder in reminders)
    if state.lock == "muted" or waiting:
        return ()  # a summary that is held takes the others' place all the same
    own = recent.own(issue.number).of_kind(REMINDER)
    comments = plan.reminder_comments(issue.number, own, reminders, state)
    changed = bool(took_place(apply(context.github, through_lock(issue, comments))))
    return (JobResult(issue.number, state.severity.value, state.status.value, changed),)
