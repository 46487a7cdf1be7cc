"""Our labels: names, colours and descriptions. Users rely on the names, so they must not change.

https://docs.github.com/en/rest/issues/labels
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from incident_actions.domain.text.harmless import CONTROL

INCIDENT = "incident"
NEEDS_CONFIRMATION = "needs-confirmation"
DEPLOY_FREEZE = "deploy-freeze"
DEPLOYS_ALLOWED = "deploys-allowed"
DRILL = "drill"
POSTMORTEM = "postmortem"
POSTMORTEM_REVIEWED = "postmortem:reviewed"
ACTION_ITEM = "action-item"

SERVICE_PREFIX = "service:"
CAUSE_PREFIX = "cause:"
STATUS_PREFIX = "status:"
FOLLOWUP_PREFIX = "followup:"

MAX_NAME = 50
"""GitHub refuses label names with more characters."""


MAX_DESCRIPTION = 100
"""GitHub refuses longer descriptions of labels."""


class Label(Struct, frozen=True):
    """A repository label. `color` is six hex digits without `#`."""

    name: str
    color: str
    description: str


_LABELS = (
    Label(INCIDENT, "b60205", "Production is hurting users, revenue, security or data"),
    Label("sev1", "b60205", "Full outage, or login, payments, core API or data at risk"),
    Label("sev2", "d93f0b", "Major degradation: many users or one key workflow blocked"),
    Label("sev3", "fbca04", "Limited impact and a workaround exists"),
    Label("status:investigating", "5319e7", "We are looking for what is wrong"),
    Label("status:identified", "1d76db", "The cause is known, the fix is under way"),
    Label("status:monitoring", "0e8a16", "Mitigated; we are verifying the recovery"),
    Label("status:resolved", "c2e0c6", "Recovery is verified"),
    Label(NEEDS_CONFIRMATION, "f9d0c4", "A report from outside: a writer confirms or dismisses it"),
    Label(DEPLOY_FREEZE, "000000", "While this issue is open, deploys wait"),
    Label(DEPLOYS_ALLOWED, "bfdadc", "This incident does not freeze deploys"),
    Label(DRILL, "d4c5f9", "Practice: stops a rehearsal only, never counted"),
    Label(POSTMORTEM, "0052cc", "What we learnt from an incident, as a pull request"),
    Label(POSTMORTEM_REVIEWED, "c2e0c6", "Its postmortem was reviewed and merged"),
    Label(ACTION_ITEM, "0e8a16", "A follow-up of an incident"),
)
CATALOG = {label.name: label for label in _LABELS}
STATUSES = frozenset(name for name in CATALOG if name.startswith(STATUS_PREFIX))
"""Exactly our own: another workflow may use `status:` for its own labels."""

PREFIXES = (SERVICE_PREFIX, CAUSE_PREFIX, FOLLOWUP_PREFIX)
SHOWN_PREFIXES = {
    SERVICE_PREFIX: ("006b75", "This service is part of the incident"),
    CAUSE_PREFIX: ("7057ff", "What caused the incident"),
}
_FOLLOWUP = ("c5def5", "The gap that a follow-up closes")


def clean(name: str) -> str:
    """A name that GitHub takes for a label: without control characters, at most `MAX_NAME` long.

    Names of labels that exist stay as they are. Empty when nothing is left.
    """
    flat = CONTROL.sub("", name).strip()
    return flat if len(flat) <= MAX_NAME else flat[:MAX_NAME].rstrip()


def fitting(label: Label) -> Label:
    """A label with a name and a description that GitHub takes."""
    return Label(clean(label.name), label.color, label.description[:MAX_DESCRIPTION])


def describe(name: str) -> Label:
    """A label of ours with its colour and description, by its name."""
    if name in CATALOG:
        return CATALOG[name]
    prefixed = {**SHOWN_PREFIXES, FOLLOWUP_PREFIX: _FOLLOWUP}
    for prefix, (color, description) in prefixed.items():
        if name.startswith(prefix):
            return Label(name, color, description)
    return Label(name, "ededed", "")


def holds(labels: Iterable[str], name: str) -> bool:
    """Whether a label is among `labels`. Like on GitHub, case makes no difference."""
    return any(label.casefold() == name.casefold() for label in labels)


def values(labels: Iterable[str], prefix: str) -> tuple[str, ...]:
    """The rest of each label that begins with a prefix, sorted: `service:api` -> `api`."""
    rests = (n[len(prefix) :].strip() for n in labels if n.casefold().startswith(prefix))
    return tuple(sorted({value for value in rests if value}))
