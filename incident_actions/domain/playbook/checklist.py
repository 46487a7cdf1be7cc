"""The two checklists that teams keep as Markdown: the incident's steps and the recovery checks.

Which steps are done is seen in the incident itself, or ticked by people. Recovery checks with a
`probe` are made by the bot: good answers in a row, over some minutes, as one good answer proves
little. The results of each run are remembered in the state, so that the row goes on from run to
run.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from markdown_it import MarkdownIt
from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.issue.incident import Incident, Moment, Status
from incident_actions.domain.text.documents import split_front_matter
from incident_actions.domain.text.names import slug

_ITEM = re.compile(r"^[-*+] \[[ xX]\]\s+(?P<text>.+)$", re.MULTILINE)
_KEY = re.compile(r"<!--\s*(?:seen|check):\s*(?P<key>[\w.-]+)\s*-->")
_PROBE = re.compile(r"`?probe:\s*(?P<url>https?://[^\s`<>]+)`?")
_COMMENT = re.compile(r"<!--.*?-->")
_BOX = re.compile(r"^\s*[-*] \[(?P<tick>[ xX])\] (?P<text>.*?)\s*(?:<!--.*-->)?\s*$")
_NUMBERS = re.compile(r"^(?:\d+[.)]\s*)+")
_READER = MarkdownIt("commonmark")

ANSWERED = {"summary": "impact", "affected": "affected", "ongoing": "ongoing", "changes": "changes"}
"""A form's question, by id, and the step that its answer takes."""

PASSED = "passed"
"""The kind of the bot's comments about a recovery check that passed."""
_STAMP = "%Y%m%dT%H%M%SZ"
_PAUSE = timedelta(seconds=30)
"""Two answers of a probe closer together than this are one."""


class ChecklistItem(Struct, frozen=True, omit_defaults=True):
    """One line to tick. `key` names a fact (`seen`) or a check, and may be empty.

    `probe` is an address that the bot asks itself.
    """

    text: str
    key: str
    probe: str | None = None


class ChecklistSection(Struct, frozen=True):
    """A heading and the items under it."""

    title: str
    items: tuple[ChecklistItem, ...]


def read_checklist(page: str) -> tuple[ChecklistSection, ...]:
    """The sections of a checklist that hold items. Front matter and fences are left out.

    Items above the first heading get the title `Checklist`.
    """
    return _read(split_front_matter(page.replace("\r\n", "\n"))[1], "h2", "Checklist")


def shown_checklist(dashboard: str) -> tuple[ChecklistSection, ...]:
    """The checklist as a dashboard shows it, with what the team's file said when it was drawn."""
    return _read(dashboard, "h4", None)


def boxes(dashboard: str) -> dict[str, bool]:
    """The boxes of a dashboard, by their text: whether they are ticked."""
    found = (_BOX.match(line) for line in dashboard.split("\n"))
    return {match["text"]: match["tick"] != " " for match in found if match}


def _read(text: str, heading: str, untitled: str | None) -> tuple[ChecklistSection, ...]:
    """`heading` opens a section; items above the first are left out where that has no title."""
    lines = text.split("\n")
    found: list[tuple[str | None, list[ChecklistItem]]] = [(untitled, [])]
    for token in _READER.parse(text):
        line = lines[token.map[0]].strip() if token.map else ""
        if token.type == "heading_open" and token.tag == heading:
            found.append((_NUMBERS.sub("", line.lstrip("# ")), []))
        elif token.type == "list_item_open" and (raw := _ITEM.match(line)):
            found[-1][1].append(_item(raw["text"]))
    sections = (
        (title, tuple(item for item in items if item.text))
        for title, items in found
        if title is not None
    )
    return tuple(
        ChecklistSection(title or "Checklist", items) for title, items in sections if items
    )


def _item(raw: str) -> ChecklistItem:
    key = _KEY.search(raw)
    probe = _PROBE.search(raw)
    text = " ".join(_COMMENT.sub("", _PROBE.sub("", raw)).split())
    return ChecklistItem(
        text=text,
        key=key["key"].casefold() if key else "",
        probe=probe["url"] if probe else None,
    )


def checks(sections: Sequence[ChecklistSection]) -> tuple[ChecklistItem, ...]:
    """The recovery checks of a verification file. One without a key gets its text as one."""
    found: dict[str, ChecklistItem] = {}
    for section in sections:
        for item in section.items:
            key = item.key or slug(item.text)
            found.setdefault(key, replace(item, key=key))
    return tuple(found.values())


