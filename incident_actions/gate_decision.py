"""The gate's decision, from the open issues that GitHub listed. Pure: no I/O, no clock.

`read_issue` turns one item of GitHub's list into a `ListedIssue`; `judge` says what that issue
means for the deploy; `excuse` looks for an override; `decide` makes one `GateVerdict` of all.
Asking GitHub is the work of `gate.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Literal

from incident_actions import gate
from incident_actions import gate_readers as read
from incident_actions import gate_words as words
from incident_actions.gate import DeployRequest, GateVerdict

if TYPE_CHECKING:
    from incident_actions.gate_inputs import SourcePull

# The reason codes of a verdict, and of each finding in it. There are no others.
Code = Literal[
    "severity", "unknown-severity", "deploy-freeze",  # an open issue freezes this deploy
    # An open issue does not freeze this deploy.
    "deploys-allowed", "drill", "needs-confirmation", "untrusted-report", "other-severity",
    "other-service", "other-environment", "expired",
    "allowed", "fix", "may-deploy", "rollback",  # it would, but an override lets this change pass
    "nothing-open",
    # GitHub could not be asked, or its answer could not be read.
    "unauthorized", "forbidden", "not-found", "rate-limited", "server-error", "unreachable",
    "certificate", "timeout", "unreadable", "unexpected",
    "bad-input", "internal",  # a wrong input, or a mistake in this program
]  # fmt: skip
ASSOCIATIONS = read.TRUSTED | {
    "CONTRIBUTOR", "FIRST_TIMER", "FIRST_TIME_CONTRIBUTOR", "MANNEQUIN", "NONE"
}  # fmt: skip
STATUSES = frozenset(
    f"status:{status}" for status in ("investigating", "identified", "monitoring", "resolved")
)
ASKED_FOR = frozenset({"incident", "deploy-freeze"})
FREEZES = frozenset({"severity", "unknown-severity", "deploy-freeze"})
# The headings of a form's fields for services and environments. They match only when the field
# asks for nothing else: "Which third-party service?" must not narrow a freeze.
SERVICES_HEADING = r"((affected|impacted|which) )*services?(\(s\))?( are| is)?( affected| down)?\??"
ENVIRONMENTS_HEADING = r"((affected|which) )*environments?(\(s\))?( are| is)?( frozen)?\??"


class ListedIssue(SimpleNamespace):
    """What the gate needs to know of an open issue."""

    number: int
    title: str
    url: str
    labels: frozenset[str]
    trusted: bool | None  # whether the body may be believed; None: the author is unknown
    severity: str | None
    services: tuple[str, ...]  # empty: all
    service_text: str  # the form's answer on services, as typed; empty once `respond` has read it
    environments: tuple[str, ...]  # empty: all
    since: datetime | None  # start of the incident, else its declaration, else of the issue
    commander: str | None  # a login
    until: datetime | None  # end of a freeze
    deployers: frozenset[str]  # logins that may deploy in spite of a freeze, lower case
    allow: tuple[dict[str, Any], ...]  # the `/allow` overrides, with keys such as sha, pr, until
    fixes: tuple[int, ...]  # numbers of pull requests that are linked to the incident
    problem: str  # why this item can't be judged; empty when it can


class IssueVerdict(SimpleNamespace):
    """What one open issue means for this deploy."""

    issue: ListedIssue
    code: Code
    override: dict[str, Any] | None  # who let this change through, and why; None: nobody


def read_issues(items: Iterable[object]) -> list[ListedIssue]:
    """Read the items of GitHub's issue list. Pull requests and closed issues are left out."""
    return [issue for issue in map(read_issue, items) if issue is not None]


