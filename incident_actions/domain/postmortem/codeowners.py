"""Who owns a path, by the repository's CODEOWNERS file.

https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

from __future__ import annotations

from incident_actions.domain.text.names import fits

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks for the file, in this order."""


def owners_of(path: str, text: str) -> list[str]:
    """The people who own a path: the last line that matches counts.

    Teams are left out, because a workflow's token may not ask them.
    """
    owners: list[str] = []
    for line in text.splitlines():
        words = line.split("#", 1)[0].split()
        if words and _owns(words[0], path):
            owners = [
                name[1:] for name in words[1:] if name.startswith("@") and "/" not in name[1:]
            ]
    return owners


def _owns(pattern: str, path: str) -> bool:
    """Whether a line is about a path. Unlike in Git, `docs/*` is about no folder below `docs`."""
    folder = path.rpartition("/")[0]
    return fits(path, pattern) and not (pattern.endswith("/*") and fits(folder, pattern))
