"""What people mean: words that take a command back, texts of several lines, blank answers."""

from __future__ import annotations

from datetime import timedelta

import pytest

from incident_actions.domain.issue.forms import Form, FormField, affects_customers, read_answers
from incident_actions.domain.issue.incident import Severity, Status
from incident_actions.domain.text.blanks import is_blank
from incident_actions.domain.timeline.commands.base import Command
from incident_actions.domain.timeline.commands.freeze import Allow
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
        ("/verify error-rate: ok, latency: ok", "/verify error-rate, latency"),
        ("/verify latency, not error-rate", "/verify CHECK"),
        ("/verify latency?", "/verify CHECK"),
        ("/verify none", "/verify CHECK"),
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
        ("/verify error-rate,latency", {"error-rate", "latency"}),
        ("/verify error-rate / latency", {"error-rate", "latency"}),
        ("/verify all seen\n\nStill to do: the postmortem", {"error-rate", "latency"}),
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
        "/cause maybe the deploy",
        "/cause not the deploy",
        "/cause dns or deploy",
        "/resolve?!",
        "/resolve？",
        "/resolve please don't",
        "/resolve please wait",
        "/resolve in 10 minutes",
        "/resolve in an hour",
        "/resolve can we",
        "/resolve too early",
        "/resolve it is premature",
        "/resolve was a mistake",
        "/resolve nvm",
        "/resolve --force?",
        "/resolve --force please don't",
        "/resolve I think",
        "/resolve all fine except the EU",
        "/resolve bitte noch nicht",
        "/resolve todavía no",
        "/resolve ainda não",
        "/resolve nog niet",
        "/resolve jeszcze nie",
        "/resolve まだ",
        "/resolve 还没",
        "/thaw please don't",
        "/thaw please wait",
        "/thaw in 2h",
        "/thaw in two hours",
        "/thaw for one hour",
        "/thaw 2h",
        "/thaw after the migration",
        "/thaw tomorrow",
        "/thaw 18:00",
        "/thaw PR 57",
        "/thaw only staging",
        "/thaw staging only",
        "/freeze?",
        "/freeze please don't",
        "/freeze is over",
        "/freeze can we?",
        "/freeze maybe",
        "/mitigated in 5 minutes",
        "/mitigated hopefully",
        "/mitigated sort of",
        "/mitigated only in the EU",
        "/mitigated in EU, not in US",
        "/mitigated still failing",
        "/mitigated pending deploy",
        "/mitigated 50 %",
        "/mitigated will be soon",
        "/mitigated tbc",
        "/verify error-rate still at 3 %",
        "/verify error-rate failed",
        "/verify latency is not ok",
        "/severity sev1 or 2",
        "/severity sev1-2",
        "/severity 2 3",
        "/severity sev1 -> sev2",
        "/severity sev2+",
        "/severity sev3.5",
        "/severity sev2 or higher",
        "/severity sev2 (sev1?)",
        "/severity sev3 I think so, maybe?",
        "/status monitoring or identified",
        "/status monitoring, not yet",
        "/allow #57 not yet",
        "/allow #57 please don't",
        "/allow #57 is it ok?",
        "/allow #57 ?",
        "/allow #57 when CI is green",
        "/allow #57 if CI is green",
        "/allow #57 tomorrow",
        "/allow #57 until 18:00 the fix",
        "/allow #57 only for staging",
        "/allow #57, #58 both fixes",
        "/allow #57 and #58 both fixes",
        "/allow #57 or #58",
        "/dismiss not yet",
        "/dismiss can we?",
        "/dismiss maybe",
        "/reopen not yet",
        "/reopen no",
        "/reopen should we?",
        "/confirm false alarm",
        "/sensitive false",
        "/postmortem skip",
        "/role commander nobody",
        "/role commander not me",
        "/did nothing",
        "/did not roll back",
        "/did we roll back?",
        "/customer none",
        "/customer not yet",
        "/customer -",
        "/update tbd",
        "/note ?",
        "/ack /severity sev2",
        "/thaw REASON",
        "/allow #57 for 2h REASON",
        "/note TEXT",
        "/severity sev2 REASON",
        "/mitigated and /verify all",
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
        "/resolve not seen for an hour",
        "/resolve no longer failing",
        "/resolve false alarm",
        "/resolve not an incident",
        "/resolve never happened again",
        "/resolve wrong alert threshold",
        "/resolve wait times are normal",
        "/resolve keine Fehler mehr",
        "/mitigated we don't know why",
        "/mitigated without a deploy",
        "/thaw no risk",
        "/thaw after all it was a false alarm",
        "/freeze don't deploy until Monday",
        "/verify error-rate not above 0.1 %",
        "/verify latency down to 80 ms",
        "/severity sev1 or we lose the night",
        "/did nothing but restart -> better?",
        "/cause no-capacity",
        "/resolve stable since 14:00",
        "/mitigated 2 of 3 regions are back",
        "/mitigated\n\nShould we write to customers?",
        "/resolve\n\nNot sure yet what the cause was.",
        "/verify latency p99 is 80 ms",
        "/severity sev2 2 customers are affected",
        "/severity sev3, was sev1",
        "/status monitoring: rollback is live",
        "/ack I think it is the DB",
        "/allow #57 for the fix, not the refactoring",
        "/dismiss no",
        "/freeze no deploys until Monday",
        "/update still investigating",
        "/update in progress",
        "/note pending",
        "/note x",
        "/customer We are looking into it.",
    ],
)
def test_words_that_only_explain_are_taken(text: str) -> None:
    """A reason may say what is not."""
    taken(text)


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("/allow #57 30m the fix", 30),
        ("/allow #57 for half an hour it is the fix", 30),
        ("/allow #57 for one hour the fix", 60),
        ("/allow #57 it is the fix for 30m", 30),
        ("/allow #57 it is the fix for an hour.", 60),
        ("/allow #57 for 2 hours the fix", 120),
    ],
)
def test_a_change_is_let_through_for_no_longer_than_was_typed(typed: str, minutes: int) -> None:
    """Wherever the time stands, and also in words."""
    command = taken(typed)
    assert isinstance(command, Allow)
    assert command.duration == timedelta(minutes=minutes)


