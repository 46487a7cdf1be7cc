"""The team's own playbook files, ours where they have none."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from pathlib import Path

from incident_actions.config import Config, load_yaml
from incident_actions.domain import runbooks
from incident_actions.domain.checklist import Item, Section, checks, read_checklist, slug
from incident_actions.domain.fold import Notice, Page
from incident_actions.domain.forms import Field, Form, read_form
from incident_actions.hub.port import Hub

_OURS = Path(__file__).resolve().parents[2]
RUNBOOKS = "ops/runbooks"
CHECKLIST = f"{RUNBOOKS}/incident-checklist.md"
VERIFICATION = f"{RUNBOOKS}/verification-checklist.md"
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


_TOPICS = {
    "severity": "severity-matrix",
    "severities": "severity-matrix",
    "rollback": "rollback-rules",
    "mitigation": "mitigation-menu",
    "mitigations": "mitigation-menu",
    "verify": "verification-checklist",
    "verification": "verification-checklist",
    "checklist": "incident-checklist",
    "links": "service-links",
    "debugging": "debugging-commands",
}
"""Short words for pages of the playbook; every page answers to its own name, too."""


def pages(hub: Hub, notices: Sequence[Notice], issue_url: str) -> dict[Page, str]:
    """The playbook's pages that these notices ask for, ready to be posted.

    One that is not there tells which are. `/help` without a topic asks for none.
    """
    found = {}
    for page in dict.fromkeys(page for notice in notices for page in notice.pages if page.topic):
        name = slug(_TOPICS.get(page.topic.casefold(), page.topic), longest=60)
        found[page] = _page(hub, name, issue_url) or _not_found(name, hub)
    return found


def _page(hub: Hub, name: str, issue_url: str) -> str | None:
    """One runbook, the team's own or ours, as a comment; None when there is no such page."""
    path = f"{RUNBOOKS}/{name}.md"
    text = hub.file(path)
    if text is not None:
        return runbooks.as_comment(text, f"{issue_url.rpartition('/issues/')[0]}/blob/HEAD/{path}")
    ours = _OURS / path
    return runbooks.as_comment(ours.read_text(encoding="utf-8"), None) if ours.exists() else None


def _not_found(name: str, hub: Hub) -> str:
    there = {*hub.folder(RUNBOOKS), *(path.name for path in (_OURS / RUNBOOKS).glob("*.md"))}
    known = sorted(file.removesuffix(".md") for file in there if file.endswith(".md"))
    near = difflib.get_close_matches(name, known, n=1)
    listed = ", ".join(f"`{each}`" for each in known if each != "README")
    hint = f" Did you mean `/runbook {near[0]}`?" if near else ""
    return f"There is no page `{name}`.{hint}\n\nThere are {listed}."
