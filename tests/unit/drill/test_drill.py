"""The drill: it plays to its end, it fails when a program does, and it leaves nothing behind."""

from __future__ import annotations

import io
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from incident_actions.sandbox.drill import contract, record
from incident_actions.sandbox.drill.director import perform
from incident_actions.sandbox.drill.narrator import Narrator, wants_colour
from incident_actions.sandbox.drill.play import Drill, Scene, scene
from incident_actions.sandbox.drill.programs import Annotation, Programs, Run
from incident_actions.sandbox.drill.scenes import STORY

ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "incident_actions.sandbox.drill"]
DECLARED = 3  # scenes until the bot has answered the form

Play = Callable[..., tuple[bool, str]]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Play the beginning of the story in this process; gives the verdict and what was told."""

    def run(
        story: tuple[Scene, ...] = STORY[:DECLARED],
        programs: Programs | None = None,
        *,
        quiet: bool = False,
    ) -> tuple[bool, str]:
        out = io.StringIO()
        record.prepare(tmp_path)
        narrator = Narrator(out, colour=False, quiet=quiet)
        return perform(tmp_path, programs or Programs(), narrator, story), out.getvalue()

    return run


def program(folder: Path, source: str) -> tuple[str, str]:
    """A program of these lines, as a command line."""
    path = folder / "program.py"
    path.write_text(source, encoding="utf-8")
    return (sys.executable, str(path))


def test_the_whole_drill_plays_and_leaves_its_record(tmp_path: Path) -> None:
    """From the form to the all-clear every check holds, and the record tells the same."""
    folder = tmp_path / "record"
    done = subprocess.run(
        [*COMMAND, "--output", str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "✗" not in done.stdout
    assert "\x1b" not in done.stdout  # no terminal, no colours
    assert f"[{len(STORY)}/{len(STORY)}]" in done.stdout
    story = (folder / "README.md").read_text("utf-8")
    titles = re.findall(r"^## \d+\. \d\d:\d\d (.*)$", story, re.MULTILINE)
    assert titles == [one.title for one in STORY]
    assert "opens #2, a draft: Postmortem of #1" in story
    assert "\n## Corrective actions\n" in (folder / "pull-2.md").read_text("utf-8")
    linked = set(re.findall(r"\]\(([\w.-]+)\)", story))
    assert linked == {path.name for path in folder.iterdir()} - {"README.md"}
    incident = (folder / "issue-1.md").read_text("utf-8")
    told = ["<!-- incident-actions:begin -->", "### Severity", "/thaw", "/ack", "/resolve stable"]
    assert sorted(told, key=incident.index) == told
    assert "Deploys are frozen" in (folder / "gate-02.md").read_text("utf-8")


def test_a_gate_that_is_always_clear_fails_the_drill(play: Play, tmp_path: Path) -> None:
    """A check that does not hold says what was expected; the story goes on to its end."""
    always = program(
        tmp_path,
        "import os\n"
        "with open(os.environ['GITHUB_OUTPUT'], 'a') as out:\n"
        "    out.write('verdict<<X\\nclear\\nX\\nreason<<X\\nnever mind\\nX\\n')\n",
    )

    good, told = play(programs=Programs(gate=always))

    assert not good
    assert "✗ deploys are frozen already: expected frozen, found clear" in told
    assert f"[{DECLARED}/{DECLARED}]" in told


def test_a_gate_whose_exit_code_contradicts_its_verdict_fails_the_drill(
    play: Play, tmp_path: Path
) -> None:
    """Jobs go by the exit code: saying frozen while letting the deploy pass is caught."""
    lax = program(
        tmp_path,
        "import runpy, os\n"
        "os._exit = lambda code: None\n"
        f"runpy.run_path({str(ROOT / 'incident_actions' / 'gate.py')!r}, run_name='__main__')\n",
    )

    good, told = play(programs=Programs(gate=lax))

    assert not good
    assert "expected frozen, found frozen with exit code 0" in " ".join(told.split())


def test_a_bot_that_does_nothing_fails_the_drill(play: Play, tmp_path: Path) -> None:
    """A program that ends well without doing its work is caught."""
    idle = program(tmp_path, "print('done')\n")

    good, told = play(programs=Programs(respond=idle))

    assert not good
    assert "✗ the labels tell severity, status and service" in told
    assert "✗ the dashboard is at the top" in told


def test_a_bot_that_starts_no_watch_fails_the_drill(play: Play, tmp_path: Path) -> None:
    """Nobody would keep reminders on time."""
    idle = program(tmp_path, "print('done')\n")

    good, told = play(STORY[: DECLARED + 1], Programs(respond=idle))

    assert not good
    assert "no watch was started" in told


def test_a_watch_that_does_not_stay_awake_fails_the_drill(play: Play, tmp_path: Path) -> None:
    """It may end only when nothing has a clock any more, and has to say so."""
    sleepy = program(
        tmp_path,
        "import json, os, sys\n"
        "if 'inputs' not in json.load(open(os.environ['GITHUB_EVENT_PATH'])):\n"
        "    os.execv(sys.executable, [sys.executable, '-m', 'incident_actions', 'respond'])\n"
        "print('good night')\n",
    )

    good, told = play(STORY[: DECLARED + 1], Programs(respond=sleepy))

    assert not good
    assert "the watch failed, with exit code 0" in " ".join(told.split())
    assert "| good night" in told


@pytest.mark.parametrize("which", ["gate", "respond"])
def test_a_program_that_crashes_shows_its_log_and_stops_the_drill(
    play: Play, tmp_path: Path, which: str
) -> None:
    """The log is what one needs then; the scenes after it would only repeat the failure."""
    crash = program(tmp_path, "raise SystemExit('the disk is on fire')\n")

    good, told = play((*STORY[:DECLARED], STORY[-1]), Programs(**{which: crash}))

    assert not good
    assert "| the disk is on fire" in told
    assert "The drill stopped there" in told
    assert STORY[-1].title not in told
    assert "the disk" not in (tmp_path / "README.md").read_text("utf-8")


def test_a_program_that_never_ends_is_ended(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that hangs fails the drill instead of hanging it."""
    monkeypatch.setattr("incident_actions.sandbox.drill.programs.LIMIT_SECONDS", 4)
    hanging = program(tmp_path, "import time\nprint('waiting', flush=True)\ntime.sleep(60)\n")

    good, told = play(programs=Programs(gate=hanging))

    assert not good
    assert "it took too long and was ended" in " ".join(told.split())
    assert "| waiting" in told


