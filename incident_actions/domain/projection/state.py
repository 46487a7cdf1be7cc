"""The state: the incident and what the bot remembers, as JSON in the issue's body.

It is a cache: readers ignore a state of another version, and text that is no state. A sweep
compares it with the list of issues, and so knows without further requests which issues have
changed since they were last brought up to date.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from incident_actions.domain.changes.suspects import Suspects
from incident_actions.domain.freeze.override_audit import OverrideAudit
from incident_actions.domain.issue.forms import FormField
from incident_actions.domain.issue.incident import Allowance, Incident, Moment, Role
from incident_actions.domain.issue.observation import (
    REMINDER,
    Comment,
    Deployment,
    Issue,
    Judged,
    within_html_comment,
)
from incident_actions.domain.playbook.checklist import ChecklistItem, Streak, due_probes
from incident_actions.domain.playbook.runbooks import Runbook
from incident_actions.domain.postmortem.link import Postmortem
from incident_actions.domain.projection.effects import DeleteComment, Effect, PostComment
from incident_actions.domain.projection.wanted import fit, is_ours, shown_labels

VERSION = 1
_FROM_INCIDENT = tuple(name for name in Incident.__struct_fields__ if name != "timeline")


class SettledIssue(Struct, frozen=True):
    """How the issue was when a run last brought it up to date.

    A sweep compares it with the list of issues to see whether anything happened since. `comments`
    is the number of comments without reminders; `text` is a digest of the reporter's text.
    """

    comments: int
    at: datetime
    text: str


class State(Incident, frozen=True, omit_defaults=True, kw_only=True):
    """An incident and what the bot remembers about it.

    The timeline is always empty here: GitHub's own history of the issue holds it.
    """

    v: int
    """The version of this format."""
    number: int
    """The issue's own number. A state that somebody copied into another issue is ignored there."""
    seen_id: int = 0
    """The id of the newest comment whose commands were answered."""
    seen_at: str = ""
    """The newest time at which an answered comment was written or edited."""
    judged: Judged | None = None
    """What people were allowed when they did something on the issue."""
    posted: tuple[str, ...] = field(default=(), name="said")
    """The names (`KIND KEY`) of the comments that the bot posted, without reminders."""
    form: tuple[FormField, ...] = ()
    """The form's questions at the declaration. Later edits of the form change nothing here."""
    prefix: str = ""
    """What the form puts into the title of each issue, such as `Incident:`."""
    checks: tuple[ChecklistItem, ...] = ()
    """The recovery checks as they were at the declaration."""
    defaults: dict[Role, str] = field(default_factory=dict)
    """Who started with which role, by the configuration at the declaration."""
    streaks: dict[str, Streak] = field(default_factory=dict)
    """The run of good answers of each recovery check that the bot makes itself, by its key."""
    deployments: tuple[Deployment, ...] = ()
    """The deployments since the incident began."""
    commits: dict[str, str] = field(default_factory=dict)
    """Which commits people let through, by `Allow.question`: whole SHAs, empty for one that is not
    here. A pull request's is its head when the command was read."""
    public: bool | None = None
    """Whether the repository is public; None while GitHub was not asked."""
    labels: bool = False
    """Whether the repository has our labels."""
    ticks: tuple[str, ...] = ()
    """The texts of the checklist's boxes that people ticked."""
    steps: tuple[str, ...] = ()
    """The keys of the checklist's steps that the bot ticked. It may untick only these."""
    settled: SettledIssue | None = None
    """How the issue was when it was last brought up to date."""
    audit: OverrideAudit = field(default=OverrideAudit(), name="trail")
    """The deploys that passed the freeze."""
    suspects: Suspects | None = None
    """What changed in the hour before the incident started; None while that is not known."""
    runbooks: tuple[Runbook, ...] = ()
    """The runbooks that fit the report."""
    postmortem: Postmortem | None = None
    """Where the postmortem is; None while there is none."""
    lock: str = ""
    """`locked` while the issue's conversation is locked; `muted` when the bot can't unlock it."""

    def showing(self, incident: Incident) -> State:
        """This state with the incident's fields replaced by those of `incident`."""
        return replace(self, **facts_of(incident))


def facts_of(incident: Incident) -> dict[str, Any]:
    """The incident's fields that a state holds, by name: all but the timeline."""
    return {name: getattr(incident, name) for name in _FROM_INCIDENT}


def state_of(issue: Issue) -> State | None:
    """The state in an issue's body; None when there is none, or not a valid one of this issue."""
    return read_state(issue.parts.state, issue.number)


def read_state(text: str | None, number: int) -> State | None:
    """The state in a text of JSON.

    None when the text is no state, or one of another version or of an issue other than `number`.
    """
    if text is None:
        return None
    try:
        state = msgspec.json.decode(text.encode(errors="replace"), type=State)
    except msgspec.DecodeError:
        return None
    return state if state.v == VERSION and state.number == number else None


