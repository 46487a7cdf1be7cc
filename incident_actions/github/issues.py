"""Issues, their history, labels, assignees and sub-issues.

https://docs.github.com/en/rest/issues
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import quote

from incident_actions.domain.issue.labels import Label
from incident_actions.domain.issue.observation import Comment, EventKind, Issue, TimelineEvent
from incident_actions.domain.projection.effects import EditIssue, OpenIssue
from incident_actions.errors import NotFound, Rejected
from incident_actions.github.decoding import (
    actor,
    comment,
    label_name,
    logins,
    number_of,
    stamp,
    time,
)
from incident_actions.github.transport import Transport

_EVENTS = frozenset(kind.value for kind in EventKind)


class Issues(Transport):
    """Every method is one request, unless it says more.

    All raise `errors.GitHubError`; for an issue that isn't there that is `errors.NotFound`.
    """

    def issue(self, number: int) -> Issue:
        """An issue or a pull request as it is now.

        https://docs.github.com/en/rest/issues/issues#get-an-issue
        """
        return self._get(_issue, f"/issues/{number}")

    def issues(
        self,
        *,
        labels: Sequence[str] = (),
        state: str = "open",
        creator: str = "",
        since: datetime | None = None,
        pulls: bool = False,
        most: int | None = None,
    ) -> tuple[Issue, ...]:
        """The issues with all of these labels, the newest first. One request a hundred entries.

        `state` is "open", "closed" or "all". With `creator` (a login) only those of that account.
        With `since` only those that changed at that moment or later, the last change first. With
        `pulls` pull requests as well. `most` is how many entries of GitHub's list are looked at,
        pull requests counted; None looks at all.

        https://docs.github.com/en/rest/issues/issues#list-repository-issues
        """
        asked = {"labels": ",".join(labels), "state": state, "creator": creator}
        if since is not None:
            asked |= {"since": stamp(since), "sort": "updated", "direction": "desc"}
        asked = {name: value for name, value in asked.items() if value}
        found = islice(self._pages(_issue, "/issues", **asked), most)
        return tuple(issue for issue in found if pulls or not issue.is_pull_request)

    def history(self, number: int) -> tuple[Comment | TimelineEvent, ...]:
        """An issue's comments and events, in GitHub's order. One request a hundred entries.

        Events of kinds that mean nothing to an incident are left out.

        https://docs.github.com/en/rest/issues/timeline#list-timeline-events-for-an-issue
        """
        return tuple(self._pages(_entry, f"/issues/{number}/timeline"))

    def open(self, issue: OpenIssue) -> int:
        """Open an issue; gives its number. Raises `Rejected` for an assignee who can't be one.

        https://docs.github.com/en/rest/issues/issues#create-an-issue
        """
        return self._create(number_of, "/issues", _opened(issue))

    def edit(self, change: EditIssue) -> None:
        """Change an issue or a pull request. A change of nothing makes no request.

        https://docs.github.com/en/rest/issues/issues#update-an-issue
        """
        given: dict[str, Any] = {
            "title": change.title,
            "body": change.body,
            "labels": change.labels,
            "assignees": change.assignees,
        }
        if change.open is not None:
            given["state"] = "open" if change.open else "closed"
            closed = "completed" if change.planned else "not_planned"
            given["state_reason"] = "reopened" if change.open else closed
        given = {name: value for name, value in given.items() if value is not None}
        if given:
            self._write("PATCH", f"/issues/{change.number}", given)

    def label_names(self) -> frozenset[str]:
        """The names of the repository's labels, in lower case. One request a hundred labels.

        https://docs.github.com/en/rest/issues/labels#list-labels-for-a-repository
        """
        return frozenset(name.casefold() for name in self._pages(label_name, "/labels"))

    def create_label(self, label: Label) -> None:
        """Create a label. One that exists already is fine: another run was faster.

        https://docs.github.com/en/rest/issues/labels#create-a-label
        """
        given = {"name": label.name, "color": label.color, "description": label.description}
        try:
            self._write("POST", "/labels", given)
        except Rejected:
            return

    def assignable(self, login: str) -> bool:
        """Whether somebody can be assigned in this repository.

        https://docs.github.com/en/rest/issues/assignees#check-if-a-user-can-be-assigned
        """
        return self._exists(f"/assignees/{quote(login, safe='')}")

    def account_exists(self, login: str) -> bool:
        """Whether GitHub knows this login.

        https://docs.github.com/en/rest/users/users#get-a-user
        """
        return self._exists(f"{self._requester.base_url}/users/{quote(login, safe='')}")

    def sub_issues(self, number: int) -> tuple[int, ...] | None:
        """The numbers of an issue's sub-issues; None where this GitHub has no sub-issues.

        One request a hundred sub-issues.

        https://docs.github.com/en/rest/issues/sub-issues#list-sub-issues
        """
        try:
            return tuple(self._pages(number_of, f"/issues/{number}/sub_issues"))
        except NotFound:
            return None

    def add_sub_issue(self, parent: int, number: int) -> None:
        """Put an issue under another one. Two requests. Raises `Rejected` when there is no room.

        https://docs.github.com/en/rest/issues/sub-issues#add-sub-issue
        """
        child = self._get(lambda raw: int(raw["id"]), f"/issues/{number}")
        self._write("POST", f"/issues/{parent}/sub_issues", {"sub_issue_id": child})

    def file_action(
        self, title: str, body: str, labels: Sequence[str], assignees: Sequence[str]
    ) -> Issue:
        """`open`, for a caller that wants the whole issue. It goes once filing uses `open`."""
        opened = _opened(OpenIssue(title, body, tuple(labels), tuple(assignees)))
        return self._create(_issue, "/issues", opened)

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
        """`edit`, with a state and its reason. It goes once filing uses `edit`."""
        open_, reason = (state[0] == "open", state[1]) if state else (None, "")
        self.edit(
            EditIssue(
                number,
                title=title,
                body=body,
                labels=tuple(labels),
                assignees=tuple(assignees),
                open=open_,
                planned=reason != "not_planned",
            )
        )


def _opened(issue: OpenIssue) -> dict[str, Any]:
    given = {"title": issue.title, "body": issue.body, "labels": issue.labels}
    return {**given, "assignees": issue.assignees} if issue.assignees else given


def _issue(raw: Any) -> Issue:
    return Issue(
        number=number_of(raw),
        title=raw["title"],
        body=raw.get("body") or "",
        author=actor(raw.get("user")),
        association=raw.get("author_association") or "NONE",
        open=raw["state"] == "open",
        labels=tuple(label_name(label) for label in raw["labels"]),
        assignees=logins(raw.get("assignees")),
        created_at=time(raw["created_at"]),
        updated_at=time(raw["updated_at"]),
        url=raw["html_url"],
        is_pull_request="pull_request" in raw,
        comments=int(raw.get("comments") or 0),
        draft=bool(raw.get("draft")),
    )


def _entry(raw: Any) -> Comment | TimelineEvent | None:
    """One entry of the timeline; None for those that mean nothing to an incident.

    A cross-reference has no id of its own, and may not say where it stands: then it is nothing.
    """
    kind = raw.get("event")
    if kind == "commented":
        return comment(raw)
    source = (raw.get("source") or {}).get("issue") or {}
    if kind not in _EVENTS or (kind == EventKind.CROSS_REFERENCED and not source):
        return None
    pull = source.get("pull_request") or {}
    merged = pull.get("merged_at")
    return TimelineEvent(
        id=int(raw.get("id") or source.get("number") or 0),
        kind=EventKind(kind),
        actor=actor(raw.get("actor")),
        at=time(raw["created_at"]),
        subject=_subject(kind, raw),
        author=actor(source.get("user")) if source else None,
        title=str(source.get("title") or ""),
        body=str(source.get("body") or ""),
        pull_request=bool(pull),
        merged_at=time(merged) if merged else None,
    )


def _subject(kind: str, raw: Any) -> str:
    """What an event is about: a label, a login, the new title or an issue's number."""
    if kind in ("labeled", "unlabeled"):
        return str(raw["label"]["name"])
    if kind in ("assigned", "unassigned"):
        return actor(raw.get("assignee")).login
    if kind == "cross-referenced":
        return str(raw["source"]["issue"]["number"])
    return str(raw["rename"]["to"]) if kind == "renamed" else ""
