"""What an incident's issue should look like, and the effects (`effects`) that make it so.

The functions are pure; other code carries the effects out.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from incident_actions.domain.issue import labels
from incident_actions.domain.issue.incident import FreezeSwitch, Incident
from incident_actions.domain.issue.observation import (
    BotComments,
    EventKind,
    Issue,
    Observation,
    TimelineEvent,
)
from incident_actions.domain.postmortem.pulls import PullRequest
from incident_actions.domain.projection.effects import (
    AddReaction,
    DeleteComment,
    EditComment,
    EditIssue,
    Effect,
    LockIssue,
    PostComment,
    UnlockIssue,
)


def wanted_labels(
    incident: Incident, observation: Observation, also: Iterable[str] = ()
) -> tuple[str, ...]:
    """The labels that the issue should carry: people's own, `also`, and those that we derive.

    When these are more than GitHub takes, the labels that the issue has now.
    """
    peoples = [name for name in mended(observation) if not is_ours(name)]
    fitting = fit([*peoples, *also], shown_labels(incident))
    return observation.issue.labels if fitting is None else fitting


MOST_LABELS = 100
"""GitHub refuses more labels than this on one issue."""


def fit(peoples: Iterable[str], shown: Iterable[str]) -> tuple[str, ...] | None:
    """People's labels and those that show the incident (`shown`), at most `MOST_LABELS`.

    Labels of services and causes are left out first. None when there are still too many.
    """
    shown = tuple(shown)
    peoples = _unique(peoples)
    needed = _unique([*peoples, *(name for name in shown if not _gives_way(name))])
    room = MOST_LABELS - len(needed)
    if room < 0:
        return None
    extra = [name for name in shown if _gives_way(name)][:room]
    return _unique([*peoples, *(n for n in shown if not _gives_way(n) or n in extra)])


def _gives_way(name: str) -> bool:
    """Whether a label may be left out when there are too many."""
    return name.startswith((labels.SERVICE_PREFIX, labels.CAUSE_PREFIX))


def wanted_assignees(
    incident: Incident,
    observation: Observation,
    asked_before: Iterable[str],
    since: datetime | None = None,
) -> tuple[str, ...]:
    """The logins that should be assigned, at most `MOST_ASSIGNEES`, those with a role first.

    `asked_before` are the logins that an earlier run tried to assign. Those who are not assigned
    now, though nobody unassigned them after `since`, can't be: GitHub leaves out, without an error,
    people who may not be assigned. `since` is the last deed that the earlier run knew.
    """
    assigned = {login.casefold() for login in observation.issue.assignees}
    assigned |= {
        event.subject.casefold()
        for event in observation.people_events
        if event.kind is EventKind.UNASSIGNED and (since is None or event.at > since)
    }
    dropped = {login.casefold() for login in asked_before} - assigned
    people = _unique([*incident.roles.values(), *incident.assigned])
    return tuple(login for login in people if login.casefold() not in dropped)[:MOST_ASSIGNEES]


MOST_ASSIGNEES = 10
"""https://docs.github.com/en/rest/issues/assignees"""


def shown_labels(incident: Incident) -> tuple[str, ...]:
    """The labels that show the incident's severity, status, services, cause and freeze."""
    wanted = [
        labels.INCIDENT,
        incident.severity.value,
        f"{labels.STATUS_PREFIX}{incident.status}",
        *(f"{labels.SERVICE_PREFIX}{name}" for name in incident.services),
    ]
    if incident.drill:
        wanted.append(labels.DRILL)
    if incident.cause:
        wanted.append(f"{labels.CAUSE_PREFIX}{incident.cause}")
    if incident.freeze is not None:
        on = incident.freeze.freeze is FreezeSwitch.ON
        wanted.append(labels.DEPLOY_FREEZE if on else labels.DEPLOYS_ALLOWED)
    return tuple(labels.clean(name) for name in wanted)


def mended(observation: Observation) -> tuple[str, ...]:
    """The issue's labels, without changes that the bot made by accident.

    The bot always writes the whole list. When somebody added or removed a label after the bot had
    read the list, the bot undid that. So where the last change of a label is the bot's, the last
    change by a person counts instead.
    """
    by_bot: dict[str, bool] = {}
    peoples: dict[str, EventKind] = {}
    for event in observation.history:
        if isinstance(event, TimelineEvent) and event.kind in (
            EventKind.LABELED,
            EventKind.UNLABELED,
        ):
            name = event.subject
            by_bot[name] = observation.is_this_bot(event.actor)
            if not by_bot[name]:
                peoples[name] = event.kind
    undone = {name: kind for name, kind in peoples.items() if by_bot[name]}
    kept = [
        name
        for name in observation.issue.labels
        if undone.get(name) is not EventKind.UNLABELED or _bot_may_add(name)
    ]
    restored = [name for name, kind in undone.items() if kind is EventKind.LABELED]
    return _unique([*kept, *restored])


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    """Names without duplicates, ignoring case as GitHub does; the first spelling is kept."""
    kept: dict[str, str] = {}
    for name in names:
        kept.setdefault(name.casefold(), name)
    return tuple(kept.values())


