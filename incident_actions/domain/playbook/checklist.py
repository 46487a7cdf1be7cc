"""The two checklists that teams keep as Markdown: an incident's steps, and its recovery checks.

A step is done when the incident shows it, or when people tick its box. A recovery check with a
`probe` is made by the bot, which requests an address. One good answer proves little, so there must
be several in a row, over some minutes. The state keeps this streak from run to run.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.issue.incident import Incident, Moment, Status
from incident_actions.domain.text.documents import (
    block_reader,
    split_front_matter,
    without_comments,
)
from incident_actions.domain.text.names import slug

_ITEM = re.compile(r"^[-*+] \[[ xX]\]\s+(?P<text>.+)$", re.MULTILINE)
_KEY = re.compile(r"<!--\s*(?:seen|check):\s*(?P<key>[\w.-]+)\s*-->")
_PROBE = re.compile(r"`?probe:\s*(?P<url>https?://[^\s`<>]+)`?")
_BOX = re.compile(r"\s*[-*] \[(?P<tick>[ xX])\] (?P<text>.*)$")
_NUMBERS = re.compile(r"^(?:\d+[.)]\s*)+")
_READER = block_reader()

ANSWERED = {"summary": "impact", "affected": "affected", "ongoing": "ongoing", "changes": "changes"}
"""The ids of form questions -> the keys of the steps that are done once they are answered."""

PASSED = "passed"
"""The kind of the bot's comments about a recovery check that passed."""
_STAMP = "%Y%m%dT%H%M%SZ"
_PAUSE = timedelta(seconds=30)
"""The least time between two probes of the same check."""
_APART = timedelta(minutes=3)
"""How far apart a run that stays awake makes them: each one changes the state in the issue."""


class ChecklistItem(Struct, frozen=True, omit_defaults=True):
    """One item of a checklist.

    `key` names the step or the recovery check (`<!-- seen: KEY -->`, `<!-- check: KEY -->`); it may
    be empty. `probe` is an address that the bot requests to make the check itself.
    """

    text: str
    key: str
    probe: str | None = None


class ChecklistSection(Struct, frozen=True):
    """A heading's title and the items below it."""

    title: str
    items: tuple[ChecklistItem, ...]


def read_checklist(page: str) -> tuple[ChecklistSection, ...]:
    """The sections of a checklist page that have items. Code blocks are left out.

    Items above the first heading are in a section `Checklist`.
    """
    return _sections(split_front_matter(page)[1], "h2", "Checklist")


def shown_checklist(dashboard: str) -> tuple[ChecklistSection, ...]:
    """The checklist in a dashboard. It is as the team's file was when the dashboard was written."""
    return _sections(dashboard, "h4", None)


def boxes(dashboard: str) -> dict[str, bool]:
    """The boxes in a dashboard: their text -> whether they are ticked."""
    matches = (_BOX.match(line) for line in dashboard.split("\n"))
    return {_without_key(match["text"]): match["tick"] != " " for match in matches if match}


def _without_key(text: str) -> str:
    """The text of a box without the HTML comment at its end."""
    text = text.rstrip()
    return (text.partition("<!--")[0] if text.endswith("-->") else text).rstrip()


def _sections(text: str, heading: str, untitled: str | None) -> tuple[ChecklistSection, ...]:
    """The sections of a Markdown text that have items; `heading` is the tag of their headings.

    `untitled` is the title of items above the first heading; None: they are left out.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    titled: list[tuple[str | None, list[ChecklistItem]]] = [(untitled, [])]
    for token in _READER.parse(text):
        line = lines[token.map[0]].strip() if token.map else ""
        if token.type == "heading_open" and token.tag == heading:
            titled.append((_NUMBERS.sub("", line.lstrip("# ")), []))
        elif token.type == "list_item_open" and (raw := _ITEM.match(line)):
            titled[-1][1].append(_item(raw["text"]))
    sections = (
        (title, tuple(item for item in items if item.text))
        for title, items in titled
        if title is not None
    )
    return tuple(
        ChecklistSection(title or "Checklist", items) for title, items in sections if items
    )


def _item(raw: str) -> ChecklistItem:
    """An item from the text after its box."""
    key = _KEY.search(raw)
    probe = _PROBE.search(raw)
    text = " ".join(without_comments(_PROBE.sub("", raw)).split())
    return ChecklistItem(
        text=text,
        key=key["key"].casefold() if key else "",
        probe=probe["url"] if probe else None,
    )


def checks(sections: Sequence[ChecklistSection]) -> tuple[ChecklistItem, ...]:
    """The recovery checks in the sections, each key only once.

    An item without a key gets one that is made from its text.
    """
    by_key: dict[str, ChecklistItem] = {}
    for section in sections:
        for item in section.items:
            key = item.key or slug(item.text)
            by_key.setdefault(key, replace(item, key=key))
    return tuple(by_key.values())


def missing(
    wanted: Sequence[ChecklistItem], verified: Collection[str]
) -> tuple[ChecklistItem, ...]:
    """The checks whose key is not in `verified`, in their order."""
    return tuple(item for item in wanted if item.key not in verified)


def steps_taken(incident: Incident, checks: Sequence[ChecklistItem]) -> frozenset[str]:
    """The keys of the steps that the incident, as it is now, shows to be done.

    The fold collects them over the whole history, so that a step that was done once stays ticked.
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
    """The texts of the boxes that people ticked, as far as that can be known.

    `boxes` are those in the dashboard, `by_bot` the keys of the steps that the bot ticked there.
    `before` is the result of the last run: boxes that are not in the dashboard, such as for lack of
    room, keep their ticks.
    """
    bots = {item.text for section in checklist for item in section.items if item.key in by_bot}
    now = {text for text, tick in boxes.items() if tick and (text not in bots or text in before)}
    return tuple(sorted(now | {text for text in before if text not in boxes}))


