"""What rides in a merge queue's group, and who queued it. The gate asks only when it is frozen.

A merge queue tests pull requests in a row, each on top of those before it, and may merge several
when the last one passes. So a group passes a freeze only when each pull request in it passes. The
queue's own account starts the deploy; who put a pull request into the queue counts in its place.
https://docs.github.com/en/repositories/configuring-branches-and-merges-in-your-repository/configuring-pull-request-merges/managing-a-merge-queue
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import quote

from incident_actions import gate
from incident_actions.gate_decision import ListedIssue, LookedUp, decide
from incident_actions.gate_further import linked
from incident_actions.gate_inputs import (
    MergeGroup,
    SourcePull,
    event_payload,
    full_sha,
    read_pull,
)
from incident_actions.gate_readers import dig, kept, login

MOST_PULLS = 10  # in one group
MOST_COMMITS = 100  # in one group
MOST_LOOK_UPS = 30  # of a commit's pull request
RE_RUN = "Somebody who may deploy can re-run this job: then it counts for them."
UNKNOWN = gate.GateError("unexpected", "what rides in it can't be told", "")


def decide_group(
    client: gate.GateClient,
    request: gate.DeployRequest,
    issues: Sequence[ListedIssue],
    now: datetime,
    verdict: gate.GateVerdict,
    found: LookedUp,
) -> gate.GateVerdict:
    """Decide on what a merge queue deploys: each pull request by itself, as if it were alone.

    `verdict` is the decision on the commit as a whole, `found` is what was looked up for it. A
    group that can't be told apart stays frozen, with a remark that says how to pass.
    """
    may_pass = request.intent == "fix" or any(
        finding.override or finding.issue.allow or finding.issue.deployers
        for finding in verdict.findings
    )
    by_name = request.actor == gate.MERGE_QUEUE and any(
        finding.issue.deployers for finding in verdict.findings
    )
    group = request.group or pushed_group(client, request, verdict)
    if group is None and by_name and verdict.verdict == "frozen":
        verdict.notes += (f"A merge queue started this, and may not deploy itself. {RE_RUN}",)
    if group is None or not may_pass or request.intent == "rollback":
        return verdict
    try:
        numbers = riders(client, request, group)
        pulls = client.all_of([partial(pull_of, client, request, number) for number in numbers])
    except gate.GateError as error:
        alone = entry(request, SourcePull(number=0, shas=frozenset(), text=""), "", frozenset())
        how = f"The merge group of this commit can't be looked up ({error.what})"
        notes = [*found.notes, f"{how}, so what is allowed for one pull request does not count."]
        notes.append("Give the job `permissions: pull-requests: read` and `contents: read`.")
        return decide(alone, issues, now, with_found(found, (), notes))
    actors = [request.actor] * len(pulls)
    if by_name:
        actors = client.together([partial(queued_by, client, request, n) for n in numbers])
    passed: list[gate.GateVerdict] = []
    for pull, actor in zip(pulls, actors):
        more = list(found.notes)
        if not isinstance(actor, str) or not actor:
            more.append(f"Who put #{pull.number} into the merge queue can't be seen. {RE_RUN}")
            actor = ""
        own = group.head if pull.number == numbers[-1] else ""
        asked = entry(request, pull, actor, frozenset(filter(None, [own])))
        each = decide(asked, issues, now, with_found(found, (pull,), more))
        if each.verdict == "frozen":
            if len(pulls) > 1:
                each.notes += (f"In this merge group #{pull.number} may not pass.",)
            return each
        passed.append(each)
    return together(passed)


def together(passed: list[gate.GateVerdict]) -> gate.GateVerdict:
    """One verdict for a group whose pull requests all pass, with the overrides of all of them."""
    last = passed[-1]
    for each in passed[:-1]:
        last.findings += tuple(f for f in each.findings if f.override not in last.overrides)
        last.notes += () if each.reason == last.reason else (each.reason,)
    return last


def with_found(found: LookedUp, pulls: tuple[SourcePull, ...], notes: list[str]) -> LookedUp:
    """What was looked up, with these pull requests and notes in it."""
    return LookedUp(**{**vars(found), "pulls": pulls, "notes": notes})


def entry(
    request: gate.DeployRequest, pull: SourcePull, actor: str, own: frozenset[str]
) -> gate.DeployRequest:
    """The request for one pull request of a group; `own` are commits that are its alone."""
    given = {**vars(request), "pulls": (pull,), "shas": own | pull.shas, "actor": actor}
    return gate.DeployRequest(**given)


def riders(client: gate.GateClient, request: gate.DeployRequest, group: MergeGroup) -> list[int]:
    """The numbers of all pull requests in a group, that of its head last. Raises `GateError`.

    The head of each entry of the queue is a branch `gh-readonly-queue/BASE/pr-57-SHA`, which only
    GitHub writes. The other commits are asked for their pull request.
    https://docs.github.com/en/rest/commits/commits#compare-two-commits
    https://docs.github.com/en/rest/git/refs#list-matching-references
    https://docs.github.com/en/rest/commits/commits#list-pull-requests-associated-with-a-commit
    """
    source, own = f"/repos/{request.source}", [pull.number for pull in request.pulls]
    if not group.base and own:
        return own
    between = f"{quote(group.base, safe='')}...{quote(group.head, safe='')}"
    compared, _ = client.get(f"{source}/compare/{between}?per_page={MOST_COMMITS}")
    commits = kept(dig(compared, "commits"), dict)
    shas = [full_sha(commit.get("sha")) for commit in commits]
    if not all(shas) or dig(compared, "total_commits") != len(shas):
        raise UNKNOWN
    shas = entries_of(shas, commits, group.head)
    found = {group.head: own[-1]} if own else {}
    rest = [sha for sha in shas if sha not in found]
    if rest and own:
        found.update(queue_branches(client, f"{source}/git/matching-refs/heads", group.base))
        rest = [sha for sha in shas if sha not in found]
    if len(rest) > MOST_LOOK_UPS:
        raise UNKNOWN
    asked = [partial(client.get, f"{source}/commits/{sha}/pulls") for sha in rest]
    for sha, (pulls, _) in zip(rest, client.all_of(asked)):
        of_commit = {pull.number for pull in map(read_pull, kept(pulls, dict)) if pull}
        if len(of_commit) != 1:
            raise UNKNOWN
        found[sha] = of_commit.pop()
    named = list(dict.fromkeys([*(found[sha] for sha in shas), *own]))
    named.sort(key=lambda number: number in own)  # the group's own entry comes last
    if not named or len(named) > MOST_PULLS:
        raise UNKNOWN
    return named


def entries_of(shas: list[str], commits: Sequence[Any], head: str) -> list[str]:
    """The commits of a group that stand in one row from its base to `head`, the oldest first.

    What a merge commit brings in besides belongs to its own pull request. Gives all of `shas` when
    GitHub does not say which commit stands on which.
    """
    before = {sha: full_sha(dig(c, "parents", 0, "sha")) for sha, c in zip(shas, commits)}
    row: list[str] = []
    at = head
    while at in before and at not in row:
        row.insert(0, at)
        at = before[at]
    return row if row and all(before.values()) else shas


def queue_branches(client: gate.GateClient, refs: str, base: str) -> dict[str, int]:
    """The entries of the queue for a branch: commit -> number of the pull request.

    A token that may not read branches sees none; then the commits are asked.
    """
    try:
        listed, _ = client.get(f"{refs}/gh-readonly-queue/{quote(base)}/pr-")
    except gate.GateError:
        return {}
    found = {}
    for ref in kept(listed, dict):
        match = re.search(r"/pr-([0-9]{1,9})-[0-9a-f]+$", str(ref.get("ref")))
        sha = full_sha(dig(ref, "object", "sha"))
        if match and sha:
            found[sha] = int(match[1])
    return found


def pull_of(client: gate.GateClient, request: gate.DeployRequest, number: int) -> SourcePull:
    """Look up one pull request. Raises `GateError`."""
    found = read_pull(client.get(f"/repos/{request.source}/pulls/{number}")[0])
    if found is None or found.number != number:
        raise UNKNOWN
    return found


def queued_by(client: gate.GateClient, request: gate.DeployRequest, number: int) -> str:
    """The login of who put a pull request into the queue last; empty when that can't be seen.

    Raises `GateError`. Reads the first and the last page of its timeline.
    https://docs.github.com/en/rest/issues/timeline#list-timeline-events-for-an-issue
    """
    path = f"/repos/{request.source}/issues/{number}/timeline?per_page=100"
    items, link = client.get(path)
    last_page = linked(link, "last").get("page", [""])[0]
    pages: list[Any] = [items]
    if re.fullmatch(r"\d{1,4}", last_page):
        pages.append(client.get(f"{path}&page={last_page}")[0])
    elif link and linked(link, "next"):
        return ""
    events = [event for page in pages for event in kept(page, dict)]
    queued = [event for event in events if event.get("event") == "added_to_merge_queue"]
    who = login(queued[-1].get("actor")) if queued else None
    return who if who and not who.endswith("[bot]") else ""


def pushed_group(
    client: gate.GateClient, request: gate.DeployRequest, verdict: gate.GateVerdict
) -> MergeGroup | None:
    """What the queue merged, when its own account starts a deploy by a push that is still frozen.

    None for any other deploy. Such a push is looked at only where somebody may deploy by name.
    https://docs.github.com/en/webhooks/webhook-events-and-payloads#push
    """
    named = any(finding.issue.deployers for finding in verdict.findings)
    if request.actor != gate.MERGE_QUEUE or request.event != "push" or verdict.verdict != "frozen":
        return None
    try:
        payload = event_payload(client.settings.env) if named else {}
    except gate.BadInputError:
        return None
    before, after = full_sha(payload.get("before")), full_sha(payload.get("after"))
    if not before.strip("0") or after != request.sha:
        return None
    return MergeGroup(base=before, head=after)
