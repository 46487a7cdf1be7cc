"""The fold: from what GitHub recorded to the incident as it stands.

A pure function of the observation. It never looks at what the bot did: labels, closings and
comments of the bot's are projections, and would make the outcome depend on when a run happened.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.freeze.override_audit import OverrideUse
from incident_actions.domain.issue.incident import Allowance, EntryKind, Incident, Moment, Status
from incident_actions.domain.issue.observation import Observation
from incident_actions.domain.issue.permissions import Permission, Permissions
from incident_actions.domain.issue.records import Comment, Deployment, EventKind, TimelineEvent
from incident_actions.domain.playbook import steps
from incident_actions.domain.playbook.checklist import ChecklistItem
from incident_actions.domain.playbook.recovery import PassedCheck
from incident_actions.domain.timeline import commands as c
from incident_actions.domain.timeline.arguments import Mistake
from incident_actions.domain.timeline.declaration import ROLE_NEEDS, Rules, declare
from incident_actions.domain.timeline.manual_actions import by_hand, command_for
from incident_actions.domain.timeline.notices import Notice, RequestedPage, reply
from incident_actions.domain.timeline.parser import read_comment
from incident_actions.domain.timeline.reducer import Act, Unverified, apply, log

BOT = "the bot"
"""How the timeline calls it."""


class Evidence(Struct, frozen=True):
    """What is known from elsewhere than the issue itself."""

    passed: tuple[PassedCheck, ...] = ()
    deployments: tuple[Deployment, ...] = ()
    passages: tuple[OverrideUse, ...] = ()
    lapsed: tuple[Allowance, ...] = ()


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


def fold(
    observation: Observation,
    rules: Rules,
    grants: Permissions,
    evidence: Evidence | None = None,
) -> Folded:
    """Replay the history. People's deeds count, in order; the bot's own don't."""
    evidence = evidence or Evidence()
    walk = _Walk(declare(observation, rules, grants), rules, grants)
    history: list[_Item] = [*observation.history, *evidence.passed, *evidence.deployments]
    history += [*evidence.passages, *evidence.lapsed]
    for item in sorted(history, key=_when):
        if isinstance(item, _Evidence):
            walk.evidence(item)
            continue
        actor = item.author if isinstance(item, Comment) else item.actor
        if observation.is_bot(actor):
            continue
        if isinstance(item, Comment):
            walk.comment(item)
        elif not (item.kind is EventKind.LABELED and item.at <= observation.issue.created_at):
            walk.event(item)
        walk.steps |= steps.taken(walk.incident, rules.checks)
    incident = replace(
        walk.incident,
        timeline=tuple(sorted(walk.incident.timeline, key=lambda entry: entry.at)),
        last_activity=max(
            entry.at for entry in walk.incident.timeline if not entry.key.startswith(_LAPSE)
        ),
    )
    done = walk.steps | steps.answered(observation.values.given)
    return Folded(
        incident, tuple(walk.taken), tuple(walk.commands), tuple(walk.notices), frozenset(done)
    )


MOST_REFUSED = 10
"""How many people are told, one comment each, that they may not command."""
_LAPSE = "x"
"""How the keys of entries begin for which nobody did anything: an allowance is over."""


_Evidence = PassedCheck | Deployment | OverrideUse | Allowance


_Item = Comment | TimelineEvent | _Evidence


def _when(item: _Item) -> datetime:
    if isinstance(item, Allowance):
        return item.until
    return item.created_at if isinstance(item, Comment) else item.at


class _Answer:
    """What there is to say about one comment, while it is being read."""

    def __init__(self) -> None:
        self.lines: list[c.Misread] = []
        self.checks: tuple[ChecklistItem, ...] = ()
        self.pages: list[RequestedPage] = []

    def about(self, source: str, to: str) -> Notice | None:
        """As one notice."""
        return reply(source, to, self.lines, self.checks, self.pages)


class _Walk:
    """The fold's running state: one pass over the history."""

    def __init__(self, incident: Incident, rules: Rules, grants: Permissions) -> None:
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
            self._refuse(login)
            return
        answer = _Answer()
        took = False
        for index, line in enumerate(lines):
            if isinstance(line, c.Misread):
                answer.lines.append(line)
            elif allowed < self._needs(line.name):
                self._refuse(login)
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
            answer.pages.append(RequestedPage("runbook", command.name))
        elif isinstance(command, c.Help):
            answer.pages.append(RequestedPage("help", command.topic))
        return True

    def _fit(self, login: str) -> bool:
        return self.grants.at(login, 0) >= ROLE_NEEDS

    def _tried_to_close(self, act: Act) -> None:
        self.incident = log(self.incident, act, "tried to close", "recovery was not verified yet")

    def _refuse(self, login: str) -> None:
        """Say once that somebody may not do that; a crowd of strangers is not answered."""
        if login.casefold() not in self.refused and len(self.refused) < MOST_REFUSED:
            self.refused.add(login.casefold())
            text = "triage" if self.grants.best(login) >= Permission.TRIAGE else ""
            self.notices.append(Notice("refused", login.casefold(), to=login, text=text))

    def evidence(self, item: _Evidence) -> None:
        """What the bot measured, what GitHub was told to deploy, what passed the gate."""
        if isinstance(item, Allowance):
            self._expire(item)
        elif isinstance(item, OverrideUse):
            if item.at >= self.incident.times[Moment.STARTED]:
                act = Act(item.actor, item.at, item.at, item.key)
                what = f"let {item.sha[:7]} through the freeze: {item.how}"
                self.incident = log(self.incident, act, what, item.reason, deed=EntryKind.OVERRIDE)
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

    def event(self, event: TimelineEvent) -> None:
        """Apply what somebody did by hand on the issue, as if they had typed the command."""
        login, command = event.actor.login, command_for(event)
        if command is not None and self.grants.best(login) < self._needs(command):
            self._refuse(login)
            return
        act = Act(login, event.at, event.at, f"e{event.id}", self.rules.checks)
        try:
            self.incident = by_hand(self.incident, event, act)
        except Unverified as refused:
            self._say(reply(f"e{event.id}", event.actor.login, checks=refused.checks))
            self._tried_to_close(act)
        except Mistake:
            return  # the labels and the issue's state are put right by the projection


def newest(comments: Sequence[Comment]) -> tuple[int, str]:
    """The newest id and update time among comments, for the state's memory."""
    return (
        max((comment.id for comment in comments), default=0),
        max((_stamp(comment.updated_at) for comment in comments), default=""),
    )


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
