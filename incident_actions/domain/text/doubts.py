"""Recognize words that take a command back, doubt it, or leave something out of it.

A command that decides something is carried out only when the words after it don't speak against
it: `/resolve not yet`, `/thaw please don't`, `/mitigated in 5 minutes` and `/verify all but x` are
answered instead. Each check looks at the first line of a text, and takes linear time.
"""

from __future__ import annotations

from incident_actions.domain.text.words import pattern

_TAKEN_BACK = pattern("taken_back", of="doubt")
_HEDGED = pattern("hedged", of="doubt")
_DOUBTED = pattern("doubted", of="doubt")
_WITH_EXCEPTION = pattern("with_exception", of="doubt")
_NOT_WELL = pattern("not_well", of="doubt")

_LONGEST = 500
"""How many characters of a line are looked at: those at its beginning, and some at its end."""


def _first_line(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= _LONGEST else line[: _LONGEST - 100] + line[-100:]


def takes_back(text: str) -> bool:
    """Whether the words after a command take it back, or ask: `not yet`, `when bob is back`."""
    return _TAKEN_BACK.match(_first_line(text)) is not None


def hedges(text: str) -> bool:
    """Whether the words after a command say that it holds in part, or may hold: `I hope`."""
    return _HEDGED.match(_first_line(text)) is not None


def doubts(text: str) -> bool:
    """Whether a reason doubts the value that was typed before it: `maybe`, `not yet`, `ok?`."""
    return _DOUBTED.match(_first_line(text)) is not None


def has_exception(text: str) -> bool:
    """Whether a text about `all` names an exception, or says that something is not well.

    The text's first paragraph counts.
    """
    return _WITH_EXCEPTION.search(text.partition("\n\n")[0][:_LONGEST]) is not None


def not_well(text: str) -> bool:
    """Whether the words after the name of a check say that it does not hold: `still at 3 %`."""
    return _NOT_WELL.match(_first_line(text)) is not None
