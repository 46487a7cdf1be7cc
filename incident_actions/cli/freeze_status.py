"""The command `freeze-status`: what the gate would decide now, for each service. Reads only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from incident_actions import gate
from incident_actions import gate_words as words
from incident_actions.cli.inputs import Invocation, add_command
from incident_actions.config import PATH, load_yaml, read_config
from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.forms import offered, read_services
from incident_actions.errors import ConfigError, GitHubError, InputError
from incident_actions.gate_decision import NOTHING_LOOKED_UP, ListedIssue, decide, read_issues
from incident_actions.gate_further import look_further
from incident_actions.github.client import GitHub
from incident_actions.render.markdown import render

EVERYTHING = ""  # a deploy that names no service


def add_freeze_status(commands: Any) -> None:
    """Add the command `freeze-status` to the parser."""
    parser = add_command(commands, "freeze-status", _run, on_github=True)
    parser.add_argument(
        "--service", action="append", default=[], help="only this one; may be given again"
    )
    parser.add_argument("--json", action="store_true", help="as the gate's own JSON")


def _run(call: Invocation) -> None:
    """Print which services may be deployed now.

    And what stops the others. Exit code 0, whatever is frozen.
    """
    github, wanted = call.github(), call.arguments.service
    print(
        freeze_status(
            github,
            github.repository,
            wanted,
            call.environ,
            call.now,
            as_json=call.arguments.json,
            config_path=call.config_path,
        )
    )


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

    Without `services` there is an entry for each service that a label, an open issue or the form
    names, and a first one for a deploy that names no service. `environ` holds the gate's inputs.
    Raises `InputError` where the gate would exit with 2, and `GitHubError` where it would with 3.
    """
    try:
        settings, request = gate.read_inputs(
            [], {**environ, "INPUT_REPOSITORY": repository, "INPUT_SERVICE": ""}
        )
        client = gate.GateClient(settings, repository)
        issues = read_issues(gate.open_items(client))
        verdict = decide(request, issues, now)
        frozen = verdict.verdict == "frozen"
        found = look_further(client, request, verdict, now) if frozen else NOTHING_LOOKED_UP
    except gate.BadInputError as error:
        raise InputError(error.what, remedy=error.remedy) from None
    except gate.GateError as error:
        raise GitHubError(error.what, remedy=error.remedy) from None
    shown = tuple(services) or (EVERYTHING, *_known(github, issues, config_path))
    rows = []
    for service in shown:
        request.services = (service.casefold(),) if service else ()
        rows.append((service, decide(request, issues, now, found)))
    if as_json:
        listed = [{"service": service or None, **words.as_json(each)} for service, each in rows]
        return json.dumps({"v": words.VERSION, "services": listed}, indent=2)
    return render("freeze-status.md.j2", rows=rows, now=now, age=words.age, rank=words.rank)


def _known(github: GitHub, issues: Sequence[ListedIssue], config_path: str) -> list[str]:
    """The services that labels, open issues or the form name, sorted."""
    labelled = names.values(github.label_names(), names.SERVICE_PREFIX)
    opened = (service for issue in issues for service in issue.services)
    return sorted({*labelled, *opened, *_offered(github, config_path)})


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
