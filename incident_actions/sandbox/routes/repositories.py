"""The repository itself, its activity and dispatches. See https://docs.github.com/rest/repos"""

from __future__ import annotations

import json
from datetime import timedelta

from ..access import role
from ..errors import RefusedError, invalid, unprocessable
from ..model import Record
from ..render import full_repository_json, node_id, user_json
from ..router import Answer, Call, route
from ..webhooks import deliver
from ..world import stamp
from .issues import R

_PERIODS = {"": 0, "day": 1, "week": 7, "month": 30, "quarter": 91, "year": 365}


@route(f"GET {R}")
def get_repository(call: Call) -> Answer:
    """The repository, with the asker's permissions."""
    shown = full_repository_json(call.world, call.repo, role(call.actor, call.repo))
    return Answer(200, shown)


@route(
    f"GET {R}/activity",
    scope="contents",
    query=(
        "direction",
        "per_page",
        "before",
        "after",
        "ref",
        "actor",
        "time_period",
        "activity_type",
    ),
)
def list_activity(call: Call) -> Answer:
    """Pushes, merges and branch changes, newest first. All fit on one page of up to 100."""
    ref = call.query.get("ref", "")
    ref = ref if not ref or ref.startswith("refs/") else f"refs/heads/{ref}"
    days = _PERIODS[call.choice("time_period", tuple(_PERIODS))]
    oldest = stamp(call.world.clock() - timedelta(days=days)) if days else ""

    def fits(row: Record) -> bool:
        return (
            ref in ("", row.data["ref"])
            and row.created_at >= oldest
            and call.query.get("actor", row.user.login).lower() == row.user.login.lower()
            and call.query.get("activity_type", row.data["activity_type"])
            == row.data["activity_type"]
        )

    found = [row for row in call.repo.activity if fits(row)]
    if call.choice("direction", ("desc", "asc")) == "desc":
        found.reverse()

    def draw(row: Record) -> dict[str, object]:
        return {
            "id": row.id,
            "node_id": node_id("PSH", row.id),
            **row.data,
            "timestamp": row.created_at,
            "actor": user_json(call.world, row.user),
        }

    answer = call.listing(found, draw)
    # These pages go by cursor, which nobody here follows.
    answer.headers.clear()
    return answer


@route(f"POST {R}/dispatches", scope="contents", role="write")
def dispatch(call: Call) -> Answer:
    """Send a `repository_dispatch`: at most 10 keys and 65,535 characters."""
    kind = call.text("event_type")
    payload = call.value("client_payload", dict) or {}
    if len(kind) > 100:
        raise invalid("RepositoryDispatch", "event_type", "custom", "event_type is too long")
    if len(payload) > 10:
        raise unprocessable(
            "Invalid request.\n\nNo more than 10 properties are allowed; "
            f"{len(payload)} were supplied."
        )
    if len(json.dumps(payload)) > 65_535:
        raise RefusedError(422, "client_payload is too large.", errors=[])
    call.repo.dispatches.append({"event_type": kind, "client_payload": payload})
    deliver(
        call.world,
        call.actor,
        "repository_dispatch",
        call.repo,
        kind,
        branch=call.repo.default_branch,
        client_payload=payload,
    )
    return Answer(204)
