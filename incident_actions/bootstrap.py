#!/usr/bin/env python3
"""Run `incident_actions COMMAND` on a machine that has none of its dependencies yet.

This file is started by its path, on whatever `python3` the caller's job has. So it uses only the
standard library and the syntax of Python 3.9. It finds a supported Python, installs the locked
requirements into a cache folder named after their hash, and then replaces its own process by
`incident_actions`, which sees only those packages. The caller's Python, PATH, working directory
and checkout stay as they were.

Exit codes of this file: 2, this machine must be changed; 3, the packages could not be fetched now.
"""

from __future__ import annotations

import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, NoReturn

ROOT = Path(__file__).resolve().parent.parent
REQUIREMENTS = ROOT / "requirements.txt"

# The Pythons for which every locked requirement has a wheel.
OLDEST, NEWEST = (3, 11), (3, 14)

ATTEMPTS = 3
PAUSES = (1.0, 4.0)  # seconds between attempts
INSTALL_LIMIT = 180  # seconds that one attempt may take
DESCRIBE_LIMIT = 20  # seconds that a Python may take to say what it is

# The variables of pip and uv that say *where* packages come from. All others of theirs (a target,
# a constraint, `--user`) are the caller's, and would change what is installed here.
_KEPT_VARIABLES = (
    "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_NO_INDEX", "PIP_TRUSTED_HOST",
    "PIP_CERT", "PIP_CLIENT_CERT", "PIP_PROXY", "PIP_CONFIG_FILE", "PIP_KEYRING_PROVIDER",
    "PIP_CACHE_DIR", "PIP_NO_CACHE_DIR", "PIP_TIMEOUT", "PIP_DEFAULT_TIMEOUT", "PIP_RETRIES",
    "UV_INDEX", "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS", "UV_NO_INDEX",
    "UV_INSECURE_HOST", "UV_NATIVE_TLS", "UV_SYSTEM_CERTS", "UV_CONFIG_FILE", "UV_KEYRING_PROVIDER",
    "UV_CACHE_DIR", "UV_NO_CACHE", "UV_OFFLINE", "UV_HTTP_",
)  # fmt: skip

_DESCRIBE = """
import sys, sysconfig
print(sys.implementation.name, *sys.version_info[:2], sysconfig.get_config_var("SOABI"),
      sysconfig.get_platform())
"""

# Makes only the standard library, the locked packages and this action importable. Bytecode goes to
# the cache, so that `uses: ./` leaves no __pycache__ in the caller's checkout.
_RUN = """
import runpy, sys
packages, root, sys.pycache_prefix = sys.argv[1:4]
sys.argv[1:4] = []
sys.path[:0] = [packages, root]
runpy.run_module("incident_actions", run_name="__main__", alter_sys=True)
"""


class BootstrapError(Exception):
    """What went wrong and what to do about it, in one text. `exit_code` is 2 or 3, as above."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Python(NamedTuple):
    """A Python that can run the action.

    `path` is its executable; `kind` is equal for two Pythons that can use the same wheels.
    """

    path: str
    kind: str


def main(arguments: Sequence[str]) -> NoReturn:
    """Replace this process by `incident_actions ARGUMENTS`, or write one annotation and exit."""
    try:
        python = find_python(os.environ)
        folder = provide_packages(python, os.environ)
    except BootstrapError as error:
        _report(str(error), os.environ)
        sys.exit(error.exit_code)
    except OSError as error:  # a full disk, or files of another user
        _report(f"The action's packages could not be stored: {error}. Mend that.", os.environ)
        sys.exit(2)
    except KeyboardInterrupt:
        print("\nInterrupted. The next call installs the packages again.", file=sys.stderr)
        sys.exit(130)
    sys.stdout.flush()
    paths = [str(folder / "packages"), str(ROOT), str(folder / "bytecode")]
    os.execv(python.path, [python.path, "-I", "-S", "-c", _RUN, *paths, *arguments])


# --- a Python -------------------------------------------------------------------------------------


def find_python(environment: Mapping[str, str]) -> Python:
    """The first supported Python: the running one, then PATH, then the runner's tool cache.

    Raises `BootstrapError` when there is none.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables (RUNNER_TOOL_CACHE)
    """
    for path in _candidates(environment):
        python = _describe(path)
        if python:
            return python
    raise BootstrapError(
        "No Python from {}.{} to {}.{} was found on this runner. Use a newer image in `runs-on`, "
        "or add a step with `actions/setup-python` before this one.".format(*OLDEST, *NEWEST),
        exit_code=2,
    )


def _candidates(environment: Mapping[str, str]) -> Sequence[str]:
    names = [f"python3.{minor}" for minor in range(NEWEST[1], OLDEST[1] - 1, -1)]
    on_path = (shutil.which(name, path=environment.get("PATH")) for name in names)
    cache = environment.get("RUNNER_TOOL_CACHE") or os.devnull
    cached = sorted(glob.glob(os.path.join(cache, "Python/3.*/*/bin/python")), reverse=True)
    return [path for path in (sys.executable, *on_path, *cached) if path]


def _describe(path: str) -> Python | None:
    """The Python at a path; None when it doesn't start, or is not a supported CPython."""
    try:
        answer = subprocess.run(
            [path, "-I", "-S", "-c", _DESCRIBE],
            capture_output=True, text=True, timeout=DESCRIBE_LIMIT, check=True,
        ).stdout.split()  # fmt: skip
        implementation, major, minor = answer[0], int(answer[1]), int(answer[2])
    except (OSError, subprocess.SubprocessError, ValueError, IndexError):
        return None
    if implementation != "cpython" or not OLDEST <= (major, minor) <= NEWEST:
        return None
    return Python(path, " ".join(answer))


