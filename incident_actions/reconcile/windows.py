"""The issues of scheduled freezes: which are to be opened, and what their text should be.

Each occurrence of a window gets one issue, a day before it begins, so that the freeze is punctual
though every run after that is lost: the gate reads its times. The issue's first line holds the
occurrence and a digest of the text below it. So an edit by hand is told from a text that the
configuration does not want any more.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.domain.freeze.windows import (
    AHEAD,
    Occurrence,
    WindowMark,
    digest_of,
    occurrence_of,
    split_mark,
    within_reach,
)
from incident_actions.domain.freeze.wish import Wish
from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import Issue
from incident_actions.domain.projection.effects import OpenIssue
from incident_actions.domain.text.harmless import defused
from incident_actions.domain.timeline.interpreter import Notice, NoticeKind
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.untrusted_report import open_issue
from incident_actions.render.markdown import render

_CLOCKS_DIFFER = timedelta(hours=1)
"""By how much GitHub's clock may be behind that of a run."""


class WindowStep(Struct, frozen=True):
    """What brings an issue in step with the configuration: its `body`, and what to say.

    `ends` says that its freeze is no more.
    """

    body: str
    ends: bool = False
    notices: tuple[Notice, ...] = ()


def reachable(context: RunContext) -> tuple[Occurrence, ...]:
    """The occurrences of the team's windows that should have an issue now."""
    return within_reach(context.config.windows(), context.now)


def opened_since(occurrences: Iterable[Occurrence]) -> datetime:
    """A time before which no issue of these occurrences was opened, or changed last."""
    return min(each.starts for each in occurrences) - AHEAD - _CLOCKS_DIFFER


def without_issue(
    context: RunContext, occurrences: Iterable[Occurrence], issues: Iterable[Issue]
) -> list[Occurrence]:
    """The occurrences that none of these issues was opened for."""
    opened = {mark.key for issue in issues if (mark := _mark_of(context, issue))}
    return [occurrence for occurrence in occurrences if occurrence.key not in opened]


def doubles(context: RunContext, freezes: Iterable[Issue]) -> list[Issue]:
    """Those of these open issues for whose occurrence there is an older one among them.

    Two runs at the same time may both have opened one. What somebody edited since is none.
    """
    first: dict[str, Issue] = {}
    found = []
    for issue in sorted(freezes, key=lambda each: each.number):
        mark, text = _mark_of(context, issue), split_mark(issue.body)[1]
        if mark is not None and first.setdefault(mark.key, issue) is not issue:
            found += [issue] if digest_of(text) == mark.digest else []
    return found


def open_window(context: RunContext, occurrence: Occurrence) -> JobResult:
    """Open the issue for an occurrence."""
    text = _text_of(occurrence)
    mark = WindowMark(occurrence.key, digest_of(text))
    new = OpenIssue(
        title=defused(f"Deploy freeze: {occurrence.window.name}"),
        body=mark.above(text),
        labels=(names.DEPLOY_FREEZE,),
    )
    return JobResult(issue=open_issue(context, new), changed=True)


def follow(context: RunContext, issue: Issue) -> WindowStep:
    """What an occurrence's issue needs to be in step with the configuration. Makes no request.

    A text that nobody edited is written anew, and its freeze ends when the configuration has no
    such occurrence any more. A text that somebody edited stays, and that is said once. Nothing
    changes for any other issue, for one that is closed and over, without a configuration, and when
    people opened an issue again that had ended.
    """
    mark, text = _mark_of(context, issue), split_mark(issue.body)[1]
    as_it_is = WindowStep(issue.body)
    if mark is None or not mark.digest or not context.configured:
        return as_it_is
    edited = digest_of(text) != mark.digest
    occurrence = occurrence_of(context.config.windows(), mark.key)
    if occurrence is None:
        if mark.gone or not issue.open:
            return WindowStep(issue.body, ends=not issue.open)
        body = replace(mark, gone=True).above(text)
        what = f"has no window {mark.key.partition(' ')[0]} that begins then any more"
        if edited:
            return WindowStep(body, notices=(_kept(issue, what, "gone"),))
        ended = Notice(
            NoticeKind.FREEZE_ENDED, f"{issue.number}.gone", text=f"The configuration {what}"
        )
        return WindowStep(body, ends=True, notices=(ended,))
    if not issue.open and occurrence.ends <= context.now:
        return as_it_is
    wanted = _text_of(occurrence)
    now = WindowMark(mark.key, digest_of(wanted))
    if mark == now:
        return as_it_is
    if not edited:
        return WindowStep(now.above(wanted))
    kept = (_kept(issue, "says something else by now", now.digest),)
    return WindowStep(now.above(text), notices=kept if now.digest != mark.digest else ())


def freeze_text(wish: Wish, *, window: str = "", by: str = "", number: int = 0, reason: str) -> str:
    """The text of a freeze's issue: of a window, or of issue `number` that `by` stands behind."""
    return render(
        "freeze.md.j2",
        window=window,
        by=by,
        number=number,
        reason=reason,
        begins=_typed(wish.begins),
        until=_typed(wish.until),
        deployers=wish.deployers,
        services=wish.services,
        environments=wish.environments,
    )


def _text_of(occurrence: Occurrence) -> str:
    window = occurrence.window
    wish = Wish(begins=occurrence.starts, until=occurrence.ends, deployers=window.allow)
    return freeze_text(wish, window=window.name, reason=window.reason)


def _typed(at: datetime | None) -> str:
    """A time as people type it into the form, with its seconds if it has any: the gate reads it."""
    if at is None:
        return ""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at.second else f"{at:%Y-%m-%d %H:%M} UTC"


def _mark_of(context: RunContext, issue: Issue) -> WindowMark | None:
    """The mark of an occurrence's issue. Only issues that our bot opened count."""
    ours = issue.author.login.casefold() == context.config.bot.casefold()
    return split_mark(issue.body)[0] if ours else None


def _kept(issue: Issue, what: str, digest: str) -> Notice:
    """The notice that the configuration says something else than a text that somebody edited."""
    return Notice(NoticeKind.FREEZE_KEPT, f"{issue.number}.{digest}", text=what)
