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

from incident_actions.domain.reminders.clock import read_watch_length
from incident_actions.errors import InputError

ACTION = "incident-actions"
EXAMPLE = 'echo "your deploy"'
"""The last line of the deploy workflow that `init` writes. Teams replace it by their own deploy."""
_USES_US = re.compile(rf"^[\w.-]+/{ACTION}@")
_GATE_WORKFLOW = re.compile(rf"^([\w.-]+/{ACTION}|\.)/\.github/workflows/freeze-gate\.ya?ml")
_DEPLOYS = re.compile(r"deploy|release|publish|rollout|production|\bprod\b", re.IGNORECASE)
_WATCH = re.compile(
    r"(?P<no>!\s*\(?\s*)?\b(?:github\.event\.)?inputs\.watch\b"
    r"(?P<not>\s*(?:==\s*'?false|!=\s*'?true))?"
)
_EVENT_NAME = re.compile(r"github\.event_name\s*([=!]=)\s*'(\w+)'")
_NO_DEPLOY = re.compile(r"undeploy|draft|notes|lint|test|check|preview|\bgate\b", re.IGNORECASE)


class Workflow(Struct, frozen=True):
    """A workflow file. `document` is its YAML; None when that can't be read or is no mapping.

    `wrong` says then what is wrong with it, and in which line.
    """

    path: str
    document: Mapping[Any, Any] | None
    wrong: str = ""

    @property
    def file(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]

    @property
    def triggers(self) -> frozenset[str]:
        """The events that start it."""
        events = self._events
        if isinstance(events, str):
            return frozenset({events})
        return frozenset(map(str, events)) if isinstance(events, list | dict) else frozenset()

    @property
    def crons(self) -> tuple[str, ...]:
        """Its schedules, as they are written."""
        listed = self._event("schedule")
        entries = listed if isinstance(listed, list) else []
        return tuple(str(each.get("cron", "")) for each in entries if isinstance(each, dict))

    def takes_watch(self) -> bool:
        """Whether a run of it may be asked to be the watch, by the input `watch`."""
        dispatch = self._event("workflow_dispatch")
        inputs = dispatch.get("inputs") if isinstance(dispatch, dict) else None
        return isinstance(inputs, dict) and "watch" in inputs

    def responding(self) -> list[str]:
        """The ids of the jobs that run our action with `command: respond`, the watch included."""
        return [n for n, job in self.jobs.items() if any(_runs(s, "respond") for s in _steps(job))]

    def watches(self) -> list[str]:
        """The ids of the jobs that run `respond` only where the input `watch` asks for it."""
        return [name for name in self.responding() if asks_for_watch(self.jobs[name])]

    @property
    def _events(self) -> Any:
        """What stands under `on:`. YAML 1.1 reads that key as true."""
        document = self.document or {}
        return document.get("on", document.get(True))

    def _event(self, name: str) -> Any:
        """What `on:` says of an event."""
        return self._events.get(name) if isinstance(self._events, dict) else None

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

    def gate_jobs(self) -> list[str]:
        """The ids of the jobs that ask the gate whether a deploy may go on."""
        return [name for name, job in self.jobs.items() if _is_gate(job)]

    def ungated(self) -> list[str]:
        """The ids of the jobs that deploy though neither they nor a job they need ask the gate."""
        return [name for name in self.deploying() if not self._is_gated(name, set())]

    def deploying(self) -> list[str]:
        """The ids of the jobs that seem to deploy, by their names and their `environment:`.

        When only the file's or the workflow's name speaks of a deploy, all its jobs count but those
        whose names speak of checks (`lint`, `test`, ...).
        """
        by_job = [n for n, job in self.jobs.items() if "environment" in job or _says_deploy(n, job)]
        name = str((self.document or {}).get("name") or "")
        if by_job or not any(map(_names_deploy, (self.file, name))):
            return by_job
        return [name for name in self.jobs if not _NO_DEPLOY.search(name)]

    def takes_intent(self) -> bool:
        """Whether a gate step has an intent other than `deploy`, or takes one from an input."""
        return any(_names_intent(step) for n in self.gate_jobs() for step in _asking(self.jobs[n]))

    def gate_services(self) -> list[str]:
        """What the gates are told of the services that they stand before, as it is written."""
        asking = (user for name in self.gate_jobs() for user in _asking(self.jobs[name]))
        return [text for user in asking for text in _named_services(user)]

    def is_example(self) -> bool:
        """Whether a job still runs the last line of our example, which deploys nothing."""
        steps = (step for job in self.jobs.values() for step in _steps(job))
        return any(str(step.get("run", "")).strip() == EXAMPLE for step in steps)

    def _is_gated(self, name: str, seen: set[str]) -> bool:
        """Whether a job, or one that it needs, asks the gate; `seen` are the jobs looked at."""
        job = self.jobs.get(name)
        if job is None or name in seen:
            return False
        seen.add(name)
        needs = job.get("needs") or []
        needed = [needs] if isinstance(needs, str) else needs
        return _is_gate(job) or any(self._is_gated(str(other), seen) for other in needed)


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
    for step in _steps(job):
        if _runs(step, "respond"):
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
    steps = (step for job in workflow.jobs.values() for step in (job, *_steps(job)))
    used = (str(step.get("uses", "")).strip() for step in steps)
    ours = (text for text in used if _USES_US.match(text) or _GATE_WORKFLOW.match(text))
    parts = (text.partition("@") for text in ours if not text.startswith("."))
    return [f"{'/'.join(path.split('/')[:2])}@{ref}" for path, _, ref in parts if ref]


