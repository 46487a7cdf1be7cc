"""The form as the drill's people fill it in."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_actions.sandbox.drill import contract
from incident_actions.sandbox.drill.form import fill
from tests.support.events import form_body


def test_a_filled_form_reads_as_github_writes_it() -> None:
    """The drill and the acceptance tests, which were written apart, agree on every answer."""
    body, labels = fill(
        contract.FORM, {"severity": "SEV2", "summary": "It is down.", "changes": "Deploy"}
    )

    assert body == form_body({"severity": "SEV2", "summary": "It is down.", "changes": ["Deploy"]})
    assert labels == ("incident",)


@pytest.mark.parametrize(
    ("answers", "named"),
    [
        ({"color": "red"}, "color"),
        ({"severity": "SEV9"}, "severity"),
        ({"changes": "x"}, "changes"),
    ],
)
def test_an_answer_that_the_form_does_not_take_is_an_error(
    answers: dict[str, str], named: str
) -> None:
    """A scene that no longer fits the form fails, and says where."""
    with pytest.raises(KeyError, match=named):
        fill(contract.FORM, answers)


def test_a_form_of_ones_own_is_filled_by_its_own_words(tmp_path: Path) -> None:
    """A team's reworded form works as well."""
    form = tmp_path / "form.yml"
    form.write_text(
        "labels: [incident]\n"
        "body:\n"
        "  - {type: markdown, attributes: {value: hello}}\n"
        "  - {type: input, id: summary, attributes: {label: Was ist los}}\n",
        encoding="utf-8",
    )

    assert fill(form, {})[0] == "### Was ist los\n\n_No response_"
