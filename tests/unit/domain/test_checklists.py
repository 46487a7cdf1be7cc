"""The team's own checklists: read from Markdown, shown in the dashboard, read back from there."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from incident_actions.domain.issue.observation import take_apart
from incident_actions.domain.playbook.checklist import (
    ChecklistItem,
    ChecklistSection,
    checks,
    missing,
    read_checklist,
    shown_checklist,
)
from incident_actions.domain.text.names import slug
from incident_actions.render.dashboard import DashboardFacts, compose
from tests.unit.domain.chat import CHECKS, Chat


def test_sections_and_items() -> None:
    """Headings of the second level, numbered or not; the rest of the page is prose."""
    page = """---
title: x
---

# Checklist

Prose, and - [ ] no item.

## 1. First things

- [ ] Open a channel <!-- seen: Thread -->
* [x] Ticked in the file
+ [ ] With `code` and a [link](https://x.example)
- no box

```markdown
- [ ] only an example
```

## Empty

## 2) Then

1. first
   - [ ] nested
""".replace("\n", "\r\n")
    assert read_checklist(page) == (
        ChecklistSection(
            "First things",
            (
                ChecklistItem("Open a channel", "thread"),
                ChecklistItem("Ticked in the file", ""),
                ChecklistItem("With `code` and a [link](https://x.example)", ""),
            ),
        ),
        ChecklistSection("Then", (ChecklistItem("nested", ""),)),
    )


def test_probes_and_keys() -> None:
    """An address that the bot asks itself is no part of the text."""
    page = "- [ ] API is up `probe: https://api.example/health?a=1` <!-- check: api.health -->"
    (section,) = read_checklist(page)
    assert section.title == "Checklist"
    assert section.items == (
        ChecklistItem("API is up", "api.health", "https://api.example/health?a=1"),
    )


@pytest.mark.parametrize(
    "line",
    [
        "- [ ] x `probe: ftp://x.example`",
        "- [ ] x `probe: javascript:alert(1)`",
        "- [ ] x `probe: file:///etc/passwd`",
    ],
)
def test_a_probe_asks_only_over_http(line: str) -> None:
    """Anything else is text."""
    ((item,),) = [section.items for section in read_checklist(line)]
    assert item.probe is None


def test_checks_without_a_key_are_named_by_their_text() -> None:
    """So that they can be typed; the first of two with one name counts."""
    page = "- [ ] Login: sign in\n- [ ] login sign-in\n- [ ] Queue <!-- check: q -->\n- [ ] 队列"
    assert [item.key for item in checks(read_checklist(page))] == ["login-sign-in", "q", "item"]


def test_what_is_missing() -> None:
    """In the file's order."""
    assert missing(CHECKS, {"error-rate"}) == CHECKS[1:]
    assert missing((), {"x"}) == ()


@pytest.mark.parametrize(
    ("text", "name"),
    [("Login: Sign in!", "login-sign-in"), ("---", "item"), ("", "item"), ("x" * 90, "x" * 40)],
)
def test_names_that_people_type(text: str, name: str) -> None:
    """Lower case, hyphens, not too long."""
    assert slug(text) == name


_LINES = st.sampled_from(
    [
        "## 1. First", "## 2. 3) Numbers", "## *Stars* & <b>", "##", "## ## x ##", "### Third",
        "#### Fourth", "Setext\n---", "- [ ] plain", "- [x] ticked", "- [ ] a*b_c`d` [e](f) $x$",
        "- [ ] <b>bold</b> & &lt; @alice", "- [ ] key <!-- seen: commander -->", "- [ ] <!-- x -->",
        "- [ ] a | b", "  - [ ] nested", "- [ ] [ ] twice", "- [ ] # hash", "- [ ] > quote",
        "- [ ] `probe: https://x.example`", "```", "text", "", "1. [ ] numbered", "* [ ] star",
        "- [ ]  many   spaces  ", "- [ ] ends <!-- seen: a --> later", "- [ ] 1. one", "---",
    ]
)  # fmt: skip


@settings(max_examples=200)
@given(st.lists(_LINES, max_size=12).map("\n".join))
@example("## 1. 2. Twice numbered\n- [ ] x")
@example("- [ ] <!-- x -->")
def test_the_dashboard_gives_a_checklist_back_as_it_was(page: str) -> None:
    """It is the checklist's memory: read back, it is the same, and so is the next dashboard."""
    incident = Chat().incident
    sections = read_checklist(page)

    def shown(checklist: tuple[ChecklistSection, ...]) -> str:
        facts = DashboardFacts(
            number=7,
            checklist=checklist,
            checks=(),
            ticked=(),
            seen=(),
            update_every=dict.fromkeys(("sev1", "sev2", "sev3")),
        )
        return compose(incident, facts, ['{"v":1}'], "")

    body = shown(sections)
    again = shown_checklist(take_apart(body).dashboard)
    assert [(s.title, [(i.text, i.key) for i in s.items]) for s in again] == [
        (s.title, [(i.text, i.key) for i in s.items]) for s in sections
    ]
    assert shown(again) == body
