"""The plan for one incident: from what is known of it to comments and the one edit. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.config import Config
from incident_actions.domain.changes.suspects import RollbackRule, Suspects
from incident_actions.domain.freeze.override_audit import OverrideAudit
from incident_actions.domain.issue import labels
from incident_actions.domain.issue.forms import Form, FormValues
from incident_actions.domain.issue.incident import Allowance, Incident, Role, redacted
from incident_actions.domain.issue.observation import (
    REMINDER,
    Comment,
    Deployment,
    Observation,
    Permissions,
)
from incident_actions.domain.playbook.checklist import (
    PASSED,
    ChecklistItem,
    ChecklistSection,
    PassedCheck,
    Streak,
    boxes,
    passed_checks,
    ticked_by_people,
)
from incident_actions.domain.playbook.runbooks import Runbook
from incident_actions.domain.postmortem.link import Postmortem
from incident_actions.domain.projection import state as states
from incident_actions.domain.projection.effects import (
    AddReaction,
    DeleteComment,
    EditIssue,
    Effect,
    PostComment,
)
from incident_actions.domain.projection.state import SettledIssue, State
from incident_actions.domain.projection.wanted import edit, wanted_assignees, wanted_labels
from incident_actions.domain.reminders.due import Reminder
from incident_actions.domain.reminders.kinds import ReminderKind
from incident_actions.domain.timeline.commands.pages import RequestedPage
from incident_actions.domain.timeline.fold import Folded, newest
from incident_actions.domain.timeline.interpreter import Notice, NoticeKind, outdated, unposted
from incident_actions.render import comments, dashboard


class DeclaredPlaybook(Struct, frozen=True):
    """The playbook that an incident was declared with. `runbooks` are those that fit."""

    form: Form
    checks: tuple[ChecklistItem, ...]
    checklist: tuple[ChecklistSection, ...]
    defaults: dict[Role, str]
    runbooks: tuple[Runbook, ...] = ()


class OutsideFacts(Struct, frozen=True):
    """What is known from elsewhere than the issue. `public` is None while nobody asked.

    `passed` are the recovery checks that this very run saw passing; `lapsed` the allowances that
    are over by now.
    """

    streaks: dict[str, Streak] = {}
    deployments: tuple[Deployment, ...] = ()
    public: bool | None = None
    suspects: Suspects | None = None
    audit: OverrideAudit = OverrideAudit()
    lapsed: tuple[Allowance, ...] = ()
    passed: tuple[PassedCheck, ...] = ()


class Assessment(Struct, frozen=True):
    """An incident, understood: what was observed and remembered, and what follows from it."""

    observation: Observation
    before: State | None
    playbook: DeclaredPlaybook
    permissions: Permissions
    outside: OutsideFacts
    folded: Folded

    @property
    def number(self) -> int:
        """The issue's number."""
        return self.observation.issue.number

    @property
    def incident(self) -> Incident:
        """The incident as it stands."""
        return self.folded.incident

    @property
    def silent(self) -> bool:
        """Whether the bot must publish nothing more of this incident."""
        return self.incident.sensitive and self.outside.public is not False

    @property
    def posted(self) -> set[str]:
        """The names (`KIND KEY`) of all comments that the bot ever posted here."""
        return {*self.observation.own.by_name, *(self.before.posted if self.before else ())}


_MOST_REACTIONS = 10
"""A run that comes after many lost ones puts its thumbs up on the newest commands only."""


def comments_to_change(
    it: Assessment, notices: Sequence[Notice], pages: Mapping[RequestedPage, str]
) -> list[Effect]:
    """What to post, to delete and to react to; nothing that was posted before.

    `notices` are those to post; `pages` holds the text of the playbook's pages that they ask for.
    """
    effects: list[Effect] = [
        PostComment(it.number, notice.kind, notice.key, comments.write(notice, pages))
        for notice in notices
    ]
    effects += comments_to_delete(all_notices(it), it.observation)
    taken = [each for each in it.folded.taken if _is_new(each, it.before)]
    return effects + [AddReaction(each.id) for each in taken[-_MOST_REACTIONS:]]


