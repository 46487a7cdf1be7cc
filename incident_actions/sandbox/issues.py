"""The rules of issues: what each change does to the record, the timeline and the webhooks.

Every function takes the world and the actor first. See https://docs.github.com/rest/issues
"""

from __future__ import annotations

from collections.abc import Iterable

from .access import Actor, at_least, role_of
from .errors import RefusedError, forbidden, invalid, unprocessable
from .model import Comment, Edit, Event, Issue, Label, Pull, Reaction, Repository, User
from .references import note_mentions
from .render import REACTIONS, label_json, reference_json, user_json
from .webhooks import comment_changed, deliver, issue_changed
from .world import World

MAX_TEXT = 65_536
MAX_TITLE = 256
MAX_LABELS = 100
MAX_ASSIGNEES = 10
MAX_SUB_ISSUES = 100


def check_text(text: str, resource: str, field: str = "body") -> None:
    """422 above 65,536 characters."""
    if len(text) > MAX_TEXT:
        message = f"{field} is too long (maximum is {MAX_TEXT} characters)"
        raise invalid(resource, field, "custom", message)


def check_title(title: str) -> None:
    """422 for an empty title or one above 256 characters."""
    if not title.strip():
        raise invalid("Issue", "title", "missing_field")
    if len(title) > MAX_TITLE:
        message = f"title is too long (maximum is {MAX_TITLE} characters)"
        raise invalid("Issue", "title", "custom", message)


def happened(world: World, actor: Actor, issue: Issue, event: str, **data: object) -> Event:
    """Append to the issue's timeline and touch `updated_at`."""
    entry = Event(world.next_id(), event, actor.person(), world.now(), data)
    issue.events.append(entry)
    issue.updated_at = entry.created_at
    return entry


def create(
    world: World,
    actor: Actor,
    repo: Repository,
    title: str,
    body: str | None,
    labels: Iterable[str] = (),
    assignees: Iterable[str] = (),
    *,
    form: bool = False,
    pull: Pull | None = None,
) -> Issue:
    """Open an issue.

    Labels by somebody below triage are dropped, but a form's labels are applied whoever
    submits it; there, names that the repository does not have are dropped.
    """
    author = actor.person()
    check_title(title)
    check_text(body or "", "Issue")
    trusted = at_least(actor, repo, "triage")
    names = list(labels)
    if form:
        names = [name for name in names if name.lower() in repo.labels]
    elif not trusted:
        names = []
    now = world.now()
    number = max([*repo.issues, *repo.transferred], default=0) + 1  # none is given twice
    issue = Issue(world.next_id(), number, repo, author, title, body, now, now, pull=pull)
    wanted = _labels(world, actor, repo, names)
    repo.issues[number] = issue
    issue.labels = wanted[:MAX_LABELS]
    issue_changed(world, actor, issue, "opened")
    for label in issue.labels:
        _label_event(world, actor, issue, "labeled", label)
    if trusted:
        assign(world, actor, issue, assignees)
    note_mentions(world, issue, author, body)
    return issue


def edit(
    world: World, actor: Actor, issue: Issue, title: str | None, body: str | None, keep_body: bool
) -> None:
    """Change title and body; `keep_body` when the body was not part of the request."""
    changes = {}
    if title is not None and title != issue.title:
        check_title(title)
    if not keep_body:
        check_text(body or "", "Issue")
    if title is not None and title != issue.title:
        changes["title"] = {"from": issue.title}
        happened(world, actor, issue, "renamed", rename={"from": issue.title, "to": title})
        issue.title = title
    if not keep_body and body != issue.body:
        changes["body"] = {"from": issue.body or ""}
        _note_edit(world, actor, issue, body or "")
        issue.body = body
        issue.updated_at = world.now()
        note_mentions(world, issue, actor.person(), body)
    if changes:
        issue_changed(world, actor, issue, "edited", changes=changes)


def _labels(world: World, actor: Actor, repo: Repository, names: Iterable[str]) -> list[Label]:
    """Labels by name; unknown ones are made, by those who may."""
    found: list[Label] = []
    for name in names:
        if not name.strip() or len(name) > 50:
            raise invalid("Label", "name", "invalid")
        if name.lower() not in repo.labels and not at_least(actor, repo, "write"):
            raise forbidden("You do not have permission to create labels on this repository.")
    for name in names:
        label = world.add_label(repo, name)
        if label not in found:
            found.append(label)
    return found


