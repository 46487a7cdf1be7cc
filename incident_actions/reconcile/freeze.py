"""Deploy freezes that are no incidents: issues labelled `deploy-freeze`.

People open them with the form, and the bot opens them for the windows of the configuration. The
gate makes no request for permissions: it trusts a freeze if its author is associated with the
repository. Here permissions are looked up. A stranger's freeze is held until somebody with write
access decides. When somebody with write access wants a freeze that the gate would not trust, the
bot opens it again in its own name.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from msgspec.structs import replace

from incident_actions import gate_decision
from incident_actions.domain.freeze import label_guard
from incident_actions.domain.freeze.wish import Wish
from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import (
    EventKind,
    Issue,
    Observation,
    Permission,
    Permissions,
)
from incident_actions.domain.projection.effects import OpenIssue
from incident_actions.domain.projection.wanted import edit
from incident_actions.domain.text.blanks import is_blank
from incident_actions.domain.text.harmless import defused
from incident_actions.domain.text.moments import Unreadable, read_coming_moment
from incident_actions.domain.timeline.commands.base import Subject
from incident_actions.domain.timeline.commands.freeze import ThawDeploys
from incident_actions.domain.timeline.commands.reports import Confirm, Dismiss
from incident_actions.domain.timeline.interpreter import Notice, NoticeKind, deed_of, source_of
from incident_actions.domain.timeline.parser import MisreadLine
from incident_actions.domain.timeline.untrusted_reports import TeamDecision, decide, report_marker
from incident_actions.gate_readers import (
    FROM_HEADING,
    TRUSTED,
    UNTIL_HEADING,
    parse_time,
    parse_until,
    sections,
)
from incident_actions.gate_words import stamp
from incident_actions.reconcile import untrusted_report, windows
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.incident import believed, with_edits
from incident_actions.reconcile.isolation import IssueTask, about, each_in_turn
from incident_actions.reconcile.plan import put_back_notice
from incident_actions.reconcile.recent_comments import RecentComments, is_held

MOST_LOOKED_THROUGH = 300
"""How many issues a sweep looks through for one that lost its label, before it opens a new one."""


def reconcile_freezes(
    context: RunContext, recent: RecentComments, freezes: Sequence[Issue]
) -> tuple[JobResult, ...]:
    """The sweep's work on freezes: open those of windows, end those that are over.

    `freezes` are the open ones. It also does what lost runs left undone, and follows the windows of
    the configuration. Makes no request when there is nothing to do, and one while a window is open,
    or begins soon, whose issue was closed. Each occurrence of a window gets one issue, which holds
    its key. So when a person closes that issue early, or takes its label off, it is not opened
    again.
    """
    due = windows.without_issue(context, windows.reachable(context), freezes)
    closed: list[Issue] = []
    if due:  # their issues may be closed
        since = windows.opened_since(due)
        changed = context.github.issues(labels=[names.DEPLOY_FREEZE], state="all", since=since)
        closed = [each for each in changed if not each.open and _is_out_of_step(context, each)]
        due = windows.without_issue(context, due, changed)
        if due:  # or have lost the label
            changed = context.github.issues(state="all", since=since, most=MOST_LOOKED_THROUGH)
            due = windows.without_issue(context, due, changed)
    opened = [windows.open_window(context, occurrence) for occurrence in due]
    doubles = windows.doubles(context, freezes)
    strangers: list[Issue] = []

    def keep(issue: Issue) -> tuple[JobResult, ...]:
        history = context.github.history(issue.number)
        return reconcile_freeze(context, Observation(issue, history, context.config.bot))

    def close(double: Issue) -> tuple[JobResult, ...]:
        done = untrusted_report.close_doubles(context.github, [double.number])
        return (JobResult(issue=double.number, changed=bool(done)),)

    def look_at(issue: Issue) -> tuple[JobResult, ...]:
        if not is_freeze(Observation(issue, (), context.config.bot)):
            return ()
        if not _gate_believes(issue):
            strangers.append(issue)
        asked = _gate_believes(issue) and recent.with_question([issue])
        return keep(issue) if asked or _needs_a_look(context, issue) else ()

    def answer_strangers() -> Sequence[JobResult]:
        held = recent.held_to_look_at(strangers)
        tasks = [about(issue.number, partial(keep, issue)) for issue in held]
        return [result for of_issue in each_in_turn(context, tasks) for result in of_issue]

    tasks = [about(issue.number, partial(keep, issue)) for issue in closed]
    for issue in freezes:
        task = close if issue in doubles else look_at
        tasks.append(about(issue.number, partial(task, issue)))
    tasks.append(IssueTask("held freezes", answer_strangers))
    results = each_in_turn(context, tasks)
    return (*opened, *(result for of_task in results for result in of_task))


def is_freeze(observation: Observation) -> bool:
    """Whether an issue is a freeze that is no incident.

    It is one with the label `deploy-freeze`, or when that was taken off (whether that was allowed
    is checked later). The label `incident` does not change that later: people with triage access
    could end the freeze with it. GitHub drops a form's label that the repository does not have: an
    issue that never had the label is recognized by two headings of the form.
    """
    issue = observation.issue
    if issue.is_pull_request:
        return False
    if issue.has_label(names.INCIDENT) and not label_guard.began_as_freeze(observation):
        return False
    if issue.has_label(names.DEPLOY_FREEZE) or label_guard.label_taken_off(observation):
        return True
    label = names.DEPLOY_FREEZE
    ever = any(event.subject.casefold() == label for event in observation.label_events)
    headings = [heading for heading, _ in sections(issue.body)]
    return not ever and all(any(part in h for h in headings) for part in ("until", "may deploy"))


def reconcile_freeze(context: RunContext, observation: Observation) -> tuple[JobResult, ...]:
    """Bring one freeze up to date: keep it, hold it, end it, or open it in the bot's name."""
    issue = observation.issue
    if not issue.open and not _gate_believes(issue):
        return ()
    observation = with_edits(context.github, observation)
    current = _since_reopened(observation)
    permissions = untrusted_report.judged_now(context.github, current)
    people = {*_labelled_by(current), *label_guard.people(observation)}
    if not issue.author.bot:
        people.add(issue.author.login)
    for login in sorted(people):
        permissions.learn(login, context.github.permission(login))
    behind = observation.labelled_by(names.DEPLOY_FREEZE) or issue.author
    may_freeze = behind.bot or _may_write(permissions, behind.login)
    author_may = issue.author.bot or _may_write(permissions, issue.author.login)
    if may_freeze and author_may and _gate_believes(issue):
        observation = replace(observation, issue=believed(context.github, observation))
        return _keep(context, observation, current, permissions)
    if not issue.open or label_guard.label_taken_off(observation):
        return ()
    return _hold(context, observation, current, permissions)


