"""What GitHub records of changes, as our values. A wrong shape raises; the caller explains it."""

from __future__ import annotations

from typing import Any

from incident_actions.domain.changes.suspects import MergedPull, Push, Release, WorkflowRun
from incident_actions.github.decoding import actor, time

MOST_FILES = 300
"""A comparison names no more files than this."""


def push(raw: Any) -> Push:
    """https://docs.github.com/en/rest/repos/repos#list-repository-activities"""
    return Push(time(raw["timestamp"]), actor(raw["actor"]).login, raw["before"], raw["after"])


def pull(raw: Any) -> MergedPull | None:
    """https://docs.github.com/en/rest/pulls/pulls#list-pull-requests. None: it was not merged."""
    if not raw.get("merged_at") or not raw.get("merge_commit_sha"):
        return None
    return MergedPull(
        number=int(raw["number"]),
        title=raw["title"],
        by=actor(raw.get("user")).login,
        at=time(raw["merged_at"]),
        sha=raw["merge_commit_sha"],
    )


def release(raw: Any) -> Release | None:
    """https://docs.github.com/en/rest/releases/releases#list-releases. None: it is a draft."""
    if not raw.get("published_at"):
        return None
    return Release(time(raw["published_at"]), actor(raw.get("author")).login, raw["tag_name"])


def workflow_run(raw: Any) -> WorkflowRun:
    """https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository

    `path` may end in `@branch`.
    """
    return WorkflowRun(
        id=int(raw["id"]),
        at=time(raw.get("run_started_at") or raw["created_at"]),
        by=actor(raw.get("actor")).login,
        name=raw.get("name") or "a workflow",
        path=raw["path"].partition("@")[0],
        sha=raw["head_sha"],
        succeeded=raw.get("conclusion") in (None, "success"),
    )


def changed_files(raw: Any) -> tuple[str, ...] | None:
    """https://docs.github.com/en/rest/commits/commits#compare-two-commits

    None when there may be more than GitHub names. A renamed file counts under both names.
    """
    files = raw["files"]
    if len(files) >= MOST_FILES:
        return None
    names = [name for file in files for name in (file["filename"], file.get("previous_filename"))]
    return tuple(dict.fromkeys(name for name in names if name))
