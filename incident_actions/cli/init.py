"""The command `init`: ask what a team wants, show what would be written, and write it.

The questions and answers are here; `cli/setup.py` compares and writes the files. All questions are
asked before anything is written, so that whoever breaks off leaves nothing half done.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from incident_actions import __version__
from incident_actions.cli import setup
from incident_actions.cli.inputs import Invocation, add_command, connect_to, tokens
from incident_actions.cli.repository_files import remote_of, repository_folder
from incident_actions.cli.runner import say
from incident_actions.domain.issue.forms import read_login, wrong_service_name
from incident_actions.domain.issue.labels import CATALOG
from incident_actions.domain.readiness.drift import Drift
from incident_actions.domain.text.harmless import visible
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
from incident_actions.origin import Upstream, called_again, is_bare, origin_of, own_source
from incident_actions.reconcile.apply import apply_one, missing_labels
from incident_actions.render.scaffold import DEPLOY, OTHER_WORKFLOW, REHEARSAL, WORKFLOW, Choices

Ask = Callable[[str], str]
Answer = TypeVar("Answer")
_ACTION = "incident-actions"
_PLACEHOLDER = "owner"
_YES_OR_NO = {"y", "yes", "n", "no"}
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
    folder = _folder(arguments.path)
    if not (folder / ".git").exists():
        say(f"Warning: {folder} is no git repository. `git init` makes it one.", file=sys.stderr)
    someone = sys.stdin is not None and sys.stdin.isatty()
    ask = _ask if someone and not (arguments.yes or arguments.check) else None
    try:
        _tell_where(arguments, folder)
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
        say("Nothing was written.")
        return 0
    _tell_next(survey, choices, _make_labels(call, choices.repository))
    lost = _lost_copy(call, choices)
    if lost:
        say(f"\nThe workflows use `{lost}`, which is not there, or which your token may not see.")
        say("Fork or push incident-actions there with its tags, or name another: `--owner NAME`.")
    return 0


def _folder(path: Path) -> Path:
    """The root of the repository around a folder. Raises `InputError` for a bare repository."""
    root = repository_folder(path)
    below = path.resolve()
    for each in (below, *below.parents):
        if is_bare(each):
            raise InputError(
                f"{each} is git's own folder or a bare repository, which holds no files",
                remedy="Clone it, and call `init` in the clone.",
            )
        if each == root:
            break
    return root


def _tell_where(arguments: argparse.Namespace, root: Path) -> None:
    """Say which folder is written to, and that it is not the one that was meant, if so."""
    repository = arguments.repository or remote_of(root)
    meant = arguments.path.resolve()
    around = f", the root of the repository around {meant}" if meant != root else ""
    say(f"In {root}{f' ({repository})' if repository else ''}{around}:")


def _tell_drift(survey: setup.Setup) -> int:
    """Print what an upgrade would change; gives the exit code, 1 when it would change something."""
    for problem in survey.unreadable:
        say(problem)
    if not survey.drifted and not survey.ungated:
        say("Everything is as `init` would write it today, or as you changed it.")
        return 0
    say(setup.describe(file for file in survey.drifted if not file.deleted), end="")
    for file in survey.drifted:
        say(f"{file.state}: {file.path}")
    for deploy in survey.ungated:
        say(f"deploys without the gate: {deploy.path} ({_jobs(deploy.pastes)})")
    say(f"`{called_again()} init` brings it up to date, and asks before it touches what is yours.")
    return 1


def _write(survey: setup.Setup, ask: Ask | None, arguments: argparse.Namespace) -> bool:
    """Show what would be written, ask if somebody is there, and write it; gives whether it did.

    `ask` is None when nobody can be asked: raises `InputError` then, unless `--yes` is given.
    """
    todo = [file for file in survey.files if file.differs]
    asked = [file for file in todo if file.state is Drift.CONFLICT or file.deleted]
    count = 1 + len(todo) - len(asked)  # 1 is the record
    setup.refuse_unsafe_places(survey)
    say(end="\n" if ask and todo else "")
    say(setup.describe(todo), end="")
    if todo and not (survey.folder / setup.RECORD).exists():
        say(f"new: {setup.RECORD} (tells an upgrade what you changed)")
        for file in todo:
            if file.path in (WORKFLOW, OTHER_WORKFLOW) and file.actual is None:
                say(f"Read {file.path} first, once it is written: that is what runs.")
    if any(file.path == OTHER_WORKFLOW and file.actual is None for file in todo):
        say(f"A file of your own is at {WORKFLOW} and stays: ours will be {OTHER_WORKFLOW}.")
    if not todo:
        say("Nothing to write: everything is there.")
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
    changed = setup.write(survey, {*kept, *left_out}, left_out if ask else (), gates)
    own = {file.path for file in asked if not file.written}
    for path in kept:
        told = "kept, as a file of your own is there" if path in own else "kept, with your changes"
        say(f"{told}: {path}")
    for path in left_out:
        say(f"left out, as you deleted it: {path}")
    notes: dict[str, None] = {}
    for gate in survey.ungated:
        put_in = gate in gates and gate.path not in changed
        _tell_gate(gate, put_in=put_in, asked=ask is not None)
        notes |= dict.fromkeys(gate.insertion.notes if put_in else ())
    for note in notes:
        say(f"Note: {note}")
    for path in changed:
        say(f"not written: {path} was changed by somebody while this ran. Run `init` again.")
    return True


def _wants_gate(deploy: setup.DeployWithoutGate, ask: Ask | None, *, always: bool) -> bool:
    """Show how the gate would come into a deploy workflow, and ask whether it may."""
    diff = deploy.diff()
    if not diff:
        return False
    jobs = _jobs(deploy.insertion.gated)
    say(f"\n{deploy.path} seems to deploy, and does not ask the gate ({jobs}). With it:\n")
    say(diff, end="")
    return always or bool(ask and _agrees(ask, f"\nPut the gate into {deploy.path}?"))


def _tell_gate(deploy: setup.DeployWithoutGate, *, put_in: bool, asked: bool) -> None:
    """Say whether the gate is in a deploy workflow now, and what to paste where it is not."""
    if put_in:
        say(f"The gate is in {deploy.path} ({_jobs(deploy.insertion.gated)}).")
    elif deploy.insertion.gated and not asked:
        say(f"{deploy.path} is yours and stays as it is: it deploys without the gate.")
        say("`--gate` puts that in as shown. Or paste it:")
    for name, text in deploy.pastes.items():
        if name in deploy.insertion.left:
            say(f"\n{deploy.path}, job `{name}`, is not changed: {deploy.insertion.left[name]}.")
            if deploy.workflow.gate_fault(name):
                continue
        if not put_in or name in deploy.insertion.left:
            say(f"\n{text}", end="")


def _jobs(names: Iterable[str]) -> str:
    named = [f"`{name}`" for name in names]
    return f"job{'s' if len(named) > 1 else ''} {', '.join(named)}"


def _make_labels(call: Invocation, repository: str | None) -> tuple[str, ...]:
    """Make the labels that are missing, if there is a token; say what came of it.

    Gives the step that is left to do, if any. GitHub drops the labels of a form that do not exist
    yet. A refusal is a plain line: `respond` makes them, too, and everything else is done.
    """
    by_hand = f"`GITHUB_TOKEN=$(gh auth token) {called_again()} init --yes` makes them."
    left = f"The labels, without which a first drill is none: {by_hand}"
    if not tokens(call.environ):
        return (left,)
    say()
    try:
        call.arguments.repository = repository
        github = call.github()
        wanted = missing_labels(github, CATALOG)
        for effect in wanted:
            refused = apply_one(github, effect).refused
            if refused is not None:
                raise refused
    except IncidentActionsError as error:
        say(f"The labels could not be made: {str(error).rstrip('.')}.")
        allowed = " The token has to be allowed to write issues."
        return (left + (allowed if isinstance(error, Forbidden | NotFound) else ""),)
    made = ", ".join(f"`{effect.label.name}`" for effect in wanted)
    say(f"Labels made: {made}." if made else "The labels are all there.")
    return ()


def _lost_copy(call: Invocation, choices: Choices) -> str:
    """The copy of our action that the workflows name and that GitHub lacks; empty else.

    Empty also without a token, and where GitHub does not tell.
    """
    copy = choices.action.uses
    repository, _, ref = copy.partition("@")
    if tokens(call.environ):
        with suppress(IncidentActionsError):
            where = argparse.Namespace(repository=repository)
            return "" if connect_to(where, call.environ).has(ref) else copy
    return ""


def _tell_next(survey: setup.Setup, choices: Choices, labels: Iterable[str]) -> None:
    """Say what comes next, down to a first drill that stops no deploy; `labels`: their step."""
    for problem in survey.unreadable:
        say(f"{problem}. If it deploys, put the gate there, too.")
    where = f"https://github.com/{choices.repository}" if choices.repository else ""
    issue = f"{where}/issues/new/choose" if where else "the Issues tab"
    rehearsal = Path(REHEARSAL).name
    own = any(file.path == DEPLOY and file.state is Drift.NEW for file in survey.files)
    steps = [
        "Fill in ops/runbooks/service-links.md: where your dashboards, logs and switches are.",
        *([f"Put your own deploy into {DEPLOY}."] if own else []),
        "git add .github ops && git commit -m 'Add incident response' && git push",
        f"GITHUB_TOKEN=$(gh auth token) {called_again()} doctor   # what is missing, and its fix",
        *labels,
        "A first drill, which stops no deploy of yours: file the form Incident as a SEV1, and\n"
        f"     choose the label `drill` beside it: {issue}\n"
        f"     Then `gh workflow run {rehearsal}` fails, as a deploy would in an incident.",
    ]
    say("\nNext:")
    for number, step in enumerate(steps, 1):
        say(f"  {number}. {step}")


def _choices(call: Invocation, folder: Path, ask: Ask | None) -> Choices:
    """What the team wants: from flags, else from its files, else from questions.

    Its configuration is the one list of services, and says who commands. Raises `InputError` for
    an answer that can't be used.
    """
    arguments, before, config = call.arguments, _remembered(call, folder), setup.own_config(folder)
    repository = _repository(
        arguments.repository or (before and before.repository) or remote_of(folder)
    )
    source = _source(folder)
    used = before.owner if before else setup.owner_in_use(folder)
    used = "" if used.casefold() == _PLACEHOLDER else used
    owner = arguments.owner or used or (source.owner if source else "")
    if ask is not None and not (arguments.owner or used) and owner:
        say(f"Your workflows will run {owner}/{_ACTION}, from which this program was installed.")
        say("Another one: `--owner NAME`.")
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


def _remembered(call: Invocation, folder: Path) -> Choices | None:
    """The answers to an earlier `init`, each checked as its flag is, unless that is given.

    Raises `InputError`, which names the answer.
    """
    before = setup.remembered(folder)
    if before is None:
        return None
    readers: dict[str, Callable[[], object]] = {
        "owner": lambda: before.owner.casefold() == _PLACEHOLDER or _owner(before.owner),
        "service": lambda: [_service(name) for name in before.services],
        "commander": lambda: _commander(before.commander or ""),
        "repository": lambda: _repository(before.repository),
        "pin": lambda: _commit_and_version(before.pin),
    }
    for name, read in readers.items():
        if not getattr(call.arguments, name):
            try:
                read()
            except InputError as error:
                raise InputError(
                    f"{setup.RECORD}, `choices`: {error}",
                    remedy=f"Mend it there, or give `--{name}`.",
                ) from None
    return before


def _repository(given: str | None) -> str | None:
    """OWNER/NAME, or None for none. Raises `InputError`."""
    if given and not is_repository(given):
        raise InputError(
            f"`{given}` is no repository",
            remedy="Give `--repository` as OWNER/NAME, such as `acme/shop`.",
        )
    return given or None


def _commit_and_version(pin: str | None) -> None:
    """Raises `InputError` unless a pin is a commit, and perhaps its version behind a space."""
    commit = r"(?:[0-9a-f]{40}|[0-9a-f]{64})(?: [\w.+-]{1,60})?"
    if pin is not None and not re.fullmatch(commit, pin, re.ASCII):
        raise InputError(f"`{pin[:100]}` is no commit to pin", remedy="Give `--pin`.")


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
        version = named if re.fullmatch(r"v[0-9][\w.+-]*", named) else f"v{__version__}"
        return f"{source.commit} {version}"
    raise InputError(f"the commit of `v1` in {owner}/{_ACTION} is not known", remedy=why)


def _answer(ask: Ask, explanation: str, question: str, read: Callable[[str], Answer]) -> Answer:
    """The answer to a question, which is explained once; `read` turns the text into a value.

    A question is repeated after a bad answer. Raises `InputError` when the same is wrong again.
    """
    say(explanation)
    wrong = ""
    while True:
        try:
            given = ask(question)
            if {word.strip() for word in given.casefold().split(",")} & _YES_OR_NO:
                raise InputError(
                    f"`{given}` is an answer to another question",
                    remedy="Give a name. It may be one of these by its flag: `init --help`.",
                )
            return read(given)
        except InputError as error:
            if error.told() == wrong or isinstance(error, _Ended):
                raise
            wrong = error.told()
            say(wrong, file=sys.stderr)


class _Ended(InputError):
    """Nobody answers any more."""


def _owner(given: str) -> str:
    if given.strip().casefold() == _PLACEHOLDER:
        raise InputError(
            f"`{given}` stands for a name in our examples",
            remedy="Give the account whose copy the workflows use, such as `--owner acme`.",
        )
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
    names = [_service(name.strip()) for name in given.split(",") if name.strip()]
    return tuple({name.lower(): name for name in reversed(names)}.values())[::-1]


def _service(name: str) -> str:
    """Read the name of a service. Raises `InputError`."""
    wrong = wrong_service_name(name)
    if wrong:
        short = slug(name, otherwise="api")
        fit = short if is_service(short) else "api"
        raise InputError(wrong, remedy=f"Give it a short name, such as `{fit}`.")
    return name


def _agrees(ask: Ask, question: str) -> bool:
    return ask(f"{question} [y/N] ").casefold() in ("y", "yes")


def _ask(question: str) -> str:
    """Ask on the terminal. Raises `InputError` when its input has ended."""
    try:
        return input(visible(question)).strip()
    except (EOFError, UnicodeDecodeError):
        say()
        raise _Ended(
            "the answers ended before the questions did, and nothing was written",
            remedy="Start `init` again, or give the answers as flags: `init --help`.",
        ) from None
