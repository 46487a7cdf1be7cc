"""The suspected changes as the dashboard shows them."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import quote

from msgspec import Struct

from incident_actions.domain.changes.suspects import Change, RollbackRule, Suspects

_RULES = {
    RollbackRule.ROLL_BACK: (
        "**Roll back first.** A deploy went out just before the start, and no migration is seen "
        "with it. Understand the bad version later."
    ),
    RollbackRule.MIGRATION: (
        "**Do not roll back blindly.** A migration changed in that hour. Read it first: if it only "
        "adds, roll back; if it drops or rewrites anything, fix forward."
    ),
    RollbackRule.UNREAD: (
        "**Look for a migration, then roll back.** A deploy went out just before the start, but "
        "not everything that it brought could be seen."
    ),
    RollbackRule.NO_DEPLOY: (
        "**Do not roll back blindly.** No deploy is known in that hour. "
        "Undo the change that caused it, once you know which."
    ),
    RollbackRule.NOTHING: (
        "**A rollback is not the first thing to try.** Nothing that GitHub knows of changed in "
        "that hour. Look for what ran out: disk, connections, a certificate, a quota."
    ),
    RollbackRule.BLIND: (
        "**Do not roll back blindly.** Nothing is known to have changed, but not everything "
        "could be seen. Ask."
    ),
}


class ShownChange(Struct, frozen=True):
    """One suspect with its address."""

    at: datetime
    by: str
    what: str
    url: str
    kinds: str
    likeliest: bool


class ShownSuspects(Struct, frozen=True):
    """The suspects that there is room for; `more` are left out."""

    start: datetime
    rule: str
    changes: tuple[ShownChange, ...]
    more: int
    unread: str


def shown_suspects(found: Suspects | None, web: str, most: int) -> ShownSuspects | None:
    """The suspects for the dashboard; `web` is the repository's page. The likeliest is shown."""
    if found is None:
        return None
    shown = found.changes[:most]
    shown += tuple(each for each in found.changes[most:] if each.likeliest)
    return ShownSuspects(
        start=found.start,
        rule=_RULES[found.rule],
        changes=tuple(_shown(change, web) for change in shown),
        more=found.more + len(found.changes) - len(shown),
        unread=", ".join(found.unread),
    )


def _shown(change: Change, web: str) -> ShownChange:
    return ShownChange(
        at=change.at,
        by=change.by,
        what=change.what,
        url=f"{web}/{quote(change.page)}",
        kinds=", ".join(kind.label for kind in change.kinds),
        likeliest=change.likeliest,
    )
