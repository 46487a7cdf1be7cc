"""Read the text of `.github/incident.yml`, and report all its problems together, with key paths.

What the keys are is in `sections`; what their values may be is in `values`.
"""

from __future__ import annotations

import difflib
import re
from typing import Any, Literal, get_args, get_origin

import msgspec
from msgspec import Struct
from msgspec.structs import FieldInfo

from incident_actions.config.sections import Config
from incident_actions.config.values import ValueProblem, read_value
from incident_actions.domain.text.documents import load_yaml
from incident_actions.errors import ConfigError

PATH = ".github/incident.yml"
_STEP = re.compile(r"\[(?P<index>\d+|\.\.\.)\]|\.(?P<key>[^.\[`]+)")
_EXPECTED = re.compile(r"Expected `(\w+)[^`]*`((?: [<>]=? [\d.]+)?)(?:, got `(\w+)`)?")
_KINDS = {
    "object": "a mapping",
    "array": "a list",
    "str": "text",
    "int": "a number",
    "float": "a number",
    "bool": "`true` or `false`",
    "null": "empty",
}
"""What msgspec calls the kinds of values, and what people do."""
_WRITTEN = {
    "object": ": write `key: value` lines below it",
    "array": ": write its entries below it, each after a `- `",
}
_UNKNOWN = "Object contains unknown field `"
_MISSING = "Object missing required field `"


def read_config(text: str | None, path: str = PATH) -> Config:
    """The configuration in a file's text. None (no file) or an empty text gives the defaults.

    Raises `ConfigError` with all problems, each with its key path (`freeze.environments[0]`).
    """
    document = load_yaml(text, path) if text is not None else None
    if document is None:
        return Config()
    if not isinstance(document, dict):
        raise ConfigError(path, ["must be a mapping of keys to values"])
    reader = _Reader(document)
    config = reader.read()
    if reader.problems:
        raise ConfigError(path, [f"{at}: {what}" for at, what in reader.problems.items()])
    return config


def schema() -> dict[str, Any]:
    """The JSON Schema of the file, with which editors check and complete it."""
    return msgspec.json.schema(Config, schema_hook=_described)


def _described(kind: type[Any]) -> dict[str, Any]:
    """The JSON Schema of a `CheckedText`, which msgspec does not know."""
    return {"type": "string", "examples": [kind.example]}


class _Reader:
    """Finds all problems of a document, though msgspec stops at the first one.

    After each problem, its value is taken out of the document or replaced by a valid example, and
    msgspec converts the document again. `problems` maps each key path to what is wrong there.
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._numbers: dict[int, list[int]] = {}
        """By `id` of a list that lost items: the numbers in the file of the items that are left."""
        self.problems: dict[str, str] = {}

    def read(self) -> Config:
        """The document as a `Config`. It counts only when there are no `problems` afterwards."""
        while True:
            try:
                return msgspec.convert(self._document, Config, dec_hook=read_value)
            except msgspec.ValidationError as error:
                self._note(error)

    def _note(self, error: msgspec.ValidationError) -> None:
        """Record a problem, and remove what caused it from the document."""
        what, separator, where = str(error).rpartition(" - at `$")
        if not separator:  # the problem is at the top of the document
            what, where = where, ""
        cause = error.__cause__ if isinstance(error.__cause__, ValueProblem) else ValueProblem("")
        steps: list[Any] = [
            step["key"] or (int(step["index"]) if step["index"].isdigit() else ...)
            for step in _STEP.finditer(where)
        ]
        steps += cause.below
        fields = _fields(steps)
        if what.startswith(_UNKNOWN):
            steps.append(what.removeprefix(_UNKNOWN).removesuffix("`"))
            near = difflib.get_close_matches(steps[-1], fields, n=1)
            hint = f", did you mean `{near[0]}`?" if near else f"; known are {', '.join(fields)}"
            what = f"unknown key{hint}"
        holder, last, at = self._place(steps, cause.refused)
        if what.startswith(_MISSING):
            for name, field in fields.items():
                if field.required and name not in holder[last]:
                    self._add(f"{at}.{name}", "is missing")
        else:
            named = fields.get(steps[-1]) if steps else None
            self._add(at, _in_words(what, named.type if named else None))
        if cause.example:
            holder[last] = cause.example
            return
        if isinstance(holder, list):
            del self._numbers.setdefault(id(holder), list(range(len(holder))))[last]
        del holder[last]

    def _place(self, steps: list[Any], refused: object) -> tuple[Any, Any, str]:
        """Where a path leads: the mapping or list that holds its end, the key there, and the path.

        The path is text, as in the file. A step `...` is a key that msgspec does not name (of a
        mapping with free keys): it is the key whose value is `refused`.
        """
        inside: Any = self._document
        at = ""
        for step in steps:
            holder, last = inside, step
            if step is ...:
                last = next(key for key, value in holder.items() if value is refused)
            if isinstance(holder, list):
                at += f"[{self._numbers.get(id(holder), range(len(holder)))[last]}]"
            else:
                at += f".{last}"
            inside = holder[last]
        return holder, last, at[1:]

    def _add(self, at: str, what: str) -> None:
        """Record a problem, unless one is known at the same key path or below it, as its cause."""
        if not any(
            noted == at or noted.startswith((f"{at}.", f"{at}[")) for noted in self.problems
        ):
            self.problems[at] = f"{what[:1].lower()}{what[1:]}"


def _in_words(what: str, kind: Any) -> str:
    """msgspec's message in words for people who don't know Python; `kind` is the field's type."""
    expected = _EXPECTED.fullmatch(what)
    if expected is not None:
        wanted, limits, found = expected.groups()
        instead = f", not {_KINDS.get(found, found)}" if found else ""
        return f"must be {_KINDS.get(wanted, wanted)}{limits}{instead}{_WRITTEN.get(wanted, '')}"
    if what.startswith("Invalid enum value"):
        values = ", ".join(f"`{value}`" for value in _values_of(kind))
        return f"must be one of {values}" if values else what
    return what


def _values_of(kind: Any) -> list[str]:
    """The values of the `Literal` in a field's type; none when there is none."""
    if get_origin(kind) is Literal:
        return [*get_args(kind)]
    return next(filter(None, map(_values_of, get_args(kind))), [])


def _fields(steps: list[Any]) -> dict[str, FieldInfo]:
    """The fields, by key, of the innermost section that a path goes through."""
    fields = _keys(Config)
    for step in steps:
        section = _section_in(fields[step].type) if step in fields else None
        fields = _keys(section) if section else fields
    return fields


def _keys(section: type[Struct]) -> dict[str, FieldInfo]:
    """A section's fields, by their key in the file."""
    return {field.encode_name: field for field in msgspec.structs.fields(section)}


def _section_in(kind: Any) -> type[Struct] | None:
    """The section in a field's type: `X` in `Annotated[X | None, ...]` or `tuple[X, ...]`.

    None when there is no section in it.
    """
    if isinstance(kind, type) and issubclass(kind, Struct):
        return kind
    return next(filter(None, map(_section_in, get_args(kind))), None)
