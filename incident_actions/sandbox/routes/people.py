"""Collaborators and their permissions. See https://docs.github.com/rest/collaborators"""

from __future__ import annotations

from ..access import PERMISSION, role_of
from ..errors import not_found
from ..model import User
from ..render import permissions_json, user_json
from ..router import PAGED, Answer, Call, route
from .issues import BOTH, R

# How the older, coarser names of this filter map to roles.
_FILTER = {
    "pull": "read",
    "triage": "triage",
    "push": "write",
    "maintain": "maintain",
    "admin": "admin",
}


def _collaborators(call: Call) -> list[User]:
    names = [name for name, role in call.repo.roles.items() if role != "none"]
    found = [call.world.user(name) for name in names]
    if call.repo.owner.type == "User" and call.repo.owner not in found:
        found.insert(0, call.repo.owner)
    return found


def _draw(call: Call, user: User) -> dict[str, object]:
    role = role_of(user, call.repo)
    shown = user_json(call.world, user)
    return {**shown, "permissions": permissions_json(role), "role_name": role}


@route(f"GET {R}/collaborators", role="write", query=("affiliation", "permission", *PAGED))
def list_collaborators(call: Call) -> Answer:
    """People with a role of their own; the asker needs write access."""
    call.choice("affiliation", ("all", "direct", "outside"))
    found = _collaborators(call)
    if "permission" in call.query:
        wanted = _FILTER.get(call.query["permission"], "")
        found = [user for user in found if role_of(user, call.repo) == wanted]
    return call.listing(found, lambda user: _draw(call, user))


@route(f"GET {R}/collaborators/{{username}}", role="write")
def is_collaborator(call: Call) -> Answer:
    """204 for a collaborator, 404 for anybody else."""
    user = call.world.users.get(call.params["username"].lower())
    if user not in _collaborators(call):
        raise not_found()
    return Answer(204)


@route(f"GET {R}/collaborators/{{username}}/permission")
def get_permission(call: Call) -> Answer:
    """What a person may do here; a bot is no person, so 404."""
    name = call.params["username"]
    user = call.world.users.get(name.lower())
    if user is None or user.type != "User":
        raise not_found(f"{name} is not a user")
    role = role_of(user, call.repo)
    answer = {"permission": PERMISSION[role], "role_name": role, "user": _draw(call, user)}
    return Answer(200, answer)


@route(f"GET {R}/assignees", scope=BOTH, query=PAGED)
def list_assignees(call: Call) -> Answer:
    """People who can be assigned to issues."""
    return call.listing(_collaborators(call), lambda user: user_json(call.world, user))
