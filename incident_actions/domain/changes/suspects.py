"""Find the suspects: what changed in the hour before an incident, and which rollback rule applies.

The functions are pure. They turn what GitHub recorded into a list of changes, the newest first,
each with the kinds that the playbook names.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Protocol, TypeVar

from msgspec import Meta, Struct
from msgspec.structs import replace

from incident_actions.domain.issue.observation import Deployment
from incident_actions.domain.text.names import matches

WINDOW = timedelta(minutes=60)
"""The playbook's question: what changed in the last 60 minutes?"""
MOST_KEPT = 20
"""How many suspects the state keeps at most."""


class ChangeKind(StrEnum):
    """The kinds of change that the playbook asks about and that can be seen in a repository."""

    DEPLOY = "deploy"
    MIGRATION = "migration"
    CONFIG = "config"
    SECRETS = "secrets"
    DEPENDENCIES = "dependencies"
    DNS = "dns"
    TLS = "tls"
    CRON = "cron"

    @property
    def label(self) -> str:
        """The kind in people's words: `database migration`."""
        return _LABELS.get(self, self.value)


_LABELS = {
    ChangeKind.MIGRATION: "database migration",
    ChangeKind.CONFIG: "configuration",
    ChangeKind.DEPENDENCIES: "dependency update",
    ChangeKind.DNS: "DNS",
    ChangeKind.TLS: "TLS",
    ChangeKind.CRON: "cron job or worker",
}

Patterns = tuple[Annotated[str, Meta(min_length=1, max_length=200)], ...]


def _globs(text: str) -> Patterns:
    return tuple(text.split())


class ChangePaths(Struct, frozen=True, forbid_unknown_fields=True):
    """The paths that make a change one of a kind, as globs. A team's own replace the defaults.

    Of workflow runs the workflow's own path counts.
    """

    deploy: Annotated[Patterns, Meta(description="Paths of what deploys.")] = _globs(
        ".github/workflows/*deploy* .github/workflows/*release* **/deploy/**"
    )
    migration: Annotated[Patterns, Meta(description="Paths of database migrations.")] = _globs(
        "**/migrations/** **/migrate/** **/alembic/versions/** .github/workflows/*migrat* *.sql"
    )
    config: Annotated[Patterns, Meta(description="Paths of configuration.")] = _globs(
        ".env* **/config/** **/settings/** settings.* config.* *.conf *.ini *.tf *.tfvars "
        "values*.yaml docker-compose*"
    )
    secrets: Annotated[Patterns, Meta(description="Paths of secrets.")] = _globs(
        "*secret* *.sops.* *vault* .github/workflows/*rotat*"
    )
    dependencies: Annotated[Patterns, Meta(description="Paths of dependencies.")] = _globs(
        "requirements*.txt pyproject.toml *.lock package*.json pnpm-lock.yaml go.mod go.sum "
        "Cargo.toml Gemfile pom.xml build.gradle* Dockerfile*"
    )
    dns: Annotated[Patterns, Meta(description="Paths of DNS records.")] = _globs(
        "**/dns/** *dns* *.zone"
    )
    tls: Annotated[Patterns, Meta(description="Paths of certificates.")] = _globs(
        "**/certs/** *certificate* *tls* *.pem *.crt"
    )
    cron: Annotated[Patterns, Meta(description="Paths of cron jobs and workers.")] = _globs(
        "*cron* *worker* **/workers/** **/jobs/** *celery*"
    )

    def of(self, kind: ChangeKind) -> Patterns:
        """The globs of one kind."""
        patterns: Patterns = getattr(self, kind.value)
        return patterns


UNSEEN = (
    "Traffic: a launch, a crawler, an attack",
    "A provider's outage: read their status pages",
    "Secrets rotated by hand",
    "Settings, flags, DNS or certificates changed in a console",
    "Cron jobs and workers outside of this repository",
)
"""Changes that can't be seen in a repository, so that people have to look for them."""


class Push(Struct, frozen=True):
    """A push to the default branch. `before` and `after` are the full SHAs of its last commit."""

    at: datetime
    by: str
    before: str
    after: str


class MergedPull(Struct, frozen=True):
    """A merged pull request. `sha` is the commit that the merge made on the base branch."""

    number: int
    title: str
    by: str
    at: datetime
    sha: str


class Release(Struct, frozen=True):
    """A published release."""

    at: datetime
    by: str
    tag: str


class WorkflowRun(Struct, frozen=True):
    """A run of a workflow. `name` is the workflow's name, `path` its file."""

    id: int
    at: datetime
    by: str
    name: str
    path: str
    sha: str
    succeeded: bool


class RecordedChanges(Struct, frozen=True):
    """What GitHub recorded.

    `paths` holds the changed files of each comparison of two commits, by (base, head). `unread`
    names the records that could not be read.
    """

    deployments: tuple[Deployment, ...] = ()
    pushes: tuple[Push, ...] = ()
    pulls: tuple[MergedPull, ...] = ()
    releases: tuple[Release, ...] = ()
    runs: tuple[WorkflowRun, ...] = ()
    paths: Mapping[tuple[str, str], tuple[str, ...]] = {}
    unread: tuple[str, ...] = ()


