"""Deeds by hand on a deploy freeze: only who may `/thaw` it ends, holds or narrows it.

GitHub lets people with triage access label and close whatever they like. So what stands there is
compared with what those who may have left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import Observation
from incident_actions.domain.issue.records import Actor, EventKind, TimelineEvent

_GUARDED = (names.DEPLOY_FREEZE, names.NEEDS_CONFIRMATION, names.DRILL)
_NARROWING = (names.SERVICE_PREFIX, "environment:")


class AsLeft(Struct, frozen=True):
    """A freeze as those who may have left it, and the logins of others who changed it."""

    labels: tuple[str, ...]
    refused: tuple[str, ...]


def people(observation: Observation) -> set[str]:
    """Whose permission decides: who closed it, and who changed a label that the gate reads."""
    deeds = (*_label_events(observation), *_closings(observation))
    return {event.actor.login for event in deeds if not _is_bot(event.actor, observation)}


def closer(observation: Observation) -> str:
    """The login of the person who closed it last; empty when it was a bot, or nobody."""
    last = next(reversed(list(_closings(observation))), None)
    return last.actor.login if last and not _is_bot(last.actor, observation) else ""


def label_taken_off(observation: Observation) -> bool:
    """Whether somebody other than its author took the freeze's own label off."""
    last = None
    for event in _label_events(observation):
        if event.subject.casefold() == names.DEPLOY_FREEZE:
            last = event
    if last is None or last.kind is EventKind.LABELED or _is_bot(last.actor, observation):
        return False
    author = observation.issue.author.login.casefold()
    return last.actor.login.casefold() != author


def as_left(observation: Observation, may: Callable[[str], bool]) -> AsLeft:
    """The labels as those who may have left them. What is there from the start was let be."""
    now = {name.casefold(): name for name in observation.issue.labels}
    wanted: dict[str, bool] = {}
    refused: dict[str, None] = {}
    for event in _label_events(observation):
        label, there = event.subject.casefold(), event.kind is EventKind.LABELED
        before = wanted.setdefault(label, not there)
        now.setdefault(label, event.subject)
        if _is_bot(event.actor, observation) or may(event.actor.login):
            wanted[label] = there
        elif before is not there:
            refused[event.actor.login] = None
    for event in _closings(observation):
        if not (_is_bot(event.actor, observation) or may(event.actor.login)):
            refused[event.actor.login] = None
    there_now = {name.casefold() for name in observation.issue.labels}
    labels = tuple(name for key, name in now.items() if wanted.get(key, key in there_now))
    return AsLeft(labels, tuple(refused))


def _label_events(observation: Observation) -> Iterator[TimelineEvent]:
    for item in observation.history:
        if isinstance(item, TimelineEvent) and item.kind in (
            EventKind.LABELED,
            EventKind.UNLABELED,
        ):
            label = item.subject.casefold()
            if label in _GUARDED or label.startswith(_NARROWING):
                yield item


def _closings(observation: Observation) -> Iterator[TimelineEvent]:
    for item in observation.history:
        if isinstance(item, TimelineEvent) and item.kind is EventKind.CLOSED:
            yield item


def _is_bot(actor: Actor, observation: Observation) -> bool:
    return actor.bot or actor.login.casefold() == observation.bot.casefold()
