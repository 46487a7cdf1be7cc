"""Whose issue is an incident, and whose is only a report."""

from __future__ import annotations

from incident_actions.domain.issue import labels
from incident_actions.domain.issue.observation import EventKind, Observation, TimelineEvent


def accepted_before(observation: Observation) -> bool:
    """Whether the bot itself set a status here once: it does so only for incidents.

    Nobody else can make the bot do that, so its old decision saves asking again.
    """
    return any(
        isinstance(event, TimelineEvent)
        and event.kind is EventKind.LABELED
        and event.subject.casefold().startswith(labels.STATUS_PREFIX)
        and event.actor.login.casefold() == observation.bot.casefold()
        for event in observation.history
    )
