"""`postmortem render`: the draft of any incident, for reading elsewhere. Writes nothing."""

from __future__ import annotations

from datetime import datetime

from incident_actions.config import read_config
from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import Observation
from incident_actions.errors import InputError
from incident_actions.github.client import GitHub
from incident_actions.reconcile.incident import RunContext, study, vouch
from incident_actions.reconcile.issue import asked_for
from incident_actions.reconcile.postmortem import draft_of
from incident_actions.render.postmortem import OVERRIDE, draft_file


def draft(hub: GitHub, number: int, config_path: str, now: datetime) -> str:
    """The draft as its file would be. Raises `InputError` when the issue is no incident."""
    config = read_config(hub.file(config_path), config_path)
    issue = asked_for(hub, number)
    observation = Observation(issue, hub.history(number), {}, config.bot)
    ours = False
    if not issue.is_pull_request and names.holds(issue.labels, names.INCIDENT):
        observation, ours = vouch(hub, observation)
    if not ours:
        raise InputError(
            f"#{number} is no incident", remedy="Give the number of an issue labelled `incident`."
        )
    desk = RunContext(hub, config, now, lambda url, private: False, hub.requests + 1_000)
    return draft_file(draft_of(desk, issue, study(desk, observation)), hub.file(OVERRIDE))
