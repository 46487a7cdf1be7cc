"""A shop whose sweeps are counted: people act, runs come, and every request is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from incident_actions.config import PATH
from incident_actions.github.client import GitHub
from incident_actions.reconcile.context import JobResult
from incident_actions.reconcile.respond import Tools, WorkflowEvent, respond
from incident_actions.sandbox import Sandbox
from tests.support.events import form_body
from tests.support.openapi import watch

REPO, TOKEN, BOT = "acme/shop", "ghs_watch", "github-actions[bot]"
WORKFLOW = "incident.yml"


class Watch:
    """A night at acme/shop. alice and bob may write; the clock stands still until it is moved."""

    def __init__(self, github: Sandbox, config: str = "", *, private: bool = False) -> None:
        self.github = github
        self.now = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
        github.world.clock = lambda: self.now
        github.repository(REPO, labels=["incident"], private=private)
        if config:
            github.file(REPO, PATH, config)
        for login in ("alice", "bob"):
            github.user(login, permission={REPO: "write"})
        self.alice, self.bob = github.as_user("alice"), github.as_user("bob")
        github.workflow(REPO, f".github/workflows/{WORKFLOW}")
        self.grant(actions="write")

    def grant(self, **more: str) -> None:
        """What the job's token may do."""
        given = {"issues": "write", "contents": "read", "deployments": "read", **more}
        self.github.actions_token(TOKEN, REPO, given)

    def passes(self, minutes: float = 0, **more: float) -> None:
        """Time goes by."""
        self.now += timedelta(minutes=minutes, **more)

    def declare(self, severity: str = "SEV1", **answers: str) -> int:
        """Alice files the form; nothing runs yet."""
        given = {"severity": severity, "summary": "Logins fail.", "affected": "nobody", **answers}
        return int(self.alice.file_form_issue("Logins fail", form_body(given))["number"])

    def respond(self) -> tuple[JobResult, ...]:
        """The run for what people did last; a watch that was dispatched is not played."""
        events = [one for one in self.github.deliveries if one[0] != "workflow_dispatch"]
        return self.run(*events[-1])

    def sweep(self) -> tuple[JobResult, ...]:
        """A run of the schedule."""
        return self.run("schedule", {})

    def run(self, name: str, payload: dict[str, object]) -> tuple[JobResult, ...]:
        """One run; `requests` counts from its start."""
        self.github.clear_log()
        tools = Tools(lambda: self.now, lambda _: None, lambda *_: True, WORKFLOW, "main")
        client = GitHub(TOKEN, REPO, self.github.url)
        results = respond(client, WorkflowEvent(name, payload), PATH, tools)
        for repository in self.github.world.repositories.values():  # it may be renamed by now
            for run in repository.runs:
                if run.data["status"] == "queued":  # a watch that was called is awake from now on
                    self.github.set_run(repository.full_name, run.id, "in_progress")
        return results

    @property
    def requests(self) -> int:
        """How many requests the last run made."""
        return len(self.github.log)

    def asked(self, part: str) -> int:
        """How many of them had this in their path."""
        return sum(part in entry.path for entry in self.github.log)

    def said(self, number: int) -> list[str]:
        """The bot's comments on an issue."""
        comments = self.github.repo(REPO).issues[number].comments
        return [comment.body for comment in comments if comment.user.login == BOT]


@contextmanager
def watched(config: str = "", *, private: bool = False) -> Iterator[Watch]:
    """A shop, and the proof that every request and answer was as GitHub describes them."""
    with Sandbox() as github:
        wrong = watch(github)
        yield Watch(github, config, private=private)
    assert not wrong, "\n".join(wrong)
