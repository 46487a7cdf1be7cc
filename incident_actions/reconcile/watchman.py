"""Finds out whether a watch is awake, and starts one.

A watch is a run of the same workflow that stays awake (`reconcile.watch`). A run may start another
one with `workflow_dispatch`, at once and with the workflow's own token, where it has
`actions: write`.
https://docs.github.com/en/actions/how-tos/write-workflows/choose-when-workflows-run/trigger-a-workflow#triggering-a-workflow-from-a-workflow
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from incident_actions.domain.projection.effects import StartWatch
from incident_actions.errors import Forbidden, GitHubError
from incident_actions.github.client import GitHub
from incident_actions.reconcile.apply import apply_one

log = logging.getLogger(__name__)

_LONGEST_WAIT = timedelta(minutes=10)
"""A dispatched run that waits for longer, while no other is at work, may never start: GitHub lost
it, or there is no runner for it.
"""
_LONGEST_RUN = timedelta(hours=7)
"""A job ends after six hours; before it may wait for a runner."""


class Watchman:
    """Whether a watch is awake. Nothing is asked of GitHub before somebody needs to know.

    `on_watch` is true in the watch itself. `refused` is why no watch could be started, once that
    was tried.
    """

    def __init__(
        self,
        github: GitHub | None = None,
        workflow: str = "",
        branch: str = "",
        run: int | None = None,
        *,
        on_watch: bool = False,
    ) -> None:
        """`workflow` is the file name of the workflow that runs this program, `branch` the default
        branch, `run` the number of this run. Without the first three there is never a watch.
        """
        self._github = github if workflow and branch else None
        self.workflow = workflow
        self._branch = branch
        self._run = run
        self.on_watch = on_watch
        self.refused: GitHubError | None = None
        self._awake = on_watch
        self._stuck = False

    @property
    def may_be_awake(self) -> bool:
        """Whether a watch is awake, or none was needed or refused so far in this run."""
        return self._github is not None and self.refused is None and not self._stuck

    def wake(self, now: datetime, *, anew: bool = False) -> bool:
        """See to it that a watch is awake; gives whether one is. Makes two requests at most.

        With `anew`, for something of which no watch can know yet, one that is at work is not
        enough: it may have looked for the last time. Then another one has to wait for its end.
        What GitHub refuses is kept in `refused`. When GitHub fails, that is only said in the log:
        the next event or sweep tries again. Where a watch was called that never started, another
        one is called, but none is relied upon.
        """
        if self._github is None or self._awake or self.refused is not None or self._stuck:
            return self._awake
        try:
            others = self.others(now)
            waiting = [since for since in others.values() if since is not None]
            at_work = len(waiting) < len(others)
            fresh = any(now - since < _LONGEST_WAIT for since in waiting)
            enough = fresh or (at_work and (bool(waiting) or not anew))
            self._awake = enough or self.start() or at_work
            self._stuck = bool(waiting) and not enough
            if self._stuck:
                log.warning("A watch was called at %s, and never started.", min(waiting))
                self._awake = False
        except Forbidden as error:
            self.refused = error
        except GitHubError as error:
            log.warning("Whether a watch is awake is not known: %s", error)
        return self._awake

    def start(self) -> bool:
        """Start a watch; gives whether GitHub took it. Raises `errors.GitHubError`."""
        if self._github is None:
            return False
        outcome = apply_one(self._github, StartWatch(self.workflow, self._branch))
        self.refused = outcome.refused
        if outcome.done:
            log.info("A watch was started: it keeps reminders on time.")
        return outcome.done

    def others(self, now: datetime) -> dict[int, datetime | None]:
        """The other runs of this workflow that were dispatched and are not over: id -> since when
        it waits; None for one that runs. A sweep that somebody started by hand counts: it starts a
        watch itself.

        Makes one request. Raises `errors.GitHubError`.
        """
        if self._github is None:
            return {}
        since = (now - _LONGEST_RUN).replace(minute=0, second=0, microsecond=0)
        found = self._github.unfinished_dispatches(self.workflow, since)
        return {id: waits for id, waits in found.items() if id != self._run}

    def elder(self, now: datetime) -> bool:
        """Whether another dispatched run, older than this one, is at work. See `others`."""
        run = self._run
        return run is not None and any(
            waits is None and id < run for id, waits in self.others(now).items()
        )
