"""Nobody without the right causes anything; and nothing is lost of what was rightly caused."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from incident_actions.sandbox import Sandbox
from tests.model.trust_world import EVERYBODY, Step, TrustWorld

HISTORIES = int(os.environ.get("INCIDENT_HISTORIES", "40"))

_WHATS = (
    *("comment",) * 6,
    *("edit",) * 4,
    *("label",) * 4,
    *("bot",) * 3,
    *("role",) * 3,
    *("write", "forge", "forge", "close", "close", "assign", "pull", "elsewhere"),
    *("delete", "rename", "ghost"),
)
_FATES = ("run", "run", "run", "run", "lost", "lost", "doubled", "sweep")
steps = st.builds(
    Step,
    st.sampled_from(_WHATS),
    st.sampled_from([*EVERYBODY, "olga", "olga", "eve"]),
    st.integers(0, 499),
    st.integers(0, 47),
    st.one_of(
        st.sampled_from(_FATES), st.sampled_from(_FATES), st.integers(0, 14).map("stopped {}".format)
    ),
)


@pytest.fixture(scope="module")
def github() -> Sandbox:
    """One server for all histories; each makes a new world on it."""
    with Sandbox() as sandbox:
        yield sandbox


@settings(
    max_examples=HISTORIES,
    derandomize="INCIDENT_HISTORIES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
@given(
    author=st.sampled_from(["alice", "olga", "olga"]),
    severity=st.sampled_from(["SEV1", "SEV2", "SEV3"]),
    strict=st.booleans(),
    beside=st.sampled_from(["", "report", "freeze"]),
    history=st.lists(steps, min_size=4, max_size=16),
)
def test_no_state_that_nobody_with_the_right_caused(
    github: Sandbox, author: str, severity: str, strict: bool, beside: str, history: list[Step]
) -> None:
    """After each run, and before it at the gate."""
    world = TrustWorld(github, author, severity, strict=strict, beside=beside)
    for step in history:
        if world.play(step):
            note(str(step))
    world.end()
