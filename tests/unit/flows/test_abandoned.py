"""An incident stays one when its label is taken off: nobody notices at 3 a.m."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.events import form_body
from tests.support.overtaken import overtaken_at_first_open
from tests.support.watch import Watch, watched

FORM = form_body({"severity": "SEV1", "summary": "Logins fail.", "affected": "nobody"})


@pytest.fixture
def shop() -> Iterator[Watch]:
    """acme/shop at 03:00."""
    with watched() as it:
        yield it


def test_a_confirmed_incident_gets_its_label_back(shop: Watch) -> None:
    """Its text is a quote, which no form made; the bot knows its own incident all the same."""
    shop.github.user("mallory")
    report = int(shop.github.as_user("mallory").file_form_issue("Down", FORM)["number"])
    shop.respond()
    shop.alice.comment(report, "/confirm")
    shop.respond()
    incident = report + 1
    shop.alice.unlabel(incident, "incident")
    shop.respond()
    labels = {label["name"] for label in shop.alice.issue(incident)["labels"]}
    assert {"incident", "sev1", "status:investigating"} <= labels


def test_two_runs_for_one_confirmation_leave_one_incident(
    shop: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right before a run opens the incident another one opens it: each looks again afterwards."""
    shop.github.user("mallory")
    report = int(shop.github.as_user("mallory").file_form_issue("Down", FORM)["number"])
    shop.respond()
    shop.passes(1)
    shop.alice.comment(report, "/confirm")
    overtaken_at_first_open(monkeypatch, shop.respond)
    shop.respond()
    found = shop.alice.ask("GET", "/issues?state=all")
    states = {issue["number"]: (issue["state"], issue["state_reason"]) for issue in found}
    assert states[2] == ("open", None)
    assert states[3] == ("closed", "not_planned")
    assert [text for text in shop.said(report) if "#2" in text]
    assert not [text for text in shop.said(report) if "#3" in text]
