"""Which jobs deploy, and whether the gate before one stops it."""

from __future__ import annotations

import pytest

from incident_actions.domain.readiness.workflows import Workflow
from incident_actions.domain.text.documents import load_yaml

GATE = "{ uses: a/incident-actions@v1, with: { command: gate } }"
SHIP = "{ run: ./deploy.sh }"


def flow(text: str, path: str = "ship.yml", *frozen: str) -> Workflow:
    return Workflow(f".github/workflows/{path}", load_yaml(text, path), frozen=frozen)


def deploy(*steps: str, head: str = "", more: str = "") -> Workflow:
    """A workflow with the job `deploy` of these steps; `more` are other jobs."""
    return flow(
        f"on: push\njobs:\n  deploy:\n    runs-on: x\n{head}    steps: [{', '.join(steps)}]\n{more}"
    )


def gate(more: str = "", given: str = "") -> str:
    """A step that asks the gate, with more keys, and more inputs."""
    return f"{{ uses: a/incident-actions@v1, {more} with: {{ command: gate, {given} }} }}"


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        ([SHIP, GATE], "comes after the step `./deploy.sh`"),
        (["{ name: Deploy, run: x }", GATE, "{ run: y }"], "comes after the step `Deploy`"),
        (["{ uses: azure/webapps-deploy@v3 }", GATE], "comes after"),
        (["{ run: x }", GATE], "last step"),
        ([gate("if: false,"), SHIP], "delete its `if: False`"),
        ([gate("if: github.actor == 'x',"), SHIP], "may be skipped"),
        ([gate("continue-on-error: true,"), SHIP], "`continue-on-error`"),
        ([gate("continue-on-error: '${{ inputs.x }}',"), SHIP], "`continue-on-error`"),
        ([gate("", "mode: report"), SHIP], "`mode: report`"),
        ([gate("", "environment: Drill"), SHIP], "`environment: drill`"),
        ([gate("", "intent: rollback"), SHIP], "`intent: rollback`"),
        ([gate("", "intent: fix"), SHIP], "`intent: fix`"),
        ([GATE, "{ run: ./deploy.sh, if: always() }"], "`if: always()`"),
        ([GATE, "{ run: ./deploy.sh, if: '${{ !Success() }}' }"], "runs even when"),
        ([GATE, "{ run: ./x, if: FAILURE() || true }"], "runs even when"),
        (["{ run: python3 incident_actions/gate.py || true }", SHIP], "`||`"),
        (["{ run: python3 incident_actions/gate.py --mode report }", SHIP], "`mode: report`"),
    ],
)
def test_a_gate_among_the_steps_that_stops_nothing(steps: list[str], told: str) -> None:
    """What is wrong, and the words to delete."""
    found = deploy(*steps)
    assert found.ungated() == ["deploy"]
    assert told in found.gate_fault("deploy")


@pytest.mark.parametrize(
    "steps",
    [
        [GATE, SHIP],
        ["{ uses: actions/checkout@v4 }", "{ run: make build }", GATE, SHIP],
        [gate("if: true,"), SHIP],
        [gate("if: '${{ always() }}',"), SHIP],
        [gate("if: github.ref == 'x',"), "{ run: ./deploy.sh, if: github.ref == 'x' }"],
        [gate("", "on-error: allow"), SHIP],
        [GATE, SHIP, "{ run: ./notify, if: always() }"],
        [gate("id: g,", "mode: report"), "{ run: ./deploy.sh, if: steps.g.outputs.frozen }"],
        ["{ run: python3 -I $X/incident_actions/gate.py }", SHIP],
        [GATE, SHIP, gate("if: failure(),")],
    ],
)  # fmt: skip
def test_a_gate_among_the_steps_that_stops_the_deploy(steps: list[str]) -> None:
    """Also where it is not the first step, or the team looks at the verdict itself."""
    assert deploy(*steps).ungated() == []


OTHER = "  ask:\n    runs-on: x\n    {more}\n    steps: [{step}]\n"


@pytest.mark.parametrize(
    ("condition", "more", "step", "told"),
    [
        ("", "", GATE, ""),
        ("if: always() && needs.ask.result == 'success'", "", GATE, ""),
        ("if: github.ref == 'x'", "if: github.ref == 'y'", GATE, ""),
        ("if: always()", "", GATE, "`if: always()`"),
        ("if: Failure()", "", GATE, "`if: Failure()`"),
        ("if: '!cancelled()'", "", GATE, "`if: !cancelled()`"),
        ("if: '${{ !success() }}'", "", GATE, "runs even when `ask` says no"),
        ("", "continue-on-error: true", GATE, "`ask` never fails"),
        ("", "", gate("", "mode: report"), "`mode: report`"),
        ("", "", gate("if: false,"), "may be skipped"),
    ],
)
def test_a_gate_in_a_job_that_is_needed(condition: str, more: str, step: str, told: str) -> None:
    """It stops the deploy, unless one of the two jobs says otherwise."""
    other = OTHER.replace("{more}", more or "env: { A: 1 }").replace("{step}", step)
    found = deploy(SHIP, head=f"    needs: ask\n    {condition or 'env: { A: 1 }'}\n", more=other)
    assert found.ungated() == (["deploy"] if told else [])
    assert told in found.gate_fault("deploy")
    assert bool(told) == bool(found.gate_fault("deploy"))


