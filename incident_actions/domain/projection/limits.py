"""GitHub's limits of length, kept in one place: what is too long is cut at a word, and says so.

GitHub refuses a whole request for one text that is too long or one label that it does not take.
"""

from __future__ import annotations

import re
from typing import TypeVar

from msgspec.structs import replace

from incident_actions.domain.issue import labels
from incident_actions.domain.issue.observation import MAX_LENGTH, length_on_github
from incident_actions.domain.postmortem.record import MAX_TITLE
from incident_actions.domain.projection import effects as e
from incident_actions.domain.text.harmless import head, one_line

MAX_SUMMARY = 65_535
"""https://docs.github.com/en/rest/checks/runs#create-a-check-run"""
MAX_CHECK_TITLE = 255
MAX_ANNOTATION = 10_000
"""GitHub takes 64 KB; nobody reads more than this."""
MAX_MESSAGE = 10_000
"""Characters of a commit's message."""
_CUT = "\n\n(cut: GitHub takes no longer text)"
_MARKER = re.compile(r"\s*<!-- incident-actions:[a-z-]+ [^>\r\n]{1,200} -->\s*\Z")
_FENCE = re.compile(r"^(`{3,}|~{3,})", re.MULTILINE)

Changed = TypeVar("Changed", bound=e.Effect)


def within_limits(effect: Changed) -> Changed:
    """The same change with texts that GitHub takes.

    A comment or a new body keeps the marker at its end. The body of an issue that exists holds
    people's words and the state: one that is too long is not written at all.
    """
    match effect:
        case e.PostComment() | e.EditComment():
            return replace(effect, text=long_text(effect.text))
        case e.EditIssue(title=title, body=body, labels=names):
            return replace(
                effect,
                title=None if title is None else one_line(title, MAX_TITLE),
                body=body if body is None or length_on_github(body) <= MAX_LENGTH else None,
                labels=None if names is None else _labels(names),
            )
        case e.OpenIssue():
            return replace(
                effect,
                title=one_line(effect.title, MAX_TITLE) or "Untitled",
                body=long_text(effect.body),
                labels=_labels(effect.labels),
            )
        case e.OpenPull():
            title = one_line(effect.title, MAX_TITLE)
            return replace(effect, title=title, body=long_text(effect.body))
        case e.CommitFiles():
            return replace(effect, message=long_text(effect.message, MAX_MESSAGE))
        case e.CreateLabel(label=label):
            return replace(effect, label=labels.fitting(label))
        case e.PublishCheck(check=check):
            fitting = replace(
                check,
                title=one_line(check.title, MAX_CHECK_TITLE),
                summary=long_text(check.summary, MAX_SUMMARY),
            )
            return replace(effect, check=fitting)
    return effect


def long_text(text: str, longest: int = MAX_LENGTH) -> str:
    """A text of several lines; one that is too long is cut at a word, and says so.

    The marker at its end stays, and a code block that the cut leaves open is closed.
    """
    text = text.replace("\0", "")
    if length_on_github(text) <= longest:
        return text
    marker = _MARKER.search(text[-400:])
    end = f"\n\n{marker[0].strip()}" if marker else ""
    kept = head(text, longest - length_on_github(_CUT + end) - 8)
    fences = _FENCE.findall(kept)
    closed = f"\n{fences[-1][:3]}" if len(fences) % 2 else ""
    return f"{kept.rstrip()}{closed}{_CUT}{end}"


def _labels(names: tuple[str, ...]) -> tuple[str, ...]:
    """The labels that GitHub takes, each once."""
    return tuple(dict.fromkeys(filter(None, map(labels.clean, names))))
