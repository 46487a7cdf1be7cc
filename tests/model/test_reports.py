"""A report from outside becomes one incident, whatever happens to the runs that make it one."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from incident_actions.sandbox import Sandbox
from tests.model.actions import Close, Comment, Label, Reopen, Unlabel, commanding, staff
from tests.model.play import Begin, Move, Play, Whole, moves

EXAMPLES = int(os.environ.get("INCIDENT_HISTORIES", "20"))

_LINES = (
    "/confirm",
    "/confirm",
    "/dismiss planned",
    "/ack",
    "/foo",
    "/help severity",
    "Same here.",
)
_comments = st.builds(Comment, commanding, st.sampled_from(_LINES))
_actions = st.one_of(
    _comments,
    _comments,
    st.builds(Label, staff, st.sampled_from(["bug", "sev1", "needs-confirmation"])),
    st.builds(Unlabel, staff, st.sampled_from(["bug", "needs-confirmation"])),
    st.builds(Close, st.sampled_from(["alice", "eve"])),
    st.builds(Reopen, staff),
)


@settings(
    max_examples=EXAMPLES,
    derandomize=EXAMPLES <= 20,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@example([Comment("alice", "/confirm"), Begin(0, 2), Whole()])
@example([Begin(0, 7), Label("alice", "sev1")])
@given(st.lists(moves(_actions), max_size=18))
def test_a_report_becomes_one_incident_at_most(
    servers: tuple[Sandbox, Sandbox], history: list[Move]
) -> None:
    """Also when the run that opened it was killed, or two opened one each at the same time.

    The report's labels and words, and the incident's, end where one run per event leads.
    """
    play = Play(servers, author="eve")
    for move in history:
        play.move(move)
    play.end()
    calm, wild = play.calm.final(), play.wild.final()
    assert wild.labels == calm.labels
    assert wild.open == calm.open
    assert wild.bot == calm.bot
    assert wild.people == calm.people
    assert play.wild.issue["body"] == play.calm.issue["body"]
    assert play.wild.living() == play.calm.living()
    assert len(play.wild.living()) <= 1
    assert play.wild.writes_of_another_run() == []
