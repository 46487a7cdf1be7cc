"""The commands that people type in a checkout: `init`, `doctor`, `checklist`.

Questions are asked on a terminal only.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from incident_actions.cli import checklist_pages as printout
from incident_actions.cli import inspection as doctor
from incident_actions.cli import setup
from incident_actions.cli.checkout import remote_of, root_of
from incident_actions.cli.runner import Runner
from incident_actions.domain.issue.form_values import read_login
from incident_actions.domain.readiness.drift import Drift
from incident_actions.domain.readiness.facts import Health
from incident_actions.errors import InputError
from incident_actions.github.client import GitHub
from incident_actions.render.checklist_page import as_html, as_markdown
from incident_actions.render.scaffold import Choices

ROOT = Path(__file__).resolve().parents[2]
Ask = Callable[[str], str]
Answer = TypeVar("Answer")
_TRIES = 3
"""How often a question is asked before `init` gives up."""


def add_init(commands: Any) -> None:
    """`init`: set a repository up."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "init",
        help="write forms, workflows, configuration and playbook into this repository",
        description="Write forms, workflows, configuration and playbook into this repository. "
        "Shows what it would write, and asks before it touches what you changed.",
    )
    parser.add_argument("--path", type=Path, default=Path(), help="the repository's folder")
    parser.add_argument("--owner", help="whose incident-actions the workflows use")
    parser.add_argument(
        "--service",
        action="append",
        default=[],
        help="a service to choose in the form; may be repeated, or a list with commas",
    )
    parser.add_argument("--commander", help="who commands by default, a GitHub login")
    parser.add_argument("--repository", help="this repository on GitHub, OWNER/NAME")
    parser.add_argument(
        "--yes",
        action="store_true",
        help="write without asking; what you changed yourself is kept",
    )
    parser.add_argument(
        "--check", action="store_true", help="only say what an upgrade would change: exit code 1"
    )
    parser.set_defaults(run=_init)


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
        folder = _repository(arguments.path)
        files: doctor.RepositoryFiles = doctor.Checkout(folder)
        token = environ.get("INPUT_TOKEN") or environ.get("GITHUB_TOKEN")
        github = None
        if arguments.repository:
            github = connect(arguments, environ)
            files = doctor.DefaultBranch(github)
        elif token:
            here = remote_of(folder)
            arguments.repository = environ.get("GITHUB_REPOSITORY") or "/".join(here or ())
            github = connect(arguments, environ) if arguments.repository else None
        findings = doctor.examine(files, github, clock(environ))
        print(doctor.report(findings))
        return int(any(finding.health is Health.PROBLEM for finding in findings))

    parser.set_defaults(run=run)


