"""How text on GitHub is read: an incident's body, a form's answers, severities, services, times.

Pure functions, standard library only, Python 3.9 to 3.14. The gate uses them before anything is
installed. `domain/`, `reconcile/` and `cli/` use them too, so that the gate and the bot never read
the same text in two ways. Text that can't be read gives None or an empty value; only
`environments_of` and `listed_services` raise an error (ValueError).
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timezone
from typing import Any

BEGIN, END = "<!-- incident-actions:begin -->", "<!-- incident-actions:end -->"
STATE_OPEN, STATE_CLOSE = "<!-- incident-actions:state ", " -->"
# The JSON of a state holds no `<` and no `>`: `\u003c` and `\u003e` stand for them.
_STATE = re.compile(re.escape(STATE_OPEN.strip()) + r"\s*(\{[^\n<>]*\})\s*-->")
HEADING = re.compile(r"(?m)^### +(.*)$")  # above each answer of a form
NO_RESPONSE = "_No response_"  # what GitHub writes for a field that was left empty
_GAP = re.compile(r"\r\n\r\n|\n\n|\r\n|\n")
# The headings above a freeze's begin and end: "From (UTC)", "Frozen from", "Until when?"
FROM_HEADING, UNTIL_HEADING = r"from\b.*|.*\bfrom( \(utc\))?\??", ".*until.*"
_TIME = (
    r"\d{4}-\d\d-\d\d(\+00:00)?"
    r"|\d{4}-\d\d-\d\d[T ]([01]\d|2[0-3]):\d\d(:\d\d(\.(\d{3}|\d{6}))?)?([+-]\d\d:\d\d)?"
)
_SEVERITY = re.compile(  # `- [X] SEV1`, `**sev_2**`, `🔥 SEV-3: slow`
    r"(?:- \[[xX]\])?(?!- \[ \])(?:[^\w\n]|_)*SEV(?:[^\S\r\n]|[_-]){0,2}([123])(?!_*[^\W_])",
    re.IGNORECASE,
)
# Words in an answer to "which services?" that name no service. They mean all services.
EVERYTHING = frozenset({
    "*", "all", "alle", "alles", "any", "anything", "both", "desconocido", "dont", "entire",
    "every", "everyone", "everything", "everywhere", "false", "idk", "inconnu", "keine", "many",
    "multiple", "n-a", "n.a", "n/a", "na", "nil", "no", "none", "not", "nothing", "null", "other",
    "others", "several", "some", "tba", "tbc", "tbd", "todas", "todos", "total", "tous", "toutes",
    "true", "tutti", "unbekannt", "unclear", "undefined", "unknown", "unspecified", "unsure",
    "various", "whole", "yes",
})  # fmt: skip
# The environment of a rehearsal: for a deploy to it, and to no other, drills count like incidents.
REHEARSAL = "drill"
NOT_LOGINS = frozenset({
    "all", "any", "anybody", "anyone", "everybody", "everyone", "n-a", "na", "no", "no-one",
    "nobody", "none", "noone",
})  # fmt: skip
_MENTION = re.compile(r"(?<![\w/.@-])@([\w-]+(?:\[bot\])?)(?![\w/@\[])")
_JOINING = frozenset({
    "also", "and", "e", "et", "just", "nur", "o", "oder", "only", "or", "ou", "please", "plus",
    "too", "und", "y",
})  # fmt: skip
TRUSTED = frozenset({"OWNER", "MEMBER", "COLLABORATOR"})  # what they write may be believed
PLAIN_NAME = r"[a-z0-9_](?:[a-z0-9._-]{0,38}[a-z0-9_])?"
MOST_NAMES = 20


def dig(value: Any, *path: Any) -> Any:
    """Follow keys and indices into a JSON value; None when one of them is not there."""
    try:
        for step in path:
            value = value[step]
    except (TypeError, KeyError, IndexError):
        return None
    return value


def kept(values: object, kind: type) -> tuple[Any, ...]:
    """The values of exactly this type in a list (`True` is no int); empty when it is no list."""
    return tuple(v for v in values if type(v) is kind) if isinstance(values, list) else ()


def split_body(body: str) -> tuple[str, str | None, str]:
    """Split an issue's body into dashboard, state (JSON text, or None) and the reporter's text.

    The bot's block stands between BEGIN and END at the very top; only white space and a byte order
    mark may come before it. It holds the dashboard, and the state as its last line. The dashboard
    comes back without markers and with LF line ends, the reporter's text unchanged. When somebody
    deleted END, the block ends after the state.
    """
    top = re.match(r"[\s\ufeff]*" + BEGIN, body)
    if not top:
        return "", None, body
    text = body[top.end() :]
    block, end, reporter = text.partition(END)
    states = list(_STATE.finditer(block))
    # Our state has the dashboard above it. A state right below BEGIN was put there by somebody.
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
    """Read the JSON text of a state; empty when it can't be read or is of another version."""
    try:
        state = json.loads(text or "null")
    except (ValueError, RecursionError):
        return {}
    return state if isinstance(state, dict) and state.get("v") == 1 else {}


