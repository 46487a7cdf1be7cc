"""Where a job asks our gate, and whether that stops the job: what is wrong where it does not.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions#status-check-functions
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from incident_actions.domain.readiness.deploy_signs import step_deploys
from incident_actions.gate_readers import REHEARSAL

ACTION = "incident-actions"
_USES_US = re.compile(rf"^[\w.-]+/{ACTION}@")
_GATE_WORKFLOW = re.compile(rf"^([\w.-]+/{ACTION}|\.)/\.github/workflows/freeze-gate\.ya?ml")
_BY_HAND = re.compile(r"(?:^|[\s/\"'])incident_actions(?:/gate\.py|\.gate)(?![\w.])")
_RUNS_ANYWAY = re.compile(
    r"\b(?:always|failure|cancelled)\s*\(|!\s*\(?\s*success\s*\(", re.IGNORECASE
)
_ALWAYS_TRUE = frozenset({"", "true", "success()", "always()", "!cancelled()"})


def is_ours(step: Mapping[str, Any]) -> bool:
    """Whether a step uses our action, whoever's copy of it, and at which commit."""
    return bool(_USES_US.match(str(step.get("uses", ""))))


def is_gate_workflow(job: Mapping[str, Any]) -> bool:
    """Whether a job calls our reusable workflow."""
    return bool(_GATE_WORKFLOW.match(str(job.get("uses", ""))))


