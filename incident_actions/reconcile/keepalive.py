"""Sees to it that sweeps come: by a watch, or by GitHub's schedule. Warns where neither comes, and
before GitHub switches the schedule off.

The program records nothing for this. It reads when the schedule last started a workflow, and when
somebody last pushed.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta

from incident_actions.domain.issue.observation import Issue
from incident_actions.domain.projection.effects import EditIssue, OpenIssue, PostComment
from incident_actions.domain.projection.wanted import through_lock
from incident_actions.domain.readiness.cron import gaps, read_crons
from incident_actions.domain.readiness.triggers import crons_of
from incident_actions.domain.reminders.clock import is_watched
from incident_actions.domain.text.documents import load_yaml
from incident_actions.domain.timeline.interpreter import Notice, NoticeKind, name_of
from incident_actions.errors import ConfigError, Forbidden, GitHubError
from incident_actions.reconcile.apply import apply, apply_one, took_place
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.incident import Reconciled
from incident_actions.render import comments
from incident_actions.render.markdown import render

log = logging.getLogger(__name__)

SILENCE = timedelta(hours=3)
"""The longest time that an open incident should be without a sweep. The schedule should come once
an hour, or at the times of the workflow, and is often late."""
SWITCHED_OFF = timedelta(days=60)
"""Time without a push after which GitHub switches schedules off in a public repository.

https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule
"""
WARNED = timedelta(days=10)
"""How long before the schedule is switched off the warning comes."""
_MARKER = re.compile(r"<!-- incident-actions:keepalive (?P<since>\S+) -->\s*\Z")


def keep_on_time(context: RunContext, reconciled: Reconciled) -> bool:
    """See to it that something reminds people of an incident on time; gives whether it commented.

    That is a watch where the incident is worth one, else the schedule. Where neither is to be had,
    that is said, once for each incident. Makes two requests at most to look, and one to start.
    """
    number, watchman = reconciled.assessment.number, context.watchman
    incident, posted = reconciled.assessment.incident, reconciled.state.posted
    policy = context.config.reminder_policy(context.now)
    no_watch = Notice(NoticeKind.NO_WATCH, str(number))
    told = name_of(no_watch) in posted
    if is_watched(incident, policy, context.now) and not (told and not context.sweeping):
        before = reconciled.assessment.before
        first = before is None and not reconciled.assessment.observation.own.by_name
        anew = first or (before is not None and not is_watched(before, policy, context.now))
        if watchman.wake(context.now, anew=anew):
            return False
        if watchman.refused is not None and not told:
            forbidden = isinstance(watchman.refused, Forbidden)
            text = comments.no_watch(no_watch, watchman.workflow, forbidden=forbidden)
            return _say(context, reconciled, no_watch, text)
    late = Notice(NoticeKind.SCHEDULER, str(number))
    young = context.now - incident.began < SILENCE
    if context.sweeping or young or incident.drill or not incident.status.open:
        return False
    if not watchman.workflow or name_of(late) in posted:
        return False
    try:
        last_run = context.github.last_scheduled_run(watchman.workflow)
    except GitHubError as error:
        log.info("Whether the schedule still runs is not known: %s", error)
        return False
    if last_run is not None:
        silent = context.now - last_run
        if silent < SILENCE or silent < SILENCE + _longest_gap(context):
            return False
    return _say(context, reconciled, late, comments.scheduler(late, watchman.workflow, last_run))


def _longest_gap(context: RunContext) -> timedelta:
    """The longest time between two starts that the workflow's own schedule leaves; zero when that
    can't be read. Makes one request.
    """
    path = f".github/workflows/{context.watchman.workflow}"
    try:
        document = load_yaml(context.github.file(path) or "", path)
    except (GitHubError, ConfigError) as error:
        log.info("How often the schedule should run is not known: %s", error)
        return timedelta()
    apart = gaps(read_crons(crons_of(document if isinstance(document, dict) else None))[0])
    return apart[1] if apart is not None else timedelta()


def _say(context: RunContext, reconciled: Reconciled, notice: Notice, text: str) -> bool:
    """Post a notice on an incident; gives whether GitHub took it."""
    comment = PostComment(reconciled.assessment.number, notice.kind, notice.key, text)
    issue, muted = reconciled.assessment.observation.issue, reconciled.state.lock == "muted"
    done = took_place(apply(context.github, through_lock(issue, [comment], muted=muted)))
    return comment in done


def keep_alive(context: RunContext) -> tuple[JobResult, ...]:
    """Open an issue as a warning before GitHub switches the schedule off.

    Closes the issue when the danger is over. Makes two requests when there is nothing to do. There
    is one warning for each time without a push: it is not repeated after somebody closed it.
    """
    github = context.github
    about = github.about()
    since = about.pushed_at if about.public else None
    if since is None or context.now - since < SWITCHED_OFF - WARNED:
        outdated = _warnings(context, "open")
        apply(github, [EditIssue(issue.number, open=False) for issue in outdated])
        return tuple(JobResult(issue=issue.number, changed=True) for issue in outdated)
    day = since + SWITCHED_OFF
    log.warning(
        "GitHub switches the schedule off on %s, after 60 days without a push. "
        "Push any commit before that, or enable the workflow again under Actions.",
        f"{day:%Y-%m-%d}",
    )
    if any(_since(issue) == _stamp(since) for issue in _warnings(context, "all")):
        return ()
    body = render("keepalive.md.j2", day=day, since=_stamp(since))
    title = f"The schedule is switched off on {day:%Y-%m-%d}"
    outcome = apply_one(github, OpenIssue(title, body, labels=()))
    return (JobResult(issue=outcome.number, changed=True),)


def _warnings(context: RunContext, state: str) -> list[Issue]:
    """The bot's warnings about the schedule; `state` is "open" or "all"."""
    issues = context.github.issues(state=state, creator=context.config.bot)
    return [issue for issue in issues if _since(issue)]


def _since(issue: Issue) -> str:
    """The time of the last push in a warning's marker; empty for an issue that is no warning."""
    match = _MARKER.search(issue.body)
    return match["since"] if match else ""


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
