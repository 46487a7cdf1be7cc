"""A stateful GitHub over real HTTP on 127.0.0.1, for drills and tests.

It imports nothing else of this project, so that it cannot share its bugs.
"""

from __future__ import annotations

from .errors import RefusedError
from .faults import Fault
from .people import Person
from .sandbox import Sandbox
from .server import Entry, Exchange

__all__ = ["Entry", "Exchange", "Fault", "Person", "RefusedError", "Sandbox"]
