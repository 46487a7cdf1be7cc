"""Checks of what only GitHub knows: token, settings, labels, schedule, branch protection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

from incident_actions.domain.issue import labels
from incident_actions.domain.readiness.facts import (
    ReadinessFinding,
    RemoteFacts,
    RepositoryFacts,
    ok,
    problem,
    unknown,
)
from incident_actions.domain.readiness.workflows import Workflow

LATE = timedelta(hours=1)
"""GitHub's schedule may be late; longer than this and it stands still."""
_NEEDED = (labels.INCIDENT, labels.DEPLOY_FREEZE, labels.DRILL)
_NO_TOKEN = "Set GITHUB_TOKEN (with `gh auth token`), and give `--repo OWNER/NAME`."


def check(facts: RepositoryFacts) -> Iterator[ReadinessFinding]:
    """Every check of this kind; without a token there is only that to say."""
    if facts.remote is None:
        yield unknown("token", f"{len(_CHECKS)} things need a token", _NO_TOKEN)
        return
    for each in _CHECKS:
        yield each(facts, facts.remote)


def _token(_: RepositoryFacts, remote: RemoteFacts) -> ReadinessFinding:
    if remote.may_push is False:
        return problem(
            "token",
            f"this token may only read {remote.name}",
            "Use one that may write: `repo` for a classic token; for a fine-grained one "
            "`Contents`, `Issues` and `Pull requests`: read and write.",
        )
    if remote.denied:
        return problem(
            "token",
            f"this token may not read: {', '.join(remote.denied)}",
            "Give it these permissions, so that doctor sees everything: "
            f"{', '.join(remote.denied)}: read.",
        )
    return ok("token", f"it can see {remote.name}")


def _issues(_: RepositoryFacts, remote: RemoteFacts) -> ReadinessFinding:
    if not remote.has_issues:
        return problem(
            "issues", "issues are switched off", "Settings > General > Features: tick `Issues`."
        )
    return ok("issues", "they are on")


def _labels(_: RepositoryFacts, remote: RemoteFacts) -> ReadinessFinding:
    there = remote.labels
    if there is None:
        return unknown("labels", "they could not be read")
    missing = [labels.describe(name) for name in _NEEDED if name not in there]
    if missing:
        named = ", ".join(f"`{label.name}`" for label in missing)
        return problem(
            "labels",
            f"missing: {named}. GitHub drops a form's label that does not exist, and a drill "
            "needs its own beforehand",
            " && ".join(
                f'gh label create {label.name} --color {label.color} -d "{label.description}"'
                for label in missing
            ),
        )
    return ok("labels", "what forms and drills need is there; the first incident makes the rest")


def _pull_requests(_: RepositoryFacts, remote: RemoteFacts) -> ReadinessFinding:
    allowed = remote.may_open_pulls
    if allowed is None:
        return unknown(
            "pull-requests",
            "whether Actions may open pull requests is shown to administrators only",
            "Look at Settings > Actions > General > Workflow permissions.",
        )
    if not allowed:
        return problem(
            "pull-requests",
            "Actions may not open pull requests, so no postmortem can be opened",
            "Settings > Actions > General > Workflow permissions: tick "
            "`Allow GitHub Actions to create and approve pull requests`.",
        )
    return ok("pull-requests", "Actions may open them")


def responder(facts: RepositoryFacts) -> Workflow | None:
    """The workflow that runs `respond`."""
    return next((w for w in facts.workflows if any(w.using("respond"))), None)


def _switched_on(facts: RepositoryFacts, remote: RemoteFacts) -> ReadinessFinding:
    states, ours = remote.states, responder(facts)
    if states is None or ours is None:
        return unknown("switched-on", "whether the workflow is on could not be read")
    state = states.get(ours.path)
    if state is None:
        return problem(
            "switched-on",
            f"GitHub does not know {ours.path}",
            f"Push it to the default branch `{remote.branch}`.",
        )
    if state != "active":
        return problem(
            "switched-on",
            f"{ours.path} is switched off ({state})",
            f"gh workflow enable {ours.file}",
        )
    return ok("switched-on", f"{ours.path} is on")


def _schedule(facts: RepositoryFacts, remote: RemoteFacts) -> ReadinessFinding:
    """A workflow that GitHub has switched off is told by `switched-on`."""
    ours = responder(facts)
    if remote.states is None or ours is None:
        return unknown("schedule", "scheduled runs could not be read")
    if remote.swept is None:
        return problem(
            "schedule",
            "there was no scheduled run yet",
            f"gh workflow run {ours.file}, and look again in an hour. In a fork schedules are off.",
        )
    if facts.now - remote.swept > LATE:
        return problem(
            "schedule",
            f"the last scheduled run was on {remote.swept:%Y-%m-%d %H:%M} UTC",
            f"gh workflow enable {ours.file} && gh workflow run {ours.file}",
        )
    return ok("schedule", f"the last scheduled run was at {remote.swept:%H:%M} UTC")


def _required_check(facts: RepositoryFacts, remote: RemoteFacts) -> ReadinessFinding:
    """Merges are gated only where a team wants that: a gate on pull requests must be required."""
    names = {name for workflow in facts.workflows for name in _merge_gates(workflow)}
    if not names:
        return ok("required-check", "no gate on pull requests, so nothing to require")
    if remote.protected is None:
        return unknown("required-check", "branch protection could not be read")
    if any(name in context for name in names for context in remote.required):
        return ok("required-check", f"`{remote.branch}` requires the gate")
    if remote.protected and not remote.required:
        return unknown(
            "required-check",
            f"`{remote.branch}` is protected, by rules that this token can't read",
            "Look at Settings > Rules.",
        )
    return problem(
        "required-check",
        f"the gate on pull requests is not required on `{remote.branch}`, so it can be passed by",
        f"Settings > Rules > Rulesets: require the status check `{min(names)}` "
        f"on `{remote.branch}`.",
    )


def _merge_gates(workflow: Workflow) -> Iterator[str]:
    """The names of the jobs that ask the gate about a pull request."""
    if workflow.triggers & {"pull_request", "merge_group"}:
        for name in workflow.gate_jobs():
            yield str(workflow.jobs[name].get("name") or name)


_CHECKS: tuple[Callable[[RepositoryFacts, RemoteFacts], ReadinessFinding], ...] = (
    _token,
    _issues,
    _labels,
    _pull_requests,
    _switched_on,
    _schedule,
    _required_check,
)
