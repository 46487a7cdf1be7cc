"""The two ways in which the action is used: by this repository, and by another one."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_actions.sandbox import Sandbox
from tests.support.act import make_repository
from tests.support.programs import ROOT
from tests.support.shop import Shop, readme_workflows


@pytest.fixture
def own(sandbox: Sandbox, tmp_path: Path) -> Shop:
    """This repository, with its own workflows and `uses: ./`."""
    return Shop(sandbox, ROOT, tmp_path)


@pytest.fixture
def consumer(sandbox: Sandbox, tmp_path: Path) -> Shop:
    """A team's repository, with the workflows of docs/by-hand.md, which use `OWNER`'s action."""
    return Shop(sandbox, make_repository(tmp_path / "checkout", readme_workflows()), tmp_path)


@pytest.fixture
def shop(request: pytest.FixtureRequest) -> Shop:
    """The team's; a test that asks for `BOTH` gets this repository, too."""
    found = request.getfixturevalue(getattr(request, "param", "consumer"))
    assert isinstance(found, Shop)
    return found
