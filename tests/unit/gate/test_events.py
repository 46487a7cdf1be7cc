"""Which commit a deploy is about, by its event, and what a merge queue's group brings along."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.gate.cases import SEV1, allow, form, freeze, issue, with_state
from tests.unit.gate.conftest import Ran, Run
from tests.unit.gate.hostile import Hostile, Reply

MAIN = "5ecd" * 10  # the head of the default branch, as GITHUB_SHA
GOOD = "a11d" * 10  # another commit, the one that is deployed
BASE = "ba5e" * 10
NAMED: dict[str, Any] = {
    "workflow_run": {"workflow_run": {"head_sha": GOOD}},
    "deployment": {"deployment": {"sha": GOOD}},
    "deployment_status": {"deployment": {"sha": GOOD}},
    "check_run": {"check_run": {"head_sha": GOOD}},
    "check_suite": {"check_suite": {"head_sha": GOOD}},
    "status": {"sha": GOOD},
    "pull_request_target": {"pull_request": {"number": 7, "head": {"sha": GOOD}}},
}
UNNAMED = (
    "repository_dispatch", "issue_comment", "issues", "schedule", "workflow_call", "discussion",
    "label", "watch", "fork", "page_build", "something_new",
)  # fmt: skip
CHECKED_OUT = ("push", "workflow_dispatch", "release", "create", "")


@pytest.fixture(autouse=True)
def believed(github: Hostile) -> None:
    """Whoever wrote it may write; nobody edited anything."""
    github.believe()


def trace(ran: Ran) -> dict[str, Any]:
    """What the gate leaves for the audit."""
    (note,) = [each for each in ran.annotations if each.level == "notice"]
    read: dict[str, Any] = json.loads(note.message)
    return read


@pytest.mark.parametrize("event", NAMED)
def test_an_event_that_names_its_commit_is_about_that_one(
    run: Run, github: Hostile, event: str
) -> None:
    """An allowance of the main branch's head lets no other commit through."""
    github.will("incident", [issue("sev1", body=allow(sha=MAIN))])
    about: dict[str, Any] = {"GITHUB_EVENT_NAME": event, "GITHUB_SHA": MAIN}
    assert run(event=NAMED[event], **about).verdict == "frozen"
    github.will("incident", [issue("sev1", body=allow(sha=GOOD))])
    ran = run(event=NAMED[event], **about)
    assert (ran.verdict, trace(ran)["sha"]) == ("exempt", GOOD)


@pytest.mark.parametrize(
    ("upstream", "verdict"),
    [("push", "exempt"), ("pull_request", "exempt"), ("merge_group", "exempt"),
     ("workflow_dispatch", "exempt"), ("repository_dispatch", "frozen"), ("schedule", "frozen"),
     ("issue_comment", "frozen"), ("workflow_run", "frozen"), ("pull_request_target", "frozen")],
)  # fmt: skip
def test_a_workflow_after_another_is_about_what_that_one_checked_out(
    run: Run, github: Hostile, upstream: str, verdict: str
) -> None:
    """GitHub names a commit for each run; of some events it is the default branch's head."""
    github.will("incident", [issue("sev1", body=allow(sha=GOOD))])
    event = {"workflow_run": {"head_sha": GOOD, "event": upstream}}
    assert run(event=event, GITHUB_EVENT_NAME="workflow_run").verdict == verdict


@pytest.mark.parametrize("event", [*UNNAMED, *NAMED])
def test_an_event_without_a_commit_needs_to_be_told(run: Run, github: Hostile, event: str) -> None:
    """No allowance applies, no fix either, and the message says what to give."""
    github.will("/pulls", [{"number": 7, "body": "Fixes #12", "author_association": "MEMBER"}])
    about: dict[str, Any] = {"GITHUB_EVENT_NAME": event, "GITHUB_SHA": MAIN}
    entry = {"sha": MAIN, "by": "alice", "until": "2126-01-01T00:00:00Z"}
    github.will("incident", [issue("sev1", body=with_state(allow=[entry], fixes=[7]))])
    for intent in ("deploy", "fix"):
        ran = run(event={}, inputs={"intent": intent}, **about)
        assert ran.verdict == "frozen"
        assert f"The event `{event}` does not name the commit" in ran.errors[0]
        assert "`sha:`" in ran.errors[0]
    assert not any("/pulls" in path for path in github.log)
    assert run(event={}, inputs={"sha": MAIN.upper()}, **about).verdict == "exempt"
    assert run(event={}, inputs={"intent": "rollback"}, **about).verdict == "rollback"


