"""Telling the drill: to a person at a terminal as it goes, and kept for the record."""

from __future__ import annotations

import os
import shutil
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TextIO

Kind = Literal["person", "bot", "gate", "good", "bad"]

_COLOURS: Mapping[str, str] = {
    "title": "1",
    "person": "36",
    "bot": "35",
    "gate": "33",
    "good": "32",
    "bad": "31;1",
    "faint": "2",
}
_WIDEST, _INDENT, _NAME = 110, 4, 15


@dataclass(frozen=True)
class Line:
    """One thing that happened; `link` names a file of the record with more about it."""

    kind: Kind
    who: str
    text: str
    link: str = ""


@dataclass
class Step:
    """One step of the drill as it went."""

    number: int
    time: str
    title: str
    lines: list[Line] = field(default_factory=list)


class Narrator:
    """Writes to `out`; `quiet` leaves out everything that went well."""

    def __init__(self, out: TextIO, *, colour: bool, quiet: bool) -> None:
        self.story: list[Step] = []
        self._out = out
        self._colour = colour
        self._quiet = quiet
        self._width = min(shutil.get_terminal_size((100, 24)).columns, _WIDEST)

    @property
    def good(self) -> int:
        """How many checks held."""
        return self._count("good")

    @property
    def bad(self) -> int:
        """How many did not."""
        return self._count("bad")

    def _count(self, kind: Kind) -> int:
        return sum(line.kind == kind for step in self.story for line in step.lines)

    def say(self, text: str, style: str = "", *, always: bool = False) -> None:
        """Print one line; with `always` also when quiet."""
        if always or not self._quiet:
            print(self._paint(text, style), file=self._out, flush=True)

    def step(self, number: int, of: int, time: str, title: str) -> None:
        """Begin a step."""
        self.story.append(Step(number, time, title))
        progress = f"[{number:>{len(str(of))}}/{of}]"
        self.say("")
        self.say(f"{progress} {time} UTC  {title}", "title")

    def tell(self, kind: Literal["person", "bot", "gate"], who: str, text: str, link: str) -> None:
        """Say what somebody did."""
        self.story[-1].lines.append(Line(kind, who, text, link))
        first, *more = self._wrap(text, _INDENT + _NAME)
        name = self._paint(f"{who:<{_NAME - 1}} ", kind)
        self.say(f"{' ' * _INDENT}{name}{first}")
        for line in more:
            self.say(" " * (_INDENT + _NAME) + line)

    def check(self, holds: bool, text: str, instead: str = "") -> None:
        """Say whether a check held; `instead` is what was expected and what was found."""
        step = self.story[-1]
        shown = text if holds else f"{text}: {instead}"
        step.lines.append(Line("good" if holds else "bad", "", shown))
        if holds:
            self.say(f"{' ' * _INDENT}{self._paint('✓ ' + text, 'good')}")
            return
        where = f"step {step.number}, " if self._quiet else ""
        for number, line in enumerate(self._wrap(f"✗ {where}{shown}", _INDENT + 2)):
            self.say(" " * (_INDENT + 2 * (number > 0)) + line, "bad", always=True)

    def log(self, title: str, text: str) -> None:
        """Show the log of a program that failed."""
        self.say(f"{' ' * _INDENT}{title}", "bad", always=True)
        for line in text.rstrip().splitlines() or ["(it printed nothing)"]:
            self.say(f"{' ' * _INDENT}| {line}", "faint", always=True)

    def _wrap(self, text: str, indent: int) -> list[str]:
        paragraphs = text.splitlines() or [""]
        room = max(30, self._width - indent)
        return [line for part in paragraphs for line in textwrap.wrap(part, room) or [""]]

    def _paint(self, text: str, style: str) -> str:
        return f"\x1b[{_COLOURS[style]}m{text}\x1b[0m" if self._colour and style else text


def wants_colour(out: TextIO, environment: Mapping[str, str] = os.environ) -> bool:
    """Whether to colour: on a terminal that can, unless NO_COLOR says otherwise."""
    return out.isatty() and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"
