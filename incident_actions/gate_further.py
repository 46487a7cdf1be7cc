"""What the gate does only while something is open.

It reads lists of several pages, looks up what may let a frozen deploy pass after all, and
waits for the end of a freeze (`wait-minutes`).
"""

from __future__ import annotations

import binascii
import re
import sys
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from incident_actions import gate
from incident_actions.gate_decision import LookedUp, wants_proof
from incident_actions.gate_inputs import read_pull
from incident_actions.gate_readers import bot_of, dig, environments_of, parse_time
from incident_actions.gate_trust import look_up_trust
from incident_actions.gate_words import age, stamp

MOST_PAGES = 100
SCHEDULE_IS_LATE = timedelta(minutes=30)  # without a scheduled run: a note says so
# Codes of failures that last: waiting does not help.
FINAL = {"unauthorized", "forbidden", "not-found", "certificate", "internal"}
STEP = 30.0  # seconds between two questions
# Each request that counts is paid for by this many seconds of waiting; the first few are free.
PAUSE_FOR_EACH, FREE = 150.0, 10
MISSING_FOR = 600.0  # seconds: how long what was not there is not asked for again
MOST_READINGS = 5  # of a list with several pages
OUR_BOT = "github-actions[bot]"  # unless the configuration says `bot:`


def linked(link: str, relation: str) -> dict[str, list[str]]:
    """Read the query parameters of one relation (`next`, `last`) in a Link header.

    Gives an empty dict when the header does not have the relation.

    https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api
    """
    match = re.search(rf'<([^<>]*)>[^<>]*;\s*rel="?{relation}(?!\w)', link)
    return parse_qs(urlsplit(match[1]).query) if match else {}


def all_items(client: gate.GateClient, label: str) -> list[Any]:
    """Read all open issues with a label, when they do not fit on one page. Raises `GateError`.

    Anybody may open and close reports between two requests, and so move an incident to a page that
    was read already. So no page number is used: the list is ordered by the time of the last
    change, and each request asks for what changed since the last item of the one before. An issue
    that changes moves to the end, where it is read again; none can move to what was read.

    https://docs.github.com/en/rest/issues/issues#list-repository-issues
    """
    items: list[Any] = []
    since: dict[str, str] = {}
    last: datetime | None = None
    for _ in range(MOST_PAGES):
        page, link = gate.page_of(client, label, {"sort": "updated", "direction": "asc", **since})
        times = [parse_time(dig(item, "updated_at")) for item in page]
        known = [at for at in times if at]
        if len(known) < len(page) or known != sorted(known):
            return all_pages(client, label)  # this server does not sort
        items += page
        if len(page) < gate.PER_PAGE and not linked(link, "next"):  # a page may be a short one
            return items
        newest = known[-1] - timedelta(seconds=1)  # others may have changed in the same second
        if last and newest <= last:
            return all_pages(client, label)  # all of a page changed at once
        since, last = {"since": stamp(newest)}, newest
    raise too_many()


def all_pages(client: gate.GateClient, label: str) -> list[Any]:
    """Read all open issues with a label page by page, until two readings name the same issues.

    Raises `GateError`, also when they never do.
    """
    before: set[Any] | None = None
    for _ in range(MOST_READINGS):
        items = pages_once(client, label)
        named = {dig(item, "number") for item in items}
        if named == before:
            return items
        before = named
    what = "The list of open issues changes while it is read."
    raise gate.GateError("unreadable", what, "Run this again.")


def pages_once(client: gate.GateClient, label: str) -> list[Any]:
    """Read all pages. Raises `GateError`, also when there are more than `MOST_PAGES` pages."""
    items, link = gate.page_of(client, label, {})
    size = len(items)
    last_page = linked(link, "last").get("page", ["0"])[0]
    if re.fullmatch(r"\d{1,4}", last_page) and 1 < int(last_page) <= MOST_PAGES:
        pages = ({"page": str(page)} for page in range(2, int(last_page) + 1))
        answers = client.all_of([partial(gate.page_of, client, label, page) for page in pages])
        return items + [item for further, _ in answers for item in further]
    for page in range(2, MOST_PAGES + 1):
        following = linked(link, "next")
        if not following and size < gate.PER_PAGE:
            return items
        # Only the page is taken from the link: its address might lead to another host.
        query = {k: v[0] for k, v in following.items() if k in ("page", "after", "cursor")}
        further, link = gate.page_of(client, label, query or {"page": str(page)})
        items, size = items + further, len(further)
    raise too_many()


def too_many() -> gate.GateError:
    """The failure when there are more open issues than the gate reads."""
    what = f"More than {gate.PER_PAGE * MOST_PAGES} open incidents."
    return gate.GateError("unreadable", what, "Close the ones that are over.")


