"""Event files as GitHub writes them: real payloads with a sandbox's issue, people and repository.

https://docs.github.com/en/webhooks/webhook-events-and-payloads
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "tests" / "data" / "webhooks"
FORM = ROOT / ".github" / "ISSUE_TEMPLATE" / "incident.yml"

Json = dict[str, Any]

# There is no real example of an issue's closing; reopening has the same shape.
_STAND_INS = {"issues.closed": "issues.reopened"}


def example(event: str, action: str | None = None) -> Json:
    """A payload that GitHub sent for this event and action, with the action filled in."""
    name = f"{event}.{action}" if action else event
    payload: Json = json.loads((EXAMPLES / f"{_STAND_INS.get(name, name)}.json").read_text("utf-8"))
    return {**payload, "action": action} if action else payload


def payload_of(delivery: tuple[str, Json]) -> Json:
    """The event file for one of `Sandbox.deliveries`: a real payload about the sandbox's things.

    Where the sandbox tells a field its value counts; all the rest is as GitHub sent it.
    """
    event, ours = delivery
    payload = example(event, ours.get("action"))
    for name, value in ours.items():
        real = payload.get(name)
        payload[name] = {**real, **value} if _objects(real, value) else value
    return payload


def _objects(*values: object) -> bool:
    return all(isinstance(value, dict) for value in values)


def schedule_event(cron: str = "37 * * * *") -> Json:
    """What a scheduled run finds in its event file."""
    return {"schedule": cron}


def form_body(answers: Mapping[str, str | Iterable[str]], form: Path = FORM) -> str:
    """The body that GitHub makes of a filled form. `answers` goes by field id.

    A dropdown takes its option's start ("SEV1"), a group of checkboxes the labels that are ticked.
    What has no answer reads `_No response_`; ids that the form doesn't have raise a KeyError.

    https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
    """
    fields = [
        field
        for field in yaml.safe_load(form.read_text("utf-8"))["body"]
        if field["type"] != "markdown"
    ]
    unknown = answers.keys() - {field.get("id") for field in fields}
    if unknown:
        raise KeyError(f"not in {form.name}: {', '.join(sorted(unknown))}")
    sections = [
        f"### {field['attributes']['label']}\n\n{_render(field, answers.get(field.get('id')))}"
        for field in fields
    ]
    return "\n\n".join(sections)


def _render(field: Json, answer: str | Iterable[str] | None) -> str:
    attributes = field["attributes"]
    if field["type"] == "checkboxes":
        ticked = {answer} if isinstance(answer, str) else set(answer or ())
        labels = [option["label"] for option in attributes["options"]]
        if ticked - set(labels):
            raise KeyError(f"no such box: {ticked - set(labels)}")
        return "\n".join(f"- [{'X' if label in ticked else ' '}] {label}" for label in labels)
    if field["type"] == "dropdown":
        if answer is None and "default" in attributes:
            return str(attributes["options"][attributes["default"]])
        starts = [answer] if isinstance(answer, str) else list(answer or ())
        chosen = [
            next(option for option in attributes["options"] if option.startswith(start))
            for start in starts
        ]
        return ", ".join(chosen) or "_No response_"
    return str(answer) if answer else "_No response_"