# --- the packages ---------------------------------------------------------------------------------


def provide_packages(python: Python, environment: Mapping[str, str]) -> Path:
    """The cache folder whose `packages` holds the locked requirements. Installs them if needed.

    They are installed into a temporary folder, which is then renamed. So a folder with the final
    name is complete, and two jobs at the same time do not disturb each other. A folder that was
    damaged later is replaced. Raises `BootstrapError`, and OSError when files can't be written.
    """
    key = hashlib.sha256(REQUIREMENTS.read_bytes() + python.kind.encode()).hexdigest()[:32]
    folder = _cache_home(environment) / key
    if _is_whole(folder):
        return folder
    count = REQUIREMENTS.read_text(encoding="utf-8").count("==")
    _say(
        f"Installing {count} locked packages. This is done once, and takes some seconds.",
        environment,
    )
    started = time.monotonic()
    scratch = Path(tempfile.mkdtemp(prefix="new-", dir=folder.parent))
    try:
        fresh = scratch / "fresh"
        installer = _install(python, fresh / "packages", environment)
        (fresh / "complete.json").write_text(json.dumps(_inventory(fresh)), encoding="utf-8")
        _put_in_place(fresh, folder, scratch)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    seconds = time.monotonic() - started
    _say(f"Installed the locked packages with {installer} in {seconds:.1f} s", environment)
    return folder


def _cache_home(environment: Mapping[str, str]) -> Path:
    """The first folder that can be written: in the tool cache, the user's cache or RUNNER_TEMP.

    Raises `BootstrapError` when none can.
    """
    home = environment.get("HOME")
    bases = [
        environment.get("RUNNER_TOOL_CACHE"),
        environment.get("XDG_CACHE_HOME") or (os.path.join(home, ".cache") if home else None),
        environment.get("RUNNER_TEMP"),
    ]
    for base in filter(None, bases):
        folder = Path(base).absolute() / "incident-actions"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK | os.X_OK):
                return folder
    raise BootstrapError(
        "No folder for the action's packages could be written. "
        "Set RUNNER_TOOL_CACHE, XDG_CACHE_HOME or RUNNER_TEMP to one that can.",
        exit_code=2,
    )


def _inventory(folder: Path) -> str:
    """A digest of the names and sizes of all installed files.

    It is cheap to make, and differs when a file is missing or was cut short.
    """
    digest = hashlib.sha256()
    packages = folder / "packages"
    for path in sorted(packages.rglob("*")):
        if path.is_file() and path.parent.name != "__pycache__":
            line = f"{path.relative_to(packages).as_posix()} {path.stat().st_size}\n"
            digest.update(line.encode())
    return digest.hexdigest()


def _is_whole(folder: Path) -> bool:
    try:
        recorded = json.loads((folder / "complete.json").read_text(encoding="utf-8"))
        return bool(recorded == _inventory(folder))
    except (OSError, ValueError):
        return False


