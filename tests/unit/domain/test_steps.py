"""The checklist ticks itself only for what was really done."""

from __future__ import annotations

import pytest

from incident_actions.domain.issue.forms import FormValues
from incident_actions.domain.playbook.checklist import steps_answered

from .chat import Chat


def test_a_mitigation_is_one_that_somebody_did() -> None:
    """That the harm stopped does not say that anything was tried; `/did` does."""
    chat = Chat()
    chat.say("alice", "/mitigated it went away by itself")
    assert "mitigation" not in chat.folded.steps
    chat.say("alice", "/did restarted the worker -> queue drains")
    assert "mitigation" in chat.folded.steps


def test_a_cause_to_count_by_is_no_root_cause() -> None:
    """Why it could happen is for people to write, in the postmortem."""
    chat = Chat()
    chat.say("alice", "/cause bad-deploy")
    assert "root-cause" not in chat.folded.steps


@pytest.mark.parametrize(
    ("id", "value", "boxes", "steps"),
    [
        ("ongoing", "Yes", None, {"ongoing"}),
        ("ongoing", "Comes and goes", None, {"ongoing"}),
        ("ongoing", "Not known yet", None, set()),
        ("changes", "- [ ] Deploy", (), set()),
        ("changes", "- [x] Deploy", ("Deploy",), {"changes"}),
        ("summary", "Logins fail", None, {"impact"}),
    ],
)
def test_a_form_left_as_it_was_ticks_nothing(
    id: str, value: str, boxes: tuple[str, ...] | None, steps: set[str]
) -> None:
    """An answer counts when somebody knew it."""
    answers = FormValues({id: value}, {} if boxes is None else {id: boxes})
    assert steps_answered(answers.given) == steps
