"""Nobody without the right causes anything; and nothing is lost of what was rightly caused."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st

from incident_actions.sandbox import Sandbox
from tests.model.trust_world import EVERYBODY, FORGERIES, LABELS, LINES, Step, TrustWorld

HISTORIES = int(os.environ.get("INCIDENT_HISTORIES", "12"))

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
        st.sampled_from(_FATES),
        st.sampled_from(_FATES),
        st.integers(0, 14).map("stopped {}".format),
    ),
)


Start = tuple[str, str, bool, str]
starts = st.tuples(
    st.sampled_from(["alice", "olga", "olga"]),
    st.sampled_from(["SEV1", "SEV2", "SEV3"]),
    st.booleans(),
    st.sampled_from(["", "report", "freeze"]),
)


@pytest.fixture(scope="module")
def begin() -> Iterator[Callable[[Start], TrustWorld]]:
    """Gives a world of its own that began so: author, severity, strict, what is beside."""
    begun: dict[Start, TrustWorld] = {}
    with Sandbox() as github:

        def fresh(start: Start) -> TrustWorld:
            if start not in begun:
                author, severity, strict, beside = start
                begun[start] = TrustWorld(github, author, severity, strict=strict, beside=beside)
            return begun[start].again()

        yield fresh


@settings(
    max_examples=HISTORIES,
    derandomize="INCIDENT_HISTORIES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink],
)
@given(start=starts, history=st.lists(steps, min_size=4, max_size=16))
def test_no_state_that_nobody_with_the_right_caused(
    begin: Callable[[Start], TrustWorld], start: Start, history: list[Step]
) -> None:
    """After each run, and at the gate before it, too; and nothing is lost that was rightly done.

    INCIDENT_HISTORIES sets how many histories are played, others in each session.
    """
    world = begin(start)
    for step in history:
        if world.play(step):
            note(str(step))
    world.end()


THAW, NOTE = LINES.index("/thaw only the newsletter"), LINES.index("/note {token}")
FORGE = Step("forge", "eve", next(n for n, (old, _) in enumerate(FORGERIES) if "deeds" in old))
WRONGS = {
    "strangers": [Step("comment", "eve", THAW), Step("comment", "eve", NOTE)],
    "a forged judgement": [Step("comment", "eve", THAW), FORGE, Step("comment", "bob", NOTE)],
    "a forged form": [Step("write", "eve", 2, 1)],
    "a mention from elsewhere": [Step("elsewhere", "alice", 0, 1), Step("comment", "bob", NOTE)],
    "a triager's hand": [Step("label", "tess", LABELS.index("sev3"))],
    "a program's hand": [Step("bot", "eve", 0, fate="sweep"), Step("bot", "eve", 1, fate="sweep")],
}


@pytest.mark.parametrize("wrong", WRONGS)
def test_a_wrong_that_changes_nothing(begin: Callable[[Start], TrustWorld], wrong: str) -> None:
    """One history for each kind of claim; the random ones may miss it."""
    world = begin(("olga", "SEV1", False, ""))
    for step in WRONGS[wrong]:
        assert world.play(step)
    world.end()


TAMPERED = {
    "severity": ('"severity":"sev1"', '"severity":"sev3"'),
    "status": ('"status":"investigating"', '"status":"resolved"'),
    "freeze": ('"v":1', '"v":1,"freeze":{"freeze":"thaw"}'),
    "allowance": ('"v":1', '"v":1,"allow":[{"by":"mia","sha":"abc"}]'),
    "drill": ('"v":1', '"v":1,"drill":true'),
    "services": ('"v":1', '"v":1,"services":["api"]'),
    "commander": ('"roles":{"commander":"bob"}', '"roles":{"commander":"eve"}'),
    "note by nobody": ("TOKEN2", "TOKEN2 TOKEN99"),
    "note lost": ("TOKEN2", ""),
}


@pytest.mark.parametrize("part", TAMPERED)
def test_the_model_notices(begin: Callable[[Start], TrustWorld], part: str) -> None:
    """A state that is not what people caused, or not all of it, fails the claims."""
    world = begin(("olga", "SEV1", False, ""))
    assert world.play(Step("comment", "bob", LINES.index("/role commander")))
    assert world.play(Step("comment", "bob", NOTE))
    old, new = TAMPERED[part]
    before = world.record(1).body
    world.record(1).body = before.replace(old, new)
    assert world.record(1).body != before
    with pytest.raises(AssertionError):
        world.check(world.cases[1])
