"""Applying effects: the one place where the program changes anything on GitHub."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from incident_actions.domain.postmortem.pulls import PullRequest
from incident_actions.domain.projection import effects as e
from incident_actions.errors import Forbidden, GitHubError, NotFound, Rejected
from incident_actions.github.client import GitHub

log = logging.getLogger(__name__)


class Outcome(Struct, frozen=True):
    """What came of one effect.

    `refused` is GitHub's final no (403, 404, 422) to an optional effect. `existed` says that
    somebody else had made the thing already, or had moved the branch. `number` is that of a new
    issue or pull request, `sha` that of a new commit.
    """

    effect: e.Effect
    refused: GitHubError | None = None
    existed: bool = False
    number: int | None = None
    sha: str = ""
    pull: PullRequest | None = None

    @property
    def done(self) -> bool:
        """Whether the effect took place."""
        return self.refused is None and not self.existed


def apply(github: GitHub, effects: Iterable[e.Effect]) -> tuple[Outcome, ...]:
    """Carry out effects in order; gives an outcome for each.

    What GitHub refuses for good (403, 404, 422) is a warning in the log for an optional effect.
    Every other error is raised (`errors.GitHubError`): the run fails loudly, and the next one
    does what is missing.
    """
    return tuple(apply_one(github, effect) for effect in effects)


def apply_one(github: GitHub, effect: e.Effect) -> Outcome:
    """Carry out one effect. Raises `errors.GitHubError` as `apply` does."""
    try:
        return _WRITERS[type(effect)](github, effect)
    except (Forbidden, NotFound, Rejected) as refused:
        if not effect.optional:
            raise
        log.warning("%s was left out. %s %s", type(effect).__name__, refused, refused.remedy)
        return Outcome(effect, refused=refused)


def took_place(outcomes: Iterable[Outcome]) -> tuple[e.Effect, ...]:
    """The effects that took place."""
    return tuple(outcome.effect for outcome in outcomes if outcome.done)


def _edit_issue(github: GitHub, effect: e.EditIssue) -> Outcome:
    github.edit(effect)
    return Outcome(effect)


def _open_issue(github: GitHub, effect: e.OpenIssue) -> Outcome:
    return Outcome(effect, number=github.open(effect))


def _create_label(github: GitHub, effect: e.CreateLabel) -> Outcome:
    github.create_label(effect.label)
    return Outcome(effect)


def _post_comment(github: GitHub, effect: e.PostComment) -> Outcome:
    github.comment(effect.number, effect.text)
    return Outcome(effect)


def _edit_comment(github: GitHub, effect: e.EditComment) -> Outcome:
    github.edit_comment(effect.comment_id, effect.text)
    return Outcome(effect)


def _delete_comment(github: GitHub, effect: e.DeleteComment) -> Outcome:
    github.delete_comment(effect.comment_id)
    return Outcome(effect)


def _add_reaction(github: GitHub, effect: e.AddReaction) -> Outcome:
    github.react(effect.comment_id)
    return Outcome(effect)


def _commit_files(github: GitHub, effect: e.CommitFiles) -> Outcome:
    sha = github.commit(effect.parent, effect.files, effect.message)
    ref = f"refs/heads/{effect.branch}"
    try:
        if effect.creates:
            github.create_ref(ref, sha)
        else:
            github.move_ref(ref, sha)
    except Rejected as refused:
        return Outcome(effect, refused=refused, existed=True)
    return Outcome(effect, sha=sha)


def _open_pull(github: GitHub, effect: e.OpenPull) -> Outcome:
    pull = github.open_pull(effect.title, effect.branch, effect.base, effect.body)
    return Outcome(effect, number=pull.number, pull=pull)


def _mark_ready(github: GitHub, effect: e.MarkReady) -> Outcome:
    github.make_ready(effect.pull)
    return Outcome(effect)


def _ask_review(github: GitHub, effect: e.AskReview) -> Outcome:
    github.ask_reviewers(effect.number, [effect.login])
    return Outcome(effect)


def _publish_check(github: GitHub, effect: e.PublishCheck) -> Outcome:
    github.publish(effect.check)
    return Outcome(effect)


def _add_sub_issue(github: GitHub, effect: e.AddSubIssue) -> Outcome:
    github.add_sub_issue(effect.parent, effect.number)
    return Outcome(effect)


_WRITERS: dict[type[e.Effect], Callable[[GitHub, Any], Outcome]] = {
    e.EditIssue: _edit_issue,
    e.EditPull: _edit_issue,
    e.OpenIssue: _open_issue,
    e.CreateLabel: _create_label,
    e.PostComment: _post_comment,
    e.EditComment: _edit_comment,
    e.DeleteComment: _delete_comment,
    e.AddReaction: _add_reaction,
    e.CommitFiles: _commit_files,
    e.OpenPull: _open_pull,
    e.MarkReady: _mark_ready,
    e.AskReview: _ask_review,
    e.PublishCheck: _publish_check,
    e.AddSubIssue: _add_sub_issue,
}