@pytest.mark.parametrize("event", CHECKED_OUT)
def test_an_event_that_is_checked_out_is_about_its_commit(
    run: Run, github: Hostile, event: str
) -> None:
    """GITHUB_SHA is what a push, a release or a run by hand deploys; no file is read for it."""
    github.will("incident", [issue("sev1", body=allow(sha=MAIN))])
    ran = run(GITHUB_EVENT_NAME=event, GITHUB_SHA=MAIN, GITHUB_EVENT_PATH="/nowhere")
    assert (ran.verdict, trace(ran)["sha"]) == ("exempt", MAIN)


def test_the_input_comes_before_the_event(run: Run, github: Hostile) -> None:
    """Who says what is deployed is believed; the trace names it."""
    github.will("incident", [issue("sev1", body=allow(sha=GOOD))])
    ran = run(inputs={"sha": GOOD}, GITHUB_EVENT_NAME="push", GITHUB_SHA=MAIN)
    assert (ran.verdict, trace(ran)["sha"]) == ("exempt", GOOD)
    github.will("incident", [issue("sev1", body=allow(sha=MAIN))])
    assert run(inputs={"sha": GOOD}, GITHUB_SHA=MAIN).verdict == "frozen"
    assert f"/repos/acme/shop/commits/{GOOD}/pulls" in github.log


@pytest.mark.parametrize("sha", ["main", "1f1f1f1", "x" * 40, GOOD[:39], f"{GOOD}0", "v1.2"])
def test_a_commit_that_is_no_full_hash_is_bad_input(run: Run, github: Hostile, sha: str) -> None:
    """A branch or a short hash may mean another commit tomorrow."""
    ran = run(inputs={"sha": sha})
    assert (ran.exit_code, "`sha`" in ran.errors[0]) == (2, True)


def test_a_rollback_passes_whatever_says_what_is_deployed(run: Run, github: Hostile) -> None:
    """A tag, or an event file that can't be read, stops no rollback; an event names its commit."""
    github.will("incident", [SEV1])
    back = {"intent": "rollback"}
    assert run(inputs={**back, "sha": "v1.2.3"}).verdict == "rollback"
    assert run(inputs=back, event="[", GITHUB_EVENT_NAME="pull_request").verdict == "rollback"
    about = {"GITHUB_EVENT_NAME": "workflow_run", "GITHUB_SHA": MAIN}
    assert trace(run(inputs=back, event=NAMED["workflow_run"], **about))["sha"] == GOOD


@pytest.mark.parametrize("sha", [GOOD, MAIN])
def test_who_repeats_the_commit_of_a_pull_request_means_that_one(
    run: Run, github: Hostile, sha: str
) -> None:
    """`sha: ${{ github.sha }}` or the head's changes nothing; another commit is another one."""
    github.will("incident", [issue("sev1", body=allow(pr=7, sha=GOOD))])
    event = {"pull_request": {"number": 7, "head": {"sha": GOOD}}}
    about: dict[str, Any] = {"GITHUB_EVENT_NAME": "pull_request", "GITHUB_SHA": MAIN}
    ran = run(event=event, inputs={"sha": sha}, **about)
    assert (ran.verdict, trace(ran)["sha"]) == ("exempt", sha)
    assert run(event=event, inputs={"sha": BASE}, **about).verdict == "frozen"
    assert run(event="[", inputs={"sha": GOOD}, **about).verdict == "exempt"


