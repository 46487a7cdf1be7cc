"""The answers of a filled form, whatever was typed into them, and however the form is worded."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_actions import gate_readers as readers
from incident_actions.domain.issue import forms as read
from incident_actions.domain.issue.forms import (
    Form,
    FormField,
    FormValues,
    looks_filled,
    read_answers,
    read_form,
)
from incident_actions.domain.text.blanks import is_blank
from incident_actions.errors import ConfigError
from tests.support.events import FORM, form_body
from tests.unit.gate.cases import NOT_PLAIN, PLAIN

OURS = read_form(yaml.safe_load(FORM.read_text("utf-8")), "incident.yml")
SHORT = Form(
    (
        FormField("severity", "Severity"),
        FormField("summary", "What is broken?"),
        FormField("changes", "What changed?"),
        FormField("started", "When?"),
    )
)


def rendered(**answers: str) -> str:
    """A body as GitHub makes it of the short form."""
    return "\n\n".join(
        f"### {field.label}\n\n{answers.get(field.id, '_No response_')}" for field in SHORT.fields
    )


def test_our_own_form_is_read_back() -> None:
    """Every kind of field: dropdown, text, input, checkboxes."""
    answers = read_answers(
        OURS,
        form_body(
            {
                "severity": "SEV2",
                "summary": "Uploads fail.\n\nSince the deploy.",
                "services": "api, worker",
                "changes": ["Deploy", "DNS"],
            }
        ),
    )
    assert answers.get("severity").startswith("SEV2 - ")
    assert answers.get("summary") == "Uploads fail.\n\nSince the deploy."
    assert answers.get("services") == "api, worker"
    assert answers.boxes["changes"] == ("Deploy", "DNS")
    assert answers.boxes["sensitive"] == ()
    assert answers.get("started") == ""
    assert "started" not in answers.given
    assert {"severity", "summary", "changes"} <= answers.given


def test_what_was_not_answered_is_absent() -> None:
    """GitHub writes `_No response_`, and may leave a question out."""
    answers = read_answers(SHORT, "### Severity\n\n_No response_\n\n### When?\n\n14:02")
    assert dict(answers.values) == {"started": "14:02"}


def test_a_reworded_form_in_another_language() -> None:
    """Answers are found by the form's own labels, spaces and case aside."""
    document = {
        "body": [
            {"type": "markdown", "attributes": {"value": "### Severity"}},
            {"type": "input", "id": "summary", "attributes": {"label": "Was ist  kaputt? 🔥"}},
            {"type": "input", "id": "severity", "attributes": {"label": "כמה זה חמור?"}},
        ]
    }
    form = read_form(document, "x.yml")
    body = "### was ist kaputt? 🔥\n\nDer Login\n\n### כמה זה חמור?\n\nSEV2"
    assert dict(read_answers(form, body).values) == {"summary": "Der Login", "severity": "SEV2"}


def test_a_reordered_form() -> None:
    """The order is the form's own."""
    form = Form(tuple(reversed(SHORT.fields)))
    body = "### When?\n\n14:02\n\n### What is broken?\n\nAll\n\n### Severity\n\nSEV3"
    assert read_answers(form, body).get("severity") == "SEV3"


def test_a_heading_typed_into_an_answer_is_part_of_it() -> None:
    """The form's own `### Severity` stands before; the second one is somebody's text."""
    body = rendered(severity="SEV1", summary="It says:\n\n### Severity\n\nSEV3\n\n### Else\n\nx")
    answers = read_answers(SHORT, body)
    assert answers.get("severity") == "SEV1"
    assert answers.get("summary") == "It says:\n\n### Severity\n\nSEV3\n\n### Else\n\nx"


@pytest.mark.parametrize(
    ("real", "typed", "read"),
    [
        ("SEV3", "SEV1", "SEV1"),
        ("SEV1", "SEV3", "SEV1"),
        ("SEV3", "SEV3", "SEV3"),
        ("SEV3", "_No response_", "_No response_"),
    ],
)
def test_of_two_severities_the_worse_one_counts(real: str, typed: str, read: str) -> None:
    """Nobody can tell which heading is the form's; one that can't be read is worse than any."""
    body = rendered(severity=real, summary=f"It says:\n\n### Severity\n\n{typed}")
    assert read_answers(SHORT, body).get("severity") == read.replace("_No response_", "")


TYPED_BEFORE = (("summary", "What?"), ("services", "Affected services"), ("sensitive", "Sensitive"))


def test_an_answer_that_is_there_twice_narrows_nothing() -> None:
    """Somebody typed the heading into an answer before it, while the form's own field is empty."""
    form = Form(tuple(FormField(*each) for each in TYPED_BEFORE))
    body = (
        "### What?\n\nx\n\n### Affected services\n\nblog\n\n### Sensitive\n\n- [ ] Secret\n\n"
        "### Affected services\n\n_No response_\n\n### Sensitive\n\n- [x] Secret"
    )
    answers = read_answers(form, body)
    assert (answers.get("services"), answers.boxes["sensitive"]) == ("", ("Secret",))


