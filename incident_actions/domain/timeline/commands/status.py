"""Commands about the incident's progress: its status, its recovery checks, its times."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from incident_actions.domain.issue.incident import (
    TRANSITIONS,
    Incident,
    JointVerification,
    Moment,
    Status,
    Verification,
)
from incident_actions.domain.playbook.checklist import ChecklistItem, missing
from incident_actions.domain.text.blanks import is_blank
from incident_actions.domain.text.doubts import has_exception, not_well, takes_back
from incident_actions.domain.text.names import as_code
from incident_actions.domain.timeline.arguments import Arguments, Mistake, asked
from incident_actions.domain.timeline.commands.base import Command, Origin, TextCommand

ACTIVE = (Status.INVESTIGATING, Status.IDENTIFIED, Status.MONITORING)
"""The statuses that `/status` sets. `/confirm` ends `reported`, and `/resolve` sets `resolved`."""


class Unverified(Mistake):
    """Raised when an incident is resolved or closed before its recovery is verified.

    `checks` are the recovery checks that nobody has verified yet.
    """

    def __init__(self, checks: tuple[ChecklistItem, ...]) -> None:
        super().__init__("recovery is not verified yet", "/verify CHECK TEXT")
        self.checks = checks


class SetStatus(Command, frozen=True):
    """Move the status."""

    syntax = "/status investigating|identified|monitoring [TEXT]"
    example = "/status identified bad config in 4f2a9c1"
    time_after_word = True
    decides = True
    status: Status
    text: str

    @classmethod
    def read(cls, arguments: Arguments) -> SetStatus:
        """One of the statuses in `ACTIVE`, and a text, which may be missing."""
        if arguments.peek().casefold() in ("resolved", "closed"):
            raise Mistake("resolving has its own command, because recovery is verified", "/resolve")
        status = arguments.choice("status", {status.value: status for status in ACTIVE})
        return cls(status, arguments.reason(f"/status {status.value}"))

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Sets the status, and acknowledges. `monitoring` also sets the time of mitigation.

        Putting on the label of the status that is set already changes nothing. Raises `Mistake`
        when the incident is resolved, or the status may not follow the present one.
        """
        if origin.by_hand and self.status is incident.status:
            return incident
        if not incident.status.open:
            raise Mistake("the incident is resolved; reopen it first", "/reopen REASON")
        _require(incident, self.status, "/reopen REASON")
        incident = origin.acknowledge(incident)
        if self.status is Status.MONITORING and Moment.MITIGATED not in incident.times:
            incident = origin.set_time(incident, Moment.MITIGATED)
        action = f"set the status to {self.status}"
        return origin.log(incident, action, self.text, status=self.status)


