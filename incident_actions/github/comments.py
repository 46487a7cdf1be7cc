"""Comments on issues and pull requests, and reactions to them.

https://docs.github.com/en/rest/issues/comments
"""

from __future__ import annotations

from datetime import datetime
from itertools import takewhile
from typing import Any

from incident_actions.domain.issue.observation import Comment
from incident_actions.errors import NotFound
from incident_actions.github import decoding
from incident_actions.github.decoding import stamp
from incident_actions.github.transport import Transport


class Comments(Transport):
    """Every method is one request, unless it says more. All raise `errors.GitHubError`."""

    def recent_comments(self, since: datetime) -> tuple[tuple[int, Comment], ...]:
        """The comments that were written since then, each with its issue's number, newest first.

        One request a hundred comments.

        https://docs.github.com/en/rest/issues/comments#list-issue-comments-for-a-repository
        """
        asked = {"since": stamp(since), "sort": "created", "direction": "desc"}
        found = self._pages(_with_issue, "/issues/comments", **asked)
        # GitHub's `since` is the last edit. The list is sorted by creation, so the rest is older.
        return tuple(takewhile(lambda each: each[1].created_at >= since, found))

    def comment(self, number: int, text: str) -> int:
        """Comment on an issue; gives the comment's id. A lost answer is not tried again.

        https://docs.github.com/en/rest/issues/comments#create-an-issue-comment
        """
        path = f"/issues/{number}/comments"
        return self._create(lambda raw: int(raw["id"]), path, {"body": text})

    def edit_comment(self, comment_id: int, text: str) -> None:
        """Replace a comment's text. Raises `NotFound` when it was deleted.

        https://docs.github.com/en/rest/issues/comments#update-an-issue-comment
        """
        self._write("PATCH", f"/issues/comments/{comment_id}", {"body": text})

    def delete_comment(self, comment_id: int) -> None:
        """Delete a comment. One that is gone already is fine.

        https://docs.github.com/en/rest/issues/comments#delete-an-issue-comment
        """
        try:
            self._write("DELETE", f"/issues/comments/{comment_id}")
        except NotFound:
            return

    def react(self, comment_id: int) -> None:
        """Put a thumbs up on a comment. Twice is the same as once.

        https://docs.github.com/en/rest/reactions/reactions#create-reaction-for-an-issue-comment
        """
        self._write("POST", f"/issues/comments/{comment_id}/reactions", {"content": "+1"})


def _with_issue(raw: Any) -> tuple[int, Comment]:
    return int(raw["issue_url"].rpartition("/")[2]), decoding.comment(raw)