def missing(
    wanted: Sequence[ChecklistItem], verified: Collection[str]
) -> tuple[ChecklistItem, ...]:
    """The checks that nobody has verified yet, in the file's order."""
    return tuple(item for item in wanted if item.key not in verified)


def steps_taken(incident: Incident, checks: Sequence[ChecklistItem]) -> frozenset[str]:
    """The keys of the steps that are done, as the incident stands.

    The fold collects these along the history, so that a step once taken stays ticked.
    """
    facts = {
        "commander": incident.commander is not None,
        "started": Moment.STARTED in incident.times,
        "freeze": incident.freezes,
        "severity": incident.severity_known,
        "mitigation": incident.mitigations > 0,
        "update": incident.updates > 0,
        "customer-update": incident.customer_updates > 0,
        "verified": bool(checks) and not missing(checks, incident.verified),
        "resolved-time": Moment.RESOLVED in incident.times,
        "action-items": bool(incident.actions),
    }
    return frozenset(key for key, true in facts.items() if true)


def ticked_by_people(
    boxes: Mapping[str, bool],
    checklist: Sequence[ChecklistSection],
    by_bot: Collection[str],
    before: Collection[str],
) -> tuple[str, ...]:
    """The texts of the boxes that people ticked, as far as one can tell.

    `boxes` are those of the dashboard, `by_bot` the keys of the steps that the bot ticked there,
    and `before` is the last answer: boxes that the dashboard has no room for keep their ticks.
    """
    bots = {item.text for section in checklist for item in section.items if item.key in by_bot}
    now = {text for text, tick in boxes.items() if tick and (text not in bots or text in before)}
    return tuple(sorted(now | {text for text in before if text not in boxes}))


def steps_answered(ids: Collection[str]) -> frozenset[str]:
    """The keys of the steps that the form's answers take; `ids` are those of the questions."""
    return frozenset(step for question, step in ANSWERED.items() if question in ids)


class Streak(Struct, frozen=True, omit_defaults=True):
    """Good answers in a row: since when, how many, and the last one."""

    since: datetime
    count: int
    last: datetime

    def is_recovery(self, successes: int, minutes: int) -> bool:
        """Whether a row is long enough, in answers and in time."""
        lasted = self.last - self.since >= timedelta(minutes=minutes)
        return lasted and self.count >= successes


class PassedCheck(Struct, frozen=True):
    """The row of a check that began `since` was long enough at `at`: an entry for the fold.

    The bot says so in a comment, and knows it again from there: that is what it is recorded in.
    """

    key: str
    since: datetime
    at: datetime

    @property
    def name(self) -> str:
        """For the comment's marker."""
        return f"{self.key}.{self.since:{_STAMP}}.{self.at:{_STAMP}}"

    def told_in(self, names: Iterable[str]) -> bool:
        """Whether a comment (`kind key`) about this row was ever posted: it isn't posted twice."""
        row = f"{PASSED} {self.key}.{self.since:{_STAMP}}."
        return any(name.startswith(row) for name in names)


def passed_checks(names: Iterable[str]) -> tuple[PassedCheck, ...]:
    """What the bot's comments (`kind key`) say has passed; of two about one row the first."""
    found: dict[tuple[str, str], PassedCheck] = {}
    for name in names:
        kind, _, rest = name.partition(" ")
        parts = rest.rsplit(".", 2)
        if kind == PASSED and len(parts) == 3:
            key, since, at = parts
            with suppress(ValueError):
                times = (datetime.strptime(t, _STAMP).replace(tzinfo=UTC) for t in (since, at))
                found.setdefault((key, since), PassedCheck(key, *times))
    return tuple(found.values())


def due_probes(
    incident: Incident,
    checks: Sequence[ChecklistItem],
    streaks: Mapping[str, Streak],
    now: datetime,
) -> tuple[ChecklistItem, ...]:
    """The checks to ask now: with a probe, unverified, while the recovery is being watched."""
    if incident.status is not Status.MONITORING:
        return ()
    return tuple(
        item
        for item in missing(checks, incident.verified)
        if item.probe and (item.key not in streaks or now - streaks[item.key].last >= _PAUSE)
    )


def next_streak(
    streak: Streak | None, good: bool, now: datetime, incident: Incident
) -> Streak | None:
    """The row after one more answer; None after a bad one.

    A row that began before the mitigation is not about this recovery: it begins anew.
    """
    if not good:
        return None
    mitigated = incident.times.get(Moment.MITIGATED)
    if streak is None or (mitigated is not None and streak.since < mitigated):
        streak = Streak(since=now, count=0, last=now)
    return Streak(since=streak.since, count=streak.count + 1, last=now)
