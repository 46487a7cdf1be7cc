"""The gate as a process, against a GitHub that keeps state, permissions and pull requests."""

from __future__ import annotations

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from incident_actions.sandbox import Person, Sandbox
from tests.support.events import form_body
from tests.support.programs import Result, Where, run_gate
from tests.unit.gate.cases import with_state

SHOP, INCIDENTS = "acme/shop", "acme/incidents"
READ = {"metadata": "read", "issues": "read", "contents": "read", "pull-requests": "read"}
SOON = "2126-01-01T00:00:00Z"


@pytest.fixture
def alice(sandbox: Sandbox) -> Person:
    """A committer of acme/shop, whose jobs may read issues, files and pull requests."""
    sandbox.repository(SHOP, labels=["incident", "sev1", "sev3", "deploy-freeze", "service:api"])
    sandbox.user("alice", permission={SHOP: "write"}, member_of=["acme"])
    sandbox.user("mallory")
    sandbox.actions_token("job-token", SHOP, READ)
    return sandbox.as_user("alice", SHOP)


def gate(sandbox: Sandbox, sha: str = "", token: str = "job-token", **inputs: str) -> Result:
    """Run the gate for a commit; inputs with underscores for hyphens."""
    where = Where(sandbox.url, SHOP, token)
    named = {name.replace("_", "-"): value for name, value in inputs.items()}
    return run_gate(where, inputs=named, GITHUB_SHA=sha, GITHUB_ACTOR="alice")


def declare(person: Person, state: dict[str, Any] | None = None, **answers: str) -> int:
    """Somebody files the form; `state` is what `respond` has made of it."""
    given = {"severity": "SEV1", "summary": "x", "affected": "y", **answers}
    number = int(person.file_form_issue("Logins fail", form_body(given))["number"])
    if state is not None:
        text = person.issue(number)["body"]
        person.edit_issue_body(number, with_state(text, number=number, **state))
    return number


def allowed(**change: Any) -> dict[str, Any]:
    """A state that lets one change through."""
    return {"allow": [{"by": "alice", "until": SOON, "reason": "hotfix", **change}]}


def test_two_requests_whatever_is_closed(sandbox: Sandbox, alice: Person) -> None:
    """Closed incidents and pull requests cost nothing."""
    for _ in range(3):
        alice.close(declare(alice))
    alice.open_pull("Incident: docs", {"a": "b"}, "docs")
    result = gate(sandbox)
    assert (result.exit_code, result.outputs["verdict"], sandbox.requests()) == (0, "clear", 2)


def test_a_form_freezes_and_closing_it_ends_that(sandbox: Sandbox, alice: Person) -> None:
    """The filled form alone blocks; the closed issue does not."""
    number = declare(alice)
    blocked = gate(sandbox)
    assert (blocked.exit_code, len(blocked.errors)) == (1, 1)
    assert json.loads(blocked.outputs["incidents"])[0]["severity"] == "sev1"
    alice.close(number)
    assert gate(sandbox).exit_code == 0


def test_a_stranger_freezes_nothing(sandbox: Sandbox, alice: Person) -> None:
    """Anyone may file the form; only the team's counts."""
    declare(sandbox.as_user("mallory", SHOP))
    assert gate(sandbox).outputs["verdict"] == "clear"


def test_a_drill_stops_a_rehearsal_only(sandbox: Sandbox, alice: Person) -> None:
    """By the input `environment: drill`, in any case; the deploys of everybody go on."""
    alice.ask("POST", "/labels", {"name": "drill"})
    number = declare(alice)
    alice.label(number, "drill")
    assert gate(sandbox).outputs["verdict"] == "clear"
    assert gate(sandbox, environment="production").outputs["verdict"] == "clear"
    blocked = gate(sandbox, environment=" Drill ")
    assert (blocked.exit_code, blocked.outputs["verdict"]) == (1, "frozen")
    assert f"#{number} SEV1" in blocked.errors[0]
    assert "does not count" not in blocked.errors[0]
    alice.close(number)
    assert gate(sandbox, environment="drill").exit_code == 0


