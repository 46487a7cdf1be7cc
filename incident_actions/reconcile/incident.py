"""Brings one incident up to date: fold its history, plan what is missing, apply that."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Mapping
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.forms import Form
from incident_actions.domain.issue.incident import Incident, Moment
from incident_actions.domain.issue.observation import (
    REMINDER,
    Actor,
    Comment,
    Issue,
    Judged,
    Observation,
    Permission,
    Permissions,
    Version,
    put_back,
    take_apart,
)
from incident_actions.domain.playbook import checklist as checklists
from incident_actions.domain.projection.effects import CreateLabel, EditIssue, Effect, PostComment
from incident_actions.domain.projection.state import State, has_settled, settled_issue, state_of
from incident_actions.domain.projection.wanted import (
    MOST_LABELS,
    is_ours,
    shown_labels,
    through_lock,
)
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
    deeds_on,
    name_of,
    named_changes,
    named_for_roles,
)
from incident_actions.domain.timeline.parser import may_hold_commands
from incident_actions.errors import GitHubError
from incident_actions.gate_readers import TRUSTED
from incident_actions.github.client import GitHub
from incident_actions.reconcile import lookups, plan, runbook_library
from incident_actions.reconcile.apply import apply, is_muted, missing_labels, took_place
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.plan import Assessment, DeclaredPlaybook, OutsideFacts
from incident_actions.reconcile.runbook_library import RunbookLibrary
from incident_actions.render.comments import write

log = logging.getLogger(__name__)


class AuthorCheck(Struct, frozen=True):
    """Whether an issue is accepted as an incident of the team's.

    `asked` holds the permissions that were looked up for this, by login.
    """

    accepted: bool
    asked: Mapping[str, Permission] = {}


def check_author(github: GitHub, observation: Observation) -> AuthorCheck:
    """Decide whether an issue is an incident of the team's, or a report from outside.

    Only the body of a team's incident may be believed. Makes one request at most.
    """
    author, labelled = observation.issue.author, observation.labelled_by(names.INCIDENT)
    if observation.accepted_before:
        return AuthorCheck(accepted=True)
    people = [person for person in (author, labelled) if person is not None and not person.bot]
    asked = {person.login: github.permission(person.login) for person in people}
    may = [permission >= Permission.WRITE for permission in asked.values()]
    return AuthorCheck(all(may), asked)


MOST_EDITED, MOST_BY_STRANGERS = 90, 10
"""How many edited comments one run looks at: of people whom GitHub shows as members, of others."""


def with_edits(
    github: GitHub, observation: Observation, before: State | None = None
) -> Observation:
    """The observation with the versions of edited comments: lists only tell that one was edited.

    Those are looked at that hold commands, or did in an earlier run (`before`). Makes no request
    when there are none, else one.
    """
    known_deeds = before.judged.keys() if before and before.judged else frozenset()
    taken = {key.partition(".")[0] for key in known_deeds}  # of an edited comment, too
    edited = [
        comment
        for comment in observation.comments
        if comment.edited
        and not observation.is_bot(comment.author)
        and (f"c{comment.id}" in taken or may_hold_commands(comment.body))
    ]
    ours = [c for c in edited if c.association in TRUSTED or f"c{c.id}" in taken][-MOST_EDITED:]
    others = [c for c in edited if c not in ours][-MOST_BY_STRANGERS:]
    looked_at = {comment.node: comment for comment in (*ours, *others)}
    versions = github.versions([*looked_at])

    def known(comment: Comment) -> Comment:
        unknown = Version(comment.author, comment.created_at, None)
        return replace(comment, versions=versions.get(comment.node) or (unknown,))

    history = tuple(known(item) if item in edited else item for item in observation.history)
    return replace(observation, history=history)


def may_edit(github: GitHub, actor: Actor, observation: Observation) -> bool:
    """Whether somebody may write an issue's text: our bot, and who may write in the repository."""
    if actor.bot:
        return observation.is_ours(actor)
    return github.permission(actor.login) >= Permission.WRITE