@pytest.mark.parametrize(("merged", "own"), [(True, "merge_commit_sha"), (False, "head")])
def test_the_target_of_a_pull_request_is_not_its_commit(
    run: Run, github: Hostile, merged: bool, own: str
) -> None:
    """GITHUB_SHA is the base branch there; a merged pull request deploys its merge commit."""
    pull = {"number": 7, "merged": merged, "head": {"sha": BASE}, "merge_commit_sha": BASE}
    pull[own] = {"sha": GOOD} if own == "head" else GOOD
    github.will("incident", [issue("sev1", body=allow(sha=GOOD))])
    ran = run(
        event={"pull_request": pull}, GITHUB_EVENT_NAME="pull_request_target", GITHUB_SHA=MAIN
    )
    assert (ran.verdict, trace(ran)["sha"]) == ("exempt", GOOD)


HEAD, RIDER = "0057" * 10, "0056" * 10
BRANCH = "refs/heads/gh-readonly-queue/main/pr-57-" + RIDER
GROUP = {"head_ref": BRANCH, "head_sha": HEAD, "base_ref": "refs/heads/main", "base_sha": RIDER}
QUEUE = "github-merge-queue[bot]"
FREEZE = freeze(body=form(Who_may_deploy="@dave, @erin"))


def commit(sha: str, *parents: str) -> dict[str, Any]:
    """A commit, as in a comparison."""
    return {"sha": sha, "parents": [{"sha": parent} for parent in parents]}


def head(number: int) -> str:
    """The head of a pull request's branch."""
    return f"{number:04}{'b' * 36}"


def allowed(*numbers: int) -> Any:
    """An incident that lets these pull requests through."""
    more = {"by": "alice", "until": "2126-01-01T00:00:00Z"}
    entries = [{"pr": number, "sha": head(number), **more} for number in numbers]
    return issue("sev1", body=with_state(allow=entries))


def group(github: Hostile, *commits: dict[str, Any]) -> None:
    """What the head of the queue has that the main branch lacks, oldest first."""
    compared = {"total_commits": len(commits), "commits": list(commits)}
    github.will(f"/compare/main...{HEAD}", compared)
    for number in (56, 57):
        pull = {"number": number, "head": {"sha": head(number)}, "body": ""}
        github.will(f"/pulls/{number}", {**pull, "author_association": "MEMBER"})


def queued(github: Hostile, number: int, *who: str) -> None:
    """Who put a pull request into the queue, the last one at the end."""
    events = [{"event": "added_to_merge_queue", "actor": {"login": login}} for login in who]
    github.will(f"/issues/{number}/timeline", [{"event": "labeled"}, *events])


def merge(run: Run, actor: str = QUEUE, **inputs: str) -> Ran:
    """The queue asks whether it may merge."""
    return run(
        event={"merge_group": GROUP},
        inputs=inputs,
        GITHUB_EVENT_NAME="merge_group",
        GITHUB_SHA=HEAD,
        GITHUB_ACTOR=actor,
    )


ALONE = (commit(HEAD, BASE),)
TWO = (commit(RIDER, BASE), commit(HEAD, RIDER))


@pytest.mark.parametrize(
    ("who", "verdict"), [(["dave"], "exempt"), (["mallory", "Dave"], "exempt"),
                         (["dave", "mallory"], "frozen"), ([], "frozen"), ([QUEUE], "frozen")],
)  # fmt: skip
def test_who_queued_it_counts_for_who_may_deploy(
    run: Run, github: Hostile, who: list[str], verdict: str
) -> None:
    """The last one to queue it; the queue's own account may nothing."""
    github.will("deploy-freeze", [FREEZE])
    group(github, *ALONE)
    queued(github, 57, *who)
    ran = merge(run)
    assert ran.verdict == verdict
    if verdict == "exempt":
        assert [each["actor"].lower() for each in trace(ran)["overrides"]] == ["dave"]


