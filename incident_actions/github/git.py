"""Branches, refs, files, commits and what differs between them.

https://docs.github.com/en/rest/git
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from incident_actions.domain.postmortem.pulls import BranchTip
from incident_actions.errors import InputError, NotFound, Rejected
from incident_actions.github.decoding import each
from incident_actions.github.transport import Transport

_MOST_FILES = 300
"""A comparison names no more files than this."""


class Git(Transport):
    """Every method is one request, unless it says more. All raise `errors.GitHubError`."""

    def file(self, path: str) -> str | None:
        """A text file on the default branch; None for a folder, for nothing, and above 1 MB.

        Asked for once in a run. Raises `InputError` for a path that leads out of the repository.

        https://docs.github.com/en/rest/repos/contents#get-repository-content
        """
        if path.startswith("/") or ".." in path.split("/"):
            raise InputError(
                f"`{path}` is no path in the repository",
                remedy="Write it from the repository's root, like `.github/incident.yml`.",
            )
        try:
            data = self._once(_bytes, f"/contents/{quote(path)}")
        except NotFound:
            return None
        return None if data is None else data.decode("utf-8-sig", errors="replace")

    def folder(self, path: str) -> dict[str, str]:
        """The files in a folder of the default branch, each with its blob's hash.

        Empty when there is no such folder. Asked for once in a run.

        https://docs.github.com/en/rest/repos/contents#get-repository-content
        """
        try:
            return self._once(_hashes, f"/contents/{quote(path)}")
        except NotFound:
            return {}

    def content(self, path: str, ref: str) -> bytes | None:
        """A file's bytes on a branch or in a commit; None for the same as in `file`.

        https://docs.github.com/en/rest/repos/contents#get-repository-content
        """
        return self._find(_bytes, f"/contents/{quote(path)}", ref=ref)

    def changed_files(self, base: str, head: str) -> tuple[str, ...] | None:
        """The paths that differ between two commits, a renamed file under both its names.

        None when there may be more than GitHub names.

        https://docs.github.com/en/rest/commits/commits#compare-two-commits
        """
        return self._get(_compared, f"/compare/{base}...{head}")

    def branch(self, name: str) -> BranchTip | None:
        """Where a branch stands; None when there is none.

        https://docs.github.com/en/rest/branches/branches#get-a-branch
        """
        return self._find(_tip, f"/branches/{quote(name)}")

    def branches(self, prefix: str) -> tuple[str, ...]:
        """The names of the branches that begin so.

        https://docs.github.com/en/rest/git/refs#list-matching-references
        """
        return self._get(each(_branch_name), f"/git/matching-refs/heads/{quote(prefix)}")

    def commit(self, on: BranchTip, files: Mapping[str, bytes], message: str) -> str:
        """A commit on top of another that sets these files, by path; gives its SHA.

        No branch moves. Two requests, and one for each file.

        https://docs.github.com/en/rest/git/commits#create-a-commit
        """
        entries = []
        for path, data in files.items():
            content = {"content": base64.b64encode(data).decode(), "encoding": "base64"}
            blob = self._create(_sha, "/git/blobs", content)
            entries.append({"path": path, "mode": "100644", "type": "blob", "sha": blob})
        tree = self._create(_sha, "/git/trees", {"base_tree": on.tree, "tree": entries})
        return self.empty_commit(BranchTip(on.commit, tree), message)

    def create_ref(self, ref: str, sha: str) -> None:
        """Create `refs/...`. Raises `Rejected` when it exists: of two runs one succeeds.

        https://docs.github.com/en/rest/git/refs#create-a-reference
        """
        self._write("POST", "/git/refs", {"ref": ref, "sha": sha})

    def move_ref(self, ref: str, sha: str) -> None:
        """Move `refs/...` forward. Raises `Rejected` when it has moved elsewhere meanwhile.

        https://docs.github.com/en/rest/git/refs#update-a-reference
        """
        self._write("PATCH", f"/git/{quote(ref)}", {"sha": sha, "force": False})

    def empty_commit(self, on: BranchTip, message: str) -> str:
        """A commit of a tree as it is. It goes once filing needs no lock (`commit` keeps it)."""
        given = {"message": message, "tree": on.tree, "parents": [on.commit]}
        return self._create(_sha, "/git/commits", given)

    def ref(self, ref: str) -> str | None:
        """The SHA that `refs/...` names, or None. It goes once filing needs no lock."""
        path = f"/git/ref/{quote(ref.removeprefix('refs/'))}"
        return self._find(lambda raw: _sha(raw["object"]), path)

    def delete_ref(self, ref: str) -> None:
        """Delete `refs/...`; fine when it is gone. It goes once filing needs no lock."""
        try:
            self._write("DELETE", f"/git/{quote(ref)}")
        except (NotFound, Rejected):
            return


def _bytes(raw: Any) -> bytes | None:
    """A folder has none; files over 1 MB come without content."""
    if not isinstance(raw, dict) or raw.get("encoding") != "base64":
        return None
    return base64.b64decode(raw["content"])


def _hashes(raw: Any) -> dict[str, str]:
    """Of a folder's list; a path that is a file holds none."""
    if not isinstance(raw, list):
        return {}
    return {item["name"]: item["sha"] for item in raw if item["type"] == "file"}


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


def _sha(raw: Any) -> str:
    return str(raw["sha"])
