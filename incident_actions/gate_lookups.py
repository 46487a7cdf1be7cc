"""What is asked of GitHub beyond the first two requests, when an issue is open.

The pages after the first one; what may excuse a frozen deploy, such as the pull request of the
commit; and everything again, for as long as `wait-minutes` says.
"""

from __future__ import annotations

import binascii
import re
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from incident_actions import gate
from incident_actions import gate_words as words
from incident_actions.gate import (
    Code,
    DeployRequest,
    GateClient,
    GateError,
    GateVerdict,
    SourcePull,
)
from incident_actions.gate_decision import decide, read_issues
from incident_actions.gate_inputs import read_pull
from incident_actions.gate_readers import parse_time

MOST_PAGES = 100
SCHEDULE_IS_LATE = timedelta(minutes=30)
FINAL = frozenset(  # waiting is idle
    {Code.UNAUTHORIZED, Code.FORBIDDEN, Code.NOT_FOUND, Code.CERTIFICATE, Code.INTERNAL}
)


def weigh(
    client: GateClient, request: DeployRequest, items: Iterable[object], now: datetime
) -> GateVerdict:
    """Decide about the open issues; when they freeze, again with what may excuse this deploy."""
    issues = read_issues(items)
    verdict = decide(request, issues, now)
    if verdict.verdict == "frozen":
        verdict = decide(request, issues, now, *look_further(client, request, verdict, now))
    return verdict


def linked(link: str, relation: str) -> dict[str, list[str]]:
    """Read the query of one relation in a Link header; empty when there is none.

    https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
    """
    found = re.search(rf'<([^<>]*)>[^<>]*;\s*rel="?{relation}(?!\w)', link)
    return parse_qs(urlsplit(found[1]).query) if found else {}


def further_items(client: GateClient, label: str, link: str, size: int) -> list[Any]:
    """Read the pages after the first one, which came with this Link header and so many items."""
    last = linked(link, "last").get("page", ["0"])[0]
    if re.fullmatch(r"\d{1,4}", last) and 1 < int(last) <= MOST_PAGES:
        pages = ({"page": str(page)} for page in range(2, int(last) + 1))
        answers = client.all_of([partial(gate.page_of, client, label, page) for page in pages])
        return [item for items, _ in answers for item in items]
    found: list[Any] = []
    for page in range(2, MOST_PAGES + 1):
        following = linked(link, "next")
        if not following and size < gate.PER_PAGE:
            return found
        # Only how to page on is taken from the link: the address stays ours.
        query = {k: v[0] for k, v in following.items() if k in ("page", "after", "cursor")}
        items, link = gate.page_of(client, label, query or {"page": str(page)})
        found, size = found + items, len(items)
    what = f"More than {gate.PER_PAGE * MOST_PAGES} open incidents."
    raise GateError(Code.UNREADABLE, what, "Close the ones that are over.")


def look_further(
    client: GateClient, request: DeployRequest, verdict: GateVerdict, now: datetime
) -> tuple[tuple[SourcePull, ...], tuple[str, ...] | None, list[str]]:
    """Look up what may excuse a frozen deploy. What fails here leaves it frozen, and is said.

    Returns the pull requests of the commit, the environments that freeze, and remarks.
    """
    here, source = f"/repos/{request.repository}", f"/repos/{request.source}"
    paths = {"schedule": f"{here}/actions/runs?event=schedule&per_page=1"}
    if request.environment:
        paths["config"] = f"{here}/contents/{quote(client.settings.config)}"
    if request.intent == "fix" or any(finding.issue.allow for finding in verdict.findings):
        queued = [pull.number for pull in request.pulls if not pull.shas]
        if queued:
            paths["pull"] = f"{source}/pulls/{queued[0]}"
        elif request.shas and not request.pulls:
            paths["pull"] = f"{source}/commits/{quote(min(request.shas), safe='')}/pulls"
    calls = [lambda path=path: client.get(path)[0] for path in paths.values()]
    answers = dict(zip(paths, client.together(calls)))

    notes, pulls = [], answers.get("pull", [])
    if isinstance(pulls, dict):
        pulls = [pulls]
    if not isinstance(pulls, list):
        what = getattr(pulls, "what", "GitHub gave no list.")
        notes.append(f"The pull request of this commit can't be looked up: {what}")
        notes.append("Give the job `permissions: pull-requests: read` and `contents: read`.")
        pulls = []
    environments, note = freezing_environments(answers.get("config"))
    notes += [note] if note else []
    last = last_schedule(answers["schedule"])
    if last and now - last > SCHEDULE_IS_LATE:
        notes.append(
            f"Scheduled workflows last ran {words.age(last, now)} ago: reminders, and freezes that"
            " end by themselves, may be late. Start the incident workflow by hand."
        )
    return tuple(pull for pull in map(read_pull, pulls) if pull), environments, notes


