"""The port's adapter: PyGithub's connection and retries, and GitHub's JSON as our values.

PyGithub's own objects are not used: they fetch what is missing on their own, and a run has a
request budget.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import github
import requests

from incident_actions import __version__
from incident_actions.domain.changes.suspects import MergedPull, Push, Release, WorkflowRun
from incident_actions.domain.freeze.override_audit import CheckRun
from incident_actions.domain.issue.labels import Label
from incident_actions.domain.issue.permissions import Permission
from incident_actions.domain.issue.records import (
    Comment,
    Deployment,
    EventKind,
    Issue,
    TimelineEvent,
)
from incident_actions.domain.projection.effects import EditIssue, OpenIssue
from incident_actions.errors import (
    Forbidden,
    GitHubError,
    InputError,
    NotFound,
    RateLimited,
    Rejected,
    Unauthorized,
    Unavailable,
)
from incident_actions.github import decoding as reading
from incident_actions.github import recent
from incident_actions.github.decoding import Answer, actor, read, time
from incident_actions.github.drafts import GitHubDrafts
from incident_actions.github.patience import PatientRetry

TIMEOUT = 15
"""Seconds for one answer."""
_PER_PAGE = 100
_EVENTS = frozenset(kind.value for kind in EventKind)


def connect(token: str, repository: str, api_url: str) -> GitHub:
    """A connection to one repository. Nothing is asked yet."""
    client = github.Github(
        auth=github.Auth.Token(token),
        base_url=api_url,
        timeout=TIMEOUT,
        user_agent=f"incident-actions/{__version__}",
        per_page=_PER_PAGE,
        retry=PatientRetry(),
        seconds_between_requests=None,
        seconds_between_writes=None,
    )
    return GitHub(client, repository)


class GitHub(GitHubDrafts):
    """One repository, asked over HTTP, for one run.

    Files of the default branch and what changed lately are asked for once: a sweep wants them for
    every incident that no run has seen.
    """

    def __init__(self, client: github.Github, repository: str) -> None:
        self._requester = client.requester
        self._repository = repository
        self._base = f"/repos/{quote(repository, safe='/')}"
        self._answers: dict[tuple[object, ...], Any] = {}
        self.requests = 0

    @property
    def repository(self) -> str:
        """`OWNER/NAME`."""
        return self._repository

    def issue(self, number: int) -> Issue:
        """https://docs.github.com/en/rest/issues/issues#get-an-issue"""
        return read(reading.issue, self._ask("GET", f"/issues/{number}"))

    def history(self, number: int) -> tuple[Comment | TimelineEvent, ...]:
        """https://docs.github.com/en/rest/issues/timeline"""
        pages = self._pages(f"/issues/{number}/timeline")
        return tuple(item for raw in pages if (item := read(_entry, raw)) is not None)

    def issues(
        self, *, labels: Sequence[str], state: str = "open", creator: str = ""
    ) -> tuple[Issue, ...]:
        """https://docs.github.com/en/rest/issues/issues#list-repository-issues"""
        asked = {"labels": ",".join(labels), "state": state, "creator": creator}
        asked = {name: value for name, value in asked.items() if value}
        found = (read(reading.issue, raw) for raw in self._pages("/issues", asked))
        return tuple(issue for issue in found if not issue.is_pull_request)

    def recent_comments(self, since: datetime) -> tuple[tuple[int, Comment], ...]:
        """https://docs.github.com/en/rest/issues/comments#list-issue-comments-for-a-repository"""
        asked = {
            "since": since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "sort": "created",
            "direction": "desc",
        }
        found = []
        for raw in self._pages("/issues/comments", asked):
            number, comment = read(_repository_comment, raw)
            if comment.created_at < since:
                break  # sorted by creation: older ones were only edited since
            found.append((number, comment))
        return tuple(found)

    def last_scheduled_run(self, workflow: str) -> datetime | None:
        """https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-workflow"""
        _, answer = self._request(
            "GET",
            f"/actions/workflows/{quote(workflow, safe='')}/runs",
            parameters={"event": "schedule", "per_page": 1},
        )
        return read(_newest_run, answer)

    def permission(self, login: str) -> Permission:
        """https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user"""
        try:
            answer = self._ask("GET", f"/collaborators/{quote(login, safe='')}/permission")
        except NotFound:
            return Permission.NONE
        return read(_permission, answer)

    def file(self, path: str) -> str | None:
        """https://docs.github.com/en/rest/repos/contents#get-repository-content

        Raises `InputError` for a path that leads out of the repository.
        """
        if path.startswith("/") or ".." in path.split("/"):
            raise InputError(
                f"`{path}` is no path in the repository",
                remedy="Write it from the repository's root, like `.github/incident.yml`.",
            )
        try:
            answer = self._once(f"/contents/{quote(path)}")
        except NotFound:
            return None
        return read(_text, answer)

    def folder(self, path: str) -> dict[str, str]:
        """https://docs.github.com/en/rest/repos/contents#get-repository-content"""
        try:
            answer = self._once(f"/contents/{quote(path)}")
        except NotFound:
            return {}
        return read(_file_hashes, answer)

    def deployments(self, since: datetime) -> tuple[Deployment, ...]:
        """https://docs.github.com/en/rest/deployments/deployments#list-deployments"""
        answer = self._once("/deployments", per_page=_PER_PAGE)
        found = read(_each(_deployment), answer)
        return tuple(sorted((each for each in found if each.at >= since), key=lambda d: d.at))

    def default_branch(self) -> str:
        """https://docs.github.com/en/rest/repos/repos#get-a-repository"""
        return read(lambda raw: str(raw["default_branch"]), self._once(""))

    def pushes(self, branch: str) -> tuple[Push, ...]:
        """https://docs.github.com/en/rest/repos/repos#list-repository-activities"""
        answer = self._once("/activity", ref=branch, per_page=_PER_PAGE)
        return read(_each(recent.push), answer)

    def merged_pulls(self, branch: str) -> tuple[MergedPull, ...]:
        """https://docs.github.com/en/rest/pulls/pulls#list-pull-requests"""
        asked = {"state": "closed", "base": branch, "sort": "updated", "direction": "desc"}
        answer = self._once("/pulls", **asked, per_page=_PER_PAGE)
        found = read(_each(recent.pull), answer)
        return tuple(pull for pull in found if pull is not None)

    def releases(self) -> tuple[Release, ...]:
        """https://docs.github.com/en/rest/releases/releases#list-releases"""
        answer = self._once("/releases", per_page=30)
        found = read(_each(recent.release), answer)
        return tuple(release for release in found if release is not None)

    def workflow_runs(self) -> tuple[WorkflowRun, ...]:
        """https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository"""
        _, answer = self._request("GET", "/actions/runs", parameters={"per_page": _PER_PAGE})
        return read(lambda raw: _each(recent.workflow_run)(raw["workflow_runs"]), answer)

    def changed_files(self, base: str, head: str) -> tuple[str, ...] | None:
        """https://docs.github.com/en/rest/commits/commits#compare-two-commits"""
        return read(recent.changed_files, self._ask("GET", f"/compare/{base}...{head}"))

    def check_runs(self, ref: str) -> tuple[CheckRun, ...]:
        """https://docs.github.com/en/rest/checks/runs#list-check-runs-for-a-git-reference"""
        path = f"/commits/{quote(ref, safe='')}/check-runs"
        _, answer = self._request("GET", path, parameters={"per_page": _PER_PAGE})
        return read(_check_runs, answer)

    def notices(self, check_run: int, title: str) -> tuple[str, ...]:
        """https://docs.github.com/en/rest/checks/runs#list-check-run-annotations"""
        path = f"/check-runs/{check_run}/annotations"
        _, answer = self._request("GET", path, parameters={"per_page": _PER_PAGE})
        return read(lambda raw: _notices(raw, title), answer)

    def is_public(self) -> bool:
        """https://docs.github.com/en/rest/repos/repos#get-a-repository"""
        return read(lambda raw: not raw["private"], self._ask("GET", ""))

    def quiet_since(self) -> datetime | None:
        """https://docs.github.com/en/rest/repos/repos#get-a-repository"""
        raw = self._ask("GET", "")
        return None if raw["private"] else read(lambda it: time(it["pushed_at"]), raw)

    def label_names(self) -> frozenset[str]:
        """https://docs.github.com/en/rest/issues/labels#list-labels-for-a-repository"""
        found = (read(reading.label_name, raw) for raw in self._pages("/labels"))
        return frozenset(name.casefold() for name in found)

    def create_label(self, label: Label) -> None:
        """https://docs.github.com/en/rest/issues/labels#create-a-label"""
        given = {"name": label.name, "color": label.color, "description": label.description}
        try:
            self._ask("POST", "/labels", given)
        except Rejected:
            return  # it exists: another run was faster

    def edit(self, change: EditIssue) -> None:
        """https://docs.github.com/en/rest/issues/issues#update-an-issue"""
        given: dict[str, Any] = {}
        if change.title is not None:
            given["title"] = change.title
        if change.body is not None:
            given["body"] = change.body
        if change.labels is not None:
            given["labels"] = list(change.labels)
        if change.assignees is not None:
            given["assignees"] = list(change.assignees)
        if change.open is not None:
            given["state"] = "open" if change.open else "closed"
            closed = "completed" if change.planned else "not_planned"
            given["state_reason"] = "reopened" if change.open else closed
        if given:
            self._ask("PATCH", f"/issues/{change.number}", given)

    def open(self, issue: OpenIssue) -> int:
        """https://docs.github.com/en/rest/issues/issues#create-an-issue"""
        given: dict[str, Any] = {
            "title": issue.title,
            "body": issue.body,
            "labels": list(issue.labels),
        }
        if issue.assignees:
            given["assignees"] = list(issue.assignees)
        return read(lambda raw: int(raw["number"]), self._ask("POST", "/issues", given))

    def comment(self, number: int, text: str) -> None:
        """https://docs.github.com/en/rest/issues/comments#create-an-issue-comment"""
        self._ask("POST", f"/issues/{number}/comments", {"body": text})

    def delete_comment(self, comment_id: int) -> None:
        """https://docs.github.com/en/rest/issues/comments#delete-an-issue-comment"""
        try:
            self._ask("DELETE", f"/issues/comments/{comment_id}")
        except NotFound:
            return

    def react(self, comment_id: int) -> None:
        """https://docs.github.com/en/rest/reactions/reactions#create-reaction-for-an-issue-comment"""
        self._ask("POST", f"/issues/comments/{comment_id}/reactions", {"content": "+1"})

    def _pages(self, path: str, asked: dict[str, Any] | None = None) -> Iterator[Any]:
        """Every item of a list, page by page while GitHub's `Link` header names a next one."""
        page = 1
        while True:
            parameters = {**(asked or {}), "per_page": _PER_PAGE, "page": page}
            headers, items = self._request("GET", path, parameters=parameters)
            if not isinstance(items, list):
                raise Unavailable(
                    f"GitHub answered {path} with something else than a list",
                    remedy="Run it again; see https://www.githubstatus.com.",
                )
            yield from items
            if 'rel="next"' not in headers.get("link", ""):
                return
            page += 1

    def ask(self, path: str) -> Any:
        """The JSON of a GET below the repository, for what one command alone wants to know."""
        return self._ask("GET", path)

    def _once(self, path: str, **parameters: Any) -> Any:
        """The JSON of a GET; the same question gets the same answer for the rest of the run."""
        key = (path, *sorted(parameters.items()))
        if key not in self._answers:
            try:
                self._answers[key] = self._request("GET", path, parameters=parameters or None)[1]
            except (Forbidden, NotFound) as refused:
                self._answers[key] = refused
        answer = self._answers[key]
        if isinstance(answer, GitHubError):
            raise answer
        return answer

    def _ask(self, verb: str, path: str, given: dict[str, Any] | None = None) -> Any:
        return self._request(verb, path, given)[1]

    def _request(
        self,
        verb: str,
        path: str,
        given: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> tuple[dict[str, Any], Any]:
        headers, answer = self._send(verb, self._base + path, given, parameters)
        if (answer is None and verb == "GET") or _is_no_json(answer):
            raise Unavailable(
                f"GitHub did not answer {verb} {path} with JSON",
                remedy="Run it again; see https://www.githubstatus.com.",
            )
        return headers, answer

    def _graphql(self, query: str, variables: dict[str, Any]) -> None:
        with self._explained("POST", "/graphql"):
            self._requester.graphql_query(query, variables)

    def _send(
        self,
        verb: str,
        path: str,
        given: dict[str, Any] | None = None,
        parameters: dict[str, Any] | None = None,
    ) -> tuple[dict[str, Any], Any]:
        with self._explained(verb, path.removeprefix(self._base)):
            return self._requester.requestJsonAndCheck(
                verb, path, parameters=parameters, input=given
            )

    @contextmanager
    def _explained(self, verb: str, path: str) -> Iterator[None]:
        """Count a request, and turn its failure into an error of ours."""
        self.requests += 1
        try:
            yield
        except github.GithubException as error:
            raise _explain(error, verb, path, self.repository) from None
        except (requests.RequestException, OSError) as error:
            raise Unavailable(
                f"GitHub could not be reached: {type(error).__name__} at {verb} {path}",
                remedy="Run it again; see https://www.githubstatus.com.",
            ) from None


def _is_no_json(answer: Any) -> bool:
    """Whether this is a text that PyGithub has wrapped: a page of HTML, with a status of 200."""
    return (
        isinstance(answer, dict) and answer.keys() == {"data"} and isinstance(answer["data"], str)
    )


def _dicts(found: Any) -> list[dict[str, Any]]:
    return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def _each(reader: Callable[[Any], Answer]) -> Callable[[Any], tuple[Answer, ...]]:
    return lambda raw: tuple(reader(item) for item in raw)


def _explain(error: github.GithubException, verb: str, path: str, repository: str) -> GitHubError:
    """The error of ours that fits, with the remedy."""
    data = error.data if isinstance(error.data, dict) else {}
    details = [str(each.get("message") or "") for each in _dicts(data.get("errors"))]
    told = [str(data.get("message") or error.message or ""), *details]
    said = " ".join(" ".join(told).split())[:300]
    where = f"{path} on {repository}" if path else repository
    what = f"{verb} {where}: HTTP {error.status} {said}".strip()
    limited = "rate limit" in said.lower() or error.status == 429
    if isinstance(error, github.RateLimitExceededException) or limited:
        return RateLimited(what, remedy="Wait for the limit to reset; the next run does the rest.")
    if error.status == 401:
        return Unauthorized(
            what,
            remedy="The token is wrong or expired. Leave `token` out, or renew the secret.",
        )
    if error.status == 403:
        return Forbidden(
            what,
            remedy="Give the job `permissions: issues: write, contents: read`. "
            "For another repository use a token that may write there.",
        )
    if error.status in (404, 410):
        return NotFound(
            what,
            remedy=f"Check that {repository} exists and that the token may see it. "
            "`github.token` sees its own repository only.",
        )
    if 400 <= error.status < 500:
        return Rejected(what, remedy="GitHub refused the content; the message says why.")
    return Unavailable(what, remedy="Run it again; see https://www.githubstatus.com.")


def _entry(raw: Any) -> Comment | TimelineEvent | None:
    """One entry of the timeline; None for those that mean nothing to an incident."""
    kind = raw.get("event")
    if kind == "commented":
        return _comment(raw)
    if kind not in _EVENTS:
        return None
    event = TimelineEvent(
        id=int(raw.get("id") or 0),
        kind=EventKind(kind),
        actor=actor(raw.get("actor")),
        at=time(raw["created_at"]),
        subject=_subject(kind, raw),
    )
    return _with_source(event, raw) if kind == "cross-referenced" else event


def _comment(raw: Any) -> Comment:
    return Comment(
        id=int(raw["id"]),
        author=actor(raw.get("user") or raw.get("actor")),
        body=raw.get("body") or "",
        created_at=time(raw["created_at"]),
        updated_at=time(raw["updated_at"]),
        thumbs_up=int((raw.get("reactions") or {}).get("+1") or 0),
    )


def _repository_comment(raw: Any) -> tuple[int, Comment]:
    return int(raw["issue_url"].rpartition("/")[2]), _comment(raw)


def _newest_run(raw: Any) -> datetime | None:
    runs = raw["workflow_runs"]
    return time(runs[0]["created_at"]) if runs else None


def _subject(kind: str, raw: Any) -> str:
    if kind in ("labeled", "unlabeled"):
        return str(raw["label"]["name"])
    if kind in ("assigned", "unassigned"):
        return actor(raw.get("assignee")).login
    return str(raw["rename"]["to"]) if kind == "renamed" else ""


def _with_source(event: TimelineEvent, raw: Any) -> TimelineEvent | None:
    source = (raw.get("source") or {}).get("issue")
    if not source:
        return None
    pull = source.get("pull_request")
    merged = pull.get("merged_at") if pull else None
    return TimelineEvent(
        id=event.id or int(source["number"]),
        kind=event.kind,
        actor=event.actor,
        at=event.at,
        subject=str(source["number"]),
        author=actor(source.get("user")),
        title=str(source.get("title") or ""),
        body=str(source.get("body") or ""),
        pull_request=bool(pull),
        merged_at=time(merged) if merged else None,
    )


def _file_hashes(raw: Any) -> dict[str, str]:
    """Of a folder's list; a path that is a file holds none."""
    if not isinstance(raw, list):
        return {}
    return {item["name"]: item["sha"] for item in raw if item["type"] == "file"}


def _deployment(raw: Any) -> Deployment:
    return Deployment(
        id=int(raw["id"]),
        at=time(raw["created_at"]),
        by=actor(raw.get("creator")).login,
        sha=raw["sha"],
        environment=raw["environment"],
    )


def _check_runs(raw: Any) -> tuple[CheckRun, ...]:
    return tuple(
        CheckRun(
            id=int(run["id"]),
            sha=run["head_sha"],
            app=(run.get("app") or {}).get("slug") or "",
            at=time(run.get("completed_at") or run["started_at"]),
            done=run["status"] == "completed",
            annotations=int(run["output"]["annotations_count"]),
        )
        for run in raw["check_runs"]
        if run.get("completed_at") or run.get("started_at")
    )


def _notices(raw: Any, title: str) -> tuple[str, ...]:
    return tuple(
        str(each.get("message") or "")
        for each in raw
        if each.get("annotation_level") == "notice" and each.get("title") == title
    )


def _permission(raw: Any) -> Permission:
    """`role_name` is finer; a custom role has a name of its own, then `permission` counts."""
    try:
        return Permission.named(str(raw.get("role_name") or raw["permission"]))
    except KeyError:
        return Permission.named(str(raw["permission"]))


def _text(raw: Any) -> str | None:
    """A file's text. A folder has none; files over 1 MB come without content."""
    if not isinstance(raw, dict) or raw.get("encoding") != "base64":
        return None
    return base64.b64decode(raw["content"]).decode("utf-8-sig", errors="replace")
