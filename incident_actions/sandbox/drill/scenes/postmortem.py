"""What is learnt from it: the draft, the lint, the action items, the review."""

from __future__ import annotations

import base64
import re
from typing import Any

from .. import stage
from ..play import Drill, StoppedError, scene

FOLLOW_UP = f"[missing-alert] Alert on failed sign-ins above 5% / @{stage.SUPPORT} / 2026-12-07"
WRITTEN = {
    "Summary": "Release 42 kept sessions in memory, so a sign-in held on one server of three only.",
    "Customer impact": "Two thirds of all sign-ins failed for 24 minutes. No data was lost.",
    "Root cause": "Nothing compares where sessions are kept before and after a release.",
    "Trigger": "The deploy of release 42.",
    "Detection gap": "Support noticed after ten minutes; no alert watches failed sign-ins.",
    "What worked": "The rollback took two minutes, and the freeze kept release 43 back.",
    "What failed": "The tests sign in once, on a single server.",
}
ADDED = f"- [ ] [other] Keep sessions on disk by default / @{stage.DEVELOPER} / 2026-12-14"


@scene("16:30", "The postmortem has begun to write itself")
def draft(drill: Drill) -> None:
    """Resolving opened a draft; a follow-up that is noted now is in it, and is an issue."""
    pull = _pull(drill)
    drill.expect("a draft pull request is open", pull["draft"], True)
    drill.expect("labelled", [label["name"] for label in pull["labels"]], ["postmortem"])
    drill.comments(stage.ON_CALL, f"/cause session-store\n/action {FOLLOW_UP}")
    drill.respond()
    drill.expect("the follow-up is an issue under the incident", len(_linked(drill)), 1)
    drill.expect_in("its number is in the file", _file(drill), "- [ ] #", "Alert on failed")
    drill.expect("the check says what is left", _check(drill), "failure")


@scene("16:40", "People write what only they know")
def written(drill: Drill) -> None:
    """Each push is linted; one more action becomes an issue."""
    text = _file(drill)
    for title, words in WRITTEN.items():
        text = re.sub(rf"(?ms)(^## {title}$.*?^)> ✍️[^\n]*$", rf"\g<1>{words}", text, count=1)
    text = text.replace("- [ ] #", f"{ADDED}\n- [ ] #", 1)
    branch = _pull(drill)["head"]["ref"]
    developer = drill.does(stage.DEVELOPER, f"writes the postmortem, and pushes it to {branch}")
    developer.push({_path(drill): text}, "Write the postmortem", branch=branch)
    drill.respond()
    drill.expect("the check passes", _check(drill), "success")
    drill.expect("it is ready for review", _pull(drill)["draft"], False)
    drill.expect("two action items are under the incident", len(_linked(drill)), 2)


@scene("16:50", "Merged means reviewed")
def merged(drill: Drill) -> None:
    """The incident shows its postmortem, and what comes of it."""
    number = _pull(drill)["number"]
    drill.does(stage.ON_CALL, f"merges the postmortem, #{number}").merge(number)
    drill.respond()
    issue = drill.issue()
    drill.expect_in("the dashboard says so", issue.dashboard, f"#{number}, reviewed")
    drill.expect("the label, too", issue.labelled("postmortem:"), {"postmortem:reviewed"})
    for item in _linked(drill):
        owner = ", ".join(user["login"] for user in item["assignees"])
        told = f"#{item['number']} {item['title']}, assigned to {owner}"
        drill.narrator.tell("bot", "", told, f"issue-{item['number']}.md")


def _pull(drill: Drill) -> Any:
    """The postmortem's pull request; StoppedError when there is none."""
    for pull in drill.person(stage.ON_CALL).ask("GET", "/pulls?state=all"):
        if pull["head"]["ref"].startswith(f"postmortem/{drill.incident}-"):
            return pull
    raise StoppedError("there is no pull request of the postmortem")


def _linked(drill: Drill) -> Any:
    """The incident's sub-issues."""
    return drill.person(stage.ON_CALL).ask("GET", f"/issues/{drill.incident}/sub_issues")


def _path(drill: Drill) -> str:
    """The file that the pull request adds."""
    number = _pull(drill)["number"]
    (changed,) = drill.person(stage.ON_CALL).ask("GET", f"/pulls/{number}/files")
    return str(changed["filename"])


def _file(drill: Drill) -> str:
    """The postmortem as it is on its branch."""
    branch = _pull(drill)["head"]["ref"]
    found = drill.person(stage.ON_CALL).ask("GET", f"/contents/{_path(drill)}?ref={branch}")
    return base64.b64decode(found["content"]).decode()


def _check(drill: Drill) -> str:
    """How the check `postmortem` of the newest commit came out."""
    sha = _pull(drill)["head"]["sha"]
    found = drill.person(stage.ON_CALL).ask("GET", f"/commits/{sha}/check-runs")
    return next((str(run["conclusion"]) for run in found["check_runs"]), "none")
