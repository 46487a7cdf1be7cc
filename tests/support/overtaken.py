"""Two runs at the same time: one goes through while the other is about to open an issue."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from incident_actions.domain.projection.effects import OpenIssue
from incident_actions.github.client import GitHub
from incident_actions.reconcile.apply import _METHODS as METHODS


def overtaken_at_first_open(monkeypatch: pytest.MonkeyPatch, other: Callable[[], object]) -> None:
    """Let another run go from its start to its end before the next issue is opened."""
    write = METHODS[OpenIssue]

    def overtaken(github: GitHub, effect: OpenIssue) -> object:
        monkeypatch.setitem(METHODS, OpenIssue, write)
        other()
        return write(github, effect)

    monkeypatch.setitem(METHODS, OpenIssue, overtaken)
