"""Plans the changes for one incident: its comments, and the one edit of its issue. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.config import Config
from incident_actions.domain.changes.suspects import RollbackRule, Suspects
from incident_actions.domain.freeze.override_audit import OverrideAudit
from incident_actions.domain.issue import labels
from incident_actions.domain.issue.forms import Form, FormValues, says_deploy
from incident_actions.domain.issue.incident import (
    Allowance,
    Incident,
    Moment,
    Role,
    redacted,
)
from incident_actions.domain.issue.observation import (
    REMINDER,
    Comment,
    Deployment,
    Judged,
    Observation,
    Permissions,
    Version,
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
from incident_actions.domain.postmortem.link import Postmortem, plain_title
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
from incident_actions.domain.reminders.clock import is_worth_a_watch, rests
from incident_actions.domain.reminders.due import NEXT_CHANCE, Reminder, ReminderPolicy, due
from incident_actions.domain.reminders.kinds import ReminderKind
from incident_actions.domain.timeline.commands.pages import RequestedPage
from incident_actions.domain.timeline.fold import Folded, newest
from incident_actions.domain.timeline.interpreter import Notice, NoticeKind, outdated, unposted
from incident_actions.render import comments, dashboard


class DeclaredPlaybook(Struct, frozen=True):
    """The playbook that an incident was declared with.

    `checks` are the recovery checks; `defaults` the logins of the default roles; `runbooks` those
    that fit the incident.
    """

    form: Form
    checks: tuple[ChecklistItem, ...]
    checklist: tuple[ChecklistSection, ...]
    defaults: dict[Role, str]
    runbooks: tuple[Runbook, ...] = ()


class OutsideFacts(Struct, frozen=True):
    """What is known of an incident, but not from its issue.

    `public` says whether the repository is public; None when it was not looked up. `passed` are
    recovery checks that passed in this run; `lapsed` are allowances that are over; `rests` is the
    notice that the watch rests, where that is to be said; `heads` are the newest commits of pull
    requests that are let through. Everything else is remembered in the state.
    """

    streaks: dict[str, Streak] = {}
    deployments: tuple[Deployment, ...] = ()
    public: bool | None = None
    suspects: Suspects | None = None
    audit: OverrideAudit = OverrideAudit()
    lapsed: tuple[Allowance, ...] = ()
    passed: tuple[PassedCheck, ...] = ()
    rests: Notice | None = None
    heads: dict[int, str] = {}
    commits: dict[str, str] = {}


class Assessment(Struct, frozen=True):
    """All that is known of an incident.

    `before` is the state in its body, None without one. `judged` is what the state keeps of
    `permissions`. `folded` is what follows from all the rest.
    """

    observation: Observation
    before: State | None
    playbook: DeclaredPlaybook
    permissions: Permissions
    judged: Judged | None
    outside: OutsideFacts
    folded: Folded

    @property
    def number(self) -> int:
        """The number of the incident's issue."""
        return self.observation.issue.number

    @property
    def incident(self) -> Incident:
        """The incident as it stands."""
        return self.folded.incident

    @property
    def title(self) -> str:
        """What people named it, without the form's prefix; the report where they named nothing."""
        summary = self.observation.values.get("summary")
        return plain_title(self.observation.issue.title, self.playbook.form.title, summary)

    @property
    def silent(self) -> bool:
        """Whether to publish no details: a security incident in a repository that may be public."""
        return self.incident.sensitive and self.outside.public is not False

    @property
    def posted(self) -> set[str]:
        """The names (`KIND KEY`) of all comments that the bot ever posted on this issue."""
        return {*self.observation.own.by_name, *(self.before.posted if self.before else ())}


_MOST_REACTIONS = 10
"""A run that comes after many lost ones puts its thumbs up on the newest commands only."""


