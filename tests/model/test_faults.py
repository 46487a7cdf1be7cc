"""A half-broken GitHub: a fault at any request of a run, and one more run makes up for it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from incident_actions.config import PATH
from incident_actions.errors import GitHubError
from incident_actions.reconcile.respond import WorkflowEvent, respond
from incident_actions.sandbox import Sandbox
from tests.model.actions import Comment
from tests.model.play import QUIET
from tests.model.world import ModelWorld

FAULTS: dict[str, dict[str, Any]] = {  # each kind of them is in tests/unit/github_room
    "refused": {"status": 502},
    "done, answer lost": {"status": 502, "after": True},
    "too many requests": {"status": 403, "headers": {"retry-after": "3600"}},
}


def declared(server: Sandbox) -> ModelWorld:
    """An incident that no run has seen."""
    return ModelWorld(server, files=QUIET)


def commanded(server: Sandbox) -> ModelWorld:
    """An incident in which somebody has commanded, asked and mistyped."""
    world = declared(server)
    world.run()
    world.tick()
    Comment("alice", "/ack\n/role comms @bob\n/nothing\n/help severity").do(world)
    Comment("eve", "/resolve").do(world)
    return world


def closed_too_early(server: Sandbox) -> ModelWorld:
    """An incident that somebody closed by hand before its recovery was verified."""
    world = declared(server)
    world.run()
    world.tick()
    world.person("alice").close(world.number)
    return world


def confirmed(server: Sandbox) -> ModelWorld:
    """A report from outside that a writer has just confirmed."""
    world = ModelWorld(server, author="eve", files=QUIET)
    world.run()
    world.tick()
    Comment("alice", "/confirm").do(world)
    return world


STRIDE = int(os.environ.get("INCIDENT_STRIDE", "2"))
"""Each fault strikes every second request, and the next one those between. 1: each strikes all."""


def respond_once(world: ModelWorld, event: WorkflowEvent) -> None:
    """A run as the program makes it; it may fail, but only with an error of ours."""
    hub = world.hub()
    with suppress(GitHubError):
        respond(hub, event, PATH, world.tools())
    hub.close()


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
@pytest.mark.parametrize("story", [declared, commanded, closed_too_early, confirmed])
def test_a_fault_at_any_request_loses_and_doubles_nothing(
    servers: tuple[Sandbox, Sandbox],
    monkeypatch: pytest.MonkeyPatch,
    story: Callable[[Sandbox], ModelWorld],
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
    first = 1 + [*FAULTS.values()].index(fault) % STRIDE
    for nth in range(first, requests + 1, STRIDE):
        world = story(servers[1])
        event = world.news()[-1]
        ordered = world.sandbox.fail(nth=nth, times=4, **fault)
        respond_once(world, event)
        assert ordered.struck > 0
        world.sandbox.clear_faults()
        world.run()
        assert world.final() == calm.final(), nth
        assert world.living() == calm.living(), nth
        assert world.writes_of_another_run() == [], nth