class Mitigated(TextCommand, frozen=True):
    """The harm has stopped; the status becomes monitoring."""

    syntax = "/mitigated [TEXT]"
    example = "/mitigated at 14:14 rollback is live"
    decides = True

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Sets the time of mitigation, and the status to `monitoring`; acknowledges."""
        _require(incident, Status.MONITORING, f"/time mitigated at {origin.at:%H:%M}")
        incident = origin.set_time(origin.acknowledge(incident), Moment.MITIGATED)
        return origin.log(incident, "mitigated", self.text, status=Status.MONITORING)


class Verify(Command, frozen=True):
    """Say that recovery checks hold.

    `check` is a check's name or `all`; `more` are the names after it. `all` needs a text: what was
    looked at. A text about several checks is one statement (`Incident.joint`), not one about each.
    """

    syntax = "/verify CHECK[, CHECK] [TEXT]|all TEXT"
    example = "/verify error-rate 0.1% for ten minutes"
    time_after_word = True
    decides = True
    check: str
    text: str
    more: tuple[str, ...] = ()

    @classmethod
    def read(cls, arguments: Arguments) -> Verify:
        """Names of checks with commas or `and` between them, or `all`; a text may follow."""
        if not arguments.text.startswith(("all", "All", "ALL")):
            arguments.text = re.sub(r",(?=\S)", ", ", arguments.text, count=20)
        words = [arguments.word("the check's name, or `all`")]
        while _key(words[0]) != "all":
            joined = arguments.peek().casefold() in _JOINING
            if joined:
                arguments.word("the joining word")
            elif not words[-1].endswith(","):
                break
            if not arguments.peek():
                break
            words.append(arguments.word("the check's name"))
        bare = [_key(word) for word in words if _key(word.rstrip("?")) != "all"]
        if any(word.endswith(("?", "\uff1f")) or word in _NO_CHECK for word in bare):
            raise asked("/verify CHECK, CHECK")
        first, *more = (_key(word) for word in words)
        # The exceptions of `all` are looked at later, where the checks' names are known. A
        # paragraph of its own below is prose.
        if not arguments.text and arguments.below.startswith("\n"):
            arguments.below = ""
        text = arguments.rest() if first == "all" else arguments.remark("/verify CHECK, CHECK")
        if first != "all" and not_well(text):
            raise asked("/verify CHECK, CHECK")
        return cls(first, text, tuple(more))

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Records who verified the checks. `all` are those that nobody has verified yet.

        Raises `Mistake` for an unknown check, for `all` without a text, and for a text that may
        name an exception.
        """
        known = {item.key: item for item in origin.checks}
        unverified = missing(origin.checks, incident.verified)
        if self.check == "all":
            _without_exception(self.text, unverified)
            if is_blank(self.text) or self.text == "TEXT":
                raise Mistake("`all` needs what was looked at, in your words", "/verify all TEXT")
            items, action = unverified, "verified all recovery checks"
        else:
            items = tuple(_known_check(key, known, unverified) for key in (self.check, *self.more))
            action = f"verified: {', '.join(item.text for item in items)}"
            words = map(_key, self.text.partition("\n")[0].split())
            follow = [word for word in words if word in known]
            if set(follow) - {self.check, *self.more}:
                wanted = ", ".join(dict.fromkeys((self.check, *self.more, *follow)))
                raise Mistake("several checks need a comma between them", f"/verify {wanted}")
        text, keys = self.text[:200], tuple(dict.fromkeys(item.key for item in items))
        together = len(keys) > 1
        verification = Verification(origin.actor, origin.at, "" if together else text)
        joint = _without(incident.joint, keys)
        if together and text:
            joint = (*joint, JointVerification(origin.actor, origin.at, text, keys))
        verified = {**incident.verified, **dict.fromkeys(keys, verification)}
        return origin.log(incident, action, self.text, verified=verified, joint=joint)


def _without(
    joint: Sequence[JointVerification], keys: Sequence[str]
) -> tuple[JointVerification, ...]:
    """The statements about other checks than these: what is verified anew is said anew."""
    rest = (replace(e, checks=tuple(k for k in e.checks if k not in keys)) for e in joint)
    return tuple(each for each in rest if each.checks)


_NO_CHECK = ("no", "not", "none", "nothing", "almost", "nearly", "maybe", "but", "except")
_JOINING = (",", "and", "&", "+", "/", ";")


def _key(word: str) -> str:
    """A check's name from a typed word."""
    return word.strip("`,;:.\"'").casefold()


def _known_check(
    key: str, known: Mapping[str, ChecklistItem], unverified: Sequence[ChecklistItem]
) -> ChecklistItem:
    """The recovery check with this key. Raises `Mistake` when there is none."""
    if key in known:
        return known[key]
    near = difflib.get_close_matches(key[:40], known, n=1, cutoff=0.4)
    meant = [*near, *([item.key for item in unverified] or list(known)), "CHECK"][0]
    listed = ", ".join(f"`{each}`" for each in known) or "none"
    reason = f"`{as_code(key)}` is no recovery check; there are {listed}"
    raise Mistake(reason, f"/verify {meant}")


def _without_exception(text: str, unverified: Sequence[ChecklistItem]) -> None:
    """Raise `Mistake` when the text behind `all` may name an exception."""
    words = set(re.findall(r"[\w.-]+", text.casefold()))
    named = [item.key for item in unverified if item.key in words]
    if not named and not has_exception(text) and not takes_back(text):
        return
    others = [item.key for item in unverified if item.key not in named]
    listed = ", ".join(f"`{item.key}`" for item in unverified) or "none"
    reason = f"it may not mean all; not verified yet: {listed}"
    raise Mistake(reason, f"/verify {', '.join(others or ['CHECK', 'CHECK'])}")


