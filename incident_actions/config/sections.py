"""Every section and key of `.github/incident.yml`, with defaults and the texts of the reference.

The sections below `reminders` are made from the table of reminders. Docstrings of sections are
shown to users: they go into the JSON Schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import field

from incident_actions.config.values import (
    ConfigSection,
    Duration,
    Gap,
    Login,
    Mention,
    PermissionLevel,
    RecurrenceRule,
    RepositoryName,
    Severities,
    ShortText,
    TimeOfDay,
    TimeZone,
    ValueProblem,
    WallTime,
    WindowLength,
    doc,
    read_severities,
)
from incident_actions.domain.changes.suspects import ChangePaths
from incident_actions.domain.freeze.windows import Window, window_length
from incident_actions.domain.issue.forms import wrong_service_name
from incident_actions.domain.issue.incident import Incident, Moment, Role, Severity
from incident_actions.domain.issue.observation import Permission
from incident_actions.domain.playbook.on_call import on_call
from incident_actions.domain.postmortem import link
from incident_actions.domain.reminders.due import QuietHours, ReminderPolicy, Timing
from incident_actions.domain.reminders.kinds import BySeverity, ReminderKind
from incident_actions.domain.text.moments import DateOrder
from incident_actions.domain.text.names import slug
from incident_actions.domain.text.times import read_duration_or_off, read_wall_time
from incident_actions.domain.timeline.commands import BY_NAME

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
        """The quiet hours as the domain's value."""
        return QuietHours(
            time.fromisoformat(self.start),
            time.fromisoformat(self.end),
            self.timezone,
            {login.lstrip("@").casefold(): zone for login, zone in self.timezones.items()},
        )


class ReminderSettings(ConfigSection, frozen=True):
    """What is said for all kinds of reminders, and what follows for each."""

    watch: Annotated[
        Severities, doc("While such an incident is open, a run stays awake; or `off`.")
    ] = Severities.of("sev1, sev2")
    watch_rests: Annotated[Gap, doc("Without a deed of a person for so long, the watch rests.")] = (
        Gap.of("6h")
    )
    backup: Annotated[Login | None, doc("Told from the second miss on.")] = None
    escalation: Annotated[
        tuple[Mention, ...], doc("Told from the third miss on: logins, `org/team`.")
    ] = ()
    drills: Annotated[bool, doc("Whether drills are reminded of, too.")] = False
    quiet_hours: Annotated[QuietConfig | None, doc("When only urgent reminders come.")] = None

    def policy(self) -> ReminderPolicy:
        """The settings as the domain's value."""
        return ReminderPolicy(
            timings={kind: self._timing(kind) for kind in ReminderKind},
            watched=frozenset(map(Severity, read_severities(self.watch))),
            rests=read_duration_or_off(self.watch_rests),
            backup=self.backup,
            escalation=self.escalation,
            drills=self.drills,
            quiet=self.quiet_hours.hours() if self.quiet_hours else None,
        )

    def _timing(self, kind: ReminderKind) -> Timing:
        """The timing of one kind; what the file leaves out is the kind's default."""
        given: TimingConfig | UpdateTimingConfig = getattr(self, _field(kind))
        if isinstance(given, UpdateTimingConfig):
            gaps = _by_severity((given.sev1, given.sev2, given.sev3))
            return Timing(gaps, gaps, given.mention)
        after, every = given.after or kind.entry.after, given.every or kind.entry.every
        return Timing(_by_severity(after), _by_severity(every), given.mention)


def _by_severity(texts: str | BySeverity) -> Mapping[Severity, timedelta | None]:
    """Durations by severity, from one text for all severities or one text for each."""
    one_each = (texts,) * len(Severity) if isinstance(texts, str) else texts
    return dict(zip(Severity, map(read_duration_or_off, one_each), strict=True))


def _field(kind: ReminderKind) -> str:
    """The name of the field that holds a kind's section."""
    return kind.replace("-", "_")


def _key(kind: ReminderKind) -> tuple[str, object, ConfigSection]:
    """A kind's field, for `defstruct`: (name, type, default)."""
    section = UpdateTimingConfig if kind is ReminderKind.INTERNAL_UPDATE else TimingConfig
    return _field(kind), Annotated[section, doc(kind.entry.help)], section()


if TYPE_CHECKING:  # mypy can't see fields made by `defstruct`; they are read by `getattr` only
    RemindersConfig = ReminderSettings
else:
    RemindersConfig = msgspec.defstruct(
        "RemindersConfig",
        [_key(kind) for kind in ReminderKind],
        bases=(ReminderSettings,),
        namespace={"__doc__": "What the bot reminds people of."},
        frozen=True,
    )


