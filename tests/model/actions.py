"""What people do in an incident, as values; and strategies that make them up.

An action is possible or not, by what its doer sees. The model plays a history in two worlds whose
bots have come unequally far, so only actions that are possible in both are done.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass

from hypothesis import strategies as st

from tests.model.world import PEOPLE, ModelWorld
from tests.support.events import form_body

_BEGIN = "<!-- incident-actions:begin -->"
_END = "<!-- incident-actions:end -->"
_GAPS = ("\r\n\r\n", "\n\n")


@dataclass(frozen=True)
class Action(ABC):
    """Something that somebody does by hand."""

    who: str

    def possible(self, world: ModelWorld) -> bool:
        """Whether it would change anything."""
        return True

    @abstractmethod
    def do(self, world: ModelWorld) -> None:
        """Do it."""


class BodyEdit(Action):
    """An action that saves the issue's whole body from the editor.

    GitHub has no conditional write: what is saved while the bot is between reading the issue and
    writing it is lost. The model leaves such a moment out; all others are in.
    """


@dataclass(frozen=True)
class Comment(Action):
    """Somebody comments."""

    text: str

    def do(self, world: ModelWorld) -> None:
        """Comment."""
        world.person(self.who).comment(world.number, self.text)


@dataclass(frozen=True)
class EditComment(Action):
    """Somebody edits the `which`th of the people's comments."""

    which: int
    text: str

    def possible(self, world: ModelWorld) -> bool:
        """Whether there is one, with another text."""
        there = world.comments(bot=False)
        return bool(there) and there[self.which % len(there)].body != self.text

    def do(self, world: ModelWorld) -> None:
        """Its own author edits it."""
        there = world.comments(bot=False)
        comment = there[self.which % len(there)]
        world.person(comment.user.login).edit_comment(comment.id, self.text)


@dataclass(frozen=True)
class DeleteComment(Action):
    """Somebody deletes the `which`th of the people's comments."""

    which: int

    def possible(self, world: ModelWorld) -> bool:
        """Whether there is one."""
        return bool(world.comments(bot=False))

    def do(self, world: ModelWorld) -> None:
        """Its own author deletes it."""
        there = world.comments(bot=False)
        comment = there[self.which % len(there)]
        world.person(comment.user.login).delete_comment(comment.id)


@dataclass(frozen=True)
class Label(Action):
    """Somebody puts a label on by hand."""

    name: str

    def possible(self, world: ModelWorld) -> bool:
        """Whether the repository has it and the issue hasn't."""
        return self.name in world.known_labels - world.labels

    def do(self, world: ModelWorld) -> None:
        """Put it on."""
        world.person(self.who).label(world.number, self.name)


@dataclass(frozen=True)
class Unlabel(Action):
    """Somebody takes a label off by hand.

    An issue that no run has seen is an incident by its label and its form alone: who takes both
    away before the first run has declared nothing. So `incident` stays on until the bot knows it.
    """

    name: str

    def possible(self, world: ModelWorld) -> bool:
        """Whether it is there."""
        seen = any(name.startswith("status:") for name in world.labels)
        return self.name in world.labels and (seen or self.name != "incident")

    def do(self, world: ModelWorld) -> None:
        """Take it off."""
        world.person(self.who).unlabel(world.number, self.name)


@dataclass(frozen=True)
class Close(Action):
    """Somebody closes the issue by hand."""

    def possible(self, world: ModelWorld) -> bool:
        """Whether it is open."""
        return bool(world.issue["state"] == "open")

    def do(self, world: ModelWorld) -> None:
        """Close it."""
        world.person(self.who).close(world.number)


@dataclass(frozen=True)
class Reopen(Action):
    """Somebody reopens the issue by hand."""

    def possible(self, world: ModelWorld) -> bool:
        """Whether it is closed."""
        return bool(world.issue["state"] == "closed")

    def do(self, world: ModelWorld) -> None:
        """Reopen it."""
        world.person(self.who).reopen(world.number)


def _assigned(world: ModelWorld) -> set[str]:
    return {user["login"] for user in world.issue["assignees"]}


@dataclass(frozen=True)
class Assign(Action):
    """Somebody assigns somebody."""

    whom: str

    def possible(self, world: ModelWorld) -> bool:
        """Whether they aren't assigned."""
        return self.whom not in _assigned(world)

    def do(self, world: ModelWorld) -> None:
        """Assign them."""
        world.person(self.who).assign(world.number, self.whom)


@dataclass(frozen=True)
class Unassign(Action):
    """Somebody unassigns somebody."""

    whom: str

    def possible(self, world: ModelWorld) -> bool:
        """Whether they are assigned."""
        return self.whom in _assigned(world)

    def do(self, world: ModelWorld) -> None:
        """Unassign them."""
        world.person(self.who).unassign(world.number, self.whom)


@dataclass(frozen=True)
class Rename(Action):
    """Somebody renames the issue."""

    title: str

    def possible(self, world: ModelWorld) -> bool:
        """Whether it has another title."""
        return bool(world.issue["title"] != self.title)

    def do(self, world: ModelWorld) -> None:
        """Rename it."""
        world.person(self.who).set_title(world.number, self.title)


@dataclass(frozen=True)
class Tick(BodyEdit):
    """Somebody ticks a box of the dashboard, or takes a tick away."""

    step: str
    on: bool = True

    def possible(self, world: ModelWorld) -> bool:
        """Whether the box is there, the other way round."""
        return f"- [{' ' if self.on else 'x'}] {self.step}" in world.issue["body"]

    def do(self, world: ModelWorld) -> None:
        """Click the box."""
        before, after = ("[ ]", "[x]") if self.on else ("[x]", "[ ]")
        body = world.issue["body"].replace(f"- {before} {self.step}", f"- {after} {self.step}", 1)
        world.person(self.who).edit_issue_body(world.number, body)


