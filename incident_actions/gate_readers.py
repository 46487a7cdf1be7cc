"""How text on GitHub is read: an incident's body, a form's answers, severities, services, times.

Pure, on the standard library alone, Python 3.9 to 3.14. The gate reads with these before anything
is installed, and `domain/` and `cli/` read with the same ones, so that both understand alike.
What can't be read is None or empty, never an error; `environments_of` alone raises ValueError.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import Any

BEGIN, END = "<!-- incident-actions:begin -->", "<!-- incident-actions:end -->"
STATE_OPEN, STATE_CLOSE = "<!-- incident-actions:state ", " -->"
# The JSON of a state holds no `<` and no `>`: they are written as escapes.
_STATE = re.compile(re.escape(STATE_OPEN.strip()) + r"\s*(\{[^\n<>]*\})\s*-->")
HEADING = re.compile(r"(?m)^### +(.*)$")  # above each answer of a form
NO_RESPONSE = "_No response_"  # what GitHub writes below one that was left out
_GAP = re.compile(r"\r\n\r\n|\n\n|\r\n|\n")
_TIME = (
    r"\d{4}-\d\d-\d\d(\+00:00)?"
    r"|\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):\d\d(:\d\d(\.(\d{3}|\d{6}))?)?([+-]\d\d:\d\d)?"
)
_SEVERITY = re.compile(  # `- [X] SEV1`, `**sev_2**`, `🔥 SEV-3: slow`
    r"(?:- \[[xX]\])?(?!- \[ \])(?:[^\w\n]|_)*SEV(?:[^\S\r\n]|[_-]){0,2}([123])(?!_*[^\W_])",
    re.IGNORECASE,
)
# Words in an answer to "which services?" that name none in particular.
EVERYTHING = frozenset({
    "*", "all", "any", "anything", "both", "dont", "entire", "every", "everyone", "everything",
    "everywhere", "idk", "many", "multiple", "n-a", "n.a", "n/a", "na", "no", "none", "not",
    "nothing", "other", "others", "several", "some", "tbd", "total", "unclear", "unknown",
    "unsure", "various", "whole",
})  # fmt: skip
NOT_LOGINS = frozenset({
    "all", "any", "anybody", "anyone", "everybody", "everyone", "n-a", "na", "no", "no-one",
    "nobody", "none", "noone",
})  # fmt: skip
TRUSTED = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})  # what they write may be believed
PLAIN_NAME = r"[a-z0-9_](?:[a-z0-9._-]{0,38}[a-z0-9_])?"
MOST_NAMES = 20


def dig(value: Any, *path: Any) -> Any:
    """Follow keys and indices into a JSON value; None when the way ends early."""
    try:
        for step in path:
            value = value[step]
    except (TypeError, KeyError, IndexError):
        return None
    return value


def kept(values: object, kind: type) -> tuple[Any, ...]:
    """Keep the values of one type out of what should be a list of them; true is no int."""
    return tuple(v for v in values if type(v) is kind) if isinstance(values, list) else ()


def split_body(body: str) -> tuple[str, str | None, str]:
    """Part an issue's body into dashboard, state (JSON text, or None) and the reporter's text.

    Ours is the block between BEGIN and END at the very top; white space and a byte order mark
    may stand above it. The dashboard is given without markers and with LF; the reporter's text
    byte for byte. When somebody deleted END, the state ends the block, as it is its last line.
    """
    top = re.match(r"[\s\ufeff]*" + BEGIN, body)
    if not top:
        return "", None, body
    text = body[top.end() :]
    block, end, reporter = text.partition(END)
    states = list(_STATE.finditer(block))
    # The dashboard stands above our state: what stands at once below BEGIN was put there.
    below = (state for state in states if block[: state.start()].strip())
    state = next(below, states[0] if states else None)
    if state and (not end or block[state.end() :].strip()):
        reporter = text[state.end() :].lstrip("\r\n")  # END, if any, was typed by the reporter
    elif not end:
        return "", None, text.lstrip("\r\n")
    else:
        gap = _GAP.match(reporter)
        reporter = reporter[gap.end() :] if gap else reporter
    dashboard = block[: state.start()] if state else block
    return dashboard.replace("\r\n", "\n").strip(), state[1] if state else None, reporter


def read_state(text: str | None) -> dict[str, Any]:
    """Read the JSON text of a state; empty when there is none that can be read."""
    try:
        state = json.loads(text or "null")
    except (ValueError, RecursionError):
        return {}
    return state if isinstance(state, dict) and state.get("v") == 1 else {}


def sections(text: str) -> list[tuple[str, str]]:
    """Split what the reporter filled in into (heading in lower case, answer) pairs.

    https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
    """
    parts = HEADING.split(text.replace("\r\n", "\n").replace("\r", "\n"))
    answers = ((h.strip().casefold(), a.strip()) for h, a in zip(parts[1::2], parts[2::2]))
    return [(heading, "" if a == NO_RESPONSE else a) for heading, a in answers]


def read_severity(answer: str) -> str | None:
    """Read the severity that an answer begins with: `sev1`, `sev2`, `sev3`, or None."""
    found = _SEVERITY.match(answer)
    return f"sev{found[1]}" if found else None


def means_everything(name: str) -> bool:
    """Whether a name stands for all, or says that nobody knows: `all`, `not-sure`, `n-a`."""
    return name in EVERYTHING or not EVERYTHING.isdisjoint(re.split(r"[\W_]+", name))


def single_words(text: str) -> tuple[str, ...]:
    """Read a plain list of names, lower case. Empty, which means everything, unless all are plain.

    Only ASCII words: any other name might be written in several ways, and so be missed. A phrase
    that was made into a name would be a service that nobody deploys, and so would end the freeze
    of all the others.
    """
    parts = [part.strip(" -*`").lower() for part in re.split(r"[,;\r\n]", text)]
    named = tuple(dict.fromkeys(part for part in parts if part))
    if not all(re.fullmatch(PLAIN_NAME, part) for part in named) or len(named) > MOST_NAMES:
        return ()
    return () if any(map(means_everything, named)) else named


def login(user: object) -> str | None:
    """Read a GitHub login, or None when it does not look like one."""
    found = user.get("login") if isinstance(user, dict) else user
    return found if isinstance(found, str) and re.fullmatch(r"[\w\[\]-]{1,60}", found) else None


def people(text: str) -> frozenset[str]:
    """Read who may deploy: `@alice`, or a plain list of single words.

    Only down to the next heading. `nobody` and `everyone` are no logins, and a sentence that
    excepts somebody names nobody.
    """
    text = re.split(r"(?m)^#{1,6}(?: |$)", text)[0]
    parts = [part.strip(" -*`") for part in re.split(r"[,;\n]", text)]
    if all(re.fullmatch(r"@?[\w-]+(\[bot\])?", part) for part in parts):
        found = [part.lstrip("@") for part in parts]
    elif re.search(r"(?i)\b(?:but|except|excluding|without|not?|never|nobody)\b|n[’']t\b", text):
        found = []
    else:
        found = re.findall(r"(?<![\w/])@([\w-]+)(?![\w/])", text)
    return frozenset(name.casefold() for name in found) - NOT_LOGINS


def parse_time(text: object) -> datetime | None:
    """Read an ISO 8601 time as aware UTC; a date alone means the start of that day."""
    return _read_time(text, "00:00:00")


def parse_until(text: object) -> datetime | None:
    """Read when something ends, as aware UTC; a date alone means the end of that day."""
    return _read_time(text, "23:59:59")


def parse_now(text: str) -> datetime | None:
    """Read INCIDENT_NOW. Near the calendar's ends there is no day before or after: None."""
    when = parse_time(text)
    return when if when and 2000 <= when.year < 3000 else None


