"""Sub-issues, by integer id rather than number.

See https://docs.github.com/rest/issues/sub-issues
"""

from __future__ import annotations

from .. import issues as rules
from ..errors import not_found, unprocessable
from ..model import Issue
from ..render import issue_json
from ..router import PAGED, Answer, Call, route
from .issues import ONE


def _check_support(call: Call) -> None:
    # Older servers do not know these endpoints.
    if not call.repo.settings.sub_issues:
        raise not_found()


def _by_id(call: Call, number: int | None) -> Issue:
    for repo in call.world.repositories.values():
        for issue in repo.issues.values():
            if issue.id == number and issue.pull is None:
                return issue
    raise not_found("The provided sub-issue does not exist.")


def _child(call: Call) -> Issue:
    number = call.value("sub_issue_id", int)
    if number is None:
        raise unprocessable('Invalid request.\n\n"sub_issue_id" wasn\'t supplied.')
    return _by_id(call, number)


@route(f"GET {ONE}/sub_issues", scope="issues", query=PAGED)
def list_sub_issues(call: Call) -> Answer:
    """Issues under this one, in their order."""
    _check_support(call)
    return call.listing(call.issue.sub_issues, lambda issue: issue_json(call.world, issue))


@route(f"POST {ONE}/sub_issues", scope="issues", role="triage")
def add_sub_issue(call: Call) -> Answer:
    """Put an issue under this one."""
    _check_support(call)
    replace = bool(call.value("replace_parent", bool))
    rules.add_sub_issue(call.world, call.actor, call.issue, _child(call), replace)
    return Answer(201, issue_json(call.world, call.issue))


@route(f"DELETE {ONE}/sub_issue", scope="issues", role="triage")
def remove_sub_issue(call: Call) -> Answer:
    """Take an issue out from under this one."""
    _check_support(call)
    rules.remove_sub_issue(call.world, call.actor, call.issue, _child(call))
    return Answer(200, issue_json(call.world, call.issue))


@route(f"PATCH {ONE}/sub_issues/priority", scope="issues", role="triage")
def move_sub_issue(call: Call) -> Answer:
    """Move a sub-issue behind `after_id` or before `before_id`."""
    _check_support(call)
    child = _child(call)
    after, before = call.value("after_id", int), call.value("before_id", int)
    if (after is None) == (before is None):
        raise unprocessable("Give one of after_id and before_id.")
    anchor = _by_id(call, before if after is None else after)
    row = call.issue.sub_issues
    if child not in row or anchor not in row or child is anchor:
        raise unprocessable("Both must be sub-issues of this issue.")
    row.remove(child)
    row.insert(row.index(anchor) + (after is not None), child)
    return Answer(200, issue_json(call.world, call.issue))


@route(f"GET {ONE}/parent", scope="issues")
def get_parent(call: Call) -> Answer:
    """The issue above this one; 404 when there is none."""
    _check_support(call)
    if call.issue.parent is None:
        raise not_found()
    return Answer(200, issue_json(call.world, call.issue.parent))