class Change(Struct, frozen=True, omit_defaults=True):
    """One suspect: a change in the hour before the incident.

    `page` is its address below the repository's: `pull/57`, `commit/4f2c1aa`. `deploys` says that
    it deployed something, `read` that its changed files are known.
    """

    at: datetime
    by: str
    what: str
    page: str
    kinds: tuple[ChangeKind, ...] = ()
    deploys: bool = False
    read: bool = True
    likeliest: bool = False


class RollbackRule(StrEnum):
    """The rollback rule that applies.

    ROLL_BACK: a deploy, and no migration. MIGRATION: a deploy, and a migration, which a rollback
    may not undo. UNREAD: a deploy whose changed files are not known. NO_DEPLOY: only other changes.
    NOTHING: no change at all. BLIND: no change was seen, but some records could not be read.
    """

    ROLL_BACK = "roll-back"
    MIGRATION = "migration"
    UNREAD = "unread"
    NO_DEPLOY = "no-deploy"
    NOTHING = "nothing"
    BLIND = "blind"


class _HasTime(Protocol):
    @property
    def at(self) -> datetime: ...


_Timed = TypeVar("_Timed", bound=_HasTime)


class Suspects(Struct, frozen=True, omit_defaults=True):
    """The suspects of one incident, and the rollback rule.

    `start` is when the incident started; when that time is corrected, the suspects are looked for
    again. `more` is how many suspects were left out of `changes`. `workflow` is the file's name of
    the workflow that deploys, empty when it is not known; `by_hand` is False when it can't be
    started by hand.
    """

    start: datetime
    rule: RollbackRule
    changes: tuple[Change, ...] = ()
    unread: tuple[str, ...] = ()
    more: int = 0
    workflow: str = ""
    by_hand: bool = True

    @property
    def likeliest(self) -> Change | None:
        """The likeliest cause among the changes; None when there are none."""
        return next((change for change in self.changes if change.likeliest), None)

    @property
    def deploys(self) -> bool:
        """Whether a deploy is among them."""
        return self.rule in (RollbackRule.ROLL_BACK, RollbackRule.MIGRATION, RollbackRule.UNREAD)


WORKFLOWS = ".github/workflows"
_NO_DEPLOY = re.compile(r"gate|lint|test|check|preview|undeploy|notes|draft", re.IGNORECASE)


def deploy_workflows(
    paths: Iterable[str], found: Suspects, globs: ChangePaths, runs: Iterable[WorkflowRun] = ()
) -> tuple[str, ...]:
    """Those of the workflows' paths that deploy, by the globs of `deploy`, the likeliest first.

    That is the one that ran for the likeliest suspect; else the first of `paths`.
    """
    likeliest = found.likeliest
    pages = {likeliest.page} if likeliest else set[str]()
    suspected = {
        run.path for run in runs if {f"commit/{run.sha}", f"actions/runs/{run.id}"} & pages
    }
    fitting = [
        path
        for path in dict.fromkeys(paths)
        if path.startswith(f"{WORKFLOWS}/") and matches(path, globs.deploy)
    ]
    fitting.sort(key=lambda path: (bool(_NO_DEPLOY.search(path)), path not in suspected))
    return tuple(fitting)


def comparisons(seen: RecordedChanges, start: datetime) -> tuple[tuple[str, str], ...]:
    """The pairs of commits (base, head) whose changed files should be read, the most useful first.

    The newest deploy comes first, then the pushes, the newest first.
    """
    wanted: dict[tuple[str, str], None] = {}
    for deployment in reversed(_in_window(seen.deployments, start)):
        base = _deployed_before(seen.deployments, deployment)
        if base is not None:
            wanted.setdefault((base, deployment.sha))
            break
    for push in reversed(_in_window(seen.pushes, start)):
        wanted.setdefault((push.before, push.after))
    return tuple(pair for pair in wanted if _known(pair[0]) and pair[0] != pair[1])


def suspects(seen: RecordedChanges, start: datetime, globs: ChangePaths) -> Suspects:
    """The changes in the hour before `start`, the newest first, and the rollback rule.

    `globs` are the path globs that tell the kinds of changes apart.
    """
    changes = [
        *_deployments(seen, start, globs),
        *_merges(seen, start, globs),
        *_releases(seen, start),
        *_runs(seen, start, globs),
    ]
    changes.sort(key=lambda change: (change.at, change.deploys), reverse=True)
    return Suspects(
        start=start,
        rule=_rule(changes, seen),
        changes=_mark_likeliest(changes)[:MOST_KEPT],
        unread=seen.unread,
        more=max(0, len(changes) - MOST_KEPT),
    )


def _in_window(items: Iterable[_Timed], start: datetime) -> list[_Timed]:
    """The items of the hour before `start`, oldest first."""
    within = (item for item in items if start - WINDOW <= item.at <= start)
    return sorted(within, key=lambda item: item.at)


