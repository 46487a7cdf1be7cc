"""`doctor`: look at a repository, in a folder or on GitHub, and say what is missing. Reads only."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from incident_actions.cli.checkout import WORKFLOWS, read_workflow, remote_of, repository_folder
from incident_actions.cli.runner import Runner
from incident_actions.config import PATH, Config, load_yaml, read_config
from incident_actions.domain.issue.permissions import Permission
from incident_actions.domain.readiness import files, pages, platform
from incident_actions.domain.readiness.facts import (
    Health,
    ReadinessFinding,
    RemoteFacts,
    RepositoryFacts,
)
from incident_actions.domain.readiness.workflows import Workflow
from incident_actions.errors import ConfigError, Forbidden, NotFound
from incident_actions.github.client import GitHub
from incident_actions.reconcile.runbook_library import RUNBOOKS, RunbookLibrary, our_page

POSTMORTEMS = "ops/postmortems"
Answer = TypeVar("Answer")


class RepositoryFiles(Protocol):
    """A repository's files, wherever they lie."""

    def file(self, path: str) -> str | None:
        """A file's text, or None."""
        ...

    def names(self, folder: str) -> tuple[str, ...]:
        """The names of the files in a folder."""
        ...


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


def examine(
    files_of: RepositoryFiles, github: GitHub | None, now: datetime
) -> tuple[ReadinessFinding, ...]:
    """Every finding, those of GitHub first. `github` is None without a token."""
    facts = gather(files_of, github, now)
    return (*platform.check(facts), *files.check(facts), *pages.check(facts))


def gather(files_of: RepositoryFiles, github: GitHub | None, now: datetime) -> RepositoryFacts:
    """Look at everything once."""
    config, problems = _config(files_of)
    workflows = tuple(_workflows(files_of))
    found = dict(_pages(files_of))
    return RepositoryFacts(
        now=now,
        workflows=workflows,
        pages=found,
        edited=frozenset(p for p, text in found.items() if text != our_page(p)),
        form_problems=_form(files_of, config.form),
        config_problems=problems,
        form_path=config.form,
        people=_people(github, config) if github is not None else None,
        remote=_remote(github, workflows) if github is not None else None,
    )


def _config(files_of: RepositoryFiles) -> tuple[Config, tuple[str, ...]]:
    try:
        return read_config(files_of.file(PATH)), ()
    except ConfigError as error:
        return Config(), tuple(error.problems)


def _people(github: GitHub, config: Config) -> dict[str, bool] | None:
    """Of everybody with a role: whether they may write. None when the token may not see that."""
    rota = config.on_call.users if config.on_call else ()
    backup = config.reminders.backup
    named = [*config.roles.defaults().values(), *rota, *([backup] if backup else ())]
    try:
        logins = dict.fromkeys(login.lstrip("@") for login in named)
        return {login: github.permission(login) >= Permission.WRITE for login in logins}
    except Forbidden:
        return None


def _form(files_of: RepositoryFiles, path: str) -> tuple[str, ...] | None:
    text = files_of.file(path)
    if text is None:
        return None
    try:
        return files.form_problems(load_yaml(text, path))
    except ConfigError as error:
        return tuple(error.problems)


def _workflows(files_of: RepositoryFiles) -> Iterable[Workflow]:
    for name in files_of.names(WORKFLOWS):
        if name.endswith((".yml", ".yaml")):
            path = f"{WORKFLOWS}/{name}"
            yield read_workflow(path, files_of.file(path) or "")


def _pages(files_of: RepositoryFiles) -> Iterable[tuple[str, str]]:
    for folder in (RUNBOOKS, POSTMORTEMS):
        for name in files_of.names(folder):
            if name.endswith(".md"):
                path = f"{folder}/{name}"
                yield path, (files_of.file(path) or "").replace("\r\n", "\n")


def _remote(github: GitHub, workflows: tuple[Workflow, ...]) -> RemoteFacts:
    """What GitHub tells. What it refuses is None, and its permission is named.

    Raises `errors.GitHubError` when the repository itself can't be seen.
    """
    denied: list[str] = []

    def optional(permission: str, ask: Callable[[], Answer]) -> Answer | None:
        try:
            return ask()
        except NotFound:
            return None
        except Forbidden:
            denied.extend(name for name in [permission] if name and name not in denied)
            return None

    about = github.about()
    sweeping = next((w for w in workflows if any(w.using("respond"))), None)
    file = sweeping.file if sweeping else ""
    protection = optional("contents", lambda: github.protection(about.branch))
    protected, required = protection or (None, ())
    return RemoteFacts(
        name=about.name,
        branch=about.branch,
        has_issues=about.has_issues,
        may_push=about.may_push,
        labels=optional("issues", github.label_names),
        may_open_pulls=optional("", github.may_open_pulls),
        states=optional("actions", github.workflow_states),
        swept=optional("actions", lambda: github.last_scheduled_run(file)) if file else None,
        protected=protected,
        required=required,
        denied=tuple(denied),
    )


def report(findings: Iterable[ReadinessFinding]) -> str:
    """The findings for a terminal, problems first: a line each, its fix, and the sum."""
    order = (Health.PROBLEM, Health.OK, Health.UNKNOWN)
    found = sorted(findings, key=lambda finding: order.index(finding.health))
    lines = []
    for finding in found:
        lines.append(f"{_MARKS[finding.health]} {finding.key}: {finding.seen}")
        if finding.fix and finding.health is not Health.OK:
            lines.append(f"    fix: {finding.fix}")
    counts = {health: sum(f.health is health for f in found) for health in Health}
    problems = counts[Health.PROBLEM]
    lines += [
        "",
        f"{problems} {'problem' if problems == 1 else 'problems'}, "
        f"{counts[Health.OK]} ok, {counts[Health.UNKNOWN]} not seen.",
    ]
    return "\n".join(lines)


_MARKS = {Health.OK: "ok      ", Health.PROBLEM: "PROBLEM ", Health.UNKNOWN: "not seen"}


Connect = Callable[[argparse.Namespace, Mapping[str, str]], GitHub]
Clock = Callable[[Mapping[str, str]], datetime]


def add_doctor(commands: Any, connect: Connect, clock: Clock) -> None:
    """`doctor`: is the repository ready? `connect` gives the github of `--repository`."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "doctor",
        help="say what is missing before the first incident, and how to fix it",
        description="Say what is missing before the first incident, and how to fix it. "
        "Exit code 1 when something is wrong. With GITHUB_TOKEN it also looks at GitHub.",
    )
    parser.add_argument(
        "--repo", "--repository", dest="repository", help="look at this one on GitHub, OWNER/NAME"
    )
    parser.add_argument("--path", type=Path, default=Path(), help="the checkout to look at")

    def run(arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner) -> int:
        folder = repository_folder(arguments.path)
        files: RepositoryFiles = Checkout(folder)
        token = environ.get("INPUT_TOKEN") or environ.get("GITHUB_TOKEN")
        github = None
        if arguments.repository:
            github = connect(arguments, environ)
            files = DefaultBranch(github)
        elif token:
            here = remote_of(folder)
            arguments.repository = environ.get("GITHUB_REPOSITORY") or "/".join(here or ())
            github = connect(arguments, environ) if arguments.repository else None
        findings = examine(files, github, clock(environ))
        print(report(findings))
        return int(any(finding.health is Health.PROBLEM for finding in findings))

    parser.set_defaults(run=run)
