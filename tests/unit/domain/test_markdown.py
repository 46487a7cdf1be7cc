"""Which lines of a comment are the writer's own words, and may be commands."""

from __future__ import annotations

import pytest

from incident_actions.domain.timeline.parser import slash_lines


@pytest.mark.parametrize(
    ("comment", "lines"),
    [
        ("/ack", [(1, "/ack")]),
        ("/ack\n/severity sev2", [(1, "/ack"), (2, "/severity sev2")]),
        ("Hello\n/ack\nbye", [(2, "/ack")]),
        ("Hello\n\n/ack\n\nbye", [(3, "/ack")]),
        ("   /ack", [(1, "/ack")]),
        ("/ack\r\n/note x\r\n", [(1, "/ack"), (2, "/note x")]),
        ("/ack\r/note x", [(1, "/ack"), (2, "/note x")]),
        ("/note trailing spaces   ", [(1, "/note trailing spaces")]),
        ("/note a hard\\\n/ack", [(1, "/note a hard"), (2, "/ack")]),
        ("# Plan\n/ack", [(2, "/ack")]),
        ("/ack\n---", [(1, "/ack")]),
        ("/ack\n===", [(1, "/ack")]),
        ("| a | b |\n|---|---|\n/ack", [(3, "/ack")]),
        ("> somebody said\n\n/ack", [(3, "/ack")]),
        ("- a point\n\n/ack", [(3, "/ack")]),
        ("```\nlog\n```\n/ack", [(4, "/ack")]),
        ("~~~\nlog\n~~~\n/ack", [(4, "/ack")]),
        ("<!-- hidden -->\n/ack", [(2, "/ack")]),
        ("[x]: /ack\n/note y", [(2, "/note y")]),
        ("/note see `code` and **bold**", [(1, "/note see `code` and **bold**")]),
        ("/note a <!-- secret --> b", [(1, "/note a  b")]),
        ("/note 5 < 6 & 7 > 6", [(1, "/note 5 < 6 & 7 > 6")]),
        ("/note \\*starred\\*", [(1, "/note *starred*")]),
    ],
)
def test_a_line_of_its_own_that_begins_with_a_slash_is_read(
    comment: str, lines: list[tuple[int, str]]
) -> None:
    """Also between paragraphs, under headings and after code, with the line's number."""
    assert slash_lines(comment) == lines


@pytest.mark.parametrize(
    "comment",
    [
        "",
        "ack",
        "please /ack",
        "```\n/ack\n```",
        "```sh\n/ack",
        "~~~\n/ack\n~~~",
        "````\n```\n/ack\n````",
        "    /ack",
        "\t/ack",
        "> /ack",
        ">/ack",
        "> > /ack",
        "> ```\n> /ack\n> ```",
        "- /ack",
        "* /ack",
        "1. /ack",
        "- a\n\n      /ack",
        "`/ack`",
        "`code that\n/ack\nspans lines`",
        "<!-- /ack -->",
        "<!--\n/ack\n-->",
        "<!--\n\n/ack\n\n-->",
        "text <!-- begins\n/ack\nends -->",
        "<div>\n/ack\n</div>",
        "<pre>\n\n/ack\n\n</pre>",
        "<details>\n/ack",
        "# /ack",
        "[x]: /ack",
        "![/ack](/ack)",
        "**\u200b/ack**",
    ],
)
def test_code_quotes_lists_and_hidden_text_hold_no_commands(comment: str) -> None:
    """What GitHub shows as code or as somebody else's words commands nothing."""
    assert slash_lines(comment) == []


def test_a_line_right_under_a_quote_is_the_writers_own() -> None:
    """CommonMark would add it to the quote; people who answer a quote don't mean that."""
    assert slash_lines("> Shall I?\n/ack") == [(2, "/ack")]
    assert slash_lines("> Shall I?\n> Really?\n/ack\n/note yes") == [(3, "/ack"), (4, "/note yes")]


def test_a_line_right_under_a_list_is_the_writers_own() -> None:
    """The list has ended for whoever typed a command at the start of a line."""
    assert slash_lines("- one\n- two\n/ack") == [(3, "/ack")]


def test_a_nul_and_the_readers_own_marks_do_no_harm() -> None:
    """Characters that the reader uses itself are no way to make lines up."""
    assert slash_lines("/ack\n\ue0001\ue001/note x") == [(1, "/ack")]
    assert slash_lines("/note a\0b") == [(1, "/note a b")]


def test_a_very_long_line_is_cut() -> None:
    """No command is that long, and reading stays linear."""
    ((number, line),) = slash_lines("/note " + "x" * 50_000)
    assert number == 1
    assert len(line) <= 4_000
