"""The gate in a team's own deploy workflow: where it goes, and that nothing else changes."""

from __future__ import annotations

import difflib
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from incident_actions.domain.readiness.gate_insertion import (
    INTENT,
    ActionReference,
    GateInsertion,
    insert_gate,
    to_paste,
)
from incident_actions.domain.readiness.workflows import Workflow
from incident_actions.domain.text.documents import load_yaml

PATH = ".github/workflows/ship.yml"
ACTION = ActionReference("acme/incident-actions@v1", "moves")
READS = ("contents", "issues", "pull-requests", "deployments", "checks")

LAYOUTS = {
    "plain": """\
on: status
jobs:
  production:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: ./ship
""",
    "comments and blank lines": """\
# ours

on: status   # every one

jobs:   # just one
  # it ships
  deploy:   # careful

    runs-on: ubuntu-latest  # cheap
    # the steps
    steps:   # two

      # look
      - uses: actions/checkout@v4   # v4

      # and go
      - run: |
          echo "a: b"   # no comment

          ./ship
# the end
""",
    "items not indented, four blanks": """\
on: status
jobs:
    deploy:
        runs-on: ubuntu-latest
        steps:
        -   name: Look
            uses: actions/checkout@v4
        -   run: ./ship
""",
    "in braces": "on: status\njobs: {deploy: {runs-on: x, steps: [{run: a}, {run: 'b, ]'}]}}\n",
    "brackets over lines": """\
on: status
jobs:
  deploy:
    runs-on: x
    steps: [
      { run: a },  # one
      { run: b },
    ]
""",
    "no line end at the end": "on: status\njobs:\n  deploy:\n    steps:\n    - run: a",
    "quotes": "'on': status\n\"jobs\":\n  'deploy':\n    \"steps\":\n      - 'run': 'a'\n",
    "a byte order mark": "\ufeffon: status\njobs:\n  deploy:\n    steps:\n      - run: a\n",
    "a document's start": "---\non: status\njobs:\n  deploy:\n    steps:\n      - run: a\n...\n",
    "an anchor elsewhere": """\
on: status
env: &env { A: 1 }
jobs:
  deploy:
    env: *env
    steps: &steps
      - run: a
""",
    "after other jobs, with needs and a matrix": """\
on: [status]
jobs:
  test:
    runs-on: x
    steps: [{ run: make }]
  deploy:
    needs: [test]
    if: github.ref == 'refs/heads/main'
    strategy: { matrix: { region: [eu, us] } }
    steps:
      - run: ./ship ${{ matrix.region }}
""",
}


def flow_of(text: str, path: str = PATH) -> Workflow:
    return Workflow(path, load_yaml(text, path))


def insert(text: str, *services: str, path: str = PATH) -> GateInsertion:
    return insert_gate(text, flow_of(text, path), ACTION, services)


def added(before: str, after: str) -> list[str]:
    """The lines that came in, when no line went."""
    lines = list(difflib.ndiff(before.splitlines(), after.splitlines()))
    assert not [line for line in lines if line.startswith("- ")], "\n".join(lines)
    return [line[2:] for line in lines if line.startswith("+ ")]


def job(text: str, name: str = "deploy") -> Any:
    return load_yaml(text, PATH)["jobs"][name]


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize("text", LAYOUTS.values(), ids=LAYOUTS)
def test_the_gate_is_the_first_step_and_every_other_character_stays(
    text: str, line_end: str
) -> None:
    """What is taken out again is the text as it was; GitHub reads the same, and the gate."""
    before = text.replace("\n", line_end)
    done = insert(before)
    (name,) = done.gated
    assert not done.left
    _, *rest = job(done.text, name)["steps"]
    assert rest == job(before, name)["steps"]
    assert flow_of(done.text).ungated() == []
    blocks = difflib.SequenceMatcher(None, before, done.text, autojunk=False).get_opcodes()
    assert {tag for tag, *_ in blocks} <= {"equal", "insert"}
    assert done.text.count("\n") == done.text.count(line_end)