class WindowConfig(ConfigSection, frozen=True):
    """A freeze that comes again."""

    name: Annotated[
        str, doc("What it is called: `weekend`.", pattern="^[A-Za-z0-9][A-Za-z0-9 ._-]{0,49}$")
    ]
    every: Annotated[RecurrenceRule, doc("When it begins, as an RRULE: `FREQ=WEEKLY;BYDAY=FR`.")]
    start: Annotated[WallTime, doc("The first time, on the wall clock: `2026-01-02T18:00`.")]
    duration: Annotated[WindowLength, doc("How long it lasts on the wall clock: `62h`, `2d 14h`.")]
    timezone: Annotated[TimeZone, doc("The time zone of that wall clock.")] = TimeZone.of("UTC")
    reason: Annotated[str, doc("Why deploys wait.", max_length=500)] = ""
    allow: Annotated[tuple[Login, ...], doc("Who may deploy all the same.")] = ()

    def window(self) -> Window:
        """The window as the domain's value."""
        return Window(
            name=self.name,
            every=self.every,
            start=read_wall_time(self.start),
            duration=window_length(self.duration),
            timezone=self.timezone,
            reason=self.reason,
            allow=tuple(login.lstrip("@") for login in self.allow),
        )


class ServiceConfig(ConfigSection, frozen=True):
    """A service, with what people are shown of it."""

    name: Annotated[str, doc("As in labels and commands: letters, digits, `.`, `_`, `-`.")]
    title: Annotated[str, doc("What customers call it.", max_length=100)] = ""
    group: Annotated[str, doc("Services with the same group stand together.", max_length=100)] = ""
    description: Annotated[str, doc("What it is, in a sentence.", max_length=500)] = ""


class FreezeConfig(ConfigSection, frozen=True):
    """What an open incident stops, and when deploys wait without one."""

    environments: Annotated[
        tuple[ShortText, ...], doc("Environments that a freeze stops. Empty: all of them.")
    ] = ()
    windows: Annotated[
        tuple[WindowConfig, ...], doc("Freezes that come again, as a list.", max_length=50)
    ] = ()

    def __post_init__(self) -> None:
        """Raise `ValueProblem` when two windows have the same name, however it is spelled."""
        names: set[str] = set()
        for index, window in enumerate(self.windows):
            if slug(window.name) in names:
                what = f"`{window.name}` is another window's name already"
                raise ValueProblem(what, "windows", index, "name")
            names.add(slug(window.name))


class OnCallConfig(ConfigSection, frozen=True):
    """Who is on call: users who take turns."""

    users: Annotated[tuple[Login, ...], doc("Who takes turns, in this order.", min_length=1)]
    start: Annotated[WallTime, doc("The first hand-over, on the wall clock: `2026-01-05T09:00`.")]
    every: Annotated[RecurrenceRule, doc("When the next one takes over, as an RRULE.")] = (
        RecurrenceRule.of("FREQ=WEEKLY")
    )
    timezone: Annotated[TimeZone, doc("The time zone of that wall clock.")] = TimeZone.of("UTC")
    role: Annotated[
        Literal["commander", "investigator", "comms", "scribe"],
        doc("The role that the one on call starts with."),
    ] = "commander"


class VerificationConfig(ConfigSection, frozen=True):
    """When the addresses that the bot asks itself count as recovered."""

    successes: Annotated[int, doc("Good answers in a row.", ge=1, le=20)] = 3
    minutes: Annotated[int, doc("Minutes that the row must last.", ge=0, le=240)] = 10
    allow_private: Annotated[bool, doc("Whether an address may lie inside a private network.")] = (
        False
    )


class DueConfig(ConfigSection, frozen=True):
    """How long after the resolution a postmortem is due."""

    sev1: Annotated[Duration, doc("Of a SEV1.")] = Duration.of("72h")
    sev2: Annotated[Duration, doc("Of a SEV2.")] = Duration.of("72h")
    sev3: Annotated[Duration, doc("Of a SEV3 that has one.")] = Duration.of("72h")


class PostmortemConfig(ConfigSection, frozen=True):
    """Where postmortems are kept, when they are due, who reads them."""

    path: Annotated[
        str, doc("The folder that they are kept in.", pattern=r"^[\w.-]+(/[\w.-]+)*$")
    ] = link.FOLDER
    due: Annotated[DueConfig, doc("How long after the resolution one is due.")] = DueConfig()
    reviewers: Annotated[
        tuple[Login, ...], doc("Who reviews, beside the roles and the code owners of the folder.")
    ] = ()

    def due_at(self, incident: Incident) -> datetime | None:
        """When the postmortem of an incident is due.

        None while the incident is open, and when the setting for its severity is `off`.
        """
        resolved = incident.times.get(Moment.RESOLVED)
        after = read_duration_or_off(getattr(self.due, incident.severity.value))
        return resolved + after if resolved is not None and after is not None else None


