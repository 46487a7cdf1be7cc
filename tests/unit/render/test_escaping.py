"""People's words stay words: no formatting, no HTML, no mention, no marker, no template."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from incident_actions.domain.issue.observation import BEGIN, END, EventKind, marker, take_apart
from incident_actions.domain.timeline.interpreter import Notice, NoticeKind
from incident_actions.render.comments import write
from incident_actions.render.dashboard import DashboardFacts, compose
from incident_actions.render.markdown import code, inline, minutes, quote, utc
from tests.unit.domain.chat import CHECKS, DECLARED, Chat, at

READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
ZERO_WIDTH_SPACE = "\u200b"
HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "--><b>",
    f"{BEGIN}\n## mine\n{END}",
    '<!-- incident-actions:state {"v":1} -->',
    marker("reply", "1"),
    "@everyone @acme/oncall @github-actions[bot]",
    "{{ 7 * 7 }} {% for x in range(9) %}x{% endfor %} {# gone #}",
    "{{ ''.__class__.__mro__ }} ${{ secrets.TOKEN }}",
    "[click](https://evil.example) ![x](https://evil.example/t.png)",
    "<https://evil.example> [a]: https://evil.example",
    "a | b | c\n|---|\n",
    "`code` ``more`` **bold** __bold__ ~~gone~~ *a* _b_ $x^2$",
    "# Heading\n- [x] ticked\n> quote\n1. one\n---\n===",
    "\\`\\[\\*",
    "&lt;b&gt; &#60;script&#62; &amp;",
    "</details><details open>",
    "a\r\nb\rc\x85d\u2028e\u2029f\x0bg\x0ch",
    "\u202eevil\u202c \u2066x\u2069",
    "```\n## not code\n```",
    "~~~",
    "    indented",
    "- - - ",
    "::error::x",
]


def tokens(markdown: str) -> list[Token]:
    """Every token of a text, inline ones included."""
    found = []
    for token in READER.parse(markdown):
        found.append(token)
        found += token.children or []
    return found


def shown(markdown: str) -> str:
    """The text that a reader sees."""
    return "".join(token.content for token in tokens(markdown) if token.type.startswith("text"))


_WORDS = st.sampled_from([*HOSTILE, "http", "@", "#", "1.", "1)", "-", "+", "=", ">", " ", "\n"])
_TEXTS = st.lists(st.one_of(_WORDS, st.text(max_size=8)), max_size=6).map("".join)


@settings(max_examples=400)
@given(_TEXTS.filter(lambda text: "://" not in text))
@example("1. one")
@example("2026. A year")
@example("a\\")
@example("#hash")
def test_inline_text_is_shown_as_it_was_typed(text: str) -> None:
    """One line of plain text, in which nothing is lost but what can't be seen."""
    escaped = inline(text, longest=10_000)
    assert {token.type for token in tokens(escaped)} <= {
        "paragraph_open", "paragraph_close", "inline", "text", "text_special",
    }  # fmt: skip
    assert "\n" not in escaped
    unprinted = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069\u200b]"
    typed = " ".join(re.sub(unprinted, "", text).split())
    assert shown(escaped).replace(ZERO_WIDTH_SPACE, "") == typed


@settings(max_examples=400)
@given(_TEXTS)
def test_no_text_becomes_html_or_a_mention(text: str) -> None:
    """Whether it stands in a line, in a cell of a table or in a list."""
    escaped = inline(text)
    for place in (escaped, f"| a | {escaped} |\n|---|---|\n| b | {escaped} |", f"- {escaped}"):
        found = {token.type for token in tokens(place)}
        assert not found & {"html_inline", "html_block", "image", "link_open", "fence", "hr"}
    assert "@" not in escaped.replace("@" + ZERO_WIDTH_SPACE, "")
    assert "<" not in escaped
    table = READER.parse(f"| a | b |\n|---|---|\n| {escaped} | x |")
    assert [token.type for token in table].count("td_open") == 2


def test_addresses_stay_links() -> None:
    """A link to a graph is worth much; what surrounds it is text."""
    url = "https://grafana.example/d/abc?from=now-1h&to=now#panel_2"
    assert inline(f"see {url}, *please*") == f"see {url}, \\*please\\*"


def test_a_long_text_is_cut() -> None:
    """And shows that it was."""
    assert inline("x" * 400) == "x" * 299 + "…"
    assert inline("y" * 300) == "y" * 300


def test_letters_from_right_to_left_stay() -> None:
    """Only the invisible characters that turn the text of others around go."""
    assert inline("\u202eשלום עולם\u202c") == "שלום עולם"


@settings(max_examples=300)
@given(_TEXTS)
def test_a_quote_holds_all_of_a_text_and_none_of_its_html(text: str) -> None:
    """Its own formatting may stay; HTML, markers and mentions do not."""
    quoted = quote(text)
    found = tokens(quoted)
    assert not {token.type for token in found} & {"html_inline", "html_block"}
    assert [token.type for token in READER.parse(quoted) if token.level == 0] in (
        ["blockquote_open", "blockquote_close"],
        [],
    )
    assert "<!--" not in quoted
    assert "@" not in quoted.replace("@" + ZERO_WIDTH_SPACE, "")


