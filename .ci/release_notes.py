#!/usr/bin/env python3
"""Print what CHANGELOG.md says of a release: `.ci/release_notes.py v1.2.3`.

The tag must name the version that the package has, and the changelog must have a section for it.
Exit code 2, and one line of what to do, when that is not so. The release workflow runs this.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def notes(tag: str, version: str, changelog: str) -> str:
    """The section of a version in a changelog, without its heading.

    Its heading is `## 1.2.3`, with anything behind it, such as a date; or `## [1.2.3]`. Raises
    ValueError, with what to do, when the tag is not that version's or the section says nothing.
    https://keepachangelog.com/en/1.1.0/
    """
    if tag != f"v{version}":
        raise ValueError(
            f"The tag is {tag}, and the package says {version}: set `__version__` in "
            f"incident_actions/__init__.py, commit, and tag that commit v{version}."
        )
    heading = rf"^## \[?{re.escape(version)}\]?(?=\s).*\n"
    found = re.search(rf"{heading}((?:(?!^## ).*\n?)*)", changelog + "\n", re.MULTILINE)
    text = found[1].strip() if found else ""
    if not text:
        raise ValueError(
            f"CHANGELOG.md tells nothing of {version}: name its section `## {version}`."
        )
    return text


def main(arguments: list[str]) -> int:
    """Print the notes; gives the exit code."""
    if len(arguments) != 1:
        print("usage: .ci/release_notes.py TAG", file=sys.stderr)
        return 2
    package = (ROOT / "incident_actions" / "__init__.py").read_text(encoding="utf-8")
    version = re.findall(r'^__version__ = "(.+)"$', package, re.MULTILINE)[0]
    try:
        print(notes(arguments[0], version, (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