def test_the_step_stands_above_the_comments_of_the_others() -> None:
    """They belong to what follows them."""
    text = LAYOUTS["comments and blank lines"]
    assert added(text, insert(text).text) == [
        "      - uses: acme/incident-actions@v1 # moves",
        "        with: { command: gate }",
    ]


@pytest.mark.parametrize(
    ("given", "inputs"),
    [
        ("environment: production", {"environment": "production"}),
        ("environment: { name: eu-west, url: https://x }", {"environment": "eu-west"}),
        ("environment: ${{ inputs.where }}", {}),
        ('environment: { name: "${{ matrix.where }}" }', {}),
        ("environment: drill", {}),
        ("environment: all", {}),
        ("name: Deploy", {}),
    ],
)
def test_the_gate_is_told_a_plain_environment(given: str, inputs: dict[str, str]) -> None:
    """An expression, or a name that means something to the gate, leaves it at all of them."""
    text = f"on: status\njobs:\n  deploy:\n    {given}\n    steps:\n      - run: a\n"
    assert insert(text).text.count("environment: drill") == text.count("environment: drill")
    first = job(insert(text).text)["steps"][0]
    assert first["with"] == {"command": "gate", **inputs}


@pytest.mark.parametrize(
    ("file", "head", "name", "service"),
    [
        ("deploy-api.yml", "", "deploy", "api"),
        ("ship.yml", "name: Deploy the API\n", "production", "api"),
        ("ship.yml", "", "deploy-web-app", "web-app"),
        ("ship.yml", "", "deploy", None),
        ("deploy-api-and-web.yml", "", "deploy", None),
        ("deploy-api-billing.yml", "", "deploy", None),
        ("deploy-apis.yml", "", "deploy", None),
        ("deploy-api.yml", "name: Deploy web\n", "deploy", None),
    ],
)
def test_the_gate_is_told_the_one_service_that_the_names_say(
    file: str, head: str, name: str, service: str | None
) -> None:
    """Any word that could be another service leaves it at all of them."""
    text = f"{head}on: status\njobs:\n  {name}:\n    environment: x\n    steps:\n      - run: a\n"
    done = insert(text, "api", "web", "web-app", path=f".github/workflows/{file}")
    first = job(done.text, name)["steps"][0]
    assert first["with"].get("service") == service


def test_a_matrix_deploys_more_than_its_name_says() -> None:
    """So it stands for all services."""
    text = LAYOUTS["after other jobs, with needs and a matrix"]
    assert "service" not in insert(text, "test", path=".github/workflows/test.yml").text


TWO = """\
on: status
{top}jobs:
  test:
{test}    steps:
      - run: t
  deploy:
{own}    steps:
      - run: a
"""


def granted(text: str, name: str) -> object:
    document = load_yaml(text, PATH)
    return document["jobs"][name].get("permissions", document.get("permissions"))


@pytest.mark.parametrize(
    ("top", "test", "own", "has"),
    [
        ("", "", "    permissions:\n      contents: write # tags\n", {"contents": "write"}),
        ("", "", "    permissions: { id-token: write }\n", {"id-token": "write"}),
        ("", "", "    permissions: {}\n", {}),
        ("permissions: {}\n", "", "", {}),
        ("permissions: { contents: write }\n", "", "", {"contents": "write"}),
        ("permissions:\n  packages: write\n", "", "", {"packages": "write"}),
        ("permissions:\n  issues: write\n", "    permissions: {}\n", "", {"issues": "write"}),
        ("permissions: {}\n", "    permissions: { checks: write }\n", "", {}),
    ],
)
def test_permissions_are_added_and_none_is_taken_away(
    top: str, test: str, own: str, has: dict[str, str]
) -> None:
    """The deploy may do what it could, and read what the gate needs; no other job may do more."""
    text = TWO.format(top=top, test=test, own=own)
    done = insert(text)
    assert done.gated == ("deploy",)
    assert granted(done.text, "deploy") == {**dict.fromkeys(READS, "read"), **has}
    assert granted(done.text, "test") == granted(text, "test")


