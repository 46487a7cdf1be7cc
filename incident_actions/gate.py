#!/usr/bin/env python3
"""The deploy gate: may this change be deployed now?

One file on the standard library alone, so that a deploy never waits for a package registry:
`python3 -I -S incident_actions/gate.py`. Python 3.9 to 3.14.

It asks GitHub for the open issues labelled `incident` or `deploy-freeze`, and decides. The upper
half is pure: what GitHub said goes in, a `Verdict` comes out. The lower half asks, and tells.
Modules that are slow to import, or rarely needed, are imported where they are used: this file
starts in every deploy, and is compiled each time.
"""

from __future__ import annotations

import gc

if __name__ == "__main__":
    gc.disable()  # the process is too short for cycles to matter, and importing makes many

import http.client
import json
import os
import re
import sys
import threading
import time
from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from urllib.parse import parse_qs, quote, urlencode, urljoin, urlsplit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

VERSION = 1  # of the JSON that `--json` prints
SEVERITIES = ("sev1", "sev2", "sev3")  # the worst first
TRUSTED = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})
ASSOCIATIONS = TRUSTED | {
    "CONTRIBUTOR", "FIRST_TIMER", "FIRST_TIME_CONTRIBUTOR", "MANNEQUIN", "NONE"
}  # fmt: skip
STATUSES = frozenset(
    f"status:{status}" for status in ("investigating", "identified", "monitoring", "resolved")
)
BEGIN, STATE, END = (f"<!-- incident-actions:{name}" for name in ("begin", "state", "end"))
# Only a field that asks for nothing else: "Which third-party service?" must not narrow a freeze.
SERVICES_HEADING = r"((affected|impacted|which) )*services?(\(s\))?( are| is)?( affected| down)?\??"
ENVIRONMENTS_HEADING = r"((affected|which) )*environments?(\(s\))?( are| is)?( frozen)?\??"
TIME = (
    r"\d{4}-\d\d-\d\d(\+00:00)?"
    r"|\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):\d\d(:\d\d(\.(\d{3}|\d{6}))?)?([+-]\d\d:\d\d)?"
)
SCHEDULE_IS_LATE = timedelta(minutes=30)


class Code:
    """Why: the closed list of reason codes, of a verdict and of each finding in it."""

    # An open issue freezes this deploy.
    SEVERITY = "severity"
    UNKNOWN_SEVERITY = "unknown-severity"
    DEPLOY_FREEZE = "deploy-freeze"
    # An open issue does not freeze this deploy.
    DEPLOYS_ALLOWED = "deploys-allowed"
    DRILL = "drill"
    NEEDS_CONFIRMATION = "needs-confirmation"
    UNTRUSTED_REPORT = "untrusted-report"
    OTHER_SEVERITY = "other-severity"
    OTHER_SERVICE = "other-service"
    OTHER_ENVIRONMENT = "other-environment"
    EXPIRED = "expired"
    # It would, but somebody let this change through.
    ALLOWED = "allowed"
    FIX = "fix"
    MAY_DEPLOY = "may-deploy"
    ROLLBACK = "rollback"
    # Nothing is open at all.
    NOTHING_OPEN = "nothing-open"
    # GitHub could not be asked, or its answer could not be judged.
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not-found"
    RATE_LIMITED = "rate-limited"
    SERVER_ERROR = "server-error"
    UNREACHABLE = "unreachable"
    CERTIFICATE = "certificate"
    TIMEOUT = "timeout"
    UNREADABLE = "unreadable"
    UNEXPECTED = "unexpected"
    # The caller's own mistake, or ours.
    BAD_INPUT = "bad-input"
    INTERNAL = "internal"

    FINAL = frozenset(
        {UNAUTHORIZED, FORBIDDEN, NOT_FOUND, CERTIFICATE, INTERNAL}
    )  # waiting is idle


FREEZES = frozenset({Code.SEVERITY, Code.UNKNOWN_SEVERITY, Code.DEPLOY_FREEZE})


class GateError(Exception):
    """GitHub could not be asked: a code, what happened, and what to do about it."""

    def __init__(self, code: str, what: str, remedy: str, wait: float | None = None) -> None:
        super().__init__(what)
        self.code, self.what, self.remedy = code, what, remedy
        self.wait = wait  # seconds until another try makes sense; None: it never does


class BadInputError(GateError):
    """An input of the caller is wrong. Exit code 2, whatever `mode` and `on-error` say."""

    def __init__(self, what: str, remedy: str) -> None:
        super().__init__(Code.BAD_INPUT, what, remedy)


# ---------------------------------------------------------------------------------------------
# What comes in. Everything that GitHub says is read tolerantly, into plain values.


class Request(SimpleNamespace):
    """What is to be deployed, and by whom. Names are lower case."""

    repository: str  # where incidents live
    source: str  # where the commit lives
    services: tuple[str, ...]
    environment: str
    intent: str
    severities: frozenset[str]
    shas: frozenset[str]
    pulls: tuple[Pull, ...]  # known from the event; more may be looked up
    actor: str


class Pull(SimpleNamespace):
    """A pull request that the commit came from."""

    number: int
    shas: frozenset[str]
    text: str  # the description, if its author may be believed: closing keywords are read from it


class Issue(SimpleNamespace):
    """An open issue, as far as the gate needs it."""

    number: int
    title: str
    url: str
    labels: frozenset[str]
    trusted: bool | None  # the body may be believed; None: GitHub did not say who the author is
    severity: str | None
    services: tuple[str, ...]  # none: everything
    service_text: str  # the form's own words on services
    environments: tuple[str, ...]
    since: datetime | None
    commander: str | None
    until: datetime | None
    deployers: frozenset[str]
    allow: tuple[dict[str, Any], ...]
    fixes: tuple[int, ...]
    problem: str  # not empty: this item can't be judged


def parse_time(text: object) -> datetime | None:
    """Read an ISO 8601 time as aware UTC; a date alone means the end of that day."""
    if not isinstance(text, str):
        return None
    text = re.sub(r"\s*(?:Z|UTC)$", "+00:00", text.strip().strip("`"), flags=re.IGNORECASE)
    if not re.fullmatch(TIME, text, re.ASCII):  # newer Pythons read more forms than older ones
        return None
    try:
        if text[10:] in ("", "+00:00"):
            return datetime.fromisoformat(text[:10] + "T23:59:59+00:00")
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def plain(text: object, limit: int = 120) -> str:
    """Make text from outside fit for one line of a log: printable, short, no runner command."""
    words = "".join(c if c.isprintable() else " " for c in str(text)[: limit * 8]).split()
    line = " ".join(words).replace("##[", "## [")
    return line if len(line) <= limit else line[: limit - 1] + "…"


def split_body(body: str) -> tuple[str, str]:
    """Part a body into the block that `respond` keeps at its very top, and the reporter's text."""
    if not body.startswith(BEGIN):
        return "", body
    end = body.find(END)
    end = end if end >= 0 else body.rfind(STATE)
    return body[:end], body[end:].partition("-->")[2]


def read_state(block: str) -> dict[str, Any]:
    """Read the state at the end of that block; empty when there is none to be read."""
    try:
        state = json.loads(block.rpartition(STATE)[2].partition("-->")[0]) if block else None
    except (ValueError, RecursionError):
        return {}
    return state if isinstance(state, dict) and state.get("v") == 1 else {}


def sections(text: str) -> list[tuple[str, str]]:
    """Split what the reporter filled in into (heading, answer) pairs.

    https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
    """
    parts = re.split(r"(?m)^### +(.*)$", text.replace("\r\n", "\n").replace("\r", "\n"))
    answers = ((h.strip().casefold(), a.strip()) for h, a in zip(parts[1::2], parts[2::2]))
    return [(heading, "" if a == "_No response_" else a) for heading, a in answers]


