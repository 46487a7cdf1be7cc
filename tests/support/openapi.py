"""GitHub's own description of its API, as a judge of each request and each answer.

The description is OpenAPI 3.0; `jsonschema_rs` reads JSON Schema. The two differ in `nullable`,
which is translated here. See https://docs.github.com/rest/about-the-rest-api
"""

from __future__ import annotations

import functools
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

from incident_actions.sandbox import Exchange, Sandbox

Json = dict[str, Any]

DESCRIPTION = Path(__file__).parent.parent / "data" / "github-openapi.json"
SCHEMAS = "#/components/schemas/"
# The description offers some thirty kinds of event at once, two of which have no required field:
# anything would pass. So each entry is held against the kind that it says it is.
EVENT_LISTS = ("timeline-issue-events", "issue-event-for-issue")
EVENT_KINDS = {
    "commented": "timeline-comment-event",
    "cross-referenced": "timeline-cross-referenced-event",
    "committed": "timeline-committed-event",
    "reviewed": "timeline-reviewed-event",
    "assigned": "timeline-assigned-issue-event",
    "unassigned": "timeline-unassigned-issue-event",
}
# These take a bare list of names too; this edition of the description leaves that out.
BARE_LISTS = ("/repos/{owner}/{repo}/issues/{issue_number}/labels",)


