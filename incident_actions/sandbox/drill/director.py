"""Playing the whole story, scene by scene, and keeping its record whatever happens."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from ..errors import RefusedError
from ..sandbox import Sandbox
from . import record, stage
from .narrator import Narrator
from .play import Drill, Scene, StoppedError
from .programs import Programs
from .scenes import STORY


def perform(
    folder: Path, programs: Programs, narrator: Narrator, story: Sequence[Scene] = STORY
) -> bool:
    """Play the story on a sandbox of its own; whether every check held.

    The record goes into `folder`, which is there, also when the drill is interrupted.
    """
    began = time.monotonic()
    clock = stage.Clock()
    with Sandbox(clock=clock) as github:
        release = stage.build(github)
        drill = Drill(github, clock, programs, narrator, release)
        narrator.say(f"A drill in {stage.REPOSITORY}, on the sandbox at {github.url}")
        narrator.say(f"{_count(len(story), 'step')}, which take about half a minute.")
        outcome = "The drill was interrupted."
        try:
            left = _play(drill, story)
            outcome = _outcome(narrator, len(story), left, time.monotonic() - began)
        finally:
            record.write(folder, drill, outcome)
    good = not narrator.bad
    narrator.say("")
    narrator.say(outcome, "good" if good else "bad", always=True)
    narrator.say(f"The record is in {_short(folder)}", always=not good)
    return good


def _play(drill: Drill, story: Sequence[Scene]) -> int:
    """Play the scenes in order; how many are left when one can't be played to its end."""
    for number, scene in enumerate(story, 1):
        drill.clock.forward_to(drill.clock.today(scene.time))
        drill.narrator.step(number, len(story), f"{drill.clock():%H:%M}", scene.title)
        try:
            scene.act(drill)
            continue
        except StoppedError as stop:
            problem, log = str(stop), stop.log
        except RefusedError as refusal:
            problem, log = f"GitHub refused it: {refusal}", None
        except Exception as error:  # a scene found a world that it did not expect at all
            problem, log = f"{type(error).__name__} in the drill itself", traceback.format_exc()
        drill.narrator.check(False, "the step could be played to its end", problem)
        if log is not None:
            drill.narrator.log("The log:", log)
        return len(story) - number
    return 0


def _outcome(narrator: Narrator, steps: int, left: int, seconds: float) -> str:
    checks = narrator.good + narrator.bad
    if not narrator.bad:
        played = f"{_count(steps, 'step')}, {_count(checks, 'check')}"
        return f"{played}, all as it should be, in {seconds:.1f} s."
    wrong = f"{narrator.bad} of {_count(checks, 'check')} did not hold, in {seconds:.1f} s."
    rest = f" The drill stopped there, with {_count(left, 'step')} to go." if left else ""
    return wrong + rest


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"


def _short(folder: Path) -> Path:
    """The index of the record, as somebody here would type it."""
    index, here = folder.absolute() / "README.md", Path.cwd()
    return index.relative_to(here) if index.is_relative_to(here) else index
