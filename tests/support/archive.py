"""What GitHub serves of this working tree: the archive that a job downloads for `uses:`."""

from __future__ import annotations

import functools
import io
import os
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tests.support.programs import ROOT


def tracked(*paths: str) -> list[str]:
    """The files of this working tree that are, or would be, in the next commit."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", *paths]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return sorted(name for name in names.split("\0") if name and (ROOT / name).is_file())


@functools.cache
def archive() -> bytes:
    """The working tree as `git archive` gives it, as `.tar.gz`, without what is `export-ignore`.

    What is not committed yet is in it. The objects that git needs for that are not kept.
    https://docs.github.com/en/repositories/working-with-files/using-files/downloading-source-code-archives
    """
    with tempfile.TemporaryDirectory() as scratch:
        objects = _git(None, "rev-parse", "--path-format=absolute", "--git-path", "objects")
        where = {
            "GIT_INDEX_FILE": f"{scratch}/index",
            "GIT_OBJECT_DIRECTORY": scratch,
            "GIT_ALTERNATE_OBJECT_DIRECTORIES": objects.decode().strip(),
        }
        _git(where, "add", "--all")
        tree = _git(where, "write-tree").decode().strip()
        return _git(where, "archive", "--format=tar.gz", tree)


def unpack(folder: Path) -> Path:
    """Unpack the archive into an empty folder, as a runner does; gives the folder."""
    with tarfile.open(fileobj=io.BytesIO(archive())) as packed:
        packed.extractall(folder, filter="data")
    return folder


def _git(variables: dict[str, str] | None, *arguments: str) -> bytes:
    done = subprocess.run(
        ["git", *arguments], cwd=ROOT, env={**os.environ, **(variables or {})},
        capture_output=True, check=True,
    )  # fmt: skip
    return done.stdout
