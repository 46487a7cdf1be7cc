"""The watch, run for real: from the event over its dispatch, reminder and successor to its end.

The workflow, the action and the waiting are real. The sandbox takes the dispatches, and this test
starts the run that GitHub would start for each.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_actions.config import PATH as CONFIG
from incident_actions.sandbox import Exchange, Sandbox
from tests.support.act import Run, make_repository
from tests.support.shop import NAME, Shop, readme_workflows

WORKFLOW = ".github/workflows/incident.yml"
SOON = "reminders: {no-commander: {after: 1m, every: 1m}}\n"
MARKER = re.compile(r"incident-actions:reminder (no-commander\.(\d{8}T\d{6})Z)")
LATE = timedelta(seconds=30)
"""How late a reminder may stand while a watch is awake. What it takes is less than a second of
work, so only a machine that stands still would be later."""
LONGEST = 900.0  # seconds; nothing is that slow, it only ends what hangs


def workflow(watch_minutes: int) -> str:
    """The README's workflow, with a watch that stays awake for so long."""
    document = yaml.safe_load(readme_workflows()[WORKFLOW])
    document["on"] = document.pop(True)  # YAML 1.1 reads a bare `on` as true
    (step,) = document["jobs"]["watch"]["steps"]
    step["with"]["watch-minutes"] = watch_minutes
    return yaml.dump(document)


