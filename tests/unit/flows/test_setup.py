"""`init` as people start it: what it writes, what it never overwrites, what it calls drift."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest
import yaml

from docs.reference import configuration
from incident_actions.config import read_config
from incident_actions.domain.readiness.drift import Drift, digest, drift
from incident_actions.gate_readers import listed_services
from incident_actions.render.scaffold import SCAFFOLD, Choices, editor_schema, files
from tests.support.shop import readme_workflows

ROOT = Path(__file__).resolve().parents[3]
TOOLS = Path(sys.executable).parent
OWNER = ("--owner", "acme", "--yes")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty repository."""
    (tmp_path / "repo" / ".git").mkdir(parents=True)
    return tmp_path / "repo"


def init(folder: Path, *flags: str) -> subprocess.CompletedProcess[str]:
    """Run `incident-actions init` in a folder, with nobody at the keyboard."""
    return subprocess.run(
        [sys.executable, "-m", "incident_actions", "init", *flags],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def listed(told: str) -> int:
    """How many new files it names, alone or as so many of a folder."""
    each = len(re.findall(r"^new: \S+[^/] \(", told, re.MULTILINE))
    return each + sum(map(int, re.findall(r"^new: \S+/ \((\d+) pages\)", told, re.MULTILINE)))


def texts(folder: Path) -> dict[str, str]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in found}


def test_an_empty_repository_gets_everything(folder: Path) -> None:
    """Forms, workflows, configuration with its schema, the playbook, and the record of it."""
    done = init(folder, *OWNER)
    assert done.returncode == 0, done.stdout + done.stderr
    assert texts(folder).keys() >= {
        ".github/ISSUE_TEMPLATE/incident.yml",
        ".github/ISSUE_TEMPLATE/freeze.yml",
        ".github/ISSUE_TEMPLATE/config.yml",
        ".github/workflows/incident.yml",
        ".github/workflows/deploy.yml",
        ".github/incident.yml",
        ".github/incident.schema.json",
        "ops/runbooks/incident-checklist.md",
        "ops/runbooks/502-errors.md",
        "ops/postmortems/README.md",
    }
    paths = texts(folder)
    assert listed(done.stdout) == len(paths)
    assert "+++" not in done.stdout
    for path, text in texts(folder).items():
        assert "OWNER/incident-actions" not in text or path.startswith("ops/"), path


def test_a_second_time_there_is_nothing_to_do(folder: Path) -> None:
    """The same answers are remembered, and no file changes."""
    init(folder, *OWNER, "--service", "api, worker", "--commander", "dana")
    before = texts(folder)
    done = init(folder, "--yes")
    assert (done.returncode, texts(folder)) == (0, before)
    assert "Nothing to write" in done.stdout
    assert init(folder, "--check").returncode == 0


def test_nobody_at_the_keyboard_and_no_yes_writes_nothing(folder: Path) -> None:
    """The files are named and counted, and the error says what to add."""
    done = init(folder, "--owner", "acme")
    assert done.returncode == 2
    assert "--yes" in done.stderr
    assert f"{listed(done.stdout)} files would be written" in done.stderr
    assert texts(folder) == {}


def test_an_unknown_owner_is_an_error(folder: Path) -> None:
    """There is nothing to guess it from: the flag is named."""
    done = init(folder, "--owner", "not a name", "--yes")
    assert done.returncode == 2
    assert "--owner" in done.stderr
    assert texts(folder) == {}


def test_a_file_of_the_teams_is_never_overwritten_without_asking(folder: Path) -> None:
    """Their form, and their edits of ours, stay as they are."""
    theirs = folder / ".github" / "ISSUE_TEMPLATE" / "incident.yml"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("name: Ours\n", "utf-8")
    done = init(folder, *OWNER)
    assert theirs.read_text("utf-8") == "name: Ours\n"
    own = "kept, as a file of your own is there: .github/ISSUE_TEMPLATE/incident.yml"
    assert own in done.stdout
    assert "with your changes" not in done.stdout
    record = json.loads((folder / ".github/incident.init.json").read_text("utf-8"))
    assert ".github/ISSUE_TEMPLATE/incident.yml" not in record["files"]
    page = folder / "ops" / "runbooks" / "triage.md"
    page.write_text("# Ours\n", "utf-8")
    init(folder, "--yes")
    assert page.read_text("utf-8") == "# Ours\n"
    assert init(folder, "--check").returncode == 0


