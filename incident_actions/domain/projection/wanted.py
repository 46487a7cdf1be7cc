"""What the issue should look like, given the incident: the projection; and the way there: effects.

Pure. `effects` are the plain values that lead there.
"""

from __future__ import annotations

from collections.abc import Iterable

from incident_actions.domain.issue import labels
from incident_actions.domain.issue.incident import FreezeSwitch, Incident
from incident_actions.domain.issue.observation import (
    BotComments,
    EventKind,
    Issue,
    Observation,
    TimelineEvent,
)
from incident_actions.domain.projection.effects import (
    DeleteComment,
    EditComment,
    EditIssue,
    Effect,
    PostComment,
)


def wanted_labels(
    incident: Incident, observation: Observation, also: Iterable[str] = ()
) -> tuple[str, ...]:
    """The labels that the issue should carry: people's own, and those that show the incident.

    Where they are more than GitHub takes, all stay as they are.
    """
    peoples = [name for name in mended(observation) if not is_ours(name)]
    fitting = fit([*peoples, *also], shown_labels(incident))
    return observation.issue.labels if fitting is None else fitting


MOST_LABELS = 100
"""GitHub refuses more on one issue."""


def fit(peoples: Iterable[str], shown: Iterable[str]) -> tuple[str, ...] | None:
    """People's labels and those that show the incident, as many as an issue takes.

    Causes and services give way first. None when there is no room for the others, either.
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
    return name.startswith((labels.SERVICE_PREFIX, labels.CAUSE_PREFIX))


def wanted_assignees(
    incident: Incident, issue: Issue, asked_before: Iterable[str]
) -> tuple[str, ...]:
    """Who should be assigned: those with a role before the others, as many as GitHub takes.

    Who was asked for before and isn't there can't be assigned: GitHub drops them without a word.
    """
    there = {login.casefold() for login in issue.assignees}
    dropped = {login.casefold() for login in asked_before} - there
    people = _unique([*incident.roles.values(), *incident.assigned])
    return tuple(login for login in people if login.casefold() not in dropped)[:MOST_ASSIGNEES]


MOST_ASSIGNEES = 10
"""https://docs.github.com/en/rest/issues/assignees"""


def shown_labels(incident: Incident) -> tuple[str, ...]:
    """The labels that show the incident."""
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
    return tuple(wanted)


def mended(observation: Observation) -> tuple[str, ...]:
    """The issue's labels, those that the bot took off or put back by accident as people had them.

    The bot writes the whole list. Somebody may have added one, or taken one off, between its
    reading and its writing; then the last word of people counts.
    """
    by_bot: dict[str, bool] = {}
    peoples: dict[str, EventKind] = {}
    for event in observation.history:
        if isinstance(event, TimelineEvent) and event.kind in (
            EventKind.LABELED,
            EventKind.UNLABELED,
        ):
            name = event.subject
            by_bot[name] = event.actor.login.casefold() == observation.bot.casefold()
            if not by_bot[name]:
                peoples[name] = event.kind
    last_word = {name: kind for name, kind in peoples.items() if by_bot[name]}
    there = [
        name
        for name in observation.issue.labels
        if last_word.get(name) is not EventKind.UNLABELED or _bot_may_add(name)
    ]
    taken = [name for name, kind in last_word.items() if kind is EventKind.LABELED]
    return _unique([*there, *taken])


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    """Without doubles, ignoring case as GitHub does; the first spelling wins."""
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
    """The difference between the issue as it is and as it should be; None when there is none.

    Labels that are too many are left as they are: GitHub would refuse all of the edit.
    """
    wanted = None if labels is None else tuple(labels)
    if wanted is not None and len(wanted) > MOST_LABELS:
        wanted = None
    nothing = EditIssue(issue.number, planned=planned)
    change = EditIssue(
        issue.number,
        title=None if title == issue.title else title,
        body=None if body == issue.body else body,
        labels=_changed(issue.labels, wanted),
        assignees=_changed(issue.assignees, assignees),
        open=None if open == issue.open else open,
        planned=planned,
    )
    return None if change == nothing else change


def _changed(now: Iterable[str], wanted: Iterable[str] | None) -> tuple[str, ...] | None:
    if wanted is None:
        return None
    wanted = tuple(wanted)
    same = {name.casefold() for name in now} == {name.casefold() for name in wanted}
    return None if same else wanted


def keep_comment(own: BotComments, wanted: PostComment) -> list[Effect]:
    """What keeps one comment of the bot's in step; nothing when it says this already.

    It is posted once, and edited when it should say something else. Of two runs at the same time
    each may have posted it: the younger one is deleted. `own` are the bot's comments there.
    """
    name = f"{wanted.kind} {wanted.key}"
    there = own.by_name.get(name)
    if there is None:
        return [wanted]
    effects: list[Effect] = [
        DeleteComment(id, wanted.kind, wanted.key)
        for id, double in own.doubles.items()
        if double == name
    ]
    if there.body.replace("\r\n", "\n").strip() != wanted.text.strip():
        effects.append(EditComment(there.id, wanted.text))
    return effects


_PEOPLES = frozenset(
    {labels.INCIDENT, labels.POSTMORTEM, labels.POSTMORTEM_REVIEWED, labels.ACTION_ITEM}
)
"""Labels that people may take off and put on; the bot sets them, too."""


def is_ours(name: str) -> bool:
    """Whether the label is a projection of the incident, so that `respond` may add or remove it.

    `incident`, those of postmortems and everything unknown belong to people: they are
    never taken away.
    """
    folded = name.casefold()
    if folded in _PEOPLES:
        return False
    return folded in {label.name for label in labels.CATALOG} or folded.startswith(
        tuple(labels.SHOWN_PREFIXES)
    )


def _bot_may_add(name: str) -> bool:
    """Whether the bot sets this label beside people, so that its presence is no accident."""
    return name.casefold() in _PEOPLES | {labels.NEEDS_CONFIRMATION}
