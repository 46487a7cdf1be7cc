"""Comments and reactions.

See https://docs.github.com/rest/issues/comments and https://docs.github.com/rest/reactions
"""

from __future__ import annotations

from .. import issues as rules
from ..access import need_scope
from ..errors import forbidden, not_found
from ..model import Comment, Reaction
from ..render import comment_json, reaction_json
from ..router import PAGED, Answer, Call, route
from .issues import BOTH, ONE, R

COMMENT = R + "/issues/comments/{comment_id}"


def _comment(call: Call) -> Comment:
    comment = call.repo.comments.get(call.number("comment_id"))
    if comment is None:
        raise not_found()
    level = "read" if call.method == "GET" else "write"
    need_scope(call.actor, call.repo, "issues", level, comment.issue)
    return comment


def _own_comment(call: Call) -> Comment:
    comment = _comment(call)
    if comment.user is not call.actor.user and not call.may("write"):
        raise forbidden("Must have admin rights to Repository.")
    return comment


@route(f"GET {ONE}/comments", scope="issues", query=("since", *PAGED))
def list_comments(call: Call) -> Answer:
    """Comments of one issue, oldest first."""
    since = call.since()
    found = [one for one in call.issue.comments if one.updated_at >= since]
    return call.listing(found, lambda one: comment_json(call.world, one))


@route(f"POST {ONE}/comments", scope="issues")
def create_comment(call: Call) -> Answer:
    """Comment on an issue."""
    made = rules.comment(call.world, call.actor, call.issue, call.text("body"))
    answer = comment_json(call.world, made)
    return Answer(201, answer, {"Location": answer["url"]})


@route(f"GET {R}/issues/comments", scope=BOTH, query=("sort", "direction", "since", *PAGED))
def list_repository_comments(call: Call) -> Answer:
    """Comments of all issues, by id unless asked otherwise."""
    since = call.since()
    found = [one for one in call.repo.comments.values() if one.updated_at >= since]
    backwards = call.choice("direction", ("asc", "desc")) == "desc"
    if call.choice("sort", ("created", "updated")) == "updated":
        found.sort(key=lambda one: one.updated_at, reverse=backwards)
    else:
        found.sort(key=lambda one: one.id, reverse=backwards)
    return call.listing(found, lambda one: comment_json(call.world, one))


@route(f"GET {COMMENT}", scope=BOTH)
def get_comment(call: Call) -> Answer:
    """One comment."""
    return Answer(200, comment_json(call.world, _comment(call)))


@route(f"PATCH {COMMENT}", scope=BOTH)
def edit_comment(call: Call) -> Answer:
    """Edit one's own comment; with write access anybody's."""
    comment = _own_comment(call)
    rules.edit_comment(call.world, call.actor, comment, call.text("body"))
    return Answer(200, comment_json(call.world, comment))


@route(f"DELETE {COMMENT}", scope=BOTH)
def delete_comment(call: Call) -> Answer:
    """Delete one's own comment; with write access anybody's."""
    rules.delete_comment(call.world, call.actor, _own_comment(call))
    return Answer(204)


def _list(call: Call, reactions: list[Reaction]) -> Answer:
    content = call.query.get("content")
    found = [one for one in reactions if content in (None, one.content)]
    return call.listing(found, lambda one: reaction_json(call.world, one))


def _add(call: Call, reactions: list[Reaction]) -> Answer:
    made, new = rules.react(call.world, call.actor, reactions, call.text("content"))
    return Answer(201 if new else 200, reaction_json(call.world, made))


def _remove(call: Call, reactions: list[Reaction]) -> Answer:
    number = call.number("reaction_id")
    found = next((one for one in reactions if one.id == number), None)
    if found is None:
        raise not_found()
    if found.user is not call.actor.user:
        raise forbidden("You can only delete your own reactions.")
    reactions.remove(found)
    return Answer(204)


@route(f"GET {COMMENT}/reactions", scope=BOTH, query=("content", *PAGED))
def list_comment_reactions(call: Call) -> Answer:
    """Reactions to a comment."""
    return _list(call, _comment(call).reactions)


@route(f"POST {COMMENT}/reactions", scope=BOTH)
def add_comment_reaction(call: Call) -> Answer:
    """React to a comment: 201 when new, 200 when it was there."""
    return _add(call, _comment(call).reactions)


@route(f"DELETE {COMMENT}/reactions/{{reaction_id}}", scope=BOTH)
def remove_comment_reaction(call: Call) -> Answer:
    """Take a reaction back."""
    return _remove(call, _comment(call).reactions)


@route(f"GET {ONE}/reactions", scope="issues", query=("content", *PAGED))
def list_issue_reactions(call: Call) -> Answer:
    """Reactions to an issue."""
    return _list(call, call.issue.reactions)


@route(f"POST {ONE}/reactions", scope="issues")
def add_issue_reaction(call: Call) -> Answer:
    """React to an issue: 201 when new, 200 when it was there."""
    return _add(call, call.issue.reactions)


@route(f"DELETE {ONE}/reactions/{{reaction_id}}", scope="issues")
def remove_issue_reaction(call: Call) -> Answer:
    """Take a reaction back."""
    return _remove(call, call.issue.reactions)
