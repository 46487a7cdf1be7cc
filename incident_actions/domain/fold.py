"""The fold: from what GitHub recorded to the incident as it stands.

A pure function of the observation. It never looks at what the bot did: labels, closings and
comments of the bot's are projections, and would make the outcome depend on when a run happened.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain import commands as c
from incident_actions.domain import labels, steps
from incident_actions.domain.answers import (
    affects_customers,
    read_login,
    read_services,
    read_severity,
    read_time,
)
from incident_actions.domain.arguments import Mistake
from incident_actions.domain.checklist import Item
from incident_actions.domain.comments import read_comment
from incident_actions.domain.forms import Answers
from incident_actions.domain.grants import Grants
from incident_actions.domain.incident import (
    Allowance,
    Entry,
    Freeze,
    Incident,
    Moment,
    Role,
    Severity,
    Status,
)
from incident_actions.domain.observation import (
    Comment,
    Deployment,
    Event,
    EventKind,
    Observation,
    Permission,
)
from incident_actions.domain.overrides import Passage
from incident_actions.domain.recovery import Passed
from incident_actions.domain.reducer import (
    Act,
    Unverified,
    apply,
    drop_roles,
    give_role,
    log,
)

BOT = "the bot"
"""How the timeline calls it."""


class Rules(Struct, frozen=True):
    """What a team decides: who may what, which checks, who starts with which role."""

    checks: tuple[Item, ...] = ()
    needs: Mapping[str, Permission] = {}
    default_roles: Mapping[Role, str] = {}


class Evidence(Struct, frozen=True):
    """What is known from elsewhere than the issue itself."""

    passed: tuple[Passed, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    passages: tuple[Passage, ...] = ()
    lapsed: tuple[Allowance, ...] = ()


class Notice(Struct, frozen=True):
    """Something that the bot has to say. `kind` and `key` together are said once.

    kind: `reply` answers one comment or deed, with all that there is to say of it: the lines that
    were not taken, the checks that are missing before it may close, the pages that were asked
    for. `refused` tells somebody, once, that they may not command. Those of reports and of
    security matters have kinds of their own.
    """

    kind: str
    key: str
    to: str = ""
    lines: tuple[c.Misread, ...] = ()
    checks: tuple[Item, ...] = ()
    pages: tuple[Page, ...] = ()
    text: str = ""


class Page(Struct, frozen=True):
    """A page that somebody asked for: of `help` or of the `runbook`s. No topic: all commands."""

    kind: str
    topic: str


def reply(
    source: str,
    to: str,
    lines: Iterable[c.Misread] = (),
    checks: Iterable[Item] = (),
    pages: Iterable[Page] = (),
) -> Notice | None:
    """The one answer to a comment or deed; None when there is nothing to say.

    The key changes with what is said, so that an edited comment gets an answer of its own.
    """
    parts = (tuple(lines), tuple(checks), tuple(pages))
    if not any(parts):
        return None
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:8]
    return Notice("reply", f"{source}.{digest}", to, *parts)


class Folded(Struct, frozen=True):
    """The incident, and what follows from its history.

    `taken` are comments with a command that was taken, `commands` those with any; `steps` are the
    keys of the checklist's steps that were done at any time.
    """

    incident: Incident
    taken: tuple[Comment, ...]
    commands: tuple[Comment, ...]
    notices: tuple[Notice, ...]
    steps: frozenset[str]


def wants_permission(observation: Observation) -> dict[str, int]:
    """Who typed commands, and so has to be asked about: login -> newest comment with one."""
    newest: dict[str, int] = {}
    for item in observation.history:
        if (
            isinstance(item, Comment)
            and not item.author.bot
            and read_comment(item.body, item.created_at)
        ):
            newest[item.author.login] = max(newest.get(item.author.login, 0), item.id)
    return newest


def named_for_roles(observation: Observation, grants: Grants) -> tuple[str, ...]:
    """Who was named for a role in a comment, by people who may do that.

    Names that a stranger types are not asked about: they could be many.
    """
    named: dict[str, None] = {}
    for item in observation.history:
        if not isinstance(item, Comment) or item.author.bot:
            continue
        if grants.at(item.author.login, item.id) < ROLE_NEEDS:
            continue
        for line in read_comment(item.body, item.created_at):
            command = line.command if isinstance(line, c.Taken) else None
            if isinstance(command, c.AssignRole) and command.login:
                named[command.login] = None
    return tuple(named)


def named_at_declaration(answers: Answers, rules: Rules) -> dict[Role, str]:
    """Who should start with which role: the form's answer comes before the team's rules."""
    roles = dict(rules.default_roles)
    login = read_login(answers.get("commander"))
    if login is not None:
        roles[Role.COMMANDER] = login
    return roles


def declare(observation: Observation, answers: Answers, rules: Rules, grants: Grants) -> Incident:
    """The incident at the moment when it was declared, from the form's answers alone."""
    issue = observation.issue
    declared = issue.created_at
    severity = read_severity(answers.get("severity")) or _label_at_creation(observation)
    started = read_time(answers.get("started"), declared) or declared
    incident = Incident(
        status=Status.INVESTIGATING,
        severity=severity or Severity.SEV1,
        severity_known=severity is not None,
        times={Moment.STARTED: started, Moment.DETECTED: declared, Moment.DECLARED: declared},
        services=read_services(answers.get("services")),
        sensitive=bool(answers.boxes.get("sensitive")),
        customers=affects_customers(answers.get("affected")),
        timeline=(
            Entry(
                at=declared,
                actor=issue.author.login,
                action=f"declared the incident as {(severity or Severity.SEV1).label}",
                result="" if severity else "no severity given, so the worst is assumed",
                key="declared",
            ),
        ),
    )
    for role, login in named_at_declaration(answers, rules).items():
        if grants.at(login, 0) >= ROLE_NEEDS:
            incident = give_role(incident, role, login)
            declaration = Act(issue.author.login, declared, declared, f"declared.{role}")
            action = f"{role.label}: @{login}"
            incident = log(incident, declaration, action, "named at the declaration")
    return incident


