"""What people mean: words that take a command back, texts of several lines, blank answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incident_actions.domain.issue.forms import Form, FormField, affects_customers, read_answers
from incident_actions.domain.issue.incident import Severity, Status
from incident_actions.domain.text.blanks import is_blank
from incident_actions.domain.timeline.commands.base import Command
from incident_actions.domain.timeline.commands.record import CustomerUpdate, Did, Note, Update
from incident_actions.domain.timeline.commands.reports import Dismiss
from incident_actions.domain.timeline.commands.roles import Ack, SetSeverity
from incident_actions.domain.timeline.commands.status import Mitigated, Resolve
from incident_actions.domain.timeline.parser import MisreadLine, TakenLine, read_comment
from tests.unit.domain.chat import Chat
from tests.unit.domain.test_commands import TYPED, misread, taken


@pytest.mark.parametrize(
    ("said", "instead"),
    [
        ("/verify all but error-rate, still at 3 %", "/verify latency"),
        ("/verify all, except latency", "/verify error-rate"),
        ("/verify all error-rate is fine", "/verify latency"),
        ("/verify all looks good, not latency though", "/verify error-rate"),
        ("/verify all?", "/verify error-rate"),
        ("/verify all no", "/verify error-rate, latency"),
        ("/verify error-rate latency", "/verify error-rate, latency"),
        ("/verify error-rate not yet", "/verify CHECK"),
        ("/verify error-rate, nonsense", "/verify error-rate"),
    ],
)
def test_a_check_is_verified_only_when_the_words_say_so(said: str, instead: str) -> None:
    """Told which checks there are, and what to type; nothing is verified."""
    chat = Chat()
    chat.say("alice", "/mitigated")
    (answer,) = chat.say("alice", said)
    assert chat.incident.verified == {}
    assert f"Type instead: `{instead}" in answer


@pytest.mark.parametrize(
    ("said", "checks"),
    [
        ("/verify all watched ten minutes", {"error-rate", "latency"}),
        ("/verify error-rate, latency both fine", {"error-rate", "latency"}),
        ("/verify error-rate and latency", {"error-rate", "latency"}),
        ("/verify latency: p99 is 80 ms", {"latency"}),
    ],
)
def test_checks_are_verified_together(said: str, checks: set[str]) -> None:
    """With commas or `and` between them, or all of them."""
    chat = Chat()
    assert chat.say("alice", said) == []
    assert set(chat.incident.verified) == checks


@pytest.mark.parametrize(
    "text",
    [
        "/resolve not yet",
        "/resolve?",
        "/resolve is it over?",
        "/resolve once the queue is empty",
        "/resolve all but the EU",
        "/thaw no",
        "/thaw not now",
        "/thaw for 2h",
        "/thaw until 16:00",
        "/thaw #57",
        "/thaw 4f2a9c1 is the fix",
        "/thaw all except api",
        "/freeze no",
        "/freeze off",
        "/mitigated?",
        "/mitigated not really",
        "/mitigated almost",
        "/mitigated partially",
        "/ack all but",
        "/ack not me, bob has it",
        "/ack?",
        "/confirm?",
        "/confirm not yet",
        "/sensitive no",
        "/postmortem not needed",
        "/severity sev2?",
        "/severity sev1 or sev2",
        "/severity sev3 maybe",
        "/status monitoring not yet",
        "/status monitoring?",
        "/snooze 30m or so",
        "/snooze off later",
        "/role comms @bea and @tom",
        "/time started at 13:58 roughly",
        "/cause unknown",
        "/cause tbd",
    ],
)
def test_words_that_a_command_cannot_read_are_told(text: str) -> None:
    """A question, an exception or a `not yet` is never taken for the whole."""
    assert misread(text).suggestion.startswith("/")


@pytest.mark.parametrize(
    "text",
    [
        "/resolve no errors for ten minutes",
        "/resolve stable",
        "/thaw only the newsletter is affected",
        "/freeze until the migration is checked",
        "/mitigated after the rollback",
        "/ack on it, laptop is booting",
        "/ack no idea yet",
        "/dismiss not an incident",
        "/reopen not fixed",
        "/status identified nothing but DNS",
        "/severity sev1 not only the EU",
        "/status identified not the deploy, DNS",
        "/mitigated the cause is not yet known",
    ],
)
def test_words_that_only_explain_are_taken(text: str) -> None:
    """A reason may say what is not."""
    taken(text)


def test_a_thaw_for_one_service_is_told() -> None:
    """A thaw lets the deploys of all through."""
    chat = Chat()
    chat.say("alice", "/service api")
    (answer,) = chat.say("alice", "/thaw api")
    assert "every service" in answer
    assert chat.incident.freezes


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        (
            "/customer first\n\nsecond\n- a\n- b\n/ack",
            [CustomerUpdate("first\n\nsecond\n- a\n- b"), Ack()],
        ),
        ("/note a\r\nb\r\n\r\n", [Note("a\nb")]),
        ("/note\nbelow", [Note("below")]),
        ("/did a -> b\nc", [Did("a", "b\nc")]),
        ("/update scaled, next 20m\nmore", [Update("scaled\nmore", timedelta(minutes=20))]),
        ("/update next 20m scaled\nmore", [Update("scaled\nmore", timedelta(minutes=20))]),
        ("/mitigated\nthe rollback\nis live", [Mitigated("the rollback\nis live")]),
        ("/resolve --force\nno way to test", [Resolve("no way to test", force=True)]),
        ("/dismiss a planned\nmaintenance", [Dismiss("a planned\nmaintenance")]),
        ("/note a\n<!-- hidden -->\nb", [Note("a\nb")]),
        ("/note a\n```\n/ack\n```\n/ack", [Note("a\n```\n/ack\n```"), Ack()]),
        ("/ack\nand more words", [Ack()]),
    ],
)
def test_a_text_goes_on_to_the_next_command(text: str, commands: list[Command]) -> None:
    """Row of the issue: the lines below `/customer` are not lost."""
    found = read_comment(text, TYPED)
    assert [line.command for line in found if isinstance(line, TakenLine)] == commands
    assert len(found) == len(commands)


def test_the_timeline_keeps_the_whole_text() -> None:
    """It is shown on one line where it must be."""
    chat = Chat()
    chat.say("alice", "/customer Uploads fail.\n\nWe are on it.")
    assert chat.incident.timeline[-1].result == "Uploads fail.\n\nWe are on it."


@pytest.mark.parametrize(
    "before",
    [
        "\u00a0",
        "\u200b",
        "\ufeff",
        "\u3000",
        "\u2003",
        "\u2028",
        "\u202f",
        "\u2060",
        "\u00ad",
        "\x0b",
        "\x1b",
        "\u200e",
        "  \u200b ",
        "\ufeff\u00a0",
        "\u00a0\u00a0\u00a0\u00a0\u00a0",
    ],
)
def test_invisible_characters_before_a_command_make_no_difference(before: str) -> None:
    """Phones and chats add them; nobody sees them."""
    assert taken(f"{before}/ack") == Ack()
    assert taken(f"Hello\n{before}/ack") == Ack()


@pytest.mark.parametrize(
    "text",
    ["／ack", "⁄ack", "∕ack", "／ａｃｋ", "/\u00a0ack", "/a\u200bck", "/\u200back", "/ack\u2060"],
)
def test_look_alikes_inside_the_first_word_make_no_difference(text: str) -> None:
    """A full-width slash is a slash."""
    assert taken(text) == Ack()


def test_blanks_between_the_words_make_no_difference() -> None:
    """Whatever their width."""
    expected = SetSeverity(Severity.SEV2, "fewer")
    assert taken("/severity\u3000sev2\u00a0fewer") == expected


@pytest.mark.parametrize(
    "text", ["\t/ack", " \t/ack", "\t\u200b／ack", "Words.\n\n\t/resolve stable"]
)
def test_a_command_behind_a_tab_is_answered(text: str) -> None:
    """GitHub shows it as code, so it is not taken, but not silence either."""
    found = misread(text)
    assert "tab" in found.reason
    assert found.suggestion.startswith("/")


def test_letters_of_another_script_are_answered() -> None:
    """The name looks like one of ours and is none."""
    assert misread("/\u0430ck").suggestion == "/ack"


FORM = Form((FormField("summary", "What?"), FormField("affected", "Who?")))


@pytest.mark.parametrize(
    "answer",
    [
        "```shell\n\n```",
        "```shell\n```",
        "```\n_No response_\n```",
        "_No response_",
        "_Keine Antwort_",
        "_Sin respuesta_",
        "-",
        "--",
        "—",
        "?",
        "???",
        "...",
        "tbd",
        "TBD.",
        "N/A",
        "n.a.",
        "none yet",
        "unknown",
        "Not known yet",
        "I don’t know",
        "\u200b",
    ],
)
def test_an_answer_that_says_nothing_is_none(answer: str) -> None:
    """Row of the issue: it does not count as an answer."""
    assert is_blank(answer)
    answers = read_answers(FORM, f"### What?\n\n{answer}\n\n### Who?\n\nall")
    assert answers.get("summary") == ""
    assert answers.given == {"affected"}


@pytest.mark.parametrize(
    "answer", ["nobody", "none", "no", "x fails", "```shell\nerror 502\n```", "👩‍🚒", "500", "0"]
)
def test_a_short_answer_is_one(answer: str) -> None:
    """`nobody` is an answer of its own."""
    assert not is_blank(answer)
    answers = read_answers(FORM, f"### What?\n\nx1\n\n### Who?\n\n{answer}")
    assert answers.get("affected") == answer
    assert affects_customers("none") is False


def test_the_first_reader_of_a_misread_line_learns_what_to_type() -> None:
    """Row of the issue, in the chat: nothing closed, nothing verified."""
    chat = Chat()
    chat.say("alice", "/mitigated")
    (answer,) = chat.say("alice", "/verify all but error-rate, still at 3 %\n/resolve not yet")
    assert "`error-rate`, `latency`" in answer
    assert chat.incident.status is Status.MONITORING
    assert all(isinstance(line, MisreadLine) for line in read_comment("/resolve not yet", TYPED))
