"""Bootstrap, run for real on a tiny copy of the action whose one requirement is a local wheel."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from incident_actions import bootstrap
from tests.support.runner import read_annotations

LIMIT = 120  # seconds that bootstrap may take

PROGRAM = """
import os, sys
import sample
print("ran", *sys.argv[1:], sample.ANSWER, "in", os.getcwd())
sys.exit(7)
"""

Start = Callable[..., subprocess.CompletedProcess[str]]


def make_wheel(folder: Path) -> Path:
    """A wheel of the module `sample`, written by hand: no build tool, no index."""
    wheel = folder / "sample-1.0-py3-none-any.whl"
    files = {
        "sample.py": "ANSWER = 42\n",
        "sample-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: sample\nVersion: 1.0\n",
        "sample-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\n"
        "Root-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
            record += f"{name},sha256={digest.decode().rstrip('=')},{len(text)}\n"
            archive.writestr(name, text)
        archive.writestr("sample-1.0.dist-info/RECORD", f"{record}sample-1.0.dist-info/RECORD,,\n")
    return wheel


@pytest.fixture
def action(tmp_path: Path) -> Path:
    """A folder with bootstrap, a one-line program, and a locked requirement."""
    root = tmp_path / "action"
    package = root / "incident_actions"
    package.mkdir(parents=True)
    shutil.copy(bootstrap.__file__, package / "bootstrap.py")
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text(PROGRAM)
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    digest = hashlib.sha256(make_wheel(wheels).read_bytes()).hexdigest()
    (root / "requirements.txt").write_text(f"sample==1.0 \\\n    --hash=sha256:{digest}\n")
    return root


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """A runner's tool cache."""
    folder = tmp_path / "tools"
    folder.mkdir()
    return folder


@pytest.fixture
def start(action: Path, cache: Path, tmp_path: Path) -> Start:
    """Start bootstrap as action.yml does, from a checkout, with more variables if need be."""
    checkout = tmp_path / "checkout"
    checkout.mkdir()

    def run(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        environment = {
            "PATH": "/usr/bin:/bin",  # no uv: its own index settings would reach outside
            "RUNNER_TOOL_CACHE": str(cache),
            "GITHUB_ACTIONS": "true",
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(tmp_path / "wheels"),
            "PIP_CONFIG_FILE": os.devnull,
            **variables,
        }
        return subprocess.run(
            [sys.executable, "-I", "-S", action / "incident_actions/bootstrap.py", *arguments],
            cwd=checkout, env=environment, capture_output=True, text=True, timeout=LIMIT,
            check=False,
        )  # fmt: skip

    return run


def package_folders(cache: Path) -> list[Path]:
    return list((cache / "incident-actions").iterdir())


def test_it_runs_the_command_on_the_locked_packages(start: Start, tmp_path: Path) -> None:
    """Arguments, working directory and exit code pass through to the program."""
    done = start("respond", "--flag")
    assert f"ran respond --flag 42 in {tmp_path / 'checkout'}" in done.stdout
    assert done.returncode == 7


def test_a_second_start_installs_nothing(start: Start) -> None:
    """What one job installed is there for the next on the same runner."""
    assert "Installed" in start("respond").stdout
    second = start("respond", PIP_FIND_LINKS="/nowhere")
    assert "Installed" not in second.stdout
    assert second.returncode == 7


def test_the_callers_things_stay_as_they_were(start: Start, action: Path, tmp_path: Path) -> None:
    """No file appears in the checkout or the action, and the caller's modules stay out."""
    checkout = tmp_path / "checkout"
    for name in ("sample.py", "runpy.py"):
        (checkout / name).write_text("raise SystemExit('the wrong module')\n")
    before = sorted(path for root in (checkout, action) for path in root.rglob("*"))
    done = start(
        "respond",
        PYTHONPATH=str(checkout),
        PIP_TARGET=str(checkout / "elsewhere"),
        PIP_USER="1",
        PIP_REQUIRE_VIRTUALENV="1",
        PIP_CONSTRAINT="missing.txt",
    )
    assert done.returncode == 7, done.stdout
    assert sorted(path for root in (checkout, action) for path in root.rglob("*")) == before


@pytest.mark.parametrize("damage", ["sample.py", "../complete.json"])
def test_a_damaged_folder_is_made_anew(start: Start, cache: Path, damage: str) -> None:
    """A lost file, or an installation that never ended, heals itself."""
    start("respond")
    (folder,) = package_folders(cache)
    (folder / "packages" / damage).unlink()
    again = start("respond")
    assert "Installed" in again.stdout
    assert again.returncode == 7
    assert package_folders(cache) == [folder]


def test_two_first_starts_at_once_both_work(start: Start, cache: Path) -> None:
    """Two jobs that find an empty cache do not disturb each other."""
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _: start("respond"), range(2)))
    assert [done.returncode for done in results] == [7, 7]
    assert len(package_folders(cache)) == 1


