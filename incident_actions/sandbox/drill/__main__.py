"""`python -m incident_actions.sandbox.drill`: play the drill at a terminal."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from pathlib import Path
from types import FrameType

from . import record
from .director import perform
from .narrator import Narrator, wants_colour
from .programs import Programs

GOOD, FAILED, WRONG_INPUT = 0, 1, 2
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """Somebody wants the drill to end; the argument is the signal's number."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Play it. 0: all went well; 1: something did not; 2: wrong input; 128 + N: interrupted."""
    options = _parser().parse_args(arguments)
    programs = Programs()
    if options.gate:
        programs = Programs(gate=(sys.executable, "-I", "-S", str(options.gate.resolve())))
    try:
        record.prepare(options.output)
    except (record.NotOursError, OSError) as error:
        print(f"The record can't be kept: {error}. Name another --output.", file=sys.stderr)
        return WRONG_INPUT
    for number in _SIGNALS:
        signal.signal(number, _interrupt)
    if isinstance(sys.stdout, TextIOWrapper):  # a terminal's locale may be plain ASCII
        sys.stdout.reconfigure(encoding="utf-8", errors="replace")
    narrator = Narrator(sys.stdout, colour=wants_colour(sys.stdout), quiet=options.quiet)
    try:
        return GOOD if perform(options.output, programs, narrator) else FAILED
    except BrokenPipeError:  # whoever was listening has left
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Interrupted as interruption:
        narrator.say("\nThe drill was interrupted.", "bad", always=True)
        return 128 + int(interruption.args[0])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m incident_actions.sandbox.drill",
        description="Play one SEV1 from the filled form to the all-clear, against a GitHub of its"
        " own on this machine. Nothing leaves the machine.",
    )
    parser.add_argument(
        "--output",
        metavar="DIR",
        type=Path,
        default=Path("build", "drill"),
        help="where the record goes, as Markdown (default: build/drill)",
    )
    parser.add_argument("--quiet", action="store_true", help="tell only what goes wrong")
    parser.add_argument(
        "--gate", metavar="FILE", type=Path, help="play with another gate, to see the drill fail"
    )
    return parser


def _interrupt(number: int, frame: FrameType | None) -> None:
    """Raise once; what follows is tidying up, and is not to be interrupted."""
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise Interrupted(number)


if __name__ == "__main__":
    raise SystemExit(main())
