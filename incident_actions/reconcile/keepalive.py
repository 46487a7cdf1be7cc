"""Watching GitHub's own scheduler: whether it still starts the sweeps, and for how long it will.

No heartbeat is written anywhere: GitHub's list of workflow runs and the time of the last push
tell it.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta

from incident_actions.domain.issue.observation import Issue
from incident_actions.domain.projection.effects import EditIssue, OpenIssue, PostComment
from incident_actions.domain.timeline.interpreter import Notice, NoticeKind, name_of
from incident_actions.errors import GitHubError
from incident_actions.reconcile.apply import apply, apply_one
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.incident import Reconciled
from incident_actions.render import comments
from incident_actions.render.markdown import render

log = logging.getLogger(__name__)

SILENCE = timedelta(hours=1)
"""An open incident should not go without a sweep for longer."""
SWITCHED_OFF = timedelta(days=60)
"""https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule"""
WARNED = timedelta(days=10)
"""How long before that the warning comes."""
_MARKER = re.compile(r"<!-- incident-actions:keepalive (?P<since>\S+) -->\s*\Z")


def tell_if_late(context: RunContext, reconciled: Reconciled) -> bool:
    """Say, once for an incident, that no sweep came for an hour; gives whether that was said now.

    For a run that is no sweep itself, of an incident older than that. One request. Without the
    permission `actions: read` nobody knows, and nothing is said.
    """
    it, incident = reconciled.assessment, reconciled.assessment.incident
    notice = Notice(NoticeKind.SCHEDULER, str(it.number))
    if incident.drill or not incident.status.open or name_of(notice) in reconciled.state.posted:
        return False
    try:
        last = context.github.last_scheduled_run(context.workflow)
    except GitHubError as error:
        log.info("Whether the schedule still runs is not known: %s", error)
        return False
    if last is not None and context.now - last < SILENCE:
        return False
    text = comments.scheduler(notice, context.workflow, last)
    comment = PostComment(it.number, notice.kind, notice.key, text)
    return apply_one(context.github, comment).done


def keep_alive(context: RunContext) -> tuple[JobResult, ...]:
    """Warn, in one issue, before GitHub switches the schedule off; close it when all is well.

    Two requests when there is nothing to do. Somebody who closes the warning has read it: a
    quiet time is warned of once.
    """
    github = context.github
    about = github.about()
    since = about.pushed_at if about.public else None
    if since is None or context.now - since < SWITCHED_OFF - WARNED:
        over = _warnings(context, "open")
        apply(github, [EditIssue(issue.number, open=False) for issue in over])
        return tuple(JobResult(issue=issue.number, changed=True) for issue in over)
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
    issues = context.github.issues(state=state, creator=context.config.bot)
    return [issue for issue in issues if _since(issue)]


def _since(issue: Issue) -> str:
    """Since when it was quiet, as a warning's marker has it; empty for other issues."""
    found = _MARKER.search(issue.body)
    return found["since"] if found else ""


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