@pytest.mark.parametrize("said", ["read-all", "write-all"])
def test_permissions_that_hold_everything_stay(said: str) -> None:
    """There is nothing to add."""
    text = TWO.format(top=f"permissions: {said}\n", test="", own="")
    assert [line.strip() for line in added(text, insert(text).text)] == [
        "- uses: acme/incident-actions@v1 # moves",
        "with: { command: gate }",
    ]


def test_without_permissions_the_default_stays_and_is_told() -> None:
    """A block would take away what the default grants; what to look at is said."""
    text = TWO.format(top="", test="", own="")
    done = insert(text)
    assert "permissions" not in done.text
    assert any("`Read repository contents`" in note for note in done.notes)


def test_what_is_forbidden_stays_forbidden() -> None:
    """The gate could not ask, so it is not put in, and the reason is said."""
    own = "    permissions: { issues: none }\n"
    done = insert(TWO.format(top="", test="", own=own))
    assert done.gated == ()
    assert "`issues: none`" in done.left["deploy"]


CALL = """\
on: status
jobs:
  # tests
  test:
    runs-on: x
    steps: [{ run: t }]
  deploy:
    {more}
    uses: ./.github/workflows/other.yml
"""


@pytest.mark.parametrize(
    ("more", "needs"),
    [
        ("needs: test # first", ["test", "incident-gate"]),
        ("needs: [test]", ["test", "incident-gate"]),
        ("needs:\n      - test # first", ["test", "incident-gate"]),
        ("secrets: inherit", "incident-gate"),
    ],
)
def test_a_job_that_calls_a_workflow_needs_a_job_with_the_gate(more: str, needs: object) -> None:
    """That one runs when, and after what, the call does."""
    text = CALL.replace("{more}", more)
    done = insert(text)
    assert job(done.text)["needs"] == needs
    gate = job(done.text, "incident-gate")
    assert gate["steps"] == [{"uses": ACTION.uses, "with": {"command": "gate"}}]
    assert gate.get("needs") == load_yaml(text, PATH)["jobs"]["deploy"].get("needs")
    assert flow_of(done.text).ungated() == []
    assert "  # tests\n  test:\n" in done.text


def test_the_gates_job_has_the_condition_of_the_call() -> None:
    """So that it fails no run that deploys nothing."""
    text = CALL.replace("{more}", "if: github.ref == 'refs/heads/main' && !inputs.dry")
    gate = job(insert(text).text, "incident-gate")
    assert gate["if"] == "github.ref == 'refs/heads/main' && !inputs.dry"


@pytest.mark.parametrize("condition", ["always()", "${{ !cancelled() && true }}", "failure ()"])
def test_a_call_that_a_failed_gate_would_not_stop_is_left_alone(condition: str) -> None:
    """Such a gate would look like one."""
    done = insert(CALL.replace("{more}", f'if: "{condition}"'))
    assert (done.gated, done.text) == ((), CALL.replace("{more}", f'if: "{condition}"'))
    assert "even after" in done.left["deploy"]


def test_a_step_that_runs_anyway_is_told() -> None:
    """The gate can't stop it."""
    text = TWO.format(top="", test="", own="") + "      - if: always()\n        run: b\n"
    assert any("`if: always()`" in note for note in insert(text).notes)


@pytest.mark.parametrize(
    "dispatch",
    [
        "workflow_dispatch:",
        "workflow_dispatch: {}",
        "workflow_dispatch: { inputs: { dry: { type: boolean } } } # by hand",
        "workflow_dispatch:\n    inputs:\n      # only tried\n      dry: { type: boolean }",
    ],
)
def test_whoever_starts_it_by_hand_can_say_that_it_is_a_rollback(dispatch: str) -> None:
    """The input comes in, and the gate is told of it."""
    text = f"on:\n  {dispatch}\n  push:\njobs:\n  deploy:\n    steps:\n      - run: a\n"
    done = insert(text)
    inputs = load_yaml(done.text, PATH)["on"]["workflow_dispatch"]["inputs"]
    assert inputs["intent"]["options"] == ["deploy", "rollback", "fix"]
    assert ("dry" in inputs) == ("dry" in dispatch)
    first = job(done.text)["steps"][0]
    assert first["with"]["intent"] == INTENT
    assert flow_of(done.text).takes_intent()
    assert "by hand" not in dispatch or "# by hand" in done.text


