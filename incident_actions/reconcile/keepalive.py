"""Watching GitHub's own scheduler: whether it still starts the sweeps, and for how long it will.

No heartbeat is written anywhere: GitHub's list of workflow runs and the time of the last push
tell it.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta

from incident_actions.domain.issue.incident import Moment
from incident_actions.domain.issue.observation import Issue
from incident_actions.domain.projection.effects import EditIssue, OpenIssue, PostComment
from incident_actions.domain.timeline import bot_comments as voice
from incident_actions.domain.timeline.notices import Notice
from incident_actions.errors import GitHubError
from incident_actions.reconcile.apply import apply, took_place
from incident_actions.reconcile.incident import JobResult, Occasion, RunContext, Tended
from incident_actions.render import comments
from incident_actions.render.environment import render

log = logging.getLogger(__name__)

SILENCE = timedelta(hours=1)
"""An open incident should not go without a sweep for longer."""
SWITCHED_OFF = timedelta(days=60)
"""https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#schedule"""
WARNED = timedelta(days=10)
"""How long before that the warning comes."""
HOUR_OF_DAY = 12
"""In UTC: when a sweep without an open incident looks at the repository instead of at freezes."""
_MARKER = re.compile(r"<!-- incident-actions:keepalive (?P<since>\S+) -->\s*\Z")


def tell_if_late(desk: RunContext, tended: Tended) -> bool:
    """Say, once for an incident, that no sweep came for an hour; gives whether that was said now.

    One request more, where the budget has room for that and for saying so. Without the permission
    `actions: read` nobody knows, and nothing is said.
    """
    number, incident = tended.observation.issue.number, tended.study.folded.incident
    notice = Notice("scheduler", str(number))
    declared = incident.times[Moment.DECLARED]
    began = max(declared, incident.restarted_at or declared)
    if (
        not desk.workflow
        or desk.occasion is Occasion.SWEEP
        or not incident.status.open
        or incident.drill
        or desk.now - began < SILENCE
        or not voice.unsaid([notice], tended.memory.said)
        or not desk.may_still_ask(2)
    ):
        return False
    try:
        last = desk.hub.last_scheduled_run(desk.workflow)
    except GitHubError as error:
        log.info("Whether the schedule still runs is not known: %s", error)
        return False
    if last is not None and desk.now - last < SILENCE:
        return False
    text = comments.scheduler(notice, desk.workflow, last)
    return bool(took_place(apply(desk.hub, [PostComment(number, notice.kind, notice.key, text)])))


def is_time_to_look(now: datetime) -> bool:
    """Whether the repository is looked at now: in one hour of the day.

    The freezes wait for so long, but one that is over stops nothing meanwhile: the gate reads
    until when it holds.
    """
    return now.hour == HOUR_OF_DAY


def keep_alive(desk: RunContext) -> tuple[JobResult, ...]:
    """Warn, in one issue, before GitHub switches the schedule off; close it when all is well.

    One request when there is nothing to do: in the first half of the hour it is the repository,
    which may need a warning, in the second the bot's open issues, where one may be over. Somebody
    who closes the warning has read it: a quiet time is warned of once.
    """
    if desk.now.minute < 30:
        since = desk.hub.quiet_since()
        if since is None or desk.now - since < SWITCHED_OFF - WARNED:
            return ()
        day = since + SWITCHED_OFF
        log.warning(
            "GitHub switches the schedule off on %s, after 60 days without a push. "
            "Push any commit before that, or enable the workflow again under Actions.",
            f"{day:%Y-%m-%d}",
        )
        there = _warnings(desk, "all")
        if any(_since(issue) == _stamp(since) for issue in there):
            return ()
        body = render("keepalive.md.j2", day=day, since=_stamp(since))
        number = desk.hub.open(
            OpenIssue(f"The schedule is switched off on {day:%Y-%m-%d}", body, labels=())
        )
        return (JobResult(issue=number, changed=True),)
    warnings = _warnings(desk, "open")
    if not warnings:
        return ()
    since = desk.hub.quiet_since()
    over = [issue for issue in warnings if since is None or _since(issue) != _stamp(since)]
    apply(desk.hub, [EditIssue(issue.number, open=False) for issue in over])
    return tuple(JobResult(issue=issue.number, changed=True) for issue in over)


def _warnings(desk: RunContext, state: str) -> list[Issue]:
    issues = desk.hub.issues(state=state, creator=desk.config.bot)
    return [issue for issue in issues if _since(issue)]


def _since(issue: Issue) -> str:
    """Since when it was quiet, as a warning's marker has it; empty for other issues."""
    found = _MARKER.search(issue.body)
    return found["since"] if found else ""


def _stamp(at: datetime) -> str:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"
