"""People who act: the same requests that they could make over HTTP, without the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from . import issues as rules
from .access import Actor, need_role, need_sight
from .errors import RefusedError
from .git import BLOB
from .model import Repository
from .pulls import FORKS, HEADS, move_ref
from .render import issue_json
from .server import Site

Json = dict[str, Any]


class Person:
    """Somebody at a keyboard, in one repository. Refusals are raised as `RefusedError`."""

    def __init__(self, site: Site, actor: Actor, repo: str) -> None:
        self._site = site
        self._actor = actor
        self._name = repo

    @property
    def login(self) -> str:
        """The login."""
        return self._actor.login

    @property
    def _repo(self) -> Repository:
        return need_sight(self._actor, self._site.world.find(self._name))

    def ask(self, method: str, tail: str, body: Any = None) -> Any:
        """Make any request below the repository; the answer's JSON. Nothing is logged."""
        path, _, search = tail.partition("?")
        query = dict(pair.split("=", 1) for pair in search.split("&")) if search else {}
        full = f"/repos/{self._name}{path}"
        answer, _ = self._site.respond(method, full, query, body, self._actor)
        if answer.status >= 400:
            message = (answer.body or {}).get("message", "")
            errors = (answer.body or {}).get("errors")
            raise RefusedError(answer.status, message, errors=errors)
        return answer.body

    def file_form_issue(self, title: str, body: str, labels: Sequence[str] = ("incident",)) -> Json:
        """Submit an issue form: its labels are applied if the repository has them."""
        world = self._site.world
        with world.lock:
            issue = rules.create(world, self._actor, self._repo, title, body, labels, form=True)
            return issue_json(world, issue)

    def open_issue(self, title: str, body: str = "", labels: Sequence[str] = ()) -> Json:
        """Open a blank issue."""
        request = {"title": title, "body": body, "labels": list(labels)}
        return self._json("POST", "/issues", request)

    def issue(self, number: int) -> Json:
        """Look at an issue."""
        return self._json("GET", f"/issues/{number}")

    def comment(self, number: int, body: str) -> Json:
        """Comment."""
        return self._json("POST", f"/issues/{number}/comments", {"body": body})

    def edit_comment(self, comment_id: int, body: str) -> Json:
        """Edit a comment."""
        return self._json("PATCH", f"/issues/comments/{comment_id}", {"body": body})

    def delete_comment(self, comment_id: int) -> None:
        """Delete a comment."""
        self.ask("DELETE", f"/issues/comments/{comment_id}")

    def edit_issue_body(self, number: int, body: str) -> Json:
        """Replace the body of an issue."""
        return self._json("PATCH", f"/issues/{number}", {"body": body})

    def set_title(self, number: int, title: str) -> Json:
        """Rename an issue."""
        return self._json("PATCH", f"/issues/{number}", {"title": title})

    def label(self, number: int, *names: str) -> None:
        """Add labels."""
        self.ask("POST", f"/issues/{number}/labels", {"labels": list(names)})

    def unlabel(self, number: int, name: str) -> None:
        """Take a label off."""
        self.ask("DELETE", f"/issues/{number}/labels/{quote(name, safe='')}")

    def assign(self, number: int, *logins: str) -> Json:
        """Assign people."""
        return self._json("POST", f"/issues/{number}/assignees", {"assignees": list(logins)})

    def unassign(self, number: int, *logins: str) -> Json:
        """Unassign people."""
        return self._json("DELETE", f"/issues/{number}/assignees", {"assignees": list(logins)})

    def close(self, number: int, reason: str = "completed") -> Json:
        """Close an issue; `reason` is completed, not_planned or duplicate."""
        request = {"state": "closed", "state_reason": reason}
        return self._json("PATCH", f"/issues/{number}", request)

    def reopen(self, number: int) -> Json:
        """Reopen an issue."""
        return self._json("PATCH", f"/issues/{number}", {"state": "open"})

    def lock(self, number: int) -> None:
        """Lock an issue."""
        self.ask("PUT", f"/issues/{number}/lock")

    def unlock(self, number: int) -> None:
        """Unlock an issue."""
        self.ask("DELETE", f"/issues/{number}/lock")

    def react(self, comment_id: int, content: str) -> Json:
        """React to a comment."""
        path = f"/issues/comments/{comment_id}/reactions"
        return self._json("POST", path, {"content": content})

    def push(
        self,
        files: Mapping[str, str | None],
        message: str = "Change files",
        branch: str | None = None,
        fork: bool = False,
    ) -> str:
        """Commit files (None deletes) to a branch, made from the default one when new.

        With `fork` the branch is one of the person's own fork, which takes no rights here.
        The answer is the commit's SHA.
        """
        world = self._site.world
        with world.lock:
            repo = self._repo
            if not fork:
                need_role(self._actor, repo, "write")
            start = FORKS.format(self.login.lower()) if fork else HEADS
            ref = start + (branch or repo.default_branch)
            head = repo.git.refs.get(ref) or repo.git.refs[HEADS + repo.default_branch]
            entries = repo.git.files(repo.git.commits[head].tree)
            for path, text in files.items():
                entries.pop(path, None)
                if text is not None:
                    entries[path] = (BLOB, repo.git.put_blob(text.encode()))
            tree = repo.git.build(entries)
            made = repo.git.commit(tree, [head], message, login=self.login, date=world.now())
            move_ref(world, self._actor, repo, ref, made.sha)
            return made.sha

    def open_pull(
        self,
        title: str,
        files: Mapping[str, str | None],
        branch: str,
        body: str = "",
        draft: bool = False,
        fork: bool = False,
    ) -> Json:
        """Push files to a branch and open a pull request from it to the default branch."""
        self.push(files, title, branch, fork)
        base = self._repo.default_branch
        head = f"{self.login}:{branch}" if fork else branch
        request = {"title": title, "head": head, "base": base, "body": body, "draft": draft}
        return self._json("POST", "/pulls", request)

    def merge(self, number: int, method: str = "merge") -> str:
        """Merge a pull request ("merge", "squash" or "rebase"); the SHA that came of it."""
        answer = self._json("PUT", f"/pulls/{number}/merge", {"merge_method": method})
        return str(answer["sha"])

    def deploy(self, ref: str, environment: str = "production", state: str = "success") -> Json:
        """Record a deployment with one status."""
        request = {"ref": ref, "environment": environment, "required_contexts": []}
        row = self._json("POST", "/deployments", request)
        self.ask("POST", f"/deployments/{row['id']}/statuses", {"state": state})
        return row

    def link_pull(self, number: int, pull: int) -> None:
        """Connect a pull request to an issue in the sidebar."""
        world = self._site.world
        with world.lock:
            need_role(self._actor, self._repo, "write")
            for one in (number, pull):
                rules.happened(world, self._actor, self._repo.issues[one], "connected")

    def _json(self, method: str, tail: str, body: Any = None) -> Json:
        answer = self.ask(method, tail, body)
        assert isinstance(answer, dict)
        return answer
