"""The files that `init` would write, compared with those in a repository's folder.

Only `write` changes files. The questions of `init` are in `cli/init.py`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, to_builtins

from incident_actions import __version__
from incident_actions.cli.repository_files import Checkout, workflows
from incident_actions.config import PATH, read_config
from incident_actions.domain.readiness.drift import Drift, digest, drift
from incident_actions.domain.readiness.workflows import action_owner
from incident_actions.errors import ConfigError
from incident_actions.render.scaffold import DEPLOY, Choices, files

RECORD = ".github/incident.init.json"
"""Where `init` records what it wrote and with which answers, to tell the team's edits later."""


class File(Struct, frozen=True):
    """One file: its text now (None: no such file), the text that `init` would write, and how they
    compare.
    """

    path: str
    actual: str | None
    wanted: str
    state: Drift

    @property
    def differs(self) -> bool:
        """Whether `init` has something new to write. A file that only the team changed stays."""
        return self.state not in (Drift.SAME, Drift.EDITED)

    def diff(self) -> str:
        """The change that writing this file would make, as a unified diff."""
        before = (self.actual or "").replace("\r\n", "\n").splitlines(keepends=True)
        after = self.wanted.splitlines(keepends=True)
        lines = difflib.unified_diff(before, after, f"a/{self.path}", f"b/{self.path}")
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


class Setup(Struct, frozen=True):
    """A repository's folder compared with what `init` would write there.

    `choices` are the team's answers; `deploys` are the paths of workflows of the team that deploy.
    """

    folder: Path
    choices: Choices
    files: tuple[File, ...]
    deploys: tuple[str, ...]

    @property
    def drifted(self) -> tuple[File, ...]:
        """The files that an upgrade would change. Files deleted from `ops/` are not among them."""
        return tuple(
            file
            for file in self.files
            if file.differs and not (file.state is Drift.MISSING and file.path.startswith("ops/"))
        )


def remembered(folder: Path) -> dict[str, Any]:
    """The answers to an earlier `init`, by the names of `Choices`.

    Without its record only the owner is known: from the workflows that use the action.
    """
    record = _record(folder)
    given = record.get("choices")
    if isinstance(given, dict):
        return given
    owners = map(action_owner, workflows(Checkout(folder)))
    return {"owner": next(filter(None, owners), None)}


def survey(folder: Path, choices: Choices) -> Setup:
    """Compare a repository with what `init` would write today."""
    checkout = Checkout(folder)
    recorded = _record(folder).get("files")
    recorded = recorded if isinstance(recorded, dict) else {}
    theirs = tuple(w.path for w in workflows(checkout) if w.deploying() and w.path != DEPLOY)
    deploy = DEPLOY in recorded or not (theirs or (folder / DEPLOY).exists())
    ours = checkout.file(PATH)
    edited = ours is not None and digest(ours) != recorded.get(PATH)
    wanted_files = files(choices, deploy=deploy, listed=_listed(ours) if edited else None)
    compared = (
        File(path, actual := checkout.file(path), wanted, drift(wanted, actual, recorded.get(path)))
        for path, wanted in wanted_files.items()
    )
    return Setup(folder, choices, tuple(compared), theirs)


def _listed(text: str | None) -> tuple[str, ...] | None:
    """The services in a team's own configuration; None when it has no list that can be read."""
    try:
        return read_config(text).service_names() or None
    except ConfigError:
        return None


def write(setup: Setup, may_overwrite: Callable[[File], bool]) -> tuple[File, ...]:
    """Write all files that are new, missing or outdated, and then the record.

    A file that both the team and a newer `init` changed is written if `may_overwrite` agrees. Gives
    the files for which it did not.
    """
    kept = []
    for file in setup.files:
        if file.state is Drift.CONFLICT and not may_overwrite(file):
            kept.append(file)
        elif file.differs:
            _save(setup.folder / file.path, file.wanted)
    record = {
        "about": "Written by `incident-actions init`, so that it can tell your edits from its own.",
        "version": __version__,
        "choices": to_builtins(setup.choices),
        "files": {file.path: digest(file.wanted) for file in setup.files},
    }
    _save(setup.folder / RECORD, json.dumps(record, indent=2) + "\n")
    return tuple(kept)


def describe(found: Iterable[File]) -> str:
    """What writing these files would change: a line for each new file, a diff for each other."""
    return "".join(
        f"new: {file.path} ({len(file.wanted.splitlines())} lines)\n"
        if file.actual is None
        else file.diff()
        for file in found
    )


def _record(folder: Path) -> Mapping[str, Any]:
    try:
        record = json.loads(Checkout(folder).file(RECORD) or "{}")
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}


def _save(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
