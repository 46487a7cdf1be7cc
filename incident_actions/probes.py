"""Asking a team's own addresses whether they work again. Nothing here talks to GitHub."""

from __future__ import annotations

import ipaddress
import socket
from urllib.parse import urljoin, urlsplit

import requests

from incident_actions import __version__

TIMEOUT = 5
"""Seconds to connect, and between two parts of the answer."""
_MOST_REDIRECTS = 5


def works(url: str, allow_private: bool) -> bool:
    """Whether an address answers with 2xx. Never raises; the answer's content is not read.

    Redirects are followed by hand, and never to an address inside a private network unless that
    is allowed: a redirect must not turn the runner into somebody's way in.
    """
    try:
        for _ in range(_MOST_REDIRECTS):
            if not allow_private and not _is_public(url):
                return False
            with requests.get(
                url,
                timeout=TIMEOUT,
                allow_redirects=False,
                stream=True,
                headers={"User-Agent": f"incident-actions/{__version__}"},
            ) as answer:
                if not answer.is_redirect:
                    return 200 <= answer.status_code < 300
                url = urljoin(url, answer.headers["location"])
    except (requests.RequestException, OSError, ValueError):
        return False
    return False


def _is_public(url: str) -> bool:
    """Whether every address that the host's name stands for is on the public internet."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return False
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    return bool(found) and all(ipaddress.ip_address(each[4][0]).is_global for each in found)
