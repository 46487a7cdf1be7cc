"""A postmortem's pull request: lint its file, keep its actions and their issues in step.

Everything is looked at anew: which event started the run does not matter. A pull request from a
fork, or an edit by somebody without write access, is linted and nothing more.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Sequence
from datetime import UTC
from functools import partial

from msgspec import Struct

from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.bot_comments import find_bot_comments
from incident_actions.domain.issue.observation import Observation
from incident_actions.domain.issue.records import Comment, Issue
from incident_actions.domain.postmortem import codeowners, link, sync
from incident_actions.domain.postmortem.document import Document
from incident_actions.domain.postmortem.lint import (
    LintFacts,
    LintFinding,
    LintLevel,
    OwnerStanding,
    clean,
    lint,
)
from incident_actions.domain.postmortem.pulls import CheckResult, PullRequest
from incident_actions.domain.postmortem.record import FiledAction
from incident_actions.errors import Forbidden, NotFound, Rejected, Unavailable
from incident_actions.reconcile import filing
from incident_actions.reconcile.context import RunContext
from incident_actions.reconcile.incident import vouch
from incident_actions.render import postmortem as texts

log = logging.getLogger(__name__)

CHECK = "postmortem"
_CHECKS_WRITE = (
    "The check `postmortem` could not be published. "
    "Add `checks: write` to `permissions:` in the workflow that runs `respond`."
)


class Reviewed(Struct, frozen=True):
    """What came of a look at a pull request.

    `findings` go by path; `unpublished` are those that no check shows.
    """

    pull: PullRequest
    incidents: tuple[int, ...] = ()
    findings: tuple[tuple[str, LintFinding], ...] = ()
    unpublished: tuple[tuple[str, LintFinding], ...] = ()
    changed: bool = False


class _Look(Struct, frozen=True):
    """One file, as it is once its actions are issues."""

    path: str
    incident: Issue | None
    findings: tuple[LintFinding, ...]
    filed: tuple[FiledAction, ...] = ()
    notes: tuple[str, ...] = ()
    sha: str = ""
    changed: bool = False


def review(
    context: RunContext, pull: PullRequest, path: str | None = None, *, may_write: bool = True
) -> Reviewed | None:
    """Bring a postmortem's pull request up to date; None when it touches no postmortem.

    `path` is its file, when that is known. Running it again changes nothing.
    """
    folder = context.config.postmortem.path
    listed = (path,) if path else context.github.pull_files(pull.number)
    paths = [each for each in listed if _is_postmortem(each, folder)]
    if not paths or (not pull.open and not pull.merged):
        return None
    writes = may_write and not pull.is_from_fork
    looks = [_look(context, pull, each, writes=writes) for each in paths]
    incidents = tuple(look.incident.number for look in looks if look.incident is not None)
    findings = tuple((look.path, finding) for look in looks for finding in look.findings)
    if pull.merged:
        return Reviewed(pull, incidents, changed=any(look.changed for look in looks))
    if not writes:
        return Reviewed(pull, (), findings, findings)
    sha = next((look.sha for look in looks if look.changed and look.sha), pull.sha)
    published, wrote = _publish(context, pull, sha, findings)
    told = _tell(context, pull, looks, findings, published=published)
    return Reviewed(
        pull,
        incidents,
        findings,
        () if published else findings,
        changed=wrote or told or any(look.changed for look in looks),
    )


def _is_postmortem(path: str, folder: str) -> bool:
    return path.startswith(f"{folder}/") and link.incident_of_path(path) is not None


def _look(context: RunContext, pull: PullRequest, path: str, *, writes: bool) -> _Look:
    """Read one file; where that is allowed, let its actions and their issues follow each other."""
    branch = pull.base if pull.merged else pull.branch
    data = context.github.content(path, branch if pull.merged else pull.sha)
    number = link.incident_of_path(path)
    if data is None or number is None:
        return _Look(path, None, ())
    document = Document.from_bytes(data)
    today = context.now.astimezone(UTC).date()
    incident = _incident(context, number) if writes else None
    if incident is None:
        owners = _owners(context, document, ()) if writes else {}
        findings = lint(document, LintFacts(today, number, owners))
        if writes:
            missing = f"#{number}, which the file's name names, is no incident"
            fix = "Name the file YYYY-MM-DD-ISSUE-slug.md, with the incident's number."
            findings = (LintFinding(1, LintLevel.ERROR, missing, fix), *findings)
        return _Look(path, None, findings)
    bench = filing.Bench(context.github, context.config.bot, context.sleep)
    place = filing.Place(incident, pull.number, branch, path)
    filed = filing.known(bench, incident)
    owners = _owners(context, document, filed)
    filed = filing.file_missing(bench, place, document, filed, owners)
    matched = sync.match(document, filed, number)
    after = sync.written(document, matched)
    sha = ""
    if after.lines != document.lines:
        sha = _write_back(context, pull, place, document, after)
        document = after if sha else document
        matched = sync.match(document, filed, number)
    filed, changed = filing.bring_up_to_date(bench, matched, owners)
    notes = _link_up(context, incident, filed)
    facts = LintFacts(today, number, owners, frozenset(each.issue.number for each in filed))
    findings = lint(document, facts)
    return _Look(path, incident, findings, filed, notes, sha, changed or bool(sha))


def _incident(context: RunContext, number: int) -> Issue | None:
    """The incident, when it is one of the team's."""
    try:
        issue = context.github.issue(number)
    except NotFound:
        return None
    if issue.is_pull_request or not names.holds(issue.labels, names.INCIDENT):
        return None
    if names.holds(issue.labels, names.NEEDS_CONFIRMATION):
        return None
    trust = vouch(context.github, Observation(issue, (), context.config.bot))
    return issue if trust.accepted else None


