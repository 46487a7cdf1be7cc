"""What keeps the house small and plain: numbers of its source, and of one run through it."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import measure
from tests.support.measure import PACKAGE, ROOT

MOST_LINES_OF_CODE = 18_000
MOST_MODULES_OF_AN_ACK = 41
MOST_COMPLEX = {"gate": 20, "the rest": 15}

# From the ground up: a room may import those before it, and itself. The gate stands beside them:
# of its modules the readers are for everybody, the others for jobs and commands only.
ROOMS = (
    "errors", "our_files", "origin", "gate_readers", "domain/text", "domain/issue",
    "domain/changes", "domain/playbook", "domain/freeze", "domain/reminders", "domain/timeline",
    "domain/readiness", "domain/postmortem", "domain/projection", "config", "render", "github",
    "gate", "reconcile", "cli",
)  # fmt: skip


def room(name: str) -> str:
    """`domain/text` for `incident_actions.domain.text.times`, `cli` for `incident_actions.cli`."""
    parts = name.split(".")[1:]
    if parts[:1] == ["domain"]:
        return "/".join(parts[:2])
    gate = parts[0].startswith("gate") and parts[0] != "gate_readers"
    return "gate" if gate else parts[0]


def imported(path: Path) -> Iterator[str]:
    """The full names of our own modules that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("incident_actions"):
            for alias in node.names:
                full = f"{node.module}.{alias.name}"
                file = ROOT / (full.replace(".", "/") + ".py")
                yield full if file.exists() or file.with_suffix("").is_dir() else str(node.module)


@pytest.mark.parametrize(
    "path", measure.modules(), ids=lambda path: path.relative_to(ROOT).as_posix()
)
def test_arrows_go_down_only(path: Path) -> None:
    """A room imports only rooms below it."""
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
    own = room(name)
    if own in ("__init__", "__main__", "bootstrap"):
        return
    for found in imported(path):
        if found != "incident_actions.__version__" and found != "incident_actions":
            assert ROOMS.index(room(found)) <= ROOMS.index(own), f"{own} imports {found}"


def test_no_two_public_classes_share_a_name() -> None:
    """One concept, one name."""
    places = defaultdict(list)
    for name, path in measure.public_classes():
        places[name].append(path.relative_to(ROOT).as_posix())
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


def test_the_package_stays_small() -> None:
    """Code without blank lines, comments and docstrings; `python -m tests.support.measure`."""
    assert sum(map(measure.code_lines, measure.modules())) <= MOST_LINES_OF_CODE


@pytest.mark.parametrize(("what", "most"), MOST_COMPLEX.items())
def test_no_function_is_too_complex(what: str, most: int) -> None:
    """McCabe's complexity, by ruff."""
    gate = sorted(PACKAGE.glob("gate*.py"))
    paths = gate if what == "gate" else [p for p in measure.modules() if p not in gate]
    limit = f"lint.mccabe.max-complexity={most}"
    command = [sys.executable, "-m", "ruff", "check", "--select", "C901", "--config", limit]
    done = subprocess.run([*command, *paths], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_an_ack_passes_few_modules() -> None:
    """From the event to the last effect: so many files a reader has to know to follow a command."""
    files = measure.files_of_an_ack()
    assert len(files) <= MOST_MODULES_OF_AN_ACK, sorted(files)


def test_where_things_are_told_is_where_they_are() -> None:
    """Every path in CONTRIBUTING's table exists; a bare name is beside the one before it."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    rows = [line for line in text.split("\n") if line.startswith("| ")]
    missing, folder = [], PACKAGE
    for row in rows:
        for name in re.findall(r"`([\w./-]+(?:\.py|\.j2|\.yml|/))`", row):
            places = [base / name for base in (PACKAGE, ROOT, folder)]
            there = next((place for place in places if place.exists()), None)
            if there is None:
                missing.append(name)
            else:
                folder = there if there.is_dir() else there.parent
    assert len(rows) > 20
    assert missing == []
