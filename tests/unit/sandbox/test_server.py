"""The wire: keep-alive, headers, faults, the log, and requests that lie about themselves."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from incident_actions.sandbox import Exchange, Sandbox
from tests.unit.sandbox.conftest import Client

LIMIT_HEADERS = ("limit", "remaining", "used", "reset", "resource")


def raw(github: Sandbox, text: bytes) -> bytes:
    """Send bytes as they are; all that comes back before the connection ends or rests."""
    where = urlsplit(github.url)
    with socket.create_connection((where.hostname, where.port), timeout=2) as line:
        line.sendall(text)
        received = b""
        try:
            while part := line.recv(65_536):
                received += part
                if b"\r\n\r\n" in received and b"close" not in received:
                    return received
        except ConnectionResetError:
            return received
        return received


def test_one_connection_serves_many_requests(github: Sandbox) -> None:
    """The connection stays open, and each answer is whole."""
    where = urlsplit(github.url)
    line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=5)
    line.connect()
    first = line.sock
    for _ in range(3):
        line.request("GET", "/repos/acme/shop", headers={"Authorization": "token bot-token"})
        assert json.loads(line.getresponse().read())["name"] == "shop"
    assert line.sock is first
    line.close()


def test_every_answer_has_the_headers_of_github(bot: Client) -> None:
    """Rate limit and request id come with success and with refusal."""
    for reply in (bot.get("/issues"), bot.get("/issues/9")):
        assert all(f"x-ratelimit-{name}" in reply.headers for name in LIMIT_HEADERS)
        assert reply.headers["x-github-request-id"]
    assert reply.headers["x-ratelimit-limit"] == "1000"
    assert reply.headers["x-ratelimit-remaining"] == "998"


def test_a_used_up_budget_is_403(github: Sandbox, bot: Client) -> None:
    """Beyond a set budget requests are refused, with nothing remaining."""
    github.rate_limit = 2
    replies = [bot.get("") for _ in range(3)]
    assert [reply.status for reply in replies] == [200, 200, 403]
    assert replies[2].headers["x-ratelimit-remaining"] == "0"


def test_a_known_answer_is_304_and_costs_nothing(github: Sandbox, bot: Client) -> None:
    """A GET with the ETag of the answer that would come again; one change, and it comes whole."""
    first = bot.get("/issues?state=all")
    again = Client(github.url, "bot-token", headers={"If-None-Match": first.headers["etag"]})
    github.rate_limit = 2
    for _ in range(3):
        unchanged = again.get("/issues?state=all")
        assert (unchanged.status, unchanged.body) == (304, None)
        assert github.log[-1].status == 304
    github.rate_limit = None
    github.as_user("alice").open_issue("Logins fail", "text")
    changed = again.get("/issues?state=all")
    assert (changed.status, len(changed.body)) == (200, 1)
    assert changed.headers["etag"] != first.headers["etag"]
    assert "etag" not in bot.get("/issues/99").headers


def test_an_unknown_route_is_loud() -> None:
    """501, and the message names the route; the same for an unknown parameter."""
    with Sandbox() as github:
        github.repository("acme/shop")
        github.token("t", "root")
        client = Client(github.url, "t")
        for path in ("/milestones", "/issues?milestone=1"):
            reply = client.get(path)
            assert reply.status == 501
            assert "milestone" in reply.body["message"]


def test_an_enterprise_server_has_a_path_before_its_api() -> None:
    """Requests without the prefix are not found; links carry it."""
    with Sandbox(prefix="/api/v3") as github:
        github.repository("acme/shop")
        github.token("t", "root")
        shown = Client(github.url, "t").get("").body
        assert shown["url"] == f"{github.url}/repos/acme/shop"
        assert github.url.endswith("/api/v3")
        assert Client(github.url.removesuffix("/api/v3"), "t").get("").status == 404


@pytest.mark.parametrize("length", [b"-5", b"abc", b"99999999999", b"\xb2"])
def test_a_false_content_length_is_refused(github: Sandbox, length: bytes) -> None:
    """Lengths that are no sensible number get an error, and the connection ends."""
    request = b"POST /repos/acme/shop/issues HTTP/1.1\r\nHost: x\r\nContent-Length: %s\r\n\r\n{}"
    answer = raw(github, request % length)
    assert answer.split()[1] in (b"400", b"413")


def test_a_body_that_never_comes_has_no_effect(github: Sandbox) -> None:
    """A request that ends early is dropped."""
    request = b"POST /repos/acme/shop/issues HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"
    where = urlsplit(github.url)
    with socket.create_connection((where.hostname, where.port), timeout=2) as line:
        line.sendall(request)
        line.shutdown(socket.SHUT_WR)
        assert line.recv(100) == b""
    assert github.repo("acme/shop").issues == {}


def test_chunks_are_refused(github: Sandbox) -> None:
    """A body without a length is 411."""
    request = (
        b"POST /repos/acme/shop/issues HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    )
    assert raw(github, request).split()[1] == b"411"


def test_what_is_no_json_is_400(github: Sandbox) -> None:
    """A body that can't be parsed is refused."""
    request = b"POST /repos/acme/shop/issues HTTP/1.1\r\nContent-Length: 3\r\n\r\n{a}"
    assert b"Problems parsing JSON" in raw(github, request)


