"""Probes: a team's own addresses, and never somebody's way into a private network.

Requests go over real sockets on loopback; names are resolved by a table.
"""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from incident_actions.reconcile import probes

TLS = Path(__file__).parent.parent / "data" / "tls"
PUBLIC = "93.184.216.34"


class Server:
    """An HTTP server on loopback that remembers what it was asked: the Host header and the path."""

    def __init__(self, secure: ssl.SSLContext | None = None) -> None:
        self.asked: list[tuple[str, str]] = []
        self.redirects: dict[str, str] = {}
        seen = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.asked.append((self.headers["Host"], self.path))
                target = seen.redirects.get(self.path)
                self.send_response(302 if target else 200)
                if target:
                    self.send_header("Location", target)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if secure is not None:
            self._server.socket = secure.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    """A server on loopback."""
    it = Server()
    yield it
    it.stop()


Names = dict[str, list[str]]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """The table of names: each has its addresses, the next one at each question."""
    table: Names = {}
    real = socket.getaddrinfo

    def resolve(host: str, port: int, *given: Any, **named: Any) -> Any:
        if host in table:
            address = table[host].pop(0) if len(table[host]) > 1 else table[host][0]
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]
        return real(host, port, *given, **named)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return table


@pytest.fixture
def connected(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses that are connected to. All public ones are the server on loopback."""
    to: list[str] = []
    real: Callable[..., Any] = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> Any:
        to.append(address[0])
        return real(self, ("127.0.0.1", *address[1:]) if address[0] == PUBLIC else address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    return to


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:80\\@8.8.8.8/x",
        "http://user@8.8.8.8/",
        "http://8.8.8.8\n.example/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::127.0.0.1]/",
        "http://[64:ff9b::7f00:1]/",
        "http://[64:ff9b:1::7f00:1]/",
        "http://[2002:7f00:1::]/",
        "http://[fec0::1]/",
        "http://[fe80::1]/",
        "http://[fd00::1]/",
        "http://127.1/",
        "http://0x7f000001/",
        "http://0x7f.1/",
        "http://2130706433/",
        "http://0177.0.0.1/",
        "http://0.0.0.0/",
        "http://0/",
        "http://localhost/",
        "http://localhost./",
        "http://169.254.169.254/latest/meta-data",
        "http://10.0.0.8/",
        "http://100.64.0.1/",
        "http://224.0.0.1/",
        "file:///etc/passwd",
        "ftp://8.8.8.8/",
        "",
    ],
)
def test_what_leads_inside_is_not_asked(url: str, connected: list[str]) -> None:
    """Whatever way the address is written, nothing is connected to."""
    assert not probes.works(url, False)
    assert connected == []


def test_a_name_that_changes_its_mind_leads_nowhere(
    server: Server, names: Names, connected: list[str]
) -> None:
    """The address that was judged is the one that is connected to, with the name in the request."""
    names["rebind.example"] = [PUBLIC, "127.0.0.1"]
    assert probes.works(f"http://rebind.example:{server.port}/health", False)
    assert connected == [PUBLIC]
    assert server.asked == [(f"rebind.example:{server.port}", "/health")]


@pytest.mark.parametrize("inside", ["127.0.0.1", "169.254.169.254", "0.0.0.0", "10.0.0.1"])
def test_each_redirect_is_judged(
    server: Server, names: Names, connected: list[str], inside: str
) -> None:
    """By the address that it is asked at."""
    names["shop.example"], names["inside.example"] = [PUBLIC], [inside]
    server.redirects["/"] = f"http://inside.example:{server.port}/secret"
    assert not probes.works(f"http://shop.example:{server.port}/", False)
    assert connected == [PUBLIC]
    assert [path for _, path in server.asked] == ["/"]


def test_a_redirect_to_a_name_that_changes_its_mind(
    server: Server, names: Names, connected: list[str]
) -> None:
    """Each hop is connected to where it was judged."""
    names["shop.example"], names["rebind.example"] = [PUBLIC], [PUBLIC, "127.0.0.1"]
    server.redirects["/"] = f"http://rebind.example:{server.port}/a?b=c"
    assert probes.works(f"http://shop.example:{server.port}/", False)
    assert connected == [PUBLIC, PUBLIC]
    assert server.asked[-1] == (f"rebind.example:{server.port}", "/a?b=c")


def test_one_private_address_among_others_is_enough(
    monkeypatch: pytest.MonkeyPatch, connected: list[str]
) -> None:
    """Nobody knows which of them would answer."""
    both = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (a, 80)) for a in (PUBLIC, "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    assert not probes.works("http://shop.example/", False)
    assert connected == []


def test_a_private_network_is_asked_where_the_team_allows_it(server: Server) -> None:
    """`allow-private` in the configuration."""
    assert probes.works(f"http://127.0.0.1:{server.port}/", True)
    assert not probes.works(f"http://127.0.0.1:{server.port}/", False)


@pytest.mark.parametrize(("name", "good"), [("shop.example", True), ("other.example", False)])
def test_tls_is_for_the_name(
    names: Names,
    connected: list[str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    good: bool,
) -> None:
    """The name is asked for (SNI), and the certificate must be its own, not the address's."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(TLS / "certificate.pem"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(TLS / "certificate.pem", TLS / "key.pem")
    asked_for: list[str | None] = []
    context.sni_callback = lambda _, server_name, __: asked_for.append(server_name)
    server = Server(context)
    names[name] = [PUBLIC]
    assert probes.works(f"https://{name}:{server.port}/", False) is good
    server.stop()
    assert asked_for == [name]
    assert connected == [PUBLIC]
    assert len(server.asked) == int(good)
