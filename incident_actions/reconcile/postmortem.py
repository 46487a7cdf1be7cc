"""The postmortem of a resolved incident: its branch, its draft, its pull request.

Everything is found again by looking: the pull request by its reference to the incident, the
branch by what it begins with. So an incident has one postmortem, however often it is reopened or
renamed, and whatever run dies where. What people have written is never replaced: only a file that
is byte for byte a draft of ours.
"""

from __future__ import annotations

import logging
from urllib.parse import quote

from msgspec.structs import replace

from incident_actions.domain.changes.suspects import Change
from incident_actions.domain.issue import labels as names
from incident_actions.domain.issue.forms import FormValues
from incident_actions.domain.issue.incident import EntryKind, Incident, Moment
from incident_actions.domain.issue.records import Issue, TimelineEvent
from incident_actions.domain.postmortem import draft as drafts
from incident_actions.domain.postmortem import link
from incident_actions.domain.postmortem.actions import key_of
from incident_actions.domain.postmortem.document import Document
from incident_actions.domain.postmortem.draft import Draft, DraftAction
from incident_actions.domain.postmortem.link import SETTING, Postmortem
from incident_actions.domain.postmortem.pulls import BranchTip, PullRequest
from incident_actions.domain.projection.effects import EditIssue, PostComment
from incident_actions.errors import ConfigError, Forbidden, NotFound, Rejected, Unavailable
from incident_actions.github.client import GitHub
from incident_actions.reconcile import plan
from incident_actions.reconcile.apply import apply, took_place
from incident_actions.reconcile.context import JobResult, RunContext
from incident_actions.reconcile.incident import Reconciled
from incident_actions.reconcile.plan import Assessment
from incident_actions.reconcile.review import review
from incident_actions.render import postmortem as texts

log = logging.getLogger(__name__)


def keep_postmortem(context: RunContext, reconciled: Reconciled) -> JobResult:
    """Keep the postmortem of an incident that was just brought up to date.

    The incident comes first: by now it is closed and saved, whatever happens here.
    """
    it, state, result = reconciled.assessment, reconciled.state, reconciled.result
    before = state.postmortem
    if before is None and not drafts.wanted(it.incident):
        return result
    number = it.number
    words: list[PostComment] = []
    if it.silent:
        after = before
        words.append(
            PostComment(number, "postmortem-withheld", str(number), texts.withheld(number))
        )
    else:
        after = _Keeper(context, reconciled).keep()
        if after is not None and after.refused:
            words.append(_refused(context, it.observation.issue, after))
    new = [each for each in words if f"{each.kind} {each.key}" not in state.posted]
    done = took_place(apply(context.github, new))
    result = replace(
        result,
        changed=result.changed or bool(done) or after != before,
        pull_request=after.pr if after is not None else None,
    )
    if not done and after == before:
        return result
    posted = {*state.posted, *(f"{e.kind} {e.key}" for e in done if isinstance(e, PostComment))}
    state = replace(plan.with_postmortem(state, after), posted=tuple(sorted(posted)))
    # Somebody may have edited the body meanwhile: their words must survive.
    observation = replace(it.observation, issue=context.github.issue(number))
    change = plan.edit_for(
        replace(it, observation=observation), state, context.config, settle=False
    )
    apply(context.github, [change])
    return result


def _refused(context: RunContext, issue: Issue, now: Postmortem) -> PostComment:
    web = issue.url.rpartition("/issues/")[0]
    compare = f"{web}/compare/{quote(now.branch)}?expand=1"
    key = texts.refused_key(issue.number, now.refused)
    text = texts.refused(issue.number, now.refused, now.branch, compare)
    return PostComment(issue.number, "postmortem-refused", key, text)


def draft_of(it: Assessment) -> Draft:
    """All that is known of an incident. No request."""
    issue, incident, answers = it.observation.issue, it.incident, it.observation.values
    suspects = it.outside.suspects
    return Draft(
        number=issue.number,
        url=issue.url,
        title=issue.title,
        incident=_stable(incident),
        durations=drafts.durations(incident.times),
        summary=answers.get("summary"),
        affected=answers.get("affected"),
        layer=_layer(answers),
        ticked=answers.boxes.get("changes", ()),
        suspects=_likeliest_first(suspects.changes if suspects is not None else ()),
        mitigations=drafts.deeds(incident, EntryKind.MITIGATION),
        updates=drafts.deeds(incident, EntryKind.UPDATE),
        customer_updates=drafts.deeds(incident, EntryKind.CUSTOMER_UPDATE),
        overrides=drafts.deeds(incident, EntryKind.OVERRIDE),
        actions=drafts.lines(incident.actions),
        web=issue.url.rpartition("/issues/")[0],
    )


