"""Pages of the playbook, as people ask for them in an incident."""

from __future__ import annotations

from typing import cast

import pytest

from incident_actions.domain.timeline.commands.pages import RequestedPage
from incident_actions.domain.timeline.interpreter import Notice, NoticeKind
from incident_actions.github.client import GitHub
from incident_actions.reconcile import runbook_library as playbook


class Repository:
    """A team's files, as far as the playbook reads them."""

    def __init__(self, *names: str) -> None:
        self._files = {f"{name}.md": f"# The team's {name}\n" for name in names}

    def folder(self, path: str) -> dict[str, str]:
        return dict.fromkeys(self._files, "edited")

    def file(self, path: str) -> str | None:
        return self._files.get(path.removeprefix("ops/runbooks/"))


def asked(topic: str, *own: str) -> str:
    page = RequestedPage("runbook", topic)
    notice = Notice(NoticeKind.REPLY, "k", pages=(page,))
    hub = cast(GitHub, Repository(*own))
    return playbook.pages(hub, [notice], "https://github.com/example/shop/issues/1").texts[page]


@pytest.mark.parametrize(
    ("topic", "heading"),
    [
        ("auth-session-failures", "Auth and session failures"),
        ("auth", "Auth and session failures"),
        ("session", "Auth and session failures"),
        ("webhook", "Payment webhook failures"),
        ("502", "502"),
    ],
)
def test_a_part_that_only_one_page_has_is_enough(topic: str, heading: str) -> None:
    """The beginning of a name, or any part of it, finds the page."""
    answer = asked(topic)
    assert "There is no page" not in answer
    assert heading in answer


def test_the_beginning_of_a_name_comes_before_its_middle() -> None:
    """`cache` is the page that begins with it, although another one has it inside."""
    assert "The team's cache-miss" in asked("cache", "cache-miss", "redis-cache")


def test_a_part_of_several_names_asks_which() -> None:
    """Nothing is guessed between pages that fit equally well."""
    answer = asked("failures")
    assert answer.startswith("There is no page `failures`. Did you mean `/runbook auth-")
    assert " or `/runbook database-connection-failures` or " in answer


def test_a_slip_of_the_finger_is_told_what_was_meant() -> None:
    """Then comes the list of what there is, without the index itself."""
    answer = asked("worker-backlgo")
    assert "Did you mean `/runbook worker-backlog`?" in answer
    assert "`triage`" in answer
    assert "README" not in answer


def test_what_fits_nothing_gets_the_list() -> None:
    """No suggestion is better than a wrong one."""
    assert asked("zzz").startswith("There is no page `zzz`.\n\nThere are `502-errors`, ")
