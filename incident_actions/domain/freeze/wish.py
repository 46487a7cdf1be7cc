"""What a deploy freeze asks for, and when that next changes what the gate says."""

from __future__ import annotations

from datetime import datetime

from msgspec import Struct


class Wish(Struct, frozen=True, kw_only=True):
    """What a freeze asks for, as the gate reads it.

    `begins` and `until` are its first and its last moment; None: it has begun, and it does not end
    by itself. `begins_text` and `until_text` are those answers as typed. `deployers` are the logins
    that may deploy in spite of it. Without `services` or `environments` it stops all of them.
    """

    begins: datetime | None = None
    begins_text: str = ""
    until: datetime | None = None
    until_text: str = ""
    deployers: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()

    def next_edge(self, after: datetime) -> datetime | None:
        """When the freeze next begins or ends after a time; None: never again by itself."""
        edges = (edge for edge in (self.begins, self.until) if edge is not None and edge > after)
        return min(edges, default=None)