class RolesConfig(ConfigSection, frozen=True):
    """Who starts with which role, when an incident is declared."""

    commander: Annotated[Login | None, doc("Starts in command.")] = None
    investigator: Annotated[Login | None, doc("Starts as investigator.")] = None
    comms: Annotated[Login | None, doc("Starts as communications owner.")] = None
    scribe: Annotated[Login | None, doc("Starts as scribe.")] = None

    def defaults(self) -> dict[Role, str]:
        """Who starts with which role: role -> login. Roles without a login are left out."""
        named = {role: getattr(self, role.value) for role in Role}
        return {role: login.lstrip("@") for role, login in named.items() if login}


class Config(ConfigSection, frozen=True):
    """The whole file. Every key may be left out."""

    version: Annotated[int, doc("Version of this format.", ge=1, le=1)] = 1
    bot: Annotated[
        Login, doc("The login behind the token. Change it when you use an App's token.")
    ] = "github-actions[bot]"
    form: Annotated[ShortText, doc("The incident form, as a path in the repository.")] = (
        ".github/ISSUE_TEMPLATE/incident.yml"
    )
    services: Annotated[
        tuple[str | ServiceConfig, ...],
        doc("All services: names, or `name`, `title`, `group`, `description`.", max_length=200),
    ] = ()
    repositories: Annotated[
        tuple[RepositoryName, ...],
        doc("Other repositories whose pull requests count when they mention an incident."),
    ] = ()
    date_order: Annotated[
        Literal["day-first", "month-first"] | None,
        doc(
            "How you write `03/11/2026`: `day-first` or `month-first`. Left out: it is asked about."
        ),
    ] = None
    freeze: Annotated[FreezeConfig, doc("What an open incident stops.")] = FreezeConfig()
    roles: Annotated[RolesConfig, doc("Who starts with which role.")] = RolesConfig()
    on_call: Annotated[OnCallConfig | None, doc("A rotation; it comes before `roles`.")] = None
    verification: Annotated[
        VerificationConfig, doc("The recovery checks that the bot makes itself.")
    ] = VerificationConfig()
    reminders: Annotated[RemindersConfig, doc("What the bot reminds people of.")] = (
        RemindersConfig()
    )
    changes: Annotated[ChangePaths, doc("How changes before an incident are told apart.")] = (
        ChangePaths()
    )
    postmortem: Annotated[
        PostmortemConfig, doc("Where postmortems are kept, and when they are due.")
    ] = PostmortemConfig()
    permissions: Annotated[
        dict[str, PermissionLevel],
        doc("What a command needs instead of its default: `note: write`."),
    ] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Raise `ValueProblem` for a permission of a command that does not exist.

        Also for a service whose name is none, or is another service's already.
        """
        named: set[str] = set()
        for index, service in enumerate(self.services):
            name, below = (service, ()) if isinstance(service, str) else (service.name, ("name",))
            wrong = wrong_service_name(name)
            if name.lower() in named:
                wrong = f"`{name}` is another service's name already"
            if wrong:
                raise ValueProblem(wrong, "services", index, *below)
            named.add(name.lower())
        for command in self.permissions:
            if command not in BY_NAME:
                raise ValueProblem("there is no such command", "permissions", command)

    @property
    def heard(self) -> frozenset[str]:
        """The other repositories whose references count, in lower case."""
        return frozenset(map(str.casefold, self.repositories))

    def service_names(self) -> tuple[str, ...]:
        """The names of all services, in lower case and the file's order; empty without a list."""
        entries = (each if isinstance(each, str) else each.name for each in self.services)
        return tuple(name.lower() for name in entries)

    def reminder_policy(self, now: datetime) -> ReminderPolicy:
        """The settings for reminders, with who is on call at this time."""
        on_call = tuple(dict.fromkeys(self.roles_at(now).values()))
        return msgspec.structs.replace(self.reminders.policy(), on_call=on_call)

    def roles_at(self, at: datetime) -> dict[Role, str]:
        """Who starts with which role in an incident that is declared at this time: role -> login.

        Who is on call comes before the configured role.
        """
        roles = self.roles.defaults()
        rotation = self.on_call
        if rotation is not None:
            start = read_wall_time(rotation.start)
            login = on_call(rotation.users, rotation.every, start, rotation.timezone, at)
            if login is not None:
                roles[Role(rotation.role)] = login.lstrip("@")
        return roles

    def windows(self) -> tuple[Window, ...]:
        """The scheduled freezes as the domain's values."""
        return tuple(window.window() for window in self.freeze.windows)

    def order_of_dates(self) -> DateOrder | None:
        """The order of dates such as `03/11/2026`; None when the file does not say."""
        return DateOrder(self.date_order) if self.date_order else None

    def needs(self) -> dict[str, Permission]:
        """The permissions that the file sets for commands, by the command's name."""
        return {name: Permission.named(level) for name, level in self.permissions.items()}
