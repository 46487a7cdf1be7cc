"""How a release is made: its notes, its workflow's shell lines, and the Pythons it is tried on."""

from __future__ import annotations

import json
import os
import runpy
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from incident_actions import __version__, bootstrap
from tests.support.programs import ROOT

SCRIPT = ROOT / ".ci" / "release_notes.py"
notes: Callable[[str, str, str], str] = runpy.run_path(str(SCRIPT))["notes"]
CHANGELOG = """# Changelog

## Unreleased

- Not yet.

## 1.1.0 - 2026-11-26

### Added

- Chat.

## [1.0.0]
- The gate.
"""


def workflow(name: str) -> dict[str, Any]:
    """One of our workflows, as parsed."""
    text = (ROOT / ".github" / "workflows" / f"{name}.yml").read_text("utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@pytest.mark.parametrize(
    ("version", "expected"), [("1.1.0", "### Added\n\n- Chat."), ("1.0.0", "- The gate.")]
)
def test_the_notes_are_the_changelog_s_section(version: str, expected: str) -> None:
    """From its heading to the next one, with a date or without."""
    assert notes(f"v{version}", version, CHANGELOG) == expected


@pytest.mark.parametrize(
    ("tag", "version", "told"),
    [
        ("v1.1.0", "1.0.0", "set `__version__`"),
        ("1.1.0", "1.1.0", "v1.1.0"),
        ("v1", "1.1.0", "v1.1.0"),
        ("v1.1", "1.1", "`## 1.1`"),
        ("v1.1.00", "1.1.00", "`## 1.1.00`"),
        ("v2.0.0", "2.0.0", "`## 2.0.0`"),
    ],
)
def test_a_release_that_does_not_fit_is_refused(tag: str, version: str, told: str) -> None:
    """Another version in the package, or nothing in the changelog: what to do is said."""
    with pytest.raises(ValueError, match=told):
        notes(tag, version, CHANGELOG)


def test_a_section_without_a_word_is_refused() -> None:
    """An empty release note would be worse than none."""
    with pytest.raises(ValueError, match="tells nothing"):
        notes("v1.0.0", "1.0.0", "## 1.0.0\n\n## 0.9.0\n- Old.\n")


def test_the_script_reads_the_package_and_refuses_in_one_line() -> None:
    """Started as the workflow starts it."""
    done = subprocess.run([SCRIPT, "v0.0.0"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert __version__ in done.stderr


FAKE_GH = f"""#!{sys.executable}
import json, os, sys
words = sys.argv[1:]
with open(os.environ["GH_LOG"], "a") as log:
    log.write(json.dumps(words) + "\\n")
state = json.loads(os.environ["GH_STATE"])
if words[:2] == ["release", "view"]:
    sys.exit(words[2] not in state["releases"])
if any("/git/matching-refs/tags/v1." in word for word in words):
    print("\\n".join("refs/tags/" + tag for tag in state["tags"] if tag.startswith("v1.")))
elif words[1].endswith("/git/ref/tags/v1"):
    sys.exit("v1" not in state["tags"])
"""


def publish(folder: Path, tag: str, releases: list[str], tags: list[str]) -> list[list[str]]:
    """Run the shell lines of the job `publish`; gives what `gh` was asked that changes anything."""
    (folder / "dist").mkdir()
    for name in ("dist/a.whl", "dist/a.tar.gz", "notes.md"):
        (folder / name).touch()
    fake = folder / "bin" / "gh"
    fake.parent.mkdir()
    fake.write_text(FAKE_GH, "utf-8")
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    log = folder / "log"
    state = json.dumps({"releases": releases, "tags": tags})
    environment = {
        "PATH": f"{fake.parent}:{os.environ['PATH']}", "GH_LOG": str(log), "GH_STATE": state,
        "GH_REPO": "acme/ia", "GITHUB_REF_NAME": tag, "GITHUB_SHA": "c0ffee",
    }  # fmt: skip
    for step in workflow("release")["jobs"]["publish"]["steps"]:
        if "run" in step:
            shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
            subprocess.run(shell, cwd=folder, env=environment, check=True, capture_output=True)
    asked = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    reads = ("view", "--paginate", "repos/acme/ia/git/ref/tags/v1")
    return [words for words in asked if words[1] not in reads]


def test_a_first_release_is_made_and_gets_its_major_tag(tmp_path: Path) -> None:
    """With the files, the notes, and a new tag v1 at its commit."""
    create, tag = publish(tmp_path, "v1.0.0", [], ["v1.0.0"])
    assert create[:5] == ["release", "create", "v1.0.0", "dist/a.tar.gz", "dist/a.whl"]
    assert create[-2:] == ["--notes-file", "notes.md"]
    assert "--verify-tag" in create
    assert tag[:4] == ["api", "--method", "POST", "repos/acme/ia/git/refs"]
    assert tag[4:] == ["-f", "ref=refs/tags/v1", "-f", "sha=c0ffee"]


def test_a_run_that_is_run_again_moves_the_same_tag(tmp_path: Path) -> None:
    """The files are put again, and v1, which is there, is moved."""
    upload, tag = publish(tmp_path, "v1.10.0", ["v1.10.0"], ["v1", "v1.9.0", "v1.10.0", "v1.2.0"])
    assert upload == ["release", "upload", "v1.10.0", "dist/a.tar.gz", "dist/a.whl", "--clobber"]
    assert tag[:4] == ["api", "--method", "PATCH", "repos/acme/ia/git/refs/tags/v1"]
    assert tag[4:] == ["-f", "sha=c0ffee", "-F", "force=true"]


def test_a_fix_of_an_older_version_leaves_the_major_tag(tmp_path: Path) -> None:
    """Nobody is set back."""
    made = publish(tmp_path, "v1.9.1", [], ["v1", "v1.9.0", "v1.10.0", "v1.9.1", "v1.11.0-rc.1"])
    assert [words[:2] for words in made] == [["release", "create"]]


def test_nothing_is_signed_or_published_before_the_checks() -> None:
    """Only one job can sign, and only one can write; both wait for all others."""
    jobs = workflow("release")["jobs"]
    may = {name: set(job["permissions"]) for name, job in jobs.items()}
    assert may["attest"] == {"attestations", "id-token"}
    assert {name for name, job in jobs.items() if "write" in job["permissions"].values()} == {
        "attest",
        "publish",
    }
    assert set(jobs["attest"]["needs"]) == {"check", "build"}
    assert jobs["publish"]["needs"] == "attest"


def test_continuous_integration_runs_on_the_oldest_and_the_newest_python() -> None:
    """Those that the bootstrap takes, and the package asks for."""
    ends = [".".join(map(str, end)) for end in (bootstrap.OLDEST, bootstrap.NEWEST)]
    [job] = workflow("ci")["jobs"].values()
    assert job["strategy"]["matrix"] == {"python": ends}
    [run] = (step for step in job["steps"] if "run" in step)
    assert run == {"run": ".ci/run", "env": {"PYTHON": "python${{ matrix.python }}"}}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["requires-python"] == f">={ends[0]}"
    told = ["make", "--dry-run", "--always-make", "check"]
    made = subprocess.run(
        told, cwd=ROOT, env={**os.environ, "PYTHON": "python3.99"}, capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert "python3.99 -m venv" in made.stdout
