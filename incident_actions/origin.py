"""Which repository a checkout is a clone of, and which one this program came from.

Nothing here asks the network: it reads git's configuration, and what pip and uv wrote down.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from incident_actions.our_files import PACKAGE

_OWNER, _NAME = r"(?P<owner>[A-Za-z0-9][\w-]*)", r"(?P<name>[\w.-]+?)"
_REPOSITORY = re.compile(rf"/*{_OWNER}/{_NAME}(?:\.git)?/*")
_SHORT = re.compile(r"(?:[\w.-]+@)?(?P<host>[\w.-]{2,}):(?!//)(?P<path>.*)")  # host:owner/name
_DOWNLOADS = tuple(
    re.compile(rf"(?:/api/v3/repos|/repos)?/{_OWNER}/{_NAME}/{rest}")
    for rest in (
        r"releases/download/(?P<revision>[^/]+)/[^/]+",
        r"(?:archive|zip|zipball|tar\.gz|tarball)/(?:refs/(?:tags|heads)/)?"
        r"(?P<revision>.+?)(?:\.tar\.gz|\.zip)?",
    )
)
_GITHUB = ("www.github.com", "ssh.github.com", "api.github.com", "codeload.github.com")
_REMOTE = re.compile(
    r'^\s*\[remote "origin"\].*(?:\n(?!\s*\[).*)*?\n\s*url\s*=\s*"?(?P<url>[^\n"]*?)"?\s*$',
    re.MULTILINE,
)
_FILE = re.compile("file:(?://[^/]*)?(?P<path>/.*)")
_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_REVISION = re.compile(r"[\w.][\w./+@-]{0,249}")
PROGRAM = "incident-actions"
_HOPS = 4
"""How many local clones of a clone are followed to the repository that they came from."""


class Upstream(NamedTuple):
    """A repository on a GitHub server, and what of it.

    `host` is the server's name, such as `github.com`. `revision` is the tag, branch or commit that
    was asked for, `commit` the full hash that it stood for; None when not known. A commit of a
    checkout may be one that nobody has pushed yet.
    """

    host: str
    owner: str
    name: str
    revision: str | None = None
    commit: str | None = None

    @property
    def full_name(self) -> str:
        """`OWNER/NAME`."""
        return f"{self.owner}/{self.name}"


def own_source() -> Upstream | None:
    """The repository that this program came from; None when that is not known.

    What pip or uv wrote down when they installed it from a repository, an archive or a folder; else
    the `origin` of the checkout that it runs in. A checkout around the folder of the program's
    package, such as that of the project whose virtual environment it is in, says nothing.

    https://packaging.python.org/en/latest/specifications/direct-url/
    """
    return _source_of(PACKAGE.parent)


def called_again() -> str:
    """What to type on a shell to call this program again, before the name of a command.

    `incident-actions` where a shell finds that; else as it was started: by `uvx` or `pipx run`,
    which leave nothing behind that a shell finds, by `bootstrap.py`, or by `python -m`.
    """
    program = Path(sys.argv[0])
    if program.stem == PROGRAM:
        runner = _passing_runner(Path(sys.prefix).parts)
        source = own_source() if runner else None
        if source:
            at = f"@{source.revision}" if source.revision else ""
            address = shlex.quote(f"git+https://{source.host}/{source.full_name}{at}")
            option = "--from" if runner == "uvx" else "run --spec"
            return f"{runner} {option} {address} {PROGRAM}"
        found = shutil.which(PROGRAM)
        if found and not runner and Path(found).resolve() == program.resolve():
            return PROGRAM
        if not runner and program.exists():
            return shlex.quote(str(program.absolute()))
    if sys.flags.isolated and sys.flags.no_site:
        return f"python3 {shlex.quote(str(PACKAGE / 'bootstrap.py'))}"
    names = (name for name in ("python", "python3") if shutil.which(name) == sys.executable)
    return f"{next(names, shlex.quote(sys.executable))} -m incident_actions"


def _passing_runner(parts: Sequence[str]) -> str:
    """`uvx` or `pipx` when an environment is one of its cache; `parts` are those of its path."""
    if any(part.startswith(("archive-v", "environments-v", "builds-v")) for part in parts):
        return "uvx"
    return "pipx" if "pipx" in parts and not {"cache", ".cache"}.isdisjoint(parts) else ""


def _source_of(folder: Path) -> Upstream | None:
    """`own_source` for a package in `folder`: a checkout, or an environment's `site-packages`."""
    for installed in distributions(name="incident-actions", path=[str(folder)]):
        try:
            told = json.loads(installed.read_text("direct_url.json") or "null")
        except (OSError, ValueError, RecursionError):
            return None
        if isinstance(told, dict):
            return installed_from(told)
    return origin_of(folder)