def _keep(
    context: RunContext, observation: Observation, current: Observation, permissions: Permissions
) -> tuple[JobResult, ...]:
    """Keep a freeze in force until it is over, or somebody with write access ends it."""
    issue, needs = observation.issue, context.config.needs()
    needed = needs.get(ThawDeploys.name, ThawDeploys.needs)

    def may(login: str) -> bool:
        return permissions.of_person(login) >= needed

    permitted = label_guard.permitted_labels(observation, may)
    label_is_off = label_guard.label_taken_off(observation)
    if label_is_off and not names.holds(permitted.labels, names.DEPLOY_FREEZE):
        return ()
    closing = label_guard.closing(observation)
    if closing is not None:
        deed = deed_of(closing)
        taken = untrusted_report.was_taken(observation, deed)
        if taken and not issue.open:
            return ()
        if taken or may(deed.login):
            source = untrusted_report.BY_HAND + source_of(deed.key)
            ended = _ended(issue, deed.login, source, "closed by hand")
            shut = edit(issue, open=False)
            done = untrusted_report.say_and_edit(context, observation, [ended], shut)
            return (JobResult(issue=issue.number, changed=bool(done)),)
    decision = decide(current, Subject.FREEZE, permissions, needs)
    answered = {notice.key for notice in decision.notices if notice.kind is NoticeKind.REFUSED}
    refused = (login for login in permitted.refused if login.casefold() not in answered)
    step = windows.follow(context, issue)
    wish = read_wish(replace(issue, body=step.body))
    notices = [*decision.notices, *step.notices]
    notices += [
        Notice(NoticeKind.REFUSED, login.casefold(), to=login, text="freeze") for login in refused
    ]
    if issue.put_back is not None:
        notices.append(put_back_notice(issue.number, issue.put_back))
    over = wish.until is not None and wish.until <= context.now
    if isinstance(decision.command, ThawDeploys):
        notices.append(_ended(issue, decision.by, decision.source, decision.command.text))
    elif over and wish.until is not None:
        key = f"{issue.number}.{stamp(wish.until)}"
        notices.append(Notice(NoticeKind.FREEZE_ENDED, key))
    elif not step.ends:
        notices += _unread_times(context, issue, wish)
    ends = over or step.ends or decision.command is not None
    labels = (*permitted.labels, names.DEPLOY_FREEZE)
    change = edit(issue, body=step.body, labels=labels, open=not ends)
    done = untrusted_report.say_and_edit(context, observation, notices, change)
    return (JobResult(issue=issue.number, changed=bool(done)),)