class Resolve(Command, frozen=True):
    """Close, once recovery is verified; else `/resolve --force REASON`.

    `force` skips the recovery checks. That is recorded.
    """

    syntax = "/resolve [TEXT]"
    example = "/resolve stable for ten minutes"
    decides = True
    text: str
    force: bool = False

    @classmethod
    def read(cls, arguments: Arguments) -> Resolve:
        """`--force`, which may be missing, and a text, which only `--force` requires."""
        force = arguments.flag("--force")
        line = "/resolve --force REASON" if force else "/resolve"
        text = arguments.reason(line) if force else arguments.remark(line)
        if force and not text:
            raise Mistake("`--force` needs a reason, for the record", "/resolve --force REASON")
        return cls(text, force)

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Resolves the incident; its freeze, allowances and promised update end.

        Raises `Unverified` when recovery checks are missing and `force` is not set, and `Mistake`
        when the incident is resolved already or is a report.
        """
        if incident.status is Status.RESOLVED:
            again = f"/time resolved at {origin.at:%H:%M}"
            raise Mistake("the incident is resolved already", again)
        _require(incident, Status.RESOLVED, "/confirm")
        open_checks = missing(origin.checks, incident.verified)
        if open_checks and not self.force:
            raise Unverified(open_checks)
        times = {**incident.times, Moment.RESOLVED: origin.at}
        times.setdefault(Moment.MITIGATED, origin.at)
        forced = self.text[:200] if open_checks else None
        incident = replace(incident, times=times, status=Status.RESOLVED, forced=forced)
        incident = replace(incident, freeze=None, allow=(), next_update=None)
        action = "resolved without verified recovery" if open_checks else "resolved"
        return origin.log(incident, action, self.text)


class Reopen(TextCommand, frozen=True):
    """It is not over: open it again."""

    syntax = "/reopen REASON"
    example = "/reopen logins fail again"
    text_is = "the reason"

    @classmethod
    def read(cls, arguments: Arguments) -> Reopen:
        """The reason. Raises `Mistake` for one that is a `no` or a question."""
        return cls(arguments.reason(cls.shortest, cls.text_is))

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Reopens the incident. Recovery must be verified again, and the times of mitigation and
        resolution are removed. The time until the next update starts again.
        """
        if incident.status.open:
            raise Mistake("the incident is open", "/status investigating")
        over = (Moment.MITIGATED, Moment.RESOLVED)
        times = {moment: at for moment, at in incident.times.items() if moment not in over}
        vacant = origin.typed_at if incident.commander is None else None
        incident = replace(incident, status=Status.INVESTIGATING, times=times, vacant_since=vacant)
        incident = replace(incident, verified={}, joint=(), forced=None, last_update=None)
        return origin.log(incident, "reopened", self.text, restarted_at=origin.typed_at)


class SetTime(Command, frozen=True):
    """Correct one of the incident's times.

    The new time is that of the command: the one typed with it.
    """

    syntax = "/time started|detected|… at 14:02"
    example = "/time started at 13:58"
    time_after_word = True
    is_time = True
    moment: Moment

    @classmethod
    def read(cls, arguments: Arguments) -> SetTime:
        """The name of the time. Raises `Mistake` when the command has no time."""
        moment = arguments.choice(
            "time", {moment.value: moment for moment in Moment}, after="at 14:02"
        )
        line = f"/time {moment.value} at 14:02"
        if not arguments.dated:
            reason = f"`{as_code(arguments.text)}` can't be read as a time"
            raise Mistake(reason if arguments.text else "the time itself is missing", line)
        arguments.nothing_more(line)
        return cls(moment)

    def apply(self, incident: Incident, origin: Origin) -> Incident:
        """Sets the time. The line in the timeline is at the time of typing, not at the new time."""
        if self.moment is Moment.RESOLVED and incident.status.open:
            raise Mistake("the incident is not resolved", "/resolve at 14:30")
        action = f"corrected the time {self.moment} to {origin.at:%Y-%m-%d %H:%M} UTC"
        incident = origin.set_time(incident, self.moment)
        return replace(origin, at=origin.typed_at).log(incident, action)


def _require(incident: Incident, status: Status, suggestion: str) -> None:
    """Raise `Mistake` when `status` may not follow the incident's present status."""
    if status is not incident.status and status not in TRANSITIONS[incident.status]:
        raise Mistake(f"an incident that is {incident.status} can't be {status} next", suggestion)
