"""What a workflow file says: whether it uses our action, which jobs deploy, which ask the gate.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any

from msgspec import Struct

from incident_actions.domain.readiness import gates
from incident_actions.domain.readiness.deploy_signs import (
    is_for_pull_requests,
    is_not_production,
    is_only_not_production,
    is_pull_request,
    names_check,
    names_ci,
    names_deploy,
    names_rollback,
    names_trial,
    step_deploys,
    words_of,
)
from incident_actions.domain.readiness.triggers import (
    crons_of,
    event_of,
    events_of,
    triggers_of,
)
from incident_actions.domain.reminders.clock import read_watch_length
from incident_actions.errors import InputError

EXAMPLE = 'echo "your deploy"'
"""The last line of the deploy workflow that `init` writes. Teams replace it by their own deploy."""
_WATCH = re.compile(
    r"(?P<no>!\s*\(?\s*)?\b(?:github\.event\.)?inputs\.watch\b"
    r"(?P<not>\s*(?:==\s*'?false|!=\s*'?true))?"
)
_EVENT_NAME = re.compile(r"github\.event_name\s*([=!]=)\s*'(\w+)'")
_BY_PEOPLE = frozenset({"push", "release", "workflow_dispatch"})
"""The events of which people think when a deploy starts."""
_LEVELS = {"none": 0, "read": 1, "write": 2}
_LOCAL = re.compile(r"^\./(\.github/workflows/[\w.-]+\.ya?ml)$")


class Workflow(Struct, frozen=True):
    """A workflow file. `document` is its YAML; None when that can't be read or is no mapping.

    `wrong` says then what is wrong with it, and in which line. `others` are all workflows of the
    repository, by path: it may call them, and they it. `frozen` are the environments that a freeze
    stops, as the configuration lists them.
    """

    path: str
    document: Mapping[Any, Any] | None
    wrong: str = ""
    others: Mapping[str, Workflow] = {}
    frozen: tuple[str, ...] = ()

    @property
    def file(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]

    @property
    def triggers(self) -> frozenset[str]:
        """The events that start it."""
        return triggers_of(self.document)

    @property
    def crons(self) -> tuple[str, ...]:
        """Its schedules, as they are written."""
        return crons_of(self.document)

    def takes_watch(self) -> bool:
        """Whether a run of it may be asked to be the watch, by the input `watch`."""
        dispatch = event_of(self.document, "workflow_dispatch")
        inputs = dispatch.get("inputs") if isinstance(dispatch, dict) else None
        return isinstance(inputs, dict) and "watch" in inputs

    def responding(self) -> list[str]:
        """The ids of the jobs that run our action with `command: respond`, the watch included."""
        return [
            n
            for n, job in self.jobs.items()
            if any(gates.runs(s, "respond") for s in gates.steps_of(job))
        ]

    def watches(self) -> list[str]:
        """The ids of the jobs that run `respond` only where the input `watch` asks for it."""
        return [name for name in self.responding() if asks_for_watch(self.jobs[name])]

    @property
    def jobs(self) -> dict[str, Mapping[str, Any]]:
        """Its jobs by id."""
        jobs = (self.document or {}).get("jobs")
        if not isinstance(jobs, dict):
            return {}
        return {str(name): job for name, job in jobs.items() if isinstance(job, dict)}

    def permissions(self, job: Mapping[str, Any]) -> Mapping[str, str] | str | None:
        """The `permissions:` of a job, or else of the workflow; None when neither has any."""
        granted = job.get("permissions", (self.document or {}).get("permissions"))
        return granted if isinstance(granted, dict | str) else None

    def names_us(self) -> bool:
        """Whether it uses our action, or our reusable workflow, from anywhere."""
        jobs = self.jobs.values()
        used = [str(u.get("uses", "")) for job in jobs for u in (job, *gates.steps_of(job))]
        return any(text == "./" or _names_us(text) for text in used)

    def gate_jobs(self) -> list[str]:
        """The ids of the jobs that ask the gate whether a deploy may go on."""
        return [name for name, job in self.jobs.items() if gates.is_gate(job)]

    def ungated(self) -> list[str]:
        """The ids of the jobs that deploy though no gate stops them: theirs, or of a job they need.

        Of a workflow that only others here call, the calling jobs answer for it.
        """
        if self.triggers == {"workflow_call"} and self.callers():
            return []
        return [name for name in self.deploying() if not self.is_gated(name)]

    def is_gated(self, name: str, depth: int = 4) -> bool:
        """Whether a gate stops a job: its own, one of a job that it needs or of what it calls."""
        job = self.jobs[name]
        rollback = self.is_rollback(name)
        own = any(map(gates.asks, gates.steps_of(job))) or gates.is_gate_workflow(job)
        if own and gates.own_fault(job, rollback=rollback) is None:
            return True
        for other in self.gates_needed(name):
            if gates.needed_fault(job, other, self.jobs[other], rollback=rollback) is None:
                return True
        called = self.called(name)
        inner = called.deploying(depth - 1) if called and depth else []
        return bool(called and inner) and all(
            called.is_gated(each, depth - 1) for each in inner if called
        )

    def gate_fault(self, name: str) -> str:
        """Why the gate of a job does not stop it, and what to change; empty without a fault."""
        if self.is_gated(name):
            return ""
        job, rollback = self.jobs[name], self.is_rollback(name)
        found = [gates.own_fault(job, rollback=rollback)]
        found += [
            gates.needed_fault(job, other, self.jobs[other], rollback=rollback)
            for other in self.gates_needed(name)
        ]
        called = self.called(name)
        if called:
            found += [called.gate_fault(each) for each in called.deploying(2)]
        return next(filter(None, found), "")

    def gates_needed(self, name: str) -> list[str]:
        """The ids of the jobs that ask the gate and that a job needs, also by way of others."""
        seen: list[str] = []
        open_ones = list(_needs(self.jobs[name]))
        while open_ones:
            other = open_ones.pop(0)
            if other in self.jobs and other not in seen:
                seen.append(other)
                open_ones += _needs(self.jobs[other])
        return [other for other in seen if other != name and gates.is_gate(self.jobs[other])]

    def called(self, name: str) -> Workflow | None:
        """The workflow of this repository that a job calls; None when it calls none."""
        found = _LOCAL.match(str(self.jobs[name].get("uses", "")))
        return self.others.get(found[1]) if found else None

    def callers(self) -> list[tuple[Workflow, str]]:
        """The jobs of this repository that call it."""
        return [
            (w, name)
            for w in self.others.values()
            for name, job in w.jobs.items()
            if str(job.get("uses", "")) == f"./{self.path}"
        ]

    def asks_too_much(self) -> Iterator[tuple[str, Workflow, str, dict[str, str]]]:
        """Calls that GitHub refuses, as a called job asks for more than the calling job grants.

        Each is the calling job's id, the called workflow, its job's id, and what is to be granted.
        https://docs.github.com/en/actions/reference/workflows-and-actions/reusing-workflow-configurations
        """
        for name, job in self.jobs.items():
            called, granted = self.called(name), self.permissions(job)
            if called is None or granted is None:
                continue
            for inner, inner_job in called.jobs.items():
                asked = called.permissions(inner_job)
                wanted = asked if isinstance(asked, dict) else {}
                lacking = {
                    key: str(level)
                    for key, level in wanted.items()
                    if _LEVELS.get(str(level), 0) > _LEVELS.get(scope(granted, key), 0)
                }
                if lacking:
                    yield name, called, inner, lacking

    def is_rollback(self, name: str) -> bool:
        """Whether a job is a rollback, by its own name, or the file's or workflow's."""
        own = (name, self.jobs[name].get("name"))
        around = (self.file.rpartition(".")[0], (self.document or {}).get("name"))
        if names_rollback(*own):
            return True
        both = "deploy" in words_of(*own) and "deploy" in words_of(*around)
        return names_rollback(*around) and not both

    def deploying(self, depth: int = 4) -> list[str]:
        """The ids of the jobs that seem to deploy: by names, `environment:`, and what steps run.

        When only the file's or the workflow's name speaks of a deploy, all its jobs count but those
        whose names speak of checks (`lint`, `test`, ...). A job that only pull requests start, or
        whose environment is plainly none of production, does not count.
        """
        jobs = [name for name in self.jobs if self._may_deploy(name)]
        by_job = [name for name in jobs if self._seems_to_deploy(name, depth)]
        name = str((self.document or {}).get("name") or "")
        if by_job or not any(map(names_deploy, (self.file.rpartition(".")[0], name))):
            return by_job
        return [n for n in jobs if not names_check(n) and not gates.is_gate_workflow(self.jobs[n])]

    def is_uncounted(self) -> bool:
        """Whether it starts as deploys do, but no job of it counts as one, nor as our own."""
        ours = any(gates.is_ours(s) for job in self.jobs.values() for s in gates.steps_of(job))
        starts = bool(self.triggers & (_BY_PEOPLE | {"pull_request", "pull_request_target"}))
        return starts and not ours and not self.gate_jobs() and not self.deploying()

    def uncounted(self) -> list[str]:
        """The ids of the jobs that would count as deploying on other events, or elsewhere."""
        jobs = (name for name in self.jobs if not self._may_deploy(name))
        return [name for name in jobs if self._seems_to_deploy(name, 2)]

    def is_plain_ci(self) -> bool:
        """Whether its names, or those of all its jobs, speak of building and checking alone."""
        around = (self.file.rpartition(".")[0], (self.document or {}).get("name"))
        jobs = all(names_ci(name, job.get("name")) for name, job in self.jobs.items())
        return not self.triggers & _BY_PEOPLE or names_ci(*around) or jobs

    def _may_deploy(self, name: str) -> bool:
        """Whether a job starts on more than pull requests, for what may be production."""
        job = self.jobs[name]
        if is_for_pull_requests(events_of(self.document)):
            return False
        events = [event for event in self.triggers if not is_pull_request(event)]
        if self.triggers and events and not any(starts_on(job, event) for event in events):
            return False
        environment = environment_of(job)
        if environment:
            return environment.casefold() in self._frozen or not is_not_production(environment)
        return not is_only_not_production(name) or name.casefold() in self._frozen

    @property
    def _frozen(self) -> frozenset[str]:
        return frozenset(name.casefold() for name in self.frozen)

    def _seems_to_deploy(self, name: str, depth: int) -> bool:
        """Whether a job's own names, environment or steps speak of a deploy, or what it calls."""
        job = self.jobs[name]
        if gates.is_gate_workflow(job):
            return False
        told = (name, job.get("name"))
        if "environment" in job or names_deploy(*told) or (environment_of(job) and "uses" in job):
            return True
        if any(map(step_deploys, gates.steps_of(job))):
            return not names_trial(name)
        called = self.called(name) if depth else None
        return called is not None and bool(called.deploying(depth - 1))

    def takes_intent(self) -> bool:
        """Whether a gate step has an intent other than `deploy`, or takes one from an input."""
        return any(_names_intent(step) for n in self.gate_jobs() for step in _asking(self.jobs[n]))

    def stopped_rollbacks(self) -> list[str]:
        """The ids of the rollbacks whose gates take them for deploys, and stop them, too."""
        found = []
        for name in filter(self.is_rollback, self.deploying()):
            asking = [n for n in (name, *self.gates_needed(name)) if gates.is_gate(self.jobs[n])]
            told = any(_names_intent(u) for n in asking for u in _asking(self.jobs[n]))
            found += [name] if asking and not told else []
        return found

    def gate_services(self) -> list[str]:
        """What the gates are told of the services that they stand before, as it is written."""
        asking = (user for name in self.gate_jobs() for user in _asking(self.jobs[name]))
        return [text for user in asking for text in _named_services(user)]

    def is_example(self) -> bool:
        """Whether a job still runs the last line of our example, which deploys nothing."""
        steps = (step for job in self.jobs.values() for step in gates.steps_of(job))
        return any(str(step.get("run", "")).strip() == EXAMPLE for step in steps)


