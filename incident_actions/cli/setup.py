"""The files that `init` would write, compared with those in a repository's folder.

Only `write` changes files. The questions of `init` are in `cli/init.py`.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct, ValidationError, convert, to_builtins

from incident_actions import __version__
from incident_actions.cli.repository_files import WORKFLOWS, Checkout, workflows
from incident_actions.cli.safe_files import FileEdit, refuse_unsafe, write_all
from incident_actions.config import PATH, Config, read_config
from incident_actions.domain.readiness.answers import with_action, with_options, with_settings
from incident_actions.domain.readiness.drift import Drift, digest, drift
from incident_actions.domain.readiness.gate_insertion import (
    ActionReference,
    GateInsertion,
    insert_gate,
    to_paste,
)
from incident_actions.domain.readiness.workflows import Workflow, action_owner
from incident_actions.domain.text.yaml_edit import EditRefused
from incident_actions.errors import ConfigError, InputError
from incident_actions.render.scaffold import DEPLOY, FORMS, OTHER_WORKFLOW, WORKFLOW, Choices, files

RECORD = ".github/incident.init.json"
"""Where `init` records what it wrote and with which answers, to tell the team's edits later."""

_MANY = 5  # new files of a folder are told in one line


class File(Struct, frozen=True):
    """One file: its text now (None: no such file), the text to write, and how they compare.

    `ours` is the text that `init` would write into an empty repository. `written` is False when
    `init` has not written a file here, as far as the record knows: a file there is the team's own.
    """

    path: str
    actual: str | None
    wanted: str
    state: Drift
    ours: str
    written: bool = True

    @property
    def differs(self) -> bool:
        """Whether `init` has something new to write. A file that only the team changed stays."""
        return self.state not in (Drift.SAME, Drift.EDITED)

    @property
    def deleted(self) -> bool:
        """Whether the team deleted this page of the playbook, as it may."""
        return self.state is Drift.MISSING and self.path.startswith("ops/")

    def diff(self) -> str:
        """The change that writing this file would make, as a unified diff."""
        return _diff(self.path, self.actual or "", self.wanted)


class DeployWithoutGate(Struct, frozen=True):
    """A workflow of the team's that deploys without asking the gate, and what would mend that."""

    workflow: Workflow
    before: str
    insertion: GateInsertion
    pastes: Mapping[str, str]

    @property
    def path(self) -> str:
        """The workflow's path."""
        return self.workflow.path

    def diff(self) -> str:
        """The change that puts the gate in, as a unified diff; empty when it can't be made."""
        return _diff(self.path, self.before, self.insertion.text)


class Setup(Struct, frozen=True):
    """A repository's folder compared with what `init` would write there.

    `choices` are the team's answers. `ungated` are the team's workflows that deploy without the
    gate; `unreadable` says of others why nobody can tell. `left_out` are pages that the team wants
    to do without. `record` is the text of `RECORD`; None: there is none.
    """

    folder: Path
    choices: Choices
    files: tuple[File, ...]
    ungated: tuple[DeployWithoutGate, ...]
    unreadable: tuple[str, ...]
    left_out: frozenset[str]
    record: str | None

    @property
    def drifted(self) -> tuple[File, ...]:
        """The files that an upgrade would change, or ask about."""
        return tuple(file for file in self.files if file.differs)


def remembered(folder: Path) -> Choices | None:
    """The answers to an earlier `init`, not checked; None without its record.

    Raises `InputError` when they can't be read.
    """
    choices = _record(folder).get("choices")
    try:
        return None if choices is None else convert(choices, Choices)
    except ValidationError as error:
        raise _unreadable(f"its `choices` are wrong: {error}") from None


def owner_in_use(folder: Path) -> str:
    """Whose copy of our action the repository's workflows use; empty when they use none."""
    owners = map(action_owner, workflows(Checkout(folder)))
    return next(filter(None, owners), "")


def own_config(folder: Path) -> Config | None:
    """The repository's configuration; None when there is none, or it can't be read."""
    text = Checkout(folder).file(PATH)
    try:
        return None if text is None else read_config(text)
    except ConfigError:
        return None


