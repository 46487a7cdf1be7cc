"""`checklist`: the team's own pages, ours where they have none, as one page to print."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from incident_actions.cli.inputs import Invocation, add_command
from incident_actions.cli.repository_files import Checkout, repository_folder
from incident_actions.reconcile.runbook_library import RUNBOOKS, our_page
from incident_actions.render.checklist_page import as_html, as_markdown


def page_reader(folder: Path) -> Callable[[str], str]:
    """A reader of the playbook's pages by name: a checkout's own, ours where it has none."""

    def page(name: str) -> str:
        path = f"{RUNBOOKS}/{name}"
        own = Checkout(folder).file(path)
        return our_page(path) or "" if own is None else own

    return page


def add_checklist(commands: Any) -> None:
    """`checklist`: something to hold in one's hand."""
    parser = add_command(commands, "checklist", _checklist)
    parser.add_argument("--html", action="store_true", help="as one page for a printer")
    parser.add_argument("--path", type=Path, default=Path(), help="the repository's folder")


def _checklist(it: Invocation) -> None:
    """Print the incident checklist of this repository.

    Your own where you have one.
    """
    read = page_reader(repository_folder(it.arguments.path))
    print(as_html(read) if it.arguments.html else as_markdown(read))
