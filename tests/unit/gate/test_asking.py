"""What the gate asks GitHub for, how often, and with which inputs."""

from __future__ import annotations

import base64
import json
import random
import socket
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from incident_actions import gate, gate_further
from tests.unit.gate.cases import (
    EARLIER,
    HEAD,
    NOW,
    SEV1,
    SHA,
    allow,
    form,
    freeze,
    issue,
    outsider,
    with_state,
)
from tests.unit.gate.conftest import Run
from tests.unit.gate.hostile import Hostile, Reply

LINKED_FIX = issue("sev1", body=with_state(fixes=[7]))


def pull(number: int = 7, body: str = "", head: str = HEAD) -> dict[str, Any]:
    """A pull request as GitHub's API and events have it."""
    item = {"number": number, "title": "A change", "body": body, "head": {"sha": head}}
    author = {"user": {"login": "erin"}, "author_association": "MEMBER"}
    return {**item, **author, "merge_commit_sha": SHA}


def config(text: str) -> dict[str, str]:
    """A file as the contents endpoint has it."""
    return {"encoding": "base64", "content": base64.encodebytes(text.encode()).decode()}


def test_two_requests_when_clear(run: Run, github: Hostile) -> None:
    """A deploy without incidents costs two requests, both for open issues only."""
    ran = run()
    assert (ran.exit_code, ran.verdict, ran.outputs["incidents"]) == (0, "clear", "[]")
    assert sorted(github.log) == [
        "/repos/acme/shop/issues?state=open&labels=deploy-freeze&per_page=100",
        "/repos/acme/shop/issues?state=open&labels=incident&per_page=100",
    ]
    assert set(github.tokens) == {"Bearer secret-token"}


