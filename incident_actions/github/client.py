"""The client for GitHub: one object for one repository and one run of the program."""

from __future__ import annotations

from incident_actions.github.actions import Actions
from incident_actions.github.checks import Checks
from incident_actions.github.git import Git
from incident_actions.github.issues import Issues
from incident_actions.github.pulls import Pulls
from incident_actions.github.repository import Repository


class GitHub(Issues, Pulls, Git, Checks, Actions, Repository):
    """Every request that the program makes to GitHub; the gate alone has its own client.

    Each base class is one part of GitHub's API. Methods give values of `domain`, not raw JSON. A
    method that changes something takes an effect of `domain.projection.effects`; only
    `reconcile.apply` calls it.
    """