def test_an_intent_of_another_kind_is_not_taken_for_ours() -> None:
    """The gate would refuse its values; that a rollback can't be told is said."""
    text = (
        "on: { workflow_dispatch: { inputs: { intent: { type: choice, options: [a] } } } }\n"
        "jobs:\n  deploy:\n    steps:\n      - run: a\n"
    )
    done = insert(text)
    assert "intent" not in job(done.text)["steps"][0]["with"]
    assert any("rollback" in note for note in done.notes)


def test_steps_that_two_jobs_share_are_left_alone() -> None:
    """A change there would change both. What to paste is said, and is a step."""
    text = """\
on: status
jobs:
  europe:
    environment: europe
    steps: &same
      - run: a
  production:
    environment: production
    steps: *same
"""
    done = insert(text)
    assert (done.gated, done.text) == ((), text)
    assert set(done.left) == {"europe", "production"}
    told = to_paste(flow_of(text), "production", ACTION)
    (step,) = yaml.safe_load("\n".join(told.splitlines()[2:4]))
    assert step["with"] == {"command": "gate", "environment": "production"}


def test_what_to_paste_for_a_call_is_a_job() -> None:
    """With its permissions, and what else has to be written."""
    told = to_paste(flow_of(CALL.replace("{more}", "secrets: inherit")), "deploy", ACTION)
    pasted = yaml.safe_load(told.split("\n\n", 1)[1])
    assert pasted["incident-gate"]["permissions"]["issues"] == "read"
    assert "needs: incident-gate" in told


def test_several_jobs_each_get_the_gate() -> None:
    """Each is asked right before it deploys."""
    text = """\
on: status
permissions: { contents: read }
jobs:
  europe:
    environment: europe
    steps:
      - run: a
  production:
    needs: europe
    environment: production
    steps:
      - run: a
"""
    done = insert(text)
    assert done.gated == ("europe", "production")
    for name in done.gated:
        first = job(done.text, name)["steps"][0]
        assert first["with"]["environment"] == name
        assert granted(done.text, name) == dict.fromkeys(READS, "read")


def test_a_workflow_that_has_the_gate_stays() -> None:
    """And so does one that deploys nothing."""
    text = LAYOUTS["plain"]
    once = insert(text).text
    assert insert(once) == GateInsertion(once)
    lint = "on: status\njobs:\n  lint:\n    steps:\n      - run: a\n"
    assert insert(lint) == GateInsertion(lint)


_WORD = st.sampled_from(
    ["a", "deploy", "x y", "é", "- b", "#c", "'", '"', "[", "{", ": ", "|", "&d"]
)
_SCALAR = st.text(st.sampled_from("ab :#'\"[]{}|>&*-\né"), max_size=12)


@given(
    steps=st.lists(st.dictionaries(st.just("run"), _SCALAR, min_size=1), min_size=1, max_size=4),
    extra=st.dictionaries(_WORD, _SCALAR, max_size=3),
    flows=st.booleans(),
    indent=st.integers(2, 6),
)
def test_any_layout_gets_the_gate_or_stays(
    steps: list[dict[str, str]], extra: dict[str, str], flows: bool, indent: int
) -> None:
    """Whatever is in it: what is read afterwards is what was there, and the gate."""
    document = {"on": "status", "env": extra, "jobs": {"deploy": {"env": extra, "steps": steps}}}
    text = yaml.safe_dump(
        document, default_flow_style=flows or None, indent=indent, allow_unicode=True
    )
    read = load_yaml(text, PATH)
    done = insert(text)
    assert bool(done.gated) != bool(done.left)
    after = load_yaml(done.text, PATH)
    if done.gated:
        assert after["jobs"]["deploy"]["steps"].pop(0)["with"]["command"] == "gate"
    assert after == read


