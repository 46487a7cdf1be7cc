"""A week of incidents under GitHub's own scheduler: late, lost and doubled ticks, lost events."""

from __future__ import annotations

import heapq
import os
import random
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incident_actions.config import PATH
from incident_actions.domain.reminders.kinds import INCIDENT_KINDS
from incident_actions.github.client import GitHub
from incident_actions.reconcile.respond import Tools, WorkflowEvent, respond
from incident_actions.sandbox import Sandbox
from tests.model.expected_reminders import DAY, HOUR, MINUTE, NOT_URGENT, Facts, after_run
from tests.support.events import form_body

SEEDS = range(int(os.environ.get("INCIDENT_WEEKS", "1")))
"""Which weeks are played; set INCIDENT_WEEKS for more of them."""
MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
WEEK = timedelta(days=7)
INCIDENTS = 20
REPOSITORY, TOKEN, BOT = "acme/shop", "ghs_week", "github-actions[bot]"
_MAY = {"issues": "write", "contents": "read", "deployments": "read"}
CONFIG = """
reminders:
  watch: off
  backup: tess
  escalation: [acme/sre]
  quiet-hours: {start: "22:00", end: "07:00", timezone: Europe/Berlin,
                timezones: {bob: America/New_York}}
"""
FORGETFUL = 5
"""One incident of so many is forgotten by everybody as soon as it is declared."""
LOST = 0.15
"""How many events get no run."""
TURNS = {"ack": 6, "leave": 1, "update": 8, "promise": 3, "customer": 3, "snooze": 1, "wake": 1}
TURNS |= {"severity": 1, "allow": 2, "note": 3, "chat": 3, "mitigate": 2, "verify": 9, "resolve": 9}
"""What people do in a turn, and how often."""
_MARKER = re.compile(r"<!-- incident-actions:reminder ([a-z-]+)\.(\d{8}T\d{6}Z) -->")


def ticks(chance: random.Random) -> Iterator[datetime]:
    """When GitHub starts the schedule: minutes late, sometimes not for hours, sometimes twice."""
    down_until = planned = MONDAY + 3 * MINUTE
    while planned < MONDAY + WEEK:
        if chance.random() < 0.02:
            down_until = planned + chance.uniform(0.3, 3) * HOUR
        late = min(chance.expovariate(1 / 3), 50)
        if planned >= down_until and chance.random() > 0.15:
            started = planned + timedelta(seconds=int(late * 60))
            yield started
            if chance.random() < 0.1:
                yield started + timedelta(seconds=chance.randrange(0, 120))
        planned += HOUR


@dataclass(order=True)
class Moment:
    """Something in the week: a declaration, somebody's turn, a run for an event, a tick."""

    at: datetime
    order: int
    what: str
    number: int = 0


@dataclass(frozen=True)
class Posted:
    """A reminder: what it is for, when it came, and when it could have come at the earliest.

    `pauses` is how often somebody had snoozed by then: after a pause what is due comes back.
    """

    number: int
    kind: str
    deadline: datetime
    pauses: int
    at: datetime
    possible: datetime