def comments_to_change(
    known: Assessment,
    notices: Sequence[Notice],
    pages: Mapping[RequestedPage, str],
    missing: Collection[RequestedPage] = (),
) -> list[Effect]:
    """The comments to post and to delete, and the thumbs up to give.

    `notices` are those to post; `pages` holds the texts of the playbook's pages that they ask for.
    A comment that asks for a page that is `missing` gets no thumbs up, also when it was answered by
    a run that was killed then.
    """
    mistaken = {
        notice.key.partition(".")[0]
        for notice in known.folded.notices
        if not set(missing).isdisjoint(notice.pages)
    }
    effects: list[Effect] = [
        PostComment(known.number, notice.kind, notice.key, comments.write(notice, pages))
        for notice in notices
    ]
    effects += comments_to_delete(all_notices(known), known.observation)
    taken = [
        each
        for each in known.folded.taken
        if _is_new(each, known.before) and str(each.id) not in mistaken
    ]
    return effects + [AddReaction(each.id) for each in taken[-_MOST_REACTIONS:]]


def asking(known: Assessment, notices: Sequence[Notice]) -> tuple[Notice, ...]:
    """The notices that ask for pages: of those to post, and of comments that are new to us."""
    new = {str(each.id) for each in known.folded.taken if _is_new(each, known.before)}
    return tuple(
        notice
        for notice in known.folded.notices
        if notice.pages and (notice in notices or notice.key.partition(".")[0] in new)
    )


def all_notices(known: Assessment) -> tuple[Notice, ...]:
    """All notices of an incident, with those that were posted before."""
    sensitive = (Notice(NoticeKind.SENSITIVE, str(known.number)),) if known.silent else ()
    texts = {item.key: item.text for item in known.playbook.checks}
    passed = (
        Notice(NoticeKind.PASSED, each.name, text=texts.get(each.key, each.key))
        for each in known.outside.passed
    )
    rest = filter(None, (known.outside.rests,))
    return (*known.folded.notices, *sensitive, *passed, *_pushed(known), *rest)


def rest_notice(
    number: int, incident: Incident, policy: ReminderPolicy, now: datetime
) -> Notice | None:
    """The notice that the watch of an incident rests, one for each rest; None while it does not."""
    if not is_worth_a_watch(incident, policy) or not rests(incident, policy, now):
        return None
    last = incident.last_deed or incident.times[Moment.DECLARED]
    key = f"{number}.{last:%Y%m%dT%H%M%SZ}"
    return Notice(NoticeKind.WATCH_RESTS, key, text=f"{last:%Y-%m-%d %H:%M} UTC")


def _pushed(known: Assessment) -> list[Notice]:
    """What to say of pull requests that got a commit after they were let through."""
    notices = []
    for number, head in known.outside.heads.items():
        given = [allowed for allowed in known.incident.allow if allowed.pr == number]
        if given and head not in [allowed.sha for allowed in given]:
            change = f"{number}.{head[:12]}"
            notices.append(Notice(NoticeKind.PUSHED, change, to=given[-1].by, text=f"#{number}"))
    return notices


def comments_to_delete(notices: Sequence[Notice], observation: Observation) -> list[DeleteComment]:
    """The bot's comments to delete: answers to edited or deleted comments, and doubles."""
    own = observation.own.by_name
    valid = {f"{PASSED} {passed.name}" for passed in passed_checks(own)}
    invalid = [
        *outdated(notices, own),
        *(name for name in own if name.startswith(f"{PASSED} ") and name not in valid),
    ]
    return [
        *(DeleteComment(own[name].id, *name.split(" ", 1)) for name in invalid),
        *(DeleteComment(id, "double", name) for id, name in observation.own.doubles.items()),
    ]


def _is_new(comment: Comment, before: State | None) -> bool:
    """Whether a comment is new, or was edited, since a run last read its commands.

    Without a state (the body may have no room for one) a comment with a thumbs up is not new.
    """
    if before is None:
        return not comment.thumbs_up
    if comment.id > before.seen_id:
        return True
    edited = comment.updated_at > comment.created_at
    return edited and newest([comment])[1] > before.seen_at


_FRESH = timedelta(minutes=10)
"""For so long after a reminder no run says the next one early: it may be the same run, doubled."""


