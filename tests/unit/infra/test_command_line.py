"""What people and runners see of the command line itself: help, wrong words, plain errors."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from incident_actions import __version__
from incident_actions.cli import checklist, inputs
from incident_actions.cli import main as cli
from incident_actions.cli.repository_files import remote_of
from incident_actions.errors import InputError
from incident_actions.sandbox import Sandbox

ROOT = Path(__file__).resolve().parents[3]
COMMANDS = ["respond", "timeline", "init", "doctor", "checklist", "postmortem", "freeze-status"]


def call(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """`incident-actions WORDS` in a folder."""
    return subprocess.run(
        [sys.executable, "-m", "incident_actions", *words],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_alone_it_shows_what_there_is(tmp_path: Path) -> None:
    """Every command is named, the gate too."""
    done = call(tmp_path)
    assert done.returncode == 0
    for command in [*COMMANDS, "gate"]:
        assert f"    {command}" in done.stdout


@pytest.mark.parametrize("command", [*COMMANDS, "gate"])
def test_each_command_describes_itself(tmp_path: Path, command: str) -> None:
    """`--help` begins with the usage, and then says in a sentence what it does."""
    done = call(tmp_path, command, "--help")
    assert done.returncode == 0
    sentence = done.stdout.split("\n\n")[1]
    assert len(sentence) > 30, sentence


@pytest.mark.parametrize("words", [["respnd"], ["doctor", "--rpo", "a/b"], ["timeline", "x"]])
def test_wrong_words_are_one_error(tmp_path: Path, words: list[str]) -> None:
    """Exit code 2, and one annotation in a workflow; plain text on a laptop."""
    there = call(tmp_path, *words, GITHUB_ACTIONS="true")
    assert there.returncode == 2
    assert there.stdout.startswith("::error title=Incident actions::")
    assert (there.stdout.count("\n"), there.stderr) == (1, "")
    here = call(tmp_path, *words)
    assert (here.returncode, here.stdout) == (2, "")
    assert "--help" in here.stderr
    assert "::" not in here.stderr


def test_a_program_that_plays_the_runner_gets_annotations(tmp_path: Path) -> None:
    """With an event's name in the environment an error is one annotation, as in a workflow."""
    done = call(tmp_path, "respond", GITHUB_EVENT_NAME="schedule", GITHUB_REPOSITORY="acme/shop")
    assert (done.returncode, done.stderr) == (2, "")
    assert done.stdout.startswith("::error title=Incident actions::There is no token")


def test_on_a_laptop_the_remedy_is_for_a_laptop(tmp_path: Path) -> None:
    """Without a token the first thing that is said is what to type."""
    done = call(tmp_path, "timeline", "12")
    assert done.stderr.startswith("There is no token to ask GitHub with. Set GITHUB_TOKEN: `export")


def test_respond_from_a_shell_says_how_it_is_started(tmp_path: Path) -> None:
    """It speaks as the bot, so it belongs in a workflow."""
    done = call(tmp_path, "respond", GITHUB_TOKEN="ghp_x", GITHUB_REPOSITORY="acme/shop")
    assert done.returncode == 2
    assert "gh workflow run" in done.stderr


def test_the_repository_comes_from_the_checkout(tmp_path: Path) -> None:
    """In a clone nothing needs to be said; elsewhere the flag is named."""
    where = {"GITHUB_TOKEN": "ghp_x", "GITHUB_API_URL": "http://127.0.0.1:9"}
    assert "--repository" in call(tmp_path, "timeline", "12", **where).stderr
    (tmp_path / ".git").mkdir()
    config = '[remote "origin"]\n\turl = git@github.com:acme/shop.git\n'
    (tmp_path / ".git" / "config").write_text(config, "utf-8")
    done = call(tmp_path, "timeline", "12", **where)
    assert done.returncode == 3
    assert "--repository" not in done.stderr


def test_the_gate_is_the_same_gate(tmp_path: Path) -> None:
    """`incident-actions gate` takes the gate's own flags and ends with its exit codes."""
    assert "--on-error" in call(tmp_path, "gate", "--help").stdout
    assert call(tmp_path, "gate").returncode == 2


def ask(sandbox: Sandbox, folder: Path, repository: str) -> subprocess.CompletedProcess[str]:
    """`timeline 99` of a repository, as somebody who may write to acme/shop."""
    where = {"GITHUB_TOKEN": "ghp_x", "GITHUB_API_URL": sandbox.url}
    return call(folder, "timeline", "99", "--repository", repository, **where)


@pytest.fixture
def shop(sandbox: Sandbox) -> Sandbox:
    """acme/shop, which has no issue yet."""
    sandbox.repository("acme/shop", labels=["incident"])
    sandbox.user("alice", permission={"acme/shop": "write"})
    sandbox.token("ghp_x", "alice")
    return sandbox


def test_an_issue_that_is_not_there_is_said_in_words(shop: Sandbox, tmp_path: Path) -> None:
    """No request and no status code: the number that was typed, and what to look at."""
    done = ask(shop, tmp_path, "acme/shop")
    assert done.returncode == 3
    assert done.stderr.startswith("#99 is not there. Check that acme/shop exists")


