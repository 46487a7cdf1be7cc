"""The command line. Only here are clients built, the environment and the clock read."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from incident_actions import __version__, gate
from incident_actions.cli import checklist, doctor, init, postmortems
from incident_actions.cli.freeze_status import freeze_status
from incident_actions.cli.inputs import clock, connect_to, given, read_event, tokens
from incident_actions.cli.runner import Runner
from incident_actions.cli.timeline import timeline
from incident_actions.config import PATH
from incident_actions.errors import IncidentActionsError, InputError
from incident_actions.reconcile import probes
from incident_actions.reconcile.respond import Tools, respond

Run = Callable[[argparse.Namespace, Mapping[str, str], Runner], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code. Every failure is one annotation with its remedy."""
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["gate"]:
        return gate.main(words[1:], os.environ)  # the same file that the action runs by path
    runner = Runner(os.environ, sys.stdout, sys.stderr)
    logging.basicConfig(level=logging.INFO, handlers=[runner.handler()], force=True)
    for library in ("github", "urllib3"):  # they tell each failed try at length; we do in a line
        logging.getLogger(library).setLevel(logging.ERROR)
    try:
        arguments = _parser().parse_args(words or ["--help"])
        run: Run = arguments.run
        return run(arguments, os.environ, runner)
    except IncidentActionsError as error:
        runner.error(error.told())
        return error.exit_code
    except Exception as error:  # nothing that we foresaw: whoever reads this can't mend it
        runner.crash(error, tokens(os.environ))
        return IncidentActionsError.exit_code


class _Parser(argparse.ArgumentParser):
    """Wrong words on the command line are an error like any other."""

    def error(self, message: str) -> NoReturn:
        """Raises `InputError`: argparse itself would print two lines and exit."""
        raise InputError(message, remedy=f"See `{self.prog} --help`.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="incident-actions",
        description="Incident response for a GitHub repository, with GitHub as the only backend.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "gate", help="fail while an incident freezes deploys; `gate --help` shows its flags"
    )
    respond_command = commands.add_parser(
        "respond",
        help="bring the incident of an event, or every open one, up to date",
        description="Bring issues up to date: labels, dashboard, answers, reminders, postmortem. "
        "Runs in a workflow, on the event that GITHUB_EVENT_NAME and GITHUB_EVENT_PATH tell.",
    )
    _add_inputs(respond_command)
    respond_command.set_defaults(run=_respond)
    timeline_command = commands.add_parser(
        "timeline",
        help="print everything that happened in an incident",
        description="Print everything that happened in an incident, oldest first. Writes nothing.",
    )
    timeline_command.add_argument("number", type=int, help="the incident's issue")
    timeline_command.add_argument("--json", action="store_true", help="as JSON, one list")
    _add_inputs(timeline_command)
    timeline_command.set_defaults(run=_timeline)
    init.add_init(commands)
    doctor.add_doctor(commands, connect_to, clock)
    checklist.add_checklist(commands)
    postmortems.add_postmortem(commands, connect_to, clock)
    status_command = commands.add_parser(
        "freeze-status",
        help="print which services may be deployed now",
        description="Print which services may be deployed now, and what stops the others. "
        "Exit code 0, whatever is frozen.",
    )
    status_command.add_argument(
        "--service", action="append", default=[], help="only this one; may be given again"
    )
    status_command.add_argument("--json", action="store_true", help="as the gate's own JSON")
    _add_inputs(status_command)
    status_command.set_defaults(run=_freeze_status)
    return parser


def _add_inputs(parser: argparse.ArgumentParser) -> None:
    """The inputs that every command has; an empty one is as good as none."""
    parser.add_argument("--repository", help="where incidents live, OWNER/NAME")
    parser.add_argument("--config", help=f"path of the configuration there, default {PATH}")


def _respond(arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner) -> int:
    event = read_event(environ)
    github = connect_to(arguments, environ)
    path = given(arguments, environ, "config") or PATH
    tools = Tools(clock(environ), time.sleep, probes.works, _workflow(environ, github.repository))
    reports = respond(github, event, path, tools)
    runner.report(reports)
    return 0


def _workflow(environ: Mapping[str, str], repository: str) -> str:
    """The file name of the workflow that this runs in; empty when it is another repository's.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    path = environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0]
    owner, _, rest = path.partition("/.github/workflows/")
    return rest if owner.casefold() == repository.casefold() else ""


def _timeline(arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner) -> int:
    path = given(arguments, environ, "config") or PATH
    github = connect_to(arguments, environ)
    print(timeline(github, arguments.number, path, clock(environ), as_json=arguments.json))
    return 0


def _freeze_status(
    arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner
) -> int:
    github = connect_to(arguments, environ)
    text = freeze_status(
        github,
        github.repository,
        arguments.service,
        environ,
        clock(environ),
        as_json=arguments.json,
        config_path=given(arguments, environ, "config") or PATH,
    )
    print(text)
    return 0
