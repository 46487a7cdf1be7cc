"""How long a sweep of 200 open incidents takes, with 20 ms added to each request.

`python -m tests.bench.bench_sweep` prints a table. It exits 1 when a limit is passed; it is no
test, because a busy machine would make it fail at random.
"""

from __future__ import annotations

import logging
import sys
import time

from incident_actions.sandbox import Sandbox
from tests.support.watch import Watch

INCIDENTS = 200
LATENCY_MS = 20
MOST_SECONDS = 60.0


def timed(shop: Watch) -> float:
    """The seconds that one sweep takes."""
    shop.github.latency_ms = LATENCY_MS
    start = time.perf_counter()
    shop.sweep()
    seconds = time.perf_counter() - start
    shop.github.latency_ms = 0
    return seconds


def main() -> int:
    """Measure, print, and say whether the limits hold."""
    logging.disable(logging.CRITICAL)
    rows = []
    with Sandbox() as github:
        shop = Watch(github)
        numbers = [shop.declare(f"SEV{n % 3 + 1}") for n in range(INCIDENTS)]
        rows.append(("first sweep: no run saw any of them", timed(shop), shop.requests, None))
        for number in numbers:
            shop.alice.comment(number, "/ack\n/update looking")
        rows.append(("every run of a command was lost", timed(shop), shop.requests, None))
        shop.passes(2)
        rows.append(("nothing due", timed(shop), shop.requests, MOST_SECONDS))
        shop.passes(30)
        rows.append(("an update is due of two in three", timed(shop), shop.requests, MOST_SECONDS))
        shop.passes(30)
        rows.append(("again, the old reminders replaced", timed(shop), shop.requests, MOST_SECONDS))
    print(f"{INCIDENTS} open incidents, {LATENCY_MS} ms added to each request")
    for name, seconds, requests, most in rows:
        limit = "" if most is None else f"   (at most {most:g})"
        print(f"{name:40} {seconds:8.2f} s {requests:6} requests{limit}")
    return int(any(most is not None and seconds > most for _, seconds, _, most in rows))


if __name__ == "__main__":
    sys.exit(main())
