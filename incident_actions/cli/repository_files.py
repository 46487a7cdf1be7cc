"""Reads the files of a repository: from a folder on this machine, or from GitHub."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.config import load_yaml
from incident_actions.domain.readiness.workflows import Workflow
from incident_actions.errors import ConfigError, InputError
from incident_actions.github.client import GitHub
from incident_actions.origin import origin_of
from incident_actions.reconcile.runbook_library import RUNBOOKS, RunbookLibrary

WORKFLOWS = ".github/workflows"


class Checkout(Struct, frozen=True):
    """The files of a folder on this machine. `root` is the repository's folder."""

    root: Path

    def file(self, path: str) -> str | None:
        """A file's text, or None."""
        file = self.root / path
        return file.read_bytes().decode("utf-8", "replace") if file.is_file() else None

    def names(self, folder: str) -> tuple[str, ...]:
        """The names of the files in a folder."""
        return tuple(sorted(p.name for p in (self.root / folder).glob("*") if p.is_file()))


class DefaultBranch:
    """The files of the default branch on GitHub.

    Pages of the playbook that the team has not edited are read from this program's copy instead.
    """

    def __init__(self, github: GitHub) -> None:
        self._github = github
        self._runbooks = RunbookLibrary(github)

    def file(self, path: str) -> str | None:
        """A file's text, or None."""
        folder, _, name = path.rpartition("/")
        return self._runbooks.text(name) if folder == RUNBOOKS else self._github.file(path)

    def names(self, folder: str) -> tuple[str, ...]:
        """The names of the files in a folder."""
        return tuple(sorted(self._github.folder(folder)))


RepositoryFiles = Checkout | DefaultBranch


def repository_folder(path: Path) -> Path:
    """The root of the git repository around a folder; the folder itself when there is none.

    Raises `InputError` when the folder does not exist.
    """
    if not path.is_dir():
        raise InputError(f"there is no folder `{path}`", remedy="Give `--path` a folder.")
    path = path.resolve()
    return next((each for each in (path, *path.parents) if (each / ".git").exists()), path)


def remote_of(folder: Path) -> str:
    """OWNER/NAME of the remote `origin` of a checkout; empty when unknown."""
    upstream = origin_of(folder)
    return upstream.full_name if upstream else ""


def workflows(files: RepositoryFiles, frozen: tuple[str, ...] = ()) -> tuple[Workflow, ...]:
    """The workflows of a repository, sorted by file name; each knows the others.

    `frozen` are the environments that a freeze stops, as the configuration lists them.
    """
    named = (f"{WORKFLOWS}/{name}" for name in files.names(WORKFLOWS))
    found: dict[str, Workflow] = {}
    for path in named:
        if path.endswith((".yml", ".yaml")):
            read = _workflow(path, files.file(path) or "")
            found[path] = replace(read, others=found, frozen=frozen)
    return tuple(found.values())


def _workflow(path: str, text: str) -> Workflow:
    """A workflow with its parsed file, or with what is wrong when it is no YAML mapping."""
    try:
        document = load_yaml(text, path)
    except ConfigError as error:
        return Workflow(path, None, "; ".join(error.problems))
    if not isinstance(document, dict):
        return Workflow(path, None, "it is no mapping with `on:` and `jobs:`")
    return Workflow(path, document)
