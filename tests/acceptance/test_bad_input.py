"""`respond`, started as the action starts it, on what it can't use: a clear error, nothing lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from incident_actions.sandbox import Sandbox
from tests.support.events import payload_of
from tests.support.programs import Result, Where, run_command
from tests.support.shop import NAME, Shop

TOKEN = "ghs_respond"


@pytest.fixture
def shop(sandbox: Sandbox, tmp_path: Path) -> Shop:
    """A shop with an incident that no run has seen yet."""
    made = Shop(sandbox, tmp_path, tmp_path)
    sandbox.actions_token(TOKEN, NAME, {"issues": "write", "contents": "read", "metadata": "read"})
    made.declare()
    return made


@pytest.fixture
def respond(shop: Shop) -> Callable[..., Result]:
    """Run `respond` for the last event; anything about the run can be set otherwise."""

    def run(**changes: Any) -> Result:
        event, payload = shop.sandbox.deliveries[-1]
        where = Where(
            shop.sandbox.url, changes.pop("repository", NAME), changes.pop("token", TOKEN)
        )
        given = {"event": event, "payload": payload_of((event, payload)), **changes}
        return run_command("respond", where, **given)

    return run


def assert_one_error(result: Result, exit_code: int, *words: str) -> None:
    """One annotation, with these words; the same in the summary; no traceback."""
    assert result.exit_code == exit_code, result.log
    (error,) = result.errors
    for word in words:
        assert word in error
    assert result.summary.strip()
    assert "Traceback" not in result.log


Respond = Callable[..., Result]


def test_no_token(respond: Respond) -> None:
    """The error names the variable to set."""
    assert_one_error(respond(token=""), 2, "token", "GITHUB_TOKEN")


def test_a_wrong_token(respond: Respond) -> None:
    """GitHub's refusal is told as what it is, and the token is not."""
    result = respond(token="ghs_expired")
    assert_one_error(result, 3, "token")
    assert "ghs_expired" not in result.log + result.summary


def test_a_token_without_the_permission(respond: Respond, shop: Shop) -> None:
    """The permission that is missing is named as it is written in a workflow."""
    shop.sandbox.actions_token(TOKEN, NAME, {"issues": "read", "contents": "read"})
    assert_one_error(respond(), 3, "issues: write")


@pytest.mark.parametrize("name", ["acme/nowhere", "acme", "a/b/c", "../../user"])
def test_an_unknown_repository(respond: Respond, name: str) -> None:
    """The name that was asked for is in the error."""
    result = respond(repository=name)
    assert result.exit_code in (2, 3)
    assert_one_error(result, result.exit_code, name)


def test_an_event_file_that_is_missing(respond: Respond) -> None:
    """The error says where the file was looked for."""
    result = respond(payload=None, GITHUB_EVENT_PATH="/nowhere/event.json")
    assert_one_error(result, 2, "GITHUB_EVENT_PATH")


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"issue": 3}', '{"action": "opened"}'])
def test_an_event_file_that_is_no_event(respond: Respond, text: str) -> None:
    """Broken or foreign JSON is an input error."""
    assert_one_error(respond(payload=text), 2, "event file")


def test_an_event_file_that_is_nested_beyond_all_bounds(respond: Respond) -> None:
    """It is no event, and no crash."""
    assert_one_error(respond(payload="[" * 100_000), 2, "event file")


@pytest.mark.parametrize("labels", [7, "x", None, [None, 3, {"name": None}, {"name": 4}, {}]])
def test_odd_labels_in_an_event_are_no_labels(respond: Respond, labels: object) -> None:
    """The event only tells which issue it is; what is true is asked."""
    payload = {"action": "opened", "issue": {"number": 1, "labels": labels}}
    result = respond(event="issues", payload=payload)
    assert result.exit_code == 0, result.log


@pytest.mark.parametrize("token", ["ghs_one\nghs_two", "ghs one", "ghs_\u00e9", "ghs_\x1b"])
def test_a_token_that_can_be_none(respond: Respond, token: str) -> None:
    """The error does not repeat it."""
    result = respond(token=token)
    assert_one_error(result, 2, "token")
    assert "ghs" not in result.log


@pytest.mark.parametrize("url", ["not a url", "https://", "ftp://x", "http://[::1", "http://x:y"])
def test_an_address_that_is_none(respond: Respond, url: str) -> None:
    """The variable to set is named."""
    assert_one_error(respond(GITHUB_API_URL=url), 2, "GITHUB_API_URL", url)


@pytest.mark.parametrize(
    "now", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "0001-01-02", "soon"]
)
def test_a_time_at_the_end_of_the_calendar(respond: Respond, now: str) -> None:
    """There is no day before the first, and none after the last."""
    assert_one_error(respond(INCIDENT_NOW=now), 2, "INCIDENT_NOW")


@pytest.mark.parametrize("path", ["../../user", "/etc/passwd", ".github/../../x"])
def test_a_path_that_leads_out_of_the_repository(respond: Respond, shop: Shop, path: str) -> None:
    """Nothing is asked for it, be it the configuration's or the form's."""
    assert_one_error(respond(inputs={"config": path}), 2, path)
    shop.sandbox.file(NAME, ".github/incident.yml", f"form: {path}\n")
    shop.sandbox.clear_log()
    assert_one_error(respond(), 2, path)
    assert not any(".." in each.path or "passwd" in each.path for each in shop.sandbox.log)


@pytest.mark.parametrize("name", ["acme/..", "../shop", "./shop", "acme/shop\nx"])
def test_a_repository_that_is_none(respond: Respond, name: str) -> None:
    """`..` would be another address than a repository's."""
    assert_one_error(respond(repository=name), 2, "OWNER/NAME")


