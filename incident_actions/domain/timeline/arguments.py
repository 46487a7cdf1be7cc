"""Reading the words after a command. Forgiving about spelling, clear about mistakes."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from incident_actions.domain.issue.incident import Severity

Choice = TypeVar("Choice")

_TYPOGRAPHY = str.maketrans(
    {
        "\u00a0": " ", "\u202f": " ", "\u2007": " ", "\u200b": None, "\ufeff": None,
        "\u201c": '"', "\u201d": '"', "\u201e": '"', "\u2018": "'", "\u2019": "'",
        "\u2010": "-", "\u2011": "-", "\u2212": "-",
    }
)  # fmt: skip
_SEVERITY = re.compile(r"[\"'`(]*(?:sev|severity)?[\s_-]*([0-9]+)\b[\"'`):]*", re.IGNORECASE)
_LOGIN = re.compile(r"@?([A-Za-z0-9](?:[A-Za-z0-9-]{0,38}))(\[bot\])?[,.:]?$")
_CLOCK = re.compile(
    r"at\s+(?:(?P<iso>\d{4}-\d\d-\d\d[T ]\d{1,2}:\d\d(?::\d\d)?\s?(?:Z|UTC|[+-]\d\d:?\d\d)?)"
    r"|(?P<hour>\d{1,2}):(?P<minute>\d\d)\s?(?:Z|UTC)?)(?=[\s,;:.]|$)[,;:]?",
    re.IGNORECASE,
)
_DURATION = re.compile(
    r"(?:(?P<days>\d{1,3})\s?d(?:ays?)?)?\s?(?:(?P<hours>\d{1,4})\s?h(?:ours?|rs?)?)?\s?"
    r"(?:(?P<minutes>\d{1,5})\s?m(?:in(?:ute)?s?)?)?(?=[\s,;:.]|$)[,;:.]?",
    re.IGNORECASE,
)
_LIKE_A_DURATION = re.compile(
    r"[\d.,:]*\d(?:[dhmswy](?![a-z])"
    r"|\s?(?:sec(?:ond)?|min(?:ute)?|h(?:ou)?r|day|week|month|year)s?\b)",
    re.IGNORECASE,
)
_SHA = re.compile(r"[0-9a-f]{7,40}$")
_PR = re.compile(r"(?:\S*/pull/|#|pr\s?#?)(\d{1,9})$", re.IGNORECASE)
_MOST_NAMES = 20
_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,40}$")


class Mistake(Exception):
    """A command that can't be taken: why, and what to type instead."""

    def __init__(self, reason: str, suggestion: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.suggestion = suggestion


def plain(text: str) -> str:
    """Typographic spaces, quotes and hyphens as a keyboard has them."""
    return text.translate(_TYPOGRAPHY)


class Arguments:
    """What follows a command's name, read from left to right.

    Every method takes what it reads away; `Mistake` says what is missing. `dated` is True when
    the command carries a time, which the parser has taken out before.
    """

    def __init__(self, text: str, *, dated: bool = False) -> None:
        self._text = text.strip()
        self.dated = dated

    def peek(self) -> str:
        """The next word, or an empty text."""
        return self._text.split(None, 1)[0] if self._text else ""

    def rest(self) -> str:
        """All that is left."""
        text, self._text = self._text, ""
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
        self._text = self._text[len(word) :].lstrip()
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
        raise Mistake(f"`{code(word)}` is no {what}: {listed}", near[0] if near else "")

    def severity(self) -> Severity:
        """`sev1`, `SEV-1`, `sev 1` or `1`."""
        found = _SEVERITY.match(self._text)
        if found is None:
            if not self._text:
                raise Mistake("the severity is missing: `sev1`, `sev2`, `sev3`", "sev2")
            raise Mistake(f"`{code(self.peek())}` is no severity: `sev1`, `sev2`, `sev3`", "sev2")
        self._text = self._text[found.end() :].lstrip(" ,;:.-")
        try:
            return Severity(f"sev{int(found[1][:4])}")
        except ValueError:
            raise Mistake("there are three severities: `sev1`, `sev2`, `sev3`", "sev2") from None

    def login(self, what: str) -> str:
        """A GitHub login, with or without `@`."""
        word = self.word(what)
        found = _LOGIN.match(word)
        if found is None:
            raise Mistake(f"`{code(word)}` is no GitHub login", "@user")
        return found[1]

    def optional_login(self) -> str | None:
        """A login, `me`, or nothing: None stands for whoever typed it."""
        word = self.peek().casefold()
        if word in ("", "me", "@me"):
            self.rest()
            return None
        return self.login("who")

    def duration(self, what: str, suggestion: str) -> timedelta:
        """`30m`, `2h`, `1h30m`, `90 min`."""
        duration = self._duration()
        if duration is None:
            raise Mistake(f"{what} is missing, as in `30m` or `2h`", suggestion)
        return duration

    def duration_after(self, word: str) -> timedelta | None:
        """The duration after a word like `for`, when both are there."""
        before = self._text
        if self.peek().casefold() != word:
            return None
        self.word(word)
        duration = self._duration()
        if duration is None:
            if _LIKE_A_DURATION.match(self._text):
                said = code(" ".join(self._text.split()[:2]))
                raise Mistake(f"`{said}` is no time that can be read, as `30m` or `2h` are", "")
            self._text = before  # "for" was part of the text: `/allow #5 for the fix`
        return duration

    def promise(self, longest: timedelta) -> timedelta | None:
        """`next 20m` (or `next in 20m`) at the start or the end, taken out of the text."""
        start = re.match(r"next(?:\s+(?:in|update(?:\s+in)?))?\s+(?=\d)", self._text, re.IGNORECASE)
        end = None
        if start is None:
            end = re.search(r"[\s(,;:.]next\s+(?:in\s+)?(\d[\w ]{0,16})[.)]?$", self._text[-40:])
            if end is None:
                return None
            head = self._text[: len(self._text) - len(self._text[-40:]) + end.start()]
            tail = Arguments(end[1])
            duration = tail._duration()
            if duration is None or tail.peek():
                return None
            self._text = head.rstrip(" (,;:")
        else:
            before = self._text
            self._text = self._text[start.end() :]
            duration = self._duration()
            if duration is None:
                self._text = before
                return None
        if duration > longest:
            raise Mistake("the next update can be 24 hours away at most", "/update next 20m …")
        return duration

    def change(self) -> tuple[str | None, int | None]:
        """A commit or a pull request: (sha, None) or (None, number)."""
        if re.match(r"pr\s+#?\d", self._text, re.IGNORECASE):
            self.word("pr")
            self._text = "#" + self._text.lstrip("#")
        word = self.word("the commit or pull request", "/allow #57 for 2h REASON")
        typed = word.strip("`,.;:")
        found = _PR.match(typed)
        if found:
            return None, int(found[1])
        sha = typed.casefold().rsplit("/", 1)[-1]
        if _SHA.match(sha):
            return sha, None
        raise Mistake(
            f"`{code(word)}` is neither a commit (7 to 40 hex digits) nor a pull request",
            "/allow #57 for 2h REASON",
        )

    def slug(self, what: str) -> str:
        """One short name: letters, digits, `.`, `_`, `-`; several words are joined by `-`."""
        return _slug(self.needed(what), what)

    def slugs(self, what: str) -> tuple[str, ...]:
        """Short names, separated by commas or spaces, in the order given."""
        words = re.split(r"[,\s]+", self.needed(what).strip(", "))
        names = tuple(dict.fromkeys(_slug(word, what) for word in words if word))
        if len(names) > _MOST_NAMES:
            raise Mistake(f"{what} can be {_MOST_NAMES} at most", "")
        return names

    def _duration(self) -> timedelta | None:
        found = _DURATION.match(self._text)
        if found is None or not any(found.groups()):
            return None
        self._text = self._text[found.end() :].lstrip()
        amounts = {unit: int(amount) for unit, amount in found.groupdict().items() if amount}
        duration = timedelta(**amounts)
        if not duration:
            raise Mistake("the time must be longer than zero", "")
        return duration


def _slug(text: str, what: str) -> str:
    slug = re.sub(r"\s+", "-", text.strip().strip("`\"'").casefold())
    if not _SLUG.match(slug):
        raise Mistake(f"{what} must be a short name of letters, digits and `-`", "")
    return slug


def code(word: str) -> str:
    """A word of somebody's that can stand inside a code span."""
    return word.replace("`", "'").replace("\n", " ")[:60]


def take_time(text: str, typed_at: datetime) -> tuple[str, datetime | None]:
    """Take a leading `at 14:02` or `at 2026-11-23T14:02Z` off: (the rest, the time).

    Times are UTC. A clock time means its nearest past. Raises `Mistake` for a time that does not
    exist or lies in the future.
    """
    found = _CLOCK.match(text)
    if found is None:
        return text, None
    rest = text[found.end() :].lstrip()
    if found["iso"]:
        at = _iso(found["iso"])
    else:
        hour, minute = int(found["hour"]), int(found["minute"])
        if hour > 23 or minute > 59:
            raise Mistake(f"`{hour}:{minute:02}` is no time of day", "at 14:02")
        at = typed_at.astimezone(UTC).replace(hour=hour, minute=minute, second=0, microsecond=0)
        if at > typed_at:
            at -= timedelta(days=1)
    if at > typed_at:
        raise Mistake("that time is in the future; times are in UTC", "at 14:02")
    return rest, at


def _iso(text: str) -> datetime:
    normal = re.sub(r"\s?(?:Z|UTC)$", "+00:00", text.strip(), flags=re.IGNORECASE)
    normal = re.sub(r"([T ])(\d):", r"\g<1>0\2:", normal)
    try:
        at = datetime.fromisoformat(normal)
        return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Mistake(f"`{code(text)}` is no date and time", "at 2026-11-23T14:02Z") from None
