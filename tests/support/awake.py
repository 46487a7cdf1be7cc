"""A simulated GitHub Actions: runs that start late, never, twice, or die; and a clock that jumps.

The clock only moves between runs, and while a run sleeps. So a watch that stays awake for hours is
played in as many steps as it looks at GitHub.
"""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from incident_actions.config import PATH
from incident_actions.errors import IncidentActionsError
from incident_actions.github.client import GitHub
from incident_actions.github.transport import ALL_WAITS, Patience
from incident_actions.reconcile.respond import Tools, WorkflowEvent, respond
from incident_actions.sandbox import Sandbox

WORKFLOW = "incident.yml"


class Killed(BaseException):
    """The runner is gone: nothing of the program may catch this."""


@dataclass(order=True)
class _Moment:
    at: datetime
    order: int
    do: Callable[[], None] = field(compare=False)


class _Mortal(GitHub):
    """A connection that is cut after so many requests; never, when that is None."""

    dies_after: int | None = None

    def send(self, *given: Any, **named: Any) -> Any:
        """As `Transport.send`."""
        if self.dies_after is not None:
            self.dies_after -= 1
            if self.dies_after < 0:
                raise Killed
        return super().send(*given, **named)


class Run:
    """One run of the workflow, in a thread of its own that goes on only when it is told to."""

    def __init__(self, actions: Actions, event: WorkflowEvent, id: int | None) -> None:
        self.id = id
        self.event = event
        self.is_watch = event.payload.get("inputs") == {"watch": "true"}
        self.began = actions.now
        self.over = False
        self.killed = False
        self.error: BaseException | None = None
        self._actions = actions
        patience = Patience(ALL_WAITS, self._sleep)
        url = actions.github.url
        self.github = _Mortal(actions.token, actions.repository, url, patience=patience)
        self._go, self._stopped = threading.Semaphore(0), threading.Semaphore(0)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._wakes = actions.now

    def go_on(self) -> None:
        """Let it work until it sleeps or ends."""
        if not self._thread.is_alive() and not self.over:
            self._thread.start()
        self._go.release()
        assert self._stopped.acquire(timeout=300)

    def _work(self) -> None:
        self._go.acquire()
        actions = self._actions
        tools = Tools(
            clock=lambda: actions.now,
            sleep=self._sleep,
            probe=actions.probe,
            workflow=WORKFLOW,
            branch="main",
            run=self.id,
            watch=actions.length,
        )
        try:
            respond(self.github, self.event, PATH, tools)
        except Killed:
            pass
        except BaseException as error:
            self.error = error
        finally:
            self.over = True
            self.github.close()
            self._stopped.release()

    def _sleep(self, seconds: float) -> None:
        """The clock moves on, and other runs do their work, until it is time again."""
        self._actions.at(self._actions.now + timedelta(seconds=seconds), self._resume)
        self._stopped.release()
        self._go.acquire()
        if self.killed:
            raise Killed

    def _resume(self) -> None:
        if not self.over:
            self._actions.work(self)


class Actions:
    """The workflow's runs in one repository. `now` is the time; `play` lets it pass.

    `length` is how long a watch stays awake. Dispatches are seen after every step of a run, and
    start after `queue` seconds, one watch at a time, as the workflow's concurrency group says.
    `probe` is what addresses answer. A watch that ended is shown for `shown_for` seconds more.
    """

    def __init__(self, github: Sandbox, repository: str, token: str, now: datetime) -> None:
        self.github, self.repository, self.token = github, repository, token
        self.now = now
        self.length = timedelta(minutes=330)
        self.queue = 15.0
        self.shown_for = 0.0
        self.probe: Callable[[str, bool], bool] = lambda *_: True
        self.moments: list[_Moment] = []
        self.watches: list[Run] = []
        self.waiting: int | None = None
        self.history: list[tuple[datetime, datetime]] = []
        self.errors: list[BaseException] = []
        self.after_step: Callable[[Run], None] = lambda _: None
        self._count = 0
        self._known = 0
        github.world.clock = lambda: self.now
        github.workflow(repository, f".github/workflows/{WORKFLOW}")

    def at(self, when: datetime, do: Callable[[], None]) -> None:
        """Do something at a time; what is planned first is done first."""
        self._count += 1
        heapq.heappush(self.moments, _Moment(max(when, self.now), self._count, do))

    def play(self, until: datetime) -> None:
        """Let time pass."""
        while self.moments and self.moments[0].at <= until:
            moment = heapq.heappop(self.moments)
            self.now = moment.at
            moment.do()
        self.now = until

    def pass_(self, **more: float) -> None:
        """Let so much time pass: `minutes=5`."""
        self.play(self.now + timedelta(**more))

    def event(self, name: str, payload: dict[str, Any], dies_after: int | None = None) -> Run:
        """A run for an event, now; it dies after so many requests."""
        run = Run(self, WorkflowEvent(name, payload), None)
        run.github.dies_after = dies_after
        self.work(run)
        return run

    def sweep(self, dies_after: int | None = None) -> Run:
        """A run of the schedule."""
        return self.event("schedule", {}, dies_after)

    def work(self, run: Run) -> None:
        """Let a run work until it sleeps or ends, and see what it dispatched."""
        run.go_on()
        if run.over:
            self._ended(run)
        self._see_dispatches()
        self.after_step(run)

    def start_watch(self, id: int) -> None:
        """GitHub starts a dispatched run, or lets it wait while another watch is awake."""
        if self.watches:
            if self.waiting is not None and self.waiting != id:
                self.github.set_run(self.repository, self.waiting, "completed", "cancelled")
            self.waiting = id
            return
        self.waiting = None
        self.double(id)

    def double(self, id: int) -> None:
        """Start a watch, whatever else is awake."""
        self.github.set_run(self.repository, id, "in_progress")
        run = Run(self, WorkflowEvent("workflow_dispatch", {"inputs": {"watch": "true"}}), id)
        self.watches.append(run)
        self.work(run)

    def kill(self, run: Run) -> None:
        """The runner of a watch dies."""
        run.killed = True
        self.work(run)

    def _ended(self, run: Run) -> None:
        if run.error is not None and not isinstance(run.error, IncidentActionsError):
            raise run.error
        if run.error is not None:
            self.errors.append(run.error)
        if run in self.watches:
            self.watches.remove(run)
            self.history.append((run.began, self.now))
            assert run.id is not None
            end = "cancelled" if run.killed else "failure" if run.error else "success"
            set_run = partial(self.github.set_run, self.repository, run.id, "completed", end)
            if self.shown_for:
                self.at(self.now + timedelta(seconds=self.shown_for), set_run)
            else:
                set_run()
            if self.waiting is not None and not self.watches:
                waiting = self.waiting
                self.at(self.now + timedelta(seconds=self.queue), lambda: self.start_watch(waiting))

    def _see_dispatches(self) -> None:
        runs = self.github.repo(self.repository).runs
        for row in runs[self._known :]:
            if row.data["event"] == "workflow_dispatch":
                start = partial(self.start_watch, row.id)
                self.at(self.now + timedelta(seconds=self.queue), start)
        self._known = len(runs)
