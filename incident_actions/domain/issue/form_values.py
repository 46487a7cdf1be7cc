"""What people type into a form, as values. Lenient: what can't be read is None, never an error."""

from __future__ import annotations

import re

from incident_actions import gate_readers
from incident_actions.domain.issue.incident import Severity


def read_severity(answer: str) -> Severity | None:
    """The severity that a form's answer begins with, or None."""
    found = gate_readers.read_severity(answer)
    return Severity(found) if found else None


def read_services(answer: str) -> tuple[str, ...]:
    """Service names of an answer, lower case, sorted, fit for a label; empty: everything.

    Only a plain list of ASCII words names services, by the gate's own reader.
    """
    return tuple(sorted(gate_readers.single_words(answer)))


_NOBODY = re.compile(
    r"\W*(none|no|nobody|no one|no customers?|only (us|ourselves)|internal(ly)?|staff)\b",
    re.IGNORECASE,
)


def affects_customers(answer: str) -> bool:
    """Whether customers feel it, from free text: somebody is named, and not ourselves."""
    return bool(answer.strip()) and _NOBODY.match(answer) is None


_LOGIN = re.compile(r"^@?([A-Za-z0-9][A-Za-z0-9-]{0,38})$")


def read_login(answer: str) -> str | None:
    """A GitHub login of a one-word answer, or None."""
    found = _LOGIN.match(answer.strip())
    return found[1] if found else None
