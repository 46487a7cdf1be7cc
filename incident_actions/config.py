"""`.github/incident.yml` -> a frozen `Config`. Every problem is told at once, with its key path."""

from __future__ import annotations

import difflib
from typing import Annotated, Any, Literal, get_args, get_origin

import msgspec
import yaml
from msgspec import Meta, Struct

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
    permissions: Annotated[
        dict[str, Literal["triage", "write", "maintain", "admin"]],
        Meta(description="What a command needs instead of its default: `note: write`."),
    ] = {}

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
    if not problems:
        problems = _check_permissions(document.get("permissions") or {})
    if problems:
        raise ConfigError(path, problems)
    return msgspec.convert(document, Config)


def load_yaml(text: str, path: str) -> Any:
    """YAML as plain data. Raises `ConfigError` that names line and column."""
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        what = getattr(error, "problem", None) or "no YAML"
        raise ConfigError(path, [f"{where}{what}"]) from None


def _check(kind: type[Struct], document: dict[Any, Any], at: str, problems: list[str]) -> None:
    """Add what is wrong in one mapping, and in the mappings below it."""
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
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
    return get_args(annotated)[0] if get_origin(annotated) is Annotated else annotated


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


def _check_permissions(permissions: dict[Any, Any]) -> list[str]:
    return [
        f"permissions.{command}: there is no such command"
        for command in permissions
        if command not in NAMES
    ]


def schema() -> dict[str, Any]:
    """The JSON Schema of the file, for editors."""
    return msgspec.json.schema(Config)
