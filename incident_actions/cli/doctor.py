"""The command `doctor`: check whether a repository is ready for its first incident. Reads only.

Here the facts are gathered, from a folder or from GitHub. What they mean is decided in
`domain/readiness/`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from textwrap import indent
from typing import Any, TypeVar

from msgspec.structs import replace

from incident_actions.cli.inputs import Invocation, add_command, tokens
from incident_actions.cli.repository_files import (
    Checkout,
    DefaultBranch,
    RepositoryFiles,
    remote_of,
    repository_folder,
    workflows,
)
from incident_actions.cli.runner import say
from incident_actions.config import PATH, Config, load_yaml, read_config
from incident_actions.domain.issue.forms import offered
from incident_actions.domain.issue.observation import Permission
from incident_actions.domain.readiness import files, pages, platform, watch
from incident_actions.domain.readiness.facts import (
    Health,
    ReadinessFinding,
    RemoteFacts,
    RepositoryFacts,
)
from incident_actions.domain.readiness.workflows import (
    Workflow,
    action_owner,
    actions_used,
    responder,
)
from incident_actions.errors import (
    ConfigError,
    Forbidden,
    GitHubError,
    NotFound,
    RateLimited,
    Unavailable,
)
from incident_actions.github.client import GitHub
from incident_actions.origin import PROGRAM, called_again, own_source
from incident_actions.reconcile.runbook_library import our_page

Answer = TypeVar("Answer")
_MODULES = (platform, files, watch, pages)


def examine(
    files_of: RepositoryFiles, github: GitHub | None, now: datetime
) -> tuple[ReadinessFinding, ...]:
    """All findings about a repository, those about GitHub first.

    `github` is None when there is no token: then nothing on GitHub is checked, and neither is it
    when GitHub can't be asked. Raises `errors.GitHubError` only where the files are on GitHub, too.
    """
    facts = gather(files_of, github, now)
    found = (finding for module in _MODULES for finding in module.check(facts))
    owner = f"{facts.owner or 'OWNER'}/incident-actions"
    return tuple(
        replace(each, fix=each.fix.replace("OWNER/incident-actions", owner)) for each in found
    )


def gather(files_of: RepositoryFiles, github: GitHub | None, now: datetime) -> RepositoryFacts:
    """Gather the facts about a repository that the checks need. Raises as `examine` does."""
    config, problems = _config(files_of)
    found_workflows = workflows(files_of, config.freeze.environments)
    playbook = dict(_pages(files_of))
    remote, people, blind = None, None, ("", "")
    if github is not None:
        try:
            remote = _remote(github, found_workflows)
            people = _people(github, config)
        except GitHubError as error:
            if isinstance(files_of, DefaultBranch):
                raise
            remote, blind = None, (str(error), error.on_shell or error.remedy)
    source = own_source()
    owners = (*map(action_owner, found_workflows), source.owner if source else "")
    return RepositoryFacts(
        now=now,
        workflows=found_workflows,
        pages=playbook,
        edited=frozenset(p for p, text in playbook.items() if text != our_page(p)),
        form_problems=_form(files_of, config.form),
        config_problems=problems,
        form_path=config.form,
        people=people,
        remote=remote,
        services=config.service_names(),
        offered=_offered(files_of, config.form),
        watched=bool(config.reminders.policy().watched),
        blind=blind,
        owner=next(filter(None, owners), ""),
    )


def _config(files_of: RepositoryFiles) -> tuple[Config, tuple[str, ...]]:
    try:
        return read_config(files_of.file(PATH)), ()
    except ConfigError as error:
        return Config(), tuple(error.problems)


def _people(github: GitHub, config: Config) -> dict[str, bool] | None:
    """Whether each person in the configuration has write access, by login.

    None when the token may not see that.
    """
    rota = config.on_call.users if config.on_call else ()
    backup = config.reminders.backup
    named = [*config.roles.defaults().values(), *rota, *([backup] if backup else ())]
    try:
        logins = dict.fromkeys(login.lstrip("@") for login in named)
        return {login: github.permission(login) >= Permission.WRITE for login in logins}
    except Forbidden:
        return None


def _form(files_of: RepositoryFiles, path: str) -> tuple[str, ...] | None:
    """The problems of the incident form at a path; None when there is no such file."""
    text = files_of.file(path)
    if text is None:
        return None
    try:
        return tuple(files.form_problems(load_yaml(text, path)))
    except ConfigError as error:
        return tuple(error.problems)


def _offered(files_of: RepositoryFiles, path: str) -> tuple[str, ...]:
    """The services that the incident form at a path lets people choose."""
    text = files_of.file(path)
    try:
        return offered(load_yaml(text, path), "services") if text is not None else ()
    except ConfigError:
        return ()


def _pages(files_of: RepositoryFiles) -> Iterator[tuple[str, str]]:
    """The pages of the playbook and the postmortems: (path, text with LF line ends)."""
    for folder in (pages.RUNBOOKS, pages.POSTMORTEMS):
        for name in files_of.names(folder):
            if name.endswith(".md"):
                path = f"{folder}/{name}"
                yield path, (files_of.file(path) or "").replace("\r\n", "\n")


def _remote(github: GitHub, found_workflows: tuple[Workflow, ...]) -> RemoteFacts:
    """The facts that only GitHub knows.

    A fact that the token may not see is None, and the missing permission is listed in `denied`.
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
    workflow = responder(found_workflows)
    file = workflow.file if workflow else ""
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
        lost=tuple(_lost(github, found_workflows)),
    )


