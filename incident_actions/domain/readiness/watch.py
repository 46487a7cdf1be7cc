"""`doctor`'s checks of the schedule and the watch: are they on time, and what do they cost?

The watch is the run that stays awake while something open has a clock. Lines of YAML in a fix are
those that `init` writes; a test holds the two together.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

from incident_actions.domain.readiness import facts as found
from incident_actions.domain.readiness.costs import HOURLY, SLIM, costs
from incident_actions.domain.readiness.cron import gaps, read_crons
from incident_actions.domain.readiness.facts import (
    ReadinessFinding,
    RepositoryFacts,
    missing,
    ok,
    unknown,
)
from incident_actions.domain.readiness.workflows import (
    Workflow,
    action_owner,
    given_watch_minutes,
    knows_watch,
    labels_of,
    read_minutes,
    responder,
    watch_minutes,
)
from incident_actions.domain.reminders.clock import WATCH_MINUTES, read_watch_length
from incident_actions.domain.text.yaml_edit import flow
from incident_actions.errors import InputError

SCHEDULE = f"""\
  schedule:
    - cron: "{HOURLY}\""""
_LEAVE_OFF = "Leave this off: the runs use it to stay awake."
INPUT = f"""\
  workflow_dispatch:
    inputs:
      watch: {{ type: boolean, default: false, description: "{_LEAVE_OFF}" }}"""
CONCURRENCY = """\
    concurrency: incident-${{ inputs.watch && 'watch' || github.run_id }}"""
CONDITION = "    if: inputs.watch"
JOB = f"""\
  watch:
{CONDITION}
{CONCURRENCY}
    runs-on: ubuntu-latest
    timeout-minutes: 350
    steps:
      - uses: OWNER/incident-actions@v1
        with: {{ command: respond }}"""
_WATCH = "watch"
"""The id of the job that `init` writes for the watch."""
_SCAFFOLDED = ".github/workflows/incident.yml"
_EXPRESSION = re.compile(r"\$\{\{\s*((?:'[^']*'|[^'])*?)\s*\}\}")
"""`${{ ... }}`, which may hold braces in its quoted texts."""
_NOT_PLAIN = re.compile(r":(?:\s|$)|\s#")
"""What ends a text of YAML that has no quotes around it."""
_WIDEST = 100
"""So many characters may a line have that is to be pasted."""
_LONGEST, _LONGEST_SLIM, _STAYS_SLIM = 360, 15, 13
"""Minutes: after so many GitHub ends any job, and one on `ubuntu-slim`; what fits into that."""


def check(facts: RepositoryFacts) -> Iterable[ReadinessFinding]:
    """The findings of every check in this module; none without a workflow that runs `respond`."""
    ours = responder(facts.workflows)
    if ours is None:
        return ()
    return found.run(_CHECKS if facts.watched else _CHECKS_WITHOUT_A_WATCH, ours)


def _cron(ours: Workflow) -> ReadinessFinding | None:
    """Whether the schedule is once an hour or less, off the full hour. `triggers` tells of none."""
    crons, unreadable = read_crons(ours.crons)
    fix = f"Write under `on:`\n{SCHEDULE}"
    if unreadable:
        return missing(f"{ours.path}: {unreadable[0]}", fix)
    apart = gaps(crons)
    if apart is None:
        return missing(f"the schedule of {ours.path} never comes", fix) if crons else None
    if apart[0] < timedelta(hours=1):
        return missing(
            f"{ours.path} starts {_often(apart[0])}: {costs(ours).idle_month.minutes} minutes a "
            "month on a private repository while nothing is open. The watch is on time without",
            fix,
        )
    if any(0 in cron.minutes for cron in crons):
        return missing(f"{ours.path} starts on the full hour, when GitHub is latest", fix)
    hours = apart[1] / timedelta(hours=1)
    return ok("once an hour, off the full hour" if hours == 1 else f"every {hours:g} hours or less")


def _often(gap: timedelta) -> str:
    if not gap:
        return "twice in a minute"
    count = gap // timedelta(minutes=1)
    return "every minute" if count == 1 else f"every {count} minutes"


def _watch(ours: Workflow) -> ReadinessFinding:
    """Whether a run may start the watch, and one job and no other is it."""
    both = [name for name in ours.responding() if not knows_watch(ours.jobs[name])]
    if ours.takes_watch() and ours.watches() and not both:
        return ok("a run stays awake while something open has a clock")
    if ours.takes_watch() and ours.watches():
        seen = f"the job `{both[0]}` of {ours.path} starts for a watch, too"
    else:
        what = "job for the watch" if ours.takes_watch() else "input `watch`"
        seen = f"{ours.path} has no {what}, so nothing stays awake, and reminders are late"
    return missing(seen, "\n".join(_watch_fixes(ours, both)))


def _watch_fixes(ours: Workflow, both: Iterable[str]) -> Iterator[str]:
    """What to write where input or job of the watch are missing, and into jobs that do `both`."""
    if not ours.takes_watch():
        if ours.path == _SCAFFOLDED:
            yield "Quickest: `incident-actions init` shows the difference and writes it."
        yield f"Write under `on:`\n{INPUT}"
    others = list(both)
    if not ours.watches() and _WATCH in others and len(ours.responding()) > 1:
        others.remove(_WATCH)  # it is the watch, and lacks what makes it one
        job = ours.jobs[_WATCH]
        old = " and ".join(f"`{key}:`" for key in ("if", "concurrency") if key in job)
        place = f", in place of its {old}" if old else ""
        yield f"Write into `{_WATCH}`{place}\n{CONDITION}\n{CONCURRENCY}"
    elif not ours.watches():
        name = ours.responding()[0]
        own, permissions = "", ours.jobs[name].get("permissions")
        if isinstance(permissions, dict):
            own = f"    permissions: {flow(permissions)}\n"
        job_text = JOB.replace("OWNER", action_owner(ours) or "OWNER")
        if _WATCH in ours.jobs:  # a key may stand there once
            job_text = job_text.replace(f"  {_WATCH}:", f"  incident-{_WATCH}:", 1)
        yield "Write under `jobs:`\n" + job_text.replace("    steps:\n", f"{own}    steps:\n")
    for name in others:
        place = ", in place of its `if:`" if "if" in ours.jobs[name] else ""
        yield f"Write into `{name}`{place}\n{_not_for_a_watch(ours.jobs[name].get('if'))}"


