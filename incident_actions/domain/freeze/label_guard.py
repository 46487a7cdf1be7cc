"""Manual actions on a deploy freeze: only who may `/thaw` it ends, holds or narrows it.

GitHub lets people with triage access label and close whatever they like. So what stands on the
issue is compared with what those left who may end it.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import EventKind, Observation, TimelineEvent

_GUARDED = (names.DEPLOY_FREEZE, names.NEEDS_CONFIRMATION, names.DRILL)
_NARROWING = (names.SERVICE_PREFIX, "environment:")


class PermittedLabels(Struct, frozen=True):
    """The labels that a freeze has by what people were permitted to do.

    `refused` are the logins of those who changed a label, or closed it, and were not.
    """

    labels: tuple[str, ...]
    refused: tuple[str, ...]


def people(observation: Observation) -> set[str]:
    """Whose permission decides: who closed it, and who changed a label that the gate reads."""
    return {event.actor.login for event in observation.people_events if _is_guarded(event)}


def closer(observation: Observation) -> str:
    """The login of the person who closed it last; empty when it was a bot, or nobody."""
    closings = [event.actor for event in observation.events if event.kind is EventKind.CLOSED]
    return closings[-1].login if closings and not observation.is_bot(closings[-1]) else ""


def label_taken_off(observation: Observation) -> bool:
    """Whether somebody other than its author took the freeze's own label off."""
    own = [
        event
        for event in observation.label_events
        if event.subject.casefold() == names.DEPLOY_FREEZE
    ]
    if not own or own[-1].kind is EventKind.LABELED or observation.is_bot(own[-1].actor):
        return False
    author = observation.issue.author.login.casefold()
    return own[-1].actor.login.casefold() != author


def permitted_labels(observation: Observation, may: Callable[[str], bool]) -> PermittedLabels:
    """The labels that should stand there. `may` says whether a login may end the freeze.

    What is there from the start was permitted; so is what a bot did.
    """
    now = {name.casefold(): name for name in observation.issue.labels}
    there_now = set(now)
    wanted: dict[str, bool] = {}
    refused: dict[str, None] = {}
    for event in filter(_is_guarded, observation.events):
        permitted = observation.is_bot(event.actor) or may(event.actor.login)
        changes = event.kind is EventKind.CLOSED
        if not changes:
            label, there = event.subject.casefold(), event.kind is EventKind.LABELED
            changes = wanted.setdefault(label, not there) is not there
            now.setdefault(label, event.subject)
            if permitted:
                wanted[label] = there
        if changes and not permitted:
            refused[event.actor.login] = None
    labels = tuple(name for key, name in now.items() if wanted.get(key, key in there_now))
    return PermittedLabels(labels, tuple(refused))


def _is_guarded(event: TimelineEvent) -> bool:
    """Whether an event ends, holds or narrows a freeze, or takes that back."""
    if event.kind in (EventKind.LABELED, EventKind.UNLABELED):
        label = event.subject.casefold()
        return label in _GUARDED or label.startswith(_NARROWING)
    return event.kind is EventKind.CLOSED
