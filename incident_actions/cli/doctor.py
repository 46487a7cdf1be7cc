"""`doctor`: look at a repository, in a folder or on GitHub, and say what is missing. Reads only."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from incident_actions.cli.inputs import Invocation, add_command, tokens
from incident_actions.cli.repository_files import (
    Checkout,
    DefaultBranch,
    RepositoryFiles,
    remote_of,
    repository_folder,
    workflows,
)
from incident_actions.config import PATH, Config, load_yaml, read_config
from incident_actions.domain.issue.observation import Permission
from incident_actions.domain.readiness import files, pages, platform
from incident_actions.domain.readiness.facts import (
    Health,
    ReadinessFinding,
    RemoteFacts,
    RepositoryFacts,
)
from incident_actions.domain.readiness.workflows import Workflow, responder
from incident_actions.errors import ConfigError, Forbidden, NotFound
from incident_actions.github.client import GitHub
from incident_actions.reconcile.runbook_library import our_page

Answer = TypeVar("Answer")


def examine(
    files_of: RepositoryFiles, github: GitHub | None, now: datetime
) -> tuple[ReadinessFinding, ...]:
    """Every finding, those of GitHub first. `github` is None without a token."""
    facts = gather(files_of, github, now)
    return (*platform.check(facts), *files.check(facts), *pages.check(facts))


def gather(files_of: RepositoryFiles, github: GitHub | None, now: datetime) -> RepositoryFacts:
    """Look at everything once."""
    config, problems = _config(files_of)
    running = workflows(files_of)
    found = dict(_pages(files_of))
    return RepositoryFacts(
        now=now,
        workflows=running,
        pages=found,
        edited=frozenset(p for p, text in found.items() if text != our_page(p)),
        form_problems=_form(files_of, config.form),
        config_problems=problems,
        form_path=config.form,
        people=_people(github, config) if github is not None else None,
        remote=_remote(github, running) if github is not None else None,
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
        return tuple(files.form_problems(load_yaml(text, path)))
    except ConfigError as error:
        return tuple(error.problems)


def _pages(files_of: RepositoryFiles) -> Iterator[tuple[str, str]]:
    for folder in (pages.RUNBOOKS, pages.POSTMORTEMS):
        for name in files_of.names(folder):
            if name.endswith(".md"):
                path = f"{folder}/{name}"
                yield path, (files_of.file(path) or "").replace("\r\n", "\n")


def _remote(github: GitHub, running: tuple[Workflow, ...]) -> RemoteFacts:
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
    sweeping = responder(running)
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


def report(findings: Collection[ReadinessFinding]) -> str:
    """The findings for a terminal, problems first: a line each, its fix, and the sum."""
    groups = [[each for each in findings if each.health is health] for health in Health]
    lines = [
        f"{each.health:8} {each.key}: {each.seen}" + (f"\n    fix: {each.fix}" if each.fix else "")
        for group in groups
        for each in group
    ]
    problems, fine, unseen = map(len, groups)
    noun = "problem" if problems == 1 else "problems"
    return "\n".join([*lines, "", f"{problems} {noun}, {fine} ok, {unseen} not seen."])


def add_doctor(commands: Any) -> None:
    """`doctor`: is the repository ready?"""
    parser = add_command(commands, "doctor", _doctor)
    parser.add_argument(
        "--repo", "--repository", dest="repository", help="look at this one on GitHub, OWNER/NAME"
    )
    parser.add_argument("--path", type=Path, default=Path(), help="the checkout to look at")


def _doctor(it: Invocation) -> int:
    """Say what is missing before the first incident, and how to fix it.

    Exit code 1 when something is wrong. With GITHUB_TOKEN it also looks at GitHub.
    """
    folder = repository_folder(it.arguments.path)
    remotely = bool(it.arguments.repository)
    if not remotely and tokens(it.environ):
        it.arguments.repository = it.environ.get("GITHUB_REPOSITORY") or remote_of(folder)
    github = it.github() if it.arguments.repository else None
    where = DefaultBranch(github) if remotely and github else Checkout(folder)
    findings = examine(where, github, it.now)
    print(report(findings))
    return int(any(finding.health is Health.PROBLEM for finding in findings))
