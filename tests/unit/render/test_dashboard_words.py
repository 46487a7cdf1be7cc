"""What the dashboard says of recovery: each check with who and when, a joint statement once."""

from __future__ import annotations

from incident_actions.domain.issue.observation import take_apart
from incident_actions.render.dashboard import DashboardFacts, compose
from tests.unit.domain.chat import CHECKS, Chat

SAID = "signed in and out on three devices"


def shown(chat: Chat) -> str:
    """The dashboard as people see it."""
    facts = DashboardFacts(
        number=7,
        checklist=(),
        checks=CHECKS,
        ticked=(),
        seen=(),
        update_every=dict.fromkeys(("sev1", "sev2", "sev3")),
    )
    return take_apart(compose(chat.incident, facts, ['{"v":1}'], "")).dashboard


def test_a_joint_statement_is_shown_once() -> None:
    """Below the checks, each of which says who and when."""
    chat = Chat()
    chat.say("alice", f"/verify all {SAID}")
    text = shown(chat)
    assert "- ✅ Error rate is normal (alice, 14:01 UTC)" in text
    assert "- ✅ Latency is normal (alice, 14:01 UTC)" in text
    assert f"\nalice, 14:01 UTC, on all of them: {SAID}\n" in text
    assert text.count(SAID) == 1
    assert "alice: verified all recovery checks\n" in text


def test_a_statement_about_some_names_them() -> None:
    """What was verified anew has words of its own."""
    chat = Chat()
    chat.say("alice", f"/verify all {SAID}")
    chat.say("bob", "/verify latency p95 at 180 ms")
    text = shown(chat)
    assert "- ✅ Latency is normal (bob, 14:02 UTC: p95 at 180 ms)" in text
    assert f"on error-rate: {SAID}" in text


def test_no_row_of_the_table_is_blank() -> None:
    """The first one, which GitHub shows in bold, is the one who commands."""
    chat = Chat()
    assert "| Incident commander | nobody yet: type `/ack` |\n|:--|:--|\n| Started |" in shown(chat)
    chat.say("alice", "/ack")
    assert "| Incident commander | @alice |\n|:--|:--|\n| Started |" in shown(chat)