def _lost(github: GitHub, found_workflows: Iterable[Workflow]) -> Iterator[str]:
    """The copies of our action that the workflows use and that are not there.

    Makes one request for each copy; what GitHub does not tell counts as there.
    """
    for copy in dict.fromkeys(used for each in found_workflows for used in actions_used(each)):
        repository, _, ref = copy.partition("@")
        with suppress(Forbidden, RateLimited, Unavailable):
            if not github.elsewhere(repository).has(ref):
                yield copy


def report(findings: Collection[ReadinessFinding]) -> str:
    """The findings as text for a terminal: blockers first, each with its fix; the counts last."""
    groups = {health: [e for e in findings if e.health is health] for health in Health}
    lines = [
        f"{each.health:8} {each.key}: {each.seen}"
        + (f"\n{_told_fix(each.fix)}" if each.fix else "")
        for group in groups.values()
        for each in group
    ]
    counts = {str(health).lower(): len(group) for health, group in groups.items()}
    if counts["blocker"] != 1:
        counts = {"blockers": counts.pop("blocker"), **counts}
    return "\n".join([*lines, "", ", ".join(f"{n} {name}" for name, n in counts.items()) + "."])


def _told_fix(fix: str) -> str:
    """How to put a problem right, indented; lines to paste keep their places below each other."""
    return indent(f"fix: {fix}", "    ")


def add(commands: Any) -> None:
    """Add the command `doctor` to the parser."""
    parser = add_command(commands, "doctor", _doctor)
    parser.add_argument(
        "--repo", "--repository", dest="repository", help="look at this one on GitHub, OWNER/NAME"
    )
    parser.add_argument("--path", type=Path, default=Path(), help="the checkout to look at")


def _doctor(call: Invocation) -> int:
    """Say what is missing before the first incident, and how to fix it.

    Blockers come first. Exit code 1 when something is wrong. With GITHUB_TOKEN it also looks at
    GitHub.
    """
    folder = repository_folder(call.arguments.path)
    named = bool(call.arguments.repository)  # then its files are read from GitHub
    if not named and tokens(call.environ):
        call.arguments.repository = call.environ.get("GITHUB_REPOSITORY") or remote_of(folder)
    github = call.github() if call.arguments.repository else None
    files_of = DefaultBranch(github) if named and github else Checkout(folder)
    findings = examine(files_of, github, call.now)
    told = report(findings)
    if (program := called_again()) != PROGRAM:
        told = re.sub(
            rf"(?<![\w/.-]){PROGRAM} (?=(?:init|doctor)\b)", lambda _: f"{program} ", told
        )
    say(told)
    return int(any(finding.health.is_problem for finding in findings))