def _owners(
    context: RunContext, document: Document, filed: Sequence[FiledAction]
) -> dict[str, OwnerStanding]:
    """What GitHub says of the owners. Who is assigned already is not asked for again."""
    assigned = {
        each.record.owner.casefold(): OwnerStanding.FIT
        if each.record.assigned
        else OwnerStanding.UNFIT
        for each in filed
    }
    found: dict[str, OwnerStanding] = {}
    for action in document.actions:
        login = (action.login or "").casefold()
        if not login or login in found:
            continue
        if login in assigned:
            found[login] = assigned[login]
        elif context.github.assignable(login):
            found[login] = OwnerStanding.FIT
        else:
            found[login] = (
                OwnerStanding.UNFIT
                if context.github.account_exists(login)
                else OwnerStanding.UNKNOWN
            )
    return found


def _write_back(
    context: RunContext, pull: PullRequest, place: filing.Place, before: Document, after: Document
) -> str:
    """Commit the file; gives the commit's SHA, or an empty text when that is not allowed.

    The branch moves only if it is where the file was read. Otherwise somebody has pushed, and
    everything is looked at again.
    """
    tip = context.github.branch(place.branch)
    moved = Unavailable(
        f"{place.branch} has moved meanwhile", remedy="The next run looks at it again."
    )
    if tip is None:
        return ""
    if not pull.merged and tip.commit != pull.sha:
        raise moved
    data = after.to_bytes()
    if link.is_untouched(before.text):
        data = link.seal(after.text).encode("utf-8", "surrogateescape")
    message = f"Postmortem of #{place.incident.number}: its action items"
    try:
        sha = context.github.commit(tip, {place.path: data}, message)
        context.github.move_ref(f"refs/heads/{place.branch}", sha)
    except Rejected:
        if pull.merged:
            log.warning("%s is protected: the postmortem there stays as it is", place.branch)
            return ""
        raise moved from None
    except Forbidden as refused:
        log.warning("The file stays as it is: %s. Add `contents: write`.", refused)
        return ""
    return sha


def _link_up(context: RunContext, incident: Issue, filed: Sequence[FiledAction]) -> tuple[str, ...]:
    """Sub-issues where they can be; else a task list in a comment on the incident, kept fresh."""
    unlinked = filing.link_up(context.github, incident.number, filed)
    if unlinked is None:
        return ()
    text = texts.followups(incident.number, unlinked.filed, unlinked.why)
    history = context.github.history(incident.number)
    _keep_comment(context, incident.number, history, texts.FOLLOWUPS, text)
    return (
        f"Some are no sub-issues of #{incident.number}, because {unlinked.why}. "
        "They are listed there in a comment.",
    )


