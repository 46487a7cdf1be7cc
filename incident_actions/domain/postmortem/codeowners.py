"""Who owns a path, by the repository's CODEOWNERS file.

https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

from __future__ import annotations

import re

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks for the file, in this order."""


def owners_of(path: str, text: str) -> list[str]:
    """The people who own a path: the last line that matches counts. Teams are left out, because a
    workflow's token may not ask them.
    """
    owners: list[str] = []
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if words and _matches(path, words[0]):
            owners = [
                name[1:] for name in words[1:] if name.startswith("@") and "/" not in name[1:]
            ]
    return owners


def _matches(path: str, pattern: str) -> bool:
    anchored = "/" in pattern.strip("/") or pattern.startswith("/")
    body = pattern.strip("/")
    expression = ""
    for part in re.split(r"(\*\*/|\*\*|\*|\?)", body):
        expression += {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}.get(
            part, re.escape(part)
        )
    start = "" if anchored else "(?:.*/)?"
    whole = f"{start}{expression}"
    # A trailing single star matches files of that folder only; anything else matches all below.
    below = "" if body.endswith("/*") else "(?:/.*)?"
    if pattern.endswith("/"):
        below = "/.*"
    return re.fullmatch(f"{whole}{below}", path) is not None