def test_a_strangers_drill_stops_no_rehearsal(sandbox: Sandbox, alice: Person) -> None:
    """Whatever label somebody who may write has put on: the report waits for the team."""
    alice.ask("POST", "/labels", {"name": "drill"})
    number = declare(sandbox.as_user("mallory", SHOP))
    alice.label(number, "drill")
    assert gate(sandbox, environment="drill").outputs["verdict"] == "clear"


def test_a_hundred_and_fifty_incidents(sandbox: Sandbox, alice: Person) -> None:
    """Real pagination: the one on the second page is found."""
    declare(alice)
    for _ in range(120):
        alice.open_issue("Slow", labels=["incident", "sev3"])
    assert gate(sandbox).outputs["verdict"] == "frozen"
    # Two first pages, and two pages by time; as many were made in a second, two readings of two.
    assert len([entry for entry in sandbox.log if entry.path.endswith("/issues")]) in (4, 8)


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
@pytest.mark.parametrize("by", ["number", "head"])
def test_an_allowed_pull_request_passes_however_it_was_merged(
    sandbox: Sandbox, alice: Person, method: str, by: str
) -> None:
    """Its number or its head, and the commit that came of merging it: all the same change."""
    pull = alice.open_pull("Fix logins", {"a": "b"}, "fix")
    change = {"sha": pull["head"]["sha"]}
    if by == "number":
        change["pr"] = pull["number"]
    declare(alice, allowed(**change))
    sha = alice.merge(pull["number"], method)
    assert gate(sandbox, sha).outputs["verdict"] == "exempt"
    other = alice.push({"c": "d"})
    assert gate(sandbox, other).outputs["verdict"] == "frozen"


def test_what_was_stopped_below_an_allowed_commit_blocks(sandbox: Sandbox, alice: Person) -> None:
    """Until it is allowed, too; what else is taken along since the last deploy is listed."""
    sandbox.actions_token("job-token", SHOP, {**READ, "deployments": "read"})
    deployed = alice.push({"a": "1"})
    alice.deploy(deployed)
    waiting = alice.push({"b": "1"})
    number = declare(alice)
    stopped = alice.push({"c": "1"})
    alice.deploy(stopped, state="failure")
    sha = alice.push({"d": "1"})
    alice.deploy(sha, state="in_progress")
    body, until = alice.issue(number)["body"], {"by": "alice", "until": SOON}
    alice.edit_issue_body(number, with_state(body, allow=[{**until, "sha": sha}]))
    held = gate(sandbox, sha)
    assert held.outputs["verdict"] == "frozen"
    assert f"`/allow {stopped[:10]} for 2h REASON` on #{number}" in held.errors[0]
    both = [{**until, "sha": sha}, {**until, "sha": stopped}]
    alice.edit_issue_body(number, with_state(body, allow=both))
    passed = gate(sandbox, sha)
    assert passed.outputs["verdict"] == "exempt"
    assert f"Deployed along, since {deployed[:10]}: {waiting[:10]}, {stopped[:10]}." in passed.log
    [trace] = [json.loads(each.message) for each in passed.annotations if each.level == "notice"]
    assert trace["along"] == [waiting, stopped]


def let_through(alice: Person, number: int, *entries: dict[str, Any]) -> None:
    """Write into the incident's state what is allowed."""
    more = {"by": "alice", "until": SOON}
    allow = [{**entry, **more} for entry in entries]
    alice.edit_issue_body(number, with_state(alice.issue(number)["body"], allow=allow))


STOPPINGS = {
    "in an environment whose name has capitals": (
        0,
        1,
        "Production",
        {"environment": "production"},
    ),
    "more often than a page of deployments": (0, 25, "production", {"environment": "production"}),
    "below more commits than a page has": (110, 1, "production", {}),
    "while another environment was served": (0, 1, "production", {}),
}


