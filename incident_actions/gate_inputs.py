"""Inputs that most deploys do not have: flags, and what an event says of a pull request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from incident_actions.gate import INPUTS, BadInputError, plain
from incident_actions.gate_readers import TRUSTED, dig, kept, login


class SourcePull(SimpleNamespace):
    """A pull request that the commit came from."""

    number: int
    shas: frozenset[str]
    text: str  # the description, with its closing keywords; empty unless its author is trusted
    author: str = ""  # a login


def read_flags(argv: Sequence[str]) -> dict[str, Any]:
    """Read the command line: flag names to values, None for a flag that is not given.

    There is a flag for each of `INPUTS`, and `--json`. Ends the program with exit code 2 for any
    other flag.
    """
    import argparse  # slow to import, and no workflow needs it

    parser = argparse.ArgumentParser(
        prog="incident-actions gate",
        description="May this change be deployed now? Exit code 0: yes; 1: no; 2: wrong input;"
        " 3: GitHub could not be asked. Each flag is also an environment variable, INPUT_NAME;"
        " the token is read from INPUT_TOKEN or GITHUB_TOKEN.",
    )
    for name, default, text in INPUTS:
        shown = f" (default: {default})" if default else ""
        parser.add_argument(f"--{name}", help=text + shown)
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    return vars(parser.parse_args(argv))


def event_payload(env: Mapping[str, str]) -> dict[str, Any]:
    """Read the payload of the event that started the workflow.

    Raises `BadInputError` when its file can't be read or holds no JSON object.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    try:
        with open(env.get("GITHUB_EVENT_PATH", ""), encoding="utf-8-sig") as file:
            event = json.load(file)
        if isinstance(event, dict):
            return event
        reason = "it holds no JSON object"
    except (OSError, ValueError, RecursionError) as error:
        reason = plain(error)
    what = f"The event file (GITHUB_EVENT_PATH) can't be read: {reason}."
    remedy = "Run the gate in a workflow, or leave GITHUB_EVENT_NAME out."
    raise BadInputError("bad-input", what, remedy)


def read_event(env: Mapping[str, str]) -> tuple[tuple[SourcePull, ...], frozenset[str]]:
    """Read the pull requests and the commit SHAs that an event names, one of `EVENTS_OF_PULLS`.

    Raises `BadInputError` when the event file can't be read.

    https://docs.github.com/en/actions/writing-workflows/choosing-when-your-workflow-runs/events-that-trigger-workflows#merge_group
    """
    event = event_payload(env)
    pull = read_pull(event.get("pull_request"))
    shas = pull.shas if pull else frozenset()
    branch = dig(event, "merge_group", "head_ref")
    if isinstance(branch, str):
        match = re.search(r"/pr-(\d+)-[0-9a-f]+$", branch)
        pull = SourcePull(number=int(match[1]), shas=frozenset(), text="") if match else None
        shas = frozenset(kept([dig(event, "merge_group", "head_sha")], str))
    return (pull,) if pull else (), shas


def read_pull(item: object) -> SourcePull | None:
    """Read one pull request, as an event or GitHub's API gives it; None when `item` is none.

    An author can edit the description at any time, so an outsider's description is left out.
    https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit
    """
    number = dig(item, "number")
    if type(number) is not int:
        return None
    shas = kept([dig(item, "head", "sha"), dig(item, "merge_commit_sha")], str)
    believed = str(dig(item, "author_association")) in TRUSTED
    text = "".join(kept([dig(item, "body")], str)) if believed else ""
    author = login(dig(item, "user")) or ""
    return SourcePull(number=number, shas=frozenset(shas), text=text, author=author)
