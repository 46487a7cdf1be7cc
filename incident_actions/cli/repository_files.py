"""A repository's files, wherever they lie: in a folder of this machine, or on GitHub."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct

from incident_actions.config import load_yaml
from incident_actions.domain.readiness.workflows import Workflow
from incident_actions.errors import ConfigError, InputError
from incident_actions.github.client import GitHub
from incident_actions.reconcile.runbook_library import RUNBOOKS, RunbookLibrary

WORKFLOWS = ".github/workflows"
_ORIGIN = re.compile(
    r'^\s*\[remote "origin"\].*(?:\n(?!\s*\[).*)*?'
    r"\n\s*url\s*=.*[:/](?P<name>[\w.-]+/[\w.-]+?)(?:\.git)?/?\s*$",
    re.MULTILINE,
)


class Checkout(Struct, frozen=True):
    """The files of a folder on this machine."""

    root: Path

    def file(self, path: str) -> str | None:
        """A file's text, or None."""
        found = self.root / path
        return found.read_bytes().decode("utf-8", "replace") if found.is_file() else None

    def names(self, folder: str) -> tuple[str, ...]:
        """The names of the files in a folder."""
        return tuple(sorted(p.name for p in (self.root / folder).glob("*") if p.is_file()))


class DefaultBranch:
    """The files of the default branch on GitHub. Pages that are still ours are not fetched."""

    def __init__(self, github: GitHub) -> None:
        self._github = github
        self._shelf = RunbookLibrary(github)

    def file(self, path: str) -> str | None:
        """A file's text, or None."""
        folder, _, name = path.rpartition("/")
        return self._shelf.text(name) if folder == RUNBOOKS else self._github.file(path)

    def names(self, folder: str) -> tuple[str, ...]:
        """The names of the files in a folder."""
        return tuple(sorted(self._github.folder(folder)))


RepositoryFiles = Checkout | DefaultBranch


def repository_folder(path: Path) -> Path:
    """The repository that a folder lies in; the folder itself when there is none.

    Raises `InputError` when there is no such folder.
    """
    if not path.is_dir():
        raise InputError(f"there is no folder `{path}`", remedy="Give `--path` a folder.")
    path = path.resolve()
    return next((each for each in (path, *path.parents) if (each / ".git").exists()), path)


def remote_of(folder: Path) -> str:
    """OWNER/NAME of a checkout's `origin`, as its git configuration says; empty when unknown."""
    found = _ORIGIN.search(Checkout(folder).file(".git/config") or "")
    return found["name"] if found else ""


def workflows(files: RepositoryFiles) -> tuple[Workflow, ...]:
    """The workflows of a repository, by name."""
    named = (f"{WORKFLOWS}/{name}" for name in files.names(WORKFLOWS))
    return tuple(
        _workflow(path, files.file(path) or "")
        for path in named
        if path.endswith((".yml", ".yaml"))
    )


def _workflow(path: str, text: str) -> Workflow:
    try:
        document = load_yaml(text, path)
    except ConfigError:
        document = None
    return Workflow(path, document if isinstance(document, dict) else None)
