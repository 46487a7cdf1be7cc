"""Reading and rendering take time in proportion to a text's length, whatever it is made of."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from incident_actions.domain.issue.observation import Actor, Comment, find_bot_comments
from incident_actions.domain.playbook import checklist, runbooks
from incident_actions.domain.postmortem import record
from incident_actions.domain.postmortem.document import Document
from incident_actions.domain.postmortem.lint import LintFacts, lint
from incident_actions.domain.projection.effects import PostComment
from incident_actions.domain.projection.limits import long_text, within_limits
from incident_actions.domain.text.documents import read_front_matter, without_comments
from incident_actions.domain.text.harmless import defused, quiet
from incident_actions.domain.timeline.parser import slash_lines
from incident_actions.render.markdown import inline, quote

AT = datetime(2026, 11, 23, tzinfo=UTC)
UNITS = ["<!--", "<!-- ", "<!--\n", "[", "![", "[x](", "`", "<", "-->", "**a", "https://a/", "#1 "]
HEAD = "---\nincident: 1\n---\n\n## Corrective actions\n\n- [ ] "
READERS: dict[str, Callable[[str], object]] = {
    "commands": slash_lines,
    "lint": lambda text: lint(Document(HEAD + text), LintFacts(date(2026, 11, 23))),
    "page": lambda text: runbooks.as_comment(text, "https://github.com/a/b/blob/HEAD/x.md"),
    "checklist": lambda text: checklist.read_checklist("## A\n\n- [ ] " + text),
    "boxes": lambda text: checklist.boxes("- [ ] " + text),
    "record": lambda text: record.read_record("<!-- incident-actions:action {" + text),
    "front matter": lambda text: read_front_matter(f"---\na: '{text}'\n---\n"),
    "own comments": lambda text: find_bot_comments([Comment(1, Actor("b"), text, AT, AT)], ["b"]),
    "inline": lambda text: inline(text, 10**6),
    "quote": quote,
    "titles": lambda text: (defused(text), quiet(text)),
    "cut": lambda text: (long_text(text, 500), within_limits(PostComment(1, "a", "b", text * 3))),
    "without comments": without_comments,
}


def spent(read: Callable[[str], object], text: str) -> float:
    """The processor's seconds for one reading, the best of three."""
    best = float("inf")
    for _ in range(3):
        start = time.thread_time()
        read(text)
        best = min(best, time.thread_time() - start)
    return best


@pytest.mark.parametrize("name", READERS)
def test_eight_times_the_text_takes_no_sixty_four_times_as_long(name: str) -> None:
    """16,000 `<!--` took a minute: each one was looked at from each other one."""
    read = READERS[name]
    for unit in UNITS:
        short, long = (unit * (length // len(unit)) for length in (4_000, 32_000))
        base = max(spent(read, short), 0.002)  # below that the clock's own noise is larger
        assert spent(read, long) < 30 * base, f"{name} of {unit!r}"
