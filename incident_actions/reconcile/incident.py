"""One incident: observe it, fold its history, plan what is missing, apply that."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.forms import Form
from incident_actions.domain.issue.incident import Moment
from incident_actions.domain.issue.observation import (
    REMINDER,
    Observation,
    Permission,
    Permissions,
    take_apart,
)
from incident_actions.domain.playbook import checklist as checklists
from incident_actions.domain.projection.effects import CreateLabel, EditIssue, Effect, PostComment
from incident_actions.domain.projection.state import State, has_settled, settled_issue, state_of
from incident_actions.domain.projection.wanted import MOST_LABELS, is_ours, shown_labels
from incident_actions.domain.reminders.due import due
from incident_actions.domain.timeline.fold import (
    Evidence,
    Folded,
    Rules,
    fold,
    named_at_declaration,
)
from incident_actions.domain.timeline.interpreter import (
    Notice,
    NoticeKind,
    name_of,
    named_for_roles,
    wants_permission,
)
from incident_actions.errors import GitHubError
from incident_actions.github.client import GitHub
from incident_actions.reconcile import lookups as override_audit
from incident_actions.reconcile import lookups as suspects
from incident_actions.reconcile import plan, runbook_library
from incident_actions.reconcile.apply import apply, took_place
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.plan import Assessment, DeclaredPlaybook, OutsideFacts
from incident_actions.reconcile.runbook_library import RunbookLibrary
from incident_actions.render.comments import write

log = logging.getLogger(__name__)


class Trust(Struct, frozen=True):
    """Whether an issue is an incident of the team's, and whose permission was asked for that."""

    accepted: bool
    asked: Mapping[str, Permission] = {}


def vouch(github: GitHub, observation: Observation) -> Trust:
    """Whether this is an incident of the team's, and not a report of somebody's from outside.

    Only then may its body be believed. One request at most.
    """
    author = observation.issue.author
    if author.bot or observation.accepted_before:
        return Trust(accepted=True)
    permission = github.permission(author.login)
    return Trust(permission >= Permission.WRITE, {author.login: permission})


def assess(
    context: RunContext, observation: Observation, trust: Trust, form: Form | None = None
) -> Assessment:
    """Understand an incident of the team's. Reads only. `form` is the incident form, if known."""
    before = state_of(observation.issue)
    playbook = _playbook(context, observation, before, form)
    observation = replace(observation, form=playbook.form)
    permissions = _permissions(context, observation, trust, before, playbook)
    outside = OutsideFacts()
    if before is not None:
        outside = OutsideFacts(
            streaks=before.streaks,
            deployments=before.deployments,
            public=before.public,
            suspects=before.suspects,
            audit=before.audit,
        )
    folded = _fold(context, observation, playbook, permissions, outside)
    it = Assessment(observation, before, playbook, permissions, outside, folded)
    found = _look_around(context, it)
    if found == outside:
        return it
    folded = _fold(context, observation, playbook, permissions, found)
    return replace(it, outside=found, folded=folded)


class Reconciled(Struct, frozen=True):
    """An incident that was brought up to date: what is known of it, and what it remembers now."""

    result: JobResult
    assessment: Assessment
    state: State


def reconcile(
    context: RunContext, observation: Observation, trust: Trust, form: Form | None = None
) -> Reconciled:
    """Bring one incident of the team's up to date. Running it again changes nothing.

    Comments first, the issue last: its state says which comments were posted, so a run that is
    killed between the two posts nothing twice and forgets nothing.
    """
    github, first = context.github, observation.issue
    it = assess(context, observation, trust, form)
    notices = plan.unposted_notices(it)
    asked = any(notice.pages for notice in notices)
    pages = runbook_library.pages(github, notices, first.url) if asked else {}
    comments = plan.comments_to_change(it, notices, pages) + _reminders(context, it)
    applied = took_place(apply(github, comments))
    posted = plan.posted_after(it, applied)
    if applied:
        it = _observed_again(context, it)
    reminders = observation.own.of_kind(REMINDER).values()
    settled = settled_issue(first, applied, len(reminders), context.now)
    state, before = plan.state_after(it, posted, settled), it.before
    known = before is not None and has_settled(first, before, context.now, reminders)
    change = plan.edit_for(it, state, context.config, settle=context.sweeping and not known)
    last: list[Effect] = [*_no_room(it, change)]
    if change is not None:
        last += [*_missing_labels(github, it, change), change]
    applied += took_place(apply(github, last))
    _warn_of_labels(it, change)
    result = JobResult(
        issue=it.number,
        severity=it.incident.severity.value,
        status=it.incident.status.value,
        changed=bool(applied),
    )
    return Reconciled(result, it, state)


