"""`postmortem render`: the draft of any incident, for reading elsewhere. Writes nothing."""

from __future__ import annotations

from datetime import datetime

from incident_actions.github.client import GitHub
from incident_actions.reconcile.issue import read_incident
from incident_actions.reconcile.postmortem import draft_of
from incident_actions.render.postmortem import OVERRIDE, draft_file


def draft(github: GitHub, number: int, config_path: str, now: datetime) -> str:
    """The draft as its file would be.

    Raises `errors.IncidentActionsError` when there is no such incident.
    """
    it = read_incident(github, number, config_path, now)
    return draft_file(draft_of(it), github.file(OVERRIDE))