@pytest.mark.parametrize("name", ["aggregate.py", "investigate.py", "scripts/gate.py", "gate.pyc"])
def test_a_program_of_another_name_is_no_gate(name: str) -> None:
    """Ours is `incident_actions/gate.py`."""
    found = deploy(f"{{ run: python {name} }}", SHIP)
    assert found.gate_jobs() == []
    assert (found.ungated(), found.gate_fault("deploy")) == (["deploy"], "")


@pytest.mark.parametrize(
    ("path", "name", "step"),
    [
        ("deploy-checkout.yml", "deploy-checkout", "{ run: x }"),
        ("main.yml", "deploy-latest", "{ run: x }"),
        ("main.yml", "deploy-contest-api", "{ run: x }"),
        ("deploy.yml", "gate-keeper", "{ run: x }"),
        ("main.yml", "promote", "{ run: x }"),
        ("main.yml", "deploy-dev-portal", "{ run: x }"),
        ("cd.yml", "go", "{ run: kubectl -n shop apply -f k8s/ }"),
        ("cd.yml", "go", "{ run: 'kubectl set image deploy/web web=x' }"),
        ("cd.yml", "go", "{ run: flyctl deploy --remote-only }"),
        ("cd.yml", "go", "{ run: helm upgrade --install web ./chart }"),
        ("cd.yml", "go", "{ run: terraform -chdir=infra apply -auto-approve }"),
        ("cd.yml", "go", "{ run: aws ecs update-service --cluster x }"),
        ("cd.yml", "build", "{ run: 'make build && vercel --prod' }"),
        ("cd.yml", "go", "{ run: npx serverless deploy }"),
        ("cd.yml", "go", "{ run: npm run deploy }"),
        ("cd.yml", "go", "{ run: bash scripts/deploy.sh production }"),
        ("cd.yml", "go", '{ run: "aws ecs \\\\\\n  update-service" }'),
        ("cd.yml", "go", "{ uses: aws-actions/amazon-ecs-deploy-task-definition@v2 }"),
        ("cd.yml", "go", "{ uses: azure/webapps-deploy@v3 }"),
        ("cd.yml", "go", "{ uses: google-github-actions/deploy-cloudrun@v2 }"),
        ("cd.yml", "go", "{ uses: superfly/flyctl-actions@1.5 }"),
        ("cd.yml", "go", "{ uses: ./.github/actions/deploy }"),
    ],
)
def test_a_deploy_is_seen_by_whole_words_and_by_what_it_runs(
    path: str, name: str, step: str
) -> None:
    """Whatever it is called."""
    text = f"on: push\njobs:\n  {name}:\n    runs-on: x\n    steps:\n      - {step}\n"
    assert flow(text, path).deploying() == [name]


@pytest.mark.parametrize(
    ("path", "name", "step"),
    [
        ("ci.yml", "build", "{ run: 'echo kubectl apply' }"),
        ("ci.yml", "build", "{ run: kubectl apply --dry-run=client -f x }"),
        ("ci.yml", "build", "{ run: shellcheck ./deploy.sh }"),
        ("ci.yml", "integration-test", "{ run: kubectl apply -f kind/ }"),
        ("ci.yml", "build", "{ uses: superfly/flyctl-actions/setup-flyctl@v1 }"),
        ("deploy.yml", "unit-tests", "{ run: x }"),
        ("main.yml", "release-notes", "{ run: x }"),
        ("main.yml", "test-deploy", "{ run: ./deploy.sh }"),
    ],
)
def test_a_check_is_no_deploy(path: str, name: str, step: str) -> None:
    """Nor what only speaks of one."""
    text = f"on: push\njobs:\n  {name}:\n    runs-on: x\n    steps:\n      - {step}\n"
    assert flow(text, path).deploying() == []


@pytest.mark.parametrize(
    ("events", "head", "counts"),
    [
        ("pull_request", "environment: production", False),
        ("[pull_request, pull_request_target]", "environment: production", False),
        ("{ pull_request: { types: [closed] } }", "environment: production", True),
        ("[push, pull_request]", "environment: production", True),
        ("[push, pull_request]", "if: github.event_name == 'pull_request'", False),
        ("push", "environment: preview", False),
        ("push", "environment: test-secrets", False),
        ("push", "environment: { name: staging }", False),
        ("push", "environment: staging-live", True),
        ("push", "environment: europe", True),
        ("push", "environment: '${{ inputs.where }}'", True),
    ],
)
def test_what_is_no_production_is_named_and_does_not_count(
    events: str, head: str, counts: bool
) -> None:
    """The checks of a fix stay free; the configuration's list decides otherwise."""
    text = f"on: {events}\njobs:\n  deploy-web:\n    {head}\n    steps: [{SHIP}]\n"
    assert flow(text).deploying() == (["deploy-web"] if counts else [])
    assert flow(text).uncounted() == ([] if counts else ["deploy-web"])
    assert not events.startswith("push") or flow(
        text, "x.yml", "Staging", "preview", "test-secrets"
    ).deploying() == ["deploy-web"]