def survey(folder: Path, choices: Choices) -> Setup:
    """Compare a repository with what `init` would write today."""
    checkout, record = Checkout(folder), _record(folder)
    digests, left_out = record.get("files"), record.get("left-out")
    digests = digests if isinstance(digests, dict) else {}
    left = frozenset(map(str, left_out)) if isinstance(left_out, list) else frozenset()
    config = own_config(folder)
    theirs = workflows(checkout, config.freeze.environments if config else ())
    deploy = DEPLOY in digests or not ((folder / DEPLOY).exists() or any(map(_may_deploy, theirs)))
    earlier = remembered(folder)
    taken = any(w.path == WORKFLOW and _is_foreign(w) for w in theirs)
    place = OTHER_WORKFLOW if taken or OTHER_WORKFLOW in digests else WORKFLOW
    then = files(earlier, deploy=True, workflow=place) if earlier else {}
    kept = record.get("kept")
    kept = kept if isinstance(kept, dict) else {}
    compared = []
    for path, ours in files(choices, deploy=deploy, workflow=place).items():
        actual, recorded = checkout.file(path), digests.get(path, kept.get(path))
        file = File(path, actual, ours, drift(ours, actual, recorded), ours, path in digests)
        if path in left and actual is None:
            continue
        unchanged = path in then and digest(then[path]) == recorded
        compared.append(_with_answers(file, choices) if unchanged else file)
    new = {file.path for file in compared if file.differs}
    remark = bool(choices.pin) or _uses_zizmor(checkout, theirs)
    action = choices.action if remark else ActionReference(choices.action.uses)
    services = choices.services
    found = (_without_gate(folder, w, action, services) for w in theirs if w.path not in new)
    return Setup(
        folder,
        choices,
        tuple(compared),
        tuple(each for each in found if each),
        tuple(f"{w.path} can't be read: {w.wrong}" for w in theirs if w.document is None),
        left,
        checkout.file(RECORD),
    )


def _is_foreign(workflow: Workflow) -> bool:
    """Whether a workflow can be read, and does not use our action at all."""
    return workflow.document is not None and not workflow.names_us()


def _uses_zizmor(checkout: Checkout, theirs: Iterable[Workflow]) -> bool:
    """Whether the team has its workflows checked by zizmor, so that a comment to it says enough."""
    settings = any(checkout.file(p) is not None for p in ("zizmor.yml", ".github/zizmor.yml"))
    return settings or any("zizmor" in str(w.document) for w in theirs)


def _may_deploy(workflow: Workflow) -> bool:
    """Whether a workflow deploys, or may, for all that its names say."""
    uncounted = workflow.is_uncounted() and not workflow.is_plain_ci()
    return bool(workflow.deploying() or workflow.uncounted() or uncounted)


def _with_answers(file: File, choices: Choices) -> File:
    """A file that we have not changed since we wrote it, but for the answers in it.

    When the team edited it, the answers are written into its text.
    """
    if file.actual is None or file.state not in (Drift.EDITED, Drift.CONFLICT):
        return file
    try:
        if file.path in FORMS:
            wanted = with_options(file.actual, choices.services)
        elif file.path == PATH:
            wanted = with_settings(file.actual, choices.services, choices.commander)
        elif file.path.startswith(f"{WORKFLOWS}/"):
            wanted = with_action(file.actual, choices.action)
        else:
            return file
    except EditRefused:
        return file
    state = Drift.EDITED if wanted == file.actual else Drift.ANSWERS
    return File(file.path, file.actual, wanted, state, file.ours, file.written)


def _without_gate(
    folder: Path, workflow: Workflow, action: ActionReference, services: tuple[str, ...]
) -> DeployWithoutGate | None:
    """A workflow that deploys without the gate; None for every other one."""
    jobs = workflow.ungated()
    if not jobs:
        return None
    pastes = {name: to_paste(workflow, name, action, services) for name in jobs}
    try:
        text = (folder / workflow.path).read_bytes().decode("utf-8")
        insertion = insert_gate(text, workflow, action, services)
    except UnicodeDecodeError:
        text, insertion = "", GateInsertion("", left=dict.fromkeys(jobs, "it is no UTF-8"))
    return DeployWithoutGate(workflow, text, insertion, pastes)