def reminder_comments(
    number: int,
    own: Mapping[str, Comment],
    incident: Incident,
    checks: Sequence[ChecklistItem],
    reporter: str | None,
    policy: ReminderPolicy,
    now: datetime,
    early: timedelta,
) -> list[Effect]:
    """The reminders to post, and the old ones to delete: replaced, or no longer due.

    `own` are the bot's reminders on this issue, by key. There is one of each kind at a time: the
    new one is posted, so that people are notified, and the old one is deleted. With `early`, what
    will be due so soon is posted, too, where nothing else of its kind is to be posted; with a
    negative `early` only what is due for so long. What another run posted early is kept. While a
    reminder is held back, the one before it is kept. `checks` and `reporter` as for `due`.
    """

    def due_by(early: timedelta) -> tuple[Reminder, ...]:
        return due(incident, checks, reporter, policy, now, early)

    ready, ahead = due_by(min(early, timedelta())), due_by(NEXT_CHANCE)
    later = (*due_by(timedelta()), *ahead)
    said = {each.kind for each in later if each.key in own}
    held = {each.kind for each in (*ready, *later) if each.held}
    wanted = {each.kind: each for each in ready if each.kind not in said | held}
    if early > timedelta():
        fresh = {k.partition(".")[0] for k, c in own.items() if now - c.created_at < _FRESH}
        silent = {*(kind for kind, each in wanted.items() if each.key not in own), *held, *fresh}
        wanted |= {each.kind: each for each in ahead if each.kind not in silent}
    kept = {each.key for each in wanted.values()}
    kept |= {each.key for each in later if each.kind not in wanted}
    return [
        *(
            PostComment(number, REMINDER, each.key, comments.remind(each, incident, now))
            for each in wanted.values()
            if each.key not in own
        ),
        *(
            DeleteComment(comment.id, REMINDER, key)
            for key, comment in own.items()
            if key not in kept and key.partition(".")[0] not in held
        ),
    ]


def posted_after(known: Assessment, applied: Sequence[Effect]) -> set[str]:
    """The names of all comments ever posted, after these effects were applied."""
    names = known.posted | {f"{e.kind} {e.key}" for e in applied if isinstance(e, PostComment)}
    return names - {f"{e.kind} {e.key}" for e in applied if isinstance(e, DeleteComment)}


def state_after(known: Assessment, posted: Collection[str], settled: SettledIssue) -> State:
    """The state to write into the body. `posted` are the names of all comments ever posted."""
    seen_id, seen_at = newest(known.folded.commands)
    before, sensitive = known.before, known.incident.sensitive
    suspects = None if sensitive else known.outside.suspects
    postmortem = before.postmortem if before else None
    return State(
        **states.facts_of(known.incident),
        v=states.VERSION,
        number=known.number,
        seen_id=seen_id,
        seen_at=seen_at,
        judged=known.judged,
        posted=tuple(sorted(name for name in posted if not name.startswith(f"{REMINDER} "))),
        form=known.playbook.form.fields,
        prefix=known.playbook.form.title,
        checks=known.playbook.checks,
        defaults=known.playbook.defaults,
        commits=known.outside.commits,
        streaks=known.outside.streaks,
        deployments=known.outside.deployments,
        public=known.outside.public,
        labels=True,
        ticks=ticked_by_people(
            boxes(known.observation.issue.parts.dashboard),
            known.playbook.checklist,
            before.steps if before else (),
            before.ticks if before else (),
        ),
        steps=tuple(sorted(_done_steps(known, suspects, postmortem))),
        settled=settled,
        audit=known.outside.audit,
        suspects=suspects,
        runbooks=() if sensitive else known.playbook.runbooks,
        postmortem=postmortem,
    )


