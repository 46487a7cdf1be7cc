"""Keep the corrective actions in a postmortem's file and their issues the same. Pure.

It is a three-way comparison. The record in each issue holds what file and issue last agreed on.
The side that differs from the record has changed, and the other side follows. When both have
changed, the file counts.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.postmortem.actions import CATEGORIES, Action, with_number, with_tick
from incident_actions.domain.postmortem.document import Document
from incident_actions.domain.postmortem.lint import OwnerStanding
from incident_actions.domain.postmortem.record import ActionRecord, FiledAction, labels_of, title_of


class MatchedActions(Struct, frozen=True):
    """The actions of a file, matched with the action items of its incident.

    `pairs` are actions with their issues. `unfiled` are complete actions that need an issue.
    `removed` are issues whose action is not in the file any more.
    """

    pairs: tuple[tuple[Action, FiledAction], ...]
    unfiled: tuple[Action, ...]
    removed: tuple[FiledAction, ...]

    @property
    def doubles(self) -> MatchedActions:
        """Only those removed issues that are duplicates: another issue has the same text."""
        keys = {filed.record.key for _, filed in self.pairs}
        return MatchedActions((), (), tuple(e for e in self.removed if e.record.key in keys))


class ActionUpdate(Struct, frozen=True):
    """What an action item's issue should be.

    `filed` is the issue as it is, `record` its new record. `dropped` says that it is closed as not
    planned, because its action was removed from the file.
    """

    filed: FiledAction
    record: ActionRecord
    open: bool
    dropped: bool = False

    @property
    def after(self) -> FiledAction:
        """The issue as it will be after this update."""
        title = self.title or self.filed.issue.title
        return FiledAction(replace(self.filed.issue, open=self.open, title=title), self.record)

    @property
    def title(self) -> str | None:
        """The new title; None when the text is the same, or people gave the issue another title."""
        before = title_of(self.filed.record.text)
        after = title_of(self.record.text)
        return after if after != before and self.filed.issue.title == before else None

    @property
    def assignees(self) -> tuple[str, ...]:
        """Who should be assigned: a new owner replaces the old one, all others stay."""
        now = self.filed.issue.assignees
        before, after = self.filed.record.owner, self.record.owner
        if before.casefold() == after.casefold():
            return now
        kept = [
            name for name in now if name.casefold() not in (before.casefold(), after.casefold())
        ]
        return (*kept, after) if self.record.assigned else tuple(kept)

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels it should have: those of a new category replace the old one's, others stay."""
        now = self.filed.issue.labels
        if self.record.category == self.filed.record.category:
            return now
        old = {name.casefold() for name in labels_of(self.filed.record)}
        kept = [name for name in now if name.casefold() not in old]
        return (*kept, *labels_of(self.record))


def match(document: Document, filed: Sequence[FiledAction], own: int) -> MatchedActions:
    """Match a file's actions with issues: by their number or, without one, by their text.

    `own` is the number of the incident; issues of other incidents are ignored. Of several actions
    with the same text, only one is filed. An issue counts as removed when nothing in the section
    names it any more. That includes duplicates: when runs that overlapped filed an action twice,
    the newer issue has no action.
    """
    of_incident = [item for item in filed if item.record.incident == own]
    by_number = {item.issue.number: item for item in of_incident}
    taken = {action.number for action in document.actions if action.number is not None}
    by_key: dict[str, FiledAction] = {}
    for item in sorted(of_incident, key=_preference):
        if item.issue.number not in taken:
            by_key.setdefault(item.record.key, item)
    pairs: list[tuple[Action, FiledAction]] = []
    unfiled: dict[str, Action] = {}
    filed_keys = {a.key for a in document.actions if a.number in by_number}
    for action in document.actions:
        if action.number is not None:
            if action.number in by_number:
                pairs.append((action, by_number[action.number]))
        elif action.key in by_key:
            pairs.append((action, by_key.pop(action.key)))
            filed_keys.add(action.key)
        elif action.complete and action.key not in filed_keys:
            unfiled.setdefault(action.key, action)
    matched = {item.issue.number for _, item in pairs}
    removed = [
        item
        for number, item in by_number.items()
        if number not in matched and not document.mentions(number)
    ]
    return MatchedActions(tuple(pairs), tuple(unfiled.values()), tuple(removed))


def _preference(item: FiledAction) -> tuple[bool, bool, int]:
    """A sort key that puts first the issue that counts, of several with the same text.

    That is the oldest open issue. When none is open, one that was done comes before one that was
    dropped.
    """
    return (not item.issue.open, item.record.state == "dropped", item.issue.number)


def write_numbers(document: Document, matched: MatchedActions) -> Document:
    """The document with the numbers of its actions' issues, and with boxes ticked by `_done`."""
    changed: dict[int, str] = {}
    for action, filed in matched.pairs:
        line = document.line(action.line)
        after = with_tick(line, _done(action, filed))
        if action.number is None:
            after = with_number(after, action, filed.issue.number)
        if after != line:
            changed[action.line] = after
    return document.with_lines(changed) if changed else document


def tick(document: Document, numbers: Collection[int]) -> Document:
    """The document with the boxes of the actions with these issue numbers ticked."""
    changed = {
        action.line: with_tick(document.line(action.line), ticked=True)
        for action in document.actions
        if action.number in numbers and not action.done
    }
    return document.with_lines(changed) if changed else document


def _done(action: Action, filed: FiledAction) -> bool:
    """Whether the action is done, by the side that changed since file and issue last agreed.

    When the action was dropped before, the box in the file counts.
    """
    agreed = filed.record.state == "done"
    if filed.record.state == "dropped" or action.done != agreed:
        return action.done
    return not filed.issue.open


def updates(
    matched: MatchedActions, owners: Mapping[str, OwnerStanding]
) -> tuple[ActionUpdate, ...]:
    """What each matched issue should be, also where nothing changes, and each removed one.

    `owners` is what GitHub says of the owners, by their login in lower case.
    """
    wanted = [_follow_line(action, filed, owners) for action, filed in matched.pairs]
    for filed in matched.removed:
        if filed.record.state != "dropped":
            record = replace(filed.record, state="dropped")
            wanted.append(ActionUpdate(filed, record, open=False, dropped=True))
    return tuple(wanted)


def _follow_line(
    action: Action, filed: FiledAction, owners: Mapping[str, OwnerStanding]
) -> ActionUpdate:
    """What an issue should be by its action's line. What is missing or invalid there stays."""
    before, done = filed.record, _done(action, filed)
    owner = action.login or before.owner
    standing = owners.get(owner.casefold())
    moved = owner.casefold() != before.owner.casefold() and standing is not None
    record = replace(
        before,
        text=action.text or before.text,
        state="done" if done else "open",
        category=action.label if action.label in CATEGORIES else before.category,
        owner=owner,
        due=action.due if action.due_date is not None else before.due,
        assigned=standing is OwnerStanding.FIT if moved else before.assigned,
    )
    return ActionUpdate(filed, record, open=not done)