def add_checklist(commands: Any) -> None:
    """`checklist`: something to hold in one's hand."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "checklist",
        help="print the incident checklist of this repository",
        description="Print the incident checklist of this repository, your own where you have one.",
    )
    parser.add_argument("--html", action="store_true", help="as one page for a printer")
    parser.add_argument("--path", type=Path, default=Path(), help="the repository's folder")

    def run(arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner) -> int:
        pages = printout.pages(_repository(arguments.path))
        print(as_html(pages) if arguments.html else as_markdown(pages))
        return 0

    parser.set_defaults(run=run)


def _init(arguments: argparse.Namespace, environ: Mapping[str, str], runner: Runner) -> int:
    folder = _repository(arguments.path)
    if not (folder / ".git").exists():
        print(f"Warning: {folder} is no git repository. `git init` makes it one.", file=sys.stderr)
    ask = _ask if sys.stdin.isatty() and not (arguments.yes or arguments.check) else None
    found = setup.survey(folder, _choices(arguments, folder, ask))
    if arguments.check:
        return _tell_drift(found)
    return _write(found, ask, yes=arguments.yes)


def _repository(path: Path) -> Path:
    """The repository of `--path`. Raises `InputError` when there is no such folder."""
    if not path.is_dir():
        raise InputError(f"there is no folder `{path}`", remedy="Give `--path` a folder.")
    return root_of(path)


def _tell_drift(found: setup.Setup) -> int:
    if not found.drifted:
        print("Everything is as `init` would write it today, or as you changed it.")
        return 0
    print(setup.describe(found.drifted), end="")
    for file in found.drifted:
        print(f"{_MEANS[file.state]}: {file.path}")
    print("`incident-actions init` brings it up to date, and asks before it touches your changes.")
    return 1


_MEANS = {
    Drift.NEW: "new in this version",
    Drift.MISSING: "missing",
    Drift.OUTDATED: "outdated",
    Drift.CONFLICT: "newer, and changed by you",
}


def _write(found: setup.Setup, ask: Ask | None, *, yes: bool) -> int:
    todo = [file for file in found.files if file.state not in (Drift.SAME, Drift.EDITED)]
    mine = [file for file in todo if file.state is not Drift.CONFLICT]
    print(setup.describe(todo), end="")
    if todo and not (found.folder / setup.RECORD).exists():
        print(f"new: {setup.RECORD} (tells an upgrade what you changed)")
    if not todo:
        print("Nothing to write: everything is there.")
    elif ask is None and not yes:
        raise InputError(
            f"{len(mine) + 1} files would be written, and nobody is there to say yes",
            remedy="Add `--yes`. What you changed yourself is kept.",
        )
    elif ask is not None and mine and not _agrees(ask, f"Write {len(mine) + 1} files?"):
        print("Nothing was written.")
        return 0

    def may_overwrite(file: setup.File) -> bool:
        return ask is not None and _agrees(ask, f"Overwrite {file.path}, with your changes in it?")

    kept = setup.write(found, may_overwrite)
    for file in kept:
        print(f"kept, with your changes: {file.path}")
    _tell_next(found)
    return 0


def _tell_next(found: setup.Setup) -> None:
    for path in found.deploys:
        print(f"{path} seems to deploy. Put the gate before it, as the README shows.")
    print("Next: fill in ops/runbooks/service-links.md, commit, push, then run")
    print("`incident-actions doctor`. It says what is missing.")


def _choices(arguments: argparse.Namespace, folder: Path, ask: Ask | None) -> Choices:
    """Flags come before what was answered earlier, and that before questions."""
    before = setup.remembered(folder)
    own, here = remote_of(ROOT), remote_of(folder)
    guess = own[0] if own and own[1] == "incident-actions" else ""
    hint = f" [{guess}]" if guess else ""
    owner = _answer(
        arguments.owner or before.get("owner"),
        ask,
        f"Whose incident-actions do your workflows use? A GitHub owner{hint}: ",
        lambda said: _login("owner", said or guess),
    )
    services = _answer(
        ",".join(arguments.service) or ",".join(before.get("services") or ()),
        ask,
        "Which services do you run? With commas, empty for one: ",
        _names,
    )
    commander = _answer(
        arguments.commander or before.get("commander"),
        ask,
        "Who commands by default? A GitHub login, empty for the first to answer: ",
        lambda said: _login("commander", said) if said else None,
    )
    repository = arguments.repository or before.get("repository")
    return Choices(
        owner=owner,
        services=services,
        commander=commander,
        repository=repository or ("/".join(here) if here else None),
    )


def _answer(
    given: str | None, ask: Ask | None, question: str, read: Callable[[str], Answer]
) -> Answer:
    """What was given by a flag or earlier, else what is asked for. A bad answer is asked again."""
    if given or ask is None:
        return read(given or "")
    for _ in range(_TRIES - 1):
        try:
            return read(ask(question))
        except InputError as error:
            print(error.told(), file=sys.stderr)
    return read(ask(question))


def _login(name: str, given: str) -> str:
    login = read_login(given)
    if login is None:
        said = f"`{given}` is no GitHub name" if given else f"the {name} is not known"
        raise InputError(said, remedy=f"Give `--{name}` a GitHub name, such as `acme`.")
    return login


def _names(given: str) -> tuple[str, ...]:
    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}", name):
            raise InputError(
                f"`{name}` can't be a service's name",
                remedy="Use letters, digits, dots, hyphens and spaces, 40 at most.",
            )
    return tuple(dict.fromkeys(names))


def _agrees(ask: Ask, question: str) -> bool:
    return ask(f"{question} [y/N] ").casefold() in ("y", "yes")


def _ask(question: str) -> str:
    try:
        return input(question).strip()
    except EOFError:
        return ""