@pytest.mark.parametrize("line_end", ["\n", "\r\n"], ids=["LF", "CRLF"])
@pytest.mark.parametrize(
    "events",
    [
        "on: push",
        "on: push # each",
        "on: [push, release]",
        "on: [ push ]",
        "on:\n  - push # each\n  - release",
        "on:\n  push: { branches: [main] }",
        "on: { push: { branches: [main] } }",
        "on:\n  push:\n    branches: [main]\n  # and\n  release:",
        "on: workflow_dispatch",
        "on: [push, workflow_dispatch]",
        "on:\n  - workflow_dispatch\n  - push",
    ],
)
def test_who_could_not_start_it_by_hand_can_now_and_say_why(events: str, line_end: str) -> None:
    """The message of that night says to run it with `intent: rollback`."""
    text = f"{events}\njobs:\n  deploy:\n    steps:\n      - run: a\n".replace("\n", line_end)
    done = insert(text)
    after = flow_of(done.text)
    assert after.triggers == flow_of(text).triggers | {"workflow_dispatch"}
    assert after.takes_intent()
    assert job(done.text)["steps"][0]["with"]["intent"] == INTENT
    assert done.text.count("\n") == done.text.count(line_end)
    assert ("# each" in done.text) == ("# each" in events)
    assert not [note for note in done.notes if "rollback" in note]


@pytest.mark.parametrize(
    ("events", "step"),
    [
        ("on: workflow_run", "run: a"),
        ("on: release", "run: ./deploy ${{ github.event.release.tag_name }}"),
        ("on: &events [push]\nenv: { A: *events }", "run: a"),
    ],
)
def test_where_a_start_by_hand_would_miss_something_it_is_a_note(events: str, step: str) -> None:
    """One short line; the gate is put in."""
    text = f"{events}\njobs:\n  deploy:\n    permissions: read-all\n    steps:\n      - {step}\n"
    done = insert(text)
    assert done.gated
    assert "workflow_dispatch" not in done.text
    (note,) = done.notes
    assert len(note) < 100
    assert "rollback" in note


def repository(**texts: str) -> dict[str, Workflow]:
    """Workflows that know each other, by their names without `.yml`."""
    found: dict[str, Workflow] = {}
    for name, text in texts.items():
        path = f".github/workflows/{name.replace('_', '-')}.yml"
        found[path] = Workflow(path, load_yaml(text, path), others=found)
    return {path.rpartition("/")[2].removesuffix(".yml"): flow for path, flow in found.items()}


CALLER = """\
on: push
permissions: {contents: read}
jobs: {deploy: {uses: ./.github/workflows/deploy-app.yml}}
"""
CALLEE = """\
on: workflow_call
permissions: {contents: read}
jobs:
  deploy:
    runs-on: x
    environment: production
    steps: [{run: ./deploy.sh}]
"""


def test_a_called_workflow_gets_its_gate_where_it_is_called() -> None:
    """Once; the called one asks for no more than it did, or GitHub would refuse every run."""
    flows = repository(deploy=CALLER, deploy_app=CALLEE)
    caller, callee = flows["deploy"], flows["deploy-app"]
    assert (caller.ungated(), callee.ungated()) == (["deploy"], [])
    assert insert_gate(CALLEE, callee, ACTION) == GateInsertion(CALLEE)
    done = insert_gate(CALLER, caller, ACTION)
    assert done.gated == ("deploy",)
    assert job(done.text)["needs"] == "incident-gate"
    after = repository(deploy=done.text, deploy_app=CALLEE)
    assert not [name for flow in after.values() for name in flow.ungated()]
    assert not [each for flow in after.values() for each in flow.asks_too_much()]


