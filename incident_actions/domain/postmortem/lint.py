"""Check a postmortem's file, and find what people still have to put right. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from msgspec import Struct

from incident_actions.domain.issue.incident import Moment, Severity
from incident_actions.domain.postmortem.actions import CATEGORIES, Action, box, plain
from incident_actions.domain.postmortem.document import Document, DocumentSection
from incident_actions.domain.postmortem.filler import is_empty, without_words
from incident_actions.domain.postmortem.link import ACTIONS, SECTIONS
from incident_actions.domain.text.blanks import is_blank
from incident_actions.domain.text.names import LOGIN
from incident_actions.domain.text.times import parse_time


class LintLevel(StrEnum):
    """How much a finding matters: an error keeps the postmortem from being ready."""

    ERROR = "error"
    WARNING = "warning"


class OwnerStanding(StrEnum):
    """What GitHub says of the owner of an action.

    FIT: can be assigned here. UNFIT: has an account, but can't be assigned here. UNKNOWN: there is
    no such account.
    """

    FIT = "fit"
    UNFIT = "unfit"
    UNKNOWN = "unknown"


class LintFinding(Struct, frozen=True):
    """One thing to put right: the line (from 1), what is wrong there, and how to fix it."""

    line: int
    level: LintLevel
    message: str
    fix: str

    @property
    def text(self) -> str:
        """Message and fix as one text."""
        return f"{self.message}. {self.fix}" if self.fix else f"{self.message}."


class LintFacts(Struct, frozen=True):
    """What the check needs to know besides the file's text.

    `incident` is the incident's number by the file's name or branch; None when they have none.
    `owners` is what GitHub says of owners, by login in lower case. `filed` are the numbers of the
    incident's action items; None when GitHub was not asked.
    """

    today: date
    incident: int | None = None
    owners: Mapping[str, OwnerStanding] = {}
    filed: frozenset[int] | None = None


DURATIONS: Mapping[str, tuple[Moment, Moment]] = {
    "detect": (Moment.STARTED, Moment.DETECTED),
    "acknowledge": (Moment.DECLARED, Moment.ACKNOWLEDGED),
    "mitigate": (Moment.STARTED, Moment.MITIGATED),
    "resolve": (Moment.STARTED, Moment.RESOLVED),
}
"""The durations (in minutes) of a postmortem's front matter, by name: from when to when."""


def lint(document: Document, facts: LintFacts) -> tuple[LintFinding, ...]:
    """All findings in a document, in the order of its lines, each only once."""
    rules: tuple[Callable[[Document, LintFacts], Iterator[LintFinding]], ...] = (
        _front_matter,
        _sections,
        _prompts,
        _actions,
        _blame,
    )
    findings = {finding: None for rule in rules for finding in rule(document, facts)}
    return tuple(sorted(findings, key=lambda finding: (finding.line, finding.message)))


def clean(findings: Iterable[LintFinding]) -> bool:
    """Whether the postmortem is ready for review: no finding is an error."""
    return all(finding.level is not LintLevel.ERROR for finding in findings)


def to_do(
    findings: Iterable[tuple[str, LintFinding]],
) -> dict[tuple[str, int], tuple[LintFinding, ...]]:
    """What keeps postmortems from being ready, by file and line: one thing to do for each line.

    `findings` are (path, finding) pairs.
    """
    things: dict[tuple[str, int], tuple[LintFinding, ...]] = {}
    for path, finding in findings:
        if finding.level is LintLevel.ERROR:
            place = (path, finding.line)
            things[place] = (*things.get(place, ()), finding)
    return things


def code(text: object) -> str:
    """Somebody's text made safe for a Markdown code span: as people see it, on one line, cut."""
    return plain(str(text)).replace("`", "'")[:60]


def _error(line: int, message: str, fix: str = "") -> LintFinding:
    return LintFinding(line, LintLevel.ERROR, message, fix)


def _warning(line: int, message: str, fix: str) -> LintFinding:
    return LintFinding(line, LintLevel.WARNING, message, fix)


def _front_matter(document: Document, facts: LintFacts) -> Iterator[LintFinding]:
    data = document.front_matter
    if data is None:
        fix = "Begin the file with `---`, `incident: NUMBER`, `severity: sev1`, `times:` and `---`."
        yield _error(1, "The front matter is missing, or is no YAML", fix)
        return
    number = data.get("incident")
    line = document.front_line("incident")
    if not isinstance(number, int) or isinstance(number, bool):
        yield _error(line, "`incident` must be the number of the incident's issue")
    elif facts.incident is not None and number != facts.incident:
        message = f"`incident` is {number}, but the file's name says {facts.incident}"
        yield _error(line, message, "Make them agree.")
    if str(data.get("severity", "")).casefold() not in [severity.value for severity in Severity]:
        yield _error(document.front_line("severity"), "`severity` must be sev1, sev2 or sev3")
    yield from _cause(document, data)
    times, problems = _times(document, data)
    yield from problems
    yield from _order(document, times)
    yield from _durations(document, data, times)


