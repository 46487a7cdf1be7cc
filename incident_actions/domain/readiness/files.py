"""Checks of what lies in the repository's `.github/`: form, configuration, workflows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from incident_actions.domain.readiness.facts import ReadinessFinding, RepositoryFacts, ok, problem
from incident_actions.domain.readiness.platform import responder
from incident_actions.domain.readiness.workflows import EXAMPLE, Workflow, scope

_INIT = "incident-actions init"
_EVENTS = ("issues", "issue_comment", "schedule")
_GATE_READS = ("contents", "issues")
_WRITES = ("issues", "contents", "pull-requests")


def check(facts: RepositoryFacts) -> Iterator[ReadinessFinding]:
    """Every check of this kind."""
    yield _form(facts)
    yield _config(facts)
    yield from _workflow(facts)
    yield _freeze_rule(facts)
    yield from _deploys(facts)
    yield from _people(facts)
    yield _gate_permissions(facts)


def form_problems(document: Any) -> tuple[str, ...]:
    """What is wrong with an incident form that was loaded from YAML."""
    if not isinstance(document, dict) or not isinstance(document.get("body"), list):
        return ("it has no `body`",)
    found = []
    fields = {f.get("id"): f for f in document["body"] if isinstance(f, dict)}
    if "incident" not in [str(label).casefold() for label in _list(document.get("labels"))]:
        found.append("`labels` does not hold `incident`")
    attributes = fields.get("severity", {}).get("attributes")
    options = _list(attributes.get("options")) if isinstance(attributes, dict) else []
    starts = {str(option)[:4].upper() for option in options}
    if "severity" not in fields:
        found.append("no field has the id `severity`")
    elif not {"SEV1", "SEV2", "SEV3"} <= starts:
        found.append("the options of `severity` do not begin with SEV1, SEV2 and SEV3")
    if "summary" not in fields:
        found.append("no field has the id `summary`")
    return tuple(found)


def _list(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")]
    return value if isinstance(value, list) else []


def _form(facts: RepositoryFacts) -> ReadinessFinding:
    if facts.form_problems is None:
        return problem("form", f"there is no {facts.form_path}", _INIT)
    if facts.form_problems:
        seen = f"{facts.form_path}: {'; '.join(facts.form_problems)}"
        return problem("form", seen, f"Correct {facts.form_path}, or take ours: {_INIT}")
    return ok("form", facts.form_path)


def _config(facts: RepositoryFacts) -> ReadinessFinding:
    if facts.config_problems:
        return problem("config", "; ".join(facts.config_problems), "Correct .github/incident.yml.")
    return ok("config", "every key is known")


def _workflow(facts: RepositoryFacts) -> Iterator[ReadinessFinding]:
    broken = [w.path for w in facts.workflows if w.document is None]
    if broken:
        yield problem("workflows", f"no YAML: {', '.join(broken)}", f"Correct {broken[0]}.")
    ours = responder(facts)
    if ours is None:
        yield problem("respond", "no workflow runs `command: respond`", _INIT)
        return
    yield ok("respond", ours.path)
    missing = [event for event in _EVENTS if event not in ours.triggers]
    if missing:
        yield problem(
            "triggers",
            f"{ours.path} does not start on {', '.join(missing)}",
            f"Add {', '.join(f'`{event}:`' for event in missing)} under `on:`, as in the README.",
        )
    else:
        yield ok("triggers", "issues, comments and a schedule start it")
    granted = [ours.permissions(job) for job in ours.using("respond")]
    lacking = [
        name for name in _WRITES if not any(scope(each, name) == "write" for each in granted)
    ]
    if not lacking:
        yield ok("permissions", "it may write issues, and open a postmortem")
        return
    harm = "nothing is kept up to date" if "issues" in lacking else "no postmortem is opened"
    yield problem(
        "permissions",
        f"{ours.path} does not grant {', '.join(f'`{n}: write`' for n in lacking)}: {harm}",
        f"Add {', '.join(f'`{name}: write`' for name in lacking)} under its `permissions:`.",
    )


def _freeze_rule(facts: RepositoryFacts) -> ReadinessFinding:
    deploying = [w for w in facts.workflows if w.deploying()]
    open_doors = [f"{w.path} (job `{name}`)" for w in deploying for name in w.ungated()]
    if open_doors:
        return problem(
            "freeze-rule",
            f"deploys without asking the gate: {', '.join(open_doors)}",
            "Begin the job with a step `uses: OWNER/incident-actions@v1` "
            "`with: { command: gate }`, or let it need a job that does.",
        )
    if not deploying:
        return problem(
            "freeze-rule",
            "no workflow was found that deploys, so nothing stops a deploy",
            "Put the gate in front of your deploy, wherever it runs, as in the README.",
        )
    return ok("freeze-rule", f"the gate stands before {', '.join(w.path for w in deploying)}")


def _deploys(facts: RepositoryFacts) -> Iterator[ReadinessFinding]:
    """Nothing here where no deploy asks the gate: `freeze-rule` says so."""
    gated = [w for w in facts.workflows if w.deploying() and w.gate_jobs()]
    if not gated:
        return
    examples = [w.path for w in gated if w.is_example()]
    if examples:
        yield problem(
            "deploy",
            f"this deploy is still our example: {examples[0]}",
            f"Put your own deploy where it says `{EXAMPLE}`.",
        )
    else:
        yield ok("deploy", "it is your own")
    if any(w.takes_intent() for w in gated):
        yield ok("intent", "a rollback can say that it is one")
    else:
        yield problem(
            "intent",
            f"no gate can be told of a rollback: {', '.join(w.path for w in gated)}",
            "Let `workflow_dispatch` ask for an `intent`, and hand it to the gate, as in the "
            "README's `deploy.yml`.",
        )


def _people(facts: RepositoryFacts) -> Iterator[ReadinessFinding]:
    if facts.people is None:
        return
    strangers = [login for login, writes in facts.people.items() if not writes]
    if strangers:
        yield problem(
            "people",
            f"in the configuration, without write access: {', '.join(strangers)}",
            "Invite them under Settings > Collaborators and teams, or correct "
            ".github/incident.yml.",
        )
    elif facts.people:
        yield ok("people", "everybody in the configuration has write access")


def _gate_permissions(facts: RepositoryFacts) -> ReadinessFinding:
    """A job without `permissions:` has the repository's default, which may be enough."""
    short = sorted({w.path for w in facts.workflows if _cannot_ask(w)})
    if short:
        return problem(
            "gate-permissions",
            f"the gate's job may not read issues: {', '.join(short)}",
            "Add `permissions: { contents: read, issues: read, pull-requests: read }` to it.",
        )
    return ok("gate-permissions", "the gate may read what it needs")


def _cannot_ask(workflow: Workflow) -> bool:
    granted = [workflow.permissions(workflow.jobs[name]) for name in workflow.gate_jobs()]
    return any(scope(each, name) == "none" for each in granted for name in _GATE_READS)
