"""Issue forms: reading the form file, and the answers out of the body that GitHub made of it.

GitHub renders each answer as `### label`, an empty line and the value. The label is the team's
to reword, so answers are found by the labels in the form file itself.
https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from msgspec import Struct

from incident_actions.errors import ConfigError

NO_RESPONSE = "_No response_"
_NOTHING_KNOWN = frozenset({"unknown", "not known yet"})
_HEADING = re.compile(r"^### (?P<label>.*?)[ \t]*$")
_BOX = re.compile(r"^\s*[-*] \[[xX]\] (?P<text>.+?)\s*$")
_BOX_ANY = re.compile(r"^\s*[-*] \[[ xX]\] ")


class FormField(Struct, frozen=True):
    """One question of a form that has an answer."""

    id: str
    type: str
    label: str


class Form(Struct, frozen=True):
    """The questions of a form, in order."""

    fields: tuple[FormField, ...]

    def field(self, id: str) -> FormField | None:
        """The question with this `id`."""
        return next((field for field in self.fields if field.id == id), None)


class FormValues(Struct, frozen=True):
    """The answers of one body, by field `id`. Unanswered questions are absent."""

    values: Mapping[str, str]
    boxes: Mapping[str, tuple[str, ...]]

    def get(self, id: str) -> str:
        """The answer, or an empty text."""
        return self.values.get(id, "")

    @property
    def given(self) -> frozenset[str]:
        """The questions that were answered: one box at least is ticked, and something is known."""
        return frozenset(
            id
            for id, value in self.values.items()
            if self.boxes.get(id, True) and value.casefold() not in _NOTHING_KNOWN
        )


def read_form(document: Any, path: str) -> Form:
    """A form file's YAML, already loaded, as a `Form`.

    Raises `ConfigError` when it is no form: the message names the path in the file.
    """
    if not isinstance(document, dict) or not isinstance(document.get("body"), list):
        raise ConfigError(path, ["`body` must be a list of form elements"])
    fields = []
    for element in document["body"]:
        if not isinstance(element, dict) or element.get("type") == "markdown":
            continue
        attributes = element.get("attributes")
        label = attributes.get("label") if isinstance(attributes, dict) else None
        if isinstance(label, str) and label.strip():
            id_ = element.get("id")
            fields.append(
                FormField(
                    id=id_ if isinstance(id_, str) else "",
                    type=str(element.get("type", "")),
                    label=" ".join(label.split()),
                )
            )
    return Form(tuple(fields))


def offered(document: Any, id: str) -> tuple[str, ...]:
    """The options that a form offers for a question; none when people type the answer."""
    elements = document.get("body") if isinstance(document, dict) else None
    for element in elements if isinstance(elements, list) else ():
        if isinstance(element, dict) and element.get("id") == id:
            attributes = element.get("attributes")
            options = attributes.get("options") if isinstance(attributes, dict) else None
            return tuple(map(str, options)) if isinstance(options, list) else ()
    return ()


def read_answers(form: Form, text: str) -> FormValues:
    """The answers in a body.

    A heading counts only when it carries one of the form's labels and stands after the headings
    that the form puts before it. So a `### Severity` that somebody typed into a later answer is
    part of that answer. GitHub may leave questions out, but never reorders them.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    headings = _headings(form.fields, lines)
    values: dict[str, str] = {}
    boxes: dict[str, tuple[str, ...]] = {}
    for index, (start, field) in enumerate(headings):
        end = headings[index + 1][0] if index + 1 < len(headings) else len(lines)
        value = "\n".join(lines[start + 1 : end]).strip()
        if not field.id or not value or value == NO_RESPONSE:
            continue
        values[field.id] = value
        answered = value.split("\n")
        if all(_BOX_ANY.match(line) for line in answered if line.strip()):
            boxes[field.id] = tuple(m["text"] for line in answered if (m := _BOX.match(line)))
    return FormValues(values, boxes)


def _headings(fields: Sequence[FormField], lines: Sequence[str]) -> list[tuple[int, FormField]]:
    """The lines that are the form's own headings: (line number, field), in the form's order.

    Where a label appears more often than the form asks it, the earliest in order is the form's.
    """
    places: dict[str, list[int]] = {}
    for number, line in enumerate(lines):
        match = _HEADING.match(line)
        if match:
            places.setdefault(" ".join(match["label"].split()).casefold(), []).append(number)
    chosen: list[tuple[int, FormField]] = []
    after = -1
    for field in fields:
        later = [n for n in places.get(field.label.casefold(), ()) if n > after]
        if later:
            after = later[0]
            chosen.append((after, field))
    return chosen


def looks_filled(form: Form, text: str) -> bool:
    """Whether a body was made by this form: it has most of the form's headings, in order.

    A form's labels are dropped silently where they don't exist yet, so the first incident of a
    repository may come without its label.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    found = {field.id for _, field in _headings(form.fields, lines)}
    return "severity" in found and len(found) * 2 > len(form.fields)


def reported_text(reporter: str) -> str:
    """The form as the reporter filled it, out of the quote in a confirmed incident's body.

    What the quote made harmless is as it was: answers are data again.
    """
    lines = reporter.replace("\r\n", "\n").split("\n")
    quoted = "\n".join(line[1:].removeprefix(" ") for line in lines if line.startswith(">"))
    return quoted.replace("@\u200b", "@").replace("&lt;", "<")
