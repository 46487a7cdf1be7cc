"""The entry point of the command line: parses it, runs one command, and reports its failure."""

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
from incident_actions.cli.inputs import (
    Invocation,
    add_command,
    given,
    read_event,
    running_clock,
    tokens,
)
from incident_actions.cli.runner import Runner
from incident_actions.domain.reminders.clock import read_watch_length
from incident_actions.errors import IncidentActionsError, InputError
from incident_actions.reconcile import probes
from incident_actions.reconcile.respond import Tools, respond


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code. Every failure becomes one annotation with its remedy.

    `argv` is the command line without the program's name; None means `sys.argv`.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["gate"]:
        return gate.main(words[1:], os.environ)  # the same file that the action runs by path
    runner = Runner(os.environ, sys.stdout, sys.stderr)
    handlers = [runner.handler(tokens(os.environ))]
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    for library in ("github", "urllib3"):  # `transport` logs each failed try in one line instead
        logging.getLogger(library).setLevel(logging.ERROR)
    try:
        arguments = _parser().parse_args(words or ["--help"])
        return arguments.run(Invocation(arguments, os.environ, runner)) or 0
    except IncidentActionsError as error:
        runner.error(error.told())
        return error.exit_code
    except Exception as error:  # a bug: the message asks people to report it
        runner.crash(error, tokens(os.environ))
        return IncidentActionsError.exit_code


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are reported like all other errors of this program."""

    def error(self, message: str) -> NoReturn:
        """Raises `InputError`. argparse would print the usage and exit instead."""
        raise InputError(message, remedy=f"See `{self.prog} --help`.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="incident-actions",
        description="Incident response for a GitHub repository, with GitHub as the only backend.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
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


def _respond(call: Invocation) -> None:
    """Bring the incident of an event, or every open one, up to date.

    Labels, dashboard, answers, reminders, postmortem. Runs in a workflow, on the event that
    GITHUB_EVENT_NAME and GITHUB_EVENT_PATH tell. Starts a run that stays awake while an incident
    needs reminders on time.
    """
    event, github = read_event(call.environ), call.github()
    run = call.environ.get("GITHUB_RUN_ID", "")
    tools = Tools(
        clock=running_clock(call.environ),
        sleep=time.sleep,
        probe=probes.works,
        workflow=_workflow(call.environ, github.repository),
        branch=call.environ.get("GITHUB_REF_NAME", ""),
        run_url=_run_url(call.environ),
        run=int(run) if run.isdecimal() else None,
        watch=read_watch_length(given(call.arguments, call.environ, "watch_minutes")),
    )
    call.runner.report(respond(github, event, call.config_path, tools))


def _workflow(environ: Mapping[str, str], repository: str) -> str:
    """The file name of the running workflow; empty when it is a file of another repository.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    path = environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0]
    owner, _, rest = path.partition("/.github/workflows/")
    return rest if owner.casefold() == repository.casefold() else ""


def _run_url(environ: Mapping[str, str]) -> str:
    """The address of the running workflow's run; empty outside of a workflow.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    parts = [environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    server, repository, run = parts
    return f"{server}/{repository}/actions/runs/{run}" if all(parts) else ""