def outdate(folder: Path, path: str, *, edited: bool) -> None:
    """Act as if an older version had written this file, which the team edited or not."""
    record = folder / ".github" / "incident.init.json"
    known = json.loads(record.read_text("utf-8"))
    older = "# an older version's text\n"
    known["files"][path] = digest(older)
    record.write_text(json.dumps(known), "utf-8")
    (folder / path).write_text(older + ("# and our own line\n" if edited else ""), "utf-8")


def test_check_tells_what_an_upgrade_would_change(folder: Path) -> None:
    """An outdated file is drift, with its diff; `init --yes` brings it up to date."""
    init(folder, *OWNER)
    path = ".github/workflows/incident.yml"
    outdate(folder, path, edited=False)
    done = init(folder, "--check")
    assert done.returncode == 1
    assert f"outdated: {path}" in done.stdout
    assert "-# an older version's text" in done.stdout
    assert init(folder, "--yes").returncode == 0
    assert "acme/incident-actions@v1" in (folder / path).read_text("utf-8")
    assert init(folder, "--check").returncode == 0


def test_check_tells_a_newer_text_from_the_teams_edit(folder: Path) -> None:
    """Where both changed, the team decides; `--yes` is no leave to overwrite."""
    init(folder, *OWNER)
    path = "ops/runbooks/triage.md"
    outdate(folder, path, edited=True)
    done = init(folder, "--check")
    assert done.returncode == 1
    assert f"newer, and changed by you: {path}" in done.stdout
    init(folder, "--yes")
    assert "our own line" in (folder / path).read_text("utf-8")


def test_check_tells_a_workflow_that_is_gone(folder: Path) -> None:
    """An upgrade writes it again: it is needed."""
    init(folder, *OWNER)
    (folder / ".github" / "workflows" / "incident.yml").unlink()
    done = init(folder, "--check")
    assert done.returncode == 1
    assert "missing: .github/workflows/incident.yml" in done.stdout


def test_a_runbook_that_is_gone_is_drift_and_comes_back_on_a_yes_only(folder: Path) -> None:
    """It is told; nobody there to ask leaves it out, and a no settles it."""
    init(folder, *OWNER)
    page = folder / "ops" / "runbooks" / "worker-backlog.md"
    page.unlink()
    done = init(folder, "--check")
    assert done.returncode == 1
    assert "missing: ops/runbooks/worker-backlog.md" in done.stdout
    assert "left out, as you deleted it: ops/runbooks/w" in init(folder, "--yes").stdout
    assert not page.exists()
    assert init(folder, "--check").returncode == 1

    assert "Write ops/runbooks/worker-backlog.md again?" in at_the_keyboard(folder, "y\n")
    assert page.exists()
    page.unlink()
    at_the_keyboard(folder, "n\n")
    assert not page.exists()
    assert init(folder, "--check").returncode == 0
    init(folder, "--yes")
    assert not page.exists()
    assert init(folder, "--check").returncode == 0


def test_a_team_that_deploys_already_keeps_its_workflow(folder: Path) -> None:
    """No second deploy workflow appears; the one that needs the gate is named."""
    theirs = folder / ".github" / "workflows" / "ship.yml"
    theirs.parent.mkdir(parents=True)
    theirs.write_text(
        "on: push\njobs:\n  ship: {environment: production, runs-on: x, steps: [{run: x}]}\n",
        "utf-8",
    )
    done = init(folder, *OWNER)
    assert not (folder / ".github" / "workflows" / "deploy.yml").exists()
    assert ".github/workflows/ship.yml seems to deploy" in done.stdout


def test_the_owner_is_read_from_workflows_that_were_copied_by_hand(folder: Path) -> None:
    """A team that followed the README has said it already."""
    for path, text in readme_workflows().items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text.replace("OWNER/", "initech/"), "utf-8")
    assert init(folder, "--yes").returncode == 0
    known = json.loads((folder / ".github" / "incident.init.json").read_text("utf-8"))
    assert known["choices"]["owner"] == "initech"


def test_what_init_writes_is_what_the_readme_shows() -> None:
    """One source: a team that copies and a team that runs `init` have the same workflows."""
    written = files(Choices("OWNER"), deploy=True)
    assert readme_workflows()
    for path, text in readme_workflows().items():
        assert written[path] == text


PIN = "0123456789abcdef0123456789abcdef01234567 v1.0.0"