@pytest.mark.parametrize("text", ["`", "a`b", "\n", "``x``", "<!-- x -->"])
def test_text_between_backticks_stays_there(text: str) -> None:
    """One line, and no backtick."""
    assert not set("`\n") & set(code(text))


def facts(chat: Chat) -> DashboardFacts:
    """What a dashboard shows beside the incident."""
    return DashboardFacts(
        number=7,
        checklist=(),
        checks=CHECKS,
        ticked=(),
        seen=(),
        update_every=dict.fromkeys(("sev1", "sev2", "sev3")),
    )


@pytest.mark.parametrize("text", HOSTILE)
def test_the_dashboard_shows_hostile_words_as_words(text: str) -> None:
    """In reasons, notes, titles, follow-ups and everywhere else where people's words come up."""
    flat = " ".join(text.split())
    chat = Chat()
    chat.say("alice", f"/ack\n/note {flat}\n/did {flat} -> {flat}\n/freeze {flat}\n/update {flat}")
    chat.say("alice", f"/allow #5 {flat}\n/action {flat} / @bob / 2026-12-01\n/severity 2 {flat}")
    chat.say("alice", f"/verify latency {flat}\n/resolve --force {flat}")
    chat.by_hand("alice", EventKind.RENAMED, text)
    chat.by_hand("bob", EventKind.CROSS_REFERENCED, "12", pull_request=True, title=text)
    body = compose(chat.incident, facts(chat), ['{"v":1}'], "the report")

    parts = take_apart(body)
    assert parts.reporter == "the report"
    assert parts.state == '{"v":1}'
    ours = {"<details>", "</details>", "<details open>", "<summary>", "</summary>", "<b>", "</b>"}
    for token in tokens(parts.dashboard):
        if token.type in ("html_inline", "html_block"):
            left = re.sub(
                "|".join(sorted(map(re.escape, ours), key=len, reverse=True)), "", token.content
            )
            assert "<" not in left
        assert token.type not in ("image", "fence", "hr")
        if token.type == "link_open":
            assert "evil.example" not in str(token.attrs["href"])
    assert parts.dashboard.count("<!--") == 0
    mentioned = set(re.findall(r"@(?!\u200b)([\w/-]+)", parts.dashboard))
    assert mentioned <= {"alice", "bob", "user"}
    assert "49" not in re.sub(r"14:\d\d|#\d+", "", parts.dashboard)


@pytest.mark.parametrize("text", HOSTILE)
def test_answers_show_hostile_words_as_words(text: str) -> None:
    """What was typed is quoted back in code spans; the marker at the end is the only one."""
    chat = Chat()
    flat = " ".join(text.split())
    for line in (
        f"/foo {flat}",
        f"/status {flat}",
        f"/allow {flat}",
        f"/verify {flat}",
        f"/{flat}",
    ):
        chat.say("alice", f"{line}\n/akc")
    for notice in chat.folded.notices:
        said, _, end = write(notice, dict.fromkeys(notice.pages, "")).rpartition("\n\n")
        assert end == marker(notice.kind, notice.key)
        found = tokens(said)
        assert not {token.type for token in found} & {"html_inline", "html_block", "image", "fence"}
        assert "<!--" not in "".join(t.content for t in found if t.type != "code_inline")
        outside = "".join(token.content for token in found if token.type.startswith("text"))
        assert not re.findall(r"@(?!\u200b)\w", outside)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_dismissal_shows_its_reason_as_words(text: str) -> None:
    """The reason goes through the same escaping."""
    said = write(Notice(NoticeKind.DISMISSED, "7", to="alice", text=text))
    assert not {t.type for t in tokens(said.rpartition("\n\n")[0])} & {"html_inline", "html_block"}
    assert said.endswith(marker("dismissed", "7"))


def test_times_name_their_zone_and_their_day() -> None:
    """The day only where it isn't the one that everybody thinks of."""
    assert utc(at(14, 2)) == "2026-11-23 14:02 UTC"
    assert utc(at(14, 2), DECLARED) == "14:02 UTC"
    assert utc(at(14, 2), DECLARED.replace(day=22)) == "2026-11-23 14:02 UTC"
    assert utc(None) == ""


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (at(14), at(14, 43), "43 min"),
        (at(14), at(16, 5), "2 h 5 min"),
        (at(14), at(14), "0 min"),
        (at(14), at(13), "0 min"),
        (at(14), None, ""),
        (None, at(14), ""),
    ],
)
def test_durations_are_told_in_minutes(start: object, end: object, said: str) -> None:
    """Never less than nothing, however people backdated."""
    assert minutes(start, end) == said
