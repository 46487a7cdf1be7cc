"""The few GraphQL requests that have no REST counterpart: some mutations, and who edited a text.

See https://docs.github.com/graphql/reference/mutations and
https://docs.github.com/graphql/reference/interfaces#comment
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable
from typing import Any

from .. import issues as rules
from ..access import need_role, need_scope, need_sight
from ..errors import RefusedError, not_found, unknown_route
from ..model import Comment, Issue, User
from ..render import node_id
from ..router import Answer, Call, route
from ..webhooks import issue_changed

# What GitHub takes as the reason for hiding a comment.
CLASSIFIERS = ("ABUSE", "DUPLICATE", "OFF_TOPIC", "OUTDATED", "RESOLVED", "SPAM")
Json = dict[str, Any]


def _number(node: str) -> int:
    tail = node.rpartition("_")[2]
    try:
        return int(base64.urlsafe_b64decode(tail + "=" * (-len(tail) % 4)))
    except (ValueError, binascii.Error):
        raise not_found(f"Could not resolve to a node with the global id of '{node}'") from None


def _issue(call: Call, node: str, scope: str, *, pull: bool) -> Issue:
    """The issue or pull request of a node id, if the actor may change it."""
    number = _number(node)
    for repo in call.world.repositories.values():
        for issue in repo.issues.values():
            if issue.id == number and (issue.pull is not None) == pull:
                need_sight(call.actor, repo)
                need_scope(call.actor, repo, scope, "write", issue)
                need_role(call.actor, repo, "write")
                return issue
    raise not_found(f"Could not resolve to a node with the global id of '{node}'")


def _comment(call: Call, node: str) -> Comment:
    number = _number(node)
    for repo in call.world.repositories.values():
        comment = repo.comments.get(number)
        if comment is not None:
            need_sight(call.actor, repo)
            need_scope(call.actor, repo, "issues", "write", comment.issue)
            need_role(call.actor, repo, "triage")
            return comment
    raise not_found(f"Could not resolve to a node with the global id of '{node}'")


def _draft(call: Call, given: Json, draft: bool) -> Json:
    issue = _issue(call, given["pullRequestId"], "pull_requests", pull=True)
    assert issue.pull is not None
    if issue.pull.draft != draft:
        issue.pull.draft = draft
        event = "converted_to_draft" if draft else "ready_for_review"
        rules.happened(
            call.world, call.actor, issue, "convert_to_draft" if draft else "ready_for_review"
        )
        issue_changed(call.world, call.actor, issue, event)
    shown = {"id": node_id("PR", issue.id), "number": issue.number, "isDraft": draft}
    return {"pullRequest": shown}


def _minimize(call: Call, given: Json, minimize: bool) -> Json:
    comment = _comment(call, given["subjectId"])
    reason = given.get("classifier")
    if minimize and reason not in CLASSIFIERS:
        raise RefusedError(422, "Variable $input of type MinimizeCommentInput! is invalid")
    comment.minimized = str(reason).lower().replace("_", "-") if minimize else None
    shown = {
        "id": node_id("IC", comment.id),
        "isMinimized": minimize,
        "minimizedReason": comment.minimized,
    }
    return {"minimizedComment" if minimize else "unminimizedComment": shown}


def _pin(call: Call, given: Json, pin: bool) -> Json:
    issue = _issue(call, given["issueId"], "issues", pull=False)
    pinned = [one for one in issue.repo.issues.values() if one.pinned and one is not issue]
    if pin and len(pinned) >= 3:
        raise RefusedError(422, "You can only pin up to 3 issues.")
    if issue.pinned != pin:
        issue.pinned = pin
        event = "pinned" if pin else "unpinned"
        rules.happened(call.world, call.actor, issue, event)
        issue_changed(call.world, call.actor, issue, event)
    return {"issue": {"id": node_id("I", issue.id), "number": issue.number, "isPinned": pin}}


_MUTATIONS: dict[str, Callable[[Call, Json], Json]] = {
    "markPullRequestReadyForReview": lambda call, given: _draft(call, given, False),
    "convertPullRequestToDraft": lambda call, given: _draft(call, given, True),
    "minimizeComment": lambda call, given: _minimize(call, given, True),
    "unminimizeComment": lambda call, given: _minimize(call, given, False),
    "pinIssue": lambda call, given: _pin(call, given, True),
    "unpinIssue": lambda call, given: _pin(call, given, False),
}


def _account(user: User) -> Json:
    """An account. GraphQL leaves out the `[bot]` of a bot's login."""
    bot = user.type == "Bot"
    name = user.login.removesuffix("[bot]")
    return {"__typename": "Bot" if bot else "User", "login": name}


