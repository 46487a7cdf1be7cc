"""Commands about deploys: whether an incident freezes them, and which change may pass."""

from __future__ import annotations

import re
from datetime import timedelta

from msgspec.structs import replace

from incident_actions.domain.issue.incident import (
    Allowance,
    EntryKind,
    FreezeOverride,
    FreezeSwitch,
    Incident,
)
from incident_actions.domain.timeline.arguments import Arguments, Mistake, asked
from incident_actions.domain.timeline.commands.base import Command, Origin, Subject, TextCommand

DEFAULT_ALLOWANCE = timedelta(hours=2)
LONGEST_ALLOWANCE = timedelta(hours=24)
_MOST_ALLOWED = 20
_NO = re.compile(
    r"(?:no|off|not|never|false|cancel|stop)(?:\s(?:yet|now|needed))?\W*$", re.IGNORECASE
)
_LESS = re.compile(
    r"(?:only\s+)?(?:for\s+)?(?:(?:pr\s*)?#[0-9]|(?=[a-f]*[0-9])[0-9a-f]{7,40}\b"
    r"|[0-9]+(?:\.[0-9]+)?\s?(?:m|h|d|min\w*|hours?|hrs?|days?)\b)|(?:until|till)\b|for\s+\S+$",
    re.IGNORECASE,
)
"""The beginning of a reason that asks for a change, a time or a service only."""


class FreezeDeploys(TextCommand, frozen=True):
    """This incident freezes deploys, whatever its severity."""

    syntax = "/freeze [REASON]"
    example = "/freeze until the migration is checked"

    @classmethod
    def read(cls, arguments: Arguments) -> FreezeDeploys:
        """The reason, which may be missing. Raises `Mistake` for one that is a plain `no`."""
        if _NO.match(arguments.text):
            raise asked("/thaw REASON")
        return super().read(arguments)

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Overrides what the severity says."""
        return _override(incident, origin, FreezeSwitch.ON, "froze deploys", self.text)


class ThawDeploys(TextCommand, frozen=True):
    """This incident does not freeze deploys, whatever its severity.

    A deploy freeze that is no incident ends.
    """

    syntax = "/thaw REASON"
    example = "/thaw only the newsletter is affected"
    applies_to = frozenset({Subject.INCIDENT, Subject.FREEZE})
    decides = True
    text_is = "the reason"

    @classmethod
    def read(cls, arguments: Arguments) -> ThawDeploys:
        """The reason. Raises `Mistake` for one that asks for less than a thaw, as `for 2h` does."""
        if _LESS.match(arguments.text):
            reason = "a thaw lets every deploy through, and does not end by itself"
            raise Mistake(reason, "/allow #57 for 2h REASON")
        return super().read(arguments)

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Overrides what the severity says. Raises `Mistake` for a service's name alone."""
        if self.text.casefold().removeprefix("only ") in incident.services:
            raise Mistake("a thaw lets the deploys of every service through", "/service NAME")
        return _override(incident, origin, FreezeSwitch.OFF, "let deploys through", self.text)


class Allow(Command, frozen=True):
    """Let one change through the gate until it expires.

    Either `sha` or `pr` is set.
    """

    syntax = "/allow SHA|#PR [for 2h] REASON"
    example = "/allow #57 for 1h it is the fix"
    dated = False
    sha: str | None
    pr: int | None
    duration: timedelta
    reason: str

    @classmethod
    def read(cls, arguments: Arguments) -> Allow:
        """A commit or a pull request, for how long, and the reason."""
        sha, pr = arguments.change()
        duration = arguments.duration_after("for") or DEFAULT_ALLOWANCE
        if duration > LONGEST_ALLOWANCE:
            raise Mistake("a change can be let through for 24 hours at most", "/allow … for 24h …")
        return cls(sha, pr, duration, arguments.needed("the reason"))

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Adds an allowance. To stay within `_MOST_ALLOWED`, the oldest expired ones are dropped.

        Raises `Mistake` when there are too many that have not expired.
        """
        running = [allowed for allowed in incident.allow if allowed.until > origin.typed_at]
        if len(running) >= _MOST_ALLOWED:
            first = min(allowed.until for allowed in running)
            reason = f"{_MOST_ALLOWED} changes are let through already, the first until"
            raise Mistake(f"{reason} {first:%H:%M} UTC", "/thaw REASON")
        until, reason = origin.at + self.duration, self.reason[:200]
        new = Allowance(origin.actor, origin.at, until, reason, self.sha, self.pr)
        over = [allowed for allowed in incident.allow if allowed.until <= origin.typed_at]
        room = _MOST_ALLOWED - len(running) - 1
        incident = replace(incident, allow=(*over[max(0, len(over) - room) :], *running, new))
        action = f"let {self.sha or f'#{self.pr}'} through the freeze until {until:%H:%M} UTC"
        return origin.log(incident, action, self.reason, deed=EntryKind.OVERRIDE)


def _override(
    incident: Incident, origin: Origin, switch: FreezeSwitch, action: str, reason: str
) -> Incident:
    """The incident with a decision about deploys, which counts more than its severity."""
    override = FreezeOverride(freeze=switch, by=origin.actor, at=origin.at, reason=reason[:200])
    return origin.log(incident, action, reason, deed=EntryKind.OVERRIDE, freeze=override)
