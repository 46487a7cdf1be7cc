"""Read the text after a command's name. Several spellings are accepted; a mistake is explained."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from incident_actions.domain.issue.incident import Severity
from incident_actions.domain.text.blanks import is_placeholder
from incident_actions.domain.text.doubts import doubts, hedges, takes_back
from incident_actions.domain.text.moments import (
    DateOrder,
    Unreadable,
    looks_like_moment,
    read_past_moment,
    take_moment,
)
from incident_actions.domain.text.names import LOGIN, as_code, read_name
from incident_actions.domain.text.times import looks_like_duration, take_duration
from incident_actions.domain.text.words import pattern, table
from incident_actions.gate_readers import NOT_LOGINS

Choice = TypeVar("Choice")

_SEVERITY = pattern("severity", of="arguments")
_LOGIN = re.compile(rf"@?({LOGIN})(\[bot\])?[,.:]?$")
_NEXT_FIRST = re.compile(r"next(?:\s+(?:in|update(?:\s+in)?))?\s+(?=\d)", re.IGNORECASE)
_NEXT_LAST = re.compile(r"[\s(,;:.]next\s+(?:in\s+)?(\d[\w. ]{0,16}?)[.)]?$")
_SHA = re.compile(r"[0-9a-f]{7,64}$")
_PR = re.compile(r"(?:\S*/pull/|#|pr\s?#?)(\d{1,9})$", re.IGNORECASE)
_PULL = re.compile(r"(?:https?://\S*/pull/|#)?(\d{1,9})$")
_COMMIT_LINK = re.compile(r"https?://\S+/commit/[0-9a-f]{40}(?:[0-9a-f]{24})?$", re.IGNORECASE)
_PULL_LINK = re.compile(r"([\w.-]{1,100}/[\w.-]{1,100})/pull/[0-9]", re.IGNORECASE)
_FOR_LAST = pattern("for_last", of="arguments")
_IN_WORDS = pattern("in_words", of="arguments")
_NUMBERS = table("numbers")
_NOBODY = frozenset(table("logins")["none"])
"""Words that are no logins where one is typed; the last two are what our answers have there."""
_PLACEHOLDERS = frozenset({"REASON", "TEXT", "NAME", "ACTION -> RESULT", "ACTION", "RESULT"})
MOST_NAMES = 20
_AT = pattern("at", of="arguments")
_AT_LAST = pattern("at_last", of="arguments")
_BARE_TIME = pattern("bare_time", of="arguments")


class Mistake(Exception):
    """Raised for a command that can't be carried out.

    `reason` says why. `suggestion` is what to type instead: a whole line (`/resolve`), or what
    to put after the command's name (`sev1`); empty for the command's own syntax.
    """

    def __init__(self, reason: str, suggestion: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.suggestion = suggestion


def asked(line: str) -> Mistake:
    """The mistake of a command whose words ask, or take it back. `line` is what would be taken."""
    reason = "it reads like a question, an exception or a `not yet`, so nothing was done"
    return Mistake(reason, line)


def take_time(
    text: str,
    typed_at: datetime,
    order: DateOrder | None = None,
    *,
    loose: bool = False,
    only_time: bool = False,
) -> tuple[str, datetime | None]:
    """Split off a leading `at 14:02` or `at 2026-11-23 14:02 CET`: (the text after it, the time).

    The time is None when the text does not begin so. `typed_at` is when it was typed: a time
    without a date is the last such time before that. With `loose`, a text that is nothing but a
    time, or begins with `20 min ago`, is understood without `at`. With `only_time` the text is
    nothing else. Raises `Mistake` for a time that can't be read, is not clear, or lies in the
    future.
    """
    intro = _AT.match(text)
    alone = take_duration(text.partition("\n")[0]) if loose else None
    if alone and not alone[1]:
        ago = as_code(text.partition("\n")[0].strip(" ,;:."))
        clock = re.sub(r"^([01]?[0-9]|2[0-3])h([0-5][0-9])$", r"at \1:\2", ago)
        instead = clock if clock != ago else f"{ago} ago"
        raise Mistake("a time that it happened at has a clock, or `ago` at its end", instead)
    loose = loose or only_time
    if intro is None and not (loose and _BARE_TIME.match(text)):
        return _without_at(text, typed_at, order, only_time) if loose else (text, None)
    after = text[intro.end() :] if intro else text
    try:
        taken = take_moment(after, typed_at, order)
    except Unreadable as error:
        raise Mistake(error.reason, f"at {error.at}") from None
    if taken is None:
        if intro and looks_like_moment(after):
            typed = as_code(after.partition("\n")[0][:20])
            raise Mistake(f"`{typed}` can't be read as a time", "at 14:02")
        return text, None
    at, rest = taken
    if intro is None and rest and not only_time and not re.match(r"[^\n]{1,60}?\sago\b", text):
        line = (
            f"at {at:%H:%M} …"
            if typed_at - at < timedelta(days=1)
            else f"at {at:%Y-%m-%dT%H:%MZ} …"
        )
        raise Mistake("a time that it happened at needs `at` before it", line)
    return rest, at


def _without_at(
    text: str, typed_at: datetime, order: DateOrder | None, only_time: bool
) -> tuple[str, datetime | None]:
    """As `take_time`, for a text whose first line may be a time all the same: `around 14:02`."""
    first, _, below = text.partition("\n")
    late = _AT_LAST.match(first)
    if late and not only_time:
        line = f"at {late['time']} {late['text']}"
        raise Mistake("the time stands right behind the command's name", line)
    if not first:
        return text, None
    try:
        return below, read_past_moment(first, typed_at, order)
    except Unreadable as error:
        if only_time or looks_like_moment(first, strictly=True):
            raise Mistake(error.reason, f"at {error.at}") from None
        return text, None


@dataclass
class Arguments:
    """The text after a command's name, read from left to right.

    Every method but `peek` removes what it reads from `text`. A method raises `Mistake` when what
    it reads is missing or wrong. Where a method has a parameter `what`, that names the argument in
    the message. `dated` is True when the command had a time (`at 14:02`), which is not in `text`.
    `below` are the lines below the command's own, which end its text. `typed_on_line` is False when
    nothing stands on its own line, so that `text` begins below it.
    """

    text: str
    dated: bool = False
    below: str = ""
    typed_on_line: bool = True

    def __post_init__(self) -> None:
        """Begin with the lines below when nothing stands on the command's own."""
        if not self.text and self.below:
            self.text, self.below, self.typed_on_line = self.below.strip(), "", False

    def peek(self) -> str:
        """The next word, which stays in `text`; empty when there is none."""
        return self.text.split(None, 1)[0] if self.text else ""

    def rest(self) -> str:
        """All that is left."""
        text, self.text, self.below = f"{self.text}\n{self.below}".strip(), "", ""
        return text

    def needed(self, what: str) -> str:
        """All that is left, which must not be empty."""
        text = self.rest()
        if not text:
            raise Mistake(f"{what} is missing", "")
        return _own_words(text)

    def remark(self, line: str, what: str = "", *, sure: bool = True) -> str:
        """All that is left, beside a command that does the same without it.

        It must not be empty when `what` names it. It must not take the command back, as `not yet`
        does, or ask, nor with `sure` say that it holds in part or may hold. `line` is what to type
        for a command that stands. A paragraph below the command's line is prose, and says nothing
        about it.
        """
        said = self.text if self.typed_on_line or what else ""
        if said and (takes_back(said) or (sure and hedges(said))):
            raise asked(line)
        return self.needed(what) if what else self.rest()

    def reason(self, line: str, what: str = "") -> str:
        """All that is left, as the reason for a command, or for a value that was typed before it.

        It may say what is not (`sev1 not only the EU`), but not doubt the value, or ask. It must
        not be empty when `what` names it. `line` is what to type for a command that stands.
        """
        said = self.text if self.typed_on_line or what else ""
        if doubts(said):
            raise asked(line)
        return self.needed(what) if what else _own_words(self.rest(), line)

    def nothing_more(self, line: str) -> None:
        """Make sure that nothing is left; `line` is what to type."""
        text = self.rest().strip(" .!,;:")
        if text:
            raise Mistake(f"`{as_code(text)}` can't be read here", line)

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
        self,
        what: str,
        choices: Mapping[str, Choice],
        also: Mapping[str, Choice] | None = None,
        after: str = "",
    ) -> Choice:
        """The value of the next word in `choices`, or in the aliases `also`, ignoring case.

        A `Mistake` suggests a near choice or all of them, and what was typed behind it, else
        `after`.
        """
        listed, every = ", ".join(f"`{name}`" for name in choices), "|".join(choices)
        word = self.word(f"the {what} ({listed})", f"{every} {after}".strip())
        word = word.strip("`\"',.:;!*").casefold()
        accepted = {**choices, **(also or {})}
        if word in accepted:
            return accepted[word]
        stem = word.rstrip("?\uff1f")
        if stem in accepted:
            raise asked(stem)
        near = difflib.get_close_matches(word[:40], list(choices), n=1, cutoff=0.5)
        meant = f"{near[0] if near else every} {as_code(self.text) or after}".strip()
        raise Mistake(f"`{as_code(word)}` is no {what}: {listed}", meant)

    def severity(self) -> Severity:
        """A severity, typed as `sev1`, `SEV-1`, `sev 1` or `1`.

        A `Mistake` suggests the worst one: what is typed unread must not end a freeze.
        """
        match = _SEVERITY.match(self.text)
        if match is None:
            if not self.text:
                raise Mistake("the severity is missing: `sev1`, `sev2`, `sev3`", "sev1")
            raise Mistake(
                f"`{as_code(self.peek())}` is no severity: `sev1`, `sev2`, `sev3`", "sev1"
            )
        self.text = re.sub(r"^[ ,;:.]*(?:[-–—]+(?=\s))?[ ,;:.]*", "", self.text[match.end() :])
        try:
            return Severity(f"sev{int(match[1][:4])}")
        except ValueError:
            raise Mistake("there are three severities: `sev1`, `sev2`, `sev3`", "sev1") from None

    def login(self, what: str, before: str = "") -> str:
        """A GitHub login, typed with or without `@`; the result is without.

        `before` is what to type before it. Words such as `nobody` are no logins.
        """
        word = self.word(what)
        match = _LOGIN.match(word)
        if match is None or match[1].casefold() in {*NOT_LOGINS, *_NOBODY}:
            raise Mistake(f"`{as_code(word)}` is no GitHub login", f"{before} @user".strip())
        return match[1]

    def optional_login(self, before: str = "") -> str | None:
        """A login. None for `me` or no word at all, which mean the person who typed the command.

        `before` is what to type before it.
        """
        word = self.peek().casefold()
        if word.rstrip(".,!") in ("", "me", "@me", "myself"):
            self.text = self.text[len(word) :].lstrip()
            return None
        return self.login("who", before)

    def duration(self, what: str, suggestion: str) -> timedelta:
        """The duration that comes next, which must be there: `30m`, `2h`, `1h30m`, `90 min`."""
        taken = _take_duration(self.text)
        if taken is None:
            raise Mistake(f"{what} is missing, as in `30m` or `2h`", suggestion)
        duration, self.text = taken
        return duration

    def duration_for(self) -> timedelta | None:
        """The duration that comes next or ends the line: `for 2h`, `2h`, `... for 30m`.

        None, with nothing removed, when no duration comes: in `/allow #5 for the fix` the word
        `for` is part of the reason.
        """
        first, _, below = self.text.partition("\n")
        last = _FOR_LAST.search(first, max(len(first) - 60, 0))
        ended = _take_duration(last[1]) if last else None
        if last and ended and not ended[1]:
            self.text = f"{first[: last.start()]}\n{below}".strip()
            return ended[0]
        word = self.peek()
        text = self.text[len(word) :].lstrip() if word.casefold() == "for" else self.text
        taken = _take_duration(text)
        if taken is None:
            if looks_like_duration(text) and word.casefold() == "for":
                said = as_code(" ".join(text.split()[:2]))
                raise Mistake(f"`{said}` is no time that can be read, as `30m` or `2h` are", "")
            return None
        duration, self.text = taken
        return duration

    def promise(self, longest: timedelta) -> timedelta | None:
        """The duration of a `next 20m` or `next in 20m` at the start or the end; None without one.

        It may be `longest` at most. The end of the first line counts, too.
        """
        self.text = self.rest()
        start = _NEXT_FIRST.match(self.text)
        first, _, below = self.text.partition("\n")
        taken = (
            _take_duration(self.text[start.end() :])
            if start
            else _promised_last(first, below) or _promised_last(self.text)
        )
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

    def linked_repositories(self, words: int = MOST_NAMES) -> tuple[str, ...]:
        """The repositories of links to pull requests among the next words, in lower case."""
        linked = _PULL_LINK.findall(" ".join(self.text.split()[:words]))
        return tuple(repository.casefold() for repository in linked)

    def names_another_repository(self) -> bool:
        """Whether the next word is a link to a commit by its whole SHA; it stays in `text`.

        Such a commit may be of any repository, so it is not looked up.
        """
        return _COMMIT_LINK.match(self.peek()) is not None

    def pull_requests(self) -> tuple[int, ...]:
        """All that is left, as pull requests: `#57`, `57` or a link, with commas or spaces."""
        words = re.split(r"[,\s]+", self.needed("the pull request").strip(",. "))
        matches = [_PULL.match(word.strip("`,.;:")) for word in words if word.strip("`,.;:")]
        if not matches or not all(matches) or len(matches) > MOST_NAMES:
            raise Mistake("a fix is named by the number of its pull request", "/fix #57")
        return tuple(dict.fromkeys(int(match[1]) for match in matches if match))

    def slug(self, what: str) -> str:
        """All that is left, as one short name (see `read_name`); it must not be empty."""
        return _name(self.needed(what), what)


