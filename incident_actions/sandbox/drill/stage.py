"""The stage: a small shop on the sandbox, its people and its clock."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from time import monotonic

from ..sandbox import Sandbox
from . import contract

REPOSITORY = "example/shop"
SERVICE = "web"
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # hours before the first scene

ON_CALL, SUPPORT, DEVELOPER, STRANGER = "dana-oncall", "sam-support", "kim-developer", "stranger"
RESPOND_TOKEN, GATE_TOKEN = "drill-respond-token", "drill-gate-token"
WATCH_TOKEN = "drill-watch-token"

CONFIG = f"reminders: {{backup: {DEVELOPER}, escalation: [{SUPPORT}]}}\n"


class Clock:
    """The drill's own time, which moves when it is told to, and by itself from `run` to `stop`."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now
        self._running_since: float | None = None

    def __call__(self) -> datetime:
        """Now."""
        if self._running_since is None:
            return self._now
        return self._now + timedelta(seconds=monotonic() - self._running_since)

    def run(self) -> None:
        """Go on by itself, as a real clock does; nothing new when it runs already."""
        if self._running_since is None:
            self._running_since = monotonic()

    def stop(self) -> None:
        """Stand still again, at a full second."""
        self._now, self._running_since = self().replace(microsecond=0), None

    def tick(self, seconds: float) -> None:
        """Let some seconds pass."""
        self._now += timedelta(seconds=seconds)

    def forward_to(self, moment: datetime) -> None:
        """Jump to a moment; one that is over changes nothing."""
        self._now = max(self._now, moment)

    def today(self, at: str) -> datetime:
        """The moment of a time of this day ("14:02", "14:02:30")."""
        return datetime.combine(self._now, time.fromisoformat(at), UTC)


def build(github: Sandbox) -> str:
    """A repository with two workflows and the label that the form needs; three people with
    access, one without; for each job a token that may do what its workflow grants; and a first
    release, which runs in production. The answer is its commit.
    """
    github.repository(REPOSITORY, labels=["incident"])
    for login in (ON_CALL, SUPPORT, DEVELOPER):
        github.user(login, permission={REPOSITORY: "write"})
    github.user(STRANGER)
    for path in (contract.RESPOND, contract.DEPLOY):
        github.workflow(REPOSITORY, contract.name(path))
        github.file(REPOSITORY, contract.name(path), path.read_text("utf-8"))
    github.file(REPOSITORY, ".github/incident.yml", CONFIG)
    form = contract.FORM
    github.file(REPOSITORY, contract.name(form), form.read_text("utf-8"))
    respond = contract.permissions(contract.RESPOND, "respond")
    gate = contract.permissions(contract.DEPLOY, "gate")
    github.actions_token(RESPOND_TOKEN, REPOSITORY, respond)
    github.actions_token(GATE_TOKEN, REPOSITORY, gate)
    watch = contract.permissions(contract.RESPOND, "watch")
    github.actions_token(WATCH_TOKEN, REPOSITORY, watch)
    developer = github.as_user(DEVELOPER, REPOSITORY)
    release = developer.push({"session.txt": "store: disk\n"}, "Release 41")
    developer.deploy(release)
    return release
