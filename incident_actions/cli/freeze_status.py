"""`freeze-status`: the gate's decision for every service, as people read it. Writes nothing."""

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
from incident_actions.gate_decision import ListedIssue, decide, read_issues
from incident_actions.github.client import GitHub
from incident_actions.render.markdown import render

EVERYTHING = ""


def add_freeze_status(commands: Any) -> None:
    """`freeze-status`: what may be deployed now."""
    parser = add_command(commands, "freeze-status", _run, on_github=True)
    parser.add_argument(
        "--service", action="append", default=[], help="only this one; may be given again"
    )
    parser.add_argument("--json", action="store_true", help="as the gate's own JSON")


def _run(it: Invocation) -> None:
    """Print which services may be deployed now.

    And what stops the others. Exit code 0, whatever is frozen.
    """
    github, wanted = it.github(), it.arguments.service
    print(
        freeze_status(
            github,
            github.repository,
            wanted,
            it.environ,
            it.now,
            as_json=it.arguments.json,
            config_path=it.config_path,
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
    """A table, or JSON, with one line a service; the first line is a deploy that names none.

    Without `services` these are all that a label, an open incident or the team's form names.
    `environ` holds the gate's own inputs. Raises `InputError` and `GitHubError` as the gate fails
    with 2 and 3.
    """
    try:
        settings, request = gate.read_inputs(
            [], {**environ, "INPUT_REPOSITORY": repository, "INPUT_SERVICE": ""}
        )
        client = gate.GateClient(settings, repository)
        issues = read_issues(gate.open_items(client))
    except gate.BadInputError as error:
        raise InputError(error.what, remedy=error.remedy) from None
    except gate.GateError as error:
        raise GitHubError(error.what, remedy=error.remedy) from None
    asked = tuple(services) or (EVERYTHING, *_known(github, issues, config_path))
    rows = []
    for service in asked:
        request.services = (service.casefold(),) if service else ()
        rows.append((service, decide(request, issues, now)))
    if as_json:
        found = [{"service": service or None, **words.as_json(each)} for service, each in rows]
        return json.dumps({"v": words.VERSION, "services": found}, indent=2)
    return render("freeze-status.md.j2", rows=rows, now=now, age=words.age, rank=words.rank)


def _known(github: GitHub, issues: Sequence[ListedIssue], config_path: str) -> list[str]:
    labelled = names.values(github.label_names(), names.SERVICE_PREFIX)
    opened = (service for issue in issues for service in issue.services)
    return sorted({*labelled, *opened, *_offered(github, config_path)})


def _offered(github: GitHub, config_path: str) -> tuple[str, ...]:
    """The services that the team's form lets people choose; none when it can't be read.

    The freeze does not depend on these files, so a mistake in them hides nothing here.
    """
    try:
        path = read_config(github.file(config_path), config_path).form
        text = github.file(path)
        document = load_yaml(text, path) if text else None
    except (ConfigError, GitHubError):
        return ()
    return tuple(name for text in offered(document, "services") for name in read_services(text))
