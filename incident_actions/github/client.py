"""GitHub as the rest of the program sees it: one object for one repository and one run."""

from __future__ import annotations

from incident_actions.github.actions import Actions
from incident_actions.github.checks import Checks
from incident_actions.github.git import Git
from incident_actions.github.issues import Issues
from incident_actions.github.pulls import Pulls
from incident_actions.github.repository import Repository


class GitHub(Issues, Pulls, Git, Checks, Actions, Repository):
    """Everything that the program asks of GitHub and changes there, in the domain's own terms.

    Answers are decoded into values of `domain`; each base class is one part of GitHub's API. What
    changes anything takes an effect of `domain.projection.effects`, and is called by
    `reconcile.apply` alone.
    """
