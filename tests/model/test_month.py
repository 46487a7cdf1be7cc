"""A month of incidents as GitHub Actions really are: half of the schedule never comes, runs are
lost, late, doubled and killed. A watch keeps every reminder to the second, and says each once.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from incident_actions.sandbox import Sandbox
from tests.model.expected_reminders import HOUR, MINUTE, NOT_URGENT, Facts, newest
from tests.model.test_week import MONDAY, REPOSITORY, TOKEN, Posted, Week
from tests.support.awake import Actions, Run

SEEDS = range(1, 1 + int(os.environ.get("INCIDENT_MONTHS", "1")))
"""Which months are played; set INCIDENT_MONTHS for more of them."""
DAYS = int(os.environ.get("INCIDENT_MONTH_DAYS", "12"))
"""How much of a month is played; set INCIDENT_MONTH_DAYS to 30 for all of it."""
PUNCTUAL = timedelta(seconds=30)
"""How late a reminder may be while a watch is awake."""
RESTS = 6 * HOUR
CONFIG = """
reminders:
  backup: tess
  escalation: [acme/sre]
  quiet-hours: {start: "22:00", end: "07:00", timezone: Europe/Berlin,
                timezones: {bob: America/New_York}}
"""
_LAST_DEED = re.compile(r'"last_deed":"([^"]+)"')


class Month(Week):
    """The month as it is played. What the bot knew, and who was awake, is written down."""

    length = timedelta(days=DAYS)
    incidents = max(3, DAYS // 5)
    config = CONFIG

    def _begin(self) -> None:
        self.actions = Actions(self.github, REPOSITORY, TOKEN, MONDAY)
        self.actions.after_step = self._see
        may = {"issues": "write", "contents": "read", "deployments": "read", "actions": "write"}
        self.github.actions_token(TOKEN, REPOSITORY, may)
        self.known: dict[int, datetime] = {}
        self.unknown_since: dict[int, datetime] = {}
        self.met: set[int] = set()
        self.watched: list[Posted] = []
        self.killed = self.doubled = self.dropped = 0
        for at in self._schedule():
            self._plan(at, "tick")

    @property
    def now(self) -> datetime:
        """The time of the simulated Actions."""
        return self.actions.now

    def play(self) -> None:
        """All of it."""
        self.actions.play(MONDAY + self.length)

    def _plan(self, at: datetime, what: str, number: int = 0) -> None:
        self.actions.at(at.replace(microsecond=0), partial(self._do, what, number))

    def _schedule(self) -> Iterator[datetime]:
        """Once an hour, in theory."""
        planned = MONDAY + 37 * MINUTE
        while planned < MONDAY + self.length:
            if self.chance.random() < 0.5:
                self.dropped += 1
            else:
                started = planned + self.chance.expovariate(1 / 20) * MINUTE
                yield started
                if self.chance.random() < 0.05:
                    yield started + self.chance.random() * MINUTE
            planned += HOUR

    def _do(self, what: str, number: int) -> None:
        dies = self.chance.randrange(1, 25) if self.chance.random() < 0.1 else None
        match what:
            case "tick":
                self.actions.sweep(dies)
            case "event":
                repository = {"default_branch": "main"}
                issue = {"number": number}
                payload = {"action": "created", "issue": issue, "repository": repository}
                run = self.actions.event("issue_comment", payload, dies)
                if self.chance.random() < 0.1:
                    self.doubled += 1
                    self.actions.event("issue_comment", payload)
                if run.github.dies_after is None and self._is_watched(self.facts[number]):
                    assert self._somebody_is_called(), f"#{number} at {self.now}: nobody is awake"
            case _:
                super()._do(what, number)

    def _somebody_is_called(self) -> bool:
        runs = self.github.repo(REPOSITORY).runs
        return any(row.data["status"] != "completed" for row in runs)

    def _is_watched(self, facts: Facts) -> bool:
        rests = self.now - facts.last_action >= RESTS
        return facts.open and facts.severity != "sev3" and not rests

    # After every step of a run -----------------------------------------------------------

    def _see(self, run: Run) -> None:
        if run.is_watch and id(run) not in self.met:
            self.met.add(id(run))
            self._ill_fate(run)
        for number, facts in self.facts.items():
            self._learn(number, facts)
            before = len(self.posted)
            if facts.open or self.now - facts.last_action < HOUR:
                self._look(number, torn=True)
            if self._is_watched(facts):
                self.watched += self.posted[before:]
            if run.is_watch and not run.over and run is self.actions.watches[0]:
                self._check(number, facts, run)

    def _ill_fate(self, run: Run) -> None:
        """Some watches are killed some time, and some are doubled."""
        if self.chance.random() < 0.3:
            when = self.now + self.chance.random() * 3 * HOUR
            self.actions.at(when, lambda: None if run.over else self._kill(run))
        elif self.chance.random() < 0.2:
            self.doubled += 1
            self.actions.at(self.now + 40 * timedelta(seconds=1), self._double)

    def _kill(self, run: Run) -> None:
        self.killed += 1
        self.actions.kill(run)

    def _double(self) -> None:
        if self.actions.watches:
            how = {"event": "workflow_dispatch", "status": "in_progress", "at": self.now}
            self.actions.double(self.github.run(REPOSITORY, "incident.yml", **how))

    def _learn(self, number: int, facts: Facts) -> None:
        """Whether the bot knows by now what people did last."""
        body = self.github.repo(REPOSITORY).issues[number].body or ""
        found = _LAST_DEED.search(body)
        known = datetime.fromisoformat(found[1]) if found else datetime.min.replace(tzinfo=UTC)
        if known >= facts.last_action:
            if self.unknown_since.pop(number, None) is not None or number not in self.known:
                self.known[number] = self.now
        else:
            self.unknown_since.setdefault(number, self.now)

    def _check(self, number: int, facts: Facts, run: Run) -> None:
        """While a watch is awake, what has been due for half a minute stands there."""
        if number in self.unknown_since or not self._is_watched(facts):
            return
        there = self.there[number]
        since = max(run.began + PUNCTUAL, self.known[number], facts.last_action)
        since = max(since, facts.paused_until or since)
        for kind, deadline in newest(facts, self.now - PUNCTUAL, timedelta()).items():
            if deadline > since and kind not in NOT_URGENT:
                stands = kind in there and there[kind] >= deadline
                assert stands, f"#{number} at {self.now}: no {kind} of {deadline}, {facts}"

    def late(self, post: Posted) -> timedelta:
        """For how long the watches that were awake let a reminder wait."""
        known = self.known.get(post.number, post.possible)
        possible = max(post.possible, min(known, post.at))
        awake = [*self.actions.history, *((run.began, self.now) for run in self.actions.watches)]
        waits = (min(end, post.at) - max(begin, possible) for begin, end in awake)
        return max(waits, default=timedelta())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_month_with_a_watch(seed: int) -> None:
    """Every urgent reminder comes within 30 s while a watch is awake, and each comes once."""
    with Sandbox() as github:
        month = Month(github, seed)
        month.play()
    assert len(month.facts) == month.incidents
    times = Counter((post.number, post.kind, post.deadline, post.pauses) for post in month.posted)
    assert [post for post, count in times.items() if count > 1] == []
    urgent = [post for post in month.watched if post.kind not in NOT_URGENT]
    assert [(month.late(post), post) for post in urgent if month.late(post) > PUNCTUAL] == []
    assert month.killed
    assert month.doubled
