"""The playbook is complete: every fact in facts.yaml is found on its page."""

import re
from pathlib import Path

import pytest
import yaml

OPS = Path(__file__).resolve().parents[3] / "ops"
PAGES: dict[str, list[tuple[str, str]]] = yaml.safe_load(
    Path(__file__).with_name("facts.yaml").read_text(encoding="utf-8")
)
FACTS = [(page, fact, pattern) for page, facts in PAGES.items() for fact, pattern in facts]


@pytest.mark.parametrize(
    ("page", "fact", "pattern"), FACTS, ids=[f"{page}: {fact}" for page, fact, _ in FACTS]
)
def test_page_states_the_fact(page: str, fact: str, pattern: str) -> None:
    """A reader finds the fact on the page that the table names."""
    text = " ".join((OPS / page).read_text(encoding="utf-8").split())
    assert re.search(pattern, text, re.IGNORECASE), f"{page} no longer says: {fact}"


def test_each_fact_is_listed_once() -> None:
    """No fact hides behind another's pattern on the same page."""
    keys = [(page, pattern) for page, _, pattern in FACTS]
    assert len(keys) == len(set(keys))
