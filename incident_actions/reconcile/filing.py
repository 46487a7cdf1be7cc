"""Opens an issue for each action item of a postmortem, and keeps it like the postmortem's file.

Each action must have one open issue, even when two runs overlap or a run is killed. GitHub can't
open an issue only if none exists. So a run opens the missing issues, and then lists them again. Of
several issues for the same action the oldest open one is kept, and the others are closed as not
planned. If two runs keep different ones, the file decides: only one run can commit the number of
its issue, and the other run starts again. An issue of a killed run is found by the record in its
body.
"""

from __future__ import annotations

import logging
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
from incident_actions.reconcile.apply import apply, apply_one, missing_labels, took_place
from incident_actions.reconcile.context import RunContext
from incident_actions.render.postmortem import action_body

log = logging.getLogger(__name__)

_MOST_SUB_ISSUES = 100
"""The most sub-issues that GitHub allows on one issue.

https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/adding-sub-issues
"""


def list_filed(context: RunContext, incident: Issue) -> tuple[FiledAction, ...]:
    """The action items of an incident, open and closed, from GitHub's list of issues."""
    issues = context.github.issues(
        labels=[names.ACTION_ITEM], state="all", since=incident.created_at, most=1000
    )
    filed = (records.filed(issue, context.config.bot) for issue in issues)
    return tuple(each for each in filed if each and each.record.incident == incident.number)


def file_missing(
    context: RunContext,
    incident: Issue,
    pr: int,
    document: Document,
    filed: tuple[FiledAction, ...],
    owners: Mapping[str, OwnerStanding],
) -> tuple[FiledAction, ...]:
    """Open an issue for each complete action of the document that has none.

    Gives all action items of the incident afterwards. `pr` is the number of the postmortem's pull
    request; `filed` are the action items before; `owners` says what GitHub knows of each owner. An
    action whose owner GitHub does not know gets no issue.
    """
    new = [
        records.record_of(action, incident.number, pr, assigned=standing is not OwnerStanding.UNFIT)
        for action in sync.match(document, filed, incident.number).unfiled
        if (standing := owners.get((action.login or "").casefold())) is not OwnerStanding.UNKNOWN
    ]
    if not new:
        return filed
    wanted = {name for record in new for name in records.labels_of(record)}
    apply(context.github, missing_labels(context.github, wanted))
    opened = [_open(context, record) for record in new]
    by_number = {each.issue.number: each for each in (*filed, *list_filed(context, incident))}
    for number in opened:
        if number is not None and number not in by_number:  # GitHub's list may lag behind
            late = records.filed(context.github.issue(number), context.config.bot)
            by_number |= {number: late} if late is not None else {}
    # An overlapping run may have opened issues for the same actions.
    doubles = sync.match(document, tuple(by_number.values()), incident.number).doubles
    updates = sync.updates(doubles, owners)
    follow_file(context, updates)
    by_number |= {update.filed.issue.number: update.after for update in updates}
    return tuple(by_number.values())


def _open(context: RunContext, record: ActionRecord) -> int | None:
    """Open an action item's issue; gives its number. Without its owner if GitHub rejects them.

    None when GitHub rejects the issue for another reason: the other actions get theirs.
    """
    effect = OpenIssue(
        title=records.title_of(record.text),
        body=action_body(record),
        labels=records.labels_of(record),
        assignees=(record.owner,) if record.assigned else (),
    )
    try:
        return apply_one(context.github, effect).number
    except Rejected as refused:
        if record.assigned and refused.says("assignee"):
            return _open(context, replace(record, assigned=False))
        log.warning("An action of #%s got no issue: %s", record.incident, refused)
        return None


def follow_file(context: RunContext, updates: Iterable[sync.ActionUpdate]) -> bool:
    """Make the issues agree with the file; gives whether any of them changed."""
    effects = [effect for update in updates for effect in _edit(update)]
    return bool(took_place(apply(context.github, effects)))


def _edit(update: sync.ActionUpdate) -> list[Effect]:
    """The edit of one action item's issue, after the labels that must be created for it."""
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
    added = sorted(set(update.labels) - set(issue.labels))
    labels = [CreateLabel(names.describe(name)) for name in added]
    return [] if change is None else [*labels, change]


class Unlinked(Struct, frozen=True):
    """Action items that could not be made sub-issues, and why, for people to read."""

    filed: tuple[FiledAction, ...]
    why: str


def link_up(context: RunContext, incident: int, filed: Sequence[FiledAction]) -> Unlinked | None:
    """Make the action items sub-issues of their incident; gives those for which that failed.

    Dropped items are left out. Gives None when nothing failed.
    """
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
    if refused:  # another run may have linked them meanwhile
        linked = context.github.sub_issues(incident) or ()
    unlinked = tuple(each for number, each in wanted.items() if number not in linked)
    full = len(linked) >= _MOST_SUB_ISSUES or not refused
    why = f"an issue takes no more than {_MOST_SUB_ISSUES} sub-issues"
    return Unlinked(unlinked, why if full else f"GitHub said: {refused[-1]}") if unlinked else None
