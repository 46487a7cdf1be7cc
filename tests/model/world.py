"""One world of the model: a repository with its people on a sandbox, and runs that can be held.

Two worlds that see the same actions at the same steps give everything of the people's the same ids
and times, so that what the bot made of it can be compared as text.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from incident_actions.config import PATH
from incident_actions.domain.issue.observation import take_apart
from incident_actions.errors import Unavailable
from incident_actions.github.client import GitHub
from incident_actions.reconcile.respond import Tools, WorkflowEvent, respond
from incident_actions.sandbox import Person, Sandbox
from incident_actions.sandbox.world import World
from tests.support.events import form_body

Order = Literal["go", "kill", "lose"]
Json = dict[str, Any]

PEOPLE = {"alice": "maintain", "bob": "write", "tess": "triage", "eve": "none"}
BOT = "github-actions[bot]"
TOKEN = "ghs_theTokenOfThisRun"
DAWN = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
REPOSITORY = "acme/shop"
_IDS_PER_STEP = 500
_PATIENCE = 60.0


class Killed(BaseException):
    """The runner stopped this run: no line of it is executed any more."""


class Run:
    """A `respond` that stops before each request until it is told to go on.

    Everything that it does between two requests has no effect outside. So to be killed before
    the next request is the same as to be killed right after the last one took effect.
    """

    def __init__(self, world: ModelWorld, event: WorkflowEvent) -> None:
        self.wants: tuple[str, str] | None = None
        self.has_read_issue = False
        self.problem: BaseException | None = None
        self._order: Order = "go"
        self._on = threading.Semaphore(0)
        self._back = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._body, args=(world, event), daemon=True)
        self._thread.start()
        self._wait()

    @property
    def over(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self.wants is None

    def step(self, order: Order = "go") -> None:
        """Let it make the request that it wants, lose the answer to that, or kill it."""
        assert self.wants is not None
        verb, path = self.wants
        self.has_read_issue |= verb == "GET" and path.rpartition("/")[2].isdigit()
        self._order = order
        self._on.release()
        self._wait()

    def finish(self) -> None:
        """Let it go on to its end."""
        while not self.over:
            self.step()

    def _wait(self) -> None:
        assert self._back.acquire(timeout=_PATIENCE), "a run neither asks nor ends"
        if self.over:
            self._thread.join()
            if self.problem is not None:
                raise self.problem

    def _body(self, world: ModelWorld, event: WorkflowEvent) -> None:
        hub = world.hub()
        send = hub.send

        def gated(verb: str, path: str, **more: Any) -> Any:
            self.wants = (verb, path)
            self._back.release()
            self._on.acquire()
            if self._order == "kill":
                raise Killed
            answer = send(verb, path, **more)
            if self._order == "lose":
                raise Unavailable("the answer was lost", remedy="Run it again.")
            return answer

        hub.send = gated
        try:
            respond(hub, event, PATH, world.tools())
        except (Killed, Unavailable):
            pass
        except BaseException as problem:
            self.problem = problem
        finally:
            self.wants = None
            self._back.release()


@dataclass
class Final:
    """What an issue looks like, for comparison."""

    labels: list[str]
    open: bool
    assignees: list[str]
    body: str
    state: Json
    bot: list[str]
    people: list[str]
    thanked: list[int]


class ModelWorld:
    """A new world on the server of `sandbox`.

    `answers` fill the form; `files` are the team's own, by path.
    """

    def __init__(
        self,
        sandbox: Sandbox,
        *,
        author: str = "alice",
        answers: Mapping[str, str] | None = None,
        files: Mapping[str, str] | None = None,
    ) -> None:
        self.sandbox = sandbox
        self._now = DAWN
        self._next_ids = 0
        self._heard = 0
        sandbox.world = sandbox.site.world = World(lambda: self._now, api=sandbox.url)
        sandbox.clear_log()
        sandbox.repository(REPOSITORY, labels=["bug", "incident", "customer-facing"])
        for path, text in (files or {}).items():
            sandbox.file(REPOSITORY, path, text)
        for login, role in PEOPLE.items():
            sandbox.user(login, permission={REPOSITORY: role})
        read = dict.fromkeys(("contents", "deployments", "actions", "pull-requests"), "read")
        sandbox.actions_token(TOKEN, repo=REPOSITORY, permissions={**read, "issues": "write"})
        given = {"severity": "SEV1", "summary": "Logins fail.", "affected": "All."}
        self.tick()
        issue = self.person(author).file_form_issue(
            "Logins fail", form_body({**given, **(answers or {})})
        )
        self.number = int(issue["number"])

    def tick(self, seconds: int = 60) -> None:
        """Time passes, and ids move on to where they are in every other world at this step."""
        self._now += timedelta(seconds=seconds)
        world = self.sandbox.world
        self._next_ids += _IDS_PER_STEP
        found = world.next_id() - 1_000_000
        assert found < self._next_ids, "more ids than a step has"
        while found < self._next_ids:
            found = world.next_id() - 1_000_000

    def person(self, login: str) -> Person:
        """Somebody at a keyboard."""
        return self.sandbox.as_user(login, REPOSITORY)

    def hub(self) -> Any:
        """A connection of the bot's."""
        return GitHub(TOKEN, REPOSITORY, self.sandbox.url)

    def tools(self) -> Tools:
        """The clock of this world; waiting takes no time, and every probe is answered well."""
        return Tools(lambda: self._now, sleep=lambda _: None, probe=lambda *_: True)

    def news(self) -> list[WorkflowEvent]:
        """The events since the last call, as workflows hear of them."""
        heard = self.sandbox.deliveries[self._heard :]
        self._heard += len(heard)
        return [WorkflowEvent(name, payload) for name, payload in heard if name.startswith("issue")]

    def begin(self, event: WorkflowEvent) -> Run:
        """Start a run; it waits before its first request."""
        return Run(self, event)

    def run(self, event: WorkflowEvent | None = None) -> None:
        """One whole run; without an event that of somebody's click on the issue."""
        self.begin(event or self.any_event()).finish()

    def any_event(self) -> WorkflowEvent:
        """An event about the issue."""
        return WorkflowEvent("issues", {"action": "edited", "issue": {"number": self.number}})

    @property
    def issue(self) -> Json:
        """The issue as everybody sees it."""
        return self.person("alice").issue(self.number)

    @property
    def labels(self) -> set[str]:
        """The names of its labels."""
        return {label["name"] for label in self.issue["labels"]}

    @property
    def known_labels(self) -> set[str]:
        """The names of the repository's labels."""
        return {label.name for label in self.sandbox.repo(REPOSITORY).labels.values()}

    @property
    def record(self) -> Any:
        """The sandbox's own record of the issue."""
        return self.sandbox.repo(REPOSITORY).issues[self.number]

    def comments(self, *, bot: bool) -> list[Any]:
        """The records of the bot's comments, or of the people's."""
        return [c for c in self.record.comments if (c.user.login == BOT) is bot]

    def living(self) -> list[tuple[int, list[str]]]:
        """The open incidents, reports aside: number and labels."""
        records = self.sandbox.repo(REPOSITORY).issues.values()
        named = [(each, sorted(label.name for label in each.labels)) for each in records]
        return [
            (each.number, names)
            for each, names in named
            if each.state == "open" and "incident" in names and "needs-confirmation" not in names
        ]

    def body(self) -> tuple[str, Json]:
        """The body in LF without its state, and that state, without what tells when runs were.

        Those are the note of when the issue settled; the postmortem, because a run that saw the
        incident resolved has begun one, whatever happened later; and the runbooks, which fitted
        the report when it was first read, whatever was edited later.
        """
        found = re.search(r"<!-- incident-actions:state (.*) -->\r?\n", self.issue["body"])
        text = self.issue["body"].replace(found[0] if found else "", "").replace("\r\n", "\n")
        state = json.loads(found[1]) if found else {}
        said = [name for name in state.get("said", ()) if not name.startswith("postmortem")]
        passing = ("settled", "postmortem", "runbooks")
        left = {key: value for key, value in state.items() if key not in passing}
        text = re.sub(r"\n\*\*Runbooks that fit:\*\* .*\n", "", text)
        return text, {**left, "said": said}

    def final(self) -> Final:
        """What came of it all."""
        issue = self.issue
        body, state = self.body()
        mine = self.comments(bot=False)
        return Final(
            labels=sorted(self.labels),
            open=issue["state"] == "open",
            assignees=sorted(user["login"] for user in issue["assignees"]),
            body=body,
            state=state,
            bot=sorted(
                comment.body
                for comment in self.comments(bot=True)
                if "<!-- incident-actions:postmortem" not in comment.body
            ),
            people=[comment.body for comment in mine],
            thanked=[c.id for c in mine if any(r.user.login == BOT for r in c.reactions)],
        )

    @property
    def reporter(self) -> str:
        """What of the body is the reporter's."""
        return take_apart(self.issue["body"]).reporter

    def writes_of_another_run(self) -> list[str]:
        """The requests that one more run makes in order to change something."""
        self.sandbox.clear_log()
        self.run()
        return [f"{entry.method} {entry.path}" for entry in self.sandbox.log if entry.writes]
