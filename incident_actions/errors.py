"""Every error this program can end with: what happened, what to do about it, and the exit code.

Exit codes: 0 success, 1 the gate blocks, 2 bad configuration or input, 3 a request to GitHub
failed or the program itself did.
"""

from __future__ import annotations

from typing import Any


class IncidentActionsError(Exception):
    """The base of all errors. `str(error)` says what happened; `remedy` says what to do next.

    `on_shell` says what to do next on a shell, where that differs from a workflow; else it is
    empty.
    """

    exit_code = 3

    def __init__(self, what: str, *, remedy: str, on_shell: str = "") -> None:
        super().__init__(what)
        self.remedy = remedy
        self.on_shell = on_shell

    def told(self, *, on_shell: bool = False) -> str:
        """What happened and the remedy, as sentences. Gives one line of text.

        `on_shell`: for somebody at a terminal, not for a workflow's log. The first letter becomes a
        capital, unless the first word is a path or a name in code.
        """
        what, remedy = str(self), (on_shell and self.on_shell) or self.remedy
        if what.split(" ", 1)[0].isalpha():
            what = what[0].upper() + what[1:]
        return f"{what}{'' if what.endswith(('.', '!', '?')) else '.'} {remedy}"


class InputError(IncidentActionsError):
    """The program was started with something it can't use: a missing token, no event file."""

    exit_code = 2


class ConfigError(IncidentActionsError):
    """A file in the team's repository can't be used.

    `path` is its path in the repository; `problems` are all that were found, not only the first.
    """

    exit_code = 2

    def __init__(self, path: str, problems: list[str]) -> None:
        remedy = f"Correct {path} on the default branch."
        super().__init__(f"{path}: {'; '.join(problems)}", remedy=remedy)
        self.path = path
        self.problems = problems


class Crashed(IncidentActionsError):
    """This program has a fault: something made it fail that it did not expect.

    `subject` is what it worked on (`#12`), `reference` identifies the fault in comments and logs,
    `place` says which exception, and where.
    """

    def __init__(self, subject: str, reference: str, place: str) -> None:
        super().__init__(
            f"{subject} made incident-actions fail (reference {reference}: {place})",
            remedy="This is a bug. Please report it to the maintainers, with the log.",
        )


class GitHubError(IncidentActionsError):
    """A request to GitHub failed, or GitHub refused it. `advice` is the default remedy.

    `shell_advice` is that on a shell, where it differs. Both may hold `{repository}`: the code that
    raises the error puts `OWNER/NAME` there.
    """

    advice = shell_advice = ""

    def __init__(self, what: str, *, remedy: str = "", on_shell: str = "") -> None:
        default = "" if remedy else self.shell_advice
        super().__init__(what, remedy=remedy or self.advice, on_shell=on_shell or default)


class Unauthorized(GitHubError):
    """The token is wrong or expired (HTTP 401)."""

    advice = "The token is wrong or expired. Leave `token` out, or renew the secret."
    shell_advice = "The token is wrong or expired: `export GITHUB_TOKEN=$(gh auth token)`."


class Forbidden(GitHubError):
    """The token is valid but may not do this (HTTP 403, no rate limit)."""

    advice = (
        "Give the job `permissions: issues: write, contents: read`. "
        "For another repository use a token that may write there."
    )
    shell_advice = (
        "Set GITHUB_TOKEN to a token that may: `repo` for a classic one; for a fine-grained one "
        "`Contents` and `Issues` of this repository."
    )


class NotFound(GitHubError):
    """What was asked for does not exist, or the token may not see it (HTTP 404, 410)."""

    advice = (
        "Check that {repository} exists and that the token may see it. "
        "`github.token` sees its own repository only."
    )
    shell_advice = (
        "Check that {repository} exists, and that your token may see it: `gh auth status`."
    )


class Transferred(NotFound):
    """The issue is in another repository now, and its number here is nobody's (HTTP 301).

    `where` is the address of its page there. `answer` is GitHub's JSON of it there; None when the
    token may not see it.
    https://docs.github.com/en/issues/tracking-your-work-with-issues/using-issues/transferring-an-issue-to-another-repository
    """

    advice = shell_advice = "It is left alone here: GitHub keeps its new place."

    def __init__(self, what: str, *, number: int, where: str, answer: Any = None) -> None:
        super().__init__(what)
        self.number = number
        self.where = where
        self.answer = answer


class Rejected(GitHubError):
    """GitHub understood the request and refuses its content (HTTP 422 and other 4xx)."""

    advice = "GitHub refused the content; the message says why."

    def says(self, *words: str) -> bool:
        """Whether GitHub's reason has one of these words, ignoring case. Only that decides what a
        refusal means: HTTP 422 has many reasons.
        """
        return any(word.casefold() in str(self).casefold() for word in words)


class RateLimited(GitHubError):
    """A primary or secondary rate limit lasts longer than this run may wait."""

    advice = "Wait for the limit to reset; the next run does the rest."


class Unavailable(GitHubError):
    """GitHub answered 5xx, something unreadable, or not at all, even after retries."""

    advice = "Run it again; see https://www.githubstatus.com."


class RequestCeilingReached(GitHubError):
    """A run reached its limit of requests, which only a fault of this program can use up."""

    def __init__(self, ceiling: int, wanted: str) -> None:
        super().__init__(
            f"this run made {ceiling} requests to GitHub and was stopped before {wanted}",
            remedy="Run it again: what is done stays done. If this error stays, report it to "
            "the maintainers of incident-actions, with the log.",
        )