def _stable(incident: Incident) -> Incident:
    """The incident without what the draft does not tell and time alone can change."""
    return replace(incident, snoozed_until=None, next_update=None, assigned=())


def _layer(answers: FormValues) -> str:
    layer = answers.get("layer")
    return "" if layer.casefold() == "unknown" else layer


def _likeliest_first(changes: tuple[Change, ...]) -> tuple[Change, ...]:
    return tuple(sorted(changes, key=lambda change: not change.likeliest))


class _Keeper:
    """Brings one postmortem where it should be."""

    def __init__(self, context: RunContext, reconciled: Reconciled) -> None:
        it = reconciled.assessment
        self._context = context
        self._github: GitHub = context.github
        self._issue = it.observation.issue
        self._incident = it.incident
        self._before = reconciled.state.postmortem
        self._seen = link.opened_pull(it.observation)
        self._draft = draft_of(it)
        self._facts = drafts.digest(self._draft)

    def keep(self) -> Postmortem | None:
        """Where the postmortem is once everything has been done that can be."""
        known = self._known()
        if known is not None and (known.merged or known.facts == self._facts):
            return known
        if not drafts.wanted(self._incident):
            return known
        branch, path = self._place(known)
        now = Postmortem(branch, path, known.pr if known else None, facts=self._facts)
        try:
            there = self._write(now)
        except Forbidden as refused:
            log.warning("No postmortem: %s", refused)
            return replace(now, refused="contents: write")
        if not there:
            return now
        return self._open(now)

    def _known(self) -> Postmortem | None:
        """What is remembered, and what GitHub's own references say."""
        seen = self._seen
        if seen is None:
            return self._before
        number = int(seen.subject)
        if self._before is not None and self._before.pr in (None, number):
            same = replace(self._before, pr=number, merged=seen.merged_at is not None)
            return replace(same, refused="") if same.refused == SETTING else same
        if self._before is not None:
            return self._before
        return self._found(number, seen)

    def _found(self, number: int, seen: TimelineEvent) -> Postmortem | None:
        """The postmortem of a pull request that nobody remembers."""
        try:
            pull = self._github.pull(number)
        except NotFound:
            return None
        paths = self._github.pull_files(number)
        path = next((p for p in paths if link.incident_of_path(p) == self._issue.number), "")
        merged = seen.merged_at is not None
        return Postmortem(pull.branch, path, number, merged=merged) if path else None

    def _place(self, known: Postmortem | None) -> tuple[str, str]:
        """The branch and the file: those that there are, else those of today's title."""
        number, title = self._issue.number, self._issue.title
        day = self._incident.times[Moment.STARTED]
        path = link.file_path(self._context.config.postmortem.path, number, title, day)
        if known is not None:
            return known.branch, known.path
        there = self._github.branches(link.branch_prefix(number))
        branch = link.branch_name(number, title)
        if not there:
            return branch, path
        branch = branch if branch in there else there[0]
        base = self._github.default_branch()
        for found in self._github.changed_files(quote(base), quote(branch)) or ():
            if link.incident_of_path(found) == number:
                return branch, found
        return branch, path

    def _write(self, now: Postmortem) -> bool:
        """Write the draft where nobody has written; gives whether there is a branch."""
        tip = self._github.branch(now.branch)
        if tip is None:
            if now.pr is not None:
                return False  # somebody closed it and deleted its branch: that is decided
            base = self._github.branch(self._github.default_branch())
            if base is None:
                log.warning("No postmortem: the repository has no commit yet")
                return False
            self._start(now, base)
            return True
        data = self._github.content(now.path, now.branch)
        if data is not None:
            self._refresh(now, tip, data)
        elif now.pr is None:
            self._commit(now, tip, self._text())
        return True

    def _start(self, now: Postmortem, base: BranchTip) -> None:
        data = self._text().encode()
        sha = self._github.commit(base, {now.path: data}, self._message("a draft"))
        try:
            self._github.create_ref(f"refs/heads/{now.branch}", sha)
        except Rejected as refused:
            raise Unavailable(
                f"the branch {now.branch} could not be made: {refused}",
                remedy="Another run may have made it; the next one looks.",
            ) from None

    def _refresh(self, now: Postmortem, tip: BranchTip, data: bytes) -> None:
        old = data.decode("utf-8", "surrogateescape")
        if not link.is_untouched(old):
            return
        filed = {
            key_of(action.text): DraftAction(
                action.text, action.category, action.owner.removeprefix("@"), action.due,
                action.number, done=action.done,
            )
            for action in Document(old).actions
            if action.number is not None
        }  # fmt: skip
        text = self._text(filed)
        if text != old:
            self._commit(now, tip, text)

    def _commit(self, now: Postmortem, tip: BranchTip, text: str) -> None:
        sha = self._github.commit(
            tip, {now.path: text.encode()}, self._message("what is known now")
        )
        try:
            self._github.move_ref(f"refs/heads/{now.branch}", sha)
        except Rejected:
            raise Unavailable(
                f"{now.branch} has moved meanwhile", remedy="The next run looks at it again."
            ) from None

    def _message(self, what: str) -> str:
        return f"Postmortem of #{self._issue.number}: {what}"

    def _text(self, filed: dict[str, DraftAction] | None = None) -> str:
        draft = self._draft
        if filed:
            draft = replace(draft, actions=drafts.lines(self._incident.actions, filed))
        template = self._github.file(texts.OVERRIDE)
        try:
            return texts.draft_file(draft, template)
        except ConfigError as problem:
            log.error("%s Our own template is used. %s", problem, problem.remedy)
            return texts.draft_file(draft)

    def _open(self, now: Postmortem) -> Postmortem:
        """The pull request, labelled and assigned; then it is looked at like any push to it."""
        number = self._issue.number
        title = f"Postmortem of #{number}: {self._issue.title}"[:256]
        if now.pr is not None:
            pull = self._github.pull(now.pr)
        else:
            found = self._github.pulls_of(now.branch)
            opened = found[0] if found else self._open_new(now, title)
            if not isinstance(opened, PullRequest):
                return replace(now, refused=opened)
            pull = opened
        now = replace(now, pr=pull.number, merged=pull.merged)
        if not pull.open:
            return now
        if pull.title != title and pull.title.startswith(f"Postmortem of #{number}: "):
            self._github.rename_pull(pull.number, title)
        self._mark(pull)
        if review(self._context, self._github.pull(pull.number), now.path) is None:
            log.warning("#%s does not hold %s", pull.number, now.path)
        return now

    def _open_new(self, now: Postmortem, title: str) -> PullRequest | str:
        """A new pull request, or what was refused."""
        number = self._issue.number
        web = self._issue.url.rpartition("/issues/")[0]
        body = texts.pull_body(
            number,
            self._incident.times[Moment.RESOLVED],
            self._context.config.postmortem.due_at(self._incident),
            now.path,
            f"{web}/blob/{quote(now.branch)}/{quote(now.path)}",
        )
        base = self._github.default_branch()
        try:
            return self._github.open_pull(title, now.branch, base, body)
        except Forbidden as refused:
            log.warning("The pull request was not opened: %s", refused)
            permitted = "not permitted to create" in str(refused)
            return SETTING if permitted else "pull-requests: write"
        except Rejected as refused:
            raise Unavailable(
                f"the pull request could not be opened: {refused}",
                remedy="Another run may have opened it; the next one looks.",
            ) from None

    def _mark(self, pull: PullRequest) -> None:
        """Label it, and assign the commander."""
        commander = self._incident.commander
        lacks_label = not names.holds(pull.labels, names.POSTMORTEM)
        people = tuple(pull.assignees)
        if lacks_label and commander and commander not in people and len(people) == 0:
            people = (commander,)
        if not lacks_label:
            return
        change = EditIssue(pull.number, labels=(*pull.labels, names.POSTMORTEM), assignees=people)
        try:
            self._github.create_label(names.describe(names.POSTMORTEM))
            self._github.edit(change)
        except (Forbidden, NotFound, Rejected) as refused:
            log.warning("#%s was not labelled: %s", pull.number, refused)
