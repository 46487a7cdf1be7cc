"""The team's own playbook files, ours where they have none."""

from __future__ import annotations

import difflib
import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

from incident_actions.config import Config, load_yaml
from incident_actions.domain.issue.forms import Form, FormField, FormValues, read_form
from incident_actions.domain.playbook.checklist import (
    ChecklistItem,
    ChecklistSection,
    checks,
    read_checklist,
)
from incident_actions.domain.playbook.runbooks import (
    Runbook,
    as_comment,
    matching,
    rank,
    read_page,
    report,
    unread_page,
)
from incident_actions.domain.text.names import slug
from incident_actions.domain.timeline.commands.pages import RequestedPage
from incident_actions.domain.timeline.interpreter import Notice
from incident_actions.github.client import GitHub

_OURS = Path(__file__).resolve().parents[2]
RUNBOOKS = "ops/runbooks"
CHECKLIST = "incident-checklist.md"
VERIFICATION = "verification-checklist.md"
MOST_READ = 3
"""Runbooks that are read to find those that fit; each is one request."""
_RECOVERY = 1
"""Of our own verification file only the first section counts: the journeys are a team's own."""


def form(github: GitHub, config: Config) -> Form:
    """The incident form of the repository."""
    text = github.file(config.form)
    if text is None:
        text = (_OURS / ".github/ISSUE_TEMPLATE/incident.yml").read_text(encoding="utf-8")
    return read_form(load_yaml(text, config.form), config.form)


def remembered_form(fields: tuple[tuple[str, str], ...]) -> Form:
    """The form that an incident was declared with."""
    return Form(tuple(FormField(id=id, type="", label=label) for id, label in fields))


class RunbookLibrary:
    """The team's `ops/runbooks/`, listed once (one request), each file read when it is wanted.

    A file that is still as we wrote it is known by its blob's hash, and costs no request.
    """

    def __init__(self, github: GitHub) -> None:
        self._github = github
        self._listed = github.folder(RUNBOOKS)
        self.reads = 0

    def text(self, name: str) -> str | None:
        """The team's file, or None when they have none of that name."""
        if name not in self._listed:
            return None
        if not self.is_edited(name):
            return _read_ours(name)
        self.reads += 1
        return self._github.file(f"{RUNBOOKS}/{name}")

    def is_edited(self, name: str) -> bool:
        """Whether the team wrote this file, or changed ours."""
        return self._listed[name] != _our_hashes().get(name)

    @property
    def runbooks(self) -> tuple[str, ...]:
        """The names of the team's pages, without `.md`."""
        return tuple(name[:-3] for name in self._listed if _is_runbook(name))


def checklist(shelf: RunbookLibrary) -> tuple[ChecklistSection, ...]:
    """The incident checklist."""
    return read_checklist(shelf.text(CHECKLIST) or _read_ours(CHECKLIST))


def recovery_checks(shelf: RunbookLibrary) -> tuple[ChecklistItem, ...]:
    """What must be verified before an incident may close."""
    text = shelf.text(VERIFICATION)
    if text is None:
        return checks(read_checklist(_read_ours(VERIFICATION))[:_RECOVERY])
    return checks(read_checklist(text))


def matching_runbooks(shelf: RunbookLibrary, answers: FormValues) -> tuple[Runbook, ...]:
    """The runbooks that fit a report: the team's own, and ours that they don't have.

    Of the files that the team wrote or changed at most `MOST_READ` are read, those first whose
    names stand in the report. Any others are found by their names only.
    """
    text = report(answers)
    own = sorted(shelf.runbooks, key=lambda name: (-rank(name, text), name))
    left = MOST_READ
    pages = []
    for name in own:
        edited = shelf.is_edited(f"{name}.md")
        if edited and not left:
            pages.append(unread_page(name, own=True))
            continue
        left -= edited
        pages.append(read_page(name, shelf.text(f"{name}.md") or "", own=True))
    pages += [
        read_page(name[:-3], _read_ours(name), own=False)
        for name in _our_hashes()
        if _is_runbook(name) and name[:-3] not in own
    ]
    return matching(pages, answers)


def our_page(path: str) -> str | None:
    """Our text of a page below `ops/`, or None when we have none of that name."""
    found = _OURS / path
    return found.read_text(encoding="utf-8") if found.is_file() else None


def _is_runbook(name: str) -> bool:
    return name.endswith(".md") and name.casefold() != "readme.md"


def _read_ours(name: str) -> str:
    return (_OURS / RUNBOOKS / name).read_text(encoding="utf-8")


@functools.cache
def _our_hashes() -> Mapping[str, str]:
    """Our pages, each with the hash that git knows its content by."""
    pages = sorted((_OURS / RUNBOOKS).glob("*.md"))
    return {path.name: blob_hash(path.read_bytes()) for path in pages}


def blob_hash(content: bytes) -> str:
    """git's name for a file's content.

    https://docs.github.com/en/rest/git/blobs
    """
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


_TOPICS = {
    "severity": "severity-matrix",
    "severities": "severity-matrix",
    "rollback": "rollback-rules",
    "mitigation": "mitigation-menu",
    "mitigations": "mitigation-menu",
    "verify": "verification-checklist",
    "verification": "verification-checklist",
    "checklist": "incident-checklist",
    "links": "service-links",
    "debugging": "debugging-commands",
}
"""Short words for pages of the playbook; every page answers to its own name, too."""


def pages(github: GitHub, notices: Sequence[Notice], issue_url: str) -> dict[RequestedPage, str]:
    """The playbook's pages that these notices ask for, ready to be posted.

    A part of a name that only one page has is enough. What fits none tells which there are.
    `/help` without a topic asks for none.
    """
    found = {}
    for page in dict.fromkeys(page for notice in notices for page in notice.pages if page.topic):
        name = slug(_TOPICS.get(page.topic.casefold(), page.topic), longest=60)
        found[page] = _page(github, name, issue_url) or _page_like(name, github, issue_url)
    return found


def _page(github: GitHub, name: str, issue_url: str) -> str | None:
    """One runbook, the team's own or ours, as a comment; None when there is no such page."""
    path = f"{RUNBOOKS}/{name}.md"
    text = github.file(path)
    if text is not None:
        return as_comment(text, f"{issue_url.rpartition('/issues/')[0]}/blob/HEAD/{path}")
    ours = _OURS / path
    return as_comment(ours.read_text(encoding="utf-8"), None) if ours.exists() else None


def _page_like(part: str, github: GitHub, issue_url: str) -> str:
    """The one page whose name begins with this, or else holds it; else a list of what there is."""
    there = {*github.folder(RUNBOOKS), *(path.name for path in (_OURS / RUNBOOKS).glob("*.md"))}
    known = sorted(file.removesuffix(".md") for file in there if _is_runbook(file))
    begin = [name for name in known if name.startswith(part)]
    fits = begin or [name for name in known if part in name]
    if len(fits) == 1 and (text := _page(github, fits[0], issue_url)) is not None:
        return text
    return _not_found(part, known, fits or difflib.get_close_matches(part, known, n=1))


def _not_found(name: str, known: Sequence[str], near: Sequence[str]) -> str:
    meant = " or ".join(f"`/runbook {each}`" for each in near[:3])
    hint = f" Did you mean {meant}?" if meant else ""
    listed = ", ".join(f"`{each}`" for each in known)
    return f"There is no page `{name}`.{hint}\n\nThere are {listed}."