def steps_answered(ids: Collection[str]) -> frozenset[str]:
    """The keys of the steps that are done by the form's answers.

    `ids` are the ids of the questions that were answered.
    """
    return frozenset(step for question, step in ANSWERED.items() if question in ids)


class Streak(Struct, frozen=True, omit_defaults=True):
    """Good answers of a probe in a row: when the first and the last one came, and how many."""

    since: datetime
    count: int
    last: datetime

    def is_recovery(self, successes: int, minutes: int) -> bool:
        """Whether there were at least `successes` answers, over at least `minutes`."""
        lasted = self.last - self.since >= timedelta(minutes=minutes)
        return lasted and self.count >= successes


class PassedCheck(Struct, frozen=True):
    """A recovery check that passed: its streak began `since` and was long enough at `at`.

    The bot posts a comment about it. The comment's name is the only record, so later runs read the
    passed check from there, and the fold applies it.
    """

    key: str
    since: datetime
    at: datetime

    @property
    def name(self) -> str:
        """The key in the comment's marker: the check's key and both times."""
        return f"{self.key}.{self.since:{_STAMP}}.{self.at:{_STAMP}}"

    def told_in(self, names: Iterable[str]) -> bool:
        """Whether one of the bot's comments, by their names (`KIND KEY`), is about this streak."""
        streak = f"{PASSED} {self.key}.{self.since:{_STAMP}}."
        return any(name.startswith(streak) for name in names)


def passed_checks(names: Iterable[str]) -> tuple[PassedCheck, ...]:
    """The passed checks in the names (`KIND KEY`) of the bot's comments.

    When there are two about the same streak, the first counts.
    """
    passed: dict[tuple[str, str], PassedCheck] = {}
    for name in names:
        kind, _, rest = name.partition(" ")
        parts = rest.rsplit(".", 2)
        if kind == PASSED and len(parts) == 3:
            key, since, at = parts
            with suppress(ValueError):
                times = (datetime.strptime(t, _STAMP).replace(tzinfo=UTC) for t in (since, at))
                passed.setdefault((key, since), PassedCheck(key, *times))
    return tuple(passed.values())


def due_probes(
    incident: Incident,
    checks: Sequence[ChecklistItem],
    streaks: Mapping[str, Streak],
    now: datetime,
) -> tuple[ChecklistItem, ...]:
    """The checks that the bot should probe now: those to probe that were not probed just before."""
    return tuple(
        item
        for item in _to_probe(incident, checks)
        if item.key not in streaks or now - streaks[item.key].last >= _PAUSE
    )


def next_probe(
    incident: Incident,
    checks: Sequence[ChecklistItem],
    streaks: Mapping[str, Streak],
    after: datetime,
) -> datetime | None:
    """When the bot should make the next probe after `after`; None when there is nothing to probe.

    A check without a good answer is due since the incident was mitigated. What was due by `after`
    was probed then; its answer was bad, or could not be kept. So it waits like all others.
    """
    begun = incident.times.get(Moment.MITIGATED) or incident.times[Moment.DECLARED]
    planned = (
        streaks[item.key].last + _APART if item.key in streaks else begun
        for item in _to_probe(incident, checks)
    )
    return min((at if at > after else after + _APART for at in planned), default=None)


def _to_probe(incident: Incident, checks: Sequence[ChecklistItem]) -> list[ChecklistItem]:
    """The checks that have a probe and are not verified; none unless it is `monitoring`."""
    if incident.status is not Status.MONITORING:
        return []
    return [item for item in missing(checks, incident.verified) if item.probe]


def next_streak(
    streak: Streak | None, good: bool, now: datetime, incident: Incident
) -> Streak | None:
    """The streak after one more answer at `now`; None after a bad answer.

    A streak that began before the incident was mitigated starts again: it says nothing about this
    recovery.
    """
    if not good:
        return None
    mitigated = incident.times.get(Moment.MITIGATED)
    if streak is None or (mitigated is not None and streak.since < mitigated):
        streak = Streak(since=now, count=0, last=now)
    return Streak(since=streak.since, count=streak.count + 1, last=now)
