"""The gate's decision, from the open issues that GitHub listed. Pure: no I/O, no clock.

`read_issue` turns one item of GitHub's list into a `ListedIssue`; `judge` says what that issue
means for the deploy; `excuse` looks for an override; `decide` makes one `GateVerdict` of all.
Asking GitHub is the work of `gate.py`.

Labels and text are not proof of who put them there. So a first decision reads them only against
the deploy. If that stops it, `gate_further` asks GitHub who wrote what (`LookedUp`), and a second
decision also reads what people who may write said in the deploy's favour.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
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
    "other-service", "other-environment", "not-begun", "expired",
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
# Labels that let deploys pass. Those that narrow a freeze begin with one of `NARROWING`.
RELEASING = frozenset({"drill", "needs-confirmation", "deploys-allowed"})
NARROWING = ("service:", "environment:")
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
    author: str | None  # a login
    certain: bool  # `trusted` rests on more than GitHub's hint at the author's association
    doubted: bool  # somebody may have made it say more, or less, than our bot did: `look_twice`
    updated: datetime | None  # when anything about the issue last changed
    state: dict[str, Any]  # what `respond` remembers of the incident; empty before its first run
    severities: frozenset[str]  # all that labels, state or form name; empty: unknown
    services: tuple[str, ...]  # all that labels, state or form name; empty: none
    wide: bool = False  # it names a service that the team does not have: it is about all
    service_text: str  # the form's answer on services, as typed; empty once `respond` has read it
    environments: tuple[str, ...]  # the form's answer; empty: all
    since: datetime | None  # start of the incident, else its declaration, else of the issue
    commander: str | None  # a login
    begins: datetime | None  # begin of a freeze; None: it has begun
    until: datetime | None  # end of a freeze; None: it does not end by itself
    deployers: frozenset[str]  # logins that may deploy in spite of a freeze, lower case
    deployer_text: str  # that answer, as typed
    allow: tuple[dict[str, Any], ...]  # the `/allow` overrides, with keys such as sha, pr, until
    fixes: tuple[int, ...]  # numbers of pull requests that are linked to the incident
    problem: str  # why this item can't be judged; empty when it can

    @property
    def severity(self) -> str | None:
        """The worst of the severities; None: unknown."""
        return min(self.severities, default=None)


class LookedUp(SimpleNamespace):
    """What was looked up because a first decision stopped the deploy."""

    pulls: tuple[SourcePull, ...] = ()  # the pull requests that the commit came from
    environments: tuple[str, ...] | None = None  # those that a freeze stops; None: all
    may_write: Mapping[str, bool] = {}  # by login in lower case; who was not asked about is absent
    labels: Mapping[int, frozenset[str]] = {}  # by issue: its labels by bots or who may write
    bodies: frozenset[int] = frozenset()  # issues whose text our bot or who may write edited last
    notes: Sequence[str] = ()  # for people


NOTHING_LOOKED_UP = LookedUp()


class IssueVerdict(SimpleNamespace):
    """What one open issue means for this deploy."""

    issue: ListedIssue
    code: Code
    override: dict[str, Any] | None  # who let this change through, and why; None: nobody


def read_issues(items: Iterable[object]) -> list[ListedIssue]:
    """Read the items of GitHub's issue list. Pull requests and closed issues are left out."""
    return [issue for issue in map(read_issue, items) if issue is not None]


