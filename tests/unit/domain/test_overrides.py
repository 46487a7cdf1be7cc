"""The trace of a used override: which check runs count, and what is believed of their words."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_actions.domain.freeze.override_audit import (
    APP,
    MOST_LOOKED,
    MOST_USES,
    CheckRun,
    OverrideAudit,
    candidates,
    is_final,
    name_of,
    read_trace,
    worth_reading,
)
from incident_actions.domain.issue.incident import Allowance, Incident, Severity, Status
from incident_actions.domain.issue.observation import Deployment

NOW = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)
SHA, OTHER = "a" * 40, "b" * 40


def run(id: int = 1, sha: str = SHA, app: str = APP, done: bool = True, notes: int = 1) -> CheckRun:
    return CheckRun(id, sha, app, NOW, done, notes)


def allowance(sha: str | None = None, hours: int = 1) -> Allowance:
    until = NOW + timedelta(hours=hours)
    return Allowance("alice", NOW - timedelta(hours=2), until, "why", sha, None if sha else 7)


def incident(*allow: Allowance) -> Incident:
    return Incident(Status.INVESTIGATING, Severity.SEV1, allow=allow)


def deployment(sha: str) -> Deployment:
    return Deployment(1, NOW, "bob", sha, "production")


def trace(**entry: Any) -> str:
    given = {"incident": 12, "kind": "rollback", "actor": "bob", **entry}
    return json.dumps({"v": 1, "sha": SHA, "overrides": [given]})


def test_a_trace_becomes_a_use() -> None:
    """Who deployed which commit past the freeze, how, and why."""
    entry = {"kind": "allowed", "change": "aaaaaaaaaa", "by": "alice", "reason": "the\n hotfix"}
    (use,) = read_trace(trace(**entry), 12, run())
    assert (use.sha, use.actor, use.at) == (SHA, "bob", NOW)
    assert (use.how, use.reason) == ("/allow aaaaaaaaaa by alice", "the hotfix")


@pytest.mark.parametrize(
    "message",
    [
        "", "[]", "null", "{", '{"v": 2}', '{"v": 1}', '{"v": 1, "overrides": [3]}',
        trace(incident=13), trace(incident="12"), trace(kind="magic"), trace(kind=None), "[" * 9999,
    ],
)  # fmt: skip
def test_what_is_no_trace_of_this_incident_is_left_out(message: str) -> None:
    """Other incidents, other formats, other kinds, no JSON."""
    assert read_trace(message, 12, run()) == ()


def test_a_forged_name_is_nobody() -> None:
    """What is no login is not shown as one."""
    (use,) = read_trace(trace(actor="bob, root @everybody", reason=["x"]), 12, run())
    assert (use.actor, use.reason) == ("somebody", "")


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.lists(inner)
            | st.dictionaries(st.sampled_from(["v", "overrides", "kind", "actor"]), inner)
        ),
    )
)
def test_no_annotation_breaks_the_reading(value: Any) -> None:
    """Any JSON at all gives uses or none."""
    assert isinstance(read_trace(json.dumps(value), 12, run()), tuple)
    assert isinstance(read_trace(trace(reason=value, by=value, change=value), 12, run()), tuple)


def test_only_check_runs_of_actions_on_that_commit_count() -> None:
    """Another app's, another commit's, one without annotations, one that was read: not again."""
    runs = [run(1), run(2, app="mallory"), run(3, sha=OTHER), run(4, notes=0), run(5)]
    trail = OverrideAudit(looked=("5",))
    assert [each.id for each in worth_reading(runs, SHA[:10], trail)] == [1]


def test_deployed_commits_come_first_and_each_commit_once() -> None:
    """An allowed commit that was deployed is the same; one that was read is left out."""
    found = candidates(
        incident(allowance(SHA[:8]), allowance("c" * 8), allowance()),
        [deployment(OTHER), deployment(SHA)],
        OverrideAudit(looked=(name_of(OTHER),)),
    )
    assert found == (SHA, "c" * 8)


@pytest.mark.parametrize(
    ("runs", "allow", "final"),
    [
        ((run(),), (), True),
        ((run(), run(2, done=False)), (), False),
        ((), (), False),
        ((run(),), (allowance(SHA[:8]),), False),
        ((run(),), (allowance(SHA[:8], hours=-1),), True),
        ((run(),), (allowance(OTHER[:8]),), True),
    ],
)
def test_a_commit_is_read_for_the_last_time_when_nothing_can_follow(
    runs: tuple[CheckRun, ...], allow: tuple[Allowance, ...], final: bool
) -> None:
    """All its runs have ended, and nothing lets it through any more."""
    assert is_final(SHA, runs, incident(*allow), NOW) is final


def test_the_trail_is_bounded_and_holds_each_use_once() -> None:
    """It is kept in the issue's body, so it must not grow without end."""
    uses = read_trace(trace(), 12, run())
    trail = OverrideAudit().with_uses(uses).with_uses(uses)
    assert trail.uses == uses
    for number in range(100):
        trail = trail.with_looked(str(number))
        trail = trail.with_uses(read_trace(trace(), 12, run(number)))
    assert (len(trail.looked), len(trail.uses)) == (MOST_LOOKED, MOST_USES)


def test_an_allowance_lapses_at_its_time() -> None:
    """At the minute that was said, not before."""
    over, runs_on = allowance(SHA, hours=0), allowance(OTHER, hours=1)
    assert incident(over, runs_on).lapsed(NOW) == (over,)
