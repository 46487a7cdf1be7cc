"""A repository's files in a folder of this machine."""

from __future__ import annotations

import re
from pathlib import Path

from incident_actions.config import load_yaml
from incident_actions.domain.readiness.workflows import Workflow
from incident_actions.errors import ConfigError, InputError

WORKFLOWS = ".github/workflows"
_REMOTE = re.compile(r"[:/]([\w.-]+)/([\w.-]+?)(?:\.git)?/?$")


def root_of(folder: Path) -> Path:
    """The repository that a folder lies in; the folder itself when there is none."""
    folder = folder.resolve()
    return next((each for each in (folder, *folder.parents) if (each / ".git").exists()), folder)


def repository_folder(path: Path) -> Path:
    """The repository of a `--path` that somebody gave. Raises `InputError` for no folder."""
    if not path.is_dir():
        raise InputError(f"there is no folder `{path}`", remedy="Give `--path` a folder.")
    return root_of(path)


def remote_of(folder: Path) -> tuple[str, str] | None:
    """OWNER and NAME on GitHub of a checkout's `origin`, as its git configuration says."""
    path = folder / ".git" / "config"
    if not path.is_file():
        return None
    section = ""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        line = line.strip()
        if line.startswith("["):
            section = line
        elif section == '[remote "origin"]' and line.startswith("url"):
            found = _REMOTE.search(line)
            return (found[1], found[2]) if found else None
    return None


def workflows(folder: Path) -> tuple[Workflow, ...]:
    """The workflows of a checkout, by name."""
    found = sorted((folder / WORKFLOWS).glob("*.y*ml"))
    return tuple(
        read_workflow(f"{WORKFLOWS}/{path.name}", path.read_text("utf-8", "replace"))
        for path in found
        if path.is_file()
    )


def read_workflow(path: str, text: str) -> Workflow:
    """A workflow from its text."""
    try:
        document = load_yaml(text, path)
    except ConfigError:
        document = None
    return Workflow(path, document if isinstance(document, dict) else None)