class Nights:
    """acme/shop with its workflow, whose dispatched runs start when they are told to.

    `awake` are the moments at which each of them first asked GitHub something, `posted` the
    reminders since the first of them: the key of each, the moment that it is for, and when it
    was posted.
    """

    def __init__(self, sandbox: Sandbox, scratch: Path) -> None:
        self.sandbox = sandbox
        checkout = make_repository(scratch / "checkout", {WORKFLOW: workflow(2)})
        self.shop = Shop(sandbox, checkout, scratch)
        self.shop.environment["GITHUB_WORKFLOW_REF"] = f"{NAME}/{WORKFLOW}@refs/heads/main"
        sandbox.workflow(NAME, WORKFLOW)
        sandbox.file(NAME, WORKFLOW, workflow(2))
        sandbox.file(NAME, CONFIG, SOON)
        self.awake: list[datetime] = []
        self.posted: list[tuple[str, datetime, datetime]] = []
        self._started = 0
        self._pool = ThreadPoolExecutor(max_workers=1)
        self._running: Future[Run] | None = None
        judge = sandbox.on_exchange
        assert judge is not None

        def listen(exchange: Exchange) -> None:
            judge(exchange)
            self._heard(exchange)

        sandbox.on_exchange = listen

    def _heard(self, it: Exchange) -> None:
        if len(self.awake) < self._started and it.path.endswith("/incident.yml/runs"):
            self.awake.append(datetime.now(UTC))
        if self.awake and it.method == "POST" and it.path.endswith("/comments"):
            found = MARKER.search(str(it.response_body.get("body")))
            if found:
                slot = datetime.strptime(found[2], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
                at = datetime.fromisoformat(it.response_body["created_at"])
                self.posted.append((found[1], slot, at))

    @property
    def dispatched(self) -> list[tuple[str, dict[str, Any]]]:
        """The dispatches so far, as events."""
        return [each for each in self.sandbox.deliveries if each[0] == "workflow_dispatch"]

    def start_watch(self, minutes: int) -> Future[Run]:
        """Do as GitHub does for the last dispatch, and wait until that run is awake."""
        (self.shop.checkout / WORKFLOW).write_text(workflow(minutes), "utf-8")
        run = self.sandbox.repo(NAME).runs[-1]
        assert (run.data["event"], run.data["status"]) == ("workflow_dispatch", "queued")
        self.sandbox.set_run(NAME, run.id, "in_progress")
        self._started += 1

        def work() -> Run:
            last = self.dispatched[-1]
            done = self.shop.run("respond", last, LONGEST, GITHUB_RUN_ID=str(run.id))
            result = "failure" if done.exit_code else "success"
            self.sandbox.set_run(NAME, run.id, "completed", result)
            return done

        self._running = self._pool.submit(work)
        self.wait_until(lambda: len(self.awake) == self._started)
        return self._running

    def wait_until(self, true: Callable[[], bool]) -> None:
        """Wait while the watch runs. Fails when it ended before."""
        until = time.monotonic() + LONGEST
        while not true() and time.monotonic() < until:
            assert self._running is not None
            assert not self._running.done(), self._running.result().log
            time.sleep(0.2)
        assert true()

    def refuse_the_token(self) -> None:
        """From now on GitHub takes the token no more."""
        self.sandbox.fail(status=401, times=10**6, message="Bad credentials")

    def lateness(self) -> list[timedelta]:
        """How late each reminder was: after its moment, or after a watch was awake to see it."""
        return [
            at - max(slot, *(each.replace(microsecond=0) for each in self.awake if each <= at))
            for _, slot, at in self.posted
        ]

    def end(self) -> None:
        """Let nothing run on: a watch ends when its token is refused."""
        if self._running is not None and not self._running.done():
            self.refuse_the_token()
        self._pool.shutdown()


@pytest.fixture
def nights(sandbox: Sandbox, tmp_path: Path) -> Iterator[Nights]:
    """The shop, and nothing left running after the test."""
    made = Nights(sandbox, tmp_path)
    try:
        yield made
    finally:
        made.end()


def test_from_the_event_to_the_end_of_the_successor(nights: Nights) -> None:
    """A SEV1 that nobody takes. Each reminder stands on time and once, and nobody is awake at the
    end.
    """
    shop = nights.shop
    number = shop.declare(severity="SEV1")
    answered = shop.respond()
    assert answered.exit_code == 0, answered.log
    assert nights.sandbox.repo(NAME).dispatches == [
        {"workflow": WORKFLOW, "ref": "main", "inputs": {"watch": "true"}}
    ]

    run = nights.start_watch(minutes=2).result()
    assert run.exit_code == 0, run.log
    assert dict(run.jobs) == {"watch": "success"}
    assert "The next one takes over" in run.log
    assert nights.posted
    assert len(nights.dispatched) == 2

    # Long enough to see the incident end, and to look after it once more.
    running = nights.start_watch(minutes=5)
    closed = shop.respond_to(lambda: shop.alice.comment(number, "/resolve --force it was a test"))
    assert closed.exit_code == 0, closed.log
    assert shop.issue(number)["state"] == "closed"
    run = running.result()
    assert run.exit_code == 0, run.log
    assert "The watch ends" in run.log
    assert len(nights.dispatched) == 2

    keys = [key for key, _, _ in nights.posted]
    assert len(set(keys)) == len(keys)
    late = nights.lateness()
    assert all(timedelta() <= each <= LATE for each in late), (nights.posted, late)


def test_a_lost_token_ends_the_job_with_a_plain_message(nights: Nights) -> None:
    """An App's token is good for an hour. Nobody should wonder why the watch is gone."""
    number = nights.shop.declare(severity="SEV1")
    answered = nights.shop.respond()
    assert answered.exit_code == 0, answered.log
    running = nights.start_watch(minutes=5)
    log = nights.sandbox.log
    nights.wait_until(lambda: any(entry.status == 304 for entry in log))  # it waits for a change
    nights.refuse_the_token()
    run = running.result()
    nights.sandbox.clear_faults()
    assert run.exit_code == 1, run.log
    assert run.jobs["watch"] == "failure"
    [error] = run.errors
    assert "The token is wrong or expired" in error
    warnings = [each.message for each in run.annotations if each.level == "warning"]
    assert any("GitHub does not take its token any more" in each for each in warnings), run.log
    assert "Traceback" not in run.log
    assert nights.shop.issue(number)["state"] == "open"
