"""The plan: from the folded incident to what has to be said and changed. Pure."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.config import Config
from incident_actions.domain.changes.suspects import RollbackRule, Suspects
from incident_actions.domain.freeze.override_audit import OverrideAudit
from incident_actions.domain.issue import body as bodies
from incident_actions.domain.issue import labels
from incident_actions.domain.issue.forms import Form, FormValues, read_answers
from incident_actions.domain.issue.incident import Allowance, Incident, Role, redacted
from incident_actions.domain.issue.observation import Deployment, Issue, Observation
from incident_actions.domain.issue.permissions import Permissions
from incident_actions.domain.playbook.checklist import ChecklistItem, ChecklistSection
from incident_actions.domain.playbook.recovery import PassedCheck, Streak
from incident_actions.domain.playbook.runbook_search import Runbook
from incident_actions.domain.playbook.steps import ticked_by_people
from incident_actions.domain.postmortem.link import Postmortem
from incident_actions.domain.projection.effects import EditIssue
from incident_actions.domain.projection.state import (
    Memory,
    SettledIssue,
    State,
    by_size,
    is_same,
    make_state,
    write_state,
)
from incident_actions.domain.projection.wanted import edit, wanted_assignees, wanted_labels
from incident_actions.domain.reminders.kinds import ReminderKind
from incident_actions.domain.timeline.bot_comments import REMINDER
from incident_actions.domain.timeline.fold import Folded, newest
from incident_actions.domain.timeline.untrusted_reports import is_confirmed, reported_text
from incident_actions.render import dashboard


class Known(Struct, frozen=True):
    """The playbook that an incident was declared with.

    `runbooks` are those that fit; `extra` is what reading them cost on top of the run's budget.
    """

    form: Form
    checks: tuple[ChecklistItem, ...]
    checklist: tuple[ChecklistSection, ...]
    defaults: dict[Role, str]
    runbooks: tuple[Runbook, ...] = ()
    extra: int = 0


class Findings(Struct, frozen=True):
    """What a run learnt elsewhere than in the issue. `public` is None while nobody asked.

    `extra` are requests on top of the run's budget: what changed is asked once for a start.
    `passed` are the recovery checks that this very run saw passing.
    """

    streaks: dict[str, Streak]
    deployments: tuple[Deployment, ...]
    public: bool | None
    suspects: Suspects | None = None
    extra: int = 0
    trail: OverrideAudit = OverrideAudit()
    lapsed: tuple[Allowance, ...] = ()
    passed: tuple[PassedCheck, ...] = ()

    def silences(self, incident: Incident) -> bool:
        """Whether the bot must publish nothing more of this incident."""
        return incident.sensitive and self.public is not False


def answers(issue: Issue, form: Form) -> FormValues:
    """The form's answers in an issue, also when the bot opened it from somebody's report."""
    text = bodies.split(issue.body).reporter
    if issue.author.bot and is_confirmed(text):
        text = reported_text(text)
    return read_answers(form, text)


class Study(Struct, frozen=True):
    """An incident, understood: what it remembers, and what follows from its history."""

    state: State | None
    known: Known
    grants: Permissions
    findings: Findings
    folded: Folded


def memory(issue: Issue, it: Study, said: Collection[str], settled: SettledIssue) -> Memory:
    """What to remember, once everything in `said` (`kind key`) has been said."""
    seen_id, seen_at = newest(it.folded.commands)
    known, findings, state = it.known, it.findings, it.state
    before = state.postmortem if state else None
    return Memory(
        seen_id=seen_id,
        seen_at=seen_at,
        people=it.grants.dump(),
        said=tuple(sorted(name for name in said if not name.startswith(f"{REMINDER} "))),
        form=tuple((field.id, field.label) for field in known.form.fields),
        checks=known.checks,
        defaults=known.defaults,
        streaks=findings.streaks,
        deployments=findings.deployments,
        public=findings.public,
        labels=True,
        ticks=ticked_by_people(
            bodies.boxes(bodies.split(issue.body).dashboard),
            known.checklist,
            state.steps if state else (),
            state.ticks if state else (),
        ),
        steps=tuple(sorted(_seen(it.folded, findings.suspects, before))),
        settled=settled,
        trail=findings.trail,
        suspects=None if it.folded.incident.sensitive else findings.suspects,
        runbooks=() if it.folded.incident.sensitive else known.runbooks,
        postmortem=before,
    )


def change(
    observation: Observation,
    it: Study,
    memory: Memory,
    config: Config,
    *,
    settle: bool,
) -> EditIssue:
    """The one edit that brings the issue up to date.

    That the issue has settled anew is reason enough to write for a sweep alone (`settle`).
    """
    issue, incident = observation.issue, it.folded.incident
    silent = incident.sensitive and memory.public is not False
    shown = redacted(incident) if silent else incident
    body = bodies.split(issue.body)
    facts = dashboard.DashboardFacts(
        number=issue.number,
        checklist=it.known.checklist,
        checks=it.known.checks,
        ticked=memory.ticks,
        seen=_seen(it.folded, memory.suspects, memory.postmortem),
        suspects=memory.suspects,
        runbooks=memory.runbooks,
        web=issue.url.rpartition("/issues/")[0],
        update_every=config.reminders.policy().timings[ReminderKind.INTERNAL_UPDATE].after,
        silent=silent,
        postmortem=memory.postmortem,
        postmortem_due=config.postmortem.due_at(incident),
        headline="" if silent else _headline(answers(issue, it.known.form)),
    )
    if silent:
        memory = replace(memory, trail=OverrideAudit())
    state = make_state(shown, issue.number, memory)
    before = it.state
    if not settle and before is not None and is_same(state, before):
        state = replace(state, settled=before.settled)
    states = [write_state(each) for each in by_size(state)]
    composed = dashboard.compose(shown, facts, states, body.reporter)
    return edit(
        issue,
        body=_unless_same(composed, issue.body),
        labels=wanted_labels(incident, observation, _reviewed(memory)),
        assignees=wanted_assignees(incident, issue, before.assigned if before else ()),
        open=incident.status.open,
    )


def _reviewed(memory: Memory) -> tuple[str, ...]:
    """The label of a postmortem that was merged."""
    merged = memory.postmortem is not None and memory.postmortem.merged
    return (labels.POSTMORTEM_REVIEWED,) if merged else ()


def with_postmortem(memory: Memory, postmortem: Postmortem | None) -> Memory:
    """The memory once the postmortem is somewhere: its steps are done then."""
    steps = {*memory.steps, *_written(postmortem)}
    return replace(memory, postmortem=postmortem, steps=tuple(sorted(steps)))


def _seen(
    folded: Folded, suspects: Suspects | None, postmortem: Postmortem | None
) -> frozenset[str]:
    """The steps that are done: what changed was listed, the postmortem was begun, or reviewed."""
    listed = suspects is not None and suspects.rule is not RollbackRule.BLIND
    return folded.steps | ({"changes"} if listed else set()) | _written(postmortem)


def _written(postmortem: Postmortem | None) -> set[str]:
    """A reviewed postmortem tells the root cause; what `/cause` names is only to count by."""
    if postmortem is None or not postmortem.started:
        return set()
    return {"postmortem", "root-cause"} if postmortem.merged else {"postmortem"}


def _headline(given: FormValues) -> str:
    """What is broken, and for whom, in the reporter's words."""
    return " · ".join(
        " ".join(given.get(id).split()) for id in ("summary", "affected") if given.get(id)
    )


def _unless_same(wanted: str, now: str) -> str:
    """The body as it is, when it differs in line ends only: GitHub's editor saves CRLF."""
    return now if wanted.replace("\r\n", "\n") == now.replace("\r\n", "\n") else wanted
