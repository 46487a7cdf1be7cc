"""The entry point of the command line: parses it, runs one command, and reports its failure."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import NoReturn

from incident_actions import __version__, gate
from incident_actions.cli.inputs import Invocation, origin_here, tokens
from incident_actions.cli.runner import Runner
from incident_actions.errors import IncidentActionsError, InputError

MODULES = {
    "respond": "respond",
    "timeline": "incidents",
    "init": "init",
    "doctor": "doctor",
    "checklist": "checklist",
    "postmortem": "incidents",
    "freeze-status": "freeze_status",
}
"""Each command, and the module of `cli/` that has it. A call loads no other.

What workflows download lacks the modules of commands that only people call (`.gitattributes`)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code. Every failure becomes one annotation with its remedy.

    `argv` is the command line without the program's name; None means `sys.argv`.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    if words[:1] == ["gate"]:
        return gate.main(words[1:], _in_checkout(os.environ))  # the same file as the action's
    runner = Runner(os.environ, sys.stdout, sys.stderr)
    handlers = [runner.handler(tokens(os.environ))]
    logging.basicConfig(level=logging.INFO, handlers=handlers, force=True)
    for library in ("github", "urllib3"):  # `transport` logs each failed try in one line instead
        logging.getLogger(library).setLevel(logging.ERROR)
    try:
        arguments = _parser(words[0] if words else "").parse_args(words or ["--help"])
        return arguments.run(Invocation(arguments, os.environ, runner)) or 0
    except IncidentActionsError as error:
        runner.error(error.told(on_shell=not runner.in_workflow))
        return error.exit_code
    except BrokenPipeError:
        raise
    except OSError as error:  # a full disk, a folder of somebody else
        runner.error(_told_os_error(error))
        return InputError.exit_code
    except Exception as error:  # a bug: the message asks people to report it
        runner.crash(error, tokens(os.environ))
        return IncidentActionsError.exit_code


def _in_checkout(environ: Mapping[str, str]) -> Mapping[str, str]:
    """The environment of the gate: on a shell the repository is the `origin` of the checkout."""
    if environ.get("GITHUB_REPOSITORY", "").strip():
        return environ
    return {**environ, "GITHUB_REPOSITORY": origin_here()}


def _told_os_error(error: OSError) -> str:
    """What kept this machine from reading or writing a file, and what to do about it."""
    what = error.strerror or str(error)
    where = f"{error.filename}: {what}" if error.filename else what
    return f"{where}. Mend that on this machine, and call the command again."


class _Parser(argparse.ArgumentParser):
    """A parser whose errors are reported like all other errors of this program."""

    def error(self, message: str) -> NoReturn:
        """Raises `InputError`. argparse would print the usage and exit instead."""
        raise InputError(message, remedy=f"See `{self.prog} --help`.")


def _parser(command: str) -> argparse.ArgumentParser:
    """The parser for a call of `command`; it knows all commands where that is none of them.

    Raises `InputError` for a command that this copy lacks.
    """
    parser = _Parser(
        prog="incident-actions",
        description="Incident response for a GitHub repository, with GitHub as the only backend.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "gate", help="fail while an incident freezes deploys; `gate --help` shows its flags"
    )
    chosen = MODULES.get(command)
    for name in dict.fromkeys([chosen] if chosen else MODULES.values()):
        try:
            module = import_module(f"incident_actions.cli.{name}")
        except ModuleNotFoundError as error:
            if error.name is None or not error.name.startswith("incident_actions."):
                raise
            if chosen:
                raise InputError(
                    f"`{command}` is for people, and not in the copy that workflows download",
                    remedy=f"Call it on your machine: `uvx --from {_our_address(os.environ)} "
                    f"incident-actions {command}`.",
                ) from None
        else:
            module.add(commands)
    return parser


def _our_address(environ: Mapping[str, str]) -> str:
    """Where a shell gets this program: from the repository that the workflow's `uses:` names.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    named = environ.get("GITHUB_ACTION_REPOSITORY", "")
    copy = named if gate.is_repository(named) else "OWNER/incident-actions"
    return f"git+{environ.get('GITHUB_SERVER_URL') or 'https://github.com'}/{copy}"