def steps_of(job: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """A job's steps."""
    steps = job.get("steps")
    return [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []


def runs(step: Mapping[str, Any], command: str) -> bool:
    """Whether a step runs our action with this `command:`."""
    given = step.get("with")
    ours = is_ours(step) or str(step.get("uses")) == "./"
    return bool(ours and isinstance(given, dict) and given.get("command") == command)


def by_hand(step: Mapping[str, Any]) -> bool:
    """Whether a step runs our `incident_actions/gate.py` itself."""
    return bool(_BY_HAND.search(str(step.get("run", ""))))


def asks(user: Mapping[str, Any]) -> bool:
    """Whether a step asks the gate, or a job that calls our reusable workflow."""
    return is_gate_workflow(user) or runs(user, "gate") or by_hand(user)


def is_gate(job: Mapping[str, Any]) -> bool:
    """Whether a job asks the gate: by our reusable workflow, our action, or `gate.py` itself."""
    return any(map(asks, (job, *steps_of(job))))


def runs_anyway(user: Mapping[str, Any]) -> bool:
    """Whether a step or job may run after what came before it has failed, by its `if:`."""
    return bool(_RUNS_ANYWAY.search(str(user.get("if", ""))))


def given_to(user: Mapping[str, Any], name: str) -> str | None:
    """What a step or job gives to the gate as an input: by `with:`, flag or variable."""
    given, environment = user.get("with"), user.get("env")
    if "uses" in user:
        return str(given[name]) if isinstance(given, dict) and name in given else None
    flag = re.search(rf"--{name}[= ]+(\"[^\"]*\"|'[^']*'|[^\s\"'$]+)", str(user.get("run", "")))
    if flag:
        return flag[1].strip("\"'")
    variable = f"INPUT_{name.upper().replace('-', '_')}"
    has = isinstance(environment, dict) and variable in environment
    return str(environment[variable]) if isinstance(environment, dict) and has else None


def allows_on_error(job: Mapping[str, Any]) -> bool:
    """Whether a gate of a job lets the deploy go on when GitHub can't be asked."""
    return any(given_to(u, "on-error") == "allow" for u in (job, *steps_of(job)) if asks(u))


def own_fault(job: Mapping[str, Any], *, rollback: bool) -> str | None:
    """Why no gate among a job's own steps stops the job; None when one does, or none is there.

    A `rollback` may say that it is one.
    """
    steps, faults = steps_of(job), []
    for number, step in enumerate(steps):
        if asks(step):
            after = steps[number + 1 :]
            deploys = list(filter(_deploys, after)) or [s for s in after if "run" in s] or after
            fault = [*_of_place(steps[:number], after), *_of_gate(step, deploys, rollback)]
            fault += [
                f"the step `{_named(each)}` runs even when the gate says no: delete its "
                f"`if: {each['if']}`"
                for each in deploys
                if _runs_on(each)
            ]
            if not fault:
                return None
            faults.append(fault[0])
    return faults[0] if faults else None


def needed_fault(
    job: Mapping[str, Any], name: str, gate: Mapping[str, Any], *, rollback: bool
) -> str | None:
    """Why a gate in the job `name`, which a job needs, does not stop that; None when it does."""
    if _runs_on(job):
        return f"it runs even when `{name}` says no: delete its `if: {job['if']}`"
    if str(gate.get("continue-on-error", False)).casefold() != "false":
        return f"`{name}` never fails: delete its `continue-on-error`"
    faults: list[str] = []
    for user in (gate, *steps_of(gate)):
        if asks(user):
            condition = user if user is not gate else {**gate, "if": ""}
            fault = next(_of_gate(condition, [job], rollback), None)
            if fault is None:
                return None
            faults.append(fault)
    return faults[0] if faults else None


def _of_gate(
    user: Mapping[str, Any], deploys: Sequence[Mapping[str, Any]], rollback: bool
) -> Iterator[str]:
    """What lets a gate pass by what it is told; `deploys` is what it stands before."""
    condition, judged = _condition(user), bool(deploys) and all(map(_sees_verdict, deploys))
    same = bool(deploys) and all(_condition(each) == condition for each in deploys)
    if condition not in _ALWAYS_TRUE and not same:
        yield f"the gate may be skipped: delete its `if: {user['if']}`"
    if str(user.get("continue-on-error", False)).casefold() != "false" and not judged:
        yield "the gate's no is ignored: delete its `continue-on-error`"
    if by_hand(user) and re.search(r"\|\|", str(user.get("run", ""))):
        yield "the gate's no is ignored: delete the `||` behind it"
    if given_to(user, "mode") == "report" and not judged:
        yield "the gate only reports: delete `mode: report`"
    environment = (given_to(user, "environment") or "").strip().casefold()
    if environment == REHEARSAL:
        yield f"the gate only counts drills: delete `environment: {REHEARSAL}`"
    intent = (given_to(user, "intent") or "").strip().casefold()
    if intent in ("rollback", "fix") and not rollback:
        yield f"the gate takes each deploy for a {intent}: delete `intent: {intent}`"


def _of_place(
    before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """What is wrong with where a gate stands among the steps."""
    early = next(filter(_deploys, before), None)
    if early is not None:
        yield f"the gate comes after the step `{_named(early)}`: put it before that"
    elif before and not after:
        yield "the gate is the last step, behind what it should stop: put it first"


def _deploys(step: Mapping[str, Any]) -> bool:
    """Whether a step deploys, and is no gate."""
    return not asks(step) and step_deploys(step)


def _runs_on(user: Mapping[str, Any]) -> bool:
    """Whether a step or job goes on after a gate has failed, and does not look at it itself."""
    told = _condition(user)
    succeeded = re.search(r"(?:result|outcome|conclusion)=='success'", told) and "||" not in told
    return runs_anyway(user) and not (succeeded or _sees_verdict(user))


def _named(step: Mapping[str, Any]) -> str:
    """How a person finds a step: by its name, or what it runs."""
    told = step.get("name") or step.get("uses") or step.get("run") or step.get("id") or "?"
    return str(told).strip().partition("\n")[0][:60]


def _condition(user: Mapping[str, Any]) -> str:
    """An `if:` without its `${{ }}`, blanks and capitals: GitHub's functions know no case."""
    told = re.sub(r"\s+", "", str(user.get("if", ""))).casefold()
    return told.removeprefix("${{").removesuffix("}}")


def _sees_verdict(user: Mapping[str, Any]) -> bool:
    """Whether a step or job looks at what the gate said."""
    return bool(re.search(r"outputs\.(?:frozen|verdict)\b", str(user.get("if", ""))))
