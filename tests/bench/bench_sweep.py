"""How long sweeps of 200 open incidents take, with 20 ms added to each request.

One run makes 400 requests at most and then stops with an error; the next run goes on. So the table
has the time until everything is done, and the number of runs that it took.

`python -m tests.bench.bench_sweep` prints a table. It exits 1 when a limit is passed; it is no
test, because a busy machine would make it fail at random.
"""

from __future__ import annotations

import logging
import sys
import time

from incident_actions.errors import RequestCeilingReached
from incident_actions.sandbox import Sandbox
from tests.support.watch import Watch

INCIDENTS = 200
LATENCY_MS = 20
MOST_SECONDS = 60.0
MOST_RUNS = 20


def timed(shop: Watch) -> tuple[float, int, int]:
    """The seconds, the runs and the requests until a sweep comes to its end."""
    shop.github.latency_ms = LATENCY_MS
    start, runs, requests, done = time.perf_counter(), 0, 0, False
    while not done and runs < MOST_RUNS:
        runs += 1
        try:
            shop.sweep()
            done = True
        except RequestCeilingReached:
            pass
        requests += shop.requests
    seconds = time.perf_counter() - start
    shop.github.latency_ms = 0
    return seconds, runs, requests


def main() -> int:
    """Measure, print, and say whether the limits hold."""
    logging.disable(logging.CRITICAL)
    rows = []
    with Sandbox() as github:
        shop = Watch(github)
        numbers = [shop.declare(f"SEV{n % 3 + 1}") for n in range(INCIDENTS)]
        rows.append(("first sweep: no run saw any of them", *timed(shop), None))
        for number in numbers:
            shop.alice.comment(number, "/ack\n/update looking")
        rows.append(("every run of a command was lost", *timed(shop), None))
        shop.passes(2)
        rows.append(("nothing due", *timed(shop), MOST_SECONDS))
        shop.passes(30)
        rows.append(("an update is due of two in three", *timed(shop), MOST_SECONDS))
        shop.passes(30)
        rows.append(("again, the old reminders replaced", *timed(shop), MOST_SECONDS))
    print(f"{INCIDENTS} open incidents, {LATENCY_MS} ms added to each request")
    for name, seconds, runs, requests, most in rows:
        limit = "" if most is None else f"   (at most {most:g})"
        print(f"{name:40} {seconds:8.2f} s {runs:3} runs {requests:6} requests{limit}")
    return int(any(most is not None and seconds > most for _, seconds, _, _, most in rows))


if __name__ == "__main__":
    sys.exit(main())
