"""Workflows, their runs, and the settings of Actions. See https://docs.github.com/rest/actions"""

from __future__ import annotations

import json
from typing import Any

from ..errors import forbidden, not_found, unprocessable
from ..model import Record
from ..render import node_id, repository_url, short_repository_json, user_json
from ..render_git import page
from ..router import PAGED, Answer, Call, route
from ..runs import add_run
from ..webhooks import deliver
from .issues import R

RUN_QUERY = (
    "actor",
    "branch",
    "event",
    "status",
    "created",
    "head_sha",
    "exclude_pull_requests",
    *PAGED,
)


def _settings_allowed(call: Call) -> None:
    # Reading these needs the administration permission, which no workflow token can have.
    if call.actor.is_workflow:
        raise forbidden("Resource not accessible by integration")
    call.need("admin")


@route(f"GET {R}/actions/permissions")
def get_permissions(call: Call) -> Answer:
    """Whether Actions are on, for admins."""
    _settings_allowed(call)
    return Answer(200, {"enabled": True, "allowed_actions": "all"})


@route(f"GET {R}/actions/permissions/workflow")
def get_workflow_permissions(call: Call) -> Answer:
    """What a workflow's token may do by default, for admins."""
    _settings_allowed(call)
    settings = call.repo.settings
    return Answer(
        200,
        {
            "default_workflow_permissions": settings.workflow_permissions,
            "can_approve_pull_request_reviews": settings.actions_create_pulls,
        },
    )


@route(f"PUT {R}/actions/permissions/workflow")
def set_workflow_permissions(call: Call) -> Answer:
    """Change that default."""
    _settings_allowed(call)
    settings = call.repo.settings
    level = call.value("default_workflow_permissions", str)
    if level:
        settings.workflow_permissions = level
    allowed = call.value("can_approve_pull_request_reviews", bool)
    if allowed is not None:
        settings.actions_create_pulls = allowed
    return Answer(204)


def _workflow_json(call: Call, row: Record) -> dict[str, Any]:
    base = f"{repository_url(call.world, call.repo)}/actions/workflows/{row.id}"
    name = row.data["path"].rpartition("/")[2]
    html = page(call.world, call.repo, f"actions/workflows/{name}")
    return {
        "id": row.id,
        "node_id": node_id("W", row.id),
        **row.data,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "url": base,
        "html_url": html,
        "badge_url": f"{html}/badge.svg",
    }


def _workflow(call: Call) -> Record:
    """By id or by file name, as GitHub allows."""
    wanted = call.params["workflow_id"]
    for row in call.repo.workflows:
        if wanted in (str(row.id), row.data["path"].rpartition("/")[2]):
            return row
    raise not_found()


@route(f"GET {R}/actions/workflows", scope="actions", query=PAGED)
def list_workflows(call: Call) -> Answer:
    """Workflows of the repository."""
    rows = call.repo.workflows
    return call.listing(rows, lambda row: _workflow_json(call, row), "workflows")


@route(f"GET {R}/actions/workflows/{{workflow_id}}", scope="actions")
def get_workflow(call: Call) -> Answer:
    """One workflow."""
    return Answer(200, _workflow_json(call, _workflow(call)))


@route(f"PUT {R}/actions/workflows/{{workflow_id}}/enable", scope="actions", role="write")
def enable_workflow(call: Call) -> Answer:
    """Switch a workflow on again."""
    _workflow(call).data["state"] = "active"
    return Answer(204)


@route(f"POST {R}/actions/workflows/{{workflow_id}}/dispatches", scope="actions", role="write")
def dispatch_workflow(call: Call) -> Answer:
    """Start a workflow by hand."""
    row, ref = _workflow(call), call.text("ref")
    if call.repo.git.resolve(ref) is None:
        raise unprocessable(f"No ref found for: {ref}")
    inputs = call.value("inputs", dict) or {}
    if row.data["state"] != "active":
        raise forbidden("Cannot trigger a 'workflow_dispatch' on a disabled workflow")
    _takes_a_dispatch(call, row.data["path"], ref, inputs)
    call.repo.dispatches.append({"workflow": row.data["path"], "ref": ref, "inputs": inputs})
    add_run(call.world, call.repo, row, call.actor.person(), event="workflow_dispatch")
    deliver(
        call.world,
        call.actor,
        "workflow_dispatch",
        call.repo,
        inputs=inputs,
        ref=f"refs/heads/{ref}",
        workflow=row.data["path"],
    )
    return Answer(204)


