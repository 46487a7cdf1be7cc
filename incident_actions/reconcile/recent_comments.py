"""The comments of all issues since a day: one list that tells a sweep where somebody waits."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import BotComments, Comment, Issue, find_bot_comments
from incident_actions.domain.reminders.kinds import LATEST
from incident_actions.domain.timeline.parser import read_comment
from incident_actions.reconcile.context import RunContext

MOST_HELD = 10
"""Held issues of a kind that one sweep looks at, those first that have waited longest. Strangers
can make many, and a sweep has other work; who was answered waits no more, so each has its turn."""
_DECIDED = frozenset({"confirmed", "dismissed", "freeze-ended"})


class RecentComments:
    """The comments of all issues since a day: one list, asked for when it is first needed."""

    def __init__(self, context: RunContext) -> None:
        self._context = context
        self._found: dict[int, list[Comment]] | None = None

    def own(self, number: int) -> BotComments:
        """The bot's comments on one issue."""
        return find_bot_comments(self._on(number), [self._context.config.bot])

    def held_to_look_at(self, issues: Sequence[Issue]) -> list[Issue]:
        """The held issues of these where somebody may wait for an answer, the longest wait first.

        The issue list alone tells of most that nobody said anything there but the bot, once: that
        it is held.
        """
        spoken = [
            issue
            for issue in issues
            if is_held(issue)
            and issue.comments > 1
            and self._context.now - issue.updated_at < timedelta(days=1)
        ]
        waiting = [issue for issue in spoken if self._has_open_question(issue.number)]
        return sorted(waiting, key=lambda issue: (issue.updated_at, issue.number))[:MOST_HELD]

    def _has_open_question(self, number: int) -> bool:
        """Whether a command is unanswered, or was answered and not carried out to the end.

        Who was told that they may not decide is told so once, and waits for nothing.
        """
        own = self.own(number).by_name
        if any(name.partition(" ")[0] in _DECIDED for name in own):
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
        if self._found is None:
            context = self._context
            since = context.now - LATEST - 2 * context.config.reminders.policy().tick
            found: dict[int, list[Comment]] = {}
            for issue, comment in reversed(context.github.recent_comments(since)):
                found.setdefault(issue, []).append(comment)
            self._found = found
        return self._found.get(number, ())


def is_held(issue: Issue) -> bool:
    """Whether somebody's issue waits for a writer, and was told so.

    One with a status never does: it is the team's, and the label came there by accident.
    """
    held = issue.has_label(names.NEEDS_CONFIRMATION)
    return held and not names.values(issue.labels, names.STATUS_PREFIX)
