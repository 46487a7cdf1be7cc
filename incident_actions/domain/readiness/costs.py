"""What a workflow costs on a private repository, from its YAML as it stands.

GitHub bills each job in whole minutes that were begun. A job that its `if:` skips costs nothing,
and neither does any on a public repository, or on a runner of the team's own.

https://docs.github.com/en/billing/concepts/product-billing/github-actions
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from msgspec import Struct

from incident_actions.domain.readiness.cron import most_starts, read_crons
from incident_actions.domain.readiness.workflows import (
    Workflow,
    labels_of,
    starts_on,
    watch_minutes,
)
from incident_actions.domain.reminders.clock import WATCH_MINUTES

HOURLY = "37 * * * *"
"""The schedule that `init` writes."""
FRUGAL = ("37 5,17 * * MON-SAT", "37 11 * * SUN")
"""Schedules for few minutes: never more than 18 hours apart, at most 58 starts in a month.

A scheduled freeze has its issue 24 hours ahead at most, so the next start has to come within that.
"""
SLIM = "ubuntu-slim"
_SELF_HOSTED = "self-hosted"


class Amount(Struct, frozen=True):
    """Billed minutes, and how many of `ubuntu-latest` have the same price."""

    minutes: int = 0
    price: int = 0


class Costs(Struct, frozen=True):
    """What a workflow costs.

    `idle_month` is a month of 31 days in which nothing is open: only the schedule starts runs, and
    each takes less than a minute. `watch_hour` is an hour in which the watch is awake; nothing in a
    workflow without one. `event` is one that concerns an incident. `unreadable` says which
    schedules can't be read; they are not counted.
    """

    idle_month: Amount
    watch_hour: Amount
    event: Amount
    unreadable: tuple[str, ...] = ()


def costs(workflow: Workflow) -> Costs:
    """What a workflow costs that runs `respond`.

    Where an `if:` can't be judged without a run, its job counts. A runner of unknown price counts
    as `ubuntu-latest`. The last minute of each watch is counted as begun.
    """
    crons, unreadable = read_crons(workflow.crons)
    starts = most_starts(crons)
    watches = workflow.watches() if workflow.takes_watch() else []
    return Costs(
        idle_month=_sum(dict.fromkeys(_started(workflow, "schedule"), starts), workflow),
        watch_hour=_sum({name: _hour(workflow.jobs[name]) for name in watches}, workflow),
        event=_sum(dict.fromkeys(_started(workflow, "issue_comment"), 1), workflow),
        unreadable=unreadable,
    )


def _started(workflow: Workflow, event: str) -> list[str]:
    """The ids of the jobs that an event may start."""
    if event not in workflow.triggers:
        return []
    return [name for name, job in workflow.jobs.items() if starts_on(job, event)]


def _hour(job: Mapping[str, Any]) -> int:
    """The minutes of an hour in which one watch follows the other, the last of each begun."""
    return round(60 + 60 / (watch_minutes(job) or WATCH_MINUTES))


def _sum(minutes: Mapping[str, int], workflow: Workflow) -> Amount:
    """What jobs (by id) cost that take so many minutes."""
    billed, price = 0, Fraction()
    for name, count in minutes.items():
        runner = labels_of(workflow.jobs[name])
        if _SELF_HOSTED not in runner:
            billed += count
            price += count * (Fraction(1, 3) if SLIM in runner else 1)
    return Amount(billed, math.ceil(price))
