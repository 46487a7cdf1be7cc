"""Rules of this code base that no linter knows."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from incident_actions.render.scaffold import Choices, files
from tests.support.archive import tracked

ROOT = Path(__file__).resolve().parents[3]
PACKAGE = ROOT / "incident_actions"
ALONE = ("gate.py", "bootstrap.py")
GATE_PARTS = sorted(path.name for path in PACKAGE.glob("gate_*.py"))  # imported by the gate alone

GATE = {"gate", *(name.removesuffix(".py") for name in GATE_PARTS)}

# Who may import whom. A module at the top of the package is its own layer.
MAY_IMPORT = {
    "errors": set[str](),
    "our_files": set[str](),
    "origin": {"our_files"},
    "domain": {"errors", "gate_readers"},
    "config": {"errors", "domain"},
    "render": {"errors", "our_files", "domain", "config"},
    "github": {"errors", "domain"},
    "reconcile": {"errors", "our_files", "domain", "config", "render", "github", *GATE},
    "cli": {
        "errors",
        "our_files",
        "origin",
        "domain",
        "config",
        "render",
        "github",
        "reconcile",
        *GATE,
    },
    "__main__": {"cli"},
    "__init__": set[str](),
    **dict.fromkeys(GATE, GATE),
    "gate_readers": set[str](),
    "bootstrap": set[str](),
    "sandbox": {"our_files"},  # whose forms and workflows it plays
}

OURS_OR_PINNED = re.compile(r"^\./|^\$/\.github/|@[0-9a-f]{40}$")

# Outside of the standard library: what the pure core may use, and who alone talks to GitHub.
PURE = {"msgspec", "markdown_it", "dateutil", "mdurl", "pathspec", "yaml"}


def modules() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def layer(path: Path) -> str:
    """`domain` for incident_actions/domain/forms.py, `cli` for incident_actions/cli.py."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def imports(path: Path) -> Iterator[str]:
    """The full names of what a module imports, wherever in it."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            name = ".".join([*base, node.module] if node.module else base)
            yield name
            yield from (f"{name}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_inwards(path: Path) -> None:
    """A layer imports only the layers that it may; the sandbox can't share our bugs."""
    own = layer(path)
    siblings = {
        name.split(".")[1]
        for name in imports(path)
        if name.startswith("incident_actions.") and name != "incident_actions.__version__"
    }
    assert siblings - {own} <= MAY_IMPORT[own]


@pytest.mark.parametrize("name", [*ALONE, *GATE_PARTS])
def test_programs_that_stand_alone_import_the_standard_library_only(name: str) -> None:
    """They run before anything is installed."""
    roots = {module.split(".")[0] for module in imports(PACKAGE / name)}
    ours = {"incident_actions"} if layer(PACKAGE / name) in GATE else set()  # see MAY_IMPORT
    assert roots - ours <= sys.stdlib_module_names


def test_only_one_room_imports_the_github_library() -> None:
    """One place talks to GitHub."""
    users = {
        layer(path) for path in modules() if "github" in {n.split(".")[0] for n in imports(path)}
    }
    assert users <= {"github"}


def writing_methods() -> set[str]:
    """The methods of the client that send anything else than a GET."""
    found = set()
    for path in sorted((PACKAGE / "github").glob("*.py")):
        for method in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(method, ast.FunctionDef) or path.name == "transport.py":
                continue
            for call in ast.walk(method):
                if isinstance(call, ast.Call):
                    asked = ast.unparse(call.func)
                    reads = asked == "self.send" and ast.unparse(call.args[0]) == "'GET'"
                    if asked in {"self.send", "self._create", "self._graphql"} and not reads:
                        found.add(method.name)
    return found


