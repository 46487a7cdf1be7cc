"""`python -m incident_actions.sandbox`: the sandbox as a process, until it is interrupted."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from pathlib import Path

from .sandbox import Sandbox
from .seed import sow


def main(arguments: list[str] | None = None) -> int:
    """Serve; prints the address in one line once it answers."""
    parser = argparse.ArgumentParser(prog="incident_actions.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 lets the system choose")
    parser.add_argument("--prefix", default="", help="path before the API, such as /api/v3")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="added to each request")
    parser.add_argument("--seed", type=Path, help="JSON file that says what is there at first")
    options = parser.parse_args(arguments)
    done = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: done.set())
    github = Sandbox(port=options.port, prefix=options.prefix, latency_ms=options.latency_ms)
    if options.seed:
        sow(github, json.loads(options.seed.read_text(encoding="utf-8")))
    with github:
        print(github.url, flush=True)
        done.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
