"""Looks up what is not in the issue: changes before the incident, and overrides that were used."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.config import Config, load_yaml
from incident_actions.domain.changes.suspects import (
    WORKFLOWS,
    RecordedChanges,
    Suspects,
    comparisons,
    deploy_workflows,
    suspects,
)
from incident_actions.domain.freeze import override_audit as audits
from incident_actions.domain.freeze.override_audit import OverrideAudit
from incident_actions.domain.issue.incident import Incident
from incident_actions.domain.issue.observation import Deployment
from incident_actions.domain.readiness.triggers import triggers_of
from incident_actions.domain.timeline.commands.freeze import Allow
from incident_actions.errors import ConfigError, Forbidden, GitHubError, NotFound, Rejected
from incident_actions.github.client import GitHub

MOST_COMPARED = 3
"""The most comparisons of two commits that one run asks for. Each is one request."""
_EVER = datetime(1970, 1, 1, tzinfo=UTC)

Item = TypeVar("Item")


class Looked(Struct, frozen=True):
    """The suspected changes, and all deployments that were read for them, the oldest first."""

    suspects: Suspects
    deployments: tuple[Deployment, ...]


def look(github: GitHub, start: datetime, config: Config) -> Looked | None:
    """The changes in the hour before `start`, which may have caused an incident.

    Kinds of changes that the token may not read are left out, and named in the result. None when
    a request fails for another reason: a later run tries again.
    """
    try:
        deployments, seen = _ask(github, start, config)
        found = suspects(seen, start, config.changes)
        return Looked(_with_workflow(github, found, seen, config), deployments)
    except GitHubError:
        return None


def _with_workflow(
    github: GitHub, found: Suspects, seen: RecordedChanges, config: Config
) -> Suspects:
    """The suspects with the workflow that deploys: one that ran, else one by its file's name.

    Makes one request. Raises `errors.GitHubError`.
    """
    try:
        ran = [run.path for run in sorted(seen.runs, key=lambda run: run.at, reverse=True)]
        fitting = deploy_workflows(ran, found, config.changes, seen.runs)
        if not fitting:
            named = [f"{WORKFLOWS}/{name}" for name in sorted(github.folder(WORKFLOWS))]
            fitting = deploy_workflows(named, found, config.changes)
            return replace(found, workflow=fitting[0].rpartition("/")[2]) if fitting else found
        document = load_yaml(github.file(fitting[0]) or "", fitting[0])
        triggers = triggers_of(document if isinstance(document, dict) else None)
        by_hand = not triggers or "workflow_dispatch" in triggers
    except (ConfigError, Forbidden, NotFound, Rejected):
        return found
    return replace(found, workflow=fitting[0].rpartition("/")[2], by_hand=by_hand)


def _ask(
    github: GitHub, start: datetime, config: Config
) -> tuple[tuple[Deployment, ...], RecordedChanges]:
    """All deployments, and the changes that GitHub recorded. Raises `errors.GitHubError`."""
    unread: list[str] = []

    def optional(name: str, ask: Callable[[], tuple[Item, ...]]) -> tuple[Item, ...]:
        try:
            return ask()
        except (Forbidden, NotFound, Rejected):
            unread.append(name)
            return ()

    deployments = optional("deployments", lambda: github.deployments(_EVER))
    branch = github.about().branch
    seen = RecordedChanges(
        deployments=_that_matter(deployments, config.freeze.environments),
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
            continue  # the commit is gone, or may not be read: its files stay unknown
        if files is not None:
            paths[base, head] = files
    return deployments, replace(seen, paths=paths, unread=tuple(unread))


def _that_matter(
    deployments: tuple[Deployment, ...], environments: tuple[str, ...]
) -> tuple[Deployment, ...]:
    """The deployments to environments that a freeze stops; all when `environments` is empty."""
    wanted = {name.casefold() for name in environments}
    return tuple(d for d in deployments if not wanted or d.environment.casefold() in wanted)


MOST_COMMITS = 2
"""The most commits that one run looks at, the newest first. The next run takes the others."""
MOST_CHECK_RUNS = 2
"""The most check runs of a commit whose annotations one run reads, the newest first."""


def follow(
    github: GitHub,
    incident: Incident,
    number: int,
    deployments: Sequence[Deployment],
    audit: OverrideAudit,
    now: datetime,
) -> OverrideAudit:
    """Continue the audit of an incident: read which deployments used an override of its freeze.

    `number` is the incident's issue, `audit` what earlier runs read. Makes one request for each
    commit and one for each check run. A failed request ends it: the audit has what was read until
    then.
    """
    try:
        for sha in audits.candidates(incident, deployments, audit)[:MOST_COMMITS]:
            runs = github.check_runs(sha)
            worth = audits.worth_reading(runs, sha, audit)
            for run in worth[:MOST_CHECK_RUNS]:
                for message in github.notices(run.id, audits.TITLE):
                    audit = audit.with_uses(audits.read_trace(message, number, run))
                if run.done:
                    audit = audit.with_looked(str(run.id))
            all_read = len(worth) <= MOST_CHECK_RUNS
            if all_read and audits.is_final(sha, runs, incident, now):
                audit = audit.with_looked(audits.name_of(sha))
    except GitHubError:
        return audit
    return audit


MOST_CHANGES = 5
"""The most changes that one run looks up, the newest first. The next run takes the others."""


def commits(github: GitHub, named: Mapping[str, Allow], known: Mapping[str, str]) -> dict[str, str]:
    """Which commits the changes in `named` are: whole SHAs, empty for a change that is not here.

    `known` are the answers of earlier runs, by the same keys: a pull request's head is asked for
    once, so that commits that come later are not let through. Keys are left out when a question
    fails, and for links to another repository. Makes one request for each new change.
    """
    answers = {key: sha for key, sha in known.items() if key in named}
    unknown = [key for key in named if key not in known and not named[key].elsewhere]
    for key in reversed(unknown[-MOST_CHANGES:]):
        change = named[key]
        try:
            answers[key] = (
                github.pull(change.pr).sha if change.pr else github.commit(change.sha or "")
            )
        except (NotFound, Rejected):
            answers[key] = ""
        except GitHubError:
            continue
    return answers


def heads(github: GitHub, pulls: Collection[int]) -> dict[int, str]:
    """The newest commits of pull requests, by their number. Makes one request for each.

    Those that can't be read are left out.
    """
    found = {}
    for number in sorted(pulls)[:MOST_CHANGES]:
        try:
            found[number] = github.pull(number).sha
        except GitHubError:
            continue
    return found