def by_size(state: State) -> tuple[State, ...]:
    """The state in three sizes, the largest first, for bodies that have little room.

    The second lacks what can be read again or is only shown. The third has only what the gate and
    the reminders need. The next run asks GitHub again for what was left out.
    """
    suspects = state.suspects
    lean = replace(
        state,
        form=(),
        prefix="",
        checks=(),
        defaults={},
        streaks={},
        deployments=(),
        posted=(),
        audit=OverrideAudit(),
        # The list goes, but it stays known that the suspects were looked for.
        suspects=replace(suspects, changes=(), unread=(), more=0) if suspects else None,
        runbooks=(),
    )
    bare = replace(
        lean,
        judged=None,
        ticks=(),
        steps=(),
        verified={},
        joint=(),
        actions=(),
        freeze=replace(state.freeze, reason="") if state.freeze else None,
        forced=None,
        allow=tuple(replace(allowed, reason="") for allowed in state.allow if not allowed.expired),
    )
    return state, lean, bare


def is_same(state: State, before: State) -> bool:
    """Whether `before`, the state in the issue's body, already is `state` in one of its sizes.

    `settled` is not compared.
    """
    return before in by_size(replace(state, settled=before.settled))


def write_state(state: State) -> str:
    """The state as one line of JSON, with the characters escaped that could end an HTML comment."""
    return within_html_comment(msgspec.json.encode(state).decode())


_MARGIN = timedelta(seconds=90)
"""Our own edit of the issue reaches GitHub a little later than `now`, the time of the run."""


def settled_issue(
    issue: Issue, applied: Iterable[Effect], reminders: int, now: datetime
) -> SettledIssue:
    """How the issue is after a run that applied these effects.

    `issue` is as the run observed it, before the effects. `reminders` is the number of reminders
    among its comments: they are not counted, because they come and go.
    """
    comments = issue.comments - reminders
    for effect in applied:
        if isinstance(effect, PostComment) and effect.kind != REMINDER:
            comments += 1
        elif isinstance(effect, DeleteComment) and effect.kind != REMINDER:
            comments -= 1
    digest = hashlib.sha256(issue.parts.reporter.encode(errors="replace")).hexdigest()
    return SettledIssue(comments=comments, at=max(now, issue.updated_at), text=digest[:8])


def has_settled(issue: Issue, state: State, now: datetime, reminders: Collection[Comment]) -> bool:
    """Whether nothing happened to the issue since a run last brought it up to date.

    `reminders` are the bot's reminders on this issue. Posting one changes the issue's time and
    number of comments, but does not count.
    """
    before = state.settled
    if before is None:
        return False
    after = settled_issue(issue, (), len(reminders), now)
    last_reminder = max((reminder.created_at for reminder in reminders), default=before.at)
    return (
        after.comments == before.comments
        and after.text == before.text
        and issue.updated_at <= max(before.at, last_reminder) + _MARGIN
    )


def is_stale(
    issue: Issue, state: State, now: datetime, reminders: Collection[Comment] = ()
) -> bool:
    """Whether a run must look at the issue: something changed since the last run, or work is due.

    Work that may be due: probes of recovery checks, the search for suspects, an allowance that
    expired, and a pull request that is let through and may have got a commit. No request is needed:
    `issue` is the entry in the list of issues. `reminders` are the bot's reminders on this issue.
    """
    return (
        not has_settled(issue, state, now, reminders)
        or not issue.parts.dashboard
        or issue.locked != bool(state.lock)
        or not _shows(issue, state)
        or _folded(issue.assignees) != _folded(state.assigned)
        or issue.open != state.status.open
        or any(allowed.until <= now and not allowed.expired for allowed in state.allow)
        or (state.status.open and any(_may_change(allowed, now) for allowed in state.allow))
        or bool(due_probes(state, state.checks, state.streaks, now))
        or not (state.sensitive or _knows_what_changed(state))
    )


def _may_change(allowed: Allowance, now: datetime) -> bool:
    """Whether an allowance must be looked at again: of a pull request, or not looked up yet."""
    return allowed.until > now and (allowed.pr is not None or not allowed.whole)


def _knows_what_changed(state: State) -> bool:
    """Whether the suspects were looked for, for the incident's present start time.

    They may be missing because GitHub failed when they were asked for.
    """
    return state.suspects is not None and state.suspects.start == state.times.get(Moment.STARTED)


def _shows(issue: Issue, state: State) -> bool:
    """Whether the issue's labels show the incident, as far as GitHub's limit allows."""
    peoples = [name for name in issue.labels if not is_ours(name)]
    wanted = fit(peoples, shown_labels(state))
    return wanted is None or _folded(issue.labels) == _folded(wanted)


def _folded(names: Iterable[str]) -> set[str]:
    """The names in lower case, to compare them as GitHub does."""
    return {name.casefold() for name in names}
