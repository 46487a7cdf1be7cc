"""Issues, their assignees, locks, events and timeline.

See https://docs.github.com/rest/issues/issues and https://docs.github.com/rest/issues/timeline
"""

from __future__ import annotations

from .. import issues as rules
from ..errors import RefusedError, forbidden, invalid, not_found
from ..model import Issue
from ..references import mentioned_people
from ..render import event_json, issue_json
from ..router import PAGED, Answer, Call, route

R = "/repos/{owner}/{repo}"
ONE = R + "/issues/{issue_number}"
BOTH = "issues|pull_requests"


@route(
    f"GET {R}/issues",
    scope=BOTH,
    query=(
        "state",
        "labels",
        "sort",
        "direction",
        "since",
        "creator",
        "assignee",
        "mentioned",
        *PAGED,
    ),
)
def list_issues(call: Call) -> Answer:
    """Issues and pull requests, newest first unless asked otherwise."""
    state = call.choice("state", ("open", "closed", "all"))
    sort = call.choice("sort", ("created", "updated", "comments"))
    newest_first = call.choice("direction", ("desc", "asc")) == "desc"
    wanted = {name.strip().lower() for name in call.query.get("labels", "").split(",")} - {""}
    since = call.since()
    creator = call.query.get("creator", "").lower()
    assignee = call.query.get("assignee", "").lower()
    mentioned = call.query.get("mentioned", "").lower()

    def fits(issue: Issue) -> bool:
        if state not in ("all", issue.state) or issue.updated_at < since:
            return False
        if wanted and not wanted <= {label.name.lower() for label in issue.labels}:
            return False
        if creator and issue.user.login.lower() != creator:
            return False
        if mentioned and mentioned not in mentioned_people(issue):
            return False
        people = {user.login.lower() for user in issue.assignees}
        return (
            not assignee
            or (assignee == "none" and not people)
            or (assignee == "*" and bool(people))
            or assignee in people
        )

    def order(issue: Issue) -> tuple[str | int, int]:
        if sort == "comments":
            return len(issue.comments), issue.number
        return (issue.updated_at if sort == "updated" else issue.created_at), issue.number

    found = sorted(filter(fits, call.repo.issues.values()), key=order, reverse=newest_first)
    return call.listing(found, lambda issue: issue_json(call.world, issue))


@route(f"POST {R}/issues", scope="issues")
def create_issue(call: Call) -> Answer:
    """Open an issue."""
    if not call.repo.settings.has_issues:
        raise RefusedError(410, "Issues are disabled for this repo")
    title = call.text("title")
    issue = rules.create(
        call.world,
        call.actor,
        call.repo,
        title,
        call.value("body", str),
        call.strings("labels"),
        _assignees(call),
    )
    answer = issue_json(call.world, issue)
    return Answer(201, answer, {"Location": answer["url"]})


@route(f"GET {ONE}", scope="issues")
def get_issue(call: Call) -> Answer:
    """One issue."""
    return Answer(200, issue_json(call.world, call.issue))


@route(f"PATCH {ONE}", scope="issues")
def edit_issue(call: Call) -> Answer:
    """Change title, body, labels, assignees, and state, in this order.

    The author may change title, body and state; labels and assignees by people below triage
    are dropped without a word, as GitHub does.
    """
    state = call.value("state", str)
    reason = call.value("state_reason", str)
    if state not in (None, "open", "closed"):
        raise invalid("Issue", "state")
    if reason not in (None, "completed", "not_planned", "duplicate", "reopened"):
        raise invalid("Issue", "state_reason")
    title, body = call.value("title", str), call.value("body", str)
    labels = call.strings("labels") if call.has("labels") else None
    author = call.actor.user is call.issue.user
    writes_text = call.has("title") or call.has("body")
    if not (author or call.may("write" if writes_text else "triage")):
        raise forbidden("Must have admin rights to Repository.")
    rules.edit(call.world, call.actor, call.issue, title, body, not call.has("body"))
    if call.may("triage"):
        if labels is not None:
            rules.set_labels(call.world, call.actor, call.issue, labels)
        if call.has("assignees") or call.has("assignee"):
            _set_assignees(call, _assignees(call))
    if state == "closed" or (reason and call.issue.state == "closed" and state is None):
        rules.close(call.world, call.actor, call.issue, reason)
    elif state == "open":
        rules.reopen(call.world, call.actor, call.issue)
    return Answer(200, issue_json(call.world, call.issue))


