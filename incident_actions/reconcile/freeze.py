"""Deploy freezes that are no incidents: issues labelled `deploy-freeze`, by hand or by a window.

The gate asks nobody: it believes a freeze by its author's association with the repository. What
it can't know is put right here. A stranger's freeze is held, and one that somebody with write
access stands behind, though the gate would not believe its author, goes on in the bot's name.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from incident_actions import gate_decision
from incident_actions.domain.freeze import label_guard as hands
from incident_actions.domain.freeze.windows import Occurrence, occurrence_key, open_at
from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import Observation
from incident_actions.domain.issue.permissions import Permission, Permissions
from incident_actions.domain.issue.records import EventKind, Issue, TimelineEvent
from incident_actions.domain.projection.effects import Effect, OpenIssue, PostComment
from incident_actions.domain.projection.wanted import edit
from incident_actions.domain.timeline import untrusted_reports as reports
from incident_actions.domain.timeline.authors import wants_permission
from incident_actions.domain.timeline.commands import Confirm, Dismiss, ThawDeploys
from incident_actions.domain.timeline.notices import Notice, unposted
from incident_actions.gate_readers import TRUSTED, sections
from incident_actions.gate_words import stamp
from incident_actions.reconcile.apply import apply, took_place
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.plan import comments_to_delete
from incident_actions.reconcile.recent_comments import RecentComments, is_held
from incident_actions.reconcile.untrusted_report import missing_labels, opened_before
from incident_actions.render.comments import write
from incident_actions.render.markdown import render

_IN_FORCE = reports.DecisionTerms(
    (ThawDeploys,), "this is a deploy freeze, no incident", "/thaw REASON"
)
_HELD = reports.DecisionTerms(
    (Confirm, Dismiss), "this is a freeze that nobody has confirmed yet", "/confirm"
)


class Wish(Struct, frozen=True):
    """What a freeze asks for, as the gate reads it. Empty: everything, and nobody may deploy."""

    until: datetime | None
    until_text: str
    deployers: tuple[str, ...]
    services: tuple[str, ...]
    environments: tuple[str, ...]


def reconcile_freezes(context: RunContext, recent: RecentComments) -> tuple[JobResult, ...]:
    """Open the freezes of windows that are due, end those that are over, heal what runs missed.

    One request when there is nothing to do. An occurrence is opened once: its issue, open or
    closed, carries its key. So a person who closes it early has ended it.
    """
    due = open_at(context.config.windows(), context.now)
    freezes = context.github.issues(labels=[names.DEPLOY_FREEZE], state="all" if due else "open")
    there = {occurrence_key(issue.body) for issue in freezes if _is_ours(issue, context)}
    opened = [_open(context, occurrence) for occurrence in due if occurrence.key not in there]
    current = [issue for issue in freezes if issue.open and is_freeze(_listed(context, issue))]
    strangers = [issue for issue in current if not _gate_believes(issue)]
    to_look_at = [issue for issue in current if _needs_a_look(issue, context.now)]
    looked = [
        report
        for issue in (*to_look_at, *recent.held_to_look_at(strangers))
        for report in reconcile_freeze(
            context, Observation(issue, context.github.history(issue.number), context.config.bot)
        )
    ]
    return (*opened, *looked)


def _listed(context: RunContext, issue: Issue) -> Observation:
    """An issue of a list, whose history nobody asked for."""
    return Observation(issue, (), context.config.bot)


def is_freeze(observation: Observation) -> bool:
    """Whether this is a freeze that is no incident.

    GitHub drops a form's label that the repository doesn't have yet: then the two headings tell,
    unless somebody took the label off. Whether they might is to be seen.
    """
    issue = observation.issue
    if issue.is_pull_request or names.holds(issue.labels, names.INCIDENT):
        return False
    if names.holds(issue.labels, names.DEPLOY_FREEZE) or hands.label_taken_off(observation):
        return True
    label = names.DEPLOY_FREEZE
    ever = any(event.subject.casefold() == label for event in observation.label_events)
    headings = [heading for heading, _ in sections(issue.body)]
    return not ever and all(any(part in h for h in headings) for part in ("until", "may deploy"))


def reconcile_freeze(context: RunContext, observation: Observation) -> tuple[JobResult, ...]:
    """Bring one freeze up to date: hold it, end it, or let it go on in the bot's name."""
    issue = observation.issue
    if not issue.open and not (_gate_believes(issue) and hands.closer(observation)):
        return ()
    current = _since_reopened(observation)
    grants = Permissions()
    people = set(wants_permission(current)) | set(_labelled_by(current)) | hands.people(observation)
    if not issue.author.bot:
        people.add(issue.author.login)
    for login in sorted(people):
        grants.learn(login, context.github.permission(login), 0)
    if _may_freeze(grants, issue) and _gate_believes(issue):
        return _keep(context, observation, current, grants)
    if not issue.open or hands.label_taken_off(observation):
        return ()
    return _hold(context, observation, current, grants)


