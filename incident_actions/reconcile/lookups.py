"""What a run looks up outside of the issue: changes before it, and the overrides that were used."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.config import Config
from incident_actions.domain.changes.suspects import (
    RecordedChanges,
    Suspects,
    comparisons,
    suspects,
)
from incident_actions.domain.freeze import override_audit as audits
from incident_actions.domain.freeze.override_audit import OverrideAudit
from incident_actions.domain.issue.incident import Incident
from incident_actions.domain.issue.observation import Deployment
from incident_actions.errors import Forbidden, GitHubError, NotFound, Rejected
from incident_actions.github.client import GitHub

MOST_COMPARED = 3
"""Comparisons of two commits that are asked for, the most telling first; each is one request."""
_EVER = datetime(1970, 1, 1, tzinfo=UTC)

Item = TypeVar("Item")


class Looked(Struct, frozen=True):
    """The suspects, and the deployments that were asked for on the way, oldest first."""

    suspects: Suspects
    deployments: tuple[Deployment, ...]


def look(github: GitHub, start: datetime, config: Config) -> Looked | None:
    """What changed in the hour before `start`.

    What the token may not read is left out, and named. When GitHub itself is in trouble there is
    no answer, so that a later run asks again.
    """
    try:
        deployments, seen = _ask(github, start, config)
    except GitHubError:
        return None
    return Looked(suspects(seen, start, config.changes), deployments)


def _ask(
    github: GitHub, start: datetime, config: Config
) -> tuple[tuple[Deployment, ...], RecordedChanges]:
    unread: list[str] = []

    def optional(name: str, ask: Callable[[], tuple[Item, ...]]) -> tuple[Item, ...]:
        try:
            return ask()
        except (Forbidden, NotFound, Rejected):
            unread.append(name)
            return ()

    every = optional("deployments", lambda: github.deployments(_EVER))
    branch = github.about().branch
    seen = RecordedChanges(
        deployments=_that_matter(every, config.freeze.environments),
        pushes=optional("pushes", lambda: github.pushes(branch)),
        pulls=optional("pull requests", lambda: github.merged_pulls(branch)),
        releases=optional("releases", github.releases),
        runs=optional("workflow runs", github.workflow_runs),
    )
    paths = {}
    for base, head in comparisons(seen, start)[:MOST_COMPARED]:
        try:
            files = github.changed_files(base, head)
        except (Forbidden, NotFound, Rejected):
            continue  # the commit is gone, or may not be read: what it brought stays unknown
        if files is not None:
            paths[base, head] = files
    return every, replace(seen, paths=paths, unread=tuple(unread))


def _that_matter(
    deployments: tuple[Deployment, ...], environments: tuple[str, ...]
) -> tuple[Deployment, ...]:
    """Those to the environments that a freeze stops; when none is named, all."""
    wanted = {name.casefold() for name in environments}
    return tuple(d for d in deployments if not wanted or d.environment.casefold() in wanted)


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
