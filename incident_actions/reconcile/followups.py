"""The sweep's reminders after an incident: postmortems that wait, action items that are due."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import REMINDER, Issue, find_bot_comments
from incident_actions.domain.postmortem import link
from incident_actions.domain.postmortem import record as records
from incident_actions.domain.projection.effects import DeleteComment, PostComment
from incident_actions.domain.projection.wanted import keep_comment
from incident_actions.domain.reminders import due as followups
from incident_actions.domain.reminders.due import Reminder
from incident_actions.domain.reminders.kinds import ACTION_KINDS, POSTMORTEM_KINDS, ReminderKind
from incident_actions.reconcile.apply import apply, took_place
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.render.comments import follow_up


class _Due(Struct, frozen=True):
    """An issue or pull request that something is to be said in, and the text."""

    number: int
    reminder: Reminder
    text: str


def remind_of_postmortems(context: RunContext) -> tuple[JobResult, ...]:
    """Remind of the postmortems that are open, in their pull requests.

    One request when none is due; else one more for the comments, and two for each that is new.
    """
    policy = context.config.reminders.policy()
    found = []
    for pull in context.github.issues(labels=[names.POSTMORTEM], pulls=True):
        ours = pull.is_pull_request and _is_ours(pull, context)
        times = link.read_times(pull.body) if ours else None
        if times is None:
            continue
        resolved, due = times
        owner = next(iter(pull.assignees), None)
        reminder = followups.of_postmortem(
            resolved, due, owner, policy, context.now, draft=pull.draft
        )
        if reminder is not None:
            text = follow_up(reminder, resolved=resolved, due=due, draft=pull.draft)
            found.append(_Due(pull.number, reminder, text))
    return _remind(context, found, POSTMORTEM_KINDS)


def remind_of_actions(context: RunContext) -> tuple[JobResult, ...]:
    """Remind of the action items that are open, in their issues; as many requests as above."""
    policy = context.config.reminders.policy()
    found = []
    for issue in context.github.issues(labels=[names.ACTION_ITEM]):
        filed = records.filed(issue, context.config.bot)
        if filed is None:
            continue
        record = filed.record
        reminder = followups.of_action(record.due_date, record.owner or None, policy, context.now)
        if reminder is not None:
            text = follow_up(reminder, due=record.due_date, pr=record.pr)
            found.append(_Due(issue.number, reminder, text))
    return _remind(context, found, ACTION_KINDS)


def _is_ours(pull: Issue, context: RunContext) -> bool:
    """Anybody can type a marker."""
    return pull.author.bot or pull.author.login.casefold() == context.config.bot.casefold()


def _remind(
    context: RunContext, found: Iterable[_Due], kinds: Sequence[ReminderKind]
) -> tuple[JobResult, ...]:
    """Post the reminders that are not there yet, those that are due for longest first.

    A new one takes the place of the one before it.
    """
    waiting = sorted(
        (each for each in found if not each.reminder.held),
        key=lambda each: (each.reminder.since, each.number),
    )
    if not waiting:
        return ()
    since = context.now - followups.memory(kinds, context.config.reminders.policy())
    said = context.github.recent_comments(since)[::-1]
    reports = []
    for each in waiting:
        comments = [comment for number, comment in said if number == each.number]
        own = find_bot_comments(comments, [context.config.bot])
        wanted = PostComment(each.number, REMINDER, each.reminder.key, each.text)
        effects = keep_comment(own, wanted)
        effects += [
            DeleteComment(comment.id, REMINDER, key)
            for key, comment in own.of_kind(REMINDER).items()
            if key != wanted.key
        ]
        if took_place(apply(context.github, effects)):
            reports.append(JobResult(issue=each.number, changed=True))
    return tuple(reports)
