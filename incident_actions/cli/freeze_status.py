"""The command `freeze-status`: what the gate would decide now, for each service. Reads only."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from incident_actions import gate
from incident_actions import gate_words as words
from incident_actions.cli.inputs import Invocation, add_command
from incident_actions.config import PATH, load_yaml, read_config
from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.forms import offered, read_services, unlisted
from incident_actions.domain.text.harmless import visible, visible_json
from incident_actions.errors import ConfigError, GitHubError, InputError
from incident_actions.gate_decision import NOTHING_LOOKED_UP, ListedIssue, decide, read_issues
from incident_actions.gate_further import look_further
from incident_actions.gate_readers import PLAIN_NAME, is_service, listed_services
from incident_actions.gate_targets import hold_to_list, with_services
from incident_actions.gate_trust import look_twice
from incident_actions.github.client import GitHub
from incident_actions.render.markdown import render
from incident_actions.render.plain import plain

EVERYTHING = ""  # a deploy that names no service


def add(commands: Any) -> None:
    """Add the command `freeze-status` to the parser."""
    parser = add_command(commands, "freeze-status", _run, on_github=True)
    parser.add_argument(
        "--service", action="append", default=[], help="only this one; may be given again"
    )
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="as the gate's own JSON")
    form.add_argument("--markdown", action="store_true", help="as Markdown, to paste on GitHub")


def _run(call: Invocation) -> None:
    """Print which services may be deployed now.

    And what stops the others. Exit code 0, whatever is frozen.
    """
    github, wanted = call.github(), call.arguments.service
    text = freeze_status(
        github,
        github.repository,
        wanted,
        call.environ,
        call.now,
        as_json=call.arguments.json,
        config_path=call.config_path,
    )
    if call.arguments.json:
        print(visible_json(text))
    else:
        print(visible(text) if call.arguments.markdown else plain(text).rstrip())


def freeze_status(
    github: GitHub,
    repository: str,
    services: Sequence[str],
    environ: Mapping[str, str],
    now: datetime,
    *,
    as_json: bool,
    config_path: str = PATH,
) -> str:
    """The gate's decision for each service, as a Markdown table or as JSON.

    Without `services` there is an entry for each service on the team's list, and a first one for a
    deploy that names no service. A team without a list gets those that a label, an open issue or
    the form names. `environ` holds the gate's inputs. Raises `InputError` where the gate would exit
    with 2, and for a service that is not on the list; `GitHubError` where the gate would with 3.
    """
    try:
        settings, request = gate.read_inputs(
            [], {**environ, "INPUT_REPOSITORY": repository, "INPUT_SERVICE": ""}
        )
        client = gate.GateClient(settings, repository)
        items = gate.open_items(client)
        issues = read_issues(items)
        look_twice(client, issues, items)
        verdict = decide(request, issues, now)
        frozen = verdict.verdict == "frozen"
        found = look_further(client, request, verdict, now) if frozen else NOTHING_LOOKED_UP
    except gate.BadInputError as error:
        raise InputError(error.what, remedy=error.remedy) from None
    except gate.GateError as error:
        raise GitHubError(error.what, remedy=error.remedy) from None
    listed = _listed(github, config_path)
    # Without a list every word may be a service's name, `other` too.
    doubtful = [s.lower() for s in services if listed or not re.fullmatch(PLAIN_NAME, s.lower())]
    problem = unlisted(doubtful, listed or ())
    if problem:
        near = f"Did you mean `{problem[1]}`?" if problem[1] else "Name one of the services."
        raise InputError(problem[0], remedy=near)
    rows, strange = [], dict[str, None]()
    for service in services or (EVERYTHING, *(listed or _known(github, issues, config_path))):
        named = with_services(request, (service.lower(),) if service else ())
        remarks: list[str] = []
        if listed is not None:
            named, remarks = hold_to_list(named, issues, listed)
        each = decide(named, issues, now, found)
        each.notes = (*each.notes, *remarks)
        strange.update(dict.fromkeys(remarks))
        rows.append((service, each))
    if as_json:
        told = [{"service": name or None, **words.as_json(verdict)} for name, verdict in rows]
        return json.dumps({"v": words.VERSION, "services": told}, indent=2)
    helpers = {"age": words.age, "rank": words.rank}
    return render("freeze-status.md.j2", rows=rows, notes=[*strange], now=now, **helpers)


def _listed(github: GitHub, config_path: str) -> tuple[str, ...] | None:
    """The team's list of services as the gate reads it; None: no list. Empty: it can't be read."""
    try:
        text = github.file(config_path)
        return listed_services(text) if text else None
    except (GitHubError, ValueError):
        return ()


def _known(github: GitHub, issues: Sequence[ListedIssue], config_path: str) -> list[str]:
    """The services that labels, open issues or the form name, sorted."""
    labelled = names.values(github.label_names(), names.SERVICE_PREFIX)
    opened = (service for issue in issues for service in issue.services)
    return sorted(filter(is_service, {*labelled, *opened, *_offered(github, config_path)}))


def _offered(github: GitHub, config_path: str) -> tuple[str, ...]:
    """The services that the team's form lets people choose.

    Empty when the configuration or the form can't be read: the gate's decision does not depend on
    them.
    """
    try:
        path = read_config(github.file(config_path), config_path).form
        text = github.file(path)
        document = load_yaml(text, path) if text else None
    except (ConfigError, GitHubError):
        return ()
    return tuple(name for text in offered(document, "services") for name in read_services(text))
