"""The command `checklist`: the incident checklist as one page, for the terminal or a printer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from incident_actions.cli.inputs import Invocation, add_command
from incident_actions.cli.repository_files import Checkout, repository_folder
from incident_actions.domain.text.harmless import visible
from incident_actions.reconcile.runbook_library import RUNBOOKS, our_page
from incident_actions.render.checklist_page import as_html, as_markdown
from incident_actions.render.plain import plain


def page_reader(folder: Path) -> Callable[[str], str]:
    """Make a function that gives the text of a page of the playbook by its file's name.

    It takes the page from the checkout in `folder`, else the one that comes with this program;
    an empty text when neither has it.
    """

    def page(name: str) -> str:
        path = f"{RUNBOOKS}/{name}"
        team_page = Checkout(folder).file(path)
        return our_page(path) or "" if team_page is None else team_page

    return page


def add(commands: Any) -> None:
    """Add the command `checklist` to the parser."""
    parser = add_command(commands, "checklist", _checklist)
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--html", action="store_true", help="as one page for a printer")
    form.add_argument("--markdown", action="store_true", help="as Markdown, to paste on GitHub")
    parser.add_argument("--path", type=Path, default=Path(), help="the repository's folder")


def _checklist(call: Invocation) -> None:
    """Print the incident checklist of this repository.

    Your own where you have one.
    """
    read = page_reader(repository_folder(call.arguments.path))
    if call.arguments.html:
        print(as_html(read))
    else:
        text = as_markdown(read)
        print(visible(text) if call.arguments.markdown else plain(text).rstrip())
