"""The incident record: all facts about an incident, and which status may follow which.

The Mermaid diagram in CONTRIBUTING.md shows `TRANSITIONS`; a test compares the two.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace


class Severity(StrEnum):
    """How bad an incident is, the worst first. The values are names of labels."""

    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"

    @property
    def label(self) -> str:
        """The severity as people write it: `SEV1`."""
        return self.value.upper()


class Status(StrEnum):
    """The status of an incident. `REPORTED` waits for `/confirm` by somebody with write access."""

    REPORTED = "reported"
    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"

    @property
    def open(self) -> bool:
        """Whether the issue should be open."""
        return self is not Status.RESOLVED


_ACTIVE = frozenset({Status.INVESTIGATING, Status.IDENTIFIED, Status.MONITORING})
TRANSITIONS: Mapping[Status, frozenset[Status]] = {
    Status.REPORTED: frozenset({Status.INVESTIGATING}),
    Status.INVESTIGATING: _ACTIVE - {Status.INVESTIGATING} | {Status.RESOLVED},
    Status.IDENTIFIED: _ACTIVE - {Status.IDENTIFIED} | {Status.RESOLVED},
    Status.MONITORING: _ACTIVE - {Status.MONITORING} | {Status.RESOLVED},
    Status.RESOLVED: frozenset({Status.INVESTIGATING}),
}
"""A status -> those that may follow it. Reopening leads from `resolved` to `investigating`."""


class Role(StrEnum):
    """The roles in an incident. One person may hold several."""

    COMMANDER = "commander"
    INVESTIGATOR = "investigator"
    COMMS = "comms"
    SCRIBE = "scribe"

    @property
    def label(self) -> str:
        """The role in people's words: `Incident commander`."""
        return _ROLE_LABELS[self]


_ROLE_LABELS = {
    Role.COMMANDER: "Incident commander",
    Role.INVESTIGATOR: "Investigator",
    Role.COMMS: "Communications owner",
    Role.SCRIBE: "Scribe",
}


class Moment(StrEnum):
    """The times that are recorded of every incident."""

    STARTED = "started"
    DETECTED = "detected"
    DECLARED = "declared"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


class FreezeSwitch(StrEnum):
    """What people decided about deploys; it counts more than the severity."""

    ON = "freeze"
    OFF = "thaw"


class EntryKind(StrEnum):
    """The kinds of timeline entries that a postmortem lists separately."""

    MITIGATION = "mitigation"
    UPDATE = "update"
    CUSTOMER_UPDATE = "customer-update"
    OVERRIDE = "override"


class Entry(Struct, frozen=True, omit_defaults=True):
    """One line of the timeline: time, actor, action and result, as the playbook asks.

    `key` names its origin: `c123.0` is the first command of comment 123, `e456` the event 456.
    `deed` is its kind; None for most lines.
    """

    at: datetime
    actor: str
    action: str
    result: str = ""
    key: str = ""
    deed: EntryKind | None = None

    @property
    def line(self) -> str:
        """Action and result as one text. An arrow joins them for a mitigation, else a colon."""
        if not self.result:
            return self.action
        arrow = " -> " if self.deed is EntryKind.MITIGATION else ": "
        return f"{self.action}{arrow}{self.result}"


class Allowance(Struct, frozen=True, omit_defaults=True):
    """A permission (`/allow`) for one change to pass a freeze.

    `by` gave it, `at` that time; it holds until `until`. The change is the commit `sha`; with `pr`,
    that was the head of this pull request when the permission was given. The gate takes a whole SHA
    only. While `sha` is missing or short, GitHub could not be asked yet, and nothing passes.
    `expired` is set once the end is in the timeline.
    """

    by: str
    at: datetime
    until: datetime
    reason: str
    sha: str | None = None
    pr: int | None = None
    expired: bool = False

    @property
    def change(self) -> str:
        """The change as people write it: `4f2a9c1` or `#57`."""
        return f"#{self.pr}" if self.pr else (self.sha or "")[:7]

    @property
    def whole(self) -> bool:
        """Whether it names a whole commit: the SHA has 40 or 64 digits."""
        return len(self.sha or "") in (40, 64)

    def is_for_same_change(self, other: Allowance) -> bool:
        """Whether both are for the same change. People may type more or less of a commit's SHA."""
        if self.pr or other.pr or self.sha is None or other.sha is None:
            return self.pr == other.pr
        return self.sha.startswith(other.sha) or other.sha.startswith(self.sha)


class ActionItem(Struct, frozen=True, omit_defaults=True):
    """A follow-up for the postmortem.

    `owner` is a login without `@`, `due` a date as `yyyy-mm-dd`, `by` who noted it. `key` is that
    of the timeline's entry.
    """

    text: str
    owner: str
    due: str
    by: str
    key: str = ""


class Verification(Struct, frozen=True, omit_defaults=True):
    """Who verified a recovery check, and when; `text` is what they wrote about it."""

    by: str
    at: datetime
    text: str = ""


