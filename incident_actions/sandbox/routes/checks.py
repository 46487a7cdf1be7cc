"""Check runs and commit statuses.

See https://docs.github.com/rest/checks/runs and https://docs.github.com/rest/commits/statuses
"""

from __future__ import annotations

from typing import Any

from ..errors import invalid, not_found, unprocessable
from ..model import Record
from ..render import app_json, node_id, repository_url, short_repository_json, user_json
from ..render_git import page
from ..router import PAGED, Answer, Call, route
from ..webhooks import deliver
from .issues import R

ONE = R + "/check-runs/{check_run_id}"
_CONCLUSIONS = (
    "action_required",
    "cancelled",
    "failure",
    "neutral",
    "success",
    "skipped",
    "stale",
    "timed_out",
)
MAX_ANNOTATIONS = 50


def check_json(call: Call, row: Record) -> dict[str, Any]:
    """A check run."""
    base = repository_url(call.world, call.repo)
    data = row.data
    html = page(call.world, call.repo, f"runs/{row.id}")
    output = data["output"]
    return {
        "id": row.id,
        "node_id": node_id("CR", row.id),
        "name": data["name"],
        "head_sha": data["head_sha"],
        "external_id": data["external_id"] or "",
        "url": f"{base}/check-runs/{row.id}",
        "html_url": html,
        "details_url": data["details_url"] or html,
        "status": data["status"],
        "conclusion": data["conclusion"],
        "started_at": data["started_at"] or row.created_at,
        "completed_at": data["completed_at"],
        "output": {
            "title": output.get("title"),
            "summary": output.get("summary"),
            "text": output.get("text"),
            "annotations_count": len(data["annotations"]),
            "annotations_url": f"{base}/check-runs/{row.id}/annotations",
        },
        "check_suite": {"id": row.id},
        "app": app_json(call.world),
        "pull_requests": [],
    }


def _fill(call: Call, data: dict[str, Any]) -> None:
    """Take over what the request says about a check run."""
    for key in ("name", "details_url", "external_id", "started_at", "completed_at", "status"):
        data[key] = call.value(key, str) or data.get(key)
    conclusion = call.value("conclusion", str)
    if conclusion:
        if conclusion not in _CONCLUSIONS:
            raise invalid("CheckRun", "conclusion")
        data["conclusion"], data["status"] = conclusion, "completed"
        data["completed_at"] = data["completed_at"] or call.world.now()
    if data["status"] == "completed" and not data["conclusion"]:
        raise invalid("CheckRun", "conclusion", "missing_field")
    output = call.value("output", dict)
    if output:
        rows = output.get("annotations") or []
        if len(rows) > MAX_ANNOTATIONS:
            raise unprocessable(
                f"Invalid request.\n\nNo more than 50 items are allowed; {len(rows)} were supplied."
            )
        if any(len(str(output.get(key) or "")) > 65_535 for key in ("summary", "text")):
            raise invalid("CheckRun", "output", "custom", "only 65535 characters are allowed")
        data["output"] = {**data["output"], **output}
        data["annotations"] += rows


def _check(call: Call) -> Record:
    number = call.number("check_run_id")
    for row in call.repo.checks:
        if row.id == number:
            return row
    raise not_found()


@route(f"POST {R}/check-runs", scope="checks", role="write")
def create_check(call: Call) -> Answer:
    """A check run, completed at once or in steps."""
    name, sha = call.text("name"), call.text("head_sha")
    if sha not in call.repo.git.commits:
        raise unprocessable(f"No commit found for SHA: {sha}")
    data: dict[str, Any] = {"name": name, "head_sha": sha, "status": "queued"}
    data |= {"output": {}, "annotations": [], "conclusion": None}
    _fill(call, data)
    row = call.world.record(call.actor.person(), data)
    call.repo.checks.append(row)
    shown = check_json(call, row)
    deliver(call.world, call.actor, "check_run", call.repo, "created", check_run=shown)
    return Answer(201, shown)


@route(f"GET {ONE}", scope="checks")
def get_check(call: Call) -> Answer:
    """One check run."""
    return Answer(200, check_json(call, _check(call)))


@route(f"PATCH {ONE}", scope="checks", role="write")
def edit_check(call: Call) -> Answer:
    """Update a check run; further annotations are appended."""
    row = _check(call)
    _fill(call, row.data)
    return Answer(200, check_json(call, row))