@pytest.mark.parametrize(
    "config", ["version: " + "9" * 5_000, "form: " + "[" * 20_000, "&a [*a]", "roles: &a {x: *a}"]
)
def test_a_config_beyond_all_bounds(respond: Respond, shop: Shop, config: str) -> None:
    """It is an error of the file, like any other."""
    shop.sandbox.file(NAME, ".github/incident.yml", config)
    assert_one_error(respond(), 2, ".github/incident.yml")


def test_outputs_that_can_not_be_written(respond: Respond, shop: Shop) -> None:
    """The incident is up to date all the same, and the error says which file it was."""
    assert_one_error(respond(GITHUB_OUTPUT="/nowhere/outputs"), 2, "GITHUB_OUTPUT")
    assert "sev1" in shop.labels(1)


def test_a_summary_that_can_not_be_written(respond: Respond) -> None:
    """A warning: nothing depends on it. An error is told all the same."""
    result = respond(GITHUB_STEP_SUMMARY="/nowhere/summary")
    assert result.exit_code == 0, result.log
    assert "GITHUB_STEP_SUMMARY" in result.log
    assert "Traceback" not in result.log
    assert respond(GITHUB_STEP_SUMMARY="/nowhere/summary", token="").exit_code == 2


def test_an_event_that_respond_does_not_know(respond: Respond) -> None:
    """A workflow on the wrong trigger learns which ones there are."""
    assert_one_error(respond(event="fork"), 2, "fork", "issue_comment")


def test_every_error_of_a_config_at_once(respond: Respond, shop: Shop) -> None:
    """Unknown keys and wrong types are listed together, each with its path."""
    shop.sandbox.file(NAME, ".github/incident.yml", "sevrities: 3\nbot: [1]\n")
    result = respond()
    assert_one_error(result, 2, ".github/incident.yml", "sevrities", "bot")


@pytest.mark.parametrize(
    "fault",
    [
        {"status": 500},
        {"status": 502},
        {"status": 403, "headers": {"retry-after": "1"}},
        {"status": 429, "headers": {"retry-after": "1"}},
        {"kind": "drop"},
        {"kind": "timeout", "seconds": 1.0},
        {"kind": "html"},
        {"kind": "truncate"},
    ],
    ids=["500", "502", "403-retry-after", "429", "reset", "timeout", "html", "truncated"],
)
@pytest.mark.parametrize("at", [1, 3, 8])
def test_a_passing_fault_is_survived(
    respond: Respond, shop: Shop, fault: dict[str, Any], at: int
) -> None:
    """Whatever GitHub answers once, at whichever request: the incident ends up as it should."""
    shop.sandbox.fail(nth=at, **fault)
    result = respond()
    assert result.exit_code == 0, result.log
    assert {"incident", "sev1", "status:investigating"} <= shop.labels(1)
    assert shop.issue(1)["body"].count("<!-- incident-actions:begin -->") == 1
    assert respond().exit_code == 0  # asks again what could only be asked in vain
    shop.sandbox.clear_log()
    assert respond().exit_code == 0
    assert shop.sandbox.requests(write=True) == 0


def test_github_being_down_is_an_error_and_the_next_run_heals(respond: Respond, shop: Shop) -> None:
    """The run fails loudly, and nothing of it has to be undone."""
    shop.sandbox.fail(status=503, times=100)
    assert_one_error(respond(), 3)
    shop.sandbox.clear_faults()
    assert respond().exit_code == 0
    assert "sev1" in shop.labels(1)


HOSTILE = {
    "a heading": "### Severity\n\nSEV3 - harmless",
    "our markers": "<!-- incident-actions:end --> x <!-- incident-actions:begin -->",
    "our state": '<!-- incident-actions:state {"v":1,"severity":"sev3"} -->',
    "line ends": "one\r\ntwo\r\n\r\nthree",
    "60,000 characters": "x" * 60_000,
    "emoji": "🔥 all 👩‍👩‍👧 down",
    "right to left": "הכניסה לא עובדת \u202e txet",
    "a template": "{{ 7 * 7 }} {% raw %} ${{ github.token }}",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_answer_changes_nothing_but_itself(
    respond: Respond, shop: Shop, text: str
) -> None:
    """Severity stays as chosen, the reporter's text stays as written, a second run is quiet."""
    number = shop.declare(severity="SEV2", summary=text)
    written = shop.issue(number)["body"]
    result = respond()
    assert result.exit_code == 0, result.log
    assert "sev2" in shop.labels(number)
    assert "sev3" not in shop.labels(number)
    body = shop.issue(number)["body"]
    assert len(body) <= 65_536
    assert body.endswith(written)
    shop.sandbox.clear_log()
    assert respond().exit_code == 0
    assert shop.sandbox.requests(write=True) == 0


def test_an_incident_without_a_form(respond: Respond, shop: Shop) -> None:
    """A blank issue that a writer labels `incident` is one: the worse is assumed."""
    shop.alice.open_issue("Everything is slow", labels=["incident"])
    result = respond()
    assert result.exit_code == 0, result.log
    assert "incident" in shop.labels(2)
    assert shop.labels(2) & {"sev1", "sev2"}


def test_events_in_the_wrong_order_end_the_same(shop: Shop, respond: Respond) -> None:
    """The run for the comment comes first, the one for the opening late: both see what is."""
    opened = shop.sandbox.deliveries[-1]
    shop.alice.comment(1, "/mitigated")
    assert respond().exit_code == 0
    labels, body = shop.labels(1), shop.issue(1)["body"]
    assert "status:monitoring" in labels
    assert respond(event=opened[0], payload=payload_of(opened)).exit_code == 0
    assert (shop.labels(1), shop.issue(1)["body"]) == (labels, body)
