"""The inputs of every command: token, repository, address of the API, event and clock.

A flag has priority over the environment. The gate reads its inputs itself, with the same checks.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec import Struct

from incident_actions import gate
from incident_actions.cli.runner import Runner
from incident_actions.config import PATH
from incident_actions.errors import InputError
from incident_actions.gate_inputs import event_payload
from incident_actions.github.client import GitHub
from incident_actions.reconcile.respond import WorkflowEvent


def given(arguments: argparse.Namespace, environ: Mapping[str, str], name: str) -> str:
    """The value of an input: its flag, else the variable `INPUT_NAME`, else an empty text."""
    value = getattr(arguments, name, None) or environ.get(f"INPUT_{name.upper()}", "")
    return str(value).strip()


def origin_here() -> str:
    """OWNER/NAME of the `origin` of the checkout around here; empty when it is not known."""
    try:  # the copy that workflows download lacks it: there GITHUB_REPOSITORY says it
        from incident_actions.cli.repository_files import remote_of, repository_folder
    except ModuleNotFoundError:
        return ""
    return remote_of(repository_folder(Path()))


def connect_to(arguments: argparse.Namespace, environ: Mapping[str, str]) -> GitHub:
    """A client for the repository that the inputs name, else for the `origin` of the checkout.

    Makes no request. Raises `InputError` when the token, the repository or the API's address is
    missing or malformed.
    """
    token = next(iter(tokens(environ)), "")
    if not token:
        raise InputError(
            "there is no token to ask GitHub with",
            remedy="Set GITHUB_TOKEN: `export GITHUB_TOKEN=$(gh auth token)`. "
            "In a workflow leave `token` out.",
        )
    if not gate.is_token(token):
        raise InputError(
            "the token holds a line break, a space or another character that no token has",
            remedy="Copy it again, on one line.",
        )
    repository = given(arguments, environ, "repository") or environ.get("GITHUB_REPOSITORY", "")
    repository = repository or origin_here()
    if not repository:
        raise InputError(
            "the repository is not known",
            remedy="Give `--repository OWNER/NAME`, or call this in a checkout with an `origin`.",
        )
    if not gate.is_repository(repository):
        raise InputError(
            f"the repository must be OWNER/NAME, not `{repository}`",
            remedy="Give `--repository OWNER/NAME`. In a workflow leave `repository` out.",
        )
    address = environ.get("GITHUB_API_URL", "").strip() or "https://api.github.com"
    if not gate.is_api_url(address):
        raise InputError(
            f"GITHUB_API_URL is no address: `{address}`",
            remedy="Leave it out, or write https://HOST/api/v3 for GitHub Enterprise Server.",
        )
    return GitHub(token, repository, address)


def tokens(environ: Mapping[str, str]) -> list[str]:
    """The tokens in the environment. The first one is the one to use."""
    values = (environ.get(name, "").strip() for name in ("INPUT_TOKEN", "GITHUB_TOKEN"))
    return [token for token in values if token]


def read_event(environ: Mapping[str, str]) -> WorkflowEvent:
    """The event that started the workflow. Raises `InputError` when it is missing or unreadable.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
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
        return WorkflowEvent(name, event_payload(environ))
    except gate.BadInputError as error:
        remedy = "Set GITHUB_EVENT_PATH to the event's JSON file, as the runner does."
        raise InputError(error.what, remedy=remedy) from None


def clock(environ: Mapping[str, str]) -> datetime:
    """The aware UTC time now, or that of INCIDENT_NOW, which drills and tests set.

    Raises `InputError` when INCIDENT_NOW can't be read.
    """
    try:
        return gate.fixed_now(environ.get("INCIDENT_NOW", "").strip()) or datetime.now(UTC)
    except gate.BadInputError as error:
        raise InputError(error.what, remedy="Write 2026-11-23T14:02:00Z.") from None


def running_clock(environ: Mapping[str, str]) -> Callable[[], datetime]:
    """A clock that goes on, second by second from INCIDENT_NOW where that is set.

    Raises `InputError` as `clock`.
    """
    fixed, began = clock(environ), time.monotonic()
    if not environ.get("INCIDENT_NOW", "").strip():
        return lambda: datetime.now(UTC)
    return lambda: fixed + timedelta(seconds=int(time.monotonic() - began))


class Invocation(Struct, frozen=True):
    """One call of a command: its flags, the environment, and where its output goes."""

    arguments: argparse.Namespace
    environ: Mapping[str, str]
    runner: Runner

    def github(self) -> GitHub:
        """A client for the repository. See `connect_to`."""
        return connect_to(self.arguments, self.environ)

    @property
    def now(self) -> datetime:
        """The aware UTC time. See `clock`."""
        return clock(self.environ)

    @property
    def config_path(self) -> str:
        """The path of the configuration file in the repository."""
        return given(self.arguments, self.environ, "config") or PATH


def add_command(
    commands: Any, name: str, run: Callable[[Invocation], int | None], *, on_github: bool = False
) -> argparse.ArgumentParser:
    """Add a command; gives its parser, so that the caller can add flags.

    `run` carries out the command and gives the exit code; None means 0. The docstring of `run` is
    the command's help: its first sentence stands in the list of commands, all of it on the
    command's own help page. `on_github` adds the flags `--repository` and `--config`.
    """
    text = " ".join((run.__doc__ or "").split())
    first_sentence = text.partition(". ")[0].rstrip(".")
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=first_sentence[:1].lower() + first_sentence[1:], description=text
    )
    parser.set_defaults(run=run)
    if on_github:
        parser.add_argument("--repository", help="where incidents live, OWNER/NAME")
        parser.add_argument("--config", help=f"path of the configuration there, default {PATH}")
    return parser
