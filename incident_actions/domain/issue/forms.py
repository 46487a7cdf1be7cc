"""Issue forms: read the form's file, the answers in an issue's body, and their values.

GitHub writes each answer into the body as `### label`, an empty line and the value. Teams may
change the labels, so answers are found by the labels in the form's file. An answer that can't be
read is None or empty, never an error.
https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from msgspec import Struct

from incident_actions import gate_readers
from incident_actions.domain.issue.incident import Severity
from incident_actions.domain.text.blanks import is_blank
from incident_actions.domain.text.harmless import loud
from incident_actions.domain.text.names import LOGIN, as_code
from incident_actions.domain.text.words import pattern
from incident_actions.errors import ConfigError
from incident_actions.gate_readers import HEADING, NOT_LOGINS, dig, kept

_ONE_ANSWER = frozenset({"services", "started", "commander"})
_BOX = re.compile(r"\s*[-*] \[(?P<tick>[ xX])\] (?P<text>.*)")
_LOGIN = re.compile(rf"@?({LOGIN})$")
_NOBODY = pattern("nobody", of="blank")
_REPORTED = pattern("reported", of="deploys")
_NOT_REPORTED = pattern("not_reported", of="deploys")


class FormField(Struct, frozen=True, array_like=True):
    """A question of a form. In the state it is a list: `[id, label]`."""

    id: str
    label: str


class Form(Struct, frozen=True):
    """The questions of a form, in order. `title` is what it puts into the title of each issue."""

    fields: tuple[FormField, ...]
    title: str = ""

    def field(self, id: str) -> FormField | None:
        """The question with this id; None when there is none."""
        return next((field for field in self.fields if field.id == id), None)


class FormValues(Struct, frozen=True):
    """The answers in one body, by the question's id, without questions that were not answered.

    An answer that says nothing, such as `-` or `tbd`, is none (see `is_blank`). `values` are texts.
    `boxes` holds the ticked options of questions with boxes.
    """

    values: Mapping[str, str]
    boxes: Mapping[str, tuple[str, ...]]

    def get(self, id: str) -> str:
        """The answer to a question, or an empty text."""
        return self.values.get(id, "")

    @property
    def given(self) -> frozenset[str]:
        """The ids of questions with a real answer: not only empty boxes."""
        return frozenset(
            id
            for id, value in self.values.items()
            if self.boxes.get(id, True) and not is_blank(value)
        )


def read_form(document: Any, path: str) -> Form:
    """The form in a file. `document` is its YAML, already loaded; `path` names it in errors.

    Raises `ConfigError` when it is no form.
    """
    if not isinstance(dig(document, "body"), list):
        raise ConfigError(path, ["`body` must be a list of form elements"])
    fields = []
    for element in kept(document["body"], dict):
        id_, label = element.get("id"), dig(element, "attributes", "label")
        if element.get("type") != "markdown" and isinstance(label, str) and label.strip():
            fields.append(FormField(id_ if isinstance(id_, str) else "", " ".join(label.split())))
    title = document.get("title")
    return Form(tuple(fields), " ".join(title.split()) if isinstance(title, str) else "")


def offered(document: Any, id: str) -> tuple[str, ...]:
    """The options of a question in a form's YAML; empty when people type the answer."""
    elements = kept(dig(document, "body"), dict)
    question = next((element for element in elements if element.get("id") == id), None)
    options = dig(question, "attributes", "options")
    return tuple(map(str, options)) if isinstance(options, list) else ()