@pytest.mark.parametrize("deployed", [True, False], ids=["a deploy passed", "none did"])
@pytest.mark.parametrize("case", STOPPINGS)
def test_what_was_stopped_blocks_however_the_records_look(
    sandbox: Sandbox, alice: Person, case: str, deployed: bool
) -> None:
    """An environment is the same in any case; staging's deploys hide nothing of production's."""
    commits, stops, environment, inputs = STOPPINGS[case]
    sandbox.actions_token("job-token", SHOP, {**READ, "deployments": "read"})
    if deployed:
        alice.deploy(alice.push({"a": "1"}), environment)
    for count in range(commits):
        alice.push({"b": str(count)})
    number = declare(alice)
    for count in range(stops):
        stopped = alice.push({"c": str(count)})
        alice.deploy(stopped, environment, "failure")
    alice.deploy(stopped, "staging")
    sha = alice.push({"d": "1"})
    let_through(alice, number, {"sha": sha})
    held = gate(sandbox, sha, **inputs)
    assert held.outputs["verdict"] == "frozen"
    assert f"`/allow {stopped[:10]} for 2h REASON` on #{number}" in held.errors[0]


@pytest.mark.parametrize("method", ["squash", "rebase"])
def test_what_was_stopped_is_allowed_by_its_pull_request(
    sandbox: Sandbox, alice: Person, method: str
) -> None:
    """Two pull requests were merged and stopped; with both allowed the second takes the first."""
    sandbox.actions_token("job-token", SHOP, {**READ, "deployments": "read"})
    alice.deploy(alice.push({"a": "1"}))
    number = declare(alice)
    pulls = [alice.open_pull(f"Fix {name}", {name: "1"}, name) for name in ("b", "c")]
    entries = [{"pr": pull["number"], "sha": pull["head"]["sha"]} for pull in pulls]
    for pull in pulls:
        sha = alice.merge(pull["number"], method)
        alice.deploy(sha, state="failure")
    let_through(alice, number, *entries[1:])
    assert gate(sandbox, sha).outputs["verdict"] == "frozen"
    let_through(alice, number, *entries)
    assert gate(sandbox, sha).outputs["verdict"] == "exempt"


def test_a_deploy_without_any_record_says_so(sandbox: Sandbox, alice: Person) -> None:
    """Nobody can tell what it takes along."""
    sandbox.actions_token("job-token", SHOP, {**READ, "deployments": "read"})
    sha = alice.push({"a": "1"})
    declare(alice, allowed(sha=sha))
    passed = gate(sandbox, sha)
    assert (passed.outputs["verdict"], "No deployment is on record" in passed.log) == (
        "exempt",
        True,
    )


def test_a_renamed_repository_keeps_its_freeze(sandbox: Sandbox, alice: Person) -> None:
    """GitHub's redirect leaves the query out: then a list would be of other issues."""
    sha = alice.push({"a": "1"})
    declare(alice, allowed(sha=sha))
    for count in range(31):
        alice.open_pull("Docs", {"a": str(count)}, f"docs-{count}")
    sandbox.rename(SHOP, "store")
    assert gate(sandbox).outputs["verdict"] == "frozen"
    assert gate(sandbox, sha).outputs["verdict"] == "exempt"


def test_a_stopped_commit_of_the_same_pull_request_is_part_of_it(
    sandbox: Sandbox, alice: Person
) -> None:
    """The allowed pull request was deployed before, and stopped."""
    sandbox.actions_token("job-token", SHOP, {**READ, "deployments": "read"})
    alice.deploy(alice.push({"a": "1"}))
    number = declare(alice)
    pull = alice.open_pull("Fix logins", {"a": "b"}, "fix")
    alice.deploy(pull["head"]["sha"], state="failure")
    head = alice.push({"c": "d"}, branch="fix")
    change = {"pr": pull["number"], "sha": head, "by": "alice", "until": SOON}
    alice.edit_issue_body(number, with_state(alice.issue(number)["body"], allow=[change]))
    sha = alice.merge(pull["number"], "merge")
    assert gate(sandbox, sha).outputs["verdict"] == "exempt"


def test_a_fix_that_closes_the_incident_passes(sandbox: Sandbox, alice: Person) -> None:
    """With `intent: fix`, and only with it."""
    number = declare(alice)
    pull = alice.open_pull("Fix logins", {"a": "b"}, "fix", body=f"Fixes #{number}")
    sha = alice.merge(pull["number"], "squash")
    alice.reopen(number)  # GitHub closes it on merging; recovery is yet to be verified
    assert gate(sandbox, sha).outputs["verdict"] == "frozen"
    assert gate(sandbox, sha, intent="fix").outputs["verdict"] == "exempt"


