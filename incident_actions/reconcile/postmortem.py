"""Writes the postmortem of a resolved incident: its branch, its draft, its pull request.

Each run looks on GitHub for what is there: it finds the pull request by its reference to the
incident, and the branch by its prefix. So an incident has only one postmortem, even when it is
reopened or renamed, or when a run is killed. A file is replaced only if it is byte for byte a draft
of the bot's, so people's text is never lost.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from urllib.parse import quote

from msgspec.structs import replace

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.incident import EntryKind, Incident, Moment
from incident_actions.domain.issue.observation import Issue
from incident_actions.domain.postmortem import draft as drafts
from incident_actions.domain.postmortem import link
from incident_actions.domain.postmortem.document import Document
from incident_actions.domain.postmortem.draft import Draft, DraftAction
from incident_actions.domain.postmortem.link import SETTING, Postmortem
from incident_actions.domain.postmortem.pulls import PullRequest
from incident_actions.domain.postmortem.record import MAX_TITLE
from incident_actions.domain.projection.effects import (
    CommitFiles,
    CreateLabel,
    EditPull,
    Effect,
    OpenPull,
    PostComment,
)
from incident_actions.domain.projection.wanted import through_lock
from incident_actions.domain.text.harmless import defused, one_line
from incident_actions.errors import ConfigError, Forbidden, NotFound, Rejected, Unavailable
from incident_actions.github.client import GitHub
from incident_actions.reconcile import plan
from incident_actions.reconcile.apply import apply, apply_one, took_place
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.incident import Reconciled
from incident_actions.reconcile.plan import Assessment
from incident_actions.reconcile.review import review
from incident_actions.render import postmortem as texts

log = logging.getLogger(__name__)


def keep_postmortem(context: RunContext, reconciled: Reconciled) -> JobResult:
    """Bring the postmortem of an incident up to date, after the incident itself.

    The incident is closed and saved before, so a failure here does not harm it. Gives the result
    of both. Raises `errors.GitHubError`.
    """
    known, state, result = reconciled.assessment, reconciled.state, reconciled.result
    before = state.postmortem
    after, comments = before, list[PostComment]()
    if known.silent:
        comments = [texts.withheld(known.number)]
    else:
        after = _keep(context, known, before)
        if after is not None and after.refused:
            comments = [_refused(known.observation.issue, after)]
    new = [each for each in comments if f"{each.kind} {each.key}" not in state.posted]
    issue, muted = known.observation.issue, state.lock == "muted"
    done = took_place(apply(context.github, through_lock(issue, new, muted=muted)))
    result = replace(
        result,
        changed=result.changed or bool(done) or after != before,
        pull_request=after.pr if after is not None else None,
    )
    if not done and after == before:
        return result
    posted = {*state.posted, *(f"{e.kind} {e.key}" for e in done if isinstance(e, PostComment))}
    state = replace(plan.with_postmortem(state, after), posted=tuple(sorted(posted)))
    # Somebody may have edited the body meanwhile, and the edit must not be lost.
    observation = replace(known.observation, issue=context.github.issue(known.number))
    change = plan.edit_for(
        replace(known, observation=observation), state, context.config, settle=False
    )
    apply(context.github, filter(None, [change]))
    return result


def _refused(issue: Issue, now: Postmortem) -> PostComment:
    """The comment that says what GitHub did not allow."""
    compare = f"{_web(issue)}/compare/{quote(now.branch)}?expand=1"
    return texts.refused(issue.number, now.refused, now.branch, compare)


def _web(issue: Issue) -> str:
    """The address of the repository's page."""
    return issue.url.rpartition("/issues/")[0]


def draft_of(known: Assessment) -> Draft:
    """The facts for the draft, the likeliest of the suspected changes first. Makes no request."""
    issue, incident, answers = known.observation.issue, known.incident, known.observation.values
    layer, suspects = answers.get("layer"), known.outside.suspects
    changes = suspects.changes if suspects is not None else ()
    return Draft(
        number=issue.number,
        url=issue.url,
        title=known.title,
        incident=_stable(incident),
        durations=drafts.durations(incident.times),
        summary=answers.get("summary"),
        affected=answers.get("affected"),
        layer="" if layer.casefold() == "unknown" else layer,
        ticked=answers.boxes.get("changes", ()),
        suspects=tuple(sorted(changes, key=lambda change: not change.likeliest)),
        mitigations=drafts.entries(incident, EntryKind.MITIGATION),
        updates=drafts.entries(incident, EntryKind.UPDATE),
        customer_updates=drafts.entries(incident, EntryKind.CUSTOMER_UPDATE),
        overrides=drafts.entries(incident, EntryKind.OVERRIDE),
        actions=drafts.action_lines(incident.actions),
        web=_web(issue),
    )


