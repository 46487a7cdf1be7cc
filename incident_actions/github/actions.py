"""GitHub Actions: workflows, their runs, and the permissions of workflows.

https://docs.github.com/en/rest/actions
"""

from __future__ import annotations

from datetime import datetime
from operator import itemgetter
from typing import Any
from urllib.parse import quote

from incident_actions.domain.changes.suspects import WorkflowRun
from incident_actions.domain.projection.effects import StartWatch
from incident_actions.errors import Forbidden
from incident_actions.github.transport import PER_PAGE, Transport, actor, build, each, field


class Actions(Transport):
    """Each method makes one request. All raise `errors.GitHubError`."""

    def workflow_runs(self) -> tuple[WorkflowRun, ...]:
        """The newest hundred runs of all workflows.

        https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
        """
        return self._get(each(_run, "workflow_runs"), "/actions/runs", per_page=PER_PAGE)

    def last_scheduled_run(self, workflow: str) -> datetime | None:
        """When the schedule last started a workflow (a file's name); None if it never did.

        Raises `NotFound` when there is no such workflow.

        https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow
        """
        path = f"/actions/workflows/{quote(workflow, safe='')}/runs"
        times = each(field("created_at", datetime), "workflow_runs")
        return next(iter(self._get(times, path, event="schedule", per_page=1)), None)

    def unfinished_dispatches(self, workflow: str, since: datetime) -> dict[int, datetime | None]:
        """The runs of a workflow that were started by a dispatch and are not over: id -> since when
        it waits; None for one that runs. Of those that were created since then, a hundred.

        https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow
        """
        path = f"/actions/workflows/{quote(workflow, safe='')}/runs"
        asked = {"event": "workflow_dispatch", "created": f">={since:%Y-%m-%dT%H:%M:%SZ}"}
        created = field("created_at", datetime)
        runs = each(lambda raw: (raw["id"], raw["status"], created(raw)), "workflow_runs")
        found = self._get(runs, path, **asked, per_page=PER_PAGE)
        return {
            id: None if status == "in_progress" else since
            for id, status, since in found
            if status != "completed"
        }

    def start_watch(self, start: StartWatch) -> None:
        """Start the workflow as a watch. GitHub starts it at once, also for a workflow's token.

        https://docs.github.com/en/rest/actions/workflows#create-a-workflow-dispatch-event
        """
        path = f"/actions/workflows/{quote(start.workflow, safe='')}/dispatches"
        try:
            self.send("POST", path, given={"ref": start.branch, "inputs": {"watch": "true"}})
        except Forbidden as error:
            raise Forbidden(str(error), remedy="Give the job `actions: write`.") from None

    def workflow_states(self) -> dict[str, str]:
        """The states (`active`, `disabled_manually`, ...) of the first hundred workflows, by path.

        https://docs.github.com/en/rest/actions/workflows#list-repository-workflows
        """
        states = each(itemgetter("path", "state"), "workflows")
        return dict(self._get(states, "/actions/workflows", per_page=PER_PAGE))

    def may_open_pulls(self) -> bool:
        """Whether workflows may open pull requests. Raises `Forbidden` without an admin's token.

        https://docs.github.com/en/rest/actions/permissions#get-default-workflow-permissions-for-a-repository
        """
        allowed = field("can_approve_pull_request_reviews", bool)
        return self._get(allowed, "/actions/permissions/workflow")


def _run(raw: Any) -> WorkflowRun:
    return build(
        WorkflowRun,
        raw,
        at=raw.get("run_started_at") or raw["created_at"],
        by=actor(raw.get("actor")).login,
        name=raw.get("name") or "a workflow",
        path=raw["path"].partition("@")[0],  # GitHub may add `@branch`
        sha=raw["head_sha"],
        succeeded=raw.get("conclusion") in (None, "success"),
    )
