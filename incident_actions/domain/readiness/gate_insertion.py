"""Puts the gate into a deploy workflow of the team's own, and changes nothing else in it.

Each change is proven: the new text is read, and must hold what the old one held, the gate, and
nothing more. Where that fails, the text stays, and `to_paste` says what a person can do.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.readiness.gates import is_gate, runs_anyway, steps_of
from incident_actions.domain.readiness.workflows import Workflow, starts_on
from incident_actions.domain.text.yaml_edit import EditRefused, YamlEdit, flow, proven, read
from incident_actions.gate_readers import REHEARSAL, means_everything

GATE_JOB = "incident-gate"
INTENT = "${{ inputs.intent || 'deploy' }}"
INTENTS = ("deploy", "rollback", "fix")
_SCOPES = ("contents", "issues", "pull-requests", "deployments", "checks")
"""What the gate may read: the first two always, the others when it looks for a way out."""
_NEEDED = _SCOPES[:2]
_CALLED = "others call this workflow, and would have to grant it what the gate reads"
_ENVIRONMENT = re.compile(r"[a-z0-9_](?:[a-z0-9._/ -]*[a-z0-9_])?", re.IGNORECASE | re.ASCII)
_BY_HAND = frozenset({
    "create", "merge_group", "pull_request", "push", "release", "schedule", "workflow_dispatch",
})  # fmt: skip
"""The events beside which a person may start a workflow, too, without it missing something."""
_EVENT_DATA = re.compile(r"github\.event\.(?!inputs\b)\w")
_DEPLOY_WORDS = frozenset({
    "cd", "ci", "deploy", "deploying", "deployment", "job", "live", "prod", "production", "publish",
    "release", "rollout", "run", "ship", "stage", "staging", "the", "to", "workflow",
})  # fmt: skip


class ActionReference(Struct, frozen=True):
    """How a workflow names our action: `OWNER/incident-actions@v1`, and the comment behind it."""

    uses: str
    remark: str = ""


class GateInsertion(Struct, frozen=True):
    """A workflow with the gate in it.

    `text` is the new text; `gated` are the ids of the jobs that ask the gate now. `left` says for
    each other job that deploys why it was left alone. `notes` are for people.
    """

    text: str
    gated: tuple[str, ...] = ()
    left: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()


def insert_gate(
    text: str, workflow: Workflow, action: ActionReference, services: Sequence[str] = ()
) -> GateInsertion:
    """Put the gate before each job of a workflow that deploys and does not ask it.

    It becomes the job's first step, so that it is asked right before the deploy; where a job calls
    another workflow, or runs in a container, a job of its own that this one needs. Permissions are
    only added. A gate that is there and stops nothing stays, and `left` says what is wrong with it.
    `services` is the team's list. What counts is `text`, not what `workflow` was read from. Never
    raises.
    """
    try:
        workflow = replace(workflow, document=read(text))
    except EditRefused as error:
        return GateInsertion(text, left=dict.fromkeys(workflow.ungated(), str(error)))
    done = GateInsertion(text)
    if not all(map(workflow.is_rollback, workflow.ungated())):
        done = _ask_for_intent(done, workflow.path)
    for name in workflow.ungated():
        try:
            fault = workflow.gate_fault(name)
            if fault or is_gate(workflow.jobs[name]) or workflow.gates_needed(name):
                raise EditRefused(fault or "it has a gate")
            current = replace(workflow, document=read(done.text))
            changed, notes = _gated(done.text, current, name, action, services)
            done = replace(
                done, text=changed, gated=(*done.gated, name), notes=(*done.notes, *notes)
            )
        except EditRefused as error:
            done = replace(done, left={**done.left, name: str(error)})
    return done if done.gated else replace(done, text=text, notes=())


def to_paste(
    workflow: Workflow, name: str, action: ActionReference, services: Sequence[str] = ()
) -> str:
    """What a person can paste to put the gate before a job, in lines; or what to change there."""
    fault = workflow.gate_fault(name)
    if fault:
        return f"In {workflow.path}, job `{name}`: {fault}.\n"
    inputs = _inputs(workflow, name, services)
    uses = f"- uses: {action.uses}" + (f" # {action.remark}" if action.remark else "")
    scopes = flow(dict.fromkeys(_SCOPES, "read"))
    callers = "Whatever calls this workflow has to grant them, too.\n"
    callers = callers if "workflow_call" in workflow.triggers else ""
    if _needs_gate_job(workflow.jobs[name]):
        return (
            f"In {workflow.path}, below `jobs:`; and let the job `{name}` need it "
            f"(`needs: {GATE_JOB}`):\n\n"
            f"  {GATE_JOB}:\n    runs-on: ubuntu-latest\n    permissions: {scopes}\n"
            f"    steps:\n      {uses}\n        with: {flow(inputs)}\n{callers}"
        )
    return (
        f"In {workflow.path}, as the first step of the job `{name}`:\n\n"
        f"      {uses}\n        with: {flow(inputs)}\n\n"
        f"Where there are `permissions:`, they have to hold\n{scopes}.\n{callers}"
    )


def _gated(
    text: str, workflow: Workflow, name: str, action: ActionReference, services: Sequence[str]
) -> tuple[str, tuple[str, ...]]:
    """The text with the gate before one job, and notes. Raises `EditRefused`."""
    document, edit = read(text), YamlEdit(text)
    job, called = document["jobs"][name], "workflow_call" in workflow.triggers
    inputs = _inputs(workflow, name, services)
    step = {"uses": action.uses, "with": inputs}
    notes = _all_services(inputs, name, services)
    if _needs_gate_job(job):
        _add_gate_job(edit, document, name, step, action.remark, called=called)
        return proven(edit.result(), document), tuple(notes)
    if not isinstance(job.get("steps"), list):
        raise EditRefused("it has no steps")
    notes += [*_default_permissions(workflow, name), *_steps_that_run_anyway(workflow, name)]
    edit.put_first(edit.find("jobs", name, "steps"), step, action.remark)
    _permit(edit, document, name, called=called)
    job["steps"].insert(0, step)
    return proven(edit.result(), document), tuple(notes)


def _needs_gate_job(job: Mapping[str, Any]) -> bool:
    """Whether the gate needs a job of its own: before a call of a workflow, which has no steps.

    And before a job in a container, where nobody knows whether the gate's Python is.
    """
    return ("uses" in job and "steps" not in job) or "container" in job


def _add_gate_job(
    edit: YamlEdit,
    document: dict[str, Any],
    name: str,
    step: Mapping[str, Any],
    remark: str,
    *,
    called: bool,
) -> None:
    """Add a job that asks the gate, and let this one need it: in the text and in the document.

    It runs when and where the other one would: with its `if:`, after what that one needs. Raises
    `EditRefused` where a failed gate would not stop the job.
    """
    job, jobs = document["jobs"][name], document["jobs"]
    if runs_anyway(job):
        raise EditRefused("its `if:` lets it run even after a job that it needs has failed")
    if called and "permissions" in document:
        raise EditRefused(_CALLED)
    gate_job = next(
        n for n in (GATE_JOB, *(f"{GATE_JOB}-{i}" for i in range(2, 99))) if n not in jobs
    )
    asking = {
        **{key: job[key] for key in ("needs", "if") if key in job},
        "runs-on": "ubuntu-latest",
        **({} if called else {"permissions": dict.fromkeys(_SCOPES, "read")}),
        "steps": [step],
    }
    edit.put_key(edit.find("jobs"), gate_job, asking, block=True, remark=remark)
    if "needs" in job:
        edit.join(edit.find("jobs", name, "needs"), gate_job)
    else:
        edit.put_key(edit.find("jobs", name), "needs", gate_job)
    needs = job.get("needs", [])
    joined = [*([needs] if isinstance(needs, str) else needs), gate_job]
    document["jobs"] = {**jobs, gate_job: asking}
    document["jobs"][name] = {**job, "needs": joined if "needs" in job else gate_job}


def _permit(edit: YamlEdit, document: dict[str, Any], name: str, *, called: bool) -> None:
    """Let a job's token read what the gate needs: in the text and in the document.

    No other job may do more than before. A job without any `permissions:` is left alone: a block of
    its own would take away what the repository's default grants. Raises `EditRefused` where
    something is forbidden, or can't be read; and in a workflow that others call (`called`), as
    GitHub refuses a called job that asks for more than the calling one grants.
    """
    job = document["jobs"][name]
    own = "permissions" in job
    granted = job.get("permissions") if own else document.get("permissions")
    if granted in ("read-all", "write-all") or not (own or "permissions" in document):
        return
    if not isinstance(granted, dict) or not all(isinstance(v, str) for v in granted.values()):
        raise EditRefused("its `permissions:` can't be read")
    forbidden = [scope for scope in _NEEDED if granted.get(scope) == "none"]
    if forbidden:
        raise EditRefused(f"its `permissions:` say `{forbidden[0]}: none`")
    missing = {scope: "read" for scope in _SCOPES if scope not in granted}
    if called and missing:
        raise EditRefused(_CALLED)
    others = [
        o for n, o in document["jobs"].items() if n != name and "permissions" not in (o or {})
    ]
    if own or (granted and not others):
        place = edit.find("jobs", name, "permissions") if own else edit.find("permissions")
        if missing:
            edit.add_keys(place, missing)
        granted.update(missing)
    elif missing:
        edit.put_key(edit.find("jobs", name), "permissions", {**granted, **missing})
        job["permissions"] = {**granted, **missing}


def _all_services(given: Mapping[str, str], name: str, services: Sequence[str]) -> list[str]:
    """A note for a gate that is not told of a service, when there are some."""
    if not services or "service" in given:
        return []
    return [
        f"job `{name}`: the gate stands for all services; add `service: {services[0]}` for one."
    ]


def _default_permissions(workflow: Workflow, name: str) -> list[str]:
    """A note for a job whose token has the repository's default permissions."""
    if workflow.permissions(workflow.jobs[name]) is not None:
        return []
    return [
        "A job without `permissions:` has the repository's default. When that is no more than\n"
        "  `Read repository contents` (Settings > Actions > General), a private repository's gate\n"
        "  can't read issues. Then give the job what it needs itself, and\n"
        f"  {flow(dict.fromkeys(_SCOPES, 'read'))}."
    ]


