"""A second model: who could have caused this? A ledger of deeds, and what follows from it.

It knows nothing of how the product works. It writes down who did what, when, and with which right
at that moment, as the test itself gave the rights. From that follows for each fact of an incident
which values it can have: those that somebody with the right could have caused, and none that
a later deed with the right has replaced.

GitHub tells only what somebody may do now. So a deed has two rights: the lowest and the highest
that its doer had from the deed until the first run that could see it. A value *may* be there when
the highest was enough, and *must* be there when the lowest was.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

NONE, TRIAGE, WRITE, MAINTAIN = range(4)
RIGHTS = {"none": NONE, "triage": TRIAGE, "write": WRITE, "maintain": MAINTAIN}
ALLOWED_FOR = timedelta(hours=2)

Value = str | bool | None


@dataclass
class Deed:
    """Something that somebody did: when, and with which right until a run could judge it."""

    who: str
    at: datetime
    low: int
    high: int
    judged: bool = False


@dataclass
class Cause:
    """A command, or a hand that does the same: what it asks for, and from which time it counts.

    `sure` is whether it stands for certain: another edit of its comment may have taken it away.
    """

    verb: str
    value: str
    deed: Deed
    first: datetime
    last: datetime
    sure: bool = True


@dataclass
class Talk:
    """A comment: when it was written, what each who saved it made of it, and who deleted it."""

    versions: list[tuple[Deed, str]]
    deleted: Deed | None = None

    def causes(self, *, only_judged: bool = False) -> list[Cause]:
        """Its commands. A line belongs to who brought it in; who may nothing takes nothing away.

        With `only_judged` nothing is taken away by what no run has seen.
        """
        if self.deleted is not None and (self.deleted.judged or not only_judged):
            return []
        said: list[tuple[str, Cause]] = []
        written = self.versions[0][0].at
        for deed, text in self.versions:
            lines = [line for line in text.split("\n") if line.startswith("/")]
            typed = Counter(lines) - Counter(line for line, _ in said)
            new = [(line, Cause(*_read(line), deed, written, deed.at)) for line in typed.elements()]
            if deed.low >= TRIAGE and (deed.judged or not only_judged):
                said = [(line, cause) for line, cause in said if line in lines]
            elif deed.high >= TRIAGE:
                for line, cause in said:
                    cause.sure &= line in lines
                for _, cause in new:
                    cause.sure = False
            said += new
        return [cause for _, cause in said]


def _read(line: str) -> tuple[str, str]:
    """The verb and what it is about, of a line from the tests' own table."""
    words = line.removeprefix("/").split()
    if words[:2] == ["resolve", "--force"]:
        return "force", ""
    return words[0], words[1] if len(words) > 1 else ""


def by_label(name: str, *, on: bool) -> tuple[str, str] | None:
    """What a hand that puts a label on, or takes it off, asks for; None when that is nothing."""
    kind, _, value = name.partition(":")
    if kind == "service":
        return ("add" if on else "drop"), value
    if kind == "environment":
        return "environment", value
    if name in ("sev1", "sev2", "sev3"):
        return ("severity", name) if on else None
    if name == "status:resolved":
        return ("resolve", "") if on else None
    switches = {
        "deploys-allowed": ("thaw", "unthaw"),
        "deploy-freeze": ("freeze", "unfreeze"),
        "drill": ("drill", "undrill"),
    }
    return (switches[name][not on], "") if name in switches else None


_ENDS_OF_FREEZE = (
    *("thaw", "close", "drill", "undrill", "unfreeze", "environment", "add", "drop"),
)
_SAME_RIGHT = {
    "force": "resolve",
    "add": "service",
    "drop": "service",
    "unthaw": "freeze",
    "undrill": "freeze",
    "unfreeze": "thaw",
    "drill": "thaw",
    "environment": "thaw",
    "assign": "role",
    "unassign": "role",
}


