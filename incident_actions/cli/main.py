"""The command line. Only here are clients built, the environment and the clock read."""

from __future__ import annotations

import argparse
import logging
import os
import sys
import time
from collections.abc import Mapping, Sequence
from typing import NoReturn

from incident_actions import __version__, gate
from incident_actions.cli import checklist, doctor, freeze_status, incidents, init
from incident_actions.cli.inputs import Invocation, add_command, read_event, tokens
from incident_actions.cli.runner import Runner
from incident_actions.errors import IncidentActionsError, InputError
from incident_actions.reconcile import probes
from incident_actions.reconcile.respond import Tools, respond


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
        return arguments.run(Invocation(arguments, os.environ, runner)) or 0
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
    add_command(commands, "respond", _respond, on_github=True)
    incidents.add_timeline(commands)
    init.add_init(commands)
    doctor.add_doctor(commands)
    checklist.add_checklist(commands)
    incidents.add_postmortem(commands)
    freeze_status.add_freeze_status(commands)
    return parser


def _respond(it: Invocation) -> None:
    """Bring the incident of an event, or every open one, up to date.

    Labels, dashboard, answers, reminders, postmortem. Runs in a workflow, on the event that
    GITHUB_EVENT_NAME and GITHUB_EVENT_PATH tell.
    """
    event, github = read_event(it.environ), it.github()
    tools = Tools(it.now, time.sleep, probes.works, _workflow(it.environ, github.repository))
    it.runner.report(respond(github, event, it.config_path, tools))


def _workflow(environ: Mapping[str, str], repository: str) -> str:
    """The file name of the workflow that this runs in; empty when it is another repository's.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    path = environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0]
    owner, _, rest = path.partition("/.github/workflows/")
    return rest if owner.casefold() == repository.casefold() else ""