def responder(workflows: Iterable[Workflow]) -> Workflow | None:
    """The first workflow that runs our action with `command: respond`; None without one."""
    return next((flow for flow in workflows if flow.responding()), None)


def scope(permissions: Mapping[str, str] | str | None, name: str) -> str:
    """What `permissions:` grant for one scope: `none`, `read`, `write`.

    `unknown` where there are no `permissions:`, so that the repository's default counts.
    """
    if permissions is None:
        return "unknown"
    if isinstance(permissions, str):
        return {"read-all": "read", "write-all": "write"}.get(permissions, "none")
    return str(permissions.get(name, "none"))


def asks_for_watch(job: Mapping[str, Any]) -> bool:
    """Whether a job's `if:` names the input `watch`, and not only to rule it out."""
    found = _WATCH.finditer(str(job.get("if", "")))
    return any(not (match["no"] or match["not"]) for match in found)


def knows_watch(job: Mapping[str, Any]) -> bool:
    """Whether a job's `if:` names the input `watch` at all."""
    return bool(_WATCH.search(str(job.get("if", ""))))


def starts_on(job: Mapping[str, Any], event: str) -> bool:
    """Whether an event that is no `workflow_dispatch` may start a job, by its `if:`.

    False only for what is certain: an `if:` that needs the input `watch`, or other events.
    """
    condition = str(job.get("if", ""))
    plain = "||" not in condition and "!(" not in condition  # so that each part of it must hold
    fails = any((op == "==") != (n == event) for op, n in _EVENT_NAME.findall(condition))
    return not (asks_for_watch(job) or (plain and fails))


