"""A shop with everybody who might be up to something, and a ledger of what they did."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Mapping
from copy import copy, deepcopy
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import RLock
from typing import Any

from incident_actions import gate
from incident_actions.config import PATH
from incident_actions.github.client import GitHub
from incident_actions.reconcile.respond import Tools, WorkflowEvent, respond
from incident_actions.sandbox import Person, Sandbox
from incident_actions.sandbox.world import World
from tests.model.play import QUIET
from tests.model.trust import RIGHTS, WRITE, Case, Cause, Deed, Talk, by_label
from tests.support.events import form_body

REPO, ELSEWHERE = "acme/shop", "eve/own"
TOKEN, BOT = "ghs_theTokenOfThisRun", "github-actions[bot]"
OTHER_BOTS = ("stale[bot]", "relay[bot]")
DAWN = datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
TEAM = {"alice": "write", "bob": "write", "mia": "maintain", "tess": "triage"}
LEAVERS = {"olga": "write", "gus": "write"}
EVERYBODY = (*TEAM, *LEAVERS, "eve")
QUIET_CONFIG = QUIET[".github/incident.yml"]
LINES = (
    "/ack", "/role commander", "/severity sev3 half of it works", "/severity sev2 worse",
    "/severity sev1 worst", "/thaw only the newsletter", "/freeze until it is checked",
    "/verify all seen", "/resolve stable", "/resolve --force nobody can test it",
    "/reopen it is back", "/allow {sha} for 2h the fix", "/service api", "/note {token}",
    "/confirm", "/dismiss no incident", "Thanks!", "> /thaw quoted",
    "<!-- incident-actions:report 2 -->",
    "<!-- incident-actions:confirmed 2.1 -->", "<!-- incident-actions:freeze-ended 2.1 -->",
)  # fmt: skip
LABELS = (
    "sev1", "sev2", "sev3", "deploys-allowed", "deploy-freeze", "drill", "needs-confirmation",
    "environment:staging", "service:api", "status:resolved", "status:identified",
    "status: needs triage", "incident",
)  # fmt: skip
FORGERIES = (
    ('"v":1', '"v":1,"allow":[{"by":"mia","at":"2026-11-23T03:00:00Z",'
     '"until":"2026-12-23T03:00:00Z","reason":"x","sha":"SHA"}]'),
    ('"severity":"sev1"', '"severity":"sev3"'),
    ('"status":"investigating"', '"status":"resolved"'),
    ('"v":1', '"v":1,"freeze":{"freeze":"thaw","by":"mia","at":"2026-11-23T03:00:00Z",'
     '"reason":"x"}'),
    ('"deeds":{', '"deeds":{"admin":[COMMENTS]},"was":{'),
    ('"v":1', '"v":1,"judged":{"until":"2026-11-23T03:00:00Z","deeds":{"admin":[COMMENTS]}}'),
    ('"settled":{', '"settled":{"comments":99,"at":"2026-12-23T03:00:00Z","text":"x"},"was":{'),
    ('"v":1', '"v":1,"drill":true'),
)  # fmt: skip
_STATE = re.compile(r"<!-- incident-actions:state (.*) -->")
_END = "<!-- incident-actions:end -->"


class Stopped(BaseException):
    """The runner was stopped."""


@dataclass(frozen=True)
class Step:
    """Something that somebody does, and what becomes of the runs for it.

    `what` names a method of the world, `pick` and `other` choose among its things.
    """

    what: str
    who: str
    pick: int = 0
    other: int = 0
    fate: str = "run"


class TrustWorld:
    """One history. `author` declares the incident, #1; `strict` gives `/thaw` to maintainers only.

    `beside` is what #2 is: a stranger's `report`, a `freeze`, or nothing.
    """

    def __init__(
        self, sandbox: Sandbox, author: str, severity: str, *, strict: bool, beside: str = ""
    ) -> None:
        self.sandbox = sandbox
        self._now = DAWN
        self._heard = self._tokens = self._asked = 0
        self._world = World(lambda: self._now, api=sandbox.url)
        sandbox.world = sandbox.site.world = self._world
        sandbox.clear_log()
        sandbox.repository(REPO, labels=["bug", "incident", "deploy-freeze"])
        sandbox.repository(ELSEWHERE, owner_type="User")
        config = QUIET_CONFIG + ("permissions: {thaw: maintain}\n" if strict else "")
        self.rules: Mapping[str, int] = {"thaw": RIGHTS["maintain"]} if strict else {}
        sandbox.file(REPO, PATH, config)
        self.commits = [sandbox.file(REPO, f"f{n}", str(n)) for n in range(3)]
        self.rights = {**TEAM, **LEAVERS}
        for login, role in self.rights.items():
            sandbox.user(login, permission={REPO: role})
        sandbox.user("eve", permission={ELSEWHERE: "admin"})
        for login in OTHER_BOTS:
            sandbox.user(login, kind="Bot", permission={REPO: "write"})
            sandbox.token(f"ghs_{login}", login)
        read = dict.fromkeys(("contents", "deployments", "actions", "pull_requests"), "read")
        sandbox.actions_token(TOKEN, REPO, {**read, "issues": "write"})
        sandbox.actions_token("ghs_elsewhere", ELSEWHERE, {"issues": "write"})
        self.cases: dict[int, Case] = {}
        self.tick()
        self._open("incident", author, severity)
        if beside:
            self._open(beside, "eve" if beside == "report" else "alice", "SEV1")

    def again(self) -> TrustWorld:
        """A world of its own that is as this one; the server is the same."""
        other = copy(self)
        kept: dict[int, Any] = {id(self._world.lock): RLock()}
        other.cases, other.rights, other._world = deepcopy(
            (self.cases, self.rights, self._world), kept
        )
        other._world.clock = lambda: other._now
        other.sandbox.world = other.sandbox.site.world = other._world
        return other

    def _open(self, kind: str, author: str, severity: str) -> None:
        """A form, and the run for it."""
        person = self.person(author)
        if kind == "freeze":
            made = person.open_issue("We move", "### Why?\n\nWe move.", ["deploy-freeze"])
        else:
            given = {"severity": severity, "summary": "Logins fail.", "affected": "nobody"}
            made = person.file_form_issue("Logins fail", form_body(given))
        number = int(made["number"])
        self.cases[number] = Case(number, kind, author, severity.lower(), self.rules)
        self._runs("run")

    def tick(self, minutes: float = 6) -> None:
        """Time passes: more than what a run takes for its own."""
        self._now += timedelta(minutes=minutes)

    def person(self, login: str) -> Person:
        """Somebody at a keyboard."""
        return self.sandbox.as_user(login, REPO)

    def record(self, number: int) -> Any:
        """What the sandbox has of an issue."""
        return self.sandbox.repo(REPO).issues[number]

    def labels(self, number: int) -> set[str]:
        """The labels of an issue."""
        return {label.name for label in self.record(number).labels}

    def right(self, login: str) -> int:
        """What somebody may do now."""
        return RIGHTS[self.rights.get(login, "none")]

    def deed(self, login: str) -> Deed:
        """A deed of now."""
        right = self.right(login)
        return Deed(login, self._now, right, right)

    # Runs --------------------------------------------------------------------------------

    def _hub(self, token: str = TOKEN, repo: str = REPO) -> Any:
        return GitHub(token, repo, self.sandbox.url)

    def _respond(self, event: WorkflowEvent, stop_after: int | None = None) -> bool:
        """A run; it may be stopped after some requests. Whether it came to its end."""
        hub = self._hub()
        send, made = hub.send, 0

        def counted(*args: Any, **more: Any) -> Any:
            nonlocal made
            if made == stop_after:
                raise Stopped
            made += 1
            return send(*args, **more)

        hub.send = counted
        tools = Tools(lambda: self._now, sleep=lambda _: None, probe=lambda *_: True)
        try:
            respond(hub, event, PATH, tools)
        except Stopped:
            return False
        return True

    def sweep(self) -> None:
        """A run of the schedule; it looks after everything."""
        self._respond(WorkflowEvent("schedule", {}))
        self._judged(self.cases)

    def run(self, number: int) -> None:
        """A run for one issue."""
        event = {"action": "edited", "issue": {"number": number}}
        self._respond(WorkflowEvent("issues", event))
        self._judged([number])

    def _runs(self, fate: str) -> None:
        """What becomes of the runs for what just happened."""
        heard = self.sandbox.deliveries[self._heard :]
        self._heard = len(self.sandbox.deliveries)
        if fate == "lost":
            return
        for name, payload in heard:
            if not name.startswith("issue") or payload["repository"]["full_name"] != REPO:
                continue
            event = WorkflowEvent(name, payload)
            number = payload["issue"]["number"]
            if "pull_request" in payload["issue"]:
                continue
            stop = int(fate.removeprefix("stopped ")) if fate.startswith("stopped") else None
            for _ in range(2 if fate == "doubled" else 1):
                if self._respond(event, stop):
                    self._judged([number])
        if fate == "sweep":
            self.sweep()

    def _judged(self, numbers: Any) -> None:
        for number in [*numbers]:
            if number in self.cases:
                self.cases[number].judge()
                self.check(self.cases[number])
        self.check_agreement()

    # What people do ----------------------------------------------------------------------

    def play(self, step: Step) -> bool:
        """Do a step, if its doer can; then the runs. Whether it was done."""
        self.tick()
        if not getattr(self, f"do_{step.what}")(step):
            return False
        self.check_gate()
        self._runs(step.fate)
        if step.fate != "lost":
            self.check_gate()
        return True

    def end(self) -> None:
        """A sweep puts everything right; what it left is right, too."""
        self.tick(10)
        self.sweep()
        for number in [*self.cases]:
            self.tick()
            self.run(number)
        self.check_gate()

    def _case(self, step: Step) -> Case:
        """Mostly the incident."""
        return self.cases[(1, 1, 2)[step.other % 3] if len(self.cases) > 1 else 1]

    def _text(self, step: Step) -> str:
        self._tokens += 1
        line = LINES[step.pick % len(LINES)]
        second = LINES[(step.pick // len(LINES)) % len(LINES)]
        lines = [line, second] if step.pick % 3 == 0 and line != second else [line]
        sha = self.commits[step.other % 2]
        return "\n".join(lines).format(sha=sha, token=f"TOKEN{self._tokens}")

    def do_comment(self, step: Step) -> bool:
        """Somebody comments."""
        case, text = self._case(step), self._text(step)
        made = self.person(step.who).comment(case.number, text)
        case.talks[int(made["id"])] = Talk([(self.deed(step.who), text)])
        return True

    def _may_change(self, case: Case, who: str) -> list[int]:
        """The comments that GitHub lets somebody edit or delete: their own, or all with write."""
        return [
            id
            for id, talk in case.talks.items()
            if talk.deleted is None and (talk.versions[0][0].who == who or self.right(who) >= WRITE)
        ]

    def do_edit(self, step: Step) -> bool:
        """Somebody edits a comment: their own, or with write access anybody's."""
        case = self._case(step)
        may = self._may_change(case, step.who)
        if not may:
            return False
        id, text = may[step.other // 3 % len(may)], self._text(step)
        talk = case.talks[id]
        if step.pick % 2:
            text = f"{talk.versions[-1][1]}\n{text}"
        if text == talk.versions[-1][1]:
            return False
        self.person(step.who).edit_comment(id, text)
        talk.versions.append((self.deed(step.who), text))
        return True

    def do_delete(self, step: Step) -> bool:
        """Somebody deletes a comment, like `do_edit`; GitHub forgets it."""
        case = self._case(step)
        may = self._may_change(case, step.who)
        if not may:
            return False
        id = may[step.other // 3 % len(may)]
        self.person(step.who).delete_comment(id)
        case.talks[id].deleted = self.deed(step.who)
        return True

    def do_label(self, step: Step) -> bool:
        """Somebody puts a label on, or takes it off."""
        case, name = self._case(step), LABELS[step.pick % len(LABELS)]
        on = name not in self.labels(case.number)
        known = {label.name for label in self.sandbox.repo(REPO).labels.values()}
        right = self.right(step.who)
        if not right or (on and name not in known and right < WRITE):
            return False
        person = self.person(step.who)
        (person.label if on else person.unlabel)(case.number, name)
        asked = by_label(name, on=on)
        if case.kind == "freeze":
            asked = {"deploys-allowed": None, "needs-confirmation": ("drill", "")}.get(name, asked)
        self._by_hand(case, step, *asked) if asked else None
        return True

    def _by_hand(self, case: Case, step: Step, verb: str, value: str = "") -> None:
        deed = self.deed(step.who)
        case.hands.append(Cause(verb, value, deed, deed.at, deed.at))

    def do_close(self, step: Step) -> bool:
        """Somebody closes an issue, or opens it again."""
        case, person = self._case(step), self.person(step.who)
        is_open = self.record(case.number).state == "open"
        if not (self.right(step.who) or case.author == step.who):
            return False
        if case.kind != "incident":
            return False if not is_open else self._close(case, step)
        if is_open:
            return self._close(case, step)
        person.reopen(case.number)
        self._by_hand(case, step, "reopen")
        return True

    def _close(self, case: Case, step: Step) -> bool:
        self.person(step.who).close(case.number)
        self._by_hand(case, step, "close")
        return True

    def do_assign(self, step: Step) -> bool:
        """Somebody assigns somebody, or unassigns them."""
        whom = [*TEAM][step.pick % len(TEAM)]
        if not self.right(step.who):
            return False
        case, person = self.cases[1], self.person(step.who)
        there = {user.login for user in self.record(1).assignees}
        (person.unassign if whom in there else person.assign)(1, whom)
        self._by_hand(case, step, "unassign" if whom in there else "assign", whom)
        return True

    def do_rename(self, step: Step) -> bool:
        """Somebody renames the incident."""
        if self.right(step.who) < WRITE:
            return False
        self._tokens += 1
        self.person(step.who).set_title(1, f"Logins fail {self._tokens}, fixes #2")
        return True

    def do_write(self, step: Step) -> bool:
        """Somebody edits the form's answer: the author, or who may write."""
        case, who = self._case(step), step.who
        if case.kind == "freeze":
            return False
        if step.other % 2 and self._leaves(case):
            who = case.author
        if not (self.right(who) >= WRITE or case.author == who):
            return False
        severity = f"sev{1 + step.pick % 3}"
        body = str(self.record(case.number).body)
        head, end, text = body.rpartition(_END)
        changed = re.sub(r"\bSEV\d\b(?= - )", severity.upper(), text, count=1)
        if changed == text:
            return False
        self.person(who).edit_issue_body(case.number, head + end + changed)
        case.texts.append((self.deed(who), severity))
        return True

    def do_forge(self, step: Step) -> bool:
        """The author, who has just left the team, writes into the hidden state."""
        case = self.cases[1]
        if not self._leaves(case):
            return False
        old, new = FORGERIES[step.pick % len(FORGERIES)]
        body = str(self.record(1).body)
        head, end, text = body.rpartition(_END)
        keys = ",".join(f'"c{id}"' for id in case.talks)
        new = new.replace("SHA", self.commits[2]).replace("COMMENTS", keys)
        forged = head.replace(old, new)
        if forged == head:
            return False
        self.person(case.author).edit_issue_body(1, forged + end + text)
        case.forged.append(self.deed(case.author))
        return True

    def _leaves(self, case: Case) -> bool:
        """The author leaves the team, if they are one of those who do."""
        if case.author not in LEAVERS:
            return False
        if self.right(case.author):
            self.run(case.number)
            self._gets(case.author, "none")
            self.tick()
        return True

    def do_pull(self, step: Step) -> bool:
        """A pull request mentions the incident, or says that it fixes it; it may be merged."""
        self._tokens += 1
        name, fork = f"PULL{self._tokens}", self.right(step.who) < WRITE
        word = ("See", "Fixes")[step.pick % 2]
        body = f"{word} #1 <!-- incident-actions:report 1 -->"
        pull = self.person(step.who).open_pull(name, {name: "x"}, name.lower(), body, fork=fork)
        self.cases[1].pulls[name] = (self.deed(step.who), True)
        if step.pick % 4 == 3:
            was_open = self.record(1).state == "open"
            self.person("mia").merge(int(pull["number"]))
            if was_open and self.record(1).state == "closed":
                self._by_hand(self.cases[1], Step("merge", "mia"), "close")
        return True

    def do_elsewhere(self, step: Step) -> bool:
        """In a stranger's own repository: its bot's issues carry our markers, pulls mention us."""
        number = 1 + step.pick % 2
        if step.other % 2:
            self._tokens += 1
            name = f"PULL{self._tokens}"
            someone, eve = (self.sandbox.as_user(who, ELSEWHERE) for who in (step.who, "eve"))
            body = f"Fixes {REPO}#{number}"
            pull = someone.open_pull(name, {name: "x"}, name.lower(), body, fork=step.who != "eve")
            eve.merge(int(pull["number"]))
            self.cases[1].pulls[name] = (self.deed(step.who), False)
            return True
        kind = ("report", "confirmed", "freeze-ended", "postmortem")[step.other // 2 % 4]
        body = f"<!-- incident-actions:{kind} {number} -->\n{REPO}#1 {REPO}#2"
        given = {"title": "Mine", "body": body}
        self._hub("ghs_elsewhere", ELSEWHERE).send("POST", "/issues", given=given)
        return True

    def do_bot(self, step: Step) -> bool:
        """A program: another bot, or another workflow with our own token."""
        case = self._case(step)
        issue = f"/issues/{case.number}"
        ours = step.pick % 3 == 0
        token = TOKEN if ours else f"ghs_{OTHER_BOTS[step.pick % 2]}"
        hub, kind = self._hub(token), step.pick // 3 % 4
        case.disturbed = True
        if kind == 0:
            state = "closed" if self.record(case.number).state == "open" else "open"
            hub.send("PATCH", issue, given={"state": state})
        elif kind == 1 and not ours:
            hub.send("POST", f"{issue}/comments", given={"body": self._text(step)})
        elif kind == 2 and not ours:
            body = f"<!-- incident-actions:report {case.number} -->\n#1 #2"
            hub.send("POST", "/issues", given={"title": "Mine", "body": body, "labels": []})
        else:
            name = LABELS[step.pick // 12 % len(LABELS)]
            if ours and (name.startswith("status:") or case.kind == "freeze"):
                return False  # nobody can tell this from what our bot does itself
            if name in self.labels(case.number):
                hub.send("DELETE", f"{issue}/labels/{name.replace(' ', '%20')}")
            else:
                hub.send("POST", f"{issue}/labels", given={"labels": [name]})
        return True

    def do_role(self, step: Step) -> bool:
        """Somebody gets another right, or none."""
        if step.who not in ("bob", "tess", *LEAVERS):
            return False
        new = ("none", "triage", "write", "none")[step.pick % 4]
        if new == self.rights.get(step.who):
            return False
        unjudged = any(d.who == step.who and not d.judged for d in self.cases[1].forged)
        if new == "write" and unjudged:
            self.run(1)  # from then on nobody could tell the forgery from a writer's text
        self._gets(step.who, new)
        return True

    def _gets(self, login: str, role: str) -> None:
        """Somebody has another right from now on.

        Reports and freezes keep no record of rights: there a right of later is enough, too.
        """
        self.rights[login] = self.sandbox.repo(REPO).roles[login] = role
        for case in self.cases.values():
            for deed in case.deeds():
                if deed.who != login:
                    continue
                if not deed.judged:
                    deed.low = min(deed.low, RIGHTS[role])
                if not deed.judged or case.kind != "incident":
                    deed.high = max(deed.high, RIGHTS[role])

    def do_ghost(self, step: Step) -> bool:
        """gus deletes his account: all that he did is the ghost's from then on."""
        ghost, gus = self.sandbox.user("ghost"), self.sandbox.user("gus")
        if self.rights.get("gus") is None:
            return False
        self._gets("gus", "none")
        for issue in self.sandbox.repo(REPO).issues.values():
            for comment in issue.comments:
                comment.user = ghost if comment.user is gus else comment.user
                for edit in comment.edits:
                    edit.editor = ghost if edit.editor is gus else edit.editor
            for event in issue.events:
                event.actor = ghost if event.actor is gus else event.actor
            for edit in issue.edits:
                edit.editor = ghost if edit.editor is gus else edit.editor
        del self.rights["gus"]
        return True

    # The claims --------------------------------------------------------------------------

    def _state(self, number: int) -> dict[str, Any]:
        found = _STATE.search(str(self.record(number).body))
        return dict(json.loads(found[1])) if found else {}

    def check(self, case: Case) -> None:
        """What an issue shows after a run is what somebody with the right caused."""
        if case.kind == "report":
            self._check_report(case)
        elif case.kind == "freeze":
            self._check_freeze(case)
        elif not case.forged_by_right:
            self._check_incident(case)

    def _check_incident(self, case: Case) -> None:
        state, labels = self._state(case.number), self.labels(case.number)
        record = self.record(case.number)
        is_open = record.state == "open"
        assert state["status"] == "resolved" or is_open, "closed, but not resolved"
        assert (state["status"] == "resolved") in case.statuses(), state["status"]
        assert is_open is not (state["status"] == "resolved"), "open, but resolved"
        assert state["severity"] in case.severities(), state["severity"]
        assert labels & {"sev1", "sev2", "sev3"} == {state["severity"]}
        assert (state.get("freeze") or {}).get("freeze") in case.switches(), state.get("freeze")
        assert bool(state.get("drill")) in case.drills()
        assert ("drill" in labels) is bool(state.get("drill"))
        assert "incident" in labels
        assert "needs-confirmation" not in labels
        services = state.get("services") or []
        assert {*services, *([] if services else [None])} <= case.services(), services
        assert {n for n in labels if n.startswith("service:")} == {f"service:{s}" for s in services}
        commander = (state.get("roles") or {}).get("commander")
        assert commander in case.commanders(), commander
        self._check_allowed(case, state)
        self._check_lines(case, str(record.body))

    def _check_allowed(self, case: Case, state: dict[str, Any]) -> None:
        allow = state.get("allow") or []
        running = {each["sha"] for each in allow if not each.get("expired")}
        givers = {(cause.deed.who, cause.value) for cause in case.causes("allow")}
        assert {(each["by"], each["sha"]) for each in allow} <= givers, allow
        assert case.allowed(self._now, surely=True) <= running, "an allowance was lost"

    def _check_lines(self, case: Case, body: str) -> None:
        dashboard = body.partition(_END)[0].partition("Timeline</b>")[2]
        for cause in case.causes("note"):
            if case.certain(cause):
                assert cause.value in dashboard, f"{cause.value} was lost"
        said = {cause.value for cause in case.causes("note")}
        assert {*re.findall(r"TOKEN\d+", dashboard)} <= said, "a note by nobody who may"
        for name, (deed, ours) in case.pulls.items():
            there = re.search(rf"{name}\b", dashboard) is not None
            assert not there or (ours and deed.high >= 1), f"{name} is nobody's who may"
            assert there or not ours or deed.low < 1, f"{name} was lost"

    def _check_report(self, case: Case) -> None:
        labels = self.labels(case.number)
        opened = self._opened_for(case.number)
        assert len(opened) <= bool(case.causes("confirm")), "confirmed by nobody who may"
        assert "needs-confirmation" in labels, "not held"
        assert not self._state(case.number)
        confirms, dismissals = case.causes("confirm"), case.causes("dismiss")
        if any(map(case.certain, confirms)) and not dismissals:
            assert len(opened) == 1, "the confirmation was lost"

    def _opened_for(self, report: int) -> list[int]:
        start = f"<!-- incident-actions:report {report} -->"
        return [
            issue.number
            for issue in self.sandbox.repo(REPO).issues.values()
            if issue.user.login == BOT
            and start in str(issue.body)
            and "incident" in self.labels(issue.number)
        ]

    def _check_freeze(self, case: Case) -> None:
        is_open, labels = self.record(case.number).state == "open", self.labels(case.number)
        ends = case.causes("thaw", "close")
        assert is_open or ends, "ended by nobody who may"
        if any(map(case.certain, ends)):
            assert not is_open, "its end was lost"
        assert "deploy-freeze" in labels or case.causes("unfreeze"), "its label was lost"
        if not case.causes("drill", "undrill", "thaw", "environment"):
            assert not labels & {"drill", "needs-confirmation", "environment:staging"}

    # The gate ----------------------------------------------------------------------------

    def ask_gate(self, sha: str, service: str = "", environment: str = "") -> dict[str, Any]:
        """What the gate says, from its JSON."""
        env = {
            "GITHUB_API_URL": self.sandbox.url,
            "GITHUB_REPOSITORY": REPO,
            "GITHUB_TOKEN": TOKEN,
            "GITHUB_SHA": sha,
            "GITHUB_EVENT_NAME": "push",
            "GITHUB_ACTOR": "eve",
            "INPUT_SERVICE": service,
            "INPUT_ENVIRONMENT": environment,
        }
        told = io.StringIO()
        with contextlib.redirect_stdout(told):
            gate.main(["--json"], env, now=self._now)
        return dict(json.JSONDecoder().raw_decode(told.getvalue())[0])

    def _could_block(self, case: Case) -> bool:
        """Whether the gate can see it at all: it lists open issues with the labels."""
        record, labels = self.record(case.number), self.labels(case.number)
        label = "incident" if case.kind == "incident" else "deploy-freeze"
        visible = record.state == "open" and label in labels
        return visible and case.seen and case.kind != "report" and not case.forged_by_right

    def check_gate(self) -> None:
        """No deploy passes that nobody with the right let through."""
        visible = [case for case in self.cases.values() if self._could_block(case)]
        asked = (
            (self.commits[2], "", ""),
            (self.commits[1], "", ""),
            (self.commits[2], "web", "production"),
        )
        self._asked += 1
        for sha, service, environment in (asked[self._asked % 3],):
            holding = [
                case.number
                for case in visible
                if case.freezes(service=service, environment=environment)
                and sha not in case.allowed(self._now, surely=False)
            ]
            if holding:
                verdict = self.ask_gate(sha, service, environment)
                told = {each["number"] for each in verdict["incidents"]}
                assert verdict["verdict"] == "frozen", (holding, sha, service, verdict)
                assert {*holding} <= told, (holding, told)

    def check_agreement(self) -> None:
        """After a run the gate and the dashboard say the same about each incident."""
        record = self.record(1)
        seen = record.state == "open" and "incident" in self.labels(1)
        if not seen or not self.cases[1].judged_now:
            return
        frozen = "deploys are frozen" in str(record.body).partition("\n\n")[0]
        told = {each["number"] for each in self.ask_gate(self.commits[2])["incidents"]}
        assert (1 in told) is frozen, f"gate: {told}, dashboard frozen: {frozen}"
