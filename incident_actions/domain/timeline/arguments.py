"""Read the text after a command's name. Several spellings are accepted; a mistake is explained."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeVar

from incident_actions.domain.issue.incident import Severity
from incident_actions.domain.text.names import LOGIN, as_code, read_name
from incident_actions.domain.text.times import looks_like_duration, take_duration

Choice = TypeVar("Choice")

_SEVERITY = re.compile(r"[\"'`(]*(?:sev|severity)?[\s_-]*([0-9]+)\b[\"'`):]*", re.IGNORECASE)
_LOGIN = re.compile(rf"@?({LOGIN})(\[bot\])?[,.:]?$")
_NEXT_FIRST = re.compile(r"next(?:\s+(?:in|update(?:\s+in)?))?\s+(?=\d)", re.IGNORECASE)
_NEXT_LAST = re.compile(r"[\s(,;:.]next\s+(?:in\s+)?(\d[\w. ]{0,16}?)[.)]?$")
_SHA = re.compile(r"[0-9a-f]{7,64}$")
_PR = re.compile(r"(?:\S*/pull/|#|pr\s?#?)(\d{1,9})$", re.IGNORECASE)
_PULL = re.compile(r"(?:https?://\S*/pull/|#)?(\d{1,9})$")
_COMMIT_LINK = re.compile(r"https?://\S+/commit/[0-9a-f]{40}(?:[0-9a-f]{24})?$", re.IGNORECASE)
_MOST_NAMES = 20


class Mistake(Exception):
    """Raised for a command that can't be carried out.

    `reason` says why. `suggestion` is what to type instead: a whole line (`/verify all`), or what
    to put after the command's name (`sev2`); empty for the command's own syntax.
    """

    def __init__(self, reason: str, suggestion: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.suggestion = suggestion


@dataclass
class Arguments:
    """The text after a command's name, read from left to right.

    Every method but `peek` removes what it reads from `text`. A method raises `Mistake` when what
    it reads is missing or wrong. Where a method has a parameter `what`, that names the argument in
    the message. `dated` is True when the command had a time (`at 14:02`), which is not in `text`.
    """

    text: str
    dated: bool = False

    def peek(self) -> str:
        """The next word, which stays in `text`; empty when there is none."""
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
        """The value of the next word in `choices`, or in the aliases `also`, ignoring case."""
        listed = ", ".join(f"`{name}`" for name in choices)
        word = self.word(f"the {what} ({listed})").strip("`\"'").casefold()
        accepted = {**choices, **(also or {})}
        if word in accepted:
            return accepted[word]
        near = difflib.get_close_matches(word[:40], list(choices), n=1, cutoff=0.5)
        raise Mistake(f"`{as_code(word)}` is no {what}: {listed}", near[0] if near else "")

    def severity(self) -> Severity:
        """A severity, typed as `sev1`, `SEV-1`, `sev 1` or `1`."""
        match = _SEVERITY.match(self.text)
        if match is None:
            if not self.text:
                raise Mistake("the severity is missing: `sev1`, `sev2`, `sev3`", "sev2")
            raise Mistake(
                f"`{as_code(self.peek())}` is no severity: `sev1`, `sev2`, `sev3`", "sev2"
            )
        self.text = self.text[match.end() :].lstrip(" ,;:.-")
        try:
            return Severity(f"sev{int(match[1][:4])}")
        except ValueError:
            raise Mistake("there are three severities: `sev1`, `sev2`, `sev3`", "sev2") from None

    def login(self, what: str) -> str:
        """A GitHub login, typed with or without `@`; the result is without."""
        word = self.word(what)
        match = _LOGIN.match(word)
        if match is None:
            raise Mistake(f"`{as_code(word)}` is no GitHub login", "@user")
        return match[1]

    def optional_login(self) -> str | None:
        """A login. None for `me` or no word at all, which mean the person who typed the command."""
        word = self.peek().casefold()
        if word in ("", "me", "@me"):
            self.rest()
            return None
        return self.login("who")

    def duration(self, what: str, suggestion: str) -> timedelta:
        """The duration that comes next, which must be there: `30m`, `2h`, `1h30m`, `90 min`."""
        taken = _take_duration(self.text)
        if taken is None:
            raise Mistake(f"{what} is missing, as in `30m` or `2h`", suggestion)
        duration, self.text = taken
        return duration

    def duration_after(self, word: str) -> timedelta | None:
        """The duration after the next word, when that word is `word`: `for 2h`.

        None, with nothing removed, when another word or no duration comes: in
        `/allow #5 for the fix` the word `for` is part of the reason.
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
        """The duration of a `next 20m` or `next in 20m` at the start or the end; None without one.

        It may be `longest` at most.
        """
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
        """The commit or pull request that comes next: (sha, None) or (None, number)."""
        if re.match(r"pr\s+#?\d", self.text, re.IGNORECASE):
            self.word("pr")
            self.text = "#" + self.text.lstrip("#")
        word = self.word("the commit or pull request", "/allow #57 for 2h REASON")
        typed = word.strip("`,.;:")
        number = _PR.match(typed)
        if number:
            return None, int(number[1])
        sha = typed.casefold().rsplit("/", 1)[-1]
        if _SHA.match(sha):
            return sha, None
        raise Mistake(
            f"`{as_code(word)}` is neither a commit (7 or more hex digits) nor a pull request",
            "/allow #57 for 2h REASON",
        )

    def names_another_repository(self) -> bool:
        """Whether the next word is a link to a commit by its whole SHA; it stays in `text`.

        Such a commit may be of any repository, so it is not looked up.
        """
        return _COMMIT_LINK.match(self.peek()) is not None

    def pull_requests(self) -> tuple[int, ...]:
        """All that is left, as pull requests: `#57`, `57` or a link, with commas or spaces."""
        words = re.split(r"[,\s]+", self.needed("the pull request").strip(",. "))
        matches = [_PULL.match(word.strip("`,.;:")) for word in words if word.strip("`,.;:")]
        if not matches or not all(matches) or len(matches) > _MOST_NAMES:
            raise Mistake("a fix is named by the number of its pull request", "/fix #57")
        return tuple(dict.fromkeys(int(match[1]) for match in matches if match))

    def slug(self, what: str) -> str:
        """All that is left, as one short name (see `read_name`); it must not be empty."""
        return _name(self.needed(what), what)

    def slugs(self, what: str) -> tuple[str, ...]:
        """All that is left, as short names with commas or spaces between them, in their order."""
        words = re.split(r"[,\s]+", self.needed(what).strip(", "))
        names = tuple(dict.fromkeys(_name(word, what) for word in words if word))
        if len(names) > _MOST_NAMES:
            raise Mistake(f"{what} can be {_MOST_NAMES} at most", "")
        return names


def _take_duration(text: str) -> tuple[timedelta, str] | None:
    """As `take_duration`. Raises `Mistake` for a duration of zero."""
    taken = take_duration(text)
    if taken is not None and not taken[0]:
        raise Mistake("the time must be longer than zero", "")
    return taken


def _name(text: str, what: str) -> str:
    """A short name. Raises `Mistake` for text that is none."""
    name = read_name(text)
    if name is None:
        raise Mistake(f"{what} must be a short name of letters, digits and `-`", "")
    return name