def read_issue(item: Any) -> ListedIssue | None:
    """Read one item of GitHub's issue list; None when it is a pull request or closed.

    The body is read only if it may be believed (`is_trusted`). Never raises: an item that can't
    be judged has a `problem`.
    https://docs.github.com/en/rest/issues/issues#list-repository-issues
    """
    item = item if isinstance(item, dict) else {}  # then it has no number, which is a problem
    if isinstance(item.get("pull_request"), dict) or item.get("state") == "closed":
        return None
    keys = ("number", "labels", "body", "html_url", "title", "assignees")
    number, labels, body, url, title, assignees = map(item.get, keys)
    number = number if type(number) is int and number > 0 else 0
    named = labels if isinstance(labels, list) else [None]
    named = [label.get("name") if isinstance(label, dict) else label for label in named]
    marks = frozenset(map(gate.normal, read.kept(named, str)))
    trusted = is_trusted(item, marks)
    _, block, text = read.split_body(body if trusted and isinstance(body, str) else "")
    state, answers = read.read_state(block), read.sections(text)
    if state.get("number", number) != number:
        state = {}  # copied from another issue
    started, declared = (
        read.parse_time(read.dig(state, "times", key)) for key in ("started", "declared")
    )
    # Only the freeze form asks for an end and for people who may deploy. Text in another answer
    # may look like a heading: when there are two "may deploy" headings, nobody may.
    freeze_answers = [] if "incident" in marks else answers
    may_deploy = [text for heading, text in freeze_answers if "may deploy" in heading]
    environments = read.single_words(answer_to(ENVIRONMENTS_HEADING, freeze_answers))
    commanders = [read.dig(state, "roles", "commander"), *read.kept(assignees, dict)]
    problems = {
        "an issue has no number": not number,
        f"the labels of issue #{number} can't be read": len(read.kept(named, str)) < len(named),
        f"issue #{number} does not carry the label that was asked for": not marks & ASKED_FOR,
    }
    return ListedIssue(
        number=number,
        title=gate.plain(title) if isinstance(title, str) and title.strip() else "(no title)",
        url=gate.plain(url, 300) if re.fullmatch(r"https?://[\w./:%-]+", str(url)) else "",
        labels=marks,
        trusted=trusted,
        severity=severity_of(marks, answers),
        services=prefixed("service:", marks)
        + tuple(filter(None, map(gate.normal, read.kept(state.get("services"), str)))),
        # Once there is a state, `respond` has read the form: corrections are in the state.
        service_text="" if state else answer_to(SERVICES_HEADING, answers),
        environments=prefixed("environment:", marks) + environments,
        since=started or declared or read.parse_time(item.get("created_at")),
        commander=next(filter(None, map(read.login, commanders)), None),
        until=read.parse_until(answer_to(".*until.*", freeze_answers)),
        deployers=read.people(may_deploy[0]) if len(may_deploy) == 1 else frozenset(),
        allow=read.kept(state.get("allow"), dict),
        fixes=read.kept(state.get("fixes"), int),
        problem=next((problem for problem, exists in problems.items() if exists), ""),
    )


def is_trusted(item: dict[str, Any], marks: frozenset[str]) -> bool | None:
    """Decide whether an issue's text may be believed; None: GitHub does not say who wrote it.

    `marks` are its labels in lower case. Only the team can set labels, so a status label means
    that the team accepted the issue. That counts even for an author whom GitHub does not show as
    a member of the team: memberships may be hidden.
    """
    association = str(item.get("author_association"))
    if "incident" in marks and marks & STATUSES and "needs-confirmation" not in marks:
        return True
    if association in read.TRUSTED or read.dig(item, "user", "type") == "Bot":
        return True
    return False if association in ASSOCIATIONS else None


def severity_of(marks: frozenset[str], answers: list[tuple[str, str]]) -> str | None:
    """Find the severity: that of the worst label, else the worst one in any answer of the form.

    None when there is none, or when a field named "severity" can't be read: an unknown severity
    freezes, so it counts as worse than one that was read in another field.
    """
    labelled = [severity for severity in gate.SEVERITIES if severity in marks]
    if labelled or "incident" not in marks:
        return labelled[0] if labelled else None
    answered = [(heading, read.read_severity(answer)) for heading, answer in answers]
    if any("severity" in heading and not severity for heading, severity in answered):
        return None
    return min((severity for _, severity in answered if severity), default=None)


