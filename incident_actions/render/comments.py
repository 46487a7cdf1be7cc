"""The texts of the bot's comments. Each ends with a marker, so that it is never posted twice."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from incident_actions.domain.issue.incident import Incident, Moment
from incident_actions.domain.issue.observation import (
    MAX_LENGTH,
    REMINDER,
    length_on_github,
    marker,
)
from incident_actions.domain.reminders.due import Reminder
from incident_actions.domain.timeline.commands import REGISTRY
from incident_actions.domain.timeline.commands.pages import RequestedPage
from incident_actions.domain.timeline.interpreter import Notice
from incident_actions.render.markdown import render


def remind(reminder: Reminder, incident: Incident, now: datetime | None = None) -> str:
    """The text of a reminder during an incident: what is due, how late it is, and what to type.

    `now` is when it is posted; by default, when it was planned for.
    """
    now = now or reminder.slot
    owners = reminder.kind.entry.owners
    return _with_marker(
        "reminder",
        REMINDER,
        reminder.key,
        kind=reminder.kind.value,
        lead=_lead(reminder, now, f"{incident.severity.label} "),
        role=owners[0].value,
        was="was" if reminder.since < now else "is",
        since=reminder.since,
        miss=reminder.miss,
        mention=[f"@{login}" for login in reminder.mention],
        vacant=incident.vacant_since or incident.times[Moment.DECLARED],
        last=incident.last_activity,
        day=reminder.slot,
        covers=[(kind, at, _late(now - at)) for kind, at in reminder.covers],
    )


_SOON = timedelta(minutes=1)


def _lead(reminder: Reminder, now: datetime, of: str = "") -> str:
    """How late what is, with a mark more from miss to miss: `❗ **63 min late: SEV1 update.** `.

    `of` says what of. Empty for a kind that names nothing that is late.
    """
    late, what = now - reminder.since, f"{of}{reminder.kind.entry.what}"
    if not reminder.kind.entry.what:
        return ""
    if late >= _SOON:
        words = f"**{_late(late)} late: {what}.**"
    else:
        words = f"Due in {_late(-late)}: {what}." if -late >= _SOON else f"Due now: {what}."
    return f"{'❗' * min(reminder.miss, _MOST_MARKS)} {words} ".lstrip()


_MOST_MARKS = 3


def _late(late: timedelta) -> str:
    """How late it is, in one unit: `63 min`, `5 h`, `3 days`."""
    total = max(0, int(late.total_seconds() // 60))
    if total < 120:
        return f"{total} min"
    return f"{total // 60} h" if total < 48 * 60 else f"{total // (24 * 60)} days"


def follow_up(reminder: Reminder, **facts: object) -> str:
    """The text of a reminder after an incident. `facts` are what its template needs besides.

    How late it is counts by when it was planned for: each run compares text and posted comment.
    """
    facts = {"lead": _lead(reminder, reminder.slot), **facts}
    mention = [f"@{login}" for login in reminder.mention]
    about = {"kind": reminder.kind.value, "miss": reminder.miss, "mention": mention}
    return _with_marker("followup", REMINDER, reminder.key, **about, **facts)


def scheduler(notice: Notice, workflow: str, last: datetime | None) -> str:
    """The text of the notice that the schedule is late or off, and what to do.

    `last` is when it last started a run of `workflow`, a file's name; None for never.
    """
    return _with_marker(notice.kind, notice.kind, notice.key, workflow=workflow, last=last)


def no_watch(notice: Notice, workflow: str, *, forbidden: bool) -> str:
    """The text of the notice that no run can stay awake for an incident, and what to do.

    `workflow` is the workflow's file name. `forbidden` says that its token may not start it; else
    the workflow does not take the start.
    """
    return _with_marker(
        notice.kind, notice.kind, notice.key, workflow=workflow, forbidden=forbidden
    )


def crashed(key: str, reference: str, run_url: str) -> str:
    """The text that says that this program failed on an issue. `reference` identifies the fault;
    `run_url` is the address of the workflow's run, empty when not known.
    """
    return _with_marker("crash", "crash", key, reference=reference, run_url=run_url)


def write(notice: Notice, pages: Mapping[RequestedPage, str] | None = None) -> str:
    """The text of a notice. `pages` holds the texts of the playbook's pages that it asks for.

    A page that is asked for more than once comes once. Pages for which the comment has no room are
    named at its end.
    """
    wanted = tuple(dict.fromkeys(notice.pages))
    for shown in range(len(wanted), -1, -1):
        text = _with_marker(
            notice.kind,
            notice.kind,
            notice.key,
            to=notice.to,
            lines=notice.lines,
            checks=sorted(notice.checks, key=lambda each: len(f"{each.text}{each.key}")),
            text=notice.text,
            pages=[(pages or {}).get(page) for page in wanted[:shown]],
            left_out=wanted[shown:],
            commands=REGISTRY,
        )
        if length_on_github(text) <= MAX_LENGTH:
            break
    return text


def _with_marker(template: str, comment_kind: str, key: str, **facts: object) -> str:
    """Render a template of `comments/`, and add the marker of this kind and key."""
    text = render(f"comments/{template}.md.j2", **facts)
    return f"{text}\n\n{marker(comment_kind, key)}"
