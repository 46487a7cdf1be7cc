"""The adapter's part for postmortems: branches, files, pull requests, checks, sub-issues."""

from __future__ import annotations

import base64
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from incident_actions.domain.issue.records import Issue
from incident_actions.domain.postmortem.lint import LintFinding
from incident_actions.domain.postmortem.pulls import BranchTip, CheckResult, PullRequest
from incident_actions.errors import NotFound, Rejected
from incident_actions.github import decoding as reading
from incident_actions.github.decoding import read

_AT_ONCE = 50
"""GitHub takes no more annotations in one request."""
_READY = """
mutation($input: MarkPullRequestReadyForReviewInput!) {
  markPullRequestReadyForReview(input: $input) { pullRequest { isDraft } }
}
"""


class GitHubDrafts(ABC):
    """One repository, asked over HTTP."""

    @property
    @abstractmethod
    def repository(self) -> str:
        """`OWNER/NAME`."""

    @abstractmethod
    def _ask(self, verb: str, path: str, given: dict[str, Any] | None = None) -> Any:
        """One request; the answer's JSON."""

    @abstractmethod
    def _request(
        self,
        verb: str,
        path: str,
        given: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> tuple[dict[str, Any], Any]:
        """One request; the answer's headers and JSON."""

    @abstractmethod
    def _pages(self, path: str, asked: dict[str, Any] | None = None) -> Iterator[Any]:
        """Every item of a list."""

    @abstractmethod
    def _send(
        self,
        verb: str,
        path: str,
        given: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> tuple[dict[str, Any], Any]:
        """One request by its whole path, whose answer may be empty."""

    def branch(self, name: str) -> BranchTip | None:
        """https://docs.github.com/en/rest/branches/branches#get-a-branch"""
        try:
            answer = self._ask("GET", f"/branches/{quote(name)}")
        except NotFound:
            return None
        return read(_tip, answer)

    def branches(self, prefix: str) -> tuple[str, ...]:
        """https://docs.github.com/en/rest/git/refs#list-matching-references"""
        found = self._ask("GET", f"/git/matching-refs/heads/{quote(prefix)}")
        return tuple(str(raw["ref"]).removeprefix("refs/heads/") for raw in found)

    def content(self, path: str, ref: str) -> bytes | None:
        """https://docs.github.com/en/rest/repos/contents#get-repository-content"""
        try:
            _, answer = self._request("GET", f"/contents/{quote(path)}", parameters={"ref": ref})
        except NotFound:
            return None
        return read(_bytes, answer)

    def commit(self, on: BranchTip, files: Mapping[str, bytes], message: str) -> str:
        """https://docs.github.com/en/rest/git"""
        entries = []
        for path, data in files.items():
            content = {"content": base64.b64encode(data).decode(), "encoding": "base64"}
            blob = self._ask("POST", "/git/blobs", content)
            entries.append({"path": path, "mode": "100644", "type": "blob", "sha": blob["sha"]})
        tree = self._ask("POST", "/git/trees", {"base_tree": on.tree, "tree": entries})
        return self.empty_commit(BranchTip(on.commit, tree["sha"]), message)

    def empty_commit(self, on: BranchTip, message: str) -> str:
        """https://docs.github.com/en/rest/git/commits#create-a-commit"""
        given = {"message": message, "tree": on.tree, "parents": [on.commit]}
        return str(self._ask("POST", "/git/commits", given)["sha"])

    def create_ref(self, ref: str, sha: str) -> None:
        """https://docs.github.com/en/rest/git/refs#create-a-reference"""
        self._ask("POST", "/git/refs", {"ref": ref, "sha": sha})

    def ref(self, ref: str) -> str | None:
        """https://docs.github.com/en/rest/git/refs#get-a-reference"""
        try:
            answer = self._ask("GET", f"/git/ref/{quote(ref.removeprefix('refs/'))}")
        except NotFound:
            return None
        return str(answer["object"]["sha"])

    def move_ref(self, ref: str, sha: str) -> None:
        """https://docs.github.com/en/rest/git/refs#update-a-reference"""
        path = f"/git/refs/{quote(ref.removeprefix('refs/'))}"
        self._ask("PATCH", path, {"sha": sha, "force": False})

    def delete_ref(self, ref: str) -> None:
        """https://docs.github.com/en/rest/git/refs#delete-a-reference"""
        try:
            self._ask("DELETE", f"/git/refs/{quote(ref.removeprefix('refs/'))}")
        except (NotFound, Rejected):
            return

    def pull(self, number: int) -> PullRequest:
        """https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request"""
        return read(_pull, self._ask("GET", f"/pulls/{number}"))

    def pulls_of(self, branch: str) -> tuple[PullRequest, ...]:
        """https://docs.github.com/en/rest/pulls/pulls#list-pull-requests"""
        owner = self.repository.partition("/")[0]
        asked = {"head": f"{owner}:{branch}", "state": "all"}
        return tuple(read(_pull, raw) for raw in self._pages("/pulls", asked))

    def pull_files(self, number: int) -> tuple[str, ...]:
        """https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files"""
        found = self._pages(f"/pulls/{number}/files")
        return tuple(raw["filename"] for raw in found if raw["status"] != "removed")

    def open_pull(self, title: str, branch: str, base: str, body: str) -> PullRequest:
        """https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request"""
        given = {"title": title, "head": branch, "base": base, "body": body, "draft": True}
        return read(_pull, self._ask("POST", "/pulls", given))

    def rename_pull(self, number: int, title: str) -> None:
        """https://docs.github.com/en/rest/pulls/pulls#update-a-pull-request"""
        self._ask("PATCH", f"/pulls/{number}", {"title": title})

    def make_ready(self, pull: PullRequest) -> None:
        """https://docs.github.com/en/graphql/reference/mutations#markpullrequestreadyforreview"""
        self._graphql(_READY, {"input": {"pullRequestId": pull.node}})

    @abstractmethod
    def _graphql(self, query: str, variables: dict[str, Any]) -> None:
        """One GraphQL mutation."""

    def ask_reviewers(self, number: int, logins: Sequence[str]) -> None:
        """https://docs.github.com/en/rest/pulls/review-requests#request-reviewers-for-a-pull-request"""
        path = f"/pulls/{number}/requested_reviewers"
        self._ask("POST", path, {"reviewers": list(logins)})

    def check_key(self, name: str, sha: str) -> str | None:
        """https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference"""
        path, asked = f"/commits/{sha}/check-runs", {"check_name": name, "per_page": 1}
        _, answer = self._request("GET", path, parameters=asked)
        runs = answer["check_runs"]
        return str(runs[0]["external_id"] or "") if runs else None

    def publish(self, check: CheckResult) -> None:
        """https://docs.github.com/en/rest/checks/runs#create-a-check-run"""
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
        made = self._ask("POST", "/check-runs", given)
        for start in range(_AT_ONCE, len(notes), _AT_ONCE):
            more = {"output": {**output, "annotations": notes[start : start + _AT_ONCE]}}
            self._ask("PATCH", f"/check-runs/{made['id']}", more)

    def edit_comment(self, comment_id: int, text: str) -> None:
        """https://docs.github.com/en/rest/issues/comments#update-an-issue-comment"""
        self._ask("PATCH", f"/issues/comments/{comment_id}", {"body": text})

    def changed_issues(
        self, since: datetime, labels: Sequence[str] = (), *, pages: int = 10
    ) -> tuple[Issue, ...]:
        """https://docs.github.com/en/rest/issues/issues#list-repository-issues"""
        asked = {
            "state": "all",
            "since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "sort": "updated",
            "direction": "desc",
            **({"labels": ",".join(labels)} if labels else {}),
        }
        found = []
        for raw in self._pages("/issues", asked):
            found.append(read(reading.issue, raw))
            if len(found) == pages * 100:
                break
        return tuple(found)

    def open_pulls(self, label: str) -> tuple[Issue, ...]:
        """https://docs.github.com/en/rest/issues/issues#list-repository-issues"""
        found = (read(reading.issue, raw) for raw in self._pages("/issues", {"labels": label}))
        return tuple(issue for issue in found if issue.is_pull_request)

    def file_action(
        self, title: str, body: str, labels: Sequence[str], assignees: Sequence[str]
    ) -> Issue:
        """https://docs.github.com/en/rest/issues/issues#create-an-issue"""
        given = {
            "title": title,
            "body": body,
            "labels": list(labels),
            "assignees": list(assignees),
        }
        return read(reading.issue, self._ask("POST", "/issues", given))

    def edit_action(
        self,
        number: int,
        *,
        title: str | None,
        body: str,
        labels: Sequence[str],
        assignees: Sequence[str],
        state: tuple[str, str] | None,
    ) -> None:
        """https://docs.github.com/en/rest/issues/issues#update-an-issue"""
        given: dict[str, Any] = {
            "body": body,
            "labels": list(labels),
            "assignees": list(assignees),
        }
        if title is not None:
            given["title"] = title
        if state is not None:
            given["state"], given["state_reason"] = state
        self._ask("PATCH", f"/issues/{number}", given)

    def sub_issues(self, number: int) -> tuple[int, ...] | None:
        """https://docs.github.com/en/rest/issues/sub-issues#list-sub-issues"""
        try:
            return tuple(int(raw["number"]) for raw in self._pages(f"/issues/{number}/sub_issues"))
        except NotFound:
            return None

    def add_sub_issue(self, parent: int, number: int) -> None:
        """https://docs.github.com/en/rest/issues/sub-issues#add-sub-issue"""
        child = int(self._ask("GET", f"/issues/{number}")["id"])
        self._ask("POST", f"/issues/{parent}/sub_issues", {"sub_issue_id": child})

    def assignable(self, login: str) -> bool:
        """https://docs.github.com/en/rest/issues/assignees#check-if-a-user-can-be-assigned"""
        try:
            self._send("GET", f"/repos/{self.repository}/assignees/{quote(login, safe='')}")
        except NotFound:
            return False
        return True

    def account_exists(self, login: str) -> bool:
        """https://docs.github.com/en/rest/users/users#get-a-user"""
        try:
            self._send("GET", f"/users/{quote(login, safe='')}")
        except NotFound:
            return False
        return True


def _tip(raw: Any) -> BranchTip:
    return BranchTip(commit=raw["commit"]["sha"], tree=raw["commit"]["commit"]["tree"]["sha"])


def _bytes(raw: Any) -> bytes | None:
    if not isinstance(raw, dict) or raw.get("encoding") != "base64":
        return None
    return base64.b64decode(raw["content"])


def _pull(raw: Any) -> PullRequest:
    head = raw["head"]
    return PullRequest(
        number=int(raw["number"]),
        node=raw["node_id"],
        title=raw["title"],
        url=raw["html_url"],
        author=reading.actor(raw.get("user")),
        open=raw["state"] == "open",
        draft=bool(raw.get("draft")),
        merged=bool(raw.get("merged_at")),
        branch=head["ref"],
        sha=head["sha"],
        head_repository=head["repo"]["full_name"] if head.get("repo") else None,
        base=raw["base"]["ref"],
        base_repository=raw["base"]["repo"]["full_name"],
        labels=tuple(reading.label_name(label) for label in raw["labels"]),
        assignees=tuple(user["login"] for user in raw.get("assignees") or []),
        reviewers=tuple(user["login"] for user in raw.get("requested_reviewers") or []),
    )


def _annotation(path: str, finding: LintFinding) -> dict[str, Any]:
    return {
        "path": path,
        "start_line": finding.line,
        "end_line": finding.line,
        "annotation_level": "failure" if finding.level == "error" else "warning",
        "message": finding.text,
    }
