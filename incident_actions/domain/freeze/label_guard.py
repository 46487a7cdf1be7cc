"""Manual actions on a deploy freeze: only who may `/thaw` it ends, holds or narrows it.

GitHub lets people with triage access label and close whatever they like. So what stands on the
issue is compared with what those left who may end it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import Observation
from incident_actions.domain.issue.records import EventKind, TimelineEvent

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
    deeds = (*_label_events(observation), *_closings(observation))
    return {event.actor.login for event in deeds if not observation.is_bot(event.actor)}


def closer(observation: Observation) -> str:
    """The login of the person who closed it last; empty when it was a bot, or nobody."""
    last = next(reversed([*_closings(observation)]), None)
    return last.actor.login if last and not observation.is_bot(last.actor) else ""


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
    for event in _label_events(observation):
        label, there = event.subject.casefold(), event.kind is EventKind.LABELED
        before = wanted.setdefault(label, not there)
        now.setdefault(label, event.subject)
        if observation.is_bot(event.actor) or may(event.actor.login):
            wanted[label] = there
        elif before is not there:
            refused[event.actor.login] = None
    for event in _closings(observation):
        if not (observation.is_bot(event.actor) or may(event.actor.login)):
            refused[event.actor.login] = None
    labels = tuple(name for key, name in now.items() if wanted.get(key, key in there_now))
    return PermittedLabels(labels, tuple(refused))


def _label_events(observation: Observation) -> Iterator[TimelineEvent]:
    for event in observation.label_events:
        label = event.subject.casefold()
        if label in _GUARDED or label.startswith(_NARROWING):
            yield event


def _closings(observation: Observation) -> Iterator[TimelineEvent]:
    return (event for event in observation.events if event.kind is EventKind.CLOSED)