def test_a_package_with_another_hash_is_refused(start: Start, action: Path, cache: Path) -> None:
    """A wheel that is not the locked one stops the step, with one error that says what to do."""
    (action / "requirements.txt").write_text(f"sample==1.0 --hash=sha256:{'0' * 64}\n")
    code = action / "incident_actions" / "bootstrap.py"
    code.write_text(code.read_text().replace("PAUSES = (1.0, 4.0)", "PAUSES = (0.0, 0.0)"))
    done = start("respond")
    errors = read_annotations(done.stdout)
    assert done.returncode == 3
    assert [error.level for error in errors] == ["error"]
    assert "Run the job again" in errors[0].message
    assert done.stdout.count("Trying again") == 2
    assert package_folders(cache) == []


def test_requirements_of_another_version_get_another_folder(
    start: Start, action: Path, cache: Path
) -> None:
    """Two versions of the action on one runner never share packages."""
    start("respond")
    with (action / "requirements.txt").open("a") as file:
        file.write("# changed\n")
    start("respond")
    assert len(package_folders(cache)) == 2


def test_a_cache_that_cannot_be_written_is_passed_over(start: Start, tmp_path: Path) -> None:
    """Where the tool cache is closed, the user's cache serves, then the job's own folder."""
    blocked = tmp_path / "file"
    blocked.touch()
    temporary = tmp_path / "temp"
    done = start(
        "respond",
        RUNNER_TOOL_CACHE=str(blocked),
        XDG_CACHE_HOME=str(blocked),
        RUNNER_TEMP=str(temporary),
    )
    assert done.returncode == 7, done.stdout
    assert (temporary / "incident-actions").is_dir()


def test_no_place_for_the_packages_is_an_error(start: Start, tmp_path: Path) -> None:
    """The error names the variables, in the annotation and in the job summary."""
    (tmp_path / "file").touch()
    done = start("respond", RUNNER_TOOL_CACHE=str(tmp_path / "file"), HOME="")
    assert done.returncode == 2
    (error,) = read_annotations(done.stdout)
    assert "RUNNER_TOOL_CACHE" in error.message
    assert error.message in (tmp_path / "summary.md").read_text()


def test_on_a_laptop_an_error_is_plain_text(start: Start, tmp_path: Path) -> None:
    """Nobody there reads annotations."""
    (tmp_path / "file").touch()
    done = start("init", RUNNER_TOOL_CACHE=str(tmp_path / "file"), HOME="", GITHUB_ACTIONS="")
    assert (done.returncode, done.stdout) == (2, "")
    assert "RUNNER_TOOL_CACHE" in done.stderr
    assert "::error" not in done.stderr


def fake_python(path: Path, says: str) -> Path:
    """A program that answers as a Python of another version would."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho {says}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def old_python(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The step's own Python is 3.9."""
    old = fake_python(tmp_path / "old/python3", "cpython 3 9 cpython-39-x86_64-linux-gnu linux")
    monkeypatch.setattr(sys, "executable", str(old))


@pytest.mark.usefixtures("old_python")
def test_an_old_python_looks_for_a_newer_one_on_path(tmp_path: Path) -> None:
    """The newest supported one wins; one that does not start, or lies in its name, is passed."""
    fake_python(tmp_path / "bin/python3.14", "shim: no such version >&2; exit 127")
    fake_python(tmp_path / "bin/python3.13", "cpython 3 10 x linux")
    expected = fake_python(tmp_path / "bin/python3.12", "cpython 3 12 cpython-312-x linux")
    fake_python(tmp_path / "bin/python3.11", "cpython 3 11 cpython-311-x linux")
    assert bootstrap.find_python({"PATH": str(tmp_path / "bin")}).path == str(expected)


@pytest.mark.usefixtures("old_python")
def test_an_old_python_finds_the_runners_tool_cache(tmp_path: Path) -> None:
    """A Python that an earlier setup step left in the tool cache serves."""
    expected = fake_python(
        tmp_path / "Python/3.13.1/arm64/bin/python", "cpython 3 13 cpython-313-x linux"
    )
    found = bootstrap.find_python({"PATH": "", "RUNNER_TOOL_CACHE": str(tmp_path)})
    assert found.path == str(expected)


@pytest.mark.usefixtures("old_python")
def test_no_supported_python_is_an_error_that_names_the_fix() -> None:
    """The way out is a newer image or a setup step."""
    with pytest.raises(bootstrap.BootstrapError, match="actions/setup-python") as error:
        bootstrap.find_python({"PATH": "/nowhere"})
    assert error.value.exit_code == 2


def test_a_failing_installers_words_cannot_command_the_runner(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An index's answer is data: none of its lines is taken for a workflow command."""
    bootstrap._show("pip", "::set-env name=X::1\n##[error]no\n", {"GITHUB_ACTIONS": "true"})
    shown = capsys.readouterr().out
    assert not any(line.strip().startswith("::") for line in shown.splitlines())
    assert "##[" not in shown
