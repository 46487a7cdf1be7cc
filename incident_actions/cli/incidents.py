"""The commands `timeline`, `postmortem render` and `postmortem lint`. They only read."""

from __future__ import annotations

import argparse
import re
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from incident_actions.cli.inputs import Invocation, add_command
from incident_actions.domain.issue.incident import Moment
from incident_actions.domain.postmortem import link
from incident_actions.domain.postmortem.document import Document
from incident_actions.domain.postmortem.lint import LintFacts, LintFinding, clean, lint
from incident_actions.domain.text.harmless import visible, visible_json
from incident_actions.errors import InputError
from incident_actions.reconcile.issue import read_incident
from incident_actions.reconcile.postmortem import draft_of
from incident_actions.render.markdown import render
from incident_actions.render.plain import plain
from incident_actions.render.postmortem import OVERRIDE, draft_file


def issue_number(typed: str) -> int:
    """Read an issue's number as people write it: `12`, `#12`, or the address of its page.

    Raises `argparse.ArgumentTypeError`.
    """
    found = re.fullmatch(r"(?:#|https?://\S+/issues/)?([1-9]\d{0,9})/?", typed.strip())
    if found is None:
        raise argparse.ArgumentTypeError(f"`{typed}` is no issue's number, such as 12")
    return int(found[1])


def add(commands: Any) -> None:
    """Add the commands `timeline` and `postmortem` to the parser."""
    parser = add_command(commands, "timeline", _timeline, on_github=True)
    parser.add_argument("number", type=issue_number, help="the incident's issue")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as JSON, one list")
    form.add_argument("--markdown", action="store_true", help="as Markdown, to paste on GitHub")
    help = "print the draft of a postmortem, or say what one lacks"
    parser = commands.add_parser("postmortem", help=help, description=f"{help.capitalize()}.")
    below = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    drafts = add_command(below, "render", _render, on_github=True)
    drafts.add_argument("number", type=issue_number, help="the incident's issue")
    lints = add_command(below, "lint", _lint)
    lints.add_argument("files", nargs="+", type=Path, metavar="FILE")


def _timeline(call: Invocation) -> None:
    """Print everything that happened in an incident.

    Oldest first. Writes nothing.
    """
    assessed = read_incident(call.github(), call.arguments.number, call.config_path, call.now)
    incident = assessed.incident
    if call.arguments.json:
        encoded = msgspec.json.format(msgspec.json.encode(incident.timeline), indent=2)
        print(visible_json(encoded.decode()))
        return
    day, of = incident.times[Moment.STARTED], assessed
    text = render("timeline.md.j2", number=of.number, title=of.title, incident=incident, day=day)
    print(visible(text) if call.arguments.markdown else plain(text), end="")


def _render(call: Invocation) -> None:
    """Print the draft for any incident.

    As its file would be. Writes nothing.
    """
    github = call.github()
    assessed = read_incident(github, call.arguments.number, call.config_path, call.now)
    print(visible(draft_file(draft_of(assessed), github.file(OVERRIDE))), end="")


def _lint(call: Invocation) -> int:
    """Say what postmortems lack, line by line.

    Exit code 1 when something must be put right before the review.
    """
    files, today = call.arguments.files, call.now.date()
    findings = [(str(path), each) for path in files for each in _findings(path, today)]
    call.runner.findings(findings)
    return 0 if clean(tuple(finding for _, finding in findings)) else 1


def _findings(path: Path, today: date) -> tuple[LintFinding, ...]:
    """The lint's findings in a postmortem. Raises `InputError` when the file can't be read."""
    try:
        document = Document.from_bytes(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"{path} can't be read: {error.strerror or error}",
            remedy="Give the path of a postmortem.",
        ) from None
    return lint(document, LintFacts(today, link.incident_of_path(path.as_posix())))