def test_a_schedule_is_nobodys_deed(run: Run, github: Hostile) -> None:
    """Its actor is who edited the schedule last; who runs it again by hand answers for it."""
    github.will("deploy-freeze", [FREEZE])
    about = {"GITHUB_EVENT_NAME": "schedule", "GITHUB_RUN_ATTEMPT": "1"}
    ran = run(event={}, **about, GITHUB_TRIGGERING_ACTOR="dave")
    assert (ran.verdict, "Nobody started this run" in ran.errors[0]) == ("frozen", True)
    about["GITHUB_RUN_ATTEMPT"] = "2"
    assert run(event={}, **about, GITHUB_TRIGGERING_ACTOR="dave").verdict == "exempt"
    for upstream, verdict in (("schedule", "frozen"), ("push", "exempt")):
        event = {"workflow_run": {"head_sha": GOOD, "event": upstream}}
        for given in ({}, {"sha": GOOD}, {"sha": MAIN}):
            ran = run(event=event, inputs=given, GITHUB_EVENT_NAME="workflow_run")
            assert ran.verdict == verdict


def test_a_group_that_is_named_is_still_a_group(run: Run, github: Hostile) -> None:
    """`sha: ${{ github.sha }}` in a merge queue."""
    github.will("incident", [allowed(57)])
    group(github, *ALONE)
    assert merge(run, sha=HEAD).verdict == "exempt"
    group(github, *TWO)
    github.will(f"/commits/{RIDER}/pulls", [{"number": 56}])
    assert merge(run, sha=HEAD).verdict == "frozen"


def test_a_branch_with_an_endless_number_is_no_group(run: Run, github: Hostile) -> None:
    """The gate answers; nothing can be told of the group."""
    github.will("incident", [allowed(57)])
    branch = f"refs/heads/gh-readonly-queue/main/pr-{'9' * 5000}-{RIDER}"
    ran = run(event={"merge_group": {**GROUP, "head_ref": branch}}, GITHUB_EVENT_NAME="merge_group")
    assert ran.verdict == "frozen"


def test_who_queued_it_is_on_the_last_page(run: Run, github: Hostile) -> None:
    """A long timeline is read at its end."""
    github.will("deploy-freeze", [FREEZE])
    group(github, *ALONE)
    link = '<http://x.example/y?page=2>; rel="next", <http://x.example/y?page=3>; rel="last"'
    added = [{"event": "added_to_merge_queue", "actor": {"login": "dave"}}]
    github.will("/issues/57/timeline", Reply([], headers={"Link": link}), Reply(added))
    assert merge(run).verdict == "exempt"
    assert any(path.endswith("timeline?per_page=100&page=3") for path in github.log)


def test_a_queue_that_can_not_be_seen_says_how_to_pass(run: Run, github: Hostile) -> None:
    """Frozen, with a note."""
    github.will("deploy-freeze", [FREEZE])
    group(github, *ALONE)
    ran = merge(run)
    assert ran.verdict == "frozen"
    assert "Who put #57 into the merge queue can't be seen" in ran.errors[0]
    assert "can re-run this job" in ran.errors[0]
    assert merge(run, actor="dave").verdict == "exempt"


def test_another_run_that_the_queue_started_says_how_to_pass(run: Run, github: Hostile) -> None:
    """A deploy after the checks of what the queue merged has its account as actor, too."""
    github.will("deploy-freeze", [FREEZE])
    about = {"GITHUB_EVENT_NAME": "workflow_run", "GITHUB_ACTOR": QUEUE}
    ran = run(event={"workflow_run": {"head_sha": HEAD}}, **about)
    assert (ran.verdict, "can re-run this job" in ran.errors[0]) == ("frozen", True)
    assert run(event={}, **about, GITHUB_TRIGGERING_ACTOR="dave").verdict == "exempt"


