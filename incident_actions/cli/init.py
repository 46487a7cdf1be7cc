"""The command `init`: ask what a team wants, show what would be written, and write it.

The questions and answers are here; `cli/setup.py` compares and writes the files.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from incident_actions.cli import setup
from incident_actions.cli.inputs import Invocation, add_command
from incident_actions.cli.repository_files import remote_of, repository_folder
from incident_actions.domain.issue.forms import read_login, wrong_service_name
from incident_actions.domain.readiness.drift import Drift
from incident_actions.domain.text.names import slug
from incident_actions.errors import InputError
from incident_actions.gate_readers import is_service
from incident_actions.render.scaffold import ROOT, Choices

Ask = Callable[[str], str]
Answer = TypeVar("Answer")
_TRIES = 3
"""How often a question is asked before `init` gives up."""


def add_init(commands: Any) -> None:
    """Add the command `init` to the parser."""
    parser = add_command(commands, "init", _init)
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
        "--yes", action="store_true", help="write without asking; what you changed is kept"
    )
    parser.add_argument(
        "--check", action="store_true", help="only say what an upgrade would change: exit code 1"
    )


def _init(call: Invocation) -> int:
    """Write forms, workflows, configuration and playbook into this repository.

    Shows what it would write, and asks before it touches what you changed.
    """
    arguments = call.arguments
    folder = repository_folder(arguments.path)
    if not (folder / ".git").exists():
        print(f"Warning: {folder} is no git repository. `git init` makes it one.", file=sys.stderr)
    ask = _ask if sys.stdin.isatty() and not (arguments.yes or arguments.check) else None
    survey = setup.survey(folder, _choices(arguments, folder, ask))
    if arguments.check:
        return _tell_drift(survey)
    return _write(survey, ask, yes=arguments.yes)


def _tell_drift(survey: setup.Setup) -> int:
    """Print what an upgrade would change; gives the exit code, 1 when it would change something."""
    if not survey.drifted:
        print("Everything is as `init` would write it today, or as you changed it.")
        return 0
    print(setup.describe(survey.drifted), end="")
    for file in survey.drifted:
        print(f"{file.state}: {file.path}")
    print("`incident-actions init` brings it up to date, and asks before it touches your changes.")
    return 1


def _write(survey: setup.Setup, ask: Ask | None, *, yes: bool) -> int:
    """Show what would be written, ask if somebody is there, and write it; gives the exit code, 0.

    `ask` is None when nobody can be asked: raises `InputError` then, unless `yes`.
    """
    todo = [file for file in survey.files if file.differs]
    count = 1 + sum(file.state is not Drift.CONFLICT for file in todo)  # 1 is the record
    print(setup.describe(todo), end="")
    if todo and not (survey.folder / setup.RECORD).exists():
        print(f"new: {setup.RECORD} (tells an upgrade what you changed)")
    if not todo:
        print("Nothing to write: everything is there.")
    elif ask is None and not yes:
        raise InputError(
            f"{count} files would be written, and nobody is there to say yes",
            remedy="Add `--yes`. What you changed yourself is kept.",
        )
    elif ask is not None and count > 1 and not _agrees(ask, f"Write {count} files?"):
        print("Nothing was written.")
        return 0

    def may_overwrite(file: setup.File) -> bool:
        return ask is not None and _agrees(ask, f"Overwrite {file.path}, with your changes in it?")

    kept = setup.write(survey, may_overwrite)
    for file in kept:
        print(f"kept, with your changes: {file.path}")
    _tell_next(survey)
    return 0


def _tell_next(survey: setup.Setup) -> None:
    for path in survey.deploys:
        print(f"{path} seems to deploy. Put the gate before it, as the README shows.")
    print("Next: fill in ops/runbooks/service-links.md, commit, push, then run")
    print("`incident-actions doctor`. It says what is missing.")


def _choices(arguments: argparse.Namespace, folder: Path, ask: Ask | None) -> Choices:
    """What the team wants: from flags, else from an earlier `init`, else from questions.

    Raises `InputError` for an answer that can't be used.
    """
    before = setup.remembered(folder)
    own, _, name = remote_of(ROOT).partition("/")
    guess = own if name == "incident-actions" else ""
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
    repository = arguments.repository or before.get("repository") or remote_of(folder) or None
    return Choices(owner, services, commander, repository)


def _answer(
    given: str | None, ask: Ask | None, question: str, read: Callable[[str], Answer]
) -> Answer:
    """The value that was given, else the answer to a question; `read` turns the text into a value.

    A question is repeated after a bad answer. Raises `InputError` after `_TRIES` bad answers, and
    at once for a given value that is bad.
    """
    if given or ask is None:
        return read(given or "")
    for _ in range(_TRIES - 1):
        try:
            return read(ask(question))
        except InputError as error:
            print(error.told(), file=sys.stderr)
    return read(ask(question))


def _login(name: str, given: str) -> str:
    """Read a GitHub login. Raises `InputError`, which names the flag `--name`."""
    login = read_login(given)
    if login is None:
        said = f"`{given}` is no GitHub name" if given else f"the {name} is not known"
        raise InputError(said, remedy=f"Give `--{name}` a GitHub name, such as `acme`.")
    return login


def _names(given: str) -> tuple[str, ...]:
    """Read the names of services, separated by commas. Raises `InputError` for a bad one."""
    names = [name.strip() for name in given.split(",") if name.strip()]
    for name in names:
        wrong = wrong_service_name(name)
        if wrong:
            short = slug(name, otherwise="api")
            fit = short if is_service(short) else "api"
            raise InputError(wrong, remedy=f"Give it a short name, such as `{fit}`.")
    return tuple({name.lower(): name for name in reversed(names)}.values())[::-1]


def _agrees(ask: Ask, question: str) -> bool:
    return ask(f"{question} [y/N] ").casefold() in ("y", "yes")


def _ask(question: str) -> str:
    """Ask on the terminal; gives an empty text when its input has ended."""
    try:
        return input(question).strip()
    except EOFError:
        return ""