def _own_words(text: str, line: str = "") -> str:
    """The text. Raises `Mistake` for `REASON` and the like, as our answers have them, and `tbd`."""
    if text in _PLACEHOLDERS:
        raise Mistake(f"`{text}` stands for your own words", line)
    if text and is_placeholder(text):
        raise Mistake(f"`{as_code(text)}` says nothing", line)
    return text


def _take_duration(text: str) -> tuple[timedelta, str] | None:
    """As `take_duration`, also `half an hour`. Raises `Mistake` for a duration of zero."""
    words = _IN_WORDS.match(text)
    number = _NUMBERS.get(" ".join(words[1].casefold().split())) if words else None
    if words and number:
        text = f"{number:g} {text[words.end() :]}"
    taken = take_duration(text)
    if taken is not None and not taken[0]:
        raise Mistake("the time must be longer than zero", "")
    return taken


def _promised_last(text: str, below: str = "") -> tuple[timedelta, str] | None:
    """The duration of a `next 20m` at the end of a text, and the rest with the text `below` it."""
    end = _NEXT_LAST.search(text, max(len(text) - 40, 0))
    taken = _take_duration(end[1]) if end else None
    if end is None or taken is None or taken[1]:
        return None
    before = text[: end.start()].rstrip(" (,;:")
    return taken[0], f"{before}\n{below}" if below else before


def _name(text: str, what: str) -> str:
    """A short name. Raises `Mistake` for text that is none."""
    name = read_name(text)
    if name is None:
        raise Mistake(f"{what} must be a short name of letters, digits and `-`", "")
    return name