def _steps_that_run_anyway(workflow: Workflow, name: str) -> list[str]:
    """A note when some step of a job would run after the gate has stopped it."""
    if not any(map(runs_anyway, steps_of(workflow.jobs[name]))):
        return []
    return [
        f"job `{name}`: a step with `if: always()` or alike runs on. See that it deploys nothing."
    ]


def _inputs(workflow: Workflow, name: str, services: Sequence[str]) -> dict[str, str]:
    """What the gate in a job is told: its environment, service, and the intent of a person."""
    inputs = {"command": "gate"}
    environment = workflow.jobs[name].get("environment")
    if isinstance(environment, dict):
        environment = environment.get("name")
    if isinstance(environment, str) and _ENVIRONMENT.fullmatch(environment):
        told = environment.casefold() != REHEARSAL and not means_everything(environment)
        inputs |= {"environment": environment} if told else {}
    inputs |= _service(workflow, name, services)
    if workflow.is_rollback(name):
        return inputs | {"intent": "rollback"}
    return inputs | ({"intent": INTENT} if _takes_intent(workflow.document or {}) else {})


def _service(workflow: Workflow, name: str, services: Sequence[str]) -> dict[str, str]:
    """The service that a job deploys, when its names and the workflow's say so and nothing else.

    `deploy-api.yml` with a job `production` is about `api`. A word that is neither a service nor of
    deploying could be another service, so then the gate stands for all of them.
    """
    job = workflow.jobs[name]
    if "strategy" in job:
        return {}
    given = (workflow.document or {}).get("name")
    named = [workflow.file.rpartition(".")[0], given, name, job.get("name")]
    words = " ".join(str(text) for text in named if text is not None).casefold()
    found = []
    for service in sorted(services, key=len, reverse=True):
        exact = re.compile(rf"(?<![^\W_]){re.escape(service.casefold())}(?![^\W_])")
        if exact.search(words):
            found.append(service)
            words = exact.sub(" ", words)
    rest = set(re.findall(r"[^\W_]+", words)) - _DEPLOY_WORDS
    return {"service": found[0]} if len(found) == 1 and not rest else {}


