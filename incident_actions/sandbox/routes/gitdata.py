"""Blobs, trees, commits and refs, one by one. See https://docs.github.com/rest/git"""

from __future__ import annotations

import base64
import binascii

from .. import pulls
from ..access import Actor
from ..errors import RefusedError, invalid, not_found, unprocessable
from ..git import BLOB, TREE, Entry
from ..render import repository_url
from ..render_git import git_commit_json, ref_json
from ..router import Answer, Call, route
from .issues import R

GIT = R + "/git"


def _url(call: Call, tail: str) -> str:
    return f"{repository_url(call.world, call.repo)}/git/{tail}"


@route(f"POST {GIT}/blobs", scope="contents", role="write")
def create_blob(call: Call) -> Answer:
    """Store a file's content."""
    content, encoding = call.text("content"), call.value("encoding", str) or "utf-8"
    try:
        data = base64.b64decode(content) if encoding == "base64" else content.encode()
    except binascii.Error:
        raise unprocessable("content is not valid Base64") from None
    sha = call.repo.git.put_blob(data)
    return Answer(201, {"sha": sha, "url": _url(call, f"blobs/{sha}")})


@route(f"GET {GIT}/blobs/{{file_sha}}", scope="contents")
def get_blob(call: Call) -> Answer:
    """A file's content in base64."""
    sha = call.params["file_sha"]
    data = call.repo.git.blobs.get(sha)
    if data is None:
        raise not_found()
    return Answer(
        200,
        {
            "sha": sha,
            "node_id": f"B_{sha}",
            "size": len(data),
            "url": _url(call, f"blobs/{sha}"),
            "content": base64.encodebytes(data).decode(),
            "encoding": "base64",
        },
    )


@route(f"POST {GIT}/trees", scope="contents", role="write")
def create_tree(call: Call) -> Answer:
    """Store a tree: `base_tree` with entries put in, replaced, or removed (`sha` null)."""
    git = call.repo.git
    files: dict[str, Entry] = {}
    base = call.value("base_tree", str)
    if base:
        commit = git.commits.get(base)
        tree = commit.tree if commit else base
        if tree not in git.trees:
            raise not_found()
        files = git.files(tree)
    for item in call.value("tree", list) or []:
        path, mode = item.get("path"), item.get("mode") or BLOB
        if not isinstance(path, str) or not path.strip("/"):
            raise unprocessable("tree.path is missing")
        if "content" in item:
            files[path] = (mode, git.put_blob(str(item["content"]).encode()))
        elif item.get("sha") is None:
            _remove(files, path)
        elif mode == TREE:
            _remove(files, path)
            if item["sha"] not in git.trees:
                raise unprocessable(f"tree.sha {item['sha']} is not a valid tree")
            files.update(git.files(item["sha"], f"{path}/"))
        else:
            if item["sha"] not in git.blobs:
                raise unprocessable(f"tree.sha {item['sha']} is not a valid blob")
            files[path] = (mode, item["sha"])
    return Answer(201, _tree(call, git.build(files), recursive=False))


def _remove(files: dict[str, Entry], path: str) -> None:
    for known in [one for one in files if one == path or one.startswith(f"{path}/")]:
        del files[known]


def _tree(call: Call, sha: str, recursive: bool) -> dict[str, object]:
    rows: list[dict[str, object]] = []

    def walk(tree: str, prefix: str) -> None:
        for name, (mode, entry) in call.repo.git.trees[tree].items():
            row: dict[str, object] = {"path": prefix + name, "mode": mode, "sha": entry}
            if mode == TREE:
                row.update(type="tree", url=_url(call, f"trees/{entry}"))
            else:
                size = len(call.repo.git.blobs[entry])
                row.update(type="blob", size=size, url=_url(call, f"blobs/{entry}"))
            rows.append(row)
            if recursive and mode == TREE:
                walk(entry, f"{prefix}{name}/")

    walk(sha, "")
    return {"sha": sha, "url": _url(call, f"trees/{sha}"), "tree": rows, "truncated": False}


@route(f"GET {GIT}/trees/{{tree_sha}}", scope="contents", query=("recursive",))
def get_tree(call: Call) -> Answer:
    """A tree by its SHA, or by a commit or branch."""
    git, name = call.repo.git, call.params["tree_sha"]
    commit = git.resolve(name)
    sha = git.commits[commit].tree if commit else name
    if sha not in git.trees:
        raise not_found()
    return Answer(200, _tree(call, sha, recursive="recursive" in call.query))


