"""The command `init`: ask what a team wants, show what would be written, and write it.

The questions and answers are here; `cli/setup.py` compares and writes the files. All questions are
asked before anything is written, so that whoever breaks off leaves nothing half done.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from incident_actions import __version__
from incident_actions.cli import setup
from incident_actions.cli.inputs import Invocation, add_command, connect_to, tokens
from incident_actions.cli.repository_files import remote_of, repository_folder
from incident_actions.domain.issue.forms import read_login, wrong_service_name
from incident_actions.domain.issue.labels import CATALOG
from incident_actions.domain.readiness.drift import Drift
from incident_actions.domain.text.names import slug
from incident_actions.errors import (
    Forbidden,
    GitHubError,
    IncidentActionsError,
    InputError,
    NotFound,
)
from incident_actions.gate import is_repository
from incident_actions.gate_readers import is_service
from incident_actions.origin import Upstream, origin_of, own_source
from incident_actions.reconcile.apply import apply_one, missing_labels
from incident_actions.render.scaffold import DEPLOY, REHEARSAL, Choices

Ask = Callable[[str], str]
Answer = TypeVar("Answer")
_ACTION = "incident-actions"
_SERVICES = """
Services: what you deploy, each on its own. An incident stops the deploys of those that it names.
The forms offer them. Short names with commas, such as `api, worker`; leave it empty when all you
run is deployed as one."""
_COMMANDER = """
Commander: who leads an incident until somebody else takes over. A GitHub login, such as `alice`;
leave it empty, and whoever answers first does."""
_OWNER = f"""
Owner: the GitHub account whose copy of {_ACTION} your workflows run, as in
`uses: OWNER/{_ACTION}@v1`. The name of an account or organisation, such as `acme`."""


def add(commands: Any) -> None:
    """Add the command `init` to the parser."""
    parser = add_command(commands, "init", _init)
    parser.add_argument("--path", type=Path, default=Path(), help="the repository's folder")
    parser.add_argument("--owner", help="whose incident-actions the workflows use")
    parser.add_argument(
        "--service",
        action="append",
        default=[],
        help="a service that you deploy; may be repeated, or a list with commas",
    )
    parser.add_argument("--commander", help="who commands by default, a GitHub login")
    parser.add_argument("--repository", help="this repository on GitHub, OWNER/NAME")
    parser.add_argument(
        "--pin", action="store_true", help="let workflows use a commit, not the tag v1"
    )
    parser.add_argument(
        "--yes", action="store_true", help="write without asking; what you changed is kept"
    )
    parser.add_argument(
        "--gate", action="store_true", help="put the gate into your deploy workflows without asking"
    )
    parser.add_argument(
        "--check", action="store_true", help="only say what an upgrade would change: exit code 1"
    )


def _init(call: Invocation) -> int:
    """Write forms, workflows, configuration and playbook into this repository.

    Shows what it would write, and asks before it touches what is yours. Puts the gate into your
    deploy workflows when you say yes. With GITHUB_TOKEN it also makes the labels.
    """
    arguments = call.arguments
    folder = repository_folder(arguments.path)
    if not (folder / ".git").exists():
        print(f"Warning: {folder} is no git repository. `git init` makes it one.", file=sys.stderr)
    someone = sys.stdin is not None and sys.stdin.isatty()
    ask = _ask if someone and not (arguments.yes or arguments.check) else None
    try:
        choices = _choices(call, folder, ask)
        survey = setup.survey(folder, choices)
    except BrokenPipeError:
        raise
    except OSError as error:
        named = error.filename or folder
        raise InputError(
            f"{named} can't be read: {error.strerror or error}",
            remedy="Nothing was written. Make it readable, and run `init` again.",
        ) from None
    if arguments.check:
        return _tell_drift(survey)
    if not _write(survey, ask, arguments):
        print("Nothing was written.")
        return 0
    _make_labels(call, choices.repository)
    _tell_next(survey, choices)
    return 0


def _tell_drift(survey: setup.Setup) -> int:
    """Print what an upgrade would change; gives the exit code, 1 when it would change something."""
    for problem in survey.unreadable:
        print(problem)
    if not survey.drifted and not survey.ungated:
        print("Everything is as `init` would write it today, or as you changed it.")
        return 0
    print(setup.describe(file for file in survey.drifted if not file.deleted), end="")
    for file in survey.drifted:
        print(f"{file.state}: {file.path}")
    for deploy in survey.ungated:
        print(f"deploys without the gate: {deploy.path} ({_jobs(deploy.pastes)})")
    print("`incident-actions init` brings it up to date, and asks before it touches what is yours.")
    return 1


def _write(survey: setup.Setup, ask: Ask | None, arguments: argparse.Namespace) -> bool:
    """Show what would be written, ask if somebody is there, and write it; gives whether it did.

    `ask` is None when nobody can be asked: raises `InputError` then, unless `--yes` is given.
    """
    todo = [file for file in survey.files if file.differs]
    asked = [file for file in todo if file.state is Drift.CONFLICT or file.deleted]
    count = 1 + len(todo) - len(asked)  # 1 is the record
    print(end="\n" if ask and todo else "")
    print(setup.describe(todo), end="")
    if todo and not (survey.folder / setup.RECORD).exists():
        print(f"new: {setup.RECORD} (tells an upgrade what you changed)")
    if not todo:
        print("Nothing to write: everything is there.")
    elif ask is None and not arguments.yes:
        raise InputError(
            f"{count} files would be written, and nobody is there to say yes",
            remedy="Add `--yes`. What you changed yourself is kept.",
        )
    elif ask is not None and count > 1 and not _agrees(ask, f"\nWrite {count} files?"):
        return False

    deleted = [file.path for file in asked if file.deleted]
    left_out = list(deleted)
    if deleted and ask is not None:
        told = deleted[0] if len(deleted) == 1 else f"the {len(deleted)} pages that you deleted"
        left_out = [] if _agrees(ask, f"Write {told} again?") else deleted
    kept = [
        file.path
        for file in asked
        if not file.deleted
        and not (ask and _agrees(ask, f"Overwrite {file.path}, with your changes in it?"))
    ]
    gates = [gate for gate in survey.ungated if _wants_gate(gate, ask, always=arguments.gate)]
    setup.write(survey, {*kept, *left_out}, left_out if ask else (), gates)
    for path in kept:
        print(f"kept, with your changes: {path}")
    for path in left_out:
        print(f"left out, as you deleted it: {path}")
    for gate in survey.ungated:
        _tell_gate(gate, put_in=gate in gates, asked=ask is not None)
    return True


def _wants_gate(deploy: setup.DeployWithoutGate, ask: Ask | None, *, always: bool) -> bool:
    """Show how the gate would come into a deploy workflow, and ask whether it may."""
    diff = deploy.diff()
    if not diff:
        return False
    jobs = _jobs(deploy.insertion.gated)
    print(f"\n{deploy.path} seems to deploy, and does not ask the gate ({jobs}). With it:\n")
    print(diff, end="")
    return always or bool(ask and _agrees(ask, f"\nPut the gate into {deploy.path}?"))


def _tell_gate(deploy: setup.DeployWithoutGate, *, put_in: bool, asked: bool) -> None:
    """Say whether the gate is in a deploy workflow now, and what to paste where it is not."""
    if put_in:
        print(f"The gate is in {deploy.path} ({_jobs(deploy.insertion.gated)}).")
        for note in deploy.insertion.notes:
            print(f"Note: {note}")
    elif deploy.insertion.gated and not asked:
        print(f"{deploy.path} is yours and stays as it is: it deploys without the gate.")
        print("`--gate` puts that in as shown. Or paste it:")
    for name, text in deploy.pastes.items():
        if name in deploy.insertion.left:
            print(f"\n{deploy.path}, job `{name}`, is not changed: {deploy.insertion.left[name]}.")
        if not put_in or name in deploy.insertion.left:
            print(f"\n{text}", end="")


def _jobs(names: Iterable[str]) -> str:
    named = [f"`{name}`" for name in names]
    return f"job{'s' if len(named) > 1 else ''} {', '.join(named)}"


def _make_labels(call: Invocation, repository: str | None) -> None:
    """Make the labels that are missing, if there is a token; say what came of it.

    GitHub drops the labels of a form that do not exist yet. A refusal is a plain line: `respond`
    makes them, too, and everything else is done.
    """
    print()
    by_hand = "`GITHUB_TOKEN=$(gh auth token) incident-actions init --yes` makes them."
    if not tokens(call.environ):
        print(f"The labels need a token. Once {repository or 'the repository'} is on GitHub:")
        print(by_hand)
        return
    try:
        call.arguments.repository = repository
        github = call.github()
        wanted = missing_labels(github, CATALOG)
        for effect in wanted:
            refused = apply_one(github, effect).refused
            if refused is not None:
                raise refused
    except IncidentActionsError as error:
        print(f"The labels could not be made: {str(error).rstrip('.')}.")
        allowed = " The token has to be allowed to write issues."
        print(by_hand + (allowed if isinstance(error, Forbidden | NotFound) else ""))
        return
    made = ", ".join(f"`{effect.label.name}`" for effect in wanted)
    print(f"Labels made: {made}." if made else "The labels are all there.")


def _tell_next(survey: setup.Setup, choices: Choices) -> None:
    """Say what comes next, down to a first drill that stops no deploy."""
    for problem in survey.unreadable:
        print(f"{problem}. If it deploys, put the gate there, too.")
    where = f"https://github.com/{choices.repository}" if choices.repository else ""
    issue = f"{where}/issues/new/choose" if where else "the Issues tab"
    rehearsal = Path(REHEARSAL).name
    own = any(file.path == DEPLOY and file.state is Drift.NEW for file in survey.files)
    steps = [
        "Fill in ops/runbooks/service-links.md: where your dashboards, logs and switches are.",
        *([f"Put your own deploy into {DEPLOY}."] if own else []),
        "git add .github ops && git commit -m 'Add incident response' && git push",
        "GITHUB_TOKEN=$(gh auth token) incident-actions doctor   # what is missing, and its fix",
        "A first drill, which stops no deploy of yours: file the form Incident as a SEV1, and\n"
        f"     choose the label `drill` beside it: {issue}\n"
        f"     Then `gh workflow run {rehearsal}` fails, as a deploy would in an incident.",
    ]
    print("\nNext:")
    for number, step in enumerate(steps, 1):
        print(f"  {number}. {step}")


def _choices(call: Invocation, folder: Path, ask: Ask | None) -> Choices:
    """What the team wants: from flags, else from its files, else from questions.

    Its configuration is the one list of services, and says who commands. Raises `InputError` for
    an answer that can't be used.
    """
    arguments, before, config = call.arguments, setup.remembered(folder), setup.own_config(folder)
    repository = arguments.repository or (before and before.repository) or remote_of(folder) or None
    if repository and not is_repository(repository):
        raise InputError(
            f"`{repository}` is no repository",
            remedy="Give `--repository` as OWNER/NAME, such as `acme/shop`.",
        )
    source = _source(folder)
    used = before.owner if before else setup.owner_in_use(folder)
    owner = arguments.owner or used or (source.owner if source else "")
    if ask is not None and not (arguments.owner or used) and owner:
        print(f"Your workflows will run {owner}/{_ACTION}, from which this program was installed.")
        print("Another one: `--owner NAME`.")
    owner = _owner(owner) if owner or ask is None else _answer(ask, _OWNER, "Owner: ", _owner)

    services: tuple[str, ...] = ()
    if arguments.service:
        services = _names(",".join(arguments.service))
    elif config or before:
        services = config.service_names() if config else before.services if before else ()
    elif ask is not None:
        services = _answer(ask, _SERVICES, "Services [all as one]: ", _names)

    commander = None
    if arguments.commander:
        commander = _commander(arguments.commander)
    elif config or before:
        commander = config.roles.commander if config else before.commander if before else None
    elif ask is not None:
        commander = _answer(ask, _COMMANDER, "Commander [whoever answers first]: ", _commander)
    pin = _pin(call, owner, source) if arguments.pin else before.pin if before else None
    return Choices(owner, services, commander, repository, pin)


def _source(folder: Path) -> Upstream | None:
    """The repository that this program came from, if workflows can name it.

    None when it has another name, or is on another server than the team's repository.
    """
    source, here = own_source(), origin_of(folder)
    known = source and source.name == _ACTION and (here is None or here.host == source.host)
    return source if known else None


def _pin(call: Invocation, owner: str, source: Upstream | None) -> str:
    """The commit that workflows should use, and its version behind a space.

    With a token, what GitHub says of the tag `v1`; else the commit that this program came from.
    Raises `InputError` when neither is known.
    """
    why = "Set GITHUB_TOKEN: `export GITHUB_TOKEN=$(gh auth token)`."
    if tokens(call.environ):
        where = argparse.Namespace(repository=f"{owner}/{_ACTION}")
        try:
            return f"{connect_to(where, call.environ).commit_at('v1')} v1"
        except GitHubError as error:
            why = error.told()
    if source and source.commit and source.owner.casefold() == owner.casefold():
        named = source.revision or ""
        return f"{source.commit} {named if re.match(r'v[0-9]', named) else f'v{__version__}'}"
    raise InputError(f"the commit of `v1` in {owner}/{_ACTION} is not known", remedy=why)


def _answer(ask: Ask, explanation: str, question: str, read: Callable[[str], Answer]) -> Answer:
    """The answer to a question, which is explained once; `read` turns the text into a value.

    A question is repeated after a bad answer. Raises `InputError` when the same is wrong again.
    """
    print(explanation)
    wrong = ""
    while True:
        try:
            return read(ask(question))
        except InputError as error:
            if error.told() == wrong or isinstance(error, _Ended):
                raise
            wrong = error.told()
            print(wrong, file=sys.stderr)


class _Ended(InputError):
    """Nobody answers any more."""


def _owner(given: str) -> str:
    return _login("owner", given)


def _commander(given: str) -> str | None:
    return _login("commander", given) if given else None


def _login(name: str, given: str) -> str:
    """Read a GitHub login. Raises `InputError`, which names the flag `--name`."""
    login = read_login(given)
    if login is None:
        said = f"`{given}` is no GitHub name" if given else f"the {name} is not known"
        raise InputError(said, remedy=f"Give a GitHub name, such as `--{name} acme`.")
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
    """Ask on the terminal. Raises `InputError` when its input has ended."""
    try:
        return input(question).strip()
    except (EOFError, UnicodeDecodeError):
        print()
        raise _Ended(
            "the answers ended before the questions did, and nothing was written",
            remedy="Start `init` again, or give the answers as flags: `init --help`.",
        ) from None