def _not_for_a_watch(condition: object) -> str:
    """The `if:` of a job that starts under a condition, and not for a watch; as lines of YAML.

    `condition` is what YAML reads of the present `if:`; None without one. A plain `if: !inputs...`
    would be a tag of YAML, so that the expression stands in `${{ }}` or in a text of its own lines.
    """
    given = str(condition).lower() if isinstance(condition, bool) else str(condition or "")
    old = re.sub(r"\s*\n\s*", " ", _EXPRESSION.sub(r"\1", given)).strip()
    if not old:
        return "    if: ${{ !inputs.watch }}"
    line = f"    if: ${{{{ !inputs.watch && ({old}) }}}}"
    if len(line) <= _WIDEST and not _NOT_PLAIN.search(old):
        return line
    lines = re.sub(r"(&&|\|\|) (?=\S)", r"\1\n      ", old)
    return f"    if: >-\n      !inputs.watch && ({lines})"


def _group(ours: Workflow) -> ReadinessFinding | None:
    """Whether there is one watch at a time, which holds up nothing else."""
    names = ours.watches()
    if "concurrency" in (ours.document or {}):
        watch = names[0] if names else "watch"
        return missing(
            f"{ours.path} has its `concurrency:` outside of the jobs: a run that is skipped "
            "replaces one that waits, and a watch would hold up the others for hours",
            f"Move it into the job that is not `{watch}`, and write into `{watch}`\n{CONCURRENCY}",
        )
    if not names:
        return None
    others = [_group_of(job) for name, job in ours.jobs.items() if name not in names]
    for name in names:
        group = _group_of(ours.jobs[name])
        if not group or group in others:
            why = "shares its `concurrency:` with another job" if group else "has no `concurrency:`"
            return missing(
                f"the job `{name}` of {ours.path} {why}", f"Write into `{name}`\n{CONCURRENCY}"
            )
    return ok("one watch at a time, in a group of its own")


def _group_of(job: Mapping[str, Any]) -> str:
    given = job.get("concurrency")
    return str((given.get("group") if isinstance(given, dict) else given) or "")


def _time(ours: Workflow) -> ReadinessFinding | None:
    """Whether a watch can end by itself, and start its successor, before GitHub ends its job."""
    for name, ends, stays in _times(ours):
        slim = SLIM in labels_of(ours.jobs[name])
        longest, fits = (_LONGEST_SLIM, _STAYS_SLIM) if slim else (_LONGEST, WATCH_MINUTES)
        ends = min(ends, longest)
        if ends <= stays:
            fix = f"Write into `{name}`\n    timeout-minutes: {15 if slim else 350}"
            if stays > fits:
                given = f"command: respond, watch-minutes: {fits}"
                fix += f"\nand into its step\n        with: {{ {given} }}"
            return missing(
                f"GitHub ends the job `{name}` of {ours.path} after {ends:g} minutes, before the "
                f"watch has stayed its {stays:g} and starts its successor",
                fix,
            )
    return ok("a watch starts its successor before its time is over") if ours.watches() else None


def _times(ours: Workflow) -> Iterator[tuple[str, float, float]]:
    """For each watch (a job's id): when GitHub ends it, and how long it stays, in minutes.

    Left out is what an expression says.
    """
    for name in ours.watches():
        ends = read_minutes(ours.jobs[name].get("timeout-minutes", _LONGEST))
        stays = watch_minutes(ours.jobs[name])
        if ends and stays:
            yield name, ends, stays


def _minutes(ours: Workflow) -> ReadinessFinding | None:
    """Whether the action takes what each job gives as `watch-minutes`; else every run fails."""
    for name in ours.responding():
        try:
            read_watch_length(given_watch_minutes(ours.jobs[name]) or "")
        except InputError as error:
            return missing(f"the job `{name}` of {ours.path}: {error}", error.remedy)
    return None


def _off(_: Workflow) -> ReadinessFinding:
    return ok("off, as `reminders.watch` says")


def _costs(ours: Workflow, *, watched: bool = True) -> ReadinessFinding:
    seen = costs(ours)
    if seen.unreadable:
        return unknown(f"what {ours.path} costs is not known: {seen.unreadable[0]}")
    idle, hour = seen.idle_month, seen.watch_hour
    less = idle.price < idle.minutes
    price = f" (at the price of {idle.price} on `ubuntu-latest`)" if less else ""
    awake = f", an hour with the watch about {hour.minutes}" if hour.minutes and watched else ""
    return ok(
        f"an idle month costs about {idle.minutes} minutes{price}{awake}; nothing on a public "
        "repository"
    )


_CHECKS = {
    "cron": _cron,
    "watch": _watch,
    "watch-group": _group,
    "watch-time": _time,
    "watch-minutes": _minutes,
    "costs": _costs,
}
_CHECKS_WITHOUT_A_WATCH: dict[str, Callable[[Workflow], ReadinessFinding | None]] = {
    "cron": _cron,
    "watch": _off,
    "watch-minutes": _minutes,
    "costs": partial(_costs, watched=False),
}
