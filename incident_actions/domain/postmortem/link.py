"""What ties an incident to its postmortem: the branch, the file and the pull request."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

from msgspec import Struct

from incident_actions.domain.issue.observation import EventKind, Observation, TimelineEvent
from incident_actions.domain.text.names import slug

FOLDER = "ops/postmortems"
SECTIONS = (
    "Summary",
    "Customer impact",
    "Timeline",
    "Root cause",
    "Trigger",
    "Detection gap",
    "What worked",
    "What failed",
    "Corrective actions",
)
"""The sections that every postmortem has, in this order."""
ACTIONS = "Corrective actions"
SETTING = "setting"
"""What is refused where Actions may not open pull requests: then there is a branch at least."""

_FILE = re.compile(r"\d{4}-\d{2}-\d{2}-(?P<issue>\d{1,9})-[^/]*\.md$")


class Postmortem(Struct, frozen=True, omit_defaults=True):
    """Where the postmortem of an incident is.

    `pr` is None where Actions may not open one. `merged` means reviewed. `facts` is a digest of
    what the draft was made from, so that it is looked at again only when that changed; `refused`
    says what GitHub did not allow.
    """

    branch: str
    path: str
    pr: int | None = None
    merged: bool = False
    facts: str = ""
    refused: str = ""

    @property
    def started(self) -> bool:
        """Whether there is a draft to write on."""
        return self.pr is not None or self.refused == SETTING


def branch_prefix(number: int) -> str:
    """What the branch of an incident begins with, however it is called by now."""
    return f"postmortem/{number}-"


def branch_name(number: int, title: str) -> str:
    """`postmortem/12-logins-fail`."""
    return f"{branch_prefix(number)}{_slug(title)}"


def file_path(folder: str, number: int, title: str, day: datetime) -> str:
    """`ops/postmortems/2026-11-23-12-logins-fail.md`."""
    return f"{folder.strip('/')}/{day:%Y-%m-%d}-{number}-{_slug(title)}.md"


def _slug(title: str) -> str:
    words = re.sub(r"^\s*incident\b[\s:#-]*", "", title, flags=re.IGNORECASE)
    return slug(words, otherwise="incident")


def incident_of_path(path: str) -> int | None:
    """The incident that a file's name names."""
    found = _FILE.search(path)
    return int(found["issue"]) if found else None


def marker(number: int) -> str:
    """What ties file and pull request to their incident. GitHub doesn't show it."""
    return f"<!-- incident-actions:postmortem {number} -->"


_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_TIMES = re.compile(
    r"<!-- incident-actions:postmortem-times"
    r" (?P<resolved>[\dTZ:-]{20}) (?P<due>[\dTZ:-]{20}|off) -->"
)


def times_marker(resolved: datetime, due: datetime | None) -> str:
    """For the pull request: when its incident was resolved, and when the postmortem is due."""
    return (
        f"<!-- incident-actions:postmortem-times {resolved.astimezone(UTC):{_STAMP}}"
        f" {due.astimezone(UTC).strftime(_STAMP) if due else 'off'} -->"
    )


def read_times(body: str) -> tuple[datetime, datetime | None] | None:
    """What `times_marker` wrote, or None when there is nothing that makes sense."""
    found = _TIMES.search(body)
    if found is None:
        return None
    try:
        resolved = datetime.fromisoformat(found["resolved"])
        due = datetime.fromisoformat(found["due"]) if found["due"] != "off" else None
    except ValueError:
        return None
    if any(at is not None and at.tzinfo is None for at in (resolved, due)):
        return None
    return resolved, due


_SEAL = re.compile(r"<!-- incident-actions:postmortem (?P<n>\d+)(?: draft (?P<digest>\w{16}))? -->")


def seal(text: str) -> str:
    """A draft that can tell later whether anybody has edited it: its marker holds its digest."""
    bare = _SEAL.sub(r"<!-- incident-actions:postmortem \g<n> -->", text)
    digest = _digest(bare)
    return _SEAL.sub(rf"<!-- incident-actions:postmortem \g<n> draft {digest} -->", bare)


def is_untouched(text: str) -> bool:
    """Whether a file is byte for byte a draft of ours: then, and only then, may it be replaced."""
    found = _SEAL.search(text)
    return found is not None and found["digest"] is not None and seal(text) == text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def opened_pull(observation: Observation) -> TimelineEvent | None:
    """The postmortem's pull request, by the reference to the incident that GitHub keeps.

    The newest one by a bot that carries the marker; anybody can type a marker, so those of people
    don't count.
    """
    mark = marker(observation.issue.number)
    found = [
        event
        for event in observation.events
        if event.kind is EventKind.CROSS_REFERENCED
        and event.pull_request
        and event.author is not None
        and observation.is_bot(event.author)
        and mark in event.body
    ]
    return found[-1] if found else None
