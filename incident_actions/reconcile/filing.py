"""Corrective actions become issues: once each, whatever runs overlap or die.

GitHub has no way to open an issue only if there is none yet. So whoever files first takes a lock,
looks again, and then files: the lock is a git ref, and of two runs only one can create a ref. A
run that died leaves its lock behind; one that does not move for a while is taken over, which
again only one run can do. An issue whose answer was lost is found by the record in its body.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.records import Issue
from incident_actions.domain.postmortem import record as records
from incident_actions.domain.postmortem import sync
from incident_actions.domain.postmortem.actions import Action
from incident_actions.domain.postmortem.document import Document
from incident_actions.domain.postmortem.lint import OwnerStanding
from incident_actions.domain.postmortem.pulls import BranchTip
from incident_actions.domain.postmortem.record import ActionRecord, FiledAction
from incident_actions.errors import Forbidden, GitHubError, NotFound, Rejected, Unavailable
from incident_actions.github.client import GitHub
from incident_actions.render.postmortem import action_body

log = logging.getLogger(__name__)

PATIENCE = 40
"""Seconds after which a lock that has not moved belongs to a run that died."""
AT_ONCE = 5
"""Issues filed under one lock, so that nobody holds it for long."""
_SLICE = 5
_ROUNDS = 12


class Place(Struct, frozen=True):
    """Which postmortem: its incident, its pull request, the branch and the file."""

    incident: Issue
    pr: int
    branch: str
    path: str


class Bench(Struct, frozen=True):
    """What filing works with. `sleep` takes seconds; `bot` is the login behind the token."""

    github: GitHub
    bot: str
    sleep: Callable[[float], None]


def known(bench: Bench, incident: Issue) -> tuple[FiledAction, ...]:
    """The action items of an incident, from GitHub's own list: it knows what was filed just now."""
    found = bench.github.issues(
        labels=[names.ACTION_ITEM], state="all", since=incident.created_at, most=1000
    )
    filed = (records.filed(issue, bench.bot) for issue in found)
    return tuple(each for each in filed if each and each.record.incident == incident.number)


def file_missing(
    bench: Bench,
    place: Place,
    document: Document,
    filed: tuple[FiledAction, ...],
    owners: Mapping[str, OwnerStanding],
) -> tuple[FiledAction, ...]:
    """File the complete actions that are no issues yet; gives all action items of the incident."""
    number = place.incident.number
    ready = False
    while True:
        waiting = _waiting(document, filed, number, owners)
        if not waiting:
            return filed
        if not ready:
            _make_labels(bench.github, waiting)
            ready = True
        with _alone(bench, place):
            filed = _together(known(bench, place.incident), filed)
            for action in _waiting(document, filed, number, owners)[:AT_ONCE]:
                fit = owners.get((action.login or "").casefold()) is not OwnerStanding.UNFIT
                record = records.record_of(action, number, place.pr, assigned=fit)
                filed = (*filed, _file(bench.github, record))


def _together(
    listed: Sequence[FiledAction], seen: Sequence[FiledAction]
) -> tuple[FiledAction, ...]:
    """What GitHub lists, and what was seen before: a list may lag behind what was just written."""
    numbers = {each.issue.number for each in listed}
    return (*listed, *(each for each in seen if each.issue.number not in numbers))


def _make_labels(github: GitHub, actions: Sequence[Action]) -> None:
    wanted = {names.ACTION_ITEM, *(f"{names.FOLLOWUP_PREFIX}{each.label}" for each in actions)}
    for name in sorted(wanted - github.label_names()):
        github.create_label(names.describe(name))


def _waiting(
    document: Document,
    filed: Sequence[FiledAction],
    incident: int,
    owners: Mapping[str, OwnerStanding],
) -> list[Action]:
    unfiled = sync.match(document, filed, incident).unfiled
    unknown = {login for login, standing in owners.items() if standing is OwnerStanding.UNKNOWN}
    return [action for action in unfiled if (action.login or "").casefold() not in unknown]


def _file(github: GitHub, record: ActionRecord) -> FiledAction:
    wanted = records.labels_of(record)
    title, body = records.title_of(record.text), action_body(record)
    if record.assigned:
        try:
            return FiledAction(github.file_action(title, body, wanted, [record.owner]), record)
        except Rejected:
            record = replace(record, assigned=False)  # the owner was not assignable after all
            body = action_body(record)
    return FiledAction(github.file_action(title, body, wanted, []), record)


