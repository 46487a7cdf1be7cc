"""The slash commands: one class each. `REGISTRY` lists them as `/help` and the README show them."""

from __future__ import annotations

from incident_actions.domain.timeline.commands.base import Command
from incident_actions.domain.timeline.commands.freeze import Allow, FreezeDeploys, ThawDeploys
from incident_actions.domain.timeline.commands.pages import Help, ShowRunbook
from incident_actions.domain.timeline.commands.record import (
    AddAction,
    CustomerUpdate,
    Did,
    Note,
    SetCause,
    SetServices,
    Update,
)
from incident_actions.domain.timeline.commands.reports import Confirm, Dismiss
from incident_actions.domain.timeline.commands.roles import Ack, AssignRole, SetSeverity
from incident_actions.domain.timeline.commands.settings import Sensitive, Snooze, StartPostmortem
from incident_actions.domain.timeline.commands.status import (
    Mitigated,
    Reopen,
    Resolve,
    SetStatus,
    SetTime,
    Verify,
)

REGISTRY: tuple[type[Command], ...] = (
    Ack, AssignRole, SetSeverity, SetStatus, Note, Did, Update, CustomerUpdate, Mitigated, Verify,
    Resolve, Reopen, FreezeDeploys, ThawDeploys, Allow, AddAction, SetCause, SetServices, SetTime,
    Snooze, Sensitive, StartPostmortem, Confirm, Dismiss, ShowRunbook, Help,
)  # fmt: skip

BY_NAME = {command.name: command for command in REGISTRY}
"""The commands by what is typed after the slash, in lower case."""