def all_notices(it: Assessment) -> tuple[Notice, ...]:
    """Everything that there is to say of an incident, whether it was said before or not."""
    sensitive = (Notice(NoticeKind.SENSITIVE, str(it.number)),) if it.silent else ()
    texts = {item.key: item.text for item in it.playbook.checks}
    passed = (
        Notice(NoticeKind.PASSED, each.name, text=texts.get(each.key, each.key))
        for each in it.outside.passed
    )
    return (*it.folded.notices, *sensitive, *passed)


def comments_to_delete(notices: Sequence[Notice], observation: Observation) -> list[DeleteComment]:
    """Answers whose comment was corrected or deleted, and what was posted twice."""
    own = observation.own.by_name
    counted = {f"{PASSED} {passed.name}" for passed in passed_checks(own)}
    gone = [
        *outdated(notices, own),
        *(name for name in own if name.startswith(f"{PASSED} ") and name not in counted),
    ]
    return [
        *(DeleteComment(own[name].id, *name.split(" ", 1)) for name in gone),
        *(DeleteComment(id, "double", name) for id, name in observation.own.doubles.items()),
    ]


def _is_new(comment: Comment, before: State | None) -> bool:
    """Whether a comment is new, or was edited, since its commands were last taken.

    Where nothing is remembered, because there was no room for it, a thumb that is up must do.
    """
    if before is None:
        return not comment.thumbs_up
    if comment.id > before.seen_id:
        return True
    edited = comment.updated_at > comment.created_at
    return edited and newest([comment])[1] > before.seen_at


def reminder_comments(
    number: int,
    own: Mapping[str, Comment],
    reminders: Sequence[Reminder],
    incident: Incident,
    ahead: Sequence[Reminder] = (),
) -> list[Effect]:
    """The reminders to post, and the ones that they replace or that are no longer due.

    `own` are the bot's reminders on this issue, by key. One of a kind lives at a time: the new
    one is posted, so that people are notified, and the old one goes. Those `ahead` are not posted
    yet, but stay where a sweep has posted them early. While one is held, the one before it stays.
    """
    early = {each.kind for each in ahead if each.key in own}
    held = {each.kind for each in (*reminders, *ahead) if each.held}
    wanted = {each.key: each for each in reminders if each.kind not in early | held}
    kept = {*wanted, *(each.key for each in ahead)}
    return [
        *(
            PostComment(number, REMINDER, key, comments.remind(each, incident))
            for key, each in wanted.items()
            if key not in own
        ),
        *(
            DeleteComment(comment.id, REMINDER, key)
            for key, comment in own.items()
            if key not in kept and key.partition(".")[0] not in held
        ),
    ]


def posted_after(it: Assessment, applied: Sequence[Effect]) -> set[str]:
    """The names of all comments that were ever posted, once these effects were applied."""
    names = it.posted | {f"{e.kind} {e.key}" for e in applied if isinstance(e, PostComment)}
    return names - {f"{e.kind} {e.key}" for e in applied if isinstance(e, DeleteComment)}


def state_after(it: Assessment, posted: Collection[str], settled: SettledIssue) -> State:
    """What to remember, once the comments of these names have been posted."""
    seen_id, seen_at = newest(it.folded.commands)
    before, sensitive = it.before, it.incident.sensitive
    suspects = None if sensitive else it.outside.suspects
    postmortem = before.postmortem if before else None
    return State(
        **states.facts_of(it.incident),
        v=states.VERSION,
        number=it.number,
        seen_id=seen_id,
        seen_at=seen_at,
        people=it.permissions.dump(),
        posted=tuple(sorted(name for name in posted if not name.startswith(f"{REMINDER} "))),
        form=it.playbook.form.fields,
        checks=it.playbook.checks,
        defaults=it.playbook.defaults,
        streaks=it.outside.streaks,
        deployments=it.outside.deployments,
        public=it.outside.public,
        labels=True,
        ticks=ticked_by_people(
            boxes(it.observation.issue.parts.dashboard),
            it.playbook.checklist,
            before.steps if before else (),
            before.ticks if before else (),
        ),
        steps=tuple(sorted(_done_steps(it, suspects, postmortem))),
        settled=settled,
        audit=it.outside.audit,
        suspects=suspects,
        runbooks=() if sensitive else it.playbook.runbooks,
        postmortem=postmortem,
    )


