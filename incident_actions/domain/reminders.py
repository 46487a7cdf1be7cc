"""When something is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from incident_actions.domain.incident import Incident, Moment, Severity

UPDATE_EVERY: Mapping[Severity, timedelta | None] = {
    Severity.SEV1: timedelta(minutes=15),
    Severity.SEV2: timedelta(minutes=30),
    Severity.SEV3: None,
}
"""How often the team hears something, whether or not there is news."""


def next_update_due(incident: Incident) -> datetime | None:
    """When the next internal update is due; None when none is expected."""
    if not incident.status.open:
        return None
    if incident.next_update is not None:
        return incident.next_update
    every = UPDATE_EVERY[incident.severity]
    if every is None:
        return None
    return (incident.last_update or incident.times[Moment.DECLARED]) + every