def last_schedule(answer: object) -> datetime | None:
    """Read when a scheduled workflow last ran, or None; a failure is silent.

    https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
    """
    runs = answer.get("workflow_runs") if isinstance(answer, dict) else None
    run = runs[0] if isinstance(runs, list) and runs else None
    return parse_time(run.get("created_at")) if isinstance(run, dict) else None


def freezing_environments(answer: Any) -> tuple[tuple[str, ...] | None, str]:
    """Read `freeze: environments:` from the configuration; None: every environment freezes.

    Takes GitHub's answer for the file, or a GateError. Returns the list, and a note if the file
    can't be read. https://docs.github.com/en/rest/repos/contents#get-repository-content
    """
    if answer is None or (isinstance(answer, GateError) and answer.code == Code.NOT_FOUND):
        return None, ""
    try:
        text = binascii.a2b_base64(answer["content"]).decode("utf-8-sig")
        return environments_of(text), ""
    except (TypeError, KeyError, ValueError):
        note = "`freeze: environments:` can't be read, so every environment counts as frozen."
        return None, note


def environments_of(text: str) -> tuple[str, ...] | None:
    """Read the one list that the gate needs out of YAML; None when there is none, or an empty one.

    Raises ValueError when it is not written plainly, as `[a, b]` or one `- a` on each line.
    """
    text = re.sub(r"(?m)(?:^|[ \t])#.*$", "", text.replace("\r\n", "\n"))
    freeze = re.search(r"(?m)^freeze:[ \t]*(.*)\n?((?:[ \t].*\n?|\n)*)", text)
    if not freeze or not re.search(r"\benvironments\b", freeze[0]):
        return None
    within = freeze[1] + freeze[2]
    key = r"\A\{(?:(?:[^{}\[\]'\"]|\[[^\]{}'\"]*\])*,)?\s*"
    if not freeze[1].strip():  # one key a line: those below have its own indentation
        first = re.search(r"(?m)^([ \t]+)\S", freeze[2])
        key = rf"(?m)^{first[1] if first else ''}"
        within = freeze[2]
        if not re.search(rf"{key}environments\b", within):
            return None
    listing = r"environments:[ \t]*(\[[^\]]*\]|(?:\n[ \t]*(?:- .*)?)+)"
    found = re.search(key + listing, within)
    items = (
        [item.strip(" \t-'\"") for item in re.split(r"[,\n]", found[1].strip("[]"))]
        if found
        else []
    )
    kept = tuple(item.casefold() for item in items if item)
    if not found or not all(re.fullmatch(r"[\w./ -]+", item) for item in kept):
        raise ValueError("not a plain list")
    return kept or None


def wait_until_clear(
    settings: gate.GateSettings, verdict: GateVerdict, ask: Callable[[], GateVerdict]
) -> GateVerdict:
    """Ask again until deploys are not frozen or `wait-minutes` are over.

    Takes the first verdict, returns the last one. Changes are told, not each poll.
    """
    end = time.monotonic() + settings.wait * 60
    told_at, told_line = 0.0, ""
    while True:
        left = end - time.monotonic()
        passing = verdict.verdict == "error" and settings.on_error == "allow"
        final = verdict.verdict not in ("frozen", "error") or verdict.code in FINAL
        if final or passing or left <= 0:
            return verdict
        line = " ".join(f"#{f.issue.number}" for f in verdict.findings) or verdict.code
        if line != told_line or time.monotonic() - told_at > 300:
            told_line, told_at = line, time.monotonic()
            print(f"Waiting up to {left / 60:.0f} min: {verdict.reason}", flush=True)
        time.sleep(min(30.0, left))
        verdict = ask()