def action_owner(workflow: Workflow) -> str | None:
    """The owner of the repository from which a workflow takes our action; None when it doesn't."""
    named = (str(user.get("uses", "")) for job in workflow.jobs.values() for user in _asking(job))
    ours = (used for used in named if _USES_US.match(used) or _GATE_WORKFLOW.match(used))
    owner = next(ours, ".").partition("/")[0]
    return owner if owner != "." else None


def is_ours(step: Mapping[str, Any]) -> bool:
    """Whether a step uses our action, whoever's copy of it, and at which commit."""
    return bool(_USES_US.match(str(step.get("uses", ""))))


def _steps(job: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    steps = job.get("steps")
    return [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []


def _runs(step: Mapping[str, Any], command: str) -> bool:
    """Whether a step runs our action with this `command:`."""
    given = step.get("with")
    ours = _USES_US.match(str(step.get("uses", ""))) or str(step.get("uses")) == "./"
    return bool(ours and isinstance(given, dict) and given.get("command") == command)


def _is_gate(job: Mapping[str, Any]) -> bool:
    """Whether a job asks the gate: by our reusable workflow, our action, or `gate.py` itself."""
    if _GATE_WORKFLOW.match(str(job.get("uses", ""))):
        return True
    return any(_runs(s, "gate") or "gate.py" in str(s.get("run", "")) for s in _steps(job))


def _asking(job: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Where `uses:` may name our action: in a job's steps, or in a job that calls our workflow."""
    return [job, *_steps(job)]


def _named_services(user: Mapping[str, Any]) -> Iterator[str]:
    """The `service` that a step or job gives to the gate: input, flag or variable."""
    given, environment = user.get("with"), user.get("env")
    ours = _USES_US.match(str(user.get("uses", ""))) or str(user.get("uses")) == "./"
    by_action = ours or _GATE_WORKFLOW.match(str(user.get("uses", "")))
    by_hand = "gate.py" in str(user.get("run", ""))
    if by_action and isinstance(given, dict):
        yield str(given.get("service") or "")
    if by_hand and isinstance(environment, dict):
        yield str(environment.get("INPUT_SERVICE") or "")
    if by_hand:
        flags = re.findall(r"--service[= ]+(\"[^\"]*\"|'[^']*'|[^\s\"'$]+)", str(user["run"]))
        yield from (flag.strip("\"'") for flag in flags if "$" not in flag)


def _names_intent(user: Mapping[str, Any]) -> bool:
    """Whether a step or job that asks the gate gives it an intent other than `deploy`."""
    given = user.get("with")
    if isinstance(given, dict) and given.get("intent", "deploy") not in ("deploy", ""):
        return True
    environment = user.get("env")
    by_hand = isinstance(environment, dict) and "INPUT_INTENT" in environment
    return by_hand or "--intent" in str(user.get("run", ""))


def _says_deploy(name: str, job: Mapping[str, Any]) -> bool:
    """Whether a job's id (`name`) or its own name speaks of a deploy."""
    return _names_deploy(name) or _names_deploy(str(job.get("name") or ""))


def _names_deploy(text: str) -> bool:
    """Whether a name speaks of a deploy, and not of a check or a draft."""
    return bool(_DEPLOYS.search(text)) and not _NO_DEPLOY.search(text)
