"""`.github/incident.yml` -> a frozen `Config`. Every problem is told at once, with its key path."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
import yaml
from msgspec import Meta, Struct

from incident_actions.domain import oncall, windows
from incident_actions.domain.changes import Paths
from incident_actions.domain.commands import NAMES
from incident_actions.domain.incident import Incident, Moment, Role, Severity
from incident_actions.domain.observation import Permission
from incident_actions.domain.postmortem import link
from incident_actions.domain.reminders import Kind, Policy, QuietHours, Timing
from incident_actions.domain.windows import Window
from incident_actions.errors import ConfigError

PATH = ".github/incident.yml"

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Login = Annotated[str, Meta(pattern=r"^@?[A-Za-z0-9][A-Za-z0-9-]{0,38}(\[bot\])?$")]


class Section(Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """A mapping in the file. Keys are written with hyphens."""


class WindowConfig(Section, frozen=True):
    """A freeze that comes again."""

    name: Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._-]{0,49}$",
            description="What it is called: `weekend`.",
        ),
    ]
    every: Annotated[str, Meta(description="When it begins, as an RRULE: `FREQ=WEEKLY;BYDAY=FR`.")]
    start: Annotated[
        str, Meta(description="The first time, on the wall clock: `2026-01-02T18:00`.")
    ]
    duration: Annotated[
        str, Meta(description="How long it lasts on the wall clock: `62h`, `2d 14h`.")
    ]
    timezone: Annotated[str, Meta(description="Where that wall clock hangs.")] = "UTC"
    reason: Annotated[str, Meta(max_length=500, description="Why deploys wait.")] = ""
    allow: Annotated[tuple[Login, ...], Meta(description="Who may deploy all the same.")] = ()

    def window(self) -> Window:
        """As the domain has it. Raises `ValueError` for what `windows.check` finds."""
        return Window(
            name=self.name,
            every=self.every,
            start=oncall.wall_time(self.start),
            duration=windows.read_duration(self.duration),
            timezone=self.timezone,
            reason=self.reason,
            allow=tuple(login.lstrip("@") for login in self.allow),
        )


class FreezeConfig(Section, frozen=True):
    """What an open incident stops, and when deploys wait without one."""

    environments: Annotated[
        tuple[Name, ...],
        Meta(description="Environments that a freeze stops. Empty: all of them."),
    ] = ()
    windows: Annotated[
        tuple[WindowConfig, ...],
        Meta(max_length=50, description="Freezes that come again, as a list."),
    ] = ()


class OnCallConfig(Section, frozen=True):
    """Who is on call: users who take turns."""

    users: Annotated[
        tuple[Login, ...], Meta(min_length=1, description="Who takes turns, in this order.")
    ]
    start: Annotated[
        str, Meta(description="The first hand-over, on the wall clock: `2026-01-05T09:00`.")
    ]
    every: Annotated[str, Meta(description="When the next one takes over, as an RRULE.")] = (
        "FREQ=WEEKLY"
    )
    timezone: Annotated[str, Meta(description="Where that wall clock hangs.")] = "UTC"
    role: Annotated[
        Literal["commander", "investigator", "comms", "scribe"],
        Meta(description="The role that the one on call starts with."),
    ] = "commander"


class VerificationConfig(Section, frozen=True):
    """When the addresses that the bot asks itself count as recovered."""

    successes: Annotated[int, Meta(ge=1, le=20, description="Good answers in a row.")] = 3
    minutes: Annotated[int, Meta(ge=0, le=240, description="Minutes that the row must last.")] = 10
    allow_private: Annotated[
        bool, Meta(description="Whether an address may lie inside a private network.")
    ] = False


_TIME = r"(?=.{2})([0-9]{1,3}d)?([0-9]{1,4}h)?([0-9]{1,5}m)?"
_SOME_TIME = rf"^(off|{_TIME})$"
_A_GAP = rf"^(off|(?=.*[1-9]){_TIME})$"
_A_TICK = rf"^(?=.*[1-9]){_TIME}$"
_SOMEBODY = r"^@?[A-Za-z0-9][A-Za-z0-9-]{0,38}(/[A-Za-z0-9][A-Za-z0-9._-]{0,99})?$"
_TIME_OF_DAY = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
_MEANING = {
    _SOME_TIME: "must be a time like `30m`, `2h`, `1d12h`, or `off`",
    _A_GAP: "must be a time above zero like `30m` or `1d12h`, or `off`",
    _A_TICK: "must be a time above zero like `5m`",
    _SOMEBODY: "must be a login, or a team as `org/team`",
    _TIME_OF_DAY: "must be a time of day like `07:00`",
}
"""Patterns in words, for who gets one wrong."""

Duration = Annotated[str, Meta(pattern=_SOME_TIME)]
Gap = Annotated[str, Meta(pattern=_A_GAP)]
Mention = Annotated[str, Meta(pattern=_SOMEBODY)]


class TimingConfig(Section, frozen=True):
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


class UpdateTimingConfig(Section, frozen=True):
    """Internal updates are due by severity."""

    sev1: Annotated[Gap, Meta(description="While it is a SEV1.")] = "15m"
    sev2: Annotated[Gap, Meta(description="While it is a SEV2.")] = "30m"
    sev3: Annotated[Gap, Meta(description="While it is a SEV3.")] = "off"
    mention: Annotated[tuple[Mention, ...], Meta(description="Who is told besides its owner.")] = ()


WallTime = Annotated[str, Meta(pattern=_TIME_OF_DAY)]


class QuietConfig(Section, frozen=True):
    """When people are left alone with what is not urgent."""

    start: Annotated[WallTime, Meta(description="From this time of day on.")]
    end: Annotated[WallTime, Meta(description="Until this time of day.")]
    timezone: Annotated[str, Meta(description="In this time zone.")] = "UTC"
    timezones: Annotated[
        dict[str, str], Meta(description="Time zones of people who live elsewhere, by login.")
    ] = {}


class RemindersConfig(Section, frozen=True):
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

    def policy(self) -> Policy:
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
        quiet = self.quiet_hours
        return Policy(
            timings=timings,
            tick=duration(self.tick) or timedelta(minutes=5),
            backup=self.backup,
            escalation=self.escalation,
            drills=self.drills,
            quiet=QuietHours(
                time.fromisoformat(quiet.start),
                time.fromisoformat(quiet.end),
                quiet.timezone,
                {login.lstrip("@").casefold(): zone for login, zone in quiet.timezones.items()},
            )
            if quiet is not None
            else None,
        )


def duration(text: str) -> timedelta | None:
    """`30m`, `2h`, `1d12h`; None for `off`."""
    if text == "off":
        return None
    amounts = {unit: int(amount) for amount, unit in re.findall(r"([0-9]+)([dhm])", text)}
    return timedelta(
        days=amounts.get("d", 0), hours=amounts.get("h", 0), minutes=amounts.get("m", 0)
    )


def _override(
    default: Mapping[Severity, timedelta | None], given: str | None
) -> Mapping[Severity, timedelta | None]:
    return default if given is None else dict.fromkeys(Severity, duration(given))


def _always(minutes: int | None) -> dict[Severity, timedelta | None]:
    gap = None if minutes is None else timedelta(minutes=minutes)
    return dict.fromkeys(Severity, gap)


_TIMINGS = {
    Kind.NO_COMMANDER: (_always(5), _always(5)),
    Kind.UNACKNOWLEDGED: (_always(5), _always(5)),
    Kind.PROMISED_UPDATE: (_always(0), _always(15)),
    Kind.INTERNAL_UPDATE: (_always(None), _always(None)),
    Kind.CUSTOMER_UPDATE: (_always(30), _always(30)),
    Kind.NOT_CLOSED: (_always(15), _always(30)),
    Kind.OVERRIDE_EXPIRED: (_always(0), _always(None)),
    Kind.STALLED: ({**_always(None), Severity.SEV3: timedelta(hours=24)}, _always(24 * 60)),
}
"""After how long and how often, where the file says nothing; updates have defaults of their own."""


class DueConfig(Section, frozen=True):
    """How long after the resolution a postmortem is due."""

    sev1: Annotated[Duration, Meta(description="Of a SEV1.")] = "72h"
    sev2: Annotated[Duration, Meta(description="Of a SEV2.")] = "72h"
    sev3: Annotated[Duration, Meta(description="Of a SEV3 that has one.")] = "72h"


class PostmortemConfig(Section, frozen=True):
    """Where postmortems are kept, when they are due, who reads them."""

    path: Annotated[
        str, Meta(pattern=r"^[\w.-]+(/[\w.-]+)*$", description="The folder that they are kept in.")
    ] = link.FOLDER
    due: Annotated[DueConfig, Meta(description="How long after the resolution one is due.")] = (
        DueConfig()
    )
    reviewers: Annotated[
        tuple[Login, ...],
        Meta(description="Who reviews, beside the roles and the code owners of the folder."),
    ] = ()

    def due_at(self, incident: Incident) -> datetime | None:
        """When the postmortem of an incident is due; None while it is open, or for `off`."""
        resolved = incident.times.get(Moment.RESOLVED)
        after = duration(getattr(self.due, incident.severity.value))
        return resolved + after if resolved is not None and after is not None else None


class RolesConfig(Section, frozen=True):
    """Who starts with which role, when an incident is declared."""

    commander: Annotated[Login | None, Meta(description="Starts in command.")] = None
    investigator: Annotated[Login | None, Meta(description="Starts as investigator.")] = None
    comms: Annotated[Login | None, Meta(description="Starts as communications owner.")] = None
    scribe: Annotated[Login | None, Meta(description="Starts as scribe.")] = None

    def defaults(self) -> dict[Role, str]:
        """The roles that have somebody."""
        named = {role: getattr(self, role.value) for role in Role}
        return {role: login.lstrip("@") for role, login in named.items() if login}


class Config(Section, frozen=True):
    """The whole file. Every key may be left out."""

    version: Annotated[int, Meta(ge=1, le=1, description="Version of this format.")] = 1
    bot: Annotated[
        Login,
        Meta(description="The login behind the token. Change it when you use an App's token."),
    ] = "github-actions[bot]"
    form: Annotated[Name, Meta(description="The incident form, as a path in the repository.")] = (
        ".github/ISSUE_TEMPLATE/incident.yml"
    )
    freeze: Annotated[FreezeConfig, Meta(description="What an open incident stops.")] = (
        FreezeConfig()
    )
    roles: Annotated[RolesConfig, Meta(description="Who starts with which role.")] = RolesConfig()
    on_call: Annotated[
        OnCallConfig | None, Meta(description="A rotation; it comes before `roles`.")
    ] = None
    verification: Annotated[
        VerificationConfig, Meta(description="The recovery checks that the bot makes itself.")
    ] = VerificationConfig()
    reminders: Annotated[RemindersConfig, Meta(description="What the bot reminds people of.")] = (
        RemindersConfig()
    )
    changes: Annotated[
        Paths, Meta(description="How changes before an incident are told apart.")
    ] = Paths()
    postmortem: Annotated[
        PostmortemConfig, Meta(description="Where postmortems are kept, and when they are due.")
    ] = PostmortemConfig()
    permissions: Annotated[
        dict[str, Literal["triage", "write", "maintain", "admin"]],
        Meta(description="What a command needs instead of its default: `note: write`."),
    ] = {}

    def roles_at(self, at: datetime) -> dict[Role, str]:
        """Who holds which role when an incident is declared at this moment."""
        roles = self.roles.defaults()
        turn = self.on_call
        if turn is not None:
            start = oncall.wall_time(turn.start)
            login = oncall.on_call(turn.users, turn.every, start, turn.timezone, at)
            if login is not None:
                roles[Role(turn.role)] = login.lstrip("@")
        return roles

    def windows(self) -> tuple[Window, ...]:
        """The scheduled freezes."""
        return tuple(window.window() for window in self.freeze.windows)

    def needs(self) -> dict[str, Permission]:
        """The permission that each reconfigured command needs."""
        return {name: Permission.named(level) for name, level in self.permissions.items()}


def read_config(text: str | None, path: str = PATH) -> Config:
    """The configuration in a file's text; None or an empty file is all defaults.

    Raises `ConfigError` with every problem, each with its key path (`freeze.environments[0]`).
    """
    if text is None:
        return Config()
    document = load_yaml(text, path)
    if document is None:
        return Config()
    problems: list[str] = []
    if not isinstance(document, dict):
        raise ConfigError(path, ["must be a mapping of keys to values"])
    _check(Config, document, "", problems)
    if problems:
        raise ConfigError(path, problems)
    config = msgspec.convert(document, Config)
    problems = _check_permissions(config.permissions)
    problems += _check_zones(config.reminders.quiet_hours)
    problems += _check_windows(config.freeze.windows)
    if config.on_call is not None:
        turn = config.on_call
        problems += [f"on-call.{p}" for p in oncall.check(turn.every, turn.start, turn.timezone)]
    if problems:
        raise ConfigError(path, problems)
    return config


class _Loader(yaml.SafeLoader):
    """Plain data. A time, and `off`, stay the text that was typed: a field says what it wants.

    `22:00` is a time, too, though old YAML takes it for the number 1320.
    """


_Loader.yaml_implicit_resolvers = {
    first: [rule for rule in resolvers if not rule[0].endswith((":timestamp", ":bool", ":int"))]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"(?:true|false)$", re.IGNORECASE), list("tTfF")
)
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:int", re.compile(r"[-+]?(?:0|[1-9][0-9]*)$"), list("-+0123456789")
)


def load_yaml(text: str, path: str) -> Any:
    """YAML as plain data. Raises `ConfigError` that names line and column."""
    try:
        return yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        what = getattr(error, "problem", None) or "no YAML"
        raise ConfigError(path, [f"{where}{what}"]) from None


def _check(kind: type[Struct], document: dict[Any, Any], at: str, problems: list[str]) -> None:
    """Add what is wrong in one mapping, and in the mappings below it."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    problems += [
        f"{at}{name}: is missing"
        for name, field in fields.items()
        if field.required and name not in document
    ]
    for key, value in document.items():
        where = f"{at}{key}"
        field = fields.get(key)
        if field is None:
            near = difflib.get_close_matches(str(key), fields, n=1)
            hint = f", did you mean `{near[0]}`?" if near else f"; known are {', '.join(fields)}"
            problems.append(f"{where}: unknown key{hint}")
            continue
        kind_of = _bare(field.type)
        if isinstance(value, dict) and isinstance(kind_of, type) and issubclass(kind_of, Struct):
            _check(kind_of, value, f"{where}.", problems)
        elif isinstance(value, dict) and get_origin(kind_of) is dict:
            for name, each in value.items():
                _convert(each, get_args(kind_of)[1], f"{where}.{name}", problems)
        elif isinstance(value, list) and (each := _mapping_in_list(kind_of)):
            for index, item in enumerate(value):
                if isinstance(item, dict):
                    _check(each, item, f"{where}[{index}].", problems)
                else:
                    problems.append(f"{where}[{index}]: must be a mapping of keys to values")
        else:
            _convert(value, field.type, where, problems)