def _edited(kind: str, text: Issue | Comment) -> Json:
    """Who wrote and who edited an issue or a comment. `diff` is the whole text of a version."""
    edits = [
        {"editedAt": edit.at, "diff": edit.text, "editor": _account(edit.editor)}
        for edit in reversed(text.edits)
    ]
    return {
        "id": node_id(kind, text.id),
        "author": _account(text.user),
        "createdAt": text.created_at,
        "editor": _account(text.edits[-1].editor) if text.edits else None,
        "lastEditedAt": text.edits[-1].at if text.edits else None,
        "userContentEdits": {"nodes": edits},
    }


def _nodes(call: Call, variables: Json) -> Answer:
    """The query `nodes(ids:)` for issues and comments; null for what is not there."""
    found: dict[str, Json] = {}
    for repo in call.world.repositories.values():
        try:
            need_sight(call.actor, repo)
        except RefusedError:
            continue
        for issue in repo.issues.values():
            found[node_id("I", issue.id)] = _edited("I", issue)
        for comment in repo.comments.values():
            found[node_id("IC", comment.id)] = _edited("IC", comment)
    return Answer(200, {"data": {"nodes": [found.get(str(id)) for id in variables["ids"]]}})


def _issue_of_repository(call: Call, variables: Json) -> Answer:
    """The query `repository(owner:, name:)` with one `issue(number:)` in it. An old name counts."""
    name = f"{variables['owner']}/{variables['name']}"
    repo = call.world.find(name) or call.world.renamed.get(name.lower())
    issue = repo.issues.get(int(variables["number"])) if repo else None
    if repo is None or issue is None:
        return _failed("repository", "NOT_FOUND", "Could not resolve to an Issue")
    need_sight(call.actor, repo)
    return Answer(200, {"data": {"repository": {"issue": _edited("I", issue)}}})


_QUERIES: dict[str, Callable[[Call, Json], Answer]] = {
    "nodes": _nodes,
    "repository": _issue_of_repository,
}


@route("POST /graphql")
def graphql(call: Call) -> Answer:
    """One known query, or a mutation with its `input`; refusals come as `errors`."""
    call.actor.person()
    query, variables = call.text("query"), call.value("variables", dict) or {}
    match = re.search(r"\{\s*(\w+)\s*\(", query)
    name = match.group(1) if match else ""
    if name in _QUERIES:
        return _QUERIES[name](call, variables)
    if name not in _MUTATIONS or not isinstance(variables.get("input"), dict):
        raise unknown_route(f"the GraphQL request {query:.120}")
    given = variables["input"]
    try:
        shown = _MUTATIONS[name](call, given)
    except KeyError as missing:
        return _failed(name, "UNPROCESSABLE", f"{missing} is missing")
    except RefusedError as refused:
        kinds = {403: "FORBIDDEN", 404: "NOT_FOUND"}
        return _failed(name, kinds.get(refused.status, "UNPROCESSABLE"), refused.message)
    shown["clientMutationId"] = given.get("clientMutationId")
    return Answer(200, {"data": {name: shown}})


def _failed(name: str, kind: str, message: str) -> Answer:
    error = {"type": kind, "path": [name], "message": message}
    return Answer(200, {"data": {name: None}, "errors": [error]})