def test_a_scene_that_meets_another_world_fails_the_drill(play: Play) -> None:
    """A mistake in a scene is told with its traceback, never taken for success."""

    @scene("13:50", "A look at an issue that is not there")
    def lost(drill: Drill) -> None:
        drill.issue(99)

    good, told = play((lost,))

    assert not good
    assert "KeyError" in told
    assert "Traceback" in told


def test_a_refusal_by_the_sandbox_fails_the_drill(play: Play) -> None:
    """What GitHub would not let a person do is no step of a drill."""

    @scene("13:50", "An issue without a title")
    def untitled(drill: Drill) -> None:
        drill.person("dana-oncall").open_issue("")

    good, told = play((untitled,))

    assert not good
    assert "GitHub refused it" in told


def test_quiet_tells_the_outcome_alone(play: Play) -> None:
    """When all is well, one line is enough."""
    good, told = play(STORY[:1], quiet=True)

    assert good
    assert re.fullmatch(r"1 step, 1 check, all as it should be, in [\d.]+ s\.", told.strip())


def test_quiet_still_tells_what_went_wrong(play: Play, tmp_path: Path) -> None:
    """A failure names its step, since the step's own line was left out."""
    idle = program(tmp_path, "")

    good, told = play(programs=Programs(respond=idle), quiet=True)

    assert not good
    assert f"✗ step {DECLARED}, the dashboard is at the top" in told


