"""What each person may do, remembered from the moment on that it was so.

A command that was allowed when it was typed stays allowed when its writer leaves the team, and a
person who was let in later does not get older commands through. So a permission is a step
function over comment ids, which only grow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum


class Permission(IntEnum):
    """What a person may do in the repository, least first.

    https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user
    """

    NONE = 0
    READ = 1
    TRIAGE = 2
    WRITE = 3
    MAINTAIN = 4
    ADMIN = 5

    @classmethod
    def named(cls, name: str) -> Permission:
        """`"write"` -> `Permission.WRITE`. Raises `KeyError` for anything else."""
        return cls[name.upper()]


class Permissions:
    """Permissions by login (ignoring case) as steps of (first comment id, permission)."""

    def __init__(self, steps: Mapping[str, list[tuple[int, str]]] | None = None) -> None:
        self._steps = {
            login.casefold(): [(since, Permission.named(name)) for since, name in grants]
            for login, grants in (steps or {}).items()
        }

    def at(self, login: str, comment_id: int) -> Permission:
        """What somebody might do when they wrote a comment; `NONE` for the unknown."""
        allowed = Permission.NONE
        for since, permission in self._steps.get(login.casefold(), ()):
            if since <= comment_id:
                allowed = permission
        return allowed

    def best(self, login: str) -> Permission:
        """The most that somebody was ever known to be allowed, for deeds that have no comment."""
        steps = self._steps.get(login.casefold(), ())
        return max((permission for _, permission in steps), default=Permission.NONE)

    def knows(self, login: str) -> bool:
        """Whether this person was ever asked about."""
        return login.casefold() in self._steps

    def learn(self, login: str, permission: Permission, since: int) -> None:
        """Remember what GitHub says now; `since` is the first comment id that it holds for."""
        steps = self._steps.setdefault(login.casefold(), [])
        if not steps:
            steps.append((0, permission))
        elif steps[-1][1] is not permission:
            steps.append((since, permission))

    def keep(self, logins: Iterable[str]) -> None:
        """Forget everybody else: nothing of theirs is left that it would matter for."""
        kept = {login.casefold() for login in logins}
        self._steps = {login: steps for login, steps in self._steps.items() if login in kept}

    def dump(self) -> dict[str, list[tuple[int, str]]]:
        """As plain data, for the state."""
        return {
            login: [(since, permission.name.lower()) for since, permission in steps]
            for login, steps in sorted(self._steps.items())
        }