def _stable(incident: Incident) -> Incident:
    """The incident without fields that the draft does not show and that change as time passes."""
    return replace(incident, snoozed_until=None, next_update=None, assigned=())


def _keep(context: RunContext, known: Assessment, before: Postmortem | None) -> Postmortem | None:
    """Do what is missing for the postmortem; gives where it is then, None when there is none.

    `before` is what the state says of it. Raises `Unavailable` when another run changes it at the
    same time: a new try finds what that run did.
    """
    existing = _existing(context.github, known, before)
    draft = draft_of(known)
    facts = drafts.digest(draft)
    if existing is not None and (existing.merged or existing.facts == facts):
        return existing
    if not known.incident.wants_postmortem:
        return existing
    if existing is not None:
        now = Postmortem(existing.branch, existing.path, existing.pr, facts=facts)
    else:
        branch, path = _place(context, known)
        now = Postmortem(branch, path, facts=facts)
    try:
        has_branch = _write_draft(context.github, now, draft)
    except Forbidden as refused:
        log.warning("No postmortem: %s", refused)
        return replace(now, refused="contents: write")
    except Rejected as refused:
        log.warning("No postmortem: %s", refused)
        return replace(now, refused=f"{link.BRANCH}: {refused}")
    return _open(context, known, now) if has_branch else now


def _existing(github: GitHub, known: Assessment, before: Postmortem | None) -> Postmortem | None:
    """The postmortem that exists, from the state and from GitHub's references to the incident."""
    seen = link.opened_pull(known.observation)
    if seen is None:
        return before
    number, merged = int(seen.subject), seen.merged_at is not None
    if before is not None:
        if before.pr not in (None, number):
            return before
        kind = before.refused.partition(":")[0]
        refused = "" if kind in (SETTING, link.PULL) else before.refused
        return replace(before, pr=number, merged=merged, refused=refused)
    try:
        pull = github.pull(number)
    except NotFound:
        return None
    path = _path_of(known.number, github.pull_files(number))
    return Postmortem(pull.branch, path, number, merged=merged) if path else None


def _path_of(incident: int, paths: Iterable[str]) -> str:
    """The first of these paths that is a postmortem of the incident."""
    return next((path for path in paths if link.incident_of_path(path) == incident), "")


def _place(context: RunContext, known: Assessment) -> tuple[str, str]:
    """The branch and the path: those that exist, else new ones from the incident's title."""
    github, number, title = context.github, known.number, known.title
    folder, day = context.config.postmortem.path, known.incident.times[Moment.STARTED]
    branch = link.branch_name(number, title)
    existing = github.branches(link.branch_prefix(number))
    path = ""
    if existing:
        branch = branch if branch in existing else existing[0]
        changed = github.changed_files(quote(github.about().branch), quote(branch))
        path = _path_of(number, changed or ())
    return branch, path or link.file_path(folder, number, title, day)


def _write_draft(github: GitHub, now: Postmortem, draft: Draft) -> bool:
    """Commit the draft, unless people have edited the file; gives whether there is a branch.

    Raises `Forbidden` without `contents: write`, and `Unavailable` when somebody created or moved
    the branch meanwhile.
    """
    tip, old = github.branch(now.branch), None
    is_new = tip is None
    if tip is not None:
        old = github.content(now.path, now.branch)
    elif now.pr is not None:
        return False  # somebody deleted the branch: they want no postmortem
    else:
        tip = github.branch(github.about().branch)
    if tip is None:
        log.warning("No postmortem: the repository has no commit yet")
        return False
    text = _text(github, now, draft, old)
    if text is not None:
        message = f"Postmortem of #{draft.number}: {'a draft' if is_new else 'what is known now'}"
        files = {now.path: text.encode()}
        commit = CommitFiles(now.branch, tip, files, message, creates=is_new)
        if not apply_one(github, commit).value:
            raise Unavailable(
                f"{now.branch} was made, or has moved, meanwhile",
                remedy="The next run looks at it again.",
            )
    return True


