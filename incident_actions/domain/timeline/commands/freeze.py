"""Commands about deploys: whether an incident freezes them, and which change may pass."""

from __future__ import annotations

from datetime import timedelta

from msgspec.structs import replace

from incident_actions.domain.issue.incident import (
    Allowance,
    EntryKind,
    FreezeOverride,
    FreezeSwitch,
    Incident,
)
from incident_actions.domain.timeline.arguments import Arguments, Mistake
from incident_actions.domain.timeline.commands.base import Command, Origin, Subject, TextCommand

DEFAULT_ALLOWANCE = timedelta(hours=2)
LONGEST_ALLOWANCE = timedelta(hours=24)
_MOST_ALLOWED = 20
_MOST_FIXES = 20


class FreezeDeploys(TextCommand, frozen=True):
    """This incident freezes deploys, whatever its severity."""

    syntax = "/freeze [REASON]"
    example = "/freeze until the migration is checked"

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
    text_is = "the reason"

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Overrides what the severity says."""
        return _override(incident, origin, FreezeSwitch.OFF, "let deploys through", self.text)


class Allow(Command, frozen=True):
    """Let one change through the gate until it expires.

    Either `sha` or `pr` is set. `elsewhere` says that a link to another repository's commit was
    typed, which can't be looked up.
    """

    syntax = "/allow SHA|#PR [for 2h] REASON"
    example = "/allow #57 for 1h it is the fix"
    dated = False
    sha: str | None
    pr: int | None
    duration: timedelta
    reason: str
    elsewhere: bool = False

    @classmethod
    def read(cls, arguments: Arguments) -> Allow:
        """A commit or a pull request, for how long, and the reason."""
        elsewhere = arguments.names_another_repository()
        sha, pr = arguments.change()
        duration = arguments.duration_after("for") or DEFAULT_ALLOWANCE
        if duration > LONGEST_ALLOWANCE:
            raise Mistake("a change can be let through for 24 hours at most", "/allow … for 24h …")
        return cls(sha, pr, duration, arguments.needed("the reason"), elsewhere)

    @property
    def change(self) -> str:
        """The change as it was typed: `#57`, or the digits of a commit."""
        return f"#{self.pr}" if self.pr else str(self.sha)

    def question(self, key: str) -> str:
        """The question which commit this is, as a key for `Origin.commits`.

        `key` is that of the command (`c123.0`). The answer is a whole SHA; empty when there is no
        such change here. An edited comment that names another change asks anew.
        """
        return f"{key.partition('.')[0]} {self.change}"

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Adds an allowance. To stay within `_MOST_ALLOWED`, the oldest expired ones are dropped.

        Raises `Mistake` when there are too many that have not expired, and when the change does
        not exist in this repository.
        """
        commit = None if self.elsewhere else origin.commits.get(self.question(origin.key))
        if commit == "":
            what = "pull request" if self.pr else "commit"
            raise Mistake(f"there is no {what} `{self.change}` here", "/allow #57 for 2h REASON")
        running = [allowed for allowed in incident.allow if allowed.until > origin.typed_at]
        if len(running) >= _MOST_ALLOWED:
            first = min(allowed.until for allowed in running)
            reason = f"{_MOST_ALLOWED} changes are let through already, the first until"
            raise Mistake(f"{reason} {first:%H:%M} UTC", "/thaw REASON")
        until, reason = origin.at + self.duration, self.reason[:200]
        new = Allowance(origin.actor, origin.at, until, reason, commit or self.sha, self.pr)
        over = [allowed for allowed in incident.allow if allowed.until <= origin.typed_at]
        room = _MOST_ALLOWED - len(running) - 1
        incident = replace(incident, allow=(*over[max(0, len(over) - room) :], *running, new))
        as_of = f" (as of {commit[:7]})" if commit and self.pr else ""
        action = f"let {new.change}{as_of} through the freeze until {until:%H:%M} UTC"
        return origin.log(incident, action, self.reason, deed=EntryKind.OVERRIDE)


class LinkFix(Command, frozen=True):
    """Say which pull request is the fix: it may be deployed with `intent: fix`."""

    syntax = "/fix #PR[,#PR]"
    example = "/fix #57"
    dated = False
    pulls: tuple[int, ...]

    @classmethod
    def read(cls, arguments: Arguments) -> LinkFix:
        """One or more pull requests, with commas or spaces between them."""
        return cls(arguments.pull_requests())

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Adds the pull requests to the fixes. At most the last `_MOST_FIXES` are kept."""
        named = ", ".join(f"#{number}" for number in self.pulls)
        fixes = tuple(dict.fromkeys((*incident.fixes, *self.pulls)))[-_MOST_FIXES:]
        return origin.log(incident, f"named the fix: {named}", fixes=fixes)


def _override(
    incident: Incident, origin: Origin, switch: FreezeSwitch, action: str, reason: str
) -> Incident:
    """The incident with a decision about deploys, which counts more than its severity."""
    override = FreezeOverride(freeze=switch, by=origin.actor, at=origin.at, reason=reason[:200])
    return origin.log(incident, action, reason, deed=EntryKind.OVERRIDE, freeze=override)