ROLE_NEEDS = Permission.TRIAGE
"""Who may hold a role. GitHub lets these people be assigned, too."""


def fold(
    observation: Observation,
    answers: Answers,
    rules: Rules,
    grants: Grants,
    evidence: Evidence | None = None,
) -> Folded:
    """Replay the history. People's deeds count, in order; the bot's own don't."""
    evidence = evidence or Evidence()
    walk = _Walk(declare(observation, answers, rules, grants), rules, grants)
    history: list[_Item] = [*observation.history, *evidence.passed, *evidence.deployments]
    history += [*evidence.passages, *evidence.lapsed]
    for item in sorted(history, key=_when):
        if isinstance(item, _Evidence):
            walk.evidence(item)
            continue
        actor = item.author if isinstance(item, Comment) else item.actor
        if actor.bot or actor.login.casefold() == observation.bot.casefold():
            continue
        if isinstance(item, Comment):
            walk.comment(item)
        elif not (item.kind is EventKind.LABELED and item.at <= observation.issue.created_at):
            walk.event(item)
        walk.steps |= steps.taken(walk.incident, rules.checks)
    incident = replace(
        walk.incident,
        drill=labels.holds(observation.issue.labels, labels.DRILL),
        timeline=tuple(sorted(walk.incident.timeline, key=lambda entry: entry.at)),
        last_activity=max(
            entry.at for entry in walk.incident.timeline if not entry.key.startswith(_LAPSE)
        ),
    )
    done = walk.steps | steps.answered(answers.given)
    return Folded(
        incident, tuple(walk.taken), tuple(walk.commands), tuple(walk.notices), frozenset(done)
    )


_LAPSE = "x"
"""How the keys of entries begin for which nobody did anything: an allowance is over."""
_Evidence = Passed | Deployment | Passage | Allowance
_Item = Comment | Event | _Evidence


def _when(item: _Item) -> datetime:
    if isinstance(item, Allowance):
        return item.until
    return item.created_at if isinstance(item, Comment) else item.at


class _Answer:
    """What there is to say about one comment, while it is being read."""

    def __init__(self) -> None:
        self.lines: list[c.Misread] = []
        self.checks: tuple[Item, ...] = ()
        self.pages: list[Page] = []

    def about(self, source: str, to: str) -> Notice | None:
        """As one notice."""
        return reply(source, to, self.lines, self.checks, self.pages)


