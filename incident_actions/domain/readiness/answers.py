"""Writes a team's answers to `init` into files that the team has edited, and nothing else.

The services are the options of the forms' dropdowns and the list in the configuration; the
commander is there too; workflows name our action. Every other word stays. Each change is proven.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import yaml

from incident_actions.domain.readiness.gate_insertion import ActionReference
from incident_actions.domain.readiness.gates import is_ours
from incident_actions.domain.text.yaml_edit import EditRefused, YamlEdit, flow, proven, read

NONE_CHOSEN = "None chosen means all of them, and stops the deploys of all."
"""What the form says below the dropdown of services."""
_TYPED = "Their names, comma-separated"
"""How our words begin below the field in which services are typed."""
_OUR_REMARK = re.compile(r"zizmor: ignore\[unpinned-uses\]|v\d[\w.]*$")


def with_options(text: str, services: Sequence[str]) -> str:
    """A form whose dropdown of services offers these. Raises `EditRefused`.

    A field in which people type their services becomes a dropdown. Its label stays, and so does
    its description, unless that is ours, about typing.
    """
    document = read(text)
    body = document.get("body")
    fields = body if isinstance(body, list) else []
    number = next(
        (n for n, f in enumerate(fields) if isinstance(f, dict) and f.get("id") == "services"), -1
    )
    attributes = fields[number].get("attributes") if number >= 0 else None
    if not isinstance(attributes, dict) or not services:
        raise EditRefused("it has no field for services, or there are none")
    edit = YamlEdit(text)
    if isinstance(attributes.get("options"), list):
        options = attributes["options"]
        edit.set_items(edit.find("body", number, "attributes", "options"), services, _name)
    elif fields[number].get("type") == "input":
        options = []
        edit.replace(edit.find("body", number, "type"), "dropdown")
        edit.add_keys(
            edit.find("body", number, "attributes"),
            {"multiple": "true", "options": flow(list(services))},
        )
        attributes["multiple"], fields[number]["type"] = True, "dropdown"
        if str(attributes.get("description")).startswith(_TYPED):
            edit.replace(edit.find("body", number, "attributes", "description"), NONE_CHOSEN)
            attributes["description"] = NONE_CHOSEN
        if "placeholder" in attributes:
            edit.cut(edit.find("body", number, "attributes", "placeholder"))
            del attributes["placeholder"]
    else:
        raise EditRefused("its field for services can't be read")
    attributes["options"] = _items(options, services)
    return proven(edit.result(), document)


def with_settings(text: str, services: Sequence[str], commander: str | None) -> str:
    """A configuration with this list of services and this commander. Raises `EditRefused`.

    None for the commander, and no services, leave what is there.
    """
    document = read(text)
    listed, roles = document.get("services"), document.get("roles")
    if services:
        if listed:
            edit = YamlEdit(text)
            edit.set_items(edit.find("services"), services, _name)
            text = edit.result()
        elif "services" in document:
            raise EditRefused("its list of services is empty")
        else:
            text = _appended(text, f"services: {flow(list(services))}")
        document["services"] = _items(listed or [], services)
    if commander:
        edit = YamlEdit(text)
        if "roles" not in document:
            text = _appended(text, f"roles: {flow({'commander': commander})}")
        elif isinstance(roles, dict) and "commander" in roles:
            edit.replace(edit.find("roles", "commander"), flow(commander))
            text = edit.result()
        else:
            edit.put_key(edit.find("roles"), "commander", commander)
            text = edit.result()
        document["roles"] = {**(roles or {}), "commander": commander}
    return proven(text, document)


def with_action(text: str, action: ActionReference) -> str:
    """A workflow whose steps name our action so. Raises `EditRefused`."""
    document, edit = read(text), YamlEdit(text)
    jobs = document.get("jobs")
    for name, job in (jobs if isinstance(jobs, dict) else {}).items():
        steps = job.get("steps") if isinstance(job, dict) else None
        for number, step in enumerate(steps if isinstance(steps, list) else []):
            if isinstance(step, dict) and is_ours(step) and step["uses"] != action.uses:
                place = edit.find("jobs", name, "steps", number, "uses")
                edit.replace(place, action.uses)
                edit.remark(place, action.remark, _OUR_REMARK)
                step["uses"] = action.uses
    return proven(edit.result(), document)


def _items(options: Sequence[Any], services: Sequence[str]) -> list[Any]:
    """The items of a list with these names: those that were there as they were."""
    known = {_named(option): option for option in options}
    return [known.get(name.casefold(), name) for name in services]


def _named(option: Any) -> str:
    name = option.get("name") if isinstance(option, dict) else option
    return str(name).casefold()


def _name(node: yaml.Node) -> str:
    """The name of a service in a list, in lower case; empty when it has none."""
    if isinstance(node, yaml.MappingNode):
        return next((_name(value) for key, value in node.value if key.value == "name"), "")
    return str(node.value).casefold()


def _appended(text: str, line: str) -> str:
    end = "\r\n" if "\r\n" in text else "\n"
    return text + ("" if not text or text.endswith("\n") else end) + line + end
