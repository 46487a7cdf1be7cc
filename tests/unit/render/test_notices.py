"""Every kind of notice can be written, and is known again by what stands in its comment."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from incident_actions.domain.issue.observation import ANSWERS, Actor, Comment, find_bot_comments
from incident_actions.domain.playbook.checklist import PASSED
from incident_actions.domain.timeline.interpreter import Notice, NoticeKind, name_of, reply
from incident_actions.domain.timeline.parser import read_comment
from incident_actions.render.comments import scheduler, write

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_of_notice_has_its_template(kind: NoticeKind) -> None:
    """And the comment is found again by its name."""
    notice = Notice(kind, "7", to="alice", text="why")
    text = scheduler(notice, "incident.yml", NOW) if kind == "scheduler" else write(notice)
    comment = Comment(1, Actor("bot"), text, NOW, NOW)
    assert list(find_bot_comments([comment], ["bot"]).by_name) == [name_of(notice)]


@pytest.mark.parametrize("odd", ["`", "``", "\n", "a`b`c", "<b>", "@everyone", "|"])
def test_what_is_quoted_back_cannot_leave_its_code_span(odd: str) -> None:
    """A line that was not taken stands between backticks, whatever is in it."""
    for text in (f"/foo {odd}", f"/status {odd}x"):
        (notice,) = reply("1", "alice", read_comment(text, NOW))
        first, _, _ = write(notice).partition(" was not taken")
        assert first.startswith("`/")
        assert first.endswith("`")
        assert first.count("`") == 2
        assert "\n" not in first


def test_kinds_that_others_know_by_their_value_exist() -> None:
    """Answers that go with their comment, and the news of a recovery check."""
    assert {*ANSWERS, PASSED} <= set(NoticeKind)
