"""Reviews the pull request of a postmortem: lints its files, and opens issues for its actions.

Every run reads everything again, whichever event started it. When the pull request comes from a
fork, or was changed by somebody without write access, its files are linted and nothing is written.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Sequence
from datetime import UTC

from msgspec import Struct

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.observation import (
    BotComments,
    Comment,
    Issue,
    Observation,
    TimelineEvent,
    find_bot_comments,
)
from incident_actions.domain.postmortem import codeowners, link, sync
from incident_actions.domain.postmortem.document import Document
from incident_actions.domain.postmortem.lint import (
    LintFacts,
    LintFinding,
    LintLevel,
    OwnerStanding,
    clean,
    lint,
    to_do,
)
from incident_actions.domain.postmortem.pulls import CheckResult, PullRequest
from incident_actions.domain.postmortem.record import FiledAction
from incident_actions.domain.projection.effects import (
    AskReview,
    CommitFiles,
    EditComment,
    Effect,
    MarkReady,
    PostComment,
    PublishCheck,
)
from incident_actions.domain.projection.wanted import keep_comment, through_lock
from incident_actions.errors import Forbidden, NotFound, Rejected, Transferred, Unavailable
from incident_actions.reconcile import filing
from incident_actions.reconcile.apply import apply, apply_one, took_place
from incident_actions.reconcile.context import RunContext
from incident_actions.reconcile.incident import check_author
from incident_actions.render import postmortem as texts

log = logging.getLogger(__name__)

CHECK = "postmortem"
_CHECKS_WRITE = (
    "The check `postmortem` could not be published. "
    "Add `checks: write` to `permissions:` in the workflow that runs `respond`."
)


class Reviewed(Struct, frozen=True):
    """The result of a review.

    `incidents` are the numbers of the incidents whose postmortems the pull request holds.
    `unpublished` are (path, finding) pairs that could not be shown in a check.
    """

    pull: PullRequest
    incidents: tuple[int, ...] = ()
    unpublished: tuple[tuple[str, LintFinding], ...] = ()
    changed: bool = False


class _FileReview(Struct, frozen=True):
    """One postmortem file, after its actions became issues.

    `incident` is its issue, None when that is no incident of the team's. `filed` are its action
    items. `notes` are sentences for the comment. `sha` is that of the commit that wrote issue
    numbers into the file; empty without one.
    """

    path: str
    document: Document
    incident: Issue | None = None
    findings: tuple[LintFinding, ...] = ()
    filed: tuple[FiledAction, ...] = ()
    notes: tuple[str, ...] = ()
    sha: str = ""
    changed: bool = False


def review(
    context: RunContext, pull: PullRequest, path: str | None = None, *, may_write: bool = True
) -> Reviewed | None:
    """Bring a postmortem's pull request up to date; None when it changes no postmortem, or was
    closed without a merge.

    `path` is the file if the caller knows it: that saves a request. With `may_write=False` the
    files are only linted. A second run changes nothing. Raises `Unavailable` when somebody pushes
    meanwhile.
    """
    folder = context.config.postmortem.path
    listed = (path,) if path else context.github.pull_files(pull.number)
    paths = [each for each in listed if _is_postmortem(each, folder)]
    if not paths or (not pull.open and not pull.merged):
        return None
    writes = may_write and not pull.is_from_fork
    files = [_review_file(context, pull, each, writes=writes) for each in paths]
    findings = tuple((file.path, finding) for file in files for finding in file.findings)
    if not writes and not pull.merged:
        return Reviewed(pull, unpublished=findings)
    incidents = tuple(file.incident.number for file in files if file.incident is not None)
    changed = any(file.changed for file in files)
    if pull.merged:
        return Reviewed(pull, incidents, changed=changed)
    sha = next((file.sha for file in files if file.sha), pull.sha)
    published, wrote = _publish(context, _check(sha, findings))
    told = _tell(context, pull, files, findings, published=published)
    unpublished = () if published else findings
    return Reviewed(pull, incidents, unpublished, changed or wrote or told)


def _is_postmortem(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/") and link.incident_of_path(path) is not None


def _review_file(context: RunContext, pull: PullRequest, path: str, *, writes: bool) -> _FileReview:
    """Lint one file. With `writes` also make its actions and their issues agree."""
    data = context.github.content(path, pull.base if pull.merged else pull.sha)
    document = Document.from_bytes(data or b"")
    number = link.incident_of_path(path)
    if data is None or number is None:
        return _FileReview(path, document)
    today = context.now.astimezone(UTC).date()
    incident = _incident(context, number) if writes else None
    if incident is None:
        owners = _owners(context, document, ()) if writes else {}
        findings = lint(document, LintFacts(today, number, owners))
        if writes:
            missing = f"#{number}, which the file's name names, is no incident"
            fix = "Name the file YYYY-MM-DD-ISSUE-slug.md, with the incident's number."
            findings = (LintFinding(1, LintLevel.ERROR, missing, fix), *findings)
        return _FileReview(path, document, findings=findings)
    filed = filing.list_filed(context, incident)
    owners = _owners(context, document, filed)
    filed = filing.file_missing(context, incident, pull.number, document, filed, owners)
    transferred = _transferred(context, document, filed)
    matched = sync.match(document, filed, number)
    numbered = sync.write_numbers(document, matched)
    numbered = sync.tick(numbered, [each for each, gone in transferred.items() if _is_done(gone)])
    sha = ""
    if numbered.lines != document.lines:
        sha = _write_back(context, pull, path, document, numbered)
        document = numbered if sha else document
        matched = sync.match(document, filed, number)
    updates = sync.updates(matched, owners)
    changed = filing.follow_file(context, updates)
    filed = tuple(update.after for update in updates)
    notes = (*_link_up(context, incident, filed), *map(_told, transferred.values()))
    known = frozenset([*(each.issue.number for each in filed), *transferred])
    facts = LintFacts(today, number, owners, known)
    findings = lint(document, facts)
    return _FileReview(path, document, incident, findings, filed, notes, sha, changed or bool(sha))


def _transferred(
    context: RunContext, document: Document, filed: Sequence[FiledAction]
) -> dict[int, Transferred]:
    """The action items in the file that are in another repository now, by their number here.

    Makes one request for each number in the file that is none of the action items here, and one
    more for where it is now.
    """
    here = {each.issue.number for each in filed}
    found: dict[int, Transferred] = {}
    for number in dict.fromkeys(action.number for action in document.actions):
        if number is not None and number not in here:
            try:
                context.github.issue(number)
            except Transferred as gone:
                found[number] = gone
            except NotFound:
                continue
    return found


def _is_done(gone: Transferred) -> bool:
    """Whether a transferred action item is closed, as far as the token may see that."""
    return isinstance(gone.answer, dict) and gone.answer.get("state") == "closed"


def _told(gone: Transferred) -> str:
    """The note that says where a transferred action item is now."""
    if gone.answer is None:
        return (
            f"#{gone.number} was transferred to a repository that the workflow's token may not "
            "see. Its link leads there; tick its box here when it is done."
        )
    state = "closed" if _is_done(gone) else "open"
    return f"#{gone.number} was transferred to {gone.where}, where it is {state}. It is followed."


def _incident(context: RunContext, number: int) -> Issue | None:
    """The issue of an incident of the team's; None when the number is something else."""
    try:
        issue = context.github.issue(number)
    except NotFound:
        return None
    if issue.is_pull_request or not issue.has_label(names.INCIDENT):
        return None
    if issue.has_label(names.NEEDS_CONFIRMATION):
        return None
    author = check_author(context.github, Observation(issue, (), context.config.bot))
    return issue if author.accepted else None


