"""What the gate does when GitHub does not answer as it should."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_actions import gate_decision as decision
from incident_actions import gate_words as words
from tests.unit.gate.cases import NOW, SEV1, SHA, allow, freeze, issue, request, without
from tests.unit.gate.conftest import Run
from tests.unit.gate.hostile import Hostile, Reply

HTML = b"<!DOCTYPE html><html><body>Unicorn!</body></html>"
SLOW = {"retry-after": "600"}

FAULTS = [
    ("500", Reply({}, 500), "server-error"),
    ("502", Reply(HTML, 502), "server-error"),
    ("503", Reply({}, 503, {"retry-after": "1"}), "server-error"),
    ("403", Reply({"message": "Resource not accessible by integration"}, 403), "forbidden"),
    ("403 with retry-after", Reply({}, 403, SLOW), "rate-limited"),
    ("403 without a rest", Reply({}, 403, {"x-ratelimit-remaining": "0"}), "rate-limited"),
    ("403 in words only",
     Reply({"message": "You have exceeded a secondary rate limit"}, 403), "rate-limited"),
    ("429", Reply({}, 429, SLOW), "rate-limited"),
    ("401", Reply({"message": "Bad credentials"}, 401), "unauthorized"),
    ("404", Reply({"message": "Not Found"}, 404), "not-found"),
    ("410", Reply({"message": "Issues are disabled"}, 410), "not-found"),
    ("204", Reply(b"", 204), "unexpected"),
    ("418", Reply({}, 418), "unexpected"),
    ("a redirect to nowhere", Reply({}, 301), "unexpected"),
    ("a redirect elsewhere", Reply({}, 302, {"location": "http://evil.example/x"}), "unexpected"),
    ("a reset connection", Reply(fault="reset"), "unreachable"),
    ("half a body", Reply([SEV1], fault="cut"), "unreachable"),
    ("no answer", Reply(fault="hang"), "timeout"),
    ("a byte at a time", Reply(HTML * 9, fault="drip"), "timeout"),
    ("HTML", Reply(HTML), "unreadable"),
    ("nothing", Reply(b""), "unreadable"),
    ("half a JSON", Reply(b'[{"number": 1'), "unreadable"),
    ("deep JSON", Reply(b"[" * 200_000), "unreadable"),
    ("bytes that are no text", Reply(b"\xff\xfe\x00"), "unreadable"),
    ("null", Reply(b"null"), "unreadable"),
    ("an object", Reply({"message": "hello"}), "unreadable"),
    ("a number", Reply(3), "unreadable"),
    ("a list of nulls", Reply([None]), "unreadable"),
]  # fmt: skip


@pytest.mark.parametrize("label", ["incident", "deploy-freeze"])
@pytest.mark.parametrize(("reply", "code"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_fault_in_a_list_blocks(
    run: Run, github: Hostile, label: str, reply: Reply, code: str
) -> None:
    """Whatever goes wrong with either list: no deploy, exit code 3, one annotation, a remedy."""
    github.will(label, reply)
    ran = run("--json", inputs={"budget": "1"})
    assert (ran.exit_code, ran.verdict, ran.outputs["frozen"]) == (3, "error", "true")
    assert len(ran.errors) == 1
    data = json.loads(ran.log)
    assert data["code"] == code
    assert data["remedy"]
    assert data["remedy"] in ran.errors[0]
    assert "could not decide" in ran.summary


@pytest.mark.parametrize(("reply", "code"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_fault_passes_when_the_team_said_so(
    run: Run, github: Hostile, reply: Reply, code: str
) -> None:
    """`on-error: allow` lets the deploy pass, with a warning instead of an error."""
    github.will("incident", reply)
    ran = run(inputs={"budget": "1", "on-error": "allow"})
    assert (ran.exit_code, ran.verdict, ran.outputs["frozen"]) == (0, "error", "false")
    assert [each.level for each in ran.annotations] == ["warning"]


@pytest.mark.parametrize(
    "reply",
    [reply for _, reply, code in FAULTS if code in ("server-error", "unreachable")]
    + [Reply(HTML), Reply(b"")],
)
def test_a_passing_fault_is_retried(run: Run, github: Hostile, reply: Reply) -> None:
    """Two failures and then an answer is an answer."""
    github.will("incident", reply, reply, [SEV1])
    ran = run(inputs={"budget": "9"})
    assert (ran.exit_code, ran.verdict) == (1, "frozen")
    assert sum("labels=incident" in path for path in github.log) == 3


def test_three_tries_are_all(run: Run, github: Hostile) -> None:
    """A GitHub that stays broken is asked three times, no more."""
    github.will("incident", Reply({}, 500))
    run()
    assert sum("labels=incident" in path for path in github.log) == 3


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_final_answer_is_not_retried(run: Run, github: Hostile, status: int) -> None:
    """Asking again does not help against a wrong token or name."""
    github.will("incident", Reply({}, status))
    run()
    assert sum("labels=incident" in path for path in github.log) == 1


def test_retry_after_is_honoured_within_the_budget(run: Run, github: Hostile) -> None:
    """A short wait that GitHub asks for is taken."""
    github.will("incident", Reply({}, 429, {"retry-after": "1"}), [])
    start = time.monotonic()
    ran = run()
    assert ran.verdict == "clear"
    assert time.monotonic() - start >= 1


def test_retry_after_beyond_the_budget_fails_at_once(run: Run, github: Hostile) -> None:
    """A wait that is too long is not begun."""
    github.will("incident", Reply({}, 429, {"retry-after": "3600"}))
    start = time.monotonic()
    ran = run()
    assert "for 3600 s" in ran.errors[0]
    assert time.monotonic() - start < 1


def test_the_budget_bounds_everything(run: Run, github: Hostile) -> None:
    """A GitHub that never answers costs the budget and little more; no thread is left."""
    before = set(threading.enumerate())
    github.will("incident", Reply(HTML * 50, fault="drip"))
    github.will("deploy-freeze", Reply(HTML * 50, fault="drip"))
    start = time.monotonic()
    run(inputs={"budget": "1"})
    assert time.monotonic() - start < 2
    left = [t for t in threading.enumerate() if t not in before and "request" not in t.name]
    assert left == []


def test_errors_say_what_to_do(run: Run, github: Hostile) -> None:
    """The three usual set-up mistakes each name their remedy."""
    for status, remedy in ((403, "issues: read"), (404, "`repository`"), (401, "`token:`")):
        github.will("incident", Reply({}, status))
        assert remedy in run().errors[0]


def test_report_mode_never_fails(run: Run, github: Hostile) -> None:
    """`mode: report` only sets outputs, also when GitHub is gone."""
    github.will("incident", Reply({}, 500))
    ran = run(inputs={"mode": "report"})
    assert (ran.exit_code, ran.verdict, ran.errors) == (0, "error", [])


def test_a_rollback_does_not_depend_on_github(run: Run, github: Hostile) -> None:
    """A rollback passes in any case, so a broken GitHub does not hold it."""
    github.will("incident", Reply({}, 500))
    ran = run(inputs={"intent": "rollback"})
    assert (ran.exit_code, ran.verdict) == (0, "rollback")
    assert [each.level for each in ran.annotations] == ["warning"]


def test_nobody_listens(run: Run) -> None:
    """A refused connection is an error like any other."""
    ran = run(GITHUB_API_URL="http://127.0.0.1:9")
    assert (ran.exit_code, ran.verdict) == (3, "error")
    assert "can't be reached" in ran.errors[0]


@pytest.mark.parametrize("scheme", ["http", "ftp"])
def test_an_address_with_a_password_is_not_printed(run: Run, scheme: str) -> None:
    """Neither when nobody listens, nor when the address itself is wrong."""
    ran = run(GITHUB_API_URL=f"{scheme}://bob:hunter2@127.0.0.1:9", INPUT_BUDGET="0.3")
    assert "127.0.0.1:9" in ran.log
    assert "hunter2" not in ran.log + ran.summary
    assert "bob" not in ran.log + ran.summary


def test_a_host_that_does_not_exist(run: Run) -> None:
    """A wrong address is an error that names it."""
    ran = run(GITHUB_API_URL="http://nowhere.invalid/api/v3")
    assert ran.exit_code == 3
    assert "nowhere.invalid" in ran.errors[0]


def test_a_mistake_of_ours_blocks(
    run: Run, github: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in the gate is told as such and never passes as clear."""

    def boom(item: object) -> None:
        raise ZeroDivisionError("oops")

    monkeypatch.setattr(decision, "read_issue", boom)
    github.will("incident", [SEV1])
    ran = run()
    assert (ran.exit_code, ran.verdict) == (3, "error")
    assert "ZeroDivisionError" in ran.errors[0]