def _keep(
    context: RunContext, observation: Observation, current: Observation, grants: Permissions
) -> tuple[JobResult, ...]:
    """A freeze in force, until its time is over or a writer ends it, by command or by hand."""
    issue, wish = observation.issue, read_wish(observation.issue)
    needed = context.config.needs().get("thaw", Permission.WRITE)

    def may(login: str) -> bool:
        return grants.at(login, 0) >= needed

    left = hands.as_left(observation, may)
    off = hands.label_taken_off(observation) and not names.holds(left.labels, names.DEPLOY_FREEZE)
    if off or (not issue.open and may(hands.closer(observation))):
        return ()
    verdict = reports.decide(current, grants, context.config.needs(), _IN_FORCE)
    notices = list(verdict.notices)
    told = {notice.key for notice in notices if notice.kind == "refused"}
    notices += [
        Notice("refused", login.casefold(), to=login, text="freeze")
        for login in left.refused
        if login.casefold() not in told
    ]
    over = wish.until is not None and wish.until <= context.now
    if isinstance(verdict.command, ThawDeploys):
        reason = verdict.command.reason
        notices.append(_ended(issue, str(verdict.comments[0].id), verdict.by, reason))
    elif over and wish.until is not None:
        notices.append(_ended(issue, stamp(wish.until)))
    elif wish.until_text and wish.until is None:
        notices.append(Notice("freeze-until", str(issue.number), to=issue.author.login))
    unlabelled = not names.holds(issue.labels, names.DEPLOY_FREEZE)
    done = took_place(apply(context.github, missing_labels(context))) if unlabelled else ()
    ends = over or verdict.command is not None
    labels = (*left.labels, names.DEPLOY_FREEZE)
    return (_carry_out(context, observation, notices, done, labels, ends=ends),)


def _hold(
    context: RunContext, observation: Observation, current: Observation, grants: Permissions
) -> tuple[JobResult, ...]:
    """A freeze that the gate does not believe; a writer behind it lets it go on by the bot."""
    issue, own = observation.issue, observation.own.by_name
    verdict = reports.decide(current, grants, context.config.needs(), _HELD)
    notices = [*verdict.notices]
    labels = (*issue.labels, names.DEPLOY_FREEZE, names.NEEDS_CONFIRMATION)
    by = _stands_behind(current, grants, verdict)
    done: tuple[Effect, ...] = ()
    opened: int | None = None
    if by:
        opened = reports.opened_as(observation) or opened_before(own, issue.number)
        if opened is None:
            done = took_place(apply(context.github, missing_labels(context)))
            opened = context.github.open(_in_our_name(issue, by))
        notices.append(Notice("confirmed", f"{issue.number}.{opened}", to=by, text=str(opened)))
    elif isinstance(verdict.command, Dismiss):
        reason = verdict.command.reason
        notices.append(_ended(issue, str(verdict.comments[0].id), verdict.by, reason))
    else:
        notices.insert(0, Notice("freeze-held", str(issue.number)))
        if not names.holds(issue.labels, names.NEEDS_CONFIRMATION):
            done = took_place(apply(context.github, missing_labels(context)))
    ends = bool(by) or verdict.command is not None
    report = _carry_out(context, observation, notices, done, labels, ends=ends)
    return (JobResult(issue=opened, changed=True), report) if opened else (report,)


def _carry_out(
    context: RunContext,
    observation: Observation,
    notices: list[Notice],
    done: tuple[Effect, ...],
    labels: tuple[str, ...],
    *,
    ends: bool,
) -> JobResult:
    """Words first, then the one edit, as everywhere."""
    issue, own = observation.issue, observation.own.by_name
    words: list[Effect] = [
        PostComment(issue.number, notice.kind, notice.key, write(notice))
        for notice in unposted(notices, own)
    ]
    words += comments_to_delete(notices, observation)
    done += took_place(apply(context.github, words))
    change = edit(issue, labels=labels, open=not ends)
    if not change.empty:
        done += took_place(apply(context.github, [change]))
    return JobResult(issue=issue.number, changed=bool(done))