def test_asking_again_is_one_short_line(shop: Sandbox, tmp_path: Path) -> None:
    """What failed, and that it is asked again; nothing of the library's inside."""
    shop.fail(status=502, times=1)
    first, second = ask(shop, tmp_path, "acme/shop").stderr.splitlines()
    assert first == "GitHub failed (HTTP 502); asking again"
    assert second.startswith("#99 is not there")


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("there is no token", "There is no token. Do it."),
        ("Why not?", "Why not? Do it."),
        ("`x y` is wrong", "`x y` is wrong. Do it."),
        ("a.md: line 2", "a.md: line 2. Do it."),
    ],
)
def test_an_error_is_told_in_sentences(what: str, told: str) -> None:
    """What happened, a full stop, what to do. Names keep their case."""
    assert InputError(what, remedy="Do it.").told() == told


def test_what_nobody_foresaw_is_a_bug_to_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One annotation, the traceback in the log, exit code 3; no secret, no command in it."""

    def broken(*_: object) -> None:
        raise RuntimeError("ghs_secret\n::set-output name=x::y")

    monkeypatch.setattr(inputs, "connect_to", broken)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_TOKEN", "ghs_secret")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    assert cli.main(["timeline", "1"]) == 3
    log = capsys.readouterr().out
    (annotation,) = (line for line in log.splitlines() if line.lstrip().startswith("::"))
    assert annotation.startswith("::error title=Incident actions::This is a bug in")
    assert "RuntimeError" in annotation
    assert "report it with the log" in annotation
    assert "| Traceback" in log
    assert "ghs_secret" not in log


def test_it_names_itself_and_its_version(tmp_path: Path) -> None:
    """Program and version, on one line."""
    done = call(tmp_path, "--version")
    assert done.stdout == f"incident-actions {__version__}\n"


@pytest.mark.parametrize("words", [["gate"], ["gate", "--sha", "xyz"], ["timeline", "x"]])
def test_on_a_terminal_nothing_is_a_workflow_command(tmp_path: Path, words: list[str]) -> None:
    """What a person sees is for a person: no `::error`, no `%0A`."""
    done = call(tmp_path, *words, GITHUB_TOKEN="ghp_x", GITHUB_API_URL="http://127.0.0.1:9")
    assert done.returncode == 2
    assert done.stderr
    assert not re.search(r"::|%0A", done.stdout + done.stderr)


@pytest.fixture
def freezing(shop: Sandbox) -> Sandbox:
    """acme/shop with a SEV1."""
    alice = shop.as_user("alice", "acme/shop")
    alice.ask("POST", "/labels", {"name": "sev1", "color": "ededed"})
    alice.open_issue("Logins `fail` | <b>", "", ["incident", "sev1"])
    return shop


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A checkout of acme/shop, from a linked worktree's folder."""
    main, linked = tmp_path / "main" / ".git", tmp_path / "linked"
    (main / "worktrees" / "linked").mkdir(parents=True)
    main.joinpath("config").write_text('[remote "origin"]\n\turl = git@gh:acme/shop.git\n', "utf-8")
    main.joinpath("worktrees", "linked", "commondir").write_text("../..\n", "utf-8")
    linked.mkdir()
    linked.joinpath(".git").write_text(f"gitdir: {main / 'worktrees' / 'linked'}\n", "utf-8")
    return linked


def test_the_gate_on_a_terminal(freezing: Sandbox, clone: Path) -> None:
    """The verdict and the ways out in plain lines; with `--json` JSON and nothing else."""
    where = {"GITHUB_TOKEN": "ghp_x", "GITHUB_API_URL": freezing.url}
    done = call(clone, "gate", **where)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("Deploys are frozen by #1 SEV1")
    assert "/allow" in done.stdout
    assert not re.search(r"::|%0A", done.stdout)
    told = call(clone, "gate", "--json", **where)
    assert (told.returncode, told.stderr) == (1, "")
    assert json.loads(told.stdout)["verdict"] == "frozen"
    there = call(clone, "gate", "--json", GITHUB_ACTIONS="true", **where)
    assert json.loads(there.stdout)["verdict"] == "frozen"
    assert there.stderr.startswith("::error")


def test_tables_and_lists_are_plain_on_a_terminal(freezing: Sandbox, clone: Path) -> None:
    """No bars, no escapes; Markdown is there for who asks for it."""
    where = {"GITHUB_TOKEN": "ghp_x", "GITHUB_API_URL": freezing.url}
    told = call(clone, "freeze-status", **where).stdout
    assert "a deploy that names no service  frozen" in told
    assert "Logins `fail` | <b>" in told
    assert "|:--|" in call(clone, "freeze-status", "--markdown", **where).stdout
    told = call(clone, "timeline", "#1", **where).stdout
    assert told.startswith("Timeline of #1: Logins `fail` | <b>\n\n- ")
    assert "# Timeline" in call(clone, "timeline", "1", "--markdown", **where).stdout
    assert call(clone, "checklist").stdout.startswith("Acknowledge\n\n- [ ] ")


