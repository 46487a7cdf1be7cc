"""Applying effects: the one place where the program changes anything."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from incident_actions.domain.projection import (
    CreateLabel,
    EditIssue,
    Effect,
    OpenIssue,
    React,
    Say,
    Unsay,
)
from incident_actions.errors import Forbidden, NotFound, Rejected
from incident_actions.hub.port import Hub

log = logging.getLogger(__name__)

OPTIONAL = (React, Unsay, Say, CreateLabel)
"""A refusal of these is a warning: the incident goes on without them."""


def apply(hub: Hub, effects: Sequence[Effect]) -> tuple[Effect, ...]:
    """Apply effects in order; gives those that took place.

    What GitHub refuses for good (403, 404, 422) is a warning for an optional effect. Everything
    else is raised: the run fails loudly, and the next one does what is missing.
    """
    done: list[Effect] = []
    for effect in effects:
        try:
            _apply(hub, effect)
        except (Forbidden, NotFound, Rejected) as refused:
            if not isinstance(effect, OPTIONAL):
                raise
            log.warning("%s was left out. %s %s", type(effect).__name__, refused, refused.remedy)
        else:
            done.append(effect)
    return tuple(done)


def _apply(hub: Hub, effect: Effect) -> None:
    match effect:
        case EditIssue():
            hub.edit(effect)
        case CreateLabel(label):
            hub.create_label(label)
        case Say(number, _, _, text):
            hub.comment(number, text)
        case Unsay(comment_id):
            hub.delete_comment(comment_id)
        case React(comment_id):
            hub.react(comment_id)
        case OpenIssue():
            hub.open(effect)
