"""Commands about deploys: whether an incident freezes them, and which change may pass."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import timedelta

from msgspec.structs import replace

from incident_actions.domain.issue.incident import (
    Allowance,
    EntryKind,
    FreezeOverride,
    FreezeSwitch,
    Incident,
)
from incident_actions.domain.text.words import pattern
from incident_actions.domain.timeline.arguments import Arguments, Mistake, asked
from incident_actions.domain.timeline.commands.base import Command, Origin, Subject, TextCommand

DEFAULT_ALLOWANCE = timedelta(hours=2)
LONGEST_ALLOWANCE = timedelta(hours=24)
_MOST_ALLOWED = 20
_MOST_FIXES = 20
_LONGEST_BACK = timedelta(hours=12)
_NO = pattern("unwanted", of="deploys")
"""The reason of a freeze that nobody wants, or that somebody asks about."""
_LESS = pattern("less", of="deploys")
"""The beginning of a reason that asks for a change, a time, a place or a service only."""
_ONLY = re.compile(r"(?:(?:only|just|for|the)\s+)*")
_ALL_AT_ONCE = "a thaw lets every deploy through at once, and does not end by itself"
_NARROWER = pattern("narrower", of="deploys")
"""The beginning of a reason that asks for more than one change, or for less than all deploys."""


class FreezeDeploys(TextCommand, frozen=True):
    """This incident freezes deploys, whatever its severity."""

    syntax = "/freeze [REASON]"
    example = "/freeze until the migration is checked"
    decides = True
    bare_time = False

    @classmethod
    def read(cls, arguments: Arguments) -> FreezeDeploys:
        """The reason, which may be missing. Raises `Mistake` for one that is a plain `no`."""
        said = arguments.text.partition("\n")[0] if arguments.typed_on_line else ""
        if _NO.match(said):
            raise asked("/thaw REASON")
        return cls(arguments.rest())

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
    bare_time = False
    text_is = "the reason"

    @classmethod
    def read(cls, arguments: Arguments) -> ThawDeploys:
        """The reason. Raises `Mistake` for one that asks for less than a thaw, as `for 2h` does."""
        if _LESS.match(arguments.text):
            raise Mistake(_ALL_AT_ONCE, "/allow #57 for 2h REASON")
        return cls(arguments.remark(cls.shortest, cls.text_is, sure=False))

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Overrides what the severity says.

        Raises `Mistake` for a service's name alone, and for a time so long ago that it may as well
        be one to come.
        """
        named = _ONLY.sub("", self.text.casefold(), count=1).strip(" .!").removesuffix(" only")
        if named in {*incident.services, *origin.services}:
            raise Mistake("a thaw lets the deploys of every service through", "/service NAME")
        if origin.typed_at - origin.at > _LONGEST_BACK:
            reason = f"that would be {origin.at:%Y-%m-%d %H:%M} UTC; {_ALL_AT_ONCE}"
            raise Mistake(reason, "/thaw REASON")
        return _override(incident, origin, FreezeSwitch.OFF, "let deploys through", self.text)


class Allow(Command, frozen=True):
    """Let one change through the gate until it expires.

    Either `sha` or `pr` is set. `elsewhere` says that a link to another repository's commit was
    typed, which can't be looked up. `repositories` are those in links to pull requests.
    """

    syntax = "/allow SHA|#PR [for 2h] REASON"
    example = "/allow #57 for 1h it is the fix"
    dated = False
    decides = True
    sha: str | None
    pr: int | None
    duration: timedelta
    reason: str
    elsewhere: bool = False
    repositories: tuple[str, ...] = ()

    @classmethod
    def read(cls, arguments: Arguments) -> Allow:
        """A commit or a pull request, for how long, and the reason.

        Raises `Mistake` for a reason that asks, doubts, or wants the change let through for less.
        """
        elsewhere = arguments.names_another_repository()
        repositories = arguments.linked_repositories(words=1)
        sha, pr = arguments.change()
        change = f"#{pr}" if pr else str(sha)
        duration = arguments.duration_for() or DEFAULT_ALLOWANCE
        if duration > LONGEST_ALLOWANCE:
            raise Mistake(
                "a change can be let through for 24 hours at most",
                f"/allow {change} for 24h REASON",
            )
        if _NARROWER.match(arguments.text):
            reason = "one change is let through, for a time such as `for 2h`, in all deploys"
            raise Mistake(reason, f"/allow {change} for 2h REASON")
        reason = arguments.reason(f"/allow {change} for 2h REASON", "the reason")
        return cls(sha, pr, duration, reason, elsewhere, repositories)

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
        check_repository(self.repositories, origin)
        commit = None if self.elsewhere else origin.commits.get(self.question(origin.key))
        if commit == "":
            what = "pull request" if self.pr else "commit"
            raise Mistake(f"there is no {what} `{self.change}` here", "/allow #57 for 2h REASON")
        running = [allowed for allowed in incident.allow if allowed.until > origin.typed_at]
        if len(running) >= _MOST_ALLOWED:
            first = min(allowed.until for allowed in running)
            reason = f"{_MOST_ALLOWED} changes are let through already, the first until"
            line = f"/allow {self.change} for 2h REASON"
            raise Mistake(f"{reason} {first:%H:%M} UTC; then there is room", line)
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
    repositories: tuple[str, ...] = ()

    @classmethod
    def read(cls, arguments: Arguments) -> LinkFix:
        """One or more pull requests, with commas or spaces between them."""
        repositories = arguments.linked_repositories()
        return cls(arguments.pull_requests(), repositories)

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Adds the pull requests to the fixes. At most the last `_MOST_FIXES` are kept.

        Raises `Mistake` for a link to a pull request of another repository.
        """
        check_repository(self.repositories, origin)
        named = ", ".join(f"#{number}" for number in self.pulls)
        fixes = tuple(dict.fromkeys((*incident.fixes, *self.pulls)))[-_MOST_FIXES:]
        return origin.log(incident, f"named the fix: {named}", fixes=fixes)


def check_repository(named: Iterable[str], origin: Origin) -> None:
    """Raise `Mistake` for a link to another repository: its pull request has a number of ours."""
    for repository in named:
        if repository and origin.repository and repository != origin.repository.casefold():
            raise Mistake(f"`{repository}` is another repository", "")


def _override(
    incident: Incident, origin: Origin, switch: FreezeSwitch, action: str, reason: str
) -> Incident:
    """The incident with a decision about deploys, which counts more than its severity."""
    override = FreezeOverride(freeze=switch, by=origin.actor, at=origin.at, reason=reason[:200])
    return origin.log(incident, action, reason, deed=EntryKind.OVERRIDE, freeze=override)
