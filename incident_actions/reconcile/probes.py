"""Asks a team's own URLs whether they work again. Sends nothing to GitHub."""

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
"""Seconds to connect, and to wait for the next part of an answer."""
LIMIT = 10
"""Seconds for a whole probe, with its redirects."""
_MOST_REDIRECTS = 5


def works(url: str, allow_private: bool) -> bool:
    """Whether a URL answers with a 2xx status within `LIMIT` seconds. Never raises.

    Follows redirects, and does not read the answer's body. Unless `allow_private`, neither the URL
    nor a redirect may lead into a private network: outsiders could reach that network through the
    runner.
    """
    good: list[bool] = []
    thread = threading.Thread(target=lambda: good.append(_ask(url, allow_private)), daemon=True)
    thread.start()
    thread.join(LIMIT)  # a slow answer may keep `TIMEOUT` from ever being reached
    return bool(good) and good[0]


def _ask(url: str, allow_private: bool) -> bool:
    """Whether a URL, or what it redirects to, answers with a 2xx status."""
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
"""URLs without user names, backslashes and control characters, which parsers read differently."""
_CARRIES_IPV4 = [ipaddress.ip_network(net) for net in ("64:ff9b::/96", "2002::/16", "2001::/32")]


def _is_public(url: str) -> bool:
    """Whether all IP addresses of a URL's host are on the public internet."""
    if not _PLAIN.match(url):
        return False
    parts = parse_url(url)  # the parser that `requests` uses, too
    host = (parts.host or "").strip("[]")
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return bool(addresses) and all(_is_outside(str(each[4][0])) for each in addresses)


def _is_outside(address: str) -> bool:
    """Whether an IP address is public, and is no IPv6 address that stands for an IPv4 address."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    return ip.is_global and not ip.is_multicast and not any(ip in net for net in _CARRIES_IPV4)
