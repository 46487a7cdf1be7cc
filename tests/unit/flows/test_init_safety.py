"""`init` in a hostile place: it leaves the repository never, and costs the team no file."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from incident_actions.cli import safe_files
from incident_actions.cli.init import _answer, _commander, _names, _owner
from incident_actions.cli.safe_files import FileEdit, write_all
from incident_actions.cli.setup import remembered, survey, write
from incident_actions.domain.readiness.drift import digest
from incident_actions.errors import InputError
from incident_actions.render.scaffold import Choices
from tests.unit.flows.test_setup import OWNER, ROOT, at_the_keyboard, init, texts

RECORD = ".github/incident.init.json"
DEPLOY = ".github/workflows/deploy.yml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty repository."""
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    (tmp_path / "repo" / ".github").mkdir()
    return tmp_path / "repo"


@pytest.mark.parametrize("path", [".github/workflows", "ops", RECORD, ".github/incident.yml"])
def test_a_link_that_leaves_the_repository_is_refused(folder: Path, path: str) -> None:
    """By name, with nothing written on either side of it."""
    outside = folder.parent / "outside"
    if path.endswith((".json", ".yml")):
        outside.write_text("alias ll='ls -l'\n", "utf-8")
    else:
        outside.mkdir()
    (folder / path).symlink_to(outside)
    before = texts(folder.parent)
    done = init(folder, *OWNER)
    assert done.returncode == 2
    assert path in done.stderr
    assert "Nothing is written" in done.stderr
    assert done.stderr.count("\n") == 1
    assert texts(folder.parent) == before


def _link_to_nothing(place: Path) -> None:
    place.symlink_to("nowhere")


def _link_to_itself(place: Path) -> None:
    place.symlink_to(place.name)


@pytest.mark.parametrize("make", [Path.mkdir, os.mkfifo, _link_to_nothing, _link_to_itself])
@pytest.mark.parametrize("path", ["a.yml", "x/b.yml"])
def test_only_the_place_of_a_plain_file_is_written(folder: Path, make: object, path: str) -> None:
    """No folder, no pipe, no link; what stands before it is not written either."""
    assert callable(make)
    (folder / path).parent.mkdir(exist_ok=True)
    make(folder / path)
    with pytest.raises(InputError, match=path):
        write_all(folder, {"first.yml": FileEdit(None, "1"), path: FileEdit(None, "2")})
    assert not (folder / "first.yml").exists()


@pytest.mark.parametrize("target", ["..", ".git/hooks"])
def test_a_folder_may_be_a_link_within_the_repository_only(folder: Path, target: str) -> None:
    """Not git's own folder."""
    (folder / ".git" / "hooks").mkdir()
    (folder / "docs").mkdir()
    (folder / "ops").symlink_to(target)
    with pytest.raises(InputError, match=r"ops/a\.md"):
        write_all(folder, {"ops/a.md": FileEdit(None, "1")})
    (folder / "ops").unlink()
    (folder / "ops").symlink_to("docs")
    assert write_all(folder, {"ops/a.md": FileEdit(None, "1")}) == ()
    assert (folder / "docs/a.md").read_text("utf-8") == "1"


