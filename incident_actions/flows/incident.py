"""One incident: observe it, fold its history, plan what is missing, apply that."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.config import Config
from incident_actions.domain import body as bodies
from incident_actions.domain import labels as names
from incident_actions.domain.checklist import read_checklist
from incident_actions.domain.fold import Folded, Rules, fold, wants_permission
from incident_actions.domain.forms import Form
from incident_actions.domain.grants import Grants
from incident_actions.domain.observation import Issue, Observation
from incident_actions.domain.projection import CreateLabel, EditIssue
from incident_actions.domain.state import State, read_state
from incident_actions.flows import plan, playbook
from incident_actions.flows.plan import Known
from incident_actions.hub.apply import apply
from incident_actions.hub.port import Hub


class Report(Struct, frozen=True):
    """What a run found and did, for the action's outputs and the job summary."""

    issue: int | None = None
    severity: str = ""
    status: str = ""
    changed: bool = False


class Desk(Struct, frozen=True):
    """What a run works with. `budget` is how many requests it may make in all."""

    hub: Hub
    config: Config
    budget: int

    def may_still_ask(self, count: int) -> bool:
        """Whether so many more requests stay within the budget."""
        return self.hub.requests + count <= self.budget


def tend(desk: Desk, observation: Observation, form: Form | None = None) -> Report:
    """Bring one incident of the team's up to date. Running it again changes nothing.

    Words first, the issue last: its state says which words were posted, so a run that is killed
    between the two posts nothing twice and forgets nothing.
    """
    hub = desk.hub
    state = read_state(bodies.split(observation.issue.body).state, observation.issue.number)
    known = _known(desk, observation.issue, state, form)
    grants = _grants(desk, observation, state)
    folded = _fold(desk, observation, known, grants)

    done = apply(hub, plan.words(observation, folded, state))
    if done and desk.may_still_ask(2):
        # Somebody may have edited the body meanwhile: their ticks and words must survive.
        observation = replace(observation, issue=hub.issue(observation.issue.number))
        folded = _fold(desk, observation, known, grants)
    memory = plan.memory(observation, folded, state, known, grants, done)
    change = plan.change(observation, folded, known, memory)
    if not change.empty:
        done += apply(hub, [*_missing_labels(hub, observation.issue, change, state), change])
    incident = folded.incident
    return Report(
        issue=change.number,
        severity=incident.severity.value,
        status=incident.status.value,
        changed=bool(done),
    )


def _missing_labels(
    hub: Hub, issue: Issue, change: EditIssue, state: State | None
) -> list[CreateLabel]:
    """The labels to create before they are set. The whole catalogue is made once."""
    added = {name.casefold() for name in change.labels or ()}
    added -= {name.casefold() for name in issue.labels}
    if not added:
        return []
    ready = state is not None and state.labels
    if ready and added <= {label.name for label in names.CATALOG}:
        return []
    there = hub.label_names()
    wanted = {label.name: label for label in names.CATALOG}
    wanted |= {name: names.describe(name) for name in sorted(added) if names.is_ours(name)}
    return [CreateLabel(label) for name, label in wanted.items() if name not in there]


def _known(desk: Desk, issue: Issue, state: State | None, form: Form | None) -> Known:
    """From the incident's own memory where it has one, else from the repository."""
    body = bodies.split(issue.body)
    checklist = read_checklist(body.dashboard, heading="h4") if state else ()
    if state is not None and state.form:
        checks = state.checks
        remembered = playbook.remembered_form(state.form)
        return Known(remembered, checks, checklist or playbook.checklist(desk.hub))
    return Known(
        form=form or playbook.form(desk.hub, desk.config),
        checks=playbook.recovery_checks(desk.hub),
        checklist=playbook.checklist(desk.hub),
    )


def _grants(desk: Desk, observation: Observation, state: State | None) -> Grants:
    """What people may do: remembered, and asked for again where they commanded since then."""
    grants = Grants(state.people if state else None)
    seen = state.seen_id if state else 0
    for login, permission in observation.permissions.items():
        grants.learn(login, permission, seen + 1)
    for login, comment_id in wants_permission(observation):
        if login.casefold() in {name.casefold() for name in observation.permissions}:
            continue
        if not grants.knows(login) or comment_id > seen:
            grants.learn(login, desk.hub.permission(login), seen + 1)
    return grants


def _fold(desk: Desk, observation: Observation, known: Known, grants: Grants) -> Folded:
    rules = Rules(known.checks, desk.config.needs(), desk.config.roles.defaults())
    return fold(observation, plan.answers(observation.issue, known.form), rules, grants)