def form_severity(answers: list[tuple[str, str]]) -> str | None:
    """Read the severity: the worst answer that begins SEVn, whatever its field is called.

    Unknown means worse still, so a field on severity that can't be read beats all the others.
    """
    found = []
    for heading, answer in answers:
        match = re.match(
            r"(?:- \[[xX]\])?(?!- \[ \])[^\w\n]*SEV[ -]?([123])(?!\w)", answer, re.IGNORECASE
        )
        if match:
            found.append("sev" + match[1])
        elif "severity" in heading:
            return None
    return min(found, default=None)


def names(values: object) -> tuple[str, ...]:
    """Keep the texts of a list, lower case."""
    found = values if isinstance(values, list) else ()
    return tuple(normal(v) for v in found if isinstance(v, str) and v.strip())


def login(user: object) -> str | None:
    """Read a GitHub login, or None when it does not look like one."""
    found = user.get("login") if isinstance(user, dict) else user
    return found if isinstance(found, str) and re.fullmatch(r"[\w\[\]-]{1,60}", found) else None


def people(text: str) -> frozenset[str]:
    """Read who may deploy: `@alice`, or a plain list of single words.

    Only down to the next heading. `nobody` and `everyone` are no logins, and a sentence that
    excepts somebody names nobody.
    """
    text = re.split(r"(?m)^#{1,6}(?: |$)", text)[0]
    parts = [part.strip(" -*`") for part in re.split(r"[,;\n]", text)]
    if all(re.fullmatch(r"@?[\w-]+(\[bot\])?", part) for part in parts):
        found = [part.lstrip("@") for part in parts]
    elif re.search(r"(?i)\b(?:but|except|excluding|without|not?|never|nobody)\b|n[’']t\b", text):
        found = []
    else:
        found = re.findall(r"(?<![\w/])@([\w-]+)(?![\w/])", text)
    return frozenset(name.casefold() for name in found) - NOT_LOGINS


def means_everything(name: str) -> bool:
    """Whether a name stands for all, or says that nobody knows: `all`, `not-sure`, `n-a`."""
    return name in EVERYTHING or not EVERYTHING.isdisjoint(re.split(r"[\W_]+", name))


def single_words(text: str) -> tuple[str, ...]:
    """Read a plain list of names, lower case. Empty, which means everything, unless all are plain.

    Only ASCII words: any other name might be written in several ways, and so be missed.
    `domain/answers.py` reads the same, and a table in the tests holds the two together.
    """
    parts = [part.strip(" -*`").lower() for part in re.split(r"[,;\r\n]", text)]
    named = tuple(dict.fromkeys(part for part in parts if part))
    if not all(re.fullmatch(PLAIN_NAME, part) for part in named) or len(named) > MOST_NAMES:
        return ()
    return () if any(map(means_everything, named)) else named


def normal(name: str) -> str:
    """Fold a name's case and its accents' encoding, so that equal names are equal texts."""
    if not name.isascii():
        import unicodedata

        name = unicodedata.normalize("NFC", name)
    return name.strip().casefold()


def read_issue(item: object) -> Issue | None:
    """Read one item of the issue list; None when it is a pull request or closed.

    https://docs.github.com/en/rest/issues/issues#list-repository-issues
    """
    if not isinstance(item, dict):
        return Issue(number=0, title="", url="", problem="an item is not an issue")
    if isinstance(item.get("pull_request"), dict) or item.get("state") == "closed":
        return None
    number, labels = item.get("number"), item.get("labels")
    number = number if type(number) is int and number > 0 else 0
    problem = "" if number else "an issue has no number"
    texts = []
    for label in labels if isinstance(labels, list) else (None,):
        name = label.get("name") if isinstance(label, dict) else label
        if not isinstance(name, str):
            problem = f"the labels of issue #{number} can't be read"
        else:
            texts.append(normal(name))
    marks = frozenset(texts)
    if not problem and not marks & {"incident", "deploy-freeze"}:
        problem = f"issue #{number} does not carry the label that was asked for"

    user, association = item.get("user"), str(item.get("author_association"))
    bot = isinstance(user, dict) and user.get("type") == "Bot"
    trusted = True if bot or association in TRUSTED else None
    if trusted is None and association in ASSOCIATIONS:
        trusted = False
    # Strangers can't label, so a status is the team's word for the whole issue: GitHub may hide
    # that its author belongs to the team.
    if "incident" in marks and marks & STATUSES and "needs-confirmation" not in marks:
        trusted = True
    body = item.get("body") if trusted else ""
    block, text = split_body(body if isinstance(body, str) else "")
    state, answers = read_state(block), sections(text)
    if state.get("number", number) != number:
        state = {}  # copied from another issue

    def answer(heading: str) -> str:
        return "\n".join(text for found, text in answers if re.fullmatch(heading, found))

    def prefixed(prefix: str) -> tuple[str, ...]:
        return tuple(sorted(m[len(prefix) :].strip() for m in marks if m.startswith(prefix)))

    # What is typed into another answer may look like a heading: two of them name nobody.
    may_deploy = [text for heading, text in answers if "may deploy" in heading]
    times, roles = (v if isinstance(v, dict) else {} for v in map(state.get, ("times", "roles")))
    allow, fixes = state.get("allow"), state.get("fixes")
    url, title, assignees = (item.get(key) for key in ("html_url", "title", "assignees"))
    assigned = assignees[0] if isinstance(assignees, list) and assignees else None
    since = parse_time(times.get("started")) or parse_time(times.get("declared"))
    labelled = [severity for severity in SEVERITIES if severity in marks]
    manual = "incident" not in marks
    return Issue(
        number=number,
        title=plain(title) if isinstance(title, str) and title.strip() else "(no title)",
        url=plain(url, 300)
        if isinstance(url, str) and re.fullmatch(r"https?://[\w./:%-]+", url)
        else "",
        labels=marks,
        trusted=trusted,
        severity=labelled[0] if labelled else None if manual else form_severity(answers),
        services=prefixed("service:") + names(state.get("services")),
        # Once `respond` has read the form, people correct its answer by command.
        service_text="" if state else answer(SERVICES_HEADING),
        environments=prefixed("environment:")
        + (single_words(answer(ENVIRONMENTS_HEADING)) if manual else ()),
        since=since or parse_time(item.get("created_at")),
        commander=login(roles.get("commander")) or login(assigned),
        until=parse_time(answer(".*until.*")) if manual else None,
        deployers=people(may_deploy[0]) if manual and len(may_deploy) == 1 else frozenset(),
        allow=tuple(a for a in allow if isinstance(a, dict)) if isinstance(allow, list) else (),
        fixes=tuple(f for f in fixes if type(f) is int) if isinstance(fixes, list) else (),
        problem=problem,
    )


def read_pull(item: object) -> Pull | None:
    """Read one pull request, from an event or from an answer.

    Its author may edit the description at any time, so an outsider's proves nothing.
    https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit
    """
    number = item.get("number") if isinstance(item, dict) else None
    if not isinstance(item, dict) or type(number) is not int:
        return None
    head = item.get("head")
    shas = [head.get("sha") if isinstance(head, dict) else None, item.get("merge_commit_sha")]
    text = item.get("body") if str(item.get("author_association")) in TRUSTED else ""
    return Pull(
        number=number,
        shas=frozenset(sha for sha in shas if isinstance(sha, str)),
        text=text if isinstance(text, str) else "",
    )


# ---------------------------------------------------------------------------------------------
# The decision.


class Finding(SimpleNamespace):
    """What one open issue means for this deploy."""

    issue: Issue
    code: str
    override: dict[str, Any] | None  # who let this change through, and why


class Context(SimpleNamespace):
    """What was looked up once it was clear that deploys are frozen."""

    pulls: tuple[Pull, ...]
    environments: tuple[str, ...] | None  # the ones that freeze; None: all
    notes: tuple[str, ...]


