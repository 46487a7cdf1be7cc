"""One patience for all of a run: each wait is told, and together they end."""

from __future__ import annotations

import logging

import pytest

from incident_actions.errors import RateLimited, Unavailable
from incident_actions.github.client import GitHub
from incident_actions.github.transport import ALL_WAITS, Patience
from incident_actions.sandbox import Sandbox

REPOSITORY, TOKEN = "acme/shop", "ghs_patient"


class Run:
    """A run against a GitHub that is down; its waits are counted, not waited."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.waits: list[float] = []
        sandbox.repository(REPOSITORY)
        sandbox.user("alice", permission={REPOSITORY: "write"})
        sandbox.as_user("alice").open_issue("x", "x")
        sandbox.actions_token(TOKEN, REPOSITORY, {"issues": "write"})
        self.hub = GitHub(
            TOKEN, REPOSITORY, sandbox.url, patience=Patience(ALL_WAITS, self.waits.append)
        )


@pytest.fixture
def run(sandbox: Sandbox) -> Run:
    """A run that has not waited yet."""
    return Run(sandbox)


def test_a_wait_that_is_too_long_is_not_begun(sandbox: Sandbox, run: Run) -> None:
    """503 with `Retry-After: 100`: the run ends, and says what to do."""
    sandbox.fail("GET *", times=99, status=503, headers={"retry-after": "100"})
    with pytest.raises(Unavailable, match="100 seconds") as raised:
        run.hub.issue(1)
    assert "githubstatus" in raised.value.remedy
    assert sum(run.waits) == 0


def test_all_requests_share_it(sandbox: Sandbox, run: Run) -> None:
    """Short waits add up, whichever request has them."""
    sandbox.fail("GET *", times=99, status=503, headers={"retry-after": "15"})
    for _ in range(5):
        with pytest.raises(Unavailable):
            run.hub.issue(1)
    assert 0 < sum(run.waits) <= ALL_WAITS


def test_each_wait_is_told(sandbox: Sandbox, run: Run, caplog: pytest.LogCaptureFixture) -> None:
    """With its reason and its seconds, before it begins."""
    sandbox.fail("GET *", times=2, status=503, headers={"retry-after": "15"})
    assert run.hub.issue(1).number == 1
    told = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    assert told == ["GitHub failed (HTTP 503); asking again in 15 s"] * 2
    assert run.waits == [15, 15]


@pytest.mark.parametrize("status", [403, 429])
def test_a_rate_limit_has_the_same(sandbox: Sandbox, run: Run, status: int) -> None:
    """What a broken GitHub used up is not there for a limit."""
    sandbox.fail("GET *", times=3, status=503, headers={"retry-after": "15"})
    run.hub.issue(1)
    sandbox.fail("GET *", times=9, status=status, headers={"retry-after": "16"})
    with pytest.raises(RateLimited, match="16 seconds"):
        run.hub.issue(1)
    assert sum(run.waits) == 45
