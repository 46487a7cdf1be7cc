"""The commands about postmortems that people type: `postmortem render` and `postmortem lint`."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from incident_actions.cli.runner import Runner
from incident_actions.config import PATH
from incident_actions.domain.postmortem import link
from incident_actions.domain.postmortem.document import Document
from incident_actions.domain.postmortem.lint import LintFacts, LintFinding, clean, lint
from incident_actions.errors import InputError
from incident_actions.github.client import GitHub
from incident_actions.reconcile.issue import read_incident
from incident_actions.reconcile.postmortem import draft_of
from incident_actions.render.postmortem import OVERRIDE, draft_file

Connect = Callable[[argparse.Namespace, Mapping[str, str]], GitHub]
Clock = Callable[[Mapping[str, str]], datetime]


def add_postmortem(commands: Any, connect: Connect, clock: Clock) -> None:
    """Add both commands. `connect` gives the repository of `--repository`; `clock` the time."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "postmortem",
        help="print the draft of a postmortem, or say what one lacks",
        description="Print the draft of a postmortem, or say what one lacks.",
    )
    below = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    render = below.add_parser(
        "render",
        help="print the draft for any incident",
        description="Print the draft for any incident, as its file would be. Writes nothing.",
    )
    render.add_argument("number", type=int, help="the incident's issue")
    render.add_argument("--repository", help="where incidents live, OWNER/NAME")
    render.add_argument("--config", help=f"path of the configuration there, default {PATH}")

    def run_render(arguments: argparse.Namespace, environ: Mapping[str, str], _: Runner) -> int:
        path = arguments.config or environ.get("INPUT_CONFIG") or PATH
        github = connect(arguments, environ)
        it = read_incident(github, arguments.number, path, clock(environ))
        print(draft_file(draft_of(it), github.file(OVERRIDE)), end="")
        return 0

    render.set_defaults(run=run_render)
    lints = below.add_parser(
        "lint",
        help="say what postmortems lack; exit 1 when something must",
        description="Say what postmortems lack, line by line. Exit code 1 when something must "
        "be put right before the review.",
    )
    lints.add_argument("files", nargs="+", type=Path, metavar="FILE")

    def run_lint(arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner) -> int:
        today = clock(environ).date()
        found = [(str(path), each) for path in arguments.files for each in _lint(path, today)]
        runner.findings(found)
        return 0 if clean(finding for _, finding in found) else 1

    lints.set_defaults(run=run_lint)


def _lint(path: Path, today: date) -> tuple[LintFinding, ...]:
    """What a file lacks. Raises `InputError` when it can't be read."""
    try:
        document = Document.from_bytes(path.read_bytes())
    except OSError as error:
        raise InputError(
            f"{path} can't be read: {error.strerror or error}",
            remedy="Give the path of a postmortem.",
        ) from None
    return lint(document, LintFacts(today, link.incident_of_path(path.as_posix())))
