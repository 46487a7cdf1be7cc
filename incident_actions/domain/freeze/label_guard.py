"""Find changes of a deploy freeze's labels, or its closing, by people who may not end the freeze.

Labels can end, hold or narrow a freeze, and GitHub lets people with triage access change them and
close the issue. `/thaw` may need more. So this works out which labels the issue should have.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from msgspec import Struct

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import EventKind, Observation, TimelineEvent

_GUARDED = (names.DEPLOY_FREEZE, names.NEEDS_CONFIRMATION, names.DRILL)
_SAME_MOMENT = timedelta(seconds=10)
_NARROWING = (names.SERVICE_PREFIX, "environment:")


class PermittedLabels(Struct, frozen=True):
    """The labels that a freeze should have.

    `refused` are the logins of people who changed a guarded label or closed the issue, and may not.
    """

    labels: tuple[str, ...]
    refused: tuple[str, ...]


def people(observation: Observation) -> set[str]:
    """The logins of people who closed the freeze or changed a guarded label.

    Their permissions must be known to decide.
    """
    return {event.actor.login for event in observation.people_events if _is_guarded(event)}


def closing(observation: Observation) -> TimelineEvent | None:
    """The event with which somebody last closed the freeze by hand, while that stands.

    It stands until a person or our bot opens the freeze again. What other programs close or open is
    nobody's word, and neither is a merge that closes what its pull request "fixes".
    """
    last = None
    # GitHub does not say in the event that a merge closed it.
    merges = [event.merged_at for event in observation.events if event.merged_at is not None]
    for event in observation.events:
        bot, ours = observation.is_bot(event.actor), observation.is_this_bot(event.actor)
        if event.kind is EventKind.REOPENED and (ours or not bot):
            last = None
        elif event.kind is EventKind.CLOSED and not bot and not event.subject:
            merged = any(abs(event.at - merge) <= _SAME_MOMENT for merge in merges)
            last = last if merged else event
    return last


def label_taken_off(observation: Observation) -> bool:
    """Whether the label `deploy-freeze` was taken off last, by whomever: also its author may lack
    the permission that the team asks for.
    """
    events = [
        event
        for event in observation.label_events
        if event.subject.casefold() == names.DEPLOY_FREEZE
    ]
    return bool(events) and events[-1].kind is EventKind.UNLABELED


def began_as_freeze(observation: Observation) -> bool:
    """Whether the issue had the label `deploy-freeze` before it had the label `incident`."""
    kinds = (names.DEPLOY_FREEZE, names.INCIDENT)
    put_on = [e for e in observation.label_events if e.kind is EventKind.LABELED]
    labels = [event.subject.casefold() for event in put_on]
    return next((label for label in labels if label in kinds), "") == names.DEPLOY_FREEZE


def permitted_labels(observation: Observation, may: Callable[[str], bool]) -> PermittedLabels:
    """The labels that the freeze should have. `may` says whether a login may end the freeze.

    The labels that the issue was opened with count as permitted, later changes by bots do not.
    """
    now = {name.casefold(): name for name in observation.issue.labels}
    on_issue = set(now)
    wanted: dict[str, bool] = {}
    refused: dict[str, None] = {}
    for event in filter(_is_guarded, observation.events):
        bot, issue = observation.is_bot(event.actor), observation.issue
        born = event.at <= issue.created_at and event.actor == issue.author
        permitted = born or (not bot and may(event.actor.login))
        changes = event.kind is EventKind.CLOSED
        if not changes:
            label, put_on = event.subject.casefold(), event.kind is EventKind.LABELED
            changes = wanted.setdefault(label, not put_on) is not put_on
            now.setdefault(label, event.subject)
            if permitted:
                wanted[label] = put_on
        if changes and not permitted and not bot:
            refused[event.actor.login] = None
    labels = tuple(name for key, name in now.items() if wanted.get(key, key in on_issue))
    return PermittedLabels(labels, tuple(refused))


def _is_guarded(event: TimelineEvent) -> bool:
    """Whether an event closes the freeze, or changes a label that ends, holds or narrows it."""
    if event.kind in (EventKind.LABELED, EventKind.UNLABELED):
        label = event.subject.casefold()
        return label in _GUARDED or label.startswith(_NARROWING)
    return event.kind is EventKind.CLOSED