def _label_event(world: World, actor: Actor, issue: Issue, event: str, label: Label) -> None:
    short = {"name": label.name, "color": label.color}
    happened(world, actor, issue, event, label=short)
    issue_changed(world, actor, issue, event, label=label_json(world, issue.repo, label))


def add_labels(world: World, actor: Actor, issue: Issue, names: Iterable[str]) -> None:
    """Add labels; those that are on already change nothing."""
    labels = [
        label
        for label in _labels(world, actor, issue.repo, list(names))
        if label not in issue.labels
    ]
    if len(issue.labels) + len(labels) > MAX_LABELS:
        raise invalid("Issue", "labels", "custom", f"at most {MAX_LABELS} labels")
    for label in labels:
        issue.labels.append(label)
        _label_event(world, actor, issue, "labeled", label)


def remove_labels(world: World, actor: Actor, issue: Issue, labels: Iterable[Label]) -> None:
    """Take labels off."""
    for label in list(labels):
        issue.labels.remove(label)
        _label_event(world, actor, issue, "unlabeled", label)


def set_labels(world: World, actor: Actor, issue: Issue, names: Iterable[str]) -> None:
    """Make the labels be these."""
    names = list(names)
    keep = {name.lower() for name in names}
    remove_labels(world, actor, issue, [la for la in issue.labels if la.name.lower() not in keep])
    add_labels(world, actor, issue, names)


def assignable(world: World, repo: Repository, login: str) -> User | None:
    """The user, when issues of this repository can be assigned to them."""
    user = world.users.get(login.lower())
    if user is None or user.type != "User":
        return None
    explicit = repo.roles.get(user.login.lower(), "none") != "none"
    return user if explicit or role_of(user, repo) == "admin" else None


def assign(world: World, actor: Actor, issue: Issue, logins: Iterable[str]) -> None:
    """Add assignees; who can't be assigned is dropped without a word."""
    for login in logins:
        user = assignable(world, issue.repo, login)
        if user and user not in issue.assignees and len(issue.assignees) < MAX_ASSIGNEES:
            issue.assignees.append(user)
            _assign_event(world, actor, issue, "assigned", user)


def unassign(world: World, actor: Actor, issue: Issue, logins: Iterable[str]) -> None:
    """Remove assignees."""
    gone = {login.lower() for login in logins}
    for user in [one for one in issue.assignees if one.login.lower() in gone]:
        issue.assignees.remove(user)
        _assign_event(world, actor, issue, "unassigned", user)


def _assign_event(world: World, actor: Actor, issue: Issue, event: str, user: User) -> None:
    happened(world, actor, issue, event, assignee=user, assigner=actor.person())
    issue_changed(world, actor, issue, event, assignee=user_json(world, user))


def close(
    world: World, actor: Actor, issue: Issue, reason: str | None = None, commit: str | None = None
) -> None:
    """Close, or change the reason of a closed issue."""
    reason = reason or (None if issue.pull else "completed")
    if issue.state == "closed" and reason == issue.state_reason:
        return
    issue.state, issue.state_reason = "closed", reason
    event = happened(world, actor, issue, "closed", state_reason=reason, commit_id=commit)
    issue.closed_at, issue.closed_by = event.created_at, event.actor
    issue_changed(world, actor, issue, "closed")


def reopen(world: World, actor: Actor, issue: Issue) -> None:
    """Reopen a closed issue; an open one stays as it is."""
    if issue.state == "open":
        return
    if issue.pull and issue.pull.merged_at:
        raise invalid("PullRequest", "state", "invalid", "state cannot be changed")
    issue.state, issue.closed_at, issue.closed_by = "open", None, None
    issue.state_reason = None if issue.pull else "reopened"
    happened(world, actor, issue, "reopened", state_reason=None)
    issue_changed(world, actor, issue, "reopened")


def lock(world: World, actor: Actor, issue: Issue, reason: str | None) -> None:
    """Lock the conversation."""
    if not issue.locked:
        issue.locked, issue.lock_reason = True, reason
        happened(world, actor, issue, "locked", lock_reason=reason)
        issue_changed(world, actor, issue, "locked")


def unlock(world: World, actor: Actor, issue: Issue) -> None:
    """Unlock the conversation."""
    if issue.locked:
        issue.locked, issue.lock_reason = False, None
        happened(world, actor, issue, "unlocked")
        issue_changed(world, actor, issue, "unlocked")


