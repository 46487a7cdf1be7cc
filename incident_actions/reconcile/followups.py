"""The reminders after an incident: of open postmortems and of action items. Part of the sweep."""

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
    """A reminder that is due on an issue or pull request (`number`), and its text."""

    number: int
    reminder: Reminder
    text: str


def remind_of_postmortems(context: RunContext) -> tuple[JobResult, ...]:
    """Post the reminders that are due on the pull requests of open postmortems.

    Makes one request when none is due. Else one more for the list of recent comments, and up to
    two for each new reminder: it replaces the one before it.
    """
    policy = context.config.reminders.policy()
    reminders = []
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
            reminders.append(_Due(pull.number, reminder, text))
    return _remind(context, reminders, POSTMORTEM_KINDS)


def remind_of_actions(context: RunContext) -> tuple[JobResult, ...]:
    """Post the reminders that are due on the issues of open action items.

    Makes as many requests as `remind_of_postmortems`.
    """
    policy = context.config.reminders.policy()
    reminders = []
    for issue in context.github.issues(labels=[names.ACTION_ITEM]):
        filed = records.filed(issue, context.config.bot)
        if filed is None:
            continue
        record = filed.record
        reminder = followups.of_action(record.due_date, record.owner or None, policy, context.now)
        if reminder is not None:
            text = follow_up(reminder, due=record.due_date, pr=record.pr)
            reminders.append(_Due(issue.number, reminder, text))
    return _remind(context, reminders, ACTION_KINDS)


def _is_ours(pull: Issue, context: RunContext) -> bool:
    """Whether our bot opened a pull request. A marker proves nothing: anybody can type one."""
    return pull.author.login.casefold() == context.config.bot.casefold()


def _remind(
    context: RunContext, reminders: Iterable[_Due], kinds: Sequence[ReminderKind]
) -> tuple[JobResult, ...]:
    """Post the reminders that were not posted yet, the longest due first.

    Each new one replaces older reminders on the same issue. `kinds` are those that `reminders` may
    have: they say how far back to look for comments.
    """
    waiting = sorted(
        (each for each in reminders if not each.reminder.held),
        key=lambda each: (each.reminder.since, each.number),
    )
    if not waiting:
        return ()
    since = context.now - followups.memory(kinds, context.config.reminders.policy())
    recent = context.github.recent_comments(since)[::-1]  # the oldest first
    results = []
    for each in waiting:
        comments = [comment for number, comment in recent if number == each.number]
        own = find_bot_comments(comments, [context.config.bot])
        wanted = PostComment(each.number, REMINDER, each.reminder.key, each.text)
        effects = keep_comment(own, wanted)
        effects += [
            DeleteComment(comment.id, REMINDER, key)
            for key, comment in own.of_kind(REMINDER).items()
            if key != wanted.key
        ]
        if took_place(apply(context.github, effects)):
            results.append(JobResult(issue=each.number, changed=True))
    return tuple(results)
