"""The bot's comments. Each ends with the marker that makes posting it idempotent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from incident_actions.domain.issue.bot_comments import REMINDER, marker
from incident_actions.domain.issue.incident import Incident, Moment
from incident_actions.domain.reminders.incident import Reminder
from incident_actions.domain.timeline.commands import REGISTRY
from incident_actions.domain.timeline.commands.pages import RequestedPage
from incident_actions.domain.timeline.notices import Notice
from incident_actions.render.environment import render


def remind(reminder: Reminder, incident: Incident) -> str:
    """The text of a reminder: what is due, since when, whose it is, and what to type."""
    text = render(
        "comments/reminder.md.j2",
        kind=reminder.kind.value,
        since=reminder.since,
        miss=reminder.miss,
        mention=[f"@{login}" for login in reminder.mention],
        vacant=incident.vacant_since or incident.times[Moment.DECLARED],
        last=incident.last_activity,
        day=reminder.slot,
    )
    return f"{text}\n\n{marker(REMINDER, reminder.key)}"


def follow_up(reminder: Reminder, **facts: object) -> str:
    """The text of a reminder after an incident. `facts` are what its kind tells besides."""
    text = render(
        "comments/followup.md.j2",
        kind=reminder.kind.value,
        miss=reminder.miss,
        mention=[f"@{login}" for login in reminder.mention],
        **facts,
    )
    return f"{text}\n\n{marker(REMINDER, reminder.key)}"


def scheduler(notice: Notice, workflow: str, last: datetime | None) -> str:
    """What it means that the schedule is late or dead, and what to do."""
    text = render("comments/scheduler.md.j2", workflow=workflow, last=last)
    return f"{text}\n\n{marker(notice.kind, notice.key)}"


def write(notice: Notice, pages: Mapping[RequestedPage, str] | None = None) -> str:
    """The text of a notice. `pages` are those of the playbook that it asks for."""
    text = render(
        f"comments/{notice.kind}.md.j2",
        to=notice.to,
        lines=notice.lines,
        checks=notice.checks,
        text=notice.text,
        pages=[(pages or {}).get(page) for page in notice.pages],
        commands=REGISTRY,
    )
    return f"{text}\n\n{marker(notice.kind, notice.key)}"
