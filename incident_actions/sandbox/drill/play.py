"""What a scene may do: act as a person, start the programs, look, and judge."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import zip_longest
from pathlib import Path
from typing import Any

from ..people import Person
from ..sandbox import Sandbox
from . import contract, stage
from .form import Answers, fill
from .narrator import Narrator
from .programs import Job, Programs, Run
from .stage import Clock
from .views import PullView, Seen, View, changes, look, look_at_pulls, pull_changes

TYPING_SECONDS, RUNNER_SECONDS = 5, 15
_NEVER = datetime.min.replace(tzinfo=UTC)


class StoppedError(Exception):
    """The drill can't go on; `log` is what a program printed, if one failed."""

    def __init__(self, message: str, log: str | None = None) -> None:
        super().__init__(message)
        self.log = log


@dataclass(frozen=True)
class Scene:
    """One step of the drill: when it begins ("14:02"), what it is about, how it goes."""

    time: str
    title: str
    act: Callable[[Drill], None]


def scene(time: str, title: str) -> Callable[[Callable[[Drill], None]], Scene]:
    """Make a function a scene. It gets the drill, and is played when its time has come."""
    return lambda act: Scene(time, title, act)


@dataclass(frozen=True)
class Deploy:
    """A deploy that asked the gate."""

    name: str
    time: str
    who: str
    what: str
    intent: str
    run: Run

    @property
    def verdict(self) -> str:
        """What the gate said in one word, with its exit code where that says something else."""
        verdict, code = self.run.outputs.get("verdict", "none"), self.run.exit_code
        fits = code == (1 if verdict == "frozen" else 0)
        return verdict if fits else f"{verdict} with exit code {code}"


@dataclass(frozen=True)
class Sight:
    """What people saw at one moment, as Markdown; `name` is that of its file in the record."""

    name: str
    time: str
    title: str
    text: str


@dataclass(frozen=True)
class Response:
    """A run of `respond`: for which event, how many requests it made, what it changed.

    A watch that sleeps is `asleep` until then.
    """

    time: str
    event: str
    run: Run
    requests: int
    writes: int
    changes: Sequence[str]
    asleep: datetime | None = None

    @property
    def cost(self) -> str:
        """How many requests it made."""
        return f"{self.requests} requests, {self.writes or 'none'} of them writes"


