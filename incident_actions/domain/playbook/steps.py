"""The steps of the checklist that the system can see for itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from incident_actions.domain.issue.incident import Incident, Moment
from incident_actions.domain.playbook.checklist import ChecklistItem, ChecklistSection, missing

ANSWERED = {"summary": "impact", "affected": "affected", "ongoing": "ongoing", "changes": "changes"}
"""A form's question, by id, and the step that its answer takes."""


def taken(incident: Incident, checks: Sequence[ChecklistItem]) -> frozenset[str]:
    """The keys of the steps that are done, as the incident stands.

    The fold collects these along the history, so that a step once taken stays ticked.
    """
    facts = {
        "commander": incident.commander is not None,
        "started": Moment.STARTED in incident.times,
        "freeze": incident.freezes,
        "severity": incident.severity_known,
        "mitigation": incident.mitigations > 0,
        "update": incident.updates > 0,
        "customer-update": incident.customer_updates > 0,
        "verified": bool(checks) and not missing(checks, incident.verified),
        "resolved-time": Moment.RESOLVED in incident.times,
        "action-items": bool(incident.actions),
    }
    return frozenset(key for key, true in facts.items() if true)


def ticked_by_people(
    boxes: Mapping[str, bool],
    checklist: Sequence[ChecklistSection],
    by_bot: Collection[str],
    before: Collection[str],
) -> tuple[str, ...]:
    """The texts of the boxes that people ticked, as far as one can tell.

    `boxes` are those of the dashboard, `by_bot` the keys of the steps that the bot ticked there,
    and `before` is the last answer: boxes that the dashboard has no room for keep their ticks.
    """
    bots = {item.text for section in checklist for item in section.items if item.key in by_bot}
    now = {text for text, tick in boxes.items() if tick and (text not in bots or text in before)}
    return tuple(sorted(now | {text for text in before if text not in boxes}))


def answered(ids: Collection[str]) -> frozenset[str]:
    """The keys of the steps that the form's answers take; `ids` are those of the questions."""
    return frozenset(step for question, step in ANSWERED.items() if question in ids)
