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

    @property
    def may_be_awake(self) -> bool:
        """Whether a watch is awake, or none was needed or refused so far in this run."""
        return self._github is not None and self.refused is None

    def wake(self, now: datetime) -> bool:
        """See to it that a watch is awake; gives whether one is. Makes two requests at most.

        What GitHub refuses is kept in `refused`. When GitHub fails, that is only said in the log:
        the next event or sweep tries again.
        """
        if self._github is None or self._awake or self.refused is not None:
            return self._awake
        try:
            self._awake = bool(self.others(now)) or self.start()
        except Forbidden as error:
            self.refused = error
        except GitHubError as error:
            log.warning("Whether a watch is awake is not known: %s", error)
            self.refused = None
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

    def others(self, now: datetime) -> dict[int, bool]:
        """The other runs of this workflow that were dispatched and are not over: id -> whether it
        runs already. A sweep that somebody started by hand counts: at its end it starts a watch.

        Makes one request. Raises `errors.GitHubError`.
        """
        if self._github is None:
            return {}
        since = (now - _LONGEST_RUN).replace(minute=0, second=0, microsecond=0)
        found = self._github.unfinished_dispatches(self.workflow, since)
        return {id: running for id, running in found.items() if id != self._run}

    def elder(self, now: datetime) -> bool:
        """Whether another dispatched run, older than this one, is at work. See `others`."""
        run = self._run
        return run is not None and any(on and id < run for id, on in self.others(now).items())
