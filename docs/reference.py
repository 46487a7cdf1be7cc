"""The reference tables of the README and of `docs/`, from the code that they describe.

`python docs/reference.py` writes them anew; a test says when that was forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import yaml

from incident_actions.config import schema
from incident_actions.config.sections import RemindersConfig
from incident_actions.domain.issue import labels
from incident_actions.domain.issue.incident import Severity
from incident_actions.domain.readiness.costs import FRUGAL, HOURLY, SLIM, Amount, costs
from incident_actions.domain.readiness.workflows import Workflow
from incident_actions.domain.reminders.kinds import ReminderKind
from incident_actions.domain.timeline.commands import REGISTRY
from incident_actions.domain.timeline.commands.base import Command

ROOT = Path(__file__).resolve().parents[1]
PAGES = (ROOT / "README.md", *sorted(ROOT.glob("docs/*.md")))

EVERYDAY = (
    "ack", "role", "severity", "status", "note", "did", "update", "mitigated", "verify", "resolve"
)  # fmt: skip
"""The commands that most incidents need, and no others."""


def commands() -> str:
    """The everyday commands: what to type, what it does, who may, an example."""
    return _commands(command for command in REGISTRY if command.name in EVERYDAY)


def more_commands() -> str:
    """All the others."""
    return _commands(command for command in REGISTRY if command.name not in EVERYDAY)


def _commands(listed: Iterable[type[Command]]) -> str:
    rows = ((f"`{c.syntax}`", c.summary, c.needs.name.lower(), f"`{c.example}`") for c in listed)
    return _table(("Type", "To", "Needs", "Example"), rows)


def inputs() -> str:
    """The inputs of the action."""
    rows = (
        (f"`{name}`", given["description"], f"`{given['default']}`" if given.get("default") else "")
        for name, given in _action()["inputs"].items()
    )
    return _table(("Input", "For", "Default"), rows)


def outputs() -> str:
    """The outputs of the action."""
    rows = ((f"`{name}`", given["description"]) for name, given in _action()["outputs"].items())
    return _table(("Output", "Is"), rows)


def label_names() -> str:
    """Every label of ours, and those that carry a name."""
    rows = [(f"`{label.name}`", label.description) for label in labels.CATALOG.values()]
    rows += [(f"`{p}NAME`", labels.describe(p).description) for p in labels.PREFIXES]
    return _table(("Label", "Means"), rows)


def configuration() -> str:
    """Every key of `.github/incident.yml`, with its default."""
    return _table(("Key", "For", "Default"), _keys(schema()["$defs"], "Config", ""))


def _workflow(name: str) -> Callable[[], str]:
    """A workflow that `init` writes, as a block of YAML."""
    path = ROOT / "templates" / "scaffold" / "workflows" / f"{name}.yml"
    return lambda: f"```yaml\n{path.read_text(encoding='utf-8').rstrip()}\n```"


def prices() -> str:
    """What the incident workflow costs in each of the settings that `docs/costs.md` tells."""
    hourly, slim = _incident_workflow(), _on_slim(_incident_workflow())
    rows = (
        ("As `init` writes it", hourly, True),
        ("With the frugal schedule", _frugal(hourly), True),
        ("On `ubuntu-slim`", slim, True),
        ("On `ubuntu-slim`, with the frugal schedule", _frugal(slim), True),
        ("As `init` writes it, with `reminders.watch: off`", hourly, False),
        ("With the frugal schedule and `reminders.watch: off`", _frugal(hourly), False),
    )
    head = ("Setting", "Idle month", "Hour awake", "Hour of a SEV3", "Each event")
    return _table(head, (_price(name, text, watched=watched) for name, text, watched in rows))


def _price(name: str, text: str, *, watched: bool) -> tuple[str, ...]:
    found = costs(Workflow("incident.yml", yaml.safe_load(text)))
    awake = found.watch_hour if watched else Amount()
    return name, *map(_amount, (found.idle_month, awake, Amount(), found.event))


def _amount(amount: Amount) -> str:
    if amount.price == amount.minutes:
        return str(amount.minutes)
    return f"{amount.minutes} (price of {amount.price})"


def _incident_workflow() -> str:
    path = ROOT / "templates" / "scaffold" / "workflows" / "incident.yml"
    return path.read_text(encoding="utf-8")


def _on_slim(text: str) -> str:
    """The workflow on the small runner, as its comment says, and without that comment."""
    text = re.sub(rf"^  # On {SLIM}: .*\n", "", text, flags=re.MULTILINE)
    text = text.replace("runs-on: ubuntu-latest", f"runs-on: {SLIM}")
    before, watch, after = text.partition("\n  watch:\n")
    after = re.sub(r"timeout-minutes: \d+", "timeout-minutes: 15", after)
    return before + watch + after.replace("respond }", "respond, watch-minutes: 13 }")


def _frugal(text: str) -> str:
    """The workflow with the frugal schedule."""
    return text.replace(f'    - cron: "{HOURLY}"', _crons())


def _crons() -> str:
    return "\n".join(f'    - cron: "{cron}"' for cron in FRUGAL)


def frugal_schedule() -> str:
    """The frugal schedule, as a block of YAML."""
    return f"```yaml\n  schedule:\n{_crons()}\n```"


def slim_jobs() -> str:
    """The jobs of the incident workflow on the small runner, as a block of YAML."""
    jobs = _on_slim(_incident_workflow()).partition("\njobs:\n")[2]
    return f"```yaml\njobs:\n{jobs.rstrip()}\n```"


def reminders() -> str:
    """Every kind of reminder: the key of its section, and when it comes by default."""
    rows = (
        (
            f"`{kind}`",
            kind.entry.help,
            _by_severity(timing.after),
            _by_severity(timing.every) if set(timing.every.values()) != {None} else "once",
            "yes" if kind.entry.urgent else "",
        )
        for kind, timing in RemindersConfig().policy().timings.items()
    )
    return _table(("Key", "When", "After", "Again every", "At night, too"), rows)


def _by_severity(times: Mapping[Severity, timedelta | None]) -> str:
    """`30 min`, or what differs: `SEV1 15 min, SEV2 30 min`. Where it is off, nothing is said."""
    if len(set(times.values())) == 1:
        return _minutes(next(iter(times.values())))
    return ", ".join(f"{it.label} {_minutes(gap)}" for it, gap in times.items() if gap is not None)


def _minutes(gap: timedelta | None) -> str:
    if gap is None:
        return "off"
    minutes = int(gap.total_seconds() // 60)
    if not minutes:
        return "at once"
    if minutes % (24 * 60) == 0 and minutes > 24 * 60:
        return f"{minutes // (24 * 60)} days"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def _keys(kinds: dict[str, Any], kind: str, at: str) -> Iterable[tuple[str, str, str]]:
    for name, given in kinds[kind]["properties"].items():
        below, each = _section(given), _section(given.get("items", {}))
        if f"{at}{name}" in _TIMINGS:
            continue  # the table of reminders shows these
        if below is not None:
            yield from _keys(kinds, below, f"{at}{name}.")
        elif each is not None:
            yield f"`{at}{name}`", given["description"], ""
            yield from _keys(kinds, each, f"{at}{name}[].")
        else:
            default = given.get("default")
            yield f"`{at}{name}`", given["description"], _default(default)


def _section(given: dict[str, Any]) -> str | None:
    for each in (given, *given.get("anyOf", ()), *given.get("allOf", ())):
        if "$ref" in each:
            return str(each["$ref"]).rpartition("/")[2]
    return None


def _default(value: Any) -> str:
    if value is None or value in ([], {}, (), ""):
        return ""
    if isinstance(value, list | tuple):
        return ", ".join(f"`{each}`" for each in value)
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def _action() -> dict[str, Any]:
    action: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
    return action


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple(":--" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(_cell(cell) for cell in line)} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


_TIMINGS = {f"reminders.{kind}" for kind in ReminderKind}

TABLES: dict[str, Callable[[], str]] = {
    "commands": commands,
    "more-commands": more_commands,
    "inputs": inputs,
    "outputs": outputs,
    "labels": label_names,
    "config": configuration,
    "reminders": reminders,
    "workflow-incident": _workflow("incident"),
    "workflow-deploy": _workflow("deploy"),
    "costs": prices,
    "frugal-schedule": frugal_schedule,
    "slim-jobs": slim_jobs,
}


def fill(text: str) -> str:
    """A page with every table between its markers written anew."""
    for name, table in TABLES.items():
        begin, end = f"<!-- reference:{name} -->", f"<!-- /reference:{name} -->"
        pattern = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
        block = f"{begin}\n{table()}\n{end}".replace("\\", "\\\\")
        text = pattern.sub(block, text)
    return text


if __name__ == "__main__":
    for path in PAGES:
        path.write_text(fill(path.read_text(encoding="utf-8")), encoding="utf-8")