@pytest.mark.parametrize("recorded", [True, False])
@pytest.mark.parametrize(
    ("title", "conclusion", "verdict"),
    [("Deploys are frozen", "failure", "frozen"), ("Deploys are frozen", "success", "exempt"),
     ("Tests failed", "failure", "exempt")],
)  # fmt: skip
def test_a_gate_in_a_job_of_its_own_stops_without_a_deployment(
    sandbox: Sandbox, alice: Person, title: str, conclusion: str, verdict: str, recorded: bool
) -> None:
    """The failed job says so in its annotation; one that was run again and passed does not."""
    more = {"deployments": "read", "checks": "write"}
    sandbox.actions_token("job-token", SHOP, {**READ, **more})
    first = alice.push({"a": "1"})
    if recorded:
        alice.deploy(first)
    number = declare(alice)
    stopped = alice.push({"b": "1"})
    note = {"path": ".github", "start_line": 1, "end_line": 1, "annotation_level": "failure"}
    output = {
        "title": "x",
        "summary": "x",
        "annotations": [{**note, "title": title, "message": "x"}],
    }
    job = {"name": "gate", "head_sha": stopped, "conclusion": conclusion, "output": output}
    sandbox.actions_token("writer", SHOP, {"checks": "write"})
    where = f"{sandbox.url}/repos/{SHOP}/check-runs"
    asked = urllib.request.Request(
        where, json.dumps(job).encode(), {"Authorization": "token writer"}
    )
    urllib.request.urlopen(asked).close()
    sha = alice.push({"c": "1"})
    let_through(alice, number, {"sha": sha})
    assert gate(sandbox, sha).outputs["verdict"] == verdict
    let_through(alice, number, {"sha": sha}, {"sha": stopped})
    assert gate(sandbox, sha).outputs["verdict"] == "exempt"


def test_a_fix_says_what_it_takes_along(sandbox: Sandbox, alice: Person) -> None:
    """What was stopped does not hold up the fix, but it is named."""
    sandbox.actions_token("job-token", SHOP, {**READ, "deployments": "read"})
    alice.deploy(alice.push({"a": "1"}))
    number = declare(alice)
    stopped = alice.push({"b": "1"})
    alice.deploy(stopped, state="failure")
    pull = alice.open_pull("Fix logins", {"c": "1"}, "fix", body=f"Fixes #{number}")
    sha = alice.merge(pull["number"], "squash")
    alice.reopen(number)
    passed = gate(sandbox, sha, intent="fix")
    assert passed.outputs["verdict"] == "exempt"
    assert f": {stopped[:10]}" in passed.log


def test_without_the_permission_an_override_is_not_seen(sandbox: Sandbox, alice: Person) -> None:
    """A job that may not read pull requests stays blocked, and learns which permission it lacks."""
    pull = alice.open_pull("Fix logins", {"a": "b"}, "fix")
    declare(alice, allowed(pr=pull["number"]))
    sandbox.actions_token("poor-token", SHOP, {"metadata": "read", "issues": "read"})
    result = gate(sandbox, alice.merge(pull["number"]), token="poor-token")
    assert result.outputs["verdict"] == "frozen"
    assert "pull-requests: read" in result.errors[0]


@pytest.mark.parametrize(
    ("token", "scopes", "remedy"),
    [
        ("no-issues", {"metadata": "read", "contents": "read"}, "issues: read"),
        ("unknown", None, "`token:`"),
    ],
)
def test_a_token_that_may_not_ask(
    sandbox: Sandbox, alice: Person, token: str, scopes: dict[str, str] | None, remedy: str
) -> None:
    """A missing permission and a wrong token block, each with its remedy."""
    sandbox.repo(SHOP).private = True
    if scopes:
        sandbox.actions_token(token, SHOP, scopes)
    result = gate(sandbox, token=token)
    assert (result.exit_code, result.outputs["verdict"]) == (3, "error")
    assert remedy in result.errors[0]


