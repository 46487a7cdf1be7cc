"""What was said lately, in all issues: one list that tells a sweep where somebody waits."""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from datetime import timedelta

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import Comment, Issue
from incident_actions.domain.reminders.kinds import LATEST
from incident_actions.domain.timeline import bot_comments as voice
from incident_actions.domain.timeline.parser import read_comment
from incident_actions.reconcile.incident import RunContext

MOST_HELD = 2
"""Held issues of a kind that one sweep looks at. Strangers can make many, and a sweep spends the
requests of a team with incidents."""
_DECIDED = frozenset({"confirmed", "dismissed", "freeze-ended"})


class RecentComments:
    """The comments of all issues since a day: one list, asked for when it is first needed."""

    def __init__(self, desk: RunContext) -> None:
        self._desk = desk
        self._found: dict[int, list[Comment]] | None = None
        self.broken = False

    def own(self, number: int) -> Mapping[str, Comment]:
        """The bot's comments on one issue, by `kind key`."""
        return voice.own_among(self._on(number), self._desk.config.bot)

    def held_to_look_at(self, issues: Sequence[Issue]) -> list[Issue]:
        """The held issues of these where somebody may wait for an answer: a few.

        The newest, and one of the others, drawn by the minute: a schedule that comes at the same
        minutes of each hour keeps none waiting for ever. The issue list alone tells
        of most that nobody said anything there but the bot, once: that it is held.
        """
        spoken = [
            issue
            for issue in issues
            if is_held(issue)
            and issue.comments > 1
            and self._desk.now - issue.updated_at < timedelta(days=1)
        ]
        waiting = [issue for issue in spoken if self._is_open_question(issue.number)]
        waiting.sort(key=lambda issue: (issue.updated_at, issue.number), reverse=True)
        newest, others = waiting[: MOST_HELD - 1], waiting[MOST_HELD - 1 :]
        if others:
            minute = f"{self._desk.now:%Y-%m-%dT%H:%M}".encode()
            newest.append(others[zlib.crc32(minute) % len(others)])
        return newest

    def _is_open_question(self, number: int) -> bool:
        """Whether a command is unanswered, or was answered and not carried out to the end.

        Who was told that they may not decide is told so once, and waits for nothing.
        """
        own = self.own(number)
        said = {name.partition(" ")[0] for name in own}
        if said & _DECIDED:
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
            since = self._desk.now - LATEST - 2 * self._desk.config.reminders.policy().tick
            self.broken = True
            comments = self._desk.hub.recent_comments(since)
            self.broken, self._found = False, {}
            for issue, comment in reversed(comments):
                self._found.setdefault(issue, []).append(comment)
        return self._found.get(number, ())


def is_held(issue: Issue) -> bool:
    """Whether somebody's issue waits for a writer, and was told so. One with a status never does:
    it is the team's, and the label came there by accident.
    """
    held = names.holds(issue.labels, names.NEEDS_CONFIRMATION)
    return held and not names.values(issue.labels, names.STATUS_PREFIX)
