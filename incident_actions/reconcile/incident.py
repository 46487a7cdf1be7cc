"""One incident: observe it, fold its history, plan what is missing, apply that."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from enum import Enum

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.config import Config
from incident_actions.domain.changes.suspects import Suspects
from incident_actions.domain.freeze.override_audit import OverrideAudit, lapsed
from incident_actions.domain.issue import body as bodies
from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.forms import Form
from incident_actions.domain.issue.incident import Incident, Moment
from incident_actions.domain.issue.observation import Issue, Observation, Permission
from incident_actions.domain.issue.permissions import Permissions
from incident_actions.domain.issue.trust import accepted_before
from incident_actions.domain.playbook import recovery
from incident_actions.domain.playbook.checklist import read_checklist
from incident_actions.domain.playbook.recovery import PassedCheck, RecoveryThreshold
from incident_actions.domain.postmortem.lint import LintFinding
from incident_actions.domain.projection.effects import (
    AddReaction,
    CreateLabel,
    EditIssue,
    Effect,
    PostComment,
)
from incident_actions.domain.projection.staleness import settled_issue
from incident_actions.domain.projection.state import Memory, State, read_state
from incident_actions.domain.projection.wanted import MOST_LABELS, shown_labels
from incident_actions.domain.reminders.incident import due
from incident_actions.domain.timeline import bot_comments as voice
from incident_actions.domain.timeline.authors import named_for_roles, wants_permission
from incident_actions.domain.timeline.bot_comments import REMINDER
from incident_actions.domain.timeline.declaration import Rules, named_at_declaration
from incident_actions.domain.timeline.fold import Evidence, Folded, fold
from incident_actions.domain.timeline.notices import Notice
from incident_actions.errors import GitHubError
from incident_actions.github.client import GitHub
from incident_actions.reconcile import comment_plan as speech
from incident_actions.reconcile import override_audit as overrides
from incident_actions.reconcile import plan
from incident_actions.reconcile import runbook_library as playbook
from incident_actions.reconcile import suspects as changes
from incident_actions.reconcile.apply import apply, took_place
from incident_actions.reconcile.plan import Findings, Known, Study
from incident_actions.reconcile.runbook_library import RunbookLibrary
from incident_actions.render.comments import write

log = logging.getLogger(__name__)

NEEDED_TO_WRITE = 3
"""Requests that a run keeps back: to comment, to look again, to edit."""


class JobResult(Struct, frozen=True):
    """What a run found and did, for the action's outputs and the job summary.

    `findings` (path, finding) are those of a postmortem that no check shows.
    """

    issue: int | None = None
    severity: str = ""
    status: str = ""
    changed: bool = False
    pull_request: int | None = None
    findings: tuple[tuple[str, LintFinding], ...] = ()


class Occasion(Enum):
    """What a run is for. A sweep also notes that an issue is up to date."""

    COMMENT = "comment"
    EVENT = "event"
    SWEEP = "sweep"


class RunContext(Struct, frozen=True):
    """What a run works with.

    `budget` is how many requests it may make in all. `probe` asks an address of the team's:
    (url, private addresses allowed) -> works. `sleep` waits some seconds. `workflow` is the file
    name of the workflow that sweeps, where it is known.
    """

    hub: GitHub
    config: Config
    now: datetime
    probe: Callable[[str, bool], bool]
    budget: int
    occasion: Occasion = Occasion.EVENT
    sleep: Callable[[float], None] = time.sleep
    workflow: str = ""

    @property
    def thorough(self) -> bool:
        """Whether to look at what is not in the issue, too: a comment must be answered fast."""
        return self.occasion is not Occasion.COMMENT

    def with_extra(self, requests: int) -> RunContext:
        """The desk, when so many requests come on top of the budget."""
        return replace(self, budget=self.budget + requests)

    def may_still_ask(self, count: int) -> bool:
        """Whether so many more requests stay within the budget."""
        return self.hub.requests + count <= self.budget


def vouch(hub: GitHub, observation: Observation) -> tuple[Observation, bool]:
    """Whether this is an incident of the team's, and not a report of somebody's from outside.

    Only then may its body be believed. What was asked for is added to the observation.
    """
    author = observation.issue.author
    if author.bot or accepted_before(observation):
        return observation, True
    permission = hub.permission(author.login)
    seen = replace(observation, permissions={author.login: permission})
    return seen, permission >= Permission.WRITE


def study(desk: RunContext, observation: Observation, form: Form | None = None) -> Study:
    """Understand an incident of the team's. Reads only."""
    issue = observation.issue
    state = _state(issue)
    known = _known(desk, issue, state, form)
    grants = _grants(desk, observation, state, known)
    findings = Findings(
        streaks=state.streaks if state else {},
        deployments=state.deployments if state else (),
        public=state.public if state else None,
        trail=state.trail if state else OverrideAudit(),
        suspects=state.suspects if state else None,
    )
    folded = _fold(desk, observation, known, grants, findings)
    told = speech.said(observation, state)
    found = _look_around(desk.with_extra(known.extra), folded.incident, known, findings, told)
    found = replace(found, trail=findings.trail, lapsed=lapsed(folded.incident, desk.now))
    found = _follow(desk.with_extra(known.extra + found.extra), issue.number, folded, found)
    if found != findings:
        folded = _fold(desk, observation, known, grants, found)
    return Study(state, known, grants, found, folded)