def answer_to(heading: str, answers: list[tuple[str, str]]) -> str:
    """Join the answers whose headings match a pattern: one text, with line ends between them."""
    return "\n".join(text for title, text in answers if re.fullmatch(heading, title))


def prefixed(prefix: str, marks: frozenset[str]) -> tuple[str, ...]:
    """List the labels that begin with a prefix, sorted and without it."""
    named = {m[len(prefix) :].strip() for m in marks if m.startswith(prefix)}
    return tuple(sorted(named - {""}))


def concerns(request: DeployRequest, issue: ListedIssue) -> bool:
    """Whether an issue is about one of the services to be deployed.

    True when either side names no services: nothing named means all services.
    """
    concerned = services_of(issue)
    return not request.services or not concerned or not concerned.isdisjoint(request.services)


def services_of(issue: ListedIssue) -> frozenset[str]:
    """The services that an issue is about; empty: all of them.

    When the form's answer is not a plain list of names, or a label or the state names what can be
    no service, the issue is about all services, whatever else it names.
    """
    told = read.single_words(issue.service_text)
    if (issue.service_text.strip() and not told) or not all(map(read.is_service, issue.services)):
        return frozenset()
    return frozenset({*issue.services, *told})


def judge(request: DeployRequest, issue: ListedIssue, now: datetime) -> Code:
    """Say what one issue means for the deploy, as a code. Leaves overrides to `excuse`."""
    marks = issue.labels
    if "drill" in marks:
        return "drill"
    if "needs-confirmation" in marks:
        return "needs-confirmation"
    labelled = marks & set(gate.SEVERITIES)
    # GitHub puts a form's labels on the issue, whoever submits it. So the label `deploy-freeze`
    # on an outsider's issue means nothing.
    if "deploy-freeze" in marks and issue.trusted is not False:
        code: Code = "deploy-freeze"
        if issue.until and issue.until <= now:
            return "expired"
    elif "incident" not in marks:
        return "untrusted-report"
    elif "deploys-allowed" in marks:
        return "deploys-allowed"
    elif not labelled and issue.trusted is False:
        return "untrusted-report"
    elif not labelled and issue.severity is None:
        code = "unknown-severity"
    elif request.severities & (labelled or {issue.severity}):
        code = "severity"
    else:
        return "other-severity"
    if not concerns(request, issue):
        return "other-service"
    if request.environment and issue.environments and request.environment not in issue.environments:
        return "other-environment"
    return code