def read_issue(item: Any, *, vouched: bool = False) -> ListedIssue | None:
    """Read one item of GitHub's issue list; None when it is a pull request or closed.

    The body is read only if it may be believed (`is_trusted`), or is `vouched` for. Never raises:
    an item that can't be judged has a `problem`.
    https://docs.github.com/en/rest/issues/issues#list-repository-issues
    """
    item = item if isinstance(item, dict) else {}  # then it has no number, which is a problem
    if isinstance(item.get("pull_request"), dict) or item.get("state") == "closed":
        return None
    keys = ("number", "labels", "body", "html_url", "title", "assignees", "user")
    number, labels, body, url, title, assignees, user = map(item.get, keys)
    number = number if type(number) is int and number > 0 else 0
    named = labels if isinstance(labels, list) else [None]
    named = [label.get("name") if isinstance(label, dict) else label for label in named]
    marks = frozenset(map(gate.normal, read.kept(named, str)))
    _, block, text = read.split_body(body if isinstance(body, str) else "")
    state = read.read_state(block)
    if state.get("number", number) != number:
        state = {}  # copied from another issue
    accepted = vouched or was_accepted(marks, state)
    trusted = accepted or is_trusted(item)
    shown = marks | {str(state.get("severity"))}
    lighter = association(item) not in read.TRUSTED and not shown & {"sev1", "sev2"}
    lighter = lighter or bool(marks & stated_labels(state))
    doubted = bool(state) and "incident" in marks and (lighter or not trusted)
    answers = read.sections(text) if trusted else []
    state = state if trusted else {}
    started, declared = (
        read.parse_time(read.dig(state, "times", key)) for key in ("started", "declared")
    )
    owned = read.dig(user, "type") == "Bot" or association(item) == "OWNER"
    # Only the freeze form asks for its time and for people who may deploy.
    freeze_answers = [] if "incident" in marks else answers
    begins, until = read.freeze_times(freeze_answers)
    may_deploy = read.answer_to(".*may deploy.*", freeze_answers)
    # Once there is a state, `respond` has read the form: corrections are in the state.
    service_text = "" if state else read.answer_to(SERVICES_HEADING, answers)
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
        author=read.login(user),
        certain=accepted or owned,
        doubted=doubted and not owned,
        updated=read.parse_time(item.get("updated_at")),
        state=state,
        severities=severities_of(marks, state, answers),
        services=(
            *prefixed("service:", marks),
            *stated_services(state),
            *read.single_words(service_text),
        ),
        wide=False,
        service_text=service_text,
        environments=read.single_words(read.answer_to(ENVIRONMENTS_HEADING, freeze_answers)),
        since=started or declared or begins or read.parse_time(item.get("created_at")),
        commander=next(filter(None, map(read.login, commanders)), None),
        begins=begins,
        until=until,
        deployers=read.people(may_deploy),
        deployer_text=may_deploy,
        allow=read.kept(state.get("allow"), dict),
        fixes=read.kept(state.get("fixes"), int),
        problem=next((problem for problem, exists in problems.items() if exists), ""),
    )


def association(item: dict[str, Any]) -> str:
    """GitHub's `author_association` of an issue: a hint at what the author may do, no proof."""
    return str(item.get("author_association"))


def was_accepted(marks: frozenset[str], state: dict[str, Any]) -> bool:
    """Whether a run of `respond` accepted the incident: it carries one of our status labels.

    Only people who may triage can set labels. `marks` are the labels in lower case. A report that
    is held (`needs-confirmation`) has no state yet.
    """
    held = "needs-confirmation" in marks and not state
    return "incident" in marks and not marks.isdisjoint(STATUSES) and not held


def is_trusted(item: dict[str, Any]) -> bool | None:
    """Decide by the author whether an issue's text may be believed; None: GitHub does not say."""
    if association(item) in read.TRUSTED or read.dig(item, "user", "type") == "Bot":
        return True
    return False if association(item) in ASSOCIATIONS else None


def is_strangers(issue: ListedIssue, found: LookedUp) -> bool:
    """Whether an issue is by somebody who may not write, and no run has accepted it.

    Its labels prove nothing: a form puts labels on the issue, whoever submits it.
    """
    if issue.trusted is False:
        return True
    asked = not issue.certain and issue.author
    return bool(asked) and found.may_write.get(str(issue.author).casefold()) is False


def severities_of(
    marks: frozenset[str], state: dict[str, Any], answers: list[tuple[str, str]]
) -> frozenset[str]:
    """Find the severities of an incident: that of each label, and that of the state or the form.

    Empty when there are none, or without a label when a field named "severity" can't be read: an
    unknown severity freezes. Of several answers the worst counts.
    """
    if "incident" not in marks:
        return frozenset()
    labelled = marks & set(gate.SEVERITIES)
    stated = {str(state.get("severity"))} & set(gate.SEVERITIES)
    if stated:
        return labelled | stated
    answered = [(heading, read.read_severity(answer)) for heading, answer in answers]
    if any("severity" in heading and not severity for heading, severity in answered):
        return labelled
    worst = min((severity for _, severity in answered if severity), default=None)
    return labelled | {worst} if worst else labelled


