"""Every kind of notice can be written, and is known again by what stands in its comment."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from incident_actions.domain.issue.observation import (
    ANSWERS,
    MAX_LENGTH,
    Actor,
    Comment,
    find_bot_comments,
    length_on_github,
)
from incident_actions.domain.playbook.checklist import PASSED
from incident_actions.domain.timeline.commands.pages import RequestedPage
from incident_actions.domain.timeline.interpreter import Notice, NoticeKind, name_of, reply
from incident_actions.domain.timeline.parser import read_comment
from incident_actions.render.comments import no_watch, scheduler, write

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize("kind", NoticeKind)
def test_every_kind_of_notice_has_its_template(kind: NoticeKind) -> None:
    """And the comment is found again by its name."""
    notice = Notice(kind, "7", to="alice", text="why")
    special = {
        "scheduler": lambda: scheduler(notice, "incident.yml", NOW),
        "no-watch": lambda: no_watch(notice, "incident.yml", forbidden=True),
    }
    text = special.get(kind, lambda: write(notice))()
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


def test_pages_that_have_no_room_are_named() -> None:
    """The answer is cut at a page, and stays within GitHub's limit."""
    pages = [RequestedPage("runbook", f"page-{n}") for n in range(25)]
    help_ = RequestedPage("help", "")
    wanted = tuple(page for each in pages for page in (each, help_))
    notice = Notice(NoticeKind.REPLY, "1.a", "alice", pages=wanted)
    text = write(notice, {page: page.topic + " x" * 5_000 for page in pages})
    assert length_on_github(text) <= MAX_LENGTH
    assert text.count("One command per line") == 1
    assert "page-5 x" in text
    assert "page-6 x" not in text
    assert "There was no room for `/runbook page-6`, `/runbook page-7`" in text
    assert text.endswith("<!-- incident-actions:reply 1.a -->")
