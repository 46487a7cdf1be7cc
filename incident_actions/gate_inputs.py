"""Inputs that only some runs have: flags from a shell, and the event of a pull request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from incident_actions.gate import INPUTS, BadInputError, SourcePull, plain
from incident_actions.gate_readers import TRUSTED


def read_flags(argv: Sequence[str]) -> dict[str, Any]:
    """Read the command line; each input is a flag. Exit code 2 for an unknown one."""
    import argparse  # not needed for an event, and slow to import

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


def read_event(env: Mapping[str, str]) -> tuple[tuple[SourcePull, ...], frozenset[str]]:
    """Read the pull request and commits that a `pull_request` or `merge_group` event is about.

    https://docs.github.com/en/actions/writing-workflows/choosing-when-your-workflow-runs/events-that-trigger-workflows#merge_group
    """
    try:
        with open(env.get("GITHUB_EVENT_PATH", ""), encoding="utf-8-sig") as file:
            event = json.load(file)
        if not isinstance(event, dict):
            raise ValueError("not an object")
    except (OSError, ValueError, RecursionError) as error:
        what = f"The event file (GITHUB_EVENT_PATH) can't be read: {plain(error)}."
        raise BadInputError(
            what, "Run the gate in a workflow, or leave GITHUB_EVENT_NAME out."
        ) from None
    pull = read_pull(event.get("pull_request"))
    group = event.get("merge_group")
    if isinstance(group, dict) and isinstance(group.get("head_ref"), str):
        found = re.search(r"/pr-(\d+)-[0-9a-f]+$", group["head_ref"])
        sha = group.get("head_sha")
        pull = SourcePull(number=int(found[1]), shas=frozenset(), text="") if found else None
        return (pull,) if pull else (), frozenset([sha] if isinstance(sha, str) else ())
    return ((pull,), pull.shas) if pull else ((), frozenset())


def read_pull(item: object) -> SourcePull | None:
    """Read one pull request, from an event or from an answer.

    Its author may edit the description at any time, so an outsider's proves nothing.
    https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit
    """
    number = item.get("number") if isinstance(item, dict) else None
    if not isinstance(item, dict) or type(number) is not int:
        return None
    head = item.get("head")
    shas = [head.get("sha") if isinstance(head, dict) else None, item.get("merge_commit_sha")]
    text = item.get("body") if str(item.get("author_association")) in TRUSTED else ""
    return SourcePull(
        number=number,
        shas=frozenset(sha for sha in shas if isinstance(sha, str)),
        text=text if isinstance(text, str) else "",
    )
