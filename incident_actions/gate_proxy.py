"""How GitHub is asked where a proxy is set. `urllib.request` knows proxies, and is slow to import.

https://docs.python.org/3/library/urllib.request.html#urllib.request.ProxyHandler
"""

from __future__ import annotations

import urllib.request
from collections.abc import Mapping
from typing import Any
from urllib.error import URLError


class _AnyStatus(urllib.request.HTTPErrorProcessor):
    """Gives every answer back as it is: no redirect is followed, no status is an exception."""

    def http_response(self, request: Any, response: Any) -> Any:
        """Give back the answer."""
        return response

    https_response = http_response


def exchange_by_proxy(
    url: str, headers: Mapping[str, str], timeout: float, tls: Any, given: bytes | None
) -> tuple[int, Any, bytes]:
    """Send one request through the proxy that the environment names for the address.

    It is a POST with `given`, else a GET. Hosts in `no_proxy` are asked directly. `tls` is an
    SSLContext; None for plain HTTP. Gives the status, the headers and the body of the answer.
    Raises OSError, HTTPException and ValueError.
    """
    by_tls = urllib.request.HTTPSHandler(context=tls)
    opener = urllib.request.build_opener(by_tls, _AnyStatus)
    request = urllib.request.Request(url, given, dict(headers))
    try:
        with opener.open(request, timeout=timeout) as answer:
            return answer.status, answer.headers, answer.read()
    except URLError as error:  # it hides what happened
        raise error.reason if isinstance(error.reason, OSError) else error from None
