"""GitHub as the rest of the program sees it: one object for one repository and one run."""

from __future__ import annotations

from incident_actions.github.actions import Actions
from incident_actions.github.checks import Checks
from incident_actions.github.comments import Comments
from incident_actions.github.deployments import Deployments
from incident_actions.github.git import Git
from incident_actions.github.issues import Issues
from incident_actions.github.pulls import Pulls
from incident_actions.github.repository import Repository
from incident_actions.github.transport import CEILING, connection


class GitHub(Issues, Comments, Pulls, Git, Checks, Actions, Deployments, Repository):
    """Everything that the program asks of GitHub and changes there, in the domain's own terms.

    Answers are decoded into values of `domain`; each base class is one part of GitHub's API.
    """


def connect(token: str, repository: str, api_url: str, ceiling: int = CEILING) -> GitHub:
    """A connection to one repository (`OWNER/NAME`). Nothing is asked yet.

    `api_url` is the API's root, as `GITHUB_API_URL` has it. After `ceiling` requests the next
    one raises `errors.RequestCeilingReached`.
    """
    return GitHub(connection(token, api_url), repository, ceiling)