def closes(pull: SourcePull, request: DeployRequest, number: int) -> bool:
    """Whether a pull request's text closes the issue of this number by a keyword (`Fixes #12`).

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
    request: DeployRequest, finding: IssueVerdict, pulls: tuple[SourcePull, ...], now: datetime
) -> tuple[IssueVerdict, list[str]]:
    """Look for an override of one freezing issue.

    Gives the finding, with the override if there is one, and notes for people: which overrides
    are over, and what is missing for `intent: fix`.
    """
    issue = finding.issue
    notes: list[str] = []
    same = request.source.casefold() == request.repository.casefold()
    numbers = {pull.number for pull in pulls} if same else set()
    shas = set(request.shas).union(*(pull.shas for pull in pulls))

    def passed(code: Code, **details: Any) -> tuple[IssueVerdict, list[str]]:
        override = {"incident": issue.number, "kind": code, "actor": request.actor, **details}
        return IssueVerdict(issue=issue, code=code, override=override), notes

    if request.intent == "rollback":
        return passed("rollback")
    for entry in issue.allow:
        sha, number = entry.get("sha"), entry.get("pr")
        hexes = isinstance(sha, str) and re.fullmatch(r"[0-9a-f]{7,64}", sha.lower())
        committed = hexes and any(s.lower().startswith(hexes[0]) for s in shas)
        if not committed and not (type(number) is int and number in numbers):
            continue
        what = f"#{number}" if type(number) is int else gate.plain(sha, 12)
        by, until = read.login(entry.get("by")), read.parse_until(entry.get("until"))
        if until and until > now:
            why = gate.plain(entry.get("reason") or "", 200)
            return passed("allowed", change=what, by=by, reason=why, until=words.stamp(until))
        over = f"is over since {words.clock(until)}" if until else "has no expiry that can be read"
        notes.append(f"/allow {what} by {by or 'somebody'} on #{issue.number} {over}.")
    if request.intent == "fix" and "incident" in issue.labels:
        for pull in pulls:
            linked = same and pull.number in issue.fixes
            if linked or closes(pull, request, issue.number):
                why = "linked to the incident" if linked else "closes the incident"
                return passed("fix", change=f"#{pull.number}", reason=why)
        notes.append(
            f"intent: fix needs a pull request that is linked to #{issue.number}:"
            f' a member of the team writes "Fixes #{issue.number}" in its description, or'
            f" comments `/did deployed #PR -> RESULT` on #{issue.number}."
        )
    if request.actor and request.actor.casefold() in issue.deployers:
        return passed("may-deploy", reason="named in the freeze")
    return finding, notes


def decide(
    request: DeployRequest,
    issues: Iterable[ListedIssue],
    now: datetime,
    pulls: tuple[SourcePull, ...] = (),
    environments: tuple[str, ...] | None = None,
    remarks: Iterable[str] = (),
) -> GateVerdict:
    """Decide whether the change may be deployed.

    `now` is an aware time. The gate decides first without the last three arguments. If the deploy
    is frozen, it looks these up and decides again: `pulls` are the pull requests that the commit
    came from, `environments` the names of those that a freeze stops (None: all), and `remarks` are
    notes for people.
    """
    notes = list(remarks)
    freezing: dict[int, IssueVerdict] = {}
    others: dict[int, Code] = {}  # issues that do not freeze this deploy
    problems: list[str] = []
    for issue in issues:
        if issue.problem:
            problems.append(issue.problem)
            continue
        code = judge(request, issue, now)
        if code == "unknown-severity" and issue.trusted is None:
            problems.append(f"the author of issue #{issue.number} can't be read")
        elif code in FREEZES:
            freezing.setdefault(issue.number, IssueVerdict(issue=issue, code=code, override=None))
        else:
            others[issue.number] = code
            if code == "expired":
                over = f"The freeze #{issue.number} is over since {words.clock(issue.until)}."
                notes.append(over)

    if environments is not None and request.environment not in environments:
        others.update(dict.fromkeys(freezing, "other-environment"))
        freezing = {}
    findings = []
    for finding in freezing.values():
        excused, more = excuse(request, finding, (*request.pulls, *pulls), now)
        findings.append(excused)
        notes += more
    blocking = [finding for finding in findings if not finding.override]
    shown = tuple(blocking or findings)

    told = words.told(shown, now)

    def verdict(name: str, code: Code, reason: str, remedy: str = "") -> GateVerdict:
        texts = {"reason": reason, "remedy": remedy, "notes": tuple(dict.fromkeys(notes))}
        return GateVerdict(verdict=name, code=code, findings=shown, **texts)

    if blocking:
        return verdict("frozen", blocking[0].code, f"Deploys are frozen by {told}.")
    if request.intent == "rollback" and (findings or problems):
        by = told or "an answer of GitHub's that can't be judged"
        return verdict("rollback", "rollback", f"A rollback passes, in spite of {by}.")
    if problems:
        remedy = "Run this again; if it stays, look at the issue on GitHub."
        return verdict("error", "unreadable", f"GitHub's answer: {problems[0]}.", remedy)
    if findings:
        how = "; ".join(words.describe_override(f.override) for f in findings if f.override)
        return verdict("exempt", findings[0].code, f"This change passes {told}: {how}.")
    if others:
        first = next(iter(others.values()))
        return verdict("clear", first, f"Deploys are not frozen. {words.in_words(others)}.")
    return gate.nothing_open()
