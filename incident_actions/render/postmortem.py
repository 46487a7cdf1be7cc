"""The texts of a postmortem: its draft, pull request, comments, and the issues of its actions."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from urllib.parse import quote

from jinja2 import TemplateError

from incident_actions.domain.issue.incident import Moment
from incident_actions.domain.issue.observation import marker
from incident_actions.domain.postmortem import link
from incident_actions.domain.postmortem.actions import CATEGORIES, plain
from incident_actions.domain.postmortem.document import Document
from incident_actions.domain.postmortem.draft import Draft
from incident_actions.domain.postmortem.lint import LintFinding, LintLevel, to_do
from incident_actions.domain.postmortem.record import ActionRecord, FiledAction, write_block
from incident_actions.domain.projection.effects import PostComment
from incident_actions.errors import ConfigError
from incident_actions.render import markdown
from incident_actions.render.markdown import inline

TEMPLATE = "postmortem.md.j2"
OVERRIDE = f"templates/{TEMPLATE}"
"""Where a repository can have its own template for the draft."""

_PLAIN_SCALAR = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*$")
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
"""What YAML takes in no text, or as the end of a line, and JSON does."""
_NOT_TEXT = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})


def stamp(at: datetime) -> str:
    """A time as UTC in ISO 8601: `2026-11-23T02:50:00Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def scalar(text: str) -> str:
    """A text as a YAML value, in quotes where YAML would read it as something else."""
    bare = _PLAIN_SCALAR.match(text) and text.casefold() not in _NOT_TEXT
    if bare:
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def _own_markdown(text: str) -> str:
    """Escape text of this program, which may hold code spans: no HTML, no mentions."""
    return text.replace("@", "@\u200b").replace("<", "&lt;")


_ENVIRONMENT = markdown.with_filters(
    stamp=stamp, scalar=scalar, address=quote, markdown=_own_markdown
)


def draft_file(draft: Draft, template: str | None = None) -> str:
    """The text of the draft's file, with a seal that shows later whether somebody edited it.

    `template` is the repository's own template; None means ours. Raises `ConfigError` for one that
    fails, or whose text lacks the marker or the front matter.
    """
    facts = {
        "draft": draft,
        "day": draft.incident.times[Moment.STARTED],
        "categories": CATEGORIES,
        "marker": link.marker(draft.number),
    }
    try:
        given = None if template is None else _ENVIRONMENT.from_string(template)
        text = (given or _ENVIRONMENT.get_template(TEMPLATE)).render(**facts)
    except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError) as error:
        line = getattr(error, "lineno", None)
        where = f"line {line}: " if line else ""
        raise ConfigError(OVERRIDE, [f"{where}{error}"]) from None
    # A mention in a file notifies nobody, so it needs no zero-width space.
    text = text.replace("\u200b", "").strip() + "\n"
    problems = []
    if link.marker(draft.number) not in text:
        problems.append("the marker is lost: keep `{{ marker }}` at the end")
    if (Document(text).front_matter or {}).get("incident") != draft.number:
        problems.append("the front matter is lost: keep it first, with `incident:`")
    if problems:
        raise ConfigError(OVERRIDE, problems)
    return link.seal(re.sub(r"\n{3,}", "\n\n", text))


_LONG = 250
"""Characters of an action's text that fit its title. A longer text is in the body, too."""
_MOST_LISTED = 20


class PostmortemComment(StrEnum):
    """The kinds of comments about a postmortem, as their markers name them."""

    SUMMARY = "postmortem-lint"
    FOLLOWUPS = "followups"
    WITHHELD = "postmortem-withheld"
    REFUSED = "postmortem-refused"

    @property
    def template(self) -> str:
        """The path of this kind's template, such as `postmortem/summary.md.j2`."""
        return f"postmortem/{self.name.lower()}.md.j2"


def _render(template: str, **facts: object) -> str:
    """Render one of our templates, with no more than one blank line at a place."""
    text = _ENVIRONMENT.get_template(template).render(**facts)
    return re.sub(r"\n{3,}", "\n\n", text).strip()


def _comment(kind: PostmortemComment, number: int, key: str = "", **facts: object) -> PostComment:
    """A comment on an issue or pull request. Without a `key` the number is the comment's key."""
    key = key or str(number)
    text = _render(kind.template, **facts)
    return PostComment(number, kind.value, key, f"{text}\n\n{marker(kind, key)}")


def action_body(record: ActionRecord) -> str:
    """The bot's part of the body of an action item's issue."""
    text = plain(record.text)
    shown = _render("postmortem/action.md.j2", record=record, text=text, long=len(text) > _LONG)
    return write_block(record, shown)


def pull_body(
    number: int, resolved: datetime, due: datetime | None, path: str, file_url: str
) -> str:
    """The body of the pull request. `number` is the incident's; `due` is when to merge it."""
    return _render(
        "postmortem/pull.md.j2",
        number=number,
        due=due,
        path=path,
        file_url=file_url,
        times=link.times_marker(resolved, due),
        marker=link.marker(number),
    )


def summary(
    number: int,
    blob: str,
    findings: Sequence[tuple[str, LintFinding]],
    filed: Sequence[FiledAction],
    notes: Sequence[str],
) -> PostComment:
    """The bot's comment on the pull request `number`: findings, action items and notes.

    `blob` is the address of the branch's files on GitHub's pages.
    """
    return _comment(
        PostmortemComment.SUMMARY,
        number,
        things=to_do(findings),
        warnings=[each for each in findings if each[1].level is LintLevel.WARNING],
        most=_MOST_LISTED,
        blob=blob,
        filed=[each for each in filed if each.record.state != "dropped"],
        notes=notes,
    )


def followups(number: int, filed: Sequence[FiledAction], why: str) -> PostComment:
    """A comment that lists the action items that can't be sub-issues of the incident, and why."""
    return _comment(PostmortemComment.FOLLOWUPS, number, filed=filed, why=inline(why))


def withheld(number: int) -> PostComment:
    """A comment that says why a security incident gets no postmortem from the bot."""
    return _comment(PostmortemComment.WITHHELD, number)


def refused(number: int, what: str, branch: str, compare: str) -> PostComment:
    """A comment that says what GitHub did not allow, and what to change.

    `what` is `Postmortem.refused`: `setting`, a permission such as `contents: write`, or what
    GitHub refused (`branch` or `pull`) with its words. `compare` is the address where a person can
    open the pull request from the branch.
    """
    kind, _, said = what.partition(":")
    key = f"{number}.{kind}"
    return _comment(
        PostmortemComment.REFUSED,
        number,
        key,
        what=kind if kind in (link.BRANCH, link.PULL) else what,
        said=said.strip(),
        branch=branch,
        compare=compare,
    )