class _Walk:
    """The fold's running state: one pass over the history."""

    def __init__(self, incident: Incident, rules: Rules, grants: Grants) -> None:
        self.incident = incident
        self.rules = rules
        self.grants = grants
        self.taken: list[Comment] = []
        self.commands: list[Comment] = []
        self.notices: list[Notice] = []
        self.refused: set[str] = set()
        self.steps = set(steps.taken(incident, rules.checks))

    def comment(self, comment: Comment) -> None:
        """Apply the commands of one comment; what can't be taken becomes one notice."""
        lines = read_comment(comment.body, comment.created_at)
        if not lines:
            return
        self.commands.append(comment)
        login = comment.author.login
        allowed = self.grants.at(login, comment.id)
        if allowed < Permission.TRIAGE:
            self._refuse(comment)
            return
        answer = _Answer()
        took = False
        for index, line in enumerate(lines):
            if isinstance(line, c.Misread):
                answer.lines.append(line)
            elif allowed < self._needs(line.name):
                self._refuse(comment)
            else:
                key = f"c{comment.id}.{index}"
                act = Act(login, line.at, comment.created_at, key, self.rules.checks)
                took = self._take(line, act, answer) or took
        if took:
            self.taken.append(comment)
        self._say(answer.about(str(comment.id), login))

    def _say(self, notice: Notice | None) -> None:
        if notice is not None:
            self.notices.append(notice)

    def _needs(self, name: str) -> Permission:
        spec = c.spec_of(name)
        default = spec.needs if spec else Permission.WRITE
        return self.rules.needs.get(name, default)

    def _take(self, line: c.Taken, act: Act, answer: _Answer) -> bool:
        """Apply one command; gives whether it was taken. What is to say goes into the answer."""
        command = line.command
        if isinstance(command, c.AssignRole) and command.login and not self._fit(command.login):
            reason = f"@{command.login} has no triage or write access to this repository"
            suggestion = f"/role {command.role} @user"
            answer.lines.append(c.Misread(line.line, line.typed, reason, suggestion))
            return False
        try:
            self.incident = apply(self.incident, command, act)
        except Unverified as refused:
            answer.checks = refused.checks
            self._tried_to_close(act)
            return False
        except Mistake as mistake:
            answer.lines.append(
                c.Misread(line.line, line.typed, mistake.reason, mistake.suggestion)
            )
            return False
        if isinstance(command, c.ShowRunbook):
            answer.pages.append(Page("runbook", command.name))
        elif isinstance(command, c.Help):
            answer.pages.append(Page("help", command.topic))
        return True

    def _fit(self, login: str) -> bool:
        return self.grants.at(login, 0) >= ROLE_NEEDS

    def _tried_to_close(self, act: Act) -> None:
        self.incident = log(self.incident, act, "tried to close", "recovery was not verified yet")

    def _refuse(self, comment: Comment) -> None:
        login = comment.author.login.casefold()
        if login not in self.refused:
            self.refused.add(login)
            can_note = self.grants.at(login, comment.id) >= Permission.TRIAGE
            text = "triage" if can_note else ""
            self.notices.append(Notice("refused", login, to=comment.author.login, text=text))

    def evidence(self, item: _Evidence) -> None:
        """What the bot measured, what GitHub was told to deploy, what passed the gate."""
        if isinstance(item, Allowance):
            self._expire(item)
        elif isinstance(item, Passage):
            if item.at >= self.incident.times[Moment.STARTED]:
                act = Act(item.actor, item.at, item.at, item.key)
                what = f"let {item.sha[:7]} through the freeze: {item.how}"
                self.incident = log(self.incident, act, what, item.reason)
        elif isinstance(item, Deployment):
            if item.at >= self.incident.times[Moment.STARTED]:
                act = Act(item.by, item.at, item.at, f"d{item.id}")
                what = f"deployed {item.sha[:7]} to {item.environment}"
                self.incident = log(self.incident, act, what)
        elif self.incident.status is Status.MONITORING and any(
            item.key == check.key for check in self.rules.checks
        ):
            act = Act(BOT, item.at, item.at, f"p{item.key}", self.rules.checks)
            command = c.Verify(item.key, "its address answers again")
            self.incident = apply(self.incident, command, act)

    def _expire(self, over: Allowance) -> None:
        """An allowance is over; it stays in the record, and opens nothing."""
        if over not in self.incident.allow:
            return
        allow = tuple(replace(a, expired=a.expired or a == over) for a in self.incident.allow)
        self.incident = replace(self.incident, allow=allow)
        if self.incident.status.open:
            act = Act(BOT, over.until, over.until, f"{_LAPSE}{over.change}.{over.at:%H%M%S}")
            self.incident = log(self.incident, act, f"/allow {over.change} expired")

    def event(self, event: Event) -> None:
        """Apply what somebody did by hand on the issue, as if they had typed the command."""
        act = Act(event.actor.login, event.at, event.at, f"e{event.id}", self.rules.checks)
        try:
            self.incident = _by_hand(self.incident, event, act)
        except Unverified as refused:
            self._say(reply(f"e{event.id}", event.actor.login, checks=refused.checks))
            self._tried_to_close(act)
        except Mistake:
            return  # the labels and the issue's state are put right by the projection