def refuse_unsafe_places(setup: Setup) -> None:
    """Raise `InputError` when a file that differs, or the record, is no plain file's place."""
    refuse_unsafe(setup.folder, (*(file.path for file in setup.files if file.differs), RECORD))


def write(
    setup: Setup,
    kept: Collection[str] = (),
    left_out: Iterable[str] = (),
    gates: Iterable[DeployWithoutGate] = (),
) -> tuple[str, ...]:
    """Write all files that differ but those that are `kept` (paths), the gates, and the record.

    `left_out` are pages that the team wants to do without from now on. Gives the paths that
    somebody changed since they were read: they stay as they are. Raises `InputError` as `write_all`
    does.
    """
    changes = {
        file.path: FileEdit(file.actual, file.wanted)
        for file in setup.files
        if file.differs and file.path not in kept
    }
    changes |= {gate.path: FileEdit(gate.before, gate.insertion.text) for gate in gates}
    changed = write_all(setup.folder, changes)
    digests = {file.path: digest(file.ours) for file in setup.files if file.path not in changed}
    own = {
        file.path
        for file in setup.files
        if not file.written and file.path not in changes and file.state is not Drift.SAME
    }
    record = {
        "about": "Written by `incident-actions init`, so that it can tell your edits from its own.",
        "version": __version__,
        "choices": to_builtins(setup.choices),
        "files": {path: told for path, told in digests.items() if path not in own},
        "kept": {path: told for path, told in digests.items() if path in own},
        "left-out": sorted({*setup.left_out, *left_out}),
    }
    text = json.dumps(record, indent=2) + "\n"
    try:
        return changed + write_all(setup.folder, {RECORD: FileEdit(setup.record, text)})
    except InputError as error:
        count = len(changes) - len(changed)
        told = str(error).replace("Nothing is written", f"{count} files were written before")
        raise InputError(told, remedy=error.remedy) from None


def describe(found: Iterable[File]) -> str:
    """What writing these files would change: new files, many of a folder in one line; diffs."""
    new: dict[str, list[str]] = {}
    told = ""
    for file in found:
        if file.actual is None and not file.deleted:
            line = f"new: {file.path} ({len(file.wanted.splitlines())} lines)\n"
            new.setdefault(file.path.rpartition("/")[0], []).append(line)
        else:
            told += f"deleted by you: {file.path}\n" if file.actual is None else file.diff()
    for folder, lines in new.items():
        many = len(lines) >= _MANY
        told += f"new: {folder}/ ({len(lines)} pages)\n" if many else "".join(lines)
    return told


def _diff(path: str, before: str, after: str) -> str:
    """A unified diff of two texts, in lines that end with LF."""
    old, new = (text.replace("\r\n", "\n").split("\n") for text in (before, after))
    return "".join(
        line if line.endswith("\n") else f"{line}\n"
        for line in difflib.unified_diff(old, new, f"a/{path}", f"b/{path}", lineterm="")
    )


def _record(folder: Path) -> Mapping[str, Any]:
    """What an earlier `init` recorded; empty without it. Raises `InputError` when it is no JSON."""
    refuse_unsafe(folder, (RECORD,))
    text = (Checkout(folder).file(RECORD) or "").removeprefix("\ufeff")
    try:
        record = json.loads(text) if text.strip() else {}
    except RecursionError:
        raise _unreadable("it is nested too deeply") from None
    except ValueError as error:
        raise _unreadable(f"it is no JSON: {error}") from None
    if not isinstance(record, dict):
        raise _unreadable("it is no JSON object")
    return record


def _unreadable(why: str) -> InputError:
    """The error for a record that can't be read."""
    return InputError(
        f"{RECORD} can't be read: {why}",
        remedy="Mend it, or delete it: `init` then asks again, and keeps every file of yours.",
    )