@dataclass
class Case:
    """All that people did on one issue. `kind` is incident, report or freeze."""

    number: int
    kind: str
    author: str
    severity: str
    rules: Mapping[str, int]
    hands: list[Cause] = field(default_factory=list)
    talks: dict[int, Talk] = field(default_factory=dict)
    texts: list[tuple[Deed, str]] = field(default_factory=list)
    pulls: dict[str, tuple[Deed, bool]] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)
    forged: list[Deed] = field(default_factory=list)
    seen: bool = False
    disturbed: bool = False
    _only_judged: bool = False

    def deeds(self) -> Iterator[Deed]:
        """Every deed."""
        yield from (cause.deed for cause in self.hands)
        for talk in self.talks.values():
            yield from (deed for deed, _ in talk.versions)
            yield from filter(None, [talk.deleted])
        yield from (deed for deed, _ in self.texts)
        yield from (deed for deed, _ in self.pulls.values())
        yield from self.forged

    def judge(self) -> None:
        """A run has seen everything."""
        self.seen, self.disturbed = True, False
        for deed in self.deeds():
            deed.judged = True

    @property
    def judged_now(self) -> bool:
        """Whether a run has seen all that was done."""
        return self.seen and not self.disturbed and all(deed.judged for deed in self.deeds())

    @property
    def forged_by_right(self) -> bool:
        """Whether somebody who forged the hidden state may write: then anything goes."""
        return any(deed.high >= WRITE for deed in self.forged)

    def causes(self, *verbs: str) -> list[Cause]:
        """What was asked for by somebody who could have had the right."""
        talks = [talk.causes(only_judged=self._only_judged) for talk in self.talks.values()]
        all_of_them = [*self.hands, *(cause for talk in talks for cause in talk)]
        return [
            cause
            for cause in all_of_them
            if (not verbs or cause.verb in verbs) and cause.deed.high >= self.needed(cause)
        ]

    def needed(self, cause: Cause) -> int:
        """The right that a cause needs."""
        verb = _SAME_RIGHT.get(cause.verb, cause.verb)
        if self.kind == "freeze" and verb == "close":
            verb = "thaw"
        return self.rules.get(verb, TRIAGE if verb == "note" else WRITE)

    def certain(self, cause: Cause) -> bool:
        """Whether a cause counts for certain, as far as rights are concerned."""
        return cause.sure and self._counts(cause.deed, self.needed(cause))

    def _counts(self, deed: Deed, needed: int) -> bool:
        return deed.low >= needed and (deed.judged or not self._only_judged)

    # The facts ---------------------------------------------------------------------------

    def severities(self) -> set[Value]:
        """The severities that it may have."""
        declared: set[Value] = {self.severity}
        for deed, severity in self.texts:
            if self._counts(deed, WRITE):
                declared = {severity}
            elif deed.high >= WRITE:
                declared.add(severity)
        writes = [(cause, cause.value, self.certain(cause)) for cause in self.causes("severity")]
        return _values(declared, writes)

    def statuses(self) -> set[Value]:
        """Whether it may be over (True), or under way (False)."""
        writes: list[tuple[Cause, Value, bool]] = [
            (cause, False, self.certain(cause)) for cause in self.causes("reopen")
        ]
        reopened = self.causes("reopen")
        for cause in self.causes("resolve", "force", "close"):
            before = [c for c in self.causes("verify") if c.first <= cause.last]
            verified = any(
                self.certain(c)
                and c.last < cause.first
                and not any(r.last >= c.first and r.first <= cause.last for r in reopened)
                for c in before
            )
            if cause.verb == "force" or before:
                sure = cause.verb == "force" or verified
                writes.append((cause, True, sure and self.certain(cause)))
        return _values({False}, writes)

    def switches(self) -> set[Value]:
        """What people may have decided about deploys: thaw, freeze or nothing."""
        writes: list[tuple[Cause, Value, bool]] = [
            (cause, cause.verb, self.certain(cause)) for cause in self.causes("thaw", "freeze")
        ]
        ends = self.causes("unthaw", "unfreeze", "resolve", "force", "close")
        writes += [(cause, None, False) for cause in ends]
        return _values({None}, writes)

    def drills(self) -> set[Value]:
        """Whether it may be a drill."""
        changed = self.causes("drill", "undrill")
        return _values({False}, [(c, c.verb == "drill", self.certain(c)) for c in changed])

    def commanders(self) -> set[Value]:
        """Who may be in command."""
        writes: list[tuple[Cause, Value, bool]] = [
            (c, c.deed.who, c.verb == "role" and self.certain(c))
            for c in self.causes("ack", "role")
        ]
        writes += [(cause, cause.value, False) for cause in self.causes("assign")]
        writes += [(cause, None, False) for cause in self.causes("unassign")]
        return _values({None}, writes)

    def services(self) -> set[Value]:
        """The services that it may be about, each; with None when it may be about all."""
        writes = [(c, c.value, self.certain(c)) for c in self.causes("service")]
        added: set[Value] = {cause.value for cause in self.causes("add")}
        none: set[Value] = {None} if self.causes("drop") else set()
        return _values({None}, writes) | added | none

    def allowed(self, now: datetime, *, surely: bool) -> set[str]:
        """The commits that may pass now, or that surely may.

        An allowance that was edited or deleted may still pass until a run has seen that.
        """
        over = self.causes("resolve", "force", "close")
        self._only_judged = not surely
        causes = self.causes("allow")
        self._only_judged = False
        return {
            cause.value
            for cause in causes
            if cause.last + ALLOWED_FOR > now
            and not (surely and not self._surely_allows(cause, over, now))
        }

    def _surely_allows(self, cause: Cause, over: list[Cause], now: datetime) -> bool:
        lasts = cause.first + ALLOWED_FOR > now
        return lasts and self.certain(cause) and not any(e.last >= cause.first for e in over)

    def freezes(self, *, service: str = "", environment: str = "") -> bool:
        """Whether it freezes for certain: nobody with the right can have lifted that.

        What no run has seen yet can't be known to make it freeze.
        """
        if self.kind == "freeze":
            # The gate asks who may write, for labels that no run has seen; not who may `/thaw`.
            return not any(
                cause.verb in _ENDS_OF_FREEZE and cause.deed.high >= WRITE
                for cause in self.hands
                if not cause.deed.judged
            ) and not self.causes(*_ENDS_OF_FREEZE)
        self._only_judged = True
        try:
            return self._freezes(service, environment)
        finally:
            self._only_judged = False

    def _freezes(self, service: str, environment: str) -> bool:
        if self.statuses() != {False} or self.drills() != {False}:
            return False
        narrowed = service and self.services() != {None}
        if narrowed or (environment and self.causes("environment")):
            return False
        switches, severities = self.switches(), self.severities()
        return "thaw" not in switches and (None not in switches or "sev3" not in severities)


def _values(initial: set[Value], writes: Iterable[tuple[Cause, Value, bool]]) -> set[Value]:
    """The values that a fact may have: each that no certain, later write replaced."""
    writes = list(writes)
    certain = [cause.first for cause, _, sure in writes if sure]
    last = max(certain, default=None)
    values = set() if certain else set(initial)
    return values | {v for cause, v, _ in writes if last is None or cause.last >= last}
