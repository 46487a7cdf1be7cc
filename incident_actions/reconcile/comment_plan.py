"""What the bot has to say in an incident, and what it takes back. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from incident_actions.domain.issue.incident import Incident
from incident_actions.domain.issue.observation import Comment, Observation
from incident_actions.domain.playbook import recovery
from incident_actions.domain.projection.effects import (
    AddReaction,
    DeleteComment,
    Effect,
    PostComment,
)
from incident_actions.domain.projection.state import State
from incident_actions.domain.reminders.policy import Reminder
from incident_actions.domain.timeline import bot_comments as voice
from incident_actions.domain.timeline.bot_comments import REMINDER
from incident_actions.domain.timeline.fold import newest
from incident_actions.domain.timeline.notices import Notice, RequestedPage
from incident_actions.reconcile.plan import Study
from incident_actions.render import comments


def said(observation: Observation, state: State | None) -> set[str]:
    """The `kind key` of everything that the bot ever said here."""
    return {*voice.own_comments(observation), *(state.said if state else ())}


def said_after(observation: Observation, state: State | None, done: Sequence[Effect]) -> set[str]:
    """The same once `done` has been applied."""
    words = said(observation, state)
    words |= {f"{effect.kind} {effect.key}" for effect in done if isinstance(effect, PostComment)}
    return words - {
        f"{effect.kind} {effect.key}" for effect in done if isinstance(effect, DeleteComment)
    }


def words(observation: Observation, it: Study, pages: Mapping[RequestedPage, str]) -> list[Effect]:
    """What to say, to take back and to react to; nothing that was said before.

    `pages` holds the text of the playbook's pages that were asked for.
    """
    number = observation.issue.number
    notices = it.folded.notices
    if it.findings.silences(it.folded.incident):
        notices = (*notices, Notice("sensitive", str(number)))
    texts = {item.key: item.text for item in it.known.checks}
    notices += tuple(
        Notice(recovery.SAID, passed.name, text=texts.get(passed.key, passed.key))
        for passed in it.findings.passed
    )
    effects: list[Effect] = [
        PostComment(number, notice.kind, notice.key, comments.write(notice, pages))
        for notice in voice.unsaid(notices, said(observation, it.state))
    ]
    effects += take_back(notices, observation)
    effects += [
        AddReaction(comment.id) for comment in it.folded.taken if _is_news(comment, it.state)
    ]
    return effects


def remind(
    number: int,
    own: Mapping[str, Comment],
    reminders: Sequence[Reminder],
    incident: Incident,
    ahead: Sequence[Reminder] = (),
) -> list[Effect]:
    """The reminders to post, and the ones that they replace or that are no longer due.

    `own` are the bot's comments on this issue. One of a kind lives at a time: the new one is
    posted, so that people are notified, and the old one goes. Those `ahead` are not posted yet,
    but stay where a sweep has posted them early. While one is held, the one before it stays.
    """
    early = {each.kind for each in ahead if f"{REMINDER} {each.key}" in own}
    held = {each.kind for each in (*reminders, *ahead) if each.held}
    wanted = {f"{REMINDER} {each.key}": each for each in reminders if each.kind not in early | held}
    effects: list[Effect] = [
        PostComment(number, REMINDER, each.key, comments.remind(each, incident))
        for name, each in wanted.items()
        if name not in own
    ]
    kept = {*wanted, *(f"{REMINDER} {each.key}" for each in ahead)}
    effects += [
        DeleteComment(comment.id, *name.split(" ", 1))
        for name, comment in own.items()
        if name.startswith(f"{REMINDER} ") and name not in kept and _kind(name) not in held
    ]
    return effects


def _kind(name: str) -> str:
    """What a reminder is about, out of its `kind key`."""
    return name.removeprefix(f"{REMINDER} ").partition(".")[0]


def take_back(notices: Sequence[Notice], observation: Observation) -> list[DeleteComment]:
    """Answers whose comment was corrected or deleted, and what was said twice."""
    own = voice.own_comments(observation)
    gone = [DeleteComment(own[name].id, *name.split(" ", 1)) for name in voice.stale(notices, own)]
    counted = {f"{recovery.SAID} {passed.name}" for passed in recovery.said(own)}
    gone += [
        DeleteComment(comment.id, *name.split(" ", 1))
        for name, comment in own.items()
        if name.startswith(f"{recovery.SAID} ") and name not in counted
    ]
    again = voice.doubles(observation).items()
    return gone + [DeleteComment(comment_id, "double", name) for comment_id, name in again]


def _is_news(comment: Comment, state: State | None) -> bool:
    """Whether a comment is new, or was edited, since its commands were last taken.

    Where nothing is remembered, because there was no room for it, a thumb that is up must do.
    """
    if state is None:
        return not comment.thumbs_up
    if comment.id > state.seen_id:
        return True
    edited = comment.updated_at > comment.created_at
    return edited and newest([comment])[1] > state.seen_at
