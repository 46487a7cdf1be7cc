"""Who is asking, who somebody is, and the service itself. See https://docs.github.com/rest/users"""

from __future__ import annotations

from ..errors import forbidden, not_found
from ..model import User
from ..render import user_json
from ..router import Answer, Call, route
from ..world import World

_LIMIT = {"limit": 5000, "remaining": 5000, "used": 0, "reset": 0}


def _profile(world: World, user: User) -> dict[str, object]:
    empty = dict.fromkeys(
        ("company", "location", "email", "hireable", "bio", "twitter_username"), None
    )
    return {
        **user_json(world, user),
        **empty,
        "name": user.name,
        "blog": "",
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": "2020-01-01T00:00:00Z",
        "updated_at": "2020-01-01T00:00:00Z",
    }


@route("GET /user")
def get_me(call: Call) -> Answer:
    """The token's person; a workflow's token has none."""
    user = call.actor.person()
    if call.actor.is_workflow:
        raise forbidden("Resource not accessible by integration")
    return Answer(200, _profile(call.world, user))


@route("GET /users/{username}")
def get_user(call: Call) -> Answer:
    """Any user."""
    user = call.world.users.get(call.params["username"].lower())
    if user is None:
        raise not_found()
    return Answer(200, _profile(call.world, user))


@route("GET /rate_limit")
def get_rate_limit(call: Call) -> Answer:
    """The budget, which the sandbox never uses up by itself."""
    limit = 1000 if call.actor.is_workflow else 5000
    core = {**_LIMIT, "limit": limit, "remaining": limit}
    core["reset"] = int(call.world.clock().timestamp()) + 3600
    search = {**core, "limit": 30, "remaining": 30}
    return Answer(200, {"resources": {"core": core, "search": search}, "rate": core})


@route("GET /meta")
def get_meta(call: Call) -> Answer:
    """What `doctor` asks to see whether the service answers at all."""
    return Answer(200, {"verifiable_password_authentication": False})