def believed(github: GitHub, observation: Observation) -> Issue:
    """The issue with the last body by somebody who may write it: our bot, or a writer of now.

    Makes one request, and one for each further person who edited the body.
    """
    issue, may = observation.issue, partial(may_edit, github, observation=observation)
    editor = github.editors([issue.node]).get(issue.node)
    if editor is None or may(editor):
        return issue
    return put_back(issue, github.versions([issue.node]).get(issue.node, ()), may)


def assess(
    context: RunContext,
    observation: Observation,
    author: AuthorCheck,
    form: Form | None = None,
) -> Assessment:
    """Gather all that is known of an incident and fold it. Reads only.

    `form` is the incident form; None when it was not read yet. Raises `errors.GitHubError`.
    """
    observation = replace(observation, issue=believed(context.github, observation))
    before = state_of(observation.issue)
    observation = with_edits(context.github, observation, before)
    playbook = _playbook(context, observation, before, form)
    observation = replace(observation, form=playbook.form)
    permissions, judged = _permissions(context, observation, author, before, playbook)
    outside = OutsideFacts()
    if before is not None:
        outside = OutsideFacts(
            streaks=before.streaks,
            deployments=before.deployments,
            public=before.public,
            suspects=before.suspects,
            audit=before.audit,
            commits=before.commits,
        )
    folded = _fold(context, observation, playbook, permissions, outside)
    known = Assessment(observation, before, playbook, permissions, judged, outside, folded)
    looked_up = _look_around(context, known)
    if looked_up == outside:
        return known
    folded = _fold(context, observation, playbook, permissions, looked_up)
    return replace(known, outside=looked_up, folded=folded)


class Reconciled(Struct, frozen=True):
    """An incident that was brought up to date.

    `assessment` is what is known of it; `state` is the state in its body now.
    """

    result: JobResult
    assessment: Assessment
    state: State


def reconcile(
    context: RunContext,
    observation: Observation,
    author: AuthorCheck,
    form: Form | None = None,
) -> Reconciled:
    """Bring one incident of the team's up to date. A second run changes nothing.

    Comments are posted first, and the issue is edited last, with a state that names the posted
    comments. When a run is killed in between, the next run finds the comments by their markers: it
    posts none twice and misses none. Raises `errors.GitHubError`.
    """
    github, first = context.github, observation.issue
    known = assess(context, observation, author, form)
    notices = plan.unposted_notices(known)
    pages = runbook_library.pages(github, plan.asking(known, notices), first.url)
    comments = plan.comments_to_change(known, notices, pages.texts, pages.missing)
    comments += _reminders(context, known)
    muted = known.before is not None and known.before.lock == "muted"
    outcomes = apply(github, through_lock(first, comments, muted=muted))
    muted = first.locked and (muted or is_muted(outcomes))
    applied = took_place(outcomes)
    posted = plan.posted_after(known, applied)
    if applied:
        known = _observed_again(context, known)
    reminders = observation.own.of_kind(REMINDER).values()
    settled = settled_issue(first, applied, len(reminders), context.now)
    state, before = plan.state_after(known, posted, settled), known.before
    state = replace(state, lock="muted" if muted else "locked" if first.locked else "")
    seen = before is not None and has_settled(first, before, context.now, reminders)
    change = plan.edit_for(known, state, context.config, settle=context.sweeping and not seen)
    final = through_lock(first, _no_room(known, change), muted=muted)
    if change is not None:
        final += [*_labels_to_create(github, known, change), change]
    applied += took_place(apply(github, final))
    _warn_of_labels(known, change)
    result = JobResult(
        issue=known.number,
        severity=known.incident.severity.value,
        status=known.incident.status.value,
        changed=bool(applied),
    )
    return Reconciled(result, known, state)


def _observed_again(context: RunContext, known: Assessment) -> Assessment:
    """The assessment with the issue read again; its history stays as it was read before.

    Somebody may have edited the body while comments were posted, and the edit must not be lost.
    """
    before, issue = known.observation.issue, context.github.issue(known.number)
    observation = replace(known.observation, issue=issue)
    if before.put_back is not None or issue.body != before.body:
        issue = believed(context.github, observation)
        observation = replace(observation, issue=issue)
    known = replace(known, observation=observation, before=state_of(issue))
    if (issue.body, issue.labels) == (before.body, before.labels):
        return known
    folded = _fold(context, known.observation, known.playbook, known.permissions, known.outside)
    return replace(known, folded=folded)


