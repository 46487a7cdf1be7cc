"""The slash commands, one class each. `REGISTRY` has the order of `/help` and the README."""

from __future__ import annotations

from incident_actions.domain.timeline.commands import (  # fmt: skip
    freeze,
    pages,
    record,
    reports,
    roles,
    settings,
    status,
)
from incident_actions.domain.timeline.commands.base import Command

REGISTRY: tuple[type[Command], ...] = (
    roles.Ack, roles.AssignRole, roles.SetSeverity, status.SetStatus, record.Note, record.Did,
    record.Update, record.CustomerUpdate, status.Mitigated, status.Verify, status.Resolve,
    status.Reopen, freeze.FreezeDeploys, freeze.ThawDeploys, freeze.Allow, freeze.LinkFix,
    record.AddAction, record.SetCause, record.SetServices, status.SetTime, settings.Snooze,
    settings.Sensitive, settings.StartPostmortem, reports.Confirm, reports.Dismiss,
    pages.ShowRunbook, pages.Help,
)  # fmt: skip

BY_NAME = {command.name: command for command in REGISTRY}
"""The commands by their name in lower case, which is typed after the slash."""