def installed_from(told: Mapping[str, Any]) -> Upstream | None:
    """The repository behind the contents of a `direct_url.json`; None when it names none.

    https://packaging.python.org/en/latest/specifications/direct-url-data-structure/
    """
    url = told.get("url")
    if not isinstance(url, str):
        return None
    local = _local(url)
    git = told.get("vcs_info")
    if isinstance(git, dict):
        source = origin_of(local) if local else repository_at(url)
        commit = _commit(str(git.get("commit_id")))
        return source and source._replace(revision=_named(git), commit=commit)
    if "archive_info" in told:
        return _downloaded(url)
    return origin_of(local) if local else None


def _named(git: Mapping[str, Any]) -> str | None:
    """The tag, branch or commit that was asked for; None for what can be the name of none."""
    revision = git.get("requested_revision")
    return revision if isinstance(revision, str) and _REVISION.fullmatch(revision) else None


def repository_at(url: str) -> Upstream | None:
    """The repository that an address names, as git writes it; None for any other address.

    `https://github.com/acme/shop.git`, `git+ssh://git@github.com/acme/shop`,
    `git@github.example.com:acme/shop.git`.
    """
    address = url.strip().removeprefix("git+")
    if "://" in address:
        parts = _split(address)
        host, path = parts or ("", "")
    else:
        short = _SHORT.fullmatch(address)
        host, path = (short["host"], short["path"]) if short else ("", "")
    found = _REPOSITORY.fullmatch(path)
    return Upstream(_server(host), found["owner"], found["name"]) if host and found else None


def origin_of(folder: Path, hops: int = _HOPS) -> Upstream | None:
    """The repository that is the remote `origin` of the checkout in `folder`, and its commit.

    None when `folder` is no checkout's own folder, or has no `origin` on a server. A local clone's
    origin is a folder: then it is that folder's origin.
    """
    git = _git_folder(folder)
    if git is None:
        return None
    remote = _REMOTE.search(_read(git / "config"))
    url = remote["url"] if remote else ""
    local = _local(url, folder)
    source = origin_of(local, hops - 1) if local and hops else repository_at(url)
    return source and source._replace(commit=_head(folder))


def _git_folder(folder: Path) -> Path | None:
    """Where git keeps the configuration of a checkout, a linked worktree, or a bare repository.

    https://git-scm.com/docs/gitrepository-layout
    """
    entry = folder / ".git"
    if entry.is_file():
        linked = folder / _read(entry).removeprefix("gitdir:").strip()
        return linked / _read(linked / "commondir").strip()
    if entry.is_dir():
        return entry
    return folder if is_bare(folder) else None


def is_bare(folder: Path) -> bool:
    """Whether a folder is a bare repository, or git's own folder of a checkout."""
    return (folder / "HEAD").is_file() and all((folder / d).is_dir() for d in ("objects", "refs"))


def _head(folder: Path) -> str | None:
    """The commit that is checked out; None when git can't tell it."""
    try:
        asked = ["git", "-C", str(folder), "rev-parse", "HEAD"]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.SubprocessError):
        return None
    return _commit(done.stdout.strip())


def _downloaded(url: str) -> Upstream | None:
    """The repository and revision behind an archive or release file that GitHub serves."""
    parts = _split(url)
    found = parts and next(filter(None, (each.fullmatch(parts[1]) for each in _DOWNLOADS)), None)
    if not parts or not found:
        return None
    revision = _named({"requested_revision": found["revision"]})
    commit = _commit(found["revision"])
    return Upstream(_server(parts[0]), found["owner"], found["name"], revision, commit)


def _split(url: str) -> tuple[str, str] | None:
    """The host and the path of an address; None when it has no host."""
    try:
        parts = urlsplit(url)
        return (parts.hostname, unquote(parts.path)) if parts.hostname else None
    except ValueError:
        return None


def _local(url: str, folder: Path = Path("/")) -> Path | None:
    """The folder that an address names, from `folder` when it is relative; None for a server's."""
    address = url.strip().removeprefix("git+")
    if address.startswith("file:"):
        found = _FILE.fullmatch(address)
        return Path(unquote(found["path"])) if found else None
    return folder / address if address and ":" not in address else None


def _server(host: str) -> str:
    return "github.com" if host.casefold() in _GITHUB else host.casefold()


def _commit(text: str) -> str | None:
    return text if _COMMIT.fullmatch(text) else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
