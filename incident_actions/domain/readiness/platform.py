"""`doctor`'s checks of what no file shows and only GitHub's API can tell.

These are the token, settings, labels, schedule and branch protection.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from incident_actions.domain.issue import labels
from incident_actions.domain.readiness import facts as found
from incident_actions.domain.readiness.cron import gaps, read_crons
from incident_actions.domain.readiness.facts import (
    ReadinessFinding,
    RemoteFacts,
    RepositoryFacts,
    blocker,
    missing,
    ok,
    unknown,
)
from incident_actions.domain.readiness.workflows import Workflow, responder

LATE = timedelta(hours=3)
"""How late GitHub may start a scheduled run, on a busy day; one that is later does not come."""
_NEEDED = (labels.INCIDENT, labels.DEPLOY_FREEZE, labels.DRILL)
_NO_TOKEN = (
    "On a laptop: `export GITHUB_TOKEN=$(gh auth token)`, after `gh auth login` once. "
    "Then call doctor again."
)


def check(facts: RepositoryFacts) -> Iterable[ReadinessFinding]:
    """The findings of every check in this module; where GitHub can't be asked, one that says so."""
    if facts.remote is None:
        why, fix = facts.blind
        others = ", ".join(key for key in _CHECKS if key != "token")
        seen = f"{why or 'there is no token'}, so these were not looked at: {others}"
        return found.run({"token": lambda: unknown(seen, fix or _NO_TOKEN)})
    return found.run(_CHECKS, facts, facts.remote)


def _token(_: RepositoryFacts, remote: RemoteFacts) -> ReadinessFinding:
    if remote.may_push is False:
        return missing(
            f"this token may only read {remote.name}",
            "Use one that may write: `repo` for a classic token; for a fine-grained one "
            "`Contents`, `Issues` and `Pull requests`: read and write.",
        )
    if remote.denied:
        denied = ", ".join(remote.denied)
        return missing(
            f"this token may not read: {denied}",
            f"Give it these permissions, so that doctor sees everything: {denied}: read.",
        )
    return ok(f"it can see {remote.name}")


def _action(_: RepositoryFacts, remote: RemoteFacts) -> ReadinessFinding | None:
    """Whether the copies of our action that the workflows use are there, at the tag they name."""
    if not remote.lost:
        return ok("what the workflows use is there")
    repository, ref = remote.lost[0].split("@", 1)
    return blocker(
        f"not there, or not to be seen with this token: {', '.join(remote.lost)}. Every run of "
        "these workflows fails",
        f"See https://github.com/{repository}/tags. A fork has no tags of its own: in it, "
        f"`git tag {ref} && git push origin {ref}`. A private one needs Settings > Actions > "
        "General > Access.",
    )


def _issues(_: RepositoryFacts, remote: RemoteFacts) -> ReadinessFinding:
    if not remote.has_issues:
        return blocker("issues are switched off", "Settings > General > Features: tick `Issues`.")
    return ok("they are on")


def _labels(_: RepositoryFacts, remote: RemoteFacts) -> ReadinessFinding:
    present = remote.labels
    if present is None:
        return unknown("they could not be read")
    lacking = [labels.describe(name) for name in _NEEDED if name not in present]
    if lacking:
        named = ", ".join(f"`{label.name}`" for label in lacking)
        return blocker(
            f"missing: {named}. GitHub drops a form's label that does not exist, and a drill "
            "needs its own beforehand",
            " && ".join(
                f'gh label create {label.name} --color {label.color} -d "{label.description}"'
                for label in lacking
            ),
        )
    return ok("what forms and drills need is there; the first incident makes the rest")


def _pull_requests(_: RepositoryFacts, remote: RemoteFacts) -> ReadinessFinding:
    settings = "Settings > Actions > General > Workflow permissions"
    if remote.may_open_pulls is None:
        return unknown(
            "whether Actions may open pull requests is shown to administrators only",
            f"Look at {settings}.",
        )
    if not remote.may_open_pulls:
        return missing(
            "Actions may not open pull requests, so no postmortem can be opened",
            f"{settings}: tick `Allow GitHub Actions to create and approve pull requests`.",
        )
    return ok("Actions may open them")


def _switched_on(facts: RepositoryFacts, remote: RemoteFacts) -> ReadinessFinding:
    states, ours = remote.states, responder(facts.workflows)
    if states is None or ours is None:
        return unknown("whether the workflow is on could not be read")
    state = states.get(ours.path)
    if state is None:
        push = f"Push it to the default branch `{remote.branch}`."
        return blocker(f"GitHub does not know {ours.path}", push)
    if state != "active":
        return blocker(f"{ours.path} is switched off ({state})", f"gh workflow enable {ours.file}")
    return ok(f"{ours.path} is on")


def _schedule(facts: RepositoryFacts, remote: RemoteFacts) -> ReadinessFinding:
    """Whether scheduled runs happen. That a workflow is disabled is reported by `switched-on`."""
    ours = responder(facts.workflows)
    if remote.states is None or ours is None:
        return unknown("scheduled runs could not be read")
    start = f"gh workflow run {ours.file}"
    if remote.swept is None:
        look = f"{start}, and look again after the next time of its `cron`."
        return missing("there was no scheduled run yet", f"{look} In a fork schedules are off.")
    apart = gaps(read_crons(ours.crons)[0])
    if apart is not None and facts.now - remote.swept > apart[1] + LATE:
        return missing(
            f"the last scheduled run was on {remote.swept:%Y-%m-%d %H:%M} UTC",
            f"gh workflow enable {ours.file} && {start}",
        )
    return ok(f"the last scheduled run was at {remote.swept:%H:%M} UTC")


def _required_check(facts: RepositoryFacts, remote: RemoteFacts) -> ReadinessFinding:
    """Where a workflow asks the gate about pull requests, the branch must require that check.

    A team need not gate pull requests; without such a workflow there is nothing to require.
    """
    names = {name for workflow in facts.workflows for name in _merge_gates(workflow)}
    if not names:
        return ok("no gate on pull requests, so nothing to require")
    if remote.protected is None:
        return unknown("branch protection could not be read")
    branch = f"`{remote.branch}`"
    if any(name in context for name in names for context in remote.required):
        return ok(f"{branch} requires the gate")
    if remote.protected and not remote.required:
        rules = "Look at Settings > Rules."
        return unknown(f"{branch} is protected, by rules that this token can't read", rules)
    return missing(
        f"the gate on pull requests is not required on {branch}, so it can be passed by",
        f"Settings > Rules > Rulesets: require the status check `{min(names)}` on {branch}.",
    )


def _merge_gates(workflow: Workflow) -> Iterator[str]:
    """The names, as GitHub shows them, of the jobs that ask the gate about a pull request."""
    if workflow.triggers & {"pull_request", "merge_group"}:
        for name in workflow.gate_jobs():
            yield str(workflow.jobs[name].get("name") or name)


_CHECKS: dict[str, Callable[[RepositoryFacts, RemoteFacts], ReadinessFinding | None]] = {
    "token": _token,
    "action": _action,
    "issues": _issues,
    "labels": _labels,
    "pull-requests": _pull_requests,
    "switched-on": _switched_on,
    "schedule": _schedule,
    "required-check": _required_check,
}
