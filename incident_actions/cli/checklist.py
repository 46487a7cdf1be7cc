"""`checklist`: the team's own pages, ours where they have none, as one page to print."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from incident_actions.cli.checkout import repository_folder
from incident_actions.cli.runner import Runner
from incident_actions.reconcile.runbook_library import RUNBOOKS, our_page
from incident_actions.render.checklist_page import ChecklistPages, as_html, as_markdown


def checklist_pages(folder: Path) -> ChecklistPages:
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


def add_checklist(commands: Any) -> None:
    """`checklist`: something to hold in one's hand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "checklist",
        help="print the incident checklist of this repository",
        description="Print the incident checklist of this repository, your own where you have one.",
    )
    parser.add_argument("--html", action="store_true", help="as one page for a printer")
    parser.add_argument("--path", type=Path, default=Path(), help="the repository's folder")

    def run(arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner) -> int:
        pages = checklist_pages(repository_folder(arguments.path))
        print(as_html(pages) if arguments.html else as_markdown(pages))
        return 0

    parser.set_defaults(run=run)
