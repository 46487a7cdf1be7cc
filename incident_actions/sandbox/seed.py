"""Filling a sandbox from JSON, for a process that has no Python to fill it with."""

from __future__ import annotations

from typing import Any

from .sandbox import Sandbox


def sow(github: Sandbox, seed: dict[str, Any]) -> None:
    """Make what a seed lists.

    {"repositories": {"acme/shop": {"private": false, "default_branch": "main",
                                    "labels": ["incident"], "files": {"path": "text"},
                                    "settings": {"sub_issues": true}}},
     "users": {"alice": {"acme/shop": "write"}},
     "tokens": {"secret": "alice"},
     "actions_tokens": {"secret": {"repo": "acme/shop", "permissions": {"issues": "write"}}},
     "issues": [{"repo": "acme/shop", "user": "alice", "title": "...", "body": "...",
                 "labels": ["incident"]}]}
    """
    for name, repository in seed.get("repositories", {}).items():
        github.repository(
            name,
            private=repository.get("private", False),
            default_branch=repository.get("default_branch", "main"),
            labels=repository.get("labels"),
        )
        github.settings(name, **repository.get("settings", {}))
        for path, text in repository.get("files", {}).items():
            github.file(name, path, text)
    for login, permission in seed.get("users", {}).items():
        github.user(login, permission=permission)
    for token, login in seed.get("tokens", {}).items():
        github.token(token, login)
    for token, grant in seed.get("actions_tokens", {}).items():
        github.actions_token(token, grant["repo"], grant["permissions"])
    for issue in seed.get("issues", []):
        person = github.as_user(issue["user"], issue["repo"])
        person.file_form_issue(issue["title"], issue.get("body", ""), issue.get("labels", []))
