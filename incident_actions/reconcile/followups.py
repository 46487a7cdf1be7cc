"""The reminders after an incident: of open postmortems and of action items. Part of the sweep."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from msgspec import Struct

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import REMINDER, Comment, Issue, find_bot_comments
from incident_actions.domain.postmortem import link
from incident_actions.domain.postmortem import record as records
from incident_actions.domain.projection.effects import DeleteComment, PostComment
from incident_actions.domain.projection.wanted import keep_comment, through_lock
from incident_actions.domain.reminders import due as followups
from incident_actions.domain.reminders.due import Reminder
from incident_actions.domain.reminders.kinds import ACTION_KINDS, POSTMORTEM_KINDS, ReminderKind
from incident_actions.reconcile.apply import apply, took_place
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.isolation import IssueTask, about, each_in_turn
from incident_actions.render.comments import follow_up


class _Due(Struct, frozen=True):
    """A reminder that is due on an issue or pull request, and its text."""

    issue: Issue
    reminder: Reminder
    text: str


def remind_of_postmortems(context: RunContext) -> tuple[JobResult, ...]:
    """Post the reminders that are due on the pull requests of open postmortems.

    Makes one request when none is due. Else one more for the list of recent comments, and up to
    two for each new reminder: it replaces the one before it.
    """
    policy = context.config.reminders.policy()

    def of_pull(pull: Issue) -> _Due | None:
        ours = pull.is_pull_request and _is_ours(pull, context)
        times = link.read_times(pull.body) if ours else None
        if times is None:
            return None
        resolved, due = times
        owner = next(iter(pull.assignees), None)
        reminder = followups.of_postmortem(
            resolved, due, owner, policy, context.now, draft=pull.draft
        )
        if reminder is None:
            return None
        text = follow_up(reminder, resolved=resolved, due=due, draft=pull.draft)
        return _Due(pull, reminder, text)

    pulls = context.github.issues(labels=[names.POSTMORTEM], pulls=True)
    return _remind(context, pulls, of_pull, POSTMORTEM_KINDS)


def remind_of_actions(context: RunContext) -> tuple[JobResult, ...]:
    """Post the reminders that are due on the issues of open action items.

    Makes as many requests as `remind_of_postmortems`.
    """
    policy = context.config.reminders.policy()

    def of_issue(issue: Issue) -> _Due | None:
        filed = records.filed(issue, context.config.bot)
        if filed is None:
            return None
        record = filed.record
        reminder = followups.of_action(record.due_date, record.owner or None, policy, context.now)
        if reminder is None:
            return None
        return _Due(issue, reminder, follow_up(reminder, due=record.due_date, pr=record.pr))

    issues = context.github.issues(labels=[names.ACTION_ITEM])
    return _remind(context, issues, of_issue, ACTION_KINDS)


def _is_ours(pull: Issue, context: RunContext) -> bool:
    """Whether our bot opened a pull request. A marker proves nothing: anybody can type one."""
    return pull.author.login.casefold() == context.config.bot.casefold()


def _remind(
    context: RunContext,
    issues: Iterable[Issue],
    due_of: Callable[[Issue], _Due | None],
    kinds: Sequence[ReminderKind],
) -> tuple[JobResult, ...]:
    """Post the reminders that were not posted yet, the longest due first.

    `due_of` gives the reminder that is due on an issue or pull request. `kinds` are those that it
    may give: they say how far back to look for comments. Each new reminder replaces older ones on
    the same issue.
    """
    found: list[_Due] = []

    def look_at(issue: Issue) -> tuple[JobResult, ...]:
        found.extend(filter(None, [due_of(issue)]))
        return ()

    looks = [about(issue.number, partial(look_at, issue)) for issue in issues]

    def post_all() -> tuple[JobResult, ...]:
        waiting = sorted(
            (each for each in found if not each.reminder.held),
            key=lambda each: (each.reminder.since, each.issue.number),
        )
        if not waiting:
            return ()
        since = context.now - followups.memory(kinds, context.config.reminders.policy())
        recent = context.github.recent_comments(since)[::-1]  # the oldest first
        posts = [
            about(each.issue.number, partial(_post, context, each, recent)) for each in waiting
        ]
        return tuple(result for of_issue in each_in_turn(context, posts) for result in of_issue)

    results = each_in_turn(context, [*looks, IssueTask("reminders", post_all)])
    return tuple(result for of_task in results for result in of_task)


def _post(
    context: RunContext, due: _Due, recent: Sequence[tuple[int, Comment]]
) -> tuple[JobResult, ...]:
    """Post one reminder, unless it is among the recent comments, and delete older ones."""
    comments = [comment for number, comment in recent if number == due.issue.number]
    own = find_bot_comments(comments, [context.config.bot])
    wanted = PostComment(due.issue.number, REMINDER, due.reminder.key, due.text)
    effects = keep_comment(own, wanted)
    effects += [
        DeleteComment(comment.id, REMINDER, key)
        for key, comment in own.of_kind(REMINDER).items()
        if key != wanted.key
    ]
    if took_place(apply(context.github, through_lock(due.issue, effects))):
        return (JobResult(issue=due.issue.number, changed=True),)
    return ()