def sections(text: str) -> list[tuple[str, str]]:
    """Split a filled-in form into pairs: the heading in lower case, and the answer.

    The answer is empty for a field that was left empty.

    https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
    """
    parts = HEADING.split(text.replace("\r\n", "\n").replace("\r", "\n"))
    answers = ((h.strip().casefold(), a.strip()) for h, a in zip(parts[1::2], parts[2::2]))
    return [(heading, "" if a == NO_RESPONSE else a) for heading, a in answers]


def answer_to(heading: str, answers: list[tuple[str, str]]) -> str:
    """The answer whose heading matches a pattern; empty when there is none, or more than one.

    A heading that is there twice was typed into some answer: nobody can tell which one is meant,
    so neither is, and nothing becomes narrower. `domain/issue/forms.py` holds to the same.
    """
    texts = [text for title, text in answers if re.fullmatch(heading, title)]
    return texts[0] if len(texts) == 1 else ""


def freeze_times(answers: list[tuple[str, str]]) -> tuple[datetime | None, datetime | None]:
    """Read when a freeze begins and when it ends, as aware UTC, from its form's answers.

    None: it has begun, and it does not end by itself. A begin that is not before the end means
    that one of them is wrong: nobody can tell which, so neither counts.
    """
    begins = parse_time(answer_to(FROM_HEADING, answers))
    until = parse_until(answer_to(UNTIL_HEADING, answers))
    return (None, None) if begins and until and until <= begins else (begins, until)


_OR_ANOTHER = re.compile(
    r"[\s*~)]*(?:\?|(?:or|oder|ou|o|to|or maybe|/|,|->|→)[\s*]*(?:sev[- ]?)?[123]\b)", re.IGNORECASE
)
_UNDECIDED = ("pending", "later", "wip", "x")
"""Answers that stand for none yet. As a part of a name they say nothing."""


def read_severity(answer: str) -> str | None:
    """Read the severity that an answer begins with: `sev1`, `sev2`, `sev3`, or None.

    An answer that doubts it, or begins with two of them, names none: the worst is assumed then.
    """
    found = [match for match in map(_SEVERITY.match, answer.splitlines()) if match]
    match = found[0] if len(found) == 1 else _SEVERITY.match(answer)
    if match is None or len({each[1] for each in found}) > 1:
        return None
    doubtful = answer.lstrip().startswith("~~") or _OR_ANOTHER.match(answer, match.end())
    return None if doubtful else f"sev{match[1]}"


def means_everything(name: str) -> bool:
    """Whether a word names no service but means all, or unknown: `all`, `not-sure`, `n-a`."""
    return name in (*EVERYTHING, *_UNDECIDED) or not EVERYTHING.isdisjoint(
        re.split(r"[\W_]+", name)
    )


def is_service(name: str) -> bool:
    """Whether a text can be the name of one service, in any case of its letters.

    Such a name has ASCII letters, digits, `.`, `_` and `-`, 40 at most, begins and ends with a
    letter, a digit or `_`, is more than `_`, and does not mean all (`means_everything`). Other
    characters can be written in several ways, so such a name might not compare equal to itself.
    """
    lower = name.lower() if name.isascii() else ""
    plain = re.fullmatch(PLAIN_NAME, lower) and lower.strip("_")
    return bool(plain) and not means_everything(lower)


def name_parts(text: str) -> tuple[str, ...]:
    """The entries of a list as somebody typed it, each once, without empty ones.

    A list is `api, web`, `[api, web]`, or one entry on each line, with or without a bullet. Quotes,
    backticks and asterisks around an entry are left out.
    """
    inside = re.fullmatch(r"\s*\[([^\[\]]*)\]\s*", text)
    parts = []
    for typed in re.split(r"[,;\r\n]", inside[1] if inside else text):
        part = re.sub(r"^[-*+]\s+", "", typed.strip()).strip()
        quoted = re.fullmatch(r"(\*\*|[\"'`*])([^\"'`*]+)\1", part)
        parts.append(quoted[2].strip() if quoted else part)
    return tuple(dict.fromkeys(part for part in parts if part))