def _cause(document: Document, data: Mapping[str, Any]) -> Iterator[LintFinding]:
    """A finding for a cause that is there and empty, once `Root cause` has no prompt any more."""
    section, cause = document.section("Root cause"), str(data.get("cause", "not kept") or "")
    if is_blank(cause) and not (section is not None and document.is_prompting(section)):
        message = f"`cause: {code(cause)}` names none" if cause else "`cause` is empty"
        fix = "Name it in a word or two, such as `bad-deploy`."
        yield _error(document.front_line("cause"), message, fix)


def _times(
    document: Document, data: Mapping[str, Any]
) -> tuple[dict[Moment, datetime], list[LintFinding]]:
    """The valid times in the front matter, and the findings about all others."""
    given = data.get("times")
    if not isinstance(given, dict):
        fix = "Write `started: 2026-11-23T02:50:00Z` and `resolved:` below `times:`."
        return {}, [_error(document.front_line("times"), "`times` must be a mapping", fix)]
    times: dict[Moment, datetime] = {}
    problems = []
    for name, value in given.items():
        line = document.front_line(str(name))
        if name not in [moment.value for moment in Moment]:
            known = ", ".join(moment.value for moment in Moment)
            problems.append(
                _error(line, f"`{code(name)}` is no time that is kept", f"There are {known}.")
            )
            continue
        at = parse_time(str(value))
        if at is None:
            fix = "Write it as 2026-11-23T02:50:00Z."
            problems.append(_error(line, f"`{code(name)}` is no date and time", fix))
            continue
        times[Moment(name)] = at
    problems += [
        _error(document.front_line("times"), f"`times` lacks `{moment}`", "Add it.")
        for moment in (Moment.STARTED, Moment.RESOLVED)
        if moment.value not in given
    ]
    return times, problems


def _order(document: Document, times: Mapping[Moment, datetime]) -> Iterator[LintFinding]:
    """Findings for times before `started` or after `resolved`."""
    started, resolved = times.get(Moment.STARTED), times.get(Moment.RESOLVED)
    for moment, at in times.items():
        if started is not None and at < started:
            line = document.front_line(moment.value)
            yield _error(line, f"`{moment}` is before `started`", "One of the two is wrong.")
        elif resolved is not None and at > resolved and moment is not Moment.RESOLVED:
            line = document.front_line(moment.value)
            yield _error(line, f"`{moment}` is after `resolved`", "One of the two is wrong.")


def _durations(
    document: Document, data: Mapping[str, Any], times: Mapping[Moment, datetime]
) -> Iterator[LintFinding]:
    """Findings for durations that are invalid, or more than a minute off their two times."""
    given = data.get("durations")
    if given is None:
        return
    line = document.front_line("durations")
    if not isinstance(given, dict):
        yield _error(line, "`durations` must be a mapping of names to minutes")
        return
    for name, value in given.items():
        line = document.front_line(str(name))
        if name not in DURATIONS:
            message = f"`{code(name)}` is no duration that is kept"
            yield _error(line, message, f"There are {', '.join(DURATIONS)}.")
        elif isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
            yield _error(line, f"`{code(name)}` must be minutes, as a number")
        else:
            first, last = DURATIONS[name]
            if first in times and last in times:
                real = (times[last] - times[first]).total_seconds() / 60
                if abs(real - value) > 1:
                    message = f"`{name}` is {value:g} minutes, but {first} to {last} is {real:.0f}"
                    yield _error(line, message, "Correct the times or the duration.")


def _sections(document: Document, facts: LintFacts) -> Iterator[LintFinding]:
    last = max(len(document.lines), 1)
    for title in SECTIONS:
        section = document.section(title)
        if section is None:
            yield _error(last, f"The section `{title}` is missing", f"Add `## {title}`.")
        elif not document.is_prompting(section) and is_empty(document, section):
            yield _error(section.line, f"The section `{title}` is empty", "Write it.")
    for section, message, fix in without_words(document):
        yield _error(section.line, message, fix)


def _prompts(document: Document, facts: LintFacts) -> Iterator[LintFinding]:
    for number in document.prompts:
        above = [section.title for section in document.sections if section.line < number]
        what = f"Nobody has written `{code(above[-1])}` yet" if above else "This is not written yet"
        yield _error(number, what, "Write it below this line, and delete the line.")


def _actions(document: Document, facts: LintFacts) -> Iterator[LintFinding]:
    seen: dict[str, int] = {}
    for action in document.actions:
        yield from _action(action, facts)
        if action.text and action.key in seen:
            yield _error(
                action.line,
                f"Line {seen[action.key]} is the same action",
                "Keep one of them, or say how they differ.",
            )
        seen.setdefault(action.key, action.line)
    section = document.section(ACTIONS)
    severity = str((document.front_matter or {}).get("severity", "")).casefold()
    written = section is not None and not document.is_prompting(section)
    if section is not None and written and severity == Severity.SEV1 and not document.actions:
        yield _error(
            section.line,
            "A SEV1 without a single corrective action will happen again",
            "Add one: `- [ ] [missing-alert] text / @owner / 2026-12-01`.",
        )
    if section is not None:
        yield from _without_box(document, section)


