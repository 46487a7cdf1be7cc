"""How long the gate takes: the whole process, on loopback, beside Python's own start.

`python -m tests.bench.bench_gate` prints a table. It exits 1 when a limit is passed, so that a
slower gate is noticed; it is no test, because a busy machine would make it fail at random.
"""

from __future__ import annotations

import json
import os
import resource
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

GATE = Path(__file__).parents[2] / "incident_actions" / "gate.py"
ROUNDS = 30
MOST_RATIO = 1.25  # of the baseline
MOST_SECONDS = 2.0  # with a thousand open incidents
MOST_MEMORY = 40.0  # MB, at the peak
BASELINE = ("-I", "-S", "-c", "import ssl, http.client, json")


def incident(number: int) -> dict[str, object]:
    """One open incident that does not freeze, with a body of an ordinary size."""
    return {
        "number": number,
        "title": f"Checkout is slow in region {number}",
        "state": "open",
        "html_url": f"https://github.com/acme/shop/issues/{number}",
        "labels": [{"name": "incident"}, {"name": "sev3"}],
        "user": {"login": "alice", "type": "User"},
        "author_association": "MEMBER",
        "created_at": "2026-11-23T02:50:00Z",
        "updated_at": f"2026-11-23T03:{number // 60 % 60:02}:{number % 60:02}Z",
        "body": "### Severity\n\nSEV3\n\n### What is broken\n\n" + "Pages load slowly. " * 200,
    }


@contextmanager
def github(count: int) -> Iterator[str]:
    """Serve so many open incidents on loopback; gives the address of the API."""
    items = [incident(n + 1) for n in range(count)]

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            query = parse_qs(url.query)
            since = query.get("since", [""])[0]
            asked = items if query["labels"] == ["incident"] else []
            found = [item for item in asked if str(item["updated_at"]) >= since]
            body = json.dumps(found[:100]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            if len(found) > 100:
                link = f"<http://{self.headers['Host']}{url.path}?page=2>"
                self.send_header("Link", f'{link}; rel="next"')
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def seconds(arguments: tuple[str, ...], environment: dict[str, str]) -> float:
    """Run the interpreter once; the wall-clock time in seconds."""
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, *arguments], env=environment, check=True, stdout=subprocess.DEVNULL
    )
    return time.perf_counter() - start


def environment_for(api: str) -> dict[str, str]:
    """What a runner's environment holds that matters here."""
    return {
        "PATH": os.environ["PATH"],
        "GITHUB_API_URL": api,
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_TOKEN": "a-token",
    }


def main() -> int:
    """Measure, print, and say whether the limits hold."""
    gate = ("-I", "-S", str(GATE))
    bare, full, many = [], [], []
    with github(0) as api:
        environment = environment_for(api)
        for _ in range(ROUNDS):  # in turn, so that a busy moment hits both
            bare.append(seconds(BASELINE, environment))
            full.append(seconds(gate, environment))
    with github(1000) as api:
        many = [seconds(gate, environment_for(api)) for _ in range(5)]
    # The largest of all the children so far: the gate with a thousand incidents.
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    base, clear, thousand = (statistics.median(times) for times in (bare, full, many))
    rows = (
        ("Python with ssl, http.client and json", base * 1000, "ms", None),
        ("gate, nothing open", clear * 1000, "ms", None),
        ("ratio of the two", clear / base, "x", MOST_RATIO),
        ("gate, 1,000 open incidents", thousand, "s", MOST_SECONDS),
        ("peak memory", memory, "MB", MOST_MEMORY),
    )
    for name, value, unit, most in rows:
        limit = "" if most is None else f"   (at most {most:g})"
        print(f"{name:40} {value:8.2f} {unit}{limit}")
    return int(any(most is not None and value > most for _, value, _, most in rows))


if __name__ == "__main__":
    sys.exit(main())
