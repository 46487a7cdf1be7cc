"""Reviewers and reviews. See https://docs.github.com/rest/pulls/reviews"""

from __future__ import annotations

from .. import pulls
from ..errors import forbidden, not_found, unprocessable
from ..model import Event, Review
from ..render import user_json
from ..render_git import pull_simple_json, review_json
from ..router import PAGED, Answer, Call, route
from ..webhooks import deliver
from .pulls import ONE, SCOPE

_STATES = {
    None: "PENDING",
    "APPROVE": "APPROVED",
    "REQUEST_CHANGES": "CHANGES_REQUESTED",
    "COMMENT": "COMMENTED",
}


@route(f"GET {ONE}/requested_reviewers", scope=SCOPE)
def get_reviewers(call: Call) -> Answer:
    """Who was asked for a review."""
    users = [user_json(call.world, user) for user in call.pull.reviewers]
    return Answer(200, {"users": users, "teams": []})


@route(f"POST {ONE}/requested_reviewers", scope=SCOPE, role="write")
def request_reviewers(call: Call) -> Answer:
    """Ask people for a review; 422 for somebody who is no collaborator, or the author."""
    if call.strings("team_reviewers"):
        raise unprocessable("Could not resolve to a node with the global id of the team.")
    pulls.request_reviewers(call.world, call.actor, call.issue, call.strings("reviewers"), True)
    return Answer(201, pull_simple_json(call.world, call.issue))


@route(f"DELETE {ONE}/requested_reviewers", scope=SCOPE, role="write")
def remove_reviewers(call: Call) -> Answer:
    """Ask no longer."""
    pulls.request_reviewers(call.world, call.actor, call.issue, call.strings("reviewers"), False)
    return Answer(200, pull_simple_json(call.world, call.issue))


@route(f"GET {ONE}/reviews", scope=SCOPE, query=PAGED)
def list_reviews(call: Call) -> Answer:
    """Reviews, oldest first."""
    return call.listing(call.pull.reviews, lambda one: review_json(call.world, call.issue, one))


@route(f"GET {ONE}/reviews/{{review_id}}", scope=SCOPE)
def get_review(call: Call) -> Answer:
    """One review."""
    number = call.number("review_id")
    for one in call.pull.reviews:
        if one.id == number:
            return Answer(200, review_json(call.world, call.issue, one))
    raise not_found()


@route(f"POST {ONE}/reviews", scope=SCOPE)
def create_review(call: Call) -> Answer:
    """Approve, ask for changes or comment."""
    event, body = call.value("event", str), call.value("body", str) or ""
    if event not in _STATES:
        raise unprocessable("Variable $event was provided invalid value")
    own = call.actor.user is call.issue.user
    if event in ("APPROVE", "REQUEST_CHANGES") and own:
        raise unprocessable("Can not approve your own pull request")
    if (
        event == "APPROVE"
        and call.actor.is_workflow
        and not (call.repo.settings.actions_create_pulls)
    ):
        raise forbidden(pulls.NO_ACTIONS_PULLS)
    user, now = call.actor.person(), call.world.now()
    sha = call.value("commit_id", str) or call.pull.head_sha
    made = Review(call.world.next_id(), user, body, _STATES[event], sha, now)
    call.pull.reviews.append(made)
    shown = review_json(call.world, call.issue, made)
    data = {key: shown[key] for key in ("id", "body", "state", "html_url", "pull_request_url")}
    data |= {"_links": shown["_links"], "author_association": shown["author_association"]}
    data |= {"commit_id": sha, "submitted_at": now, "user": user}
    call.issue.events.append(Event(made.id, "reviewed", user, now, data))
    if user in call.pull.reviewers:
        call.pull.reviewers.remove(user)
    pull = pull_simple_json(call.world, call.issue)
    deliver(
        call.world,
        call.actor,
        "pull_request_review",
        call.repo,
        "submitted",
        review={**shown, "state": made.state.lower()},
        pull_request=pull,
    )
    return Answer(200, shown)