@pytest.mark.parametrize(("reply", "code"), [f[1:] for f in FAULTS], ids=[f[0] for f in FAULTS])
def test_fault_while_looking_further_keeps_it_frozen(
    run: Run, github: Hostile, reply: Reply, code: str
) -> None:
    """When an override or the configuration can't be looked up, the freeze stands."""
    github.will("incident", [issue("sev1", body=allow(pr=7))])
    for key in ("/pulls", "/contents/", "/actions/runs"):
        github.will(key, reply)
    ran = run(inputs={"budget": "2", "environment": "staging"})
    assert (ran.exit_code, ran.verdict) == (1, "frozen")
    assert len(ran.errors) == 1


def test_a_failed_look_up_is_said(run: Run, github: Hostile) -> None:
    """The deployer learns that an override could not be checked, and which permission helps."""
    github.will("incident", [issue("sev1", body=allow(pr=7))])
    github.will("/pulls", Reply({}, 403))
    assert "pull-requests: read" in run().errors[0]


WITH_SERVER = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = sorted(issue("sev1"))


@st.composite
def damaged(draw: st.DrawFn) -> Any:
    """A freezing incident of which some fields are gone, null or something else altogether."""
    item = draw(st.sampled_from([SEV1, issue(), freeze(), issue("sev2", body=allow(sha=SHA))]))
    wrong = st.none() | st.integers() | st.booleans() | st.lists(json_values, max_size=2)
    for key in draw(st.sets(st.sampled_from(FIELDS), min_size=1, max_size=4)):
        gone = draw(st.booleans())
        item = without(item, key) if gone else {**item, key: draw(wrong)}
    return item