class JointVerification(Struct, frozen=True, omit_defaults=True):
    """What somebody wrote about several recovery checks at once; `checks` are their keys.

    Who verified each of them, and when, is in `Incident.verified`.
    """

    by: str
    at: datetime
    text: str
    checks: tuple[str, ...]


class FreezeOverride(Struct, frozen=True, omit_defaults=True):
    """A person's decision to freeze deploys or let them through, with who, when and why."""

    freeze: FreezeSwitch
    by: str
    at: datetime
    reason: str = ""


class Incident(Struct, frozen=True, omit_defaults=True):
    """Everything that is known about one incident. The fold makes it from GitHub's records.

    `severity_known` is False while the severity is only assumed. `fixes` are numbers of pull
    requests. `verified` holds verifications by the check's key, `joint` what was said of several
    checks at once. `forced` is the reason of whoever resolved it without verified recovery.
    `mitigations`, `updates` and `customer_updates` are
    counts; `customers` says whether customers are affected. `restarted_at` is when the time until
    the next update last started again, because the incident was reopened or its severity changed.
    `vacant_since` is when the last commander left. `last_activity` is the time of the last line in
    the timeline, `last_deed` that of the last thing that a person of the team did or wrote.
    """

    status: Status
    severity: Severity
    severity_known: bool = True
    times: dict[Moment, datetime] = {}
    roles: dict[Role, str] = {}
    assigned: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    cause: str | None = None
    freeze: FreezeOverride | None = None
    drill: bool = False
    sensitive: bool = False
    allow: tuple[Allowance, ...] = ()
    fixes: tuple[int, ...] = ()
    verified: dict[str, Verification] = {}
    joint: tuple[JointVerification, ...] = ()
    forced: str | None = None
    postmortem_asked: bool = False
    actions: tuple[ActionItem, ...] = ()
    mitigations: int = 0
    updates: int = 0
    customers: bool = False
    customer_updates: int = 0
    last_customer_update: datetime | None = None
    last_update: datetime | None = None
    next_update: datetime | None = None
    snoozed_until: datetime | None = None
    last_activity: datetime | None = None
    last_deed: datetime | None = None
    restarted_at: datetime | None = None
    vacant_since: datetime | None = None
    timeline: tuple[Entry, ...] = ()

    @property
    def commander(self) -> str | None:
        """The login of the incident commander, or None."""
        return self.roles.get(Role.COMMANDER)

    @property
    def freezes(self) -> bool:
        """Whether the incident freezes deploys, with the gate's default settings."""
        if self.drill or not self.status.open or self.status is Status.REPORTED:
            return False
        if self.freeze is not None:
            return self.freeze.freeze is FreezeSwitch.ON
        return self.severity in (Severity.SEV1, Severity.SEV2)

    @property
    def began(self) -> datetime:
        """From when the time until its updates counts: the last restart, else the declaration."""
        return self.restarted_at or self.times[Moment.DECLARED]

    @property
    def wants_postmortem(self) -> bool:
        """Whether it gets a postmortem.

        Every resolved SEV1 and SEV2 gets one; a SEV3 or a drill only when somebody asked for it.
        """
        if self.status.open:
            return False
        severe = self.severity in (Severity.SEV1, Severity.SEV2) and not self.drill
        return severe or self.postmortem_asked

    def lapsed(self, now: datetime) -> tuple[Allowance, ...]:
        """The allowances that have ended by `now`."""
        return tuple(allowance for allowance in self.allow if allowance.until <= now)


class Source(Struct, frozen=True):
    """Who did something, and when. `key` names its origin, as in `Entry`."""

    actor: str
    at: datetime
    key: str

    def log(
        self,
        incident: Incident,
        action: str,
        result: str = "",
        *,
        deed: EntryKind | None = None,
        **changes: Any,
    ) -> Incident:
        """The incident with one more line in its timeline, and with its fields in `changes` set."""
        entry = Entry(self.at, self.actor, action, result, self.key, deed)
        return replace(incident, timeline=(*incident.timeline, entry), **changes)

    def set_time(self, incident: Incident, moment: Moment) -> Incident:
        """The incident with one of its times set to `at`."""
        return replace(incident, times={**incident.times, moment: self.at})

    def acknowledge(self, incident: Incident) -> Incident:
        """The incident with its time of acknowledgement set to `at`, unless it has one already."""
        known = Moment.ACKNOWLEDGED in incident.times
        return incident if known else self.set_time(incident, Moment.ACKNOWLEDGED)


def redacted(incident: Incident) -> Incident:
    """The incident without any text that people wrote: what may be shown of a security matter."""
    return replace(
        incident,
        timeline=(),
        actions=(),
        cause=None,
        forced="recorded elsewhere" if incident.forced else None,
        freeze=replace(incident.freeze, reason="") if incident.freeze else None,
        allow=tuple(replace(allowance, reason="") for allowance in incident.allow),
        verified={key: replace(check, text="") for key, check in incident.verified.items()},
        joint=(),
    )
