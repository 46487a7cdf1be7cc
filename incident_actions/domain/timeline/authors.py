"""Whose permission has to be asked for, before the history can be folded."""

from __future__ import annotations

from incident_actions.domain.issue.observation import Observation
from incident_actions.domain.issue.permissions import Permissions
from incident_actions.domain.issue.records import Comment, TimelineEvent
from incident_actions.domain.timeline import commands as c
from incident_actions.domain.timeline.declaration import ROLE_NEEDS
from incident_actions.domain.timeline.manual_actions import command_for
from incident_actions.domain.timeline.parser import read_comment


def wants_permission(observation: Observation) -> dict[str, int]:
    """Who commanded, and so has to be asked about: login -> newest comment with a command.

    Deeds by hand that stand for a command count as comment 0.
    """
    newest: dict[str, int] = {}
    bot = observation.bot.casefold()
    for item in observation.history:
        if isinstance(item, TimelineEvent):
            if not item.actor.bot and item.actor.login.casefold() != bot and command_for(item):
                newest.setdefault(item.actor.login, 0)
        elif not item.author.bot and read_comment(item.body, item.created_at):
            newest[item.author.login] = max(newest.get(item.author.login, 0), item.id)
    return newest


def named_for_roles(observation: Observation, grants: Permissions) -> tuple[str, ...]:
    """Who was named for a role in a comment, by people who may do that.

    Names that a stranger types are not asked about: they could be many.
    """
    named: dict[str, None] = {}
    for item in observation.history:
        if not isinstance(item, Comment) or item.author.bot:
            continue
        if grants.at(item.author.login, item.id) < ROLE_NEEDS:
            continue
        for line in read_comment(item.body, item.created_at):
            command = line.command if isinstance(line, c.Taken) else None
            if isinstance(command, c.AssignRole) and command.login:
                named[command.login] = None
    return tuple(named)