def _observed_again(context: RunContext, it: Assessment) -> Assessment:
    """The same with the issue as it is by now.

    Somebody may have edited the body while comments were posted: their ticks and words must
    survive. The history counts as it was read.
    """
    issue = context.github.issue(it.number)
    before = it.observation.issue
    it = replace(it, observation=replace(it.observation, issue=issue), before=state_of(issue))
    if (issue.body, issue.labels) == (before.body, before.labels):
        return it
    folded = _fold(context, it.observation, it.playbook, it.permissions, it.outside)
    return replace(it, folded=folded)


def _warn_of_labels(it: Assessment, change: EditIssue | None) -> None:
    """Say in the log which labels found no room beside those that people set."""
    now = (change.labels if change else None) or it.observation.issue.labels
    there = {name.casefold() for name in now}
    left_out = [name for name in shown_labels(it.incident) if name.casefold() not in there]
    if left_out:
        log.warning(
            "#%s can't carry the labels %s: GitHub takes %s on an issue. Take some off.",
            it.number,
            ", ".join(left_out),
            MOST_LABELS,
        )


def _no_room(it: Assessment, change: EditIssue | None) -> list[PostComment]:
    """What to say, once, where the text of the issue leaves no room to remember anything."""
    issue, notice = it.observation.issue, Notice(NoticeKind.NO_ROOM, str(it.number))
    body = change.body if change else None
    parts = issue.parts if body is None else take_apart(body)
    if parts.state is not None or name_of(notice) in it.observation.own.by_name:
        return []
    return [PostComment(it.number, notice.kind, notice.key, write(notice))]


def _reminders(context: RunContext, it: Assessment) -> list[Effect]:
    author = it.observation.issue.author
    reporter = None if author.bot else author.login
    policy = context.config.reminders.policy()
    early = due(it.incident, it.playbook.checks, reporter, policy, context.now)
    late = early
    if not context.sweeping:  # the next sweep is soon enough for what is due until then
        now_only = replace(policy, tick=timedelta())
        late = due(it.incident, it.playbook.checks, reporter, now_only, context.now)
    own = it.observation.own.of_kind(REMINDER)
    return plan.reminder_comments(it.number, own, late, it.incident, early)


def _missing_labels(github: GitHub, it: Assessment, change: EditIssue) -> list[CreateLabel]:
    """The labels to create before they are set. The whole catalogue is made once."""
    added = {name.casefold() for name in change.labels or ()}
    added -= {name.casefold() for name in it.observation.issue.labels}
    ready = it.before is not None and it.before.labels
    if not added or (ready and added <= {label.name for label in names.CATALOG}):
        return []
    there = github.label_names()
    wanted = {label.name: label for label in names.CATALOG}
    wanted |= {name: names.describe(name) for name in sorted(added) if is_ours(name)}
    return [CreateLabel(label) for name, label in wanted.items() if name not in there]


def _playbook(
    context: RunContext, observation: Observation, before: State | None, form: Form | None
) -> DeclaredPlaybook:
    """The playbook: from the incident's own memory where it has one, else from the repository."""
    issue = observation.issue
    if before is not None and before.form:
        shown = checklists.shown_checklist(issue.parts.dashboard)
        hidden = before.sensitive and before.public is not False
        if not shown and not hidden:
            shown = runbook_library.checklist(RunbookLibrary(context.github))
        return DeclaredPlaybook(
            form=Form(before.form),
            checks=before.checks,
            checklist=shown,
            defaults=before.defaults,
            runbooks=before.runbooks,
        )
    form = form or runbook_library.form(context.github, context.config)
    library = RunbookLibrary(context.github)
    values = replace(observation, form=form).values
    sensitive = bool(values.boxes.get("sensitive"))
    return DeclaredPlaybook(
        form=form,
        checks=runbook_library.recovery_checks(library),
        checklist=runbook_library.checklist(library),
        defaults=context.config.roles_at(issue.created_at),
        runbooks=() if sensitive else runbook_library.matching_runbooks(library, values),
    )