@pytest.mark.parametrize("typed", ["/allow {} the fix", "/fix {}"])
def test_a_pull_request_of_another_repository_is_told(typed: str) -> None:
    """Its number would be another change here."""
    chat = Chat()
    (answer,) = chat.say("alice", typed.format("https://github.com/other/shop/pull/57"))
    assert "`other/shop` is another repository" in answer
    assert (chat.incident.allow, chat.incident.fixes) == ((), ())
    assert chat.say("alice", typed.format("https://github.com/Acme/Shop/pull/57")) == []


def test_the_check_that_is_meant_is_not_suggested_when_it_does_not_hold() -> None:
    """Typing the answer as it stands verifies nothing."""
    assert misread("/verify latency still high").suggestion == "/verify CHECK, CHECK"


@pytest.mark.parametrize(
    "typed", ["/resolve at 18:00", "/mitigated at 15:02", "/thaw at 18:00 release", "/ack at 15:02"]
)
def test_a_decision_is_not_dated_long_before_the_incident(typed: str) -> None:
    """It is a time to come, or one of another zone: yesterday's is a guess."""
    chat = Chat()
    (answer,) = chat.say("alice", typed, minutes=30)
    assert "2026-11-22" in answer
    assert chat.incident.status is Status.INVESTIGATING
    assert chat.incident.freezes


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
        ("/note a\n<details>\n/ack\n</details>\nb", [Note("a\n<details>\n/ack\n</details>\nb")]),
        ("/note a\n/var/log is full\nb", [Note("a\n/var/log is full\nb")]),
        (
            "/customer All is well.\n\nOn Mon, Nov 23, 2026 at 2:02 PM Al wrote:\n> secret\n",
            [CustomerUpdate("All is well.")],
        ),
        ("/severity sev2\n- fewer\n- errors", [SetSeverity(Severity.SEV2, "- fewer\n- errors")]),
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
    chat = Chat()
    chat.say("alice", f"{before}/ack")
    assert chat.incident.commander == "alice"


@pytest.mark.parametrize(
    "text",
    ["／ack", "⁄ack", "∕ack", "／ａｃｋ", "/\u00a0ack", "/a\u200bck", "/\u200back", "/ack\u2060"],
)
def test_look_alikes_inside_the_first_word_make_no_difference(text: str) -> None:
    """A full-width slash is a slash."""
    assert taken(text) == Ack()
    chat = Chat()
    chat.say("alice", f"Hello\r{text}")
    assert chat.incident.commander == "alice"


@pytest.mark.parametrize(
    "text", ["/ack;", "/ack👍", "/ack(done)", "/ack—done", "/ack…", "/ack?!", "/  ack"]
)
def test_marks_behind_the_name_make_no_silence(text: str) -> None:
    """Taken, or answered when they ask."""
    (found,) = read_comment(text, TYPED)
    assert found.line == 1


@pytest.mark.parametrize(
    "text", ["/config.json is broken", "/help.md", "/status/api", "/verify?x=1", "/ and then"]
)
def test_a_path_is_no_command(text: str) -> None:
    """Even when its first part is a name of ours."""
    assert read_comment(text, TYPED) == ()


@pytest.mark.parametrize(
    ("typed", "instead"),
    [
        ("/unfreeze", "/thaw REASON"),
        ("/close", "/resolve"),
        ("/frozen", "/freeze"),
        ("/acknowledge", "/ack"),
        ("/commander @bea", "/role commander @bea"),
        ("/monitoring", "/status monitoring"),
        ("/p1", "/severity sev1"),
        ("/sev1 or sev2?", "/severity sev1"),
        ("/rollback", "/did ACTION -> RESULT"),
    ],
)
def test_a_name_that_people_try_is_answered_with_what_they_mean(typed: str, instead: str) -> None:
    """Not with the nearest spelling, which may be the opposite."""
    assert misread(typed).suggestion == instead


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
        "\u3164",
        "ｎ／ａ",
        "？",
        "n / a",
        "N/A - not applicable",
        "tbd / unknown",
        "unknown at this time",
        "still investigating",
        "&nbsp;",
        "<br>",
        "<!-- Describe it -->",
        "- [ ] tbd",
        "> tbd",
        "```\ntbd\n```",
        "🤷",
        "noch nicht bekannt",
        "k. A.",
        "je ne sais pas",
        "não sei",
        "no se",
        "weet ik niet",
        "nie wiem",
        "не знаю",
        "不知道",
        "わからない",
    ],
)
def test_an_answer_that_says_nothing_is_none(answer: str) -> None:
    """Row of the issue: it does not count as an answer."""
    assert is_blank(answer)
    answers = read_answers(FORM, f"### What?\n\n{answer}\n\n### Who?\n\nall")
    assert answers.get("summary") == ""
    assert answers.given == {"affected"}


@pytest.mark.parametrize(
    "answer",
    [
        "nobody",
        "none",
        "no",
        "x fails",
        "```shell\nerror 502\n```",
        "👩‍🚒",
        "500",
        "0",
        "3 %",
        "unknown host exception",
        "todo list is broken",
        "pending payments fail",
        "👍",
        "- api",
    ],
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
