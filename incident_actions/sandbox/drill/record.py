"""What a drill leaves: its story, what people saw, the gate's summaries, as Markdown."""

from __future__ import annotations

import base64
import re
from itertools import groupby
from pathlib import Path
from typing import Any

from . import stage
from .narrator import Line, Step
from .play import Deploy, Drill, Response
from .views import reactions

MARK = "<!-- Written by the drill, which replaces it the next time. -->"
_OURS = ("README.md", "issue-*.md", "pull-*.md", "gate-*.md", "seen-*.md", "respond.md")


class NotOursError(Exception):
    """The folder holds a README.md that no drill wrote."""


def prepare(folder: Path) -> None:
    """Make the folder, without an earlier drill's files. Raises NotOursError, OSError."""
    index = folder / "README.md"
    if index.exists():
        if not index.read_text("utf-8", errors="replace").startswith(MARK):
            raise NotOursError(f"{folder} holds a README.md that no drill wrote")
        for pattern in _OURS:
            for path in folder.glob(pattern):
                path.unlink()
    folder.mkdir(parents=True, exist_ok=True)
    index.write_text(f"{MARK}\nThe drill is being played.\n", encoding="utf-8")


def write(folder: Path, drill: Drill, outcome: str) -> None:
    """Write everything; `outcome` is the drill's last line."""
    issues = drill.issues()
    for number in issues:
        _put(folder, f"issue-{number}.md", _issue(drill, number))
    pulls = [pull["number"] for pull in drill.person(stage.ON_CALL).ask("GET", "/pulls?state=all")]
    for number in pulls:
        _put(folder, f"pull-{number}.md", _issue(drill, number) + _files(drill, number))
    for deploy in drill.deploys:
        _put(folder, f"{deploy.name}.md", _gate(deploy))
    for sight in drill.sights:
        _put(folder, f"{sight.name}.md", f"# {sight.title}, {sight.time} UTC\n\n{sight.text}")
    _put(folder, "respond.md", _responses(drill.responses))
    _put(folder, "README.md", _index(drill, list(issues), pulls, outcome))


def _put(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"{MARK}\n{text.rstrip()}\n", encoding="utf-8")


def _index(drill: Drill, issues: list[int], pulls: list[int], outcome: str) -> str:
    links = ", ".join(f"[#{number}](issue-{number}.md)" for number in sorted(issues))
    drafts = ", ".join(f"[#{number}](pull-{number}.md)" for number in sorted(pulls))
    gates = ", ".join(f"[{one.time} {one.verdict}]({one.name}.md)" for one in drill.deploys)
    seen = [f"[{one.title[:1].lower()}{one.title[1:]}]({one.name}.md)" for one in drill.sights]
    stopped = [one for one in drill.deploys if one.verdict == "frozen"]
    seen[:0] = [f"[a deploy that was stopped]({one.name}.md)" for one in stopped[:1]]
    day = f"{drill.clock():%Y-%m-%d}"
    parts = [
        "# The drill",
        f"{outcome}\n\nIt was played in `{stage.REPOSITORY}` on the sandbox."
        f" Times are UTC on the drill's own clock, on {day}.",
        f"- What people saw then: {', '.join(seen) or 'nothing'}\n"
        f"- Issues, as they were in the end: {links}\n- Postmortems: {drafts or 'none'}\n"
        f"- Job summaries of the gate: {gates}\n"
        "- [What each run of the bot did](respond.md)",
        *(_step(step) for step in drill.narrator.story),
    ]
    return "\n\n".join(parts)


def _step(step: Step) -> str:
    lines = [f"## {step.number}. {step.time} {step.title}", ""]
    return "\n".join([*lines, *map(_line, step.lines)])


def _line(line: Line) -> str:
    if line.kind in ("good", "bad"):
        return f"- {'✓' if line.kind == 'good' else '✗'} {_inline(line.text)}"
    link = f" ([summary]({line.link}))" if line.link else ""
    if line.who:
        return f"- **{line.who}** {_inline(line.text)}{link}"
    return f"  - {_inline(line.text, 4)}{link}"


def _inline(text: str, indent: int = 2) -> str:
    """Text in a list item: no HTML; further lines stay in the item, as lines of their own."""
    first, *more = text.replace("<", "&lt;").split("\n")
    lines = (f"{'' if line.startswith('- ') else '<br>'}\n{' ' * indent}{line}" for line in more)
    return first + "".join(lines)