class Verdict(SimpleNamespace):
    """The answer: `verdict` for programs, `reason` for people, `findings` for the details."""

    verdict: str  # clear, frozen, exempt, rollback, error
    code: str
    reason: str
    remedy: str
    findings: tuple[Finding, ...]  # the ones that freeze, or would have
    notes: tuple[str, ...]

    @property
    def overrides(self) -> list[dict[str, Any]]:
        """The overrides that were used, for the trace."""
        return [f.override for f in self.findings if f.override]


NO_CONTEXT = Context(pulls=(), environments=None, notes=())
# Words in an answer to "which services?" that name none in particular.
EVERYTHING = frozenset({
    "*", "all", "any", "anything", "both", "dont", "entire", "every", "everyone", "everything",
    "everywhere", "idk", "many", "multiple", "n-a", "n.a", "n/a", "na", "no", "none", "not",
    "nothing", "other", "others", "several", "some", "tbd", "total", "unclear", "unknown",
    "unsure", "various", "whole",
})  # fmt: skip
NOT_LOGINS = frozenset({
    "all", "any", "anybody", "anyone", "everybody", "everyone", "n-a", "na", "no", "no-one",
    "nobody", "none", "noone",
})  # fmt: skip
PLAIN_NAME = r"[a-z0-9_](?:[a-z0-9._-]{0,38}[a-z0-9_])?"
MOST_NAMES = 20


def concerns(request: Request, issue: Issue) -> bool:
    """Whether the issue is about one of the services to be deployed. In doubt it is."""
    concerned = services_of(issue)
    return not request.services or not concerned or not concerned.isdisjoint(request.services)


def services_of(issue: Issue) -> frozenset[str]:
    """Read which services an issue is about; empty: all of them.

    An answer that is not a plain list narrows nothing, whatever else is known.
    """
    told = single_words(issue.service_text)
    if (issue.service_text.strip() and not told) or any(map(means_everything, issue.services)):
        return frozenset()
    return frozenset({*issue.services, *told})


def judge(request: Request, issue: Issue, now: datetime) -> str:
    """Say what one issue means for the deploy, as a code. Overrides are not looked at yet."""
    marks = issue.labels
    if "drill" in marks:
        return Code.DRILL
    if "needs-confirmation" in marks:
        return Code.NEEDS_CONFIRMATION
    # A form's labels come with it, whoever submits it: an outsider's `deploy-freeze` is none.
    if "deploy-freeze" in marks and issue.trusted is not False:
        code = Code.DEPLOY_FREEZE
        if issue.until and issue.until <= now:
            return Code.EXPIRED
    elif "incident" not in marks:
        return Code.UNTRUSTED_REPORT
    elif "deploys-allowed" in marks:
        return Code.DEPLOYS_ALLOWED
    elif marks & request.severities:
        code = Code.SEVERITY
    elif marks & set(SEVERITIES):
        return Code.OTHER_SEVERITY
    elif issue.trusted is False:
        return Code.UNTRUSTED_REPORT
    elif issue.severity is None:
        code = Code.UNKNOWN_SEVERITY
    elif issue.severity in request.severities:
        code = Code.SEVERITY
    else:
        return Code.OTHER_SEVERITY
    if not concerns(request, issue):
        return Code.OTHER_SERVICE
    if request.environment and issue.environments and request.environment not in issue.environments:
        return Code.OTHER_ENVIRONMENT
    return code


def closes(pull: Pull, request: Request, number: int) -> bool:
    """Whether the pull request closes the incident by keyword.

    https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue
    """
    text = re.sub(r"(?s)<!--.*?-->", " ", pull.text)
    repository = re.escape(request.repository)
    targets = [rf"{repository}#", rf"https?://[^\s/]+/{repository}/issues/"]
    if request.source.casefold() == request.repository.casefold():
        targets += ["#", "GH-"]
    keyword = r"(?<!\w)(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+"
    return bool(re.search(rf"{keyword}(?:{'|'.join(targets)}){number}(?!\d)", text, re.IGNORECASE))


def excuse(
    request: Request, finding: Finding, context: Context, now: datetime
) -> tuple[Finding, list[str]]:
    """Look for an override of one freezing issue; also say which ones are over."""
    issue = finding.issue
    notes: list[str] = []
    pulls = (*request.pulls, *context.pulls)
    same = request.source.casefold() == request.repository.casefold()
    numbers = {pull.number for pull in pulls} if same else set()
    shas = set(request.shas).union(*(pull.shas for pull in pulls))

    def passed(code: str, **details: Any) -> tuple[Finding, list[str]]:
        override = {"incident": issue.number, "kind": code, "actor": request.actor, **details}
        return Finding(issue=issue, code=code, override=override), notes

    if request.intent == "rollback":
        return passed(Code.ROLLBACK)
    for entry in issue.allow:
        sha, number = entry.get("sha"), entry.get("pr")
        hexes = isinstance(sha, str) and re.fullmatch(r"[0-9a-f]{7,64}", sha.lower())
        if not (
            (hexes and any(s.lower().startswith(str(sha).lower()) for s in shas))
            or (type(number) is int and number in numbers)
        ):
            continue
        what = f"#{number}" if type(number) is int else plain(sha, 12)
        by, until = login(entry.get("by")), parse_time(entry.get("until"))
        if until is None or until <= now:
            over = f"is over since {clock(until)}" if until else "has no expiry that can be read"
            notes.append(f"/allow {what} by {by or 'somebody'} on #{issue.number} {over}.")
            continue
        why = plain(entry.get("reason") or "", 200)
        return passed(Code.ALLOWED, change=what, by=by, reason=why, until=stamp(until))
    if request.intent == "fix" and "incident" in issue.labels:
        for pull in pulls:
            if pull.number in issue.fixes and same:
                return passed(Code.FIX, change=f"#{pull.number}", reason="linked to the incident")
            if closes(pull, request, issue.number):
                return passed(Code.FIX, change=f"#{pull.number}", reason="closes the incident")
        notes.append(
            f"intent: fix needs a pull request that is linked to #{issue.number}:"
            f' a member of the team writes "Fixes #{issue.number}" in its description, or'
            f" comments `/did deployed #PR -> RESULT` on #{issue.number}."
        )
    if request.actor and request.actor.casefold() in issue.deployers:
        return passed(Code.MAY_DEPLOY, reason="named in the freeze")
    return finding, notes


def decide(
    request: Request, issues: Iterable[Issue], now: datetime, context: Context = NO_CONTEXT
) -> Verdict:
    """Decide whether the change may be deployed.

    Takes the request, the open issues and an aware `now`; a second call with what was looked up
    in between (`context`) also weighs the overrides that need it. Returns the Verdict. Pure.
    """
    notes: list[str] = list(context.notes)
    freezing: dict[int, Finding] = {}
    others: dict[int, str] = {}
    problems: list[str] = []
    for issue in issues:
        if issue.problem:
            problems.append(issue.problem)
            continue
        code = judge(request, issue, now)
        if code == Code.UNKNOWN_SEVERITY and issue.trusted is None:
            problems.append(f"the author of issue #{issue.number} can't be read")
        elif code in FREEZES:
            freezing.setdefault(issue.number, Finding(issue=issue, code=code, override=None))
        else:
            others[issue.number] = code
        if code == Code.EXPIRED:
            notes.append(f"The freeze #{issue.number} is over since {clock(issue.until)}.")

    if context.environments is not None and request.environment not in context.environments:
        others.update(dict.fromkeys(freezing, Code.OTHER_ENVIRONMENT))
        freezing = {}
    findings = []
    for finding in freezing.values():
        excused, more = excuse(request, finding, context, now)
        findings.append(excused)
        notes += more
    blocking = [finding for finding in findings if not finding.override]

    def verdict(name: str, code: str, reason: str, remedy: str = "") -> Verdict:
        shown = blocking or findings
        return Verdict(
            verdict=name,
            code=code,
            reason=reason,
            remedy=remedy,
            findings=tuple(shown),
            notes=tuple(dict.fromkeys(notes)),
        )

    if blocking:
        return verdict("frozen", blocking[0].code, f"Deploys are frozen by {told(blocking, now)}.")
    if request.intent == "rollback" and (findings or problems):
        by = told(findings, now) or "an answer of GitHub's that can't be judged"
        return verdict("rollback", Code.ROLLBACK, f"A rollback passes, in spite of {by}.")
    if problems:
        remedy = "Run this again; if it stays, look at the issue on GitHub."
        return verdict("error", Code.UNREADABLE, f"GitHub's answer: {problems[0]}.", remedy)
    if findings:
        how = "; ".join(describe_override(f.override) for f in findings if f.override)
        reason = f"This change passes {told(findings, now)}: {how}."
        return verdict("exempt", findings[0].code, reason)
    if others:
        first = next(iter(others.values()))
        return verdict("clear", first, f"Deploys are not frozen. {in_words(others)}.")
    return verdict("clear", Code.NOTHING_OPEN, "Deploys are not frozen: no incident is open.")


