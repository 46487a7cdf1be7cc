"""Runbooks are found by the words of a worried person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_actions.domain.issue.forms import FormValues
from incident_actions.domain.playbook.runbooks import (
    RunbookPage,
    matching,
    rank,
    read_page,
    unread_page,
)


def said(summary: str, **others: str) -> FormValues:
    return FormValues({"summary": summary, **others}, {})


def found(summary: str, *pages: RunbookPage, **others: str) -> list[str]:
    return [book.name for book in matching(pages, said(summary, **others))]


@pytest.mark.parametrize(
    ("word", "summary", "fits"),
    [
        ("502", "Everything answers 502.", True),
        ("502", "Order 15021 is lost", False),
        ("bad gateway", "BAD\nGATEWAY again", True),
        ("bad gateway", "a bad old gateway", False),
        ("login", "Most logins fail", True),
        ("crash", "It crashes", True),
        ("crashes", "A crash", True),
        ("sessions", "My session is gone", True),
        ("deploy failed", "Two deploys failed", True),
        ("dns", "a dn", False),
        ("c++", "The c++ service", True),
        (".*", "anything", False),
    ],
)
def test_words_match_as_whole_words_whatever_their_case_and_number(
    word: str, summary: str, fits: bool
) -> None:
    """A phrase may break over lines, a word may be plural; no word is a pattern."""
    assert found(summary, RunbookPage("p", "P", match=(word,))) == (["p"] if fits else [])


@pytest.mark.parametrize("question", ["summary", "affected", "layer", "services"])
def test_four_answers_are_searched(question: str) -> None:
    """What is broken, for whom, and where."""
    page = RunbookPage("p", "P", match=("queue",))
    assert matching([page], FormValues({question: "the queue"}, {}))


def test_other_answers_are_not_searched() -> None:
    """A list of boxes names every kind of trouble."""
    page = RunbookPage("p", "P", match=("dns",))
    assert not matching([page], FormValues({"changes": "- [ ] DNS"}, {}))


def test_a_runbook_of_a_service_fits_when_the_service_is_named() -> None:
    """`services` needs no word in the text."""
    page = RunbookPage("p", "P", services=("Search API",))
    assert found("It is slow", page, services="web, search api") == ["p"]
    assert found("It is slow", page, services="web") == []


def test_the_teams_own_come_first_then_those_that_fit_better() -> None:
    """What a team wrote about its own service beats our general page."""
    ours = RunbookPage("ours", "Ours", match=("502", "login", "gateway"))
    better = RunbookPage("better", "Better", match=("502", "login", "gateway", "proxy"))
    own = RunbookPage("own", "Own", match=("login",), own=True)
    assert found("502 at login, gateway, proxy", ours, better, own) == ["own", "better", "ours"]


@pytest.mark.parametrize(
    "text",
    [
        "no front matter",
        "---\ntitle: [\n---\nbroken",
        "---\n- a list\n---\n",
        "---\ntitle: 7\nmatch: {a: b}\nservices: 5\n---\n",
        "",
    ],
)
def test_a_page_that_cant_be_read_is_named_by_its_file(text: str) -> None:
    """A typo in front matter costs the words, not the incident."""
    assert read_page("search-down", text, own=True).title == "Search down"


def test_front_matter_may_hold_numbers_and_crlf() -> None:
    """`match: [502]` without quotes is the word 502."""
    page = read_page(
        "p", "---\r\ntitle: T\r\nmatch: [502, x]\r\nservices: api\r\n---\r\n", own=True
    )
    assert (page.title, page.match, page.services) == ("T", ("502", "x"), ("api",))


def test_a_file_that_was_not_read_is_found_by_its_name() -> None:
    """Its name ranks it for reading, too."""
    assert found("The search down again", unread_page("search-down", own=True)) == ["search-down"]
    assert rank("search-down", "search is slow") == 1


@given(st.text(max_size=200), st.text(max_size=200))
def test_no_text_breaks_the_search(front: str, summary: str) -> None:
    """Whatever people put into files and forms."""
    page = read_page("p", f"---\nmatch: [{front}]\n---\n", own=True)
    assert len(matching([page], said(summary, services=front))) <= 1