@pytest.mark.parametrize("events", ["workflow_call", "[push, workflow_call]"])
@pytest.mark.parametrize("container", ["", "    container: alpine\n"])
def test_permissions_that_callers_may_not_grant_are_not_asked_for(
    events: str, container: str
) -> None:
    """Callers elsewhere are not known: what to paste is said, and that they have to grant it."""
    text = CALLEE.replace("workflow_call", events).replace("    runs-on", f"{container}    runs-on")
    done = insert(text)
    assert (done.gated, done.text) == ((), text)
    assert "grant" in done.left["deploy"]
    assert "grant" in to_paste(flow_of(text), "deploy", ACTION)
    bare = text.replace("permissions: {contents: read}\n", "")
    assert insert(bare).gated == ("deploy",)
    assert "permissions" not in insert(bare).text


def test_a_called_workflow_with_a_gate_of_its_own_needs_no_other() -> None:
    """The calling job is not asked twice."""
    gated = CALLEE.replace("[{run", "[{uses: a/incident-actions@v1, with: {command: gate}}, {run")
    flows = repository(deploy=CALLER, deploy_app=gated)
    assert flows["deploy"].ungated() == []
    assert insert_gate(CALLER, flows["deploy"], ACTION) == GateInsertion(CALLER)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("rollback.yml", "run"),
        ("ops.yml", "rollback"),
        ("revert-deploy.yml", "production"),
        ("roll-back.yml", "production"),
    ],
)
def test_a_rollback_says_that_it_is_one(path: str, name: str) -> None:
    """A plain gate would stop it in an incident; a deploy beside it stays a deploy."""
    text = (
        f"on: workflow_dispatch\njobs:\n  {name}:\n    environment: x\n    steps:\n      - run: a\n"
    )
    done = insert(text, path=f".github/workflows/{path}")
    assert job(done.text, name)["steps"][0]["with"]["intent"] == "rollback"
    assert flow_of(done.text, f".github/workflows/{path}").ungated() == []


@pytest.mark.parametrize("image", ["alpine:3.20", "{ image: alpine }"])
def test_a_job_in_a_container_needs_a_job_with_the_gate(image: str) -> None:
    """There may be no bash and no Python in it."""
    text = f"on: push\njobs:\n  deploy:\n    container: {image}\n    steps:\n      - run: a\n"
    done = insert(text)
    assert job(done.text)["needs"] == "incident-gate"
    assert job(done.text)["steps"] == [{"run": "a"}]
    assert "needs: incident-gate" in to_paste(flow_of(text), "deploy", ACTION)


@pytest.mark.parametrize("said", ["Always()", "ALWAYS()", "${{ !success() }}", "!Success ( )"])
def test_the_functions_of_an_if_know_no_case(said: str) -> None:
    """A call with one of them would pass a gate by."""
    assert insert(CALL.replace("{more}", f'if: "{said}"')).gated == ()


def test_a_gate_that_stops_nothing_is_told_and_gets_no_other() -> None:
    """What to change is named, not a second gate put in."""
    text = TWO.format(top="", test="", own="").replace(
        "      - run: a", "      - run: ./deploy.sh\n      - run: python3 -m incident_actions.gate"
    )
    done = insert(text)
    assert (done.gated, done.text) == ((), text)
    assert "put it before" in done.left["deploy"]
    assert "put it before" in to_paste(flow_of(text), "deploy", ACTION)


def test_what_counts_is_the_text_that_is_changed() -> None:
    """Not an older one, from which the workflow was read."""
    once = insert(LAYOUTS["plain"]).text
    assert insert_gate(once, flow_of(LAYOUTS["plain"]), ACTION) == GateInsertion(once)


def test_a_gate_for_all_services_says_so() -> None:
    """With what to write so that it stands for one."""
    (note,) = [n for n in insert(LAYOUTS["plain"], "web", "api").notes if "service" in n]
    assert "stands for all services; add `service: web`" in note
    assert len(note) < 100