def _takes_intent(document: Mapping[str, Any]) -> bool:
    """Whether a person who starts the workflow by hand can choose an intent that the gate knows."""
    events = document.get("on")
    dispatch = events.get("workflow_dispatch") if isinstance(events, dict) else None
    inputs = dispatch.get("inputs") if isinstance(dispatch, dict) else None
    intent = inputs.get("intent") if isinstance(inputs, dict) else None
    options = intent.get("options") if isinstance(intent, dict) else None
    return isinstance(options, list) and all(option in INTENTS for option in options)


def _ask_for_intent(done: GateInsertion, path: str) -> GateInsertion:
    """Let `workflow_dispatch` ask for the intent, so that a person can roll back.

    What can't be changed for sure stays as it is, with a note.
    """
    choice = {"type": "choice", "options": list(INTENTS)}
    try:
        document = read(done.text)
        events = document.get("on")
        if _takes_intent(document):
            return done
        edit = YamlEdit(done.text)
        if not isinstance(events, dict) or "workflow_dispatch" not in events:
            return replace(done, text=_with_dispatch(edit, document, path, choice))
        dispatch = events["workflow_dispatch"]
        _let_dispatch_ask(edit, dispatch, choice)
        inputs = (dispatch or {}).get("inputs") or {}
        events["workflow_dispatch"] = {**(dispatch or {}), "inputs": {"intent": choice, **inputs}}
        return replace(done, text=proven(edit.result(), document))
    except EditRefused:
        note = (
            "it can't be told of a rollback: under `on:`, let `workflow_dispatch` ask for `intent`."
        )
        return replace(done, notes=(*done.notes, note))