def labels_of(job: Mapping[str, Any]) -> tuple[str, ...]:
    """The labels of a job's runner, in lower case.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idruns-on
    """
    given = job.get("runs-on")
    if isinstance(given, dict):
        given = given.get("labels")
    listed = given if isinstance(given, list) else [given]
    return tuple(str(label).lower() for label in listed)


def watch_minutes(job: Mapping[str, Any]) -> float | None:
    """How long the watch of a job stays awake; None when an expression says it, or nonsense."""
    given = given_watch_minutes(job)
    try:
        return None if given is None else read_watch_length(given) / timedelta(minutes=1)
    except InputError:
        return None


def given_watch_minutes(job: Mapping[str, Any]) -> str | None:
    """What a job gives as the input `watch-minutes`; None without `respond`, or for an expression.

    An empty text when it gives nothing.
    """
    for step in gates.steps_of(job):
        if gates.runs(step, "respond"):
            given = step["with"].get("watch-minutes")
            text = "" if given is None else str(given).strip()
            return None if "${{" in text else text
    return None


def read_minutes(given: object) -> float | None:
    """A number of minutes in a workflow, also as text; None when it is none, or not above zero."""
    try:
        number = float(str(given))
    except ValueError:
        return None
    return number if 0 < number < math.inf else None


