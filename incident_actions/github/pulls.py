"""Pull requests: reading them, opening them, asking for reviews.

https://docs.github.com/en/rest/pulls
"""

from __future__ import annotations

from typing import Any

from incident_actions.domain.changes.suspects import MergedPull
from incident_actions.domain.postmortem.pulls import PullRequest
from incident_actions.domain.projection.effects import AskReview, MarkReady, OpenPull
from incident_actions.errors import Rejected
from incident_actions.github.transport import PER_PAGE, Transport, actor, build, each, names

_READY = """
mutation($input: MarkPullRequestReadyForReviewInput!) {
  markPullRequestReadyForReview(input: $input) { pullRequest { isDraft } }
}
"""


class Pulls(Transport):
    """Each method makes one request, unless it says otherwise. All raise `errors.GitHubError`."""

    def pull(self, number: int) -> PullRequest:
        """A pull request as it is now. Raises `NotFound` when the number is an issue's.

        https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request
        """
        return self._get(_pull, f"/pulls/{number}")

    def pulls_of(self, branch: str) -> tuple[PullRequest, ...]:
        """The pull requests from a branch of this repository, newest first, closed ones too.

        Makes one request for each hundred.

        https://docs.github.com/en/rest/pulls/pulls#list-pull-requests
        """
        head = f"{self.repository.partition('/')[0]}:{branch}"
        return tuple(self._pages(_pull, "/pulls", head=head, state="all"))

    def merged_pulls(self, branch: str) -> tuple[MergedPull, ...]:
        """The merged pull requests among the hundred closed ones of a branch that changed last.

        Makes a request only at the first call of a run for the same branch.

        https://docs.github.com/en/rest/pulls/pulls#list-pull-requests
        """
        asked = {"state": "closed", "base": branch, "sort": "updated", "direction": "desc"}
        return self._once(each(_merged), "/pulls", **asked, per_page=PER_PAGE)

    def pull_files(self, number: int) -> tuple[str, ...]:
        """The paths that a pull request adds or changes. One request for each hundred files.

        https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files
        """
        return tuple(self._pages(_changed, f"/pulls/{number}/files"))

    def open_pull(self, new: OpenPull) -> PullRequest:
        """Open a draft pull request; a normal one where the repository has no drafts.

        Raises `Forbidden` when the token may not, and `Rejected` when the branch has an open pull
        request already, does not differ from `base`, or a rule forbids it. Makes one or two
        requests.

        https://docs.github.com/en/rest/pulls/pulls#create-a-pull-request
        """
        given = {"title": new.title, "head": new.branch, "base": new.base, "body": new.body}
        try:
            return self._create(_pull, "/pulls", {**given, "draft": True})
        except Rejected as refused:
            if not refused.says("draft"):
                raise
            return self._create(_pull, "/pulls", given)

    def make_ready(self, ready: MarkReady) -> None:
        """Make a draft ready for review. Uses GraphQL, because the REST API can't do that.

        https://docs.github.com/en/graphql/reference/mutations#markpullrequestreadyforreview
        """
        self._graphql(_READY, {"input": {"pullRequestId": ready.pull.node}})

    def ask_review(self, ask: AskReview) -> None:
        """Ask somebody for a review. Raises `Rejected` when they can't be asked.

        https://docs.github.com/en/rest/pulls/review-requests#request-reviewers-for-a-pull-request
        """
        path = f"/pulls/{ask.number}/requested_reviewers"
        self.send("POST", path, given={"reviewers": [ask.login]})


def _pull(raw: Any) -> PullRequest:
    head, base = raw["head"], raw["base"]
    return build(
        PullRequest,
        raw,
        node=raw["node_id"],
        url=raw["html_url"],
        author=actor(raw.get("user")),
        open=raw["state"] == "open",
        draft=bool(raw.get("draft")),
        merged=bool(raw.get("merged_at")),
        branch=head["ref"],
        sha=head["sha"],
        head_repository=head["repo"]["full_name"] if head.get("repo") else None,
        base=base["ref"],
        base_repository=base["repo"]["full_name"],
        labels=names(raw["labels"]),
        assignees=names(raw.get("assignees")),
        reviewers=names(raw.get("requested_reviewers")),
        locked=bool(raw.get("locked")),
        lock_reason=raw.get("active_lock_reason") or "",
    )


def _merged(raw: Any) -> MergedPull | None:
    """A merged pull request; None for one that was closed without a merge."""
    at, sha = raw.get("merged_at"), raw.get("merge_commit_sha")
    by = actor(raw.get("user")).login
    return build(MergedPull, raw, at=at, by=by, sha=sha) if at and sha else None


def _changed(raw: Any) -> str | None:
    return str(raw["filename"]) if raw["status"] != "removed" else None
