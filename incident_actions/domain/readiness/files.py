"""`doctor`'s checks of the repository's `.github/` folder: form, configuration, workflows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from incident_actions.domain.issue.forms import offered, unlisted
from incident_actions.domain.readiness import facts as found
from incident_actions.domain.readiness.facts import (
    ReadinessFinding,
    RepositoryFacts,
    blocker,
    homework,
    missing,
    ok,
)
from incident_actions.domain.readiness.gates import allows_on_error
from incident_actions.domain.readiness.workflows import EXAMPLE, Workflow, responder, scope
from incident_actions.gate_readers import name_parts

_INIT = "incident-actions init"
_GATE = """\
      - uses: OWNER/incident-actions@v1
        with: { command: gate }"""
_INTENT = """\
  workflow_dispatch: { inputs: { intent: { type: choice, options: [deploy, rollback, fix] } } }"""
_EVENTS = ("issues", "issue_comment", "schedule")
_GATE_READS = ("contents", "issues")
_WRITES = {
    "issues": "nothing is kept up to date",
    "contents": "no postmortem is opened",
    "pull-requests": "no postmortem is opened",
    "actions": "no watch is started, so reminders wait for the next scheduled run",
}
"""What a run must be allowed to write, and what is missing without that."""


def check(facts: RepositoryFacts) -> Iterable[ReadinessFinding]:
    """The findings of every check in this module."""
    return found.run(_CHECKS, facts)


def form_problems(document: Any) -> Iterator[str]:
    """What is wrong with an incident form; `document` is its YAML, already loaded."""
    if not isinstance(document, dict) or not isinstance(document.get("body"), list):
        yield "it has no `body`"
        return
    ids = {field.get("id") for field in document["body"] if isinstance(field, dict)}
    named = document.get("labels")
    named = named.split(",") if isinstance(named, str) else named
    named = named if isinstance(named, list) else []
    if "incident" not in [str(label).strip().casefold() for label in named]:
        yield "`labels` does not hold `incident`"
    if "severity" not in ids:
        yield "no field has the id `severity`"
    elif not {"SEV1", "SEV2", "SEV3"} <= {
        text[:4].upper() for text in offered(document, "severity")
    }:
        yield "the options of `severity` do not begin with SEV1, SEV2 and SEV3"
    if "summary" not in ids:
        yield "no field has the id `summary`"


def _form(facts: RepositoryFacts) -> ReadinessFinding:
    if facts.form_problems is None:
        return blocker(f"there is no {facts.form_path}", _INIT)
    if facts.form_problems:
        seen = f"{facts.form_path}: {'; '.join(facts.form_problems)}"
        return blocker(seen, f"Correct {facts.form_path}, or take ours: {_INIT}")
    return ok(facts.form_path)


def _config(facts: RepositoryFacts) -> ReadinessFinding:
    if facts.config_problems:
        return blocker("; ".join(facts.config_problems), "Correct .github/incident.yml.")
    return ok("every key is known")


def _workflows(facts: RepositoryFacts) -> ReadinessFinding | None:
    broken = [w for w in facts.workflows if w.document is None]
    if not broken:
        return None
    told = ". ".join(f"{w.path}: {w.wrong}" for w in broken)
    return blocker(f"no YAML that can be used. {told}", f"Correct {broken[0].path}.")


def _respond(facts: RepositoryFacts) -> ReadinessFinding:
    ours = responder(facts.workflows)
    return ok(ours.path) if ours else blocker("no workflow runs `command: respond`", _INIT)


def _triggers(facts: RepositoryFacts) -> ReadinessFinding | None:
    ours = responder(facts.workflows)
    deaf = [event for event in _EVENTS if ours and event not in ours.triggers]
    if ours and deaf:
        return blocker(
            f"{ours.path} does not start on {', '.join(deaf)}",
            f"Add {', '.join(f'`{event}:`' for event in deaf)} under `on:`.",
        )
    return ok("issues, comments and a schedule start it") if ours else None


def _permissions(facts: RepositoryFacts) -> ReadinessFinding | None:
    ours = responder(facts.workflows)
    if ours is None:
        return None
    granted = [ours.permissions(ours.jobs[name]) for name in ours.responding()]
    needs = dict.fromkeys(_WRITES, "write") | ({} if facts.watched else {"actions": "read"})
    lacking = [
        name
        for name, level in needs.items()
        if not all(scope(grant, name) in (level, "write") for grant in granted)
    ]
    if not lacking:
        watch = ", and start the watch" if facts.watched else ""
        return ok(f"it may write issues, open a postmortem{watch}")
    wanted = ", ".join(f"`{name}: {needs[name]}`" for name in lacking)
    without = _WRITES[lacking[0]] if needs[lacking[0]] == "write" else "no suspects are shown"
    told = blocker if lacking[0] == "issues" else missing
    return told(
        f"{ours.path} does not grant {wanted}: {without}",
        f"Add {wanted} under its `permissions:`.",
    )


def _freeze_rule(facts: RepositoryFacts) -> ReadinessFinding:
    deploying = [w for w in facts.workflows if w.deploying()]
    open_jobs = [(w, name, w.gate_fault(name)) for w in deploying for name in w.ungated()]
    faults = [f"{w.path}, job `{name}`: {fault}" for w, name, fault in open_jobs if fault]
    ungated = [f"{w.path} (job `{name}`)" for w, name, fault in open_jobs if not fault]
    uncounted = _uncounted(facts.workflows)
    told = [f"a gate that stops nothing: {'; '.join(faults)}"] if faults else []
    told += [f"deploys without asking the gate: {', '.join(ungated)}"] if ungated else []
    if ungated:
        return blocker(
            f"{'. '.join(reversed(told))}{uncounted}",
            f"`{_INIT}` shows the change and writes it. By hand: begin the job with\n{_GATE}\n"
            "or let it need a job that does.",
        )
    if faults:
        return blocker(f"{told[0]}{uncounted}", "Change the line that is named.")
    if not deploying:
        return blocker(
            f"no workflow was found that deploys, so nothing stops a deploy{uncounted}",
            f"Put this in front of your deploy, wherever it runs:\n{_GATE}",
        )
    gentle = [w.path for w in deploying if any(map(allows_on_error, w.jobs.values()))]
    allowing = f"; when GitHub can't be asked, {', '.join(gentle)} may deploy" if gentle else ""
    return ok(f"the gate stands before {', '.join(w.path for w in deploying)}{allowing}{uncounted}")


def _uncounted(workflows: Iterable[Workflow]) -> str:
    """What may look like a deploy to people, and did not count as one; empty when there is none."""
    named = []
    for flow in workflows:
        jobs = flow.uncounted()
        if jobs:
            named.append(f"{flow.path} (job {', '.join(f'`{name}`' for name in jobs)})")
        elif flow.is_uncounted():
            named.append(flow.path)
    return f". Not counted as deploying: {', '.join(named)}" if named else ""


def _gated(facts: RepositoryFacts) -> list[Workflow]:
    """The workflows that deploy and ask the gate. That there are none is told by `freeze-rule`."""
    return [w for w in facts.workflows if w.deploying() and w.gate_jobs()]


def _deploy(facts: RepositoryFacts) -> ReadinessFinding | None:
    gated = _gated(facts)
    examples = [w.path for w in gated if w.is_example()]
    if examples:
        return homework(
            f"this deploy is still our example: {examples[0]}",
            f"Put your own deploy where it says `{EXAMPLE}`.",
        )
    return ok("it is your own") if gated else None


def _intent(facts: RepositoryFacts) -> ReadinessFinding | None:
    gated = _gated(facts)
    stopped = [f"{w.path} (job `{name}`)" for w in gated for name in w.stopped_rollbacks()]
    if stopped:
        return blocker(
            f"the gate stops a rollback, too: {', '.join(stopped)}",
            "Give its gate `intent: rollback`.",
        )
    if gated and not any(w.takes_intent() for w in gated):
        return missing(
            f"no gate can be told of a rollback: {', '.join(w.path for w in gated)}",
            f"Write under `on:`\n{_INTENT}\nand give the gate "
            "`intent: \"${{ inputs.intent || 'deploy' }}\"`.",
        )
    return ok("a rollback can say that it is one") if gated else None


def _people(facts: RepositoryFacts) -> ReadinessFinding | None:
    people = facts.people or {}
    strangers = [login for login, writes in people.items() if not writes]
    if strangers:
        return missing(
            f"in the configuration, without write access: {', '.join(strangers)}",
            "Invite them under Settings > Collaborators and teams, or correct "
            ".github/incident.yml.",
        )
    return ok("everybody in the configuration has write access") if people else None


def _services(facts: RepositoryFacts) -> ReadinessFinding | None:
    """Whether the form and the gates name the services that are on the configuration's list."""
    form = [name.strip().lower() for name in facts.offered]
    if form and facts.services and set(form) != set(facts.services):
        strange = [f"offers `{name}`" for name in form if name not in facts.services]
        lacking = [f"lacks `{name}`" for name in facts.services if name not in form]
        seen = f"{facts.form_path} {', '.join(strange + lacking)}: the list says otherwise"
        return missing(seen, f"Correct `services:` in .github/incident.yml, then: {_INIT}")
    for workflow in facts.workflows:
        for text in workflow.gate_services():
            names = [name.lower() for name in name_parts(text)]
            wrong = unlisted(names, facts.services)
            if wrong and "${{" not in text:
                hint = f"Write `service: {wrong[1]}`" if wrong[1] else "Name a service of the list"
                seen = f"{workflow.path}: {wrong[0]}, so its gate counts it as all services"
                return missing(seen, f"{hint}, or add it to `services:` in .github/incident.yml.")
    return ok("the form and the gates hold to the list") if facts.services else None