@pytest.mark.parametrize(
    ("numbers", "verdict"), [([57], "frozen"), ([56], "frozen"), ([56, 57], "exempt")]
)
@pytest.mark.parametrize("by", ["branch", "commit"])
def test_each_pull_request_of_a_group_must_be_allowed(
    run: Run, github: Hostile, numbers: list[int], verdict: str, by: str
) -> None:
    """One that is allowed does not carry the others through; all in the trace."""
    github.will("incident", [allowed(*numbers)])
    group(github, *TWO)
    if by == "branch":
        name = "refs/heads/gh-readonly-queue/main/pr-56-" + BASE
        github.will("/git/matching-refs/", [{"ref": name, "object": {"sha": RIDER}}])
    else:
        github.will(f"/commits/{RIDER}/pulls", [{"number": 56}])
    ran = merge(run)
    assert ran.verdict == verdict
    if verdict == "exempt":
        assert {o["change"] for o in trace(ran)["overrides"]} == {"#56", "#57"}
        assert len(json.loads(ran.outputs["incidents"])) == 1
    else:
        (other,) = {56, 57} - set(numbers)
        assert f"#{other} may not pass" in ran.errors[0]


def test_who_may_deploy_does_not_carry_what_others_queued(run: Run, github: Hostile) -> None:
    """Each pull request counts for who queued it."""
    github.will("deploy-freeze", [FREEZE])
    group(github, *TWO)
    github.will(f"/commits/{RIDER}/pulls", [{"number": 56}])
    queued(github, 57, "dave")
    queued(github, 56, "mallory")
    assert merge(run).verdict == "frozen"
    queued(github, 56, "erin")
    assert merge(run).verdict == "exempt"
    queued(github, 56)
    assert merge(run, actor="dave").verdict == "exempt"  # who re-runs it by hand answers for all


@pytest.mark.parametrize(
    "compared",
    [
        Reply({}, 404), Reply({}, 500), {"total_commits": 300, "commits": [commit(HEAD, BASE)]},
        {"total_commits": 2, "commits": [commit(RIDER, BASE), commit(HEAD, RIDER)]},
        {"total_commits": 1, "commits": [{"sha": None}]}, [],
    ],
)  # fmt: skip
def test_a_group_that_can_not_be_told_apart_is_frozen(
    run: Run, github: Hostile, compared: Any
) -> None:
    """With a note that says what the job needs."""
    github.will("incident", [allowed(57)])
    group(github, *ALONE)
    github.will(f"/compare/main...{HEAD}", compared)
    ran = merge(run)
    assert ran.verdict == "frozen"
    assert "merge group" in ran.errors[0]


def test_the_commits_of_a_merged_branch_belong_to_it(run: Run, github: Hostile) -> None:
    """A merge commit brings its pull request's commits; none of them is asked about."""
    github.will("incident", [allowed(57)])
    group(github, commit(GOOD, BASE), commit(MAIN, GOOD), commit(HEAD, BASE, MAIN))
    assert merge(run).verdict == "exempt"
    assert not any("/commits/" in path for path in github.log)


def test_a_freeze_that_nobody_may_pass_costs_no_look_up(run: Run, github: Hostile) -> None:
    """Without an allowance the group does not matter."""
    github.will("incident", [SEV1])
    assert merge(run).verdict == "frozen"
    assert not any("/compare/" in path for path in github.log)


@pytest.mark.parametrize(("who", "verdict"), [("dave", "exempt"), ("mallory", "frozen")])
def test_what_the_queue_pushed_counts_for_who_queued_it(
    run: Run, github: Hostile, who: str, verdict: str
) -> None:
    """The deploy after the merge is started by the queue's account, too."""
    github.will("deploy-freeze", [FREEZE])
    group(github)
    compared = {"total_commits": 1, "commits": [commit(HEAD, BASE)]}
    github.will(f"/compare/{BASE}...{HEAD}", compared)
    github.will(f"/commits/{HEAD}/pulls", [{"number": 57}])
    queued(github, 57, who)
    ran = run(
        event={"before": BASE, "after": HEAD},
        GITHUB_EVENT_NAME="push",
        GITHUB_SHA=HEAD,
        GITHUB_ACTOR=QUEUE,
    )
    assert ran.verdict == verdict
