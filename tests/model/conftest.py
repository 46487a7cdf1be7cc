"""Fixtures of the model-based tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from incident_actions.sandbox import Sandbox


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Sandbox, Sandbox]]:
    """Two servers for all histories of a module; each history makes a new world on both."""
    with Sandbox() as calm, Sandbox() as wild:
        yield calm, wild