@given(st.lists(damaged(), min_size=1, max_size=3))
@settings(max_examples=400)
def test_damaged_issues_never_pass_as_clear(items: list[Any]) -> None:
    """A freezing incident with missing fields, nulls or wrong types is never overlooked."""
    issues = [found for found in map(decision.read_issue, items) if found is not None]
    verdict = decision.decide(request(shas=frozenset()), issues, NOW)
    assert verdict.verdict in ("frozen", "error")
    assert words.summary(request(), verdict, NOW)
    json.dumps(words.as_json(verdict))


@given(json_values.filter(lambda value: value != []))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_json_in_place_of_the_list_never_passes_as_clear(
    run: Run, github: Hostile, value: Any
) -> None:
    """Only a list of issues, or an empty one, can clear a deploy."""
    github.will("incident", value)
    assert run().verdict == "error"


@given(st.binary(max_size=60))
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_in_place_of_json_never_pass_as_clear(
    run: Run, github: Hostile, value: bytes
) -> None:
    """Noise on the line is an error."""
    github.will("deploy-freeze", Reply(value))
    assert run().verdict == "error"


@given(json_values)
@settings(max_examples=200)
def test_any_state_is_read_without_failing(value: Any) -> None:
    """A state block that somebody edited by hand changes nothing about the freeze."""
    for key in ("times", "roles", "services", "allow", "fixes", "v", "number"):
        state = json.dumps({"v": 1, key: value}).replace("<", "\\u003c").replace(">", "\\u003e")
        body = (
            f"<!-- incident-actions:begin -->\n<!-- incident-actions:state {state} -->\n"
            "<!-- incident-actions:end -->"
        )
        found = decision.read_issue(issue("sev1", body=body))
        assert found is not None
        assert decision.decide(request(intent="fix"), [found], NOW).verdict == "frozen"
