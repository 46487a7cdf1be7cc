"""Corrective actions in the file, and their issues: what has to change where. Pure.

A three-way comparison. The record in each issue holds what both sides last agreed on; the side
that differs from it has changed, and the other follows. When both have, the file counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.postmortem.actions import CATEGORIES, Action, with_number, with_tick
from incident_actions.domain.postmortem.document import Document
from incident_actions.domain.postmortem.lint import OwnerStanding
from incident_actions.domain.postmortem.record import ActionRecord, FiledAction, labels_of, title_of


class MatchedActions(Struct, frozen=True):
    """The actions of a file and the issues that belong to them."""

    pairs: tuple[tuple[Action, FiledAction], ...]
    unfiled: tuple[Action, ...]
    removed: tuple[FiledAction, ...]

    @property
    def doubles(self) -> MatchedActions:
        """Of those removed: issues for the same words as one that counts."""
        words = {filed.record.key for _, filed in self.pairs}
        return MatchedActions((), (), tuple(e for e in self.removed if e.record.key in words))


class ActionUpdate(Struct, frozen=True):
    """What an issue should be: its record, its state, its assignees, labels and title."""

    filed: FiledAction
    record: ActionRecord
    open: bool
    dropped: bool = False

    @property
    def after(self) -> FiledAction:
        """The issue as it is once it was brought up to date."""
        title = self.title or self.filed.issue.title
        return FiledAction(replace(self.filed.issue, open=self.open, title=title), self.record)

    @property
    def title(self) -> str | None:
        """The new title, when the words changed and nobody gave the issue another one."""
        before = title_of(self.filed.record.text)
        after = title_of(self.record.text)
        return after if after != before and self.filed.issue.title == before else None

    @property
    def assignees(self) -> tuple[str, ...]:
        """The issue's people: a new owner takes the old one's place, others stay."""
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
        """The issue's labels, with those of the action's category."""
        now = self.filed.issue.labels
        if self.record.category == self.filed.record.category:
            return now
        old = {name.casefold() for name in labels_of(self.filed.record)}
        kept = [name for name in now if name.casefold() not in old]
        return (*kept, *labels_of(self.record))


def match(document: Document, filed: Sequence[FiledAction], own: int) -> MatchedActions:
    """Which action is which issue: by its number, or, where it has none yet, by its words.

    `own` is the incident: issues of other incidents are not ours to move. A line whose words
    another line has, too, is filed once. An issue counts as removed only when nothing in the
    section names it any more. So the younger ones of several issues for the same words, filed by
    runs that overlapped, are removed, too.
    """
    of_incident = [each for each in filed if each.record.incident == own]
    by_number = {each.issue.number: each for each in of_incident}
    taken = {action.number for action in document.actions if action.number is not None}
    by_key: dict[str, FiledAction] = {}
    for each in sorted(of_incident, key=_preference):
        if each.issue.number not in taken:
            by_key.setdefault(each.record.key, each)
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
    seen = {each.issue.number for _, each in pairs}
    removed = [
        each
        for number, each in by_number.items()
        if number not in seen and not document.mentions(number)
    ]
    return MatchedActions(tuple(pairs), tuple(unfiled.values()), tuple(removed))


def _preference(each: FiledAction) -> tuple[bool, bool, int]:
    """Of several issues for the same words the oldest open one counts.

    Where none is open, one that was done counts before one that was dropped.
    """
    return (not each.issue.open, each.record.state == "dropped", each.issue.number)


def write_numbers(document: Document, matched: MatchedActions) -> Document:
    """The file with the numbers of its issues, and the ticks of those that were closed."""
    changed: dict[int, str] = {}
    for action, filed in matched.pairs:
        line = document.line(action.line)
        after = with_tick(line, _done(action, filed))
        if action.number is None:
            after = with_number(after, action, filed.issue.number)
        if after != line:
            changed[action.line] = after
    return document.with_lines(changed) if changed else document


def _done(action: Action, filed: FiledAction) -> bool:
    """Whether the action is done, by the side that changed since both last agreed."""
    agreed = filed.record.state == "done"
    if filed.record.state == "dropped" or action.done != agreed:
        return action.done
    return not filed.issue.open


def updates(
    matched: MatchedActions, owners: Mapping[str, OwnerStanding]
) -> tuple[ActionUpdate, ...]:
    """What each issue should be. Those that are so already come out as they are.

    `owners` is what GitHub says of the owners, by their login in lower case.
    """
    found = [_follow_line(action, filed, owners) for action, filed in matched.pairs]
    for filed in matched.removed:
        if filed.record.state != "dropped":
            record = replace(filed.record, state="dropped")
            found.append(ActionUpdate(filed, record, open=False, dropped=True))
    return tuple(found)


def _follow_line(
    action: Action, filed: FiledAction, owners: Mapping[str, OwnerStanding]
) -> ActionUpdate:
    """The issue as its line says. What the line lacks, or what makes no sense, stays."""
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
