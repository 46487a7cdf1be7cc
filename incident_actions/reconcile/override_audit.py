"""Which overrides of the freeze were used: looked up in the deploys' own check runs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from incident_actions.domain.freeze import override_audit as audits
from incident_actions.domain.freeze.override_audit import OverrideAudit
from incident_actions.domain.issue.incident import Incident
from incident_actions.domain.issue.records import Deployment
from incident_actions.errors import GitHubError
from incident_actions.github.client import GitHub

MOST_COMMITS = 2
"""Commits that one run looks at, the newest deployments first. The next run goes on from there."""
MOST_CHECK_RUNS = 2
"""Check runs of a commit whose annotations one run reads, the newest first."""


def follow(
    github: GitHub,
    incident: Incident,
    number: int,
    deployments: Sequence[Deployment],
    audit: OverrideAudit,
    now: datetime,
) -> OverrideAudit:
    """Read on where the audit of an incident ended: a request a commit, one a check run.

    Without `checks: read`, or when GitHub fails, the audit stays as far as it was read.
    """
    try:
        for sha in audits.candidates(incident, deployments, audit)[:MOST_COMMITS]:
            runs = github.check_runs(sha)
            worth = audits.worth_reading(runs, sha, audit)
            for run in worth[:MOST_CHECK_RUNS]:
                for message in github.notices(run.id, audits.TITLE):
                    audit = audit.with_passages(audits.read_trace(message, number, run))
                if run.done:
                    audit = audit.with_looked(str(run.id))
            all_read = len(worth) <= MOST_CHECK_RUNS
            if all_read and audits.is_final(sha, runs, incident, now):
                audit = audit.with_looked(audits.name_of(sha))
    except GitHubError:
        return audit
    return audit