def look_further(
    client: gate.GateClient, request: gate.DeployRequest, verdict: gate.GateVerdict, now: datetime
) -> LookedUp:
    """Look up what may let a frozen deploy pass after all.

    These are the pull requests that the commit came from, the environments that a freeze stops,
    and who stands behind labels and texts. A failed request adds at most a note: the deploy stays
    frozen. The time of the last scheduled run is looked up, too: it may call for a note.
    https://docs.github.com/en/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
    https://docs.github.com/en/rest/repos/contents#get-repository-content
    """
    here, source = f"/repos/{request.repository}", f"/repos/{request.source}"
    issues = [finding.issue for finding in verdict.findings]
    paths = {"schedule": f"{here}/actions/runs?event=schedule&per_page=1"}
    if request.environment or any(wants_proof(request, issue, now) for issue in issues):
        paths["config"] = f"{here}/contents/{quote(client.settings.config)}"
    if request.intent == "fix" or any(issue.allow for issue in issues):
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
    if not request.actor and any(issue.deployers for issue in issues):
        notes.append("Nobody started this run by hand, so nobody deploys by name. Re-run this job.")
    pulls, file = answers.get("pull", []), answers.get("config")
    if isinstance(pulls, Exception):
        notes.append(f"The pull request of this commit can't be looked up: {pulls}")
        notes.append("Give the job `permissions: pull-requests: read` and `contents: read`.")
    listed = pulls if isinstance(pulls, list) else [pulls]  # `read_pull` drops an exception
    found_pulls = tuple(pull for pull in map(read_pull, listed) if pull)
    environments, bot = None, OUR_BOT
    try:
        if file is not None and getattr(file, "code", "") != "not-found":
            text = binascii.a2b_base64(file["content"]).decode("utf-8-sig")
            bot = bot_of(text) or OUR_BOT
            environments = environments_of(text) if request.environment else None
    except (TypeError, KeyError, ValueError):
        if request.environment:
            note = "`freeze: environments:` can't be read, so every environment counts as frozen."
            notes.append(note)
    last_run = parse_time(dig(answers["schedule"], "workflow_runs", 0, "created_at"))
    if last_run and now - last_run > SCHEDULE_IS_LATE:
        notes.append(
            f"Scheduled workflows last ran {age(last_run, now)} ago: reminders may be late."
            " Start the incident workflow by hand."
        )
    fixing = (*request.pulls, *found_pulls) if request.intent == "fix" else ()
    authors = [pull.author for pull in fixing if pull.text]
    found = look_up_trust(client, issues, request, authors, bot, now)
    found.pulls, found.environments = found_pulls, environments
    found.notes = [*notes, *found.notes]
    return found


class WaitingClient(gate.GateClient):
    """Asks the same questions again, at little cost.

    An answer in `memory` is asked for by its ETag, and stands when GitHub answers 304. That is
    free, and not `counted`. What was not there is asked for again later.

    https://docs.github.com/en/rest/using-the-rest-api/best-practices-for-using-the-rest-api
    """

    def __init__(self, first: gate.GateClient) -> None:
        super().__init__(first.settings, first.repository)
        self.memory = first.memory

    def exchange(
        self, url: str, headers: Mapping[str, str], timeout: float, given: bytes | None
    ) -> tuple[int, Any, bytes]:
        """As in `GateClient`, with the answer in `memory` when it still stands."""
        known: tuple[int, Any, bytes] | None = None if given else self.memory.get(url)
        missing_at = ("missing", url)
        if known and known[0] == 404 and time.monotonic() < self.memory.get(missing_at, 0.0):
            return known
        tag = known[1].get("etag") if known else None
        answer = super().exchange(
            url, {**headers, "If-None-Match": tag} if tag else headers, timeout, given
        )
        if known and tag and answer[0] == 304:
            self.counted -= 1
            return known
        if answer[0] == 404:
            self.memory[missing_at] = time.monotonic() + MISSING_FOR
        return answer


def ask_until_clear(
    client: gate.GateClient,
    request: gate.DeployRequest,
    verdict: gate.GateVerdict,
    clock: Callable[[], datetime],
) -> gate.GateVerdict:
    """Ask again until the deploy is not held any more, or `settings.wait` minutes are over.

    `verdict` is the first answer, by `client`; returns the last one. Prints a line when the
    freezing issues change, or every five minutes. Many answers that changed are followed by a
    longer pause, so that fewer than 60 requests an hour count; so is an answer that asks for one.
    """
    start, settings, counted = time.monotonic(), client.settings, client.counted
    end = start + settings.wait * 60
    told_at, told_line = 0.0, ""
    while verdict.holds(settings.on_error) and verdict.code not in FINAL:
        left = end - time.monotonic()
        if left <= 0:
            break
        line = " ".join(f"#{f.issue.number}" for f in verdict.findings) or verdict.code
        if line != told_line or time.monotonic() - told_at > 300:
            told_line, told_at = line, time.monotonic()
            out = sys.stderr if settings.json else sys.stdout  # as `gate_words.tell`
            print(f"Waiting up to {left / 60:.0f} min: {verdict.reason}", file=out, flush=True)
        paid_for = start + (counted - FREE) * PAUSE_FOR_EACH
        ends = (f.issue.until for f in verdict.findings if f.issue.until)
        to_end = min(
            (s for s in ((end - clock()).total_seconds() for end in ends) if s > 0), default=left
        )
        time.sleep(min(max(STEP, paid_for - time.monotonic(), verdict.wait), left, to_end + 0.1))
        client = WaitingClient(client)
        verdict = gate.ask(client, request, clock())
        counted += client.counted
    return verdict
