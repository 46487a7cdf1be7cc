"""A team with a sandbox of its own."""

from __future__ import annotations

import pytest

from incident_actions.sandbox import Sandbox
from tests.unit.postmortem.team import Team


@pytest.fixture
def team(sandbox: Sandbox) -> Team:
    """acme/shop, before anything happened."""
    return Team(sandbox)
