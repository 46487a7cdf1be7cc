"""Deployments.

https://docs.github.com/en/rest/deployments
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from incident_actions.domain.issue.observation import Deployment
from incident_actions.github.decoding import actor, each, time
from incident_actions.github.transport import PER_PAGE, Transport


class Deployments(Transport):
    """Raises `errors.GitHubError`."""

    def deployments(self, since: datetime) -> tuple[Deployment, ...]:
        """The deployments since a moment, oldest first, of the newest hundred.

        One request, asked once in a run.

        https://docs.github.com/en/rest/deployments/deployments#list-deployments
        """
        found = self._once(each(_deployment), "/deployments", per_page=PER_PAGE)
        return tuple(sorted((one for one in found if one.at >= since), key=lambda one: one.at))


def _deployment(raw: Any) -> Deployment:
    return Deployment(
        id=int(raw["id"]),
        at=time(raw["created_at"]),
        by=actor(raw.get("creator")).login,
        sha=raw["sha"],
        environment=raw["environment"],
    )
