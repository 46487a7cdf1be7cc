"""How an incident and its postmortem find each other: names of branch and file, and markers.

Markers are HTML comments, which GitHub does not show.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

from msgspec import Struct

from incident_actions.domain.issue.observation import EventKind, Observation, TimelineEvent
from incident_actions.domain.text.harmless import defused
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
"""`Postmortem.refused` where Actions may not open pull requests. There is a branch all the same."""
BRANCH = "branch"
"""`Postmortem.refused` begins so where GitHub refuses the branch; then a colon and GitHub's words.

A ruleset may forbid it. Nothing is drafted then."""
PULL = "pull"
"""`Postmortem.refused` begins so where GitHub refuses the pull request; then GitHub's words.

There is a branch all the same."""

_FILE = re.compile(r"\d{4}-\d{2}-\d{2}-(?P<issue>\d{1,9})-[^/]*\.md$")


class Postmortem(Struct, frozen=True, omit_defaults=True):
    """Where the postmortem of an incident is.

    `path` is its file. `pr` is the pull request's number, None while there is none. `merged` means
    that it was reviewed. `facts` is the digest of the facts that the draft was made from: the draft
    is looked at again only when they change. `refused` says what GitHub did not allow.
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
        return self.pr is not None or self.refused.partition(":")[0] in (SETTING, PULL)


def branch_prefix(number: int) -> str:
    """How the branch for an incident's postmortem begins, whatever the incident's title was."""
    return f"postmortem/{number}-"


def branch_name(number: int, title: str) -> str:
    """The branch for a new postmortem: `postmortem/12-logins-fail`."""
    return f"{branch_prefix(number)}{_slug(title)}"


def file_path(folder: str, number: int, title: str, day: datetime) -> str:
    """The file for a new postmortem: `ops/postmortems/2026-11-23-12-logins-fail.md`."""
    return f"{folder.strip('/')}/{day:%Y-%m-%d}-{number}-{_slug(title)}.md"


_WORD = re.compile(r"^\W*incident\s*(?:[\])}>:#|\u2013\u2014]|-\s)[\W]*", re.IGNORECASE)


def plain_title(title: str, prefix: str = "", summary: str = "") -> str:
    """An incident's title without what the form puts before it, `prefix`, or the word `incident`.

    `[Incident] logins fail` -> `logins fail`. Where nothing is left, the first line of the report's
    `summary`, or the title as it is.
    """
    given = r"\s*".join(map(re.escape, prefix.split()))
    rest = re.sub(rf"^\s*{given}[\s:]*", "", " ".join(title.split()), flags=re.IGNORECASE)
    rest = _WORD.sub("", rest, count=1)
    if any(map(str.isalnum, rest)) and rest.casefold() != "incident":
        return rest
    return summary.strip().partition("\n")[0][:_LONGEST_TITLE].strip() or title


_LONGEST_TITLE = 80


def _slug(title: str) -> str:
    """The title of an incident as a short name, without the word `incident` at its start."""
    rest = re.sub(r"^incident\b", "", plain_title(title), flags=re.IGNORECASE)
    return slug(defused(rest), otherwise="incident")


def incident_of_path(path: str) -> int | None:
    """The number of the incident in a file's name; None when there is none."""
    match = _FILE.search(path)
    return int(match["issue"]) if match else None


def marker(number: int) -> str:
    """The marker of an incident's postmortem, in its file and its pull request."""
    return f"<!-- incident-actions:postmortem {number} -->"


_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_TIMES = re.compile(
    r"<!-- incident-actions:postmortem-times"
    r" (?P<resolved>[\dTZ:-]{20}) (?P<due>[\dTZ:-]{20}|off) -->"
)


def times_marker(resolved: datetime, due: datetime | None) -> str:
    """The marker in the pull request with two times.

    They are when the incident was resolved, and when the postmortem is due (None: never).
    """
    return (
        f"<!-- incident-actions:postmortem-times {resolved.astimezone(UTC):{_STAMP}}"
        f" {due.astimezone(UTC).strftime(_STAMP) if due else 'off'} -->"
    )


def read_times(body: str) -> tuple[datetime, datetime | None] | None:
    """The two times of `times_marker` in a pull request's body; None without valid ones."""
    match = _TIMES.search(body)
    if match is None:
        return None
    try:
        resolved = datetime.fromisoformat(match["resolved"])
        due = datetime.fromisoformat(match["due"]) if match["due"] != "off" else None
    except ValueError:
        return None
    if any(at is not None and at.tzinfo is None for at in (resolved, due)):
        return None
    return resolved, due


_SEAL = re.compile(r"<!-- incident-actions:postmortem (?P<n>\d+)(?: draft (?P<digest>\w{16}))? -->")


def seal(text: str) -> str:
    """The draft with a digest of its text in its marker, so that later edits can be noticed."""
    bare = _SEAL.sub(r"<!-- incident-actions:postmortem \g<n> -->", text)
    digest = _digest(bare)
    return _SEAL.sub(rf"<!-- incident-actions:postmortem \g<n> draft {digest} -->", bare)


def is_untouched(text: str) -> bool:
    """Whether a file is a sealed draft that nobody has edited. Only then may we replace it."""
    match = _SEAL.search(text)
    return match is not None and match["digest"] is not None and seal(text) == text


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16]


def opened_pull(observation: Observation) -> TimelineEvent | None:
    """The event by which GitHub recorded that the postmortem's pull request mentions the incident.

    It is the newest such pull request by our bot with the marker; None when there is none. Pull
    requests by people don't count, because anybody can type a marker.
    """
    mark = marker(observation.issue.number)
    references = [
        event
        for event in observation.events
        if event.kind is EventKind.CROSS_REFERENCED
        and event.pull_request
        and observation.is_ours(event.author)
        and mark in event.body
    ]
    return references[-1] if references else None