def edit(
    issue: Issue,
    *,
    title: str | None = None,
    body: str | None = None,
    labels: Iterable[str] | None = None,
    assignees: Iterable[str] | None = None,
    open: bool | None = None,
    planned: bool = True,
) -> EditIssue | None:
    """The edit that turns the issue as it is into the wanted one; None when nothing differs.

    An argument that is None leaves its part as it is. Too many labels are not written, because
    GitHub would refuse the whole edit.
    """
    wanted = None if labels is None else tuple(labels)
    if wanted is not None and len(wanted) > MOST_LABELS:
        wanted = None
    nothing = EditIssue(issue.number, planned=planned)
    change = EditIssue(
        issue.number,
        title=None if title == issue.title else title,
        body=None if body == issue.body and issue.put_back is None else body,
        labels=_changed(issue.labels, wanted),
        assignees=_changed(issue.assignees, assignees),
        open=None if open == issue.open else open,
        planned=planned,
    )
    return None if change == nothing else change


def _changed(now: Iterable[str], wanted: Iterable[str] | None) -> tuple[str, ...] | None:
    """The wanted names; None when they are those of now, ignoring case and order."""
    if wanted is None:
        return None
    wanted = tuple(wanted)
    same = {name.casefold() for name in now} == {name.casefold() for name in wanted}
    return None if same else wanted


def through_lock(
    issue: Issue | PullRequest, changes: Iterable[Effect], *, muted: bool = False
) -> list[Effect]:
    """The changes with the conversation unlocked for the bot's comments, and locked again.

    GitHub lets only people with write access comment on a locked issue, not a workflow's token, but
    that token may unlock it. Somebody locked it to keep others out, so it is locked for them again
    at once. `muted`: the token may not unlock it; then the comments are left out.
    https://docs.github.com/en/communities/moderating-comments-and-conversations/locking-conversations
    """
    changes = list(changes)
    if not issue.locked:
        return changes
    if muted:
        return [each for each in changes if not isinstance(each, PostComment | AddReaction)]
    said = [n for n, each in enumerate(changes) if isinstance(each, PostComment | AddReaction)]
    if not said:
        return changes
    first, last = said[0], said[-1] + 1
    return [
        *changes[:first],
        UnlockIssue(issue.number),
        *changes[first:last],
        LockIssue(issue.number, issue.lock_reason),
        *changes[last:],
    ]


def keep_comment(own: BotComments, wanted: PostComment) -> list[Effect]:
    """The effects that make one comment of the bot's say what it should.

    The comment is posted when it is missing, and edited when its text differs. Two runs that
    overlapped may both have posted it: then the newer one is deleted. `own` are the bot's comments
    on the same issue.
    """
    name = f"{wanted.kind} {wanted.key}"
    posted = own.by_name.get(name)
    if posted is None:
        return [wanted]
    effects: list[Effect] = [
        DeleteComment(id, wanted.kind, wanted.key)
        for id, double in own.doubles.items()
        if double == name
    ]
    if posted.body.replace("\r\n", "\n").strip() != wanted.text.strip():
        effects.append(EditComment(posted.id, wanted.text))
    return effects


_PEOPLES = frozenset(
    {labels.INCIDENT, labels.POSTMORTEM, labels.POSTMORTEM_REVIEWED, labels.ACTION_ITEM}
)
"""Labels that both people and the bot put on. `respond` never takes them off."""


def is_ours(name: str) -> bool:
    """Whether the label follows from the incident, so that `respond` may add and remove it.

    `incident`, the labels of postmortems and action items, and unknown labels belong to people.
    """
    folded = name.casefold()
    if folded in _PEOPLES:
        return False
    return folded in labels.CATALOG or folded.startswith(tuple(labels.SHOWN_PREFIXES))


def _bot_may_add(name: str) -> bool:
    """Whether the bot also sets this label on purpose, so that it did not add it by accident."""
    return name.casefold() in _PEOPLES | {labels.NEEDS_CONFIRMATION}
