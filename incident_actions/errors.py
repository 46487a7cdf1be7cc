"""Every error this program can end with: what happened, what to do about it, and the exit code.

Exit codes: 0 done, 1 the gate blocks, 2 bad configuration or input, 3 GitHub could not be asked.
"""

from __future__ import annotations


class IncidentActionsError(Exception):
    """The root. `str(error)` says what happened; `remedy` says what to do next."""

    exit_code = 3

    def __init__(self, what: str, *, remedy: str) -> None:
        super().__init__(what)
        self.remedy = remedy

    def told(self) -> str:
        """Both as sentences. A first word that is a path or a name in code stays as it is."""
        what = str(self)
        if what.split(" ", 1)[0].isalpha():
            what = what[0].upper() + what[1:]
        return f"{what}{'' if what.endswith(('.', '!', '?')) else '.'} {self.remedy}"


class InputError(IncidentActionsError):
    """The program was started with something it can't use: a missing token, no event file."""

    exit_code = 2


class ConfigError(IncidentActionsError):
    """A file of the team's can't be used. Carries every problem found, not only the first."""

    exit_code = 2

    def __init__(self, path: str, problems: list[str]) -> None:
        remedy = f"Correct {path} on the default branch."
        super().__init__(f"{path}: {'; '.join(problems)}", remedy=remedy)
        self.path = path
        self.problems = problems


class GitHubError(IncidentActionsError):
    """GitHub could not be asked, or said no. `advice` is the remedy where none is given.

    `{repository}` in an advice stands for `OWNER/NAME`; who raises the error fills it in.
    """

    advice = ""

    def __init__(self, what: str, *, remedy: str = "") -> None:
        super().__init__(what, remedy=remedy or self.advice)


class Unauthorized(GitHubError):
    """The token is wrong or expired (HTTP 401)."""

    advice = "The token is wrong or expired. Leave `token` out, or renew the secret."


class Forbidden(GitHubError):
    """The token is valid but may not do this (HTTP 403, no rate limit)."""

    advice = (
        "Give the job `permissions: issues: write, contents: read`. "
        "For another repository use a token that may write there."
    )


class NotFound(GitHubError):
    """The thing is not there, or the token may not see it (HTTP 404, 410)."""

    advice = (
        "Check that {repository} exists and that the token may see it. "
        "`github.token` sees its own repository only."
    )


class Rejected(GitHubError):
    """GitHub understood the request and refuses its content (HTTP 422 and other 4xx)."""

    advice = "GitHub refused the content; the message says why."


class RateLimited(GitHubError):
    """A primary or secondary rate limit outlasts the time that this run has."""

    advice = "Wait for the limit to reset; the next run does the rest."


class Unavailable(GitHubError):
    """GitHub answered 5xx, nonsense, or not at all, also when asked again."""

    advice = "Run it again; see https://www.githubstatus.com."


class RequestCeilingReached(GitHubError):
    """A run wanted to make more requests than any run should: a fault of this program."""

    def __init__(self, ceiling: int, wanted: str) -> None:
        super().__init__(
            f"this run made {ceiling} requests to GitHub and was stopped before {wanted}",
            remedy="Run it again: what is done stays done. If this error stays, report it to "
            "the maintainers of incident-actions, with the log.",
        )
