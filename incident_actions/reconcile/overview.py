"""What is open, in two requests: the lists that a sweep starts from, and that a watch looks at."""

from __future__ import annotations

from msgspec import Struct

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import Issue
from incident_actions.github.client import GitHub


class Overview(Struct, frozen=True):
    """The open issues with our labels, as GitHub lists them: incidents and reports, and freezes."""

    incidents: tuple[Issue, ...]
    freezes: tuple[Issue, ...]

    @property
    def numbers(self) -> frozenset[int]:
        """The numbers of all these issues."""
        return frozenset(issue.number for issue in (*self.incidents, *self.freezes))


def look(github: GitHub) -> Overview:
    """Read what is open. Makes one request for each hundred issues of a kind, two at least."""
    return Overview(
        tuple(github.issues(labels=[names.INCIDENT])),
        tuple(github.issues(labels=[names.DEPLOY_FREEZE])),
    )
