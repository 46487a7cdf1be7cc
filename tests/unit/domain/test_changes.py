"""What changed before an incident: which suspects, in what order, and which rollback rule."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_actions.domain.changes.suspects import (
    MOST_KEPT,
    ChangeKind,
    ChangePaths,
    MergedPull,
    Push,
    RecordedChanges,
    Release,
    RollbackRule,
    Suspects,
    WorkflowRun,
    comparisons,
    suspects,
)
from incident_actions.domain.issue.observation import Deployment
from incident_actions.domain.text.names import matches

START = datetime(2026, 11, 23, 14, 2, tzinfo=UTC)
OLD, BASE, HEAD = "a" * 40, "b" * 40, "c" * 40


def before(minutes: float) -> datetime:
    return START - timedelta(minutes=minutes)


def deployment(minutes: float, sha: str, environment: str = "production") -> Deployment:
    return Deployment(int(10_000 - minutes), before(minutes), "dana", sha, environment)


def look(seen: RecordedChanges) -> Suspects:
    return suspects(seen, START, ChangePaths())


DEPLOYED = RecordedChanges(deployments=(deployment(300, BASE), deployment(10, HEAD)))


def with_files(*paths: str) -> RecordedChanges:
    """A deploy ten minutes before the start that brought these files."""
    return RecordedChanges(deployments=DEPLOYED.deployments, paths={(BASE, HEAD): paths})


@pytest.mark.parametrize(
    ("seen", "rule"),
    [
        (with_files("src/app.py"), RollbackRule.ROLL_BACK),
        (with_files("src/app.py", "db/migrations/0007_orders.py"), RollbackRule.MIGRATION),
        (DEPLOYED, RollbackRule.UNREAD),
        (
            RecordedChanges(deployments=(deployment(300, HEAD), deployment(10, HEAD))),
            RollbackRule.ROLL_BACK,
        ),
        (RecordedChanges(pushes=(Push(before(5), "bea", BASE, HEAD),)), RollbackRule.NO_DEPLOY),
        (RecordedChanges(deployments=(deployment(61, HEAD),)), RollbackRule.NOTHING),
        (RecordedChanges(deployments=(deployment(-1, HEAD),)), RollbackRule.NOTHING),
        (RecordedChanges(), RollbackRule.NOTHING),
        (RecordedChanges(unread=("deployments",)), RollbackRule.BLIND),
    ],
)
def test_the_rollback_rule_follows_from_what_was_seen(
    seen: RecordedChanges, rule: RollbackRule
) -> None:
    """Only a deploy within the hour whose files are known to hold no migration is rolled back."""
    assert look(seen).rule is rule


def test_a_migration_that_ran_on_its_own_counts() -> None:
    """A migration in the hour forbids the blind rollback, even when the deploy brought none."""
    run = WorkflowRun(
        1, before(20), "dana", "Migrate", ".github/workflows/migrate.yml", OLD, succeeded=True
    )
    seen = RecordedChanges(DEPLOYED.deployments, runs=(run,), paths={(BASE, HEAD): ("src/app.py",)})
    assert look(seen).rule is RollbackRule.MIGRATION


def test_suspects_come_newest_first_and_one_is_the_likeliest() -> None:
    """The deploy is the likeliest, whatever else came after it."""
    seen = RecordedChanges(
        deployments=DEPLOYED.deployments,
        pushes=(Push(before(5), "bea", HEAD, OLD), Push(before(50), "bea", BASE, HEAD)),
        releases=(Release(before(2), "bea", "v7"),),
        paths={(BASE, HEAD): ("requirements.txt",)},
    )
    found = look(seen).changes
    assert [c.what for c in found] == [
        "released v7",
        "pushed aaaaaaa",
        "deployed ccccccc to production",
        "pushed ccccccc",
    ]
    assert [c.what for c in found if c.likeliest] == ["deployed ccccccc to production"]
    assert found[2].kinds == (ChangeKind.DEPLOY, ChangeKind.DEPENDENCIES)


def test_without_a_deploy_a_change_of_a_known_kind_is_the_likeliest() -> None:
    """A change of configuration is worth more suspicion than a newer one of unknown kind."""
    seen = RecordedChanges(
        pushes=(Push(before(5), "bea", HEAD, OLD), Push(before(50), "bea", BASE, HEAD)),
        paths={(HEAD, OLD): ("src/app.py",), (BASE, HEAD): ("config/app.yml",)},
    )
    assert [c.likeliest for c in look(seen).changes] == [False, True]


def test_a_push_that_merged_a_pull_request_is_told_once_with_its_author() -> None:
    """The pull request's number, title and author say more than the merge."""
    seen = RecordedChanges(
        pushes=(Push(before(5), "merge-bot", BASE, HEAD),),
        pulls=(MergedPull(57, "Cache the sessions", "bea", before(5), HEAD),),
        paths={(BASE, HEAD): ("dns/zone.tf",)},
    )
    (change,) = look(seen).changes
    assert (change.what, change.by, change.page, change.kinds) == (
        "merged #57 Cache the sessions",
        "bea",
        "pull/57",
        (ChangeKind.CONFIG, ChangeKind.DNS),
    )