def _gate(deploy: Deploy) -> str:
    run = deploy.run
    log = run.annotation or run.log.strip()
    return (
        f"# {deploy.time} {deploy.who} deploys {deploy.what}\n\n"
        f"`intent: {deploy.intent}`, verdict **{deploy.verdict}**, exit code {run.exit_code}."
        f" The job summary:\n\n---\n\n{run.summary.strip()}\n\n---\n\n"
        f"In the log:\n\n```text\n{log}\n```"
    )


def _responses(responses: list[Response]) -> str:
    parts = ["# What each run of the bot did"]
    for one in responses:
        told = "\n".join(f"- {_inline(change)}" for change in one.changes)
        parts.append(f"## {one.time} {one.event}")
        parts.append(f"{one.cost[:1].upper()}{one.cost[1:]}.")
        if one.run.summary.strip():
            parts.append(f"The job summary:\n\n{one.run.summary.strip()}")
        if told:
            parts.append(f"What changed:\n\n{told}")
        if one.asleep or one.run.exit_code != 0:
            ended = "It sleeps. Its log" if one.asleep else "It failed"
            parts.append(f"{ended}:\n\n```text\n{one.run.log.strip()}\n```")
    return "\n\n".join(parts)


def _issue(drill: Drill, number: int) -> str:
    """An issue as its page shows it: the body, then comments and events in order."""
    person = drill.person(stage.ON_CALL)
    issue = person.issue(number)
    labels = " ".join(f"`{label['name']}`" for label in issue["labels"])
    assigned = ", ".join(user["login"] for user in issue["assignees"])
    merged = (issue.get("pull_request") or {}).get("merged_at")
    stands = "merged" if merged else issue["state"]
    head = [
        f"# {issue['title']} #{number}",
        f"**{stands}** · opened by {issue['user']['login']}, {_when(issue)}",
        f"Labels: {labels or 'none'}" + (f"\\\nAssigned: {assigned}" if assigned else ""),
    ]
    timeline = person.ask("GET", f"/issues/{number}/timeline?per_page=100")
    blocks = ["\n\n".join(head), issue["body"] or ""]
    for is_comment, rows in groupby(timeline, key=lambda row: row["event"] == "commented"):
        told = [_comment(row) if is_comment else _event(row) for row in rows]
        blocks += told if is_comment else filter(None, ["\n".join(filter(None, told))])
    return "\n\n---\n\n".join(blocks)


def _files(drill: Drill, number: int) -> str:
    """The files that a pull request brings, as they are on its branch."""
    person = drill.person(stage.ON_CALL)
    sha = person.ask("GET", f"/pulls/{number}")["head"]["sha"]
    told = []
    for file in person.ask("GET", f"/pulls/{number}/files"):
        found = person.ask("GET", f"/contents/{file['filename']}?ref={sha}")
        text = base64.b64decode(found["content"]).decode()
        told.append(f"`{file['filename']}`\n\n````markdown\n{text.rstrip()}\n````")
    return "\n\n---\n\n" + "\n\n".join(told)


def _comment(row: dict[str, Any]) -> str:
    """A comment; line ends are kept, as GitHub keeps them there."""
    emoji = " ".join(reactions(row))
    head = f"**{row['user']['login']}** · {_when(row)} {emoji}".rstrip()
    return f"{head}\n\n" + re.sub(r"(?<=\S)\n(?=\S)", "  \n", row["body"])


def _event(row: dict[str, Any]) -> str:
    """What somebody did to the issue, as a list item; empty for what needs no telling."""
    what = {
        "labeled": "added the label `{label}`",
        "unlabeled": "took off the label `{label}`",
        "assigned": "assigned {assignee}",
        "unassigned": "unassigned {assignee}",
        "merged": "merged this",
        "closed": "closed this",
        "reopened": "reopened this",
        "renamed": "renamed this",
    }.get(row["event"], "")
    values = {
        "label": (row.get("label") or {}).get("name", ""),
        "assignee": (row.get("assignee") or {}).get("login", ""),
    }
    who = (row.get("actor") or {}).get("login", "")
    return f"- {_when(row)}: {who} {what.format(**values)}" if what else ""


def _when(row: dict[str, Any]) -> str:
    return f"{row['created_at'][11:16]} UTC"