def _publish(
    context: RunContext, pull: PullRequest, sha: str, findings: Sequence[tuple[str, LintFinding]]
) -> tuple[bool, bool]:
    """Publish the check: whether it is there, and whether it had to be written."""
    errors = sum(finding.level is LintLevel.ERROR for _, finding in findings)
    title = "Ready for review" if not errors else f"{errors} to do"
    rows = [f"{path}:{each.line} {each.level} {each.text}" for path, each in findings]
    key = hashlib.sha256("\n".join(rows).encode(errors="replace")).hexdigest()[:16]
    check = CheckResult(
        name=CHECK,
        sha=sha,
        passed=not errors,
        title=title,
        summary="\n".join(f"- `{row.replace('`', chr(39))}`" for row in rows[:50]) or title,
        findings=tuple(findings),
        key=key,
    )
    try:
        if context.github.check_key(CHECK, sha) == key:
            return True, False
        context.github.publish(check)
    except (Forbidden, NotFound) as refused:
        log.warning("%s %s", refused, _CHECKS_WRITE)
        return False, False
    return True, True


def _tell(
    context: RunContext,
    pull: PullRequest,
    looks: Sequence[_Look],
    findings: Sequence[tuple[str, LintFinding]],
    *,
    published: bool,
) -> bool:
    """The one comment, and, once nothing is left to do, ready for review with its reviewers."""
    history = context.github.history(pull.number)
    notes = [note for look in looks for note in look.notes]
    notes += [] if published else [_CHECKS_WRITE]
    text = texts.summary(
        pull.number,
        f"{pull.url.rpartition('/pull/')[0]}/blob/{pull.branch}",
        findings,
        [each for look in looks for each in look.filed],
        notes,
    )
    own = find_bot_comments(_comments(history), [context.config.bot]).by_name
    before = own.get(f"{texts.SUMMARY} {pull.number}")
    same = before is not None and _same(before.body, text)
    if not same and clean(tuple(finding for _, finding in findings)):
        _hand_over(context, pull, looks)
    return _keep_comment(context, pull.number, history, texts.SUMMARY, text)


def _comments(history: Sequence[object]) -> list[Comment]:
    return [each for each in history if isinstance(each, Comment)]


def _same(one: str, other: str) -> bool:
    return one.replace("\r\n", "\n").strip() == other.strip()


def _keep_comment(
    context: RunContext, number: int, history: Sequence[object], kind: str, text: str
) -> bool:
    """Post a comment once, and edit it where it says something else by now.

    Of two runs at the same time each may have posted it: the younger goes.
    """
    comments, bot = _comments(history), context.config.bot
    before = find_bot_comments(comments, [bot]).by_name.get(f"{kind} {number}")
    if before is None:
        return _optional(lambda: context.github.comment(number, text), "A comment")
    again = [
        id
        for id, name in find_bot_comments(comments, [bot]).doubles.items()
        if name.startswith(kind)
    ]
    for comment_id in again:
        context.github.delete_comment(comment_id)
    if _same(before.body, text):
        return bool(again)
    return _optional(lambda: context.github.edit_comment(before.id, text), "A comment")


def _hand_over(context: RunContext, pull: PullRequest, looks: Sequence[_Look]) -> None:
    """Ready for review, and ask those who took part and those who own the folder."""
    if pull.draft:
        _optional(lambda: context.github.make_ready(pull), "Marking it ready for review")
    people = [login.lstrip("@") for login in context.config.postmortem.reviewers]
    for look in looks:
        data = context.github.content(look.path, pull.sha)
        roles = (Document.from_bytes(data or b"").front_matter or {}).get("roles")
        people += [str(name) for name in roles.values()] if isinstance(roles, dict) else []
        people += codeowners.owners_of(look.path, _codeowners(context))
    asked = {name.casefold() for name in (*pull.reviewers, pull.author.login)}
    for login in dict.fromkeys(people):
        if login.casefold() not in asked and context.github.assignable(login):
            asked.add(login.casefold())
            ask = partial(context.github.ask_reviewers, pull.number, [login])
            _optional(ask, f"Asking {login} for a review")


def _codeowners(context: RunContext) -> str:
    for path in codeowners.PLACES:
        text = context.github.file(path)
        if text is not None:
            return text
    return ""


def _optional(act: Callable[[], object], what: str) -> bool:
    """Do something that a postmortem can do without; gives whether it worked."""
    try:
        act()
    except (Forbidden, NotFound, Rejected) as refused:
        log.warning("%s was left out. %s %s", what, refused, refused.remedy)
        return False
    return True