@pytest.mark.parametrize("pin", [None, PIN], ids=["v1", "pinned"])
@pytest.mark.parametrize("services", [(), ("api", "worker", "no: yes")])
def test_what_init_writes_passes_the_linters(
    services: tuple[str, ...], pin: str | None, tmp_path: Path
) -> None:
    """GitHub takes the forms and the workflows, and a security audit finds nothing in them."""
    written = files(Choices("acme", services, "dana", "acme/shop", pin), deploy=True)
    for path, text in written.items():
        file = tmp_path / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
    schemas = {
        ".github/ISSUE_TEMPLATE/incident.yml": "vendor.github-issue-forms",
        ".github/ISSUE_TEMPLATE/freeze.yml": "vendor.github-issue-forms",
        ".github/ISSUE_TEMPLATE/config.yml": "vendor.github-issue-config",
    }
    for path, schema in schemas.items():
        lint("check-jsonschema", "--builtin-schema", schema, tmp_path / path)
    lint_workflows(tmp_path)


def lint_workflows(folder: Path) -> None:
    """The schema, actionlint and zizmor on all workflows of a repository."""
    workflows = sorted((folder / ".github" / "workflows").iterdir())
    assert workflows
    lint("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *workflows)
    lint("actionlint", *workflows)
    lint("zizmor", "--offline", "--no-progress", folder)


def lint(tool: str, *arguments: str | Path) -> None:
    """Run a linter, offline; its findings are the test's failure."""
    done = subprocess.run(
        [TOOLS / tool, *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_services_become_a_choice_in_the_form() -> None:
    """Nobody mistypes a service at three in the morning."""
    written = files(Choices("acme", ("api", "worker")), deploy=False)
    form = yaml.safe_load(written[".github/ISSUE_TEMPLATE/incident.yml"])
    (field,) = (each for each in form["body"] if each.get("id") == "services")
    assert (field["type"], field["attributes"]["options"]) == ("dropdown", ["api", "worker"])
    assert field["attributes"]["multiple"] is True


@pytest.mark.parametrize("name", ["API server", "bad/name", "all", "n/a", "caf\u00e9", "a" * 41])
def test_a_service_without_a_plain_name_is_refused(folder: Path, name: str) -> None:
    """It says what to type, and writes nothing."""
    done = init(folder, *OWNER, "--service", name)
    assert (done.returncode, texts(folder)) == (2, {})
    assert f"`{name}`" in done.stderr
    assert "such as `" in done.stderr


def test_the_services_are_the_one_list_of_the_configuration() -> None:
    """Both forms' dropdowns hold the same names."""
    written = files(Choices("acme", ("api", "worker")), deploy=False)
    assert read_config(written[".github/incident.yml"]).service_names() == ("api", "worker")
    assert listed_services(written[".github/incident.yml"]) == ("api", "worker")
    for name, label in (("incident", "Affected services"), ("freeze", "Services")):
        form = yaml.safe_load(written[f".github/ISSUE_TEMPLATE/{name}.yml"])
        (field,) = (each for each in form["body"] if each.get("id") == "services")
        attributes = field["attributes"]
        assert (attributes["label"], attributes["options"]) == (label, ["api", "worker"])


def test_the_forms_follow_the_teams_own_list(folder: Path) -> None:
    """A service that is added to the configuration comes into the forms; the list stays."""
    init(folder, *OWNER, "--service", "api")
    config = folder / ".github" / "incident.yml"
    edited = config.read_text("utf-8").replace('  - "api"', "  - {name: api, title: API}\n  - web")
    config.write_text(edited, "utf-8")
    assert init(folder, "--check").returncode == 1
    init(folder, "--yes")
    assert config.read_text("utf-8") == edited
    form = yaml.safe_load((folder / ".github/ISSUE_TEMPLATE/incident.yml").read_text("utf-8"))
    (field,) = (each for each in form["body"] if each.get("id") == "services")
    assert field["attributes"]["options"] == ["api", "web"]
    assert init(folder, "--check").returncode == 0


def test_the_commander_is_in_the_configuration() -> None:
    """The one name that was asked for."""
    text = files(Choices("acme", commander="dana"), deploy=False)[".github/incident.yml"]
    assert read_config(text).roles.commander == "dana"
    assert read_config(files(Choices("acme"), deploy=False)[".github/incident.yml"])


def test_every_commented_line_of_the_configuration_is_valid() -> None:
    """Whichever `#` a team takes off, it gets a configuration that is read."""
    lines = (SCAFFOLD / "incident.yml").read_text("utf-8").splitlines()
    live = [line.removeprefix("# ") if _is_key(line) else line for line in lines]
    config = read_config("\n".join(live))
    assert config.roles.commander == "alice"
    assert config.on_call is not None
    keys = {line.partition(":")[0] for line in live if line[:1].isalpha()}
    rest = {row.split("`")[1].split(".")[0] for row in configuration().splitlines()[2:]}
    assert keys <= rest


def _is_key(line: str) -> bool:
    text = line.removeprefix("# ")
    return line.startswith("# ") and (text.startswith("  ") or text.split(":")[0].islower()) and (
        ":" in text and not text.startswith("yaml-")
    )  # fmt: skip


def test_the_schema_takes_what_the_program_takes() -> None:
    """An editor marks the same mistakes."""
    check = jsonschema_rs.validator_for(editor_schema())
    assert check.is_valid({"version": 1, "roles": {"commander": "dana"}})
    assert not check.is_valid({"rolls": {}})
    assert not check.is_valid({"verification": {"minutes": -1}})


def test_without_a_known_repository_the_chooser_has_no_dead_link() -> None:
    """GitHub wants an absolute address there."""
    path = ".github/ISSUE_TEMPLATE/config.yml"
    assert yaml.safe_load(files(Choices("acme"), deploy=False)[path]) == {
        "blank_issues_enabled": True
    }
    (link,) = yaml.safe_load(files(Choices("a", repository="a/shop"), deploy=False)[path])[
        "contact_links"
    ]
    assert link["url"] == "https://github.com/a/shop/security/advisories/new"


@pytest.mark.parametrize(
    ("actual", "recorded", "state"),
    [
        (None, None, Drift.NEW),
        (None, "old", Drift.MISSING),
        ("new", None, Drift.SAME),
        ("new\r\n".strip(), "old", Drift.SAME),
        ("mine", "new", Drift.EDITED),
        ("old", "old", Drift.OUTDATED),
        ("mine", "old", Drift.CONFLICT),
        ("mine", None, Drift.CONFLICT),
    ],
)
def test_drift_is_told_from_three_texts(
    actual: str | None, recorded: str | None, state: Drift
) -> None:
    """As written, as it is, and as it would be written now."""
    assert drift("new", actual, digest(recorded) if recorded else None) is state


def at_the_keyboard(folder: Path, answers: str, *flags: str, code: int = 0) -> str:
    """Run `init` on a terminal of its own, with these answers typed ahead; what it showed.

    Control-D (`\\x04`) at the start of a line ends the terminal's input.
    """
    keyboard, terminal = pty.openpty()
    os.write(keyboard, answers.encode())
    try:
        done = subprocess.run(
            [sys.executable, "-m", "incident_actions", "init", *flags],
            cwd=folder,
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
            stdin=terminal,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(keyboard)
        os.close(terminal)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_on_a_terminal_it_asks(folder: Path) -> None:
    """Owner, services, commander, and whether to write; a no writes nothing."""
    shown = at_the_keyboard(folder, "acme\napi, worker\ndana\nn\n")
    assert "Nothing was written" in shown
    assert texts(folder) == {}
    at_the_keyboard(folder, "acme\napi, worker\ndana\ny\n")
    known = json.loads((folder / ".github" / "incident.init.json").read_text("utf-8"))
    assert known["choices"] == {
        "owner": "acme",
        "services": ["api", "worker"],
        "commander": "dana",
    }


def test_a_bad_answer_is_asked_again(folder: Path) -> None:
    """A slip of the finger costs one line, not the whole set-up."""
    at_the_keyboard(folder, "not a name\nacme\nbad/name\napi\n\ny\n")
    known = json.loads((folder / ".github" / "incident.init.json").read_text("utf-8"))
    assert known["choices"] == {"owner": "acme", "services": ["api"]}


def test_a_folder_that_is_no_git_repository_is_told(tmp_path: Path) -> None:
    """It is set up all the same: `git init` may come later."""
    done = init(tmp_path, *OWNER)
    assert done.returncode == 0
    assert "no git repository" in done.stderr


def test_on_a_terminal_each_file_with_own_changes_is_asked_for(folder: Path) -> None:
    """Only a yes overwrites it."""
    init(folder, *OWNER, "--service", "api", "--commander", "dana")
    path = "ops/runbooks/triage.md"
    outdate(folder, path, edited=True)
    assert f"Overwrite {path}" in at_the_keyboard(folder, "n\n")
    assert "our own line" in (folder / path).read_text("utf-8")
    outdate(folder, path, edited=True)
    at_the_keyboard(folder, "y\n")
    assert "our own line" not in (folder / path).read_text("utf-8")