def _warn_of_labels(known: Assessment, change: EditIssue | None) -> None:
    """Warn in the log of labels for which the issue has no room, because people set so many."""
    labels = (change.labels if change else None) or known.observation.issue.labels
    carried = {name.casefold() for name in labels}
    left_out = [name for name in shown_labels(known.incident) if name.casefold() not in carried]
    if left_out:
        log.warning(
            "#%s can't carry the labels %s: GitHub takes %s on an issue. Take some off.",
            known.number,
            ", ".join(left_out),
            MOST_LABELS,
        )


def _no_room(known: Assessment, change: EditIssue | None) -> list[PostComment]:
    """The comment, posted once, that the issue's body has no room for the state."""
    issue, notice = known.observation.issue, Notice(NoticeKind.NO_ROOM, str(known.number))
    body = change.body if change else None
    parts = issue.parts if body is None else take_apart(body)
    if parts.state is not None or name_of(notice) in known.observation.own.by_name:
        return []
    return [PostComment(known.number, notice.kind, notice.key, write(notice))]


def _reminders(context: RunContext, known: Assessment) -> list[Effect]:
    """The reminders to post and to delete."""
    author = known.observation.issue.author
    return plan.reminder_comments(
        known.number,
        known.observation.own.of_kind(REMINDER),
        known.incident,
        known.playbook.checks,
        None if author.bot else author.login,
        context.config.reminder_policy(context.now),
        context.now,
        context.early(known.incident),
    )


def rest_to_say(
    context: RunContext, number: int, incident: Incident, posted: Collection[str]
) -> Notice | None:
    """The notice that the watch rests, when it does and that was not said yet.

    `posted` are the names of all comments that the bot posted on the issue `number`. Where there is
    no watch, none rests.
    """
    none_here = name_of(Notice(NoticeKind.NO_WATCH, str(number))) in posted
    if none_here or not context.watchman.may_be_awake:
        return None
    policy = context.config.reminder_policy(context.now)
    notice = plan.rest_notice(number, incident, policy, context.now)
    return notice if notice is not None and name_of(notice) not in posted else None


def _labels_to_create(github: GitHub, known: Assessment, change: EditIssue) -> list[CreateLabel]:
    """The labels to create before the issue gets them; for a new incident all of the catalogue."""
    added = {name.casefold() for name in change.labels or ()}
    added -= {name.casefold() for name in known.observation.issue.labels}
    ready = known.before is not None and known.before.labels
    if not added or (ready and added <= names.CATALOG.keys()):
        return []
    return missing_labels(github, {*names.CATALOG, *filter(is_ours, added)})


def _playbook(
    context: RunContext, observation: Observation, before: State | None, form: Form | None
) -> DeclaredPlaybook:
    """The incident's playbook: from its state if that has one, else from the repository's files."""
    issue = observation.issue
    if before is not None and before.form:
        shown = checklists.shown_checklist(issue.parts.dashboard)
        hidden = before.sensitive and before.public is not False
        if not shown and not hidden:
            shown = runbook_library.checklist(RunbookLibrary(context.github))
        return DeclaredPlaybook(
            form=Form(before.form, before.prefix),
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


MOST_STRANGERS = 10
"""How many people one run asks about whom GitHub does not show as members. The next run goes on."""


def _permissions(
    context: RunContext,
    observation: Observation,
    author: AuthorCheck,
    before: State | None,
    playbook: DeclaredPlaybook,
) -> tuple[Permissions, Judged | None]:
    """What people may do: from the state, or looked up; and what of it the state keeps."""
    permissions = Permissions(before.judged if before else None)
    deeds = deeds_on(observation)
    members = {c.author.login for c in observation.comments if c.association in TRUSTED}
    strangers: set[str] = set()
    for deed in filter(permissions.is_open, deeds):
        if deed.login not in members:
            strangers.add(deed.login)
            if len(strangers) > MOST_STRANGERS:
                continue
        permissions.judge(deed, context.github.permission(deed.login))

    def ask(logins: Iterable[str]) -> list[str]:
        for login in (named := [*logins]):
            if not permissions.knows(login):
                known = author.asked.get(login)
                permissions.learn(login, known or context.github.permission(login))
        return named

    named = ask(named_at_declaration(observation.values, _rules(context, playbook)).values())
    named += ask(named_for_roles(observation, permissions))
    return permissions, permissions.dump(deeds, named)


def _rules(context: RunContext, playbook: DeclaredPlaybook) -> Rules:
    """What the fold needs to know of configuration and playbook."""
    config = context.config
    return Rules(
        playbook.checks,
        config.needs(),
        playbook.defaults,
        config.service_names(),
        config.order_of_dates(),
    )


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
        uses=outside.audit.uses,
        lapsed=outside.lapsed,
        commits=outside.commits,
    )
    return fold(observation, _rules(context, playbook), permissions, evidence)