def edit_for(known: Assessment, state: State, config: Config, *, settle: bool) -> EditIssue | None:
    """The edit that brings the issue up to date, with `state` in its body; None when nothing
    differs.

    When nothing in the state differs but `settled`, the body is written only with `settle`, which
    a sweep sets.
    """
    issue, incident, before = known.observation.issue, known.incident, known.before
    shown = redacted(incident) if known.silent else incident
    values = FormValues({}, {}) if known.silent else known.observation.values
    facts = dashboard.DashboardFacts(
        number=issue.number,
        checklist=known.playbook.checklist,
        checks=known.playbook.checks,
        ticked=state.ticks,
        seen=_done_steps(known, state.suspects, state.postmortem),
        suspects=state.suspects,
        runbooks=state.runbooks,
        web=issue.url.rpartition("/issues/")[0],
        update_every=config.reminders.policy().timings[ReminderKind.INTERNAL_UPDATE].after,
        silent=known.silent,
        postmortem=state.postmortem,
        postmortem_due=config.postmortem.due_at(incident),
        lock=state.lock,
        headline=_headline(values),
        mitigation=" ".join(values.get("mitigation").split()),
        says_deploy=_says_deploy(values),
    )
    if known.silent:
        state = replace(state.showing(shown), audit=OverrideAudit())
    if not settle and before is not None and states.is_same(state, before):
        state = replace(state, settled=before.settled)
    blocks = [states.write_state(each) for each in states.by_size(state)]
    composed = dashboard.compose(shown, facts, blocks, issue.parts.reporter)
    reviewed = state.postmortem is not None and state.postmortem.merged
    also = (labels.POSTMORTEM_REVIEWED,) if reviewed else ()
    return edit(
        issue,
        body=composed if issue.put_back else _unless_same(composed, issue.body),
        labels=wanted_labels(incident, known.observation, also),
        assignees=_assignees(known),
        open=incident.status.open,
    )


def _assignees(known: Assessment) -> tuple[str, ...]:
    before, judged = known.before, known.before.judged if known.before else None
    asked, until = (before.assigned, judged.until if judged else None) if before else ((), None)
    return wanted_assignees(known.incident, known.observation, asked, until)


def with_postmortem(state: State, postmortem: Postmortem | None) -> State:
    """The state with this postmortem, and with the steps of the checklist that it completes."""
    steps = {*state.steps, *_written(postmortem)}
    return replace(state, postmortem=postmortem, steps=tuple(sorted(steps)))


def _done_steps(
    known: Assessment, suspects: Suspects | None, postmortem: Postmortem | None
) -> frozenset[str]:
    """The keys of steps that are done: by commands, by the list of changes, by the postmortem."""
    listed = suspects is not None and suspects.rule is not RollbackRule.BLIND
    return known.folded.steps | ({"changes"} if listed else set()) | _written(postmortem)


def _written(postmortem: Postmortem | None) -> set[str]:
    """The keys of the steps that a postmortem completes.

    The root cause is known when the postmortem was merged. The category that `/cause` names does
    not complete that step: it is only for statistics.
    """
    if postmortem is None or not postmortem.started:
        return set()
    return {"postmortem", "root-cause"} if postmortem.merged else {"postmortem"}


def _headline(values: FormValues) -> str:
    """What is broken, and for whom, in the reporter's words, on one line."""
    answers = (" ".join(values.get(id).split()) for id in ("summary", "affected"))
    return " · ".join(part for part in answers if part)


def _says_deploy(values: FormValues) -> bool:
    """Whether the report speaks of a deploy, in its own words or by a ticked box."""
    said = (*values.boxes.get("changes", ()), values.get("summary"), values.get("affected"))
    return any(map(says_deploy, said))


def _unless_same(wanted: str, now: str) -> str:
    """The wanted body, or the present one if only line ends differ: GitHub's editor saves CRLF."""
    return now if wanted.replace("\r\n", "\n") == now.replace("\r\n", "\n") else wanted


def unposted_notices(known: Assessment) -> tuple[Notice, ...]:
    """The notices of an incident that were never posted."""
    edited = known.observation.issue.put_back
    if edited is None:
        return unposted(all_notices(known), known.posted)
    told = put_back_notice(known.number, edited)
    return unposted((told, *all_notices(known)), known.posted)


def put_back_notice(number: int, edited: Version) -> Notice:
    """The notice that an edit of an issue's text, by somebody who may not, was undone."""
    key = f"{number}.{edited.at:%Y%m%dT%H%M%SZ}"
    return Notice(NoticeKind.PUT_BACK, key, to=edited.by.login)