@pytest.fixture
def stuck(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """A drill whose gate waits for ever, and the file that holds the gate's process id."""
    pid = tmp_path / "pid"
    source = f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(90)\n"
    _, gate = program(tmp_path, source)
    arguments = ["--output", str(tmp_path / "record"), "--gate", gate]
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as it:
        try:
            until = time.monotonic() + 30
            while not (pid.exists() and pid.read_text()) and time.monotonic() < until:
                time.sleep(0.02)
            yield it, pid
        finally:
            it.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_drill_leaves_no_process_behind(
    stuck: tuple[subprocess.Popen[str], Path], number: signal.Signals
) -> None:
    """Ctrl-C ends the program that runs, the sandbox and the drill, and keeps the record."""
    it, pid = stuck

    it.send_signal(number)
    told, _ = it.communicate(timeout=20)

    assert it.returncode == 128 + number
    assert "The drill was interrupted." in told
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)
    index = pid.with_name("record") / "README.md"
    assert "The drill was interrupted." in index.read_text("utf-8")


def test_a_folder_of_somebody_elses_is_left_alone(tmp_path: Path) -> None:
    """A README.md that no drill wrote is not overwritten."""
    theirs = tmp_path / "README.md"
    theirs.write_text("# Mine\n", encoding="utf-8")

    done = subprocess.run(
        [*COMMAND, "--output", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.returncode == 2
    assert "--output" in done.stderr
    assert theirs.read_text("utf-8") == "# Mine\n"


def test_a_new_record_replaces_the_old_one(tmp_path: Path) -> None:
    """Files of an earlier drill go, files that are none of its own stay."""
    record.prepare(tmp_path)
    for name in ("issue-7.md", "gate-99.md", "notes.md"):
        (tmp_path / name).touch()

    record.prepare(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == {"README.md", "notes.md"}


class Terminal(io.StringIO):
    """Something that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_colours_are_for_terminals_that_want_them() -> None:
    """A file gets none, nor does a terminal with NO_COLOR."""
    assert wants_colour(Terminal(), {"TERM": "xterm"})
    assert not wants_colour(Terminal(), {"TERM": "xterm", "NO_COLOR": "1"})
    assert not wants_colour(Terminal(), {"TERM": "dumb"})
    assert not wants_colour(io.StringIO(), {"TERM": "xterm"})


def test_the_programs_get_the_variables_that_the_action_gives_them() -> None:
    """The drill goes by action.yml, defaults included."""
    github = {"token": "secret", "repository": "o/r"}

    gate = contract.step_environment("gate", {"intent": "rollback"}, github)

    assert gate["INPUT_TOKEN"] == "secret"
    assert gate["INPUT_REPOSITORY"] == "o/r"
    assert gate["INPUT_INTENT"] == "rollback"
    assert gate["INPUT_SEVERITIES"] == "sev1,sev2"
    assert "${{" not in " ".join(gate.values())


def test_the_story_is_told_in_the_order_of_its_times() -> None:
    """A scene's time alone puts it into its place, whatever its module."""
    assert [one.time for one in STORY] == sorted(one.time for one in STORY)


def test_what_a_step_annotates_is_read_without_its_escapes() -> None:
    """As GitHub keeps it with the job; the first error or warning is what people see first."""
    log = "hello\n::notice title=a%3A b%2C c::{}\n::error title=Frozen::one%0Atwo%25\n::error::x"
    run = Run(1, {}, "", log)
    assert run.annotations == (
        Annotation("notice", "a: b, c", "{}"),
        Annotation("error", "Frozen", "one\ntwo%"),
        Annotation("error", "", "x"),
    )
    assert run.annotation == "one\ntwo%"
