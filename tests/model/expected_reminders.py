"""What a team owes in an incident and when, written down a second time: the week's oracle.

It shares nothing with the code under test. It knows what people did, in order, and the README's
table of defaults.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
UPDATE_GAP = {"sev1": 15 * MINUTE, "sev2": 30 * MINUTE}
NOT_URGENT = {"stalled", "not-closed", "override-expired", "forgotten"}
FORGOTTEN = 3 * DAY
QUIET = (time(22), time(7))
ZONES = {"bob": "America/New_York"}
HOME = "Europe/Berlin"


@dataclass
class Facts:
    """What is true of one incident, from what people did alone."""

    number: int
    declared: datetime
    severity: str
    customers: bool
    reporter: str
    open: bool = True
    monitoring: bool = False
    acknowledged: bool = False
    commander: str | None = None
    nobody_since: datetime | None = None
    clock: datetime | None = None
    updated: datetime | None = None
    told_customers: datetime | None = None
    promised: datetime | None = None
    verified: datetime | None = None
    active: datetime | None = None
    paused_until: datetime | None = None
    pauses: int = 0
    last_action: datetime = field(init=False)
    overrides: list[tuple[datetime, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Everything counts from the declaration at first."""
        self.nobody_since = self.clock = self.active = self.last_action = self.declared

    def paused(self, now: datetime) -> bool:
        """Whether somebody snoozed the reminders."""
        return self.paused_until is not None and now < self.paused_until

    def owner(self, kind: str, horizon: datetime) -> str:
        """Whose a reminder is: nobody takes another role than command in this week."""
        if kind == "override-expired":
            return max(each for each in self.overrides if each[0] < horizon)[1]
        return self.commander or self.reporter


def _deadlines(facts: Facts, horizon: datetime) -> Iterator[tuple[str, datetime, timedelta | None]]:
    """For each duty that holds: its kind, its first deadline, and the gap to the next."""
    assert facts.clock is not None
    assert facts.nobody_since is not None
    assert facts.active is not None
    if facts.commander is None:
        yield "no-commander", facts.nobody_since + 5 * MINUTE, 5 * MINUTE
    elif not facts.acknowledged:
        yield "unacknowledged", facts.clock + 5 * MINUTE, 5 * MINUTE
    if facts.promised is not None:
        yield "promised-update", facts.promised, 15 * MINUTE
    elif facts.severity in UPDATE_GAP:
        gap = UPDATE_GAP[facts.severity]
        yield "internal-update", max(facts.clock, facts.updated or facts.clock) + gap, gap
    if facts.customers:
        last = max(facts.clock, facts.told_customers or facts.clock)
        yield "customer-update", last + 30 * MINUTE, 30 * MINUTE
    if facts.monitoring and facts.verified is not None:
        yield "not-closed", facts.verified + 15 * MINUTE, 30 * MINUTE
    over = [until for until, _ in facts.overrides if until < horizon]
    if over:
        yield "override-expired", max(over), None
    if facts.severity == "sev3":
        yield "stalled", facts.active + DAY, DAY


def newest(facts: Facts, now: datetime, ahead: timedelta) -> dict[str, datetime]:
    """By kind, the newest deadline before `now`, or the next one if that is before `now + ahead`.

    The second and third come after the usual gap, later ones at most hourly, after eight hours at
    most daily, after thirty days at most weekly; what is a day old is history. After three days in
    which nobody did anything, one word a week takes the place of all that keeps coming.
    """
    found: dict[str, datetime] = {}
    if not facts.open or facts.paused(now):
        return found
    lasting = False
    for kind, first, gap in _deadlines(facts, now + ahead):
        lasting = lasting or (gap is not None and first < now + ahead)
        deadline = _last_before(now, first, gap, ahead)
        if deadline < now + ahead and now - deadline <= DAY:
            found[kind] = deadline
    assert facts.active is not None
    forgotten = facts.active + FORGOTTEN
    if lasting and forgotten < now + ahead:
        deadline = _last_before(now, forgotten, 7 * DAY, ahead)
        return {"forgotten": deadline} if now - deadline <= DAY else {}
    return found


def _last_before(
    now: datetime, first: datetime, gap: timedelta | None, ahead: timedelta
) -> datetime:
    """The last of a row of deadlines before `now`, or the next one where that is before
    `now + ahead`; the first one when none is over.
    """
    deadline, count = first, 1
    while gap is not None and first < now:
        step = gap if count < 3 else max(gap, HOUR)
        if deadline - first >= 8 * HOUR:
            step = max(step, DAY)
        if deadline - first >= 30 * DAY:
            step = max(step, 7 * DAY)
        if deadline + step >= now:
            return deadline + step if deadline + step < now + ahead else deadline
        deadline, count = deadline + step, count + 1
    return deadline


def is_quiet(facts: Facts, kind: str, now: datetime) -> bool:
    """Whether this kind waits until its owner's night is over: of what is due, or will be soon."""
    if kind not in NOT_URGENT:
        return False
    for horizon in (now, now + HOUR):
        if kind == "override-expired" and all(until >= horizon for until, _ in facts.overrides):
            continue
        wall = now.astimezone(ZoneInfo(ZONES.get(facts.owner(kind, horizon), HOME))).time()
        if wall >= QUIET[0] or wall < QUIET[1]:
            return True
    return False


def after_run(
    facts: Facts, there: dict[str, datetime], fresh: set[str], now: datetime, *, sweep: bool
) -> dict[str, datetime]:
    """The reminders that should be there after a run, by kind, given those before it.

    A sweep that no watch follows says what is due, or else what will be before the next sweep;
    other runs speak when the time has come, and leave what a sweep has said. Nothing is said ahead
    right after something of its kind (`fresh`).
    """
    early = newest(facts, now, HOUR)
    found = newest(facts, now, timedelta())
    for kind, at in early.items():
        said = there.get(kind) in (at, found.get(kind))
        if there.get(kind) == at or (sweep and kind not in fresh and (said or kind not in found)):
            found[kind] = at
    for kind in list(found):
        if is_quiet(facts, kind, now):
            del found[kind]
    for kind in early:
        if kind in there and is_quiet(facts, kind, now) and now - there[kind] <= DAY:
            found[kind] = there[kind]  # what is older than a day is history
    return found
