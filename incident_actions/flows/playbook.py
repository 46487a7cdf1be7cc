"""The team's own playbook files, ours where they have none."""

from __future__ import annotations

from pathlib import Path

from incident_actions.config import Config, load_yaml
from incident_actions.domain.checklist import Item, Section, checks, read_checklist
from incident_actions.domain.forms import Field, Form, read_form
from incident_actions.hub.port import Hub

_OURS = Path(__file__).resolve().parents[2]
CHECKLIST = "ops/runbooks/incident-checklist.md"
VERIFICATION = "ops/runbooks/verification-checklist.md"
_RECOVERY = 1
"""Of our own verification file only the first section counts: the journeys are a team's own."""


def form(hub: Hub, config: Config) -> Form:
    """The incident form of the repository."""
    text = hub.file(config.form)
    if text is None:
        text = (_OURS / ".github/ISSUE_TEMPLATE/incident.yml").read_text(encoding="utf-8")
    return read_form(load_yaml(text, config.form), config.form)


def remembered_form(fields: tuple[tuple[str, str], ...]) -> Form:
    """The form that an incident was declared with."""
    return Form(tuple(Field(id=id, type="", label=label) for id, label in fields))


def checklist(hub: Hub) -> tuple[Section, ...]:
    """The incident checklist."""
    return read_checklist(hub.file(CHECKLIST) or _read_ours(CHECKLIST))


def recovery_checks(hub: Hub) -> tuple[Item, ...]:
    """What must be verified before an incident may close."""
    text = hub.file(VERIFICATION)
    if text is None:
        return checks(read_checklist(_read_ours(VERIFICATION))[:_RECOVERY])
    return checks(read_checklist(text))


def _read_ours(path: str) -> str:
    return (_OURS / path).read_text(encoding="utf-8")
