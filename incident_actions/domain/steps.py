"""The steps of the checklist that the system can see for itself."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from incident_actions.domain.checklist import Item, missing
from incident_actions.domain.incident import Incident, Moment

ANSWERED = {"summary": "impact", "affected": "affected", "ongoing": "ongoing", "changes": "changes"}
"""A form's question, by id, and the step that its answer takes."""


def taken(incident: Incident, checks: Sequence[Item]) -> frozenset[str]:
    """The keys of the steps that are done, as the incident stands.

    The fold collects these along the history, so that a step once taken stays ticked.
    """
    facts = {
        "commander": incident.commander is not None,
        "started": Moment.STARTED in incident.times,
        "freeze": incident.freezes,
        "severity": incident.severity_known,
        "mitigation": incident.mitigations > 0 or Moment.MITIGATED in incident.times,
        "update": incident.updates > 0,
        "customer-update": incident.customer_updates > 0,
        "verified": bool(checks) and not missing(checks, incident.verified),
        "resolved-time": Moment.RESOLVED in incident.times,
        "root-cause": incident.cause is not None,
        "action-items": bool(incident.actions),
    }
    return frozenset(key for key, true in facts.items() if true)


def answered(ids: Collection[str]) -> frozenset[str]:
    """The keys of the steps that the form's answers take; `ids` are those of the questions."""
    return frozenset(step for question, step in ANSWERED.items() if question in ids)
