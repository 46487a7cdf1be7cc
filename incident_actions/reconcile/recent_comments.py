"""The recent comments of all issues, from one list. A sweep learns from them who waits for it."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from datetime import timedelta

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import BotComments, Comment, Issue, find_bot_comments
from incident_actions.domain.reminders.due import NEXT_CHANCE
from incident_actions.domain.reminders.kinds import LATEST
from incident_actions.domain.timeline.interpreter import NoticeKind
from incident_actions.domain.timeline.parser import read_comment
from incident_actions.errors import GitHubError
from incident_actions.reconcile.context import RunContext

log = logging.getLogger(__name__)

MOST_HELD = 10
"""The most held issues of a kind that one sweep looks at: strangers can open any number of them.

Those that wait longest come first. Later sweeps take the others, because an issue that was answered
no longer waits."""
_DECISIONS = frozenset({"confirmed", "dismissed", "freeze-ended"})


class RecentComments:
    """The comments of about the last day on all issues. They are read when first needed."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._by_issue: dict[int, list[Comment]] | None = None

    def own(self, number: int) -> BotComments:
        """The bot's comments on one issue."""
        return find_bot_comments(self._on(number), [self._context.config.bot])

    def ended_by_what_stands(self, number: int) -> bool:
        """Whether the bot said lately that a freeze ended, and the command for it is still there.

        The notice's key holds the id of that comment; other ways to end a freeze have none.
        """
        ends = self.own(number).of_kind(NoticeKind.FREEZE_ENDED)
        ids = {key.partition(".")[2] for key in ends}
        there = {str(comment.id) for comment in self._on(number)}
        return bool(ends) and {id for id in ids if id.isdecimal()} <= there

    def held_to_look_at(self, issues: Sequence[Issue]) -> list[Issue]:
        """Those of these issues that are held and may need an answer, the longest wait first.

        Gives at most `MOST_HELD`. An issue with one comment needs none: that comment is the bot's,
        and says that the issue is held.
        """
        discussed = [
            issue
            for issue in issues
            if is_held(issue)
            and issue.comments > 1
            and self._context.now - issue.updated_at < timedelta(days=1)
        ]
        waiting = [issue for issue in discussed if self._may_wait(issue.number)]
        return sorted(waiting, key=lambda issue: (issue.updated_at, issue.number))[:MOST_HELD]

    def with_question(self, issues: Iterable[Issue]) -> list[Issue]:
        """Those of these issues on which a command of the last day has no answer yet.

        The run for it was lost.
        """
        return [
            issue
            for issue in issues
            if issue.comments
            and self._context.now - issue.updated_at < timedelta(days=1)
            and self._has_open_question(issue.number)
        ]

    def _may_wait(self, number: int) -> bool:
        """Whether an issue has an open question. One that can't be read has: it is looked at then,
        and what is wrong with it is said there.
        """
        try:
            return self._has_open_question(number)
        except GitHubError:
            raise
        except Exception:
            log.exception("The comments on #%s could not be read", number)
            return True

    def _has_open_question(self, number: int) -> bool:
        """Whether a command has no answer yet, or its answer was posted but not carried out.

        People who were told that they may not decide get no second answer.
        """
        own = self.own(number).by_name
        if any(name.partition(" ")[0] in _DECISIONS for name in own):
            return True
        answered = {name.partition(" ")[2].partition(".")[0] for name in own}
        return any(
            not comment.author.bot
            and f"refused {comment.author.login.casefold()}" not in own
            and str(comment.id) not in answered
            and bool(read_comment(comment.body, comment.created_at))
            for comment in self._on(number)
        )

    def _on(self, number: int) -> Sequence[Comment]:
        """The recent comments on one issue, the oldest first."""
        if self._by_issue is None:
            context = self._context
            # A full hour, so that a watch asks the same question again, and GitHub has to answer
            # it only when something has changed.
            since = (context.now - LATEST - NEXT_CHANCE).replace(minute=0, second=0, microsecond=0)
            by_issue: dict[int, list[Comment]] = {}
            for issue, comment in reversed(context.github.recent_comments(since)):
                by_issue.setdefault(issue, []).append(comment)
            self._by_issue = by_issue
        return self._by_issue.get(number, ())


def is_held(issue: Issue) -> bool:
    """Whether an issue waits until somebody with write access confirms or dismisses it.

    An issue with a status label never does: it is an incident of the team's already.
    """
    held = issue.has_label(names.NEEDS_CONFIRMATION)
    return held and names.STATUSES.isdisjoint(map(str.casefold, issue.labels))