def _takes_a_dispatch(call: Call, path: str, ref: str, inputs: dict[str, Any]) -> None:
    """Refuse a dispatch that the workflow's file does not provide for, where that file is there."""
    git, tip = call.repo.git, call.repo.git.resolve(ref)
    entry = git.files(git.commits[tip].tree).get(path) if tip else None
    if entry is None:
        return
    text = git.blobs[entry[1]].decode()
    if "workflow_dispatch" not in text:
        raise unprocessable("Workflow does not have 'workflow_dispatch' trigger")
    unknown = sorted(name for name in inputs if f" {name}:" not in text)
    if unknown:
        raise unprocessable(f"Unexpected inputs provided: {json.dumps(unknown)}")


def _run_json(call: Call, row: Record) -> dict[str, Any]:
    base = f"{repository_url(call.world, call.repo)}/actions"
    url = f"{base}/runs/{row.id}"
    home = short_repository_json(call.world, call.repo)
    actor = user_json(call.world, row.user)
    commit = call.repo.git.commits[row.data["head_sha"]]
    who = {"name": commit.name, "email": "someone@example.com"}
    suite = f"{repository_url(call.world, call.repo)}/check-suites/{row.id}"
    return {
        "id": row.id,
        "node_id": node_id("WFR", row.id),
        **row.data,
        "run_attempt": 1,
        "check_suite_id": row.id,
        "check_suite_url": suite,
        "url": url,
        "html_url": page(call.world, call.repo, f"actions/runs/{row.id}"),
        "jobs_url": f"{url}/jobs",
        "logs_url": f"{url}/logs",
        "artifacts_url": f"{url}/artifacts",
        "cancel_url": f"{url}/cancel",
        "rerun_url": f"{url}/rerun",
        "workflow_url": f"{base}/workflows/{row.data['workflow_id']}",
        "pull_requests": [],
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "run_started_at": row.created_at,
        "actor": actor,
        "triggering_actor": actor,
        "head_commit": {
            "id": commit.sha,
            "tree_id": commit.tree,
            "message": commit.message,
            "timestamp": commit.date,
            "author": who,
            "committer": who,
        },
        "repository": home,
        "head_repository": home,
    }


def _created(query: str, created_at: str) -> bool:
    """GitHub's date filter: `>=2026-11-23`, `2026-11-01..2026-11-30`, or one day."""
    if not query:
        return True
    if ".." in query:
        low, _, high = query.partition("..")
        return (low == "*" or created_at >= low) and (
            high == "*" or created_at[: len(high)] <= high
        )
    for sign in (">=", "<=", ">", "<"):
        if query.startswith(sign):
            bound = query.removeprefix(sign)
            head = created_at[: len(bound)]
            return {
                ">=": head >= bound,
                "<=": head <= bound,
                ">": head > bound,
                "<": head < bound,
            }[sign]
    return created_at.startswith(query)


def _runs(call: Call, rows: list[Record]) -> Answer:
    query = call.query

    def fits(row: Record) -> bool:
        data = row.data
        return (
            query.get("event", data["event"]) == data["event"]
            and query.get("branch", data["head_branch"]) == data["head_branch"]
            and query.get("head_sha", data["head_sha"]) == data["head_sha"]
            and query.get("actor", row.user.login).lower() == row.user.login.lower()
            and query.get("status", data["status"]) in (data["status"], data["conclusion"])
            and _created(query.get("created", ""), row.created_at)
        )

    found = sorted(filter(fits, rows), key=lambda row: (row.created_at, row.id), reverse=True)
    return call.listing(found, lambda row: _run_json(call, row), "workflow_runs")


@route(f"GET {R}/actions/runs", scope="actions", query=RUN_QUERY)
def list_runs(call: Call) -> Answer:
    """Runs of all workflows, newest first."""
    return _runs(call, call.repo.runs)


@route(f"GET {R}/actions/workflows/{{workflow_id}}/runs", scope="actions", query=RUN_QUERY)
def list_workflow_runs(call: Call) -> Answer:
    """Runs of one workflow, newest first."""
    number = _workflow(call).id
    return _runs(call, [row for row in call.repo.runs if row.data["workflow_id"] == number])


@route(f"GET {R}/actions/runs/{{run_id}}", scope="actions", query=("exclude_pull_requests",))
def get_run(call: Call) -> Answer:
    """One run."""
    number = call.number("run_id")
    for row in call.repo.runs:
        if row.id == number:
            return Answer(200, _run_json(call, row))
    raise not_found()
