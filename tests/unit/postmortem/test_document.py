"""The file: read without losing a byte, changed only where it is meant."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_actions.domain.postmortem import actions as grammar
from incident_actions.domain.postmortem.actions import read_action, with_number, with_tick
from incident_actions.domain.postmortem.document import Document

FRONT = "---\nincident: 12\nseverity: sev1\n---\n\n"
HEAD = "## Corrective actions\n\n"
ACTION = "- [ ] [missing-alert] Page on the oldest job / @bea / 2026-12-01"

# Each is a file with exactly one action, which is complete and has no number.
VARIANTS = {
    "plain": f"{FRONT}{HEAD}{ACTION}\n",
    "no-end-of-line": f"{FRONT}{HEAD}{ACTION}",
    "crlf": f"{FRONT}{HEAD}{ACTION}\n".replace("\n", "\r\n"),
    "mixed-line-ends": f"{FRONT}## Corrective actions\r\n\n{ACTION}\r\nmore\n",
    "lone-carriage-return": f"{FRONT}{HEAD}Some\rtext\n\n{ACTION}\n",
    "byte-order-mark": f"\ufeff{FRONT}{HEAD}{ACTION}\n",
    "no-front-matter": f"# Title\n\n{HEAD}{ACTION}\n",
    "broken-front-matter": f"---\n: [\n---\n{HEAD}{ACTION}\n",
    "front-matter-that-ends-with-dots": f"---\na: 1\n...\n{HEAD}{ACTION}\n",
    "trailing-spaces": f"{HEAD}{ACTION}   \n",
    "trailing-tab": f"{HEAD}{ACTION}\t\n",
    "tab-after-the-dash": f"{HEAD}-\t[ ]\tText / @bea / 2026-12-01\n",
    "tabs-around-slashes": f"{HEAD}- [ ] Text\t/\t@bea\t/\t2026-12-01\n",
    "star": f"{HEAD}* [ ] Text / @bea / 2026-12-01\n",
    "plus": f"{HEAD}+ [ ] Text / @bea / 2026-12-01\n",
    "numbered": f"{HEAD}1. [ ] Text / @bea / 2026-12-01\n",
    "indented": f"{HEAD}   - [ ] Text / @bea / 2026-12-01\n",
    "below-a-bullet": f"{HEAD}- Alerts\n  - [ ] Text / @bea / 2026-12-01\n",
    "with-steps-below": f"{HEAD}{ACTION}\n  - [ ] a step\n    - [x] a smaller one\n",
    "with-text-below": f"{HEAD}{ACTION}\n  which says more\n\n  and more\n",
    "in-a-loose-list": f"{HEAD}- first\n\n{ACTION}\n\n- last\n",
    "no-blank-line": f"## Corrective actions\n{ACTION}\n",
    "slash-in-the-text": f"{HEAD}- [ ] Read / write split / of a/b / @bea / 2026-12-01\n",
    "address-in-the-text": f"{HEAD}- [ ] See https://a.example/b/c / @bea / 2026-12-01\n",
    "link-in-the-text": f"{HEAD}- [ ] [The docs](https://a.example/x) say / @bea / 2026-12-01\n",
    "category-and-link": f"{HEAD}- [ ] [other] [docs](x) / @bea / 2026-12-01\n",
    "category-in-capitals": f"{HEAD}- [ ] [Missing-Alert] Text / @bea / 2026-12-01\n",
    "emoji": f"{HEAD}- [ ] 🔥 Page 👩🏽‍🚒 sooner / @bea / 2026-12-01\n",
    "emoji-in-the-title": f"# 🚨\n\n{HEAD}{ACTION}\n",
    "right-to-left": f"{HEAD}- [ ] תזכורת / @bea / 2026-12-01\n",
    "code-in-the-text": f"{HEAD}- [ ] Watch `a / b` / @bea / 2026-12-01\n",
    "bold": f"{HEAD}- [ ] **Page** _us_ / @bea / 2026-12-01\n",
    "escapes": f"{HEAD}- [ ] Alert on \\`queue\\_depth\\` / @bea / 2026-12-01\n",
    "html-in-the-text": f"{HEAD}- [ ] <b>Page</b> / @bea / 2026-12-01\n",
    "comment-at-the-end": f"{HEAD}{ACTION} <!-- soon -->\n",
    "comment-with-an-action": f"{HEAD}<!--\n{ACTION}\n-->\n\n{ACTION}\n",
    "fence-with-an-action": f"{HEAD}```\n{ACTION}\n```\n\n{ACTION}\n",
    "tilde-fence": f"{HEAD}~~~md\n## Corrective actions\n{ACTION}\n~~~\n{ACTION}\n",
    "indented-code": f"{HEAD}text\n\n    {ACTION}\n\n{ACTION}\n",
    "quote-with-an-action": f"{HEAD}> {ACTION}\n\n{ACTION}\n",
    "table-with-an-action": f"{HEAD}| a | b |\n|---|---|\n| {ACTION} | x |\n\n{ACTION}\n",
    "table-before": f"| a |\n|:-:|\n| 1 |\n\n{HEAD}{ACTION}\n",
    "section-after": f"{HEAD}{ACTION}\n\n## Notes\n\n- [ ] not / @bea / 2026-12-01\n",
    "section-before": f"## What failed\n\n- [ ] not / @bea / 2026-12-01\n\n{HEAD}{ACTION}\n",
    "heading-below": f"{HEAD}### Alerts\n\n{ACTION}\n",
    "heading-with-closing-marks": f"## Corrective actions ##\n\n{ACTION}\n",
    "heading-in-capitals": f"## CORRECTIVE ACTIONS\n\n{ACTION}\n",
    "underlined-heading": f"Corrective actions\n------------------\n\n{ACTION}\n",
    "thematic-break": f"{HEAD}---\n\n{ACTION}\n\n---\n",
    "definition": f"{HEAD}[x]: https://a.example\n\n{ACTION}\n",
    "line-separator": f"{HEAD}- [ ] Text\u2028more / @bea / 2026-12-01\n",
    "form-feed": f"{HEAD}- [ ] Text\x0cmore / @bea / 2026-12-01\n",
    "next-line": f"{HEAD}- [ ] Text\x85more / @bea / 2026-12-01\n",
    "zero-byte": f"{HEAD}\x00\n\n{ACTION}\n",
    "no-utf-8": f"{HEAD}- [ ] caf\udce9 / @bea / 2026-12-01\n",
    "very-long": f"{HEAD}- [ ] {'word ' * 5_000}/ @bea / 2026-12-01\n",
    "owner-without-at": f"{HEAD}- [ ] Text / @BEA-1 / 2026-12-01\n",
    "many-spaces": f"{HEAD}-   [ ]   Text   /   @bea   /   2026-12-01\n",
}


def test_there_are_variants_enough() -> None:
    """At least fifty, each another way in which people write."""
    assert len(set(VARIANTS.values())) == len(VARIANTS) >= 50


@pytest.mark.parametrize("text", VARIANTS.values(), ids=VARIANTS)
def test_a_file_comes_back_byte_for_byte(text: str) -> None:
    """Reading everything in it changes nothing."""
    data = text.encode("utf-8", "surrogateescape")
    document = Document.from_bytes(data)
    assert document.actions
    assert document.sections
    assert document.prompts == ()
    assert document.to_bytes() == data


@pytest.mark.parametrize("text", VARIANTS.values(), ids=VARIANTS)
def test_only_the_number_and_the_tick_are_written(text: str) -> None:
    """The one action of each variant gets its number and its tick; all other bytes stay."""
    document = Document(text)
    (action,) = document.actions
    assert action.complete, action
    line = document.line(action.line)
    changed = document.with_lines({action.line: with_number(with_tick(line, True), action, 57)})
    (again,) = changed.actions
    assert (again.number, again.done) == (57, True)
    assert (again.text, again.owner, again.due) == (action.text, action.owner, action.due)
    before, after = text.splitlines(keepends=True), changed.text.splitlines(keepends=True)
    assert len(before) == len(after)
    (found,) = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
    assert found[1].replace("#57 ", "", 1).replace("[x]", "[ ]", 1) == found[0]


PIECES = [
    "---\n", "incident: 12\n", "## Corrective actions\n", "## Summary\r\n", "\n", "\r\n", "\t",
    "- [ ] a / @bea / 2026-12-01\n", "- [x] #57 [other] b / c / @bea / 2026-12-01\r\n", "> ",
    "  - [ ] nested\n", "```\n", "~~~\n", "<!--", "-->\n", "| a | b |\n|--|--|\n", "text ",
    "[link](https://a.example/b)\n", "🔥", "\ufeff", "\x00", "\r", "    ", "1. [ ] c / @d /\n",
    "> ✍️ write\n", "***\n", "\\", "`", "\u2028", "\udce9",
]  # fmt: skip


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_any_mixture_comes_back_and_is_read_without_failing(text: str) -> None:
    """Whatever stands in a file: it is read, comes back, and each change touches one line."""
    document = Document(text)
    assert document.text == text
    assert (document.sections, document.front_matter, document.prompts) is not None
    for action in document.actions:
        line = document.line(action.line)
        changed = document.with_lines({action.line: with_tick(line, not action.done)})
        pairs = itertools.zip_longest(document.lines, changed.lines)
        assert [a != b for a, b in pairs].count(True) == 1
        assert with_tick(changed.line(action.line), action.done).casefold() == line.casefold()


@given(st.text())
def test_any_text_comes_back(text: str) -> None:
    """Lines are cut and joined without loss."""
    assert Document(text).text == text


words = st.text(
    st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp"), blacklist_characters="<\u200b"),
    min_size=1,
    max_size=40,
).map(lambda text: " ".join(text.split()))


@given(words.filter(lambda text: text and not text.startswith(("[", "#", "/")) and text[-1] != "/"))
def test_any_words_survive_the_grammar(text: str) -> None:
    """Slashes and all: what stands before owner and date is the text."""
    action = read_action(f"- [ ] {text} / @bea / 2026-12-01", 1)
    assert action is not None
    assert (action.text, action.owner, action.due) == (text, "@bea", "2026-12-01")


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("- [ ] Text", ("Text", "", "")),
        ("- [ ] Text / @bea", ("Text", "@bea", "")),
        ("- [ ] Text / 2026-12-01", ("Text", "", "2026-12-01")),
        ("- [ ] Text / @bea / soon", ("Text", "@bea", "soon")),
        ("- [ ] Text / @owner / yyyy-mm-dd", ("Text", "@owner", "yyyy-mm-dd")),
        ("- [ ] Text / @bea / 2026-13-45", ("Text", "@bea", "2026-13-45")),
        ("- [ ] Text / bea / 2026-12-01", ("Text", "bea", "2026-12-01")),
        ("- [ ] Text / @acme/ops / 2026-12-01", ("Text", "@acme/ops", "2026-12-01")),
        ("- [ ] a / b", ("a / b", "", "")),
        ("- [ ] Text / @bea /", ("Text", "@bea", "")),
        ("- [ ] / @bea / 2026-12-01", ("", "@bea", "2026-12-01")),
        ("- [ ]  ", ("", "", "")),
        ("- [] Text", None),
        ("- Text / @bea / 2026-12-01", None),
    ],
)
def test_what_is_missing_is_empty(line: str, expected: tuple[str, str, str] | None) -> None:
    """An unfinished line is still read as far as it goes."""
    action = read_action(line, 1)
    found = (action.text, action.owner, action.due) if action else None
    assert found == expected
    assert action is None or not action.complete


@pytest.mark.parametrize(
    ("line", "number", "category"),
    [
        ("- [ ] #57 Text / @bea / 2026-12-01", 57, ""),
        ("- [ ] #57 [other] Text / @bea / 2026-12-01", 57, "other"),
        ("- [ ] [other] #57 Text / @bea / 2026-12-01", 57, "other"),
        ("- [ ] [#57](https://github.com/o/r/issues/57) Text / @bea / 2026-12-01", 57, ""),
        ("- [ ] #57th text / @bea / 2026-12-01", None, ""),
        ("- [ ] Text #57 / @bea / 2026-12-01", None, ""),
    ],
)
def test_number_and_category(line: str, number: int | None, category: str) -> None:
    """Both stand in front, in either order; a link's number counts."""
    action = read_action(line, 1)
    assert action is not None
    assert (action.number, action.category) == (number, category)


def test_the_words_alone_make_the_key() -> None:
    """Escapes, spaces and capitals don't make it another action."""
    one = grammar.key_of("Alert on `queue_depth`")
    assert one == grammar.key_of("alert  on \\`queue\\_depth\\`")
    assert one != grammar.key_of("Alert on `queue_length`")