@route(f"POST {GIT}/commits", scope="contents", role="write")
def create_commit(call: Call) -> Answer:
    """Store a commit; no branch moves."""
    git, parents = call.repo.git, call.strings("parents")
    message, tree = call.text("message"), call.text("tree")
    if tree not in git.trees:
        raise unprocessable("Tree SHA does not exist")
    if any(parent not in git.commits for parent in parents):
        raise unprocessable("Parent SHA does not exist or is not a commit object")
    author = call.value("author", dict) or {}
    made = git.commit(
        tree,
        parents,
        message,
        login=call.actor.person().login,
        date=str(author.get("date") or call.world.now()),
        name=str(author.get("name", "")),
        email=str(author.get("email", "")),
    )
    return Answer(201, git_commit_json(call.world, call.repo, made))


@route(f"GET {GIT}/commits/{{commit_sha}}", scope="contents")
def get_commit(call: Call) -> Answer:
    """A commit by its full SHA."""
    commit = call.repo.git.commits.get(call.params["commit_sha"])
    if commit is None:
        raise not_found()
    return Answer(200, git_commit_json(call.world, call.repo, commit))


@route(f"POST {GIT}/refs", scope="contents", role="write")
def create_ref(call: Call) -> Answer:
    """A new branch or tag."""
    ref, sha = call.text("ref"), call.text("sha")
    pulls.check_ref(ref)
    if ref in call.repo.git.refs:
        raise unprocessable("Reference already exists")
    _move(call, ref, sha)
    return Answer(201, ref_json(call.world, call.repo, ref))


def _move(call: Call, ref: str, sha: str | None, force: bool = False) -> None:
    _check_workflows(call.actor, call, ref, sha)
    pulls.move_ref(call.world, call.actor, call.repo, ref, sha, force)


def _check_workflows(actor: Actor, call: Call, ref: str, sha: str | None) -> None:
    """A workflow's token may not push changes of workflow files."""
    git = call.repo.git
    if not actor.is_workflow or sha is None or sha not in git.commits:
        return
    start = git.refs.get(ref) or git.refs[f"refs/heads/{call.repo.default_branch}"]
    root = git.merge_base(start, sha) or start
    for change in git.diff(git.commits[root].tree, git.commits[sha].tree):
        if change.path.startswith(".github/workflows/"):
            raise RefusedError(
                403,
                "refusing to allow a GitHub App to create or update workflow "
                f"`{change.path}` without `workflows` permission",
            )


@route(f"GET {GIT}/ref/{{ref}}", scope="contents")
def get_ref(call: Call) -> Answer:
    """A ref by its exact name, such as `heads/main`."""
    ref = f"refs/{call.params['ref']}"
    if ref not in call.repo.git.refs:
        raise not_found()
    return Answer(200, ref_json(call.world, call.repo, ref))


@route(f"GET {GIT}/matching-refs/{{ref}}", scope="contents")
def list_matching_refs(call: Call) -> Answer:
    """All refs that begin so."""
    start = f"refs/{call.params['ref']}"
    found = sorted(ref for ref in call.repo.git.refs if ref.startswith(start))
    return Answer(200, [ref_json(call.world, call.repo, ref) for ref in found])


@route(f"PATCH {GIT}/refs/{{ref}}", scope="contents", role="write")
def update_ref(call: Call) -> Answer:
    """Move a ref: forward, or anywhere with `force`."""
    ref, sha = f"refs/{call.params['ref']}", call.text("sha")
    if ref not in call.repo.git.refs:
        raise unprocessable("Reference does not exist")
    _move(call, ref, sha, bool(call.value("force", bool)))
    return Answer(200, ref_json(call.world, call.repo, ref))


@route(f"DELETE {GIT}/refs/{{ref}}", scope="contents", role="write")
def delete_ref(call: Call) -> Answer:
    """Delete a branch or tag."""
    ref = f"refs/{call.params['ref']}"
    if ref not in call.repo.git.refs:
        raise unprocessable("Reference does not exist")
    if ref == f"refs/heads/{call.repo.default_branch}":
        raise invalid("Reference", "ref", "custom", "Cannot delete the default branch")
    _move(call, ref, None)
    return Answer(204)