def _put_in_place(fresh: Path, folder: Path, scratch: Path) -> None:
    """Rename `fresh` to `folder`.

    When another job has made a complete `folder` meanwhile, that one stays. A broken one is moved
    into `scratch`. Raises `BootstrapError` when that fails.
    """
    for attempt in range(ATTEMPTS):
        try:
            os.rename(fresh, folder)
            return
        except OSError:
            if _is_whole(folder):
                return
            try:
                os.rename(folder, scratch / f"broken-{attempt}")
            except FileNotFoundError:
                continue
    raise BootstrapError(
        f"The package folder {folder} is broken and could not be replaced. Delete it.",
        exit_code=2,
    )


# --- the installers -------------------------------------------------------------------------------


def _install(python: Python, target: Path, environment: Mapping[str, str]) -> str:
    """Install the locked wheels into `target`; returns the name of the installer that did it.

    Raises `BootstrapError` when all attempts fail.
    """
    output = ""
    for attempt, (name, command) in enumerate(_commands(python, target, environment)):
        if attempt:
            _say(f"Trying again with {name} ...", environment)
            time.sleep(PAUSES[attempt - 1])
            shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        try:
            # Not in the checkout: it may hold settings for pip or uv that are not for us.
            done = subprocess.run(
                command, cwd=target.parent, env=_installer_environment(environment),
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", timeout=INSTALL_LIMIT, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            output = str(error)
        else:
            if done.returncode == 0:
                return name
            output = done.stdout
        _show(name, output, environment)
    last_line = output.strip().splitlines()[-1:] or ["no output"]
    raise BootstrapError(
        f"The action's packages could not be installed: {last_line[0].strip()}. Run the job again. "
        "If that fails too, see whether this runner reaches its package index.",
        exit_code=3,
    )


def _commands(
    python: Python, target: Path, environment: Mapping[str, str]
) -> Sequence[tuple[str, Sequence[str]]]:
    """The install commands to try, in order, each with the name of its installer.

    uv is faster and comes first, unless only pip was given a package index.
    """
    wanted = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--target", str(target),
              "--requirement", str(REQUIREMENTS)]  # fmt: skip
    pip = [python.path, "-I", "-m", "pip", "--no-input", "--disable-pip-version-check", "install",
           "--quiet", "--no-compile", "--no-warn-conflicts", *wanted]  # fmt: skip
    commands = [("pip", pip)] * ATTEMPTS
    uv = shutil.which("uv", path=environment.get("PATH"))
    uv_has_index = not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"}.isdisjoint(environment)
    if uv and (uv_has_index or "PIP_INDEX_URL" not in environment):
        commands[0] = "uv", [uv, "pip", "install", "--quiet", "--python", python.path, *wanted]
    return commands


def _installer_environment(environment: Mapping[str, str]) -> Mapping[str, str]:
    """`environment` without settings for pip, uv or Python, except where packages come from."""
    dropped = ("PIP_", "UV_", "PYTHON", "VIRTUAL_ENV", "CONDA_PREFIX")
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith(dropped) or name.startswith(_KEPT_VARIABLES)
    }
    # A user's pip.conf may switch these on; the environment has priority over it.
    return {**kept, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "UV_PYTHON_DOWNLOADS": "never"}


# --- what people see ------------------------------------------------------------------------------


def _in_workflow(environment: Mapping[str, str]) -> bool:
    return environment.get("GITHUB_ACTIONS") == "true" or bool(environment.get("GITHUB_EVENT_NAME"))


def _say(line: str, environment: Mapping[str, str]) -> None:
    """Tell how far it is: in a step's log, or on stderr, so that a command's output stays whole."""
    print(line, file=sys.stdout if _in_workflow(environment) else sys.stderr, flush=True)


def _show(name: str, output: str, environment: Mapping[str, str]) -> None:
    """Print an installer's output so that no line of it can be a workflow command."""
    _say(f"{name} failed:", environment)
    for line in output.splitlines()[-30:]:
        _say("  | {}".format(line.replace("##[", "# #[")), environment)


def _report(message: str, environment: Mapping[str, str]) -> None:
    """Write an error as one escaped annotation and into the job summary.

    Outside of a workflow it is plain text on stderr.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """
    if not _in_workflow(environment):
        print(message, file=sys.stderr, flush=True)
        return
    escaped = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    print(f"::error title=incident-actions::{escaped}", flush=True)
    summary = environment.get("GITHUB_STEP_SUMMARY")
    if summary:
        with open(summary, "a", encoding="utf-8") as file:
            file.write(f"### incident-actions could not start\n\n{message}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