def _owners(
    context: RunContext, document: Document, filed: Sequence[FiledAction]
) -> dict[str, OwnerStanding]:
    """What GitHub knows of each owner of an action, by login in lower case.

    Owners in `filed` were looked up before, and cost no request.
    """
    assigned = {
        each.record.owner.casefold(): OwnerStanding.FIT
        if each.record.assigned
        else OwnerStanding.UNFIT
        for each in filed
    }
    logins = dict.fromkeys(action.login.casefold() for action in document.actions if action.login)
    return {login: assigned.get(login) or _standing(context, login) for login in logins}


def _standing(context: RunContext, login: str) -> OwnerStanding:
    """What GitHub knows of a login. Makes one or two requests."""
    if context.github.assignable(login):
        return OwnerStanding.FIT
    known = context.github.account_exists(login)
    return OwnerStanding.UNFIT if known else OwnerStanding.UNKNOWN


def _write_back(
    context: RunContext, pull: PullRequest, path: str, before: Document, after: Document
) -> str:
    """Commit the changed file; gives the commit's SHA, or an empty text when that is not allowed.

    Commits only on top of the commit from which the file was read. Raises `Unavailable` when
    somebody has pushed since: then everything must be read again.
    """
    branch = pull.base if pull.merged else pull.branch
    tip = context.github.branch(branch)
    if tip is None:
        return ""
    moved = not pull.merged and tip.commit != pull.sha
    if not moved:
        if link.is_untouched(before.text):
            after = Document(link.seal(after.text))
        message = f"Postmortem of #{link.incident_of_path(path)}: its action items"
        commit = CommitFiles(branch, tip, {path: after.to_bytes()}, message)
        try:
            sha = apply_one(context.github, commit).value
        except (Forbidden, Rejected) as refused:
            remedy = "Add `contents: write`." if isinstance(refused, Forbidden) else refused.remedy
            log.warning("The file stays as it is: %s. %s", refused, remedy)
            return ""
        if sha:
            return str(sha)
    if pull.merged:
        log.warning("%s is protected: the postmortem there stays as it is", branch)
        return ""
    raise Unavailable(f"{branch} has moved meanwhile", remedy="The next run looks at it again.")


