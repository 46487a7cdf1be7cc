"""Deployments, their statuses, and environments. See https://docs.github.com/rest/deployments"""

from __future__ import annotations

from typing import Any

from ..errors import invalid, not_found, unprocessable
from ..model import Record, Repository
from ..render import node_id, repository_url, user_json, via_app
from ..render_git import page
from ..router import PAGED, Answer, Call, route
from ..webhooks import deliver
from ..world import World
from .issues import R

ONE = R + "/deployments/{deployment_id}"
STATES = ("error", "failure", "inactive", "in_progress", "queued", "pending", "success")


def deployment_json(world: World, repo: Repository, row: Record) -> dict[str, Any]:
    """A deployment."""
    base = repository_url(world, repo)
    url = f"{base}/deployments/{row.id}"
    return {
        "url": url,
        "id": row.id,
        "node_id": node_id("DE", row.id),
        **row.data,
        "creator": user_json(world, row.user),
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "statuses_url": f"{url}/statuses",
        "repository_url": base,
        "performed_via_github_app": via_app(world, row.user),
    }


def status_json(world: World, repo: Repository, row: Record, status: Record) -> dict[str, Any]:
    """A status of a deployment."""
    base = repository_url(world, repo)
    url = f"{base}/deployments/{row.id}"
    return {
        "url": f"{url}/statuses/{status.id}",
        "id": status.id,
        "node_id": node_id("DES", status.id),
        **status.data,
        "creator": user_json(world, status.user),
        "created_at": status.created_at,
        "updated_at": status.updated_at,
        "deployment_url": url,
        "repository_url": base,
        "performed_via_github_app": via_app(world, status.user),
    }


def _deployment(call: Call) -> Record:
    number = call.number("deployment_id")
    for row in call.repo.deployments:
        if row.id == number:
            return row
    raise not_found()


@route(
    f"GET {R}/deployments",
    scope="deployments",
    query=("sha", "ref", "task", "environment", *PAGED),
)
def list_deployments(call: Call) -> Answer:
    """Deployments, newest first."""
    names = ("sha", "ref", "task", "environment")
    wanted = {key: call.query[key] for key in names if key in call.query}
    found = [
        row
        for row in call.repo.deployments
        if all(row.data[key] == value for key, value in wanted.items())
    ]
    found.sort(key=lambda row: (row.created_at, row.id), reverse=True)
    return call.listing(found, lambda row: deployment_json(call.world, call.repo, row))


@route(f"POST {R}/deployments", scope="deployments", role="write")
def create_deployment(call: Call) -> Answer:
    """A deployment of a ref."""
    ref = call.text("ref")
    sha = call.repo.git.resolve(ref)
    if sha is None:
        raise unprocessable(f"No ref found for: {ref}")
    environment = call.value("environment", str) or "production"
    data = {
        "sha": sha,
        "ref": ref,
        "task": call.value("task", str) or "deploy",
        "payload": (call.body.get("payload") if isinstance(call.body, dict) else None) or {},
        "environment": environment,
        "original_environment": environment,
        "description": call.value("description", str),
        "transient_environment": bool(call.value("transient_environment", bool)),
        "production_environment": environment == "production",
    }
    row = call.world.record(call.actor.person(), data)
    call.repo.deployments.append(row)
    call.repo.environments.setdefault(
        environment, call.world.record(row.user, {"name": environment})
    )
    shown = deployment_json(call.world, call.repo, row)
    deliver(call.world, call.actor, "deployment", call.repo, "created", deployment=shown)
    return Answer(201, shown)


@route(f"GET {ONE}", scope="deployments")
def get_deployment(call: Call) -> Answer:
    """One deployment."""
    return Answer(200, deployment_json(call.world, call.repo, _deployment(call)))


@route(f"GET {ONE}/statuses", scope="deployments", query=PAGED)
def list_statuses(call: Call) -> Answer:
    """Statuses of a deployment, newest first."""
    row = _deployment(call)
    return call.listing(
        row.parts[::-1], lambda status: status_json(call.world, call.repo, row, status)
    )


@route(f"POST {ONE}/statuses", scope="deployments", role="write")
def create_status(call: Call) -> Answer:
    """A new status of a deployment."""
    row, state = _deployment(call), call.text("state")
    if state not in STATES:
        raise invalid("DeploymentStatus", "state")
    # GitHub shows "" for an address that was not given; its own description wants an address.
    home = page(call.world, call.repo, "deployments")
    target = call.value("log_url", str) or call.value("target_url", str) or home
    data = {
        "state": state,
        "description": call.value("description", str) or "",
        "environment": call.value("environment", str) or row.data["environment"],
        "environment_url": call.value("environment_url", str) or home,
        "log_url": target,
        "target_url": target,
    }
    status = call.world.record(call.actor.person(), data)
    row.parts.append(status)
    row.updated_at = status.created_at
    shown = status_json(call.world, call.repo, row, status)
    deliver(
        call.world,
        call.actor,
        "deployment_status",
        call.repo,
        "created",
        deployment=deployment_json(call.world, call.repo, row),
        deployment_status=shown,
    )
    return Answer(201, shown)


@route(f"GET {R}/environments", scope="actions", query=PAGED)
def list_environments(call: Call) -> Answer:
    """Environments that a deployment named."""
    base = repository_url(call.world, call.repo)

    def draw(row: Record) -> dict[str, Any]:
        name = row.data["name"]
        return {
            "id": row.id,
            "node_id": node_id("EN", row.id),
            "name": name,
            "url": f"{base}/environments/{name}",
            "html_url": f"{call.world.html}/{call.repo.full_name}/deployments/{name}",
            "created_at": row.created_at,
            "updated_at": row.updated_at,
            "protection_rules": [],
            "deployment_branch_policy": None,
        }

    return call.listing(list(call.repo.environments.values()), draw, "environments")
