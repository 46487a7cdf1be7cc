"""No text crashes a reader, and none takes more than linear time: whatever people or bots write."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from incident_actions import gate_readers
from incident_actions.domain.freeze.windows import split_mark, window_length
from incident_actions.domain.issue import forms
from incident_actions.domain.issue.observation import take_apart
from incident_actions.domain.playbook import checklist, runbooks
from incident_actions.domain.text import documents, moments, recurrence, times
from incident_actions.domain.text.blanks import is_blank
from incident_actions.domain.timeline.commands import REGISTRY
from incident_actions.domain.timeline.parser import read_comment
from incident_actions.errors import ConfigError

SAID = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)
LONGEST = 65_536
FORM = forms.Form((forms.FormField("severity", "Severity"), forms.FormField("started", "When?")))


def read_moments(text: str) -> None:
    """Every reader of a moment; the only error is `Unreadable`, and the past stays the past."""
    for order in (None, moments.DateOrder.MONTH_FIRST):
        with suppress(moments.Unreadable):
            taken = moments.take_moment(text, SAID, order)
            assert taken is None or taken[0] <= SAID
        with suppress(moments.Unreadable):
            assert moments.read_past_moment(text, SAID, order) <= SAID
        with suppress(moments.Unreadable):
            assert moments.read_coming_moment(text, SAID, order).utcoffset() is not None
    moments.looks_like_moment(text)


def read_lengths(text: str) -> None:
    """Every reader of a setting's time; the only error is `ValueError`."""
    times.take_duration(text)
    times.looks_like_duration(text)
    readers = (times.read_duration, times.read_wall_time, times.read_time_of_day, times.read_zone)
    for reader in (*readers, times.read_duration_or_off, window_length, recurrence.check_rule):
        with suppress(ValueError):
            reader(text)


def read_commands(text: str) -> None:
    """A comment, and the text as the arguments of every command."""
    read_comment.cache_clear()
    assert len(read_comment(text, SAID)) <= 51


def read_arguments(text: str) -> None:
    """The text behind the name of every command."""
    first = text.replace("\r", " ").partition("\n")[0]
    read_comment.cache_clear()
    for kind in REGISTRY:
        assert read_comment(f"/{kind.name} {first}", SAID)


def read_bodies(text: str) -> None:
    """An issue's body, its answers, and what the gate reads of it."""
    answers = forms.read_answers(FORM, text)
    assert answers.given <= {"severity", "started"}
    forms.looks_filled(FORM, text)
    forms.reported_text(text)
    forms.read_login(text)
    forms.affects_customers(text)
    is_blank(text)
    parts = take_apart(text)
    parts.compose()
    gate_readers.read_state(parts.state)
    gate_readers.sections(text)
    gate_readers.read_severity(text)
    gate_readers.single_words(text)
    gate_readers.people(text)
    gate_readers.parse_until(text)
    gate_readers.parse_now(text)
    split_mark(text)
    gate_readers.freeze_times(gate_readers.sections(text))
    with suppress(ValueError):
        gate_readers.environments_of(text)


def read_documents(text: str) -> None:
    """YAML, front matter, a checklist, a runbook; the only error is `ConfigError`."""
    with suppress(ConfigError):
        documents.load_yaml(text, "x.yml")
    documents.read_front_matter(text)
    read_pages(text)


def read_pages(text: str) -> None:
    """A checklist and a runbook."""
    checklist.checks(checklist.read_checklist(text))
    checklist.shown_checklist(text)
    checklist.boxes(text)
    checklist.passed_checks([text])
    page = runbooks.read_page("x", text, own=True)
    runbooks.as_comment(text, "https://example.com/a/b.md")
    runbooks.as_comment(text, None)
    runbooks.matching([page], forms.FormValues({"summary": text}, {}))


READERS: list[Callable[[str], None]] = [
    read_moments,
    read_lengths,
    read_commands,
    read_arguments,
    read_bodies,
    read_documents,
]
_WORDS = (
    "at |since | ago|2h|15m|1.5|14:02|pm|CET|IST|GMT+1|+0100|-2400|+9999|Europe/Berlin|America/"
    "|2026-11-23|0001-01-01|9999-12-31|T|24:00|03/11/2026|03.11.|Friday|yesterday|May|1400|an "
    "|half an hour|/ack |/verify |all |but |/note |On 23 Nov 2026 Alice wrote:\n|From: a\n|<!--|-->"
    "|```|> |- [ ] |### Severity\n|### When?\n|[a](|probe: http://|---\n|a: |[|]|{|}|&a |*a|!!int "
    "|!!bool |!!float _|!!timestamp |FREQ=|WEEKLY|;|UNTIL=|20270101T000000Z|INTERVAL=0|BYDAY=|=|,"
)
_CHARACTERS = "\n\r\t \0\u2028\u00a0\u200b\ud800\x1b²٣İﷺ"
_PIECES = st.sampled_from([*_WORDS.split("|"), *_CHARACTERS])
_TEXTS = st.lists(st.one_of(_PIECES, _PIECES, st.text(max_size=5)), max_size=12).map("".join)


@pytest.mark.parametrize("reader", READERS, ids=lambda reader: reader.__name__)
@settings(max_examples=300, derandomize=True, deadline=None)
@given(text=_TEXTS)
@example(text="08:00-2400")
@example(text="14:02 +9999")
@example(text="0001-01-01T00:00+14:00")
@example(text="9999-12-31T23:59-12:00")
@example(text="99999 weeks ago")
@example(text="99999 weeks 99999 days ago")
@example(text="!!float _")
@example(text="!!bool maybe")
@example(text="!!timestamp x")
@example(text="a\rb\r## c\r- [ ] d")
@example(text="Europe/" * 9_000)
@example(text="\ud800\udfff\0\x85")
def test_no_text_crashes_a_reader(reader: Callable[[str], None], text: str) -> None:
    """Each is read, or refused with the reader's own error."""
    reader(text)


_ATTACKS = [
    "<!--",
    "- [ ] a <!-- b -->",
    "[",
    "[a](b",
    "> ",
    "- ",
    "`",
    "\n",
    "\t/ack\n",
    "a, ",
    "2h and ",
    "? ",
    "probe: ",
    "On 2026 ",
    "From: a\n",
    "_",
    "-----a",
    "/verify a, ",
    "\u200b/",
    "ﷺ",
    "environments: [a,",
]


def _seconds(reader: Callable[[str], None], text: str) -> float:
    """Processor time, the least of two measurements."""

    def once() -> float:
        start = time.process_time()
        reader(text)
        return time.process_time() - start

    return min(once(), once())


@pytest.mark.parametrize(
    "reader", [read_moments, read_commands, read_bodies, read_pages], ids=lambda r: r.__name__
)
@pytest.mark.parametrize("attack", _ATTACKS)
def test_reading_takes_linear_time(reader: Callable[[str], None], attack: str) -> None:
    """Eight times the text takes about eight times as long; a square would be sixty-four times.

    The ratio is bounded, not the time. What is read at once has nothing to compare.
    """
    large = (attack * (LONGEST // len(attack) + 1))[:LONGEST]
    for last in itertools.count(1):
        longer = _seconds(reader, large)
        if longer < 0.05 or longer < 32 * _seconds(reader, large[: LONGEST // 8]):
            return
        assert last < 5, "reading grows faster than the text"


def test_comments_in_a_page_are_left_out_once() -> None:
    """Row of the issue: `<!--` 16,000 times took up to 55 s."""
    assert documents.without_comments("a <!-- b --> c <!-- d") == "a  c <!-- d"
    assert documents.without_comments("<!--" * 16_000) == "<!--" * 16_000