def test_a_full_disk_leaves_every_file_whole(folder: Path) -> None:
    """What the message says is so."""
    theirs = folder / DEPLOY
    theirs.parent.mkdir()
    job = "  a:\n    runs-on: ubuntu-latest\n    environment: production\n    steps: [{run: ./s}]\n"
    text = f"on: push\njobs:\n{job}" + "# ours\n" * 2000
    theirs.write_text(text, "utf-8")
    before = texts(folder)
    start = 'ulimit -f 4; "$0" -m incident_actions init --gate "$@"'
    done = subprocess.run(
        ["bash", "-c", start, sys.executable, *OWNER],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Nothing is written" in done.stderr
    assert texts(folder) == before


def test_what_was_written_before_is_counted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line: how many files, and the one that failed."""
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if target.name == "c":
            raise OSError(28, "No space left on device")
        return real(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    changes = {name: FileEdit(None, "1") for name in "abcd"}
    with pytest.raises(InputError, match=r"c can't be written.*2 files were written before"):
        write_all(folder, changes)
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == ["a", "b"]


def test_a_file_keeps_its_mode(folder: Path) -> None:
    """And a new one has that of any new file."""
    (folder / "a").write_text("1", "utf-8")
    (folder / "a").chmod(0o751)
    write_all(folder, {"a": FileEdit("1", "2"), "b": FileEdit(None, "2")})
    (folder / "c").write_text("", "utf-8")
    modes = [stat.S_IMODE((folder / name).stat().st_mode) for name in "abc"]
    assert modes == [0o751, modes[2], modes[2]]


def test_what_somebody_wrote_meanwhile_stays(folder: Path) -> None:
    """It is named; all else is written, and the next `init` asks about it."""
    found = survey(folder, Choices("acme"))
    (folder / ".github/incident.yml").write_text("version: 1\n", "utf-8")
    assert write(found) == (".github/incident.yml",)
    assert (folder / ".github/incident.yml").read_text("utf-8") == "version: 1\n"
    assert (folder / DEPLOY).exists()
    (again,) = survey(folder, Choices("acme")).drifted
    assert again.path == ".github/incident.yml"


def test_two_at_once_do_not_undo_each_other(folder: Path) -> None:
    """The second one writes over nothing that the first wrote, the record included."""
    first, second = survey(folder, Choices("acme")), survey(folder, Choices("initech"))
    same = survey(folder, Choices("acme"))
    assert write(first) == ()
    before = texts(folder)
    assert write(same) == ()
    assert {RECORD, DEPLOY} <= set(write(second))
    assert texts(folder) == before


def record(folder: Path, **choices: object) -> None:
    """Write a record with these answers."""
    known = {"owner": "acme", **choices}
    (folder / RECORD).write_text(json.dumps({"choices": known}), "utf-8")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("pin", "a" * 40 + " v1\n      - run: curl evil"),
        ("pin", "main"),
        ("services", ["a b"]),
        ("services", ["api, worker: x"]),
        ("services", 5),
        ("commander", "dana\nroles: x"),
        ("commander", ["dana"]),
        ("owner", "../x"),
        ("repository", "https://x"),
    ],
)
def test_a_bad_answer_in_the_record_is_refused_by_name(
    folder: Path, name: str, value: object
) -> None:
    """As its flag is; nothing is written."""
    record(folder, **{name: value})
    before = texts(folder)
    done = init(folder, "--yes")
    assert done.returncode == 2, done.stdout
    assert RECORD in done.stderr
    assert name.rstrip("s") in done.stderr or str(value)[:20] in done.stderr
    assert texts(folder) == before


def test_a_flag_mends_a_bad_answer(folder: Path) -> None:
    """Nobody has to edit JSON for it."""
    record(folder, owner="../x", commander="d d")
    assert init(folder, *OWNER, "--commander", "dana").returncode == 0


@pytest.mark.parametrize("text", ["[" * 100_000, "{", "[]", '{"choices": {"owner": 1}}'])
def test_a_record_that_can_not_be_read_is_one_plain_line(folder: Path, text: str) -> None:
    """Not a traceback, and no guess."""
    (folder / RECORD).write_text(text, "utf-8")
    with pytest.raises(InputError, match=RECORD):
        remembered(folder)


def test_line_ends_are_no_drift(folder: Path) -> None:
    """Nor are a byte order mark in the record, and an end of file without one."""
    init(folder, *OWNER)
    for path in (folder / RECORD, folder / ".github/incident.yml", folder / DEPLOY):
        text = path.read_text("utf-8").rstrip("\n").replace("\n", "\r\n")
        path.write_bytes(("\ufeff" * (path.name.endswith("json")) + text).encode())
    done = init(folder, "--check")
    assert done.returncode == 0, done.stdout
    assert digest("a\n") == digest("a") == digest("a\r\n") != digest("b")


TITLE = "\x1b]0;owned\x07\x1b[32m\x9b31m\u202e"


def test_texts_of_the_repository_do_not_steer_the_terminal(folder: Path) -> None:
    """Names, jobs and diffs are shown with their escapes, by `init` and by `doctor`."""
    workflows = folder / ".github/workflows"
    workflows.mkdir()
    job = "runs-on: x\n    environment: production\n    steps: [{run: ./deploy}]\n"
    text = f'on: push\njobs:\n  "deploy\\e[32m":\n    {job}'
    (workflows / "ship\x1b[31m.yml").write_text(f"{text}# {TITLE}\n", "utf-8")
    (workflows / "odd\x9b.yml").write_text("jobs: [", "utf-8")
    done = init(folder, *OWNER, "--gate")
    seen = at_the_keyboard(folder, "")
    doctor = subprocess.run(
        [sys.executable, "-m", "incident_actions", "doctor"],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    shown = done.stdout + done.stderr + seen + doctor.stdout + doctor.stderr
    assert r"ship\x1b[31m.yml" in done.stdout
    assert r"odd\x9b.yml" in doctor.stdout
    assert not {*shown} & {"\x1b", "\x07", "\x9b", "\u202e"}


@pytest.mark.parametrize("owner", ["OWNER", "owner"])
def test_the_placeholder_is_no_owner(folder: Path, owner: str) -> None:
    """It says what to write instead."""
    done = init(folder, "--owner", owner, "--yes")
    assert done.returncode == 2
    assert "--owner acme" in done.stderr


def test_it_says_where_it_writes(folder: Path) -> None:
    """The first line; the root, when a folder below it was meant."""
    (folder / ".git/config").write_text(
        '[remote "origin"]\n\turl = git@github.com:acme/shop.git\n', "utf-8"
    )
    assert init(folder, *OWNER).stdout.startswith(f"In {folder} (acme/shop):\n")
    (folder / "src").mkdir()
    first = init(folder / "src", *OWNER).stdout.splitlines()[0]
    assert first.startswith(f"In {folder} (acme/shop), the root")
    assert str(folder / "src") in first


@pytest.mark.parametrize("below", [".", "hooks"])
def test_a_bare_repository_is_refused(folder: Path, below: str) -> None:
    """Also within another checkout, and from a folder in it."""
    bare = folder / "mirror.git"
    subprocess.run(["git", "init", "--quiet", "--bare", bare], check=True)
    done = init(bare / below, *OWNER)
    assert done.returncode == 2
    assert "bare repository" in done.stderr
    assert not (folder / DEPLOY).exists()


@pytest.mark.parametrize("typed", ["y", "yes", "N", "no", "api, y"])
@pytest.mark.parametrize("read", [_names, _commander, _owner])
def test_a_yes_is_no_name(typed: str, read: object) -> None:
    """Typed out of step; it is asked again."""
    assert callable(read)
    answers = iter([typed, "acme"])
    assert _answer(lambda _: next(answers), "", "", read) in ("acme", ("acme",))


def test_new_files_are_told_by_folder(folder: Path) -> None:
    """Many of a folder in one line; and which one to read first."""
    told = init(folder, *OWNER).stdout
    assert "new: ops/runbooks/ (" in told
    assert "new: .github/incident.yml (" in told
    assert "Read .github/workflows/incident.yml first" in told
    assert told.count("\nnew: ") < 15


def test_nothing_temporary_is_left(folder: Path) -> None:
    """Neither after a success, nor after a refusal."""
    init(folder, *OWNER)
    assert not [path for path in texts(folder) if ".incident-actions-" in path]
    assert safe_files.write_all(folder, {"new/a": FileEdit("other", "1")}) == ("new/a",)
    assert not (folder / "new").exists()