@route(f"GET {ONE}/annotations", scope="checks", query=PAGED)
def list_annotations(call: Call) -> Answer:
    """Annotations of a check run."""
    row = _check(call)
    sha = row.data["head_sha"]

    def draw(item: dict[str, Any]) -> dict[str, Any]:
        optional = ("start_column", "end_column", "title", "raw_details")
        return {
            **dict.fromkeys(optional),
            **item,
            "blob_href": page(call.world, call.repo, f"blob/{sha}/{item['path']}"),
        }

    return call.listing(row.data["annotations"], draw)


@route(
    f"GET {R}/commits/{{ref}}/check-runs",
    scope="checks",
    query=("check_name", "status", "filter", "app_id", *PAGED),
)
def list_checks(call: Call) -> Answer:
    """Check runs of a commit; of one name the latest, unless `filter=all`."""
    sha = call.repo.git.resolve(call.params["ref"])
    found = [row for row in call.repo.checks if row.data["head_sha"] == sha]
    if call.choice("filter", ("latest", "all")) == "latest":
        found = list({row.data["name"]: row for row in found}.values())
    name = call.query.get("check_name")
    status = call.query.get("status")
    found = [
        row
        for row in found
        if name in (None, row.data["name"]) and status in (None, row.data["status"])
    ]
    return call.listing(found, lambda row: check_json(call, row), "check_runs")


def _status_json(call: Call, row: Record) -> dict[str, Any]:
    data = row.data
    url = f"{repository_url(call.world, call.repo)}/statuses/{data['sha']}"
    shown = {key: data[key] for key in ("state", "description", "target_url", "context")}
    return {
        "url": url,
        "avatar_url": user_json(call.world, row.user)["avatar_url"],
        "id": row.id,
        "node_id": node_id("SC", row.id),
        **shown,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


@route(f"POST {R}/statuses/{{sha}}", scope="statuses", role="write")
def create_status(call: Call) -> Answer:
    """A commit status."""
    sha, state = call.params["sha"], call.text("state")
    if sha not in call.repo.git.commits:
        raise unprocessable(f"No commit found for SHA: {sha}")
    if state not in ("error", "failure", "pending", "success"):
        raise invalid("Status", "state")
    description = call.value("description", str)
    if description and len(description) > 140:
        raise invalid("Status", "description", "custom", "description is too long")
    data = {
        "sha": sha,
        "state": state,
        "description": description,
        "target_url": call.value("target_url", str),
        "context": call.value("context", str) or "default",
    }
    row = call.world.record(call.actor.person(), data)
    call.repo.statuses.append(row)
    shown = _status_json(call, row)
    fields: dict[str, Any] = {**data, "id": row.id}
    deliver(call.world, call.actor, "status", call.repo, **fields)
    return Answer(201, {**shown, "creator": user_json(call.world, row.user)})


def _statuses(call: Call) -> tuple[str, list[Record]]:
    sha = call.repo.git.resolve(call.params["ref"])
    if sha is None:
        raise not_found()
    return sha, [row for row in call.repo.statuses if row.data["sha"] == sha][::-1]


@route(f"GET {R}/commits/{{ref}}/statuses", scope="statuses", query=PAGED)
def list_statuses(call: Call) -> Answer:
    """Statuses of a commit, newest first."""
    return call.listing(
        _statuses(call)[1],
        lambda row: {**_status_json(call, row), "creator": user_json(call.world, row.user)},
    )


@route(f"GET {R}/commits/{{ref}}/status", scope="statuses", query=PAGED)
def get_combined_status(call: Call) -> Answer:
    """The newest status of each context, and what they come to."""
    sha, rows = _statuses(call)
    newest = list({row.data["context"]: row for row in reversed(rows)}.values())
    states = {row.data["state"] for row in newest}
    if states & {"error", "failure"}:
        state = "failure"
    else:
        state = "success" if states == {"success"} else "pending"
    url = f"{repository_url(call.world, call.repo)}/commits/{sha}"
    return Answer(
        200,
        {
            "state": state,
            "sha": sha,
            "total_count": len(newest),
            "statuses": [_status_json(call, row) for row in newest],
            "repository": short_repository_json(call.world, call.repo),
            "commit_url": url,
            "url": f"{url}/status",
        },
    )
