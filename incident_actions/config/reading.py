"""Reading the file: every problem is told at once, with its key path."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, get_args, get_origin

import msgspec
import yaml
from msgspec import Struct

from incident_actions.config.reminders import QuietConfig
from incident_actions.config.sections import Config, WindowConfig
from incident_actions.config.values import _MEANING
from incident_actions.domain.freeze import windows
from incident_actions.domain.playbook import on_call as oncall
from incident_actions.domain.timeline.commands import BY_NAME
from incident_actions.errors import ConfigError

PATH = ".github/incident.yml"


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
    except (ValueError, RecursionError) as error:  # a number, or a nesting, beyond all bounds
        raise ConfigError(path, [f"can't be read: {error}"]) from None


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
        if command not in BY_NAME
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
