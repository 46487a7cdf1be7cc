"""Applies effects. Only this module calls the methods of the client that change GitHub."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.issue import labels
from incident_actions.domain.postmortem.pulls import PullRequest
from incident_actions.domain.projection import effects as e
from incident_actions.domain.projection.limits import within_limits
from incident_actions.errors import Forbidden, GitHubError, NotFound, Rejected
from incident_actions.github.client import GitHub

log = logging.getLogger(__name__)

_METHODS: dict[type[e.Effect], Callable[[GitHub, Any], int | str | PullRequest | None]] = {
    e.EditIssue: GitHub.edit,
    e.EditPull: GitHub.edit,
    e.OpenIssue: GitHub.open,
    e.CreateLabel: GitHub.create_label,
    e.PostComment: GitHub.comment,
    e.EditComment: GitHub.edit_comment,
    e.DeleteComment: GitHub.delete_comment,
    e.AddReaction: GitHub.react,
    e.UnlockIssue: GitHub.unlock,
    e.LockIssue: GitHub.lock,
    e.StartWatch: GitHub.start_watch,
    e.CommitFiles: GitHub.commit_files,
    e.OpenPull: GitHub.open_pull,
    e.MarkReady: GitHub.make_ready,
    e.AskReview: GitHub.ask_review,
    e.PublishCheck: GitHub.publish,
    e.AddSubIssue: GitHub.add_sub_issue,
}
"""The client's method for each kind of effect."""


class Outcome(Struct, frozen=True):
    """The result of one effect.

    `refused` is the error when GitHub refused an optional effect (403, 404, 422). `value` is what
    the client's method gave: the number of a new issue, the id of a new comment, the SHA of a new
    commit (empty when another run created or moved the branch meanwhile), a new pull request.
    """

    effect: e.Effect
    refused: GitHubError | None = None
    value: int | str | PullRequest | None = None

    @property
    def done(self) -> bool:
        """Whether GitHub made the change."""
        return self.refused is None

    @property
    def number(self) -> int | None:
        """The number of the new issue (or the id of a new comment); None without one."""
        return self.value if isinstance(self.value, int) else None


def apply(github: GitHub, effects: Iterable[e.Effect]) -> tuple[Outcome, ...]:
    """Carry out effects in order; gives an outcome for each.

    When GitHub refuses an optional effect (403, 404, 422), that is only a warning in the log. After
    a refused `UnlockIssue` the comments that follow are not tried. Raises `errors.GitHubError` for
    every other failure: the run ends, and the next run does what is missing.
    """
    outcomes: list[Outcome] = []
    muted: GitHubError | None = None
    for effect in effects:
        if muted and isinstance(effect, e.PostComment | e.AddReaction | e.LockIssue):
            outcomes.append(Outcome(effect, muted))  # GitHub would only refuse it, too
            continue
        outcomes.append(apply_one(github, effect))
        if isinstance(effect, e.UnlockIssue):
            muted = outcomes[-1].refused
    return tuple(outcomes)


def apply_one(github: GitHub, effect: e.Effect) -> Outcome:
    """Carry out one effect, as `apply` does. Raises `errors.GitHubError`."""
    effect = within_limits(effect)
    try:
        return Outcome(effect, value=_METHODS[type(effect)](github, effect))
    except (Forbidden, NotFound, Rejected) as refused:
        if isinstance(refused, Rejected) and isinstance(effect, e.EditIssue):
            parts = _parts(effect)
            if len(parts) > 1:
                return _in_parts(github, effect, parts, refused)
        if not effect.optional:
            raise
        log.warning("%s was left out. %s %s", type(effect).__name__, refused, refused.remedy)
        return Outcome(effect, refused)


def _parts(change: e.EditIssue) -> list[e.EditIssue]:
    """An edit as one edit for each of its parts, the least likely to be refused first."""
    given = {
        "open": change.open,
        "body": change.body,
        "labels": change.labels,
        "title": change.title,
        "assignees": change.assignees,
    }
    bare = replace(change, **dict.fromkeys(given))
    return [replace(bare, **{name: value}) for name, value in given.items() if value is not None]


def _in_parts(
    github: GitHub, change: e.EditIssue, parts: Iterable[e.EditIssue], refused: Rejected
) -> Outcome:
    """Make an edit that GitHub refused part by part, so that one part does not lose the others.

    Raises the refusal when it is not optional and no part was made.
    """
    made = 0
    for part in parts:
        try:
            github.edit(part)
            made += 1
        except Rejected as left:
            log.warning("A part of the edit of #%s was left out. %s", change.number, left)
    if not made and not change.optional:
        raise refused
    return Outcome(change, None if made else refused)


def took_place(outcomes: Iterable[Outcome]) -> tuple[e.Effect, ...]:
    """The effects that GitHub carried out."""
    return tuple(outcome.effect for outcome in outcomes if outcome.done)


def is_muted(outcomes: Iterable[Outcome]) -> bool:
    """Whether GitHub refused to unlock a conversation."""
    return any(isinstance(each.effect, e.UnlockIssue) and not each.done for each in outcomes)


def missing_labels(github: GitHub, wanted: Iterable[str]) -> list[e.CreateLabel]:
    """The labels among `wanted` (names) that the repository does not have. Makes one request."""
    existing = github.label_names()
    missing = [name for name in sorted(wanted) if name.casefold() not in existing]
    return [e.CreateLabel(labels.describe(name)) for name in missing]