def _known(sha: str) -> bool:
    """Whether this is a real SHA. GitHub gives zeros for a branch that was created or deleted."""
    return bool(sha.strip("0"))


def _deployed_before(deployments: Iterable[Deployment], this: Deployment) -> str | None:
    """The SHA that this deployment replaced in its environment; None when it was the first."""
    earlier = [
        other
        for other in deployments
        if other.environment == this.environment and (other.at, other.id) < (this.at, this.id)
    ]
    return max(earlier, key=lambda other: (other.at, other.id)).sha if earlier else None


def _deployments(seen: RecordedChanges, start: datetime, globs: ChangePaths) -> Iterator[Change]:
    for deployment in _in_window(seen.deployments, start):
        base = _deployed_before(seen.deployments, deployment)
        paths = () if base == deployment.sha else _paths_of(seen, deployment.sha, base)
        yield Change(
            deployment.at,
            deployment.by,
            f"deployed {deployment.sha[:7]} to {deployment.environment}",
            f"commit/{deployment.sha}",
            _kinds(paths or (), globs, ChangeKind.DEPLOY),
            deploys=True,
            read=paths is not None,
        )


def _paths_of(seen: RecordedChanges, head: str, base: str | None = None) -> tuple[str, ...] | None:
    """The files that changed up to the commit `head`; None when no comparison was read.

    Without a comparison from `base`, any comparison that ends in `head` is used.
    """
    if base is not None and (base, head) in seen.paths:
        return seen.paths[base, head]
    return next((paths for (_, to), paths in seen.paths.items() if to == head), None)


def _merges(seen: RecordedChanges, start: datetime, globs: ChangePaths) -> Iterator[Change]:
    """The pushes and merged pull requests. A push that merged a pull request is listed as that."""
    pulls = {pull.sha: pull for pull in _in_window(seen.pulls, start)}
    for push in _in_window(seen.pushes, start):
        paths = seen.paths.get((push.before, push.after))
        pull = pulls.pop(push.after, None)
        if pull is not None:
            yield _merged(pull, paths, globs)
            continue
        known = _known(push.before)
        page = f"compare/{push.before}...{push.after}" if known else f"commit/{push.after}"
        what = f"pushed {push.after[:7]}"
        kinds = _kinds(paths or (), globs)
        yield Change(push.at, push.by, what, page, kinds, read=paths is not None)
    for pull in pulls.values():
        yield _merged(pull, _paths_of(seen, pull.sha), globs)


def _merged(pull: MergedPull, paths: tuple[str, ...] | None, globs: ChangePaths) -> Change:
    what = f"merged #{pull.number} {pull.title}"[:200]
    kinds = _kinds(paths or (), globs)
    return Change(pull.at, pull.by, what, f"pull/{pull.number}", kinds, read=paths is not None)


def _releases(seen: RecordedChanges, start: datetime) -> Iterator[Change]:
    for each in _in_window(seen.releases, start):
        yield Change(each.at, each.by, f"released {each.tag}", f"releases/tag/{each.tag}")


def _runs(seen: RecordedChanges, start: datetime, globs: ChangePaths) -> Iterator[Change]:
    """The runs of workflows whose file's path is of some kind of change.

    A deploy's run is left out when the deployment of the same commit is listed.
    """
    deployed = {deployment.sha for deployment in _in_window(seen.deployments, start)}
    for run in _in_window(seen.runs, start):
        kinds = _kinds((run.path,), globs)
        if not kinds or (kinds == (ChangeKind.DEPLOY,) and run.sha in deployed):
            continue
        yield Change(
            run.at,
            run.by,
            f"ran {run.name}" if run.succeeded else f"ran {run.name}, which failed",
            f"actions/runs/{run.id}",
            kinds,
            deploys=ChangeKind.DEPLOY in kinds,
            read=_paths_of(seen, run.sha) is not None,
        )


def _kinds(paths: Iterable[str], globs: ChangePaths, *known: ChangeKind) -> tuple[ChangeKind, ...]:
    """The kinds of a change: those that are `known`, and those whose globs match a path."""
    paths = tuple(paths)
    return tuple(
        kind
        for kind in ChangeKind
        if kind in known or any(matches(path, globs.of(kind)) for path in paths)
    )


def _mark_likeliest(changes: Sequence[Change]) -> tuple[Change, ...]:
    """The changes, with one marked as `likeliest`.

    It is the newest deploy; without deploys, the newest change that has a kind; else the newest.
    """
    ranked = sorted(changes, key=lambda change: (not change.deploys, not change.kinds))
    return tuple(replace(change, likeliest=change is ranked[0]) for change in changes)


def _rule(changes: Sequence[Change], seen: RecordedChanges) -> RollbackRule:
    deploy = next((change for change in changes if change.deploys), None)
    if deploy is None:
        if changes:
            return RollbackRule.NO_DEPLOY
        return RollbackRule.BLIND if seen.unread else RollbackRule.NOTHING
    if any(ChangeKind.MIGRATION in change.kinds for change in changes):
        return RollbackRule.MIGRATION
    return RollbackRule.ROLL_BACK if deploy.read else RollbackRule.UNREAD
