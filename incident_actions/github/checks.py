"""Check runs of commits: reading anyone's, and publishing ours.

https://docs.github.com/en/rest/checks/runs
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from incident_actions.domain.freeze.override_audit import CheckRun
from incident_actions.domain.postmortem.lint import LintFinding
from incident_actions.domain.projection.effects import PublishCheck
from incident_actions.github.transport import PER_PAGE, Transport, build, each, field

_AT_ONCE = 50
"""The most annotations that GitHub takes in one request."""


class Checks(Transport):
    """Each method makes one request, unless it says otherwise. All raise `errors.GitHubError`."""

    def check_runs(self, ref: str) -> tuple[CheckRun, ...]:
        """The newest hundred check runs of a commit or branch, without those that have no time yet.

        https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference
        """
        path = f"/commits/{quote(ref, safe='')}/check-runs"
        return self._get(each(_run, "check_runs"), path, per_page=PER_PAGE)

    def notices(self, check_run: int, title: str) -> tuple[str, ...]:
        """The texts of the notices with this title, among a check run's first hundred annotations.

        https://docs.github.com/en/rest/checks/runs#list-check-run-annotations
        """

        def text(raw: Any) -> str | None:
            wanted = raw.get("annotation_level") == "notice" and raw.get("title") == title
            return str(raw.get("message") or "") if wanted else None

        return self._get(each(text), f"/check-runs/{check_run}/annotations", per_page=PER_PAGE)

    def check_key(self, name: str, sha: str) -> str | None:
        """The key of the newest check of this name on a commit; None when there is none.

        The key is the `check.key` that `publish` stored in the check.

        https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference
        """
        path = f"/commits/{sha}/check-runs"
        keys = each(lambda run: run["external_id"], "check_runs")
        return next(iter(self._get(keys, path, check_name=name, per_page=1)), None)

    def publish(self, effect: PublishCheck) -> None:
        """Publish a finished check. Makes one request for each fifty findings, at least one.

        https://docs.github.com/en/rest/checks/runs#create-a-check-run
        """
        check = effect.check
        output = {"title": check.title, "summary": check.summary}
        notes = [_annotation(path, finding) for path, finding in check.findings]
        given = {
            "name": check.name,
            "head_sha": check.sha,
            "external_id": check.key,
            "status": "completed",
            "conclusion": "success" if check.passed else "failure",
            "output": {**output, "annotations": notes[:_AT_ONCE]},
        }
        made = self._create(field("id", int), "/check-runs", given)
        for start in range(_AT_ONCE, len(notes), _AT_ONCE):
            more = {"output": {**output, "annotations": notes[start : start + _AT_ONCE]}}
            self.send("PATCH", f"/check-runs/{made}", given=more)


def _run(raw: Any) -> CheckRun | None:
    at = raw.get("completed_at") or raw.get("started_at")
    if not at:
        return None
    return build(
        CheckRun,
        raw,
        sha=raw["head_sha"],
        app=(raw.get("app") or {}).get("slug") or "",
        at=at,
        done=raw["status"] == "completed",
        annotations=int(raw["output"]["annotations_count"]),
    )


def _annotation(path: str, finding: LintFinding) -> dict[str, Any]:
    return {
        "path": path,
        "start_line": finding.line,
        "end_line": finding.line,
        "annotation_level": "failure" if finding.level == "error" else "warning",
        "message": finding.text,
    }