def read_answers(form: Form, text: str) -> FormValues:
    """The answers in a body.

    A heading counts only when it is one of the form's labels, and comes after the headings of the
    questions before it. So a `### Severity` that somebody typed into a later answer is part of that
    answer. GitHub may leave questions out, but keeps their order.

    Where a heading is there twice, nobody can tell which one is the form's. So of two severities
    the worse one counts, a box is ticked when it is in either, and questions of which a wrong
    answer would narrow a freeze, or date or staff an incident, count as not answered.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    headings = _headings(form, text)
    ends = [heading.start() for _, heading in headings[1:]] + [len(text)]
    values: dict[str, str] = {}
    boxes: dict[str, tuple[str, ...]] = {}
    for (field, heading), end in zip(headings, ends, strict=False):
        value = text[heading.end() : end].strip()
        typed = _typed_below(field, text)
        if len(typed) > 1 and field.id == "severity":
            value = min((value, *typed.values()), key=lambda each: read_severity(each) or "")
        elif len(typed) > 1 and field.id in _ONE_ANSWER:
            continue
        if field.id and not is_blank(value):
            values[field.id] = value
            own = typed[heading.start()] if len(typed) > 1 else value
            if all(_BOX.match(line) for line in own.split("\n") if line.strip()):
                lines = [_BOX.match(line) for line in "\n".join((own, *typed.values())).split("\n")]
                ticked = [m["text"].strip() for m in lines if m and m["tick"] != " "]
                boxes[field.id] = tuple(dict.fromkeys(ticked))
    return FormValues(values, boxes)


def _typed_below(field: FormField, text: str) -> dict[int, str]:
    """The texts below each heading with the question's label, up to the next heading.

    By the place of the heading in the body.
    """
    places = [*HEADING.finditer(text)]
    ends = [place.start() for place in places[1:]] + [len(text)]
    return {
        place.start(): text[place.end() : end].strip()
        for place, end in zip(places, ends, strict=False)
        if _label(place) == field.label.casefold()
    }


def _label(heading: re.Match[str]) -> str:
    return " ".join(heading[1].split()).casefold()


def _headings(form: Form, text: str) -> list[tuple[FormField, re.Match[str]]]:
    """The form's questions with the matches of their headings in a body, in the form's order.

    The body must have LF line ends. When a label is a heading more than once, the first one after
    the question before counts.
    """
    rest = [(_label(match), match) for match in HEADING.finditer(text)]
    chosen = []
    for field in form.fields:
        places = [n for n, (label, _) in enumerate(rest) if label == field.label.casefold()]
        if places:
            chosen.append((field, rest[places[0]][1]))
            rest = rest[places[0] + 1 :]
    return chosen


def looks_filled(form: Form, text: str) -> bool:
    """Whether a body was made by this form: it has most of the form's headings, in order.

    This is needed because GitHub silently drops a form's labels that do not exist in the repository
    yet. So a repository's first incident may lack the label `incident`.
    """
    ids = {field.id for field, _ in _headings(form, text.replace("\r\n", "\n"))}
    return "severity" in ids and len(ids) * 2 > len(form.fields)


def reported_text(reporter: str) -> str:
    """The reporter's text from the quote in the body of an incident that was a report.

    The quote had mentions, references and `<` escaped, so that they had no effect; here they are
    restored, because the answers are read as data.
    """
    lines = reporter.replace("\r\n", "\n").split("\n")
    quoted = "\n".join(line[1:].removeprefix(" ") for line in lines if line.startswith(">"))
    return loud(quoted).replace("&lt;", "<")


def read_severity(answer: str) -> Severity | None:
    """The severity that a form's answer begins with, or None."""
    name = gate_readers.read_severity(answer)
    return Severity(name) if name else None


def read_services(answer: str) -> tuple[str, ...]:
    """The services in an answer: names that fit into a label, in lower case, sorted.

    Empty means all services. An answer names services only when it is a plain list of ASCII words.
    The gate reads them with the same code.
    """
    return tuple(sorted(gate_readers.single_words(answer)))


def wrong_service_name(name: str) -> str:
    """What is wrong with a name for a service, as the end of a sentence; empty when nothing is."""
    if gate_readers.is_service(name):
        return ""
    if gate_readers.means_everything(name.casefold()):
        return f"`{as_code(name)}` would be read as all services, so it can't be the name of one"
    return (
        f"`{as_code(name)}` is no service's name: 40 ASCII letters, digits, `.`, `_` and `-` at"
        " most, without a `.` or `-` at an end"
    )


def unlisted(named: Iterable[str], known: Sequence[str]) -> tuple[str, str] | None:
    """The first name that is no known service: what to say about it, and what is near to it.

    `named` are names in lower case; `known` is the team's list, empty when it has none: then every
    plain name counts. The second text is empty when no known name is near. None: all are known.
    """
    for name in named:
        wrong = wrong_service_name(name)
        if wrong or (known and name not in known):
            listed = ", ".join(f"`{each}`" for each in known[:20])
            more = f" and {len(known) - 20} more" if len(known) > 20 else ""
            choice = f"`{as_code(name)}` is none of the services: {listed}{more}"
            near = difflib.get_close_matches(name[:40], known, n=1, cutoff=0.5)
            return choice if known else wrong, near[0] if near else ""
    return None


def affects_customers(answer: str) -> bool:
    """Whether customers are affected, by a free text: it is not empty, nor begins like `nobody`."""
    return bool(answer.strip()) and _NOBODY.match(answer) is None


def says_deploy(report: str) -> bool:
    """Whether a report speaks of a deploy: `500s since the 14:00 deploy`; not `no deploy today`."""
    return any(
        not _NOT_REPORTED.search(report, max(0, found.start() - 60), found.start())
        for found in _REPORTED.finditer(report)
    )


def read_login(answer: str) -> str | None:
    """The login in an answer that is a login, with or without `@`, and nothing else; else None.

    Words such as `nobody` are no logins.
    """
    match = _LOGIN.match(answer.strip())
    return match[1] if match and answer.strip().casefold() not in NOT_LOGINS else None
