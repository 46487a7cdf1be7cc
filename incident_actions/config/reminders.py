"""`reminders:` what the bot reminds people of, and when. Its kinds come from the domain's table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import field

from incident_actions.config.values import (
    ConfigSection,
    Duration,
    Gap,
    Login,
    Mention,
    Tick,
    TimeOfDay,
    TimeZone,
    doc,
    duration,
)
from incident_actions.domain.issue.incident import Severity
from incident_actions.domain.reminders.kinds import BySeverity, ReminderKind
from incident_actions.domain.reminders.policy import QuietHours, ReminderPolicy, Timing

_UPDATES = ReminderKind.INTERNAL_UPDATE.entry.after


class TimingConfig(ConfigSection, frozen=True):
    """One kind of reminder. Left out: the default of its kind."""

    after: Annotated[Duration | None, doc("After how long: `30m`, `24h`, or `off`.")] = None
    every: Annotated[Gap | None, doc("How often after that; `off` for only once.")] = None
    mention: Annotated[
        tuple[Mention, ...], doc("Who is told besides its owner: logins, `org/team`.")
    ] = ()


class UpdateTimingConfig(ConfigSection, frozen=True):
    """Internal updates are due by severity."""

    sev1: Annotated[Gap, doc("While it is a SEV1.")] = Gap.of(_UPDATES[0])
    sev2: Annotated[Gap, doc("While it is a SEV2.")] = Gap.of(_UPDATES[1])
    sev3: Annotated[Gap, doc("While it is a SEV3.")] = Gap.of(_UPDATES[2])
    mention: Annotated[tuple[Mention, ...], doc("Who is told besides its owner.")] = ()


class QuietConfig(ConfigSection, frozen=True):
    """When people are left alone with what is not urgent."""

    start: Annotated[TimeOfDay, doc("From this time of day on.")]
    end: Annotated[TimeOfDay, doc("Until this time of day.")]
    timezone: Annotated[TimeZone, doc("In this time zone.")] = TimeZone.of("UTC")
    timezones: Annotated[
        dict[str, TimeZone], doc("Time zones of people who live elsewhere, by login.")
    ] = field(default_factory=dict)

    def hours(self) -> QuietHours:
        """As the domain has it."""
        return QuietHours(
            time.fromisoformat(self.start),
            time.fromisoformat(self.end),
            self.timezone,
            {login.lstrip("@").casefold(): zone for login, zone in self.timezones.items()},
        )


class ReminderSettings(ConfigSection, frozen=True):
    """What is said for all kinds of reminders, and what follows for each."""

    tick: Annotated[Tick, doc("How far apart the scheduled runs are.")] = Tick.of("5m")
    backup: Annotated[Login | None, doc("Told from the second miss on.")] = None
    escalation: Annotated[
        tuple[Mention, ...], doc("Told from the third miss on: logins, `org/team`.")
    ] = ()
    drills: Annotated[bool, doc("Whether drills are reminded of, too.")] = False
    quiet_hours: Annotated[QuietConfig | None, doc("When only urgent reminders come.")] = None

    def policy(self) -> ReminderPolicy:
        """The team's wishes as the domain understands them."""
        return ReminderPolicy(
            timings={kind: self._timing(kind) for kind in ReminderKind},
            tick=duration(self.tick) or timedelta(minutes=5),
            backup=self.backup,
            escalation=self.escalation,
            drills=self.drills,
            quiet=self.quiet_hours.hours() if self.quiet_hours else None,
        )

    def _timing(self, kind: ReminderKind) -> Timing:
        given: TimingConfig | UpdateTimingConfig = getattr(self, _field(kind))
        if isinstance(given, UpdateTimingConfig):
            gaps = _by_severity((given.sev1, given.sev2, given.sev3))
            return Timing(gaps, gaps, given.mention)
        after, every = given.after or kind.entry.after, given.every or kind.entry.every
        return Timing(_by_severity(after), _by_severity(every), given.mention)


def _by_severity(texts: str | BySeverity) -> Mapping[Severity, timedelta | None]:
    each = (texts,) * len(Severity) if isinstance(texts, str) else texts
    return dict(zip(Severity, map(duration, each), strict=True))


def _field(kind: ReminderKind) -> str:
    return kind.replace("-", "_")


def _key(kind: ReminderKind) -> tuple[str, object, ConfigSection]:
    section = UpdateTimingConfig if kind is ReminderKind.INTERNAL_UPDATE else TimingConfig
    return _field(kind), Annotated[section, doc(kind.entry.help)], section()


if TYPE_CHECKING:  # the keys of the kinds are read by name only, so this is all that it shows
    RemindersConfig = ReminderSettings
else:
    RemindersConfig = msgspec.defstruct(
        "RemindersConfig",
        [_key(kind) for kind in ReminderKind],
        bases=(ReminderSettings,),
        namespace={"__doc__": "What the bot reminds people of."},
        frozen=True,
    )
