"""Reads the pages of the playbook: the team's files, or ours where the team has none."""

from __future__ import annotations

import difflib
import functools
import hashlib
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from incident_actions.config import Config, load_yaml
from incident_actions.domain.issue.forms import Form, FormValues, read_form
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
from incident_actions.our_files import OUR_FILES

RUNBOOKS = "ops/runbooks"
CHECKLIST = "incident-checklist.md"
VERIFICATION = "verification-checklist.md"
MOST_READ = 3
"""The most runbooks that are read to find those that fit. Each is one request."""


def form(github: GitHub, config: Config) -> Form:
    """The repository's incident form, or ours when it has none.

    Raises `errors.ConfigError` when it can't be read.
    """
    text = github.file(config.form)
    if text is None:
        text = (OUR_FILES / ".github/ISSUE_TEMPLATE/incident.yml").read_text(encoding="utf-8")
    return read_form(load_yaml(text, config.form), config.form)


class RunbookLibrary:
    """The team's folder `ops/runbooks/`. Listing it is one request, reading a file another one.

    A file that the team has not changed has the same git blob hash as ours. Then our text is used,
    which costs no request.
    """

    def __init__(self, github: GitHub) -> None:
        self._github = github
        self._listed = github.folder(RUNBOOKS)

    def text(self, name: str) -> str | None:
        """The text of the team's file; None when the team has no file of that name."""
        if name not in self._listed:
            return None
        if not self.is_edited(name):
            return _read_ours(name)
        return self._github.file(f"{RUNBOOKS}/{name}")

    def is_edited(self, name: str) -> bool:
        """Whether the team wrote this file or changed ours. Raises KeyError for an unknown file."""
        return self._listed[name] != _our_hashes().get(name)

    @property
    def runbooks(self) -> tuple[str, ...]:
        """The names of the team's pages, without `.md`."""
        return _runbook_names(self._listed)


def checklist(library: RunbookLibrary) -> tuple[ChecklistSection, ...]:
    """The incident checklist: the team's, or ours when they have none."""
    return read_checklist(library.text(CHECKLIST) or _read_ours(CHECKLIST))


def recovery_checks(library: RunbookLibrary) -> tuple[ChecklistItem, ...]:
    """What must be verified before an incident may close."""
    text = library.text(VERIFICATION)
    return checks(read_checklist(_read_ours(VERIFICATION) if text is None else text))


def matching_runbooks(library: RunbookLibrary, answers: FormValues) -> tuple[Runbook, ...]:
    """The runbooks that fit a report, among the team's and those of ours that they don't have.

    At most `MOST_READ` files that the team wrote or changed are read: first those whose names
    occur in the report. All others of theirs are matched by their names only.
    """
    text = report(answers)
    own = sorted(library.runbooks, key=lambda name: (-rank(name, text), name))
    edited = [name for name in own if library.is_edited(f"{name}.md")]
    pages = [
        unread_page(name, own=True)
        if name in edited[MOST_READ:]
        else read_page(name, library.text(f"{name}.md") or "", own=True)
        for name in own
    ]
    pages += [
        read_page(name, _read_ours(f"{name}.md"), own=False)
        for name in _runbook_names(_our_hashes())
        if name not in own
    ]
    return matching(pages, answers)


def our_page(path: str) -> str | None:
    """Our text of a file, such as `ops/runbooks/NAME.md`; None when we have no such file."""
    file = OUR_FILES / path
    return file.read_text(encoding="utf-8") if file.is_file() else None


def _runbook_names(files: Iterable[str]) -> tuple[str, ...]:
    """The names of the pages among these files, without `.md`. A README is no page."""
    pages = (name for name in files if name.endswith(".md") and name.casefold() != "readme.md")
    return tuple(name.removesuffix(".md") for name in pages)


def _read_ours(name: str) -> str:
    return (OUR_FILES / RUNBOOKS / name).read_text(encoding="utf-8")


@functools.cache
def _our_hashes() -> Mapping[str, str]:
    """The git blob hashes of our pages, by file name."""
    pages = sorted((OUR_FILES / RUNBOOKS).glob("*.md"))
    return {path.name: blob_hash(path.read_bytes()) for path in pages}


def blob_hash(content: bytes) -> str:
    """The hash that git gives to a file's content.

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
"""Short topics of `/runbook` and `/help`, and the page for each. A page's own name works, too."""


class FoundPages(Struct, frozen=True):
    """The texts of requested pages, ready for a comment, and the requests that fit no page.

    The text of a request that fits none says so, and lists all pages.
    """

    texts: dict[RequestedPage, str] = {}
    missing: frozenset[RequestedPage] = frozenset()


def pages(github: GitHub, notices: Sequence[Notice], issue_url: str) -> FoundPages:
    """The playbook's pages that these notices ask for.

    A part of a page's name is enough if no other page has it. A requested page without a topic (a
    bare `/help`) is left out.
    """
    wanted = dict.fromkeys(page for notice in notices for page in notice.pages if page.topic)
    if not wanted:
        return FoundPages()
    library = RunbookLibrary(github)
    found = {page: _page(library, page.topic, issue_url) for page in wanted}
    return FoundPages(
        {page: text for page, (text, _) in found.items()},
        frozenset(page for page, (_, fits) in found.items() if not fits),
    )


def _page(library: RunbookLibrary, topic: str, issue_url: str) -> tuple[str, bool]:
    """The text of the page for a topic, for a comment: the team's page, or ours; and whether one
    fits.

    It is the page of that name, else the one whose name begins with it, else the one whose name
    contains it. When not exactly one page fits, the text lists all pages.
    """
    name = slug(_TOPICS.get(topic.casefold(), topic), longest=60)
    known = sorted({*library.runbooks, *_runbook_names(_our_hashes())})
    fits = (
        [each for each in known if each == name]
        or [each for each in known if each.startswith(name)]
        or [each for each in known if name in each]
    )
    if len(fits) != 1:
        similar = fits or _near(name, known)
        meant = " or ".join(f"`/runbook {each}`" for each in similar[:3])
        hint = f" Did you mean {meant}?" if meant else ""
        listed = ", ".join(f"`{each}`" for each in known)
        return f"There is no page `{name}`.{hint}\n\nThere are {listed}.", False
    path = f"{RUNBOOKS}/{fits[0]}.md"
    own = library.text(f"{fits[0]}.md")
    if own is None:
        return as_comment(our_page(path) or "", None), True
    return as_comment(own, f"{issue_url.rpartition('/issues/')[0]}/blob/HEAD/{path}"), True


def _near(name: str, known: Sequence[str]) -> list[str]:
    """The names that are nearest to a mistyped one, or have a word that is, the nearest first."""
    near = difflib.get_close_matches(name, known, n=3)
    words = {word: page for page in reversed(known) for word in page.split("-")}
    close = difflib.get_close_matches(name, words, n=3, cutoff=0.7)
    return list(dict.fromkeys([*near, *(words[word] for word in close)]))
