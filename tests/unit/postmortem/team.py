"""acme/shop with a resolved incident; `respond` runs in this process, so that it can be broken."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import Any
from unittest.mock import patch

from incident_actions.config import PATH, read_config
from incident_actions.domain.postmortem.record import read_record
from incident_actions.github.client import GitHub
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.pull import reconcile_lost_runs
from incident_actions.reconcile.respond import Tools, WorkflowEvent, respond
from incident_actions.sandbox import Sandbox
from tests.support.events import FORM, form_body

NAME = "acme/shop"
TOKEN = "ghs_theTokenOfThisJob"
GRANTED = {
    "actions": "read",
    "checks": "write",
    "contents": "write",
    "deployments": "read",
    "issues": "write",
    "metadata": "read",
    "pull_requests": "write",
}
START = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)

Json = dict[str, Any]


class Killed(BaseException):
    """The runner went away: nothing after it is sent."""


class Team:
    """alice and bob may write, carl is known to GitHub only, mallory has a fork.

    The sandbox's clock starts in the night of 2026-11-23, and each action takes a minute.
    """

    def __init__(self, sandbox: Sandbox, **settings: Any) -> None:
        self.sandbox = sandbox
        self.now = START
        sandbox.world.clock = lambda: self.now
        sandbox.repository(NAME, labels=["incident"])
        sandbox.settings(NAME, **settings)
        sandbox.file(NAME, ".github/ISSUE_TEMPLATE/incident.yml", FORM.read_text("utf-8"))
        for login in ("alice", "bob"):
            sandbox.user(login, permission={NAME: "write"})
        for login in ("carl", "mallory"):
            sandbox.user(login)
        self.alice, self.bob = sandbox.as_user("alice"), sandbox.as_user("bob")
        self.mallory = sandbox.as_user("mallory")
        self.sleeps: Callable[[float], None] = lambda seconds: None
        self.grant()

    def grant(self, **permissions: str) -> None:
        """What the workflow's token may do; `none` takes something away."""
        granted = {**GRANTED, **permissions}
        kept = {name: level for name, level in granted.items() if level != "none"}
        self.sandbox.actions_token(TOKEN, NAME, kept)

    def hub(self) -> GitHub:
        """A connection as a run makes it."""
        return GitHub(TOKEN, NAME, self.sandbox.url)

    def run(
        self, delivery: tuple[str, Json] | None = None, hub: GitHub | None = None
    ) -> list[JobResult]:
        """`respond` for a delivery (the last one)."""
        name, payload = delivery or self.sandbox.deliveries[-1]
        event = WorkflowEvent(name, json.loads(json.dumps(payload)))
        tools = Tools(lambda: self.now, self.sleeps, lambda url, private: False)
        return list(respond(hub or self.hub(), event, PATH, tools))

    def told(self) -> tuple[str, Json]:
        """The last event that the incident workflow is started for."""
        started = ("issue_comment", "pull_request")
        return [each for each in self.sandbox.deliveries if each[0] in started][-1]

    def sweep(self) -> list[JobResult]:
        """The sweep's part for postmortems."""
        hub = self.hub()
        config = read_config(hub.file(PATH))
        context = RunContext(
            hub, config, self.now, lambda url, private: False, sleep=self.sleeps, sweeping=True
        )
        return list(reconcile_lost_runs(context))

    def pass_time(self, **amount: int) -> None:
        """Let the clock go on, a minute by default."""
        self.now += timedelta(**(amount or {"minutes": 1}))

    def say(self, number: int, text: str) -> None:
        """alice comments, a minute later."""
        self.pass_time()
        self.alice.comment(number, text)

    def resolved(
        self,
        *actions: str,
        severity: str = "SEV1",
        title: str = "Incident: logins fail",
        **answers: Any,
    ) -> int:
        """An incident up to its resolution; no run has been told of that yet."""
        body = form_body(
            {
                "severity": severity,
                "summary": "Most logins answer 500.",
                "affected": "All.",
                **answers,
            }
        )
        number = int(self.alice.file_form_issue(title, body)["number"])
        self.say(number, "/ack\n/did rolled back to v41 -> errors drop")
        for action in actions:
            self.say(number, f"/action {action}")
        self.say(number, "/mitigated\n/verify all seen")
        self.say(number, "/resolve stable")
        return number

    # What came of it ---------------------------------------------------------------------

    def pulls(self) -> list[Json]:
        """Every pull request, the newest first."""
        found = self.alice.ask("GET", "/pulls?state=all&per_page=100")
        assert isinstance(found, list)
        return found

    def pull(self) -> Json:
        """The only pull request."""
        (found,) = self.pulls()
        return found

    def branches(self) -> list[str]:
        """The branches of postmortems."""
        rows = self.alice.ask("GET", "/git/matching-refs/heads/postmortem/")
        return [row["ref"].removeprefix("refs/heads/") for row in rows]

    def path(self, branch: str | None = None) -> str:
        """The only postmortem on a branch."""
        rows = self.alice.ask(
            "GET", f"/contents/ops/postmortems?ref={branch or self.branches()[0]}"
        )
        (found,) = [row["path"] for row in rows if row["name"] != "README.md"]
        return str(found)

    def file(self, branch: str | None = None) -> str:
        """The text of the only postmortem."""
        git = self.sandbox.repo(NAME).git
        commit = git.commits[git.refs[f"refs/heads/{branch or self.branches()[0]}"]]
        _, blob = git.files(commit.tree)[self.path(branch)]
        return git.blobs[blob].decode("utf-8", "surrogateescape")

    def write(self, text: str, message: str = "Write the postmortem") -> None:
        """alice pushes the file, a minute later."""
        self.pass_time()
        self.alice.push({self.path(): text}, message, branch=self.branches()[0])

    def edit(self, old: str, new: str) -> None:
        """alice replaces a part of the file."""
        text = self.file()
        assert old in text, text
        self.write(text.replace(old, new))

    def pushed(self) -> list[JobResult]:
        """The run that GitHub starts for the last push to the pull request."""
        deliveries = [each for each in self.sandbox.deliveries if each[0] == "pull_request"]
        return self.run(deliveries[-1])

    def items(self, state: str = "all") -> list[Json]:
        """The action items, oldest first."""
        found = self.alice.ask("GET", f"/issues?labels=action-item&state={state}&per_page=100")
        return sorted(found, key=lambda issue: issue["number"])

    def sub_issues(self, number: int) -> set[int]:
        """The numbers of an issue's sub-issues."""
        rows = self.alice.ask("GET", f"/issues/{number}/sub_issues?per_page=100")
        return {row["number"] for row in rows}

    def comments(self, number: int) -> list[str]:
        """What the bot said on an issue or pull request."""
        rows = self.alice.ask("GET", f"/issues/{number}/comments?per_page=100")
        return [row["body"] for row in rows if row["user"]["type"] == "Bot"]

    def check(self) -> Json:
        """The newest check `postmortem` of the pull request's head."""
        sha = self.pull()["head"]["sha"]
        runs = self.alice.ask("GET", f"/commits/{sha}/check-runs")["check_runs"]
        (found,) = [run for run in runs if run["name"] == "postmortem"]
        assert isinstance(found, dict)
        return found

    def labels(self, number: int) -> set[str]:
        """The names of an issue's labels."""
        return {label["name"] for label in self.alice.issue(number)["labels"]}

    def state(self, number: int) -> Json:
        """What the incident's body remembers."""
        line = self.alice.issue(number)["body"].split("<!-- incident-actions:state ")[1]
        found = json.loads(line.split(" -->")[0])
        assert isinstance(found, dict)
        return found

    def writes(self) -> list[str]:
        """The requests that wrote since the log was last cleared."""
        return [f"{entry.method} {entry.path}" for entry in self.sandbox.log if entry.writes]