def stated_services(state: dict[str, Any]) -> tuple[str, ...]:
    """The names of the services in a state, without empty ones."""
    return tuple(filter(None, map(gate.normal, read.kept(state.get("services"), str))))


def prefixed(prefix: str, marks: frozenset[str]) -> tuple[str, ...]:
    """List the labels that begin with a prefix, sorted and without it."""
    named = {m[len(prefix) :].strip() for m in marks if m.startswith(prefix)}
    return tuple(sorted(named - {""}))


def counted_labels(issue: ListedIssue, found: LookedUp) -> frozenset[str]:
    """The labels that count in the deploy's favour: `RELEASING`, and those that narrow a freeze.

    Once there is a state, it must say the same. Before that, somebody who may write must have put
    the label on.
    """
    if not issue.state:
        return issue.labels & found.labels.get(issue.number, frozenset())
    return issue.labels & stated_labels(issue.state)


def stated_labels(state: dict[str, Any]) -> frozenset[str]:
    """The labels of `RELEASING` that an incident with this state has."""
    said = {
        "drill": state.get("drill") is True,
        "deploys-allowed": read.dig(state, "freeze", "freeze") == "thaw",
    }
    return frozenset(label for label, agreed in said.items() if agreed)


def services_of(issue: ListedIssue, found: LookedUp = NOTHING_LOOKED_UP) -> frozenset[str]:
    """The services that an issue is about; empty: all of them.

    The state narrows an incident, where its labels show the same or its text may be believed;
    before there is one, the form does, or a label that counts. Further labels only add services.
    When the form's answer is not a plain list of names, or a label or the state names what can be
    no service (`wide`: none of the team's), the issue is about all services.
    """
    labelled = prefixed("service:", issue.labels)
    if issue.state:
        stated = stated_services(issue.state)
        shown = labelled or issue.number in found.bodies
        narrowed: tuple[str, ...] = stated if shown else ()
    else:
        told = read.single_words(issue.service_text)
        if issue.service_text.strip() and not told:
            return frozenset()
        narrowed = (*told, *prefixed("service:", counted_labels(issue, found)))
    if issue.wide or not narrowed or not all(map(read.is_service, issue.services)):
        return frozenset()
    return frozenset({*narrowed, *labelled})


def environments_of(issue: ListedIssue, found: LookedUp = NOTHING_LOOKED_UP) -> frozenset[str]:
    """The environments that an issue is about; empty: all of them. An incident is about all."""
    if "incident" in issue.labels:
        return frozenset()
    narrowed = {*issue.environments, *prefixed("environment:", counted_labels(issue, found))}
    return frozenset(narrowed | set(prefixed("environment:", issue.labels)) if narrowed else ())


def judge(request: DeployRequest, issue: ListedIssue, found: LookedUp, now: datetime) -> Code:
    """Say what one issue means for the deploy, as a code. Leaves overrides to `excuse`."""
    marks, counted = issue.labels, counted_labels(issue, found)
    if is_strangers(issue, found):
        return "needs-confirmation" if "needs-confirmation" in marks else "untrusted-report"
    if "drill" in counted and not is_rehearsed(request, issue):
        return "drill"
    if "needs-confirmation" in counted:
        return "needs-confirmation"
    if "deploy-freeze" in marks or read.dig(issue.state, "freeze", "freeze") == "freeze":
        code: Code = "deploy-freeze"
    elif "deploys-allowed" in counted:
        return "deploys-allowed"
    elif not issue.severities:
        code = "unknown-severity"
    elif request.severities & issue.severities:
        code = "severity"
    else:
        return "other-severity"
    services, environments = services_of(issue, found), environments_of(issue, found)
    if request.services and services and services.isdisjoint(request.services):
        return "other-service"
    if request.environment and environments and request.environment not in environments:
        return "other-environment"
    if issue.number in found.bodies and is_outside(issue, now):
        return "expired" if issue.until and issue.until <= now else "not-begun"
    return code