class Tended(Struct, frozen=True):
    """An incident that was brought up to date: how it was seen, and what is remembered of it."""

    report: JobResult
    observation: Observation
    study: Study
    memory: Memory


def tend(desk: RunContext, observation: Observation, form: Form | None = None) -> Tended:
    """Bring one incident of the team's up to date. Running it again changes nothing.

    Words first, the issue last: its state says which words were posted, so a run that is killed
    between the two posts nothing twice and forgets nothing.
    """
    hub = desk.hub
    it = study(desk, observation, form)
    desk = desk.with_extra(it.known.extra + it.findings.extra)
    first = observation.issue
    unsaid = voice.unsaid(it.folded.notices, speech.said(observation, it.state))
    pages = playbook.pages(hub, unsaid, first.url)
    words = speech.words(observation, it, pages) + _reminders(desk, observation, it)
    done = took_place(apply(hub, _affordable(desk, words)))
    reminders = sum(name.startswith(f"{REMINDER} ") for name in voice.own_comments(observation))
    said = speech.said_after(observation, it.state, done)
    if done and desk.may_still_ask(2):
        # Somebody may have edited the body meanwhile: their ticks and words must survive.
        observation = replace(observation, issue=hub.issue(first.number))
        folded = _fold(desk, observation, it.known, it.grants, it.findings)
        it = replace(it, state=_state(observation.issue), folded=folded)
    memory = plan.memory(
        observation.issue, it, said, settled_issue(first, done, reminders, desk.now)
    )
    sweeping = desk.occasion is Occasion.SWEEP
    change = plan.change(observation, it, memory, desk.config, settle=sweeping)
    done += took_place(apply(hub, _no_room(observation, change)))
    _warn_of_labels(observation, change, it.folded.incident)
    if not change.empty:
        done += took_place(
            apply(hub, [*_missing_labels(hub, observation.issue, change, it.state), change])
        )
    incident = it.folded.incident
    report = JobResult(
        issue=change.number,
        severity=incident.severity.value,
        status=incident.status.value,
        changed=bool(done),
    )
    return Tended(report, observation, it, memory)


def _affordable(desk: RunContext, words: list[Effect]) -> list[Effect]:
    """The words; of a flood of thumbs up, after many lost runs, as many as there is room for."""
    thanks = [effect for effect in words if isinstance(effect, AddReaction)]
    if len(thanks) <= _HANDFUL:
        return words
    rest = [effect for effect in words if not isinstance(effect, AddReaction)]
    room = desk.budget - desk.hub.requests - len(rest) - 2  # reading the issue again, writing it
    return rest + thanks[-max(2, room) :]


