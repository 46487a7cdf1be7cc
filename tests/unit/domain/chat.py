"""An incident that is talked through, message by message, and what the bot makes of it.

    chat = Chat()
    chat.say("alice", "/ack")
    assert chat.incident.commander == "alice"

Each message is a minute after the one before; the incident was declared at 14:00.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from incident_actions.domain.issue.forms import Form, FormField
from incident_actions.domain.issue.incident import Incident, Role
from incident_actions.domain.issue.observation import (
    Actor,
    Comment,
    EventKind,
    Issue,
    Observation,
    Permission,
    Permissions,
    TimelineEvent,
)
from incident_actions.domain.playbook.checklist import ChecklistItem
from incident_actions.domain.timeline.fold import Folded, Rules, fold
from incident_actions.domain.timeline.interpreter import deeds_on
from incident_actions.render.comments import write

DECLARED = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
BOT = Actor("github-actions[bot]", bot=True)
CHECKS = (
    ChecklistItem("Error rate is normal", "error-rate"),
    ChecklistItem("Latency is normal", "latency"),
)
PEOPLE = {
    "alice": Permission.MAINTAIN,
    "bob": Permission.WRITE,
    "tess": Permission.TRIAGE,
    "eve": Permission.READ,
    "mallory": Permission.NONE,
}


def at(hour: int, minute: int = 0) -> datetime:
    """A time of the day on which everything happens."""
    return DECLARED.replace(hour=hour, minute=minute)


def an_issue(**facts: object) -> Issue:
    """An issue that was just declared, with some facts of its own."""
    issue = Issue(
        number=7,
        title="Logins fail",
        body="",
        author=Actor("alice"),
        association="MEMBER",
        open=True,
        labels=("incident",),
        assignees=(),
        created_at=DECLARED,
        updated_at=DECLARED,
        url="https://github.com/acme/shop/issues/7",
    )
    return replace(issue, **facts)


class Chat:
    """The conversation so far. `answers` are the form's, by field id."""

    def __init__(
        self,
        answers: Mapping[str, str] | None = None,
        *,
        boxes: Mapping[str, tuple[str, ...]] | None = None,
        issue: Issue | None = None,
        checks: tuple[ChecklistItem, ...] = CHECKS,
        needs: Mapping[str, Permission] | None = None,
        default_roles: Mapping[Role, str] | None = None,
        services: tuple[str, ...] = (),
    ) -> None:
        values = {"severity": "SEV1 - everyone"} if answers is None else answers
        ticked = {
            id: "\n".join(f"- [x] {text}" for text in texts) for id, texts in (boxes or {}).items()
        }
        filled = {**values, **ticked}
        self.form = Form(tuple(FormField(id, id) for id in filled))
        text = "\n\n".join(f"### {id}\n\n{value}" for id, value in filled.items())
        self.issue = replace(issue or an_issue(), body=text)
        self.rules = Rules(checks, needs or {}, default_roles or {}, services)
        self.now = DECLARED
        self.history: list[Comment | TimelineEvent] = []
        self._id = 100

    def say(self, who: str, text: str, *, minutes: int = 1) -> list[str]:
        """Somebody comments; what the bot answers to that."""
        before = self._spoken()
        self._pass(minutes)
        actor = BOT if who == BOT.login else Actor(who)
        self.history.append(Comment(self._next_id(), actor, text, self.now, self.now))
        return [text for name, text in self._spoken().items() if name not in before]

    def edit(self, index: int, text: str) -> None:
        """The writer of the `index`th entry edits it."""
        self._pass(1)
        comment = self.history[index]
        assert isinstance(comment, Comment)
        self.history[index] = replace(comment, body=text, updated_at=self.now)

    def delete(self, index: int) -> None:
        """The writer of the `index`th entry deletes it."""
        del self.history[index]

    def by_hand(self, who: str, kind: EventKind, subject: str = "", **more: object) -> list[str]:
        """Somebody labels, assigns, closes, ... in GitHub's page; what the bot answers to that."""
        before = self._spoken()
        self._pass(1)
        actor = BOT if who == BOT.login else Actor(who)
        event = TimelineEvent(self._next_id(), kind, actor, self.now, subject)
        self.history.append(replace(event, **more))
        return [text for name, text in self._spoken().items() if name not in before]

    @property
    def folded(self) -> Folded:
        """What follows from all that was said and done."""
        grants = Permissions()
        for login, permission in PEOPLE.items():
            grants.learn(login, permission)
        observation = Observation(self.issue, tuple(self.history), BOT.login, self.form)
        for deed in deeds_on(observation):
            grants.judge(deed, PEOPLE.get(deed.login, Permission.NONE))
        return fold(observation, self.rules, grants)

    @property
    def incident(self) -> Incident:
        """The incident as it stands."""
        return self.folded.incident

    @property
    def bot(self) -> list[str]:
        """Everything that the bot says, without its markers."""
        return list(self._spoken().values())

    @property
    def timeline(self) -> list[str]:
        """The entries as people read them, without the declaration."""
        return [
            f"{entry.at:%H:%M} {entry.actor}: {entry.action}"
            + (f" -> {entry.result}" if entry.result else "")
            for entry in self.incident.timeline
            if not entry.key.startswith("declared")
        ]

    def _spoken(self) -> dict[str, str]:
        written = {
            f"{notice.kind} {notice.key}": write(notice, dict.fromkeys(notice.pages, "(the page)"))
            for notice in self.folded.notices
        }
        return {name: text.rpartition("\n\n<!--")[0] for name, text in written.items()}

    def _pass(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    def _next_id(self) -> int:
        self._id += 1
        return self._id