def is_rehearsed(request: DeployRequest, issue: ListedIssue) -> bool:
    """Whether an issue is a drill, and this deploy a rehearsal that it stops like an incident."""
    return request.environment == read.REHEARSAL and "drill" in issue.labels


def is_outside(issue: ListedIssue, now: datetime) -> bool:
    """Whether a freeze, by its own text, is over or has not begun."""
    return bool((issue.until and issue.until <= now) or (issue.begins and now < issue.begins))


def wants_proof(request: DeployRequest, issue: ListedIssue, now: datetime) -> bool:
    """Whether the text of a freezing issue may let the deploy pass, if it may be believed."""
    return bool(
        issue.allow
        or (request.intent == "fix" and issue.fixes)
        or request.actor.casefold() in issue.deployers
        or (issue.deployers and request.actor == gate.MERGE_QUEUE)
        or is_outside(issue, now)
        or (stated_services(issue.state) and not prefixed("service:", issue.labels))
    )


def claims(issue: ListedIssue) -> frozenset[str]:
    """The labels that would count in the deploy's favour if somebody who may write put them on."""
    if issue.state:
        return frozenset()
    return frozenset(m for m in issue.labels if m in RELEASING or m.startswith(NARROWING))


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
    request: DeployRequest, finding: IssueVerdict, found: LookedUp, now: datetime
) -> tuple[IssueVerdict, list[str]]:
    """Look for an override of one freezing issue.

    Gives the finding, with the override if there is one, and notes for people: which overrides
    are over, and what is missing for `intent: fix`.
    """
    issue, believed = finding.issue, finding.issue.number in found.bodies
    notes: list[str] = []
    same = request.source.casefold() == request.repository.casefold()
    pulls = changes(request, found)

    def passed(code: Code, **details: Any) -> tuple[IssueVerdict, list[str]]:
        override = {"incident": issue.number, "kind": code, "actor": request.actor, **details}
        return IssueVerdict(issue=issue, code=code, override=override), notes

    if request.intent == "rollback":
        return passed("rollback")
    for entry in issue.allow:
        what, problem = allowed_change(entry, request, pulls if same else ())
        if not what:
            continue
        by, until = read.login(entry.get("by")), read.parse_until(entry.get("until"))
        if not problem and until and until > now:
            if not believed:
                continue
            why = gate.plain(entry.get("reason") or "", 200)
            return passed("allowed", change=what, by=by, reason=why, until=words.stamp(until))
        over = f"is over since {words.clock(until)}" if until else "has no expiry that can be read"
        notes.append(f"/allow {what} by {by or 'somebody'} on #{issue.number} {problem or over}.")
    if request.intent == "fix" and "incident" in issue.labels:
        for pull in pulls:
            linked = same and believed and pull.number in issue.fixes
            by_team = found.may_write.get(pull.author.casefold()) is True
            if linked or (by_team and closes(pull, request, issue.number)):
                why = "linked to the incident" if linked else "closes the incident"
                return passed("fix", change=f"#{pull.number}", reason=why)
        notes.append(
            f"intent: fix needs a pull request that is linked to #{issue.number}:"
            f' somebody with write access writes "Fixes #{issue.number}" in its description, or'
            f" comments `/fix #PR` on #{issue.number}."
        )
    if believed and request.actor and request.actor.casefold() in issue.deployers:
        return passed("may-deploy", reason="named in the freeze")
    if "@" in issue.deployer_text and not issue.deployers:
        notes.append(f"Who may deploy in spite of #{issue.number} is no plain list: @alice, @bob.")
    return finding, notes


def changes(request: DeployRequest, found: LookedUp) -> tuple[SourcePull, ...]:
    """The pull requests whose change is what is deployed, not just a commit on the way to it.

    These are the one that the event names, and those whose head, or merge, is the commit.
    """
    named = {pull.number for pull in request.pulls}
    looked_up = (p for p in found.pulls if p.number in named or p.shas & request.shas)
    return (*request.pulls, *looked_up)