def _with_dispatch(
    edit: YamlEdit, document: dict[str, Any], path: str, choice: Mapping[str, Any]
) -> str:
    """The text in which a person may start a workflow, and say why. Raises `EditRefused`.

    Refused where a run by hand would miss what the event of another run holds.
    """
    workflow, events = Workflow(path, document), document.get("on")
    jobs = [workflow.jobs[name] for name in workflow.deploying()]
    by_hand = "workflow_dispatch" in workflow.triggers
    holds = _EVENT_DATA.search(str(document.get("jobs"))) or not workflow.triggers <= _BY_HAND
    if holds and not by_hand:
        raise EditRefused("it needs what its events hold")
    if not all(starts_on(job, "workflow_dispatch") for job in jobs):
        raise EditRefused("its jobs don't start by hand")
    dispatch = {"inputs": {"intent": choice}}
    if isinstance(events, dict):
        edit.add_keys(edit.find("on"), {"workflow_dispatch": flow(dispatch)})
    else:
        edit.to_mapping(edit.find("on"), "workflow_dispatch", dispatch)
        named = [events] if isinstance(events, str) else events or []
        in_lines = isinstance(events, list) and not edit.find("on").flows
        events = {str(event): None if in_lines else {} for event in named}
    document["on"] = {**events, "workflow_dispatch": dispatch}
    return proven(edit.result(), document)


def _let_dispatch_ask(edit: YamlEdit, dispatch: Any, choice: Mapping[str, Any]) -> None:
    """Let `workflow_dispatch:` ask for the intent, in the text. Raises `EditRefused`."""
    place = edit.find("on", "workflow_dispatch")
    if dispatch is None:
        edit.fill(place, flow({"inputs": {"intent": choice}}))
    elif dispatch == {}:
        edit.add_keys(place, {"inputs": flow({"intent": choice})})
    elif not isinstance(dispatch, dict):
        raise EditRefused("`workflow_dispatch` can't be read")
    elif "inputs" not in dispatch:
        edit.put_key(place, "inputs", {"intent": choice})
    elif not isinstance(dispatch["inputs"], dict) or "intent" in dispatch["inputs"]:
        raise EditRefused("it asks for another `intent`")
    else:
        edit.put_key(edit.find("on", "workflow_dispatch", "inputs"), "intent", choice)
