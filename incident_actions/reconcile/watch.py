"""The watch: a run that stays awake while something open has a clock.

GitHub's schedule is hours late, and costs minutes when nothing happens. So the run for an event
starts this one (`reconcile.watchman`). It sleeps until the next moment at which something is due,
or until something changed, and then does what a scheduled sweep does: it has no other way of doing
things. Before its time is over it starts its successor. It may be killed at any moment, or be
doubled: a sweep finds by itself what was done before.

While it waits it asks GitHub two questions every `POLL` seconds, and each only whether the answer
has changed: an answer that has not costs nothing of the rate limit.
https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api#use-conditional-requests-if-appropriate
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from incident_actions.errors import (
    ConfigError,
    Forbidden,
    GitHubError,
    IncidentActionsError,
    RateLimited,
    Unauthorized,
    Unavailable,
)
from incident_actions.reconcile.agenda import OWN_RUN, next_moment
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.overview import Overview, look
from incident_actions.reconcile.recent_comments import RecentComments
from incident_actions.reconcile.sweep import sweep
from incident_actions.reconcile.watchman import Watchman

log = logging.getLogger(__name__)

POLL = timedelta(seconds=20)
"""How often a watch looks whether something has changed."""
_CALM = timedelta(minutes=2)
"""A watch hands over when nothing is due for so long: its successor needs a moment to start."""
_HAND_OVER = timedelta(minutes=10)
"""How long before its time is over a watch looks for such a moment."""
_STAND_BY = timedelta(minutes=5)
"""How long a watch waits for an older one to end: GitHub may show it a little longer than it is."""
_GIVE_UP = timedelta(minutes=30)
"""How long a watch goes on trying while GitHub does not answer, or the configuration is wrong."""
_LIMIT_OVER = timedelta(minutes=70)
"""How long it does so while GitHub limits the rate: that is over after an hour."""
_AGAIN = timedelta(minutes=1)
"""How long a watch waits after something failed."""
_APART = timedelta(seconds=10)
"""How far apart two sweeps are at least, whatever becomes due meanwhile."""
_SELDOM = timedelta(minutes=16)
"""How long it waits at most before it repeats a sweep that failed; twice as long each time."""

_MADE_UP_FOR = "The next event or sweep starts another one, and says what was due meanwhile."


class Shift(Struct, frozen=True):
    """What a watch works with.

    `context()` gives a context for now, with the configuration of a few minutes ago at most; it
    raises `errors.IncidentActionsError`. `clock()` gives the aware UTC time; `sleep(seconds)`
    waits. `length` is how long this run may stay awake.
    """

    context: Callable[[], RunContext]
    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    watchman: Watchman
    length: timedelta


def keep_watch(shift: Shift) -> Sequence[JobResult]:
    """Stay awake until nothing open has a clock any more, or until the time is over.

    Gives the results of the last sweep. Raises `Unauthorized` when the token is not taken any more,
    and the last error when nothing has worked for `_GIVE_UP`.
    """
    end = shift.clock() + shift.length
    if not _is_first(shift):
        log.info("Another watch is awake already, so this one is not needed.")
        return ()
    return _Watch(shift, end).keep()


def _is_first(shift: Shift) -> bool:
    """Wait until no older watch is awake; gives False when one stays. The workflow's concurrency
    group lets only one run, so this matters where a workflow has none.
    """
    until = shift.clock() + _STAND_BY
    while True:
        try:
            if not shift.watchman.elder(shift.clock()):
                return True
        except GitHubError as error:
            log.info("Whether another watch is awake is not known: %s", error)
            return True
        if shift.clock() >= until:
            return False
        shift.sleep(POLL.total_seconds())


class _Watch:
    """One watch, from its first sweep to its end, which is not after `end`."""

    def __init__(self, shift: Shift, end: datetime) -> None:
        self._shift = shift
        self._end = end
        self._swept: datetime | None = None
        self._seen: Overview | None = None
        self._changed_at: datetime | None = None
        self._not_before = shift.clock()
        self._again: datetime | None = None
        self._pause = _AGAIN
        self._answered = shift.clock()
        self._results: Sequence[JobResult] = ()

    def keep(self) -> Sequence[JobResult]:
        """Keep the watch; gives the results of its last sweep. Raises as `keep_watch`."""
        told: datetime | None = None
        while True:
            wake = self._look()
            now = self._shift.clock()
            if wake is None:
                log.info("Nothing that is open has a clock any more. The watch ends.")
                return self._results
            if now >= self._not_before and wake <= now:
                self._sweep()
                continue
            if self._hands_over(wake, now):
                return self._results
            if told != wake:
                log.info("Awake. The next moment is %s.", f"{wake:%Y-%m-%d %H:%M:%S} UTC")
                told = wake
            pause = max(wake - now, self._not_before - now)
            self._shift.sleep(max(1.0, min(POLL, pause).total_seconds()))

    def _look(self) -> datetime | None:
        """See what is open; gives the next moment at which there is something to do.

        Before the first sweep, and while GitHub does not answer, that is now.
        """
        now = self._shift.clock()
        try:
            context = self._shift.context()
            seen = look(context.github)
            recent = RecentComments(context)
            moments = [next_moment(context, seen, recent, self._swept), self._change(seen, now)]
            moments += [self._again] if any(moments) else []
        except IncidentActionsError as error:
            self._failed(error)
            return self._not_before
        self._answered = now
        wake = min(filter(None, moments), default=None)
        return now if wake is not None and self._swept is None else wake

    def _change(self, seen: Overview, now: datetime) -> datetime | None:
        """When to look after an issue that is open no more: GitHub may have started no run for it.

        None when there is none that a sweep has not looked after.
        """
        before, self._seen = self._seen, seen
        if before is not None and not before.numbers <= seen.numbers:
            self._changed_at = now
        if self._changed_at is None:
            return None
        return max(self._changed_at + OWN_RUN, self._again or self._changed_at)

    def _sweep(self) -> None:
        """Do everything that is due, as a scheduled sweep does.

        When that fails, only this is planned anew: other moments, of other incidents, keep theirs.
        """
        now = self._shift.clock()
        self._not_before = now + _APART
        try:
            context = self._shift.context()
            self._results = sweep(context, look(context.github), RecentComments(context))
        except (Unavailable, RateLimited, Unauthorized) as error:
            self._failed(error)
            self._swept, self._again = now, now + self._pause
            self._pause = min(2 * self._pause, _SELDOM)
            return
        except IncidentActionsError as error:  # one issue failed, the others had their turn
            log.warning("The sweep left something undone: %s", error.told())
        self._answered = self._swept = now
        self._changed_at = self._again = None
        self._pause = _AGAIN
        for result in self._results:
            if result.changed:
                log.info("#%s was brought up to date.", result.issue or result.pull_request)

    def _failed(self, error: IncidentActionsError) -> None:
        """Wait before the next try: a moment after the first failure, a minute after more of them.

        Raises the error when that is of no use.
        """
        now = self._shift.clock()
        if isinstance(error, Unauthorized):
            log.warning(
                "The watch ends: GitHub does not take its token any more. An App's token is good "
                "for an hour; with one, give `watch-minutes: 50`. %s",
                _MADE_UP_FOR,
            )
            raise error
        if now - self._answered >= (_LIMIT_OVER if isinstance(error, RateLimited) else _GIVE_UP):
            log.warning("The watch ends: nothing has worked for long. %s", _MADE_UP_FOR)
            raise error
        if isinstance(error, ConfigError):
            log.warning("The watch waits: %s", error.told())
        else:
            log.warning("GitHub was not reached, the watch tries again: %s", error)
        self._not_before = now + (POLL if now - self._answered <= _AGAIN else _AGAIN)

    def _hands_over(self, wake: datetime, now: datetime) -> bool:
        """Whether this watch ends now because its time is over; starts its successor before.

        In its last minutes it does so at the first calm moment.
        """
        left = self._end - now
        calm = min(_CALM, self._shift.length / 6)
        is_calm = wake - now >= calm or left <= POLL
        if left > min(_HAND_OVER, self._shift.length / 4) or not is_calm:
            return False
        watchman = self._shift.watchman
        if isinstance(watchman.refused, Forbidden) and left > timedelta():
            return False
        try:
            waits = any(since is not None for since in watchman.others(now).values())
            if waits or watchman.start():
                log.info("The time of this watch is over. The next one takes over.")
                return True
            why = watchman.refused
        except GitHubError as error:
            why = error
        if left > timedelta():
            return False
        log.warning(
            "The time of this watch is over, and the next one could not be started: %s", why
        )
        return True
