"""The incident form against the contract, and against a person at three in the morning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.support.events import form_body

ROOT = Path(__file__).resolve().parents[3]
TEMPLATES = ROOT / ".github" / "ISSUE_TEMPLATE"
FORM: dict[str, Any] = yaml.safe_load((TEMPLATES / "incident.yml").read_text("utf-8"))
FIELDS: dict[str, dict[str, Any]] = {
    field["id"]: field for field in FORM["body"] if field["type"] != "markdown"
}

IDS = ["severity", "summary", "affected", "ongoing", "started", "layer", "services", "changes"]
IDS += ["mitigation", "commander", "sensitive"]


def test_the_form_has_the_promised_fields() -> None:
    """The ids by which answers are found are there, in the order of triage."""
    assert list(FIELDS) == IDS
    assert FORM["labels"] == ["incident"]


def test_severity_options_begin_with_their_names() -> None:
    """The gate reads the severity off the option's start, before any label is there."""
    options = FIELDS["severity"]["attributes"]["options"]
    assert [option[:4] for option in options] == ["SEV1", "SEV2", "SEV3"]


def test_three_answers_are_enough() -> None:
    """Only what everybody knows at once is required."""
    required = [
        name for name, field in FIELDS.items() if field.get("validations", {}).get("required")
    ]
    assert required == ["severity", "summary", "affected"]


def test_an_answer_that_ticks_a_step_is_nobodys_default() -> None:
    """Whether it still happens is asked, so that the checklist ticks what somebody checked."""
    assert "default" not in FIELDS["ongoing"]["attributes"]


def test_labels_are_unique() -> None:
    """Answers are found by their label in the body, so no two fields share one."""
    labels = [field["attributes"]["label"] for field in FIELDS.values()]
    assert len(set(labels)) == len(labels)


def test_the_chooser_is_the_same_in_every_fork() -> None:
    """A blank issue stays possible. `init` adds the link, whose address names the repository."""
    config = yaml.safe_load((TEMPLATES / "config.yml").read_text("utf-8"))
    assert config == {"blank_issues_enabled": True}


def test_a_filled_form_reads_as_github_writes_it() -> None:
    """Headings, blank lines, ticks, and `_No response_` for what was left out."""
    body = form_body({"severity": "SEV2", "summary": "Jobs hang", "changes": ["Deploy"]})
    assert body.startswith("### Severity\n\nSEV2 - ")
    assert "### What is broken?\n\nJobs hang\n\n### Who is affected?\n\n_No response_\n\n" in body
    assert "- [X] Deploy\n- [ ] Configuration\n" in body
    assert body.endswith("- [ ] This involves a vulnerability or exposed data")
