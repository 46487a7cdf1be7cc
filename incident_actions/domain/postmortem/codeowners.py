"""Find the people who own a path, by the repository's CODEOWNERS file.

https://docs.github.com/en/repositories/managing-your-repositorys-settings-and-features/customizing-your-repository/about-code-owners
"""

from __future__ import annotations

from incident_actions.domain.text.names import fits

PLACES = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks for the file, in this order."""


def owners_of(path: str, text: str) -> list[str]:
    """The logins (without `@`) of who owns `path`, by `text`, a CODEOWNERS file.

    The last line that matches the path counts. Teams are left out, because a workflow's token may
    not ask a team for a review.
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
    """Whether a pattern matches a path. Unlike in Git, `docs/*` matches nothing in subfolders."""
    folder = path.rpartition("/")[0]
    return fits(path, pattern) and not (pattern.endswith("/*") and fits(folder, pattern))
