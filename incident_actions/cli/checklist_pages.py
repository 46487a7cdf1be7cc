"""`checklist`: the team's own pages, ours where they have none, as one page to print."""

from __future__ import annotations

from pathlib import Path

from incident_actions.reconcile.runbook_library import RUNBOOKS, our_page
from incident_actions.render.checklist_page import ChecklistPages


def pages(folder: Path) -> ChecklistPages:
    """The pages of a checkout that the checklist is made of."""
    return ChecklistPages(
        checklist=_page(folder, "incident-checklist.md"),
        verification=_page(folder, "verification-checklist.md"),
        severity=_page(folder, "severity-matrix.md"),
        rollback=_page(folder, "rollback-rules.md"),
    )


def _page(folder: Path, name: str) -> str:
    path = f"{RUNBOOKS}/{name}"
    own = folder / path
    return own.read_text("utf-8", "replace") if own.is_file() else our_page(path) or ""