_HANDFUL = 10


def _warn_of_labels(observation: Observation, change: EditIssue, incident: Incident) -> None:
    """Say in the log which labels found no room beside those that people set."""
    there = observation.issue.labels if change.labels is None else change.labels
    left_out = [name for name in shown_labels(incident) if not names.holds(there, name)]
    if left_out:
        log.warning(
            "#%s can't carry the labels %s: GitHub takes %s on an issue. Take some off.",
            observation.issue.number,
            ", ".join(left_out),
            MOST_LABELS,
        )


def _no_room(observation: Observation, change: EditIssue) -> list[PostComment]:
    """What to say, once, where the text of the issue leaves no room to remember anything."""
    issue = observation.issue
    body = issue.body if change.body is None else change.body
    if bodies.split(body).state is not None:
        return []
    notice = Notice("no-room", str(issue.number))
    unsaid = voice.unsaid([notice], voice.own_comments(observation))
    return [PostComment(issue.number, each.kind, each.key, write(each)) for each in unsaid]


def _reminders(desk: RunContext, observation: Observation, it: Study) -> list[Effect]:
    author = observation.issue.author
    reporter = None if author.bot else author.login
    incident = it.folded.incident
    policy = desk.config.reminders.policy()
    early = due(incident, it.known.checks, reporter, policy, desk.now)
    if desk.occasion is Occasion.SWEEP:
        late = early
    else:  # the next sweep is soon enough for what is due until then
        late = due(incident, it.known.checks, reporter, replace(policy, tick=timedelta()), desk.now)
    own = voice.own_comments(observation)
    return speech.remind(observation.issue.number, own, late, incident, early)


def _state(issue: Issue) -> State | None:
    return read_state(bodies.split(issue.body).state, issue.number)


def _missing_labels(
    hub: GitHub, issue: Issue, change: EditIssue, state: State | None
) -> list[CreateLabel]:
    """The labels to create before they are set. The whole catalogue is made once."""
    added = {name.casefold() for name in change.labels or ()}
    added -= {name.casefold() for name in issue.labels}
    if not added:
        return []
    ready = state is not None and state.labels
    if ready and added <= {label.name for label in names.CATALOG}:
        return []
    there = hub.label_names()
    wanted = {label.name: label for label in names.CATALOG}
    wanted |= {name: names.describe(name) for name in sorted(added) if names.is_ours(name)}
    return [CreateLabel(label) for name, label in wanted.items() if name not in there]


def _known(desk: RunContext, issue: Issue, state: State | None, form: Form | None) -> Known:
    """The playbook: from the incident's own memory where it has one, else from the repository."""
    if state is not None and state.form:
        dashboard = bodies.split(issue.body).dashboard
        shown = read_checklist(dashboard, heading="h4", untitled=None)
        hidden = state.sensitive and state.public is not False
        return Known(
            form=playbook.remembered_form(state.form),
            checks=state.checks,
            checklist=shown if shown or hidden else playbook.checklist(RunbookLibrary(desk.hub)),
            defaults=state.defaults,
            runbooks=state.runbooks,
        )
    form = form or playbook.form(desk.hub, desk.config)
    shelf = RunbookLibrary(desk.hub)
    checks, checklist = playbook.recovery_checks(shelf), playbook.checklist(shelf)
    before = desk.hub.requests
    answers = plan.answers(issue, form)
    runbooks = () if answers.boxes.get("sensitive") else playbook.matching_runbooks(shelf, answers)
    return Known(
        form=form,
        checks=checks,
        checklist=checklist,
        defaults=desk.config.roles_at(issue.created_at),
        runbooks=runbooks,
        extra=desk.hub.requests - before,
    )


def _rules(desk: RunContext, known: Known) -> Rules:
    return Rules(known.checks, desk.config.needs(), known.defaults)


