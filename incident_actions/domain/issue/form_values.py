"""What people type into a form, as values. Lenient: what can't be read is None, never an error."""

from __future__ import annotations

import re

from incident_actions.domain.issue.incident import Severity


def read_severity(answer: str) -> Severity | None:
    """The severity that a form's answer begins with, or None."""
    found = re.match(r"\W{0,4}sev[\s_-]{0,2}([123])\b", answer, re.IGNORECASE)
    return Severity(f"sev{found[1]}") if found else None


EVERYTHING = frozenset({
    "*", "all", "any", "anything", "both", "dont", "entire", "every", "everyone", "everything",
    "everywhere", "idk", "many", "multiple", "n-a", "n.a", "n/a", "na", "no", "none", "not",
    "nothing", "other", "others", "several", "some", "tbd", "total", "unclear", "unknown",
    "unsure", "various", "whole",
})  # fmt: skip
"""Words in an answer on services that name none in particular. The gate's are the same."""
_PLAIN_NAME = re.compile(r"[a-z0-9_](?:[a-z0-9._-]{0,38}[a-z0-9_])?")
_MOST_NAMES = 20


def read_services(answer: str) -> tuple[str, ...]:
    """Service names of an answer, lower case, sorted, fit for a label; empty: everything.

    Only a plain list of ASCII words names services. A phrase that was made into one would be a
    service that nobody deploys, and so would end the freeze of all the others. The gate, which
    reads the same before `respond` has run, shares a table of cases with this.
    """
    parts = (part.strip(" -*`").lower() for part in re.split(r"[,;\r\n]", answer))
    named = {part for part in parts if part}
    if len(named) > _MOST_NAMES or not all(map(_names_a_service, named)):
        return ()
    return tuple(sorted(named))


def _names_a_service(name: str) -> bool:
    words = {name, *re.split(r"[\W_]+", name)}
    return bool(_PLAIN_NAME.fullmatch(name)) and EVERYTHING.isdisjoint(words)


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