def _assignees(call: Call) -> list[str]:
    one = call.value("assignee", str)
    return call.strings("assignees") + ([one] if one else [])


def _set_assignees(call: Call, logins: list[str]) -> None:
    keep = {login.lower() for login in logins}
    gone = [u.login for u in call.issue.assignees if u.login.lower() not in keep]
    rules.unassign(call.world, call.actor, call.issue, gone)
    rules.assign(call.world, call.actor, call.issue, logins)


@route(f"POST {ONE}/assignees", scope="issues", role="triage")
def add_assignees(call: Call) -> Answer:
    """Assign people."""
    rules.assign(call.world, call.actor, call.issue, call.strings("assignees"))
    return Answer(201, issue_json(call.world, call.issue))


@route(f"DELETE {ONE}/assignees", scope="issues", role="triage")
def remove_assignees(call: Call) -> Answer:
    """Unassign people."""
    rules.unassign(call.world, call.actor, call.issue, call.strings("assignees"))
    return Answer(200, issue_json(call.world, call.issue))


@route(f"GET {ONE}/assignees/{{assignee}}", scope="issues")
def may_assign_here(call: Call) -> Answer:
    """204 when this person can be assigned to the issue, 404 otherwise."""
    return _assignable(call)


@route(f"GET {R}/assignees/{{assignee}}", scope=BOTH)
def may_assign(call: Call) -> Answer:
    """204 when this person can be assigned in the repository, 404 otherwise."""
    return _assignable(call)


def _assignable(call: Call) -> Answer:
    if rules.assignable(call.world, call.repo, call.params["assignee"]) is None:
        raise not_found()
    return Answer(204)


@route(f"PUT {ONE}/lock", scope="issues", role="triage")
def lock_issue(call: Call) -> Answer:
    """Lock the conversation."""
    reason = call.value("lock_reason", str)
    if reason not in (None, "off-topic", "too heated", "resolved", "spam"):
        raise invalid("Issue", "lock_reason")
    rules.lock(call.world, call.actor, call.issue, reason)
    return Answer(204)


@route(f"DELETE {ONE}/lock", scope="issues", role="triage")
def unlock_issue(call: Call) -> Answer:
    """Unlock the conversation."""
    rules.unlock(call.world, call.actor, call.issue)
    return Answer(204)


@route(f"GET {ONE}/events", scope="issues", query=PAGED)
def list_events(call: Call) -> Answer:
    """Events of one issue, oldest first, comments and mentions by others left out."""
    shown = [e for e in call.issue.events if e.event not in ("commented", "cross-referenced")]
    return call.listing(shown, lambda event: event_json(call.world, call.issue, event))


@route(f"GET {R}/issues/events", scope=BOTH, query=PAGED)
def list_repository_events(call: Call) -> Answer:
    """Events of all issues, newest first, each with its issue."""
    rows = [
        (event, issue)
        for issue in call.repo.issues.values()
        for event in issue.events
        if event.event not in ("commented", "cross-referenced")
    ]
    rows.sort(key=lambda row: row[0].id, reverse=True)
    return call.listing(
        rows,
        lambda row: {
            **event_json(call.world, row[1], row[0]),
            "issue": issue_json(call.world, row[1]),
        },
    )


@route(f"GET {ONE}/timeline", scope="issues", query=PAGED)
def list_timeline(call: Call) -> Answer:
    """Everything that happened to one issue, oldest first."""
    rows = sorted(call.issue.events, key=lambda event: event.created_at)
    return call.listing(rows, lambda event: event_json(call.world, call.issue, event))
