"""Reading the words after a command. Forgiving about spelling, clear about mistakes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from incident_actions.domain.issue.incident import Severity
from incident_actions.domain.text.names import as_code, read_name
from incident_actions.domain.text.times import looks_like_duration, take_duration

Choice = TypeVar("Choice")

_SEVERITY = re.compile(r"[\"'`(]*(?:sev|severity)?[\s_-]*([0-9]+)\b[\"'`):]*", re.IGNORECASE)
_LOGIN = re.compile(r"@?([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))(\[bot\])?[,.:]?$")
_NEXT_FIRST = re.compile(r"next(?:\s+(?:in|update(?:\s+in)?))?\s+(?=\d)", re.IGNORECASE)
_NEXT_LAST = re.compile(r"[\s(,;:.]next\s+(?:in\s+)?(\d[\w. ]{0,16}?)[.)]?$")
_SHA = re.compile(r"[0-9a-f]{7,40}$")
_PR = re.compile(r"(?:\S*/pull/|#|pr\s?#?)(\d{1,9})$", re.IGNORECASE)
_MOST_NAMES = 20


class Mistake(Exception):
    """A command that can't be taken: why, and what to type instead."""

    def __init__(self, reason: str, suggestion: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.suggestion = suggestion


@dataclass
class Arguments:
    """What follows a command's name, read from left to right.

    Every method takes what it reads away; `Mistake` says what is missing. `dated` is True when
    the command carries a time, which the parser has taken out before.
    """

    text: str
    dated: bool = False

    def peek(self) -> str:
        """The next word, or an empty text."""
        return self.text.split(None, 1)[0] if self.text else ""

    def rest(self) -> str:
        """All that is left."""
        text, self.text = self.text, ""
        return text

    def needed(self, what: str) -> str:
        """All that is left, which must not be empty."""
        text = self.rest()
        if not text:
            raise Mistake(f"{what} is missing", "")
        return text

    def word(self, what: str, suggestion: str = "") -> str:
        """The next word."""
        word = self.peek()
        if not word:
            raise Mistake(f"{what} is missing", suggestion)
        self.text = self.text[len(word) :].lstrip()
        return word

    def flag(self, name: str) -> bool:
        """Whether the next word is this flag. An em dash for two hyphens is understood."""
        if self.peek().replace("—", "--").replace("–", "--").casefold() != name:
            return False
        self.word(name)
        return True

    def choice(
        self, what: str, choices: Mapping[str, Choice], also: Mapping[str, Choice] | None = None
    ) -> Choice:
        """One of a closed list, ignoring case."""
        listed = ", ".join(f"`{name}`" for name in choices)
        word = self.word(f"the {what} ({listed})").strip("`\"'").casefold()
        accepted = {**choices, **(also or {})}
        if word in accepted:
            return accepted[word]
        near = difflib.get_close_matches(word[:40], list(choices), n=1, cutoff=0.5)
        raise Mistake(f"`{as_code(word)}` is no {what}: {listed}", near[0] if near else "")

    def severity(self) -> Severity:
        """`sev1`, `SEV-1`, `sev 1` or `1`."""
        found = _SEVERITY.match(self.text)
        if found is None:
            if not self.text:
                raise Mistake("the severity is missing: `sev1`, `sev2`, `sev3`", "sev2")
            raise Mistake(
                f"`{as_code(self.peek())}` is no severity: `sev1`, `sev2`, `sev3`", "sev2"
            )
        self.text = self.text[found.end() :].lstrip(" ,;:.-")
        try:
            return Severity(f"sev{int(found[1][:4])}")
        except ValueError:
            raise Mistake("there are three severities: `sev1`, `sev2`, `sev3`", "sev2") from None

    def login(self, what: str) -> str:
        """A GitHub login, with or without `@`."""
        word = self.word(what)
        found = _LOGIN.match(word)
        if found is None:
            raise Mistake(f"`{as_code(word)}` is no GitHub login", "@user")
        return found[1]

    def optional_login(self) -> str | None:
        """A login, `me`, or nothing: None stands for whoever typed it."""
        word = self.peek().casefold()
        if word in ("", "me", "@me"):
            self.rest()
            return None
        return self.login("who")

    def duration(self, what: str, suggestion: str) -> timedelta:
        """A duration at the start, which must be there: `30m`, `2h`, `1h30m`, `90 min`."""
        taken = _take_duration(self.text)
        if taken is None:
            raise Mistake(f"{what} is missing, as in `30m` or `2h`", suggestion)
        duration, self.text = taken
        return duration

    def duration_after(self, word: str) -> timedelta | None:
        """The duration after a word like `for`, when both are there.

        Without one, the word is part of the text: `/allow #5 for the fix`.
        """
        if self.peek().casefold() != word:
            return None
        text = self.text[len(word) :].lstrip()
        taken = _take_duration(text)
        if taken is None:
            if looks_like_duration(text):
                said = as_code(" ".join(text.split()[:2]))
                raise Mistake(f"`{said}` is no time that can be read, as `30m` or `2h` are", "")
            return None
        duration, self.text = taken
        return duration

    def promise(self, longest: timedelta) -> timedelta | None:
        """`next 20m` (or `next in 20m`) at the start or the end, taken out of the text."""
        start = _NEXT_FIRST.match(self.text)
        if start:
            taken = _take_duration(self.text[start.end() :])
        else:
            end = _NEXT_LAST.search(self.text, max(len(self.text) - 40, 0))
            taken = _take_duration(end[1]) if end else None
            if end and taken:
                before = self.text[: end.start()].rstrip(" (,;:")
                taken = None if taken[1] else (taken[0], before)
        if taken is None:
            return None
        duration, self.text = taken
        if duration > longest:
            raise Mistake("the next update can be 24 hours away at most", "/update next 20m …")
        return duration

    def change(self) -> tuple[str | None, int | None]:
        """A commit or a pull request: (sha, None) or (None, number)."""
        if re.match(r"pr\s+#?\d", self.text, re.IGNORECASE):
            self.word("pr")
            self.text = "#" + self.text.lstrip("#")
        word = self.word("the commit or pull request", "/allow #57 for 2h REASON")
        typed = word.strip("`,.;:")
        found = _PR.match(typed)
        if found:
            return None, int(found[1])
        sha = typed.casefold().rsplit("/", 1)[-1]
        if _SHA.match(sha):
            return sha, None
        raise Mistake(
            f"`{as_code(word)}` is neither a commit (7 to 40 hex digits) nor a pull request",
            "/allow #57 for 2h REASON",
        )

    def slug(self, what: str) -> str:
        """One short name: letters, digits, `.`, `_`, `-`; several words are joined by `-`."""
        return _name(self.needed(what), what)

    def slugs(self, what: str) -> tuple[str, ...]:
        """Short names, separated by commas or spaces, in the order given."""
        words = re.split(r"[,\s]+", self.needed(what).strip(", "))
        names = tuple(dict.fromkeys(_name(word, what) for word in words if word))
        if len(names) > _MOST_NAMES:
            raise Mistake(f"{what} can be {_MOST_NAMES} at most", "")
        return names


def _take_duration(text: str) -> tuple[timedelta, str] | None:
    taken = take_duration(text)
    if taken is not None and not taken[0]:
        raise Mistake("the time must be longer than zero", "")
    return taken


def _name(text: str, what: str) -> str:
    name = read_name(text)
    if name is None:
        raise Mistake(f"{what} must be a short name of letters, digits and `-`", "")
    return name
