"""Which overrides of the freeze were used: looked up in the deploys' own check runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from incident_actions.domain.freeze import override_audit as overrides
from incident_actions.domain.freeze.override_audit import OverrideAudit
from incident_actions.domain.issue.incident import Incident
from incident_actions.domain.issue.observation import Deployment
from incident_actions.errors import GitHubError
from incident_actions.github.client import GitHub

MOST_REQUESTS = 4


def follow(
    hub: GitHub,
    incident: Incident,
    number: int,
    deployments: Sequence[Deployment],
    trail: OverrideAudit,
    now: datetime,
    allowed: int = MOST_REQUESTS,
) -> OverrideAudit:
    """Read more of the trail, within `allowed` requests; what is left waits for the next run.

    Without `checks: read`, or when GitHub fails, the trail stays as far as it was read.
    """
    end = hub.requests + allowed
    try:
        for sha in overrides.candidates(incident, deployments, trail):
            if hub.requests >= end:
                break
            runs = hub.check_runs(sha)
            for run in overrides.worth_reading(runs, sha, trail):
                if hub.requests >= end:
                    return trail
                for message in hub.notices(run.id, overrides.TITLE):
                    trail = trail.with_passages(overrides.read_trace(message, number, run))
                if run.done:
                    trail = trail.with_looked(str(run.id))
            if overrides.is_final(sha, runs, incident, now):
                trail = trail.with_looked(overrides.name_of(sha))
    except GitHubError:
        return trail
    return trail