@contextmanager
def _alone(bench: Bench, place: Place) -> Iterator[None]:
    """Hold the lock of an incident's action items."""
    ref = f"refs/incident-actions/filing-{place.incident.number}"
    tip = bench.github.branch(place.branch)
    if tip is None:
        raise Unavailable(
            f"the branch {place.branch} is gone", remedy="Nothing to do, if that was meant."
        )
    _take(bench, ref, tip)
    try:
        yield
    finally:
        try:
            bench.github.delete_ref(ref)
        except GitHubError as error:
            log.warning("The lock %s was left behind, and is taken over later: %s", ref, error)


def _take(bench: Bench, ref: str, tip: BranchTip) -> None:
    """Take a lock, from a run that died where it must be. Raises `Unavailable` after minutes."""
    own = bench.github.empty_commit(tip, f"File action items {secrets.token_hex(8)}")
    seen, waited = None, 0
    for _ in range(_ROUNDS):
        try:
            if seen is not None and waited >= PATIENCE:
                below = BranchTip(seen, tip.tree)
                own = bench.github.empty_commit(below, f"Take over {secrets.token_hex(8)}")
                bench.github.move_ref(ref, own)
            else:
                bench.github.create_ref(ref, own)
        except Rejected:
            now = bench.github.ref(ref)
            waited = waited + _SLICE if now == seen else 0
            seen = now
            if now is not None:
                bench.sleep(_SLICE)
        else:
            return
    raise Unavailable(
        "another run is filing the action items",
        remedy="The next run looks whether it did.",
    )


def bring_up_to_date(
    bench: Bench, matched: sync.MatchedActions, owners: Mapping[str, OwnerStanding]
) -> tuple[tuple[FiledAction, ...], bool]:
    """Let the issues follow the file; gives them as they are then, and whether any changed."""
    after = []
    changed = False
    for turn in sync.turns(matched):
        standing = owners.get(turn.record.owner.casefold())
        moved = turn.record.owner.casefold() != turn.filed.record.owner.casefold()
        if moved and standing is not None:
            assigned = standing is OwnerStanding.FIT
            turn = replace(turn, record=replace(turn.record, assigned=assigned))
        changed = _edit(bench.github, turn) or changed
        issue = replace(
            turn.filed.issue, open=turn.open, title=turn.title or turn.filed.issue.title
        )
        after.append(FiledAction(issue, turn.record))
    return tuple(after), changed


def _edit(github: GitHub, turn: sync.ActionUpdate) -> bool:
    issue = turn.filed.issue
    body = issue.body
    if turn.record != turn.filed.record:
        body = records.with_block(body.replace("\r\n", "\n"), action_body(turn.record))
    state = None
    if turn.open != issue.open:
        state = ("open", "reopened") if turn.open else ("closed", "completed")
        if turn.dropped:
            state = ("closed", "not_planned")
    if turn.record == turn.filed.record and state is None:
        return False
    for name in set(turn.labels) - set(issue.labels):
        github.create_label(names.describe(name))
    github.edit_action(
        issue.number,
        title=turn.title,
        body=body,
        labels=turn.labels,
        assignees=turn.assignees,
        state=state,
    )
    return True


class Unlinked(Struct, frozen=True):
    """Action items that are no sub-issues, and why."""

    filed: tuple[FiledAction, ...]
    why: str


def link_up(github: GitHub, incident: int, filed: Sequence[FiledAction]) -> Unlinked | None:
    """Put the action items under their incident; gives those that can't be."""
    wanted = [each for each in filed if each.record.state != "dropped"]
    if not wanted:
        return None
    linked = github.sub_issues(incident)
    if linked is None:
        return Unlinked(tuple(wanted), "this GitHub has no sub-issues")
    left = []
    why = ""
    for each in wanted:
        if each.issue.number in linked:
            continue
        if len(linked) < _MOST_SUB_ISSUES:
            try:
                github.add_sub_issue(incident, each.issue.number)
            except (Rejected, NotFound, Forbidden) as refused:
                linked = github.sub_issues(incident) or ()
                if each.issue.number in linked:
                    continue  # another run was faster
                why = f"GitHub said: {refused}"
            else:
                linked = (*linked, each.issue.number)
                continue
        if len(linked) >= _MOST_SUB_ISSUES:
            why = f"an issue takes no more than {_MOST_SUB_ISSUES} sub-issues"
        left.append(each)
    return Unlinked(tuple(left), why) if left else None


_MOST_SUB_ISSUES = 100