def to_json_schema(schema: Any) -> Any:
    """An OpenAPI 3.0 schema as JSON Schema: `nullable` becomes a choice with null."""
    if isinstance(schema, list):
        return [to_json_schema(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    plain = {key: to_json_schema(value) for key, value in schema.items() if key != "nullable"}
    if schema.get("nullable") is not True:
        return plain
    # Enums of nullable fields mostly leave null out of their list: the choice mends that too.
    return {"anyOf": [plain, {"type": "null"}]}


def _segment(match: re.Match[str]) -> str:
    """A path parameter as a group; some of them span slashes."""
    name = match.group(1)
    return f"(?P<{name}>{'.+' if name in ('path', 'ref', 'branch', 'basehead') else '[^/]+'})"


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    template: str
    pattern: re.Pattern[str]
    path_item: Json
    body: Json


class OpenAPI:
    """The description, ready to check exchanges. Validators are compiled at first use."""

    def __init__(self, path: Path = DESCRIPTION) -> None:
        self._raw: Json = json.loads(path.read_text(encoding="utf-8"))
        schemas = self._raw["components"]["schemas"]
        self._schemas: Json = {
            name: {} if name in EVENT_LISTS else to_json_schema(schema)
            for name, schema in schemas.items()
        }
        self._validators: dict[str, Any] = {}
        self._operations = self._read_operations()

    def _read_operations(self) -> list[Operation]:
        found = []
        for template, item in self._raw["paths"].items():
            pattern = re.sub(r"\\\{(\w+)\\\}", _segment, re.escape(template))
            for method, body in item.items():
                if method != "parameters":
                    one = Operation(method.upper(), template, re.compile(pattern), item, body)
                    found.append(one)
        # Literal segments win over parameters, and longer templates over their own beginnings.
        found.sort(key=lambda one: [p.startswith("{") for p in [*one.template.split("/"), "{"]])
        return found

    def find(self, method: str, path: str) -> Operation | None:
        """The operation that answers a request; None where the description has none."""
        for one in self._operations:
            if one.method == method and one.pattern.fullmatch(path):
                return one
        return None

    def check(
        self,
        method: str,
        path: str,
        query: dict[str, str],
        request_body: Any,
        status: int,
        response_body: Any,
    ) -> list[str]:
        """What is wrong with one exchange, in words; empty when nothing is.

        A refused request (4xx) may be malformed: only its answer is checked then.
        """
        name = f"{method} {path}"
        if status in (301, 307):
            return []  # described for a few operations only, though GitHub redirects any
        one = self.find(method, path)
        if one is None:
            return [f"{name}: GitHub describes no such operation"]
        wrong = self._check_answer(one, status, response_body)
        if status < 400:
            wrong += self._check_query(one, path, query) + self._check_request(one, request_body)
        return [f"{name} -> {status}: {text}" for text in wrong]

    def _resolve(self, node: Json) -> Json:
        if "$ref" not in node:
            return node
        found: Any = self._raw
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        assert isinstance(found, dict)
        return found

    def _check_query(self, one: Operation, path: str, query: dict[str, str]) -> list[str]:
        wrong = []
        listed = [*one.path_item.get("parameters", []), *one.body.get("parameters", [])]
        known = {(p["name"], p["in"]): p for p in map(self._resolve, listed)}
        match = one.pattern.fullmatch(path)
        named = match.groupdict() if match else {}
        values = [(key, "path", unquote(value)) for key, value in named.items()]
        values += [(key, "query", value) for key, value in query.items()]
        for key, where, value in values:
            if (key, where) not in known:
                wrong.append(f"undocumented {where} parameter {key}")
                continue
            schema = known[key, where]["schema"]
            if (key, value[:1]) == ("created", ">"):
                value = value.lstrip(">=")  # GitHub's documentation allows a range here
            typed: Any = value
            if schema.get("type") == "integer" and value.isdecimal():
                typed = int(value)
            elif schema.get("type") == "boolean" and value in ("true", "false"):
                typed = value == "true"
            wrong += self._errors(f"{one.template} {where} {key}", schema, typed, f"{where} {key}")
        return wrong

    def _check_request(self, one: Operation, body: Any) -> list[str]:
        described = one.body.get("requestBody")
        if body is None:
            needed = described is not None and described.get("required")
            return ["a body is required"] if needed else []
        if described is None:
            return ["a body where none is described"]
        if isinstance(body, list) and one.template in BARE_LISTS:
            return [] if all(isinstance(item, str) for item in body) else ["a list of no names"]
        schema = described["content"]["application/json"]["schema"]
        wrong = self._errors(f"{one.method} {one.template} request", schema, body, "request")
        if isinstance(body, dict):
            known = self._properties(schema)
            wrong += [f"undocumented field {key}" for key in body if known and key not in known]
        return wrong

    def _properties(self, schema: Json) -> set[str]:
        """Names that an object may have; empty for one that is open by design."""
        schema = self._resolve(schema)
        names = set(schema.get("properties", {}))
        for kind in ("oneOf", "anyOf", "allOf"):
            for part in schema.get(kind, []):
                names |= self._properties(part)
        return names

    def _check_answer(self, one: Operation, status: int, body: Any) -> list[str]:
        described = one.body["responses"].get(str(status))
        if status >= 500:
            return [str(body)]
        if described is None:
            if status < 400:
                return ["undocumented status"]
            return self._errors("error", {"$ref": SCHEMAS + "basic-error"}, body, "answer")
        content = self._resolve(described).get("content", {}).get("application/json")
        if content is None:
            return ["a body where none is described"] if body and status < 400 else []
        schema = content["schema"]
        if status >= 400 and "oneOf" in schema:
            # The shapes of errors are open and overlap: any will do.
            schema = {"anyOf": schema["oneOf"]}
        wrong = self._errors(f"{one.method} {one.template} {status}", schema, body, "answer")
        items = schema.get("items", {}).get("$ref", "").removeprefix(SCHEMAS)
        if items in EVENT_LISTS and isinstance(body, list):
            for entry in body:
                wrong += self._check_event(entry)
        return wrong

    def _check_event(self, entry: Json) -> list[str]:
        event = str(entry.get("event"))
        name = EVENT_KINDS.get(event, f"{event.replace('_', '-')}-issue-event")
        if name not in self._schemas:
            name = "state-change-issue-event"
        return self._errors(name, {"$ref": SCHEMAS + name}, entry, f"event {event}")

    def _errors(self, key: str, schema: Json, value: Any, where: str) -> list[str]:
        if key not in self._validators:
            root: Json = {"allOf": [to_json_schema(schema)]}
            names: set[str] = set()
            self._reach(root, names)
            root["components"] = {"schemas": {name: self._schemas[name] for name in names}}
            self._validators[key] = jsonschema_rs.Draft202012Validator(root, validate_formats=True)
        validator = self._validators[key]
        if validator.is_valid(value):
            return []
        return [
            f"{where} at {'/'.join(map(str, error.instance_path)) or '.'}: {error.message:.300}"
            for error in validator.iter_errors(value)
        ]

    def _reach(self, node: Any, names: set[str]) -> None:
        """Collect the names of all schemas that a schema leads to."""
        if isinstance(node, list):
            for one in node:
                self._reach(one, names)
        elif isinstance(node, dict):
            for key, value in node.items():
                if key == "$ref" and isinstance(value, str):
                    name = value.removeprefix(SCHEMAS)
                    if name not in names:
                        names.add(name)
                        self._reach(self._schemas[name], names)
                else:
                    self._reach(value, names)


@functools.cache
def description() -> OpenAPI:
    """The description, read once."""
    return OpenAPI()


def watch(github: Sandbox) -> list[str]:
    """Check each exchange with the sandbox from now on; what is wrong gathers in the answer."""
    wrong: list[str] = []

    def judge(one: Exchange) -> None:
        if one.path == "/graphql":  # not part of the description of the REST API
            return
        wrong.extend(
            description().check(
                one.method, one.path, one.query, one.request_body, one.status, one.response_body
            )
        )

    github.on_exchange = judge
    return wrong
