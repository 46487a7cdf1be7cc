"""A GitHub that misbehaves on purpose: answers, faults and lies that a real one gives at its worst.

The sandbox plays a healthy GitHub; this one is scripted answer by answer.
"""

from __future__ import annotations

import hashlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Reply:
    """One answer. `fault` breaks it: reset, hang, cut (half a body), drip (a byte at a time)."""

    body: Any = None
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    fault: str = ""


@dataclass
class Hostile:
    """What is scripted, and what was asked. Keys: incident, deploy-freeze, or a piece of a path."""

    script: dict[str, list[Reply]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    tokens: list[str | None] = field(default_factory=list)
    asked: list[Any] = field(default_factory=list)  # what was sent by POST
    lists: Callable[[str, dict[str, str]], list[Any]] | None = None  # a list of its own making
    tags: bool = False  # whether answers have an ETag, and known ones are 304
    counted: int = 0  # requests that were not answered by 304
    url: str = ""

    def will(self, key: str, *replies: Any) -> None:
        """Give these answers in turn, the last one for ever; plain values are sent as JSON."""
        self.script[key] = [r if isinstance(r, Reply) else Reply(r) for r in replies]

    def believe(self) -> None:
        """Nobody edited anything, and everybody may write."""
        self.will("/collaborators/", {"permission": "write"})
        author = {"__typename": "User", "login": "alice"}
        issue = {"author": author, "editor": None, "lastEditedAt": None}
        self.will("/graphql", {"data": {"repository": {"issue": issue}}})

    def reply(self, path: str) -> Reply:
        """The next answer for a path; an empty list for issues, 404 for anything else."""
        url = urlsplit(path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        label, page = query.get("labels", ""), query.get("page", "1")
        if label and self.lists:
            return Reply(self.lists(label, query))
        if label:
            keys = [f"{label}?{page}", label] if page == "1" else [f"{label}?{page}"]
        else:
            keys = [key for key in self.script if key[0] == "/" and key in url.path]
        for key in keys:
            replies = self.script.get(key)
            if replies:
                return replies.pop(0) if len(replies) > 1 else replies[0]
        return Reply([]) if label else Reply({"message": "Not Found"}, 404)


@contextmanager
def serve() -> Iterator[Hostile]:
    """Run it on loopback."""
    world = Hostile()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["Content-Length"])
            world.asked.append(json.loads(self.rfile.read(size)))
            self.do_GET()

        def do_GET(self) -> None:
            world.log.append(self.path)
            world.tokens.append(self.headers["Authorization"])
            reply = world.reply(self.path)
            with suppress(OSError):
                self.send(reply)

        def send(self, reply: Reply) -> None:
            if reply.fault == "reset":
                linger = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                self.connection.close()
                return
            if reply.fault == "hang":
                time.sleep(2)
                return
            body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
            tag = f'"{hashlib.sha256(body).hexdigest()}"'
            if world.tags and reply.status == 200 and self.command == "GET":
                if self.headers["If-None-Match"] == tag:
                    self.send_response(304)
                    self.end_headers()
                    return
                reply.headers["ETag"] = tag
            world.counted += 1
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if reply.fault == "cut":
                self.wfile.write(body[: len(body) // 2])
            elif reply.fault == "drip":
                for byte in body:
                    self.wfile.write(bytes([byte]))
                    time.sleep(0.05)
            else:
                self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Stay silent."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 64

        def handle_error(self, *args: object) -> None:
            """A connection that the gate cut is no news."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    world.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield world
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
