"""Corrective actions become issues: one open issue for each action, whatever runs overlap or die.

GitHub has no way to open an issue only if there is none yet. So a run opens what is missing, and
then looks again. Of several issues for the same words the oldest open one counts, and the others
are closed as not planned. Should two runs see it differently, the file decides: only one of them
can commit the number of its issue, and the other one looks at everything anew. An issue of a run
that died is found by the record in its body.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import Issue
from incident_actions.domain.postmortem import record as records
from incident_actions.domain.postmortem import sync
from incident_actions.domain.postmortem.document import Document
from incident_actions.domain.postmortem.lint import OwnerStanding
from incident_actions.domain.postmortem.record import ActionRecord, FiledAction
from incident_actions.domain.projection.effects import AddSubIssue, CreateLabel, Effect, OpenIssue
from incident_actions.domain.projection.wanted import edit
from incident_actions.errors import Rejected
from incident_actions.reconcile.apply import apply, apply_one, took_place
from incident_actions.reconcile.context import RunContext
from incident_actions.render.postmortem import action_body

_MOST_SUB_ISSUES = 100
"""https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/adding-sub-issues"""


def list_filed(context: RunContext, incident: Issue) -> tuple[FiledAction, ...]:
    """The action items of an incident, open and closed, from GitHub's own list."""
    found = context.github.issues(
        labels=[names.ACTION_ITEM], state="all", since=incident.created_at, most=1000
    )
    filed = (records.filed(issue, context.config.bot) for issue in found)
    return tuple(each for each in filed if each and each.record.incident == incident.number)


def file_missing(
    context: RunContext,
    incident: Issue,
    pr: int,
    document: Document,
    filed: tuple[FiledAction, ...],
    owners: Mapping[str, OwnerStanding],
) -> tuple[FiledAction, ...]:
    """Open an issue for each complete action that has none; gives all there are by then.

    `pr` is the postmortem's pull request. `filed` are the action items of the incident as they
    were listed; `owners` is what GitHub says of the owners: nothing is opened for those whom it
    does not know.
    """
    new = [
        records.record_of(action, incident.number, pr, assigned=standing is not OwnerStanding.UNFIT)
        for action in sync.match(document, filed, incident.number).unfiled
        if (standing := owners.get((action.login or "").casefold())) is not OwnerStanding.UNKNOWN
    ]
    if not new:
        return filed
    wanted = {name for record in new for name in records.labels_of(record)}
    apply(context.github, _new_labels(wanted - context.github.label_names()))
    opened = [_open(context, record) for record in new]
    found = {each.issue.number: each for each in (*filed, *list_filed(context, incident))}
    for number in opened:
        if number is not None and number not in found:  # the list lags behind what was just written
            late = records.filed(context.github.issue(number), context.config.bot)
            found |= {number: late} if late is not None else {}
    # Runs that overlap have opened issues for the same words.
    doubles = sync.match(document, tuple(found.values()), incident.number).doubles
    updates = sync.updates(doubles, owners)
    follow_file(context, updates)
    found |= {update.filed.issue.number: update.after for update in updates}
    return tuple(found.values())


def _new_labels(wanted: Iterable[str]) -> list[CreateLabel]:
    return [CreateLabel(names.describe(name)) for name in sorted(wanted)]


def _open(context: RunContext, record: ActionRecord) -> int | None:
    """Open an action item; without its owner, when they can't be assigned after all."""
    effect = OpenIssue(
        title=records.title_of(record.text),
        body=action_body(record),
        labels=records.labels_of(record),
        assignees=(record.owner,) if record.assigned else (),
    )
    try:
        return apply_one(context.github, effect).number
    except Rejected:
        if not record.assigned:
            raise
        return _open(context, replace(record, assigned=False))


def follow_file(context: RunContext, updates: Iterable[sync.ActionUpdate]) -> bool:
    """Bring the issues up to date; gives whether any of them changed."""
    effects = [effect for update in updates for effect in _edit(update)]
    return bool(took_place(apply(context.github, effects)))


def _edit(update: sync.ActionUpdate) -> list[Effect]:
    """The edit of one action item, and the labels that it needs."""
    issue, record = update.filed.issue, update.record
    body = None
    if record != update.filed.record:
        body = records.with_block(issue.body.replace("\r\n", "\n"), action_body(record))
    change = edit(
        issue,
        title=update.title,
        body=body,
        labels=update.labels,
        assignees=update.assignees,
        open=update.open,
        planned=not update.dropped,
    )
    labels = _new_labels(set(update.labels) - set(issue.labels))
    return [] if change is None else [*labels, change]


class Unlinked(Struct, frozen=True):
    """Action items that are no sub-issues, and why."""

    filed: tuple[FiledAction, ...]
    why: str


def link_up(context: RunContext, incident: int, filed: Sequence[FiledAction]) -> Unlinked | None:
    """Put the action items under their incident; gives those that can't be."""
    wanted = {each.issue.number: each for each in filed if each.record.state != "dropped"}
    if not wanted:
        return None
    linked = context.github.sub_issues(incident)
    if linked is None:
        return Unlinked(tuple(wanted.values()), "this GitHub has no sub-issues")
    room = max(0, _MOST_SUB_ISSUES - len(linked))
    new = [number for number in wanted if number not in linked][:room]
    outcomes = apply(context.github, [AddSubIssue(incident, number) for number in new])
    linked = (*linked, *new)
    refused = [outcome.refused for outcome in outcomes if outcome.refused is not None]
    if refused:  # another run may have been faster
        linked = context.github.sub_issues(incident) or ()
    left = tuple(each for number, each in wanted.items() if number not in linked)
    full = len(linked) >= _MOST_SUB_ISSUES or not refused
    why = f"an issue takes no more than {_MOST_SUB_ISSUES} sub-issues"
    return Unlinked(left, why if full else f"GitHub said: {refused[-1]}") if left else None
