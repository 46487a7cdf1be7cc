"""acme/shop: the team that the acceptance tests play, in a sandbox, with its workflows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_actions.sandbox import Person, Sandbox
from tests.support.act import LIMIT, Run, run_workflow
from tests.support.events import FORM, form_body, payload_of, schedule_event
from tests.support.programs import ROOT, Where

NAME = "acme/shop"
TOKEN = "ghs_theTokenOfThisJob"
BOTH = pytest.mark.parametrize("shop", ["own", "consumer"], indirect=True)
"""Marks a test that is played in this repository and in a team's."""
ALWAYS_GRANTED = {"metadata": "read"}

Json = dict[str, Any]


class Shop:
    """A repository with a committer (alice), a colleague (bob) and strangers (mallory).

    Its workflows lie in `checkout`. Each run's token may do what the workflow's `permissions:` say
    and no more, so that a permission that is missing there shows. Of our labels it has only the
    form's, unless `labels` says otherwise: GitHub drops a form's label that does not exist.
    `environment` is set in each run from then on.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        checkout: Path,
        scratch: Path,
        labels: Iterable[str] = ("bug", "incident"),
    ) -> None:
        self.sandbox = sandbox
        self.checkout = checkout
        self._scratch = scratch
        self._runs = 0
        self.environment: dict[str, str] = {}
        sandbox.repository(NAME, labels=labels)
        sandbox.file(NAME, ".github/ISSUE_TEMPLATE/incident.yml", FORM.read_text("utf-8"))
        for login, role in {"alice": "maintain", "bob": "write"}.items():
            sandbox.user(login, permission={NAME: role}, member_of=["acme"])
        sandbox.user("mallory")
        self.alice, self.bob, self.mallory = map(sandbox.as_user, ("alice", "bob", "mallory"))

    def declare(
        self, who: Person | None = None, title: str = "Incident: logins fail", **answers: Any
    ) -> int:
        """Somebody submits the form; the new issue's number."""
        given: dict[str, str | Iterable[str]] = {
            "severity": "SEV1",
            "summary": "Most logins answer 500.",
            "affected": "All customers.",
            **answers,
        }
        issue = (who or self.alice).file_form_issue(title, form_body(given))
        return int(issue["number"])

    def issue(self, number: int) -> Json:
        """The issue as alice sees it."""
        return self.alice.issue(number)

    def labels(self, number: int) -> set[str]:
        """The names of an issue's labels."""
        return {label["name"] for label in self.issue(number)["labels"]}

    def comments(self, number: int) -> list[Json]:
        """An issue's comments."""
        answer = self.alice.ask("GET", f"/issues/{number}/comments?per_page=100")
        assert isinstance(answer, list)
        return answer

    def push(self) -> Run:
        """Alice pushes a change: the deploy workflow runs."""
        self.alice.push({"src/app.py": f"VERSION = {self._runs}\n"}, "Ship a change")
        return self.run("gate")

    def respond(self) -> Run:
        """Run the incident workflow for what happened last."""
        return self.run("respond")

    def respond_to(self, act: Callable[[], object]) -> Run:
        """Somebody acts, and the incident workflow runs for it."""
        act()
        return self.respond()

    def sweep(self) -> Run:
        """Run the incident workflow as its schedule does."""
        return self.run("respond", ("schedule", schedule_event()))

    def run(
        self,
        command: str,
        delivery: tuple[str, Json] | None = None,
        limit: float = LIMIT,
        workflow: str = "*.yml",
        **environment: str,
    ) -> Run:
        """Run a workflow with this command of the action for a delivery (the last one).

        It is one that the delivery's event starts, if there is one; `workflow` is its file name, or
        a pattern.
        """
        event, payload = delivery or self.sandbox.deliveries[-1]
        payload = payload if event == "schedule" else payload_of((event, payload))
        name, granted = self._workflow(command, event, workflow)
        self.sandbox.actions_token(TOKEN, NAME, {**granted, **ALWAYS_GRANTED})
        self._runs += 1
        return run_workflow(
            name,
            event,
            payload,
            repository=self.checkout,
            where=Where(self.sandbox.url, NAME, TOKEN, {**self.environment, **environment}),
            scratch=self._scratch / f"run-{self._runs}",
            limit=limit,
        )

    def _workflow(self, command: str, event: str, pattern: str) -> tuple[str, dict[str, str]]:
        """The file that uses the action for `command`, and what its job's token may do.

        https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax#permissions
        """
        paths = sorted((self.checkout / ".github" / "workflows").glob(pattern))
        found = [(path, yaml.safe_load(path.read_text("utf-8"))) for path in paths]
        for path, workflow in sorted(found, key=lambda each: event not in _events(each[1])):
            for job in workflow["jobs"].values():
                for step in job.get("steps", []):
                    if step.get("with", {}).get("command") == command:
                        return path.name, job.get("permissions", workflow.get("permissions"))
        raise AssertionError(f"no {pattern} in {self.checkout} uses the command {command}")


def _events(workflow: dict[Any, Any]) -> Any:
    """What starts a workflow. YAML 1.1 reads the key `on` as true."""
    return workflow.get("on", workflow.get(True)) or {}


def readme_workflows() -> dict[str, str]:
    """The workflows of `docs/by-hand.md` by path: blocks that begin with `# .github/workflows/`."""
    text = (ROOT / "docs" / "by-hand.md").read_text("utf-8")
    blocks = re.findall(r"^```ya?ml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    named = ((re.match(r"# *(\.github/workflows/\S+\.ya?ml)", block), block) for block in blocks)
    return {match[1]: block for match, block in named if match}
