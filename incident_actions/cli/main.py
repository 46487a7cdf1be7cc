"""The command line. Only here are clients built, the environment and the clock read."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from incident_actions import __version__, gate
from incident_actions.cli import checklist, doctor, init, postmortems
from incident_actions.cli.checkout import remote_of, root_of
from incident_actions.cli.freeze_status import freeze_status
from incident_actions.cli.runner import Runner
from incident_actions.cli.timeline import timeline
from incident_actions.config import PATH
from incident_actions.errors import IncidentActionsError, InputError
from incident_actions.github.client import GitHub, connect
from incident_actions.reconcile import probes
from incident_actions.reconcile.respond import Tools, respond
from incident_actions.reconcile.route import WorkflowEvent

Run = Callable[[argparse.Namespace, Mapping[str, str], Runner], int]


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code. Every failure is one annotation with its remedy."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] == ["gate"]:
        return gate.main(given[1:])  # the same file that the action runs by path
    runner = Runner(os.environ, sys.stdout, sys.stderr)
    logging.basicConfig(level=logging.INFO, handlers=[runner.handler()], force=True)
    for library in ("github", "urllib3"):  # they tell each failed try at length; we do in a line
        logging.getLogger(library).setLevel(logging.ERROR)
    try:
        arguments = _parser().parse_args(given or ["--help"])
        run: Run = arguments.run
        return run(arguments, os.environ, runner)
    except IncidentActionsError as error:
        runner.error(error.told())
        return error.exit_code
    except Exception as error:  # nothing that we foresaw: whoever reads this can't mend it
        runner.crash(error, _tokens(os.environ))
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
    doctor.add_doctor(commands, _github, clock)
    checklist.add_checklist(commands)
    postmortems.add_postmortem(commands, _github, clock)
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
    event = _event(environ)
    github = _github(arguments, environ)
    path = _input(arguments, environ, "config") or PATH
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
    path = _input(arguments, environ, "config") or PATH
    github = _github(arguments, environ)
    print(timeline(github, arguments.number, path, clock(environ), as_json=arguments.json))
    return 0


def _freeze_status(
    arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner
) -> int:
    github = _github(arguments, environ)
    text = freeze_status(
        github,
        github.repository,
        arguments.service,
        environ,
        clock(environ),
        as_json=arguments.json,
        config_path=_input(arguments, environ, "config") or PATH,
    )
    print(text)
    return 0


def _input(arguments: argparse.Namespace, environ: Mapping[str, str], name: str) -> str:
    """An input: the flag, else `INPUT_NAME`."""
    given = getattr(arguments, name, None) or environ.get(f"INPUT_{name.upper()}", "")
    return str(given).strip()


def _github(arguments: argparse.Namespace, environ: Mapping[str, str]) -> GitHub:
    token = next(iter(_tokens(environ)), "")
    if not token:
        raise InputError(
            "there is no token to ask GitHub with",
            remedy="Set GITHUB_TOKEN: `export GITHUB_TOKEN=$(gh auth token)`. "
            "In a workflow leave `token` out.",
        )
    if not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(
            "the token holds a line break, a space or another character that no token has",
            remedy="Copy it again, on one line.",
        )
    repository = _input(arguments, environ, "repository") or environ.get("GITHUB_REPOSITORY", "")
    repository = repository or "/".join(remote_of(root_of(Path())) or ())
    if not repository:
        raise InputError(
            "the repository is not known",
            remedy="Give `--repository OWNER/NAME`, or call this in a checkout with an `origin`.",
        )
    owner, _, name = repository.partition("/")
    odd = set(repository) & set(" ?#%\\") or not repository.isprintable()
    if not owner or not name or "/" in name or odd or {owner, name} & {".", ".."}:
        raise InputError(
            f"the repository must be OWNER/NAME, not `{repository}`",
            remedy="Give `--repository OWNER/NAME`. In a workflow leave `repository` out.",
        )
    return connect(token, repository, _api_url(environ))


def _tokens(environ: Mapping[str, str]) -> list[str]:
    """The tokens that were given, the one to use first."""
    given = (environ.get(name, "").strip() for name in ("INPUT_TOKEN", "GITHUB_TOKEN"))
    return [token for token in given if token]


def _api_url(environ: Mapping[str, str]) -> str:
    """Where GitHub's API is; an enterprise has one of its own."""
    given = environ.get("GITHUB_API_URL", "").strip() or "https://api.github.com"
    try:
        parts = urlsplit(given)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or not given.isprintable() or " " in given:
        raise InputError(
            f"GITHUB_API_URL is no address: `{given}`",
            remedy="Leave it out, or write https://HOST/api/v3 for GitHub Enterprise Server.",
        )
    return given


def _event(environ: Mapping[str, str]) -> WorkflowEvent:
    name = environ.get("GITHUB_EVENT_NAME", "")
    path = environ.get("GITHUB_EVENT_PATH", "")
    if not name:
        raise InputError(
            "`respond` runs in a workflow, and GITHUB_EVENT_NAME is not set",
            remedy="From a shell start that workflow: `gh workflow run incident.yml`.",
        )
    if name in ("schedule", "workflow_dispatch") and not path:
        return WorkflowEvent(name, {})
    try:
        payload: Any = json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(
            f"the event file can't be read: {error.strerror or error}",
            remedy="Set GITHUB_EVENT_PATH to the event's JSON file, as the runner does.",
        ) from None
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"the event file is no JSON that can be read: {error}",
            remedy="Set GITHUB_EVENT_PATH to the event's JSON file, as the runner does.",
        ) from None
    if not isinstance(payload, dict):
        raise InputError(
            "the event file holds no JSON object",
            remedy="Set GITHUB_EVENT_PATH to the event's JSON file, as the runner does.",
        )
    return WorkflowEvent(name, payload)


def clock(environ: Mapping[str, str]) -> datetime:
    """Now, in UTC; `INCIDENT_NOW` overrides it for drills and tests."""
    given = environ.get("INCIDENT_NOW", "").strip()
    if not given:
        return datetime.now(UTC)
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        at = None
    if at is None or at.year not in _YEARS:
        raise InputError(
            f"INCIDENT_NOW is no ISO 8601 time of these years: `{given}`",
            remedy="Write 2026-11-23T14:02:00Z.",
        )
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


_YEARS = range(2000, 3000)
"""Beyond them nothing happened; near the calendar's ends there is no day before or after."""
