"""The stage: a small shop on the sandbox, its people and its clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from ..sandbox import Sandbox
from . import contract

REPOSITORY = "example/shop"
SERVICE = "web"
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)  # hours before the first scene

ON_CALL, SUPPORT, DEVELOPER, STRANGER = "dana-oncall", "sam-support", "kim-developer", "stranger"
RESPOND_TOKEN, GATE_TOKEN = "drill-respond-token", "drill-gate-token"

CONFIG = f"reminders: {{backup: {DEVELOPER}, escalation: [{SUPPORT}]}}\n"


class Clock:
    """The drill's own time, which moves when it is told to."""

    def __init__(self, now: datetime = START) -> None:
        self._now = now

    def __call__(self) -> datetime:
        """Now."""
        return self._now

    def tick(self, seconds: float) -> None:
        """Let some seconds pass."""
        self._now += timedelta(seconds=seconds)

    def forward_to(self, time: str) -> None:
        """Jump to a time of the same day ("14:02"); a time that is over changes nothing."""
        hour, minute = map(int, time.split(":"))
        self._now = max(self._now, self._now.replace(hour=hour, minute=minute, second=0))


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
    github.file(REPOSITORY, ".github/incident.yml", CONFIG)
    form = contract.FORM
    github.file(REPOSITORY, contract.name(form), form.read_text("utf-8"))
    respond = contract.permissions(contract.RESPOND, "respond")
    gate = contract.permissions(contract.DEPLOY, "gate")
    github.actions_token(RESPOND_TOKEN, REPOSITORY, respond)
    github.actions_token(GATE_TOKEN, REPOSITORY, gate)
    developer = github.as_user(DEVELOPER, REPOSITORY)
    release = developer.push({"session.txt": "store: disk\n"}, "Release 41")
    developer.deploy(release)
    return release