def _ended(issue: Issue, what: str, by: str = "", reason: str = "") -> Notice:
    return Notice("freeze-ended", f"{issue.number}.{what}", to=by, text=reason)


def _since_reopened(observation: Observation) -> Observation:
    """What happened after people last opened the issue again: earlier decisions are over."""
    history = observation.history
    reopened = [
        index
        for index, item in enumerate(history)
        if isinstance(item, TimelineEvent)
        and item.kind is EventKind.REOPENED
        and not item.actor.bot
        and item.actor.login.casefold() != observation.bot.casefold()
    ]
    return replace(observation, history=history[reopened[-1] :]) if reopened else observation


def _labelled_by(observation: Observation) -> list[str]:
    """Who put the label there by hand. A form's label comes with the issue, by its author."""
    return [
        item.actor.login
        for item in observation.history
        if isinstance(item, TimelineEvent)
        and item.kind is EventKind.LABELED
        and item.subject.casefold() == names.DEPLOY_FREEZE
        and not item.actor.bot
        and item.actor.login.casefold() != observation.bot.casefold()
        and item.actor.login != observation.issue.author.login
    ]


def _stands_behind(current: Observation, grants: Permissions, verdict: reports.TeamDecision) -> str:
    """The login of somebody with write access who wants this freeze, or an empty text."""
    if isinstance(verdict.command, Dismiss):
        return ""
    if isinstance(verdict.command, Confirm):
        return verdict.by
    asked = [current.issue.author.login, *_labelled_by(current)]
    return next((login for login in asked if grants.at(login, 0) >= Permission.WRITE), "")


def _may_freeze(grants: Permissions, issue: Issue) -> bool:
    return issue.author.bot or grants.at(issue.author.login, 0) >= Permission.WRITE


def _gate_believes(issue: Issue) -> bool:
    return issue.author.bot or issue.association in TRUSTED


def _is_ours(issue: Issue, context: RunContext) -> bool:
    return issue.author.bot or issue.author.login.casefold() == context.config.bot.casefold()


def _needs_a_look(issue: Issue, now: datetime) -> bool:
    """Whether the sweep has something to do here, by the list alone."""
    if _gate_believes(issue):
        until = read_wish(issue).until
        held = any(
            names.holds(issue.labels, name) for name in (names.NEEDS_CONFIRMATION, names.DRILL)
        )
        changed_lately = now - issue.updated_at < timedelta(days=1)
        return (until is not None and until <= now) or (held and changed_lately)
    return not is_held(issue)


def read_wish(issue: Issue) -> Wish:
    """What a freeze's text and labels ask for, read by the gate's own reader."""
    item = {
        "number": issue.number,
        "labels": [names.DEPLOY_FREEZE, *issue.labels],
        "user": {"login": issue.author.login, "type": "Bot"},  # who it is was settled before
        "body": issue.body,
    }
    read = gate_decision.read_issue(item)
    if read is None or read.problem:
        return Wish(None, "", (), (), ())
    until = (text for heading, text in sections(issue.body) if "until" in heading)
    return Wish(
        until=read.until,
        until_text="\n".join(until).strip(),
        deployers=tuple(sorted(read.deployers)),
        services=tuple(sorted(gate_decision.services_of(read))),
        environments=read.environments,
    )


def _open(context: RunContext, occurrence: Occurrence) -> JobResult:
    """Open the freeze of a window. It is born with its label, so it freezes at once."""
    apply(context.github, missing_labels(context))
    window = occurrence.window
    body = render(
        "freeze.md.j2",
        marker=occurrence.marker,
        window=window.name,
        by="",
        number=0,
        until=occurrence.ends,
        deployers=window.allow,
        reason=window.reason,
        services=(),
        environments=(),
    )
    title = f"Deploy freeze: {window.name}"
    number = context.github.open(OpenIssue(title=title, body=body, labels=(names.DEPLOY_FREEZE,)))
    return JobResult(issue=number, changed=True)


def _in_our_name(issue: Issue, by: str) -> OpenIssue:
    """Somebody's freeze as the bot opens it, with what it asked for as it was then."""
    wish = read_wish(issue)
    why = [text for heading, text in sections(issue.body) if heading.startswith("why")]
    body = render(
        "freeze.md.j2",
        marker=reports.marker(issue.number),
        window="",
        by=by,
        number=issue.number,
        until=wish.until,
        deployers=wish.deployers,
        reason="\n".join(why)[:2000],
        services=wish.services,
        environments=wish.environments,
    )
    return OpenIssue(title=issue.title, body=body, labels=(names.DEPLOY_FREEZE,))