class Week:
    """The week as it is played, and what the bot said in it."""

    length = WEEK
    incidents = INCIDENTS
    config = CONFIG

    def __init__(self, github: Sandbox, seed: int) -> None:
        self.chance = random.Random(seed)
        self.github = github
        self.facts: dict[int, Facts] = {}
        self.there: dict[int, dict[str, datetime]] = {}
        self.seen: set[int] = set()
        self.posted: list[Posted] = []
        self.sweeps: list[datetime] = []
        self.moments: list[Moment] = []
        github.repository(REPOSITORY, labels=["incident"])
        github.file(REPOSITORY, PATH, self.config)
        for login in ("alice", "bob"):
            github.user(login, permission={REPOSITORY: "write"})
        self._begin()
        for _ in range(self.incidents):
            self._plan(MONDAY + self.chance.random() * (self.length - DAY), "declare")

    def _begin(self) -> None:
        """Set the clock, and plan the runs of the schedule."""
        self.now = MONDAY
        self.github.world.clock = lambda: self.now
        self.github.actions_token(TOKEN, REPOSITORY, _MAY)
        for at in ticks(self.chance):
            self._plan(at, "tick")

    def play(self) -> None:
        """From Monday to Sunday."""
        while self.moments:
            moment = heapq.heappop(self.moments)
            self.now = moment.at
            self._do(moment.what, moment.number)

    def _do(self, what: str, number: int) -> None:
        match what:
            case "tick":
                self._run(WorkflowEvent("schedule", {}), 0)
            case "event":
                payload = {"action": "created", "issue": {"number": number}}
                self._run(WorkflowEvent("issue_comment", payload), number)
            case "declare":
                self._declare()
            case "turn":
                self._turn(self.facts[number])

    def _plan(self, at: datetime, what: str, number: int = 0) -> None:
        at = at.replace(microsecond=0)
        heapq.heappush(self.moments, Moment(at, self.chance.randrange(10**9), what, number))

    # What people do ----------------------------------------------------------------------

    def _declare(self) -> None:
        severity = self.chance.choices(["sev1", "sev2", "sev3"], [5, 7, 8])[0]
        customers = self.chance.random() < 0.4
        who = self.chance.choice(["alice", "bob"])
        body = form_body(
            {
                "severity": severity.upper(),
                "summary": "Something is broken.",
                "affected": "All customers." if customers else "nobody",
                "commander": "@bob" if (named := self.chance.random() < 0.3) else "",
            }
        )
        number = int(self._person(who).file_form_issue("Broken", body)["number"])
        self.facts[number] = Facts(number, self.now, severity, customers, who)
        self.facts[number].commander = "bob" if named else None
        self.there[number] = {}
        self._after_action(number, forgotten=number % FORGETFUL == 0)

    def _after_action(self, number: int, *, forgotten: bool = False) -> None:
        """A run comes soon, or is lost; and somebody does the next thing, unless all forget it."""
        if self.chance.random() >= LOST:
            self._plan(self.now + timedelta(seconds=self.chance.randrange(5, 90)), "event", number)
        if forgotten:
            return
        sev3 = self.facts[number].severity == "sev3"
        wait = self.chance.expovariate(1 / (500 if sev3 else 25))
        next_turn = self.now + timedelta(seconds=1 + int(wait * 60))
        if next_turn < MONDAY + self.length:
            self._plan(next_turn, "turn", number)

    def _turn(self, it: Facts) -> None:
        """Somebody does one thing that makes sense now."""
        chance, now = self.chance, self.now
        who = chance.choice(["alice", "bob"])
        if not it.open:
            if chance.random() < 0.3:
                self._person(who).reopen(it.number)
                it.active = it.last_action = now
                self._after_action(it.number)
                it.open, it.monitoring, it.verified, it.promised = True, False, None, None
                it.clock, it.updated = now, None
                it.nobody_since = now if it.commander is None else it.nobody_since
                it.overrides.clear()
            return
        match chance.choices(list(TURNS), list(TURNS.values()))[0]:
            case "ack":
                self._say(who, it, "/ack")
                it.acknowledged, it.commander = True, it.commander or who
            case "leave" if it.commander is not None:
                self._person(who).unassign(it.number, it.commander)
                it.commander, it.nobody_since, it.active = None, now, now
                it.last_action = now
                self._after_action(it.number)
            case "update":
                self._say(who, it, "/update still looking")
                it.updated, it.promised = now, None
            case "promise":
                minutes = chance.choice([10, 20, 45])
                self._say(who, it, f"/update next {minutes}m still looking")
                it.updated, it.promised = now, now + minutes * MINUTE
            case "customer":
                self._say(who, it, "/customer We are on it.")
                it.customers, it.told_customers = True, now
            case "snooze":
                minutes = chance.choice([30, 120])
                self._say(who, it, f"/snooze {minutes}m")
                it.paused_until, it.pauses = now + minutes * MINUTE, it.pauses + 1
            case "wake":
                self._say(who, it, "/snooze off")
                it.paused_until = None
            case "severity":
                severity = chance.choice(["sev1", "sev2", "sev3"])
                self._say(who, it, f"/severity {severity}")
                if severity != it.severity:
                    it.severity, it.clock = severity, now
            case "allow":
                minutes = chance.choice([30, 90])
                change = self._person(who).push({"fix": str(chance.random())}, branch="fix")
                self._say(who, it, f"/allow {change[:7]} for {minutes}m the fix")
                it.overrides.append((now + minutes * MINUTE, who))
            case "mitigate":
                self._say(who, it, "/mitigated rolled back")
                it.monitoring = it.acknowledged = True
            case "verify":
                self._say(who, it, "/verify all seen")
                it.verified = it.verified or now
            case "resolve" if it.verified is not None:
                self._say(who, it, "/resolve stable")
                it.open = False
            case "chat":
                active = it.active
                self._say(who, it, "Any news?")
                it.active = active
            case _:
                self._say(who, it, "/note queue depth 12,000")

    def _say(self, who: str, it: Facts, text: str) -> None:
        self._person(who).comment(it.number, text)
        it.last_action = self.now
        it.active = self.now
        self._after_action(it.number)

    def _person(self, login: str) -> Any:
        return self.github.as_user(login, REPOSITORY)

    # What the bot does, and what it should have done -------------------------------------

    def _run(self, event: WorkflowEvent, number: int) -> None:
        hub = GitHub(TOKEN, REPOSITORY, self.github.url)
        tools = Tools(lambda: self.now, sleep=lambda _: None, probe=lambda *_: True)
        respond(hub, event, PATH, tools)
        sweep = not number
        if sweep:
            self.sweeps.append(self.now)
        for one in [number] if number else list(self.facts):
            self._judge(one, sweep=sweep)

    def _judge(self, number: int, *, sweep: bool) -> None:
        """Compare the reminders on an incident with those that should be there, after each run."""
        facts = self.facts[number]
        new = {post.kind: post for post in self.posted if post.number == number}
        there, minutes = self.there[number], 10 * MINUTE
        fresh = {k for k, post in new.items() if k in there and self.now - post.at < minutes}
        wanted = after_run(facts, there, fresh, self.now, sweep=sweep)
        there = self._look(number)
        assert there == wanted, f"#{number} at {self.now}, sweep: {sweep}, {facts}"

    def _look(self, number: int, *, torn: bool = False) -> dict[str, datetime]:
        """The reminders on an incident, by kind; new ones are written down. A run that was killed
        may have left two of a kind (`torn`): the new one, and the one that it should replace.
        """
        facts, there = self.facts[number], dict[str, datetime]()
        for comment in self.github.repo(REPOSITORY).issues[number].comments:
            found = _MARKER.search(comment.body)
            if found is None or comment.user.login != BOT:
                continue
            kind, deadline = found[1], datetime.strptime(found[2] + "+0000", "%Y%m%dT%H%M%SZ%z")
            if comment.id not in self.seen:
                self.seen.add(comment.id)
                possible = max(deadline, facts.last_action, facts.paused_until or deadline)
                post = Posted(number, kind, deadline, facts.pauses, self.now, possible)
                self.posted.append(post)
            if self.now - deadline > DAY:
                continue  # history, which goes when somebody looks
            assert torn or kind not in there, f"#{number}: two reminders of {kind} at {self.now}"
            there[kind] = max(deadline, there.get(kind, deadline))
        self.there[number] = there
        return there


@pytest.mark.parametrize("seed", SEEDS)
def test_a_week_of_incidents(seed: int) -> None:
    """After every run the reminders are those that are due: each once, none a tick late.

    Late by a tick would mean that a sweep ran after the deadline without saying it. Early is by
    less than a tick, which is an hour. No watch is awake.
    """
    with Sandbox() as github:
        week = Week(github, seed)
        week.play()

    assert len(week.facts) == INCIDENTS
    assert len({post.kind for post in week.posted}) == len(INCIDENT_KINDS)
    times = Counter((post.number, post.kind, post.deadline, post.pauses) for post in week.posted)
    assert [post for post, count in times.items() if count > 1] == []
    for post in week.posted:
        assert post.deadline - HOUR < post.at
        if post.kind not in NOT_URGENT:  # these wait for the morning
            missed = [at for at in week.sweeps if post.possible <= at < post.at]
            assert missed == [], f"{post} could have come earlier"