def _bare(annotated: Any) -> Any:
    """The type itself, out of `Annotated[X | None, ...]`."""
    kind = get_args(annotated)[0] if get_origin(annotated) is Annotated else annotated
    if get_origin(kind) is UnionType:
        kind = next(each for each in get_args(kind) if each is not NoneType)
    return kind


def _mapping_in_list(kind: Any) -> type[Struct] | None:
    """The mapping that a list is made of, out of `tuple[SomeSection, ...]`."""
    inner = get_args(kind)[0] if get_origin(kind) is tuple else None
    return inner if isinstance(inner, type) and issubclass(inner, Struct) else None


def _convert(value: Any, kind: Any, where: str, problems: list[str]) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        problems.append(_say(where, str(error)))


def _say(where: str, problem: str) -> str:
    """msgspec's words, with the key path in front: ``Expected `int`, got `str` - at `$[0]` ``."""
    what, _, path = problem.partition(" - at `$")
    pattern = what.partition("matching regex ")[2].strip("'")
    what = _MEANING.get(pattern.replace("\\\\", "\\"), what)
    what = what.replace("`object`", "a mapping").replace("`array`", "a list")
    return f"{where}{path.rstrip('`')}: {what[:1].lower()}{what[1:]}"


def _check_zones(quiet: QuietConfig | None) -> list[str]:
    if quiet is None:
        return []
    zones = {"timezone": quiet.timezone}
    zones |= {f"timezones.{login}": zone for login, zone in quiet.timezones.items()}
    return [
        f"reminders.quiet-hours.{key}: `{zone}` is no time zone like Europe/Berlin"
        for key, zone in zones.items()
        if not oncall.is_zone(zone)
    ]


def _check_permissions(permissions: Mapping[str, str]) -> list[str]:
    return [
        f"permissions.{command}: there is no such command"
        for command in permissions
        if command not in NAMES
    ]


def _check_windows(given: Sequence[WindowConfig]) -> list[str]:
    problems = []
    names: set[str] = set()
    for index, window in enumerate(given):
        at = f"freeze.windows[{index}]"
        found = windows.check(window.every, window.start, window.timezone, window.duration)
        problems += [f"{at}.{problem}" for problem in found]
        if windows.slug(window.name) in names:
            problems.append(f"{at}.name: `{window.name}` is another window's name already")
        names.add(windows.slug(window.name))
    return problems


def schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors."""
    return msgspec.json.schema(Config)
