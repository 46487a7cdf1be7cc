"""What changed in the hour before an incident: ask GitHub, within a few requests."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.config import Config
from incident_actions.domain.changes.suspects import (
    RecordedChanges,
    Suspects,
    comparisons,
    suspects,
)
from incident_actions.domain.issue.observation import Deployment
from incident_actions.errors import Forbidden, GitHubError, NotFound, Rejected
from incident_actions.github.client import GitHub

BUDGET = 8
"""Requests that this question may cost, besides the deployments, which every thorough run asks."""
_EVER = datetime(1970, 1, 1, tzinfo=UTC)

Item = TypeVar("Item")


class Looked(Struct, frozen=True):
    """The suspects, and the deployments that were asked for on the way, oldest first."""

    suspects: Suspects
    deployments: tuple[Deployment, ...]


def look(hub: GitHub, start: datetime, config: Config) -> Looked | None:
    """What changed in the hour before `start`.

    What the token may not read is left out, and named. When GitHub itself is in trouble there is
    no answer, so that a later run asks again.
    """
    try:
        deployments, seen = _ask(hub, start, config)
    except GitHubError:
        return None
    return Looked(suspects(seen, start, config.changes), deployments)


def _ask(
    hub: GitHub, start: datetime, config: Config
) -> tuple[tuple[Deployment, ...], RecordedChanges]:
    unread: list[str] = []

    def optional(name: str, ask: Callable[[], tuple[Item, ...]]) -> tuple[Item, ...]:
        try:
            return ask()
        except (Forbidden, NotFound, Rejected):
            unread.append(name)
            return ()

    every = optional("deployments", lambda: hub.deployments(_EVER))
    before = hub.requests
    branch = hub.default_branch()
    seen = RecordedChanges(
        deployments=_that_matter(every, config.freeze.environments),
        pushes=optional("pushes", lambda: hub.pushes(branch)),
        pulls=optional("pull requests", lambda: hub.merged_pulls(branch)),
        releases=optional("releases", hub.releases),
        runs=optional("workflow runs", hub.workflow_runs),
    )
    paths = {}
    for base, head in comparisons(seen, start)[: BUDGET - (hub.requests - before)]:
        try:
            files = hub.changed_files(base, head)
        except (Forbidden, NotFound, Rejected):
            continue  # the commit is gone, or may not be read: what it brought stays unknown
        if files is not None:
            paths[base, head] = files
    return every, replace(seen, paths=paths, unread=tuple(unread))


def _that_matter(
    deployments: tuple[Deployment, ...], environments: tuple[str, ...]
) -> tuple[Deployment, ...]:
    """Those to the environments that a freeze stops; when none is named, all."""
    wanted = {name.casefold() for name in environments}
    return tuple(d for d in deployments if not wanted or d.environment.casefold() in wanted)
