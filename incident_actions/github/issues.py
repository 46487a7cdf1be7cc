"""Issues and pull requests as issues: history, comments, labels, assignees, sub-issues.

https://docs.github.com/en/rest/issues
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import Any
from urllib.parse import quote

from msgspec import convert
from msgspec.structs import asdict, replace

from incident_actions.domain.issue.observation import (
    Actor,
    Comment,
    EventKind,
    Issue,
    TimelineEvent,
    Version,
)
from incident_actions.domain.projection import effects as e
from incident_actions.errors import NotFound, Rejected
from incident_actions.github.transport import (
    PER_PAGE,
    Answer,
    Transport,
    actor,
    build,
    each,
    field,
    names,
    see,
)

_EVENTS = frozenset(kind.value for kind in EventKind)


class Issues(Transport):
    """Each method makes one request, unless it says otherwise.

    All raise `errors.GitHubError`, and for an issue that does not exist `errors.NotFound`.
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
        """The issues that have all of these labels, the newest first.

        `state` is "open", "closed" or "all". `creator` is a login: only issues by that account.
        `since`: only issues that changed at that time or later, the last change first. `pulls`:
        give pull requests, too. `most`: read only so many entries of GitHub's list, which holds
        pull requests in any case; None reads all. Makes one request for each hundred entries.

        https://docs.github.com/en/rest/issues/issues#list-repository-issues
        """
        asked = {"labels": ",".join(labels), "state": state, "creator": creator}
        if since is not None:
            asked |= {"since": _stamp(since), "sort": "updated", "direction": "desc"}
        asked = {name: value for name, value in asked.items() if value}
        listed = islice(self._pages(_issue, "/issues", **asked), most)
        return tuple(issue for issue in listed if pulls or not issue.is_pull_request)

    def history(
        self, number: int, also: Collection[str] = ()
    ) -> tuple[Comment | TimelineEvent, ...]:
        """An issue's comments and events, in GitHub's order.

        Kinds of events that `EventKind` does not name are left out, and so are references from
        other repositories, which anybody can make. Those from the repositories in `also` (in lower
        case) are kept, with `OWNER/NAME#NUMBER` as their subject. Makes one request for each
        hundred entries.

        https://docs.github.com/en/rest/issues/timeline#list-timeline-events-for-an-issue
        """

        def entry(raw: Any) -> Comment | TimelineEvent | None:
            home, read = _repository_of(raw), _entry(raw)
            if home in (None, self.repository.casefold()) or not isinstance(read, TimelineEvent):
                return read
            return replace(read, subject=f"{home}#{read.subject}") if home in also else None

        return tuple(self._pages(entry, f"/issues/{number}/timeline"))

    def editors(self, nodes: Sequence[str]) -> dict[str, Actor]:
        """Who edited issues or comments last: node id -> account; without those never edited.

        `nodes` are GraphQL's ids. Makes one request for each hundred.

        https://docs.github.com/en/graphql/reference/interfaces#comment
        """
        return dict(self._nodes(_editor_of, _EDITORS, nodes))

    def versions(self, nodes: Sequence[str]) -> dict[str, tuple[Version, ...]]:
        """The versions of issues or comments that were edited: node id -> the oldest first.

        Of a text with more than twenty versions the newest are given. `nodes` are GraphQL's ids.
        Makes one request for each hundred.

        https://docs.github.com/en/graphql/reference/objects#usercontentedit
        """
        return dict(self._nodes(_versions_of, _VERSIONS, nodes))

    def _nodes(
        self, reader: Callable[[Any], tuple[str, Answer] | None], query: str, nodes: Sequence[str]
    ) -> Iterator[tuple[str, Answer]]:
        for start in range(0, len(nodes), PER_PAGE):
            ids = list(nodes[start : start + PER_PAGE])
            yield from self._query(each(reader, "nodes"), query, {"ids": ids})

    def open(self, issue: e.OpenIssue) -> int:
        """Open an issue; gives its number. Raises `Rejected` when an assignee can't be assigned.

        https://docs.github.com/en/rest/issues/issues#create-an-issue
        """
        return self._create(field("number", int), "/issues", asdict(issue))

    def edit(self, change: e.EditIssue) -> None:
        """Change an issue or a pull request. Makes no request when there is nothing to change.

        https://docs.github.com/en/rest/issues/issues#update-an-issue
        """
        wanted = asdict(change)
        parts = ("title", "body", "labels", "assignees")
        given = {part: wanted[part] for part in parts if wanted[part] is not None}
        if change.open is not None:
            given["state"] = "open" if change.open else "closed"
            closed = "completed" if change.planned else "not_planned"
            given["state_reason"] = "reopened" if change.open else closed
        if given:
            _, answer = self.send("PATCH", f"/issues/{change.number}", given=given)
            see("number", change.number, answer)

    def recent_comments(self, since: datetime) -> tuple[tuple[int, Comment], ...]:
        """The comments since a time, on all issues: (issue number, comment), the newest first.

        Makes one request for each hundred comments.

        https://docs.github.com/en/rest/issues/comments#list-issue-comments-for-a-repository
        """
        asked = {"since": _stamp(since), "sort": "created", "direction": "desc"}
        listed = self._pages(_with_issue, "/issues/comments", **asked)
        # GitHub's `since` means the last edit, so old comments are listed, too. The newest come
        # first: after the first comment that is too old there are only older ones.
        return tuple(takewhile(lambda each: each[1].created_at >= since, listed))

    def lost_issues(
        self, since: datetime, labels: Collection[str], surely: datetime
    ) -> tuple[Issue, ...]:
        """Issues that were closed, or lost one of these labels, since a time: the newest first.

        No list of open issues with these labels shows them. They are given as they are now. Makes
        one request for a hundred events in the repository, and up to two more while these do not
        reach back to `surely`, which is later than `since`.

        https://docs.github.com/en/rest/issues/events#list-issue-events-for-a-repository
        """

        def event(raw: Any) -> tuple[datetime, Issue | None]:
            kind, label = raw["event"], (raw.get("label") or {}).get("name", "")
            lost = kind == "closed" or (kind == "unlabeled" and label.casefold() in labels)
            issue = _issue(raw["issue"]) if lost and raw.get("issue") else None
            return convert(raw["created_at"], datetime), issue

        found: dict[int, Issue] = {}
        listed = islice(self._pages(event, "/issues/events"), 3 * PER_PAGE)
        for count, (at, issue) in enumerate(listed, start=1):
            if at < since:
                break
            if issue is not None and not issue.is_pull_request:
                found.setdefault(issue.number, issue)
            if at < surely and count % PER_PAGE == 0:
                break
        return tuple(found.values())

    def comment(self, comment: e.PostComment) -> int:
        """Comment on an issue; gives the comment's id. Not repeated when GitHub's answer is lost.

        https://docs.github.com/en/rest/issues/comments#create-an-issue-comment
        """
        path = f"/issues/{comment.number}/comments"
        return self._create(field("id", int), path, {"body": comment.text})

    def edit_comment(self, edit: e.EditComment) -> None:
        """Replace a comment's text. Raises `NotFound` when it was deleted.

        https://docs.github.com/en/rest/issues/comments#update-an-issue-comment
        """
        path = f"/issues/comments/{edit.comment_id}"
        _, answer = self.send("PATCH", path, given={"body": edit.text})
        see("id", edit.comment_id, answer)

    def delete_comment(self, comment: e.DeleteComment) -> None:
        """Delete a comment. Does nothing when it was deleted before.

        https://docs.github.com/en/rest/issues/comments#delete-an-issue-comment
        """
        with suppress(NotFound):
            self.send("DELETE", f"/issues/comments/{comment.comment_id}")

    def react(self, reaction: e.AddReaction) -> None:
        """Put a thumbs up on a comment. Does nothing when it is there already.

        https://docs.github.com/en/rest/reactions/reactions#create-reaction-for-an-issue-comment
        """
        path = f"/issues/comments/{reaction.comment_id}/reactions"
        self.send("POST", path, given={"content": "+1"})

    def unlock(self, unlock: e.UnlockIssue) -> None:
        """Unlock an issue's conversation. Does nothing when it is not locked.

        https://docs.github.com/en/rest/issues/issues#unlock-an-issue
        """
        self.send("DELETE", f"/issues/{unlock.number}/lock")

    def lock(self, lock: e.LockIssue) -> None:
        """Lock an issue's conversation.

        https://docs.github.com/en/rest/issues/issues#lock-an-issue
        """
        given = {"lock_reason": lock.reason} if lock.reason else None
        self.send("PUT", f"/issues/{lock.number}/lock", given=given)

    def label_names(self) -> frozenset[str]:
        """The names of the repository's labels, in lower case. One request for each hundred.

        https://docs.github.com/en/rest/issues/labels#list-labels-for-a-repository
        """
        return frozenset(name.casefold() for name in self._pages(field("name", str), "/labels"))

    def create_label(self, effect: e.CreateLabel) -> None:
        """Create a label. Does nothing when it exists: another run may have created it.

        https://docs.github.com/en/rest/issues/labels#create-a-label
        """
        try:
            self.send("POST", "/labels", given=asdict(effect.label))
        except Rejected as refused:
            if not refused.says("already_exists", "already exists"):
                raise

    def assignable(self, login: str) -> bool:
        """Whether a login can be assigned to issues of this repository.

        https://docs.github.com/en/rest/issues/assignees#check-if-a-user-can-be-assigned
        """
        return self._exists(f"/assignees/{quote(login, safe='')}")

    def account_exists(self, login: str) -> bool:
        """Whether GitHub knows this login.

        https://docs.github.com/en/rest/users/users#get-a-user
        """
        return self._exists(f"{self._api}/users/{quote(login, safe='')}")

    def sub_issues(self, number: int) -> tuple[int, ...] | None:
        """The numbers of an issue's sub-issues; None where GitHub does not offer sub-issues.

        Makes one request for each hundred.

        https://docs.github.com/en/rest/issues/sub-issues#list-sub-issues
        """
        with suppress(NotFound):
            return tuple(self._pages(field("number", int), f"/issues/{number}/sub_issues"))
        return None

    def add_sub_issue(self, link: e.AddSubIssue) -> None:
        """Make an issue a sub-issue of another one. Makes two requests.

        Raises `Rejected` when the parent has as many as GitHub allows, or the issue has a parent.

        https://docs.github.com/en/rest/issues/sub-issues#add-sub-issue
        """
        child = {"sub_issue_id": self._get(field("id", int), f"/issues/{link.number}")}
        self.send("POST", f"/issues/{link.parent}/sub_issues", given=child)


