#!/usr/bin/env python3
"""Run `incident_actions COMMAND` on a machine that has none of its dependencies yet.

Started by path, on whatever `python3` the caller's job has: standard library only, Python 3.9
syntax. It finds a supported Python, puts the locked requirements into a cache folder named after
their hash, and becomes `incident_actions` on exactly that folder. The caller's Python, PATH,
working directory and checkout stay as they were.

Exit codes of its own: 2, this machine needs a change; 3, the packages could not be fetched now.
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

# Of the installers' own variables only these say *where* packages come from. The others (a target,
# a constraint, `--user`) belong to the caller's project and would change what is installed here.
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

# Nothing but the standard library, the locked packages and this action is importable. Bytecode goes
# to the cache, so that `uses: ./` leaves no __pycache__ in the caller's checkout.
_RUN = """
import runpy, sys
packages, root, sys.pycache_prefix = sys.argv[1:4]
sys.argv[1:4] = []
sys.path[:0] = [packages, root]
runpy.run_module("incident_actions", run_name="__main__", alter_sys=True)
"""


class BootstrapError(Exception):
    """What went wrong and what to do about it, in one text; `exit_code` as in the module's doc."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Python(NamedTuple):
    """A Python that can run the action. `kind` tells apart those that need other wheels."""

    path: str
    kind: str


def main(arguments: Sequence[str]) -> NoReturn:
    """Become `incident_actions ARGUMENTS`; on failure write one annotation and exit."""
    try:
        python = find_python(os.environ)
        folder = provide_packages(python, os.environ)
    except BootstrapError as error:
        _report(str(error), os.environ)
        sys.exit(error.exit_code)
    except OSError as error:  # a full disk, or files of another user
        _report(f"The action's packages could not be stored: {error}. Mend that.", os.environ)
        sys.exit(2)
    sys.stdout.flush()
    paths = [str(folder / "packages"), str(ROOT), str(folder / "bytecode")]
    os.execv(python.path, [python.path, "-I", "-S", "-c", _RUN, *paths, *arguments])


# --- a Python -------------------------------------------------------------------------------------


def find_python(environment: Mapping[str, str]) -> Python:
    """The first supported Python: this one, then PATH, then the runner's tool cache.

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
    """`path` as a usable Python; None when it doesn't start, or is of an unsupported version."""
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
    """The folder whose `packages` holds the locked requirements, made when it isn't there.

    It is filled beside its place and then renamed, so a folder under its final name is whole, and
    two jobs that fill it at once don't meet. One that was damaged later is made anew.
    """
    key = hashlib.sha256(REQUIREMENTS.read_bytes() + python.kind.encode()).hexdigest()[:32]
    folder = _cache_home(environment) / key
    if _is_whole(folder):
        return folder
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
    print(f"Installed the locked packages with {installer} in {seconds:.1f} s")
    return folder


def _cache_home(environment: Mapping[str, str]) -> Path:
    """The first folder of these that can be written: the tool cache, the user's, the job's."""
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
    """A digest of each installed file's name and size: cheap, and a lost or cut file shows."""
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
    """Rename `fresh` to `folder`; a whole one that came in between stays, a broken one goes."""
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
    """Install the locked wheels into `target`; return the name of the installer that did it."""
    output = ""
    for attempt, (name, command) in enumerate(_commands(python, target, environment)):
        if attempt:
            print(f"Trying again with {name} ...", flush=True)
            time.sleep(PAUSES[attempt - 1])
            shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        try:
            # Elsewhere than the checkout: its pip or uv settings are not ours.
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
        _show(name, output)
    last = output.strip().splitlines()[-1:] or ["no output"]
    raise BootstrapError(
        f"The action's packages could not be installed: {last[0].strip()}. Run the job again. "
        "If that fails too, see whether this runner reaches its package index.",
        exit_code=3,
    )


def _commands(
    python: Python, target: Path, environment: Mapping[str, str]
) -> Sequence[tuple[str, Sequence[str]]]:
    """What to try, in order. uv is fast, but knows nothing of an index that only pip was told."""
    wanted = ["--require-hashes", "--only-binary", ":all:", "--no-deps", "--target", str(target),
              "--requirement", str(REQUIREMENTS)]  # fmt: skip
    pip = [python.path, "-I", "-m", "pip", "--no-input", "--disable-pip-version-check", "install",
           "--quiet", "--no-compile", "--no-warn-conflicts", *wanted]  # fmt: skip
    commands = [("pip", pip)] * ATTEMPTS
    uv = shutil.which("uv", path=environment.get("PATH"))
    told = not {"UV_DEFAULT_INDEX", "UV_INDEX_URL"}.isdisjoint(environment)
    if uv and (told or "PIP_INDEX_URL" not in environment):
        commands[0] = "uv", [uv, "pip", "install", "--quiet", "--python", python.path, *wanted]
    return commands


def _installer_environment(environment: Mapping[str, str]) -> Mapping[str, str]:
    """`environment` with where packages come from (index, proxy, certificates), and no more."""
    ours = ("PIP_", "UV_", "PYTHON", "VIRTUAL_ENV", "CONDA_PREFIX")
    kept = {
        name: value
        for name, value in environment.items()
        if not name.startswith(ours) or name.startswith(_KEPT_VARIABLES)
    }
    # A user's pip.conf may ask for these; the environment outranks it.
    return {**kept, "PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "UV_PYTHON_DOWNLOADS": "never"}


# --- what people see ------------------------------------------------------------------------------


def _show(name: str, output: str) -> None:
    """Print an installer's output so that no line of it can be a workflow command."""
    print(f"{name} failed:")
    for line in output.splitlines()[-30:]:
        print("  | {}".format(line.replace("##[", "# #[")))


def _report(message: str, environment: Mapping[str, str]) -> None:
    """One escaped error annotation, and the same in the job summary; plain text on a laptop.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """
    if environment.get("GITHUB_ACTIONS") != "true" and not environment.get("GITHUB_EVENT_NAME"):
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