def actions_used(workflow: Workflow) -> list[str]:
    """The copies of our action that a workflow uses, as OWNER/NAME@REF; none for `./`."""
    steps = (step for job in workflow.jobs.values() for step in (job, *gates.steps_of(job)))
    used = (str(step.get("uses", "")).strip() for step in steps)
    ours = (text for text in used if _names_us(text))
    parts = (text.partition("@") for text in ours if not text.startswith("."))
    return [f"{'/'.join(path.split('/')[:2])}@{ref}" for path, _, ref in parts if ref]


def action_owner(workflow: Workflow) -> str | None:
    """The owner of the repository from which a workflow takes our action; None when it doesn't."""
    named = (str(user.get("uses", "")) for job in workflow.jobs.values() for user in _asking(job))
    ours = (used for used in named if _names_us(used))
    owner = next(ours, ".").partition("/")[0]
    return owner if owner != "." else None


def _names_us(used: str) -> bool:
    """Whether what stands behind `uses:` is our action or our reusable workflow."""
    return gates.is_ours({"uses": used}) or gates.is_gate_workflow({"uses": used})


def environment_of(job: Mapping[str, Any]) -> str:
    """The environment that a job, or its call of another workflow, names; empty when none, or when
    an expression says it.
    """
    given, passed = job.get("environment"), job.get("with")
    if isinstance(given, dict):
        given = given.get("name")
    if given is None and "uses" in job and isinstance(passed, dict):
        given = passed.get("environment", passed.get("env"))
    return given if isinstance(given, str) and "${{" not in given else ""


def _needs(job: Mapping[str, Any]) -> list[str]:
    """The ids of the jobs that a job needs."""
    needs = job.get("needs") or []
    return [str(each) for each in ([needs] if isinstance(needs, str) else needs)]


def _asking(job: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Where `uses:` may name our action: in a job's steps, or in a job that calls our workflow."""
    return [job, *gates.steps_of(job)]


def _named_services(user: Mapping[str, Any]) -> Iterator[str]:
    """The `service` that a step or job gives to the gate: input, flag or variable."""
    if "uses" in user and (gates.is_ours(user) or gates.asks(user)):
        if isinstance(user.get("with"), dict):
            yield gates.given_to(user, "service") or ""
    elif gates.by_hand(user):
        yield gates.given_to(user, "service") or ""


def _names_intent(user: Mapping[str, Any]) -> bool:
    """Whether a step or job that asks the gate gives it an intent other than `deploy`."""
    given = user.get("with")
    if isinstance(given, dict) and given.get("intent", "deploy") not in ("deploy", ""):
        return True
    environment = user.get("env")
    by_variable = isinstance(environment, dict) and "INPUT_INTENT" in environment
    return by_variable or "--intent" in str(user.get("run", ""))