def _grants(
    desk: RunContext, observation: Observation, state: State | None, known: Known
) -> Permissions:
    """What people may do: remembered, and asked for again where they commanded since then."""
    grants = Permissions(state.people if state else None)
    seen = state.seen_id if state else 0
    asked = {login.casefold() for login in observation.permissions}
    for login, permission in observation.permissions.items():
        grants.learn(login, permission, seen + 1)

    def ask(login: str, comment_id: int = 0) -> None:
        if login.casefold() not in asked and (not grants.knows(login) or comment_id > seen):
            asked.add(login.casefold())
            grants.learn(login, desk.hub.permission(login), seen + 1)

    answers = plan.answers(observation.issue, known.form)
    commanding = wants_permission(observation)
    for login, comment_id in commanding.items():
        ask(login, comment_id)
    named = [*named_at_declaration(answers, _rules(desk, known)).values()]
    named += named_for_roles(observation, grants)
    for login in named:
        ask(login)
    grants.keep([*commanding, *named])
    return grants


def _fold(
    desk: RunContext,
    observation: Observation,
    known: Known,
    grants: Permissions,
    findings: Findings,
) -> Folded:
    return fold(
        observation,
        plan.answers(observation.issue, known.form),
        _rules(desk, known),
        grants,
        Evidence(
            passed=(*recovery.said(voice.own_comments(observation)), *findings.passed),
            deployments=findings.deployments,
            passages=findings.trail.passages,
            lapsed=findings.lapsed,
        ),
    )


def _follow(desk: RunContext, number: int, folded: Folded, findings: Findings) -> Findings:
    """Read more of the trail of used overrides, with what the run needs no longer itself."""
    spare = min(overrides.MOST_REQUESTS, desk.budget - desk.hub.requests - NEEDED_TO_WRITE)
    if not desk.thorough or folded.incident.sensitive or spare <= 0:
        return findings
    trail = overrides.follow(
        desk.hub,
        folded.incident,
        number,
        findings.deployments,
        findings.trail,
        desk.now,
        allowed=spare,
    )
    return replace(findings, trail=trail)


def _look_around(
    desk: RunContext, incident: Incident, known: Known, findings: Findings, told: Collection[str]
) -> Findings:
    """What isn't in the issue: probes that are due, deployments, who can read the repository."""
    streaks, passed = dict(findings.streaks), list[PassedCheck]()
    limits = desk.config.verification
    enough = RecoveryThreshold(limits.successes, limits.minutes)
    for item in recovery.due(incident, known.checks, streaks, desk.now):
        good = desk.probe(item.probe or "", limits.allow_private)
        streak = recovery.record(streaks.pop(item.key, None), good, desk.now, incident)
        if streak is not None:
            streaks[item.key] = streak
            found = PassedCheck(item.key, streak.since, desk.now)
            if enough.reached(streak) and not found.told_in(told):
                passed.append(found)
    started, before = incident.times[Moment.STARTED], desk.hub.requests
    looked = None
    if not incident.sensitive and _is_news(findings.suspects, started):
        looked = changes.look(desk.hub, started, desk.config)
    extra = max(0, desk.hub.requests - before - desk.thorough)  # deployments are in the budget
    deployments = findings.deployments
    if looked is not None:
        deployments = tuple(each for each in looked.deployments if each.at >= started)
    elif desk.with_extra(extra).may_still_ask(3) and desk.thorough and incident.status.open:
        try:
            deployments = desk.hub.deployments(started)
        except GitHubError:
            deployments = findings.deployments  # no `deployments: read`: the timeline is shorter
    public = findings.public
    if public is None and incident.sensitive:
        public = desk.hub.is_public()
    suspects = looked.suspects if looked is not None else findings.suspects
    return Findings(streaks, deployments, public, suspects, extra, passed=tuple(passed))


def _is_news(suspects: Suspects | None, started: datetime) -> bool:
    """Whether nobody asked yet what changed before this start."""
    return suspects is None or suspects.start != started