class Drill:
    """The drill as it goes. `release` is the commit that runs in production.

    Scenes leave here what later ones need: the number of the `incident`, the commits of the `good`
    and the `bad` release.
    """

    def __init__(
        self, github: Sandbox, clock: Clock, programs: Programs, narrator: Narrator, release: str
    ) -> None:
        self.github = github
        self.clock = clock
        self.programs = programs
        self.narrator = narrator
        self.deploys: list[Deploy] = []
        self.responses: list[Response] = []
        self.sights: list[Sight] = []
        self.incident = 0
        self.good = self.bad = release
        self._heard = 0
        self._seen: Seen = {}
        self._watch: int | None = None
        self._next: int | None = None
        self._last: tuple[str, dict[str, Any]] = ("", {})

    # People ------------------------------------------------------------------------------

    def person(self, login: str) -> Person:
        """Somebody at a keyboard."""
        return self.github.as_user(login, stage.REPOSITORY)

    def does(self, login: str, what: str) -> Person:
        """Say what somebody does; the answer is the person who then does it."""
        self.narrator.tell("person", login, what, "")
        self.clock.tick(TYPING_SECONDS)
        return self.person(login)

    def comments(self, login: str, text: str, issue: int = 0) -> int:
        """Comment on an issue, by default the incident; the answer is the comment's id."""
        number = issue or self.incident
        lines = f"\n{text}" if "\n" in text else f" {text}"
        comment = self.does(login, f"on #{number}:{lines}").comment(number, text)
        return int(comment["id"])

    def files(self, login: str, title: str, answers: Answers) -> int:
        """Fill the incident form and submit it; the answer is the issue's number."""
        body, labels = fill(contract.FORM, answers)
        told = "\n".join(f"{name}: {value}" for name, value in answers.items())
        person = self.does(login, f"files the incident form, “{title}”\n{told}")
        return int(person.file_form_issue(title, body, labels)["number"])

    # Programs ----------------------------------------------------------------------------

    def deploy(self, login: str, what: str, sha: str, intent: str = "deploy") -> Deploy:
        """Deploy a commit to production, which asks the gate first, and goes on if it may."""
        person = self.does(login, f"deploys {what} (intent: {intent})")
        workflow = f"/actions/workflows/{contract.DEPLOY.name}/dispatches"
        person.ask("POST", workflow, {"ref": "main", "inputs": {"intent": intent}})
        event, payload = self.github.deliveries[-1]
        self.clock.tick(RUNNER_SECONDS)
        job = self._job(stage.GATE_TOKEN, event, payload, sha, contract.DEPLOY)
        inputs = {"service": stage.SERVICE, "environment": "production", "intent": intent}
        run = job.run(self.programs.gate, "gate", inputs)
        self._record(login, sha, run)
        step = self.narrator.story[-1].number
        nth = sum(one.name.startswith(f"gate-{step:02}") for one in self.deploys) + 1
        name = f"gate-{step:02}" + f"-{nth}" * (nth > 1)
        deploy = Deploy(name, f"{self.clock():%H:%M}", login, what, intent, run)
        self.deploys.append(deploy)
        if run.exit_code not in (0, 1) or "verdict" not in run.outputs:
            raise StoppedError(f"the gate failed, {_ended(run)}", run.log)
        said = run.annotation.split("\n")[0] or run.outputs["reason"]
        effect = "stops the deploy" if run.exit_code else "lets it through"
        verdict = run.outputs["verdict"]
        self.narrator.tell("gate", "the gate", f"{effect} ({verdict}): {said}", f"{name}.md")
        if run.exit_code == 0:
            person.deploy(sha)
        return deploy

    def _record(self, login: str, sha: str, run: Run) -> None:
        """Keep a job as a check run of its commit, as GitHub does with every job.

        https://docs.github.com/en/rest/checks/runs#create-a-check-run
        """
        levels = {"error": "failure"}
        place = {"path": ".github", "start_line": 1, "end_line": 1}
        annotations = [
            {
                **place,
                "annotation_level": levels.get(one.kind, one.kind),
                "title": one.title,
                "message": one.message,
            }
            for one in run.annotations
        ]
        check = {
            "name": "gate",
            "head_sha": sha,
            "conclusion": "failure" if run.exit_code else "success",
            "output": {"title": "gate", "summary": "", "annotations": annotations},
        }
        self.person(login).ask("POST", "/check-runs", check)

    def respond(self, *, newest_only: bool = False) -> Response:
        """Run `respond` for what people did since; the answer is the last run.

        Of several events GitHub runs the first and the newest, and drops those in between: that
        is what `concurrency` does. With `newest_only` the first run was dropped too.
        """
        events = self._waiting()
        if not events:
            raise StoppedError("nothing happened that starts `respond`")
        chosen = events[-1:] if newest_only or len(events) == 1 else [events[0], events[-1]]
        for event, payload in chosen:
            response = self._respond(event, payload, dropped=len(events) - len(chosen))
        return response

    def sweep(self, time: str) -> Response:
        """Wait until then, and run `respond` as its schedule does."""
        self.clock.forward_to(self.clock.today(time))
        payload = {
            "schedule": contract.cron(contract.RESPOND),
            "sender": {"login": stage.DEVELOPER},
        }
        return self._respond("schedule", payload, dropped=0)

    def respond_again(self) -> Response:
        """Run `respond` once more for the same event, as when GitHub delivers it twice."""
        return self._respond(*self._last, dropped=0)

    def _respond(self, event: str, payload: dict[str, Any], dropped: int) -> Response:
        self._last = event, payload
        self.clock.tick(RUNNER_SECONDS)
        before, pulls = self.issues(), self.pulls()
        heard = len(self.github.deliveries)
        self.github.clear_log()
        job = self._job(stage.RESPOND_TOKEN, event, payload, self.bad, contract.RESPOND)
        run = job.run(self.programs.respond, "command")
        asked, wrote = self.github.requests(), self.github.requests(write=True)
        told = self._changes(before, pulls)
        if any(_is_watch(*one) for one in self.github.deliveries[heard:]):
            called = self.github.repo(stage.REPOSITORY).runs[-1].id
            if self._watch is None:
                self._watch = called
                told.append(
                    "starts the watch, a run that stays awake so that reminders are on time"
                )
            else:
                self._next = called
                told.append("calls the next watch, which waits until this one ends")
        name = f"{event}.{payload['action']}" if "action" in payload else event
        response = Response(f"{self.clock():%H:%M}", name, run, asked, wrote, told)
        self.responses.append(response)
        if run.exit_code != 0:
            raise StoppedError(f"`respond` failed, {_ended(run)}", run.log)
        more = f"; {dropped} earlier got no run" if dropped else ""
        self.narrator.tell("bot", "the bot", f"runs on {name}{more} ({response.cost})", "")
        nothing = "changes nothing that people see" if wrote else "finds nothing to do"
        for line in told or [nothing]:
            self.narrator.tell("bot", "", line, "")
        return response

    def _changes(self, issues: dict[int, View], pulls: dict[int, PullView]) -> list[str]:
        """What people see of what was done since those looks at issues and pull requests."""
        after = self.issues()
        told = [
            line for number in sorted(after) for line in changes(issues.get(number), after[number])
        ]
        return told + pull_changes(pulls, self.pulls())

    def watch(self, time: str = "") -> str:
        """Let the watch go on until it sleeps; gives until when ("15:15:00"), empty once it ended.

        With `time` it goes on then, does what is due, and sleeps again. The drill does not sleep as
        long as the watch does: it ends the program, as a runner that dies would, and starts it
        again when it would wake.
        """
        if self._watch is None:
            raise StoppedError("no watch was started")
        moment = self.clock.today(time) if time else self.clock()
        if time:
            self.clock.forward_to(moment)
        else:
            self.clock.tick(RUNNER_SECONDS)
        response = self._run_watch(self._watch, moment)
        run, asleep = response.run, response.asleep
        told = [f"wakes at {time}"] * bool(time) + [*response.changes]
        if asleep is not None:
            told.append(f"sleeps until {asleep:%H:%M:%S}, or until something changes")
        elif run.exit_code == 0 and "The watch ends." in run.log:
            told.append("ends, since nothing that is open has a clock any more")
            self._end_watch()
            if self._watch is not None:
                told.append("the one that waited finds the same, and ends, too")
                run = self._run_watch(self._watch, moment).run
                if run.exit_code != 0 or "The watch ends." not in run.log:
                    raise StoppedError(f"the watch that waited failed, {_ended(run)}", run.log)
                self._end_watch()
        else:
            raise StoppedError(f"the watch failed, {_ended(run)}", run.log)
        for who, line in zip_longest(["the watch"], told, fillvalue=""):
            self.narrator.tell("bot", who, line, "")
        return f"{asleep:%H:%M:%S}" if asleep else ""

    def _end_watch(self) -> None:
        """The watch is over; GitHub starts the one that waited for this, if any."""
        if self._watch is not None:
            self.github.set_run(stage.REPOSITORY, self._watch, "completed")
        self._watch, self._next = self._next, None

    def _run_watch(self, id: int, moment: datetime) -> Response:
        """Run the watch until it ends, or sleeps for longer than until then."""
        self.github.set_run(stage.REPOSITORY, id, "in_progress")
        before, pulls = self.issues(), self.pulls()
        self.github.clear_log()
        event, payload = next(one for one in reversed(self.github.deliveries) if _is_watch(*one))
        job = self._job(stage.WATCH_TOKEN, event, payload, self.bad, contract.RESPOND, id)
        # Its clock and the drill's go on together, from its first request on.
        self.github.on_exchange = lambda _: self.clock.run()
        try:
            run = job.run(
                self.programs.respond, "command", enough=lambda line: _wakes(line) > moment
            )
        finally:
            self.github.on_exchange = None
            self.clock.stop()
        asleep = max(map(_wakes, run.log.splitlines()), default=_NEVER)
        response = Response(
            f"{self.clock():%H:%M}",
            "workflow_dispatch, the watch",
            run,
            self.github.requests(),
            self.github.requests(write=True),
            self._changes(before, pulls),
            asleep=asleep if run.exit_code is None and asleep > moment else None,
        )
        self.responses.append(response)
        return response

    def _waiting(self) -> list[tuple[str, dict[str, Any]]]:
        """The deliveries since the last call that start the workflow of `respond`."""
        events, ours = contract.triggers(contract.RESPOND), contract.name(contract.RESPOND)
        new = self.github.deliveries[self._heard :]
        self._heard = len(self.github.deliveries)

        def starts(event: str, payload: dict[str, Any]) -> bool:
            if payload.get("workflow", ours) != ours or _is_watch(event, payload):
                return False
            types = events.get(event, frozenset())
            return types is None or payload.get("action") in types

        return [delivery for delivery in new if starts(*delivery)]

    def _job(
        self,
        token: str,
        event: str,
        payload: dict[str, Any],
        sha: str,
        workflow: Path,
        run_id: int = 1,
    ) -> Job:
        return Job(
            api_url=self.github.url,
            repository=stage.REPOSITORY,
            token=token,
            event=event,
            payload=payload,
            actor=payload["sender"]["login"],
            sha=sha,
            now=f"{self.clock():%Y-%m-%dT%H:%M:%SZ}",
            workflow=contract.name(workflow),
            run_id=run_id,
        )

    # Looking and judging -----------------------------------------------------------------

    def issues(self) -> dict[int, View]:
        """Every issue as it is now."""
        return look(self.person(stage.ON_CALL), self._seen)

    def pulls(self) -> dict[int, PullView]:
        """Every pull request as it is now."""
        return look_at_pulls(self.person(stage.ON_CALL))

    def issue(self, number: int = 0) -> View:
        """One issue as it is now, by default the incident."""
        return self.issues()[number or self.incident]

    def keep(self, title: str, text: str) -> None:
        """Keep what people see now for the record; it may look different in the end."""
        name = f"seen-{len(self.sights) + 1}"
        self.sights.append(Sight(name, f"{self.clock():%H:%M}", title, text))

    def expect(self, what: str, found: object, expected: object) -> None:
        """Check that something is exactly as it should be; the drill goes on either way."""
        instead = f"expected {_plain(expected)}, found {_plain(found)}"
        self.narrator.check(found == expected, what, instead)

    def expect_in(self, what: str, text: str, *parts: str) -> None:
        """Check that a text holds all these parts."""
        missing = [part for part in parts if part not in text]
        instead = f"expected {' and '.join(missing)} in: {_plain(text)}"
        self.narrator.check(not missing, what, instead)


def _is_watch(event: str, payload: dict[str, Any]) -> bool:
    """Whether a delivery starts a watch; that is another job than the one for what people do."""
    return event == "workflow_dispatch" and "watch" in (payload.get("inputs") or {})


def _wakes(line: str) -> datetime:
    """When the watch wakes, by a line of its log; the earliest of all times where it says none."""
    found = re.match(r"Awake\. The next moment is (\S+ \S+) UTC", line)
    return datetime.fromisoformat(f"{found[1]}+00:00") if found else _NEVER


def _ended(run: Run) -> str:
    if run.exit_code is None:
        return "it took too long and was ended"
    return f"with exit code {run.exit_code}"


def _plain(value: object) -> str:
    """A value for people; sets in order."""
    if isinstance(value, set | frozenset):
        return ", ".join(sorted(map(str, value))) or "nothing"
    text = str(value)
    return (text if len(text) <= 600 else f"{text[:600]}…") or "nothing"
