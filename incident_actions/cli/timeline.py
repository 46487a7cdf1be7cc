"""`timeline`: everything that happened in an incident, for reading elsewhere. Writes nothing."""

from __future__ import annotations

from datetime import datetime

import msgspec

from incident_actions.config import read_config
from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.incident import Moment
from incident_actions.domain.issue.observation import Observation
from incident_actions.errors import InputError
from incident_actions.github.client import GitHub
from incident_actions.reconcile.incident import RunContext, study, vouch
from incident_actions.reconcile.issue import asked_for
from incident_actions.render.environment import render


def timeline(hub: GitHub, number: int, config_path: str, now: datetime, *, as_json: bool) -> str:
    """The whole timeline, oldest first, as Markdown or as a JSON list of entries.

    Raises `InputError` when the issue is no incident.
    """
    config = read_config(hub.file(config_path), config_path)
    issue = asked_for(hub, number)
    if issue.is_pull_request or not names.holds(issue.labels, names.INCIDENT):
        raise InputError(
            f"#{number} is no incident", remedy="Give the number of an issue labelled `incident`."
        )
    observation, ours = vouch(hub, Observation(issue, hub.history(number), {}, config.bot))
    if not ours:
        raise InputError(
            f"#{number} is a report that nobody has confirmed",
            remedy="Comment `/confirm` on it, and ask for the incident that opens.",
        )
    desk = RunContext(hub, config, now, lambda url, private: False, hub.requests + 1_000)
    incident = study(desk, observation).folded.incident
    if as_json:
        return msgspec.json.format(msgspec.json.encode(incident.timeline), indent=2).decode()
    return render(
        "timeline.md.j2", issue=issue, incident=incident, day=incident.times[Moment.STARTED]
    )
