"""Writes files into a team's repository, so that a failure never costs the team a file of theirs.

A place outside of the repository is refused before anything is written. All texts are stored under
temporary names first; a rename then puts each in its place, whole or not at all.
"""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from incident_actions.errors import InputError


class FileEdit(Struct, frozen=True):
    """A text to write, and the one that was there when it was decided; None: no such file."""

    before: str | None
    after: str


def refuse_unsafe(root: Path, paths: Mapping[str, object] | tuple[str, ...]) -> None:
    """Raise `InputError` for the first of `paths` that is no plain file's place below `root`."""
    for path in paths:
        wrong = _wrong_place(root, path)
        if wrong:
            raise InputError(
                f"{path} can't be written: {wrong}. Nothing is written",
                remedy="Put a plain file or folder there, or nothing, and run `init` again.",
            )


def _wrong_place(root: Path, path: str) -> str:
    """Why nothing may be written to a path below `root`; empty when something may."""
    root, place = root.resolve(), root / path
    for parent in reversed(Path(path).parents[:-1]):
        above = root / parent
        if above.is_symlink() and not above.exists():
            return f"{parent} is a link to nothing"
        if above.exists() and not above.is_dir():
            return f"{parent} is no folder"
    try:
        target = place.parent.resolve() / place.name
        mode = os.lstat(target).st_mode
    except FileNotFoundError:
        mode = stat.S_IFREG
    except (OSError, RuntimeError) as error:  # a link that leads to itself
        return str(error)
    if stat.S_ISLNK(mode):
        return f"it is a link to {target.readlink()}"
    if not target.is_relative_to(root):
        return f"it is outside of the repository, at {target}"
    if target.is_relative_to(root / ".git"):
        return f"it is inside of git's own folder, at {target}"
    return "" if stat.S_ISREG(mode) else "it is no plain file"


def write_all(root: Path, changes: Mapping[str, FileEdit]) -> tuple[str, ...]:
    """Write texts to their paths below `root`; gives the paths that were left as they are.

    A path is left when its file is no longer `before`: somebody changed it meanwhile. Raises
    `InputError` for a place that is no plain file's, and when the folder can't be written; it says
    what is written by then.
    """
    refuse_unsafe(root, changes)
    staged: dict[str, Path] = {}
    made: list[Path] = []
    written, left, path = 0, [], ""
    try:
        for path, change in changes.items():
            staged[path] = _stage(root / path, change.after, made)
        for path, change in changes.items():
            refuse_unsafe(root, (path,))
            now = _text(root / path)
            if now not in (change.before, change.after):
                left.append(path)
            elif now != change.after:
                staged[path].replace(root / path)
            written += path not in left
    except OSError as error:
        before = f"{written} files were written before" if written else "Nothing is written"
        raise InputError(
            f"{path} can't be written: {error.strerror or error}. {before}",
            remedy=f"Make room in {root} and make it writable, and run `init` again: it does the "
            "rest.",
        ) from None
    finally:
        for temporary in staged.values():
            temporary.unlink(missing_ok=True)
        for folder in reversed(made):
            with suppress(OSError):  # it is in use
                folder.rmdir()
    return tuple(left)


def _stage(place: Path, text: str, made: list[Path]) -> Path:
    """Store a text beside its place, with the mode of the file there; gives its temporary path.

    The folders that it makes are added to `made`. Raises OSError.
    """
    for folder in reversed([each for each in place.parents if not each.exists()]):
        folder.mkdir(exist_ok=True)
        made.append(folder)
    if place.exists():
        mode = stat.S_IMODE(place.stat().st_mode)
        if not os.access(place, os.W_OK):
            raise PermissionError(13, "it may only be read")
    else:
        os.umask(mask := os.umask(0))
        mode = 0o666 & ~mask
    number, name = tempfile.mkstemp(prefix=".incident-actions-", dir=place.parent)
    try:
        with open(number, "wb") as file:
            file.write(text.encode("utf-8", "surrogateescape"))
            file.flush()
            os.fsync(number)
        Path(name).chmod(mode)
    except BaseException:
        Path(name).unlink()
        raise
    return Path(name)


def _text(place: Path) -> str | None:
    """The text at a place, as `Checkout.file` reads it; None when there is no file."""
    try:
        return place.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
