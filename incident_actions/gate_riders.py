"""What an allowed change takes along: the commits since the last deploy that passed.

Used only for a deploy that passes because of an `/allow`. That is for one change, so a commit below
it whose own deploy the freeze stopped must be allowed as well. Where GitHub has no record of
deployments, or the token may not read it, a note says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from incident_actions.gate import DeployRequest, GateClient, GateError, GateVerdict
from incident_actions.gate_decision import Code, IssueVerdict, ListedIssue
from incident_actions.gate_readers import dig, kept, parse_time, parse_until

MOST_DEPLOYMENTS = 20  # newest first
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
    if not request.shas or all(each["kind"] != "allowed" for each in verdict.overrides):
        return verdict
    try:
        base, stopped = last_deploys(client, request)
        if not base:
            return verdict
        own = commits_of_pulls(client, request, verdict) if stopped else set()
        along = commits_between(client, request, base)
    except GateError as error:
        verdict.notes += (
            f"What this change takes along can't be told ({error.code}): give the job"
            " `permissions: deployments: read`, `pull-requests: read` and `contents: read`.",
        )
        return verdict
    along = [sha for sha in along if sha not in request.shas | own]
    if along:
        shown = ", ".join(sha[:10] for sha in along[-10:])
        more = f" and {len(along) - 10} more" if len(along) > 10 else ""
        verdict.along = tuple(along[-MOST_TOLD:])
        verdict.notes += (f"Deployed along, since {base[:10]}: {shown}{more}.",)
    findings = [blocked(finding, stopped, along, now) for finding in verdict.findings]
    held = [(finding, sha) for finding, sha in zip(verdict.findings, findings) if sha]
    if not held:
        return verdict
    first, sha = held[0]
    number = first.issue.number
    reason = (
        f"Deploys are frozen by #{number}: this change is allowed, but {sha[:10]} is below it,"
        f" whose deploy was stopped. Comment `/allow {sha[:10]} for 2h REASON` on #{number}, too."
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


def blocked(
    finding: IssueVerdict, stopped: dict[str, datetime], along: Sequence[str], now: datetime
) -> str:
    """The commit that one issue's freeze stopped and that would be deployed along; else empty."""
    if not finding.override or finding.override["kind"] != "allowed":
        return ""
    running = [
        str(entry.get("sha")).lower()
        for entry in finding.issue.allow
        if (parse_until(entry.get("until")) or now) > now
    ]
    since = finding.issue.since
    return next(
        (
            sha
            for sha, at in stopped.items()
            if sha in along and sha not in running and (not since or at >= since)
        ),
        "",
    )


def last_deploys(client: GateClient, request: DeployRequest) -> tuple[str, dict[str, datetime]]:
    """The commit of the last deploy that passed, and those that were stopped after it, with when.

    The commit is empty when no deploy passed. Raises `GateError`.
    https://docs.github.com/en/rest/deployments/deployments#list-deployments
    https://docs.github.com/en/rest/deployments/statuses#list-deployment-statuses
    """
    path = f"/repos/{request.source}/deployments"
    query = {"per_page": str(MOST_DEPLOYMENTS)}
    if request.environment:
        query["environment"] = request.environment
    listed, _ = client.get(f"{path}?{urlencode(query)}")
    others: list[Any] = [
        each
        for each in kept(listed, dict)
        if type(each.get("id")) is int and str(each.get("sha")).lower() not in request.shas
    ]
    asked = [partial(client.get, f"{path}/{each['id']}/statuses?per_page=1") for each in others]
    stopped: dict[str, datetime] = {}
    for deployment, (statuses, _) in zip(others, client.all_of(asked)):
        sha, state = str(deployment.get("sha")).lower(), dig(statuses, 0, "state")
        if state in PASSED:
            return sha, stopped
        at = parse_time(deployment.get("created_at"))
        if state in STOPPED and at:
            stopped.setdefault(sha, at)
    return "", stopped


def commits_between(client: GateClient, request: DeployRequest, base: str) -> list[str]:
    """The commits that a deploy adds to `base`, the oldest first; a hundred at most.

    Raises `GateError`.
    https://docs.github.com/en/rest/commits/commits#compare-two-commits
    """
    between = f"{quote(base, safe='')}...{quote(min(request.shas), safe='')}"
    compared, _ = client.get(f"/repos/{request.source}/compare/{between}?per_page=100")
    return [str(commit.get("sha")).lower() for commit in kept(dig(compared, "commits"), dict)]
