"""Keeps what goes wrong with one issue to it: it is said there, and the others get their turn."""

from __future__ import annotations

import hashlib
import logging
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from msgspec import Struct

from incident_actions.domain.issue.observation import Comment, marker
from incident_actions.domain.projection.effects import PostComment
from incident_actions.domain.projection.wanted import through_lock
from incident_actions.errors import (
    Crashed,
    IncidentActionsError,
    RateLimited,
    RequestCeilingReached,
    Transferred,
)
from incident_actions.reconcile.apply import apply
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.render.comments import crashed

log = logging.getLogger(__name__)

CRASH = "crash"
"""The kind of the comments that say that this program failed on an issue."""
_PACKAGE = Path(__file__).resolve().parents[1]


class IssueTask(Struct, frozen=True):
    """One part of a run. `number` is the issue or pull request that it is about; None for none.

    `name` stands for it in the log, and `run` does it.
    """

    name: str
    run: Callable[[], Sequence[JobResult]]
    number: int | None = None


def about(number: int, run: Callable[[], Sequence[JobResult]]) -> IssueTask:
    """The task for one issue or pull request."""
    return IssueTask(f"#{number}", run, number)


def each_in_turn(context: RunContext, tasks: Sequence[IssueTask]) -> list[Sequence[JobResult]]:
    """Do the tasks one after the other; gives the results of each, none for one that failed.

    Raises `RateLimited` and `RequestCeilingReached` at once, because every further request would
    fail, too. Raises the first of all other errors after the last task. A fault of this program is
    said on its issue, and counts as an error (`Crashed`). An issue that was transferred is left.
    """
    results: list[Sequence[JobResult]] = []
    failed: list[IncidentActionsError] = []
    for turn, task in enumerate(tasks):
        try:
            results.append(task.run())
            continue
        except (RateLimited, RequestCeilingReached) as error:
            undone = ", ".join(each.name for each in tasks[turn:])
            log.warning("%s. Left for the next sweep: %s", error, undone)
            raise
        except IncidentActionsError as error:
            if not _is_gone(task, error):
                log.warning("%s was left for the next sweep: %s", task.name, error)
                failed.append(error)
        except Exception as error:
            failed.append(told(context, task, error))
        results.append(())
    if failed:
        raise failed[0]
    return results


def alone(context: RunContext, task: IssueTask) -> Sequence[JobResult]:
    """Do the only task of a run; gives its results.

    A fault of this program is said on its issue, and raised as `Crashed`. Nothing is done for an
    issue that was transferred. Raises all other errors of the task.
    """
    try:
        return task.run()
    except IncidentActionsError as error:
        if _is_gone(task, error):
            return ()
        raise
    except Exception as error:
        raise told(context, task, error) from None


def _is_gone(task: IssueTask, error: IncidentActionsError) -> bool:
    """Whether the task's own issue was transferred; the transport has said so in the log."""
    return isinstance(error, Transferred) and error.number == task.number


def told(context: RunContext, task: IssueTask, error: Exception) -> Crashed:
    """Write an unexpected exception to the log in full, and say on its issue that it happened.

    The comment holds a reference and no text of the exception, which may quote people. It is posted
    once for each issue and place in the code. Gives the error to end the run with.
    """
    place = _place(error)
    reference = hashlib.sha256(place.encode()).hexdigest()[:8]
    log.error("%s failed, reference %s, at %s", task.name, reference, place, exc_info=error)
    if task.number is not None:
        try:
            _say(context, task.number, reference)
        except Exception as again:
            log.warning("%s: the failure could not be said there: %s", task.name, type(again))
    return Crashed(task.name, reference, place)


def _say(context: RunContext, number: int, reference: str) -> None:
    key = f"{number}.{reference}"
    mark = marker(CRASH, key)
    history = context.github.history(number)
    if any(isinstance(each, Comment) and _is_ours(each, mark, context) for each in history):
        return
    text = crashed(key, reference, context.run_url)
    issue = context.github.issue(number)
    apply(context.github, through_lock(issue, [PostComment(number, CRASH, key, text)]))


def _is_ours(comment: Comment, mark: str, context: RunContext) -> bool:
    """Whether a comment is this one of ours. Any bot's counts: ours may be an App's account."""
    author = comment.author
    ours = author.bot or author.login.casefold() == context.config.bot.casefold()
    return ours and comment.body.rstrip().endswith(mark)


def _place(error: Exception) -> str:
    """The kind of an exception and where it was raised: the last function of this program in it."""
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if Path(frame.filename).is_relative_to(_PACKAGE)]
    last = (inside or list(frames))[-1:]
    where = [f"{Path(frame.filename).name}, {frame.name}" for frame in last]
    return f"{type(error).__name__} in {where[0] if where else 'an unknown place'}"
