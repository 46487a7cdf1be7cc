"""The command `respond`: brings the incident of an event, or every open one, up to date."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from incident_actions.cli.inputs import Invocation, add_command, given, read_event, running_clock
from incident_actions.domain.reminders.clock import read_watch_length
from incident_actions.reconcile import probes
from incident_actions.reconcile.respond import Tools, respond


def add(commands: Any) -> None:
    """Add the command `respond` to the parser."""
    add_command(commands, "respond", _respond, on_github=True)


def _respond(call: Invocation) -> None:
    """Bring the incident of an event, or every open one, up to date.

    Labels, dashboard, answers, reminders, postmortem. Runs in a workflow, on the event that
    GITHUB_EVENT_NAME and GITHUB_EVENT_PATH tell. Starts a run that stays awake while an incident
    needs reminders on time.
    """
    event, github = read_event(call.environ), call.github()
    run = call.environ.get("GITHUB_RUN_ID", "")
    tools = Tools(
        clock=running_clock(call.environ),
        sleep=time.sleep,
        probe=probes.works,
        workflow=_workflow(call.environ, github.repository),
        branch=call.environ.get("GITHUB_REF_NAME", ""),
        run_url=_run_url(call.environ),
        run=int(run) if run.isdecimal() else None,
        watch=read_watch_length(given(call.arguments, call.environ, "watch_minutes")),
    )
    call.runner.report(respond(github, event, call.config_path, tools))


def _workflow(environ: Mapping[str, str], repository: str) -> str:
    """The file name of the running workflow; empty when it is a file of another repository.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    path = environ.get("GITHUB_WORKFLOW_REF", "").partition("@")[0]
    owner, _, rest = path.partition("/.github/workflows/")
    return rest if owner.casefold() == repository.casefold() else ""


def _run_url(environ: Mapping[str, str]) -> str:
    """The address of the running workflow's run; empty outside of a workflow.

    https://docs.github.com/en/actions/reference/workflows-and-actions/variables
    """
    parts = [environ.get(f"GITHUB_{name}", "") for name in ("SERVER_URL", "REPOSITORY", "RUN_ID")]
    server, repository, run = parts
    return f"{server}/{repository}/actions/runs/{run}" if all(parts) else ""