def test_our_markers_in_an_answer_are_text() -> None:
    """Nobody can type a dashboard or a state into the form."""
    evil = 'Down <!-- incident-actions:begin -->\n<!-- incident-actions:state {"v":1} -->'
    assert read_answers(SHORT, rendered(summary=evil)).get("summary") == evil


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_line_ends_make_no_difference(end: str) -> None:
    """GitHub stores CRLF after an edit in the page."""
    body = rendered(severity="SEV1", summary="two\nlines", changes="- [X] Deploy\n- [ ] DNS")
    assert read_answers(SHORT, body.replace("\n", end)) == read_answers(SHORT, body)


@pytest.mark.parametrize(
    "text",
    [
        "x" * 60_000,
        "\n" * 60_000,
        "### \n" * 12_000,
        "- [X] a\n" * 7_500,
        "👩‍🚒" * 5,
        "שלום \u202e עולם",
    ],
)
def test_long_and_strange_answers_are_kept(text: str) -> None:
    """Whatever stands there, the other answers are found."""
    answers = read_answers(SHORT, rendered(severity="SEV2", summary=text, started="14:02"))
    assert answers.get("severity") == "SEV2"
    assert answers.get("started") == "14:02"
    assert answers.get("summary") == text.strip()


def test_boxes_are_ticked_with_either_letter() -> None:
    """The form writes `[X]`, the page's own click `[x]`."""
    body = rendered(changes="- [X] Deploy\n- [x] DNS\n- [ ] TLS\n")
    assert read_answers(SHORT, body).boxes["changes"] == ("Deploy", "DNS")


def test_a_text_with_a_list_in_it_is_no_group_of_boxes() -> None:
    """Only a field that is nothing but boxes."""
    body = rendered(summary="Steps:\n- [x] tried turning it off")
    assert "summary" not in read_answers(SHORT, body).boxes


def test_checkboxes_that_nobody_ticked_are_no_answer() -> None:
    """They are there in any case."""
    assert "changes" not in read_answers(SHORT, rendered(changes="- [ ] Deploy")).given


@pytest.mark.parametrize("answer", NOT_PLAIN)
def test_an_answer_that_is_no_plain_list_names_no_service(answer: str) -> None:
    """No label comes of it, so the incident goes on to concern everything, as for the gate."""
    assert read.read_services(answer) == ()
    assert readers.single_words(answer) == ()


@pytest.mark.parametrize("answer", PLAIN)
def test_a_plain_list_names_services(answer: str) -> None:
    """The gate reads the same names before `respond` has run."""
    assert list(read.read_services(answer)) == PLAIN[answer]
    assert sorted(readers.single_words(answer)) == PLAIN[answer]


@given(st.text("aA1._-,; \n*`n/é", max_size=12) | st.sampled_from(sorted(readers.EVERYTHING)))
def test_the_gate_and_the_form_read_services_alike(answer: str) -> None:
    """Whatever was typed: there is one reader."""
    assert list(read.read_services(answer)) == sorted(readers.single_words(answer))


_TEXT = st.text(max_size=40).map(lambda text: text.replace("\r", " "))


@settings(max_examples=200)
@given(severity=st.sampled_from(["SEV1", "SEV2"]), summary=_TEXT, started=_TEXT)
def test_any_answers_come_back(severity: str, summary: str, started: str) -> None:
    """Apart from white space around them."""
    body = rendered(severity=severity, summary=summary, started=started)
    answers = read_answers(SHORT, body)
    assert answers.get("severity") == severity
    if not any(line.startswith("### ") for line in summary.split("\n")) and not is_blank(summary):
        assert answers.get("summary") == summary.strip()


@settings(max_examples=200)
@given(st.lists(st.sampled_from(["### Severity", "### When?", "###", "\n", "x", "- [X] "])))
def test_no_body_breaks_the_reading(parts: list[str]) -> None:
    """An issue with no form in it has no answers, and that is all."""
    answers = read_answers(SHORT, "\n".join(parts))
    assert set(answers.values) <= {"severity", "summary", "changes", "started"}


def test_a_body_without_a_form() -> None:
    """A blank issue."""
    assert read_answers(SHORT, "") == FormValues({}, {})
    assert read_answers(SHORT, "Everything is broken") == FormValues({}, {})


def test_a_filled_form_is_recognised_without_its_label() -> None:
    """GitHub drops a form's labels where they don't exist yet."""
    assert looks_filled(OURS, form_body({"severity": "SEV1"}))
    assert looks_filled(OURS, form_body({"severity": "SEV1"}).replace("\n", "\r\n"))
    assert not looks_filled(OURS, "")
    assert not looks_filled(OURS, "### Severity\n\nSEV1")
    assert not looks_filled(OURS, "### Severity\n\n" * 20)


@pytest.mark.parametrize(
    "document", [None, [], "text", {}, {"body": None}, {"body": {"a": 1}}, {"name": "x"}]
)
def test_a_file_that_is_no_form(document: Any) -> None:
    """Is a mistake in the team's file, with its path."""
    with pytest.raises(ConfigError, match=r"form\.yml: `body` must be a list"):
        read_form(document, "form.yml")


def test_odd_elements_of_a_form_are_left_out() -> None:
    """What has no label has no answer."""
    elements: list[Any] = [None, 7, "x", {}, {"type": "input"}, {"attributes": {"label": "  "}}]
    elements += [{"type": "input", "id": 5, "attributes": {"label": "A"}}]
    assert read_form({"body": elements}, "x.yml") == Form((FormField("", "A"),))
