"""`timeline`: everything that happened in an incident, for reading elsewhere. Writes nothing."""

from __future__ import annotations

from datetime import datetime

import msgspec

from incident_actions.domain.issue.incident import Moment
from incident_actions.github.client import GitHub
from incident_actions.reconcile.issue import read_incident
from incident_actions.render.markdown import render


def timeline(github: GitHub, number: int, config_path: str, now: datetime, *, as_json: bool) -> str:
    """The whole timeline, oldest first, as Markdown or as a JSON list of entries.

    Raises `errors.IncidentActionsError` when there is no such incident.
    """
    it = read_incident(github, number, config_path, now)
    if as_json:
        return msgspec.json.format(msgspec.json.encode(it.incident.timeline), indent=2).decode()
    return render(
        "timeline.md.j2",
        issue=it.observation.issue,
        incident=it.incident,
        day=it.incident.times[Moment.STARTED],
    )