def test_both_lists_are_asked_for_at_the_same_time(
    run: Run, github: Hostile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither request waits for the answer of the other."""
    together = threading.Barrier(2, timeout=3)
    answer = github.reply

    def reply(path: str) -> Reply:
        together.wait()
        return answer(path)

    monkeypatch.setattr(github, "reply", reply)
    assert run().verdict == "clear"


def pages(github: Hostile, total: int, relations: str, key: str = "page") -> None:
    """Serve so many incidents, the last of which freezes, in pages of a hundred."""
    items = [issue("sev3", number=n) for n in range(1, total)] + [issue("sev1", number=total)]
    last = -(-total // 100)
    for page in range(1, last + 1):
        links = []
        if page < last and "next" in relations:
            links.append(f'<http://other.example/x?{key}={page + 1}&page={page + 1}>; rel="next"')
        if page < last and "last" in relations:
            links.append(f'<http://other.example/x?page={last}>; rel="last"')
        headers = {"Link": ", ".join(links)} if links else {}
        github.will(
            f"incident?{page}", Reply(items[(page - 1) * 100 : page * 100], headers=headers)
        )


@pytest.mark.parametrize("relations", ["next, last", "last", "next", ""])
@pytest.mark.parametrize("total", [101, 350])
def test_all_pages_are_read(run: Run, github: Hostile, relations: str, total: int) -> None:
    """The incident on the last page counts, whichever links lead there, or none at all."""
    pages(github, total, relations)
    ran = run()
    assert (ran.verdict, f"#{total} SEV1" in ran.outputs["reason"]) == ("frozen", True)
    lists = [path for path in github.log if "labels=incident" in path]
    assert len(lists) == 2 + 2 * -(-total // 100)


class Reports:
    """A list of open issues as GitHub keeps it: in order, in pages, and changing all the time."""

    def __init__(self, github: Hostile, *items: dict[str, Any]) -> None:
        self.items = [
            {**item, "updated_at": (NOW + timedelta(minutes=n)).isoformat()}
            for n, item in enumerate(items)
        ]
        self.asked = 0
        self.after: Callable[[], None] = lambda: None  # what happens after each answer
        github.lists = self.page

    def page(self, label: str, query: dict[str, str]) -> list[Any]:
        """One page of the list."""
        if label != "incident":
            return []
        self.asked += 1
        found = [item for item in self.items if item["updated_at"] >= query.get("since", "")]
        if query.get("sort") == "updated":
            found.sort(key=lambda item: str(item["updated_at"]))
        else:
            found.sort(key=lambda item: int(item["number"]), reverse=True)
        page = int(query.get("page", "1"))
        self.after()
        return found[(page - 1) * 100 : page * 100]


def strangers(numbers: range) -> list[dict[str, Any]]:
    """Open reports from outside."""
    return [outsider(issue(number=number)) for number in numbers]


def test_a_thousand_incidents(run: Run, github: Hostile) -> None:
    """The first page, and each hundred once more in a list where nothing can slip."""
    reports = Reports(github, issue("sev1", number=1), *strangers(range(2, 1001)))
    assert run().verdict == "frozen"
    assert reports.asked == 12


@pytest.mark.parametrize("sorts", [True, False])
@pytest.mark.parametrize("turn", range(20))
def test_closing_reports_hides_no_incident(
    run: Run, github: Hostile, turn: int, sorts: bool
) -> None:
    """Strangers close, reopen and change theirs after each answer: the incident is seen."""
    dice = random.Random(turn)
    first = dice.randrange(1, 140)
    items = strangers(range(1, 260))
    items[first] = issue("sev1", number=first + 1)
    reports = Reports(github, *items)
    if not sorts:
        keep, reports.page = reports.page, lambda label, query: keep(label, {**query, "sort": ""})
        github.lists = lambda label, query: keep(label, {"page": query.get("page", "1")})

    def change() -> None:
        theirs = [item for item in reports.items if item["number"] != first + 1]
        newest = max(theirs, key=lambda item: int(item["number"]))
        reports.items.remove(newest)
        touched = dice.choice(theirs)
        touched["updated_at"] = (NOW + timedelta(days=1, minutes=reports.asked)).isoformat()

    reports.after = change
    assert run().verdict != "clear"


@pytest.mark.parametrize("place", [101, 102, 201])
def test_an_incident_that_slips_to_the_page_before_is_seen(
    run: Run, github: Hostile, place: int
) -> None:
    """Strangers close theirs between two answers, so that it moves to the page that was read."""
    items = strangers(range(1, 302))
    items[-place] = issue("sev1", number=302 - place)
    reports = Reports(github, *items)

    def close() -> None:
        if reports.asked == place // 100:
            del reports.items[-(1 + place % 100) :]

    reports.after = close
    ran = run()
    assert ran.verdict == "frozen"
    assert "SEV1" in ran.outputs["reason"]


def test_many_changed_in_one_second(run: Run, github: Hostile) -> None:
    """A list that can't be cut by time is read page by page, until it stands still."""
    reports = Reports(github, *strangers(range(2, 300)), issue("sev1", number=1))
    for item in reports.items:
        item["updated_at"] = NOW.isoformat()
    assert run().verdict == "frozen"


def test_a_list_that_never_stands_still_is_no_answer(run: Run, github: Hostile) -> None:
    """What can't be known is never clear."""
    reports = Reports(github, *strangers(range(2, 300)))
    for item in reports.items:
        item["updated_at"] = NOW.isoformat()
    reports.after = lambda: reports.items.pop() and None
    ran = run()
    assert (ran.verdict, "changes while it is read" in ran.errors[0]) == ("error", True)


def test_a_cursor_is_followed(run: Run, github: Hostile) -> None:
    """Newer lists page by cursor: it is handed back as it came."""
    pages(github, 250, "next", key="after")
    assert run().verdict == "frozen"
    assert "&after=2&page=2" in "".join(github.log)


def test_a_lost_page_blocks(run: Run, github: Hostile) -> None:
    """A page that can't be read leaves the decision open."""
    pages(github, 350, "next, last")
    github.will("incident?3", Reply({}, 404))
    assert run().verdict == "error"


def test_a_renamed_repository_is_followed(run: Run, github: Hostile) -> None:
    """A redirect on the same host is taken, with the token."""
    place = {"location": f"{github.url}/repositories/1/issues?labels=incident&page=9"}
    github.will("incident?1", Reply({}, 301, place))
    github.will("incident?9", [SEV1])
    assert run().verdict == "frozen"


def test_a_short_page_is_not_the_last_one(run: Run, github: Hostile) -> None:
    """GitHub may leave issues of a page out; the link says that there are more."""
    link = f'<{github.url}/x?page=2>; rel="next"'
    few = [issue("sev3", number=n, updated_at=EARLIER) for n in (1, 2)]
    github.will("incident?1", Reply(few, headers={"Link": link}))
    github.will("incident?2", [SEV1])
    assert run().verdict == "frozen"


def test_where_incidents_live_elsewhere_a_commit_is_allowed_by_its_link(
    run: Run, github: Hostile
) -> None:
    """There nobody can look up its first digits."""
    github.will("incident", [SEV1])
    ran = run(inputs={"repository": "acme/incidents"})
    assert f"`/allow https://github.com/acme/shop/commit/{SHA} for 2h REASON`" in ran.errors[0]
    assert f"/allow {SHA[:10]} for" in run().errors[0]


def test_github_enterprise_has_a_path(run: Run, github: Hostile) -> None:
    """The API's address may have a path of its own."""
    run(GITHUB_API_URL=f"{github.url}/api/v3/")
    assert all(path.startswith("/api/v3/repos/acme/shop/issues?") for path in github.log)


def test_incidents_may_live_elsewhere(run: Run, github: Hostile) -> None:
    """`repository` names where to look; the commit is looked up where it lives."""
    github.will("incident", [issue("sev1", body=allow(pr=7, sha=HEAD))])
    run(inputs={"repository": "acme/incidents"})
    assert "/repos/acme/incidents/issues?" in github.log[0]
    assert f"/repos/acme/shop/commits/{SHA}/pulls" in github.log


def test_a_freeze_costs_no_look_up_that_can_not_help(run: Run, github: Hostile) -> None:
    """Without an /allow, an environment or a fix: the schedule, and what the author may do."""
    github.will("incident", [SEV1])
    assert run().verdict == "frozen"
    assert len(github.log) == 4
    assert "/repos/acme/shop/collaborators/alice/permission" in github.log
    assert "/repos/acme/shop/actions/runs?event=schedule&per_page=1" in github.log


@pytest.mark.parametrize(
    ("body", "inputs"),
    [
        (allow(pr=7, sha=HEAD), {}),
        (allow(sha=HEAD), {}),
        (with_state(fixes=[7]), {"intent": "fix"}),
    ],
)
def test_the_pull_request_of_the_commit_is_looked_up(
    run: Run, github: Hostile, body: str, inputs: dict[str, str]
) -> None:
    """A commit on the main branch is let through by its pull request's number or head."""
    github.believe()
    github.will("incident", [issue("sev1", body=body)])
    github.will(f"/commits/{SHA}/pulls", [pull()])
    ran = run(inputs=inputs)
    assert (ran.exit_code, ran.verdict, ran.outputs["frozen"]) == (0, "exempt", "false")


def test_a_closing_keyword_makes_a_fix(run: Run, github: Hostile) -> None:
    """`intent: fix` passes when the pull request's description closes the incident."""
    github.believe()
    github.will("incident", [SEV1])
    github.will(f"/commits/{SHA}/pulls", [pull(body="Fixes #12")])
    assert run(inputs={"intent": "fix"}).verdict == "exempt"


def test_a_pull_request_event_needs_no_look_up(run: Run, github: Hostile) -> None:
    """In a pull request its number and head come from the event."""
    github.believe()
    github.will("incident", [issue("sev1", body=allow(pr=7, sha=HEAD))])
    ran = run(event={"pull_request": pull()}, GITHUB_EVENT_NAME="pull_request")
    assert ran.verdict == "exempt"
    assert not any("/pulls" in path for path in github.log)


def test_a_merge_queue_entry_is_its_pull_request(run: Run, github: Hostile) -> None:
    """In a merge queue the pull request's number is in the branch, its text is looked up."""
    github.believe()
    group = {"head_ref": f"refs/heads/gh-readonly-queue/main/pr-7-{HEAD}", "head_sha": SHA}
    github.will("incident", [LINKED_FIX])
    github.will("/pulls/7", pull())
    ran = run(
        event={"merge_group": group}, inputs={"intent": "fix"}, GITHUB_EVENT_NAME="merge_group"
    )
    assert ran.verdict == "exempt"


@pytest.mark.parametrize("event", ["{not json", "[]", "null", '"x"'])
def test_a_broken_event_file_is_bad_input(run: Run, event: str) -> None:
    """An event file that can't be read is told, not guessed around."""
    ran = run(event=event, GITHUB_EVENT_NAME="pull_request")
    assert ran.exit_code == 2
    assert "GITHUB_EVENT_PATH" in ran.errors[0]


@pytest.mark.parametrize(
    "event", [{}, {"pull_request": None}, {"merge_group": {"head_ref": 3}}, {"pull_request": {}}]
)
def test_an_event_without_a_pull_request_decides_by_the_commit(
    run: Run, github: Hostile, event: dict[str, Any]
) -> None:
    """What an event lacks is looked up instead."""
    github.believe()
    github.will("incident", [issue("sev1", body=allow(pr=7, sha=HEAD))])
    github.will("/commits/", [pull()])
    assert run(event=event, GITHUB_EVENT_NAME="pull_request").verdict == "exempt"


@pytest.mark.parametrize(
    ("environment", "verdict"), [("Production", "frozen"), ("staging", "clear")]
)
def test_environments_that_freeze_come_from_the_configuration(
    run: Run, github: Hostile, environment: str, verdict: str
) -> None:
    """Only environments in the list freeze; the file is read when frozen, by its own path."""
    github.will("incident", [SEV1])
    github.will("/contents/ops/our%20team.yml", config("freeze:\n  environments: [production]\n"))
    ran = run(inputs={"environment": environment, "config": "ops/our team.yml"})
    assert ran.verdict == verdict


@pytest.mark.parametrize(
    "answer",
    [
        config("freeze:\n  environments: production\n"),
        {"content": None},
        [],
        {},
        config("") | {"content": base64.b64encode(b"\xff\xfe").decode()},
    ],
)
def test_an_unreadable_configuration_freezes_all(run: Run, github: Hostile, answer: Any) -> None:
    """When in doubt every environment counts as frozen, and the deployer is told."""
    github.will("incident", [SEV1])
    github.will("/contents/", answer)
    ran = run(inputs={"environment": "staging"})
    assert (ran.verdict, "every environment" in ran.errors[0]) == ("frozen", True)


def test_each_look_up_goes_its_own_way(run: Run, github: Hostile) -> None:
    """Configuration, pull request, schedule, people and deployments, each by its own path."""
    github.believe()
    github.will("incident", [issue("sev1", body=allow(pr=7, sha=HEAD))])
    github.will("/contents/.github/incident.yml", config("freeze:\n  environments: [live]\n"))
    github.will(f"/commits/{SHA}/pulls", [pull()])
    assert run(inputs={"environment": "live"}).verdict == "exempt"
    assert len(github.log) == 8


def test_no_configuration_freezes_all_silently(run: Run, github: Hostile) -> None:
    """A team without a configuration file has every environment frozen; no word about the file."""
    github.will("incident", [SEV1])
    ran = run(inputs={"environment": "staging"})
    assert (ran.verdict, "every environment" in ran.errors[0]) == ("frozen", False)


@pytest.mark.parametrize(
    ("last", "told"), [("2026-11-23T02:00:00Z", True), ("2026-11-23T03:20:00Z", False)]
)
def test_a_dead_scheduler_is_noticed(run: Run, github: Hostile, last: str, told: bool) -> None:
    """When scheduled workflows have not run for half an hour, a blocked deployer learns it."""
    github.will("incident", [SEV1])
    github.will("/actions/runs", {"workflow_runs": [{"created_at": last}]})
    assert ("Scheduled workflows last ran 1 h 33 min ago" in run().errors[0]) is told


@pytest.mark.parametrize("answer", [{"workflow_runs": []}, {"workflow_runs": [None]}, [], None])
def test_no_schedule_is_no_news(run: Run, github: Hostile, answer: Any) -> None:
    """Without scheduled runs, or without the right to see them, nothing is said."""
    github.will("incident", [SEV1])
    github.will("/actions/runs", answer)
    assert "Scheduled" not in run().errors[0]


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy that refuses everything; gives its address and what was sent to it."""
    heard: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def listen() -> None:
            for _ in range(6):
                try:
                    wire, _ = server.accept()
                except OSError:
                    return
                with wire:
                    heard.append(wire.recv(4096))
                    wire.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=listen, daemon=True)
        thread.start()
        yield f"127.0.0.1:{server.getsockname()[1]}", heard


def test_https_goes_through_the_proxy(run: Run, proxy: tuple[str, list[bytes]]) -> None:
    """A tunnel is asked for, with the proxy's own name and password, never with the token."""
    address, heard = proxy
    ran = run(
        GITHUB_API_URL="https://github.example/api/v3", https_proxy=f"http://bob:s%40x@{address}"
    )
    assert (ran.exit_code, ran.verdict) == (3, "error")
    assert heard[0].startswith(b"CONNECT github.example:443 HTTP/1.")
    secret = base64.b64encode(b"bob:s@x")
    assert b"Proxy-Authorization: Basic " + secret in heard[0]
    assert b"secret-token" not in b"".join(heard)
    assert "s@x" not in ran.log


def test_plain_http_goes_through_the_proxy(run: Run, proxy: tuple[str, list[bytes]]) -> None:
    """Without TLS the proxy gets the whole address."""
    address, heard = proxy
    run(GITHUB_API_URL="http://github.example/api/v3", HTTP_PROXY=address)
    assert heard[0].startswith(b"GET http://github.example/api/v3/repos/acme/shop/issues?")


@pytest.mark.parametrize("skip", ["127.0.0.1", "*", "example.com, 127.0.0.1", ".0.0.1"])
def test_no_proxy_is_honoured(run: Run, skip: str) -> None:
    """A host in `no_proxy` is asked directly."""
    assert run(http_proxy="http://127.0.0.1:9", no_proxy=skip).verdict == "clear"


def test_a_proxy_that_is_gone_is_an_error(run: Run) -> None:
    """A wrong proxy blocks, and the message names the variables."""
    ran = run(http_proxy="http://127.0.0.1:9")
    assert ran.verdict == "error"
    assert "https_proxy" in ran.errors[0]


def test_a_missing_certificate_file_is_an_error(run: Run) -> None:
    """A certificate file that is not there is told, not skipped."""
    ran = run(GITHUB_API_URL="https://127.0.0.1:9", SSL_CERT_FILE="/nowhere/company.pem")
    assert (ran.exit_code, ran.verdict) == (3, "error")


class Ticks:
    """Time that passes only when somebody sleeps."""

    def __init__(self) -> None:
        self.at = 0.0
        self.naps: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.naps.append(seconds)
        self.at += seconds

    def monotonic(self) -> float:
        """The time."""
        return self.at


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> Ticks:
    """Stop the gate's clock."""
    clock = Ticks()
    for module in (gate, gate_further):
        monkeypatch.setattr(module, "time", clock)
    return clock


def test_waiting_ends_with_the_freeze(run: Run, github: Hostile, ticks: Ticks) -> None:
    """`wait-minutes` polls every half minute until the deploy may go on, and says so once."""
    github.will("incident", [SEV1], [SEV1], [SEV1], [])
    ran = run(inputs={"wait-minutes": "10"})
    assert (ran.exit_code, ran.verdict, ticks.naps) == (0, "clear", [30.0] * 3)
    assert ran.log.count("Waiting") == 1


def test_waiting_with_json_prints_json_only(run: Run, github: Hostile, ticks: Ticks) -> None:
    """What is told meanwhile goes to stderr."""
    github.will("incident", [SEV1], [SEV1], [])
    ran = run("--json", "--wait-minutes", "10")
    assert (json.loads(ran.log)["verdict"], ticks.naps) == ("clear", [30.0] * 2)


def test_waiting_has_an_end(run: Run, github: Hostile, ticks: Ticks) -> None:
    """When the time is over the verdict stands; the log says every five minutes that it waits."""
    github.will("deploy-freeze", [freeze()])
    ran = run(inputs={"wait-minutes": "12"})
    assert (ran.exit_code, ran.verdict, sum(ticks.naps)) == (1, "frozen", 720)
    assert 2 <= ran.log.count("Waiting") <= 3
    assert len(ran.errors) == 1


def test_waiting_bridges_an_outage(run: Run, github: Hostile, ticks: Ticks) -> None:
    """GitHub's own trouble is waited out; a wrong token is not."""
    github.will("incident", *[Reply({}, 500)] * 3, [])
    assert run(inputs={"wait-minutes": "5"}).verdict == "clear"
    github.will("incident", Reply({}, 401))
    ticks.naps.clear()
    assert (run(inputs={"wait-minutes": "5"}).exit_code, ticks.naps) == (3, [])


def lively(github: Hostile, ticks: Ticks, every: float, body: str = "") -> None:
    """An incident that changes every so many seconds, and a schedule."""
    allowed = issue("sev1", "status:investigating", body=body)

    def incidents(label: str, query: dict[str, str]) -> list[Any]:
        at = NOW + timedelta(seconds=ticks.at // every * every)
        return [{**allowed, "updated_at": at.isoformat()}] if label == "incident" else []

    github.lists = incidents
    github.believe()
    github.will("/commits/", [pull(head="ab" * 20)])
    github.will("/actions/runs", {"workflow_runs": []})


@pytest.mark.parametrize("tags", [True, False])
@pytest.mark.parametrize("every", [1.0, 60.0, 900.0, 9e9])
@pytest.mark.parametrize("body", ["", allow(pr=7, sha=HEAD)], ids=["alone", "with an allowance"])
def test_an_hour_of_waiting_costs_little(
    run: Run, github: Hostile, ticks: Ticks, every: float, tags: bool, body: str
) -> None:
    """Fewer than 60 requests count, however often the incident changes; a quiet one is polled."""
    lively(github, ticks, every, body)
    github.tags = tags
    assert run(inputs={"wait-minutes": "60", "environment": "live"}).verdict == "frozen"
    assert (ticks.at, github.counted < 60) == (3600.0, True)
    if tags and every == 9e9:
        assert ticks.naps == [30.0] * 120
        assert github.counted <= 16


@pytest.mark.parametrize("answer", [Reply({}, 502), Reply({}, 404), Reply({}, 200)])
def test_an_hour_of_waiting_costs_little_when_look_ups_fail(
    run: Run, github: Hostile, ticks: Ticks, answer: Reply
) -> None:
    """Those of the first try count, too."""
    lively(github, ticks, 9e9)
    github.tags = True
    for path in ("/graphql", "/actions/runs", "/commits/", "/contents/"):
        github.will(path, answer)
    assert run(inputs={"wait-minutes": "60", "environment": "live"}).verdict == "frozen"
    assert github.counted < 60


def test_waiting_does_what_github_asks_for(run: Run, github: Hostile, ticks: Ticks) -> None:
    """Nobody is asked before the time that it names; then the freeze is over."""
    slow = Reply({}, 403, {"retry-after": "1200"})
    github.lists, asked = None, github.log
    github.will("incident", slow, slow, [])
    assert run(inputs={"wait-minutes": "60"}).verdict == "clear"
    assert (ticks.naps, len(asked)) == ([1200.0, 1200.0], 6)


def test_a_change_is_noticed_at_once_after_quiet_waiting(
    run: Run, github: Hostile, ticks: Ticks
) -> None:
    """Answers that did not change cost nothing, so the polling goes on every half minute."""
    lively(github, ticks, 9e9)
    github.tags, before = True, github.lists
    assert before
    github.lists = lambda label, query: [] if ticks.at >= 1800 else before(label, query)
    ran = run(inputs={"wait-minutes": "60"})
    assert (ran.verdict, ticks.at) == ("clear", 1800.0)


def test_a_waiting_deploy_notices_a_freeze_that_begins(
    run: Run, github: Hostile, ticks: Ticks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The incident ends after the freeze began: the deploy is held on, to the freeze's end."""
    now = SimpleNamespace(now=lambda zone: NOW + timedelta(seconds=ticks.at))
    monkeypatch.setattr(gate, "datetime", now)
    github.believe()
    github.tags = True
    body = form(From="2026-11-23 03:35", Until="2026-11-23 03:45:10")
    lists = {"incident": [SEV1], "deploy-freeze": [freeze(body=body)]}
    github.lists = lambda label, query: [] if ended(label) else lists[label]

    def ended(label: str) -> bool:
        return label == "incident" and ticks.at >= 300

    ran = run(inputs={"wait-minutes": "30"}, now=None)
    assert "Waiting up to 25 min: Deploys are frozen by #40 deploy freeze" in ran.log
    assert (ran.verdict, round(ticks.at, 3)) == ("clear", 730.1)  # the end of the freeze
    assert ran.outputs["reason"] == "Deploys are not frozen. #40 is over."
