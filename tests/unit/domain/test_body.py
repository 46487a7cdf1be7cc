"""The body of an incident: our dashboard on top, and the reporter's text as it was typed."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from incident_actions.domain.issue.observation import (
    BEGIN,
    END,
    MAX_LENGTH,
    Body,
    length_on_github,
    take_apart,
)
from incident_actions.domain.playbook.checklist import boxes

STATE = '{"v":1,"number":7}'
BLOCK = f"{BEGIN}\n## Dashboard\n\n- [x] Done\n<!-- incident-actions:state {STATE} -->\n{END}"

_WORDS = st.sampled_from(
    [
        BEGIN,
        END,
        f"<!-- incident-actions:state {STATE} -->",
        "\n",
        "\r\n",
        "\r",
        " ",
        "### Severity",
    ]
)
_TEXTS = st.lists(st.one_of(_WORDS, st.text(max_size=12)), max_size=12).map("".join)


def _is_top(text: str) -> bool:
    """Whether a text would be taken for a dashboard itself."""
    return text.replace("\ufeff", " ").lstrip().startswith(BEGIN)


@settings(max_examples=200)
@given(_TEXTS.filter(lambda text: not _is_top(text)))
@example("שלום 👩‍🚒 \u202e ﷺ")
@example("\n\n\nthree empty lines first")
@example("x" * 60_000)
def test_what_the_reporter_wrote_comes_back_byte_for_byte(text: str) -> None:
    """Whatever it holds, our markers included, through any number of runs."""
    assert take_apart(text) == Body("", None, text)
    once = Body("## Dashboard", STATE, text).compose()
    assert take_apart(once) == Body("## Dashboard", STATE, text)
    again = Body("## Another", '{"v":2}', take_apart(once).reporter).compose()
    assert take_apart(again).reporter == text
    assert take_apart(again).state == '{"v":2}'


@settings(max_examples=100)
@given(_TEXTS)
def test_any_body_can_be_taken_apart(text: str) -> None:
    """There is no text that it fails on, and none that grows from run to run."""
    body = take_apart(text)
    kept = Body("d", STATE, body.reporter).compose()
    assert take_apart(kept).compose() == kept


def test_a_body_saved_in_the_editor_reads_the_same() -> None:
    """GitHub's editor ends every line in CRLF; the reporter's lines stay so, ours are ours."""
    saved = f"{BLOCK}\n\nline one\nline two".replace("\n", "\r\n")
    assert take_apart(saved) == Body("## Dashboard\n\n- [x] Done", STATE, "line one\r\nline two")


def test_a_deleted_end_marker_loses_nothing() -> None:
    """The state is the last line of ours, so the text begins after it."""
    body = BLOCK.removesuffix(END) + "\n\nmy text"
    assert take_apart(body) == Body("## Dashboard\n\n- [x] Done", STATE, "my text")


def test_an_end_marker_of_the_reporters_own_is_not_ours() -> None:
    """Also when ours was deleted: the text above it is not taken for the dashboard."""
    mine = f"first\n{END}\nsecond"
    assert take_apart(f"{BLOCK}\n\n{mine}").reporter == mine
    assert take_apart(BLOCK.removesuffix(END) + f"\n\n{mine}").reporter == mine


def test_a_deleted_state_line_leaves_the_rest() -> None:
    """The state is a cache: without it, the dashboard ends at its marker."""
    body = f"{BEGIN}\n## Dashboard\n{END}\n\nmy text"
    assert take_apart(body) == Body("## Dashboard", None, "my text")


def test_a_begin_marker_alone_hides_no_text() -> None:
    """With neither state nor end, all that follows is the reporter's."""
    assert take_apart(f"{BEGIN}\nmy text") == Body("", None, "my text")


def test_empty_lines_above_the_dashboard_make_no_second_one() -> None:
    """Somebody pressed enter in the editor."""
    assert take_apart(f"\n \r\n{BLOCK}\n\nmy text").reporter == "my text"


def test_a_copied_body_of_another_incident_stays_text_below() -> None:
    """Only the block at the very top is ours."""
    mine = f"It looks like this one:\n\n{BLOCK}\n\nIts text"
    assert take_apart(mine) == Body("", None, mine)
    assert take_apart(f"{BLOCK}\n\n{mine}").reporter == mine


def test_a_body_without_text_has_no_gap_at_its_end() -> None:
    """An issue that was opened without a word is the dashboard alone."""
    body = Body("## Dashboard", STATE, "").compose()
    assert body.endswith(END)
    assert take_apart(body).reporter == ""


def test_a_body_without_dashboard_and_state_is_the_text() -> None:
    """Where there is no room for us, nothing of ours is left."""
    assert Body("", None, "my text").compose() == "my text"


@pytest.mark.parametrize(
    ("text", "counted"), [("", 0), ("abc", 3), ("é", 1), ("👩", 2), ("\ud83d", 1), ("👩‍🚒", 5)]
)
def test_length_counts_as_strictly_as_github_may(text: str, counted: int) -> None:
    """UTF-16 code units; a text below the limit so counted is accepted however GitHub counts."""
    assert length_on_github(text) == counted
    assert length_on_github("x" * MAX_LENGTH) == MAX_LENGTH


def test_boxes_are_told_by_their_text() -> None:
    """Ticked or not, with either letter; the hidden key is no part of the text."""
    dashboard = "- [ ] One\n- [x] Two <!-- seen: two -->\n* [X] Three \n[x] no\n- [y] no"
    assert boxes(dashboard) == {"One": False, "Two": True, "Three": True}
