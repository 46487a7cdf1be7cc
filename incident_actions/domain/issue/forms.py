"""Issue forms: reading the form file, the answers in the body that GitHub made of it, their values.

GitHub renders each answer as `### label`, an empty line and the value. The label is the team's
to reword, so answers are found by the labels in the form file itself. Values are read leniently:
what can't be read is None or empty, never an error.
https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from incident_actions import gate_readers
from incident_actions.domain.issue.incident import Severity
from incident_actions.errors import ConfigError
from incident_actions.gate_readers import HEADING, NO_RESPONSE, dig, kept

_NOTHING_KNOWN = frozenset({"unknown", "not known yet"})
_BOX = re.compile(r"\s*[-*] \[(?P<tick>[ xX])\] (?P<text>.*)")
_LOGIN = re.compile(r"^@?([A-Za-z0-9][A-Za-z0-9-]{0,38})$")
_NOBODY = re.compile(
    r"\W*(none|no|nobody|no one|no customers?|only (us|ourselves)|internal(ly)?|staff)\b",
    re.IGNORECASE,
)


class FormField(Struct, frozen=True, array_like=True):
    """One question of a form that has an answer. In the state it is a list of both."""

    id: str
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
    if not isinstance(dig(document, "body"), list):
        raise ConfigError(path, ["`body` must be a list of form elements"])
    fields = []
    for element in kept(document["body"], dict):
        id_, label = element.get("id"), dig(element, "attributes", "label")
        if element.get("type") != "markdown" and isinstance(label, str) and label.strip():
            fields.append(FormField(id_ if isinstance(id_, str) else "", " ".join(label.split())))
    return Form(tuple(fields))


def offered(document: Any, id: str) -> tuple[str, ...]:
    """The options that a form offers for a question; none when people type the answer."""
    elements = kept(dig(document, "body"), dict)
    asking = next((element for element in elements if element.get("id") == id), None)
    options = dig(asking, "attributes", "options")
    return tuple(map(str, options)) if isinstance(options, list) else ()


def read_answers(form: Form, text: str) -> FormValues:
    """The answers in a body.

    A heading counts only when it carries one of the form's labels and stands after the headings
    that the form puts before it. So a `### Severity` that somebody typed into a later answer is
    part of that answer. GitHub may leave questions out, but never reorders them.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    headings = _headings(form, text)
    ends = [heading.start() for _, heading in headings[1:]] + [len(text)]
    values: dict[str, str] = {}
    boxes: dict[str, tuple[str, ...]] = {}
    for (field, heading), end in zip(headings, ends, strict=False):
        value = text[heading.end() : end].strip()
        if field.id and value and value != NO_RESPONSE:
            values[field.id] = value
            found = [_BOX.match(line) for line in value.split("\n") if line.strip()]
            if all(found):
                boxes[field.id] = tuple(m["text"].strip() for m in found if m and m["tick"] != " ")
    return FormValues(values, boxes)


def _headings(form: Form, text: str) -> list[tuple[FormField, re.Match[str]]]:
    """The form's own headings in a body with LF, and where they stand, in the form's order.

    Where a label appears more often than the form asks it, the earliest in order is the form's.
    """
    rest = [(" ".join(found[1].split()).casefold(), found) for found in HEADING.finditer(text)]
    chosen = []
    for field in form.fields:
        places = [n for n, (label, _) in enumerate(rest) if label == field.label.casefold()]
        if places:
            chosen.append((field, rest[places[0]][1]))
            rest = rest[places[0] + 1 :]
    return chosen


def looks_filled(form: Form, text: str) -> bool:
    """Whether a body was made by this form: it has most of the form's headings, in order.

    A form's labels are dropped silently where they don't exist yet, so the first incident of a
    repository may come without its label.
    """
    found = {field.id for field, _ in _headings(form, text.replace("\r\n", "\n"))}
    return "severity" in found and len(found) * 2 > len(form.fields)


def reported_text(reporter: str) -> str:
    """The form as the reporter filled it, out of the quote in a confirmed incident's body.

    What the quote made harmless is as it was: answers are data again.
    """
    lines = reporter.replace("\r\n", "\n").split("\n")
    quoted = "\n".join(line[1:].removeprefix(" ") for line in lines if line.startswith(">"))
    return quoted.replace("@\u200b", "@").replace("&lt;", "<")


def read_severity(answer: str) -> Severity | None:
    """The severity that a form's answer begins with, or None."""
    found = gate_readers.read_severity(answer)
    return Severity(found) if found else None


def read_services(answer: str) -> tuple[str, ...]:
    """Service names of an answer, lower case, sorted, fit for a label; empty: everything.

    Only a plain list of ASCII words names services, by the gate's own reader.
    """
    return tuple(sorted(gate_readers.single_words(answer)))


def affects_customers(answer: str) -> bool:
    """Whether customers feel it, from free text: somebody is named, and not ourselves."""
    return bool(answer.strip()) and _NOBODY.match(answer) is None


def read_login(answer: str) -> str | None:
    """A GitHub login of a one-word answer, or None."""
    found = _LOGIN.match(answer.strip())
    return found[1] if found else None