def _hold(
    context: RunContext, observation: Observation, current: Observation, permissions: Permissions
) -> tuple[JobResult, ...]:
    """Hold a freeze, or open it in the bot's name if somebody with write access wants it."""
    issue = observation.issue
    decision = decide(current, Subject.HELD_FREEZE, permissions, context.config.needs())
    notices = [*decision.notices]
    by = _stands_behind(current, permissions, decision)
    opened: int | None = None
    if by:
        new = _in_our_name(issue, by)
        observation, opened = untrusted_report.open_once(context, observation, new)
        notices.append(untrusted_report.confirmed(observation, by, opened))
    elif isinstance(decision.command, Dismiss):
        notices.append(_ended(issue, decision.by, decision.source, decision.command.text))
    else:
        notices.insert(0, Notice(NoticeKind.FREEZE_HELD, str(issue.number)))
    labels = (*issue.labels, names.DEPLOY_FREEZE, names.NEEDS_CONFIRMATION)
    ends = bool(by) or decision.command is not None
    change = edit(issue, labels=labels, open=not ends)
    done = untrusted_report.say_and_edit(context, observation, notices, change)
    result = JobResult(issue=issue.number, changed=bool(done))
    return (JobResult(issue=opened, changed=True), result) if opened else (result,)


def _unread_times(context: RunContext, issue: Issue, wish: Wish) -> list[Notice]:
    """The notices that the gate can't take when the freeze begins or ends, with what to type."""
    begins, until = parse_time(wish.begins_text), parse_until(wish.until_text)
    notices = []
    if begins and until and until <= begins:
        reason = f"that is not before the end, {until:%Y-%m-%d %H:%M} UTC, so neither counts"
        instead = until - timedelta(hours=1)
        answer = f"{wish.begins_text}\n{wish.until_text}"
        notices.append(_unread(issue, NoticeKind.FREEZE_FROM, answer, reason, instead))
    elif begins is None and not is_blank(wish.begins_text):
        notices.append(_unread_time(context, issue, NoticeKind.FREEZE_FROM, wish.begins_text))
    if until is None and not is_blank(wish.until_text):
        notices.append(_unread_time(context, issue, NoticeKind.FREEZE_UNTIL, wish.until_text))
    return notices


def _unread_time(context: RunContext, issue: Issue, kind: NoticeKind, answer: str) -> Notice:
    """The notice that the gate can't read one of these times, with what to type instead."""
    instead = context.now + timedelta(days=1)
    try:
        at = read_coming_moment(answer, issue.created_at, context.config.order_of_dates())
    except Unreadable as error:
        several = len(answer.split("\n")) > 1
        reason = "only one answer of one line is read" if several else error.reason
    else:
        reason = f"only a date and time in UTC is; this one seems to be {at:%Y-%m-%d %H:%M} UTC"
        if at <= context.now:
            reason += ", which is over"
        else:
            instead = at
    return _unread(issue, kind, answer, reason, instead)