def _permissions(
    context: RunContext,
    observation: Observation,
    trust: Trust,
    before: State | None,
    playbook: DeclaredPlaybook,
) -> Permissions:
    """What people may do: remembered, and asked for again where they commanded since then."""
    permissions = Permissions(before.people if before else None)
    seen = before.seen_id if before else 0
    asked = {login.casefold() for login in trust.asked}
    for login, permission in trust.asked.items():
        permissions.learn(login, permission, seen + 1)

    def ask(login: str, comment_id: int = 0) -> None:
        if login.casefold() not in asked and (not permissions.knows(login) or comment_id > seen):
            asked.add(login.casefold())
            permissions.learn(login, context.github.permission(login), seen + 1)

    commanding = wants_permission(observation)
    for login, comment_id in commanding.items():
        ask(login, comment_id)
    rules = _rules(context, playbook)
    named = [*named_at_declaration(observation.values, rules).values()]
    named += named_for_roles(observation, permissions)
    for login in named:
        ask(login)
    permissions.keep([*commanding, *named])
    return permissions


def _rules(context: RunContext, playbook: DeclaredPlaybook) -> Rules:
    return Rules(playbook.checks, context.config.needs(), playbook.defaults)


def _fold(
    context: RunContext,
    observation: Observation,
    playbook: DeclaredPlaybook,
    permissions: Permissions,
    outside: OutsideFacts,
) -> Folded:
    evidence = Evidence(
        passed=(*checklists.passed_checks(observation.own.by_name), *outside.passed),
        deployments=outside.deployments,
        passages=outside.audit.passages,
        lapsed=outside.lapsed,
    )
    return fold(observation, _rules(context, playbook), permissions, evidence)


def _look_around(context: RunContext, it: Assessment) -> OutsideFacts:
    """What is not in the issue: probes that are due, deployments, overrides, who can read it."""
    github, incident, found = context.github, it.incident, _probe(context, it)
    started = incident.times[Moment.STARTED]
    known = found.suspects is not None and found.suspects.start == started
    changed = None
    if not incident.sensitive and not known:
        changed = suspects.look(github, started, context.config)
    if changed is not None:
        deployments = tuple(each for each in changed.deployments if each.at >= started)
        found = replace(found, suspects=changed.suspects, deployments=deployments)
    elif incident.status.open:
        try:
            found = replace(found, deployments=github.deployments(started))
        except GitHubError as error:  # without `deployments: read` the timeline is shorter
            log.info("The deployments of this incident could not be read: %s", error)
    if found.public is None and incident.sensitive:
        found = replace(found, public=github.about().public)
    if not incident.sensitive and (found.deployments or incident.allow):
        audit = override_audit.follow(
            github, incident, it.number, found.deployments, found.audit, context.now
        )
        found = replace(found, audit=audit)
    return replace(found, lapsed=incident.lapsed(context.now))


def _probe(context: RunContext, it: Assessment) -> OutsideFacts:
    """Make the recovery checks that are due, and count their good answers."""
    outside, limits = it.outside, context.config.verification
    streaks, passed = dict(outside.streaks), list[checklists.PassedCheck]()
    for item in checklists.due_probes(it.incident, it.playbook.checks, streaks, context.now):
        good = context.probe(item.probe or "", limits.allow_private)
        streak = checklists.next_streak(streaks.pop(item.key, None), good, context.now, it.incident)
        if streak is not None:
            streaks[item.key] = streak
            found = checklists.PassedCheck(item.key, streak.since, context.now)
            if streak.is_recovery(limits.successes, limits.minutes) and not found.told_in(
                it.posted
            ):
                passed.append(found)
    return replace(outside, streaks=streaks, passed=tuple(passed))
