"""What a workflow file says: who uses the action, what deploys, and whether the gate stands before.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

ACTION = "incident-actions"
EXAMPLE = 'echo "your deploy"'
"""The last line of the deploy workflow that `init` writes: a team puts its own there."""
_USES_US = re.compile(rf"^[\w.-]+/{ACTION}@")
_GATE_WORKFLOW = re.compile(rf"^([\w.-]+/{ACTION}|\.)/\.github/workflows/freeze-gate\.ya?ml")
_DEPLOYS = re.compile(r"deploy|release|publish|rollout|production|\bprod\b", re.IGNORECASE)
_NO_DEPLOY = re.compile(r"undeploy|draft|notes|lint|test|check|preview|\bgate\b", re.IGNORECASE)


class Workflow(Struct, frozen=True):
    """A workflow file, loaded. `document` is None when it is no YAML mapping."""

    path: str
    document: Mapping[Any, Any] | None

    @property
    def file(self) -> str:
        """The file's name."""
        return self.path.rpartition("/")[2]

    @property
    def triggers(self) -> frozenset[str]:
        """The events that start it. YAML 1.1 reads the key `on` as true."""
        document = self.document or {}
        events = document.get("on", document.get(True))
        if isinstance(events, str):
            return frozenset({events})
        return frozenset(map(str, events)) if isinstance(events, list | dict) else frozenset()

    @property
    def jobs(self) -> dict[str, Mapping[str, Any]]:
        """Its jobs by id."""
        jobs = (self.document or {}).get("jobs")
        if not isinstance(jobs, dict):
            return {}
        return {str(name): job for name, job in jobs.items() if isinstance(job, dict)}

    def permissions(self, job: Mapping[str, Any]) -> Mapping[str, str] | str | None:
        """What a job's token may do: its own say, else the workflow's; None: the default."""
        found = job.get("permissions", (self.document or {}).get("permissions"))
        return found if isinstance(found, dict | str) else None

    def using(self, command: str) -> Iterator[Mapping[str, Any]]:
        """The jobs with a step that uses the action for this command."""
        for job in self.jobs.values():
            if any(_runs(step, command) for step in _steps(job)):
                yield job

    def gate_jobs(self) -> list[str]:
        """The ids of the jobs that ask the gate."""
        return [name for name, job in self.jobs.items() if _is_gate(job)]

    def ungated(self) -> list[str]:
        """The ids of the jobs that deploy without having asked the gate."""
        return [name for name in self.deploying() if not self._is_gated(name, set())]

    def deploying(self) -> list[str]:
        """The ids of the jobs that deploy, as far as their names and environments tell.

        When the file says that it deploys but no job does, all jobs that do not only check count.
        """
        by_job = [n for n, job in self.jobs.items() if "environment" in job or _says_deploy(n, job)]
        name = str((self.document or {}).get("name") or "")
        if by_job or not any(map(_names_deploy, (self.file, name))):
            return by_job
        return [name for name in self.jobs if not _NO_DEPLOY.search(name)]

    def takes_intent(self) -> bool:
        """Whether a gate step can be told another intent than `deploy`: from an input, or fixed."""
        return any(_names_intent(step) for n in self.gate_jobs() for step in _asking(self.jobs[n]))

    def is_example(self) -> bool:
        """Whether a job still runs the line of our example in place of a deploy."""
        steps = (step for job in self.jobs.values() for step in _steps(job))
        return any(str(step.get("run", "")).strip() == EXAMPLE for step in steps)

    def _is_gated(self, name: str, seen: set[str]) -> bool:
        job = self.jobs.get(name)
        if job is None or name in seen:
            return False
        seen.add(name)
        needs = job.get("needs") or []
        before = [needs] if isinstance(needs, str) else needs
        return _is_gate(job) or any(self._is_gated(str(each), seen) for each in before)


def responder(workflows: Iterable[Workflow]) -> Workflow | None:
    """The workflow that runs `respond`."""
    return next((each for each in workflows if any(each.using("respond"))), None)


def scope(permissions: Mapping[str, str] | str | None, name: str) -> str:
    """What `permissions:` grant for one scope: `none`, `read`, `write`, or `unknown`."""
    if permissions is None:
        return "unknown"
    if isinstance(permissions, str):
        return {"read-all": "read", "write-all": "write"}.get(permissions, "none")
    return str(permissions.get(name, "none"))


def action_owner(workflow: Workflow) -> str | None:
    """Whose copy of the action a workflow uses."""
    named = (str(each.get("uses", "")) for job in workflow.jobs.values() for each in _asking(job))
    ours = (used for used in named if _USES_US.match(used) or _GATE_WORKFLOW.match(used))
    owner = next(ours, ".").partition("/")[0]
    return owner if owner != "." else None


def _steps(job: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    steps = job.get("steps")
    return [step for step in steps if isinstance(step, dict)] if isinstance(steps, list) else []


def _runs(step: Mapping[str, Any], command: str) -> bool:
    given = step.get("with")
    ours = _USES_US.match(str(step.get("uses", ""))) or str(step.get("uses")) == "./"
    return bool(ours and isinstance(given, dict) and given.get("command") == command)


def _is_gate(job: Mapping[str, Any]) -> bool:
    """Whether a job asks the gate itself, so that the rest of it comes after."""
    if _GATE_WORKFLOW.match(str(job.get("uses", ""))):
        return True
    return any(_runs(s, "gate") or "gate.py" in str(s.get("run", "")) for s in _steps(job))


def _asking(job: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """What may use the action: a job's steps, or the job itself where it calls our workflow."""
    return [job, *_steps(job)]


def _names_intent(asks: Mapping[str, Any]) -> bool:
    given = asks.get("with")
    if isinstance(given, dict) and given.get("intent", "deploy") not in ("deploy", ""):
        return True
    environment = asks.get("env")
    by_hand = isinstance(environment, dict) and "INPUT_INTENT" in environment
    return by_hand or "--intent" in str(asks.get("run", ""))


def _says_deploy(name: str, job: Mapping[str, Any]) -> bool:
    return _names_deploy(name) or _names_deploy(str(job.get("name") or ""))


def _names_deploy(text: str) -> bool:
    return bool(_DEPLOYS.search(text)) and not _NO_DEPLOY.search(text)
