"""A small git: objects with their true SHA-1 names, refs, diffs and merges.

See https://docs.github.com/rest/git
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

BLOB, TREE = "100644", "040000"
Entry = tuple[str, str]  # mode, sha


@dataclass(frozen=True)
class Commit:
    """A commit; `login` is the account that GitHub matches to the author."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    message: str
    name: str
    email: str
    date: str
    login: str


@dataclass(frozen=True)
class Change:
    """One file that differs between two trees."""

    path: str
    status: str
    old: str | None
    new: str | None


def name_object(kind: str, data: bytes) -> str:
    """The SHA-1 that git gives to an object."""
    return hashlib.sha1(f"{kind} {len(data)}\0".encode() + data, usedforsecurity=False).hexdigest()


EMPTY_TREE = name_object("tree", b"")


@dataclass
class Objects:
    """The object store and refs of one repository."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    trees: dict[str, dict[str, Entry]] = field(default_factory=lambda: {EMPTY_TREE: {}})
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)

    def put_blob(self, data: bytes) -> str:
        """Store bytes, return their SHA."""
        sha = name_object("blob", data)
        self.blobs[sha] = data
        return sha

    def put_tree(self, entries: Mapping[str, Entry]) -> str:
        """Store one directory: name -> (mode, sha)."""

        def order(item: tuple[str, Entry]) -> str:
            return item[0] + ("/" if item[1][0] == TREE else "")

        data = b"".join(
            f"{mode.lstrip('0')} {name}".encode() + b"\0" + bytes.fromhex(sha)
            for name, (mode, sha) in sorted(entries.items(), key=order)
        )
        sha = name_object("tree", data)
        self.trees[sha] = dict(sorted(entries.items(), key=order))
        return sha

    def files(self, tree: str, prefix: str = "") -> dict[str, Entry]:
        """All files under a tree: path -> (mode, sha)."""
        found: dict[str, Entry] = {}
        for name, (mode, sha) in self.trees[tree].items():
            if mode == TREE:
                found.update(self.files(sha, f"{prefix}{name}/"))
            else:
                found[prefix + name] = (mode, sha)
        return found

    def build(self, files: Mapping[str, Entry]) -> str:
        """Store the directories that hold these files, return the root tree's SHA."""
        here: dict[str, Entry] = {}
        below: dict[str, dict[str, Entry]] = {}
        for path, entry in files.items():
            head, _, rest = path.partition("/")
            if rest:
                below.setdefault(head, {})[rest] = entry
            else:
                here[head] = entry
        for name, inner in below.items():
            here[name] = (TREE, self.build(inner))
        return self.put_tree(here)

    def commit(
        self,
        tree: str,
        parents: Iterable[str],
        message: str,
        *,
        login: str,
        date: str,
        name: str = "",
        email: str = "",
    ) -> Commit:
        """Store a commit by `login` at `date`."""
        parents = tuple(parents)
        name, email = name or login, email or f"{login}@users.noreply.github.com"
        text = "\n".join(
            [f"tree {tree}", *(f"parent {p}" for p in parents), f"author {name} <{email}> {date}"]
        )
        sha = name_object("commit", f"{text}\n\n{message}".encode())
        made = Commit(sha, tree, parents, message, name, email, date, login)
        self.commits[sha] = made
        return made

    def resolve(self, revision: str) -> str | None:
        """The commit that a branch, tag, full ref, or (abbreviated) SHA names."""
        for ref in (f"refs/heads/{revision}", f"refs/tags/{revision}", f"refs/{revision}"):
            if ref in self.refs:
                return self.refs[ref]
        if revision in self.refs:
            return self.refs[revision]
        if revision in self.commits:
            return revision
        if len(revision) >= 7:
            found = [sha for sha in self.commits if sha.startswith(revision.lower())]
            if len(found) == 1:
                return found[0]
        return None

    def history(self, sha: str) -> Iterator[Commit]:
        """A commit and its ancestors, newest first."""
        seen: set[str] = set()
        line = [sha]
        while line:
            line.sort(key=lambda one: self.commits[one].date)
            current = line.pop()
            if current in seen:
                continue
            seen.add(current)
            yield self.commits[current]
            line.extend(p for p in self.commits[current].parents if p not in seen)

    def merge_base(self, one: str, other: str) -> str | None:
        """The newest commit that both histories hold, None for unrelated ones."""
        mine = {commit.sha for commit in self.history(one)}
        return next((c.sha for c in self.history(other) if c.sha in mine), None)

    def between(self, base: str, head: str) -> list[Commit]:
        """Commits of `head` that `base` lacks, oldest first."""
        known = {commit.sha for commit in self.history(base)}
        return [c for c in self.history(head) if c.sha not in known][::-1]

    def diff(self, old: str, new: str) -> list[Change]:
        """Files that differ between two trees, by path."""
        if old == new:
            return []
        before, after = self.files(old), self.files(new)
        changes = []
        for path in sorted(before.keys() | after.keys()):
            was, now = before.get(path), after.get(path)
            if was != now:
                status = "added" if was is None else "removed" if now is None else "modified"
                changes.append(Change(path, status, was and was[1], now and now[1]))
        return changes

    def patch(self, change: Change) -> tuple[int, int, str]:
        """Added lines, removed lines, and the text of the hunks."""
        old, new = (
            self.blobs[sha].decode("utf-8", "replace").splitlines() if sha else []
            for sha in (change.old, change.new)
        )
        hunks = list(difflib.unified_diff(old, new, lineterm=""))[2:]
        added = sum(line.startswith("+") for line in hunks)
        removed = sum(line.startswith("-") for line in hunks)
        return added, removed, "\n".join(hunks)

    def merged_tree(self, base: str, head: str) -> str | None:
        """The tree of `base` with the changes of `head`; None when both touched one file."""
        root = self.merge_base(base, head)
        start = self.commits[root].tree if root else EMPTY_TREE
        files = self.files(self.commits[base].tree)
        ours = {c.path for c in self.diff(start, self.commits[base].tree)}
        theirs = self.files(self.commits[head].tree)
        for change in self.diff(start, self.commits[head].tree):
            if change.path in ours and files.get(change.path) != theirs.get(change.path):
                return None
            if change.new is None:
                files.pop(change.path, None)
            else:
                files[change.path] = theirs[change.path]
        return self.build(files)
