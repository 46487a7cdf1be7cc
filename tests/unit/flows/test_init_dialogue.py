"""`init` and the people before it: its questions, the gate in their deploys, how it breaks off."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from incident_actions.sandbox import Sandbox
from tests.unit.flows.test_setup import (
    OWNER,
    ROOT,
    at_the_keyboard,
    init,
    lint,
    lint_workflows,
    texts,
)

SHIP = ".github/workflows/ship.yml"
SHIPPING = """\
# how we ship
name: Ship
on:
  push: { branches: [main] }
  workflow_dispatch:
permissions: {}
jobs:
  production:
    runs-on: ubuntu-latest
    environment: production
    permissions:
      contents: read # the code
    steps:
      # what we ship
      - run: ./ship
"""
GATE = "acme/incident-actions@v1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A repository of acme/shop that ships already."""
    config = tmp_path / "repo" / ".git" / "config"
    config.parent.mkdir(parents=True)
    config.write_text('[remote "origin"]\n\turl = git@github.com:acme/shop.git\n', "utf-8")
    ship = tmp_path / "repo" / SHIP
    ship.parent.mkdir(parents=True)
    ship.write_bytes(SHIPPING.encode())
    return tmp_path / "repo"


def start(folder: Path, *flags: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `init` with nobody at the keyboard, in this environment."""
    return subprocess.run(
        [sys.executable, "-m", "incident_actions", "init", *flags],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def ship(folder: Path) -> str:
    return (folder / SHIP).read_bytes().decode()


def test_the_gate_comes_into_a_deploy_on_a_yes(folder: Path) -> None:
    """The exact change is shown before; every line of the team's stays."""
    (folder / ".github/zizmor.yml").write_text("rules: {}\n", "utf-8")
    shown = at_the_keyboard(folder, "api\n\ny\ny\n", "--owner", "acme")
    assert f"+      - uses: {GATE}" in shown
    assert f"Put the gate into {SHIP}?" in shown
    assert "The gate is in .github/workflows/ship.yml" in shown
    assert set(SHIPPING.splitlines()) - set(ship(folder).splitlines()) == {"  workflow_dispatch:"}
    first = yaml.safe_load(ship(folder))["jobs"]["production"]["steps"][0]
    assert first["uses"] == GATE
    assert first["with"]["environment"] == "production"
    assert not (folder / ".github" / "workflows" / "deploy.yml").exists()
    assert init(folder, "--check").returncode == 0
    lint_workflows(folder)


def test_on_a_no_it_says_what_to_paste(folder: Path) -> None:
    """The file stays, byte for byte."""
    shown = at_the_keyboard(folder, "\n\ny\nn\n", "--owner", "acme")
    assert ship(folder) == SHIPPING
    assert "as the first step of the job `production`" in shown
    assert f"      - uses: {GATE}" in shown
    done = init(folder, "--check")
    assert done.returncode == 1
    assert f"deploys without the gate: {SHIP} (job `production`)" in done.stdout


def test_a_deploy_of_the_teams_is_changed_without_asking_by_a_flag_only(folder: Path) -> None:
    """`--yes` alone shows the change, and how to get it."""
    done = init(folder, *OWNER)
    assert done.returncode == 0
    assert ship(folder) == SHIPPING
    assert "`--gate` puts that in" in done.stdout
    assert init(folder, *OWNER, "--gate").returncode == 0
    assert GATE in ship(folder)
    assert init(folder, "--check").returncode == 0


@pytest.mark.parametrize("name", ["deploy.yml", "deploy.yaml", "production.yml"])
def test_a_deploy_workflow_of_any_name_gets_the_gate(folder: Path, name: str) -> None:
    """A `deploy.yml` that the team had before, too; line ends stay as they are."""
    (folder / SHIP).unlink()
    theirs = folder / ".github" / "workflows" / name
    theirs.write_bytes(SHIPPING.replace("\n", "\r\n").encode())
    init(folder, *OWNER, "--gate")
    text = theirs.read_bytes().decode()
    assert GATE in text
    assert text.count("\r\n") == text.count("\n")
    assert init(folder, "--check").returncode == 0


def test_several_workflows_are_asked_for_one_by_one(folder: Path) -> None:
    """A no to one is no no to the other."""
    (folder / ".github/workflows/release.yml").write_text(SHIPPING, "utf-8")
    at_the_keyboard(folder, "\n\ny\nn\ny\n", "--owner", "acme")
    assert GATE not in (folder / ".github/workflows/release.yml").read_text("utf-8")
    assert GATE in ship(folder)


def test_a_workflow_that_can_not_be_read_is_named(folder: Path) -> None:
    """Nobody can tell whether it deploys."""
    (folder / ".github/workflows/release.yml").write_text("jobs: [\n", "utf-8")
    done = init(folder, *OWNER)
    assert ".github/workflows/release.yml can't be read: line" in done.stdout


@pytest.mark.parametrize("typed", ["\x04", "acme\n\x04", "acme\n\n\n\x04", "acme\n\n\ny\n\x04"])
def test_control_d_at_any_question_writes_nothing(folder: Path, typed: str) -> None:
    """One plain line, exit code 2; the questions come before the first file."""
    before = texts(folder)
    shown = at_the_keyboard(folder, typed, code=2).strip().splitlines()
    assert shown[-1].startswith("The answers ended before the questions did")
    assert texts(folder) == before


def test_the_same_mistake_is_not_told_three_times(folder: Path) -> None:
    """A second time it ends; another mistake is told, and asked again."""
    shown = at_the_keyboard(folder, "a b\na b\n", code=2)
    assert shown.count("`a b` is no GitHub name") == 2
    shown = at_the_keyboard(folder, "a b\nc d\nacme\n\n\nn\n")
    assert "`c d` is no GitHub name" in shown
    assert "Nothing was written" in shown


def test_closed_input_is_nobody_at_the_keyboard(folder: Path) -> None:
    """Not a crash: it says what to add."""
    done = subprocess.run(
        ["sh", "-c", '"$0" -m incident_actions init --owner acme <&-', sys.executable],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "`--yes`" in done.stderr


@pytest.mark.parametrize("path", [".github/ISSUE_TEMPLATE", "ops"])
def test_a_place_that_can_not_be_written_is_named(folder: Path, path: str) -> None:
    """Before anything is written, and with what to do; a file where a folder belongs is one."""
    (folder / path).write_text("", "utf-8")
    before = texts(folder)
    done = init(folder, *OWNER)
    assert done.returncode == 2
    assert f"{path}/" in done.stderr
    assert "can't be written" in done.stderr
    assert "Nothing is written" in done.stderr
    assert texts(folder) == before
    assert "bug" not in done.stderr
    (folder / path).unlink()
    assert init(folder, *OWNER).returncode == 0
    assert init(folder, *OWNER, "--gate").returncode == 0
    assert init(folder, "--check").returncode == 0


@pytest.mark.parametrize("name", ["shop", "acme/", "a/b/c", "https://github.com/acme/shop"])
def test_the_repository_is_checked(folder: Path, name: str) -> None:
    """It becomes part of links."""
    done = init(folder, *OWNER, "--repository", name)
    assert done.returncode == 2
    assert "OWNER/NAME" in done.stderr


def test_each_question_says_what_it_is_for(folder: Path) -> None:
    """With an example, and what an empty answer means."""
    shown = at_the_keyboard(folder, "acme\n\n\nn\n")
    assert "such as `acme`" in shown
    assert "such as `api, worker`" in shown
    assert "such as `alice`" in shown
    assert "Services [all as one]:" in shown
    assert "Commander [whoever answers first]:" in shown


def test_what_was_answered_is_not_asked_again(folder: Path) -> None:
    """Not even when the answer was empty."""
    init(folder, *OWNER, "--gate")
    shown = at_the_keyboard(folder, "")
    assert "Services" not in shown
    assert "Nothing to write" in shown


def test_it_ends_with_what_is_next(folder: Path) -> None:
    """Commit, doctor, and a drill that blocks nobody, with the places for it."""
    told = init(folder, *OWNER).stdout.partition("Next:")[2]
    for what in ("git push", "doctor", "issues/new/choose", "gh workflow run rehearsal.yml"):
        assert what in told
    assert "Put your own deploy" not in told


def token(sandbox: Sandbox, role: str = "write") -> dict[str, str]:
    """acme/shop, and the environment of somebody with a token for it."""
    sandbox.repository("acme/shop", labels=["bug"])
    sandbox.user("alice", permission={"acme/shop": role})
    sandbox.token("ghp_x", "alice")
    return {"GITHUB_TOKEN": "ghp_x", "GITHUB_API_URL": sandbox.url}


def test_with_a_token_it_makes_the_labels(folder: Path, sandbox: Sandbox) -> None:
    """All of them, once; and says so."""
    given = token(sandbox)
    done = start(folder, *OWNER, **given)
    assert "Labels made: `action-item`, " in done.stdout
    labels = sandbox.as_user("alice", "acme/shop").ask("GET", "/labels?per_page=100")
    assert {"incident", "drill", "deploy-freeze", "sev1"} <= {each["name"] for each in labels}
    assert "The labels are all there" in start(folder, *OWNER, **given).stdout


def test_without_a_token_the_last_lines_say_the_one_command(folder: Path) -> None:
    """The first drill needs the labels; the command can be called as it stands."""
    last = init(folder, *OWNER).stdout.partition("Next:")[2]
    assert re.search(r"labels.*drill.*`GITHUB_TOKEN=.* -m incident_actions init --yes`", last)


@pytest.mark.parametrize("bad", ["ghp_wrong", "two\nlines", "ghp_x"])
def test_a_token_that_is_refused_is_a_plain_line(folder: Path, sandbox: Sandbox, bad: str) -> None:
    """All else is done, and the exit code says so."""
    given = {**token(sandbox, role="read"), "GITHUB_TOKEN": bad}
    done = start(folder, *OWNER, **given)
    assert done.returncode == 0
    assert "The labels could not be made: " in done.stdout
    assert "Traceback" not in done.stdout + done.stderr
    assert "`incident`" not in done.stdout
    assert (folder / ".github/incident.yml").exists()


def test_check_and_a_no_ask_nothing_of_github(folder: Path, sandbox: Sandbox) -> None:
    """They change nothing anywhere."""
    start(folder, "--check", "--owner", "acme", **token(sandbox))
    assert sandbox.requests() == 0


def released(sandbox: Sandbox) -> tuple[str, dict[str, str]]:
    """The commit of `v1` in acme/incident-actions, and the environment of who can see it."""
    given = token(sandbox)
    sandbox.repository("acme/incident-actions")
    sandbox.user("alice", permission={"acme/shop": "write", "acme/incident-actions": "write"})
    alice = sandbox.as_user("alice", "acme/incident-actions")
    commit = alice.push({"action.yml": "name: x\n"}, "Release")
    alice.ask("POST", "/git/refs", {"ref": "refs/tags/v1", "sha": commit})
    return commit, given


def test_a_copy_that_is_not_there_is_told_last(folder: Path, sandbox: Sandbox) -> None:
    """The workflows would find nothing to run; nothing of it once there is a tag `v1`."""
    done = start(folder, *OWNER, **token(sandbox))
    assert done.returncode == 0
    assert "`acme/incident-actions@v1`, which is not there" in done.stdout.splitlines()[-2]
    _, given = released(sandbox)
    assert "which is not there" not in start(folder, *OWNER, **given).stdout


def test_pinned_workflows_name_a_commit_and_its_version(folder: Path, sandbox: Sandbox) -> None:
    """What GitHub says of the tag; it stays at an upgrade, and passes the linters."""
    commit, given = released(sandbox)
    done = start(folder, *OWNER, "--pin", "--gate", **given)
    assert done.returncode == 0, done.stderr
    for path, text in texts(folder).items():
        if path.startswith(".github/workflows/"):
            assert f"uses: acme/incident-actions@{commit} # v1\n" in text
            assert "incident-actions@v1" not in text
    lint_workflows(folder)
    assert init(folder, "--check").returncode == 0


def test_an_edited_workflow_of_ours_is_pinned_and_keeps_its_deploy(
    folder: Path, sandbox: Sandbox
) -> None:
    """Nobody has to choose between a commit and their own steps."""
    (folder / SHIP).unlink()
    init(folder, *OWNER)
    deploy = ".github/workflows/deploy.yml"
    edit(folder, deploy, 'echo "your deploy"', "./ship # ours")
    commit, given = released(sandbox)
    done = start(folder, "--yes", "--pin", **given)
    assert "kept" not in done.stdout
    text = (folder / deploy).read_text("utf-8")
    assert f"uses: acme/incident-actions@{commit} # v1\n" in text
    assert "./ship # ours" in text
    assert init(folder, "--check").returncode == 0


def test_a_pin_that_is_not_known_says_how(folder: Path) -> None:
    """Nothing is written before."""
    before = texts(folder)
    done = init(folder, "--owner", "nobody-we-know", "--yes", "--pin")
    assert done.returncode == 2
    assert "gh auth token" in done.stderr
    assert texts(folder) == before


FORM = ".github/ISSUE_TEMPLATE/incident.yml"
CONFIG = ".github/incident.yml"


def edit(folder: Path, path: str, old: str, new: str) -> None:
    text = (folder / path).read_text("utf-8")
    assert old in text
    (folder / path).write_text(text.replace(old, new), "utf-8")


def options(folder: Path) -> list[str]:
    form = yaml.safe_load((folder / FORM).read_text("utf-8"))
    (field,) = (each for each in form["body"] if each.get("id") == "services")
    found = field["attributes"]["options"]
    assert isinstance(found, list)
    return found


def test_services_against_edited_files_change_the_list_and_no_word(folder: Path) -> None:
    """The forms and the configuration keep what the team wrote; the list is one."""
    init(folder, *OWNER, "--service", "api,worker")
    edit(folder, FORM, "What is broken?", "What hurts?  # really")
    edit(folder, CONFIG, '  - "api"', "  - { name: api, title: The API } # ours")
    words = (folder / FORM).read_text("utf-8")
    done = init(folder, "--yes", "--service", "web", "--service", "api")
    assert done.returncode == 0, done.stderr
    assert options(folder) == ["web", "api"]
    text = (folder / FORM).read_text("utf-8")
    assert set(words.splitlines()) - set(text.splitlines()) == {'        - "worker"'}
    assert "What hurts?  # really" in text
    config = (folder / CONFIG).read_text("utf-8")
    assert "  - { name: api, title: The API } # ours\n" in config
    services = yaml.safe_load(config)["services"]
    assert services == ["web", {"name": "api", "title": "The API"}]
    assert init(folder, "--check").returncode == 1  # the gate alone
    assert "kept" not in init(folder, "--yes", "--gate").stdout
    assert init(folder, "--check").returncode == 0


def test_an_edited_form_without_a_list_gets_one(folder: Path) -> None:
    """The field becomes a choice; its label and the rest stay."""
    init(folder, *OWNER, "--gate")
    edit(folder, FORM, "label: Affected services", "label: Which parts?")
    init(folder, "--yes", "--service", "api")
    form = yaml.safe_load((folder / FORM).read_text("utf-8"))
    (field,) = (each for each in form["body"] if each.get("id") == "services")
    assert (field["type"], field["attributes"]["label"]) == ("dropdown", "Which parts?")
    assert field["attributes"]["options"] == ["api"]
    assert "placeholder" not in field["attributes"]
    assert field["attributes"]["description"].startswith("None chosen means all")
    schema = ("--builtin-schema", "vendor.github-issue-forms")
    lint("check-jsonschema", *schema, folder / FORM)
    assert yaml.safe_load((folder / CONFIG).read_text("utf-8"))["services"] == ["api"]


@pytest.mark.parametrize("emptied", ["services: []", "services:", "roles: {}"])
def test_a_list_that_the_team_emptied_gets_no_twin(folder: Path, emptied: str) -> None:
    """A key that is there twice would be read by nobody in the same way."""
    init(folder, *OWNER, "--gate")
    edit(folder, CONFIG, "version: 1", f"version: 1\n{emptied}")
    before = (folder / CONFIG).read_text("utf-8")
    done = init(folder, "--yes", "--service", "api", "--commander", "dana")
    assert f"kept, with your changes: {CONFIG}" in done.stdout
    assert (folder / CONFIG).read_text("utf-8") == before


def test_the_team_may_say_who_commands_in_its_configuration(folder: Path) -> None:
    """What it wrote there is not put back; the flag changes just that."""
    init(folder, *OWNER, "--gate", "--commander", "dana")
    edit(folder, CONFIG, 'commander: "dana"', "commander: bea # since May")
    assert init(folder, "--check").returncode == 0
    init(folder, "--yes", "--commander", "erin")
    assert "commander: erin # since May" in (folder / CONFIG).read_text("utf-8")
    record = json.loads((folder / ".github/incident.init.json").read_text("utf-8"))
    assert record["choices"]["commander"] == "erin"
