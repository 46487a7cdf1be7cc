"""The plan: from the folded incident to what has to be said and changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from incident_actions.domain import body as bodies
from incident_actions.domain import voice
from incident_actions.domain.checklist import Item, Section
from incident_actions.domain.fold import Folded, Notice, Page, newest
from incident_actions.domain.forms import Answers, Form, read_answers
from incident_actions.domain.grants import Grants
from incident_actions.domain.incident import Incident, Role, redacted
from incident_actions.domain.observation import Comment, Deployment, Issue, Observation
from incident_actions.domain.projection import (
    EditIssue,
    Effect,
    React,
    Say,
    Unsay,
    edit,
    wanted_labels,
)
from incident_actions.domain.recovery import Streak
from incident_actions.domain.reminders import Kind, Policy, Reminder
from incident_actions.domain.reports import is_confirmed, reported_text
from incident_actions.domain.state import Memory, State, make_state, write_state
from incident_actions.domain.steps import ticked_by_people
from incident_actions.render import dashboard
from incident_actions.render.comments import remind as remind_text
from incident_actions.render.comments import write


class Known(Struct, frozen=True):
    """The playbook that an incident was declared with."""

    form: Form
    checks: tuple[Item, ...]
    checklist: tuple[Section, ...]
    defaults: dict[Role, str]


class Findings(Struct, frozen=True):
    """What a run learnt elsewhere than in the issue. `public` is None while nobody asked."""

    streaks: dict[str, Streak]
    deployments: tuple[Deployment, ...]
    public: bool | None

    def silences(self, incident: Incident) -> bool:
        """Whether the bot must publish nothing more of this incident."""
        return incident.sensitive and self.public is not False


def answers(issue: Issue, form: Form) -> Answers:
    """The form's answers in an issue, also when the bot opened it from somebody's report."""
    text = bodies.split(issue.body).reporter
    if issue.author.bot and is_confirmed(text):
        text = reported_text(text)
    return read_answers(form, text)


def said(observation: Observation, state: State | None) -> set[str]:
    """The `kind key` of everything that the bot ever said here."""
    return {*voice.own_comments(observation), *(state.said if state else ())}


def words(
    observation: Observation,
    folded: Folded,
    state: State | None,
    findings: Findings,
    pages: Mapping[Page, str],
) -> list[Effect]:
    """What to say, to take back and to react to; nothing that was said before.

    `pages` holds the text of the playbook's pages that were asked for.
    """
    number = observation.issue.number
    notices = folded.notices
    if findings.silences(folded.incident):
        notices = (*notices, Notice("sensitive", str(number)))
    effects: list[Effect] = [
        Say(number, notice.kind, notice.key, write(notice, pages))
        for notice in voice.unsaid(notices, said(observation, state))
    ]
    effects += take_back(notices, observation)
    effects += [React(comment.id) for comment in folded.taken if _is_news(comment, state)]
    return effects


def remind(
    number: int, own: Mapping[str, Comment], reminders: Sequence[Reminder], incident: Incident
) -> list[Effect]:
    """The reminders to post, and the ones that they replace or that are no longer due.

    `own` are the bot's comments on this issue. One of a kind lives at a time: the new one is
    posted, so that people are notified, and the old one goes.
    """
    wanted = {f"reminder {reminder.key}": reminder for reminder in reminders}
    effects: list[Effect] = [
        Say(number, "reminder", reminder.key, remind_text(reminder, incident))
        for name, reminder in wanted.items()
        if name not in own
    ]
    effects += [
        Unsay(comment.id, *name.split(" ", 1))
        for name, comment in own.items()
        if name.startswith("reminder ") and name not in wanted
    ]
    return effects


def take_back(notices: Sequence[Notice], observation: Observation) -> list[Unsay]:
    """Answers whose comment was corrected or deleted, and what was said twice."""
    own = voice.own_comments(observation)
    gone = [Unsay(own[name].id, *name.split(" ", 1)) for name in voice.stale(notices, own)]
    again = voice.doubles(observation).items()
    return gone + [Unsay(comment_id, "double", name) for comment_id, name in again]


def _is_news(comment: Comment, state: State | None) -> bool:
    """Whether a comment is new, or was edited, since its commands were last taken."""
    if state is None or comment.id > state.seen_id:
        return True
    edited = comment.updated_at > comment.created_at
    return edited and newest([comment])[1] > state.seen_at


def memory(
    observation: Observation,
    folded: Folded,
    state: State | None,
    known: Known,
    grants: Grants,
    findings: Findings,
    done: Sequence[Effect],
) -> Memory:
    """What to remember once `done` has been said."""
    seen_id, seen_at = newest(folded.commands)
    words = said(observation, state)
    words |= {f"{effect.kind} {effect.key}" for effect in done if isinstance(effect, Say)}
    words = {name for name in words if not name.startswith("reminder ")}
    words -= {f"{effect.kind} {effect.key}" for effect in done if isinstance(effect, Unsay)}
    return Memory(
        seen_id=seen_id,
        seen_at=seen_at,
        people=grants.dump(),
        said=tuple(sorted(words)),
        form=tuple((field.id, field.label) for field in known.form.fields),
        checks=known.checks,
        defaults=known.defaults,
        streaks=findings.streaks,
        deployments=findings.deployments,
        public=findings.public,
        labels=True,
        ticks=ticked_by_people(
            bodies.boxes(bodies.split(observation.issue.body).dashboard),
            known.checklist,
            state.steps if state else (),
            state.ticks if state else (),
        ),
        steps=tuple(sorted(folded.steps)),
    )


def change(
    observation: Observation, folded: Folded, known: Known, memory: Memory, policy: Policy
) -> EditIssue:
    """The one edit that brings the issue up to date."""
    issue, incident = observation.issue, folded.incident
    silent = incident.sensitive and memory.public is not False
    shown = redacted(incident) if silent else incident
    body = bodies.split(issue.body)
    facts = dashboard.Facts(
        number=issue.number,
        checklist=known.checklist,
        checks=known.checks,
        ticked=memory.ticks,
        seen=folded.steps,
        update_every=policy.timings[Kind.INTERNAL_UPDATE].after,
        silent=silent,
    )
    state = write_state(make_state(shown, issue.number, memory))
    return edit(
        issue,
        body=_unless_same(dashboard.compose(shown, facts, state, body.reporter), issue.body),
        labels=wanted_labels(incident, observation),
        assignees=incident.assigned,
        open=incident.status.open,
    )


def _unless_same(wanted: str, now: str) -> str:
    """The body as it is, when it differs in line ends only: GitHub's editor saves CRLF."""
    return now if wanted.replace("\r\n", "\n") == now.replace("\r\n", "\n") else wanted