def _stamp(at: datetime) -> str:
    """A time as GitHub's query parameters want it: `2026-11-23T14:02:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _issue(raw: Any) -> Issue:
    return build(
        Issue,
        raw,
        body=raw.get("body") or "",
        author=actor(raw.get("user")),
        association=raw.get("author_association") or "NONE",
        open=raw["state"] == "open",
        labels=names(raw["labels"]),
        assignees=names(raw.get("assignees")),
        node=raw.get("node_id") or "",
        url=raw["html_url"],
        is_pull_request="pull_request" in raw,
        locked=bool(raw.get("locked")),
        lock_reason=raw.get("active_lock_reason") or "",
    )


_EDITORS = """
query($ids: [ID!]!) {
  nodes(ids: $ids) { ... on Comment { id editor { __typename login } lastEditedAt } }
}
"""
_VERSIONS = """
query($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on Comment {
      id
      userContentEdits(first: 20) {
        nodes { editedAt diff editor { __typename login } }
      }
    }
  }
}
"""
"""`diff` is the whole text of a version."""


def _editor_of(raw: Any) -> tuple[str, Actor] | None:
    return (raw["id"], _account(raw["editor"])) if raw and raw["lastEditedAt"] else None


def _versions_of(raw: Any) -> tuple[str, tuple[Version, ...]] | None:
    if not raw:
        return None  # it was deleted meanwhile
    edits = (raw.get("userContentEdits") or {}).get("nodes") or ()
    versions = [
        build(Version, {}, by=_account(edit["editor"]), at=edit["editedAt"], text=edit.get("diff"))
        for edit in edits
    ]
    return raw["id"], tuple(sorted(versions, key=lambda version: version.at))


def _account(raw: Any) -> Actor:
    """An account, as GraphQL gives it: without the `[bot]` that REST has in a bot's login."""
    bot = bool(raw) and raw.get("__typename") == "Bot"
    return Actor(f"{raw['login']}[bot]", bot=True) if bot else actor(raw)


