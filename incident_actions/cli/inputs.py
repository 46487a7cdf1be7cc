"""What every command is given: token, repository, address of the API, event and clock.

Flags come first, then the environment. The gate reads its own inputs, by the same checks.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from msgspec import Struct

from incident_actions import gate
from incident_actions.cli.repository_files import remote_of, repository_folder
from incident_actions.cli.runner import Runner
from incident_actions.config import PATH
from incident_actions.errors import InputError
from incident_actions.github.client import GitHub
from incident_actions.reconcile.respond import WorkflowEvent


def given(arguments: argparse.Namespace, environ: Mapping[str, str], name: str) -> str:
    """An input: the flag, else `INPUT_NAME`. Empty when there is neither."""
    value = getattr(arguments, name, None) or environ.get(f"INPUT_{name.upper()}", "")
    return str(value).strip()


def connect_to(arguments: argparse.Namespace, environ: Mapping[str, str]) -> GitHub:
    """A client for the repository that is named, or that the checkout came from.

    Raises `InputError` for a token, a repository or an address that can't be one.
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
    repository = repository or remote_of(repository_folder(Path()))
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
    """The tokens that were given, the one to use first."""
    found = (environ.get(name, "").strip() for name in ("INPUT_TOKEN", "GITHUB_TOKEN"))
    return [token for token in found if token]


def read_event(environ: Mapping[str, str]) -> WorkflowEvent:
    """The event that the workflow runs on. Raises `InputError` when there is none to be read.

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
        return WorkflowEvent(name, gate.event_payload(environ))
    except gate.BadInputError as error:
        remedy = "Set GITHUB_EVENT_PATH to the event's JSON file, as the runner does."
        raise InputError(error.what, remedy=remedy) from None


def clock(environ: Mapping[str, str]) -> datetime:
    """Now, in UTC; `INCIDENT_NOW` overrides it for drills and tests, as it does for the gate."""
    try:
        return gate.fixed_now(environ.get("INCIDENT_NOW", "").strip()) or datetime.now(UTC)
    except gate.BadInputError as error:
        raise InputError(error.what, remedy="Write 2026-11-23T14:02:00Z.") from None


class Invocation(Struct, frozen=True):
    """One command as somebody started it: its flags, the environment, where its words go."""

    arguments: argparse.Namespace
    environ: Mapping[str, str]
    runner: Runner

    def github(self) -> GitHub:
        """A client for the repository, as `connect_to` makes it."""
        return connect_to(self.arguments, self.environ)

    @property
    def now(self) -> datetime:
        """The time in UTC, as `clock` tells it."""
        return clock(self.environ)

    @property
    def config_path(self) -> str:
        """The path of the configuration in the repository."""
        return given(self.arguments, self.environ, "config") or PATH


def add_command(
    commands: Any, name: str, run: Callable[[Invocation], int | None], *, on_github: bool = False
) -> argparse.ArgumentParser:
    """Add a command; gives its parser, for flags of its own. `run` gives the exit code; None is 0.

    Its help is the docstring of `run`: the first sentence in the list of commands, the whole of
    it on its own page. `on_github`: with the flags that say where incidents live.
    """
    text = " ".join((run.__doc__ or "").split())
    brief = text.partition(". ")[0].rstrip(".")
    parser: argparse.ArgumentParser = commands.add_parser(
        name, help=brief[:1].lower() + brief[1:], description=text
    )
    parser.set_defaults(run=run)
    if on_github:
        parser.add_argument("--repository", help="where incidents live, OWNER/NAME")
        parser.add_argument("--config", help=f"path of the configuration there, default {PATH}")
    return parser
