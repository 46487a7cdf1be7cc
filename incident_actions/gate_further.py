"""What the gate does only while something is open.

It reads the pages after the first one, looks up what may let a frozen deploy pass after all, and
waits for the end of a freeze (`wait-minutes`).
"""

from __future__ import annotations

import binascii
import re
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from incident_actions import gate
from incident_actions.gate_inputs import SourcePull, read_pull
from incident_actions.gate_readers import dig, environments_of, parse_time
from incident_actions.gate_words import age

MOST_PAGES = 100
SCHEDULE_IS_LATE = timedelta(minutes=30)  # without a scheduled run: a note says so
# Codes of failures that last: waiting does not help.
FINAL = {"unauthorized", "forbidden", "not-found", "certificate", "internal"}
STEP = 30.0  # seconds between two questions


def linked(link: str, relation: str) -> dict[str, list[str]]:
    """Read the query parameters of one relation (`next`, `last`) in a Link header.

    Gives an empty dict when the header does not have the relation.

    https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
    """
    match = re.search(rf'<([^<>]*)>[^<>]*;\s*rel="?{relation}(?!\w)', link)
    return parse_qs(urlsplit(match[1]).query) if match else {}


def further_items(client: gate.GateClient, label: str, link: str, size: int) -> list[Any]:
    """Read all pages after the first. `link` and `size` are the first page's Link header and its
    number of items. Raises `GateError`, also when there are more than `MOST_PAGES` pages.
    """
    last_page = linked(link, "last").get("page", ["0"])[0]
    if re.fullmatch(r"\d{1,4}", last_page) and 1 < int(last_page) <= MOST_PAGES:
        pages = ({"page": str(page)} for page in range(2, int(last_page) + 1))
        answers = client.all_of([partial(gate.page_of, client, label, page) for page in pages])
        return [item for items, _ in answers for item in items]
    further: list[Any] = []
    for page in range(2, MOST_PAGES + 1):
        following = linked(link, "next")
        if not following and size < gate.PER_PAGE:
            return further
        # Only the page is taken from the link: its address might lead to another host.
        query = {k: v[0] for k, v in following.items() if k in ("page", "after", "cursor")}
        items, link = gate.page_of(client, label, query or {"page": str(page)})
        further, size = further + items, len(items)
    what = f"More than {gate.PER_PAGE * MOST_PAGES} open incidents."
    raise gate.GateError("unreadable", what, "Close the ones that are over.")


def look_further(
    client: gate.GateClient, request: gate.DeployRequest, verdict: gate.GateVerdict, now: datetime
) -> tuple[tuple[SourcePull, ...], tuple[str, ...] | None, list[str]]:
    """Look up what may let a frozen deploy pass after all.

    Returns the pull requests that the commit came from, the environments that a freeze stops
    (None: all), and remarks for people. A failed request adds at most a remark: the deploy
    stays frozen. The time of the last scheduled run is looked up, too: it may call for a remark.
    https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
    https://docs.github.com/en/rest/repos/contents#get-repository-content
    """
    here, source = f"/repos/{request.repository}", f"/repos/{request.source}"
    paths = {"schedule": f"{here}/actions/runs?event=schedule&per_page=1"}
    if request.environment:
        paths["config"] = f"{here}/contents/{quote(client.settings.config)}"
    if request.intent == "fix" or any(finding.issue.allow for finding in verdict.findings):
        unread = [pull.number for pull in request.pulls if not pull.shas]  # of a merge queue
        if unread:
            paths["pull"] = f"{source}/pulls/{unread[0]}"
        elif request.shas and not request.pulls:
            paths["pull"] = (
                f"{source}/commits/{quote(request.sha or min(request.shas), safe='')}/pulls"
            )
    calls = [lambda path=path: client.get(path)[0] for path in paths.values()]
    answers = dict(zip(paths, client.together(calls)))

    notes: list[str] = []
    if not request.shas and not request.pulls:
        event = f"The event `{request.event}` does not name" if request.event else "Nothing names"
        notes.append(
            f"{event} the commit that is deployed, so no `/allow` and no fix can apply: give the"
            " gate `sha:`."
        )
    pulls, file = answers.get("pull", []), answers.get("config")
    if isinstance(pulls, Exception):
        notes.append(f"The pull request of this commit can't be looked up: {pulls}")
        notes.append("Give the job `permissions: pull-requests: read` and `contents: read`.")
    pulls = pulls if isinstance(pulls, list) else [pulls]  # `read_pull` drops an exception
    environments = None
    try:
        if file is not None and getattr(file, "code", "") != "not-found":
            environments = environments_of(binascii.a2b_base64(file["content"]).decode("utf-8-sig"))
    except (TypeError, KeyError, ValueError):
        note = "`freeze: environments:` can't be read, so every environment counts as frozen."
        notes.append(note)
    last_run = parse_time(dig(answers["schedule"], "workflow_runs", 0, "created_at"))
    if last_run and now - last_run > SCHEDULE_IS_LATE:
        notes.append(
            f"Scheduled workflows last ran {age(last_run, now)} ago: reminders, and freezes that"
            " end by themselves, may be late. Start the incident workflow by hand."
        )
    return tuple(pull for pull in map(read_pull, pulls) if pull), environments, notes


def ask_until_clear(
    settings: gate.GateSettings,
    verdict: gate.GateVerdict,
    ask_again: Callable[[], gate.GateVerdict],
) -> gate.GateVerdict:
    """Ask again until the deploy is not held any more, or `settings.wait` minutes are over.

    `verdict` is the first answer; returns the last one. Prints a line when the freezing issues
    change, or every five minutes.
    """
    end = time.monotonic() + settings.wait * 60
    told_at, told_line = 0.0, ""
    while verdict.holds(settings.on_error) and verdict.code not in FINAL:
        left = end - time.monotonic()
        if left <= 0:
            break
        line = " ".join(f"#{f.issue.number}" for f in verdict.findings) or verdict.code
        if line != told_line or time.monotonic() - told_at > 300:
            told_line, told_at = line, time.monotonic()
            print(f"Waiting up to {left / 60:.0f} min: {verdict.reason}", flush=True)
        time.sleep(min(STEP, left))
        verdict = ask_again()
    return verdict