def failed(request: Request, error: GateError) -> Verdict:
    """Turn a failure to ask GitHub into a verdict. A rollback passes whatever GitHub would say."""
    rollback = request.intent == "rollback"
    reason = f"A rollback passes without asking: {error.what}" if rollback else error.what
    name = "rollback" if rollback else "error"
    return Verdict(
        verdict=name, code=error.code, reason=reason, remedy=error.remedy, findings=(), notes=()
    )


# ---------------------------------------------------------------------------------------------
# Words.


def clock(when: datetime | None) -> str:
    """Write a time for people, in UTC."""
    return when.strftime("%Y-%m-%d %H:%M UTC") if when else "unknown"


def stamp(when: datetime) -> str:
    """Write a time for programs, ISO 8601 in UTC."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def age(since: datetime | None, now: datetime) -> str:
    """Write how long ago something was: `43 min`, `3 h 5 min`, `2 d 4 h`."""
    minutes = max(0, int((now - since).total_seconds() // 60)) if since else 0
    hours, days = minutes // 60, minutes // 1440
    if minutes < 60:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60} min" if hours < 48 else f"{days} d {hours % 24} h"


NOT_FREEZING = {
    Code.DEPLOYS_ALLOWED: "does not freeze: somebody let deploys through",
    Code.DRILL: "is a drill",
    Code.NEEDS_CONFIRMATION: "is a report from outside that waits for `/confirm`",
    Code.UNTRUSTED_REPORT: "is a report from outside that waits for `/confirm`",
    Code.OTHER_SEVERITY: "is of a severity that does not freeze",
    Code.OTHER_SERVICE: "is about another service",
    Code.OTHER_ENVIRONMENT: "is about another environment",
    Code.EXPIRED: "is over",
}


def in_words(others: dict[int, str]) -> str:
    """Say why open issues do not freeze: `#3 is a drill; #5 (and 2 more) is over`."""
    told = []
    for words in dict.fromkeys(NOT_FREEZING[code] for code in others.values()):
        same = [number for number, code in others.items() if NOT_FREEZING[code] == words]
        more = f" (and {len(same) - 1} more)" if len(same) > 1 else ""
        told.append(f"#{same[0]}{more} {words}")
    return "; ".join(told)


def rank(finding: Finding) -> str:
    """Name what kind of freeze this is."""
    if finding.issue.severity:
        return str(finding.issue.severity).upper()
    return "deploy freeze" if "deploy-freeze" in finding.issue.labels else "severity unknown"


def told(findings: Sequence[Finding], now: datetime) -> str:
    """Name the freezing issues in one line: the first in full, the others by number."""
    if not findings:
        return ""
    first = findings[0].issue
    who = f", @{first.commander} commands" if first.commander else ", nobody commands yet"
    if "incident" not in first.labels:
        who = f", until {clock(first.until)}" if first.until else ""
    since = f"for {age(first.since, now)}" if first.since else "since an unknown time"
    line = f"#{first.number} {rank(findings[0])} “{first.title}” ({since}{who})"
    more = [f"#{finding.issue.number}" for finding in findings[1:6]]
    rest = f" and {len(findings) - 6} more" if len(findings) > 6 else ""
    return line + (f", also {', '.join(more)}{rest}" if more else "")


def describe_override(override: dict[str, Any]) -> str:
    """Say in one line who let the change through, until when, and why."""
    kind, why = override["kind"], override.get("reason")
    change, by, until = (override.get(key) for key in ("change", "by", "until"))
    line = {
        Code.ALLOWED: f"/allow {change} by @{by or 'somebody'} until {until}",
        Code.FIX: f"fix {change}",
        Code.ROLLBACK: f"a rollback by @{override.get('actor') or 'somebody'}",
        Code.MAY_DEPLOY: f"@{override.get('actor')} may deploy",
    }[kind]
    return f"#{override['incident']} {line}" + (f" ({why})" if why else "")


def ways_out(request: Request, verdict: Verdict) -> list[str]:
    """List what a deployer can do about the freeze, the fastest first."""
    same = request.source.casefold() == request.repository.casefold()
    sha = max(request.shas, default="SHA", key=len)[:10]
    change = f"#{request.pulls[0].number}" if request.pulls and same else sha
    incidents = [f.issue for f in verdict.findings if "incident" in f.issue.labels]
    lines = ["Roll back: deploy the last good version with `intent: rollback`."]
    if incidents:
        number = incidents[0].number
        lines.append(
            f"Let this change through: comment `/allow {change} for 2h REASON` on #{number}; or,"
            f" when its pull request says `Fixes #{number}`, deploy it with `intent: fix`."
        )
        lines.append(
            f"End the freeze: comment `/thaw REASON` on #{number}, or resolve it with `/resolve`."
        )
        lines.append("After a comment: wait for its 👍, then re-run this job.")
    for issue in [f.issue for f in verdict.findings if "incident" not in f.issue.labels][:3]:
        until = f" It ends by itself at {clock(issue.until)}." if issue.until else ""
        who = ", ".join(f"@{name}" for name in sorted(issue.deployers))
        named = f" {who} may deploy." if who else ""
        lines.append(f"End the freeze #{issue.number}: close the issue.{named}{until}")
    return lines


def incidents_json(verdict: Verdict) -> list[dict[str, Any]]:
    """List the freezing issues as the `incidents` output has them."""
    issues = [finding.issue for finding in verdict.findings]
    return [
        {"number": i.number, "title": i.title, "severity": i.severity, "url": i.url} for i in issues
    ]


def is_frozen(verdict: Verdict, on_error: str) -> bool:
    """Whether this deploy should be held: the `frozen` output."""
    return verdict.verdict == "frozen" or (verdict.verdict == "error" and on_error == "block")


def as_json(verdict: Verdict, on_error: str = "block") -> dict[str, Any]:
    """Write the verdict for programs; `v` grows when a key changes its meaning."""
    return {
        "v": VERSION,
        "verdict": verdict.verdict,
        "frozen": is_frozen(verdict, on_error),
        "code": verdict.code,
        "reason": verdict.reason,
        "remedy": verdict.remedy,
        "incidents": incidents_json(verdict),
        "overrides": verdict.overrides,
        "notes": list(verdict.notes),
    }


def markdown(text: str) -> str:
    """Escape text from outside for Markdown: no markup, no HTML, no link, no mention."""
    text = re.sub(r"[\\`*_\[\]|~$]|:(?=//)|(?<=www)\.", r"\\\g<0>", text, flags=re.IGNORECASE)
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace("@", "@\u200b")


def summary(request: Request, verdict: Verdict, now: datetime) -> str:
    """Write the job summary, in Markdown."""
    heads = {"clear": "✅ Deploys are not frozen", "frozen": "🛑 Deploys are frozen"}
    heads.update(exempt="⚠️ This change passes the freeze", rollback="⚠️ A rollback passes")
    lines = [f"### {heads.get(verdict.verdict, '❓ The deploy gate could not decide')}", ""]
    if verdict.findings:
        lines += ["| | | Severity | Since | Commander |", "|---|---|---|---|---|"]
        for finding in verdict.findings[:20]:
            issue = finding.issue
            link = f"[#{issue.number}]({issue.url})" if issue.url else f"#{issue.number}"
            since = f"{clock(issue.since)} ({age(issue.since, now)})" if issue.since else "unknown"
            nobody = "nobody yet" if "incident" in issue.labels else "-"
            cells = [link, markdown(issue.title), rank(finding), since]
            lines.append(f"| {' | '.join(cells)} | {markdown(issue.commander or nobody)} |")
        if len(verdict.findings) > 20:
            lines.append(f"\n… and {len(verdict.findings) - 20} more.")
        lines.append("")
    else:
        lines += [markdown(verdict.reason), ""]
    if verdict.remedy:
        lines += [markdown(verdict.remedy), ""]
    if verdict.verdict == "frozen":
        lines += [*(f"- {line}" for line in ways_out(request, verdict)), ""]
    lines += [f"- {markdown(describe_override(o))}" for o in verdict.overrides]
    lines += [f"- {markdown(note)}" for note in verdict.notes]
    return "\n".join(lines).rstrip() + "\n"


# ---------------------------------------------------------------------------------------------
# The shell: inputs, GitHub, outputs.


class Settings(SimpleNamespace):
    """How to ask and how to answer. Never printed: it holds the token."""

    api: str
    server: str
    token: str
    mode: str
    on_error: str
    config: str
    budget: float  # seconds, for all requests of one decision
    wait: float  # minutes to poll until the freeze ends
    json: bool
    output: str
    summary: str
    run_url: str


INPUTS = (  # name, default, help
    ("service", "", "what is deployed: one service, or several separated by commas"),
    ("environment", "", "where it is deployed to"),
    ("intent", "deploy", "deploy, rollback or fix"),
    ("severities", "sev1,sev2", "the severities that freeze"),
    ("mode", "enforce", "enforce blocks, report only tells"),
    ("on-error", "block", "block or allow, when GitHub can't be asked"),
    ("repository", "", "where the incidents live, OWNER/NAME (default: GITHUB_REPOSITORY)"),
    ("config", ".github/incident.yml", "path of the configuration in that repository"),
    ("wait-minutes", "0", "poll this long until the freeze ends"),
    ("budget", "20", "seconds that all requests of one decision may take"),
)


def read_flags(argv: Sequence[str]) -> dict[str, Any]:
    """Read the command line; each input is a flag. Exit code 2 for an unknown one."""
    import argparse  # not needed in a workflow, where inputs come through the environment

    parser = argparse.ArgumentParser(
        prog="incident-actions gate",
        description="May this change be deployed now? Exit code 0: yes; 1: no; 2: wrong input;"
        " 3: GitHub could not be asked. Each flag is also an environment variable, INPUT_NAME;"
        " the token is read from INPUT_TOKEN or GITHUB_TOKEN.",
    )
    for name, default, text in INPUTS:
        shown = f" (default: {default})" if default else ""
        parser.add_argument(f"--{name}", help=text + shown)
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON")
    return vars(parser.parse_args(argv))


def choice(name: str, value: str, allowed: Sequence[str]) -> str:
    """Check that an input is one of a few words."""
    if value.lower() not in allowed:
        known = ", ".join(allowed)
        raise BadInputError(f"`{name}` is {plain(value, 40)!r}.", f"Use one of: {known}.")
    return value.lower()


def number_input(name: str, value: str, most: float) -> float:
    """Check that an input is a number from 0 to `most`."""
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", value) or float(value) > most:
        raise BadInputError(
            f"`{name}` is {plain(value, 40)!r}.", f"Use a number from 0 to {most:g}."
        )
    return float(value)


def repository_input(name: str, value: str) -> str:
    """Check that an input names a repository."""
    if not re.fullmatch(r"[\w-][\w.-]*/(?!\.\.?$)[\w.-]+", value, re.ASCII):
        what = f"`{name}` is {plain(value, 80)!r}." if value else f"`{name}` is empty."
        raise BadInputError(what, "Name the repository of the incidents as OWNER/NAME.")
    return value


def read_event(env: Mapping[str, str]) -> tuple[tuple[Pull, ...], frozenset[str]]:
    """Read the pull request and commits that a `pull_request` or `merge_group` event is about.

    https://docs.github.com/en/actions/writing-workflows/choosing-when-your-workflow-runs/events-that-trigger-workflows#merge_group
    """
    name = env.get("GITHUB_EVENT_NAME", "")
    if name not in ("pull_request", "pull_request_target", "merge_group"):
        return (), frozenset()
    try:
        with open(env.get("GITHUB_EVENT_PATH", ""), encoding="utf-8-sig") as file:
            event = json.load(file)
        if not isinstance(event, dict):
            raise ValueError("not an object")
    except (OSError, ValueError, RecursionError) as error:
        what = f"The event file (GITHUB_EVENT_PATH) can't be read: {plain(error)}."
        raise BadInputError(
            what, "Run the gate in a workflow, or leave GITHUB_EVENT_NAME out."
        ) from None
    pull = read_pull(event.get("pull_request"))
    group = event.get("merge_group")
    if isinstance(group, dict) and isinstance(group.get("head_ref"), str):
        found = re.search(r"/pr-(\d+)-[0-9a-f]+$", group["head_ref"])
        sha = group.get("head_sha")
        pull = Pull(number=int(found[1]), shas=frozenset(), text="") if found else None
        return (pull,) if pull else (), frozenset([sha] if isinstance(sha, str) else ())
    return ((pull,), pull.shas) if pull else ((), frozenset())


def read_inputs(argv: Sequence[str], env: Mapping[str, str]) -> tuple[Settings, Request]:
    """Read flags and environment. Raises BadInputError, which says what to do."""
    flags = read_flags(argv) if argv else {}

    def read(name: str, default: str = "") -> str:
        key = name.replace("-", "_")
        tried = (flags.get(key), env.get(f"INPUT_{key.upper()}"), env.get(f"INPUT_{name.upper()}"))
        return next((value.strip() for value in tried if value and value.strip()), default)

    value = {name: read(name, default) for name, default, _ in INPUTS}
    token = read("token") or env.get("GITHUB_TOKEN", "").strip()
    if not token:
        remedy = "Pass `token: ${{ github.token }}`, or set GITHUB_TOKEN."
        raise BadInputError("There is no token to ask GitHub with.", remedy)
    if not re.fullmatch(r"[!-~]+", token):
        remedy = "Check the secret for spaces or line ends."
        raise BadInputError("The token holds characters that no token has.", remedy)
    severities = frozenset(re.findall(r"[^\s,]+", value["severities"].lower()))
    if not severities or severities - set(SEVERITIES):
        what = f"`severities` is {plain(value['severities'], 40)!r}."
        raise BadInputError(what, "List some of sev1, sev2, sev3, separated by commas.")
    source = env.get("GITHUB_REPOSITORY", "").strip()
    repository = repository_input("repository", value["repository"] or source)
    api = (env.get("GITHUB_API_URL", "").strip() or "https://api.github.com").rstrip("/")
    try:
        parts = urlsplit(api)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or not re.fullmatch(r"[!-~]+", api):
        shown = re.sub(r"//.*@", "//", api)  # a password may stand there
        what = f"GITHUB_API_URL is {plain(shown, 80)!r}."
        raise BadInputError(what, "Give the address of the API, such as https://api.github.com.")
    if ".." in value["config"].split("/"):
        raise BadInputError("`config` leaves the repository.", "Name a path inside it.")
    pulls, shas = read_event(env)
    sha = env.get("GITHUB_SHA", "").strip().lower()
    server = (env.get("GITHUB_SERVER_URL", "").strip() or "https://github.com").rstrip("/")
    run = env.get("GITHUB_RUN_ID", "")
    settings = Settings(
        api=api,
        server=server,
        token=token,
        mode=choice("mode", value["mode"], ("enforce", "report")),
        on_error=choice("on-error", value["on-error"], ("block", "allow")),
        config=value["config"],
        budget=number_input("budget", value["budget"], 600),
        wait=number_input("wait-minutes", value["wait-minutes"], 360),
        json=bool(flags.get("json")),
        output=env.get("GITHUB_OUTPUT", ""),
        summary=env.get("GITHUB_STEP_SUMMARY", ""),
        run_url=f"{server}/{source}/actions/runs/{run}" if source and run.isdigit() else "",
    )
    request = Request(
        repository=repository,
        source=source or repository,
        services=tuple(normal(s) for s in value["service"].split(",") if s.strip()),
        environment=normal(value["environment"]),
        intent=choice("intent", value["intent"], ("deploy", "rollback", "fix")),
        severities=severities,
        shas=shas | {sha} if sha else shas,
        pulls=pulls,
        actor=env.get("GITHUB_TRIGGERING_ACTOR", "") or env.get("GITHUB_ACTOR", ""),
    )
    return settings, request


NOT_SEEN = (
    Code.NOT_FOUND,
    "This token sees no issues in",
    "Check `repository`. The job's own token sees its own repository only, with `permissions:"
    " issues: read`; for a private one elsewhere pass another `token:`.",
)
ANSWERS = {  # status: code, what happened, what to do
    401: (Code.UNAUTHORIZED, "GitHub does not accept the token for", "Pass a valid `token:`."),
    403: (
        Code.FORBIDDEN,
        "The token may not read the issues of",
        "Give the job `permissions: issues: read`.",
    ),
    404: NOT_SEEN,
    410: NOT_SEEN,
}


class Client:
    """Asks GitHub: three tries with growing waits, all within one budget of seconds.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
    """

    TRIES = 3
    WAITS = (1.0, 3.0)  # seconds, before the second and the third try

    def __init__(self, settings: Settings, repository: str, env: Mapping[str, str]) -> None:
        self.settings, self.repository, self.env = settings, repository, env
        self.deadline = time.monotonic() + settings.budget
        self.open: set[Any] = set()  # sockets, so that the budget can cut them
        self.tls: Any = None

    def left(self) -> float:
        """How many seconds of the budget are left."""
        return self.deadline - time.monotonic()

    def get(self, path: str) -> tuple[Any, str]:
        """Get one answer: the JSON value and its Link header. Raises GateError."""
        error = GateError(Code.TIMEOUT, "GitHub was not asked: no time is left.", "Raise `budget`.")
        for tries_left in range(self.TRIES, 0, -1):
            if self.left() <= 0:
                break
            try:
                return self.once(path, max(0.1, self.left() / tries_left))
            except GateError as failure:
                error = failure
            if error.wait is None or tries_left == 1:
                break
            wait = max(error.wait, self.WAITS[self.TRIES - tries_left])
            if wait >= self.left():
                break
            time.sleep(wait)
        raise error

    def once(self, path: str, timeout: float) -> tuple[Any, str]:
        """Ask once, following the redirects of a renamed repository on the same host."""
        url = self.settings.api + path
        for _ in range(4):
            status, headers, body = self.exchange(url, timeout)
            if status not in (301, 302, 307, 308):
                return self.read(status, headers, body)
            target = urljoin(url, headers.get("location") or "")
            if urlsplit(target)[:2] != urlsplit(url)[:2]:  # the token stays with this host
                break
            url = target
        what = "GitHub's API sends us elsewhere."
        raise GateError(Code.UNEXPECTED, what, "Check GITHUB_API_URL and `repository`.")

    def exchange(self, url: str, timeout: float) -> tuple[int, Any, bytes]:
        """Send one request, read one answer; whatever goes wrong on the wire is a GateError."""
        parts = urlsplit(url)
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
        connection, wire = None, None
        try:
            connection, proxied = self.connection(parts, timeout)
            connection.connect()
            wire = connection.sock
            self.open.add(wire)
            target = url if proxied else parts.path + (f"?{parts.query}" if parts.query else "")
            connection.request("GET", target, headers=self.headers())
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self.wire_error(error, host) from None
        finally:
            self.open.discard(wire)
            if connection is not None:
                connection.close()

    def headers(self) -> dict[str, str]:
        """https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api"""
        return {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {self.settings.token}",
            "Connection": "close",
            "User-Agent": "incident-actions-gate",
            "X-GitHub-Api-Version": "2022-11-28",
        }

    def connection(self, parts: Any, timeout: float) -> tuple[http.client.HTTPConnection, bool]:
        """Prepare a connection, through the proxy that the environment names, if any."""
        proxy = self.proxy(parts)
        secure = parts.scheme == "https"
        if secure and self.tls is None:
            import ssl

            bundle = self.env.get("SSL_CERT_FILE") or self.env.get("REQUESTS_CA_BUNDLE")
            self.tls = ssl.create_default_context()
            if bundle:
                self.tls.load_verify_locations(bundle)
        via = proxy or parts
        port = via.port or (443 if secure and not proxy else 80)
        if not secure:
            plain_connection = http.client.HTTPConnection(via.hostname, port, timeout=timeout)
            return plain_connection, proxy is not None
        connection = http.client.HTTPSConnection(
            via.hostname, port, timeout=timeout, context=self.tls
        )
        if proxy:
            import base64
            from urllib.parse import unquote

            user = f"{unquote(proxy.username or '')}:{unquote(proxy.password or '')}"
            login = {"Proxy-Authorization": "Basic " + base64.b64encode(user.encode()).decode()}
            tunnel = login if proxy.username else {}
            connection.set_tunnel(parts.hostname, parts.port or 443, headers=tunnel)
        return connection, False

    def proxy(self, parts: Any) -> Any:
        """The proxy for this address, or None."""
        key = f"{parts.scheme}_proxy"
        found = self.env.get(key) or self.env.get(key.upper()) or ""
        if not found:
            return None
        skip = self.env.get("no_proxy") or self.env.get("NO_PROXY") or ""
        host = f".{parts.hostname}".lower()
        for name in (entry.strip().lower() for entry in skip.split(",")):
            bare = name.partition(":")[0].lstrip("*").lstrip(".")
            if name == "*" or (bare and host.endswith(f".{bare}")):
                return None
        return urlsplit(found if "//" in found else f"//{found}")

    def wire_error(self, error: Exception, host: str) -> GateError:
        """Say what went wrong on the way to GitHub, and what helps."""
        name = type(error).__name__
        if name == "SSLCertVerificationError":
            what = f"The certificate of {host} can't be verified."
            remedy = "Set SSL_CERT_FILE to your company's certificate file."
            return GateError(Code.CERTIFICATE, what, remedy)
        remedy = "Check GitHub's status, the network, and the proxy variables (https_proxy)."
        if isinstance(error, TimeoutError) or "timed out" in str(error) or self.left() <= 0:
            return GateError(Code.TIMEOUT, f"{host} did not answer in time.", remedy, wait=0)
        what = f"{host} can't be reached: {plain(error) or name}."
        return GateError(Code.UNREACHABLE, what, remedy, wait=0)

    def read(self, status: int, headers: Any, body: bytes) -> tuple[Any, str]:
        """Read an answer, or raise the GateError that its status means."""
        if status == 200:
            try:
                return json.loads(body), headers.get("link") or ""
            except (ValueError, RecursionError):
                what = "GitHub's API answered with something that is not JSON."
                remedy = "Check GITHUB_API_URL, and whether a proxy answers in GitHub's place."
                raise GateError(Code.UNREADABLE, what, remedy, wait=0) from None
        after = headers.get("retry-after") or ""
        told = float(after) if re.fullmatch(r"\d{1,6}", after) else None
        spent = headers.get("x-ratelimit-remaining") == "0"
        limited = spent or after or b"rate limit" in body[:1000].lower()
        if status == 429 or (status == 403 and limited):
            reset = headers.get("x-ratelimit-reset") or ""
            if told is None and spent and re.fullmatch(r"\d{1,12}", reset):
                told = float(reset) - time.time()
            wait = max(1.0, told or 0.0)
            what = f"GitHub asks us to slow down ({status}, for {wait:.0f} s)."
            remedy = "Wait and run this again, or pass a token with a limit of its own."
            raise GateError(Code.RATE_LIMITED, what, remedy, wait=wait)
        if status >= 500:
            what = f"GitHub is in trouble itself (it answered {status})."
            remedy = "Look at GitHub's status page and run this again."
            raise GateError(Code.SERVER_ERROR, what, remedy, wait=told or 0.0)
        unknown = (Code.UNEXPECTED, "GitHub gave an unknown answer about", "Check GITHUB_API_URL.")
        code, what, remedy = ANSWERS.get(status, unknown)
        raise GateError(code, f"{what} {self.repository} ({status}).", remedy)

    def together(self, calls: Sequence[Callable[[], Any]]) -> list[Any]:
        """Make calls at the same time, at most four; each gives its value or its GateError.

        No thread is left behind: when the budget is over, the connections are cut.
        """
        late = GateError(Code.TIMEOUT, "GitHub did not answer in time.", "Run this again.")
        results: list[Any] = [late] * len(calls)
        todo = list(enumerate(calls))[::-1]

        def work() -> None:
            while todo:
                try:
                    index, call = todo.pop()
                except IndexError:  # another thread took the last one
                    return
                try:
                    results[index] = call()
                except GateError as error:
                    results[index] = error
                except Exception as error:
                    results[index] = internal(error)

        threads = [threading.Thread(target=work, daemon=True) for _ in calls[:4]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(max(0.0, self.left()) + 0.2)
        if any(thread.is_alive() for thread in threads):
            todo.clear()
            for wire in list(self.open):
                try:
                    wire.shutdown(2)  # in both directions
                except OSError:
                    self.open.discard(wire)  # it was closed already
            for thread in threads:
                thread.join(0.2)
        return results


def internal(error: Exception) -> GateError:
    """Wrap a mistake of our own: it must never pass as clear."""
    what = f"The gate itself failed: {type(error).__name__}: {plain(error)}."
    return GateError(Code.INTERNAL, what, "Please report this; `on-error: allow` gets you past it.")


def linked(link: str, relation: str) -> dict[str, list[str]]:
    """Read the query of one relation in a Link header; empty when there is none.

    https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
    """
    for part in link.split(","):
        found = re.search(r"<([^>]*)>", part)
        if found and re.search(rf'rel="?{relation}"?(?:;|$)', part.strip()):
            return parse_qs(urlsplit(found[1]).query)
    return {}


PER_PAGE, MOST_PAGES = 100, 100


def page_of(client: Client, label: str, query: Mapping[str, str]) -> tuple[list[Any], str, int]:
    """Read one page of open issues: the issues, the Link header, and how many items there were."""
    base = {"state": "open", "labels": label, "per_page": str(PER_PAGE), **query}
    path = f"/repos/{client.repository}/issues?{urlencode(base)}"
    items, link = client.get(path)
    if not isinstance(items, list):
        what = "GitHub's API answered with something that is not a list of issues."
        raise GateError(Code.UNREADABLE, what, "Check GITHUB_API_URL and `repository`.")
    issues = [issue for issue in map(read_issue, items) if issue is not None]
    return issues, link, len(items)


def rest_of(client: Client, label: str, first: tuple[list[Any], str, int]) -> list[Any]:
    """List the calls that read the pages after the first one."""
    _, link, count = first
    last = linked(link, "last").get("page", ["0"])[0]
    if re.fullmatch(r"\d{1,4}", last) and 1 < int(last) <= MOST_PAGES:
        pages = [str(page) for page in range(2, int(last) + 1)]
        return [lambda page=page: page_of(client, label, {"page": page})[0] for page in pages]
    if not linked(link, "next") and count < PER_PAGE:
        return []

    def one_by_one() -> list[Any]:
        found: list[Any] = []
        after, size = link, count
        for page in range(2, MOST_PAGES + 1):
            following = linked(after, "next")
            if not following and size < PER_PAGE:
                return found
            # Only how to page on is taken from the link: the address stays ours.
            query = {k: v[0] for k, v in following.items() if k in ("page", "after", "cursor")}
            issues, after, size = page_of(client, label, query or {"page": str(page)})
            found += issues
        what = f"More than {PER_PAGE * MOST_PAGES} open incidents."
        raise GateError(Code.UNREADABLE, what, "Close the ones that are over.")

    return [one_by_one]


def all_of(results: list[Any]) -> list[Any]:
    """Return the results, or raise the first failure."""
    for result in results:
        if isinstance(result, GateError):
            raise result
    return results


def open_issues(client: Client) -> list[Issue]:
    """Read the open issues that may freeze: two requests, unless there are over a hundred."""
    marks = ("incident", "deploy-freeze")
    calls = [lambda mark=mark: page_of(client, mark, {}) for mark in marks]
    firsts = all_of(client.together(calls))
    more = [call for mark, first in zip(marks, firsts) for call in rest_of(client, mark, first)]
    pages = [first[0] for first in firsts] + (all_of(client.together(more)) if more else [])
    return [issue for page in pages for issue in page]


def look_further(client: Client, request: Request, verdict: Verdict, now: datetime) -> Context:
    """Look up what may excuse a frozen deploy. What fails here leaves it frozen, and is said."""
    here, source = f"/repos/{request.repository}", f"/repos/{request.source}"
    paths = {"schedule": f"{here}/actions/runs?event=schedule&per_page=1"}
    if request.environment:
        paths["config"] = f"{here}/contents/{quote(client.settings.config)}"
    if request.intent == "fix" or any(finding.issue.allow for finding in verdict.findings):
        queued = [pull.number for pull in request.pulls if not pull.shas]
        if queued:
            paths["pull"] = f"{source}/pulls/{queued[0]}"
        elif request.shas and not request.pulls:
            paths["pull"] = f"{source}/commits/{quote(min(request.shas), safe='')}/pulls"
    calls = [lambda path=path: client.get(path)[0] for path in paths.values()]
    answers = dict(zip(paths, client.together(calls)))

    notes, pulls = [], answers.get("pull", [])
    if isinstance(pulls, dict):
        pulls = [pulls]
    if not isinstance(pulls, list):
        what = getattr(pulls, "what", "GitHub gave no list.")
        notes.append(f"The pull request of this commit can't be looked up: {what}")
        notes.append("Give the job `permissions: pull-requests: read` and `contents: read`.")
        pulls = []
    environments, note = freezing_environments(answers.get("config"))
    notes += [note] if note else []
    last = last_schedule(answers["schedule"])
    if last and now - last > SCHEDULE_IS_LATE:
        notes.append(
            f"Scheduled workflows last ran {age(last, now)} ago: reminders, and freezes that end"
            " by themselves, may be late. Start the incident workflow by hand."
        )
    return Context(
        pulls=tuple(pull for pull in map(read_pull, pulls) if pull),
        environments=environments,
        notes=tuple(notes),
    )


def last_schedule(answer: object) -> datetime | None:
    """Read when a scheduled workflow last ran, or None; a failure is silent.

    https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
    """
    runs = answer.get("workflow_runs") if isinstance(answer, dict) else None
    run = runs[0] if isinstance(runs, list) and runs else None
    return parse_time(run.get("created_at")) if isinstance(run, dict) else None


def freezing_environments(answer: Any) -> tuple[tuple[str, ...] | None, str]:
    """Read `freeze: environments:` from the configuration; None: every environment freezes.

    Takes GitHub's answer for the file, or a GateError. Returns the list, and a note if the file
    can't be read. https://docs.github.com/en/rest/repos/contents#get-repository-content
    """
    if answer is None or (isinstance(answer, GateError) and answer.code == Code.NOT_FOUND):
        return None, ""
    import binascii

    try:
        text = binascii.a2b_base64(answer["content"]).decode("utf-8-sig")
        return environments_of(text), ""
    except (TypeError, KeyError, ValueError):
        note = "`freeze: environments:` can't be read, so every environment counts as frozen."
        return None, note


def environments_of(text: str) -> tuple[str, ...] | None:
    """Read the one list that the gate needs out of YAML; None when there is none, or an empty one.

    Raises ValueError when it is not written plainly, as `[a, b]` or one `- a` on each line.
    """
    text = re.sub(r"(?m)(?:^|[ \t])#.*$", "", text.replace("\r\n", "\n"))
    freeze = re.search(r"(?m)^freeze:[ \t]*(.*)\n?((?:[ \t].*\n?|\n)*)", text)
    if not freeze or not re.search(r"\benvironments\b", freeze[0]):
        return None
    within = freeze[1] + freeze[2]
    key = r"\A\{(?:(?:[^{}\[\]'\"]|\[[^\]{}'\"]*\])*,)?\s*"
    if not freeze[1].strip():  # one key a line: those below have its own indentation
        first = re.search(r"(?m)^([ \t]+)\S", freeze[2])
        key = rf"(?m)^{first[1] if first else ''}"
        within = freeze[2]
        if not re.search(rf"{key}environments\b", within):
            return None
    listing = r"environments:[ \t]*(\[[^\]]*\]|(?:\n[ \t]*(?:- .*)?)+)"
    found = re.search(key + listing, within)
    items = (
        [item.strip(" \t-'\"") for item in re.split(r"[,\n]", found[1].strip("[]"))]
        if found
        else []
    )
    kept = tuple(item.casefold() for item in items if item)
    if not found or not all(re.fullmatch(r"[\w./ -]+", item) for item in kept):
        raise ValueError("not a plain list")
    return kept or None


def ask(settings: Settings, request: Request, env: Mapping[str, str], now: datetime) -> Verdict:
    """Ask GitHub and decide; every failure is a verdict too."""
    try:
        client = Client(settings, request.repository, env)
        issues = open_issues(client)
        verdict = decide(request, issues, now)
        if verdict.verdict == "frozen":
            context = look_further(client, request, verdict, now)
            verdict = decide(request, issues, now, context)
    except GateError as error:
        return failed(request, error)
    except Exception as error:  # a mistake of ours must not let a deploy through
        return failed(request, internal(error))
    return verdict


def wait_until_clear(
    settings: Settings, request: Request, env: Mapping[str, str], now: Callable[[], datetime]
) -> Verdict:
    """Ask until deploys are not frozen or `wait-minutes` are over; tell changes, not each poll."""
    end = time.monotonic() + settings.wait * 60
    told_at, told_line = 0.0, ""
    while True:
        verdict = ask(settings, request, env, now())
        left = end - time.monotonic()
        passing = verdict.verdict == "error" and settings.on_error == "allow"
        final = verdict.verdict not in ("frozen", "error") or verdict.code in Code.FINAL
        if final or passing or left <= 0:
            return verdict
        line = " ".join(f"#{f.issue.number}" for f in verdict.findings) or verdict.code
        if line != told_line or time.monotonic() - told_at > 300:
            told_line, told_at = line, time.monotonic()
            print(f"Waiting up to {left / 60:.0f} min: {verdict.reason}", flush=True)
        time.sleep(min(30.0, left))


def annotate(level: str, title: str, message: str) -> None:
    """Print one annotation, escaped.

    https://docs.github.com/en/actions/writing-workflows/choosing-what-your-workflow-does/workflow-commands-for-github-actions
    """
    for sign, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A")):
        title, message = title.replace(sign, code), message.replace(sign, code)
    title = title.replace(":", "%3A").replace(",", "%2C")
    print(f"::{level} title={title}::{message}", flush=True)


def append(path: str, text: str) -> None:
    """Append to a file of the runner's; a failure is a warning, the verdict stands."""
    try:
        with open(path, "a", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except OSError as error:
        print(f"{path} can't be written: {error}", file=sys.stderr)


def write_outputs(path: str, values: Mapping[str, str]) -> None:
    """Write step outputs, each behind a delimiter that nobody can guess.

    https://docs.github.com/en/actions/writing-workflows/choosing-what-your-workflow-does/workflow-commands-for-github-actions#multiline-strings
    """
    mark = os.urandom(16).hex()
    append(path, "".join(f"{key}<<{mark}\n{value}\n{mark}\n" for key, value in values.items()))


def tell(settings: Settings, request: Request, verdict: Verdict, now: datetime) -> int:
    """Tell the verdict: log, annotation, outputs, job summary. Returns the exit code."""
    if settings.output:
        values = {
            "frozen": "true" if is_frozen(verdict, settings.on_error) else "false",
            "verdict": verdict.verdict,
            "reason": verdict.reason,
            "incidents": json.dumps(incidents_json(verdict)),
        }
        write_outputs(settings.output, values)
    if settings.summary:
        append(settings.summary, summary(request, verdict, now))
    if settings.json:
        print(json.dumps(as_json(verdict, settings.on_error), indent=2))

    enforced = settings.mode == "enforce"
    text = "\n".join([verdict.reason, *filter(None, [verdict.remedy]), *verdict.notes])
    if verdict.verdict == "frozen":
        link = next((f.issue.url for f in verdict.findings if f.issue.url), "")
        text = "\n".join([verdict.reason, *filter(None, [link]), *ways_out(request, verdict)])
        text = "\n".join([text, *verdict.notes])
        annotate("error" if enforced else "warning", "Deploys are frozen", text)
        return 1 if enforced else 0
    if verdict.verdict == "error":
        blocks = enforced and settings.on_error == "block"
        how = "" if blocks else " It lets this deploy pass, as `on-error` or `mode` say."
        level = "error" if blocks else "warning"
        annotate(level, "The deploy gate could not ask GitHub", text + how)
        return 3 if blocks else 0
    if verdict.verdict == "clear":
        print(text)
        return 0
    if not verdict.overrides:  # a rollback that did not wait for GitHub
        annotate("warning", "Rollback", text)
        return 0
    trace = {
        "v": VERSION,
        "sha": max(request.shas, default="", key=len),
        "intent": request.intent,
        "run": settings.run_url,
        "overrides": verdict.overrides,
    }
    print(text)
    annotate("notice", "incident-actions override", json.dumps(trace))
    return 0


def main(
    argv: Sequence[str] | None = None,
    env: Mapping[str, str] | None = None,
    now: datetime | None = None,
) -> int:
    """Run the gate. Returns the exit code: 0 pass, 1 blocked, 2 wrong input, 3 not asked."""
    env = os.environ if env is None else env
    try:
        fixed = env.get("INCIDENT_NOW", "").strip()
        now = now or parse_time(fixed)
        if fixed and parse_time(fixed) is None:
            raise BadInputError(f"INCIDENT_NOW is {plain(fixed, 40)!r}.", "Use ISO 8601.")
        settings, request = read_inputs(sys.argv[1:] if argv is None else argv, env)
    except BadInputError as error:
        annotate("error", "The deploy gate's input", f"{error.what} {error.remedy}")
        summary_path = env.get("GITHUB_STEP_SUMMARY", "")
        if summary_path:
            text = f"### The deploy gate can't run\n\n{markdown(error.what)} {error.remedy}\n"
            append(summary_path, text)
        return 2

    def read_clock() -> datetime:
        return now or datetime.now(timezone.utc)

    verdict = wait_until_clear(settings, request, env, read_clock)
    return tell(settings, request, verdict, read_clock())


if __name__ == "__main__":
    if hasattr(sys.stdout, "reconfigure"):  # a runner's locale may be plain ASCII
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # taking the interpreter apart would be a tenth of the whole run
