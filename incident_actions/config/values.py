"""What a value in the file may look like: names, logins, lengths of time."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from msgspec import Meta, Struct

ShortText = Annotated[str, Meta(min_length=1, max_length=100)]


Login = Annotated[str, Meta(pattern=r"^@?[A-Za-z0-9][A-Za-z0-9-]{0,38}(\[bot\])?$")]


class ConfigSection(Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """A mapping in the file. Keys are written with hyphens."""


_TIME = r"(?=.{2})([0-9]{1,3}d)?([0-9]{1,4}h)?([0-9]{1,5}m)?"


_SOME_TIME = rf"^(off|{_TIME})$"


_A_GAP = rf"^(off|(?=.*[1-9]){_TIME})$"


_A_TICK = rf"^(?=.*[1-9]){_TIME}$"


_SOMEBODY = r"^@?[A-Za-z0-9][A-Za-z0-9-]{0,38}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?$"


_TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


_MEANING = {
    _SOME_TIME: "must be a time like `30m`, `2h`, `1d12h`, or `off`",
    _A_GAP: "must be a time above zero like `30m` or `1d12h`, or `off`",
    _A_TICK: "must be a time above zero like `5m`",
    _SOMEBODY: "must be a login, or a team as `org/team`",
    _TIME_OF_DAY: "must be a time of day like `07:00`",
}
"""Patterns in words, for who gets one wrong."""


Duration = Annotated[str, Meta(pattern=_SOME_TIME)]


Gap = Annotated[str, Meta(pattern=_A_GAP)]


Mention = Annotated[str, Meta(pattern=_SOMEBODY)]


WallTime = Annotated[str, Meta(pattern=_TIME_OF_DAY)]


def duration(text: str) -> timedelta | None:
    """`30m`, `2h`, `1d12h`; None for `off`."""
    if text == "off":
        return None
    amounts = {unit: int(amount) for amount, unit in re.findall(r"([0-9]+)([dhm])", text)}
    return timedelta(
        days=amounts.get("d", 0), hours=amounts.get("h", 0), minutes=amounts.get("m", 0)
    )