def _gate_permissions(facts: RepositoryFacts) -> ReadinessFinding:
    """Jobs without `permissions:` pass: they have the repository's default, which may be enough."""
    for workflow in facts.workflows:
        for name, called, inner, wanted in workflow.asks_too_much():
            return blocker(
                f"GitHub refuses {workflow.path}: its job `{name}` calls {called.path}, whose job "
                f"`{inner}` asks for more than `{name}` grants",
                f"Add {', '.join(f'`{key}: {level}`' for key, level in wanted.items())} to the "
                f"`permissions:` of `{name}`.",
            )
    lacking = sorted({w.path for w in facts.workflows if _cannot_ask(w)})
    if lacking:
        return blocker(
            f"the gate's job may not read issues: {', '.join(lacking)}",
            "Add `permissions: { contents: read, issues: read, pull-requests: read }` to it.",
        )
    return ok("the gate may read what it needs")


def _cannot_ask(workflow: Workflow) -> bool:
    """Whether a job that asks the gate has a token that may not read what the gate needs."""
    granted = [workflow.permissions(workflow.jobs[name]) for name in workflow.gate_jobs()]
    return any(scope(grant, name) == "none" for grant in granted for name in _GATE_READS)


_CHECKS = {
    "form": _form,
    "config": _config,
    "workflows": _workflows,
    "respond": _respond,
    "triggers": _triggers,
    "permissions": _permissions,
    "freeze-rule": _freeze_rule,
    "deploy": _deploy,
    "intent": _intent,
    "people": _people,
    "services": _services,
    "gate-permissions": _gate_permissions,
}
