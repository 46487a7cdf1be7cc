"""A half-broken GitHub: a fault at any request of a run, and one more run makes up for it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from incident_actions.config import PATH
from incident_actions.errors import GitHubError
from incident_actions.reconcile.respond import WorkflowEvent, respond
from incident_actions.sandbox import Sandbox
from tests.model.deeds import Comment
from tests.model.play import QUIET
from tests.model.town import Town

FAULTS: dict[str, dict[str, Any]] = {  # each kind of them is in tests/unit/github_room
    "refused": {"status": 502},
    "done, answer lost": {"status": 502, "after": True},
    "too many requests": {"status": 403, "headers": {"retry-after": "3600"}},
}


def declared(server: Sandbox) -> Town:
    """An incident that no run has seen."""
    return Town(server, files=QUIET)


def commanded(server: Sandbox) -> Town:
    """An incident in which somebody has commanded, asked and mistyped."""
    town = declared(server)
    town.run()
    town.tick()
    Comment("alice", "/ack\n/role comms @bob\n/nothing\n/help severity").do(town)
    Comment("eve", "/resolve").do(town)
    return town


def closed_too_early(server: Sandbox) -> Town:
    """An incident that somebody closed by hand before its recovery was verified."""
    town = declared(server)
    town.run()
    town.tick()
    town.person("alice").close(town.number)
    return town


def confirmed(server: Sandbox) -> Town:
    """A report from outside that a writer has just confirmed."""
    town = Town(server, author="eve", files=QUIET)
    town.run()
    town.tick()
    Comment("alice", "/confirm").do(town)
    return town


def respond_once(town: Town, event: WorkflowEvent) -> None:
    """A run as the program makes it; it may fail, but only with an error of ours."""
    hub = town.hub()
    with suppress(GitHubError):
        respond(hub, event, PATH, town.tools())
    hub.close()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("story", [declared, commanded, closed_too_early, confirmed])
def test_a_fault_at_any_request_loses_and_doubles_nothing(
    servers: tuple[Sandbox, Sandbox],
    monkeypatch: pytest.MonkeyPatch,
    story: Callable[[Sandbox], Town],
    fault: dict[str, Any],
) -> None:
    """After the next run everything is as if GitHub had been well."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    calm = story(servers[0])
    calm.sandbox.clear_log()
    respond_once(calm, calm.news()[-1])
    requests = len(calm.sandbox.log)
    calm.run()
    assert requests > 4
    for nth in range(1, requests + 1):
        town = story(servers[1])
        event = town.news()[-1]
        ordered = town.sandbox.fail(nth=nth, times=4, **fault)
        respond_once(town, event)
        assert ordered.struck > 0
        town.sandbox.clear_faults()
        town.run()
        assert town.final() == calm.final(), nth
        assert town.living() == calm.living(), nth
        assert town.writes_of_another_run() == [], nth
