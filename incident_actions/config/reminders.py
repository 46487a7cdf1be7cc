"""`reminders:` what the bot reminds people of, and when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time, timedelta
from typing import Annotated

from msgspec import Meta, field

from incident_actions.config.values import (
    _A_TICK,
    ConfigSection,
    Duration,
    Gap,
    Login,
    Mention,
    WallTime,
    duration,
)
from incident_actions.domain.issue.incident import Severity
from incident_actions.domain.reminders import followups
from incident_actions.domain.reminders.followups import FollowupKind, FollowupTiming
from incident_actions.domain.reminders.incident import (
    QuietHours,
    ReminderKind,
    ReminderPolicy,
    Timing,
)


class TimingConfig(ConfigSection, frozen=True):
    """One kind of reminder. Left out: the default of its kind."""

    after: Annotated[
        Duration | None, Meta(description="After how long: `30m`, `24h`, or `off`.")
    ] = None
    every: Annotated[Gap | None, Meta(description="How often after that; `off` for only once.")] = (
        None
    )
    mention: Annotated[
        tuple[Mention, ...],
        Meta(description="Who is told besides its owner: logins, `org/team`."),
    ] = ()


class UpdateTimingConfig(ConfigSection, frozen=True):
    """Internal updates are due by severity."""

    sev1: Annotated[Gap, Meta(description="While it is a SEV1.")] = "15m"
    sev2: Annotated[Gap, Meta(description="While it is a SEV2.")] = "30m"
    sev3: Annotated[Gap, Meta(description="While it is a SEV3.")] = "off"
    mention: Annotated[tuple[Mention, ...], Meta(description="Who is told besides its owner.")] = ()


class QuietConfig(ConfigSection, frozen=True):
    """When people are left alone with what is not urgent."""

    start: Annotated[WallTime, Meta(description="From this time of day on.")]
    end: Annotated[WallTime, Meta(description="Until this time of day.")]
    timezone: Annotated[str, Meta(description="In this time zone.")] = "UTC"
    timezones: Annotated[
        dict[str, str], Meta(description="Time zones of people who live elsewhere, by login.")
    ] = field(default_factory=dict)


class RemindersConfig(ConfigSection, frozen=True):
    """What the bot reminds people of."""

    tick: Annotated[
        str, Meta(pattern=_A_TICK, description="How far apart the scheduled runs are.")
    ] = "5m"
    backup: Annotated[Login | None, Meta(description="Told from the second miss on.")] = None
    escalation: Annotated[
        tuple[Mention, ...], Meta(description="Told from the third miss on: logins, `org/team`.")
    ] = ()
    drills: Annotated[bool, Meta(description="Whether drills are reminded of, too.")] = False
    quiet_hours: Annotated[
        QuietConfig | None, Meta(description="When only urgent reminders come.")
    ] = None
    no_commander: Annotated[TimingConfig, Meta(description="Nobody commands.")] = TimingConfig()
    unacknowledged: Annotated[
        TimingConfig, Meta(description="The one in command has not acknowledged.")
    ] = TimingConfig()
    internal_update: Annotated[
        UpdateTimingConfig, Meta(description="An internal update is due.")
    ] = UpdateTimingConfig()
    customer_update: Annotated[TimingConfig, Meta(description="A customer update is due.")] = (
        TimingConfig()
    )
    promised_update: Annotated[
        TimingConfig, Meta(description="An update was promised for now.")
    ] = TimingConfig()
    not_closed: Annotated[
        TimingConfig, Meta(description="Recovery is verified, and it is still open.")
    ] = TimingConfig()
    override_expired: Annotated[
        TimingConfig, Meta(description="A change was let through, and that time is over.")
    ] = TimingConfig()
    stalled: Annotated[TimingConfig, Meta(description="Nothing happened for long.")] = (
        TimingConfig()
    )
    postmortem_not_started: Annotated[
        TimingConfig,
        Meta(description="A postmortem is still a draft; counted from the resolution."),
    ] = TimingConfig()
    postmortem_due: Annotated[
        TimingConfig, Meta(description="A postmortem is not merged when it is due.")
    ] = TimingConfig()
    action_due: Annotated[
        TimingConfig, Meta(description="An action item is due soon; `after` is how long before.")
    ] = TimingConfig()
    action_overdue: Annotated[
        TimingConfig, Meta(description="The day that an action item is due is over.")
    ] = TimingConfig()

    def policy(self) -> ReminderPolicy:
        """The team's wishes as the domain understands them."""
        timings = {}
        for kind, (after, every) in _TIMINGS.items():
            given = getattr(self, kind.replace("-", "_"))
            if isinstance(given, UpdateTimingConfig):
                gaps = {severity: duration(getattr(given, severity)) for severity in Severity}
                timings[kind] = Timing(gaps, gaps, given.mention)
                continue
            timings[kind] = Timing(
                _override(after, given.after), _override(every, given.every), given.mention
            )
        return ReminderPolicy(
            timings=timings,
            tick=duration(self.tick) or timedelta(minutes=5),
            backup=self.backup,
            escalation=self.escalation,
            drills=self.drills,
            quiet=self._quiet(),
        )

    def followups(self) -> followups.FollowupPolicy:
        """What they want after an incident."""
        paces = {}
        for kind, (after, every) in _PACES.items():
            given = getattr(self, kind.replace("-", "_"))
            paces[kind] = FollowupTiming(
                after if given.after is None else duration(given.after),
                every if given.every is None else duration(given.every),
                given.mention,
            )
        return followups.FollowupPolicy(paces, self.backup, self.escalation, self._quiet())

    def _quiet(self) -> QuietHours | None:
        quiet = self.quiet_hours
        if quiet is None:
            return None
        return QuietHours(
            time.fromisoformat(quiet.start),
            time.fromisoformat(quiet.end),
            quiet.timezone,
            {login.lstrip("@").casefold(): zone for login, zone in quiet.timezones.items()},
        )


def _override(
    default: Mapping[Severity, timedelta | None], given: str | None
) -> Mapping[Severity, timedelta | None]:
    return default if given is None else dict.fromkeys(Severity, duration(given))


def _always(minutes: int | None) -> dict[Severity, timedelta | None]:
    gap = None if minutes is None else timedelta(minutes=minutes)
    return dict.fromkeys(Severity, gap)


_TIMINGS = {
    ReminderKind.NO_COMMANDER: (_always(5), _always(5)),
    ReminderKind.UNACKNOWLEDGED: (_always(5), _always(5)),
    ReminderKind.PROMISED_UPDATE: (_always(0), _always(15)),
    ReminderKind.INTERNAL_UPDATE: (_always(None), _always(None)),
    ReminderKind.CUSTOMER_UPDATE: (_always(30), _always(30)),
    ReminderKind.NOT_CLOSED: (_always(15), _always(30)),
    ReminderKind.OVERRIDE_EXPIRED: (_always(0), _always(None)),
    ReminderKind.STALLED: ({**_always(None), Severity.SEV3: timedelta(hours=24)}, _always(24 * 60)),
}
"""After how long and how often, where the file says nothing; updates have defaults of their own."""
_PACES: Mapping[FollowupKind, tuple[timedelta | None, timedelta | None]] = {
    FollowupKind.NOT_STARTED: (timedelta(hours=24), timedelta(hours=24)),
    FollowupKind.POSTMORTEM_DUE: (timedelta(), timedelta(hours=24)),
    FollowupKind.ACTION_DUE: (timedelta(days=3), None),
    FollowupKind.ACTION_OVERDUE: (timedelta(), timedelta(days=7)),
}
"""The same after an incident."""
