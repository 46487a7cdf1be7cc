"""What `pip install`, `pipx` and `uvx` give: the whole program, from a wheel without its tree."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import incident_actions
from incident_actions.render.scaffold import Choices, files
from incident_actions.sandbox import Sandbox
from tests.support.archive import tracked
from tests.support.events import form_body
from tests.support.programs import ROOT

UV = Path(sys.executable).with_name("uv")
READ_AT_RUN_TIME = (
    "action.yml", "templates", "ops", ".github/ISSUE_TEMPLATE",
    ".github/workflows/incident.yml", ".github/workflows/deploy-gate.yml",
)  # fmt: skip


def run(command: Sequence[str | Path], folder: Path, **variables: str) -> str:
    """Run a command to its good end, as somebody would who has nothing set; gives its output."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), **variables}
    done = subprocess.run(
        command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True,
        encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from a source distribution of this working tree."""
    tree = tmp_path_factory.mktemp("tree")
    for name in tracked(":!tests"):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_bytes((ROOT / name).read_bytes())
    # What an earlier build left there is not to come along.
    (tree / "build/lib/incident_actions").mkdir(parents=True)
    (tree / "build/lib/incident_actions/gone.py").touch()
    run([sys.executable, "-m", "build", "--no-isolation"], tree)
    [built] = (tree / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def program(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`incident-actions` in an environment that holds the wheel and the locked packages alone."""
    home = tmp_path_factory.mktemp("environment")
    run([sys.executable, "-m", "venv", "--without-pip", home / "venv"], home)
    python = home / "venv/bin/python"
    install = [UV, "pip", "install", "--quiet", "--offline", "--no-deps", "--python", python]
    run([*install, wheel], home)
    packages = home / "packages"
    packages.mkdir()
    for name in re.findall(r"^([\w.-]+)==", (ROOT / "requirements.txt").read_text("utf-8"), re.M):
        found = distribution(name)
        for top in {file.parts[0] for file in found.files or () if file.parts[0] != ".."}:
            if top != "__pycache__":
                (packages / top).symlink_to(found.locate_file(top))
    [site] = home.glob("venv/lib/python3.*/site-packages")
    (site / "locked.pth").write_text(f"{packages}\n", "utf-8")
    return home / "venv/bin/incident-actions"


def test_the_wheel_holds_what_the_program_needs_and_nothing_else(wheel: Path) -> None:
    """The package, and under `data` the files that it reads; no tests, no locks, no pictures."""
    expected = {name for name in tracked("incident_actions") if name.endswith((".py", ".toml"))}
    expected |= {f"incident_actions/data/{name}" for name in tracked(*READ_AT_RUN_TIME)}
    with zipfile.ZipFile(wheel) as packed:
        names = {name for name in packed.namelist() if ".dist-info/" not in name}
        assert names == expected
        for name in (n for n in names if n.startswith("incident_actions/data/")):
            original = ROOT / name.removeprefix("incident_actions/data/")
            assert packed.read(name) == original.read_bytes(), name


def test_its_metadata_comes_from_one_place(wheel: Path) -> None:
    """The version from the package, what it requires from `requirements.in`."""
    version = incident_actions.__version__
    assert wheel.name == f"incident_actions-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as packed:
        metadata = packed.read(f"incident_actions-{version}.dist-info/METADATA").decode()
    required = re.findall(r"^Requires-Dist: (.*)", metadata, re.MULTILINE)
    lines = (ROOT / "requirements.in").read_text("utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert {str(Requirement(line)) for line in required} == {
        str(Requirement(line)) for line in wanted
    }


def test_the_whole_setup_comes_from_the_wheel(program: Path, tmp_path: Path) -> None:
    """In a fresh repository `init` writes the same files as from a checkout, byte for byte."""
    assert run([program, "--version"], tmp_path) == (
        f"incident-actions {incident_actions.__version__}\n"
    )
    run(["git", "init", "--quiet"], tmp_path)
    run([program, "init", "--owner", "acme", "--service", "api", "--yes"], tmp_path)
    wanted = files(Choices("acme", ("api",)), deploy=True)
    written = {name: (tmp_path / name).read_text("utf-8") for name in wanted}
    assert written == wanted


def test_the_checklist_and_the_lint_come_from_the_wheel(program: Path, tmp_path: Path) -> None:
    """They read the playbook and the templates that come along."""
    assert "<html" in run([program, "checklist", "--html"], tmp_path)
    draft = tmp_path / "2026-11-23-12-logins.md"
    draft.write_text("# Logins fail\n", "utf-8")
    lint = subprocess.run(
        [program, "postmortem", "lint", draft], cwd=tmp_path, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert lint.returncode == 1, lint.stderr
    assert "This is a bug" not in lint.stdout + lint.stderr


def test_an_incident_is_looked_after_from_the_wheel(
    program: Path, sandbox: Sandbox, tmp_path: Path
) -> None:
    """The dashboard, the comments and the drill's files are there; each template compiles."""
    sandbox.repository("acme/shop", labels=["incident"])
    sandbox.user("alice", permission={"acme/shop": "write"}, member_of=["acme"])
    rights = ("actions", "checks", "contents", "issues", "pull-requests")
    scopes = {"metadata": "read", "deployments": "read", **dict.fromkeys(rights, "write")}
    sandbox.actions_token("job-token", "acme/shop", scopes)
    answers = {"severity": "SEV1", "summary": "Logins fail.", "affected": "All."}
    issue = sandbox.as_user("alice", "acme/shop").file_form_issue("Down", form_body(answers))
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"action": "opened", "issue": issue}), "utf-8")
    run(
        [program, "respond"], tmp_path, GITHUB_ACTIONS="true", GITHUB_EVENT_NAME="issues",
        GITHUB_EVENT_PATH=str(event), GITHUB_API_URL=sandbox.url, GITHUB_TOKEN="job-token",
        GITHUB_REPOSITORY="acme/shop", GITHUB_SERVER_URL="https://github.com",
    )  # fmt: skip
    seen = sandbox.as_user("alice", "acme/shop").issue(1)
    assert "<!-- incident-actions:begin -->" in seen["body"]
    assert "sev1" in {label["name"] for label in seen["labels"]}

    code = (
        "from incident_actions.sandbox.drill import contract\n"
        "from incident_actions.sandbox.drill.programs import Programs\n"
        "from incident_actions.our_files import OUR_FILES, PACKAGE\n"
        "assert OUR_FILES == PACKAGE / 'data'\n"
        "assert contract.cron(contract.RESPOND) and contract.permissions(contract.DEPLOY, 'gate')\n"
        "assert contract.step_environment('gate', {}, {'token': 't', 'repository': 'a/b'})\n"
        "import pathlib; assert pathlib.Path(Programs().gate[-1]).is_file()\n"
    )
    run([program.with_name("python"), "-c", code], tmp_path)
