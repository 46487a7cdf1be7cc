"""Filling the incident form, as somebody does on GitHub's page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

Answers = Mapping[str, str]


def fill(form: Path, answers: Answers) -> tuple[str, tuple[str, ...]]:
    """The body and the labels of the issue that the form makes.

    `answers` go by field id. An option of a dropdown or a box may be named by its beginning. What
    has no answer is left as the form has it. Raises KeyError for an answer that doesn't fit.

    https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
    """
    document: dict[str, Any] = yaml.safe_load(form.read_text("utf-8"))
    fields = [field for field in document["body"] if field["type"] != "markdown"]
    if unknown := answers.keys() - {field["id"] for field in fields}:
        raise KeyError(f"{form.name} has no field {', '.join(sorted(unknown))}")
    sections = (
        f"### {field['attributes']['label']}\n\n{_value(field, answers.get(field['id'], ''))}"
        for field in fields
    )
    return "\n\n".join(sections), tuple(document.get("labels", ()))


def _value(field: dict[str, Any], answer: str) -> str:
    """One answer as GitHub writes it into the body."""
    attributes = field["attributes"]
    options = attributes.get("options", [])
    if field["type"] == "checkboxes":
        labels = [option["label"] for option in options]
        ticked = _pick(labels, answer, field["id"]) if answer else None
        return "\n".join(f"- [{'X' if label == ticked else ' '}] {label}" for label in labels)
    if field["type"] == "dropdown":
        if not answer and "default" in attributes:
            return str(options[attributes["default"]])
        return _pick(options, answer, field["id"]) if answer else "_No response_"
    return answer or "_No response_"


def _pick(options: list[str], beginning: str, field: str) -> str:
    for option in options:
        if option.startswith(beginning):
            return option
    raise KeyError(f"the field {field} has no option that begins {beginning!r}")