def _link_up(context: RunContext, incident: Issue, filed: Sequence[FiledAction]) -> tuple[str, ...]:
    """Make the action items sub-issues of the incident; gives notes for the comment.

    Those that can't be sub-issues are listed in a comment on the incident.
    """
    unlinked = filing.link_up(context, incident.number, filed)
    if unlinked is None:
        return ()
    comment = texts.followups(incident.number, unlinked.filed, unlinked.why)
    own = _own(context, context.github.history(incident.number))
    apply(context.github, through_lock(incident, keep_comment(own, comment)))
    return (
        f"Some are no sub-issues of #{incident.number}, because {unlinked.why}. "
        "They are listed there in a comment.",
    )


def _own(context: RunContext, history: Iterable[Comment | TimelineEvent]) -> BotComments:
    """The bot's comments in an issue's history."""
    comments = (each for each in history if isinstance(each, Comment))
    return find_bot_comments(comments, [context.config.bot])


def _check(sha: str, findings: Sequence[tuple[str, LintFinding]]) -> CheckResult:
    """The check for a commit with these findings. It passes without errors.

    Its key is a hash of the findings, so that the same check is not published twice.
    """
    errors = len(to_do(findings))
    title = "Ready for review" if not errors else f"{errors} to do"
    rows = [f"{path}:{each.line} {each.level} {each.text}" for path, each in findings]
    return CheckResult(
        name=CHECK,
        sha=sha,
        passed=not errors,
        title=title,
        summary="\n".join(f"- `{row.replace('`', chr(39))}`" for row in rows[:50]) or title,
        findings=tuple(findings),
        key=hashlib.sha256("\n".join(rows).encode(errors="replace")).hexdigest()[:16],
    )


def _publish(context: RunContext, check: CheckResult) -> tuple[bool, bool]:
    """Publish the check; gives whether GitHub has it now, and whether this run published it."""
    try:
        if context.github.check_key(CHECK, check.sha) == check.key:
            return True, False
    except (Forbidden, NotFound) as refused:
        log.warning("%s %s", refused, _CHECKS_WRITE)
        return False, False
    done = apply_one(context.github, PublishCheck(check)).done
    if not done:
        log.warning(_CHECKS_WRITE)
    return done, done


def _tell(
    context: RunContext,
    pull: PullRequest,
    files: Sequence[_FileReview],
    findings: Sequence[tuple[str, LintFinding]],
    *,
    published: bool,
) -> bool:
    """Post or edit the comment with the findings; gives whether anything was changed.

    When the comment changes and there are no errors left, the draft is made ready for review. When
    it does not change, the draft stays one: somebody may have made it a draft again.
    """
    notes = [note for file in files for note in file.notes]
    notes += [] if published else [_CHECKS_WRITE]
    comment = texts.summary(
        pull.number,
        f"{pull.url.rpartition('/pull/')[0]}/blob/{pull.branch}",
        findings,
        [each for file in files for each in file.filed],
        notes,
    )
    own = _own(context, context.github.history(pull.number))
    effects = keep_comment(own, comment)
    news = any(isinstance(each, PostComment | EditComment) for each in effects)
    if news and clean(finding for _, finding in findings):
        effects = [*_hand_over(context, pull, files), *effects]
    return bool(took_place(apply(context.github, through_lock(pull, effects))))


def _hand_over(
    context: RunContext, pull: PullRequest, files: Sequence[_FileReview]
) -> list[Effect]:
    """Make the draft ready for review. Ask the configured reviewers, the people with a role in the
    incident, and the code owners of the file.
    """
    effects: list[Effect] = [MarkReady(pull)] if pull.draft else []
    people = [login.lstrip("@") for login in context.config.postmortem.reviewers]
    for file in files:
        roles = (file.document.front_matter or {}).get("roles")
        people += [str(name) for name in roles.values()] if isinstance(roles, dict) else []
        people += codeowners.owners_of(file.path, _codeowners(context))
    asked = {name.casefold() for name in (*pull.reviewers, pull.author.login)}
    for login in dict.fromkeys(people):
        if login.casefold() not in asked and context.github.assignable(login):
            asked.add(login.casefold())
            effects.append(AskReview(pull.number, login))
    return effects


def _codeowners(context: RunContext) -> str:
    """The text of the CODEOWNERS file; empty when there is none."""
    candidates = (context.github.file(path) for path in codeowners.PLACES)
    return next((text for text in candidates if text is not None), "")
