"""Runs of workflows. See https://docs.github.com/rest/actions/workflow-runs"""

from __future__ import annotations

from .model import Record, Repository, User
from .pulls import HEADS
from .world import World


def add_run(
    world: World,
    repo: Repository,
    workflow: Record,
    actor: User,
    *,
    event: str,
    status: str = "queued",
    conclusion: str | None = None,
    created_at: str = "",
    branch: str | None = None,
) -> int:
    """Add a run of a workflow, by default one that waits; the answer is its id."""
    branch = branch or repo.default_branch
    data = {
        "name": workflow.data["name"],
        "path": workflow.data["path"],
        "workflow_id": workflow.id,
        "run_number": 1 + sum(one.data["workflow_id"] == workflow.id for one in repo.runs),
        "event": event,
        "status": status,
        "conclusion": conclusion if status == "completed" else None,
        "head_branch": branch,
        "head_sha": repo.git.refs[HEADS + branch],
        "display_title": workflow.data["name"],
    }
    row = world.record(actor, data, created_at)
    repo.runs.append(row)
    return row.id
