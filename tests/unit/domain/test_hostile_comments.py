"""Whatever stands in a comment: it is read without an error, and in linear time."""

from __future__ import annotations

import difflib
import itertools
import os
import time
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_actions.domain.timeline.commands import BY_NAME, REGISTRY
from incident_actions.domain.timeline.parser import MisreadLine, read_comment
from tests.unit.domain.test_commands import TYPED

EXAMPLES = int(os.environ.get("INCIDENT_EXAMPLES", "3000"))
"""How many comments are made up; set INCIDENT_EXAMPLES=100000 for a long run."""

LONGEST = 65_536

_PIECES = st.sampled_from(
    [
        *(f"/{name}" for name in BY_NAME),
        *(kind.example for kind in REGISTRY),
        *(
            "\n",
            "\r\n",
            "\r",
            "\n\n",
            " ",
            "\t",
            "    ",
            "\0",
            "\u2028",
            "\u00a0",
            "\u200b",
            "\ufeff",
        ),
        *(
            "`",
            "``",
            "```",
            "~~~",
            "```sh\n",
            ">",
            "> ",
            ">>",
            "- ",
            "* ",
            "1. ",
            "#",
            "===",
            "---",
        ),
        *("<!--", "-->", "<!-- incident-actions:begin -->", "<!-- incident-actions:state {} -->"),
        *(
            "<div>",
            "</div>",
            "<b",
            "</",
            "<![CDATA[",
            "<?",
            "&amp;",
            "&#0;",
            "\\",
            "\\\n",
            "[",
            "](",
        ),
        *(
            "![",
            "[a]: b",
            "|",
            "|---|",
            "**",
            "__",
            "{{ 7 * 7 }}",
            "{% raw %}",
            "${{ github.token }}",
        ),
        *("at 14:02", "at 99:99", "at 2026-11-23T14:02Z", "at 9999-12-31T23:59-14:00"),
        *("sev1", "SEV-", "sev 99999999999999999999", "for 2h", "for 99999h", "next 20m"),
        *(
            "next 99999999m",
            "#57",
            "#999999999999",
            "4f2a9c1",
            "@alice",
            "@",
            "@github-actions[bot]",
        ),
        *("--force", "—force", "all", "->", "→", " / ", "2026-12-01", "2026-02-31", "0000-00-00"),
        *("commander", "monitoring", "٣", "²", "\u202e", "\ue000", "\ue0001\ue001", "👩‍🚒", "ﷺ"),
        *("שלום", "İ", "ß", "\ud83d\ude00", "e\u0301"),
    ]
)
_TEXT = st.text(max_size=30)
_COMMENTS = st.lists(st.one_of(_PIECES, _PIECES, _TEXT), max_size=25).map("".join)


@settings(max_examples=EXAMPLES, derandomize=EXAMPLES <= 3000)
@given(_COMMENTS)
def test_no_comment_can_break_the_reading(comment: str) -> None:
    """Each command is one of ours or a mistake with an answer, in the order of the lines."""
    found = read_comment(comment, TYPED)
    lines = [line.line for line in found]
    assert lines == sorted(lines)
    assert len(found) <= 51
    for line in found:
        assert 1 <= line.line <= comment.count("\n") + comment.count("\r") + 1
        if isinstance(line, MisreadLine):
            assert line.reason
            assert line.suggestion
        else:
            assert line.at <= TYPED
            assert type(line.command) in REGISTRY


@settings(max_examples=EXAMPLES // 10, derandomize=EXAMPLES <= 3000)
@given(_COMMENTS)
def test_what_is_fenced_off_commands_nothing(comment: str) -> None:
    """Any comment at all, put into a fence or a quote, holds no command."""
    fence = "`" * (max((len(run) for run in comment.split("`")), default=0) + 70)
    assert read_comment(f"{fence}\n{comment}\n{fence}", TYPED) == ()
    flat = comment.replace("\r\n", "\n").replace("\r", "\n")
    quoted = "\n".join(f"> {line}" for line in flat.split("\n"))
    assert read_comment(quoted, TYPED) == ()


_ATTACKS = {
    "commands": "/note x\n",
    "mistakes": "/nothing x\n",
    "one long line": "/note " + "x" * 58,
    "spaces": "/update" + " " * 57,
    "open quotes": ">" * 64,
    "nested quotes": "> " * 32,
    "nested lists": "- " * 32,
    "deeper lists": "  - a\n",
    "backticks": "`" * 63 + "a",
    "growing backticks": "` `` ``` ```` ",
    "fences": "```\n",
    "brackets": "[" * 64,
    "links": "[a](" * 16,
    "images": "![" * 32,
    "stars": "*a **a " * 9,
    "comments begun": "<!-- " * 12,
    "tags begun": "<a " * 21,
    "declarations": "<!A " * 16,
    "instructions": "<? " * 21,
    "sections": "<![CDATA[ ",
    "entities": "&#1234567;" * 6,
    "escapes": "\\" * 64,
    "references": "[a]: b\n",
    "tables": "|-" * 32,
    "dates": "/ack at 2026-11-23T14:02Z\n",
    "digits": "/severity " + "9" * 54,
    "promises": "/update x next 20m next 20m\n",
    "arrows": "/did " + "-> " * 19,
    "slashes": "/action " + " / " * 18,
    "names": "/service " + "a," * 27,
}


def _seconds(comment: str) -> float:
    """Processor time, which other programs disturb least: the least of three measurements."""

    def once() -> float:
        read_comment.cache_clear()
        start = time.process_time()
        assert len(read_comment(comment, TYPED)) <= 51
        return time.process_time() - start

    return min(once(), once(), once())


@pytest.mark.parametrize("attack", _ATTACKS.values(), ids=_ATTACKS.keys())
@pytest.mark.parametrize("width", [64, 4_000, LONGEST], ids=lambda width: f"lines of {width}")
def test_reading_takes_linear_time(attack: str, width: int) -> None:
    """Comments as long as GitHub allows are read in a time that grows as they do.

    Eight times the text takes about eight times as long; a square would be sixty-four times. The
    ratio is bounded, not the time: the machine may be slow. Where even the longest comment is
    read at once there is nothing to compare.
    """
    line = (attack.strip("\n") * (width // len(attack) + 1))[: width - 1]
    large = (f"{line}\n" * (LONGEST // width + 1))[:LONGEST]
    small = large[: LONGEST // 8]
    for last in itertools.count(1):
        longer = _seconds(large)
        if longer < 0.02 or longer < 32 * _seconds(small):
            return
        assert last < 5, "reading grows faster than the text"


def test_nothing_is_looked_up_beyond_the_limit() -> None:
    """Of 21,000 unknown commands fifty are compared with ours; the comment is read once a run."""
    comment = "/q\n" * 21_000
    read_comment.cache_clear()
    with patch.object(difflib, "get_close_matches", wraps=difflib.get_close_matches) as compared:
        found = [read_comment(comment, TYPED) for _ in range(5)]
    assert compared.call_count == 50
    assert len(found[0]) == 51
    assert found[0][-1].line == 51