def allowed_change(
    entry: dict[str, Any], request: DeployRequest, pulls: tuple[SourcePull, ...]
) -> tuple[str, str]:
    """The change that an `/allow` is for, if that is what is deployed, and why it does not count.

    Both are empty when the `/allow` is for another change. It is for one commit: that of its
    pull request as it was when it was allowed. Fewer digits than a whole SHA might name another
    commit, too.
    """
    number, sha = entry.get("pr"), str(entry.get("sha") or "").lower()
    pull = next((p for p in pulls if type(number) is int and p.number == number), None)
    whole = re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", sha)
    shas = {each.lower() for each in request.shas.union(*(p.shas for p in pulls))}
    what = f"#{number}" if type(number) is int else gate.plain(sha, 12)
    if whole and sha in shas:
        return what, ""
    if pull and whole:
        return what, f"is for {sha[:10]}; there are newer commits. Comment `/allow {what}` again"
    begins = re.fullmatch(r"[0-9a-f]{7,39}", sha) and any(s.startswith(sha) for s in shas)
    if pull or begins:
        return what, f"names no whole commit. Comment `/allow {what}` again"
    return "", ""


def decide(
    request: DeployRequest,
    issues: Iterable[ListedIssue],
    now: datetime,
    found: LookedUp = NOTHING_LOOKED_UP,
) -> GateVerdict:
    """Decide whether the change may be deployed.

    `now` is an aware time. The gate decides first without `found`. If the deploy is frozen, it
    looks up what may let it pass after all, and decides again.
    """
    notes = list(found.notes)
    freezing: dict[int, IssueVerdict] = {}
    others: dict[int, Code] = {}  # issues that do not freeze this deploy
    coming: dict[int, ListedIssue] = {}  # those of them that will, later
    problems: list[str] = []
    for issue in issues:
        if issue.problem:
            problems.append(issue.problem)
            continue
        code = judge(request, issue, found, now)
        if code == "unknown-severity" and issue.trusted is None:
            problems.append(f"the author of issue #{issue.number} can't be read")
        elif code in FREEZES:
            freezing.setdefault(issue.number, IssueVerdict(issue=issue, code=code, override=None))
            claimed = RELEASING - ({"drill"} if is_rehearsed(request, issue) else set())
            for label in sorted(issue.labels & claimed - counted_labels(issue, found)):
                notes.append(
                    f"The label `{label}` on #{issue.number} does not count: nobody who"
                    " may write is known to stand behind it."
                )
        else:
            others[issue.number] = code
            if code == "expired":
                over = f"The freeze #{issue.number} is over since {words.clock(issue.until)}."
                notes.append(over)
            elif code == "not-begun":
                coming[issue.number] = issue

    if found.environments is not None and request.environment not in found.environments:
        # What a freeze names itself, it stops: the list is for those that name none. A rehearsal
        # need not be on it.
        stopping = {number: finding.issue for number, finding in freezing.items()}
        here = {
            number
            for number, issue in (stopping | coming).items()
            if environments_of(issue, found) or is_rehearsed(request, issue)
        }
        others.update(dict.fromkeys((stopping | coming).keys() - here, "other-environment"))
        freezing = {number: f for number, f in freezing.items() if number in here}
        coming = {number: issue for number, issue in coming.items() if number in here}
    findings = []
    for finding in freezing.values():
        excused, more = excuse(request, finding, found, now)
        findings.append(excused)
        notes += more
    blocking = [finding for finding in findings if not finding.override]
    shown = tuple(blocking or findings)

    told = words.told(shown, now)
    announced = words.announced(coming.values(), now)
    if announced and (findings or problems):
        notes.append(announced)

    def verdict(name: str, code: Code, reason: str, remedy: str = "") -> GateVerdict:
        texts = {"reason": reason, "remedy": remedy, "notes": tuple(dict.fromkeys(notes))}
        ahead = tuple(coming.values())
        return GateVerdict(verdict=name, code=code, findings=shown, coming=ahead, **texts)

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
        why = words.in_words({n: code for n, code in others.items() if n not in coming})
        told = " ".join(filter(None, ["Deploys are not frozen.", why, announced]))
        return verdict("clear", first, told)
    return gate.nothing_open()
