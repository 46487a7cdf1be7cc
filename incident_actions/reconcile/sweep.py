"""The sweep: brings everything that is open up to date, without an event.

GitHub delays and loses runs, those of the schedule most of all. So each sweep starts from lists of
issues, does what a lost run left undone, and posts the reminders that are due. An incident in which
nothing happened and nothing is due costs no request of its own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from functools import partial

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.incident import Severity
from incident_actions.domain.issue.observation import REMINDER, Issue, Observation
from incident_actions.domain.projection.state import State, is_stale, state_of
from incident_actions.domain.projection.wanted import through_lock
from incident_actions.domain.reminders.due import due
from incident_actions.errors import Forbidden, GitHubError, NotFound, Rejected, Unavailable
from incident_actions.reconcile import plan
from incident_actions.reconcile.apply import apply, took_place
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.followups import remind_of_actions, remind_of_postmortems
from incident_actions.reconcile.freeze import reconcile_freezes
from incident_actions.reconcile.incident import may_edit, rest_to_say
from incident_actions.reconcile.isolation import IssueTask, about, each_in_turn
from incident_actions.reconcile.issue import reconcile_issue
from incident_actions.reconcile.keepalive import keep_alive
from incident_actions.reconcile.overview import Overview
from incident_actions.reconcile.pull import reconcile_lost_runs
from incident_actions.reconcile.recent_comments import RecentComments, is_held

log = logging.getLogger(__name__)


def sweep(context: RunContext, seen: Overview, recent: RecentComments) -> tuple[JobResult, ...]:
    """Do everything that is due, the most urgent first: incidents by severity, freezes, reports
    that wait for an answer, postmortems and action items, GitHub's own schedule.

    `seen` is what is open, `recent` are the last comments. What was closed or lost its label is
    looked for, too.

    When a task fails, the others are still done. Then its error is raised. Only a rate limit that
    lasts too long, or too many requests, end the sweep at once: the next sweep does the rest.
    """
    held = [issue for issue in seen.incidents if is_held(issue)]
    incidents = _urgent_first([issue for issue in seen.incidents if not is_held(issue)])
    lost = _lost(context)
    doubtful = _edited_by_others(context, [*incidents, *lost])
    tasks = [
        *(
            about(issue.number, _incident_task(context, issue, recent, doubtful))
            for issue in incidents
        ),
        IssueTask(
            "what was closed or lost its label",
            lambda: _put_right(context, lost, recent, doubtful),
        ),
        IssueTask("the freezes", lambda: reconcile_freezes(context, recent, seen.freezes)),
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


def _edited_by_others(context: RunContext, incidents: Sequence[Issue]) -> frozenset[int]:
    """The numbers of incidents whose text was last edited by somebody who may not write it.

    A forged state could say that nothing happened. When GitHub does not tell, these are all. Makes
    one request for each hundred incidents.
    """
    try:
        editors = context.github.editors([issue.node for issue in incidents])
    except GitHubError as error:
        log.warning("Who edited the incidents could not be read: %s", error)
        return frozenset(issue.number for issue in incidents)
    return frozenset(
        issue.number
        for issue in incidents
        if (editor := editors.get(issue.node)) is not None
        and not may_edit(context.github, editor, Observation(issue, (), context.config.bot))
    )


def _incident_task(
    context: RunContext, issue: Issue, recent: RecentComments, doubtful: Collection[int]
) -> Callable[[], tuple[JobResult, ...]]:
    """The task for one incident: bring it up to date, or only post reminders if it is unchanged.

    The text of an incident in `doubtful` is not believed before it was looked at.
    """

    def task() -> tuple[JobResult, ...]:
        state = None if issue.number in doubtful else _unchanged(context, issue, recent)
        if state is None:
            return reconcile_issue(context, issue.number)
        return _remind(context, issue, state, recent)

    return task


LOST_FOR = timedelta(days=2)
"""How long a sweep looks after an issue that was closed, or lost its label, without a run."""
SURELY_LOST_FOR = timedelta(hours=12)
"""How long it does so where so much happens that looking further back takes more requests."""
MOST_LOST = 40
"""How many of them one sweep brings up to date, those that changed last first."""


def _lost(context: RunContext) -> tuple[Issue, ...]:
    """The issues that were closed, or lost our label, in the last two days.

    GitHub starts no run for what a workflow's token does, and may lose any other run. Makes one
    request for each hundred events, three at most.
    """
    since, surely = context.now - LOST_FOR, context.now - SURELY_LOST_FOR
    try:
        return context.github.lost_issues(since, (names.INCIDENT, names.DEPLOY_FREEZE), surely)
    except (Forbidden, NotFound, Rejected, Unavailable) as error:
        log.warning("What was closed or lost its label could not be read: %s", error)
        return ()


def _put_right(
    context: RunContext, lost: Sequence[Issue], recent: RecentComments, doubtful: Collection[int]
) -> tuple[JobResult, ...]:
    """Bring those issues up to date that may be closed, or without their label, wrongly."""
    wrong = [issue for issue in lost if _may_be_wrong(context, issue, recent, doubtful)][:MOST_LOST]
    tasks = [about(each.number, partial(reconcile_issue, context, each.number)) for each in wrong]
    return tuple(result for results in each_in_turn(context, tasks) for result in results)


def _may_be_wrong(
    context: RunContext, issue: Issue, recent: RecentComments, doubtful: Collection[int]
) -> bool:
    """Whether an issue of ours may be closed, or without its label, against the rules.

    Or whether something happened there that no run has seen: the command that closed it may be
    gone.
    """
    labelled = issue.has_label(names.INCIDENT) or issue.has_label(names.DEPLOY_FREEZE)
    if issue.open:
        return not issue.has_label(names.INCIDENT)  # taken off; or a freeze that is open again
    if is_held(issue):
        return False  # the bot closed it: another issue continues it, or nobody wanted it
    state = state_of(issue)
    if state is not None:
        doubted = state.status.open or issue.number in doubtful
        return doubted or _unchanged(context, issue, recent) is None
    return labelled and not recent.ended_by_what_stands(issue.number)


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
    if names.STATUSES.isdisjoint(map(str.casefold, issue.labels)):
        return None
    state = state_of(issue)
    if state is None or rest_to_say(context, issue.number, state, state.posted):
        return None
    if not is_stale(issue, state, context.now):
        return state
    reminders = recent.own(issue.number).of_kind(REMINDER).values()
    return None if is_stale(issue, state, context.now, reminders) else state


def _remind(
    context: RunContext, issue: Issue, state: State, recent: RecentComments
) -> tuple[JobResult, ...]:
    """Post the reminders of an unchanged incident that were not posted yet."""
    reporter = None if issue.author.bot else issue.author.login
    policy, early = context.config.reminder_policy(context.now), context.early(state)
    reminders = due(state, state.checks, reporter, policy, context.now, max(early, timedelta()))
    waiting = all(reminder.held and not reminder.covers for reminder in reminders)
    if state.lock == "muted" or waiting:
        return ()  # a summary that is held takes the others' place all the same
    own = recent.own(issue.number).of_kind(REMINDER)
    comments = plan.reminder_comments(
        issue.number, own, state, state.checks, reporter, policy, context.now, early
    )
    changed = bool(took_place(apply(context.github, through_lock(issue, comments))))
    return (JobResult(issue.number, state.severity.value, state.status.value, changed),)
