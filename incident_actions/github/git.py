"""Branches, commits, and the files that differ between two commits.

https://docs.github.com/en/rest/git
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote

from incident_actions.domain.postmortem.pulls import BranchTip
from incident_actions.domain.projection.effects import CommitFiles
from incident_actions.errors import NotFound, Rejected
from incident_actions.github.transport import Transport, each, field

_MOST_FILES = 300
"""The most files that GitHub names in a comparison of two commits."""


class Git(Transport):
    """Each method makes one request, unless it says otherwise. All raise `errors.GitHubError`."""

    def changed_files(self, base: str, head: str) -> tuple[str, ...] | None:
        """The paths that differ between two commits or branches; a renamed file has both its paths.

        None when GitHub's list may be incomplete, because it is as long as GitHub allows.

        https://docs.github.com/en/rest/commits/commits#compare-two-commits
        """
        return self._get(_compared, f"/compare/{base}...{head}")

    def commit(self, sha: str) -> str:
        """The whole SHA of a commit; `sha` are its first digits, seven or more, or all of them.

        Raises `Rejected` or `NotFound` when there is no such commit, or more than one.

        https://docs.github.com/en/rest/commits/commits#get-a-commit
        """
        whole = self.commit_at(sha)
        if not whole.startswith(sha):  # a branch or a tag of that name
            raise NotFound(f"There is no commit {sha} in {self.repository}")
        return whole

    def commit_at(self, ref: str) -> str:
        """The whole SHA of the commit that a tag, a branch or the digits of a commit stand for.

        Raises `Rejected` or `NotFound` when there is none.

        https://docs.github.com/en/rest/commits/commits#get-a-commit
        """
        return self._get(field("sha", str), f"/commits/{quote(ref, safe='')}", per_page=1)

    def has(self, ref: str) -> bool:
        """Whether there is a tag, a branch or a commit of this name.

        False also where the token may not see the repository.
        """
        try:
            return bool(self.commit_at(ref))
        except (NotFound, Rejected):
            return False

    def branch(self, name: str) -> BranchTip | None:
        """The newest commit of a branch; None when there is no such branch.

        https://docs.github.com/en/rest/branches/branches#get-a-branch
        """
        return self._find(_tip, f"/branches/{quote(name)}")

    def branches(self, prefix: str) -> tuple[str, ...]:
        """The names of the branches that begin with `prefix`.

        https://docs.github.com/en/rest/git/refs#list-matching-references
        """
        return self._get(each(_branch_name), f"/git/matching-refs/heads/{quote(prefix)}")

    def commit_files(self, commit: CommitFiles) -> str:
        """Commit files to a new or an existing branch; gives the commit's SHA.

        Gives an empty text when another run has created or moved the branch meanwhile: then the
        branch stays as it is. Raises `Rejected` when a rule of the repository forbids the branch or
        the commit. Makes three requests, and one more for each file.

        https://docs.github.com/en/rest/git/commits#create-a-commit
        https://docs.github.com/en/rest/git/refs#update-a-reference
        """
        entries = []
        for path, data in commit.files.items():
            content = {"content": base64.b64encode(data).decode(), "encoding": "base64"}
            blob = self._create(field("sha", str), "/git/blobs", content)
            entries.append({"path": path, "mode": "100644", "type": "blob", "sha": blob})
        files = {"base_tree": commit.parent.tree, "tree": entries}
        tree = self._create(field("sha", str), "/git/trees", files)
        given = {"message": commit.message, "tree": tree, "parents": [commit.parent.commit]}
        sha = self._create(field("sha", str), "/git/commits", given)
        ref = f"refs/heads/{commit.branch}"
        try:
            if commit.creates:
                self.send("POST", "/git/refs", given={"ref": ref, "sha": sha})
            else:
                self.send("PATCH", f"/git/{quote(ref)}", given={"sha": sha, "force": False})
        except Rejected as refused:
            if refused.says("already exists", "not a fast forward"):
                return ""
            raise
        return sha


def _compared(raw: Any) -> tuple[str, ...] | None:
    files = raw["files"]
    if len(files) >= _MOST_FILES:
        return None
    names = [name for file in files for name in (file["filename"], file.get("previous_filename"))]
    return tuple(dict.fromkeys(name for name in names if name))


def _tip(raw: Any) -> BranchTip:
    return BranchTip(commit=raw["commit"]["sha"], tree=raw["commit"]["commit"]["tree"]["sha"])


def _branch_name(raw: Any) -> str:
    return str(raw["ref"]).removeprefix("refs/heads/")