def test_only_apply_changes_anything_on_github() -> None:
    """Each method of the client that writes is in its table, and is named by no other module."""
    writing = writing_methods()
    assert len(writing) > 10
    table = PACKAGE / "reconcile" / "apply.py"
    applied = {
        node.attr
        for node in ast.walk(ast.parse(table.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "GitHub"
    }
    assert applied == writing
    for path in modules():
        if path != table and layer(path) not in {"github", "sandbox"}:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Attribute) and node.attr in {*writing, "send", "_create"}:
                    owner = ast.unparse(node.value).rpartition(".")[2].strip("_").casefold()
                    assert owner not in {"github", "hub", "client"}, f"{path}: {node.attr}"


def test_the_domain_does_no_io() -> None:
    """No clock, file, network or environment is reached from the core."""
    outside = {"os", "io", "pathlib", "socket", "http", "subprocess", "time", "urllib.request"}
    for path in modules():
        if layer(path) == "domain":
            names = set(imports(path))
            roots = {name.split(".")[0] for name in names}
            assert not (names | roots) & outside, path
            assert roots - PURE - {"incident_actions", "__future__"} <= sys.stdlib_module_names, (
                path
            )


def pythons() -> list[str]:
    """Each Python from 3.9 on of this machine that starts."""
    names = [f"python3.{minor}" for minor in range(9, 15)]
    found = [path for name in names if (path := shutil.which(name))]
    managed = Path.home() / ".pyenv" / "versions"
    found += [str(path) for path in managed.glob("3.*/bin/python3")]
    usable = {}
    for path in [sys.executable, *found]:
        ask = [path, "-I", "-S", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
        answer = subprocess.run(ask, capture_output=True, text=True, timeout=20, check=False)
        version = answer.stdout.strip()
        if answer.returncode == 0 and int(version.split(".")[1]) >= 9:
            usable.setdefault(version, path)
    return list(usable.values())


@pytest.mark.parametrize("name", [*ALONE, *GATE_PARTS])
def test_programs_that_stand_alone_start_on_old_pythons(name: str) -> None:
    """A runner's own Python may be 3.9: the syntax holds, and nothing newer is used on import."""
    source = (PACKAGE / name).read_text("utf-8")
    ast.parse(source, feature_version=(3, 9))
    load = f"import runpy; runpy.run_path({str(PACKAGE / name)!r})"
    if name in GATE_PARTS:
        folder, module = str(ROOT), f"incident_actions.{name.removesuffix('.py')}"
        load = f"import sys; sys.path.append({folder!r}); import {module}"
    for python in pythons():
        started = [python, "-I", "-S", "-B", "-W", "error", "-c", load]
        done = subprocess.run(started, capture_output=True, text=True, timeout=30, check=False)
        assert done.returncode == 0, f"{python}: {done.stderr}"


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_every_locked_requirement_has_a_hash(name: str) -> None:
    """Each is one exact version with hashes, and no index's address is written down."""
    text = (ROOT / name).read_text("utf-8")
    entries = text.replace("\\\n", " ").splitlines()
    assert entries
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==[^ ]+ .*--hash=sha256:[0-9a-f]{64}", entry), entry[:60]
    assert "://" not in text


def test_development_uses_the_versions_that_users_run() -> None:
    """What the tests ran against is what the action installs."""
    pin = re.compile(r"^([a-z0-9-]+==\S+)", re.MULTILINE)
    runtime = set(pin.findall((ROOT / "requirements.txt").read_text("utf-8")))
    development = set(pin.findall((ROOT / "requirements-dev.txt").read_text("utf-8")))
    assert runtime <= development


def test_actions_are_pinned_by_commit() -> None:
    """A moved tag can't change what our workflows run. Our own actions are this commit's."""
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        for job in yaml.safe_load(path.read_text("utf-8"))["jobs"].values():
            for step in job.get("steps", []):
                assert OURS_OR_PINNED.search(step.get("uses", "./")), path.name


def test_nothing_that_github_reads_names_a_place_for_an_owner() -> None:
    """A fork runs these files as they are; so does a team those that `init` wrote."""
    own = {name: (ROOT / name).read_text("utf-8") for name in tracked(".github", "action.yml")
           if name.endswith(".yml")}  # fmt: skip
    written = files(Choices("acme", repository="acme/shop"), deploy=True)
    github = {name: text for name, text in written.items() if name.startswith(".github/")}
    assert len(own) > 5
    assert len(github) > 5
    for name, text in {**own, **github}.items():
        assert "OWNER" not in text, name