def test_a_private_repository_of_incidents_needs_its_own_token(
    sandbox: Sandbox, alice: Person
) -> None:
    """The job's token can't see it, and the message says so; another token can."""
    sandbox.repository(INCIDENTS, private=True, labels=["incident"])
    sandbox.user("alice", permission={INCIDENTS: "write"})
    declare(sandbox.as_user("alice", INCIDENTS))
    refused = gate(sandbox, repository=INCIDENTS)
    assert refused.exit_code == 3
    assert "own repository" in refused.errors[0]
    sandbox.token("alices-token", "alice")
    assert gate(sandbox, token="alices-token", repository=INCIDENTS).exit_code == 1


@pytest.mark.parametrize(("service", "code"), [("api", 1), ("web", 0), ("web, api", 1), ("", 1)])
def test_services_from_the_form(sandbox: Sandbox, alice: Person, service: str, code: int) -> None:
    """The form's own words scope the freeze before `respond` has run."""
    declare(alice, services="api, worker")
    assert gate(sandbox, service=service).exit_code == code


@pytest.mark.parametrize(("environment", "code"), [("production", 1), ("staging", 0), ("", 1)])
def test_environments_from_the_configuration(
    sandbox: Sandbox, alice: Person, environment: str, code: int
) -> None:
    """The configuration on the default branch says which environments freeze."""
    sandbox.file(SHOP, ".github/incident.yml", "freeze:\n  environments: [production]\n")
    declare(alice)
    assert gate(sandbox, environment=environment).exit_code == code


def test_a_dead_scheduler_is_noticed(sandbox: Sandbox, alice: Person) -> None:
    """With `actions: read` a blocked deployer learns that the sweep does not run."""
    sandbox.actions_token("job-token", SHOP, {**READ, "actions": "read"})
    sandbox.workflow(SHOP, ".github/workflows/incident.yml")
    at = datetime.now(UTC) - timedelta(hours=2)
    sandbox.run(SHOP, "incident.yml", event="schedule", at=at)
    declare(alice)
    assert "Scheduled workflows last ran 2 h" in gate(sandbox).errors[0]


FAULTS = [
    ("incident", {"status": 500}, 3, "error"),
    ("incident", {"status": 403, "headers": {"retry-after": "99"}}, 3, "error"),
    ("incident", {"kind": "drop"}, 3, "error"),
    ("incident", {"kind": "html"}, 3, "error"),
    ("incident", {"kind": "truncate"}, 3, "error"),
    ("incident", {"kind": "timeout", "seconds": 3}, 3, "error"),
    ("pulls", {"status": 502}, 1, "frozen"),
    ("contents", {"status": 502}, 1, "frozen"),
    ("actions/runs", {"kind": "drop"}, 1, "frozen"),
]


@pytest.mark.parametrize(("where", "fault", "code", "verdict"), FAULTS)
def test_a_fault_at_each_call(
    sandbox: Sandbox, alice: Person, where: str, fault: dict[str, Any], code: int, verdict: str
) -> None:
    """Each request of the gate may fail for good; the verdict is the documented one."""
    declare(alice, allowed(pr=999))
    pattern = "GET */issues" if where == "incident" else f"GET */{where}*"
    sandbox.fail(pattern, times=99, **fault)
    result = gate(sandbox, "0" * 40, environment="staging", budget="2")
    assert (result.exit_code, result.outputs["verdict"]) == (code, verdict)
    assert len(result.errors) == 1


def test_a_passing_fault_is_not_noticed(sandbox: Sandbox, alice: Person) -> None:
    """One failed request is asked again."""
    sandbox.fail("GET */issues", status=502)
    assert gate(sandbox).outputs["verdict"] == "clear"
    assert sandbox.requests() == 3


def test_github_enterprise(alice: Person, sandbox: Sandbox) -> None:
    """The API may live below a path."""
    with Sandbox(prefix="/api/v3") as server:
        server.repository(SHOP)
        server.token("a-token", "alice")
        result = run_gate(Where(server.url, SHOP, "a-token"))
        assert result.outputs["verdict"] == "clear"
        assert server.url.endswith("/api/v3")
