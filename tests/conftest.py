"""What every test may use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from incident_actions.sandbox import Exchange, Sandbox
from tests.support.openapi import OpenAPI

# Every run draws the same examples, and none is failed for the time that it took: on a busy machine
# any text can take longer than Hypothesis's 200 ms. What must be linear has a test of its own.
settings.register_profile("house", deadline=None, derandomize=True)
settings.load_profile("house")


@pytest.fixture(scope="session")
def description() -> OpenAPI:
    """GitHub's description of its API, read once."""
    return OpenAPI()


@pytest.fixture
def sandbox(description: OpenAPI) -> Iterator[Sandbox]:
    """GitHub on loopback. The test fails when a request or an answer is not as GitHub describes."""
    wrong: list[str] = []

    def judge(it: Exchange) -> None:
        if it.path == "/graphql":
            return  # the description is that of the REST API
        found = description.check(
            it.method, it.path, it.query, it.request_body, it.status, it.response_body
        )
        wrong.extend(f"{it.method} {it.path} ({it.status}): {problem}" for problem in found)

    with Sandbox() as github:
        github.on_exchange = judge
        yield github
    assert not wrong, "\n".join(wrong)


SLOW = (
    "acceptance/test_watch.py",
    "unit/drill/test_drill.py",
    "acceptance/",
    "model/",
    "unit/flows/test_watch.py",
    "unit/postmortem/",
    "unit/flows/",
)
"""Parts of the paths of tests that take long, the longest first."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What takes longest comes first, so that nothing waits for it in the end."""

    def rank(item: pytest.Item) -> int:
        return next((n for n, part in enumerate(SLOW) if part in item.nodeid), len(SLOW))

    items.sort(key=rank)