def test_a_fault_strikes_once_at_the_nth_match(github: Sandbox, bot: Client) -> None:
    """Other requests pass, the second match fails with its headers, the third passes."""
    bot.post("/issues", {"title": "Down"})
    github.fail("POST /repos/*/issues/*/comments", nth=2, status=403, headers={"retry-after": "7"})
    replies = [bot.post("/issues/1/comments", {"body": f"{n}"}) for n in range(3)]
    assert [reply.status for reply in replies] == [201, 403, 201]
    assert replies[1].headers["retry-after"] == "7"
    assert "secondary rate limit" in replies[1].body["message"]
    assert [one["body"] for one in bot.get("/issues/1/comments").body] == ["0", "2"]


def test_a_fault_can_last(github: Sandbox, bot: Client) -> None:
    """`times` failures in a row, then all is well; `clear_faults` ends it sooner."""
    github.fail(times=2, status=500)
    assert [bot.get("").status for _ in range(3)] == [500, 500, 200]
    github.fail(times=99)
    assert bot.get("").status == 502
    github.clear_faults()
    assert bot.get("").status == 200


@pytest.mark.parametrize("kind", ["status", "drop"])
def test_a_fault_after_the_write_leaves_its_effect(github: Sandbox, bot: Client, kind: str) -> None:
    """With `after` the comment is there although the answer was lost."""
    bot.post("/issues", {"title": "Down"})
    if kind == "drop":
        github.fail("POST */comments", kind="drop", after=True)
        with pytest.raises((ConnectionError, http.client.HTTPException)):
            bot.post("/issues/1/comments", {"body": "x"})
    else:
        github.fail("POST */comments", kind="status", after=True)
        assert bot.post("/issues/1/comments", {"body": "x"}).status == 502
    assert len(bot.get("/issues/1/comments").body) == 1


def test_a_dropped_request_has_no_effect(github: Sandbox, bot: Client) -> None:
    """Without `after` nothing was written; the log has no status."""
    github.fail("POST *", kind="drop")
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        bot.post("/issues", {"title": "Down"})
    assert bot.get("/issues").body == []
    assert [entry.status for entry in github.log] == [None, 200]


def test_a_timeout_holds_the_line(github: Sandbox) -> None:
    """The client waits in vain, and stopping the sandbox does not wait for it."""
    github.fail(kind="timeout", seconds=60)
    where = urlsplit(github.url)
    line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=0.2)
    line.request("GET", "/repos/acme/shop")
    with pytest.raises(TimeoutError):
        line.getresponse()
    line.close()
    began = time.monotonic()
    github.stop()
    assert time.monotonic() - began < 2


def test_html_and_half_answers(github: Sandbox, bot: Client) -> None:
    """A page instead of JSON, and JSON that stops in the middle."""
    github.fail(kind="html", status=200)
    with pytest.raises(json.JSONDecodeError):
        bot.get("")
    github.fail(kind="truncate")
    with pytest.raises(http.client.IncompleteRead):
        bot.get("")


def test_the_log_counts_reads_and_writes(github: Sandbox, bot: Client) -> None:
    """Each entry has method, path, query, status, route and actor; people are not in it."""
    github.as_user("alice").open_issue("Down")
    bot.get("/issues?state=open")
    bot.post("/issues/1/comments", {"body": "x"})
    assert [github.requests(), github.requests(write=True), github.requests(write=False)] == [
        2,
        1,
        1,
    ]
    entry = github.log[0]
    assert (entry.method, entry.path, entry.query) == (
        "GET",
        "/repos/acme/shop/issues",
        {"state": "open"},
    )
    assert (entry.status, entry.route) == (200, "/repos/{owner}/{repo}/issues")
    assert entry.actor == "github-actions[bot]"
    github.clear_log()
    assert github.requests() == 0


def test_exchanges_are_shown_whole(bot: Client, github: Sandbox) -> None:
    """The hook sees both bodies; answers that a fault replaced are not shown."""
    seen: list[Exchange] = []
    github.on_exchange = seen.append
    bot.post("/issues", {"title": "Down"})
    github.fail()
    bot.get("/issues/1")
    (one,) = seen
    assert (one.method, one.status, one.request_body) == ("POST", 201, {"title": "Down"})
    assert one.response_body["number"] == 1


def test_latency_is_added(github: Sandbox, bot: Client) -> None:
    """Each request takes at least as long as asked for."""
    github.latency_ms = 30
    began = time.monotonic()
    bot.get("")
    assert time.monotonic() - began >= 0.03


def test_nothing_is_left_running() -> None:
    """After `stop` the port is closed and no thread of the sandbox is alive."""
    before = threading.active_count()
    with Sandbox() as github:
        github.repository("acme/shop")
        line = http.client.HTTPConnection(urlsplit(github.url).netloc, timeout=2)
        line.request("GET", "/meta")
        line.getresponse().read()
    assert threading.active_count() == before
    line.close()
    with pytest.raises(ConnectionError):
        Client(github.url, None).get("")