def single_words(text: str, most: int = MOST_NAMES) -> tuple[str, ...]:
    """Read a plain list of at most so many names, in lower case.

    Gives an empty tuple, which means everything, unless every entry can be the name of a service
    (`is_service`). A phrase that is taken for a service's name would be one that nobody deploys,
    and the freeze would then stop no deploy at all.
    """
    parts = name_parts(text)
    named = tuple(dict.fromkeys(part.lower() for part in parts if is_service(part)))
    return named if len(parts) <= most and all(map(is_service, parts)) else ()


def login(user: object) -> str | None:
    """Read a login out of a GitHub account (a dict) or a text; None when it can't be one."""
    name = user.get("login") if isinstance(user, dict) else user
    return name if isinstance(name, str) and re.fullmatch(r"[\w\[\]-]{1,60}", name) else None


def people(text: str) -> frozenset[str]:
    """Read who may deploy, as logins in lower case: a plain list, or one such as `@alice and @bob`.

    Reads down to the next heading. Words such as `nobody` and `everyone` are no logins. With words
    besides that may be an exception, in any language ("all but @bob"), it names nobody.
    """
    text = re.split(r"(?m)^#{1,6}(?: |$)", text)[0]
    parts = [part.strip(" -*`") for part in re.split(r"[,;\n]", text)]
    if all(re.fullmatch(r"@?[\w-]+(\[bot\])?", part) for part in parts):
        logins = [part.lstrip("@") for part in parts]
    else:
        words = re.findall(r"[^\s,;.:!&+*`-]+", _MENTION.sub(" ", text))
        understood = {word.casefold() for word in words} <= _JOINING
        logins = _MENTION.findall(text) if understood else []
    return frozenset(name.casefold() for name in logins) - NOT_LOGINS


def parse_time(text: object) -> datetime | None:
    """Read an ISO 8601 time as aware UTC; a date alone means the start of that day.

    None when it can't be read.
    """
    return _read_time(text, "00:00:00")


def parse_until(text: object) -> datetime | None:
    """Read when something ends, as aware UTC; a date alone means the end of that day.

    None when it can't be read.
    """
    return _read_time(text, "23:59:59")


def parse_now(text: str) -> datetime | None:
    """Read INCIDENT_NOW as aware UTC; None when it can't be read.

    Only the years 2000 to 2999 are taken: at the ends of the calendar, adding days would fail.
    """
    when = parse_time(text)
    return when if when and 2000 <= when.year < 3000 else None


def bot_of(text: str) -> str | None:
    """Read `bot:`, the login of our bot, from the configuration's YAML; None when it is not set."""
    match = re.search(r"(?m)^bot:[ \t]*['\"]?@?([\w-]+(?:\[bot\])?)['\"]?[ \t]*(?:#.*)?\r?$", text)
    return match[1] if match else None


def environments_of(text: str) -> tuple[str, ...] | None:
    """Read the list `freeze: environments:` in the configuration's YAML, in lower case.

    None when it is absent or empty. The gate needs no other setting, and the standard library has
    no YAML reader. Raises ValueError when the list is not written as `[a, b]` or as one `- a` on
    each line.
    """
    text = re.sub(r"(?m)(?:^|[ \t])#.*$", "", text.replace("\r\n", "\n"))
    freeze = re.search(r"(?m)^freeze:[ \t]*(.*)\n?((?:[ \t].*\n?|\n)*)", text)
    if not freeze:
        return None
    inline, block = freeze.groups()
    # The keys of `freeze` stand on lines with equal indentation, or in braces on its own line.
    first = re.search(r"(?m)^([ \t]+)\S", block)
    line = rf"(?m)^{first[1] if first else ''}"
    key = r"\A\{(?:(?:[^{}\[\]'\"]|\[[^\]{}'\"]*\])*,)?\s*" if inline else line
    if not re.search((r"\b" if inline else line) + r"environments\b", inline + block):
        return None
    listing = r"environments:[ \t]*(\[[^\]]*\]|(?:\n[ \t]*(?:- .*)?)+)"
    match = re.search(key + listing, inline + block)
    items = re.split(r"[,\n]", match[1].strip("[]")) if match else ["?"]
    names = tuple(item.strip(" \t-'\"").casefold() for item in items if item.strip(" \t-'\""))
    if not all(re.fullmatch(r"[\w./ -]+", n) and not means_everything(n) for n in names):
        raise ValueError("not a plain list")
    return names or None


_SERVICES_KEY = re.compile(r"""(?:services|"services"|'services')[ \t]*:(?=\s|$)""")
_NAME_KEY = re.compile(r"""(?:name[ \t]*:[ \t]+|["']name["'][ \t]*:[ \t]*)(.*)""")