def _action(action: Action, facts: LintFacts) -> Iterator[LintFinding]:
    """The findings for one action."""
    shape = "`- [ ] [category] text / @owner / 2026-12-01`"
    if not action.text:
        yield _error(action.line, "The action has no text", f"Write {shape}.")
    if action.label not in CATEGORIES:
        message = f"`{code(action.category)}` is no category"
        yield _error(action.line, message, f"There are {', '.join(CATEGORIES)}.")
    yield from _owner(action, facts)
    yield from _due(action, facts)
    if action.number is not None and facts.filed is not None and action.number not in facts.filed:
        yield _error(
            action.line,
            f"#{action.number} is no action item of this incident",
            "Take the number out, and the action becomes an issue of its own.",
        )


def _owner(action: Action, facts: LintFacts) -> Iterator[LintFinding]:
    """Findings for an action whose owner is missing, no login, or can't be assigned."""
    if not action.owner:
        yield _error(action.line, "The action has no owner", "Write `/ @owner` behind its text.")
        return
    if action.login is None:
        team = action.owner.startswith("@") and "/" in action.owner
        fix = "Name one person: a team has nobody who does it." if team else "Write it as `@login`."
        what = "a team" if team else "no GitHub login"
        yield _error(action.line, f"The owner `{code(action.owner)}` is {what}", fix)
        return
    standing = facts.owners.get(action.login.casefold())
    if standing is OwnerStanding.UNKNOWN:
        message = f"GitHub knows nobody called `{action.login}`"
        yield _error(action.line, message, "Correct the owner.")
    elif standing is OwnerStanding.UNFIT:
        fix = "Give them access, or name somebody else; the issue names them all the same."
        yield _warning(action.line, f"`{action.login}` can't be assigned in this repository", fix)


def _due(action: Action, facts: LintFacts) -> Iterator[LintFinding]:
    """Findings for an action whose due date is missing, no date, or past while it is open."""
    if not action.due:
        fix = "Write `/ 2026-12-01` at the end of the line."
        yield _error(action.line, "The action has no due date", fix)
    elif action.due_date is None:
        fix = "Write it as 2026-12-01."
        yield _error(action.line, f"`{code(action.due)}` is no date", fix)
    elif action.due_date < facts.today and not action.done:
        fix = "Choose a day that can be kept, or tick it if it is done."
        if action.number is None:
            yield _error(action.line, f"The due date {action.due} is in the past", fix)
        else:
            yield _warning(action.line, f"The action is overdue since {action.due}", fix)


_LOOKS_LIKE_ACTION = re.compile(r"^\s*[-*+]\s+(?!\[[ xX]\]\s).*\s/\s+@\S+")


def _without_box(document: Document, section: DocumentSection) -> Iterator[LintFinding]:
    """Findings for list items that look like actions, but have no box."""
    for number in range(section.line + 1, section.end):
        line = document.line(number)
        if box(line) is None and _LOOKS_LIKE_ACTION.match(line):
            yield _error(
                number,
                "This looks like an action, but has no box, so it is not tracked",
                "Begin it with `- [ ] `.",
            )


_BLAME = re.compile(
    r"\b(?:blam\w+|fault|careless\w*|neglig\w+|incompeten\w+|reckless\w*|stupid\w*|sloppy|"
    r"should have known|forgot\w*|ignored|failed to|mistake|messed up|screwed up|broke)\b",
    re.IGNORECASE,
)
_NOBODY = re.compile(
    r"\b(?:human|operator|user|developer|engineer)(?:'s)? (?:error|mistake|fault)\b", re.I
)
_UNJUDGED = frozenset({"timeline", ACTIONS.casefold()})


def _blame(document: Document, facts: LintFacts) -> Iterator[LintFinding]:
    """Warnings for sentences that blame a person.

    They have a login and a word of blame in them, or words like `user error`. The timeline and the
    actions are left out.
    """
    names = _people(document)
    mention = re.compile(
        rf"(?<![\w/.`])@{LOGIN}\b"
        + "".join(rf"|(?<![\w-]){re.escape(name)}(?![\w-])" for name in names),
        re.IGNORECASE,
    )
    for section in document.sections:
        if section.title.casefold() in _UNJUDGED:
            continue
        for number in range(section.line + 1, section.end):
            line = document.line(number)
            for sentence in re.split(r"(?<=[.!?])\s+", line[:4_000]):
                person = mention.search(sentence)
                if (person and _BLAME.search(sentence)) or _NOBODY.search(sentence):
                    fix = "Say what made the mistake easy, and what would have caught it."
                    yield _warning(number, "This reads as if a person were the cause", fix)
                    break


def _people(document: Document) -> list[str]:
    """The logins in the file's roles and of the owners of its actions, sorted."""
    roles = (document.front_matter or {}).get("roles")
    names = {str(name) for name in roles.values()} if isinstance(roles, dict) else set[str]()
    names |= {action.login for action in document.actions if action.login}
    return sorted(name for name in names if re.fullmatch(r"[A-Za-z0-9-]{2,39}", name))