@pytest.mark.parametrize("url", ["/srv/git/acme/shop.git", "../acme/shop", "file:///g/acme/shop"])
def test_a_folder_is_no_repository_on_github(tmp_path: Path, url: str) -> None:
    """A remote on this machine says nothing about GitHub."""
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_text(f'[remote "origin"]\n\turl = {url}\n', "utf-8")
    assert remote_of(tmp_path) == ""


def test_a_shell_gets_advice_for_a_shell(shop: Sandbox, tmp_path: Path) -> None:
    """A wrong token is renewed there by a command, in a workflow by a secret."""
    where = {"GITHUB_TOKEN": "ghp_old", "GITHUB_API_URL": shop.url}
    words = ["timeline", "1", "--repository", "acme/shop"]
    assert "gh auth token" in call(tmp_path, *words, **where).stderr
    assert "the secret" in call(tmp_path, *words, GITHUB_ACTIONS="true", **where).stdout


def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path) -> None:
    """`incident-actions checklist | head -1`: no traceback, and the exit code of a closed pipe."""
    done = subprocess.run(
        ["bash", "-c", f"'{sys.executable}' -m incident_actions checklist --html | true; "
         "echo ${PIPESTATUS[0]}"],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("141\n", "")


@pytest.mark.parametrize("early", [True, False])
def test_ctrl_c_is_one_line(tmp_path: Path, early: bool) -> None:
    """While it is still being loaded, and while it works; exit code 130."""
    code = (
        "import builtins, signal, sys; from incident_actions.__main__ import run\n"
        "real = builtins.__import__\n"
        "def importing(name, *rest):\n"
        "    if name == 'incident_actions.cli.main': signal.raise_signal(signal.SIGINT)\n"
        "    return real(name, *rest)\n"
        "def reading(*_): signal.raise_signal(signal.SIGINT)\n"
        f"if {early}: builtins.__import__ = importing\n"
        "else:\n"
        "    from incident_actions.cli import checklist\n"
        "    checklist.as_markdown = reading\n"
        "sys.argv = ['incident-actions', 'checklist']\n"
        "sys.exit(run())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr.strip() == "Interrupted. Call the command again to go on."


def test_what_this_machine_refuses_is_no_bug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A full disk or a folder of somebody else: the path and the reason, exit code 2."""

    def refuse(*_: object) -> str:
        raise PermissionError(13, "Permission denied", "ops/runbooks/roles.md")

    monkeypatch.setattr(checklist, "as_markdown", refuse)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.delenv("GITHUB_EVENT_NAME", raising=False)
    assert cli.main(["checklist"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("ops/runbooks/roles.md: Permission denied. ")
    assert "bug" not in told


@pytest.mark.parametrize(
    "words", [["--sha", "xyz"], ["--no-such-flag"], ["--mode"], ["--wait-minutes", "soon"]]
)
@pytest.mark.parametrize("variables", [{}, {"GITHUB_ACTIONS": "true"}])
def test_wrong_input_is_json_too(
    tmp_path: Path, words: list[str], variables: dict[str, str]
) -> None:
    """Whoever reads JSON gets JSON, and nothing else; exit code 2 stays."""
    given = {"GITHUB_TOKEN": "ghp_x", "GITHUB_REPOSITORY": "acme/shop", **variables}
    done = call(tmp_path, "gate", "--json", *words, **given)
    assert done.returncode == 2
    told = json.loads(done.stdout)
    assert (told["verdict"], told["code"]) == ("error", "bad-input")
    assert told["reason"] in done.stderr


HOSTILE = "\x1b]0;owned\x07\x9b31mred\u202e"


def test_what_people_wrote_does_not_steer_a_terminal(freezing: Sandbox, clone: Path) -> None:
    """Seven and eight bit escapes, in a title and in a note, are shown; JSON keeps them."""
    alice = freezing.as_user("alice", "acme/shop")
    alice.ask("PATCH", "/issues/1", {"title": f"Logins {HOSTILE}"})
    alice.comment(1, f"/note all {HOSTILE} here")
    where = {"GITHUB_TOKEN": "ghp_x", "GITHUB_API_URL": freezing.url}
    ways = (["timeline", "1"], ["timeline", "1", "--markdown"], ["timeline", "1", "--json"])
    for words in (*ways, ["postmortem", "render", "1"], ["freeze-status"], ["gate"]):
        done = call(clone, *words, **where)
        assert done.stdout, done.stderr
        assert not {*(done.stdout + done.stderr)} & {"\x1b", "\x07", "\x9b", "\u202e"}, words
    assert r"\x9b31mred" in call(clone, "timeline", "1", **where).stdout
    told = json.loads(call(clone, "timeline", "1", "--json", **where).stdout)
    assert "\x9b31mred" in json.dumps(told, ensure_ascii=False)


def test_an_error_does_not_steer_a_terminal(tmp_path: Path) -> None:
    """Whatever it repeats."""
    done = call(tmp_path, "timeline", HOSTILE)
    assert done.returncode == 2
    assert r"\x1b]0;owned\x07\x9b31m" in done.stderr
    assert "\x9b" not in done.stderr