def listed_services(text: str) -> tuple[str, ...] | None:
    """Read the names in the list `services:` of the configuration's YAML, in lower case.

    None when there is no list, or an empty one. An entry is a name or a mapping with `name`. Raises
    ValueError when the list is written in a way that can't be read without a YAML reader, or holds
    what is no name (`is_service`): whoever asks must then take each name for unknown.
    """
    lines = [line.rstrip() for line in text.lstrip("\ufeff").splitlines()]
    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    keys = [number for number, line in enumerate(lines) if _SERVICES_KEY.match(line)]
    if not keys:
        hidden = r"""(?<![\w./-])services["']?[ \t]*:(?:\s|$)"""
        if any(re.search(hidden, re.sub(r"[ \t]#.*$", "", line)) for line in lines):
            raise ValueError("`services:` does not stand at the beginning of its line")
        return None
    if len(keys) > 1:
        raise ValueError("`services:` is there twice")
    inline = re.sub(r"(?:^|[ \t]+)#.*$", "", lines[keys[0]].partition(":")[2]).strip()
    below = lines[keys[0] + 1 :]
    # Lines of the list are indented, or begin with a bullet, or with the bracket that ends it.
    ends = (n for n, line in enumerate(below) if not re.match(r"[ \t\]]|-(?: |$)", line))
    block = below[: next(ends, None)]
    if inline in ("~", "null") and not block:
        return None
    names = _flow_names("\n".join([inline, *block])) if inline else _block_names(block)
    if not all(map(is_service, names)):
        raise ValueError("a service's name can't be read")
    return tuple(dict.fromkeys(name.lower() for name in names)) or None


def _flow_names(text: str) -> list[str]:
    """The names in a list `[api, {name: web}]`. Raises ValueError for any other text."""
    text = re.sub(r"(?m)[ \t]+#.*$", "", text).strip()
    if not re.fullmatch(r"\[(?:[^\[\]{}]|\{[^\[\]{}]*\})*\]", text):
        raise ValueError("not a plain list")
    entries = [part.strip() for part in re.findall(r"(?:\{[^{}]*\}|[^,{}])+", text[1:-1])]
    return [_name_in(entry) for entry in entries if entry]


def _block_names(lines: list[str]) -> list[str]:
    """The names in a list with a `-` before each entry. Raises ValueError for any other text."""
    names: list[str] = []
    bullets = keys = -1  # the columns of the bullets, and of the keys of an entry; -1: no keys
    for line in lines:
        content = line.lstrip(" ")
        column = len(line) - len(content)
        bullets = column if not names else bullets
        if column == bullets:
            bullet = re.fullmatch(r"(- +)(.+)", content)
            if not bullet:
                raise ValueError("not a plain list")
            content, column = bullet[2], column + len(bullet[1])
            keys = column if re.match(r"""["'a-z]+[ \t]*:(?:[ \t]|$)""", content) else -1
            names.append("" if keys > 0 else _name_in(content))
        elif column < bullets or column < keys or keys < 0:
            raise ValueError("an entry goes on where a new one was due")
        name = _NAME_KEY.fullmatch(content) if column == keys else None
        if name and names[-1]:
            raise ValueError("an entry has two names")
        if name:
            names[-1] = _scalar(name[1])
    return names


def _name_in(entry: str) -> str:
    """The name in one entry: `api`, or `{name: api, title: API}`. Raises ValueError if none."""
    if not entry.startswith("{"):
        return _scalar(entry)
    parts = entry[1:-1].split(",") if re.fullmatch(r"\{[^{}]*\}", entry) else []
    named = [match[1] for match in (_NAME_KEY.fullmatch(part.strip()) for part in parts) if match]
    if len(named) != 1:
        raise ValueError("an entry has no name, or two")
    return _scalar(named[0])


def _scalar(text: str) -> str:
    """A name as YAML has it, without its quotes and a comment behind it. Raises ValueError."""
    match = re.fullmatch(r"""(["']?)([^"'#]*?)\1[ \t]*(?:[ \t]#.*)?""", text.strip())
    if not match:
        raise ValueError("not a plain name")
    return match[2]


def _read_time(text: object, clock: str) -> datetime | None:
    """Read an ISO 8601 time as aware UTC; `clock` is the time of day for a date alone.

    `Z`, ` UTC` and no offset all mean UTC. None when it can't be read.
    """
    if not isinstance(text, str):
        return None
    text = re.sub(r"\s*(?:Z|UTC)$", "+00:00", text.strip().strip("`").upper())
    if not re.fullmatch(_TIME, text, re.ASCII):  # `fromisoformat` of newer Pythons reads more
        return None
    try:
        date_alone = text[10:] in ("", "+00:00")
        when = datetime.fromisoformat(f"{text[:10]}T{clock}" if date_alone else text)
        return (when if when.tzinfo else when.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
