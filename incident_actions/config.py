"""`.github/incident.yml` -> a frozen `Config`. Every problem is told at once, with its key path."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
import yaml
from msgspec import Meta, Struct

from incident_actions.domain import oncall
from incident_actions.domain.commands import NAMES
from incident_actions.domain.incident import Role
from incident_actions.domain.observation import Permission
from incident_actions.errors import ConfigError

PATH = ".github/incident.yml"

Name = Annotated[str, Meta(min_length=1, max_length=100)]
Login = Annotated[str, Meta(pattern=r"^@?[A-Za-z0-9][A-Za-z0-9-]{0,38}(\[bot\])?$")]


class Section(Struct, frozen=True, rename="kebab", forbid_unknown_fields=True):
    """A mapping in the file. Keys are written with hyphens."""


class FreezeConfig(Section, frozen=True):
    """What an open incident stops."""

    environments: Annotated[
        tuple[Name, ...],
        Meta(description="Environments that a freeze stops. Empty: all of them."),
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
    if config.on_call is not None:
        turn = config.on_call
        problems += [f"on-call.{p}" for p in oncall.check(turn.every, turn.start, turn.timezone)]
    if problems:
        raise ConfigError(path, problems)
    return config


class _Loader(yaml.SafeLoader):
    """Plain data; a time stays the text that was typed, so that a field can say what it wants."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


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
        else:
            _convert(value, field.type, where, problems)


def _bare(annotated: Any) -> Any:
    """The type itself, out of `Annotated[X | None, ...]`."""
    kind = get_args(annotated)[0] if get_origin(annotated) is Annotated else annotated
    if get_origin(kind) is UnionType:
        kind = next(each for each in get_args(kind) if each is not NoneType)
    return kind


def _convert(value: Any, kind: Any, where: str, problems: list[str]) -> None:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        problems.append(_say(where, str(error)))


def _say(where: str, problem: str) -> str:
    """msgspec's words, with the key path in front: ``Expected `int`, got `str` - at `$[0]` ``."""
    what, _, path = problem.partition(" - at `$")
    what = what.replace("`object`", "a mapping").replace("`array`", "a list")
    return f"{where}{path.rstrip('`')}: {what[:1].lower()}{what[1:]}"


def _check_permissions(permissions: Mapping[str, str]) -> list[str]:
    return [
        f"permissions.{command}: there is no such command"
        for command in permissions
        if command not in NAMES
    ]


def schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors."""
    return msgspec.json.schema(Config)