def edit_for(it: Assessment, state: State, config: Config, *, settle: bool) -> EditIssue | None:
    """The one edit that brings the issue up to date, with this state in its body.

    That the issue has settled anew is reason enough to write for a sweep alone (`settle`).
    """
    issue, incident, before = it.observation.issue, it.incident, it.before
    shown = redacted(incident) if it.silent else incident
    facts = dashboard.DashboardFacts(
        number=issue.number,
        checklist=it.playbook.checklist,
        checks=it.playbook.checks,
        ticked=state.ticks,
        seen=_done_steps(it, state.suspects, state.postmortem),
        suspects=state.suspects,
        runbooks=state.runbooks,
        web=issue.url.rpartition("/issues/")[0],
        update_every=config.reminders.policy().timings[ReminderKind.INTERNAL_UPDATE].after,
        silent=it.silent,
        postmortem=state.postmortem,
        postmortem_due=config.postmortem.due_at(incident),
        headline="" if it.silent else _headline(it.observation.values),
    )
    if it.silent:
        state = replace(state.showing(shown), audit=OverrideAudit())
    if not settle and before is not None and states.is_same(state, before):
        state = replace(state, settled=before.settled)
    blocks = [states.write_state(each) for each in states.by_size(state)]
    composed = dashboard.compose(shown, facts, blocks, issue.parts.reporter)
    reviewed = state.postmortem is not None and state.postmortem.merged
    also = (labels.POSTMORTEM_REVIEWED,) if reviewed else ()
    return edit(
        issue,
        body=_unless_same(composed, issue.body),
        labels=wanted_labels(incident, it.observation, also),
        assignees=wanted_assignees(incident, issue, before.assigned if before else ()),
        open=incident.status.open,
    )


def with_postmortem(state: State, postmortem: Postmortem | None) -> State:
    """The state once the postmortem is somewhere: its steps are done then."""
    steps = {*state.steps, *_written(postmortem)}
    return replace(state, postmortem=postmortem, steps=tuple(sorted(steps)))


def _done_steps(
    it: Assessment, suspects: Suspects | None, postmortem: Postmortem | None
) -> frozenset[str]:
    """The steps that are done: what changed was listed, the postmortem was begun, or reviewed."""
    listed = suspects is not None and suspects.rule is not RollbackRule.BLIND
    return it.folded.steps | ({"changes"} if listed else set()) | _written(postmortem)


def _written(postmortem: Postmortem | None) -> set[str]:
    """A reviewed postmortem tells the root cause; what `/cause` names is only to count by."""
    if postmortem is None or not postmortem.started:
        return set()
    return {"postmortem", "root-cause"} if postmortem.merged else {"postmortem"}


def _headline(values: FormValues) -> str:
    """What is broken, and for whom, in the reporter's words."""
    told = (" ".join(values.get(id).split()) for id in ("summary", "affected"))
    return " · ".join(part for part in told if part)


def _unless_same(wanted: str, now: str) -> str:
    """The body as it is, when it differs in line ends only: GitHub's editor saves CRLF."""
    return now if wanted.replace("\r\n", "\n") == now.replace("\r\n", "\n") else wanted


def unposted_notices(it: Assessment) -> tuple[Notice, ...]:
    """What there is to say and was never posted."""
    return unposted(all_notices(it), it.posted)
