"""Looking at an issue as a person does, and telling two looks apart."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ..people import Person

BEGIN, END = "<!-- incident-actions:begin -->", "<!-- incident-actions:end -->"
BOT = "github-actions[bot]"
_REACTIONS = {"+1": "👍", "-1": "👎", "eyes": "👀", "rocket": "🚀", "confused": "😕"}


@dataclass(frozen=True)
class Comment:
    """A comment, with the reactions to it; `at` is when it was posted, in UTC."""

    id: int
    author: str
    at: datetime
    body: str
    reactions: tuple[str, ...]

    @property
    def text(self) -> str:
        """What is shown of it: Markdown without HTML comments."""
        return re.sub(r"<!--.*?-->", "", self.body, flags=re.DOTALL).strip()


@dataclass(frozen=True)
class View:
    """An issue at one moment; `stands` is open or closed."""

    number: int
    stands: str
    labels: frozenset[str]
    assignees: frozenset[str]
    body: str
    comments: tuple[Comment, ...]

    @property
    def dashboard(self) -> str:
        """What the bot keeps at the top of the body; empty before its first run."""
        if not self.body.startswith(BEGIN):
            return ""
        block = self.body.removeprefix(BEGIN).partition(END)[0]
        return re.sub(r"<!--.*?-->", "", block, flags=re.DOTALL).strip()

    @property
    def reported(self) -> str:
        """What the reporter wrote, below the dashboard."""
        if not self.body.startswith(BEGIN):
            return self.body
        return self.body.partition(END)[2].lstrip("\n")

    @property
    def headlines(self) -> tuple[str, ...]:
        """The dashboard's first two lines: how it stands, and what is next."""
        lines = [line.strip("# ") for line in self.dashboard.splitlines() if line.strip()]
        return tuple(line.replace("**", "") for line in lines[:2])

    @property
    def state(self) -> dict[str, Any]:
        """The incident as the bot stored it for its own programs; empty when there is none."""
        found = re.search(r"<!-- incident-actions:state (\{.*\}) -->", self.body)
        state: dict[str, Any] = json.loads(found[1]) if found else {}
        return state

    def labelled(self, *beginnings: str) -> frozenset[str]:
        """The labels that begin like this."""
        return frozenset(label for label in self.labels if label.startswith(beginnings))

    def replies(self, part: str) -> list[str]:
        """What the bot's comments show, of those that hold this part."""
        shown = (comment.text for comment in self.comments if comment.author == BOT)
        return [text for text in shown if part in text]


Seen = dict[int, tuple[tuple[str, int], View]]
"""Views by the issue's number, each with the time of its last change and its number of comments."""


def look(person: Person, seen: Seen) -> dict[int, View]:
    """Every issue that this person sees, by number; pull requests are left out.

    The comments of those that have not changed since the last look, in `seen`, are not asked for.
    """
    issues = person.ask("GET", "/issues?state=all&per_page=100")
    for issue in issues:
        if issue.get("pull_request"):
            continue
        number, mark = issue["number"], (issue["updated_at"], issue["comments"])
        if number not in seen or seen[number][0] != mark:
            seen[number] = mark, _view(person, issue)
    return {number: view for number, (_, view) in seen.items()}


def _view(person: Person, issue: dict[str, Any]) -> View:
    rows = person.ask("GET", f"/issues/{issue['number']}/comments?per_page=100")
    return View(
        number=issue["number"],
        stands=issue["state"],
        labels=frozenset(label["name"] for label in issue["labels"]),
        assignees=frozenset(user["login"] for user in issue["assignees"]),
        body=issue["body"] or "",
        comments=tuple(
            Comment(
                row["id"],
                row["user"]["login"],
                datetime.fromisoformat(row["created_at"]),
                row["body"],
                reactions(row),
            )
            for row in rows
        ),
    )


def reactions(row: dict[str, Any]) -> tuple[str, ...]:
    """The emoji that a comment got."""
    counts: dict[str, Any] = row.get("reactions") or {}
    return tuple(emoji for name, emoji in _REACTIONS.items() if counts.get(name))


def changes(before: View | None, after: View) -> list[str]:
    """What became different between two looks at an issue, in words."""
    before = before or View(after.number, "open", frozenset(), frozenset(), "", ())
    told = []
    gone, new = sorted(before.labels - after.labels), sorted(after.labels - before.labels)
    if gone or new:
        told.append("labels: " + " ".join([f"+{n}" for n in new] + [f"-{n}" for n in gone]))
    if new_people := sorted(after.assignees - before.assignees):
        told.append(f"assigns {', '.join(new_people)}")
    if old_people := sorted(before.assignees - after.assignees):
        told.append(f"unassigns {', '.join(old_people)}")
    if before.stands != after.stands:
        told.append(f"{'reopens' if after.stands == 'open' else 'closes'} #{after.number}")
    if after.headlines != before.headlines:
        news = [line for line in after.headlines if line not in before.headlines]
        told.append("dashboard: " + "\n".join(news))
    elif after.dashboard != before.dashboard:
        told.append("dashboard: updated")
    known = {comment.id: comment for comment in before.comments}
    left = {comment.id for comment in after.comments}
    for comment in after.comments:
        if comment.id not in known:
            told.append(f"replies: {_excerpt(comment)}")
        elif comment.body != known[comment.id].body:
            told.append(f"rewrites its reply: {_excerpt(comment)}")
        elif fresh := set(comment.reactions) - set(known[comment.id].reactions):
            told.append(f"reacts {' '.join(sorted(fresh))} to {comment.author}")
    told += [f"takes back: {_excerpt(one)}" for one in before.comments if one.id not in left]
    return told


@dataclass(frozen=True)
class PullView:
    """A pull request at one moment."""

    title: str
    draft: bool


def look_at_pulls(person: Person) -> dict[int, PullView]:
    """Every pull request that this person sees, by number."""
    found = person.ask("GET", "/pulls?state=all&per_page=100")
    return {pull["number"]: PullView(pull["title"], bool(pull["draft"])) for pull in found}


def pull_changes(before: dict[int, PullView], after: dict[int, PullView]) -> list[str]:
    """Which pull requests were opened or made ready between two looks, in words."""
    told = []
    for number, pull in sorted(after.items()):
        if number not in before:
            told.append(f"opens #{number}{', a draft' if pull.draft else ''}: {pull.title}")
        elif before[number].draft and not pull.draft:
            told.append(f"marks #{number} as ready for review")
    return told


def _excerpt(comment: Comment) -> str:
    """The first paragraph of a comment."""
    return comment.text.split("\n\n")[0]