def comment(world: World, actor: Actor, issue: Issue, body: str) -> Comment:
    """Comment; a locked issue takes comments from people with write access only."""
    author = actor.person()
    if issue.locked and (actor.is_workflow or not at_least(actor, issue.repo, "write")):
        raise forbidden("Unable to create comment because issue is locked.")
    _check_comment(body)
    now = world.now()
    made = Comment(world.next_id(), issue, author, body, now, now)
    issue.comments.append(made)
    issue.repo.comments[made.id] = made
    issue.events.append(Event(made.id, "commented", author, now, {"comment": made}))
    issue.updated_at = now
    note_mentions(world, issue, author, body)
    comment_changed(world, actor, made, "created")
    return made


def _check_comment(body: str) -> None:
    if not body.strip():
        raise invalid("IssueComment", "body", "missing_field")
    check_text(body, "IssueComment")


def _note_edit(world: World, actor: Actor, edited: Issue | Comment, text: str) -> None:
    """Remember a new version of a text, and before the first one the text as it was created."""
    if not edited.edits:
        edited.edits.append(Edit(edited.user, edited.created_at, edited.body or ""))
    edited.edits.append(Edit(actor.person(), world.now(), text))


def edit_comment(world: World, actor: Actor, made: Comment, body: str) -> None:
    """Replace a comment's body; the same body again changes nothing but `updated_at`."""
    _check_comment(body)
    before = made.body
    if body != before:
        _note_edit(world, actor, made, body)
    made.body = body
    made.updated_at = made.issue.updated_at = world.now()
    if body != before:
        note_mentions(world, made.issue, actor.person(), body)
        comment_changed(world, actor, made, "edited", before)


def delete_comment(world: World, actor: Actor, made: Comment) -> None:
    """Delete a comment; the timeline keeps that one was deleted, not which."""
    issue = made.issue
    issue.comments.remove(made)
    del issue.repo.comments[made.id]
    issue.events = [e for e in issue.events if e.data.get("comment") is not made]
    happened(world, actor, issue, "comment_deleted")
    comment_changed(world, actor, made, "deleted")


def react(
    world: World, actor: Actor, reactions: list[Reaction], content: str
) -> tuple[Reaction, bool]:
    """Add a reaction; the second part of the answer is whether it is new."""
    if content not in REACTIONS:
        raise invalid("Reaction", "content", "invalid")
    user = actor.person()
    for known in reactions:
        if known.user is user and known.content == content:
            return known, False
    made = Reaction(world.next_id(), user, content, world.now())
    reactions.append(made)
    return made, True


def add_sub_issue(
    world: World, actor: Actor, parent: Issue, child: Issue, replace_parent: bool = False
) -> None:
    """Put an issue under another: same owner, one parent, no circle, at most 100."""
    if child.repo.owner is not parent.repo.owner:
        raise unprocessable("Sub issue must belong to the same repository owner as the parent.")
    above: Issue | None = parent
    while above is not None:
        if above is child:
            raise unprocessable("Sub issue cannot be added: it would make a circle.")
        above = above.parent
    if child in parent.sub_issues:
        raise unprocessable("Issue may not contain duplicate sub-issues.")
    if child.parent is not None and not replace_parent:
        raise unprocessable("Sub issue may only have one parent.")
    if len(parent.sub_issues) >= MAX_SUB_ISSUES:
        raise unprocessable(f"Parent cannot have more than {MAX_SUB_ISSUES} sub-issues.")
    if child.parent is not None:
        remove_sub_issue(world, actor, child.parent, child)
    parent.sub_issues.append(child)
    child.parent = parent
    happened(world, actor, parent, "sub_issue_added", sub_issue=child)
    happened(world, actor, child, "parent_issue_added", parent_issue=parent)
    _sub_issue_event(world, actor, parent, child, "sub_issue_added")


def remove_sub_issue(world: World, actor: Actor, parent: Issue, child: Issue) -> None:
    """Take an issue out from under another."""
    if child not in parent.sub_issues:
        raise RefusedError(404, "The provided sub-issue does not belong to this issue.")
    parent.sub_issues.remove(child)
    child.parent = None
    happened(world, actor, parent, "sub_issue_removed", sub_issue=child)
    happened(world, actor, child, "parent_issue_removed", parent_issue=parent)
    _sub_issue_event(world, actor, parent, child, "sub_issue_removed")


def _sub_issue_event(world: World, actor: Actor, parent: Issue, child: Issue, action: str) -> None:
    deliver(
        world,
        actor,
        "sub_issues",
        parent.repo,
        action,
        parent_issue=reference_json(world, parent),
        sub_issue=reference_json(world, child),
    )
