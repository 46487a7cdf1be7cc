"""Asking a team's own addresses whether they work again. Nothing here talks to GitHub."""

from __future__ import annotations

import ipaddress
import re
import socket
import threading
from urllib.parse import urljoin

import requests
from urllib3.util import parse_url

from incident_actions import __version__

TIMEOUT = 5
"""Seconds to connect, and between two parts of the answer."""
LIMIT = 10
"""Seconds for all of it, redirects included."""
_MOST_REDIRECTS = 5


def works(url: str, allow_private: bool) -> bool:
    """Whether an address answers with 2xx, in `LIMIT` seconds. Never raises; content is not read.

    Redirects are followed by hand, and never to an address inside a private network unless that
    is allowed: a redirect must not turn the runner into somebody's way in.
    """
    good: list[bool] = []
    thread = threading.Thread(target=lambda: good.append(_ask(url, allow_private)), daemon=True)
    thread.start()
    thread.join(LIMIT)  # an answer that comes drop by drop is none
    return bool(good) and good[0]


def _ask(url: str, allow_private: bool) -> bool:
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


_PLAIN = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?:[/?#][!-\[\]-~]*)?$")
"""No user names, backslashes or control characters: readers of addresses differ about them."""
_CARRIES_IPV4 = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "2002::/16", "2001::/32")]


def _is_public(url: str) -> bool:
    """Whether every address that the host's name stands for is on the public internet."""
    if not _PLAIN.match(url):
        return False
    parts = parse_url(url)  # the same reading as the request's own
    host = (parts.host or "").strip("[]")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return bool(found) and all(_is_outside(str(each[4][0])) for each in found)


def _is_outside(address: str) -> bool:
    """Whether an address is public, and does not carry another one that may not be."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _CARRIES_IPV4)