def _text(github: GitHub, now: Postmortem, draft: Draft, data: bytes | None) -> str | None:
    """The file's new text; None when it stays as it is.

    `data` is its content now, None when there is no file. A file that is missing although there is
    a pull request was deleted on purpose, and stays deleted.
    """
    if data is None:
        return _render_draft(github, draft) if now.pr is None else None
    old = Document.from_bytes(data)
    if not link.is_untouched(old.text):
        return None
    filed = {
        action.key: DraftAction(
            action.text, action.category, action.owner.removeprefix("@"), action.due,
            action.number, done=action.done,
        )
        for action in old.actions
        if action.number is not None
    }  # fmt: skip
    lines = drafts.action_lines(draft.incident.actions, filed)
    text = _render_draft(github, replace(draft, actions=lines))
    return text if text != old.text else None


def _render_draft(github: GitHub, draft: Draft) -> str:
    """The draft from the repository's own template, or from ours when that one fails."""
    try:
        return texts.draft_file(draft, github.file(texts.OVERRIDE))
    except ConfigError as problem:
        log.error("%s Our own template is used. %s", problem, problem.remedy)
        return texts.draft_file(draft)


def _open(context: RunContext, known: Assessment, now: Postmortem) -> Postmortem:
    """Open or update the pull request, and review it; gives the postmortem with its number.

    When GitHub does not allow it, `refused` says which setting or permission is missing.
    """
    github = context.github
    start = f"Postmortem of #{known.number}: "
    title = one_line(f"{start}{defused(known.title)}", MAX_TITLE)
    existing = (github.pull(now.pr),) if now.pr is not None else github.pulls_of(now.branch)
    try:
        pull = existing[0] if existing else _open_pull(context, known, now, title)
    except (Forbidden, Rejected) as refused:
        log.warning("The pull request was not opened: %s", refused)
        if "not permitted to create" in str(refused):
            return replace(now, refused=SETTING)
        is_rule = isinstance(refused, Rejected)
        return replace(
            now, refused=f"{link.PULL}: {refused}" if is_rule else "pull-requests: write"
        )
    now = replace(now, pr=pull.number, merged=pull.merged)
    if not pull.open:
        return now
    apply(github, _edit_pull(pull, title if pull.title.startswith(start) else None, known.incident))
    if review(context, github.pull(pull.number), now.path) is None:
        log.warning("#%s does not hold %s", pull.number, now.path)
    return now


def _open_pull(context: RunContext, known: Assessment, now: Postmortem, title: str) -> PullRequest:
    """Open a pull request. Raises `Forbidden`, `Rejected`; `Unavailable` when another run has."""
    body = texts.pull_body(
        known.number,
        known.incident.times[Moment.RESOLVED],
        context.config.postmortem.due_at(known.incident),
        now.path,
        f"{_web(known.observation.issue)}/blob/{quote(now.branch)}/{quote(now.path)}",
    )
    effect = OpenPull(title, now.branch, context.github.about().branch, body)
    try:
        pull = apply_one(context.github, effect).value
    except Rejected as refused:
        if not refused.says("already exists"):
            raise
        raise Unavailable(
            f"the pull request could not be opened: {refused}",
            remedy="Another run has opened it; the next one looks.",
        ) from None
    assert isinstance(pull, PullRequest)
    return pull


def _edit_pull(pull: PullRequest, title: str | None, incident: Incident) -> list[Effect]:
    """The edit of the pull request: the new title, its label, and the commander as assignee.

    `title` is None when people gave it their own. Only a pull request without the label gets an
    assignee.
    """
    labels = assignees = None
    if title in (None, pull.title) and names.holds(pull.labels, names.POSTMORTEM):
        return []
    if not names.holds(pull.labels, names.POSTMORTEM):
        labels = (*pull.labels, names.POSTMORTEM)
        if incident.commander and not pull.assignees:
            assignees = (incident.commander,)
    change = EditPull(
        pull.number,
        title=title if title != pull.title else None,
        labels=labels,
        assignees=assignees,
    )
    label = [CreateLabel(names.describe(names.POSTMORTEM))] if labels else []
    return [*label, change]
