"""The incident record: what is true of an incident, and which changes of status are allowed.

The Mermaid diagram in CONTRIBUTING.md shows `TRANSITIONS`; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct
from msgspec.structs import replace


class Severity(StrEnum):
    """How bad it is, worst first. The values are the label names."""

    SEV1 = "sev1"
    SEV2 = "sev2"
    SEV3 = "sev3"

    @property
    def label(self) -> str:
        """As people write it: `SEV1`."""
        return self.value.upper()


class Status(StrEnum):
    """Where the incident stands. `REPORTED` waits for a writer's `/confirm`."""

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
"""From a status to those that may follow it. Reopening leads back to investigating."""


class Role(StrEnum):
    """Who does what. One person may hold every role."""

    COMMANDER = "commander"
    INVESTIGATOR = "investigator"
    COMMS = "comms"
    SCRIBE = "scribe"

    @property
    def label(self) -> str:
        """As people say it: `Incident commander`."""
        return _ROLE_LABELS[self]


_ROLE_LABELS = {
    Role.COMMANDER: "Incident commander",
    Role.INVESTIGATOR: "Investigator",
    Role.COMMS: "Communications owner",
    Role.SCRIBE: "Scribe",
}


class Moment(StrEnum):
    """The times that are kept of every incident."""

    STARTED = "started"
    DETECTED = "detected"
    DECLARED = "declared"
    ACKNOWLEDGED = "acknowledged"
    MITIGATED = "mitigated"
    RESOLVED = "resolved"


class FreezeSwitch(StrEnum):
    """What people decided about deploys, whatever the severity."""

    ON = "freeze"
    OFF = "thaw"


class EntryKind(StrEnum):
    """Entries of the timeline that a postmortem tells apart."""

    MITIGATION = "mitigation"
    UPDATE = "update"
    CUSTOMER_UPDATE = "customer-update"
    OVERRIDE = "override"


class Entry(Struct, frozen=True, omit_defaults=True):
    """One line of the timeline: time, actor, action, result (the playbook's four).

    `key` names where it came from (`c123.0`: first command of comment 123, `e456`: an event),
    so that the same fact is never two entries. `deed` says what it was, where that matters.
    """

    at: datetime
    actor: str
    action: str
    result: str = ""
    key: str = ""
    deed: EntryKind | None = None

    @property
    def line(self) -> str:
        """Action and result in one line; what a mitigation came to stands behind an arrow."""
        if not self.result:
            return self.action
        arrow = " -> " if self.deed is EntryKind.MITIGATION else ": "
        return f"{self.action}{arrow}{self.result}"


class Allowance(Struct, frozen=True, omit_defaults=True):
    """One change that may pass the gate until it expires. Either `sha` or `pr` is set."""

    by: str
    at: datetime
    until: datetime
    reason: str
    sha: str | None = None
    pr: int | None = None
    expired: bool = False

    @property
    def change(self) -> str:
        """As people write it: `4f2a9c1` or `#57`."""
        return (self.sha or "")[:7] or f"#{self.pr}"


class ActionItem(Struct, frozen=True, omit_defaults=True):
    """A follow-up for the postmortem. `due` is `yyyy-mm-dd` as it was typed."""

    text: str
    owner: str
    due: str
    by: str
    key: str = ""


class Verification(Struct, frozen=True, omit_defaults=True):
    """Who said that a recovery check holds, and when."""

    by: str
    at: datetime
    text: str = ""


class FreezeOverride(Struct, frozen=True, omit_defaults=True):
    """The freeze was switched on or off by a person."""

    freeze: FreezeSwitch
    by: str
    at: datetime
    reason: str = ""


class Incident(Struct, frozen=True, omit_defaults=True):
    """Everything that is known of one incident, folded from GitHub's own records.

    `restarted_at` is when the clocks of its updates began anew: it was reopened, or its severity
    changed. `vacant_since` is when the last one in command left.
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
    restarted_at: datetime | None = None
    vacant_since: datetime | None = None
    timeline: tuple[Entry, ...] = ()

    @property
    def commander(self) -> str | None:
        """The login of who decides, if anybody does."""
        return self.roles.get(Role.COMMANDER)

    @property
    def freezes(self) -> bool:
        """Whether the labels that follow from this record freeze deploys (at the default gate)."""
        if self.drill or not self.status.open or self.status is Status.REPORTED:
            return False
        if self.freeze is not None:
            return self.freeze.freeze is FreezeSwitch.ON
        return self.severity in (Severity.SEV1, Severity.SEV2)

    @property
    def began(self) -> datetime:
        """From when the clocks of its updates run: since its last new start."""
        return self.restarted_at or self.times[Moment.DECLARED]

    @property
    def wants_postmortem(self) -> bool:
        """Whether it gets one: every resolved SEV1 and SEV2, others (and drills) when asked."""
        if self.status.open:
            return False
        bad = self.severity in (Severity.SEV1, Severity.SEV2) and not self.drill
        return bad or self.postmortem_asked

    def lapsed(self, now: datetime) -> tuple[Allowance, ...]:
        """The allowances that are over by now."""
        return tuple(each for each in self.allow if each.until <= now)


class Source(Struct, frozen=True):
    """Who did something, and when. `key` names GitHub's record of it, as in `Entry`."""

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
        """The incident with one more line in its timeline, and whatever else `changes`."""
        entry = Entry(self.at, self.actor, action, result, self.key, deed)
        return replace(incident, timeline=(*incident.timeline, entry), **changes)

    def set_time(self, incident: Incident, moment: Moment) -> Incident:
        """The incident with one of its times set to when this happened."""
        return replace(incident, times={**incident.times, moment: self.at})

    def acknowledge(self, incident: Incident) -> Incident:
        """The incident, acknowledged by this if by nothing before."""
        known = Moment.ACKNOWLEDGED in incident.times
        return incident if known else self.set_time(incident, Moment.ACKNOWLEDGED)


def redacted(incident: Incident) -> Incident:
    """The incident without a word of anybody's: what may be shown of a security matter."""
    return replace(
        incident,
        timeline=(),
        actions=(),
        cause=None,
        forced="recorded elsewhere" if incident.forced else None,
        freeze=replace(incident.freeze, reason="") if incident.freeze else None,
        allow=tuple(replace(allowance, reason="") for allowance in incident.allow),
        verified={key: replace(check, text="") for key, check in incident.verified.items()},
    )