def _unread(issue: Issue, kind: NoticeKind, answer: str, reason: str, instead: datetime) -> Notice:
    """The notice of this kind about an answer: why it does not count, and a time to type."""
    typed = " ".join(answer.split())[:60]
    line = MisreadLine(0, typed, reason, f"{instead:%Y-%m-%d %H:%M}")
    digest = hashlib.sha256(answer.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return Notice(kind, f"{issue.number}.{digest}", to=issue.author.login, lines=(line,))


def _ended(issue: Issue, by: str, source: str, reason: str) -> Notice:
    """The notice that a command or a hand ended the freeze: `by` its login, `source` its id.

    It is also how later runs know that this was taken, when they may be gone who did it.
    """
    return Notice(NoticeKind.FREEZE_ENDED, f"{issue.number}.{source}", to=by, text=reason)


def _since_reopened(observation: Observation) -> Observation:
    """The observation without what happened before people last reopened the issue.

    Decisions from before that do not count any more.
    """
    reopened = [e for e in observation.people_events if e.kind is EventKind.REOPENED]
    if not reopened:
        return observation
    start = observation.history.index(reopened[-1])
    return replace(observation, history=observation.history[start:])


def _labelled_by(observation: Observation) -> list[str]:
    """The logins of people who put the label on the issue by hand, without its author.

    The author is left out, because a form's label counts as put there by them.
    """
    return [
        event.actor.login
        for event in observation.people_events
        if event.kind is EventKind.LABELED
        and event.subject.casefold() == names.DEPLOY_FREEZE
        and event.actor.login != observation.issue.author.login
    ]


def _stands_behind(current: Observation, permissions: Permissions, decision: TeamDecision) -> str:
    """The login of somebody with write access who wants this freeze; empty when nobody does."""
    if isinstance(decision.command, Dismiss):
        return ""
    if isinstance(decision.command, Confirm):
        return decision.by
    wanting = _labelled_by(current) or [current.issue.author.login]
    return next((login for login in wanting if _may_write(permissions, login)), "")


def _may_write(permissions: Permissions, login: str) -> bool:
    return permissions.of_person(login) >= Permission.WRITE


def _gate_believes(issue: Issue) -> bool:
    return issue.author.bot or issue.association in TRUSTED


def _needs_a_look(context: RunContext, issue: Issue) -> bool:
    """Whether the sweep must look at a freeze, as far as GitHub's list of issues tells."""
    if _gate_believes(issue):
        now, until = context.now, read_wish(issue).until
        held = any(issue.has_label(name) for name in (names.NEEDS_CONFIRMATION, names.DRILL))
        changed_lately = now - issue.updated_at < timedelta(days=1)
        over = until is not None and until <= now
        return over or (held and changed_lately) or _is_out_of_step(context, issue)
    return not is_held(issue)


def _is_out_of_step(context: RunContext, issue: Issue) -> bool:
    """Whether the issue of a window is not as the configuration wants it."""
    return windows.follow(context, issue).body != issue.body


def read_wish(issue: Issue) -> Wish:
    """What a freeze's text and labels ask for, read with the gate's own code."""
    item = {
        "number": issue.number,
        "labels": [names.DEPLOY_FREEZE, *issue.labels],
        "user": {"login": issue.author.login, "type": "Bot"},  # the gate reads a bot's text
        "body": issue.body,
    }
    read = gate_decision.read_issue(item)
    if read is None or read.problem:
        return Wish()
    permitted = gate_decision.LookedUp(labels={issue.number: read.labels})
    answers = sections(issue.body)

    def typed(pattern: str) -> str:
        return "\n".join(text for title, text in answers if re.fullmatch(pattern, title)).strip()

    return Wish(
        begins=read.begins,
        begins_text=typed(FROM_HEADING),
        until=read.until,
        until_text=typed(UNTIL_HEADING),
        deployers=tuple(sorted(read.deployers)),
        services=tuple(sorted(gate_decision.services_of(read, permitted))),
        environments=tuple(sorted(gate_decision.environments_of(read, permitted))),
    )


def _in_our_name(issue: Issue, by: str) -> OpenIssue:
    """A copy of somebody's freeze for the bot to open. `by` is the login of who wanted it."""
    why = [text for heading, text in sections(issue.body) if heading.startswith("why")]
    reason = "\n".join(why)[:2000]
    text = windows.freeze_text(read_wish(issue), by=by, number=issue.number, reason=reason)
    body = f"{report_marker(issue.number)}\n{text}"
    return OpenIssue(title=defused(issue.title), body=body, labels=(names.DEPLOY_FREEZE,))