def finished(text: str) -> str:
    """The file once somebody has written every part of it."""
    heading, lines = "", list[str]()
    for line in text.split("\n"):
        heading = line.removeprefix("## ") if line.startswith("## ") else heading
        said = f"{heading}: the session cache ran out of connections."
        lines.append(said if line.startswith("> ✍️") else line)
    return re.sub(r"^cause: null.*", "cause: bad-deploy", "\n".join(lines), flags=re.MULTILINE)


def record(issue: Mapping[str, Any]) -> Any:
    """What the bot remembers in an action item."""
    return read_record(issue["body"])


Act = Callable[[], object]


@contextmanager
def _counted(hub: GitHub, call: Callable[[int, Act], object]) -> Iterator[GitHub]:
    """A hub whose requests go through `call`, with their number from 1."""
    send = hub.send
    numbers = itertools.count(1)

    def counted(*arguments: Any, **named: Any) -> Any:
        return call(next(numbers), lambda: send(*arguments, **named))

    with patch.object(hub, "send", counted):
        yield hub


def dying(hub: GitHub, at: int) -> AbstractContextManager[GitHub]:
    """A run that is killed right after its request number `at`: its answer is never read."""

    def call(number: int, send: Act) -> object:
        if number < at:
            return send()
        if number == at:
            send()
        raise Killed

    return _counted(hub, call)


def interrupted(hub: GitHub, at: int, act: Act) -> AbstractContextManager[GitHub]:
    """A run during which something else happens right before its request number `at`."""

    def call(number: int, send: Act) -> object:
        if number == at:
            act()
        return send()

    return _counted(hub, call)


class Paused:
    """A run in a thread of its own, which waits right before its request number `at`."""

    def __init__(self, team: Team, delivery: tuple[str, Json], at: int) -> None:
        self._reached, self._go_on = Event(), Event()
        self._at = at
        self._thread = Thread(target=self._run, args=(team, delivery), daemon=True)
        self.error: BaseException | None = None

    def _run(self, team: Team, delivery: tuple[str, Json]) -> None:
        try:
            with interrupted(team.hub(), self._at, self._wait) as hub:
                team.run(delivery, hub)
        except BaseException as error:
            self.error = error
        finally:
            self._reached.set()

    def _wait(self) -> None:
        self._reached.set()
        assert self._go_on.wait(60)

    def start(self) -> None:
        """Run until it waits, or is done."""
        self._thread.start()
        assert self._reached.wait(60)

    def finish(self) -> None:
        """Let it run to its end. Raises its error."""
        self._go_on.set()
        self._thread.join(60)
        if self.error is not None:
            raise self.error
