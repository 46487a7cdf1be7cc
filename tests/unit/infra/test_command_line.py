"""What people and runners see of the command line itself: help, wrong words, plain errors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from incident_actions.cli import inputs
from incident_actions.cli import main as cli
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
