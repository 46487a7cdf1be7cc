"""What an allowed change takes along: the commits since the last deploy that passed.

Used only for a deploy that passes because of an `/allow`, or as a fix. An `/allow` is for one
change, so a commit below it whose own deploy the freeze stopped must be allowed as well. Where
GitHub has no record of deployments, or the token may not read it, a note says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from urllib.parse import quote, urlencode

from incident_actions.gate import DeployRequest, GateClient, GateError, GateVerdict, normal
from incident_actions.gate_decision import Code, IssueVerdict, ListedIssue, allowed_change
from incident_actions.gate_inputs import SourcePull, read_pull
from incident_actions.gate_readers import dig, kept, parse_time, parse_until
from incident_actions.gate_words import FROZEN, commit_to_allow

MOST_DEPLOYMENTS = 60  # newest first
AT_ONCE = 20  # deployments whose outcome is asked for at the same time
MOST_PAGES = 3  # of a hundred commits
MOST_STOPPED = 10  # commits whose pull request is looked up
MOST_TOLD = 20
PASSED = ("success", "inactive")  # a newer deployment makes a successful one inactive
STOPPED = ("failure", "error")


def with_riders(
    client: GateClient, request: DeployRequest, verdict: GateVerdict, now: datetime
) -> GateVerdict:
    """The verdict on an allowed change with what it takes along in its notes.

    `verdict` is `exempt`. It becomes `frozen` when a commit whose deploy was stopped since the
    freeze began is among what would be deployed, and is not allowed itself.
    """
    if not request.shas or all(o["kind"] not in ("allowed", "fix") for o in verdict.overrides):
        return verdict
    try:
        base, stopped = last_deploys(client, request)
        along = commits_between(client, request, base, stopped)
        own = commits_of_pulls(client, request, verdict) if along else set()
    except GateError as error:
        verdict.notes += (
            f"What this change takes along can't be told ({error.code}): give the job"
            " `permissions: deployments: read`, `pull-requests: read` and `contents: read`.",
        )
        return verdict
    along = [sha for sha in along if sha not in request.shas | own]
    if not base and not stopped:
        verdict.notes += ("No deployment is on record, so what this takes along is not known.",)
    elif along:
        shown = ", ".join(sha[:10] for sha in along[-10:])
        more = f" and {len(along) - 10} more" if len(along) > 10 else ""
        verdict.along = tuple(along[-MOST_TOLD:])
        since = f", since {base[:10]}" if base else ""
        verdict.notes += (f"Deployed along{since}: {shown}{more}.",)
    if along and any(each["kind"] == "allowed" for each in verdict.overrides):
        try:
            stopped = {**stopped_jobs(client, request, along[-MOST_STOPPED:]), **stopped}
        except GateError as error:
            note = f"Which of them the gate stopped can't be told ({error.code}): give the job"
            verdict.notes += (f"{note} `permissions: checks: read`.",)
    waiting = {sha: at for sha, at in stopped.items() if sha in along}
    pulls = pulls_of(client, request, waiting)
    findings = [blocked(finding, waiting, pulls, now) for finding in verdict.findings]
    held = [(finding, sha) for finding, sha in zip(verdict.findings, findings) if sha]
    if not held:
        return verdict
    first, sha = held[0]
    number, what = first.issue.number, commit_to_allow(request, sha, first.issue.url)
    reason = (
        f"Deploys are frozen by #{number}: this change is allowed, but {sha[:10]} is below it,"
        f" whose deploy was stopped. Comment `/allow {what} for 2h REASON` on #{number}, too."
    )
    kept_ones = tuple(
        IssueVerdict(issue=finding.issue, code=why(finding.issue), override=None)
        for finding, _ in held
    )
    return GateVerdict(
        verdict="frozen",
        code=kept_ones[0].code,
        reason=reason,
        findings=kept_ones,
        notes=verdict.notes,
    )


def why(issue: ListedIssue) -> Code:
    """The code of what an issue freezes a deploy by."""
    if "deploy-freeze" in issue.labels:
        return "deploy-freeze"
    return "severity" if issue.severities else "unknown-severity"


def commits_of_pulls(client: GateClient, request: DeployRequest, verdict: GateVerdict) -> set[str]:
    """The commits of the pull requests that are allowed: they belong to the change.

    Raises `GateError`.
    https://docs.github.com/en/rest/pulls/pulls#list-commits-on-a-pull-request
    """
    numbers = {str(o.get("change")) for o in verdict.overrides if str(o.get("change"))[0] == "#"}
    path = f"/repos/{request.source}/pulls"
    asked = [partial(client.get, f"{path}/{number[1:]}/commits?per_page=100") for number in numbers]
    pages = client.all_of(asked)
    return {str(commit.get("sha")).lower() for page, _ in pages for commit in kept(page, dict)}


def pulls_of(
    client: GateClient, request: DeployRequest, shas: Iterable[str]
) -> dict[str, tuple[SourcePull, ...]]:
    """The pull requests whose head, or merge, each commit is. A failed question finds none.

    https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit
    """
    if request.source.casefold() != request.repository.casefold():
        return {}  # the numbers of an `/allow` are of the repository of the incidents
    few = list(shas)[:MOST_STOPPED]
    path = f"/repos/{request.source}/commits"
    pages = client.together([partial(client.get, f"{path}/{sha}/pulls") for sha in few])
    read = [[read_pull(item) for item in kept(dig(page, 0), dict)] for page in pages]
    return {
        sha: tuple(pull for pull in pulls if pull and sha in pull.shas)
        for sha, pulls in zip(few, read)
    }


def stopped_jobs(
    client: GateClient, request: DeployRequest, shas: Sequence[str]
) -> dict[str, datetime]:
    """The commits with a failed job in which the gate said that deploys are frozen, with when.

    A job that fails before the one with `environment:` leaves no deployment. Raises `GateError`.
    https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference
    https://docs.github.com/en/rest/checks/runs#list-check-run-annotations
    """
    path = f"/repos/{request.source}"
    asked = [partial(client.get, f"{path}/commits/{sha}/check-runs?per_page=100") for sha in shas]
    failed = [
        (sha, run["id"], at)
        for sha, (page, _) in zip(shas, client.all_of(asked))
        for run in kept(dig(page, "check_runs"), dict)
        for at in [parse_time(run.get("started_at"))]
        if run.get("conclusion") == "failure" and type(run.get("id")) is int and at
    ][:MOST_DEPLOYMENTS]
    pages = [
        partial(client.get, f"{path}/check-runs/{id}/annotations?per_page=100")
        for _, id, _ in failed
    ]
    return {
        sha: at
        for (sha, _, at), (page, _) in zip(failed, client.all_of(pages))
        if FROZEN in (dig(each, "title") for each in kept(page, dict))
    }


def blocked(
    finding: IssueVerdict,
    waiting: Mapping[str, datetime],
    pulls: Mapping[str, tuple[SourcePull, ...]],
    now: datetime,
) -> str:
    """The commit that one issue's freeze stopped and that would be deployed along; else empty.

    `waiting` are the commits that were stopped, with when; `pulls` is what each of them merged.
    """
    if not finding.override or finding.override["kind"] != "allowed":
        return ""
    since = finding.issue.since

    def is_allowed(sha: str) -> bool:
        alone = DeployRequest(shas=frozenset({sha}))
        return any(
            what and not problem and (parse_until(entry.get("until")) or now) > now
            for entry in finding.issue.allow
            for what, problem in [allowed_change(entry, alone, pulls.get(sha, ()))]
        )

    late = (sha for sha, at in waiting.items() if not since or at >= since)
    return next((sha for sha in late if not is_allowed(sha)), "")


def last_deploys(client: GateClient, request: DeployRequest) -> tuple[str, dict[str, datetime]]:
    """The commit of the last deploy that passed, and those that were stopped after it, with when.

    Both are of the request's environment. When it names none, each environment counts by itself:
    the commit is the oldest of theirs. It is empty when nothing passed where something was stopped.
    Raises `GateError`.
    https://docs.github.com/en/rest/deployments/deployments#list-deployments
    https://docs.github.com/en/rest/deployments/statuses#list-deployment-statuses
    """
    path = f"/repos/{request.source}/deployments"
    listed, _ = client.get(f"{path}?per_page={MOST_DEPLOYMENTS}")
    others = [each for each in kept(listed, dict) if type(each.get("id")) is int]
    base, passed, held = "", set[str](), set[str]()
    stopped: dict[str, datetime] = {}
    for first in range(0, len(others), AT_ONCE):
        # The environments are compared here, because GitHub's filter knows upper from lower case.
        some = [
            (place, sha, each)
            for each in others[first : first + AT_ONCE]
            for place, sha in [(normal(str(each.get("environment"))), str(each.get("sha")).lower())]
            if place == (request.environment or place) and sha not in request.shas
        ]
        some = [(place, sha, each) for place, sha, each in some if place not in passed]
        asked = [partial(client.get, f"{path}/{e['id']}/statuses?per_page=1") for _, _, e in some]
        for (place, sha, each), (statuses, _) in zip(some, client.all_of(asked)):
            state, at = dig(statuses, 0, "state"), parse_time(each.get("created_at"))
            if state in PASSED and place not in passed:
                base = sha
                passed.add(place)
            elif state in STOPPED and at and place not in passed:
                stopped.setdefault(sha, at)
                held.add(place)
    return base if held <= passed else "", stopped


def commits_between(
    client: GateClient, request: DeployRequest, base: str, stopped: dict[str, datetime]
) -> list[str]:
    """The commits that a deploy adds to `base`, the oldest first, one of `stopped` among them.

    Without a base it begins at the oldest that was stopped; with neither, a few commits back. When
    there are too many to read, those that were stopped count as among them. Raises `GateError`.
    https://docs.github.com/en/rest/commits/commits#list-commits
    https://docs.github.com/en/rest/commits/commits#compare-two-commits
    """
    start, end = base or next(reversed(stopped), ""), request.sha or min(request.shas)
    if not start:
        query = urlencode({"sha": end, "per_page": str(MOST_STOPPED + 1)})
        listed, _ = client.get(f"/repos/{request.source}/commits?{query}")
        return [str(commit.get("sha")).lower() for commit in kept(listed, dict)][::-1]
    path = f"/repos/{request.source}/compare/{quote(start, safe='')}...{quote(end, safe='')}"
    shas: list[str] = []
    for page in range(1, MOST_PAGES + 1):
        compared, _ = client.get(f"{path}?per_page=100&page={page}")
        if page == 1 and not base and dig(compared, "status") == "ahead":
            shas.append(start)
        found = [str(commit.get("sha")).lower() for commit in kept(dig(compared, "commits"), dict)]
        shas += found
        if len(found) < 100:
            return shas
    return [*shas, *(sha for sha in stopped if sha not in shas)]