def test_runs_that_change_nothing_are_noise() -> None:
    """Tests and the run of a deploy that GitHub was told of are left out."""
    runs = [
        WorkflowRun(
            number, before(9), "dana", name, f".github/workflows/{name}.yml", HEAD, succeeded=True
        )
        for number, name in enumerate(("ci", "deploy", "incident", "rotate-keys"))
    ]
    seen = RecordedChanges(DEPLOYED.deployments, runs=tuple(runs), paths={(BASE, HEAD): ()})
    assert [c.what for c in look(seen).changes] == [
        "ran rotate-keys",
        "deployed ccccccc to production",
    ]


def test_what_the_newest_deploy_brought_is_compared_first() -> None:
    """Requests are few: the deploy comes before the pushes, and a new branch has no base."""
    seen = RecordedChanges(
        deployments=(*DEPLOYED.deployments, deployment(5, OLD, "staging")),
        pushes=(Push(before(20), "bea", BASE, OLD), Push(before(30), "bea", "0" * 40, BASE)),
    )
    assert comparisons(seen, START) == ((BASE, HEAD), (BASE, OLD))


def test_a_busy_hour_keeps_the_newest_and_counts_the_rest() -> None:
    """The state of an issue has no room for a hundred pushes."""
    pushes = tuple(Push(before(n / 2), "bea", BASE, f"{n:040x}") for n in range(1, 101))
    found = look(RecordedChanges(pushes=pushes))
    assert len(found.changes) == MOST_KEPT
    assert found.more == 100 - MOST_KEPT
    assert found.changes[0].at == before(0.5)


times = st.integers(-30, 120).map(before)
shas = st.sampled_from([OLD, BASE, HEAD, "0" * 40])
names = st.text(max_size=20)
anything = st.builds(
    RecordedChanges,
    deployments=st.lists(
        st.builds(Deployment, st.integers(1, 99), times, names, shas, names), max_size=4
    ).map(tuple),
    pushes=st.lists(st.builds(Push, times, names, shas, shas), max_size=4).map(tuple),
    pulls=st.lists(
        st.builds(MergedPull, st.integers(1, 99), names, names, times, shas), max_size=4
    ).map(tuple),
    paths=st.dictionaries(st.tuples(shas, shas), st.lists(names, max_size=3).map(tuple)),
    unread=st.lists(names, max_size=2).map(tuple),
)


@given(anything)
def test_whatever_github_tells_the_answer_holds_together(seen: RecordedChanges) -> None:
    """Newest first, all within the hour, one likeliest, and no rollback beside a migration."""
    found = look(seen)
    assert [c.at for c in found.changes] == sorted((c.at for c in found.changes), reverse=True)
    assert all(before(60) <= c.at <= START for c in found.changes)
    assert sum(c.likeliest for c in found.changes) == bool(found.changes)
    if found.rule is RollbackRule.ROLL_BACK:
        assert not any(ChangeKind.MIGRATION in c.kinds for c in found.changes)


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("*.sql", "db/a/b.SQL", True),
        ("*.sql", "b.sqlx", False),
        ("**/migrations/**", "migrations/1.py", True),
        ("**/migrations/**", "src/app/migrations/deep/1.py", True),
        ("**/migrations/**", "src/migrations.py", False),
        (".github/workflows/*deploy*", ".github/workflows/deploy.yml", True),
        (".github/workflows/*deploy*", "x/.github/workflows/deploy.yml", False),
        ("settings.?", "app/settings.y", True),
        ("a*c", "a/c", False),
        ("**", "any/thing", True),
        ("a[b].txt", "a[b].txt", True),
    ],
)
def test_globs_are_those_of_a_gitignore(glob: str, path: str, fits: bool) -> None:
    """A star stays in its folder; without a slash the file's name counts, wherever it lies."""
    assert matches(path, [glob]) is fits


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("app/db/migrations/0001.py", ChangeKind.MIGRATION),
        ("backend/alembic/versions/3f.py", ChangeKind.MIGRATION),
        ("src/config/queue.yml", ChangeKind.CONFIG),
        (".env.production", ChangeKind.CONFIG),
        ("k8s/secrets.yaml", ChangeKind.SECRETS),
        ("requirements.txt", ChangeKind.DEPENDENCIES),
        ("web/package-lock.json", ChangeKind.DEPENDENCIES),
        ("infra/dns/records.tf", ChangeKind.DNS),
        ("nginx/certs/fullchain.pem", ChangeKind.TLS),
        ("ops/crontab", ChangeKind.CRON),
        ("src/workers/mail.py", ChangeKind.CRON),
        (".github/workflows/deploy.yml", ChangeKind.DEPLOY),
    ],
)
def test_the_defaults_know_the_playbooks_kinds(path: str, kind: ChangeKind) -> None:
    """A team that configures nothing gets useful classes."""
    assert matches(path, ChangePaths().of(kind))
