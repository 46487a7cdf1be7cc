"""What a runner keeps of a step: its outputs, its job summary, its annotations."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Annotation:
    """One `::error ...::` line, unescaped. `place` holds file, line, title and the like.

    https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
    """

    level: str
    message: str
    place: Mapping[str, str] = field(default_factory=dict)


def read_outputs(text: str) -> dict[str, str]:
    """The outputs in the text of a GITHUB_OUTPUT file: `name=value` and `name<<DELIMITER` blocks.

    Raises AssertionError for what a runner refuses.
    """
    outputs: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        heredoc = re.match(r"^([^=<]+)<<(.+)$", line)
        if heredoc:
            name, delimiter = heredoc.groups()
            value: list[str] = []
            for inner in lines:
                if inner == delimiter:
                    break
                value.append(inner)
            else:
                raise AssertionError(f"the output {name} never ends: no line {delimiter!r}")
            outputs[name] = "\n".join(value)
        elif line:
            assert "=" in line, f"not an output: {line!r}"
            name, _, rest = line.partition("=")
            outputs[name] = rest
    return outputs


def read_annotations(log: str) -> list[Annotation]:
    """The annotations in a step's log, in order."""
    found = []
    for line in log.splitlines():
        if match := re.match(r"^\s*::(error|warning|notice)( [^\n]*?)?::(.*)$", line):
            level, place, message = match.groups()
            pairs = (pair.partition("=") for pair in (place or "").strip().split(",") if pair)
            found.append(
                Annotation(
                    level,
                    _unescape(message),
                    {name: _unescape(value, in_place=True) for name, _, value in pairs},
                )
            )
    return found


def _unescape(text: str, *, in_place: bool = False) -> str:
    if in_place:
        text = text.replace("%3A", ":").replace("%2C", ",")
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