@dataclass(frozen=True)
class Write(BodyEdit):
    """Somebody edits what the reporter wrote. In the editor every line then ends in CRLF."""

    text: str
    crlf: bool = False

    def do(self, world: ModelWorld) -> None:
        """Replace all that stands below the dashboard."""
        block, end, _ = world.issue["body"].partition(_END)
        ours = block.startswith(_BEGIN) and end
        body = f"{block}{end}\n\n{self.text}" if ours else self.text
        if self.crlf:
            body = re.sub(r"\r?\n", "\r\n", body)
        world.person(self.who).edit_issue_body(world.number, body)

    @property
    def saved(self) -> str:
        """The text as it is from then on."""
        return re.sub(r"\r?\n", "\r\n", self.text) if self.crlf else self.text


@dataclass(frozen=True)
class DeleteDashboard(BodyEdit):
    """Somebody deletes the dashboard with the state in it, or its last line only."""

    whole: bool

    def possible(self, world: ModelWorld) -> bool:
        """Whether there is one."""
        block, end, _ = world.issue["body"].partition(_END)
        return bool(block.startswith(_BEGIN) and end)

    def do(self, world: ModelWorld) -> None:
        """Delete it."""
        block, _, text = world.issue["body"].partition(_END)
        gap = next((gap for gap in _GAPS if text.startswith(gap)), "")
        body = text[len(gap) :] if self.whole else block + text
        world.person(self.who).edit_issue_body(world.number, body)


STEPS = (
    "Open one thread or channel; link it here",
    "Read the app logs around the start time",
    "Trigger: what set it off",
    "Name an incident commander",
    "Choose one safe mitigation and record its result",
)
OWN_LABELS = ("bug", "customer-facing")
LABELS = (
    *OWN_LABELS,
    *("sev1", "sev2", "sev3", "status:identified", "status:monitoring", "status:resolved"),
    *("deploy-freeze", "deploys-allowed", "drill", "service:api", "cause:bad-deploy"),
    *("needs-confirmation", "incident"),
)
LINES = (
    "/ack", "/ack at 02:59", "/role comms @bob", "/role scribe", "/role commander @bob",
    "/role comms @nobody-here", "/severity sev2", "/severity sev1 worse", "/severity SEV-3",
    "/severity 9", "/status identified bad config", "/status investigating", "/status monitoring",
    "/status resolved", "/note queue at 12,000", "/note see #12", "/did rollback -> better",
    "/did", "/update workers scaled", "/update next 20m still slow", "/customer Uploads may fail.",
    "/mitigated rollback live", "/mitigated at 02:58", "/verify all seen", "/verify all seen",
    "/verify latency", "/verify nonsense", "/resolve", "/resolve stable",
    "/resolve --force nobody can test it",
    "/reopen it is back", "/freeze", "/thaw only the newsletter", "/allow #57 for 1h the fix",
    "/allow abcdef1 the fix", "/action Alert on depth / @bob / 2026-12-01", "/action nothing",
    "/cause bad-deploy", "/service api,web", "/time started at 02:50", "/time resolved at 02:59",
    "/snooze 30m", "/snooze off", "/confirm", "/dismiss no", "/help", "/help severity", "/help me",
    "/runbook 502-errors", "/runbook nothing-like-it", "/akc", "/deploy now", "Looking into it.",
    "> /ack", "```\n/resolve --force x\n```", "<!-- incident-actions:state {} -->",
    "<!-- incident-actions:mistakes 1 -->",
)  # fmt: skip
_TEXTS = (
    form_body({"severity": "SEV2", "summary": "Only some.", "services": "api"}),
    form_body({"severity": "SEV3", "summary": "Slow.", "started": "02:40", "commander": "@bob"}),
    form_body({"summary": "### Severity\n\nSEV3\n\n<!-- incident-actions:end -->"}),
    "It is broken.\n\n<!-- incident-actions:begin -->\nmine\n<!-- incident-actions:end -->\n",
    "",
)

people = st.sampled_from(list(PEOPLE))
writers = st.sampled_from(["alice", "bob"])
staff = st.sampled_from(["alice", "bob", "tess"])
commanding = st.sampled_from(["alice", "alice", "alice", "bob", "bob", "tess", "eve"])
texts = st.lists(st.sampled_from(LINES), min_size=1, max_size=3).map("\n".join)

comments = st.builds(Comment, commanding, texts)
actions = st.one_of(
    comments,
    comments,
    comments,
    st.builds(EditComment, people, st.integers(0, 7), texts),
    st.builds(DeleteComment, people, st.integers(0, 7)),
    st.builds(Label, staff, st.sampled_from(LABELS)),
    st.builds(Unlabel, staff, st.sampled_from(LABELS)),
    st.builds(Close, staff),
    st.builds(Reopen, staff),
    st.builds(Assign, staff, st.sampled_from(["alice", "bob", "tess"])),
    st.builds(Unassign, staff, st.sampled_from(["alice", "bob", "tess"])),
    st.builds(Rename, writers, st.sampled_from(["Logins fail", "Logins and uploads fail"])),
    st.builds(Tick, writers, st.sampled_from(STEPS), st.sampled_from([True, True, False])),
    st.builds(Write, writers, st.sampled_from(_TEXTS), st.booleans()),
    st.builds(DeleteDashboard, writers, st.booleans()),
)