def _repository_of(raw: Any) -> str | None:
    """The repository (in lower case) that a cross-reference comes from; None for other entries."""
    if raw.get("event") != EventKind.CROSS_REFERENCED:
        return None
    source = (raw.get("source") or {}).get("issue") or {}
    name = (source.get("repository") or {}).get("full_name") or "/".join(
        str(source.get("repository_url")).split("/")[-2:]
    )
    return str(name).casefold()


def _comment(raw: Any) -> Comment:
    """A comment, from the timeline or from a list of comments."""
    return build(
        Comment,
        raw,
        author=actor(raw.get("user") or raw.get("actor")),
        body=raw.get("body") or "",
        association=raw.get("author_association") or "NONE",
        node=raw.get("node_id") or "",
        thumbs_up=int((raw.get("reactions") or {}).get("+1") or 0),
    )


def _with_issue(raw: Any) -> tuple[int, Comment]:
    return int(raw["issue_url"].rpartition("/")[2]), _comment(raw)


def _entry(raw: Any) -> Comment | TimelineEvent | None:
    """One entry of the timeline; None for kinds of events that `EventKind` does not name.

    None also for a cross-reference that does not say which issue holds it. A cross-reference has
    no id: it gets the number of that issue.
    """
    kind = raw.get("event")
    if kind == "commented":
        return _comment(raw)
    source = (raw.get("source") or {}).get("issue") or {}
    if kind not in _EVENTS or (kind == EventKind.CROSS_REFERENCED and not source):
        return None
    pull = source.get("pull_request") or {}
    return build(
        TimelineEvent,
        {},
        id=int(raw.get("id") or source.get("number") or 0),
        kind=kind,
        actor=actor(raw.get("actor")),
        at=raw["created_at"],
        subject=_subject(kind, raw),
        author=actor(source.get("user")) if source else None,
        title=str(source.get("title") or ""),
        body=str(source.get("body") or ""),
        pull_request=bool(pull),
        merged_at=pull.get("merged_at"),
    )


def _subject(kind: str, raw: Any) -> str:
    """What an event is about: a label, a login, an issue's number, a commit or the new title."""
    if kind in ("labeled", "unlabeled"):
        return str(raw["label"]["name"])
    if kind in ("assigned", "unassigned"):
        return actor(raw.get("assignee")).login
    if kind == "cross-referenced":
        return str(raw["source"]["issue"]["number"])
    if kind == "closed":
        return str(raw.get("commit_id") or "")
    return str(raw["rename"]["to"]) if kind == "renamed" else ""
