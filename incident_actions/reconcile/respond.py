"""The command `respond`: finds the job for an event of GitHub, and does it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from incident_actions.config import read_config
from incident_actions.domain.issue import labels
from incident_actions.domain.reminders.clock import WATCH_MINUTES
from incident_actions.errors import ConfigError, InputError, Unavailable
from incident_actions.github.client import GitHub
from incident_actions.reconcile.agenda import next_moment
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.isolation import about, alone
from incident_actions.reconcile.issue import reconcile_issue
from incident_actions.reconcile.overview import look
from incident_actions.reconcile.pull import reconcile_action_item, reconcile_pull
from incident_actions.reconcile.recent_comments import RecentComments
from incident_actions.reconcile.sweep import sweep
from incident_actions.reconcile.watch import Shift, keep_watch
from incident_actions.reconcile.watchman import Watchman

log = logging.getLogger(__name__)

EVENTS = (
    "issues",
    "issue_comment",
    "pull_request",
    "schedule",
    "workflow_dispatch",
    "repository_dispatch",
)


class WorkflowEvent(Struct, frozen=True):
    """The event that started the run: GitHub's name for it, and its payload.

    https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows
    """

    name: str
    payload: Mapping[str, Any]


class IssueJob(Struct, frozen=True):
    """Bring one issue up to date. `action_item`: the payload shows the label of an action item."""

    number: int
    action_item: bool = False


class PullJob(Struct, frozen=True):
    """Bring one pull request up to date. `sender` is the account that acted, from the payload."""

    number: int
    sender: Mapping[str, Any]


class SweepJob(Struct, frozen=True):
    """Bring everything that is open up to date."""


class WatchJob(Struct, frozen=True):
    """Stay awake, and bring up to date what is due, when it is due."""


class NoJob(Struct, frozen=True):
    """Do nothing: the event is a comment on a pull request."""


Job = IssueJob | PullJob | SweepJob | WatchJob | NoJob


def route(event: WorkflowEvent) -> Job:
    """The job for an event. Of the payload only numbers, labels and the sender are used.

    Raises `InputError` for an event that `respond` does not know, and for a payload without its
    issue or pull request.
    """
    if event.name not in EVENTS:
        raise InputError(
            f"`respond` does not know the event `{event.name}`",
            remedy=f"Start it on one of: {', '.join(EVENTS)}.",
        )
    if event.name == "pull_request":
        return _pull_job(event)
    if event.name not in ("issues", "issue_comment"):
        inputs = event.payload.get("inputs") if event.name == "workflow_dispatch" else None
        watch = isinstance(inputs, dict) and str(inputs.get("watch")).lower() == "true"
        return WatchJob() if watch else SweepJob()
    issue = event.payload.get("issue")
    number = issue.get("number") if isinstance(issue, dict) else None
    if not isinstance(issue, dict) or not isinstance(number, int):
        raise InputError(
            f"the event file of `{event.name}` names no issue",
            remedy="Let the workflow start on `issues` and `issue_comment`, as docs/by-hand.md of "
            "incident-actions shows.",
        )
    if issue.get("pull_request"):
        return NoJob()
    return IssueJob(number, action_item=event.name == "issues" and _is_action_item(issue))


def _pull_job(event: WorkflowEvent) -> PullJob:
    pull, sender = event.payload.get("pull_request"), event.payload.get("sender")
    number = pull.get("number") if isinstance(pull, dict) else None
    if not isinstance(number, int):
        raise InputError(
            "the event file of `pull_request` names no pull request",
            remedy="Let the workflow start on `pull_request`, as docs/by-hand.md of "
            "incident-actions shows.",
        )
    return PullJob(number, sender if isinstance(sender, dict) else {})


def _is_action_item(issue: Mapping[str, Any]) -> bool:
    given = issue.get("labels")
    listed = given if isinstance(given, list) else []
    valid = [label for label in listed if isinstance(label, dict)]
    return labels.holds([str(label.get("name")) for label in valid], labels.ACTION_ITEM)


_TRIES = 3


class Tools(Struct, frozen=True):
    """What a run gets from `main`, so that tests can replace it.

    `clock()` gives the aware UTC time. `sleep(seconds)` waits. `probe(url, allow_private)` says
    whether an address works. `workflow` is the file name of the running workflow, `branch` the
    repository's default branch, and `run_url` the address of the workflow's run; empty when not
    known. `run` is the run's number. `watch` is how long a watch stays awake.
    """

    clock: Callable[[], datetime]
    sleep: Callable[[float], None]
    probe: Callable[[str, bool], bool]
    workflow: str = ""
    branch: str = ""
    run_url: str = ""
    run: int | None = None
    watch: timedelta = timedelta(minutes=WATCH_MINUTES)


def respond(
    github: GitHub, event: WorkflowEvent, config_path: str, tools: Tools
) -> tuple[JobResult, ...]:
    """Bring the event's issue or pull request, or everything that is open, up to date.

    A write whose answer was lost may have happened, so it is not repeated by itself. Instead the
    whole job starts again, up to `_TRIES` times: it reads GitHub anew, and does what is missing.
    Raises `errors.IncidentActionsError`.
    """
    job = route(event)
    context = partial(_context, github, config_path, tools, _branch(event, tools))
    if isinstance(job, WatchJob):
        return tuple(_watch(github, context, tools, _branch(event, tools)))
    for attempt in range(1, _TRIES):
        try:
            return _do(context(), job)
        except Unavailable:
            tools.sleep(attempt)
    return _do(context(), job)


def _branch(event: WorkflowEvent, tools: Tools) -> str:
    """The default branch, on which a watch starts: by the event, or else by the runner."""
    repository = event.payload.get("repository")
    named = repository.get("default_branch") if isinstance(repository, dict) else None
    return named if isinstance(named, str) else tools.branch


def _context(github: GitHub, config_path: str, tools: Tools, branch: str) -> RunContext:
    """The context of a job that begins now. Raises `errors.IncidentActionsError`."""
    text = github.file(config_path)
    return RunContext(
        github,
        read_config(text, config_path),
        tools.clock(),
        tools.probe,
        sleep=tools.sleep,
        run_url=tools.run_url,
        configured=text is not None,
        watchman=Watchman(github, tools.workflow, branch, tools.run),
    )


_CONFIG_FOR = timedelta(minutes=5)
"""How long a watch goes by the configuration that it read."""


def _watch(
    github: GitHub, context: Callable[[], RunContext], tools: Tools, branch: str
) -> Sequence[JobResult]:
    """Keep the watch. Raises `errors.IncidentActionsError`."""
    watchman = Watchman(github, tools.workflow, branch, tools.run, on_watch=True)

    known: list[RunContext] = []

    def fresh() -> RunContext:
        github.begin_again()
        now = tools.clock()
        if not known or now - known[0].now >= _CONFIG_FOR:
            try:
                known[:] = [replace(context(), sweeping=True, watchman=watchman)]
            except ConfigError as error:
                if not known:
                    raise
                log.warning("The watch goes by what was configured before: %s", error.told())
                known[:] = [replace(known[0], now=now)]
        return replace(known[0], now=now)

    return keep_watch(Shift(fresh, tools.clock, tools.sleep, watchman, tools.watch))


def _do(context: RunContext, job: Job) -> tuple[JobResult, ...]:
    """Do a job once. Raises `errors.IncidentActionsError`."""
    match job:
        case IssueJob(number, action_item):
            task = about(number, lambda: _issue(context, number, action_item=action_item))
            return tuple(alone(context, task))
        case PullJob(number, sender):
            task = about(number, lambda: reconcile_pull(context, number, sender))
            return tuple(alone(context, task))
        case SweepJob():
            return _sweep(replace(context, sweeping=True))
        case _:
            return ()


def _sweep(context: RunContext) -> tuple[JobResult, ...]:
    """Sweep; before, see to it that a watch is awake, if something open is worth one.

    So the sweep knows whether it has to say what is due before the next one.
    """
    seen, recent = look(context.github), RecentComments(context)
    if next_moment(context, seen, recent, None) is not None:
        context.watchman.wake(context.now)
    return sweep(context, seen, recent)


def _issue(context: RunContext, number: int, *, action_item: bool) -> tuple[JobResult, ...]:
    """Bring one issue up to date, or the postmortem that it is an action item of."""
    if action_item:
        results = reconcile_action_item(context, context.github.issue(number))
        if results is not None:
            return results
    return reconcile_issue(context, number)
