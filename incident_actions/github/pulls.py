"""Pull requests.

https://docs.github.com/en/rest/pulls
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from incident_actions.domain.changes.suspects import MergedPull
from incident_actions.domain.postmortem.pulls import PullRequest
from incident_actions.github.decoding import actor, each, label_name, logins, number_of, time
from incident_actions.github.transport import PER_PAGE, Transport

_READY = """
mutation($input: MarkPullRequestReadyForReviewInput!) {
  markPullRequestReadyForReview(input: $input) { pullRequest { isDraft } }
}
"""


class Pulls(Transport):
    """Every method is one request, unless it says more. All raise `errors.GitHubError`."""

    def pull(self, number: int) -> PullRequest:
        """A pull request as it is now. Raises `NotFound` for an issue's number.

        https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request
        """
        return self._get(_pull, f"/pulls/{number}")

    def pulls_of(self, branch: str) -> tuple[PullRequest, ...]:
        """The pull requests from a branch of this repository, newest first, closed ones too.

        One request a hundred.

        https://docs.github.com/en/rest/pulls/pulls#list-pull-requests
        """
        head = f"{self.repository.partition('/')[0]}:{branch}"
        return tuple(self._pages(_pull, "/pulls", head=head, state="all"))

    def merged_pulls(self, branch: str) -> tuple[MergedPull, ...]:
        """Those merged into a branch, of the hundred closed ones that changed last.

        Asked for once in a run.

        https://docs.github.com/en/rest/pulls/pulls#list-pull-requests
        """
        asked = {"state": "closed", "base": branch, "sort": "updated", "direction": "desc"}
        return self._once(each(_merged), "/pulls", **asked, per_page=PER_PAGE)

    def pull_files(self, number: int) -> tuple[str, ...]:
        """The paths that a pull request adds or changes. One request a hundred.

        https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files
        """
        return tuple(self._pages(_changed, f"/pulls/{number}/files"))

    def open_pull(self, title: str, branch: str, base: str, body: str) -> PullRequest:
        """Open a draft pull request. Raises `Forbidden` when the token may not.

        Raises `Rejected` when the branch has one already, or does not differ from `base`.

        https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request
        """
        given = {"title": title, "head": branch, "base": base, "body": body, "draft": True}
        return self._create(_pull, "/pulls", given)

    def make_ready(self, pull: PullRequest) -> None:
        """Make a draft ready for review. REST can't, so this is GraphQL.

        https://docs.github.com/en/graphql/reference/mutations#markpullrequestreadyforreview
        """
        self._graphql(_READY, {"input": {"pullRequestId": pull.node}})

    def ask_reviewers(self, number: int, logins: Sequence[str]) -> None:
        """Ask people for a review. Raises `Rejected` when one of them can't be asked.

        https://docs.github.com/en/rest/pulls/review-requests#request-reviewers-for-a-pull-request
        """
        self._write("POST", f"/pulls/{number}/requested_reviewers", {"reviewers": logins})

    def rename_pull(self, number: int, title: str) -> None:
        """Give a pull request another title. It goes once its caller uses `edit`."""
        self._write("PATCH", f"/pulls/{number}", {"title": title})


def _pull(raw: Any) -> PullRequest:
    head = raw["head"]
    return PullRequest(
        number=number_of(raw),
        node=raw["node_id"],
        title=raw["title"],
        url=raw["html_url"],
        author=actor(raw.get("user")),
        open=raw["state"] == "open",
        draft=bool(raw.get("draft")),
        merged=bool(raw.get("merged_at")),
        branch=head["ref"],
        sha=head["sha"],
        head_repository=head["repo"]["full_name"] if head.get("repo") else None,
        base=raw["base"]["ref"],
        base_repository=raw["base"]["repo"]["full_name"],
        labels=tuple(label_name(label) for label in raw["labels"]),
        assignees=logins(raw.get("assignees")),
        reviewers=logins(raw.get("requested_reviewers")),
    )


def _merged(raw: Any) -> MergedPull | None:
    """None for one that was closed without a merge."""
    if not raw.get("merged_at") or not raw.get("merge_commit_sha"):
        return None
    return MergedPull(
        number=number_of(raw),
        title=raw["title"],
        by=actor(raw.get("user")).login,
        at=time(raw["merged_at"]),
        sha=raw["merge_commit_sha"],
    )


def _changed(raw: Any) -> str | None:
    return str(raw["filename"]) if raw["status"] != "removed" else None