def environments_of(text: str) -> tuple[str, ...] | None:
    """Read `freeze: environments:` out of the configuration; None when it is absent or empty.

    The gate needs this one list and has no reader of YAML. Raises ValueError when it is not
    written plainly, as `[a, b]` or one `- a` on each line.
    """
    text = re.sub(r"(?m)(?:^|[ \t])#.*$", "", text.replace("\r\n", "\n"))
    freeze = re.search(r"(?m)^freeze:[ \t]*(.*)\n?((?:[ \t].*\n?|\n)*)", text)
    if not freeze:
        return None
    inline, block = freeze.groups()
    # One key a line: those below have its own indentation. Or all within one pair of braces.
    first = re.search(r"(?m)^([ \t]+)\S", block)
    line = rf"(?m)^{first[1] if first else ''}"
    key = r"\A\{(?:(?:[^{}\[\]'\"]|\[[^\]{}'\"]*\])*,)?\s*" if inline else line
    if not re.search((r"\b" if inline else line) + r"environments\b", inline + block):
        return None
    listing = r"environments:[ \t]*(\[[^\]]*\]|(?:\n[ \t]*(?:- .*)?)+)"
    found = re.search(key + listing, inline + block)
    items = re.split(r"[,\n]", found[1].strip("[]")) if found else ["?"]
    kept = tuple(item.strip(" \t-'\"").casefold() for item in items if item.strip(" \t-'\""))
    if not all(re.fullmatch(r"[\w./ -]+", item) for item in kept):
        raise ValueError("not a plain list")
    return kept or None


def _read_time(text: object, clock: str) -> datetime | None:
    """Read a time that every Python reads alike; `Z`, ` UTC` and none at all mean UTC."""
    if not isinstance(text, str):
        return None
    text = re.sub(r"\s*(?:Z|UTC)$", "+00:00", text.strip().strip("`").upper())
    if not re.fullmatch(_TIME, text, re.ASCII):  # newer Pythons read more forms than older ones
        return None
    try:
        date_alone = text[10:] in ("", "+00:00")
        when = datetime.fromisoformat(f"{text[:10]}T{clock}" if date_alone else text)
        return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
