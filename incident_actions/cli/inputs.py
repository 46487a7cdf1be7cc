"""What every command is given: token, repository, address of the API, event and clock.

Flags come first, then the environment. The gate reads its own inputs, by the same checks.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from incident_actions.cli.checkout import remote_of, root_of
from incident_actions.errors import InputError
from incident_actions.gate import is_api_url, is_repository, is_token
from incident_actions.gate_readers import parse_now
from incident_actions.github.client import GitHub
from incident_actions.reconcile.route import WorkflowEvent


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
    if not is_token(token):
        raise InputError(
            "the token holds a line break, a space or another character that no token has",
            remedy="Copy it again, on one line.",
        )
    repository = given(arguments, environ, "repository") or environ.get("GITHUB_REPOSITORY", "")
    repository = repository or "/".join(remote_of(root_of(Path())) or ())
    if not repository:
        raise InputError(
            "the repository is not known",
            remedy="Give `--repository OWNER/NAME`, or call this in a checkout with an `origin`.",
        )
    if not is_repository(repository):
        raise InputError(
            f"the repository must be OWNER/NAME, not `{repository}`",
            remedy="Give `--repository OWNER/NAME`. In a workflow leave `repository` out.",
        )
    address = environ.get("GITHUB_API_URL", "").strip() or "https://api.github.com"
    if not is_api_url(address):
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
        payload: Any = json.loads(Path(path).read_text(encoding="utf-8"))
        problem = "" if isinstance(payload, dict) else "file holds no JSON object"
    except OSError as error:
        problem = f"file can't be read: {error.strerror or error}"
    except (ValueError, RecursionError) as error:
        problem = f"file is no JSON that can be read: {error}"
    if problem:
        raise InputError(
            f"the event {problem}",
            remedy="Set GITHUB_EVENT_PATH to the event's JSON file, as the runner does.",
        )
    return WorkflowEvent(name, payload)


def clock(environ: Mapping[str, str]) -> datetime:
    """Now, in UTC; `INCIDENT_NOW` overrides it for drills and tests, as it does for the gate."""
    text = environ.get("INCIDENT_NOW", "").strip()
    now = parse_now(text) if text else datetime.now(UTC)
    if now is None:
        raise InputError(
            f"INCIDENT_NOW is no ISO 8601 time of these years: `{text}`",
            remedy="Write 2026-11-23T14:02:00Z.",
        )
    return now