def _look_around(context: RunContext, known: Assessment) -> OutsideFacts:
    """Look up what is not in the issue: probes, changes, deployments, overrides, visibility."""
    github, incident, facts = context.github, known.incident, _probe(context, known)
    started = incident.times[Moment.STARTED]
    looked_at = facts.suspects is not None and facts.suspects.start == started
    changed = None
    if not incident.sensitive and not looked_at:
        changed = lookups.look(github, started, context.config)
    if changed is not None:
        deployments = tuple(each for each in changed.deployments if each.at >= started)
        facts = replace(facts, suspects=changed.suspects, deployments=deployments)
    elif incident.status.open:
        try:
            facts = replace(facts, deployments=github.deployments(started))
        except GitHubError as error:  # without `deployments: read` the timeline is shorter
            log.info("The deployments of this incident could not be read: %s", error)
    if facts.public is None and incident.sensitive:
        facts = replace(facts, public=github.about().public)
    if not incident.sensitive and (facts.deployments or incident.allow):
        audit = lookups.follow(
            github, incident, known.number, facts.deployments, facts.audit, context.now
        )
        facts = replace(facts, audit=audit)
    facts = _follow_allowed(context, known, facts)
    rests = rest_to_say(context, known.number, incident, known.posted)
    return replace(facts, lapsed=incident.lapsed(context.now), rests=rests)


def _follow_allowed(context: RunContext, known: Assessment, facts: OutsideFacts) -> OutsideFacts:
    """Look up the changes that were let through, and whether their pull requests got commits."""
    github, needs = context.github, context.config.needs()
    named = named_changes(known.observation, known.permissions, needs)
    if not named:
        return replace(facts, commits={})  # what is not said any more needs no answer
    commits = lookups.commits(github, named, facts.commits)
    running = [allowed for allowed in known.incident.allow if allowed.until > context.now]
    just_asked = {named[key].pr for key in commits.keys() - facts.commits.keys()}
    pulls = {allowed.pr for allowed in running if allowed.pr and known.incident.status.open}
    return replace(facts, commits=commits, heads=lookups.heads(github, pulls - just_asked))


def _probe(context: RunContext, known: Assessment) -> OutsideFacts:
    """Make the probes of recovery checks that are due, and count their good answers in a row."""
    outside, incident, limits = known.outside, known.incident, context.config.verification
    streaks, passed = dict(outside.streaks), list[checklists.PassedCheck]()
    for item in checklists.due_probes(incident, known.playbook.checks, streaks, context.now):
        good = context.probe(item.probe or "", limits.allow_private)
        streak = checklists.next_streak(streaks.pop(item.key, None), good, context.now, incident)
        if streak is not None:
            streaks[item.key] = streak
            check = checklists.PassedCheck(item.key, streak.since, context.now)
            if streak.is_recovery(limits.successes, limits.minutes) and not check.told_in(
                known.posted
            ):
                passed.append(check)
    return replace(outside, streaks=streaks, passed=tuple(passed))
