"""Waiting out GitHub's rate limits, as long as a run has time for it.

https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
"""

from __future__ import annotations

import logging
from typing import Any, Self

from github.GithubRetry import GithubRetry
from msgspec import Struct
from urllib3.exceptions import MaxRetryError

from incident_actions.errors import RateLimited

LONGEST_WAIT = 60
"""Seconds that one wait may take: what GitHub asks for where it names no time."""
ALL_WAITS = 240
"""Seconds that all waits of a run may take together: it should end before the next sweep."""
_LIMITED = frozenset({403, 429})
_log = logging.getLogger(__name__)
_SAFE_TO_REPEAT = frozenset({"GET", "PATCH", "PUT", "DELETE"})


class Patience(Struct):
    """The seconds that a run may still wait."""

    left: float


class PatientRetry(GithubRetry):
    """Asks again when GitHub failed, and once its rate limit is over.

    A write whose answer was lost may have happened, so only what is safe to repeat is repeated.
    A request that was refused for its rate did nothing: that one is always safe.
    """

    def __init__(self, patience: Patience | None = None, **given: Any) -> None:
        settings: dict[str, Any] = {
            "total": 3,
            "backoff_factor": 0.5,
            "secondary_rate_wait": LONGEST_WAIT,
            "max_rate_limit_wait": LONGEST_WAIT,
            "allowed_methods": _SAFE_TO_REPEAT,
            "status_forcelist": [429, 500, 502, 503, 504],
        }
        super().__init__(**{**settings, **given})
        self.patience = patience or Patience(ALL_WAITS)

    def new(self, **changed: Any) -> Self:
        """The same with some settings changed; the patience is shared."""
        return super().new(patience=self.patience, **changed)

    def is_retry(self, method: str, status_code: int, has_retry_after: bool = False) -> bool:
        """Whether to ask again after this answer."""
        limited = status_code in _LIMITED
        return limited or bool(super().is_retry(method, status_code, has_retry_after))

    def increment(self, *given: Any, **named: Any) -> Any:
        """The retry after this answer. Raises `RateLimited` when the limit outlasts them all."""
        response, error = named.get("response"), named.get("error")
        try:
            again = super().increment(*given, **named)
        except MaxRetryError:
            if response is None or response.status not in _LIMITED:
                raise
            said = f": HTTP {response.status}, however often it is asked"
            raise _limited(response, said) from None
        seen = f"HTTP {response.status}" if response is not None else type(error).__name__
        _log.warning("GitHub failed (%s); asking again", seen)
        return again

    def sleep(self, response: Any = None) -> None:
        """Wait before asking again. Raises `RateLimited` rather than to wait for too long."""
        if response is not None and response.status in _LIMITED:
            asked = self.get_retry_after(response)
            seconds = self.get_backoff_time() if asked is None else asked
            if seconds > min(LONGEST_WAIT, self.patience.left):
                raise _limited(response, f" and asks for {seconds:.0f} seconds of waiting")
            self.patience.left -= seconds
        super().sleep(response)


def _limited(response: Any, said: str) -> RateLimited:
    """The error that ends the run. The connection is given back before it is raised."""
    response.close()
    return RateLimited(f"GitHub limits the rate{said}")
