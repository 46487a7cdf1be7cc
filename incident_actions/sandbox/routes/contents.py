"""Files through the contents endpoint. See https://docs.github.com/rest/repos/contents"""

from __future__ import annotations

import base64
import binascii

from .. import pulls
from ..errors import RefusedError, not_found, unprocessable
from ..git import BLOB, TREE, Entry
from ..render_git import entry_json, git_commit_json
from ..router import Answer, Call, route
from .issues import R

CONTENTS = R + "/contents/{path}"
# Above this size GitHub leaves the content out and names the encoding "none".
MAX_INLINE = 1_048_576


def _at(call: Call) -> tuple[str, str]:
    """The ref that was asked for and the tree that it names."""
    ref = call.query.get("ref") or call.repo.default_branch
    sha = call.repo.git.resolve(ref)
    if sha is None:
        raise not_found(f"No commit found for the ref {ref}")
    return ref, call.repo.git.commits[sha].tree


@route(f"GET {R}/contents/", scope="contents", query=("ref",))
@route(f"GET {R}/contents", scope="contents", query=("ref",))
def get_root(call: Call) -> Answer:
    """The root directory."""
    ref, tree = _at(call)
    return _directory(call, "", tree, ref)


@route(f"GET {CONTENTS}", scope="contents", query=("ref",))
def get_contents(call: Call) -> Answer:
    """A file with its content in base64, or the list of a directory."""
    ref, sha = _at(call)
    path = call.params["path"].strip("/")
    mode = TREE
    for part in path.split("/"):
        entry = call.repo.git.trees.get(sha, {}).get(part) if mode == TREE else None
        if entry is None:
            raise not_found()
        mode, sha = entry
    if mode == TREE:
        return _directory(call, path, sha, ref)
    data = call.repo.git.blobs[sha]
    shown = entry_json(call.world, call.repo, path, sha, ref, "file")
    if len(data) > MAX_INLINE:
        return Answer(200, {**shown, "content": "", "encoding": "none"})
    return Answer(200, {**shown, "content": _wrapped(data), "encoding": "base64"})


def _directory(call: Call, path: str, tree: str, ref: str) -> Answer:
    rows = []
    for name, (mode, sha) in call.repo.git.trees[tree].items():
        kind = "dir" if mode == TREE else "file"
        full = f"{path}/{name}" if path else name
        rows.append(entry_json(call.world, call.repo, full, sha, ref, kind))
    return Answer(200, rows)


def _wrapped(data: bytes) -> str:
    return base64.encodebytes(data).decode()


def _write(call: Call, content: bytes | None) -> Answer:
    """Commit one file (None: delete it) to a branch."""
    git, path = call.repo.git, call.params["path"].strip("/")
    branch = call.value("branch", str) or call.repo.default_branch
    branch = branch.removeprefix("refs/heads/")
    ref = f"refs/heads/{branch}"
    if ref not in git.refs:
        raise not_found(f"Branch {branch} not found")
    message, known = call.text("message"), call.value("sha", str)
    head = git.commits[git.refs[ref]]
    files: dict[str, Entry] = git.files(head.tree)
    old = files.pop(path, None)
    if old is None and content is None:
        raise not_found()
    if old is not None and known is None:
        raise unprocessable('Invalid request.\n\n"sha" wasn\'t supplied.')
    if known is not None and (old is None or known != old[1]):
        raise RefusedError(409, f"{path} does not match {known}")
    if call.actor.is_workflow and path.startswith(".github/workflows/"):
        raise RefusedError(
            403,
            "refusing to allow a GitHub App to create or update workflow "
            f"`{path}` without `workflows` permission",
        )
    if content is not None:
        files[path] = (old[0] if old else BLOB, git.put_blob(content))
    author = call.value("author", dict) or call.value("committer", dict) or {}
    made = git.commit(
        git.build(files),
        [head.sha],
        message,
        login=call.actor.person().login,
        date=call.world.now(),
        name=str(author.get("name", "")),
        email=str(author.get("email", "")),
    )
    pulls.move_ref(call.world, call.actor, call.repo, ref, made.sha)
    shown = None
    if content is not None:
        shown = entry_json(call.world, call.repo, path, files[path][1], branch, "file")
    status = 201 if old is None else 200
    commit = git_commit_json(call.world, call.repo, made)
    return Answer(status, {"content": shown, "commit": commit})


@route(f"PUT {CONTENTS}", scope="contents", role="write")
def put_contents(call: Call) -> Answer:
    """Create a file, or replace it when `sha` is the one that is there."""
    try:
        content = base64.b64decode(call.text("content"), validate=False)
    except binascii.Error:
        raise unprocessable("content is not valid Base64") from None
    return _write(call, content)


@route(f"DELETE {CONTENTS}", scope="contents", role="write")
def delete_contents(call: Call) -> Answer:
    """Delete a file."""
    return _write(call, None)
