"""The HTTP side: keep-alive connections on 127.0.0.1 around the router.

See https://docs.github.com/rest/using-the-rest-api
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import socket
import struct
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl

from . import router
from .access import Actor
from .errors import RefusedError
from .faults import HTML, Fault
from .moves import by_name
from .router import Answer, Call
from .world import World

MAX_BODY = 10 * 1024 * 1024
READ_SECONDS = 10.0
BUDGET_PERSON, BUDGET_WORKFLOW = 5000, 1000


@dataclass(frozen=True)
class Entry:
    """One line of the log; `status` is None where the connection got no answer."""

    method: str
    path: str
    query: dict[str, str]
    status: int | None
    route: str
    actor: str
    fault: str = ""
    question: bool = False  # a GraphQL query: a POST that changes nothing

    @property
    def writes(self) -> bool:
        """Whether the request was there to change something."""
        return self.method not in ("GET", "HEAD") and not self.question


@dataclass(frozen=True)
class Exchange:
    """A request with its whole answer, for whoever checks them against the description."""

    method: str
    path: str
    query: dict[str, str]
    request_body: Any
    status: int
    response_body: Any
    route: str
    actor: str


class Site:
    """What all connections share: the world, the faults, the log, the budget."""

    def __init__(self, world: World, prefix: str, latency_ms: float) -> None:
        self.world = world
        self.prefix = prefix
        # An Enterprise server has GraphQL beside /api/v3, not below.
        self.graphql = f"{prefix.removesuffix('/v3')}/graphql"
        self.latency_ms = latency_ms
        self.faults: list[Fault] = []
        self.log: list[Entry] = []
        self.used: dict[str, int] = {}
        self.rate_limit: int | None = None
        self.on_exchange: Callable[[Exchange], None] | None = None
        self.stopping = threading.Event()

    def fault_for(self, method: str, path: str) -> Fault | None:
        """The first fault that strikes this request; those that are done are forgotten."""
        with self.world.lock:
            self.faults = [fault for fault in self.faults if fault.struck < fault.times]
            return next((fault for fault in self.faults if fault.strikes(method, path)), None)

    def budget(self, actor: Actor) -> dict[str, str]:
        """Count one request; the rate-limit headers; 403 when a set budget is used up."""
        most = BUDGET_WORKFLOW if actor.is_workflow else BUDGET_PERSON
        limit = most if self.rate_limit is None else self.rate_limit
        with self.world.lock:
            used = self.used[actor.login] = self.used.get(actor.login, 0) + 1
            reset = int(self.world.clock().timestamp()) // 3600 * 3600 + 3600
        headers = {
            "x-ratelimit-limit": str(limit),
            "x-ratelimit-remaining": str(max(0, limit - used)),
            "x-ratelimit-used": str(used),
            "x-ratelimit-reset": str(reset),
            "x-ratelimit-resource": "core",
        }
        if self.rate_limit is not None and used > limit:
            raise RefusedError(403, "API rate limit exceeded for installation.", headers=headers)
        return headers

    def give_back(self, actor: Actor) -> None:
        """An answer that had not changed (304) does not count against the budget."""
        with self.world.lock:
            self.used[actor.login] -= 1

    def respond(
        self, method: str, path: str, query: dict[str, str], body: Any, actor: Actor
    ) -> tuple[Answer, str]:
        """The answer to a request, and the template of its route."""
        template = ""
        try:
            path = by_name(self.world, path)
            one, params = router.find(method, path)
            template = one.template
            call = Call(self.world, actor, method, path, params, query, body)
            with self.world.lock:
                return router.answer(call, one), template
        except RefusedError as refusal:
            return Answer(refusal.status, refusal.body(), refusal.headers), template
        except Exception:
            # A bug in here must not look like a flaw of the network.
            bug = RefusedError(500, f"The sandbox itself failed:\n{traceback.format_exc()}")
            return Answer(bug.status, bug.body()), template


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "GitHub-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    timeout = READ_SECONDS
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing on stderr; the log is in memory."""

    def handle_one_request(self) -> None:
        """Serve a request; a client that went away is none of our business."""
        try:
            super().handle_one_request()
        except (ConnectionError, TimeoutError):
            self.close_connection = True

    def _serve(self) -> None:
        site = self.server.site
        target, _, search = self.path.partition("?")
        if target == site.graphql:
            target = f"{site.prefix}/graphql"
        path = target.removeprefix(site.prefix)
        query = dict(parse_qsl(search, keep_blank_values=True))
        if site.latency_ms:
            time.sleep(site.latency_ms / 1000)
        fault = site.fault_for(self.command, path)
        body: Any = None
        actor, template, headers = Actor(), "", {}
        try:
            body = self._body()
            if not target.startswith(site.prefix + "/"):
                raise RefusedError(404, "Not Found")
            actor = site.world.actor(self._token())
            headers = site.budget(actor)
            if fault is None or fault.after or fault.kind == "truncate":
                answer, template = site.respond(self.command, path, query, body, actor)
            else:
                answer = Answer(fault.status, fault.body(), dict(fault.headers))
        except RefusedError as refusal:
            answer = Answer(refusal.status, refusal.body(), refusal.headers)
        answer.headers = {**headers, **answer.headers}
        silent = fault is not None and fault.kind in ("timeout", "drop")
        payload = b"" if answer.body is None else json.dumps(answer.body).encode()
        known = fault is None and self._is_known(answer, payload)
        if known:
            site.give_back(actor)
        status: int | None = 304 if known else answer.status
        if fault is not None and fault.kind != "truncate":
            status = None if silent else fault.status
        entry = Entry(
            self.command,
            path,
            query,
            status,
            template,
            actor.login,
            fault.kind if fault else "",
            path == "/graphql"
            and isinstance(body, dict)
            and str(body.get("query")).lstrip().startswith("query"),
        )
        # Logged and checked before the client can go on: its next line may ask.
        site.log.append(entry)
        if fault is not None:
            self._break(fault, answer)
            return
        if site.on_exchange is not None:
            # A 304 stands for the whole answer, so that is what is shown.
            shown = json.loads(payload) if payload else None
            site.on_exchange(
                Exchange(
                    self.command,
                    by_name(site.world, path),
                    query,
                    body,
                    answer.status,
                    shown,
                    template,
                    actor.login,
                )
            )
        self._write(304 if known else answer.status, payload, answer.headers)

    def _is_known(self, answer: Answer, payload: bytes) -> bool:
        """Give an answer to a GET its ETag; whether the client has that answer already.

        https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api
        """
        if self.command != "GET" or answer.status != 200:
            return False
        # The Link header is part of what the client has, and does not stand in the payload.
        seen = payload + answer.headers.get("Link", "").encode()
        tag = f'W/"{hashlib.sha256(seen).hexdigest()}"'
        answer.headers["ETag"] = tag
        return self.headers.get("If-None-Match") == tag

    def _token(self) -> str | None:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        return token.strip() if kind.lower() in ("bearer", "token") else None

    def _body(self) -> Any:
        """The JSON of the request. What the headers claim is checked, never trusted."""
        if self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            raise RefusedError(411, "Length Required")
        claimed = self.headers.get("Content-Length", "0").strip()
        if not (claimed.isascii() and claimed.isdecimal()) or int(claimed) > MAX_BODY:
            self.close_connection = True
            raise RefusedError(413 if claimed.isdecimal() else 400, "Bad Content-Length")
        data = self.rfile.read(int(claimed))
        if len(data) < int(claimed):
            raise ConnectionResetError("the request ended early")
        if not data.strip():
            return None
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise RefusedError(400, "Problems parsing JSON") from None

    def _write(
        self,
        status: int,
        payload: bytes,
        headers: dict[str, str],
        kind: str = "application/json",
        cut: int | None = None,
    ) -> None:
        """Send an answer; with `cut` only that many bytes of the body that it promises."""
        bare = status in (204, 304)
        self._headers_buffer: list[bytes] = []
        self.send_response(status)
        self.send_header("x-github-request-id", f"SAND:{self.server.next_request():08X}")
        self.send_header("x-github-media-type", "github.v3; format=json")
        for name, value in headers.items():
            self.send_header(name, value)
        if not bare:
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(payload)))
        if self.close_connection:
            self.send_header("Connection", "close")
        # Head and body in one write: one packet, no waiting for its acknowledgement.
        head = b"".join(self._headers_buffer)
        self._headers_buffer = []
        self.wfile.write(head + b"\r\n" + (b"" if bare else payload[:cut]))

    def _break(self, fault: Fault, answer: Answer) -> None:
        """Answer as the fault says, which may mean not at all."""
        if fault.kind == "timeout":
            self.server.site.stopping.wait(fault.seconds)
            self.close_connection = True
        elif fault.kind == "drop":
            # Zero linger makes closing a reset, as a dying server's kernel sends.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()
            self.close_connection = True
        elif fault.kind == "html":
            headers = {**answer.headers, **fault.headers}
            self._write(fault.status, HTML, headers, "text/html")
        elif fault.kind == "truncate":
            whole = json.dumps(answer.body).encode()
            self.close_connection = True
            self._write(answer.status, whole, answer.headers, cut=len(whole) // 2)
        else:
            payload = json.dumps(fault.body()).encode()
            self._write(fault.status, payload, {**answer.headers, **fault.headers})


for _method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
    setattr(Handler, f"do_{_method}", Handler._serve)


class Server(ThreadingHTTPServer):
    """Listens on 127.0.0.1; `stop` leaves no thread and no connection behind."""

    request_queue_size = 128

    def __init__(self, site: Site, port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), Handler)
        self.site = site
        self._open: dict[socket.socket, threading.Thread] = {}
        self._count = 0
        self._guard = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        """The port that the system gave."""
        return int(self.server_address[1])

    def next_request(self) -> int:
        """The number of the next answer."""
        with self._guard:
            self._count += 1
            return self._count

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop, closing every connection; waits for the threads that served them."""
        self.site.stopping.set()
        self.shutdown()
        self._thread.join()
        with self._guard:
            serving = dict(self._open)
        for connection, thread in serving.items():
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            thread.join(READ_SECONDS)
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection in a thread that `stop` can find, and that no exit waits for."""
        arguments = (request, client_address)
        thread = threading.Thread(target=self.process_request_thread, args=arguments, daemon=True)
        with self._guard:
            self._open[request] = thread
        thread.start()

    def shutdown_request(self, request: Any) -> None:
        """Forget the connection, then close it."""
        with self._guard:
            self._open.pop(request, None)
        super().shutdown_request(request)
