"""Inputs that most deploys do not have: flags, and what an event says of a pull request."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any, NoReturn

from incident_actions.gate import CHECKED_OUT, INPUTS, BadInputError, plain
from incident_actions.gate_readers import TRUSTED, dig, kept, login


class SourcePull(SimpleNamespace):
    """A pull request that the commit came from."""

    number: int
    shas: frozenset[str]
    text: str  # the description, with its closing keywords; empty unless its author is trusted
    author: str = ""  # a login


class MergeGroup(SimpleNamespace):
    """What a merge queue wants to merge: all commits of `head` that `base` lacks."""

    base: str  # the branch that it is merged into, or a commit
    head: str  # a commit


# Where an event's payload names its own commit.
COMMITS: dict[str, tuple[str, ...]] = {
    "workflow_run": ("workflow_run", "head_sha"),
    "deployment": ("deployment", "sha"),
    "deployment_status": ("deployment", "sha"),
    "check_run": ("check_run", "head_sha"),
    "check_suite": ("check_suite", "head_sha"),
    "status": ("sha",),
}
HEADS = ("pull_request", "pull_request_review", "pull_request_review_comment", "merge_group")
TARGETS = (
    "pull_request", "pull_request_target", "pull_request_review", "pull_request_review_comment"
)  # fmt: skip


def read_flags(argv: Sequence[str]) -> dict[str, Any]:
    """Read the command line: flag names to values, None for a flag that is not given.

    There is a flag for each of `INPUTS`, and `--json`. Ends the program with exit code 2 for any
    other flag; with `--json` raises `BadInputError` instead.
    """
    import argparse  # slow to import, and no workflow needs it

    class Flags(argparse.ArgumentParser):
        def error(self, message: str) -> NoReturn:
            if "--json" not in argv:
                super().error(message)
            what = f"The gate's flags are wrong: {plain(message)}."
            raise BadInputError("bad-input", what, "See `incident-actions gate --help`.")

    parser = Flags(
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


def read_event(
    event: str, env: Mapping[str, str], sha: str = "", *, needed: bool = True
) -> dict[str, Any]:
    """Read which commit an event is about, one that is not in `CHECKED_OUT`.

    When the input `sha` says what is deployed, the event counts only if it is about that commit.
    Gives the fields of a `DeployRequest` that `own_commit` names. Raises `BadInputError` when the
    file of an event that would say what is deployed can't be read, and that is `needed`.
    """
    try:
        own = own_commit(event, env)
    except BadInputError:
        if needed and not sha:
            raise
        own = {"sha": "", "pulls": ()}
    if sha and sha not in {own["sha"], *own.get("shas", ())}:
        own = {"pulls": (), "scheduled": own.get("scheduled", event == "schedule")}
    return {**own, "sha": sha or own["sha"]}


def own_commit(event: str, env: Mapping[str, str]) -> dict[str, Any]:
    """The commit that an event names itself.

    Gives these fields of a `DeployRequest`: `sha` (empty when the event names no commit), `pulls`,
    and for some events `shas` and `group`. Besides, for some, `scheduled`: whether a schedule
    started the workflow before this one. Raises `BadInputError` when the file of an event of a
    pull request or a merge queue can't be read.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads
    """
    here = env.get("GITHUB_SHA", "").strip().lower()
    if event in COMMITS:
        upstream = None
        try:
            payload = event_payload(env)
            named = dig(payload, *COMMITS[event])
            upstream = dig(payload, event, "event")  # what started the other workflow
            if isinstance(upstream, str) and upstream not in (*CHECKED_OUT, *HEADS):
                named = None  # then that one's commit is the default branch's head, too
        except BadInputError:  # the commit is wanted only for what may let a frozen deploy pass
            named = None
        return {"sha": full_sha(named), "pulls": (), "scheduled": upstream == "schedule"}
    if event == "merge_group":
        return read_group(event_payload(env), here)
    if event in TARGETS:
        payload = event_payload(env)
        pull = read_pull(payload.get("pull_request"))
        if event != "pull_request_target":
            shas = pull.shas if pull else frozenset()
            known = shas | frozenset(filter(None, [here]))
            return {"sha": here, "shas": known, "pulls": (pull,) if pull else ()}
        # GITHUB_SHA is the base branch's head here.
        merged = dig(payload, "pull_request", "merged") is True
        path = ("merge_commit_sha",) if merged else ("head", "sha")
        sha = full_sha(dig(payload, "pull_request", *path))
        shas = pull.shas if pull else frozenset()
        return {"sha": sha, "shas": shas, "pulls": (pull,) if pull else ()}
    return {"sha": "", "pulls": ()}


def read_group(payload: dict[str, Any], here: str) -> dict[str, Any]:
    """Read the event of a merge queue; `here` is GITHUB_SHA. Gives the same as `read_event`.

    https://docs.github.com/en/webhooks/webhook-events-and-payloads#merge_group
    """
    keys = ("head_ref", "head_sha", "base_ref", "base_sha")
    branch, head, base, base_sha = (
        "".join(kept([dig(payload, "merge_group", key)], str)) for key in keys
    )
    match = re.search(r"/pr-([0-9]{1,9})-[0-9a-f]+$", branch)
    pulls = (SourcePull(number=int(match[1]), shas=frozenset(), text=""),) if match else ()
    sha = full_sha(head) or here
    group = MergeGroup(base=base.removeprefix("refs/heads/") or base_sha, head=sha)
    shas = frozenset(filter(None, [sha, here]))
    return {"sha": sha, "shas": shas, "pulls": pulls, "group": group if match else None}


def full_sha(text: object) -> str:
    """A commit's full hash, in lower case; empty for anything else."""
    sha = text.lower() if isinstance(text, str) else ""
    return sha if re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", sha) else ""


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