def _by_hand(incident: Incident, event: Event, act: Act) -> Incident:
    match event.kind:
        case EventKind.LABELED:
            return _labeled(incident, event.subject, act)
        case EventKind.UNLABELED:
            return _unlabeled(incident, event.subject, act)
        case EventKind.ASSIGNED:
            return _assigned(incident, event.subject, act)
        case EventKind.UNASSIGNED:
            left = drop_roles(incident, event.subject, act.at)
            return log(left, act, f"unassigned @{event.subject}")
        case EventKind.CLOSED:
            if incident.status is Status.RESOLVED:
                return incident
            return apply(incident, c.Resolve("closed by hand", force=False), act)
        case EventKind.REOPENED:
            if incident.status.open:
                return incident
            return apply(incident, c.Reopen("reopened by hand"), act)
        case EventKind.RENAMED:
            return log(incident, act, f"renamed the incident to {event.subject}")
        case EventKind.CROSS_REFERENCED:
            return _referenced(incident, event, act)


def _labeled(incident: Incident, name: str, act: Act) -> Incident:
    folded = name.casefold()
    if folded in [severity.value for severity in Severity]:
        severity = Severity(folded)
        if severity is incident.severity and incident.severity_known:
            return incident
        return apply(incident, c.SetSeverity(severity, ""), act)
    if folded == labels.DEPLOY_FREEZE:
        return apply(incident, c.FreezeDeploys("label set by hand"), act)
    if folded == labels.DEPLOYS_ALLOWED:
        return apply(incident, c.ThawDeploys("label set by hand"), act)
    if folded.startswith(labels.SERVICE_PREFIX):
        service = folded[len(labels.SERVICE_PREFIX) :].strip()
        if not service or service in incident.services:
            return incident
        return apply(incident, c.SetServices((*incident.services, service)), act)
    if folded.startswith(labels.CAUSE_PREFIX):
        return apply(incident, c.SetCause(folded[len(labels.CAUSE_PREFIX) :].strip()), act)
    if folded.startswith(labels.STATUS_PREFIX):
        return _status_label(incident, folded[len(labels.STATUS_PREFIX) :].strip(), act)
    return incident


def _status_label(incident: Incident, name: str, act: Act) -> Incident:
    if name == incident.status or name not in [status.value for status in Status]:
        return incident
    if name == Status.RESOLVED:
        return apply(incident, c.Resolve("status set by hand", force=False), act)
    if name == Status.REPORTED:
        return incident
    return apply(incident, c.SetStatus(Status(name), ""), act)


def _unlabeled(incident: Incident, name: str, act: Act) -> Incident:
    folded = name.casefold()
    override = incident.freeze.freeze if incident.freeze else None
    if folded == labels.DEPLOY_FREEZE and override is Freeze.ON:
        return log(incident, act, "took the deploy freeze by hand off", freeze=None)
    if folded == labels.DEPLOYS_ALLOWED and override is Freeze.OFF:
        return log(incident, act, "let the severity decide about deploys again", freeze=None)
    if folded.startswith(labels.SERVICE_PREFIX):
        service = folded[len(labels.SERVICE_PREFIX) :].strip()
        left = tuple(name for name in incident.services if name != service)
        if left != incident.services:
            return log(incident, act, f"took the service {service} off", services=left)
    if folded.startswith(labels.CAUSE_PREFIX) and incident.cause:
        return log(incident, act, "took the cause off", cause=None)
    return incident


def _assigned(incident: Incident, login: str, act: Act) -> Incident:
    if incident.commander is None:
        incident = give_role(incident, Role.COMMANDER, login)
        return log(incident, act, f"assigned @{login}, who is in command now")
    if any(login.casefold() == name.casefold() for name in incident.assigned):
        return incident
    return log(incident, act, f"assigned @{login}", assigned=(*incident.assigned, login))


def _referenced(incident: Incident, event: Event, act: Act) -> Incident:
    if not event.pull_request:
        return incident
    what = f"pull request #{event.subject}"
    incident = log(incident, act, f"linked {what}", event.title)
    if event.merged_at is not None:
        merged = Act(act.actor, event.merged_at, event.merged_at, f"{act.key}m", act.checks)
        incident = log(incident, merged, f"merged {what}", event.title)
    return incident


def _label_at_creation(observation: Observation) -> Severity | None:
    """The worst severity label that the issue was born with."""
    born = observation.issue.created_at
    return min(
        (
            Severity(event.subject.casefold())
            for event in observation.history
            if isinstance(event, Event)
            and event.kind is EventKind.LABELED
            and event.actor == observation.issue.author
            and event.at <= born
            and event.subject.casefold() in [severity.value for severity in Severity]
        ),
        default=None,
    )


def newest(comments: Sequence[Comment]) -> tuple[int, str]:
    """The newest id and update time among comments, for the state's memory."""
    return (
        max((comment.id for comment in comments), default=0),
        max((_stamp(comment.updated_at) for comment in comments), default=""),
    )


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
